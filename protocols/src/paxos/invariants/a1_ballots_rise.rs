//! A1: an acceptor's ballot rises.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Ballot, Fact, Paxos};
use crate::replicated::PerNode;

/// An acceptor neither promises nor accepts a ballot below one that it has promised or accepted, restarts or not. One that
/// has lost its disk is another.
#[derive(Clone, Debug, Default)]
pub struct BallotsRise {
    ballots: PerNode<Ballot>,
}

impl BallotsRise {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        let (deed, ballot) = match fact {
            Fact::Promised { ballot, .. } => ("promised", *ballot),
            Fact::Accepted(pvalue) => ("accepted", pvalue.ballot),
            Fact::LostDisk { .. } => {
                *self.ballots.at(node) = Ballot::ZERO;
                return Ok(());
            }
            Fact::Recovered { .. }
            | Fact::Readmitted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Proposed(_)
            | Fact::Decided { .. }
            | Fact::Applied { .. }
            | Fact::Installed { .. } => return Ok(()),
        };
        let before = self.ballots.at(node);
        ensure!(ballot >= *before, "{node} {deed} {ballot} after {before}");
        *before = ballot;
        Ok(())
    }
}

impl Invariant<Paxos> for BallotsRise {
    fn about(&self) -> &'static About {
        &About {
            name: "a1-ballots-rise",
            statement: "The ballot of an acceptor only rises, restarts or not.",
            source: "PMMC §3 (A1)",
            leaves_out: "promises that were lost in a crash before they left the acceptor",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        for (node, paxos) in nodes.running() {
            let (given, held) = (self.ballots.of(node), paxos.promised());
            ensure!(held >= given, "{node} gave its promise for {given}, and holds {held}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::pvalue;
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = BallotsRise::default();
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    #[test]
    fn a_ballot_that_falls_is_found() {
        let accepted = |round| (0, Fact::Accepted(pvalue(1, round, 7)));
        assert_eq!(judge(&[accepted(1), accepted(1), accepted(3)]), Ok(()));
        assert!(judge(&[accepted(3), accepted(1)]).is_err());
    }
}
