//! The lock: what its mutants break, seen by invariants and by their twins.

use sim_core::clock::ClockFault;
use sim_core::fault::Command as Fault;
use sim_core::random::Stream;
use sim_core::{NodeId, Span, World};

use super::super::faults::{random_fault, random_node};
use super::super::world;
use super::harassment::{drift_within, trouble_by};
use super::{Difference, Expected, compare};
use crate::lock::{Config, Lock, Mutant, SERVER, invariants};

/// What only the invariants see.
const HISTORY: &[Difference] = &[
    ("fenced-writes", "a write that another one has replaced: the resource has the last one alone"),
    ("single-holder", "a lock that is given before that is on the server's disk"),
    ("tokens-rise", "a token that was given before, to a worker that has forgotten it"),
];

/// What their twins see before them.
const STATE: &[Difference] = &[
    ("fenced-writes", "a resource that has forgotten the highest token, before a lower one comes"),
    (
        "no-write-after-expiry",
        "a write after the lease by the worker's clock while the server still keeps it, or after a restart that forgot it",
    ),
    ("tokens-rise", "a server that has forgotten its last token, before it gives the next"),
];

const EXPECTED: Expected = Expected {
    history_only: HISTORY,
    state_first: STATE,
    both: &["single-holder", "tokens-rise", "no-write-after-expiry", "fenced-writes"],
};

const DRIFT_MAX: u32 = 300_000;

/// Leases are short, so that what is late, stands still or drifts is so for longer.
fn config(mutant: Option<Mutant>) -> Config {
    Config {
        ttl: Span::millis(60),
        drift_max: DRIFT_MAX,
        grace: Span::millis(60),
        retry: Span::millis(2)..=Span::millis(6),
        work: Span::millis(2)..=Span::millis(20),
        writes: 100,
        rest: Span::millis(1)..=Span::millis(5),
        mutant,
        ..Config::new(5)
    }
}

/// Anything that the lock must survive: also clocks that jump or drift, and a node that stands still until the next fault.
fn draw(world: &World<Lock>, stream: &mut Stream, standing: &mut Option<NodeId>) -> Fault {
    if let Some(node) = standing.take() {
        return Fault::Resume(node);
    }
    let node = random_node(world, stream, None);
    match stream.below(6) {
        0 => {
            let forth = i64::try_from(stream.below(400_000_000)).expect("small");
            Fault::Clock { node, fault: ClockFault::Step(forth - 200_000_000) }
        }
        1 => Fault::Clock { node, fault: drift_within(DRIFT_MAX, stream) },
        2 => {
            *standing = Some(node);
            Fault::Pause(node)
        }
        _ => random_fault(world, stream, Some(SERVER)),
    }
}

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 32, &EXPECTED, |run, found| {
        let config = config(run.mutant);
        let invariants = found.pair(invariants::all(&config));
        let mut world = world(run.seed, 5, config, Vec::new(), invariants);
        let mut standing = None;
        trouble_by(&mut world, run.seed, 40, |world, stream| draw(world, stream, &mut standing))
    });
}
