//! Plumtree and HyParView gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// A node that hears of a value waits for it without end.
    NoGraftTimer = "no-graft-timer",
        breaks ["no-permanent-miss", "all-agree"],
        source "Plumtree algorithm 2: an IHAVE sets up the timer of its message";
    /// A node asks one of those that have announced a value, and nobody else if that fails.
    GraftsOnce = "grafts-once",
        breaks ["no-permanent-miss", "all-agree"],
        source "Plumtree §3.3.2: a second, shorter timer after the first GRAFT";
    /// A duplicate prunes both links: the one by which it came, and the one by which the value came first.
    PruneBoth = "prune-both",
        breaks ["eager-by-rule"],
        source "Plumtree algorithm 2: only the sender of a duplicate is pruned";
    /// A node that is told to prune a link pushes on.
    PruneIgnored = "prune-ignored",
        breaks ["eager-by-rule"],
        source "Plumtree algorithm 2: PRUNE moves its sender to the lazy peers";
    /// A node that is asked for a value takes the link into the tree and sends nothing.
    GraftSendsNothing = "graft-sends-nothing",
        breaks ["grafts-answered", "all-agree"],
        source "Plumtree algorithm 2: GRAFT is answered with the payload";
    /// A value that arrives leaves its timer running, and is asked for later.
    TimerNotCancelled = "timer-not-cancelled",
        breaks ["no-permanent-miss"],
        source "Plumtree algorithm 1: a GOSSIP cancels the timer of its message";
    /// Who is no neighbour any more is still asked for what it has announced.
    DownNotCleaned = "down-not-cleaned",
        breaks ["no-permanent-miss"],
        source "Plumtree algorithm 4: NeighborDown removes the announcements of the peer";
    /// A duplicate is delivered, too.
    DeliversTwice = "delivers-twice",
        breaks ["delivered-once"],
        source "Plumtree algorithm 1: only what was not received before is delivered";
    /// A value is passed on without counting the hop.
    HopNotCounted = "hop-not-counted",
        breaks ["hops-counted"],
        source "Plumtree algorithm 1: EagerPush with round + 1";
    /// A link is taken into the tree for being shorter when it is longer.
    OptimisesBackwards = "optimises-backwards",
        breaks ["eager-by-rule"],
        source "Plumtree algorithm 3: the announcement must have come by fewer hops, by the threshold";
    /// A node says that it is a neighbour and does not take the other for one.
    AsymmetricViews = "asymmetric-views",
        breaks ["requests-by-priority", "all-agree"],
        source "HyParView §4.1: active views are symmetric";
    /// A node without room accepts who has only low priority, and drops a neighbour for it.
    LowPriorityDisplaces = "low-priority-displaces",
        breaks ["requests-by-priority"],
        source "HyParView §4.3: a low priority request is accepted only if there is a free slot";
    /// A node without room refuses who has no neighbour at all.
    HighPriorityRefused = "high-priority-refused",
        breaks ["requests-by-priority"],
        source "HyParView §4.3: a high priority request is always accepted";
    /// The walk of a newcomer does not count its hops.
    WalkWithoutEnd = "walk-without-end",
        breaks ["walks-end"],
        source "HyParView algorithm 1: FORWARDJOIN with a time to live one less";
    /// A node notes itself when it is told of itself.
    KnowsItself = "knows-itself",
        breaks ["views-in-bounds"],
        source "HyParView algorithm 1: a node adds others than itself";
    /// A passive view grows beyond its bound.
    PassiveUnbounded = "passive-unbounded",
        breaks ["views-in-bounds"],
        source "HyParView algorithm 1: a full passive view drops one for another";
    /// A node forgets those of whom it tells in a shuffle.
    ShuffleLoses = "shuffle-loses",
        breaks ["passive-by-rule"],
        source "HyParView §4.4: only what comes in pushes out what was sent";
    /// Silence is never a failure.
    SilenceIgnored = "silence-ignored",
        breaks ["failures-noticed", "all-agree"],
        source "HyParView §4.3: a failed neighbour is removed and replaced";
    /// A neighbour that has failed is not replaced.
    NeverReplaces = "never-replaces",
        breaks ["places-sought"],
        source "HyParView §4.3: a node of the passive view takes the place of one that failed";
    /// Nobody tries to reach those who were lost.
    NeverReconnects = "never-reconnects",
        breaks ["all-agree"],
        source "the reconnecting of Serf, which joins two halves again";
    /// A new link begins with what comes next: what was broadcast before is not announced.
    LinkBeginsLate = "link-begins-late",
        breaks ["all-agree"],
        source "what stands in for TCP here: of a new neighbour nothing is confirmed";
}
