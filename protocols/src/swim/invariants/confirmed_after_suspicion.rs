//! Suspicion first: nobody is declared dead but after a suspicion that stood long enough.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::{LocalTime, Span};

use super::super::member::{Belief, State};
use super::super::{Config, Fact, Incarnation, Swim};
use super::Beliefs;

/// A member that a node declares dead by itself was its suspect in that incarnation, without a break, for as long as a
/// suspicion stands at least in the smallest group.
#[derive(Clone, Debug)]
pub struct ConfirmedAfterSuspicion {
    shortest: Span,
    beliefs: Beliefs,
}

impl ConfirmedAfterSuspicion {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        Self { shortest: config.suspicion_min(1), beliefs: Beliefs::default() }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match fact {
            Fact::Started { table, .. } => self.beliefs.start(node, table),
            Fact::Heard { update, at } => self.beliefs.hear(node, *update, *at),
            Fact::Confirmed { member, incarnation, at } => {
                return self.check(node, *member, *incarnation, *at);
            }
            Fact::Forgot { member, .. } => self.beliefs.set(node, *member, Belief::UNKNOWN),
            Fact::Announced { .. }
            | Fact::Accused { .. }
            | Fact::Leaves { .. }
            | Fact::Period
            | Fact::Pinged { .. }
            | Fact::Answered
            | Fact::Requested
            | Fact::GossipBegins
            | Fact::Packs
            | Fact::Gossiped
            | Fact::Queued { .. }
            | Fact::PassedOn { .. }
            | Fact::Spent { .. } => {}
        }
        Ok(())
    }

    fn check(
        &self,
        node: NodeId,
        member: NodeId,
        incarnation: Incarnation,
        at: LocalTime,
    ) -> Result<(), Breach> {
        let belief = self.beliefs.get(node, member);
        ensure!(
            belief.state == State::Suspect && belief.incarnation == incarnation,
            "{node} declares {member} dead in {incarnation}, and by what it has heard it is {belief}"
        );
        let held = self.beliefs.since(node, member).map_or(Span::ZERO, |since| at.since(since));
        ensure!(
            held >= self.shortest,
            "{node} declares {member} dead after a suspicion of {held}, and it must stand {} at least",
            self.shortest
        );
        Ok(())
    }
}

impl Invariant<Swim> for ConfirmedAfterSuspicion {
    fn about(&self) -> &'static About {
        &About {
            name: "confirmed-after-suspicion",
            statement: "A member that a node declares dead by itself was its suspect in that incarnation, without a \
                        break, for α periods at least: nothing that it has heard meanwhile refutes it.",
            source: "SWIM (DSN 2002) §4.2; Lifeguard §4.2: Min",
            leaves_out: "the logarithm of the group, which a suspicion is the longer by: it may shrink meanwhile",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Swim>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// Whoever is suspected has a suspicion that will end, and nobody else does.
    fn check_all(&self, nodes: &Nodes<'_, Swim>) -> Result<(), Breach> {
        for (node, swim) in nodes.running() {
            for (member, belief) in swim.membership().table().known() {
                let (is_suspect, ends) =
                    (belief.state == State::Suspect, swim.membership().is_suspected(member));
                ensure!(
                    is_suspect == ends || member == node,
                    "{node} believes {member} to be {belief}, and a suspicion of it that ends: {ends}"
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::member::Update;
    use super::*;

    const NODE: NodeId = NodeId::new(0);
    const MEMBER: NodeId = NodeId::new(1);

    fn judge(facts: &[(u64, State, u32)]) -> Result<(), Breach> {
        let mut invariant = ConfirmedAfterSuspicion::new(&Config::new([NODE, MEMBER]));
        facts.iter().try_for_each(|(second, state, number)| {
            let (incarnation, at) = (Incarnation(*number), LocalTime::ZERO + Span::secs(*second));
            let fact = match state {
                State::Dead => Fact::Confirmed { member: MEMBER, incarnation, at },
                State::Unknown => Fact::Forgot { member: MEMBER, at },
                State::Alive | State::Suspect | State::Left => {
                    let belief = Belief::new(*state, incarnation);
                    Fact::Heard { update: Update { member: MEMBER, belief, from: NODE }, at }
                }
            };
            invariant.on_fact(NODE, &fact)
        })
    }

    #[test]
    fn a_death_comes_after_a_suspicion_that_stood() {
        use State::{Alive, Dead, Left, Suspect, Unknown};
        assert_eq!(judge(&[(1, Suspect, 0), (5, Dead, 0)]), Ok(()));
        assert_eq!(judge(&[(1, Suspect, 0), (2, Suspect, 0), (5, Dead, 0)]), Ok(()), "it goes on");
        assert!(judge(&[(1, Suspect, 0), (4, Dead, 0)]).is_err(), "too early");
        assert!(judge(&[(1, Alive, 0), (9, Dead, 0)]).is_err(), "never suspected");
        assert!(judge(&[(1, Suspect, 0), (2, Alive, 1), (9, Dead, 0)]).is_err(), "refuted");
        assert!(judge(&[(1, Suspect, 0), (2, Alive, 1), (9, Dead, 1)]).is_err(), "refuted");
        assert_eq!(
            judge(&[(1, Left, 0), (3, Unknown, 0), (4, Suspect, 0), (8, Dead, 0)]),
            Ok(()),
            "forgotten"
        );
        assert!(judge(&[(1, Left, 0), (4, Suspect, 0), (9, Dead, 0)]).is_err(), "gone");
    }
}
