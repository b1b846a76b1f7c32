//! Sending a snapshot (§7, Figure 13), a chunk at a time.

use serde::Serialize;
use sim_core::{Context, NodeId};

use super::host::{Acts as _, Application};
use super::message::{Chunk, InstallResult, InstallSnapshot, InstallSnapshotReply, Message};
use super::metrics::Counter;
use super::mutants::Mutant;
use super::role::Role;
use super::snapshot::Snapshot;
use super::types::{Round, Term};
use super::{Point, Replica};
use crate::replicated::{Item, Piece};

/// A snapshot on its way to a follower. It stays the same if the leader takes a newer one meanwhile.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shipment<I = Item> {
    snapshot: Snapshot<I>,
    /// Where the chunk begins that is on its way.
    pub(super) offset: u64,
}

impl<I: Piece> Shipment<I> {
    fn message<C>(&self, term: Term, round: Round, chunk_bytes: u64) -> Message<C, I> {
        let items = self.snapshot.chunk(self.offset, chunk_bytes);
        let is_last = self.offset + items.len() as u64 == self.snapshot.items.len() as u64;
        let progress = if is_last { Chunk::Last } else { Chunk::More };
        let (meta, offset) = (self.snapshot.meta, self.offset);
        Message::InstallSnapshot(Box::new(InstallSnapshot { term, round, meta, offset, items, progress }))
    }
}

impl<A: Application> Replica<A> {
    /// A follower lacks entries that are compacted: it gets the snapshot instead.
    pub(super) fn ship_snapshot(&mut self, context: &mut Context<'_, A::Host>, node: NodeId) {
        if self.config.has(Mutant::ProbeStall) {
            return;
        }
        let Role::Leader(leader) = &mut self.role else { return };
        context.reach(Point::SnapshotShipped);
        context.tally(Counter::SnapshotsSent, 1);
        leader.progress[node.index()].become_snapshot(self.snapshot.meta.index);
        leader.shipments.insert(node, Shipment { snapshot: self.snapshot.clone(), offset: 0 });
        self.send_chunk(context, node);
    }

    /// Sends the chunk that is next, or once more.
    fn send_chunk(&mut self, context: &mut Context<'_, A::Host>, node: NodeId) {
        let Role::Leader(leader) = &self.role else { return };
        if let Some(shipment) = leader.shipments.get(&node) {
            let message = shipment.message(self.hard.term, leader.round, self.config.snapshot_chunk);
            self.send(context, node, message);
        }
    }

    /// With each heartbeat: chunks that were not answered may be lost. A snapshot that arrived by other means, or whose
    /// follower is no member any more, is not sent on.
    pub(super) fn repeat_chunks(&mut self, context: &mut Context<'_, A::Host>) {
        let Role::Leader(leader) = &self.role else { return };
        if leader.shipments.is_empty() {
            return;
        }
        let peers = self.peers(leader);
        let Role::Leader(leader) = &mut self.role else { return };
        let progress = &mut leader.progress;
        leader.shipments.retain(|node, shipment| {
            let follower = &mut progress[node.index()];
            let is_behind = follower.match_index < shipment.snapshot.meta.index;
            let is_wanted = is_behind && peers.contains(*node);
            if !is_wanted {
                follower.become_probe(follower.match_index.next());
            }
            is_wanted
        });
        let nodes: Vec<NodeId> = leader.shipments.keys().copied().collect();
        for node in nodes {
            self.send_chunk(context, node);
        }
    }

    /// A follower answers a chunk.
    pub(super) fn on_install_snapshot_reply(
        &mut self,
        context: &mut Context<'_, A::Host>,
        from: NodeId,
        reply: InstallSnapshotReply,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(from.index()) else { return };
        progress.on_reply(reply.round);
        leader.active = leader.active.with(from);
        match reply.result {
            InstallResult::Installed(index) => {
                // A late answer may be about an older snapshot than the one on its way.
                if leader.shipments.get(&from).is_some_and(|shipment| shipment.snapshot.meta.index <= index) {
                    leader.shipments.remove(&from);
                }
                self.on_match(context, from, index);
            }
            InstallResult::Next(next) => {
                // An answer to another chunk than the one on its way is late.
                if let Some(shipment) = leader.shipments.get_mut(&from)
                    && shipment.offset == reply.offset
                    && shipment.offset != next
                {
                    shipment.offset = next;
                    self.send_chunk(context, from);
                }
            }
        }
        self.confirm_lease(context);
        self.serve_reads(context);
    }
}
