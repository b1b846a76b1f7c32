//! Replicated data in whole worlds.

use sim_core::fault::{Command, LinkFault};
use sim_core::random::Probability;
use sim_core::service::{Key, Operation, Outcome, Refusal, counter, kv, set};
use sim_core::{Process, Span, World};

use super::*;
use crate::testing::{self, Script};

/// Changes of the kind.
fn changes(kind: Kind, client: u64, steps: u64) -> Script {
    let step = |ordinal: u64| {
        let operation = match kind {
            Kind::GCounter => Operation::Counter(counter::Operation::Add(3)),
            Kind::PnCounter => {
                Operation::Counter(counter::Operation::Add(if ordinal.is_multiple_of(3) { -2 } else { 3 }))
            }
            Kind::GSet => Operation::Set(set::Operation::Add(client * 1_000 + ordinal)),
            Kind::OrMap => {
                let key = Key(u32::try_from((client + ordinal) % 3).expect("small"));
                Operation::Kv(match ordinal % 4 {
                    0 => kv::Operation::Delete(key),
                    _ => kv::Operation::Write(key, client * 1_000 + ordinal),
                })
            }
        };
        (Span::millis(7), operation)
    };
    Script((1..=steps).map(step).collect())
}

const KINDS: [Kind; 4] = [Kind::GCounter, Kind::PnCounter, Kind::GSet, Kind::OrMap];

fn all_kinds() -> impl Iterator<Item = Config> {
    KINDS.into_iter().flat_map(|kind| {
        let few = (Shipping::Delta, 2);
        [(Shipping::State, 1), (Shipping::Delta, 1_000), few].map(|(shipping, deltas_max)| Config {
            kind,
            shipping,
            deltas_max,
            period: Span::millis(20),
            ..Config::new(5)
        })
    })
}

fn world(seed: u64, config: Config) -> World<Crdt> {
    let scripts = (1..=3).map(|client| changes(config.kind, client, 30)).collect();
    testing::world(seed, config.node_count, config, scripts, invariants::all(&config))
}

/// What those that run do not agree on.
fn disagreement(world: &World<Crdt>) -> Option<String> {
    let all: Vec<NodeId> = world.nodes().running().map(|(node, _)| node).collect();
    Crdt::disagreement(&world.nodes(), &all)
}

#[test]
fn all_replicas_come_to_the_state_that_all_changes_make() {
    for config in all_kinds() {
        let mut world = world(5, config);
        testing::run(&mut world, Span::secs(3));
        assert_eq!((world.history().open_count(), disagreement(&world)), (0, None), "{config:?}");
        let state = world.process(NodeId::new(0)).expect("it runs").state();
        match &**state {
            Data::GCounter(counter) => assert_eq!(counter.value(), 3 * 30 * 3),
            Data::PnCounter(counter) => assert_eq!(counter.value(), 3 * (20 * 3 - 10 * 2)),
            Data::GSet(set) => assert_eq!(set.elements().len(), 90),
            Data::OrMap(map) => assert!(map.keys().len() <= 3),
        }
    }
}

#[test]
fn loss_duplication_and_crashes_break_no_rule() {
    for (seed, config) in (1..).zip(all_kinds()) {
        let mut world = world(seed, config);
        let ratio = |numerator| Probability::from_ratio(numerator, 10).expect("valid");
        world.apply(Command::AllLinks(LinkFault::Loss(Some(ratio(3)))));
        world.apply(Command::AllLinks(LinkFault::Duplicate(Some(ratio(3)))));
        for node in [0, 3, 1, 4] {
            testing::run(&mut world, Span::millis(70));
            world.apply(Command::Crash(NodeId::new(node)));
            testing::run(&mut world, Span::millis(50));
            world.apply(Command::Restart(NodeId::new(node)));
        }
        world.apply(Command::AllLinks(LinkFault::Loss(None)));
        testing::run(&mut world, Span::secs(20));
        assert_eq!((world.history().open_count(), disagreement(&world)), (0, None), "{config:?}");
    }
}

#[test]
fn deltas_take_less_than_whole_states() {
    let sent = |shipping| {
        let config = Config { kind: Kind::GSet, shipping, ..Config::new(5) };
        let mut world = world(5, config);
        testing::run(&mut world, Span::secs(5));
        assert_eq!(disagreement(&world), None);
        world.metrics().summary(world.now()).counters["bytes-sent"]
    };
    let (states, deltas) = (sent(Shipping::State), sent(Shipping::Delta));
    assert!(deltas * 3 < states, "deltas took {deltas} bytes, and states {states}");
}

#[test]
fn what_a_type_cannot_do_is_refused() {
    let refused = [Outcome::Refused(Refusal::Unsupported)];
    let asked = [
        (Kind::GCounter, Operation::Counter(counter::Operation::Add(-1))),
        (Kind::GSet, Operation::Kv(kv::Operation::Read(Key(1)))),
        (Kind::OrMap, Operation::Kv(kv::Operation::CompareAndSet { key: Key(1), expected: 1, value: 2 })),
    ];
    for (kind, operation) in asked {
        let config = Config { kind, ..Config::new(2) };
        let script = Script(vec![(Span::millis(1), operation)]);
        let mut world = testing::world(1, 2, config, vec![script], invariants::all(&config));
        testing::run(&mut world, Span::secs(1));
        assert_eq!(testing::clients::outcomes(&world), refused, "{kind:?}");
    }
}

#[test]
fn what_nobody_sends_in_a_configuration_is_a_panic_that_names_both() {
    let message = Message::Ack { upto: 7 };
    let of = |shipping| {
        let config = Config { shipping, ..Config::new(3) };
        let replica = <Crdt as sim_core::Process>::boot(&config, NodeId::new(0));
        std::panic::catch_unwind(|| replica.refuse_impossible(NodeId::new(1), &message))
    };
    assert!(of(Shipping::Delta).is_ok());
    let panic = of(Shipping::State).expect_err("states are not acknowledged");
    let text = panic.downcast_ref::<String>().map(String::as_str);
    assert_eq!(text, Some("n1, which ships by State, was sent Ack { upto: 7 } by n2"));
}
