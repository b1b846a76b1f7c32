//! Exactly once: a transaction commits the results of the records that its offset passes, each once.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::transaction::{End, State, TransactionalId, Written};
use super::super::{Fact, Node, PartitionId};
use super::transactions::{Seen, furthest, written};

/// When it is decided that a transaction commits, it has one result of each record from the last committed offset up to its
/// own, and of no others.
#[derive(Clone, Debug, Default)]
pub struct ExactlyOnce {
    seen: Seen,
    open: BTreeMap<TransactionalId, Open>,
    /// Below which offset records of a partition have committed results.
    done: BTreeMap<PartitionId, u64>,
}

/// What an open transaction has.
#[derive(Clone, Debug, Default)]
struct Open {
    /// Which records it has results of.
    results: BTreeSet<u64>,
    offset: Option<u64>,
}

impl ExactlyOnce {
    fn on_written(&mut self, written: &Written) -> Result<(), Breach> {
        match written {
            Written::Result { epoch, effect } => {
                let id = TransactionalId::of(effect.partition);
                let is_new = self.open.entry(id).or_default().results.insert(effect.offset);
                ensure!(is_new, "{id} {epoch} has two results of {}@{}", effect.partition, effect.offset);
                Ok(())
            }
            Written::Offset { by, offset } => {
                self.open.entry(by.id).or_default().offset = Some(*offset);
                Ok(())
            }
            Written::State(image) => match image.state {
                State::Prepared(End::Commit) => self.on_commit(image.id),
                State::Completed(_) => {
                    self.open.remove(&image.id);
                    Ok(())
                }
                State::Prepared(End::Abort) | State::Empty | State::Ongoing => Ok(()),
            },
            Written::Marker(_) => Ok(()),
        }
    }

    fn on_commit(&mut self, id: TransactionalId) -> Result<(), Breach> {
        let partition = id.partition();
        let open = self.open.get(&id);
        let done = self.done.get(&partition).copied().unwrap_or(0);
        let end = open.and_then(|open| open.offset).unwrap_or(done);
        let has = open.map(|open| open.results.clone()).unwrap_or_default();
        ensure!(
            has.iter().copied().eq(done..end),
            "{id} commits results of {has:?}, and goes on from {partition}@{done} to {end}"
        );
        self.done.insert(partition, end);
        Ok(())
    }
}

impl Invariant<Node> for ExactlyOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "exactly-once",
            statement: "A transaction that commits has one result of each record that its offset passes, and of no others.",
            source: "KIP-98, KIP-129: consume, process, produce",
            leaves_out: "what handling a record does elsewhere: that is repeated when the transaction is aborted",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let news: Vec<_> = facts.iter().flat_map(|fact| self.seen.news(nodes, node, fact)).collect();
        news.iter().try_for_each(|(_, _, written)| self.on_written(written))
    }

    /// No record has two committed results, in whichever partitions.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let mut known = BTreeMap::new();
        for (id, (node, copy)) in furthest(nodes) {
            let Some(index) = copy.log().transactions() else { continue };
            for (offset, written) in written(copy, 0, index.stable(copy.high_watermark())) {
                let Written::Result { effect, .. } = &*written else { continue };
                if index.end_of(TransactionalId::of(effect.partition), offset) != Some(End::Commit) {
                    continue;
                }
                let before = known.insert((effect.partition, effect.offset), (id, offset));
                let of = (effect.partition, effect.offset);
                ensure!(before.is_none(), "{id}@{offset} on {node} is of {of:?}, and so is {before:?}");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::transactions::hand_made::{offset, result, state};
    use super::*;

    fn judge(records: &[Written]) -> bool {
        let mut invariant = ExactlyOnce::default();
        records.iter().all(|written| invariant.on_written(written).is_ok())
    }

    #[test]
    fn records_without_a_result_and_with_two_are_found() {
        let commit = |number| state(1, number, State::Prepared(End::Commit));
        let over = |number| state(1, number, State::Completed(End::Commit));
        let aborted = || state(1, 1, State::Completed(End::Abort));
        assert!(judge(&[result(1, 0), result(1, 1), offset(1, 2), commit(1), over(1), result(1, 2)]));
        assert!(
            judge(&[result(1, 0), aborted(), result(2, 0), offset(2, 1), commit(2)]),
            "aborted results don't count"
        );
        assert!(!judge(&[result(1, 1), offset(1, 2), commit(1)]), "there is none of 0");
        assert!(!judge(&[result(1, 0), result(1, 0)]), "two");
        assert!(!judge(&[result(1, 0), result(1, 1), offset(1, 1), commit(1)]), "it will be handled again");
        assert!(!judge(&[
            result(1, 0),
            offset(1, 1),
            commit(1),
            over(1),
            result(1, 0),
            offset(1, 1),
            commit(2)
        ]));
    }
}
