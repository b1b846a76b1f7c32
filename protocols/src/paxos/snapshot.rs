//! Snapshots: the state after some slot takes the place of the decisions up to it (Paxos Made Live §5.5).
//!
//! Every `snapshot_every` slots a node writes its registers, sessions and acceptors to disk, and forgets the decisions
//! before but for as many as the window has slots, for others that lag a little. Who lags more fetches the snapshot, piece
//! by piece: it asks for each, so that what is lost is asked for again.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{Record as _, WriteError};
use sim_core::{Context, NodeId};

use super::durable::{Deferred, JOURNAL, Record, SNAPSHOT};
use super::facts::Fact;
use super::membership::Membership;
use super::message::{Message, SnapshotPiece};
use super::metrics::Counter;
use super::process::send;
use super::types::Pvalue;
use super::{FaultPoint, Paxos, Point};
use crate::replicated::{Chain, Index, Item, SessionPolicy, StateMachine};

/// Items of one message, and of one record.
const PIECE: usize = 128;

/// The state after some slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Which slot.
    pub slot: Index,
    /// The chain up to it.
    pub chain: Chain,
    /// The acceptors from there on.
    pub membership: Arc<Membership>,
    /// Registers and sessions.
    pub items: Arc<[Item]>,
}

impl Snapshot {
    /// Bytes on disk.
    pub(super) fn size(&self) -> u64 {
        Record::SnapshotHead(self.slot, self.chain, self.membership.clone()).size()
            + Record::SnapshotItems(self.items.clone()).size()
    }

    /// The piece that begins with the `offset`-th item.
    fn piece(&self, offset: u64) -> SnapshotPiece {
        let total = self.items.len();
        let begin = usize::try_from(offset).unwrap_or(total).min(total);
        let items = self.items[begin..total.min(begin + PIECE)].into();
        let (slot, chain, membership) = (self.slot, self.chain, self.membership.clone());
        SnapshotPiece { slot, chain, membership, offset: begin as u64, items, total: total as u64 }
    }
}

/// A snapshot that is being fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Incoming {
    slot: Index,
    items: Vec<Item>,
}

impl Paxos {
    /// Takes a snapshot if enough was executed since the last one.
    #[inline]
    pub(super) fn maybe_take_snapshot(&mut self, context: &mut Context<'_, Self>) {
        let Some(every) = self.config.snapshot_every else { return };
        let last = self.snapshot.as_ref().map_or(Index::ZERO, |snapshot| snapshot.slot);
        if self.machine.applied().since(last) >= every {
            self.take_snapshot(context);
        }
    }

    /// Takes a snapshot now, and drops what it makes superfluous once it is on disk.
    pub(super) fn take_snapshot(&mut self, context: &mut Context<'_, Self>) {
        let membership = Arc::new(self.membership.clone());
        let items = self.machine.items().collect();
        let snapshot =
            Snapshot { slot: self.machine.applied(), chain: self.machine.chain(), membership, items };
        let bytes = snapshot.size();
        if self.keep_snapshot(context, snapshot) {
            context.count(Counter::SnapshotsTaken as usize, 1);
            context.count(Counter::SnapshotBytes as usize, bytes);
        }
    }

    /// Writes a snapshot, and drops what it makes superfluous once it is on disk. On a full disk there is none until the next
    /// time. Returns whether it was written.
    fn keep_snapshot(&mut self, context: &mut Context<'_, Self>, snapshot: Snapshot) -> bool {
        if write_snapshot(context, &snapshot).is_err() {
            context.discard_staged(SNAPSHOT);
            return false;
        }
        context.sometimes(Point::SnapshotTaken as usize);
        context.fault_point(FaultPoint::SnapshotStaged as usize);
        context.commit(SNAPSHOT);
        self.unflushed.snapshot = true;
        let slot = snapshot.slot;
        self.snapshot = Some(Arc::new(snapshot));
        self.after_durable(context, Deferred::Compact(slot));
        true
    }

    /// The snapshot up to `slot` is on disk. What the journal holds beyond it is written anew, behind all else, and all
    /// else is dropped; a crash in between finds both.
    pub(super) fn compact(&mut self, context: &mut Context<'_, Self>, slot: Index) {
        context.fault_point(FaultPoint::BeforeCompaction as usize);
        self.installing = self.installing.filter(|installed| *installed > slot);
        if self.installing.is_none() {
            self.log.end_install();
        }
        self.log.compact_to(Index(slot.0.saturating_sub(self.config.window)).min(self.log.last()));
        let first = context.disk().log_bounds(JOURNAL).end;
        if self.rewrite_journal(context, slot).is_ok() {
            context.truncate_before(JOURNAL, first);
        }
        self.log.touch();
        self.flush(context);
    }

    fn rewrite_journal(&self, context: &mut Context<'_, Self>, slot: Index) -> Result<(), WriteError> {
        for decided in (slot.0 + 1..=self.log.last().0).map(Index) {
            let Some(proposal) = self.log.decided_at(decided) else { continue };
            context.append(JOURNAL, Record::Decided(decided, *proposal))?;
        }
        let accepted: Vec<Pvalue> = self.log.accepted_from(slot.next()).collect();
        for pvalue in accepted {
            context.append(JOURNAL, Record::Accepted(pvalue))?;
        }
        Ok(())
    }

    /// Makes the state that of a snapshot.
    pub(super) fn restore(&mut self, snapshot: &Snapshot) {
        let position = (snapshot.slot, snapshot.chain);
        self.machine =
            StateMachine::restore(SessionPolicy::KeepAll, position, snapshot.items.iter().copied());
        self.membership = Membership::clone(&snapshot.membership);
        self.marked = self.marked.max(snapshot.slot);
        if !self.life.is_first() && !self.is_non_voting() {
            self.seal = Some(self.membership.waits_until());
        }
    }

    /// A node lags so far behind that decisions alone do not help it.
    pub(super) fn send_snapshot(&self, context: &mut Context<'_, Self>, to: NodeId, offset: u64) {
        if let Some(snapshot) = &self.snapshot {
            send(context, to, Message::Snapshot(snapshot.piece(offset)));
        }
    }

    /// Another piece is asked for. If the snapshot is another one by now, it begins anew.
    pub(super) fn on_fetch_snapshot(
        &self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        slot: Index,
        offset: u64,
    ) {
        let is_same = self.snapshot.as_ref().is_some_and(|snapshot| snapshot.slot == slot);
        self.send_snapshot(context, from, if is_same { offset } else { 0 });
    }

    /// A piece arrives. Only the next one counts.
    pub(super) fn on_snapshot_piece(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        piece: &SnapshotPiece,
    ) {
        if piece.slot <= self.log.last() {
            self.incoming = None;
            return;
        }
        if piece.offset == 0 {
            self.incoming = Some(Incoming { slot: piece.slot, items: Vec::new() });
        }
        let Some(incoming) = &mut self.incoming else { return };
        if incoming.slot != piece.slot || incoming.items.len() as u64 != piece.offset {
            return;
        }
        incoming.items.extend(piece.items.iter().copied());
        let offset = incoming.items.len() as u64;
        if offset < piece.total {
            return send(context, from, Message::FetchSnapshot { slot: piece.slot, offset });
        }
        let items = self.incoming.take().map_or_else(Vec::new, |incoming| incoming.items).into();
        let (slot, chain, membership) = (piece.slot, piece.chain, piece.membership.clone());
        self.install(context, from, Snapshot { slot, chain, membership, items });
    }

    /// All pieces are there.
    fn install(&mut self, context: &mut Context<'_, Self>, from: NodeId, snapshot: Snapshot) {
        context.sometimes(Point::SnapshotInstalled as usize);
        context.count(Counter::SnapshotsInstalled as usize, 1);
        self.restore(&snapshot);
        self.installing = Some(snapshot.slot);
        assert!(self.log.install(snapshot.slot, snapshot.chain), "the snapshot at {} is old", snapshot.slot);
        context.fact(Fact::Installed { slot: snapshot.slot, chain: snapshot.chain });
        _ = self.keep_snapshot(context, snapshot);
        self.on_decisions_made(context);
        self.ask_for_more(context, from);
    }
}

fn write_snapshot(context: &mut Context<'_, Paxos>, snapshot: &Snapshot) -> Result<(), WriteError> {
    let Snapshot { slot, chain, membership, items } = snapshot;
    context.discard_staged(SNAPSHOT);
    context.stage(SNAPSHOT, Record::SnapshotHead(*slot, *chain, membership.clone()))?;
    for part in items.chunks(PIECE) {
        context.stage(SNAPSHOT, Record::SnapshotItems(part.into()))?;
    }
    Ok(())
}
