//! Replicated data gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// Counters are joined by adding, so that what comes twice counts twice.
    JoinsBySum = "joins-by-sum",
        breaks ["only-made"],
        source "Shapiro et al. (SSS 2011) §3: a join is idempotent";
    /// A removal also takes what each replica is about to put.
    RemovesUnseen = "removes-unseen",
        breaks ["adds-win"],
        source "Shapiro et al. §3.3.5, OR-Set: a removal affects only what its source has seen";
    /// A removal is made at its replica and in no delta.
    RemovesInSilence = "removes-in-silence",
        breaks ["adds-win", "all-agree"],
        source "Almeida et al. (JPDC 2018) §7.3: the delta of a removal is a context";
    /// A context is cut to two replicas.
    ContextTruncated = "context-truncated",
        breaks ["state-grows", "all-agree", "adds-win", "only-made", "acknowledged-survives"],
        source "DeCandia et al., Dynamo (SOSP 2007) §4.4: truncated clocks";
    /// A restarted replica counts from the beginning, under the name that it had.
    NameUsedAgain = "name-used-again",
        breaks ["made-once"],
        source "a replica that is restored from a backup needs a new name";
    /// A delta counts as acknowledged when it is sent.
    AckAssumed = "ack-assumed",
        breaks ["all-agree"],
        source "Almeida et al. (JPDC 2018), algorithm 2: acks are messages";
    /// A delta is acknowledged before it is on disk.
    AcksEarly = "acks-early",
        breaks ["all-agree"],
        source "Almeida et al. (JPDC 2018), algorithm 2: the state is durable";
    /// A client is told that its change is done before it is on disk.
    AnswersEarly = "answers-early",
        breaks ["acknowledged-survives"],
        source "persist before reply";
}
