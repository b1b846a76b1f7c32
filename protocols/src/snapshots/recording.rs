//! What a process keeps of a snapshot: its own part while it grows, and at the initiator the parts of all.
//!
//! ```text
//!   first marker, or it begins one      a marker on each channel        (initiator) parts of all
//!   ────────────────────────────> recording ───────────────────> part ─────────────────────────> finished
//!      own state, markers out        payments of channels                └─ too late ─> abandoned
//!                                    without a marker yet
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;

use super::types::{Part, Payment, SnapshotId, State};

/// The part of a process, while markers are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recording {
    /// Its state when it recorded it.
    pub(super) state: State,
    /// Who has not sent a marker yet: payments from there belong to the snapshot.
    open: BTreeSet<NodeId>,
    channels: BTreeMap<NodeId, Vec<Payment>>,
    /// The initiator has given up: only the markers are still awaited, so that they are known when they come.
    is_abandoned: bool,
}

impl Recording {
    /// Begins with the state of the process, and all of its channels empty.
    pub(super) fn new(state: State) -> Self {
        let open: BTreeSet<NodeId> = state.received.keys().copied().collect();
        let channels = open.iter().map(|peer| (*peer, Vec::new())).collect();
        Self { state, open, channels, is_abandoned: false }
    }

    /// A payment came on this channel.
    pub(super) fn add(&mut self, from: NodeId, payment: Payment) {
        self.channels.entry(from).or_default().push(payment);
    }

    /// A marker came on this channel.
    pub(super) fn close(&mut self, from: NodeId) {
        self.open.remove(&from);
    }

    pub(super) fn abandon(&mut self) {
        self.is_abandoned = true;
    }

    pub(super) fn into_part(self, snapshot: SnapshotId, process: NodeId) -> Part {
        Part { snapshot, process, state: self.state, channels: self.channels }
    }

    /// The state of the process when it recorded it.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Who has not sent a marker yet.
    pub const fn open(&self) -> &BTreeSet<NodeId> {
        &self.open
    }

    /// What is recorded of channels so far.
    pub const fn channels(&self) -> &BTreeMap<NodeId, Vec<Payment>> {
        &self.channels
    }

    /// Whether the initiator has given up.
    pub const fn is_abandoned(&self) -> bool {
        self.is_abandoned
    }
}

/// The parts that an initiator has.
pub type Gathering = BTreeMap<NodeId, Arc<Part>>;
