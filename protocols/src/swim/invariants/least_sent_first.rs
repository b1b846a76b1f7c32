//! Which updates ride on a message: those that were sent least.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Swim};

/// A message leaves no update out that was passed on fewer times than one that it takes.
#[derive(Clone, Debug, Default)]
pub struct LeastSentFirst {
    waiting: BTreeMap<NodeId, Waiting>,
}

/// What a node has to pass on.
#[derive(Clone, Debug, Default)]
struct Waiting {
    /// By member, how often its update was passed on.
    counts: BTreeMap<NodeId, u32>,
    /// Whose updates ride on the present message.
    taken: BTreeSet<NodeId>,
}

impl LeastSentFirst {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        let waiting = self.waiting.entry(node).or_default();
        match fact {
            Fact::Started { .. } => *waiting = Waiting::default(),
            Fact::Queued { update } => {
                waiting.counts.insert(update.member, 0);
            }
            Fact::Packs => waiting.taken.clear(),
            Fact::PassedOn { update } => {
                let sent = waiting.counts.get(&update.member).copied().unwrap_or_default();
                waiting.taken.insert(update.member);
                let left = waiting.counts.iter().filter(|(member, _)| !waiting.taken.contains(member));
                let least = left.min_by_key(|(_, count)| **count).filter(|(_, count)| **count < sent);
                ensure!(
                    least.is_none(),
                    "{node} passes [{update}] on, which it has sent {sent} times, before what it knows of a member and has \
                     sent fewer times: {least:?}"
                );
                waiting.counts.insert(update.member, sent + 1);
            }
            Fact::Spent { update } => {
                waiting.counts.remove(&update.member);
            }
            Fact::Announced { .. }
            | Fact::Accused { .. }
            | Fact::Leaves { .. }
            | Fact::Heard { .. }
            | Fact::Confirmed { .. }
            | Fact::Forgot { .. }
            | Fact::Period
            | Fact::Pinged { .. }
            | Fact::Answered
            | Fact::Requested
            | Fact::GossipBegins
            | Fact::Gossiped => {}
        }
        Ok(())
    }
}

impl Invariant<Swim> for LeastSentFirst {
    fn about(&self) -> &'static About {
        &About {
            name: "least-sent-first",
            statement: "A message leaves no update out that was passed on fewer times than one that it takes.",
            source: "SWIM (DSN 2002) §4.1: elements that have been gossiped fewer times are preferred",
            leaves_out: "the order of those that were passed on as often, where the newest come first",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Swim>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// How often nodes have passed on what waits is as they have said.
    fn check_all(&self, nodes: &Nodes<'_, Swim>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, swim)| {
            let told = self.waiting.get(&node).map(|waiting| waiting.counts.clone()).unwrap_or_default();
            let kept: BTreeMap<NodeId, u32> =
                swim.membership().passed_on().map(|(sent, update)| (update.member, sent)).collect();
            ensure!(kept == told, "{node} has passed on {kept:?}, and has told of {told:?}");
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Incarnation;
    use super::super::super::member::{Belief, State, Update};
    use super::*;

    const NODE: NodeId = NodeId::new(0);

    fn update(member: u32) -> Update {
        let belief = Belief::new(State::Alive, Incarnation(1));
        Update { member: NodeId::new(member), belief, from: NODE }
    }

    fn queued(member: u32) -> Fact {
        Fact::Queued { update: update(member) }
    }

    fn passed(member: u32) -> Fact {
        Fact::PassedOn { update: update(member) }
    }

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = LeastSentFirst::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NODE, fact))
    }

    #[test]
    fn what_was_sent_least_goes_first_and_nothing_twice_in_a_message() {
        let first = [queued(1), Fact::Packs, passed(1), queued(2)];
        let then = |facts: &[Fact]| judge(&[&first, facts].concat());
        assert_eq!(then(&[Fact::Packs, passed(2)]), Ok(()));
        assert!(then(&[Fact::Packs, passed(1)]).is_err(), "2 was never sent");
        assert_eq!(then(&[Fact::Packs, passed(2), passed(1)]), Ok(()), "there is room for both");
        assert_eq!(then(&[Fact::Packs, passed(2), Fact::Packs, passed(1)]), Ok(()), "both were sent once");
        let spent = Fact::Spent { update: update(2) };
        assert_eq!(then(&[spent, Fact::Packs, passed(1)]), Ok(()), "2 goes out no more");
        let restart =
            Fact::Started { incarnation: Incarnation(2), table: super::super::super::Table::default() };
        assert_eq!(then(&[restart, queued(1), Fact::Packs, passed(1)]), Ok(()), "nothing else is known");
    }
}
