//! Multi-Paxos: what its mutants break, seen by invariants and by their twins.

use super::super::world;
use super::harassment::harass;
use super::{Difference, Expected, compare, members, scripts};
use crate::paxos::{Config, Mutant, invariants};

/// What only the invariants of Multi-Paxos see.
const HISTORY: &[Difference] = &[
    ("a1-ballots-rise", "what was accepted below a promise that still stands"),
    ("a2-accepts-its-ballot", "what was accepted below a promise that still stands"),
    ("a3-keeps-pvalues", "slots other than the next one, at which alone the twin looks"),
    ("a5-chosen-stays", "slots other than the last one of a node, at which alone the twin looks"),
    ("cs3-decided-is-chosen", "slots other than the last one of a node, at which alone the twin looks"),
    ("c2-proposals-follow-chosen", "proposals for slots that no node has decided last"),
];

/// What their twins see before them.
const STATE: &[Difference] = &[
    ("a1-ballots-rise", "a promise that is forgotten, before a lower one is given"),
    ("a3-keeps-pvalues", "a pvalue that is forgotten, before somebody asks for it"),
];

const EXPECTED: Expected = Expected {
    history_only: HISTORY,
    state_first: STATE,
    both: &["r1-one-decision", "r3-same-sequence", "cs3-decided-is-chosen"],
};

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 40, &EXPECTED, |run, found| {
        let config =
            Config { window: 16, snapshot_every: Some(30), mutant: run.mutant, ..Config::new(members(3)) };
        let invariants = found.pair(invariants::all(&config));
        let mut world = world(run.seed, 3, config, scripts(), invariants);
        harass(&mut world, run.seed)
    });
}
