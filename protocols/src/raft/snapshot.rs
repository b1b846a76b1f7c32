//! Snapshots (§7): the state machine instead of the entries that made it, so that logs stay short and a follower that
//! lacks entries nobody has any more can be brought up to date.
//!
//! | region | kind | holds |
//! | --- | --- | --- |
//! | [`SNAPSHOT`] | blob | what the snapshot is of, then the items of the state machine, in chunks |
//!
//! **Taking one** (any node, every `snapshot_every` executed entries): the chunks are staged and committed by rename;
//! once that is durable, the log is compacted, but for the last `snapshot_trail` entries, which spare a follower that is
//! only a little behind a snapshot.
//!
//! **Sending one** (`ship`): a leader whose follower lacks compacted entries sends a chunk at a time and repeats one that
//! is not answered with each heartbeat. **Receiving one** (`receive`): chunks are staged as they come; the last one commits
//! them, and once that is durable the node takes over the snapshot and says so. Either way a crash in between leaves the
//! old snapshot and log, or the new snapshot and a log that recovery cuts to it.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use sim_core::disk::{RegionId, WriteError};
use sim_core::service::{Outcome, Refusal};
use sim_core::{Context, OpId};

use super::durable::{Deferred, Record};
use super::host::{Acts as _, Application, Host};
use super::membership::Membership;
use super::metrics::Counter;
use super::mutants::Mutant;
use super::types::Term;
use super::{FaultPoint, Point, Replica};
use crate::replicated::{Chain, Index, Item, Piece};

/// The region of the snapshot.
pub const SNAPSHOT: RegionId = RegionId::new(2);

/// What a snapshot is of (§7: last included index and term, and the last configuration).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SnapshotMeta {
    /// The last entry that it stands for.
    pub index: Index,
    /// The term of that entry.
    pub term: Term,
    /// The chain up to and including it.
    pub chain: Chain,
    /// The membership after it.
    pub members: Membership,
    /// The entry that brought that membership.
    pub members_index: Index,
}

impl SnapshotMeta {
    /// Size on disk and on the wire in bytes.
    pub const SIZE: u64 = 72;

    /// Of nothing: how a cluster of `members` begins.
    pub const fn initial(members: Membership) -> Self {
        let (index, term, chain) = (Index::ZERO, Term(0), Chain::EMPTY);
        Self { index, term, chain, members, members_index: index }
    }
}

/// A snapshot. Copies share the items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot<I = Item> {
    pub(super) meta: SnapshotMeta,
    pub(super) items: Arc<[I]>,
}

impl<I: Piece> Snapshot<I> {
    pub(super) fn initial(members: Membership) -> Self {
        Self { meta: SnapshotMeta::initial(members), items: Arc::from([]) }
    }

    /// Its size on disk in bytes.
    fn size(&self) -> u64 {
        SnapshotMeta::SIZE + self.items.iter().map(Piece::size).sum::<u64>()
    }

    /// The items from `offset` on that one chunk of so many bytes holds: at least one, if there is one.
    pub(super) fn chunk(&self, offset: u64, bytes: u64) -> Arc<[I]> {
        let start = usize::try_from(offset).map_or(self.items.len(), |offset| offset.min(self.items.len()));
        let rest = &self.items[start..];
        let ends = rest.iter().scan(0, |end: &mut u64, item| {
            *end += item.size();
            Some(*end)
        });
        let count = ends.take_while(|end| *end <= bytes).count().max(1);
        rest.iter().take(count).cloned().collect()
    }
}

/// What the items are follows from the chain.
impl<I> Serialize for Snapshot<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.meta.serialize(serializer)
    }
}

impl<A: Application> Replica<A> {
    /// Takes a snapshot if enough was executed since the last one, unless one is under way in either direction.
    #[inline]
    pub(super) fn maybe_take_snapshot(&mut self, context: &mut Context<'_, A::Host>) {
        if self.machine.applied().since(self.snapshot.meta.index) >= self.config.snapshot_every
            && self.taking.is_none()
            && self.incoming.is_none()
        {
            // On a full disk the next entries are executed without one, and it is tried again.
            _ = self.take_snapshot(context, None);
        }
    }

    /// A client asks for a snapshot of this node now.
    pub(super) fn on_snapshot_request(&mut self, context: &mut Context<'_, A::Host>, op: OpId) {
        if self.taking.is_some() || self.incoming.is_some() {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        if self.machine.applied() == self.snapshot.meta.index {
            return context.reply(op, Outcome::Done);
        }
        if self.take_snapshot(context, Some(op)).is_err() {
            context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
    }

    fn take_snapshot(
        &mut self,
        context: &mut Context<'_, A::Host>,
        op: Option<OpId>,
    ) -> Result<(), WriteError> {
        let snapshot = self.snapshot_now();
        if let Err(full) = self.write_snapshot(context, &snapshot) {
            context.discard_staged(SNAPSHOT);
            return Err(full);
        }
        context.reach(Point::SnapshotTaken);
        context.tally(Counter::SnapshotsTaken, 1);
        context.tally(Counter::SnapshotBytes, snapshot.size());
        self.taking = Some(snapshot);
        self.after_durable(context, Deferred::Compact(op));
        Ok(())
    }

    /// The state machine as it is, with what the log says of its last entry. Sessions are part of it: without them a
    /// retry would be executed again (§8).
    fn snapshot_now(&self) -> Snapshot<A::Item> {
        let index = self.machine.applied();
        let (members_index, members) = self.log.membership_at(index);
        let term = self.log.term_at(index).expect("an executed entry is in the log, or its base");
        let meta = SnapshotMeta { index, term, chain: self.machine.chain(), members, members_index };
        let keeps_sessions = !self.config.has(Mutant::SnapshotWithoutSessions);
        let items = self.machine.items().filter(|item| keeps_sessions || !item.is_session());
        Snapshot { meta, items: items.collect() }
    }

    fn write_snapshot(
        &mut self,
        context: &mut Context<'_, A::Host>,
        snapshot: &Snapshot<A::Item>,
    ) -> Result<(), WriteError> {
        context.discard_staged(SNAPSHOT);
        context.stage(SNAPSHOT, A::Host::record(Record::Snapshot(Box::new(snapshot.meta))))?;
        let mut offset = 0;
        while offset < snapshot.items.len() as u64 {
            let items = snapshot.chunk(offset, self.config.snapshot_chunk);
            offset += items.len() as u64;
            context.stage(SNAPSHOT, A::Host::record(Record::Items(items)))?;
        }
        self.commit_snapshot(context);
        Ok(())
    }

    /// The staged chunks become the snapshot, by rename.
    pub(super) fn commit_snapshot(&mut self, context: &mut Context<'_, A::Host>) {
        context.reach_fault(FaultPoint::SnapshotStaged);
        context.commit(SNAPSHOT);
        self.unflushed.snapshot = true;
    }

    /// The snapshot is durable: the log may forget what it stands for.
    pub(super) fn on_snapshot_durable(&mut self, context: &mut Context<'_, A::Host>, op: Option<OpId>) {
        let taken = self.taking.take().expect("it was kept until it was durable");
        // A leader's snapshot that came meanwhile may be further.
        if taken.meta.index > self.snapshot.meta.index {
            let base = Index(taken.meta.index.0.saturating_sub(self.config.snapshot_trail));
            self.snapshot = taken;
            context.reach_fault(FaultPoint::BeforeCompaction);
            self.log.compact_to(base, context);
            self.flush(context);
        }
        if let Some(op) = op {
            context.reply(op, Outcome::Done);
        }
    }
}

#[cfg(test)]
mod tests {
    use sim_core::service::Key;

    use super::*;

    #[test]
    fn the_chunks_of_a_snapshot_are_its_items_in_order() {
        let items: Arc<[Item]> = (0..10).map(|key| Item::Register(Key(key), 1)).collect();
        let snapshot = Snapshot {
            items: items.clone(),
            ..Snapshot::initial(Membership::of([sim_core::NodeId::new(0)]))
        };
        let (mut offset, mut all) = (0, Vec::new());
        while offset < 10 {
            let chunk = snapshot.chunk(offset, 3 * Item::SIZE + 1);
            assert!((1..=3).contains(&chunk.len()));
            offset += chunk.len() as u64;
            all.extend(chunk.iter().copied());
        }
        assert_eq!(all, items.to_vec());
        assert_eq!(snapshot.chunk(10, 1).len(), 0, "there is no more");
        assert_eq!(snapshot.chunk(0, 1).len(), 1, "a chunk holds one item at least");
    }
}
