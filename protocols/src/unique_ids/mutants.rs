//! Unique ids gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// The bound is not read after a restart: a node begins anew.
    BoundForgotten = "bound-forgotten",
        breaks ["unique", "unique-ids", "rises-at-node"],
        source "hi/lo: hi is durable";
    /// Positions above the bound are used while the next one is on its way to disk.
    UsedBeforeReserved = "used-before-reserved",
        breaks ["unique", "unique-ids", "rises-at-node"],
        source "hi/lo: a block is reserved before it is used";
    /// After a restart a node goes on where its last block began, and not where it ended.
    BlockUsedAgain = "block-used-again",
        breaks ["unique", "unique-ids", "rises-at-node"],
        source "hi/lo: the rest of a block is lost in a crash";
    /// Ids do not say which node gave them.
    NodeLeftOut = "node-left-out",
        breaks ["unique", "unique-ids"],
        source "Snowflake: the worker number";
    /// A node goes on when its wall clock goes back.
    ClockBackIgnored = "clock-back-ignored",
        breaks ["unique", "unique-ids", "rises-at-node"],
        source "Snowflake's README: it refuses to generate ids until the clock is where it was";
    /// A node takes no notice of the times of others.
    RemoteIgnored = "remote-ignored",
        breaks ["causal-order"],
        source "Kulkarni et al. figure 5: l := max(l', l.m, pt)";
}
