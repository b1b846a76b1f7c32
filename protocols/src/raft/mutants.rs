//! Raft gone wrong, one bug each. See [`crate::mutant`].
//!
//! What a bug breaks is what may catch it: an invariant, a condition of liveness, a check of the clients' history, or
//! `panic` where an assertion of the right protocol is in the way.

crate::mutants! {
    /// A leader commits entries of earlier terms by counting who has them.
    CommitPriorTerm = "commit-prior-term",
        breaks ["leader-completeness", "more-up-to-date-correct", "state-machine-safety", "log-inv", "config-safety", "panic"],
        source "paper §5.4.2, Figure 8";
    /// A voter answers before its vote is on disk.
    VoteNotPersisted = "vote-not-persisted",
        breaks ["vote-once", "election-safety", "message-terms"],
        source "paper §5.2, Figure 2";
    /// A vote is written to disk without its term.
    TermNotPersisted = "term-not-persisted",
        breaks ["vote-once", "election-safety", "message-terms"],
        source "paper §5.1, Figure 2";
    /// A voter does not look whether the candidate's log covers its own.
    NoUptodateCheck = "no-uptodate-check",
        breaks ["leader-completeness", "state-machine-safety", "more-up-to-date-correct", "panic"],
        source "paper §5.4.1";
    /// A voter compares the lengths of logs and not their last terms.
    UptodateByLength = "uptodate-by-length",
        breaks ["leader-completeness", "state-machine-safety", "panic"],
        source "paper §5.4.1";
    /// A follower removes what follows the entries of a message, conflict or not.
    TruncateOnEveryAppend = "truncate-on-every-append",
        breaks ["leader-completeness", "committed-is-durable", "quorum-log-inv", "state-machine-safety", "panic"],
        source "paper §5.3, Figure 2 step 3";
    /// A follower takes over the leader's commit index, though its own last entries may be others.
    CommitUnclamped = "commit-index-unclamped",
        breaks ["state-machine-safety", "leader-completeness", "log-inv", "session-exactly-once", "panic"],
        source "paper Figure 2, AppendEntries step 5";
    /// A follower acknowledges entries before they are on disk.
    AckBeforeFsync = "ack-before-fsync",
        breaks ["committed-is-durable", "leader-completeness", "quorum-log-inv", "state-machine-safety", "panic"],
        source "paper Figure 2; dissertation §3.8";
    /// A leader changes the members before it has committed an entry of its own term.
    NoBarrier = "single-server-change-no-barrier",
        breaks ["leader-completeness", "election-safety", "state-machine-safety", "log-inv", "config-safety"],
        source "D. Ongaro on raft-dev, 2015";
    /// Two voters are changed in one step, without a joint membership.
    NaiveMultiChange = "naive-multi-change",
        breaks ["config-safety", "election-safety", "leader-completeness"],
        source "paper §6, Figure 10";
    /// A membership is appended before the last one is committed.
    TwoPendingConfigs = "two-pending-configs",
        breaks ["config-safety", "election-safety", "leader-completeness"],
        source "dissertation §4.1";
    /// A membership stays in force when its entry is truncated.
    ConfigNotRolledBack = "config-not-rolled-back",
        breaks ["config-in-force", "election-record", "election-safety", "leader-completeness"],
        source "paper §6; dissertation §4.1";
    /// A node that restarts knows only the last committed membership.
    ConfigLostOnRestart = "config-lost-on-restart",
        breaks ["config-in-force", "election-record", "election-safety", "has-one-leader"],
        source "after camunda/zeebe 57386";
    /// A membership is in force when it is executed, and nodes campaign though they have not executed all.
    ConfigOnApply = "config-on-apply-while-campaigning",
        breaks ["config-in-force", "election-record", "election-safety", "leader-completeness"],
        source "after etcd 7625 and raft-rs";
    /// A leader answers reads without making sure that it still leads.
    StaleReadNoHeartbeat = "stale-read-no-heartbeat",
        breaks ["linearizability"],
        source "paper §8; dissertation §6.4";
    /// A new leader reads at its commit index before it has committed an entry of its own term.
    ReadindexBeforeOwnCommit = "readindex-before-own-term-commit",
        breaks ["linearizability"],
        source "dissertation §6.4";
    /// A lease is as long as the election timeout, however clocks drift.
    LeaseIgnoresDrift = "lease-ignores-drift",
        breaks ["linearizability"],
        source "dissertation §6.4.1";
    /// A lease runs from when the answers came, not from when the round was started.
    LeaseFromReceipt = "lease-from-receipt",
        breaks ["linearizability"],
        source "dissertation §6.4.1";
    /// A leader keeps its lease though it has told another node to campaign.
    LeaseKeptOnTransfer = "lease-kept-on-transfer",
        breaks ["linearizability"],
        source "dissertation §6.4.1, §3.10";
    /// A leader counts what it has sent as what a follower has.
    MatchFromNext = "match-from-next",
        breaks ["committed-is-durable", "leader-completeness", "quorum-log-inv", "panic"],
        source "paper Figure 2, matchIndex";
    /// A leader counts acknowledgements of earlier terms.
    StaleAck = "stale-ack",
        breaks ["committed-is-durable", "leader-completeness", "quorum-log-inv", "nodes-catch-up", "linearizability", "panic"],
        source "paper §5.1";
    /// A candidate counts votes of earlier terms.
    VoteFromOtherTerm = "vote-from-other-term",
        breaks ["election-record", "election-safety"],
        source "paper §5.1, §5.2";
    /// A candidate counts pre-votes as votes.
    PrevotesAsVotes = "prevotes-as-votes",
        breaks ["election-record", "election-safety"],
        source "dissertation §9.6";
    /// Half of the voters are enough.
    QuorumHalf = "quorum-half",
        breaks ["election-record", "election-safety", "committed-is-durable", "quorum-log-inv", "leader-completeness", "panic"],
        source "paper §5.2";
    /// Learners are counted as voters.
    LearnerCounted = "learner-counted",
        breaks ["config-in-force", "election-record", "committed-is-durable", "quorum-log-inv", "leader-completeness"],
        source "dissertation §4.2.1";
    /// A snapshot always removes the whole log.
    SnapshotDiscardsSuffix = "snapshot-discards-suffix",
        breaks ["quorum-log-inv", "leader-completeness", "committed-is-durable", "panic"],
        source "paper §7, Figure 13 step 6";
    /// A snapshot is installed though the node has committed more.
    SnapshotResetsCommit = "snapshot-resets-commit",
        breaks ["bounds", "panic"],
        source "paper §7";
    /// Snapshots leave out the sessions of clients.
    SnapshotWithoutSessions = "snapshot-without-sessions",
        breaks ["session-exactly-once", "linearizability", "state-machine-safety"],
        source "paper §8; dissertation §6.3";
    /// A command that comes twice is executed twice.
    NoSessionDedup = "no-session-dedup",
        breaks ["session-exactly-once", "linearizability"],
        source "paper §8; dissertation §6.3";
    /// The only voter executes entries before they are on its disk.
    ApplyBeforeDurable = "apply-before-durable-in-single-node",
        breaks ["committed-is-durable", "quorum-log-inv", "state-machine-safety", "leader-completeness"],
        source "after etcd 14370";
    /// A flush that is done counts for whatever stands at its index by then.
    AsyncAppendAba = "async-append-aba",
        breaks ["durable-is-on-disk", "committed-is-durable", "leader-completeness"],
        source "after etcd: async_storage_writes_append_aba_race";
    /// Election timeouts are not random.
    FixedTimeout = "fixed-timeout",
        breaks ["has-one-leader", "leader-is-known", "clients-are-served"],
        source "paper §5.2, §9.3";
    /// Any request for a vote resets the election timer, given or not.
    TimerResetOnAnyRequest = "timer-reset-on-any-request-vote",
        breaks ["has-one-leader", "leader-is-known", "clients-are-served"],
        source "paper §5.2, Figure 2";
    /// A pre-vote raises the terms of those who are asked.
    PrevoteBumpsTerm = "prevote-bumps-term",
        breaks ["non-disruption", "leader-is-kept"],
        source "dissertation §9.6";
    /// A pre-vote is given though there is a leader.
    PrevoteIgnoresLeader = "prevote-ignores-leader",
        breaks ["non-disruption", "leader-is-kept"],
        source "dissertation §9.6";
    /// A leader that is removed counts itself on, and stays.
    LeaderIgnoresRemoval = "leader-ignores-removal",
        breaks ["config-in-force", "committed-is-durable", "election-record", "has-one-leader"],
        source "paper §6; dissertation §4.2.2";
    /// A follower that needs a snapshot never gets one.
    ProbeStall = "probe-stall",
        breaks ["leader-is-known", "nodes-catch-up", "clients-are-served"],
        source "paper §7";
}
