//! Raft: what its mutants break, seen by invariants and by their twins.

use super::super::world;
use super::harassment::harass;
use super::{Difference, Expected, compare, members, scripts};
use crate::raft::{Config, Mutant, invariants};

/// What only the invariants of Raft see.
const HISTORY: &[Difference] = &[
    (
        "committed-is-durable",
        "on how many disks an entry was when it was committed; the twin compares a node with its disk",
    ),
    ("bounds", "that something fell which should only rise"),
    (
        "log-inv",
        "what was committed by a node that is down, or is compacted away: the twin compares running pairs",
    ),
    ("message-terms", "what was sent before the disk knew: the twin sees no messages"),
];

/// What their twins see before them.
const STATE: &[Difference] = &[("vote-once", "a vote that is forgotten, before it is given to another")];

const EXPECTED: Expected = Expected {
    history_only: HISTORY,
    state_first: STATE,
    both: &["quorum-log-inv", "session-exactly-once", "state-machine-safety"],
};

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 16, &EXPECTED, |run, found| {
        let count = if run.round % 3 == 0 { 3 } else { 5 };
        let config = Config {
            append_entries_max: if run.round < 8 { 1 } else { 64 },
            snapshot_every: 20,
            snapshot_trail: 5,
            mutant: run.mutant,
            ..Config::new(members(count))
        };
        let mut world = world(run.seed, count, config, scripts(), found.pair(invariants::all()));
        harass(&mut world, run.seed)
    });
}
