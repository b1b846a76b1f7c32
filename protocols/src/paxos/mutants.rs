//! Multi-Paxos gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// An acceptor that accepts a ballot does not promise it: only phase 1 raises what it has promised.
    AcceptNoBump = "accept-no-bump",
        breaks ["a1-ballots-rise", "a2-accepts-its-ballot", "a5-chosen-stays", "r1-one-decision"],
        source "Paxos Made Moderately Complex §3, A1; as Brooker (2021) shows it may be read";
    /// An acceptor accepts whatever comes, promises or not.
    AcceptIgnoresPromise = "accept-ignores-promise",
        breaks ["a1-ballots-rise", "a2-accepts-its-ballot", "a5-chosen-stays", "r1-one-decision"],
        source "Paxos Made Moderately Complex §3, A2";
    /// A new leader proposes its own commands whatever the promises report.
    OwnValue = "own-value",
        breaks ["c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision"],
        source "Paxos Made Moderately Complex §3, C2";
    /// A new leader adopts, of what was reported for a slot, the proposal with the lowest ballot.
    LowestBallotValue = "lowest-ballot-value",
        breaks ["c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision"],
        source "Paxos Made Moderately Complex §3.2, pmax";
    /// What an acceptor has promised is not on disk.
    AmnesiaPromise = "amnesia-promise",
        breaks ["a1-ballots-rise", "a2-accepts-its-ballot", "c1-one-commander", "a4-one-proposal-a-ballot",
            "c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision"],
        source "Paxos Made Live §4.1: a promise survives restarts";
    /// What an acceptor has accepted is not on disk.
    AmnesiaAccept = "amnesia-accept",
        breaks ["a3-keeps-pvalues", "c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision"],
        source "Paxos Made Moderately Complex §3, A3";
    /// A node that has lost its disk takes it for a new one, and votes at once.
    RejoinAtOnce = "rejoin-at-once",
        breaks ["lost-acceptors-wait", "c1-one-commander", "a4-one-proposal-a-ballot",
            "c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision", "cs3-decided-is-chosen",
            "linearizability"],
        source "Paxos Made Live §5.1: a replica with a corrupt disk is no voting member at first";
    /// Ballots are rounds alone, and two leaders may use the same.
    BallotCollision = "ballot-collision",
        breaks ["c1-one-commander", "a4-one-proposal-a-ballot", "c2-proposals-follow-chosen", "a5-chosen-stays",
            "r1-one-decision", "cs3-decided-is-chosen", "panic"],
        source "Paxos Made Moderately Complex §3, C1";
    /// A candidate counts promises of its older ballots for its present one.
    PromiseMix = "promise-mix",
        breaks ["c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision"],
        source "Paxos Made Moderately Complex §3.2";
    /// Phase 1 is content with so few acceptors that a phase 2 quorum may have none of them.
    DisjointQuorums = "disjoint-quorums",
        breaks ["c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision"],
        source "Flexible Paxos (2016): every phase 1 quorum meets every phase 2 quorum";
    /// A new leader takes a proposal as chosen that a quorum reports for a slot, under whichever ballots.
    LearnerByValue = "learner-by-value",
        breaks ["cs3-decided-is-chosen", "r1-one-decision"],
        source "Paxos Made Simple §2.3: chosen is a proposal, number and value, that a majority has accepted";
    /// A new leader begins after what was reported, and leaves the slots before it that nobody reported alone.
    NoGapFill = "no-gap-fill",
        breaks ["clients-are-served", "r2-no-holes"],
        source "Paxos Made Simple §3: no-ops fill the gaps";
    /// A new leader fills with no-ops what it has not accepted itself, though others reported it.
    NoopOverAccepted = "noop-over-accepted",
        breaks ["c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision"],
        source "Paxos Made Simple §3; Paxos Made Moderately Complex §3, C2";
    /// A new leader asks only about slots after the last that it has accepted itself.
    PhaseOnePartialRange = "phase1-partial-range",
        breaks ["c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision"],
        source "Paxos Made Simple §3: phase 1 for all slots that are not known to be chosen";
    /// A change of the acceptors is in force at once, and not a window later.
    ReconfigNoWindow = "reconfig-no-window",
        breaks ["lost-acceptors-wait", "c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision", "cs3-decided-is-chosen"],
        source "Paxos Made Moderately Complex §3.1, WINDOW";
    /// An acceptor says that it has accepted nothing for slots that it knows to be decided.
    AnswerEmpty = "gc-then-answer-empty",
        breaks ["a3-keeps-pvalues", "c2-proposals-follow-chosen", "a5-chosen-stays", "r1-one-decision"],
        source "Paxos Made Moderately Complex §4.3: acceptors that forget must say how far";
    /// The holder of a lease counts on all of it, whatever the clocks do, and longer by the drift.
    LeaseNoDrift = "master-lease-no-drift",
        breaks ["linearizability"],
        source "Paxos Made Live §5.2";
    /// An acceptor that restarts has forgotten that it granted a lease.
    LeaseReleasedEarly = "lease-released-early",
        breaks ["linearizability"],
        source "Paxos Made Live §5.2";
    /// A leader answers reads without making sure that it still leads.
    StaleRead = "stale-read",
        breaks ["linearizability"],
        source "Paxos Made Live §5.2";
}
