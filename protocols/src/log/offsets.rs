//! What the partition of offsets says: how far consumers have come, and who is in the group.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::entry::{Body, Entry};
use super::group::GroupImage;
use super::transaction::{End, TransactionalId, Written};
use super::types::PartitionId;

/// What consumers have handled: a function of the committed records of the partition of offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Offsets {
    /// By partition, what clients have.
    pub committed: BTreeMap<PartitionId, u64>,
    /// By partition, what members of the group have handled.
    pub kept: BTreeMap<PartitionId, u64>,
    /// By transactional id, what was handled if its open transaction commits.
    pub pending: BTreeMap<TransactionalId, u64>,
    /// The group.
    pub group: Arc<GroupImage>,
    /// Below which offset the records are in it.
    pub(super) upto: u64,
}

impl Offsets {
    /// The record at `offset` is committed, and so are all before it.
    pub(super) fn apply(&mut self, offset: u64, entry: &Entry) {
        match &entry.body {
            Body::Commit { partition, offset, by: None } => _ = self.committed.insert(*partition, *offset),
            Body::Commit { partition, offset, by: Some(_) } => _ = self.kept.insert(*partition, *offset),
            Body::Group(group) => self.group = Arc::clone(group),
            Body::Transactional(written) => self.apply_written(written),
            Body::Value(_) => {}
        }
        self.upto = offset + 1;
    }

    /// What a transaction says of offsets counts when it commits.
    fn apply_written(&mut self, written: &Written) {
        match written {
            Written::Offset { by, offset } => _ = self.pending.insert(by.id, *offset),
            Written::Marker(marker) => {
                let offset = self.pending.remove(&marker.id).filter(|_| marker.end == End::Commit);
                self.kept.extend(offset.map(|offset| (marker.id.partition(), offset)));
            }
            Written::Result { .. } | Written::State(_) => {}
        }
    }
}
