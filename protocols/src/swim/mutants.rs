//! SWIM gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// A member that hears that it is suspected says that it is alive, in the same incarnation.
    RefuteWithoutIncarnation = "refute-without-incarnation",
        breaks ["incarnation-by-owner", "accuracy", "all-agree"],
        source "SWIM §4.2: only a higher incarnation overrides a suspicion";
    /// Whoever gets an answer of a suspect refutes the suspicion in its name.
    ThirdPartyRefute = "third-party-refute",
        breaks ["incarnation-by-owner"],
        source "SWIM §4.2: an incarnation is raised by its member alone";
    /// A suspicion overrides only what is believed in a lower incarnation.
    SuspectNeedsHigher = "suspect-needs-higher",
        breaks ["override-rules", "bounded-completeness"],
        source "SWIM §4.2: Suspect{i} overrides Alive{j} for i >= j";
    /// To say that a member is alive overrides a suspicion in the same incarnation.
    AliveOverridesSame = "alive-overrides-same",
        breaks ["override-rules"],
        source "SWIM §4.2: Alive{i} overrides Suspect{j} for i > j";
    /// A suspicion that was refuted ends in a death all the same.
    SuspicionNotCancelled = "suspicion-not-cancelled",
        breaks ["confirmed-after-suspicion", "accuracy"],
        source "SWIM §4.2: a member that is alive in a higher incarnation is suspected no more";
    /// The member to probe is drawn anew in each period.
    RandomProbes = "random-probes",
        breaks ["bounded-completeness"],
        source "SWIM §4.3: round-robin probe target selection";
    /// An update is passed on once, however large the group.
    GossipedOnce = "gossiped-once",
        breaks ["dissemination", "all-agree"],
        source "SWIM §4.1: an update is piggybacked at most λ log n times";
    /// Of the updates that wait, the newest are passed on first, and not those that were sent least: while news keep coming, old ones stay.
    NewestFirst = "newest-first",
        breaks ["least-sent-first", "all-agree"],
        source "SWIM §4.1: elements that have been gossiped fewer times are preferred";
    /// A member that restarts begins again at incarnation 0.
    RejoinsAtZero = "rejoins-at-zero",
        breaks ["incarnation-by-owner", "all-agree"],
        source "SWIM §4.2: incarnation numbers only rise";
    /// When another member shares a suspicion, nothing ends it any more.
    SharedForEver = "shared-for-ever",
        breaks ["bounded-completeness"],
        source "Lifeguard §4.2: a suspicion that is shared ends sooner";
    /// A dead member is forgotten at once.
    ForgetsDead = "forgets-dead",
        breaks ["override-rules"],
        source "memberlist, `GossipToTheDeadTime`: dead nodes are kept, lest a peer that lags brings them back";
    /// A probe that was not answered is repeated, and nobody else is asked to ping.
    RequestOnSamePath = "request-on-same-path",
        breaks ["accuracy"],
        source "SWIM §3.1: ping-req goes around what is wrong between two members";
    /// That a helper hears nothing counts as an answer.
    NackAsAck = "nack-as-ack",
        breaks ["bounded-completeness"],
        source "Lifeguard §4.1: a nack says that the helper is well";
    /// A member thinks worse and worse of itself, with no bound, and its periods get as long.
    HealthUnbounded = "health-unbounded",
        breaks ["bounded-completeness"],
        source "Lifeguard §4.1: the local health multiplier saturates at S";
}
