//! AC3: nobody commits before all have voted yes.

use std::collections::BTreeSet;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::{Decision, Fact, TwoPhaseCommit, Txn};

/// Commit is decided only if all participants have voted yes, each with its vote on disk.
#[derive(Clone, Debug, Default)]
pub struct CommitNeedsAllVotes {
    participants: PersistentMap<Txn, Arc<[NodeId]>>,
    yes: PersistentMap<Txn, BTreeSet<NodeId>>,
}

impl CommitNeedsAllVotes {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match fact {
            Fact::Begun { txn, participants } => {
                self.participants.insert(*txn, Arc::clone(participants));
                self.yes.insert(*txn, BTreeSet::new());
            }
            Fact::VotedYes { txn } => {
                let mut yes = self.yes.get(txn).cloned().unwrap_or_default();
                yes.insert(node);
                self.yes.insert(*txn, yes);
            }
            Fact::Decided { txn, decision: Decision::Commit }
            | Fact::Ended { txn, decision: Decision::Commit, .. } => {
                let yes = self.yes.get(txn).cloned().unwrap_or_default();
                let all = self.participants.get(txn).map(|all| &all[..]).unwrap_or_default();
                let silent = all.iter().find(|one| !yes.contains(one));
                ensure!(
                    silent.is_none() && !all.is_empty(),
                    "{node} commits {txn} without the yes of {silent:?}"
                );
            }
            Fact::Decided { decision: Decision::Abort, .. }
            | Fact::Ended { decision: Decision::Abort, .. }
            | Fact::NoRoom { .. }
            | Fact::VotedNo { .. }
            | Fact::HeardYes { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<TwoPhaseCommit> for CommitNeedsAllVotes {
    fn about(&self) -> &'static About {
        &About {
            name: "ac3-commit-needs-all-votes",
            statement: "Commit is decided only if all participants have voted yes.",
            source: "Bernstein, Hadzilacos, Goodman (1987) §7.3, AC3",
            leaves_out: "reads, which commit nothing",
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

    /// All to whom a commit is told know the transaction.
    fn check_all(&self, nodes: &Nodes<'_, TwoPhaseCommit>) -> Result<(), Breach> {
        let tellings =
            nodes.running().filter_map(|(_, process)| Some(process.coordinator()?.telling())).flatten();
        for (txn, telling) in tellings.filter(|(_, telling)| telling.decision == Decision::Commit) {
            for node in &telling.waits_for {
                let Some(participant) = nodes.process(*node).and_then(TwoPhaseCommit::participant) else {
                    continue;
                };
                let knows = participant.doubts().contains_key(txn) || participant.settled().contains_key(txn);
                ensure!(knows, "{txn} is committed, and {node} has never voted on it");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_somebody_has_not_voted_for_is_found() {
        let (one, two) = (NodeId::new(1), NodeId::new(2));
        let txn = Txn { coordinator: NodeId::new(0), epoch: 1, number: 1 };
        let mut invariant = CommitNeedsAllVotes::default();
        let begun = Fact::Begun { txn, participants: [one, two].into() };
        let commit = Fact::Decided { txn, decision: Decision::Commit };
        assert_eq!(invariant.on_fact(NodeId::new(0), &begun), Ok(()));
        assert_eq!(invariant.on_fact(one, &Fact::VotedYes { txn }), Ok(()));
        assert!(invariant.clone().on_fact(NodeId::new(0), &commit).is_err());
        let abort = Fact::Decided { txn, decision: Decision::Abort };
        assert_eq!(invariant.clone().on_fact(NodeId::new(0), &abort), Ok(()), "anybody may be why");
        assert_eq!(invariant.on_fact(two, &Fact::VotedYes { txn }), Ok(()));
        assert_eq!(invariant.on_fact(NodeId::new(0), &commit), Ok(()));
        assert!(CommitNeedsAllVotes::default().on_fact(one, &commit).is_err(), "it was never begun");
    }
}
