//! What processes count and time, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// What processes count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Payments that went into a channel.
    Payments,
    /// Markers that were sent for the first time.
    Markers,
    /// What channels sent again.
    Resent,
    /// What came out of no channel, because it had before.
    Repeated,
    /// Snapshots that began.
    SnapshotsBegun,
    /// Snapshots of which the initiator got all parts.
    SnapshotsFinished,
    /// Snapshots that the initiator gave up.
    SnapshotsAbandoned,
    /// Payments that were recorded as states of channels.
    PaymentsRecorded,
    /// The size of all parts, in bytes.
    PartBytes,
}

/// What takes time: [`Context::begin`](sim_core::Context::begin).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when a snapshot begins until its initiator has all parts.
    Snapshot,
    /// From when a process records its state until it has a marker from everybody.
    Recording,
}
