//! Queues in whole worlds.

use sim_core::fault::Command;
use sim_core::random::{Distribution, Probability};
use sim_core::service::{Operation, Outcome, queue};
use sim_core::world::Stop;
use sim_core::{LocalTime, NodeId, SimTime, Span, World};

use super::*;
use crate::testing::clients::outcomes;
use crate::testing::{self, Script};

/// A client that sends so many messages, a millisecond after the answer to the one before.
fn producing(client: u64, count: u64) -> Script {
    let send = |ordinal| Operation::Queue(queue::Operation::Enqueue(client * 1_000_000 + ordinal));
    Script((1..=count).map(|ordinal| (Span::millis(1), send(ordinal))).collect())
}

/// Two producers with a hundred messages each.
fn world(seed: u64, config: &Config) -> World<Node> {
    let scripts = vec![producing(1, 100), producing(2, 100)];
    testing::world(seed, config.node_count, config.clone(), scripts, invariants::all(config))
}

fn counter(world: &World<Node>, name: &str) -> u64 {
    world.metrics().summary(world.now()).counters[name]
}

/// Everybody crashes and comes back, one after the other, again and again.
fn shake(world: &mut World<Node>, nodes: u32) {
    for round in 0..12 {
        let node = NodeId::new(round % nodes);
        testing::run(world, Span::millis(40));
        world.apply(Command::Crash(node));
        testing::run(world, Span::millis(30));
        world.apply(Command::Restart(node));
    }
    testing::run(world, Span::secs(20));
}

#[test]
fn all_that_is_sent_has_its_effect_whatever_the_guarantee() {
    for guarantee in [Guarantee::AtMostOnce, Guarantee::AtLeastOnce, Guarantee::EffectivelyOnce] {
        let config = Config { guarantee, ..Config::new(5) };
        let mut world = world(3, &config);
        testing::run(&mut world, Span::secs(10));
        assert!(outcomes(&world).iter().all(|outcome| *outcome == Outcome::Done), "{guarantee:?}");
        assert_eq!(counter(&world, "effects"), 200, "{guarantee:?}");
        assert_eq!(counter(&world, "messages-acknowledged"), 200, "{guarantee:?}");
    }
}

#[test]
fn crashes_of_everybody_break_no_promise() {
    for guarantee in [Guarantee::AtMostOnce, Guarantee::AtLeastOnce, Guarantee::EffectivelyOnce] {
        for seed in 0..4 {
            let mut config = Config { guarantee, snapshot_every: 20, ..Config::new(5) };
            config.rules.visibility = Span::millis(200);
            config.rules.deduplication = Some(Span::secs(100));
            let mut world = world(seed, &config);
            shake(&mut world, 5);
            let effects = counter(&world, "effects");
            match guarantee {
                Guarantee::AtMostOnce => assert!(effects <= 200, "{effects} effects"),
                Guarantee::AtLeastOnce => assert!(effects >= 200, "{effects} effects"),
                Guarantee::EffectivelyOnce => assert_eq!(effects, 200),
            }
        }
    }
}

#[test]
fn groups_priorities_and_limits_are_kept_under_failures() {
    let mut config =
        Config { failure: Probability::from_ratio(3, 10).expect("valid"), poison: 10, ..Config::new(6) };
    config.service = Distribution::exponential(Span::millis(5));
    config.rules.max_receives = Some(5);
    config.rules.visibility = Span::millis(20);
    config.rules.retry_delay = Span::millis(5);
    for (groups, priorities, guarantee) in
        [(7, 1, Guarantee::EffectivelyOnce), (0, 3, Guarantee::AtLeastOnce), (3, 1, Guarantee::AtMostOnce)]
    {
        config.guarantee = guarantee;
        (config.rules.groups, config.rules.priorities) = (groups, priorities);
        let mut world = world(u64::from(groups), &config);
        shake(&mut world, 6);
        assert!(counter(&world, "messages-dead-lettered") > 0, "poison is taken out of the way");
        assert!(counter(&world, "redeliveries") > 0);
    }
}

#[test]
fn what_a_consumer_that_is_down_is_given_does_not_become_a_dead_letter() {
    let mut config = Config::new(5);
    config.rules.max_receives = Some(2);
    config.rules.visibility = Span::secs(2);
    let mut world = world(5, &config);
    testing::run(&mut world, Span::millis(40));
    world.apply(Command::Crash(NodeId::new(1)));
    testing::run(&mut world, Span::secs(20));
    assert!(counter(&world, "redeliveries") > 0, "it had some");
    assert_eq!(counter(&world, "messages-dead-lettered"), 0);
    assert_eq!(counter(&world, "messages-acknowledged"), 200);
}

#[test]
fn what_producers_have_done_is_told_of_once_whoever_crashes() {
    for (seed, brokers) in [(1, 1), (2, 3), (3, 1), (4, 3)] {
        let guarantee = Guarantee::EffectivelyOnce;
        let mut config = Config { guarantee, brokers, producers: 2, ..Config::new(brokers + 5) };
        config.rules.visibility = Span::millis(200);
        config.rules.deduplication = Some(Span::secs(100));
        let mut world = world(seed, &config);
        shake(&mut world, config.node_count);
        assert_eq!(counter(&world, "effects"), 200, "{brokers} brokers");
    }
}

#[test]
fn crashes_of_leaders_break_no_promise() {
    for guarantee in [Guarantee::AtMostOnce, Guarantee::AtLeastOnce, Guarantee::EffectivelyOnce] {
        for seed in 0..4 {
            let mut config = Config { guarantee, brokers: 3, snapshot_every: 20, ..Config::new(6) };
            config.rules.visibility = Span::millis(200);
            config.rules.deduplication = Some(Span::secs(100));
            let mut world = world(seed, &config);
            shake(&mut world, 6);
            let effects = counter(&world, "effects");
            match guarantee {
                Guarantee::AtMostOnce => assert!(effects <= 200, "{effects} effects"),
                Guarantee::AtLeastOnce => assert!(effects >= 200, "{effects} effects"),
                Guarantee::EffectivelyOnce => assert_eq!(effects, 200),
            }
        }
    }
}

/// The queues of all brokers.
fn queues(world: &World<Node>) -> Vec<&state::Queue> {
    let replicas = world.nodes().running().filter_map(|(_, process)| match process {
        Node::Replicated(broker) => Some(broker.replica().machine().state().queue()),
        Node::Broker(_) | Node::Producer(_) | Node::Consumer(_) | Node::Store(_) => None,
    });
    replicas.collect()
}

#[test]
fn a_broker_that_was_down_gets_the_queue_in_a_snapshot() {
    let mut config = Config { brokers: 3, snapshot_every: 20, ..Config::new(6) };
    config.service = Distribution::constant(Span::secs(1000));
    let mut world = world(5, &config);
    let down = NodeId::new(2);
    world.apply(Command::Crash(down));
    testing::run(&mut world, Span::secs(3));
    world.apply(Command::Restart(down));
    testing::run(&mut world, Span::secs(2));
    let queues = queues(&world);
    assert_eq!(queues.len(), 3);
    assert!(queues.iter().all(|queue| *queue == queues[0]), "they are the same");
    assert_eq!(queues[0].messages().len(), 200);
    let Some(Node::Replicated(broker)) = world.nodes().process(down) else { panic!("{down} is a broker") };
    assert!(broker.replica().log().base() > crate::replicated::Index(100), "it did not perform all itself");
}

#[test]
fn a_full_queue_does_as_it_is_told() {
    for overflow in [Overflow::Block, Overflow::Reject, Overflow::DropHead, Overflow::DropTail] {
        let mut config =
            Config { service: Distribution::constant(Span::millis(20)), prefetch: 1, ..Config::new(3) };
        (config.rules.capacity, config.rules.overflow) = (Some(5), overflow);
        let mut world = world(1, &config);
        testing::run(&mut world, Span::secs(30));
        let (dropped, refused) = (counter(&world, "discarded"), counter(&world, "messages-refused"));
        match overflow {
            Overflow::Block => assert_eq!((dropped, refused, counter(&world, "effects")), (0, 0, 200)),
            Overflow::Reject => assert!(dropped == 0 && refused > 0),
            Overflow::DropHead | Overflow::DropTail => assert!(dropped > 0 && refused == 0),
        }
    }
}

#[test]
fn a_longer_handling_keeps_its_message_by_heartbeats() {
    let mut config =
        Config { service: Distribution::constant(Span::millis(100)), prefetch: 1, ..Config::new(3) };
    config.rules.visibility = Span::millis(60);
    config.shedding = Shedding::Nothing;
    for (heartbeat, is_repeated) in [(None, true), (Some(Span::millis(20)), false)] {
        config.heartbeat = heartbeat;
        let mut world = world(1, &config);
        testing::run(&mut world, Span::secs(2));
        assert_eq!(counter(&world, "redeliveries") > 0, is_repeated, "{heartbeat:?}");
    }
}

#[test]
fn the_log_is_cut_when_a_snapshot_is_on_disk() {
    let config = Config { snapshot_every: 50, ..Config::new(4) };
    let mut world = world(1, &config);
    testing::run(&mut world, Span::secs(10));
    let disk = world.nodes().disk(Config::BROKER).expect("it has written");
    let bounds = disk.log_bounds(durable::LOG);
    assert!(bounds.end > 400 && bounds.end - bounds.start < 150, "{bounds:?}");
}

#[test]
fn impossible_parameters_are_refused() {
    let usual = Config::new(3);
    let with = |change: fn(&mut Config)| {
        let mut config = Config::new(3);
        change(&mut config);
        config.validate()
    };
    assert_eq!(usual.validate(), Ok(()));
    let too_few = |nodes, others| Err(ConfigError::TooFewNodes { nodes, others });
    assert_eq!(Config::new(1).validate(), too_few(1, 1));
    assert_eq!(with(|it| it.brokers = 3), too_few(3, 3));
    assert_eq!(with(|it| it.brokers = 0), Err(ConfigError::Nothing("brokers")));
    let many = Config { brokers: 200, ..Config::new(300) };
    assert_eq!(many.validate(), Err(ConfigError::TooManyBrokers(200)));
    assert_eq!(with(|it| it.rules.visibility = Span::ZERO), Err(ConfigError::NoVisibility));
    assert_eq!(with(|it| it.rules.priorities = 0), Err(ConfigError::NoPriority));
    let both = ConfigError::OrderedAndNot { groups: 2, priorities: 2 };
    assert_eq!(with(|it| (it.rules.groups, it.rules.priorities) = (2, 2)), Err(both));
    assert_eq!(with(|it| it.rules.max_receives = Some(0)), Err(ConfigError::NoReceives));
    assert_eq!(with(|it| it.rules.time_to_live = Some(Span::ZERO)), Err(ConfigError::NoTime("time_to_live")));
    assert_eq!(with(|it| it.rules.capacity = Some(0)), Err(ConfigError::Nothing("capacity")));
    assert_eq!(with(|it| it.workers = 11), Err(ConfigError::IdleWorkers { workers: 11, prefetch: 10 }));
    let late = with(|it| it.heartbeat = Some(Span::secs(30)));
    assert!(matches!(late, Err(ConfigError::LateHeartbeat { .. })));
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut original = world(8, &Config::new(4));
    testing::run(&mut original, Span::millis(400));
    let mut copy = original.fork().expect("queues can be copied");
    testing::run(&mut original, Span::secs(5));
    testing::run(&mut copy, Span::secs(5));
    assert_eq!(original.digest(), copy.digest());
}

/// What the first message in flight at the broker shows as its time left, in a world that stands at a moment.
fn time_left(world: &World<Node>) -> Option<String> {
    let parts = sim_core::Simulation::view(world, NodeId::new(0), &sim_core::view::ViewRequest::default());
    let messages = parts.iter().find(|part| part.name == "messages")?;
    let sim_core::view::Content::Table(table) = &messages.content else { panic!("messages are a table") };
    let held = table.rows.iter().find(|row| row[2] == "in flight")?;
    Some(held[4].clone())
}

#[test]
fn what_is_in_flight_counts_down_between_two_commands() {
    let config = Config::new(3);
    let mut world = testing::world(10, 3, config.clone(), vec![producing(0, 1)], invariants::all(&config));
    // At what time of the queue, and how much is left.
    let mut seen: std::collections::BTreeMap<LocalTime, std::collections::BTreeSet<String>> = [].into();
    while world.now() < SimTime::ZERO + Span::millis(100) && world.run(SimTime::MAX, 1) == Stop::Budget {
        let Some(Node::Broker(broker)) = world.process(NodeId::new(0)) else { panic!("one broker alone") };
        seen.entry(broker.broker.queue().now()).or_default().extend(time_left(&world));
    }
    let longest = seen.values().map(std::collections::BTreeSet::len).max();
    assert!(longest > Some(2), "{seen:?}");
}
