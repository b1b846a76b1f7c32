//! The Synod gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// An acceptor that accepts a ballot does not promise it: only phase 1 raises what it has promised.
    AcceptNoBump = "accept-no-bump",
        breaks ["promise-kept", "one-value", "p2c"],
        source "Paxos Made Simple §2.2, as Brooker (2021) shows it may be read";
    /// An acceptor accepts whatever is not below what it has accepted, promises or not.
    AcceptIgnoresPromise = "accept-ignores-promise",
        breaks ["promise-kept", "one-value", "p2c"],
        source "Paxos Made Simple §2.2, P1a";
    /// A proposer proposes its own value whatever the promises report.
    OwnValue = "own-value",
        breaks ["p2c", "one-value"],
        source "Paxos Made Simple §2.2, P2c";
    /// A proposer adopts the reported value with the lowest ballot.
    LowestBallotValue = "lowest-ballot-value",
        breaks ["p2c", "one-value"],
        source "Paxos Made Simple §2.2, P2c";
    /// A proposer adopts the value of the first promise that reports any.
    FirstReplyValue = "first-reply-value",
        breaks ["p2c", "one-value"],
        source "Paxos Made Simple §2.2, P2c";
    /// What an acceptor has promised is not on disk.
    AmnesiaPromise = "amnesia-promise",
        breaks ["promise-kept", "one-value", "p2c"],
        source "Paxos Made Simple §2.5: an acceptor must remember its response";
    /// What an acceptor has accepted is not on disk.
    AmnesiaAccept = "amnesia-accept",
        breaks ["p2c", "one-value"],
        source "Paxos Made Simple §2.5: an acceptor must remember its response";
    /// Ballots are rounds alone, and two proposers may use the same.
    BallotCollision = "ballot-collision",
        breaks ["one-proposal-a-ballot", "p2c", "one-value", "learned-is-chosen"],
        source "Paxos Made Simple §2.5: different proposers choose their numbers from disjoint sets";
    /// A proposer tries again with the ballot it has used before, and a restart forgets which those were.
    BallotReuse = "ballot-reuse-on-retry",
        breaks ["one-proposal-a-ballot", "p2c", "one-value"],
        source "Paxos Made Simple §2.5: a proposer remembers the highest number it has tried to use";
    /// A proposer counts promises of its older ballots for its present one.
    PromiseMix = "promise-mix",
        breaks ["p2c", "one-value"],
        source "Paxos Made Simple §2.2, phase 2";
    /// Phase 1 is content with so few acceptors that a phase 2 quorum may have none of them.
    DisjointQuorums = "disjoint-quorums",
        breaks ["p2c", "one-value"],
        source "Flexible Paxos (2016): every phase 1 quorum meets every phase 2 quorum";
    /// A learner counts acceptors that have accepted a value, under whichever ballots.
    LearnerByValue = "learner-by-value",
        breaks ["learned-is-chosen", "one-value"],
        source "Paxos Made Simple §2.3: chosen is a proposal, number and value, that a majority has accepted";
}
