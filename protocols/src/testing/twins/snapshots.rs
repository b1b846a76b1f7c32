//! Snapshots: what its mutants break, seen by invariants and by their twins.

use sim_core::Span;

use super::super::world;
use super::harassment::trouble;
use super::{Difference, Expected, compare};
use crate::snapshots::{Config, Mutant, invariants};

/// What only the invariants of snapshots see.
const HISTORY: &[Difference] = &[
    (
        "reachable",
        "that a process has recorded its state twice for one snapshot: the twin is content with either",
    ),
    ("channel-states", "the same: the twin believes the states of a snapshot where they were"),
];

/// What their twins see before them.
const STATE: &[Difference] = &[(
    "consistent-cut",
    "states that do not fit, before the snapshot is finished or without that it ever is",
)];

const EXPECTED: Expected = Expected {
    history_only: HISTORY,
    state_first: STATE,
    both: &["channel-states", "channels-in-order", "consistent-cut", "recorded-money"],
};

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 1, &EXPECTED, |run, found| {
        let config = Config {
            initiators: 2,
            snapshot_every: Span::millis(20)..=Span::millis(60),
            pay_every: Span::millis(10)..=Span::millis(30),
            mutant: run.mutant,
            ..Config::new(3)
        };
        let invariants = found.pair(invariants::all(&config));
        let mut world = world(run.seed, 3, config, Vec::new(), invariants);
        trouble(&mut world, run.seed, 8)
    });
}
