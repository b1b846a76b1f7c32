//! The lock gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// A worker looks at its lease before it works and not before it writes, and the resource looks at no token.
    CheckThenWrite = "check-then-write",
        breaks ["no-write-after-expiry", "fenced-writes"],
        source "Kleppmann (2016), How to do distributed locking: a pause between check and write";
    /// Leases are measured with the wall clock.
    WallClockLease = "wall-clock-lease",
        breaks ["single-holder", "no-write-after-expiry"],
        source "Kleppmann (2016), on clocks that jump: only monotonic clocks measure time";
    /// A worker counts its lease from when the answer arrives.
    RenewFromReplyTime = "renew-from-reply-time",
        breaks ["single-holder", "no-write-after-expiry"],
        source "Gray and Cheriton (1989), Leases §2: the holder must count from before its request was sent";
    /// The server writes its state at every fourth grant only, and waits for no disk: a restart finds old tokens.
    TokensFromOldState = "tokens-from-old-state",
        breaks ["tokens-rise", "single-holder", "fenced-writes", "no-write-after-expiry", "linearizability"],
        source "Burrows (2006), Chubby §2.4: the lock generation number must rise over fail-overs";
    /// Tokens are compared at the worker, with the highest it has heard of, and not at the resource.
    FencedAtWorker = "fenced-at-worker",
        breaks ["fenced-writes"],
        source "Kleppmann (2016), How to do distributed locking: the storage server must check the token";
    /// The resource forgets in a crash which token was the highest.
    HighestForgotten = "highest-forgotten",
        breaks ["fenced-writes"],
        source "Kleppmann (2016), How to do distributed locking: the storage server remembers the highest token";
    /// Neither side allows for drift: both measure the TTL.
    NoDriftBound = "no-drift-bound",
        breaks ["single-holder", "no-write-after-expiry"],
        source "Gray and Cheriton (1989), Leases §5: the allowance for clock uncertainty";
    /// After a restart the server takes the lock for free.
    FreeAfterRestart = "free-after-restart",
        breaks ["single-holder", "no-write-after-expiry", "linearizability"],
        source "Gray and Cheriton (1989), Leases §2: after a crash the server waits for as long as the longest lease";
    /// The server takes a lock back from whoever gives it back, whatever the token.
    ReleasedByAnybody = "released-by-anybody",
        breaks ["single-holder", "no-write-after-expiry", "linearizability"],
        source "the meaning of the service `lock`: only the token that holds the lock gives it back";
    /// A worker goes on writing while it only tries to renew.
    WritesInGrace = "writes-in-grace",
        breaks ["single-holder", "no-write-after-expiry"],
        source "Burrows (2006), Chubby §2.8: in jeopardy a client flushes and disables";
    /// The server keeps a client's lock until a renewal would be due, and clients cannot renew.
    ShortClientLease = "short-client-lease",
        breaks ["single-holder"],
        source "Gray and Cheriton (1989), Leases §2: until a lease has expired its grantor lets nobody else have what it covers";
    /// The resource refuses a token that it has taken a write of, and not only lower ones.
    EqualTokenFenced = "equal-token-fenced",
        breaks ["fenced-writes"],
        source "Kleppmann (2016), How to do distributed locking: a client writes with one token until its lease ends";
    /// The server does not remember what a client's last operation came to: what comes twice is done twice.
    RetriesAreNew = "retries-are-new",
        breaks ["linearizability"],
        source "the meaning of the service `lock`: an operation takes effect once";
}
