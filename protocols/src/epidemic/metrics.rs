//! What sites count, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// What sites count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Calls of anti-entropy.
    Comparisons,
    /// Those that ended with one checksum.
    Agreements,
    /// Lists of versions that were sent: what checksums are to spare.
    Lists,
    /// Items that were sent, by mail and otherwise.
    ItemsSent,
    /// Items that were newer than what the site had.
    ItemsTaken,
    /// Dormant death certificates that were activated again.
    Awakenings,
}

/// The names of levels: [`Context::gauge`](sim_core::Context::gauge).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Gauge {
    /// Active death certificates.
    Certificates,
    /// Dormant ones.
    DormantCertificates,
}
