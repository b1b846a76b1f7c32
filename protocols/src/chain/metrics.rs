//! What nodes count and time, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// What nodes count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Configurations that the master has issued, the first one not counted.
    Configurations,
    /// Queries that the tail has answered.
    QueriesAtTail,
    /// Queries that another server has answered without asking anybody.
    QueriesClean,
    /// Queries that another server has answered after it had asked the tail.
    QueriesDirty,
    /// Updates that were sent again.
    UpdatesSentAgain,
    /// States that a server has got from another as a whole.
    StatesTransferred,
}

/// What takes time: [`Context::begin`](sim_core::Context::begin).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when a head takes an update until it knows that the tail has it: twice the way through the chain. By the index.
    Acknowledged,
}
