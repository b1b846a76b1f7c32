//! A restart: what the disk kept, put together again.
//!
//! Each region survives a crash up to its own last durable write, so they may disagree:
//!
//! | found | because the crash came | so |
//! | --- | --- | --- |
//! | an unreadable entry | before the sync that covered it | it and what follows go: nobody was told of them |
//! | an entry of a later term than the hard state's | while both were being written | the term is entered, without a vote: none has left this node |
//! | entries up to the snapshot and before it | before the log was compacted | they are skipped |
//! | entries that conflict with the snapshot, or end before it | before a leader's snapshot had replaced them | they all go |

use sim_core::Context;
use sim_core::disk::{Disk, WriteError};
use sim_core::process::Process;

use super::Replica;
use super::durable::{HARD_STATE, HardState, LOG, Record};
use super::facts::{Fact, Witness};
use super::host::{Application, Host};
use super::log::{Journal, Log};
use super::snapshot::{SNAPSHOT, Snapshot, SnapshotMeta};
use super::types::{Entry, Term};
use crate::replicated::{Agreeable, Index};

impl<A: Application> Replica<A> {
    /// Reads what the disk kept.
    pub(super) fn recover(&mut self, context: &mut Context<'_, A::Host>) {
        if let Some(snapshot) = read_snapshot::<A>(context.disk()) {
            self.snapshot = snapshot;
        }
        let meta = self.snapshot.meta;
        let entries = recover_entries::<A>(context, &meta);
        self.log = Log::recover(&meta, entries, context);
        self.recovered_index = self.log.last_index();
        let position = (meta.index, meta.chain);
        self.machine = self.machine.restored(position, self.snapshot.items.iter().cloned());
        if meta.index > Index::ZERO {
            context.state(Fact::Restored { index: meta.index, term: meta.term, chain: meta.chain });
        }
        self.recover_hard_state(context);
        self.refresh_members(context);
    }

    /// Term and vote. A fresh disk has none, and an unreadable one is beyond what Raft promises to survive.
    fn recover_hard_state(&mut self, context: &mut Context<'_, A::Host>) {
        let hard = read_hard_state::<A>(context.disk());
        self.hard = if hard.term < self.log.last_term() {
            let raised = HardState { term: self.log.last_term(), vote: None };
            // On a full disk it is raised in memory only, and again at the next start.
            let _: Result<(), WriteError> = self.store_hard_state(context, raised);
            raised
        } else {
            hard
        };
    }
}

/// The entries after the snapshot. What cannot be used is removed from the disk too.
fn recover_entries<A: Application>(
    context: &mut Context<'_, A::Host>,
    meta: &SnapshotMeta,
) -> Vec<Entry<A::Command>> {
    let found = read_entries::<A>(context.disk());
    let end = Index(context.disk().log_bounds(LOG).end);
    if end > found.last_index() {
        Journal::truncate_from(context, found.last_index().next());
    }
    if found.continues(meta) {
        // Entries behind the snapshot stay on disk until the next compaction; the log begins after it.
        return found.after(meta.index);
    }
    Journal::truncate_from(context, found.first);
    Journal::truncate_to(context, meta.index);
    Vec::new()
}

/// What stands in the log region.
struct Found<C> {
    /// The index of the first entry, whether it is there or not.
    first: Index,
    entries: Vec<Entry<C>>,
}

impl<C: Agreeable> Found<C> {
    fn last_index(&self) -> Index {
        Index(self.first.previous().0 + self.entries.len() as u64)
    }

    /// Whether the entries go on after the snapshot, or before it and through it.
    fn continues(&self, snapshot: &SnapshotMeta) -> bool {
        match self.get(snapshot.index) {
            Some(entry) => entry.term == snapshot.term,
            None => self.first == snapshot.index.next(),
        }
    }

    fn get(&self, index: Index) -> Option<&Entry<C>> {
        let at = index.0.checked_sub(self.first.0)?;
        self.entries.get(usize::try_from(at).ok()?)
    }

    fn after(mut self, index: Index) -> Vec<Entry<C>> {
        let behind = usize::try_from(index.next().since(self.first)).unwrap_or(usize::MAX);
        self.entries.split_off(behind.min(self.entries.len()))
    }
}

/// What a process has on its disk.
type DiskOf<A> = Disk<<<A as Application>::Host as Process>::Record>;

fn read_hard_state<A: Application>(disk: &DiskOf<A>) -> HardState {
    match disk.read_cell(HARD_STATE).map(|record| record.and_then(A::Host::as_record)) {
        Ok(Some(Record::HardState(hard))) => *hard,
        Ok(Some(Record::Entry(_) | Record::Snapshot(_) | Record::Items(_)) | None) | Err(_) => {
            HardState::default()
        }
    }
}

/// The entries on disk before the first that is unreadable.
fn read_entries<A: Application>(disk: &DiskOf<A>) -> Found<A::Command> {
    let entries =
        disk.read_log(LOG, 0..u64::MAX).map_while(|record| match A::Host::as_record(record.ok()?)? {
            Record::Entry(entry) => Some(*entry),
            Record::HardState(_) | Record::Snapshot(_) | Record::Items(_) => None,
        });
    let mut last_term = Term(0);
    let entries =
        entries.take_while(|entry| entry.term >= std::mem::replace(&mut last_term, entry.term)).collect();
    Found { first: Index(disk.log_bounds(LOG).start).next(), entries }
}

/// The snapshot on disk; `None` where there is none that can be read, which is beyond what Raft promises to survive
/// once there was one.
fn read_snapshot<A: Application>(disk: &DiskOf<A>) -> Option<Snapshot<A::Item>> {
    let mut records = disk.read_blob(SNAPSHOT);
    let meta = match A::Host::as_record(records.next()?.ok()?)? {
        Record::Snapshot(meta) => **meta,
        Record::HardState(_) | Record::Entry(_) | Record::Items(_) => return None,
    };
    let mut items: Vec<A::Item> = Vec::new();
    for record in records {
        match A::Host::as_record(record.ok()?)? {
            Record::Items(chunk) => items.extend(chunk.iter().cloned()),
            Record::HardState(_) | Record::Entry(_) | Record::Snapshot(_) => return None,
        }
    }
    Some(Snapshot { meta, items: items.into() })
}

#[cfg(test)]
mod tests {
    use sim_core::NodeId;

    use super::super::membership::Membership;
    use super::*;
    use crate::replicated::Command;

    fn found(first: u64, terms: &[u64]) -> Found<Command> {
        let entries = terms.iter().map(|term| Entry::command(Term(*term), Command::Noop)).collect();
        Found { first: Index(first), entries }
    }

    fn snapshot(index: u64, term: u64) -> SnapshotMeta {
        let initial = SnapshotMeta::initial(Membership::of([NodeId::new(0)]));
        SnapshotMeta { index: Index(index), term: Term(term), ..initial }
    }

    fn kept(found: Found<Command>, snapshot: &SnapshotMeta) -> Option<Vec<u64>> {
        found
            .continues(snapshot)
            .then(|| found.after(snapshot.index).iter().map(|entry| entry.term.0).collect())
    }

    #[test]
    fn entries_that_go_on_after_the_snapshot_or_through_it_are_kept() {
        assert_eq!(kept(found(1, &[1, 1, 2]), &snapshot(0, 0)), Some(vec![1, 1, 2]), "no snapshot at all");
        assert_eq!(kept(found(4, &[2, 3]), &snapshot(3, 2)), Some(vec![2, 3]), "right after it");
        assert_eq!(kept(found(2, &[1, 2, 3]), &snapshot(3, 2)), Some(vec![3]), "through it");
        assert_eq!(kept(found(4, &[]), &snapshot(3, 2)), Some(vec![]));
    }

    #[test]
    fn entries_that_conflict_with_the_snapshot_or_end_before_it_go() {
        assert_eq!(kept(found(2, &[1, 1, 3]), &snapshot(3, 2)), None, "another term at its end");
        assert_eq!(kept(found(1, &[1]), &snapshot(3, 2)), None, "a gap");
        assert_eq!(kept(found(1, &[]), &snapshot(3, 2)), None, "an empty region before it");
    }
}
