//! What nodes count and time, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// What nodes count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Ids that were given.
    IdsGiven,
    /// Blocks that were reserved.
    BlocksReserved,
    /// Requests that were refused because the clock was back.
    RefusedByClock,
    /// Times of others that were not taken because they were too far ahead.
    TimesRefused,
}

/// What takes time: [`Context::begin`](sim_core::Context::begin).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when a bound is written until it is on disk.
    Reservation,
}
