//! Chain replication gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// The head answers an update as soon as it has it, and not the tail.
    AnswersAtHead = "answers-at-head",
        breaks ["linearizability", "committed-survives"],
        source "van Renesse and Schneider §2.2: replies are generated and sent by the tail";
    /// A server acknowledges an update as soon as it has it itself, and not once the tail has.
    AcknowledgesAtOnce = "acknowledges-at-once",
        breaks ["inprocess-requests", "linearizability"],
        source "van Renesse and Schneider §3: Sent_i has what the tail may not have processed";
    /// A server drops its list of sent updates when it gets another successor.
    SentNotSentAgain = "sent-not-sent-again",
        breaks ["inprocess-requests", "update-propagation"],
        source "van Renesse and Schneider §3.3: the predecessor sends what is in Sent_i to its new successor";
    /// A new tail serves as soon as it has a copy of the state, without what has come since.
    ServesMissingSuffix = "serves-missing-suffix",
        breaks ["one-order", "inprocess-requests", "linearizability"],
        source "van Renesse and Schneider §3.4: the tail hands over once Hist of the new one is its own";
    /// The master counts a new tail among those who have everything before it says that it serves.
    CountsBeforeItServes = "counts-before-it-serves",
        breaks ["committed-survives", "one-order", "linearizability"],
        source "van Renesse and Schneider §3.4";
    /// Any server answers queries with the last version that it has, whether the tail has it or not.
    ServesDirty = "serves-dirty",
        breaks ["linearizability"],
        source "Terrace and Freedman §2.3: for a dirty object the tail is asked";
    /// A server answers queries for as long as it hears of no other chain, whatever became of its lease.
    NoLease = "no-lease",
        breaks ["answers-are-fenced", "linearizability"],
        source "Gray and Cheriton §2; servers here are not fail-stop: one that was removed may not know";
    /// A server counts its lease from when the answer arrives.
    LeaseFromReceipt = "lease-from-receipt",
        breaks ["answers-are-fenced", "linearizability"],
        source "Gray and Cheriton §2: the term is shortened by the time that the message took";
    /// Neither side of a lease allows for drift.
    NoDriftBound = "no-drift-bound",
        breaks ["answers-are-fenced", "linearizability"],
        source "Gray and Cheriton §5: ε, the allowance for clocks";
    /// The master removes a server a third of a lease after it has last heard of it.
    RemovedWithinLease = "removed-within-lease",
        breaks ["answers-are-fenced", "linearizability"],
        source "Gray and Cheriton §2: the granter waits until the lease has run out";
    /// After a restart the master takes all leases for over.
    GrantsForgotten = "grants-forgotten",
        breaks ["answers-are-fenced", "linearizability"],
        source "Gray and Cheriton §2: after a crash the granter waits for the longest lease";
    /// The master issues a configuration before it is on disk.
    IssuedBeforeDurable = "issued-before-durable",
        breaks ["one-chain-an-epoch", "one-order", "linearizability", "panic"],
        source "van Renesse and Schneider §3: the master does not fail";
    /// A server goes back to an older chain when it hears of it late.
    GoesBack = "goes-back",
        breaks ["one-chain-an-epoch", "one-order", "linearizability", "panic"],
        source "the number of a configuration is there for that";
    /// A server that was restarted, and has nothing, goes on in its old place.
    KeepsItsPlace = "keeps-its-place",
        breaks ["inprocess-requests", "update-propagation", "committed-survives", "linearizability", "panic"],
        source "van Renesse and Schneider §2.1: servers are fail-stop";
    /// An update that comes twice is done twice.
    RetriesAreNew = "retries-are-new",
        breaks ["linearizability"],
        source "van Renesse and Schneider §2.1: a request that is sent again must not be done again";
    /// A new server gets the data, and not what is known of clients.
    ClientsNotCopied = "clients-not-copied",
        breaks ["linearizability", "same-state"],
        source "van Renesse and Schneider §3.4: Hist includes the requests themselves";
    /// The master removes a silent server as soon as its lease is over, whatever the group knows of it.
    DetectorNotAsked = "detector-not-asked",
        breaks ["removed-by-detector"],
        source "Chandra and Toueg 1996: accuracy; the detector is there to tell a failure from a bad link";
}
