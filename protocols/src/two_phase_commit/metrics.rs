//! What nodes count and time, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// What nodes count: [`Context::count`](sim_core::Context::count). A *forced* write is one that something waits for.
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Transfers that were tried; reads are not counted here, nor among the messages and writes below.
    Transfers,
    /// Those that were committed.
    TransfersCommitted,
    /// Messages between coordinators and participants about them.
    TransferMessages,
    /// Forced writes of them: of votes, decisions and ends.
    ForcedWrites,
    /// Forced writes of answers to clients that were no commits: sessions need them, two-phase commit does not.
    ForcedAnswers,
    /// Times a participant asked for a decision.
    Inquiries,
}

/// What takes time: [`Context::begin`](sim_core::Context::begin).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when a participant votes yes until it knows the decision: how long its accounts are out of everybody's reach.
    InDoubt,
}
