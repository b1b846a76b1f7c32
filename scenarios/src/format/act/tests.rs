//! That scenarios can write every command, and that each act is the command it says.

use proptest::prelude::*;
use sim_core::clock::ClockFault;
use sim_core::disk::{Corruption, DiskFault, RegionId, SlotAddress, SyncHonesty};
use sim_core::fault::{Command, Generator, KINDS, LinkFault, MessageAct, Place, Rate, Shape, Sites, Target};
use sim_core::network::PartitionId;
use sim_core::random::KeySource;
use sim_core::service::{Key, Operation, kv, lock, log, queue, transfer, txn};
use sim_core::{ClientId, Endpoint, MessageId, NodeId, SimTime, Span, random};

use super::*;
use crate::format::Timed;
use crate::load;
use crate::protocol::ProtocolTable;

const ADMIN: ClientId = ClientId::new(3);

/// The act that stands for a command, partitions being named by their numbers.
fn writing(command: &Command<Target>) -> Act {
    Act::of(command, &|partition| partition.raw().to_string()).expect("what tests make can be written")
}

/// What an act means, partitions being named by their numbers.
fn meaning(act: &Act) -> Command<Target> {
    act.command(&|name| PartitionId::new(name.parse().expect("a number")), ADMIN)
}

/// The act as a scenario of five nodes and four clients says it, read back.
fn read_back(act: &Act) -> Act {
    let text = "Scenario(format_version: 1, name: \"t\", protocol: Raft(), clients: (admins: 1), \
                zones: {\"east\": \"n1, n2, n3\"}, racks: {\"r1\": \"n1, n2\"})";
    let mut scenario = read(text);
    scenario.nodes = 7;
    let at = Some(Span::secs(1).into());
    scenario.faults.timed =
        vec![Timed { at, when: None, before: None, act: act.clone(), undo_after: None, undo: None }];
    read(&scenario.to_text()).faults.timed.remove(0).act
}

fn read(text: &str) -> crate::Scenario {
    let loaded = load("t.ron", text.as_bytes(), &[], &ProtocolTable::builtin());
    loaded.unwrap_or_else(|error| panic!("{error}\n{text}")).scenario
}

#[track_caller]
fn assert_writable(command: &Command<Target>) {
    let act = writing(command);
    assert_eq!(read_back(&act), act, "`{command}` is written otherwise than it is read");
    let meant = meaning(&act);
    // The disk has two names for one thing.
    if let Command::Disk { node, fault: DiskFault::Wipe } = command {
        return assert_eq!(meant, Command::Wipe(node.clone()));
    }
    assert_eq!(meant, *command, "`{command}` has an act that means something else");
}

#[test]
fn whatever_is_drawn_can_be_written_in_a_scenario() {
    let nodes: Vec<NodeId> = (0..5).map(NodeId::new).collect();
    let generator = Generator {
        kinds: KINDS.iter().map(|kind| (*kind, Rate::new(1, Span::secs(2)))).collect(),
        spares: vec![NodeId::new(5), NodeId::new(6)],
        domains: vec![nodes[..2].to_vec()],
        client_count: 3,
        admin_count: 1,
        sites: Sites { region_count: 3, timers: &["election"], points: &["before-apply"] },
        concurrent_max: 100,
        gap: Span::ZERO,
        down_max: 5,
        ..Generator::new(nodes, SimTime::ZERO + Span::secs(20))
    };
    let mut names = std::collections::BTreeSet::new();
    for seed in 0..3 {
        for entry in generator.plan(&KeySource::new(seed)).entries() {
            names.insert(entry.command.name());
            assert_writable(&entry.command);
        }
    }
    assert!(names.len() >= 15, "few kinds of commands came up: {names:?}");
}

#[test]
fn commands_that_are_never_drawn_can_be_written_too() {
    let node = |number: u32| NodeId::new(number - 1);
    let target = |text: &str| text.parse::<Target>().expect("a target");
    let clock = |fault| Command::Clock { node: target("rack(r1)"), fault };
    let disk = |fault| Command::Disk { node: target("zone(east)"), fault };
    let places = |text: &str| vec![Place::Node(target(text)), Place::Client(ClientId::new(1))];
    let link = |fault| Command::Link { from: places("leader"), to: places("all"), fault };
    let at = SlotAddress { region: RegionId::new(1), index: 7 };
    let share = random::Probability::from_ratio(1, 8).ok();
    let message = |from: Endpoint, act| {
        let id = MessageId { from, to: node(3).into(), ordinal: 17 };
        Command::Message { id, act }
    };
    let commands = [
        Command::CrashAtPoint { node: target("all"), point: "before-apply".parse().expect("a name"), nth: 3 },
        Command::FireTimer { node: target("leader"), timer: "heartbeat".parse().expect("a name") },
        Command::HealAll,
        Command::Recover,
        Command::Wipe(target("any-down")),
        clock(ClockFault::Slew(500)),
        clock(ClockFault::Offset(-1_500_000)),
        clock(ClockFault::Thaw),
        disk(DiskFault::Corrupt { at, how: Corruption::Detected }),
        disk(DiskFault::Corrupt { at, how: Corruption::Undetected(u64::MAX) }),
        disk(DiskFault::Misdirect { from: RegionId::new(2), onto: at }),
        disk(DiskFault::Sync(SyncHonesty::LyingFor(3))),
        disk(DiskFault::Sync(SyncHonesty::Honest)),
        disk(DiskFault::Capacity(Some(4097))),
        disk(DiskFault::Wipe),
        link(LinkFault::Duplicate(share)),
        link(LinkFault::Reorder { probability: share, extra: Span::millis(20) }),
        link(LinkFault::Reorder { probability: None, extra: Span::ZERO }),
        Command::AllLinks(LinkFault::Duplicate(share)),
        Command::AllLinks(LinkFault::Loss(None)),
        Command::AllLinks(LinkFault::LatencyPercent(50)),
        Command::AllLinks(LinkFault::Reorder { probability: share, extra: Span::millis(20) }),
        message(node(1).into(), MessageAct::Drop),
        message(ClientId::new(0).into(), MessageAct::Duplicate),
        message(node(2).into(), MessageAct::Delay(Span::micros(1_500))),
        message(node(2).into(), MessageAct::Deliver),
        Command::Issue {
            client: ClientId::new(2),
            operation: Operation::Kv(kv::Operation::Write(Key(1), 7)),
        },
        Command::Partition {
            name: PartitionId::new(4),
            shape: Shape::Groups(vec![places("zone(east)"), places("majority")]),
        },
        Command::Partition { name: PartitionId::new(4), shape: Shape::RingOfMajorities },
    ];
    commands.iter().for_each(assert_writable);
}

#[test]
fn the_opposite_of_an_act_on_a_failure_domain_is_on_that_domain() {
    let opposite = |act: &str| {
        let act: Act = ron::from_str(act).expect("an act");
        format!("{:?}", act.opposite().map(|act| meaning(&act).to_string()))
    };
    assert_eq!(opposite("Crash(\"rack(r1)\")"), "Some(\"restart rack(r1)\")");
    assert_eq!(opposite("Pause(\"zone(east)\")"), "Some(\"resume zone(east)\")");
    assert_eq!(opposite("Crash(\"leader\")"), "Some(\"restart any-down\")", "it may be anybody by then");
    assert_eq!(opposite("Crash(\"minority\")"), "Some(\"restart all-down\")", "several are down");
    let cut = "Cut(from: [\"rack(r1)\"], to: [\"leader\"])";
    assert_eq!(opposite(cut), "Some(\"mend rack(r1)<->all\")");
}

fn any_operation() -> impl Strategy<Value = Operation> {
    let key = || (0..9_u32).prop_map(Key);
    let step = prop_oneof![
        (key(), any::<u64>()).prop_map(|(key, value)| txn::Step::Append(key, value)),
        key().prop_map(txn::Step::Read),
    ];
    prop_oneof![
        any::<u64>().prop_map(Operation::Echo),
        Just(Operation::UniqueId),
        Just(Operation::Members),
        any::<i64>()
            .prop_map(|amount| Operation::Counter(sim_core::service::counter::Operation::Add(amount))),
        any::<u64>().prop_map(|value| Operation::Set(sim_core::service::set::Operation::Add(value))),
        any::<u64>()
            .prop_map(|value| Operation::Broadcast(sim_core::service::broadcast::Operation::Send(value))),
        Just(Operation::Broadcast(sim_core::service::broadcast::Operation::Read)),
        (key(), any::<u64>()).prop_map(|(key, value)| Operation::Kv(kv::Operation::Write(key, value))),
        (key(), any::<u64>(), any::<u64>()).prop_map(|(key, expected, value)| {
            Operation::Kv(kv::Operation::CompareAndSet { key, expected, value })
        }),
        key().prop_map(|key| Operation::Kv(kv::Operation::Delete(key))),
        any::<u64>().prop_map(|receipt| Operation::Queue(queue::Operation::Acknowledge { receipt })),
        Just(Operation::Queue(queue::Operation::Dequeue)),
        any::<u64>().prop_map(|receipt| Operation::Queue(queue::Operation::Return { receipt })),
        Just(Operation::Queue(queue::Operation::Redrive)),
        (0..9_u32, any::<u64>())
            .prop_map(|(partition, offset)| Operation::Log(log::Operation::Commit { partition, offset })),
        (0..9_u32, any::<u64>())
            .prop_map(|(partition, value)| Operation::Log(log::Operation::Append { partition, value })),
        any::<u64>().prop_map(|token| Operation::Lock(lock::Operation::Release { token })),
        (0..9_u32, 0..9_u32, any::<u64>()).prop_map(|(from, to, amount)| {
            Operation::Transfer(transfer::Operation::Move { from, to, amount })
        }),
        prop::collection::vec(step, 0..4).prop_map(|steps| Operation::Txn(steps.into())),
        (0..9_u32).prop_map(|node| Operation::Admin(sim_core::service::Admin::AddNode(NodeId::new(node)))),
        (0..9_u32, 0..9_u32).prop_map(|(remove, add)| {
            let (remove, add) = (NodeId::new(remove), NodeId::new(add));
            Operation::Admin(sim_core::service::Admin::ReplaceNode { remove, add })
        }),
        Just(Operation::Admin(sim_core::service::Admin::Snapshot)),
    ]
}

proptest! {
    #[test]
    fn what_a_client_asks_reads_back_as_it_is_printed(operation in any_operation()) {
        let asked = Asked(operation);
        prop_assert_eq!(asked.to_string().parse::<Asked>(), Ok(asked));
    }

    #[test]
    fn a_message_reads_back_as_it_is_printed(from in 0..9_u32, to in 0..9_u32, ordinal: u32) {
        let id = MessageId { from: ClientId::new(from).into(), to: NodeId::new(to).into(), ordinal };
        prop_assert_eq!(id.to_string().parse::<MessageName>(), Ok(MessageName::new(id)));
    }

    #[test]
    fn a_mangled_operation_is_refused_or_means_what_it_prints(text in "[a-z]{1,9} [a-z0-9 ,=>@\\[-]{0,12}") {
        match text.parse::<Asked>() {
            Ok(asked) => prop_assert_eq!(asked.to_string().parse::<Asked>(), Ok(asked)),
            Err(error) => prop_assert!(error.problem.contains(&text), "{}", error),
        }
    }
}
