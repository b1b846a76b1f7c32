//! What nodes keep in numbers, beyond what the engine sees. Names follow from the variants: `SnapshotsTaken` is
//! `snapshots-taken`.

use strum::VariantNames;

/// Levels of a node: [`Context::gauge`](sim_core::Context::gauge).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Gauge {
    /// The entries of its log that it does not know to be committed.
    Uncommitted,
    /// How many entries it last removed because its leader has others there: how far the logs had diverged. There from the
    /// first time on.
    Diverged,
}

/// What nodes count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Snapshots that nodes took of their own state machines.
    SnapshotsTaken,
    /// Their sizes on disk, in bytes.
    SnapshotBytes,
    /// Snapshots that leaders began to send.
    SnapshotsSent,
    /// Snapshots of leaders that followers took over.
    SnapshotsInstalled,
    /// Times that a node removed entries because its leader has others there.
    Truncations,
    /// The entries removed.
    EntriesTruncated,
}

/// What takes time: [`Context::begin`](sim_core::Context::begin).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when a leader appends an entry until it knows it to be committed, in one leadership: the wait for its own disk
    /// and a quorum. By the index.
    Commit,
}
