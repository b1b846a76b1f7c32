//! Grafts: who is asked for a value that it has sends it.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::Kind;
use super::super::{Fact, Plumtree};
use super::kinds;

/// A node that is asked for a value that it has sends it at once to who asked.
#[derive(Clone, Debug, Default)]
pub struct GraftsAnswered;

impl GraftsAnswered {
    fn on_facts(node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let asked = facts.iter().filter_map(|fact| {
            let Fact::GraftHeard { from, value: Some(value), is_known: true } = fact else { return None };
            Some((*from, *value))
        });
        for (from, value) in asked {
            let is_it =
                |fact: &Fact| matches!(fact, Fact::Pushed { to, what } if *to == from && what.value == value);
            ensure!(
                facts.iter().any(is_it),
                "{node} has {value}, and does not send it to {from} who asks for it"
            );
        }
        Ok(())
    }
}

impl Invariant<Plumtree> for GraftsAnswered {
    fn about(&self) -> &'static About {
        &About {
            name: "grafts-answered",
            statement: "A node that is asked for a value that it has sends it at once to who asked.",
            source: "Plumtree (SRDS 2007) algorithm 2: GRAFT is answered with GOSSIP",
            leaves_out: "whether the answer arrives",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::GraftHeard])
    }

    fn on_event(&mut self, _: &Nodes<'_, Plumtree>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        Self::on_facts(node, facts)
    }

    /// What was sent is in no state.
    fn check_all(&self, _: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::message::Announcement;
    use super::*;

    #[test]
    fn a_graft_without_an_answer_is_found() {
        let (node, from, other) = (NodeId::new(0), NodeId::new(1), NodeId::new(2));
        let heard = |value, is_known| Fact::GraftHeard { from, value, is_known };
        let pushed = |to, value| Fact::Pushed { to, what: Announcement { value, round: 1 } };
        let judge = |facts: &[Fact]| GraftsAnswered::on_facts(node, facts);
        assert_eq!(judge(&[heard(Some(7), true), pushed(from, 7)]), Ok(()));
        assert_eq!(judge(&[heard(Some(7), false)]), Ok(()), "it has it not");
        assert_eq!(judge(&[heard(None, false)]), Ok(()), "nothing is asked for");
        assert!(judge(&[heard(Some(7), true)]).is_err());
        assert!(judge(&[heard(Some(7), true), pushed(other, 7), pushed(from, 8)]).is_err());
    }
}
