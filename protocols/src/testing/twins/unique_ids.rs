//! Unique ids: what their mutants break, seen by invariants and by their twins.

use sim_core::Span;
use sim_core::clock::ClockFault;
use sim_core::fault::Command as Fault;
use sim_core::service::Operation;

use super::super::faults::{random_fault, random_node};
use super::super::{Script, world};
use super::harassment::trouble_by;
use super::{Difference, Expected, compare};
use crate::unique_ids::tests::KINDS;
use crate::unique_ids::{Config, Mutant, invariants};

/// What only the invariants see.
const HISTORY: &[Difference] = &[
    ("rises-at-node", "a clock that was set back since the event before"),
    (
        "unique",
        "an id that could not have been given at the event before: the clock showed another time, or its block was not reserved",
    ),
];

/// What their twins see before them.
const STATE: &[Difference] = &[
    ("causal-order", "what a node would give next, before anybody asks for it"),
    ("rises-at-node", "the same"),
    ("unique", "the same"),
];

const EXPECTED: Expected = Expected {
    history_only: HISTORY,
    state_first: STATE,
    both: &["unique", "rises-at-node", "causal-order"],
};

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 16, &EXPECTED, |run, found| {
        let kind = KINDS[usize::try_from(run.round % 4).expect("small")];
        let config = Config { kind, mutant: run.mutant, ..Config::new(3) };
        let scripts = vec![Script(vec![(Span::millis(1), Operation::UniqueId); 1_000]); 4];
        let invariants = found.pair(invariants::all(&config));
        let mut world = world(run.seed, 3, config, scripts, invariants);
        trouble_by(&mut world, run.seed, 20, |world, stream| {
            if stream.below(3) > 0 {
                return random_fault(world, stream, None);
            }
            let step = i64::try_from(stream.below(60_000_000)).expect("small") - 30_000_000;
            Fault::Clock { node: random_node(world, stream, None), fault: ClockFault::Step(step) }
        })
    });
}
