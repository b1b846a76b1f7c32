//! What replicas count, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// What replicas count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Whole states that were sent.
    StatesSent,
    /// Deltas that were sent.
    DeltasSent,
    /// States and deltas that brought nothing new.
    NothingNew,
}

/// The names of levels: [`Context::gauge`](sim_core::Context::gauge).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Gauge {
    /// Deltas that a replica keeps for others.
    DeltasKept,
}
