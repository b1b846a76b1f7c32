//! Echo in whole worlds.

use sim_core::fault::{Command, LinkFault};
use sim_core::random::Probability;
use sim_core::world::Stop;
use sim_core::{SimTime, World};

use super::*;
use crate::testing::{self, Script};

fn world(node_count: u32, requests: u64) -> World<Echo> {
    let ask = |value| (Span::millis(1), Operation::Echo(value));
    let scripts = vec![Script((0..requests).map(ask).collect()); 2];
    testing::world(7, node_count, Config::new(node_count), scripts, invariants::all())
}

fn answers(world: &World<Echo>) -> Vec<Outcome> {
    world.history().operations().into_iter().map(|operation| operation.outcome).collect()
}

fn assert_all_are_answered(world: &World<Echo>, requests: u64) {
    let mut expected: Vec<_> =
        (0..requests).chain(0..requests).map(|value| Outcome::Value(Some(value))).collect();
    let mut answers = answers(world);
    let order = |outcome: &Outcome| format!("{outcome:?}");
    expected.sort_by_key(order);
    answers.sort_by_key(order);
    assert_eq!(answers, expected);
}

#[test]
fn every_value_comes_back() {
    for node_count in 1..4 {
        let mut world = world(node_count, 20);
        testing::run(&mut world, Span::secs(2));
        assert_all_are_answered(&world, 20);
    }
}

#[test]
fn a_lost_message_does_not_lose_the_answer() {
    let mut world = world(3, 20);
    let half = Probability::from_ratio(1, 2).expect("valid");
    world.apply(Command::AllLinks(LinkFault::Loss(Some(half))));
    testing::run(&mut world, Span::secs(60));
    assert_all_are_answered(&world, 20);
    assert!(world.points()[0].1 > 0, "some peer was asked again");
}

#[test]
fn the_gauge_says_how_many_requests_wait() {
    let mut world = world(3, 20);
    let mut seen = 0;
    while world.run(SimTime::ZERO + Span::secs(1), 1) == Stop::Budget {
        let summary = world.metrics().summary(world.now());
        for (node, gauge) in &summary.process_gauges["pending"] {
            let own = world.process(*node).expect("nobody crashes").pending().len() as u64;
            assert_eq!(gauge.last, Some(own), "{node} at {}", world.now());
            seen = seen.max(own);
        }
    }
    assert!(seen > 0, "some request waited");
}

#[test]
fn an_answer_that_comes_twice_is_given_once() {
    let mut world = world(3, 20);
    let always = Probability::from_ratio(1, 1).expect("valid");
    world.apply(Command::AllLinks(LinkFault::Duplicate(Some(always))));
    testing::run(&mut world, Span::secs(2));
    assert_all_are_answered(&world, 20);
}

#[test]
fn impossible_parameters_are_refused() {
    assert_eq!(Config::new(0).validate(), Err(ConfigError::NoNodes));
    let config = Config { retry_after: Span::ZERO, ..Config::new(1) };
    assert_eq!(config.validate(), Err(ConfigError::NoRetryTime));
    assert_eq!(Config::new(3).validate(), Ok(()));
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(3, 20);
    world.run(SimTime::ZERO + Span::millis(20), u64::MAX);
    let mut copy = world.fork().expect("echo can be copied");
    testing::run(&mut world, Span::secs(1));
    testing::run(&mut copy, Span::secs(1));
    assert_eq!(world.digest(), copy.digest());
}
