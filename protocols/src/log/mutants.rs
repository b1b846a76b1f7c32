//! Logs gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// A follower cuts its log off at its high watermark, and not where it parts from the leader's.
    TruncateToHighWatermark = "truncate-to-high-watermark",
        breaks ["committed-stays", "in-sync-has-all", "log-durability"],
        source "KIP-101, scenario 1: high watermark truncation followed by immediate leader election";
    /// A leader shows clients records that are not committed.
    ReadPastHighWatermark = "read-past-high-watermark",
        breaks ["reads-committed"],
        source "Kafka, design: only committed messages are ever given out to the consumer";
    /// The controller makes a broker leader that is not in sync, though elections are to be clean.
    UncleanElection = "unclean-election",
        breaks ["clean-election"],
        source "Kafka, design: unclean leader election";
    /// A new leader does not know what producers have sent to the one before.
    SequencesForgotten = "sequences-forgotten",
        breaks ["idempotence"],
        source "KIP-98: the state of producers is in the log of each replica";
    /// An append that all in sync must have is answered when the leader has it.
    AckByLeaderAlone = "ack-by-leader-alone",
        breaks ["acknowledged-kept", "log-integrity"],
        source "Kafka, producer configuration: acks=all";
    /// A leader counts on its own idea of who is in sync before the controller has agreed.
    ShrinksAlone = "shrinks-alone",
        breaks ["in-sync-has-all", "committed-stays"],
        source "KIP-497: the leader must not assume a change of the ISR that the controller has not made";
    /// A leader wants a follower in sync that does not have all that is committed.
    JoinsTooEarly = "joins-too-early",
        breaks ["in-sync-has-all", "committed-stays", "acknowledged-kept"],
        source "Kafka, replication: a follower joins the ISR when it has caught up to the high watermark";
    /// The controller changes who is in sync, whoever asks and whatever it was when it was asked.
    StaleChangeAccepted = "stale-change-accepted",
        breaks ["in-sync-has-all", "committed-stays", "clean-election"],
        source "KIP-497: AlterIsr is fenced by leader epoch and partition epoch";
    /// A new leader leads in the epoch of the one before.
    EpochReused = "epoch-reused",
        breaks ["one-leader-an-epoch", "log-matching"],
        source "KIP-101: the leader epoch rises with every leader";
    /// A follower says that it has on disk what it has only written.
    FetchBeforeFlush = "fetch-before-flush",
        breaks ["in-sync-has-all", "acknowledged-kept"],
        source "persist before send: a fetch is the acknowledgement of all below its offset";
    /// A leader counts what is not on its own disk.
    LeaderCountsUnflushed = "leader-counts-unflushed",
        breaks ["in-sync-has-all", "acknowledged-kept"],
        source "persist before send: the leader is one of those in sync";
    /// A consumer that promises at least once keeps how far it has read, and not how far it has come.
    CommitPosition = "commit-position",
        breaks ["kept-is-handled"],
        source "Kafka, consumer: auto-commit with records still being processed";
    /// A consumer keeps the highest record that is done, though lower ones are still in hand.
    CommitHighestDone = "commit-highest-done",
        breaks ["kept-is-handled"],
        source "Kafka, consumer: processing in parallel needs a watermark of what is done";
    /// A consumer that promises at most once handles records before they are kept as handled.
    ProcessBeforeCommit = "process-before-commit",
        breaks ["effect-once"],
        source "Kafka, Documentation §4.6: at most once is saving the position before processing";
    /// The coordinator keeps whatever a consumer says, of whichever generation.
    ZombieCommit = "zombie-commit",
        breaks ["single-owner"],
        source "Kafka, group coordinator: ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID";
    /// The coordinator gives a partition to a consumer while another one still has it.
    AssignBeforeRevoke = "assign-before-revoke",
        breaks ["single-owner"],
        source "KIP-429 and KIP-848: a partition is given out when its owner has given it up";
    /// The store forgets in a restart which records it has had.
    InboxForgotten = "inbox-forgotten",
        breaks ["effect-once"],
        source "Helland, Life beyond Distributed Transactions (CIDR 2007) §4: activities remember across failures";
    /// A leader takes and answers appends though too few replicas are in sync.
    MinInsyncIgnored = "min-insync-ignored",
        breaks ["acknowledged-kept"],
        source "Kafka, topic configuration: min.insync.replicas";
    /// A leader takes what a producer writes in an epoch that is over.
    NoEpochFence = "no-epoch-fence",
        breaks ["producer-fencing", "no-hanging-transaction", "exactly-once"],
        source "KIP-98: a producer with an older epoch is fenced";
    /// A leader shows readers of what is committed records of transactions that are open.
    ReadPastStable = "read-past-stable",
        breaks ["aborted-unread", "log-aborted-reads", "log-results-once"],
        source "KIP-98: read committed is up to the last stable offset";
    /// The next transaction of a producer has the epoch of the one before, so that a late record opens it again.
    HangingTransaction = "hanging-transaction",
        breaks ["no-hanging-transaction", "exactly-once", "transaction-atomicity"],
        source "KIP-890: transactions server-side defense";
    /// A producer that sends a result again, perhaps to another leader, gives it a new sequence number.
    RetryRenumbered = "retry-renumbered",
        breaks ["exactly-once", "log-results-once"],
        source "KIP-98: a retry has the sequence number of the first try";
    /// A broker removes and compacts what is not committed yet.
    CleanPastHighWatermark = "clean-past-high-watermark",
        breaks ["compaction", "committed-stays"],
        source "Kafka, log cleaner: it cleans up to the high watermark and the last stable offset";
    /// Compaction removes the markers of transactions whose offsets it leaves.
    MarkersCompacted = "markers-compacted",
        breaks ["compaction"],
        source "KIP-98: a marker may go when nothing of its transaction is left";
    /// A consumer that fails to handle a record goes on with the next one.
    FailureSkipped = "failure-skipped",
        breaks ["kept-is-handled", "exactly-once"],
        source "Kafka, consumer: without a seek back to it, a record that failed is passed over";
    /// A consumer counts the time that it may have a record in hand from when it last had none: one with a backlog leaves, and
    /// whoever gets its partitions has a longer one.
    BacklogCountsAsOne = "backlog-counts-as-one",
        breaks ["work-is-done", "all-agree"],
        source "Kafka, consumer: max.poll.interval.ms is between polls, and max.poll.records too many for it";
    /// A consumer reads on however much waits for its workers.
    BacklogUnbounded = "backlog-unbounded",
        breaks ["bounded"],
        source "Kafka, consumer: pause() where records come faster than they are handled";
    /// The replica of a controller answers before its vote is on disk.
    VoteNotPersisted = "vote-not-persisted",
        breaks ["raft-safety"],
        source "Raft, §5.2, Figure 2; the same mutant of Raft";
    /// The replica of a controller acknowledges entries before they are on disk.
    AckBeforeFsync = "ack-before-fsync",
        breaks ["raft-safety"],
        source "Raft, Figure 2; the same mutant of Raft";
}
