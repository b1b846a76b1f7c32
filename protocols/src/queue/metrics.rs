//! What nodes count and time, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// Levels: [`Context::gauge`](sim_core::Context::gauge).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Gauge {
    /// Messages that are not held, dead letters aside.
    QueueDepth,
    /// Messages that somebody holds.
    MessagesInFlight,
    /// Dead letters.
    DeadLetters,
    /// What a producer has done and does not know to be in the queue.
    OutboxDepth,
}

/// What nodes count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Messages that were sent and are no duplicates.
    Enqueued,
    /// Messages that were sent before.
    MessagesDeduplicated,
    /// Messages for which there was no room.
    MessagesRefused,
    /// Deliveries.
    Deliveries,
    /// Those that were not the first of their message.
    Redeliveries,
    /// Messages that were acknowledged.
    MessagesAcknowledged,
    /// Deliveries that ran out of time.
    VisibilityTimeouts,
    /// Deliveries that failed.
    FailedDeliveries,
    /// Messages that became dead letters.
    MessagesDeadLettered,
    /// Messages that waited for too long.
    MessagesExpired,
    /// Messages that went because there was no room.
    Discarded,
    /// Receipts that settled nothing.
    VoidReceipts,
    /// Deliveries that a consumer left out.
    DeliveriesShed,
    /// Effects at the store.
    Effects,
    /// What the store was asked for and had had.
    EffectsRepeated,
    /// What the store was asked for by a delivery that was not the last any more.
    EffectsFenced,
    /// Rows of outboxes that are in the queue.
    Published,
}

/// What takes time: [`Context::took`](sim_core::Context::took).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when a message is in the queue until it is first delivered.
    Waiting,
    /// From when a message is in the queue until it is acknowledged.
    Sojourn,
}
