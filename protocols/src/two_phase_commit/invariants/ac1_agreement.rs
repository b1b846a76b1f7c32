//! AC1: all that decide decide alike.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::coordinator::Coordinator;
use super::super::{Decision, Fact, TwoPhaseCommit, Txn};
use super::participants;

/// All processes that reach a decision on a transaction reach the same one.
#[derive(Clone, Debug, Default)]
pub struct Agreement {
    first: PersistentMap<Txn, (Decision, NodeId)>,
}

impl Agreement {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        fact.decision().map_or(Ok(()), |(txn, decision)| agree(&mut self.first, node, txn, decision))
    }
}

fn agree(
    first: &mut PersistentMap<Txn, (Decision, NodeId)>,
    node: NodeId,
    txn: Txn,
    decision: Decision,
) -> Result<(), Breach> {
    let Some((before, other)) = first.get(&txn).copied() else {
        first.insert(txn, (decision, node));
        return Ok(());
    };
    ensure!(before == decision, "{node} decides {decision} on {txn}, and {other} has decided {before}");
    Ok(())
}

impl Invariant<TwoPhaseCommit> for Agreement {
    fn about(&self) -> &'static About {
        &About {
            name: "ac1-agreement",
            statement: "All processes that reach a decision on a transaction reach the same one.",
            source: "Bernstein, Hadzilacos, Goodman (1987) §7.3, AC1",
            leaves_out: "whether they reach one: `all-agree` sees to that",
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

    /// What coordinators tell and what participants have settled.
    fn check_all(&self, nodes: &Nodes<'_, TwoPhaseCommit>) -> Result<(), Breach> {
        let mut first = PersistentMap::new();
        for (node, process) in nodes.running() {
            for (txn, telling) in process.coordinator().into_iter().flat_map(Coordinator::telling) {
                agree(&mut first, node, *txn, telling.decision)?;
            }
        }
        for (node, participant) in participants(nodes) {
            for (txn, settled) in participant.settled().iter() {
                agree(&mut first, node, *txn, settled.decision)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_decisions_on_one_transaction_are_found() {
        let txn = |number| Txn { coordinator: NodeId::new(0), epoch: 1, number };
        let ended = |number, decision| Fact::Ended { txn: txn(number), decision, net: 0 };
        let decided = Fact::Decided { txn: txn(1), decision: Decision::Commit };
        let (one, two) = (NodeId::new(1), NodeId::new(2));
        let mut invariant = Agreement::default();
        assert_eq!(invariant.on_fact(NodeId::new(0), &decided), Ok(()));
        assert_eq!(invariant.on_fact(one, &ended(1, Decision::Commit)), Ok(()));
        assert_eq!(invariant.on_fact(one, &ended(2, Decision::Abort)), Ok(()), "another transaction");
        assert!(invariant.on_fact(two, &ended(1, Decision::Abort)).is_err());
    }
}
