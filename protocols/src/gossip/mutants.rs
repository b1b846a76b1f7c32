//! Gossip gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// A useful contact does not reset the counter of a rumor.
    CounterNotReset = "counter-not-reset",
        breaks ["interest-by-rule"],
        source "Demers et al. §1.4, table 1: its numbers come out only with a counter of unnecessary contacts in a row";
    /// A site loses interest after one cycle more than k.
    CounterLate = "counter-late",
        breaks ["interest-by-rule"],
        source "Demers et al. §1.4, counter: after k unnecessary contacts";
    /// A removed rumor that is heard again becomes hot again.
    HotAgain = "hot-again",
        breaks ["removed-stays-removed"],
        source "Demers et al. §1.4: susceptible, infective, removed";
    /// A site that loses interest in a rumor forgets it.
    ForgetsRemoved = "forgets-removed",
        breaks ["removed-stays-removed", "broadcast-stability"],
        source "Demers et al. §1.4: a removed site has the update and does not spread it";
    /// A site that shares rumors shares those that it has lost interest in, too.
    SharesRemoved = "shares-removed",
        breaks ["removed-stays-removed"],
        source "Demers et al. §1.4: only hot rumors are shared";
    /// A site takes one call more in a cycle than it may.
    LimitIgnored = "limit-ignored",
        breaks ["calls-in-bounds"],
        source "Demers et al. §1.4, connection limit";
    /// A site that was refused goes on calling until somebody takes the call.
    HuntsOn = "hunts-on",
        breaks ["calls-in-bounds"],
        source "Demers et al. §1.4, hunting: the hunt limit";
    /// A site calls whom it has heard a rumor from last, and nobody else.
    CallsBack = "calls-back",
        breaks ["partners-uniform", "broadcast-stability"],
        source "Demers et al. §1.3: another site, chosen at random; a draw that leans towards those who know infects fewer";
    /// A site that hears of a rumor files its age under its value.
    AgeForValue = "age-for-value",
        breaks ["only-broadcast", "broadcast-integrity", "broadcast-stability"],
        source "the meaning of the service `broadcast`: nothing comes out that did not go in";
}
