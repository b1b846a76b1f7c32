//! Gossip in whole worlds.

use sim_core::World;
use sim_core::check::Answer;
use sim_core::check::history::{DEFAULT_BUDGET, for_service};
use sim_core::fault::{Command, LinkFault, Place};
use sim_core::network::Direction;
use sim_core::random::Probability;
use sim_core::service::{Operation, Service, broadcast};

use super::*;
use crate::testing::{self, Script};

/// Sites of which the first is told one value, a millisecond after the start.
fn world(seed: u64, config: Config) -> World<Gossip> {
    let told = Operation::Broadcast(broadcast::Operation::Send(7));
    let scripts = vec![Script(vec![(Span::millis(1), told)])];
    testing::world(seed, config.node_count, config, scripts, invariants::all(&config))
}

/// How many sites know a rumor, and how many spread one.
fn reached(world: &World<Gossip>) -> (usize, usize) {
    let all = || world.nodes().running().map(|(_, gossip)| gossip);
    let knows = all().filter(|gossip| !gossip.rumors().is_empty()).count();
    (knows, all().filter(|gossip| gossip.is_infective()).count())
}

fn all_kinds() -> impl Iterator<Item = Config> {
    let spreads = [Spread::Push, Spread::Pull, Spread::PushPull];
    let kinds = spreads.into_iter().flat_map(|spread| {
        [Judging::Blind, Judging::Feedback].into_iter().flat_map(move |judging| {
            [Interest::Counter(4), Interest::Coin(4)].map(|interest| (spread, judging, interest))
        })
    });
    kinds.map(|(spread, judging, interest)| Config { spread, judging, interest, ..Config::new(60) })
}

#[test]
fn a_rumor_reaches_most_sites_and_ends_whatever_the_kind() {
    for config in all_kinds() {
        let mut world = world(5, config);
        testing::run(&mut world, Span::secs(20));
        let (knows, spreads) = reached(&world);
        assert!(knows > 40, "{config:?} reached {knows} of 60 sites");
        assert_eq!(spreads, 0, "{config:?}");
    }
}

#[test]
fn a_connection_limit_is_kept_and_hunting_makes_up_for_refusals() {
    let limited = Config { connection_limit: Some(1), interest: Interest::Counter(3), ..Config::new(60) };
    for hunt_limit in [0, 4] {
        let mut world = world(5, Config { hunt_limit, ..limited });
        testing::run(&mut world, Span::secs(20));
        let (knows, _) = reached(&world);
        assert!(knows > 50, "{knows} of 60 sites with {hunt_limit} hunts");
        let (refused, hunted) = (world.points()[1].1, world.points()[2].1);
        assert!(refused > 0, "with a limit of 1 somebody is refused");
        assert_eq!(hunted > 0, hunt_limit > 0);
    }
}

#[test]
fn loss_and_duplication_break_no_rule() {
    for config in all_kinds() {
        let mut world = world(9, Config { connection_limit: Some(2), hunt_limit: 1, ..config });
        let ratio = |numerator| Probability::from_ratio(numerator, 10).expect("valid");
        world.apply(Command::AllLinks(LinkFault::Loss(Some(ratio(3)))));
        world.apply(Command::AllLinks(LinkFault::Duplicate(Some(ratio(3)))));
        testing::run(&mut world, Span::secs(20));
        for checker in for_service(Service::Broadcast) {
            assert_eq!(checker.check(world.history(), DEFAULT_BUDGET), Answer::Pass, "{config:?}");
        }
    }
}

#[test]
fn a_site_that_pushes_is_at_rest_when_there_is_nothing_to_spread() {
    let mut world = world(3, Config::new(20));
    testing::run(&mut world, Span::secs(20));
    let events = world.events();
    testing::run(&mut world, Span::secs(1_000));
    assert_eq!(world.events(), events, "no cycle begins");
}

#[test]
fn a_partition_keeps_a_rumor_to_its_side_and_what_is_hot_crosses_after_it() {
    let config = Config { interest: Interest::Counter(1_000), ..Config::new(20) };
    let mut world = world(4, config);
    let side = |from, to| (from..to).map(|node| Place::Node(NodeId::new(node))).collect();
    world.apply(Command::Cut { from: side(0, 10), to: side(10, 20), direction: Direction::BothWays });
    testing::run(&mut world, Span::secs(10));
    assert_eq!(reached(&world), (10, 10), "one side");
    world.apply(Command::HealAll);
    testing::run(&mut world, Span::secs(10));
    assert_eq!(reached(&world), (20, 20), "both");
}

#[test]
fn the_spread_is_measured_in_cycles() {
    let together = Config { rhythm: Rhythm::Together, interest: Interest::Counter(9), ..Config::new(2) };
    let mut world = world(1, together);
    testing::run(&mut world, Span::secs(5));
    let summary = world.metrics().summary(world.now());
    assert_eq!(
        summary.latencies["spread"].max, together.cycle,
        "the other of two sites hears it in the first"
    );
    assert_eq!(summary.counters["sites-reached"], 2);
}

#[test]
fn impossible_parameters_are_refused() {
    let usual = Config::new(3);
    assert_eq!(usual.validate(), Ok(()));
    assert_eq!(Config::new(1).validate(), Err(ConfigError::NoPeers(1)));
    assert_eq!(Config { cycle: Span::ZERO, ..usual }.validate(), Err(ConfigError::NoCycle));
    let none = Config { interest: Interest::Coin(0), ..usual };
    assert_eq!(none.validate(), Err(ConfigError::NoInterest));
    let closed = Config { connection_limit: Some(0), ..usual };
    assert_eq!(closed.validate(), Err(ConfigError::NoConnections));
    let hunting = Config { hunt_limit: 2, ..usual };
    assert_eq!(hunting.validate(), Err(ConfigError::HuntWithoutLimit(2)));
    assert_eq!(Config { connection_limit: Some(1), ..hunting }.validate(), Ok(()));
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(8, Config::new(30));
    testing::run(&mut world, Span::millis(400));
    let mut copy = world.fork().expect("gossip can be copied");
    testing::run(&mut world, Span::secs(5));
    testing::run(&mut copy, Span::secs(5));
    assert_eq!(world.digest(), copy.digest());
}

/// Whether a site with this configuration takes a message.
fn takes(config: Config, message: &Message) -> bool {
    let site = <Gossip as sim_core::Process>::boot(&config, NodeId::new(0));
    std::panic::catch_unwind(|| site.refuse_impossible(NodeId::new(1), message)).is_ok()
}

#[test]
fn what_nobody_sends_in_a_configuration_is_refused() {
    let (usual, none) = (Config::new(3), std::sync::Arc::from([]));
    let with = |spread| Config { spread, ..usual };
    let rumors = std::sync::Arc::from([]);
    for (spread, allowed) in [
        (Spread::Push, [true, false, false, false]),
        (Spread::Pull, [false, true, false, true]),
        (Spread::PushPull, [false, false, true, true]),
    ] {
        let messages = [
            Message::Push(std::sync::Arc::clone(&rumors)),
            Message::Pull,
            Message::Exchange(std::sync::Arc::clone(&rumors)),
            Message::Answer(std::sync::Arc::clone(&rumors)),
        ];
        assert_eq!(messages.map(|message| takes(with(spread), &message)), allowed, "{spread:?}");
    }
    let judged = |judging| Config { judging, ..usual };
    assert!(takes(judged(Judging::Feedback), &Message::Feedback(std::sync::Arc::clone(&none))));
    assert!(!takes(judged(Judging::Blind), &Message::Feedback(none)));
    let compared = Message::Feedback([(7, message::Need::KnownAt(1))].into());
    let off = Config { minimization: crate::switch::Switch::Off, ..judged(Judging::Feedback) };
    assert!(
        !takes(off, &compared) && takes(Config { minimization: crate::switch::Switch::On, ..off }, &compared)
    );
    let limited = |connection_limit| Config { connection_limit, ..usual };
    assert!(takes(limited(Some(1)), &Message::Busy) && !takes(limited(None), &Message::Busy));
}

#[test]
#[should_panic(
    expected = "n1, with Push, Feedback, minimization Off and the connection limit None, was sent Pull by n2"
)]
fn a_panic_names_the_message_and_the_configuration() {
    let config =
        Config { spread: Spread::Push, judging: Judging::Feedback, connection_limit: None, ..Config::new(3) };
    let site = <Gossip as sim_core::Process>::boot(&config, NodeId::new(0));
    site.refuse_impossible(NodeId::new(1), &Message::Pull);
}
