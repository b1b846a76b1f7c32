//! Overriding: what a node believes is what it has heard, by the rules.

use std::collections::BTreeSet;

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::{NodeId, Span};

use super::super::member::{Belief, State, Table};
use super::super::{Fact, Swim};
use super::Beliefs;

/// What a node believes of another is the greatest of what it has heard of it: nothing less, nothing more, and nothing
/// forgotten before its time.
#[derive(Clone, Debug)]
pub struct OverrideRules {
    retention: Span,
    beliefs: Beliefs,
}

impl OverrideRules {
    /// For nodes that remember the dead for so long.
    pub fn new(retention: Span) -> Self {
        Self { retention, beliefs: Beliefs::default() }
    }

    /// Whom the fact is about, if it changes what is believed.
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<Option<NodeId>, Breach> {
        match fact {
            Fact::Started { table, .. } => self.beliefs.start(node, table),
            Fact::Heard { update, at } => {
                self.beliefs.hear(node, *update, *at);
                return Ok(Some(update.member));
            }
            Fact::Announced { incarnation } => {
                self.beliefs.set(node, node, Belief::new(State::Alive, *incarnation));
                return Ok(Some(node));
            }
            Fact::Leaves { incarnation } => {
                self.beliefs.set(node, node, Belief::new(State::Left, *incarnation));
                return Ok(Some(node));
            }
            Fact::Forgot { member, at } => {
                let belief = self.beliefs.get(node, *member);
                let held = self.beliefs.since(node, *member).map(|since| at.since(since));
                let is_due = belief.state.is_gone() && held.is_none_or(|held| held >= self.retention);
                ensure!(is_due, "{node} forgets {member}, {belief}, before {} are over", self.retention);
                self.beliefs.set(node, *member, Belief::UNKNOWN);
                return Ok(Some(*member));
            }
            Fact::Accused { .. }
            | Fact::Confirmed { .. }
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
        Ok(None)
    }

    fn check(&self, nodes: &Nodes<'_, Swim>, node: NodeId, member: NodeId) -> Result<(), Breach> {
        let Some(swim) = nodes.process(node) else { return Ok(()) };
        let (believed, due) = (swim.membership().table().get(member), self.beliefs.get(node, member));
        ensure!(
            believed == due,
            "{node} believes {member} to be {believed}, and by what it has heard it is {due}"
        );
        Ok(())
    }
}

impl Invariant<Swim> for OverrideRules {
    fn about(&self) -> &'static About {
        &About {
            name: "override-rules",
            statement: "What a node believes of a member is the greatest of what it has heard of it, by incarnation and \
                        then alive < suspect < dead < left; those who are gone are remembered for the time that they \
                        must be.",
            source: "SWIM (DSN 2002) §4.2; memberlist: dead in i is overridden by alive in i + 1",
            leaves_out: "what a node has heard before its last start",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Swim>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let mut touched = BTreeSet::new();
        for fact in facts {
            touched.extend(self.on_fact(node, fact)?);
        }
        touched.into_iter().try_for_each(|member| self.check(nodes, node, member))
    }

    fn check_all(&self, nodes: &Nodes<'_, Swim>) -> Result<(), Breach> {
        for (node, swim) in nodes.running() {
            swim.membership().table().known().try_for_each(|(member, _)| self.check(nodes, node, member))?;
            let ghost = self.beliefs.tables.get(&node);
            let known = ghost.map_or(0, Table::known_count);
            ensure!(
                known == swim.membership().table().known_count(),
                "{node} knows {} members, and has heard of {known}",
                swim.membership().table().known_count()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sim_core::LocalTime;

    use super::super::super::member::{Incarnation, Update};
    use super::*;

    const NODE: NodeId = NodeId::new(0);
    const MEMBER: NodeId = NodeId::new(1);

    fn heard(state: State, incarnation: u32, second: u64) -> Fact {
        let belief = Belief::new(state, Incarnation(incarnation));
        let at = LocalTime::ZERO + Span::secs(second);
        Fact::Heard { update: Update { member: MEMBER, belief, from: NODE }, at }
    }

    #[test]
    fn the_greatest_of_what_was_heard_is_believed() {
        let mut invariant = OverrideRules::new(Span::secs(30));
        let table = Table::of_group(&[NODE, MEMBER]);
        let facts = [
            Fact::Started { incarnation: Incarnation(0), table },
            heard(State::Suspect, 0, 1),
            heard(State::Alive, 0, 2),
            heard(State::Dead, 0, 3),
            heard(State::Suspect, 0, 4),
        ];
        for fact in &facts {
            invariant.on_fact(NODE, fact).expect("allowed");
        }
        assert_eq!(invariant.beliefs.get(NODE, MEMBER), Belief::new(State::Dead, Incarnation(0)));
        invariant.on_fact(NODE, &heard(State::Alive, 1, 5)).expect("allowed");
        assert_eq!(invariant.beliefs.get(NODE, MEMBER), Belief::new(State::Alive, Incarnation(1)));
    }

    #[test]
    fn the_dead_are_not_forgotten_early() {
        let mut invariant = OverrideRules::new(Span::secs(30));
        let forgot = |second| Fact::Forgot { member: MEMBER, at: LocalTime::ZERO + Span::secs(second) };
        invariant.on_fact(NODE, &heard(State::Alive, 0, 1)).expect("allowed");
        assert!(invariant.on_fact(NODE, &forgot(100)).is_err(), "it is alive");
        invariant.on_fact(NODE, &heard(State::Dead, 0, 10)).expect("allowed");
        assert!(invariant.on_fact(NODE, &forgot(39)).is_err());
        assert_eq!(invariant.on_fact(NODE, &forgot(40)), Ok(Some(MEMBER)));
        assert_eq!(invariant.beliefs.get(NODE, MEMBER), Belief::UNKNOWN);
    }
}
