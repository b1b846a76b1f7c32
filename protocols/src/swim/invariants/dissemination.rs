//! Dissemination: an update is passed on as often as the group is large, no less and no more.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Standing, Swim};

/// A node passes an update on λ⌈log(n + 1)⌉ times, with n as it is at the last, unless a newer one of the same member
/// comes.
#[derive(Clone, Debug)]
pub struct Dissemination {
    config: Config,
    /// How often each node has passed on what it last heard of a member.
    counts: BTreeMap<(NodeId, NodeId), u32>,
}

impl Dissemination {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        Self { config: config.clone(), counts: BTreeMap::new() }
    }

    /// `limit` is how often, as large as the group is now.
    fn on_fact(&mut self, node: NodeId, fact: &Fact, limit: u32) -> Result<(), Breach> {
        match fact {
            Fact::Started { .. } => self.counts.retain(|(of, _), _| *of != node),
            Fact::Queued { update } => {
                self.counts.insert((node, update.member), 0);
            }
            Fact::PassedOn { update } => {
                let count = self.counts.entry((node, update.member)).or_default();
                *count += 1;
                ensure!(*count <= limit, "{node} passes [{update}] on {count} times, and may {limit} times");
            }
            Fact::Spent { update } => {
                let count = self.counts.remove(&(node, update.member)).unwrap_or_default();
                ensure!(
                    count >= limit,
                    "{node} has passed [{update}] on {count} times, and must {limit} times"
                );
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
            | Fact::Packs
            | Fact::Gossiped => {}
        }
        Ok(())
    }
}

impl Invariant<Swim> for Dissemination {
    fn about(&self) -> &'static About {
        &About {
            name: "dissemination",
            statement: "A node passes an update on λ⌈log(n + 1)⌉ times, n being the members that it lists then, unless \
                        a newer one of the same member takes its place.",
            source: "SWIM (DSN 2002) §4.1; memberlist: `retransmitLimit`",
            leaves_out: "events in which the group changes after something was passed on",
        }
    }

    /// An update in hand when the group changes was passed on by the size before: events in which anything is heard are
    /// judged by neither. Nor are those after which it lists nobody: it has left, though it may have crashed before it could say so.
    fn on_event(&mut self, nodes: &Nodes<'_, Swim>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let Some(swim) = nodes.process(node) else { return Ok(()) };
        let limit = self.config.retransmit_limit(swim.membership().member_count());
        let changes = |fact: &Fact| {
            matches!(
                fact,
                Fact::Heard { .. } | Fact::Announced { .. } | Fact::Leaves { .. } | Fact::Started { .. }
            )
        };
        let is_changing = swim.membership().standing() == Standing::Left || facts.iter().any(changes);
        for fact in facts {
            let answer = self.on_fact(node, fact, limit);
            if !is_changing {
                answer?;
            }
        }
        Ok(())
    }

    /// Nothing waits that was passed on as often as it may in any group of these nodes.
    fn check_all(&self, nodes: &Nodes<'_, Swim>) -> Result<(), Breach> {
        let count = u32::try_from(nodes.count()).expect("node counts fit 31 bits");
        let most = self.config.retransmit_limit(count);
        nodes.running().try_for_each(|(node, swim)| {
            swim.membership().passed_on().try_for_each(|(sent, update)| {
                ensure!(sent < most, "{node} has passed [{update}] on {sent} times, and still does");
                Ok(())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Incarnation;
    use super::super::super::member::{Belief, State, Update};
    use super::*;

    const NODE: NodeId = NodeId::new(0);

    fn judge(facts: &[fn(Update) -> Fact]) -> Result<(), Breach> {
        let belief = Belief::new(State::Alive, Incarnation(1));
        let update = Update { member: NodeId::new(1), belief, from: NODE };
        let mut invariant = Dissemination::new(&Config::new([NODE, NodeId::new(1)]));
        facts.iter().try_for_each(|fact| invariant.on_fact(NODE, &fact(update), 2))
    }

    #[test]
    fn an_update_is_passed_on_as_often_as_the_limit_says() {
        let queued = |update| Fact::Queued { update };
        let passed = |update| Fact::PassedOn { update };
        let spent = |update| Fact::Spent { update };
        assert_eq!(judge(&[queued, passed, passed, spent]), Ok(()));
        assert!(judge(&[queued, passed, spent]).is_err());
        assert!(judge(&[queued, passed, passed, passed]).is_err());
        assert_eq!(judge(&[queued, passed, passed, queued, passed]), Ok(()), "counted anew");
    }
}
