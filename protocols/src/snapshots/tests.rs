//! Snapshots in whole worlds.

use sim_core::check::Answer;
use sim_core::check::HistoryChecker as _;
use sim_core::check::history::{DEFAULT_BUDGET, transfer};
use sim_core::fault::{Command, LinkFault};
use sim_core::random::{KeySource, Purpose};
use sim_core::service::transfer::Operation as Asked;
use sim_core::service::{Operation, Outcome};
use sim_core::{NodeId, Span, World};

use super::branch::Ended;
use super::*;
use crate::testing::faults::{percent, random_fault};
use crate::testing::{self, Script};

/// A client that moves money between accounts, and looks at all balances now and then.
fn script(client: u64, steps: u64) -> Script {
    let mut stream = KeySource::new(client).stream(Purpose::Workload, client, 0);
    let mut account = move || u32::try_from(stream.below(8)).expect("few accounts");
    let step = |ordinal: u64| match ordinal % 4 {
        0 => Asked::Balances,
        _ => Asked::Move { from: account(), to: account(), amount: 10 * ordinal % 70 },
    };
    Script((0..steps).map(step).map(|asked| (Span::millis(5), Operation::Transfer(asked))).collect())
}

fn world(seed: u64, config: Config, scripts: Vec<Script>) -> World<Snapshots> {
    let invariants = invariants::all(&config);
    testing::world(seed, config.node_count, config, scripts, invariants)
}

fn counted(world: &World<Snapshots>, name: &str) -> u64 {
    world.metrics().summary(world.now()).counters[name]
}

fn assert_balances_add_up(world: &World<Snapshots>) {
    let answer = transfer::Conservation.check(world.history(), DEFAULT_BUDGET);
    assert_eq!(answer, Answer::Pass);
}

#[test]
fn a_snapshot_takes_a_marker_on_each_channel() {
    for nodes in [2, 3, 5] {
        let mut world = world(1, Config { initiators: nodes, ..Config::new(nodes) }, Vec::new());
        testing::run(&mut world, Span::secs(5));
        let (begun, markers) = (counted(&world, "snapshots-begun"), counted(&world, "markers"));
        assert!(begun > 10 * u64::from(nodes), "{begun} snapshots of {nodes}");
        let under_way = u64::from(nodes) * u64::from(nodes - 1);
        let channels = u64::from(nodes * (nodes - 1));
        assert!((begun * channels - under_way * u64::from(nodes)..=begun * channels).contains(&markers));
        assert_eq!(counted(&world, "snapshots-abandoned"), 0);
    }
}

#[test]
fn clients_read_snapshots() {
    let mut world = world(7, Config::new(3), vec![script(1, 60), script(2, 60), script(3, 60)]);
    testing::run(&mut world, Span::secs(20));
    assert_eq!(world.history().open_count(), 0);
    assert_balances_add_up(&world);
    let operations = world.history().operations();
    let reads = operations.iter().filter(|one| matches!(one.outcome, Outcome::Values(_))).count();
    let moves = operations.iter().filter(|one| one.outcome == Outcome::Done).count();
    assert!(reads == 45 && moves > 60, "{reads} reads, {moves} transfers");
}

#[test]
fn anything_that_nodes_must_survive_breaks_no_rule() {
    for seed in 0..20 {
        let nodes = 2 + u32::try_from(seed % 3).expect("small");
        let config = Config { initiators: 2, patience: Span::millis(400), ..Config::new(nodes) };
        let mut world = world(seed, config, vec![script(1, 60), script(2, 60)]);
        let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
        for _ in 0..40 {
            let fault = random_fault(&world, &mut stream, Some(NodeId::new(0)));
            world.apply(fault);
            let pause = stream.span(Span::ZERO, Span::millis(120));
            testing::run(&mut world, pause);
        }
        world.apply(Command::Recover);
        testing::run(&mut world, Span::secs(3));
        assert_balances_add_up(&world);
        let last = world.process(NodeId::new(0)).expect("it runs").branch().last_ended();
        assert!(matches!(last, Some(Ended::Finished(_))), "seed {seed}: {last:?}");
    }
}

#[test]
fn what_comes_twice_or_out_of_order_is_taken_once_and_in_order() {
    let mut world = world(3, Config::new(4), vec![script(1, 40)]);
    world.apply(Command::AllLinks(LinkFault::Duplicate(Some(percent(100)))));
    let (probability, extra) = (Some(percent(50)), Span::millis(40));
    world.apply(Command::AllLinks(LinkFault::Reorder { probability, extra }));
    testing::run(&mut world, Span::secs(5));
    assert!(counted(&world, "repeated") > 0 && counted(&world, "snapshots-finished") > 5);
}

#[test]
fn without_order_a_snapshot_is_wrong() {
    let config = Config { channels: Channels::Unordered, ..Config::new(3) };
    let mut world = world(3, config, Vec::new());
    let (probability, extra) = (Some(percent(30)), Span::millis(20));
    world.apply(Command::AllLinks(LinkFault::Reorder { probability, extra }));
    world.run(world.now() + Span::secs(10), u64::MAX);
    let property = world.violations().first().map(|violation| violation.property.as_str());
    assert!(matches!(property, Some("consistent-cut" | "recorded-money")), "{property:?}");
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(8, Config::new(4), vec![script(1, 60), script(2, 60)]);
    testing::run(&mut world, Span::millis(400));
    let mut copy = world.fork().expect("snapshots can be copied");
    testing::run(&mut world, Span::secs(2));
    testing::run(&mut copy, Span::secs(2));
    assert_eq!(world.digest(), copy.digest());
}
