//! What replicas count and time, beyond what the engine sees. Names follow from the variants. Levels are in
//! [`GAUGES`](super::GAUGES).

use strum::VariantNames;

/// What replicas count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Times that a replica got something that it lacked by asking for it (§5.2).
    StateTransfers,
    /// Checkpoints of others that replicas went on from, because the log before was forgotten.
    CheckpointsInstalled,
}

/// What takes time: [`Context::begin`](sim_core::Context::begin).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when a primary gives a request its op-number until it commits it, in one view: the wait for a quorum. By the
    /// op-number.
    Commit,
}
