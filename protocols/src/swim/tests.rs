//! SWIM over time: whole groups under faults.

use std::collections::BTreeMap;

use sim_core::fault::Command as Fault;
use sim_core::service::{Admin, Operation, Outcome};
use sim_core::{NodeId, Process, Span, World};

use super::member::State;
use super::{Accuracy, Config, ConfigError, Formation, ProbeOrder, Standing, Swim, invariants};
use crate::switch::Switch;
use crate::testing::{self, Script, faults};

/// As large a group as the configuration says, in a tenth of the usual time.
fn quick(count: u32) -> Config {
    Config {
        probe_interval: Span::millis(100),
        probe_timeout: Span::millis(50),
        gossip_interval: Span::millis(20),
        push_pull_interval: Some(Span::secs(3)),
        reconnect_interval: Some(Span::secs(1)),
        ..Config::new((0..count).map(NodeId::new))
    }
}

fn world_of(seed: u64, nodes: u32, config: Config, scripts: Vec<Script>) -> World<Swim> {
    let invariants = invariants::all(&config);
    testing::world(seed, nodes, config, scripts, invariants)
}

fn world(seed: u64, config: Config) -> World<Swim> {
    let nodes = u32::try_from(config.members.len()).expect("few nodes");
    world_of(seed, nodes, config, Vec::new())
}

/// How many of the running nodes believe what of `member`.
fn beliefs(world: &World<Swim>, member: NodeId) -> BTreeMap<State, usize> {
    let mut counts = BTreeMap::new();
    for (_, swim) in world.nodes().running().filter(|(node, _)| *node != member) {
        *counts.entry(swim.membership().table().get(member).state).or_default() += 1;
    }
    counts
}

fn counter(world: &World<Swim>, name: &str) -> u64 {
    world.metrics().summary(world.now()).counters[name]
}

const N3: NodeId = NodeId::new(2);

#[test]
fn a_group_in_which_nothing_happens_suspects_nobody() {
    let config = Config { accuracy: Accuracy::NoFalseSuspicions, ..Config::new((0..10).map(NodeId::new)) };
    let mut world = world(1, config);
    testing::run(&mut world, Span::secs(60));
    assert_eq!(counter(&world, "suspicions"), 0);
    assert_eq!(counter(&world, "updates-sent"), 0, "there is no news");
    let periods = counter(&world, "periods");
    assert!((590..=600).contains(&periods), "ten members for sixty seconds: {periods}");
}

#[test]
fn a_crash_is_found_out_by_everybody_and_a_restart_too() {
    for seed in 0..5 {
        let mut world = world(seed, quick(10));
        testing::run(&mut world, Span::secs(1));
        world.apply(Fault::Crash(N3));
        testing::run(&mut world, Span::secs(6));
        assert_eq!(beliefs(&world, N3), [(State::Dead, 9)].into(), "seed {seed}");
        world.apply(Fault::Restart(N3));
        testing::run(&mut world, Span::secs(3));
        assert_eq!(beliefs(&world, N3), [(State::Alive, 9)].into(), "seed {seed}");
        assert_eq!(world.process(N3).map(|swim| swim.status().epoch > 0), Some(true));
    }
}

#[test]
fn halves_that_took_each_other_for_dead_find_each_other_again() {
    let mut world = world(3, quick(10));
    testing::run(&mut world, Span::secs(1));
    let half = |range: std::ops::Range<u32>| {
        range.map(|node| sim_core::fault::Place::Node(NodeId::new(node))).collect()
    };
    let (from, to) = (half(0..5), half(5..10));
    world.apply(Fault::Cut { from, to, direction: sim_core::network::Direction::BothWays });
    testing::run(&mut world, Span::secs(30));
    assert_eq!(beliefs(&world, N3), [(State::Alive, 4), (State::Dead, 5)].into());
    world.apply(Fault::HealAll);
    testing::run(&mut world, Span::secs(15));
    let agreed: Vec<_> =
        world.nodes().running().map(|(_, swim)| swim.membership().table().present_count()).collect();
    assert_eq!(agreed, [10; 10]);
}

#[test]
fn who_is_gone_for_good_is_forgotten_by_everybody() {
    let mut world = world(3, Config { retention: Span::secs(10), ..quick(10) });
    testing::run(&mut world, Span::secs(1));
    world.apply(Fault::Crash(N3));
    testing::run(&mut world, Span::secs(6));
    assert_eq!(beliefs(&world, N3), [(State::Dead, 9)].into());
    testing::run(&mut world, Span::secs(20));
    for second in 0..20 {
        assert_eq!(beliefs(&world, N3), [(State::Unknown, 9)].into(), "{second} s later");
        testing::run(&mut world, Span::secs(1));
    }
}

#[test]
fn members_that_know_nobody_join_through_a_few() {
    let config = Config { formation: Formation::Joining, ..quick(10) };
    let mut world = world(4, config);
    testing::run(&mut world, Span::secs(5));
    for (node, swim) in world.nodes().running() {
        assert_eq!(
            (swim.membership().standing(), swim.membership().table().present_count()),
            (Standing::Member, 10),
            "{node}"
        );
    }
}

#[test]
fn who_leaves_is_gone_and_may_come_back() {
    let ask = |wait, admin| (Span::millis(wait), Operation::Admin(admin));
    let script = Script(vec![
        ask(1_000, Admin::RemoveNode(N3)),
        (Span::secs(2), Operation::Members),
        ask(0, Admin::AddNode(N3)),
        (Span::secs(2), Operation::Members),
    ]);
    let mut world = world_of(5, 5, quick(5), vec![script]);
    testing::run(&mut world, Span::secs(12));
    let members = |nodes: &[u32]| Outcome::Members(nodes.iter().copied().map(NodeId::new).collect());
    let expected = [Outcome::Done, members(&[0, 1, 3, 4]), Outcome::Done, members(&[0, 1, 2, 3, 4])];
    assert_eq!(testing::clients::outcomes(&world), expected);
}

#[test]
fn who_has_left_stays_out_when_it_restarts() {
    let script = Script(vec![(Span::millis(500), Operation::Admin(Admin::RemoveNode(N3)))]);
    let mut world = world_of(6, 5, quick(5), vec![script]);
    testing::run(&mut world, Span::secs(3));
    world.apply(Fault::Crash(N3));
    world.apply(Fault::Restart(N3));
    testing::run(&mut world, Span::secs(3));
    assert_eq!(world.process(N3).map(|swim| swim.membership().standing()), Some(Standing::Left));
    assert_eq!(beliefs(&world, N3), [(State::Left, 4)].into());
}

#[test]
fn without_a_bad_link_helpers_are_not_needed_and_with_one_nobody_is_suspected() {
    let config = Config { accuracy: Accuracy::NoFalseSuspicions, ..quick(8) };
    let mut world = world(7, config);
    let node = |index| vec![sim_core::fault::Place::Node(NodeId::new(index))];
    world.apply(Fault::Cut { from: node(0), to: node(1), direction: sim_core::network::Direction::OneWay });
    testing::run(&mut world, Span::secs(20));
    assert_eq!(counter(&world, "suspicions"), 0);
}

#[test]
fn groups_agree_again_after_any_faults() {
    for seed in 0..12 {
        let order = if seed % 3 == 0 { ProbeOrder::Random } else { ProbeOrder::RoundRobin };
        let switch = |bit: u64| if seed >> bit & 1 == 0 { Switch::On } else { Switch::Off };
        let config = Config {
            probe_order: order,
            local_health: switch(0),
            confirmations: switch(1),
            buddy: switch(2),
            ..quick(7)
        };
        let mut world = world(seed, config);
        let source = sim_core::random::KeySource::new(seed);
        let mut stream = source.stream(sim_core::random::Purpose::Faults, 0, 0);
        for _ in 0..60 {
            let fault = faults::random_fault(&world, &mut stream, None);
            world.apply(fault);
            testing::run(&mut world, stream.span(Span::ZERO, Span::millis(400)));
        }
        world.apply(Fault::Recover);
        world.apply(Fault::HealAll);
        testing::run(&mut world, Span::secs(20));
        let all: Vec<NodeId> = (0..7).map(NodeId::new).collect();
        assert_eq!(Swim::disagreement(&world.nodes(), &all), None, "seed {seed}");
        assert_eq!(
            world.nodes().running().map(|(_, swim)| swim.membership().member_count()).min(),
            Some(7),
            "seed {seed}"
        );
    }
}

#[test]
fn impossible_parameters_are_refused() {
    let usual = || quick(3);
    assert_eq!(usual().validate(), Ok(()));
    assert_eq!(Config::new([N3]).validate(), Err(ConfigError::NoPeers(1)));
    let none = Config { gossip_interval: Span::ZERO, ..usual() };
    assert_eq!(none.validate(), Err(ConfigError::NoTime("gossip_interval")));
    let late = Config { probe_timeout: Span::secs(1), ..usual() };
    assert!(matches!(late.validate(), Err(ConfigError::TimeoutTooLong { .. })));
    let short = Config { suspicion_mult: 0, ..usual() };
    assert!(matches!(short.validate(), Err(ConfigError::SuspicionTooShort { .. })));
    let suspicion = Span::millis(2_400);
    let forgetful = |retention| Config { retention, ..usual() }.validate();
    assert_eq!(forgetful(suspicion), Ok(()));
    let retention = Span::millis(2_399);
    assert_eq!(forgetful(retention), Err(ConfigError::RetentionTooShort { retention, suspicion }));
    let silent = Config { retransmit_mult: 0, ..usual() };
    assert_eq!(silent.validate(), Err(ConfigError::NoCount("retransmit_mult")));
    assert_eq!(Config { packet_size: 39, ..usual() }.validate(), Err(ConfigError::PacketTooSmall(39)));
    assert_eq!(Config { packet_size: 40, ..usual() }.validate(), Ok(()));
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(8, quick(12));
    world.apply(Fault::Crash(N3));
    testing::run(&mut world, Span::millis(700));
    let mut copy = world.fork().expect("SWIM can be copied");
    testing::run(&mut world, Span::secs(5));
    testing::run(&mut copy, Span::secs(5));
    assert_eq!(world.digest(), copy.digest());
}

#[test]
fn a_member_that_hears_nobody_doubts_itself_only_so_far() {
    let mut world = world(9, quick(4));
    (1..4).for_each(|node| world.apply(Fault::Crash(NodeId::new(node))));
    testing::run(&mut world, Span::secs(20));
    let period = world.process(NodeId::new(0)).map(|swim| swim.membership().period());
    assert_eq!(period, Some(Span::millis(900)), "S is 8");
}

fn latency(world: &World<Swim>, name: &str) -> sim_core::metrics::LatencySummary {
    world.metrics().summary(world.now()).latencies.get(name).copied().unwrap_or_default()
}

#[test]
fn a_crash_is_detected_by_each_other_member_after_a_suspicion() {
    let mut world = world(10, quick(10));
    testing::run(&mut world, Span::secs(1));
    world.apply(Fault::Crash(N3));
    testing::run(&mut world, Span::secs(6));
    let detection = latency(&world, "detection");
    assert_eq!((detection.count, counter(&world, "detector-mistakes")), (9, 0));
    // A suspicion of ten members stands for four periods at least, and begins within two rounds of probes.
    assert!((Span::millis(400)..Span::millis(4_400)).contains(&detection.p50), "{detection:?}");
    world.apply(Fault::Restart(N3));
    testing::run(&mut world, Span::secs(3));
    assert_eq!(
        (latency(&world, "detection").count, counter(&world, "detector-mistakes")),
        (9, 0),
        "no mistake"
    );
}

#[test]
fn who_is_cut_off_is_taken_for_dead_by_mistake_until_it_is_heard_again() {
    let mut world = world(11, quick(10));
    testing::run(&mut world, Span::secs(1));
    let cut = faults::isolate_from_nodes(&world, N3);
    world.apply(cut);
    testing::run(&mut world, Span::secs(20));
    assert_eq!(latency(&world, "mistake").count, 0, "none has ended");
    world.apply(Fault::HealAll);
    testing::run(&mut world, Span::secs(15));
    let mistakes = latency(&world, "mistake");
    assert_eq!(
        (mistakes.count, counter(&world, "detector-mistakes")),
        (18, 18),
        "of it, and its own of the others"
    );
    assert_eq!(latency(&world, "detection").count, 0);
    let accuracy = world.metrics().summary(world.now()).ratios["query-accuracy"];
    // Of 90 pairs 18 are wrong for half of 36 seconds.
    assert!((850..950).contains(&accuracy), "{accuracy}");
}

#[test]
fn what_nobody_sends_in_a_configuration_is_a_panic_that_names_both() {
    use super::message::{Message, ProbeId, Updates, WantsNack};
    let takes = |config: Config, message: &Message| {
        let member = super::Membership::boot(config.into(), NodeId::new(0));
        std::panic::catch_unwind(|| member.refuse_impossible(NodeId::new(1), message))
    };
    let (probe, updates) = (ProbeId(7), Updates::NONE);
    let request =
        |target, wants_nack| Message::PingReq { probe, target, wants_nack, updates: updates.clone() };
    let off = || Config { local_health: Switch::Off, ..quick(3) };
    assert!(takes(quick(3), &request(N3, WantsNack::Yes)).is_ok());
    assert!(takes(off(), &request(N3, WantsNack::No)).is_ok());
    assert!(takes(quick(3), &Message::Nack { probe }).is_ok());
    for (config, message) in [
        (quick(3), request(N3, WantsNack::No)),
        (quick(3), request(NodeId::new(0), WantsNack::Yes)),
        (quick(3), request(NodeId::new(1), WantsNack::Yes)),
        (off(), Message::Nack { probe }),
        (Config { indirect_checks: 0, ..quick(3) }, Message::Nack { probe }),
        (quick(3), Message::Gossip(Updates::NONE)),
    ] {
        assert!(takes(config, &message).is_err(), "{message:?}");
    }
    let panic = takes(off(), &Message::Nack { probe }).expect_err("nobody asks for one");
    let text = panic.downcast_ref::<String>().map(String::as_str);
    assert_eq!(
        text,
        Some("n1, with 3 indirect checks and local health Off, was sent Nack { probe: ProbeId(7) } by n2")
    );
}
