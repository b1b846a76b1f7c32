//! The Synod: what its mutants break, seen by invariants and by their twins.

use sim_core::Span;
use sim_core::service::{Operation, kv};

use super::super::{Script, world};
use super::harassment::harass;
use super::{Difference, Expected, compare, members};
use crate::synod::{Config, Mutant, REGISTER, invariants};

/// What only the invariants of the Synod see.
const HISTORY: &[Difference] = &[
    ("one-proposal-a-ballot", "a second proposal that no acceptor holds, or holds no more"),
    ("one-value", "a value that was chosen, and that no learner who runs has learned"),
    ("promise-kept", "what was accepted below a promise that still stands"),
];

/// What their twins see before them.
const STATE: &[Difference] = &[
    (
        "one-value",
        "learners that differ, although no second value was chosen: one of them has learned what was not",
    ),
    ("promise-kept", "a promise that is forgotten, before it is broken"),
];

const EXPECTED: Expected =
    Expected { history_only: HISTORY, state_first: STATE, both: &["learned-is-chosen", "p2c", "one-value"] };

/// Clients that all want another value of the one register, and read before and after.
fn rivals() -> Vec<Script> {
    let ask = |wait, operation| (Span::millis(wait), Operation::Kv(operation));
    let read = |wait| ask(wait, kv::Operation::Read(REGISTER));
    let write = |wait, value| ask(wait, kv::Operation::Write(REGISTER, value));
    (1..=4)
        .map(|client| Script(vec![read(0), write(client % 3, client), read(5), write(0, 100 + client)]))
        .collect()
}

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 40, &EXPECTED, |run, found| {
        let config = Config {
            ballot_timeout: Span::millis(5),
            backoff: Span::ZERO..=Span::millis(5),
            mutant: run.mutant,
            ..Config::new(members(3))
        };
        let invariants = found.pair(invariants::all(&config));
        // Nobody leads.
        let seed = 2 * run.seed;
        let mut world = world(seed, 3, config, rivals(), invariants);
        harass(&mut world, seed)
    });
}
