//! What nodes count and time, beyond what the engine sees. Names follow from the variants: `SnapshotsTaken` is
//! `snapshots-taken`. Levels are in [`GAUGES`](super::GAUGES).

use strum::VariantNames;

/// What nodes count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Requests for a promise (phase 1a) that candidates and leaders sent.
    Prepares,
    /// Candidates and leaders that gave up because of a higher ballot.
    Preemptions,
    /// Slots for which leaders proposed no-ops, because nobody had reported anything for them and somebody for later ones.
    GapSlots,
    /// Snapshots that nodes took of their own state.
    SnapshotsTaken,
    /// Their sizes on disk, in bytes.
    SnapshotBytes,
    /// Snapshots of others that nodes took over.
    SnapshotsInstalled,
}

/// What takes time: [`Context::begin`](sim_core::Context::begin).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when a leader proposes for a slot until it knows the slot to be decided, in one leadership: the wait for a phase 2
    /// quorum. By the slot.
    Chosen,
}
