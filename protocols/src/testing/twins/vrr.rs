//! Viewstamped Replication: what its mutants break, seen by invariants and by their twins.

use super::super::world;
use super::harassment::harass;
use super::{Difference, Expected, compare, members, scripts};
use crate::vrr::{Config, Mutant, invariants};

/// What the twins of invariants of Viewstamped Replication see before them.
const STATE: &[Difference] =
    &[("executed-once", "a client's session that is missing, before its request is executed again")];

const EXPECTED: Expected =
    Expected { history_only: &[], state_first: STATE, both: &["bounds", "commit-quorum"] };

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 24, &EXPECTED, |run, found| {
        let config = Config { checkpoint_interval: 20, mutant: run.mutant, ..Config::new(members(3)) };
        let mut world = world(run.seed, 3, config, scripts(), found.pair(invariants::all()));
        harass(&mut world, run.seed)
    });
}
