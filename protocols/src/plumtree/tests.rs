//! Plumtree in whole worlds.

use std::collections::BTreeSet;

use sim_core::check::Answer;
use sim_core::check::history::{DEFAULT_BUDGET, for_service};
use sim_core::fault::{Command, LinkFault, Place};
use sim_core::network::Direction;
use sim_core::random::Probability;
use sim_core::service::{Operation, Service, broadcast};
use sim_core::{Process, Span, World};

use super::*;
use crate::detector::{Phi, Rule, RuleError};
use crate::testing::{self, Script};

/// A tenth of the usual times.
fn quick(node_count: u32) -> Config {
    Config {
        keep_alive: Span::millis(50),
        detector: Rule::Timeout(Span::millis(200)),
        connect_timeout: Span::millis(50),
        shuffle_interval: Span::secs(1),
        reconnect_interval: Some(Span::secs(1)),
        graft_timeout: Span::millis(20),
        graft_retry: Span::millis(10),
        ..Config::new(node_count)
    }
}

/// A client of the first node that broadcasts so many values, from the first second on, ten a second.
fn broadcasts(count: u64) -> Vec<Script> {
    let send = |value| Operation::Broadcast(broadcast::Operation::Send(value));
    let wait = |value| if value == 1 { Span::secs(1) } else { Span::millis(100) };
    vec![Script((1..=count).map(|value| (wait(value), send(value))).collect())]
}

fn world(seed: u64, config: Config, scripts: Vec<Script>) -> World<Plumtree> {
    testing::world(seed, config.node_count, config, scripts, invariants::all(&config))
}

fn counter(world: &World<Plumtree>, name: &str) -> u64 {
    world.metrics().summary(world.now()).counters[name]
}

fn disagreement(world: &World<Plumtree>) -> Option<String> {
    let all: Vec<NodeId> = world.nodes().running().map(|(node, _)| node).collect();
    Plumtree::disagreement(&world.nodes(), &all)
}

/// The links of the tree, each from the lower node to the higher; all of them are eager at both ends.
fn tree(world: &World<Plumtree>) -> BTreeSet<(NodeId, NodeId)> {
    let eager = |one: NodeId, other: NodeId| {
        let process = world.process(one).expect("all run");
        process.neighbour(other).is_some_and(|neighbour| neighbour.push == Push::Eager)
    };
    let ends = world
        .nodes()
        .running()
        .flat_map(|(node, one)| one.neighbours().iter().map(move |other| (node, other.node)));
    let ends = ends.filter(|(one, other)| one < other && eager(*one, *other));
    ends.inspect(|(one, other)| assert!(eager(*other, *one), "{one} and {other} differ about their link"))
        .collect()
}

/// How many nodes the first reaches by these links.
fn reached(tree: &BTreeSet<(NodeId, NodeId)>) -> usize {
    let mut reached = BTreeSet::from([NodeId::new(0)]);
    loop {
        let next: BTreeSet<NodeId> = tree
            .iter()
            .filter(|(one, other)| reached.contains(one) != reached.contains(other))
            .flat_map(|(one, other)| [*one, *other])
            .collect();
        let before = reached.len();
        reached.extend(next);
        if reached.len() == before {
            return before;
        }
    }
}

fn side(from: u32, to: u32) -> Vec<Place> {
    (from..to).map(|node| Place::Node(NodeId::new(node))).collect()
}

#[test]
fn all_that_join_at_once_come_into_one_overlay_with_mutual_neighbours() {
    for (seed, count) in [(1, 2), (2, 5), (3, 7), (4, 30), (5, 120)] {
        let mut world = world(seed, quick(count), Vec::new());
        testing::run(&mut world, Span::secs(5));
        assert_eq!(disagreement(&world), None, "{count} nodes, seed {seed}");
    }
}

#[test]
fn flooding_becomes_a_tree_that_reaches_all_with_one_payload_each() {
    for seed in 0..5 {
        let never = Config { reconnect_interval: None, optimisation: None, ..quick(40) };
        let mut world = world(seed, never, broadcasts(60));
        testing::run(&mut world, Span::secs(5));
        let before = counter(&world, "payloads");
        testing::run(&mut world, Span::secs(5));
        assert_eq!(disagreement(&world), None);
        let tree = tree(&world);
        assert_eq!(reached(&tree), 40, "seed {seed}");
        let spare = tree.len() - 39;
        assert!(spare <= 1, "a link may have come up since the last value, and not {spare}, seed {seed}");
        assert_eq!(counter(&world, "deliveries"), 39 * 60);
        assert!(before > 39 * 40, "flooding first: {before}");
        let rest = counter(&world, "payloads") - before;
        assert!(rest <= 39 * 21, "one each from then on: {rest}");
    }
}

#[test]
fn a_crash_is_mended_by_grafts_and_all_values_arrive() {
    let mut grafts = 0;
    for seed in 0..5 {
        let mut world = world(seed, quick(20), broadcasts(100));
        testing::run(&mut world, Span::secs(3));
        for node in [3, 4, 11] {
            world.apply(Command::Crash(NodeId::new(node)));
        }
        testing::run(&mut world, Span::secs(10));
        assert_eq!(disagreement(&world), None, "seed {seed}");
        assert_eq!(world.process(NodeId::new(1)).expect("it runs").known.count(), 100);
        grafts += counter(&world, "grafts");
        world.apply(Command::Recover);
        testing::run(&mut world, Span::secs(5));
        assert_eq!(disagreement(&world), None, "who came back has all, too");
    }
    assert!(grafts > 0, "trees were broken");
}

#[test]
fn half_of_all_crash_at_once_and_the_others_are_one_overlay_again() {
    for seed in 0..3 {
        let mut world = world(seed, quick(60), broadcasts(30));
        testing::run(&mut world, Span::secs(2));
        for node in (1..60).step_by(2) {
            world.apply(Command::Crash(NodeId::new(node)));
        }
        testing::run(&mut world, Span::secs(10));
        assert_eq!(disagreement(&world), None, "seed {seed}");
    }
}

#[test]
fn halves_that_were_apart_for_long_come_together_and_learn_what_they_missed() {
    for seed in 0..3 {
        let mut world = world(seed, quick(16), broadcasts(40));
        testing::run(&mut world, Span::secs(2));
        world.apply(Command::Cut { from: side(0, 8), to: side(8, 16), direction: Direction::BothWays });
        testing::run(&mut world, Span::secs(6));
        let has =
            |world: &World<Plumtree>, node| world.process(NodeId::new(node)).expect("it runs").known.count();
        assert_eq!(has(&world, 7), 40, "seed {seed}");
        assert!(has(&world, 15) < 40);
        world.apply(Command::HealAll);
        testing::run(&mut world, Span::secs(10));
        assert_eq!(disagreement(&world), None, "seed {seed}");
    }
}

#[test]
fn loss_and_duplication_lose_no_value_and_break_no_rule() {
    let lazily = Config { announce_interval: Some(Span::millis(10)), optimisation: Some(1), ..quick(12) };
    let phi = Rule::Phi(Phi {
        acceptable_pause: Span::millis(100),
        interval_first: Span::millis(50),
        ..Phi::default()
    });
    for config in [quick(12), lazily, Config { detector: phi, ..quick(12) }] {
        let mut world = world(9, config, broadcasts(60));
        let ratio = |numerator| Probability::from_ratio(numerator, 10).expect("valid");
        world.apply(Command::AllLinks(LinkFault::Loss(Some(ratio(2)))));
        world.apply(Command::AllLinks(LinkFault::Duplicate(Some(ratio(2)))));
        testing::run(&mut world, Span::secs(15));
        world.apply(Command::HealAll);
        testing::run(&mut world, Span::secs(10));
        assert_eq!(disagreement(&world), None, "{config:?}");
        for checker in for_service(Service::Broadcast) {
            assert_eq!(checker.check(world.history(), DEFAULT_BUDGET), Answer::Pass, "{config:?}");
        }
    }
}

#[test]
fn phi_notices_a_failure_as_a_timeout_does() {
    let phi = Rule::Phi(Phi {
        acceptable_pause: Span::millis(100),
        interval_first: Span::millis(50),
        deviation_min: Span::millis(10),
        ..Phi::default()
    });
    let mut world = world(3, Config { detector: phi, ..quick(10) }, Vec::new());
    testing::run(&mut world, Span::secs(5));
    assert_eq!(counter(&world, "neighbours-failed"), 0, "nobody is wrongly suspected");
    world.apply(Command::Crash(NodeId::new(4)));
    testing::run(&mut world, Span::millis(400));
    assert!(counter(&world, "neighbours-failed") > 0);
    assert_eq!(disagreement(&world), None);
}

#[test]
fn announcements_are_sent_together_when_they_are_asked_to() {
    let sent = |interval| {
        let config = Config { announce_interval: interval, ..quick(20) };
        let mut world = world(2, config, broadcasts(200));
        testing::run(&mut world, Span::secs(25));
        assert_eq!(disagreement(&world), None);
        counter(&world, "messages-sent")
    };
    let (each, together) = (sent(None), sent(Some(Span::millis(400))));
    assert!(together < each, "{together} messages with announcements together, {each} without");
}

#[test]
fn impossible_parameters_are_refused() {
    let usual = Config::new(9);
    assert_eq!(usual.validate(), Ok(()));
    let walks = ConfigError::WalkTooShort { passive: 3, active: 2 };
    let shuffle = |name, count, view| ConfigError::ShuffleTooLarge { name, count, view };
    let retry = ConfigError::RetryTooLong { retry: Span::secs(1), timeout: usual.graft_timeout };
    let detector = RuleError::TimeoutTooShort { timeout: usual.keep_alive, interval: usual.keep_alive };
    for (wrong, error) in [
        (Config::new(1), ConfigError::NoPeers(1)),
        (Config { active_view: 1, ..usual }, ConfigError::NoFanOut(1)),
        (Config { passive_view: 0, ..usual }, ConfigError::NoCount("passive_view")),
        (Config { active_walk: 0, ..usual }, ConfigError::NoCount("active_walk")),
        (Config { optimisation: Some(0), ..usual }, ConfigError::NoCount("optimisation")),
        (Config { active_walk: 2, ..usual }, walks),
        (Config { shuffle_active: 6, ..usual }, shuffle("shuffle_active", 6, 5)),
        (Config { shuffle_passive: 31, ..usual }, shuffle("shuffle_passive", 31, 30)),
        (Config { keep_alive: Span::ZERO, ..usual }, ConfigError::NoTime("keep_alive")),
        (Config { announce_interval: Some(Span::ZERO), ..usual }, ConfigError::NoTime("announce_interval")),
        (Config { graft_retry: Span::secs(1), ..usual }, retry),
        (Config { detector: Rule::Timeout(usual.keep_alive), ..usual }, ConfigError::Detector(detector)),
    ] {
        assert_eq!(wrong.validate(), Err(error));
    }
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(8, quick(30), broadcasts(50));
    testing::run(&mut world, Span::secs(3));
    let mut copy = world.fork().expect("plumtree can be copied");
    testing::run(&mut world, Span::secs(5));
    testing::run(&mut copy, Span::secs(5));
    assert_eq!(world.digest(), copy.digest());
}

/// Who crashes is suspected by each neighbour a timeout after its last sign of life, which is at most a keep-alive and a way
/// before its crash.
#[test]
fn neighbours_detect_a_crash_within_a_timeout() {
    let mut world = world(9, quick(20), Vec::new());
    testing::run(&mut world, Span::secs(3));
    let node = NodeId::new(4);
    let neighbours = world.process(node).expect("it runs").neighbours().len() as u64;
    world.apply(Command::Crash(node));
    testing::run(&mut world, Span::secs(2));
    let summary = world.metrics().summary(world.now());
    let detection = summary.latencies["detection"];
    assert_eq!((detection.count, counter(&world, "detector-mistakes")), (neighbours, 0));
    assert!(detection.p50 >= Span::millis(150) && detection.max <= Span::millis(205), "{detection:?}");
    assert!(summary.ratios["query-accuracy"] > 990, "{summary:?}");
}
