//! Chain replication: what its mutants break, seen by invariants and by their twins.

use sim_core::disk::DiskFault;
use sim_core::fault::Command as Fault;
use sim_core::random::Stream;
use sim_core::{Span, World};

use super::super::faults::{isolate_from_nodes, random_fault, random_link_fault, random_node};
use super::super::world;
use super::harassment::{down, drift_within, trouble_by};
use super::{Difference, Expected, compare, members, scripts};
use crate::chain::{ChainReplication, Config, MASTER, Mutant, Reads, invariants};

/// What only the invariants see.
const HISTORY: &[Difference] = &[(
    "one-chain-an-epoch",
    "a server that goes back to an older chain, where no other is in that epoch with another",
)];

/// What their twins see before them.
const STATE: &[Difference] = &[
    ("answers-are-fenced", "a server that could answer a query, before anybody asks"),
    (
        "one-chain-an-epoch",
        "a server in a chain that is not on the master's disk, before another one takes its place",
    ),
    ("one-order", "a tail that takes something else for acknowledged, before it commits"),
];

const EXPECTED: Expected = Expected {
    history_only: HISTORY,
    state_first: STATE,
    both: &[
        "update-propagation",
        "inprocess-requests",
        "one-order",
        "committed-survives",
        "one-chain-an-epoch",
        "answers-are-fenced",
        "same-state",
    ],
};

const DRIFT_MAX: u32 = 300_000;

/// One node after the other fails, as long as all others run; clocks drift, links do what they may, and the master's disk
/// is stalled.
fn draw(world: &World<ChainReplication>, stream: &mut Stream) -> Fault {
    let node = random_node(world, stream, Some(MASTER));
    match stream.below(7) {
        0 => Fault::Clock { node, fault: drift_within(DRIFT_MAX, stream) },
        1 => isolate_from_nodes(world, node),
        2 => Fault::Disk { node: MASTER, fault: DiskFault::Stall },
        3..=5 if down(world).is_empty() => random_fault(world, stream, Some(MASTER)),
        _ => random_link_fault(stream),
    }
}

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 16, &EXPECTED, |run, found| {
        let config = Config {
            reads: if run.round % 2 == 0 { Reads::Tail } else { Reads::Apportioned },
            history_kept: if run.round % 3 == 0 { 1_000 } else { 5 },
            heartbeat: Span::millis(15),
            lease: Span::millis(80),
            drift_max: DRIFT_MAX,
            resend: Span::millis(10),
            mutant: run.mutant,
            ..Config::new(members(5))
        };
        let mut world = world(run.seed, 5, config, scripts(), found.pair(invariants::all()));
        trouble_by(&mut world, run.seed, 40, draw)
    });
}
