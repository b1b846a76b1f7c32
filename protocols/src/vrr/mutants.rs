//! Viewstamped Replication gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// A new primary takes the longest log, whatever its last normal view.
    PickByOpNumberOnly = "pick-by-op-number-only",
        breaks ["committed-survives", "state-machine-safety", "executed-once", "bounds"],
        source "paper §4.2, step 3: the largest v' first, then the largest n";
    /// A recovering replica takes answers to an earlier recovery for answers to this one.
    RecoveryWithoutNonce = "recovery-without-nonce",
        breaks ["acknowledged-is-kept", "committed-survives", "state-machine-safety"],
        source "paper §4.3: x is a nonce";
    /// A replica that has not recovered takes part in view changes, with its empty log.
    AnswersBeforeRecovered = "answers-before-recovered",
        breaks ["acknowledged-is-kept", "committed-survives", "state-machine-safety", "one-start-a-view"],
        source "paper §4.3: while status is recovering, a replica takes part in nothing";
    /// Recovery as it was published, without crash vectors: a promise that its sender has forgotten still counts.
    PublishedRecovery = "published-recovery",
        breaks ["committed-survives", "state-machine-safety", "one-start-a-view"],
        source "paper §4.3; Michael et al. 2017 show what is wrong";
    /// A primary commits what f replicas hold, itself included.
    CommitOnF = "commit-on-f",
        breaks ["commit-quorum", "committed-survives", "state-machine-safety"],
        source "paper §4.1, step 5: f PrepareOk messages besides itself";
    /// A backup executes what it has, committed or not.
    ExecuteBeyondCommit = "execute-beyond-commit",
        breaks ["bounds", "state-machine-safety"],
        source "paper §4.1, step 7";
    /// Checkpoints that travel to other replicas leave the client table behind.
    ClientTableNotTransferred = "client-table-not-transferred",
        breaks ["executed-once", "linearizability"],
        source "paper §4.1, §4.3: the client-table is part of the state";
    /// A replica that hears of a newer view drops what is not committed before it has the new view's log, as published.
    TruncatesBeforeTransfer = "truncates-before-transfer",
        breaks ["acknowledged-is-kept", "log-matching", "committed-survives", "state-machine-safety"],
        source "paper §5.2; Vanlightly 2022, part 3, shows what is wrong";
    /// A primary goes on taking requests when a reconfiguration is in its log.
    RequestsAfterReconfiguration = "requests-after-reconfiguration",
        breaks ["committed-survives", "state-machine-safety", "log-matching", "panic"],
        source "paper §7.1: the primary stops accepting client requests when it gets a reconfiguration";
    /// A replica starts the next epoch before a quorum has left the one before, as published.
    EpochNotSealed = "epoch-not-sealed",
        breaks ["sealed-before-started", "committed-survives", "state-machine-safety", "one-start-a-view"],
        source "paper §7.1 has one StartEpoch start a replica; what is wrong with that, `vrr::epoch` says";
    /// A new replica takes part in its first epoch without the state of the one before.
    VotesWithoutState = "votes-without-state",
        breaks ["committed-survives", "state-machine-safety", "log-matching"],
        source "paper §7.1: a new replica is up to date before it starts the epoch";
    /// A primary answers reads without making sure that its view is the newest.
    StaleRead = "stale-read",
        breaks ["linearizability"],
        source "paper §6.3";
}
