//! What sites count and time, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// What sites count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Calls that were made, those after a refusal too.
    Calls,
    /// Calls that were refused.
    CallsRefused,
    /// Copies of rumors that reached a site in a call that was taken: the paper's traffic m, times the number of sites.
    Updates,
    /// Those of them that brought no news.
    UpdatesUnneeded,
    /// How often a site came to know a value, from a client too.
    SitesReached,
    /// How often a site lost interest in a rumor.
    InterestsLost,
}

/// What takes time: [`Context::took`](sim_core::Context::took).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From the broadcast of a value until a site hears it, in whole cycles: the paper's t.
    Spread,
}
