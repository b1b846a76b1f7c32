//! Unique ids in whole worlds, all invariants on.

use sim_core::check::Answer;
use sim_core::check::history::{DEFAULT_BUDGET, for_service};
use sim_core::clock::ClockFault;
use sim_core::fault::Command as Fault;
use sim_core::random::{KeySource, Purpose};
use sim_core::service::{Operation, Outcome, Service};
use sim_core::{NodeId, Span, World};

use super::*;
use crate::testing::clients::outcomes;
use crate::testing::faults::random_fault;
use crate::testing::{self, Script};

const BLOCK: Span = Span::millis(10);
pub(crate) const KINDS: [Kind; 4] = [
    Kind::Counter { block: 8 },
    Kind::Snowflake { regress: Regress::Refuse, block: BLOCK },
    Kind::Snowflake { regress: Regress::Wait, block: BLOCK },
    Kind::Hybrid { epsilon: Span::millis(5), block: BLOCK, beat: Span::millis(2) },
];

fn asking(steps: usize) -> Script {
    Script(vec![(Span::millis(1), Operation::UniqueId); steps])
}

fn world(seed: u64, node_count: u32, kind: Kind, clients: usize, steps: usize) -> World<UniqueIds> {
    let config = Config { kind, ..Config::new(node_count) };
    let scripts = vec![asking(steps); clients];
    testing::world(seed, node_count, config.clone(), scripts, invariants::all(&config))
}

fn assert_unique(world: &World<UniqueIds>, what: &str) {
    for checker in for_service(Service::UniqueIds) {
        assert_eq!(checker.check(world.history(), DEFAULT_BUDGET), Answer::Pass, "{what}");
    }
}

#[test]
fn each_kind_serves_all_and_gives_nothing_twice() {
    for kind in KINDS {
        let mut world = world(1, 3, kind, 4, 200);
        testing::run(&mut world, Span::secs(3));
        assert_eq!(world.history().open_count(), 0, "{kind:?}");
        let ids = outcomes(&world).into_iter().filter(|outcome| matches!(outcome, Outcome::Value(Some(_))));
        assert_eq!(ids.count(), 800, "{kind:?}");
        assert_unique(&world, &format!("{kind:?}"));
    }
}

#[test]
fn a_node_that_is_alone_gives_ids() {
    for kind in KINDS {
        let mut world = world(2, 1, kind, 2, 100);
        testing::run(&mut world, Span::secs(2));
        assert_eq!(world.history().open_count(), 0, "{kind:?}");
    }
}

#[test]
fn under_crashes_and_clocks_that_jump_nothing_is_given_twice() {
    let mut asked = 0;
    for seed in 0..40 {
        let kind = KINDS[usize::try_from(seed % 4).expect("small")];
        let mut world = world(seed, 3, kind, 4, 100_000);
        let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
        for _ in 0..40 {
            let node = NodeId::new(u32::try_from(stream.below(3)).expect("small"));
            let fault = match stream.below(3) {
                0 => {
                    let nanos = i64::try_from(stream.below(60_000_000)).expect("small") - 30_000_000;
                    Fault::Clock { node, fault: ClockFault::Step(nanos) }
                }
                _ => random_fault(&world, &mut stream, None),
            };
            world.apply(fault);
            testing::run(&mut world, stream.span(Span::ZERO, Span::millis(60)));
        }
        assert_unique(&world, &format!("seed {seed}"));
        asked += world.history().operations().len();
    }
    assert!(asked > 500, "only {asked} were asked for");
}

#[test]
fn a_snowflake_node_goes_on_after_a_crash_when_its_clock_is_at_its_bound() {
    let kind = Kind::Snowflake { regress: Regress::Wait, block: Span::millis(50) };
    let mut world = world(3, 1, kind, 1, 100_000);
    testing::run(&mut world, Span::millis(500));
    world.apply(Fault::Crash(NodeId::new(0)));
    world.apply(Fault::Restart(NodeId::new(0)));
    let before = outcomes(&world).len();
    // The client asks again after its timeout.
    testing::run(&mut world, Span::millis(330));
    assert!(outcomes(&world).len() > before + 5);
}
