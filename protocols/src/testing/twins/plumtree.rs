//! Plumtree and HyParView: what their mutants break, seen by invariants and by their twins.

use sim_core::Span;
use sim_core::service::{Operation, broadcast};

use super::super::faults::random_fault;
use super::super::{Script, world};
use super::harassment::trouble_by;
use super::{Difference, Expected, compare};
use crate::detector::Rule;
use crate::plumtree::{Config, Mutant, invariants};

/// What only the invariants see.
const HISTORY: &[Difference] = &[
    ("delivered-once", "a value that is delivered again: its node has it once"),
    ("eager-by-rule", "a way that is taken though it is no shorter: the links are then as if it were"),
    ("grafts-answered", "what is sent: no state shows it"),
    ("no-permanent-miss", "when a value should have been asked for: no state shows it"),
    ("passive-by-rule", "one who is struck for no reason: a view shows who is left"),
    ("requests-by-priority", "what is answered to whom: a view shows who is a neighbour"),
    ("walks-end", "how many hops a walk has left: no state shows it"),
];

/// What their twins see before them.
const STATE: &[Difference] = &[
    ("eager-by-rule", "links that are wrong, before the next keep-alives"),
    (
        "failures-noticed",
        "a node that does not look whether another is silent, before that is so for too long",
    ),
    ("no-permanent-miss", "a wait for one who is no neighbour, before it is asked"),
];

const EXPECTED: Expected = Expected {
    history_only: HISTORY,
    state_first: STATE,
    both: &[
        "eager-by-rule",
        "failures-noticed",
        "hops-counted",
        "no-permanent-miss",
        "places-sought",
        "views-in-bounds",
    ],
};

const NODES: u32 = 8;

/// A tenth of the usual times, and views that are soon full.
fn config(mutant: Option<Mutant>) -> Config {
    Config {
        active_view: 3,
        passive_view: 3,
        keep_alive: Span::millis(50),
        detector: Rule::Timeout(Span::millis(200)),
        connect_timeout: Span::millis(50),
        shuffle_interval: Span::millis(200),
        shuffle_passive: 2,
        reconnect_interval: Some(Span::millis(500)),
        graft_timeout: Span::millis(20),
        graft_retry: Span::millis(10),
        optimisation: Some(1),
        mutant,
        ..Config::new(NODES)
    }
}

/// Clients that broadcast a value each 20 ms.
fn broadcasts() -> Vec<Script> {
    let send = |value| (Span::millis(20), Operation::Broadcast(broadcast::Operation::Send(value)));
    (1..=2).map(|client| Script((0..40).map(|value| send(1_000 * client + value)).collect())).collect()
}

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 3, &EXPECTED, |run, found| {
        let config = config(run.mutant);
        let mut world = world(run.seed, NODES, config, broadcasts(), found.pair(invariants::all(&config)));
        trouble_by(&mut world, run.seed, 16, |world, stream| random_fault(world, stream, None))
    });
}
