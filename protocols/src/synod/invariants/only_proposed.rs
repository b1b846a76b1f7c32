//! CS1: only a value that was proposed may be chosen.

use std::collections::BTreeSet;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Proposal, Synod};

/// Everything that is proposed, accepted or learned was asked for by a client.
#[derive(Clone, Debug, Default)]
pub struct OnlyProposed {
    requested: BTreeSet<Proposal>,
}

impl OnlyProposed {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        let proposal = match *fact {
            Fact::Requested { proposal } => {
                self.requested.insert(proposal);
                return Ok(());
            }
            Fact::Proposed(vote) | Fact::Accepted(vote) => vote.proposal,
            Fact::Learned { proposal } => proposal,
            Fact::Prepared { .. } | Fact::Promised { .. } => return Ok(()),
        };
        ensure!(
            self.requested.contains(&proposal),
            "{node} has {proposal}, which nobody asked for: {fact:?}"
        );
        Ok(())
    }
}

impl Invariant<Synod> for OnlyProposed {
    fn about(&self) -> &'static About {
        &About {
            name: "only-proposed",
            statement: "Only a value that has been proposed may be chosen.",
            source: "Paxos Made Simple §2.1 (CS1)",
            leaves_out: "values in messages that nobody acts on",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Synod>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Synod>) -> Result<(), Breach> {
        for (node, synod) in nodes.running() {
            let held =
                synod.chosen().into_iter().chain(synod.acceptor().accepted().map(|vote| vote.proposal));
            for proposal in held {
                ensure!(
                    self.requested.contains(&proposal),
                    "{node} holds {proposal}, which nobody asked for"
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::vote;
    use super::*;

    #[test]
    fn a_value_that_nobody_asked_for_is_found() {
        let mut invariant = OnlyProposed::default();
        let node = NodeId::new(0);
        assert_eq!(invariant.on_fact(node, &Fact::Requested { proposal: vote(1, 7).proposal }), Ok(()));
        assert_eq!(invariant.on_fact(node, &Fact::Accepted(vote(3, 7))), Ok(()));
        assert!(invariant.on_fact(node, &Fact::Accepted(vote(3, 8))).is_err());
        assert!(invariant.on_fact(node, &Fact::Learned { proposal: vote(3, 8).proposal }).is_err());
    }
}
