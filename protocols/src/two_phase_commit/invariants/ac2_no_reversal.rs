//! AC2: what is decided stays decided.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::durable::{LOG, Record};
use super::super::{Decision, Fact, TwoPhaseCommit, Txn};

/// A process does not reverse its decision, over restarts.
#[derive(Clone, Debug, Default)]
pub struct NoReversal {
    decided: PersistentMap<(NodeId, Txn), Decision>,
}

impl NoReversal {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        fact.decision().map_or(Ok(()), |(txn, decision)| keep(&mut self.decided, node, txn, decision))
    }
}

fn keep(
    decided: &mut PersistentMap<(NodeId, Txn), Decision>,
    node: NodeId,
    txn: Txn,
    decision: Decision,
) -> Result<(), Breach> {
    let Some(before) = decided.get(&(node, txn)).copied() else {
        decided.insert((node, txn), decision);
        return Ok(());
    };
    ensure!(before == decision, "{node} has decided {before} on {txn}, and now decides {decision}");
    Ok(())
}

impl Invariant<TwoPhaseCommit> for NoReversal {
    fn about(&self) -> &'static About {
        &About {
            name: "ac2-no-reversal",
            statement: "A process does not reverse a decision that it has reached, over restarts.",
            source: "Bernstein, Hadzilacos, Goodman (1987) §7.3, AC2",
            leaves_out: "decisions that were written and told to nobody when their process crashed",
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

    /// No log has both decisions on one transaction.
    fn check_all(&self, nodes: &Nodes<'_, TwoPhaseCommit>) -> Result<(), Breach> {
        let mut decided = PersistentMap::new();
        for (node, _) in nodes.running() {
            let Some(disk) = nodes.disk(node) else { continue };
            for index in disk.log_bounds(LOG) {
                let Ok(Some(record)) = disk.read_entry(LOG, index) else { continue };
                if let Record::Decided { txn, decision, .. } | Record::Ended { txn, decision } = record {
                    keep(&mut decided, node, *txn, *decision)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_decides_otherwise_later_is_found() {
        let txn = Txn { coordinator: NodeId::new(0), epoch: 1, number: 1 };
        let ended = |decision| Fact::Ended { txn, decision, net: 0 };
        let mut invariant = NoReversal::default();
        assert_eq!(invariant.on_fact(NodeId::new(1), &ended(Decision::Commit)), Ok(()));
        assert_eq!(invariant.on_fact(NodeId::new(1), &ended(Decision::Commit)), Ok(()), "after a restart");
        assert_eq!(
            invariant.on_fact(NodeId::new(2), &ended(Decision::Abort)),
            Ok(()),
            "AC1 is another matter"
        );
        assert!(invariant.on_fact(NodeId::new(1), &ended(Decision::Abort)).is_err());
    }
}
