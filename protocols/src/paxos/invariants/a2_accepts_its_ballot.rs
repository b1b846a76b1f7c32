//! A2: an acceptor accepts under its ballot.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Ballot, Fact, Paxos};
use crate::replicated::PerNode;

/// An acceptor accepts nothing below a ballot that it has promised in phase 1, restarts or not. One that has lost its disk
/// is another.
#[derive(Clone, Debug, Default)]
pub struct AcceptsItsBallot {
    promised: PerNode<Ballot>,
}

impl AcceptsItsBallot {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match fact {
            Fact::Promised { ballot, .. } => {
                let promised = self.promised.at(node);
                *promised = (*promised).max(*ballot);
            }
            Fact::Accepted(pvalue) => {
                let promised = self.promised.of(node);
                let (slot, ballot) = (pvalue.slot, pvalue.ballot);
                ensure!(
                    ballot >= promised,
                    "{node} accepted {ballot} for slot {slot}, and has promised {promised}"
                );
            }
            Fact::LostDisk { .. } => *self.promised.at(node) = Ballot::ZERO,
            Fact::Recovered { .. }
            | Fact::Readmitted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Proposed(_)
            | Fact::Decided { .. }
            | Fact::Applied { .. }
            | Fact::Installed { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<Paxos> for AcceptsItsBallot {
    fn about(&self) -> &'static About {
        &About {
            name: "a2-accepts-its-ballot",
            statement: "An acceptor accepts under its ballot only.",
            source: "PMMC §3 (A2)",
            leaves_out: "that accepting raises the ballot: `a1-ballots-rise` sees to that",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// What running acceptors hold was accepted under a ballot they have promised, or a lower one.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        for (node, paxos) in nodes.running() {
            let highest = paxos.log().accepted_from(paxos.log().last()).map(|pvalue| pvalue.ballot).max();
            let promised = paxos.promised();
            ensure!(
                highest <= Some(promised),
                "{node} holds something of {highest:?}, and has promised {promised}"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::pvalue;
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = AcceptsItsBallot::default();
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    #[test]
    fn accepting_below_a_promise_is_found() {
        let promised = |round| {
            let (ballot, first) = (pvalue(1, round, 0).ballot, pvalue(1, 0, 0).slot);
            (0, Fact::Promised { ballot, first, decided: first.previous(), accepted: [].into() })
        };
        let accepted = |round| (0, Fact::Accepted(pvalue(1, round, 7)));
        assert_eq!(judge(&[promised(2), accepted(2), accepted(3)]), Ok(()));
        assert!(judge(&[promised(2), accepted(1)]).is_err());
    }
}
