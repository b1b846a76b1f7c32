//! Queues and consumers gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// A consumer acknowledges a message before it handles it, and promises at least once.
    AckBeforeProcess = "ack-before-process",
        breaks ["at-least-once"],
        source "a receiver with automatic acknowledgement (RabbitMQ, Consumer Acknowledgements: \"fire-and-forget\")";
    /// The broker acknowledges a message by a receipt that has expired.
    StaleReceipt = "stale-receipt",
        breaks ["visibility-exclusive"],
        source "Amazon SQS, DeleteMessage: a receipt handle is of one receipt of a message";
    /// A message that is given back has no failed delivery any more.
    CountResetOnReturn = "count-reset-on-return",
        breaks ["poison-isolated"],
        source "Amazon SQS, dead-letter queues: the receive count rises with each receipt";
    /// The broker forgets in a restart how often messages were delivered without success.
    CountVolatile = "count-volatile",
        breaks ["poison-isolated"],
        source "RabbitMQ, quorum queues: the delivery count is kept across restarts";
    /// The broker forgets in a restart what was sent within the deduplication window.
    DedupInMemory = "dedup-in-memory",
        breaks ["deduplicated", "effectively-once"],
        source "Amazon SQS, FIFO queues: the deduplication interval outlives failures";
    /// The store has the effect first, and then keeps that it has had it.
    DualWrite = "dual-write",
        breaks ["effectively-once", "at-most-once"],
        source "Richardson, Microservices Patterns (2018) §3.4.2: idempotent consumers record in the same transaction";
    /// The store forgets in a restart which messages it has had.
    InboxVolatile = "inbox-volatile",
        breaks ["effectively-once", "at-most-once"],
        source "Helland, Life beyond Distributed Transactions (CIDR 2007) §4: activities remember across failures";
    /// A consumer takes as many messages as it is sent, and asks for any number.
    UnboundedPrefetch = "unbounded-prefetch",
        breaks ["bounded"],
        source "RabbitMQ, Consumer Prefetch: an unlimited buffer of unacknowledged messages";
    /// A message of a group is delivered while another one of it is held.
    GroupParallel = "group-parallel",
        breaks ["order-within-group"],
        source "Amazon SQS, FIFO queues: no more messages of a group while one is in flight";
    /// A message comes back before its visibility timeout has run out.
    VisibilityShort = "visibility-short",
        breaks ["visibility-exclusive"],
        source "Amazon SQS, visibility timeout: nobody else receives the message before it";
    /// The broker confirms a message before it is on disk.
    ConfirmBeforeSync = "confirm-before-sync",
        breaks ["no-loss"],
        source "RabbitMQ, Publisher Confirms: persistent messages are confirmed when they are on disk";
    /// A consumer that was given a message is not thought of again before it has settled one.
    CreditForgotten = "credit-forgotten",
        breaks ["work-conserving"],
        source "queueing theory: a server is not idle while somebody waits";
    /// The broker makes room for one message more than there is.
    CapacityOff = "capacity-off",
        breaks ["bounded"],
        source "RabbitMQ, Queue Length Limit: max-length";
    /// A message whose time has come is neither queued nor counted.
    ExpiryUncounted = "expiry-uncounted",
        breaks ["conservation"],
        source "bookkeeping: what is sent is somewhere";
    /// A message can be taken as soon as it is in the queue.
    DelayIgnored = "delay-ignored",
        breaks ["in-turn"],
        source "Amazon SQS, delay queues: new messages are invisible for the delay";
    /// All messages are of one priority.
    PriorityIgnored = "priority-ignored",
        breaks ["in-turn"],
        source "RabbitMQ, Priority Queue Support: messages of a higher priority are delivered first";
    /// What has failed is at the head of the queue again at once.
    RequeueToHead = "requeue-to-head",
        breaks ["in-turn"],
        source "RabbitMQ, negative acknowledgements: a requeued message is back at its place, and blocks those behind it";
    /// A producer publishes a message before what it tells of is on disk.
    PublishBeforeCommit = "publish-before-commit",
        breaks ["outbox"],
        source "Richardson, Microservices Patterns (2018) §3.3.7: a message that is sent before its transaction commits";
    /// A producer deletes a row of its outbox when it has published it, and waits for no confirm.
    OutboxDeletedWhenSent = "outbox-deleted-when-sent",
        breaks ["outbox"],
        source "Richardson, Microservices Patterns (2018) §3.3.7: the relay publishes at least once";
    /// The store notes that it has had a message, and then has its effect.
    MarkBeforeEffect = "mark-before-effect",
        breaks ["effectively-once"],
        source "Richardson, Microservices Patterns (2018) §3.3.6: the message is recorded in the transaction that it causes";
    /// A consumer that promises at most once handles a message before it knows that it was acknowledged.
    ProcessBeforeClaim = "process-before-claim",
        breaks ["at-most-once"],
        source "at most once is acknowledgement before processing: the broker must have it";
    /// The replica of a broker answers before its vote is on disk.
    VoteNotPersisted = "vote-not-persisted",
        breaks ["raft-safety"],
        source "Raft, §5.2, Figure 2; the same mutant of Raft";
    /// The replica of a broker acknowledges entries before they are on disk.
    AckBeforeFsync = "ack-before-fsync",
        breaks ["raft-safety"],
        source "Raft, Figure 2; the same mutant of Raft";
}
