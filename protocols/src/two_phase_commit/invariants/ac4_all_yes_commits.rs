//! AC4: no abort without a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::coordinator::Stage;
use super::super::{Decision, Fact, TwoPhaseCommit, Txn};

/// A coordinator that has heard yes from all does not abort.
#[derive(Clone, Debug, Default)]
pub struct AllYesCommits {
    silent: BTreeMap<Txn, BTreeSet<NodeId>>,
}

impl AllYesCommits {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match fact {
            Fact::Begun { txn, participants } => {
                let all = Arc::clone(participants);
                self.silent.insert(*txn, all.iter().copied().collect());
            }
            Fact::HeardYes { txn, from } => {
                if let Some(silent) = self.silent.get_mut(txn) {
                    silent.remove(from);
                }
            }
            Fact::Decided { txn, decision } => {
                let has_reason = self.silent.remove(txn).is_none_or(|silent| !silent.is_empty());
                let is_commit = *decision == Decision::Commit;
                ensure!(is_commit || has_reason, "{node} aborts {txn}, and all have voted yes");
            }
            Fact::NoRoom { txn } => _ = self.silent.remove(txn),
            Fact::VotedYes { .. } | Fact::VotedNo { .. } | Fact::Ended { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<TwoPhaseCommit> for AllYesCommits {
    fn about(&self) -> &'static About {
        &About {
            name: "ac4-all-yes-commits",
            statement: "If all participants vote yes and nothing fails, the decision is to commit.",
            source: "Bernstein, Hadzilacos, Goodman (1987) §7.3, AC4",
            leaves_out: "failures that nobody states: votes that are lost, a coordinator that has forgotten them in a crash",
        }
    }

    fn on_event(
        &mut self,
        _: &Nodes<'_, TwoPhaseCommit>,
        node: NodeId,
        facts: &[Fact],
    ) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// No coordinator still waits for votes and has them all.
    fn check_all(&self, nodes: &Nodes<'_, TwoPhaseCommit>) -> Result<(), Breach> {
        let coordinators = nodes.running().filter_map(|(node, process)| Some((node, process.coordinator()?)));
        for (node, coordinator) in coordinators {
            for (txn, work) in coordinator.works() {
                let is_stuck = work.stage == Stage::Voting && work.waits_for.is_empty();
                ensure!(!is_stuck, "{node} has all votes on {txn}, and does not decide");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abort_after_all_have_voted_yes_is_found() {
        let (node, one, two) = (NodeId::new(0), NodeId::new(1), NodeId::new(2));
        let txn = Txn { coordinator: node, epoch: 1, number: 1 };
        let mut invariant = AllYesCommits::default();
        let abort = Fact::Decided { txn, decision: Decision::Abort };
        assert_eq!(invariant.on_fact(node, &Fact::Begun { txn, participants: [one, two].into() }), Ok(()));
        assert_eq!(invariant.on_fact(node, &Fact::HeardYes { txn, from: one }), Ok(()));
        assert_eq!(invariant.clone().on_fact(node, &abort), Ok(()), "one is silent");
        assert_eq!(invariant.on_fact(node, &Fact::HeardYes { txn, from: two }), Ok(()));
        assert!(invariant.clone().on_fact(node, &abort).is_err());
        let mut full = invariant.clone();
        assert_eq!(full.on_fact(node, &Fact::NoRoom { txn }), Ok(()));
        assert_eq!(full.on_fact(node, &abort), Ok(()), "it could not write the commit");
        let commit = Fact::Decided { txn, decision: Decision::Commit };
        assert_eq!(invariant.on_fact(node, &commit), Ok(()));
    }
}
