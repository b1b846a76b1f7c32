//! What nodes count and time, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// What nodes count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Times the server gave a lock, to workers and to clients.
    LocksGiven,
    /// Leases that ran out at the server.
    LeasesLapsed,
    /// Renewals that workers sent.
    Renewals,
    /// Times a worker lost the lock, and did not give it back.
    LocksLost,
    /// Writes that the resource took.
    WritesTaken,
    /// Writes that it refused because of their token.
    WritesFenced,
}

/// What takes time: [`Context::begin`](sim_core::Context::begin).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when a worker first asks for the lock until it has it.
    LockWait,
    /// From then until it has it no more.
    LockHeld,
}
