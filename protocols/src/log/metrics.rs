//! What nodes count and time, beyond what the engine sees. Names follow from the variants.

use strum::VariantNames;

/// Levels: [`Context::gauge`](sim_core::Context::gauge).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Gauge {
    /// Partitions that a broker leads.
    PartitionsLed,
    /// Producers that wait for an answer.
    ProducersWaiting,
    /// Records that are committed and that consumers have not read, of the partitions that a broker leads.
    ConsumerLag,
    /// Transactions that are open or being ended, at their coordinator.
    TransactionsOpen,
}

/// What nodes count: [`Context::count`](sim_core::Context::count).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Counter {
    /// Brokers that the controller did not hear of in time.
    BrokersFenced,
    /// Leaders that the controller made.
    Elections,
    /// Changes of who is in sync that leaders asked for.
    IsrChanges,
    /// Records that are committed, as leaders see it: more than there are, where a new leader learns it anew.
    RecordsCommitted,
    /// Records sent to followers.
    RecordsReplicated,
    /// Records cut off because the leader does not have them.
    RecordsTruncated,
    /// Records that came again and were known.
    RecordsRepeated,
    /// Records that clients read.
    RecordsRead,
    /// Appends that were refused because too few replicas are in sync.
    AppendsRefused,
    /// Times that members had to join again.
    Rebalances,
    /// Times that a consumer left because it had a record in hand for too long.
    GroupLeaves,
    /// Offsets that were not kept because somebody else has the partition.
    CommitsRefused,
    /// Effects at the store.
    Effects,
    /// Effects of records that had had one.
    EffectsDuplicated,
    /// What the store was asked for and had had.
    EffectsRepeated,
    /// What the store was asked for by a consumer that has lost the partition.
    EffectsFenced,
    /// Transactions that were committed, when all partitions have the marker.
    TransactionsCommitted,
    /// Transactions that were aborted, likewise.
    TransactionsAborted,
    /// Transactions that were aborted because they had been open for too long.
    TransactionsTimedOut,
    /// What producers asked for in an epoch that is over.
    ProducersFenced,
    /// Records that a copy removed because they were old.
    RecordsExpired,
    /// Records of a copy of which compaction leaves the last of each key.
    RecordsCompacted,
    /// Times that the next record of a consumer was not there any more.
    OffsetsReset,
    /// Attempts to handle a record that failed.
    HandlingsFailed,
}

/// What takes time: [`Context::begin`](sim_core::Context::begin).
#[derive(Clone, Copy, Debug, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Latency {
    /// From when the leader has a record until it is committed.
    Commit,
}
