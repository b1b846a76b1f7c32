//! Owners: one consumer at a time says how far a partition has been handled.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::entry::Body;
use super::super::group::GroupImage;
use super::super::transaction::{End, Marker, TransactionalId, Written};
use super::super::{Fact, Node, PartitionId};

/// Offsets are kept for who has the partition, and do not go back.
#[derive(Clone, Debug, Default)]
pub struct SingleOwner {
    /// A new leader of the partition of offsets states again what is in it: records before this one are known.
    next: u64,
    group: Arc<GroupImage>,
    kept: BTreeMap<PartitionId, u64>,
    /// What was kept in transactions that have not ended.
    pending: BTreeMap<TransactionalId, u64>,
}

impl SingleOwner {
    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        match fact.record() {
            Some((index, body)) if index >= self.next => {
                self.next = index + 1;
                self.on_record(body)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn on_record(&mut self, body: &Body) -> Result<(), Breach> {
        match body {
            Body::Group(group) => self.group = Arc::clone(group),
            Body::Commit { partition, offset, by: Some((node, generation)) } => {
                let owner = self.group.owner(*partition);
                ensure!(
                    owner.is_none_or(|owner| owner == *node),
                    "{node} keeps {partition}@{offset} in {generation}, and {} has it in {}",
                    owner.unwrap_or(*node),
                    self.group.generation
                );
                self.keep(*partition, *offset, node)?;
            }
            Body::Transactional(written) => self.on_written(written)?,
            Body::Commit { by: None, .. } | Body::Value(_) => {}
        }
        Ok(())
    }

    /// An offset in a transaction counts when that commits.
    fn on_written(&mut self, written: &Written) -> Result<(), Breach> {
        match written {
            Written::Offset { by, offset } => _ = self.pending.insert(by.id, *offset),
            Written::Marker(Marker { id, end, .. }) => {
                if let Some(offset) = self.pending.remove(id).filter(|_| *end == End::Commit) {
                    self.keep(id.partition(), offset, id)?;
                }
            }
            Written::Result { .. } | Written::State(_) => {}
        }
        Ok(())
    }

    fn keep(&mut self, partition: PartitionId, offset: u64, who: &impl Display) -> Result<(), Breach> {
        let before = self.kept.insert(partition, offset).unwrap_or(0);
        ensure!(before <= offset, "{who} keeps {partition}@{offset}, and {before} was kept before");
        Ok(())
    }
}

impl Invariant<Node> for SingleOwner {
    fn about(&self) -> &'static About {
        &About {
            name: "single-owner",
            statement: "The group keeps an offset of a partition only for the member that has it, and offsets do not go back.",
            source: "Kafka, Documentation §4.5; KIP-429; KIP-848",
            leaves_out: "who handles records: a consumer may not know yet that it has lost a partition; and in transactions who \
                         keeps an offset: of that `producer-fencing` speaks",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))
    }

    /// The group, as any broker knows it, gives a partition to one member.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        for (node, broker) in nodes.running().filter_map(|(node, process)| Some((node, process.broker()?))) {
            let mut owners = BTreeMap::new();
            for (member, (_, partitions)) in &broker.offsets().group.members {
                for partition in partitions.iter() {
                    if let Some(other) = owners.insert(*partition, *member) {
                        return Err(Breach(format!(
                            "{node} knows that {other} and {member} both have {partition}"
                        )));
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::transactions::hand_made::{marker, offset};
    use super::*;
    use crate::log::group::Generation;

    #[test]
    fn offsets_of_somebody_else_and_lower_ones_are_found() {
        let [one, two] = [5, 6].map(NodeId::new);
        let partition = PartitionId(0);
        let group = |owner| {
            let members = [(owner, (1, [partition].into()))].into();
            Body::Group(Arc::new(GroupImage { generation: Generation(1), members }))
        };
        let kept = |node, offset| Body::Commit { partition, offset, by: Some((node, Generation(1))) };
        let judge = |records: &[Body]| {
            let mut invariant = SingleOwner::default();
            records.iter().try_for_each(|body| invariant.on_record(body)).is_ok()
        };
        assert!(judge(&[group(one), kept(one, 3), group(two), kept(two, 4)]));
        assert!(!judge(&[group(one), kept(two, 3)]), "another one has it");
        assert!(!judge(&[group(one), kept(one, 3), kept(one, 2)]), "it goes back");
    }
    #[test]
    fn an_offset_in_a_transaction_goes_back_only_if_that_commits() {
        let judge = |records: &[Written]| {
            let mut invariant = SingleOwner::default();
            let body = |written: &Written| Body::Transactional(Arc::new(written.clone()));
            records.iter().try_for_each(|written| invariant.on_record(&body(written))).is_ok()
        };
        let first = [offset(1, 3), marker(2, 1, End::Commit)];
        let then = |at, end| [first.as_slice(), &[offset(2, at), marker(3, 2, end)]].concat();
        assert!(judge(&then(5, End::Commit)));
        assert!(judge(&then(2, End::Abort)));
        assert!(!judge(&then(2, End::Commit)), "it goes back");
    }
}
