//! Two-phase commit: what its mutants break, seen by invariants and by their twins.

use sim_core::Span;
use sim_core::random::{KeySource, Purpose};
use sim_core::service::{Operation, transfer};

use super::super::{Script, world};
use super::harassment::trouble;
use super::{Difference, Expected, compare};
use crate::two_phase_commit::{Config, Mutant, invariants};

/// What only the invariants of two-phase commit see.
const HISTORY: &[Difference] = &[
    (
        "ac1-agreement",
        "what a coordinator has decided and tells no more, and what a node that is down has settled",
    ),
    (
        "ac2-no-reversal",
        "a decision that is on the disk of no node that runs, such as an abort that is presumed",
    ),
    (
        "ac3-commit-needs-all-votes",
        "a commit that no coordinator tells any more: the twin sees only those that are told",
    ),
    ("conservation", "who does something twice, or what nobody has begun: the twin sees sums"),
];

/// What their twins see before them.
const STATE: &[Difference] = &[(
    "conservation",
    "a transfer that one participant has done and another has aborted: the invariant waits until all have done it",
)];

const EXPECTED: Expected = Expected {
    history_only: HISTORY,
    state_first: STATE,
    both: &["ac1-agreement", "ac3-commit-needs-all-votes"],
};

/// A client that moves money between four accounts.
fn mover(client: u64, steps: u64) -> Script {
    let mut stream = KeySource::new(client).stream(Purpose::Workload, client, 0);
    let mut account = move || u32::try_from(stream.below(4)).expect("few accounts");
    let ask =
        |ordinal: u64| transfer::Operation::Move { from: account(), to: account(), amount: 5 * ordinal % 70 };
    Script((0..steps).map(ask).map(|asked| (Span::millis(5), Operation::Transfer(asked))).collect())
}

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 6, &EXPECTED, |run, found| {
        let config =
            Config { accounts: 4, inquire_after: Span::millis(30), mutant: run.mutant, ..Config::new(3) };
        let invariants = found.pair(invariants::all(&config));
        let scripts = vec![mover(1, 60), mover(2, 60)];
        let mut world = world(run.seed, 3, config, scripts, invariants);
        trouble(&mut world, run.seed, 30)
    });
}
