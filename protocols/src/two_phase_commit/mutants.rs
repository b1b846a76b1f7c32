//! Two-phase commit gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// A participant that has waited too long for the decision commits.
    CommitsAlone = "commits-alone",
        breaks ["ac1-agreement", "ac3-commit-needs-all-votes", "panic"],
        source "Bernstein, Hadzilacos, Goodman (1987) §7.4: a participant that has voted yes must wait";
    /// A participant that has waited too long for the decision aborts.
    AbortsAlone = "aborts-alone",
        breaks ["ac1-agreement", "conservation", "transfer-conservation", "linearizability"],
        source "Bernstein, Hadzilacos, Goodman (1987) §7.4: a participant that has voted yes must wait";
    /// A coordinator tells its decision before it is on disk.
    DecisionNotForced = "decision-not-forced",
        breaks ["ac1-agreement", "ac2-no-reversal", "conservation", "transfer-conservation", "linearizability", "panic"],
        source "Bernstein, Hadzilacos, Goodman (1987) §7.4: the decision is on stable storage before it is sent";
    /// A participant votes yes before that is on disk.
    PreparedNotForced = "prepared-not-forced",
        breaks ["panic", "ac1-agreement", "ac3-commit-needs-all-votes", "conservation"],
        source "Bernstein, Hadzilacos, Goodman (1987) §7.4: the yes is on stable storage before it is sent";
    /// A coordinator takes silence for a yes.
    SilenceIsConsent = "silence-is-consent",
        breaks ["ac3-commit-needs-all-votes", "panic", "ac1-agreement"],
        source "Bernstein, Hadzilacos, Goodman (1987) §7.3, AC3: commit only if all have voted yes";
    /// A coordinator commits what it knows nothing of.
    PresumesCommit = "presumes-commit",
        breaks ["ac1-agreement", "ac3-commit-needs-all-votes", "panic"],
        source "Mohan, Lindsay, Obermarck (1986) §3: without information the answer is abort";
    /// A coordinator forgets a commit when it has told it, acknowledged or not.
    ForgetsTooSoon = "forgets-too-soon",
        breaks ["ac1-agreement", "conservation", "transfer-conservation", "linearizability"],
        source "Mohan, Lindsay, Obermarck (1986) §2: it remembers until all have acknowledged";
    /// A coordinator names the transactions of each life alike.
    NamesReused = "names-reused",
        breaks ["ac1-agreement", "ac2-no-reversal", "ac3-commit-needs-all-votes", "conservation", "panic", "linearizability"],
        source "Mohan, Lindsay, Obermarck (1986) §2: globally unique transaction names";
    /// A participant that tells another that it has not voted may vote later.
    VotesAfterRefusing = "votes-after-refusing",
        breaks ["ac1-agreement", "panic"],
        source "Bernstein, Hadzilacos, Goodman (1987) §7.4, cooperative termination: who has not voted aborts";
    /// A participant lets go of its accounts when it votes.
    ReleasesAtVote = "releases-at-vote",
        breaks ["transfer-conservation", "linearizability", "panic"],
        source "Bernstein, Hadzilacos, Goodman (1987) §7.1: strict two-phase locking holds locks until the decision";
    /// Reads let go of accounts when they have their values, before all others have theirs.
    ReadsReleaseEarly = "reads-release-early",
        breaks ["transfer-conservation", "linearizability"],
        source "Mohan, Lindsay, Obermarck (1986) §3: a read-only participant holds its locks until it votes";
    /// A participant does not tell holds apart: a read whose hold has ended, and which has come again, is voted for.
    HoldsAlike = "holds-alike",
        breaks ["transfer-conservation", "linearizability"],
        source "Mohan, Lindsay, Obermarck (1986) §3: a read-only participant holds its locks until it votes";
    /// A participant that restarts in doubt asks nobody.
    RestartsInSilence = "restarts-in-silence",
        breaks ["all-agree"],
        source "Mohan, Lindsay, Obermarck (1986) §2.1: recovery asks the coordinator until it hears the decision";
    /// A participant that restarts in doubt does not take its accounts again.
    LocksLostInCrash = "locks-lost-in-crash",
        breaks ["transfer-conservation", "linearizability", "panic"],
        source "Mohan, Lindsay, Obermarck (1986) §2.1: recovery re-acquires the locks of transactions in doubt";
    /// A coordinator does not remember what it has answered: an operation that comes twice is done twice.
    RetriesAreNew = "retries-are-new",
        breaks ["linearizability"],
        source "the meaning of the service `transfer`: an operation takes effect once";
}
