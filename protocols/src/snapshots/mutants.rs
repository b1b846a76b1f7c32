//! Snapshots gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// Markers are sent after the next payment, not before it.
    MarkerAfterMessage = "marker-after-message",
        breaks ["consistent-cut", "recorded-money", "channel-states", "transfer-conservation"],
        source "Chandy, Lamport (1985) §3.1, marker-sending rule: one marker before any further message";
    /// What is on its way is not recorded.
    ChannelStateOmitted = "channel-state-omitted",
        breaks ["recorded-money", "channel-states", "transfer-conservation"],
        source "Chandy, Lamport (1985) §3.1, marker-receiving rule: the state of a channel";
    /// A process sends markers at the first marker, and records its state at the second.
    StateAtSecondMarker = "state-at-second-marker",
        breaks ["recorded-money", "channel-states", "consistent-cut", "transfer-conservation"],
        source "Chandy, Lamport (1985) §3.1, marker-receiving rule: the state is recorded at the first marker";
    /// A marker counts for all snapshots that are under way.
    MarkerForAll = "marker-for-all",
        breaks ["recorded-money", "channel-states", "transfer-conservation"],
        source "Chandy, Lamport (1985) §2.3: the algorithm may be initiated by several processes";
    /// Channels are recorded until all markers have come, also those whose own marker has.
    RecordsAfterMarker = "records-after-marker",
        breaks ["recorded-money", "channel-states", "transfer-conservation"],
        source "Chandy, Lamport (1985) §3.1, marker-receiving rule: the messages before the marker";
    /// The initiator is content with the parts of all processes but one.
    OnePartMissing = "one-part-missing",
        breaks ["recorded-money", "channel-states", "transfer-conservation"],
        source "Chandy, Lamport (1985) §3.3: all recorded states are collected";
    /// A payment that comes twice is taken twice.
    TakenTwice = "taken-twice",
        breaks ["channels-in-order", "conservation"],
        source "Chandy, Lamport (1985) §2.1: channels are error-free";
    /// What comes out of a channel comes out as it arrives.
    OrderIgnored = "order-ignored",
        breaks ["channels-in-order", "consistent-cut", "recorded-money", "channel-states", "transfer-conservation"],
        source "Chandy, Lamport (1985) §2.1: channels deliver messages in the order sent";
    /// A payment is sent before it is on disk.
    SentBeforeDisk = "sent-before-disk",
        breaks ["conservation", "channels-in-order", "panic"],
        source "Gray (1978), Notes on Data Base Operating Systems: log before send";
    /// What has come is acknowledged before it is on disk.
    AcknowledgedBeforeDisk = "acknowledged-before-disk",
        breaks ["all-agree", "clients-are-served", "panic"],
        source "Gray (1978), Notes on Data Base Operating Systems: log before send";
}
