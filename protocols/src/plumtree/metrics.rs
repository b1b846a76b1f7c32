//! What nodes count, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// What nodes count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Values that clients have broadcast.
    Broadcasts,
    /// Values that arrived: m of the relative message redundancy, which is m / (n - 1) - 1 for each broadcast.
    Payloads,
    /// Those that were there before.
    PayloadsRedundant,
    /// Those that were not: n - 1 for each broadcast that reaches all.
    Deliveries,
    /// The hops that these had made, all together.
    DeliveryHops,
    /// Grafts that were sent.
    Grafts,
    /// Links that were taken into the tree because they are shorter.
    Optimisations,
    /// Neighbours that were taken for failed.
    NeighboursFailed,
}

/// What a node tells of itself: [`Context::gauge`](sim_core::Context::gauge).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Gauge {
    /// How many hops the value had made that arrived last; the highest of all nodes is the last delivery hop.
    Hops,
    /// How many neighbours it has.
    Neighbours,
}
