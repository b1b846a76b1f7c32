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
const HISTORY: &[Difference] = &[];

/// What their twins see before them.
const STATE: &[Difference] = &[];

const EXPECTED: Expected = Expected { history_only: HISTORY, state_first: STATE, both: &[] };

const NODES: u32 = 12;

/// A tenth of the usual times, and views that are soon full.
fn config(mutant: Option<Mutant>) -> Config {
    Config {
        active_view: 3,
        passive_view: 5,
        keep_alive: Span::millis(50),
        detector: Rule::Timeout(Span::millis(200)),
        connect_timeout: Span::millis(50),
        shuffle_interval: Span::millis(200),
        shuffle_passive: 3,
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
    (1..=2).map(|client| Script((0..200).map(|value| send(1_000 * client + value)).collect())).collect()
}

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 6, &EXPECTED, |run, found| {
        let config = config(run.mutant);
        let mut world = world(run.seed, NODES, config, broadcasts(), found.pair(invariants::all(&config)));
        trouble_by(&mut world, run.seed, 20, |world, stream| random_fault(world, stream, None));
    });
}
