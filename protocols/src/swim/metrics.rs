//! What members count, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// What members count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Protocol periods that began.
    Periods,
    /// Members that a node began to suspect by its own probe.
    Suspicions,
    /// Members that a node declared dead after its suspicion.
    Confirms,
    /// Suspicions and deaths of itself that a member refuted.
    Refutations,
    /// Updates that were sent, each message counted.
    UpdatesSent,
}
