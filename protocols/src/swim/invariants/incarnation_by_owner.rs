//! Incarnations: raised by their member alone, and never lower again.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Incarnation, Swim};

/// What a member has announced and was accused of.
#[derive(Clone, Copy, Debug, Default)]
struct Announced {
    /// The highest incarnation that it was in; `None`: never announced, so 0 by its start at most.
    highest: Incarnation,
    /// Whether it must rise before it announces itself again: it was started anew.
    must_rise: bool,
    /// The highest incarnation in which it has heard that it is not alive.
    accused: Option<Incarnation>,
}

/// Nobody hears of an incarnation that its member has not announced, and a member announces itself in a higher one each
/// time: after a start, and to refute.
#[derive(Clone, Debug, Default)]
pub struct IncarnationByOwner {
    announced: BTreeMap<NodeId, Announced>,
}

impl IncarnationByOwner {
    fn on_fact(&mut self, node: NodeId, fact: &Fact, is_first_start: bool) -> Result<(), Breach> {
        let own = self.announced.entry(node).or_default();
        match fact {
            Fact::Started { .. } => {
                own.must_rise = !is_first_start;
                own.accused = None;
                Ok(())
            }
            Fact::Accused { incarnation } => {
                own.accused = own.accused.max(Some(*incarnation));
                Ok(())
            }
            Fact::Announced { incarnation } => own.announce(node, *incarnation),
            Fact::Leaves { incarnation } => {
                let highest = own.highest;
                own.highest = *incarnation;
                ensure!(
                    *incarnation >= highest,
                    "{node} leaves in {incarnation}, and has announced {highest}"
                );
                Ok(())
            }
            Fact::Heard { update, .. } => self.check(node, update.member, update.belief.incarnation),
            Fact::Confirmed { member, incarnation, .. } => self.check(node, *member, *incarnation),
            Fact::Forgot { .. }
            | Fact::Period
            | Fact::Pinged { .. }
            | Fact::Answered
            | Fact::Requested
            | Fact::GossipBegins
            | Fact::Packs
            | Fact::Gossiped
            | Fact::Queued { .. }
            | Fact::PassedOn { .. }
            | Fact::Spent { .. } => Ok(()),
        }
    }

    fn check(&self, node: NodeId, member: NodeId, incarnation: Incarnation) -> Result<(), Breach> {
        let highest = self.announced.get(&member).map_or(Incarnation(0), |own| own.highest);
        ensure!(
            incarnation <= highest,
            "{node} hears of {member} in {incarnation}, and {member} has announced no higher one than {highest}"
        );
        Ok(())
    }
}

impl Announced {
    fn announce(&mut self, node: NodeId, incarnation: Incarnation) -> Result<(), Breach> {
        let Self { highest, must_rise, accused } = *self;
        let text = format!("{node} announces itself in {incarnation}");
        ensure!(incarnation >= highest, "{text}, and was in {highest}");
        ensure!(incarnation > highest || !must_rise, "{text} after a restart, and was in it before");
        ensure!(
            accused.is_none_or(|accused| incarnation > accused),
            "{text}, in which it is said not to be alive"
        );
        *self = Self { highest: incarnation, must_rise: false, accused: None };
        Ok(())
    }
}

impl Invariant<Swim> for IncarnationByOwner {
    fn about(&self) -> &'static About {
        &About {
            name: "incarnation-by-owner",
            statement: "Nobody hears of an incarnation that its member has not announced; a member that starts anew or \
                        refutes what is said of it announces a higher one than before.",
            source: "SWIM (DSN 2002) §4.2: incarnation numbers are global, and raised by their member alone",
            leaves_out: "members that have lost their disk, which is beyond what SWIM promises to survive",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Swim>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let is_first_start = nodes.incarnation(node) == 1;
        facts.iter().try_for_each(|fact| self.on_fact(node, fact, is_first_start))
    }

    fn check_all(&self, nodes: &Nodes<'_, Swim>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, swim)| {
            let mut known = swim.membership().table().known();
            known.try_for_each(|(member, belief)| self.check(node, member, belief.incarnation))
        })
    }
}

#[cfg(test)]
mod tests {
    use sim_core::LocalTime;

    use super::super::super::member::{Belief, State, Table, Update};
    use super::*;

    const NODE: NodeId = NodeId::new(0);
    const OTHER: NodeId = NodeId::new(1);

    fn judge(facts: &[(NodeId, Fact)]) -> Result<(), Breach> {
        let mut invariant = IncarnationByOwner::default();
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(*node, fact, false))
    }

    fn announced(incarnation: u32) -> (NodeId, Fact) {
        (NODE, Fact::Announced { incarnation: Incarnation(incarnation) })
    }

    fn heard(incarnation: u32) -> (NodeId, Fact) {
        let belief = Belief::new(State::Suspect, Incarnation(incarnation));
        let update = Update { member: NODE, belief, from: OTHER };
        (OTHER, Fact::Heard { update, at: LocalTime::ZERO })
    }

    #[test]
    fn nobody_hears_of_what_was_not_announced() {
        assert_eq!(judge(&[heard(0), announced(1), heard(1)]), Ok(()));
        assert!(judge(&[announced(1), heard(2)]).is_err());
    }

    #[test]
    fn a_refutation_and_a_restart_are_in_a_higher_incarnation() {
        let accused = |number| (NODE, Fact::Accused { incarnation: Incarnation(number) });
        let started = || (NODE, Fact::Started { incarnation: Incarnation(0), table: Table::default() });
        assert_eq!(judge(&[announced(1), accused(1), announced(2)]), Ok(()));
        assert!(judge(&[announced(1), accused(1), announced(1)]).is_err());
        assert!(judge(&[announced(2), announced(1)]).is_err());
        assert_eq!(judge(&[announced(2), started(), announced(3)]), Ok(()));
        assert!(judge(&[announced(2), started(), announced(2)]).is_err());
        assert!(judge(&[started(), announced(0)]).is_err(), "it was in 0 at its first start");
    }
}
