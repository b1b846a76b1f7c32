//! What nodes count and time, beyond what the engine sees. Names follow from the variants. Levels are in
//! [`GAUGES`](super::GAUGES).

use strum::VariantNames;

/// What nodes count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Ballots that proposers took up. All but the one with which a value was chosen came to nothing.
    Ballots,
    /// Requests for a promise (phase 1a) that proposers sent.
    Prepares,
    /// Ballots that proposers gave up because of a higher one.
    Preemptions,
}

/// What takes time: [`Context::begin`](sim_core::Context::begin).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when a proposer that was idle begins phase 1 until it knows what is chosen, however many ballots that takes.
    Chosen,
}
