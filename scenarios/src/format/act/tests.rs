//! That scenarios can write every command, and that each act is the command it says.

use proptest::prelude::*;
use sim_core::clock::ClockFault;
use sim_core::disk::{Corruption, CrashLoss, DiskFault, RegionId, SlotAddress, SyncHonesty};
use sim_core::fault::{Command, Generator, KINDS, LinkFault, MessageAct, Place, Rate, Shape, Target};
use sim_core::network::{Direction, PartitionId};
use sim_core::random::KeySource;
use sim_core::service::{Key, Operation, kv, lock, log, queue, transfer, txn};
use sim_core::{ClientId, Endpoint, MessageId, NodeId, SimTime, Span, random};

use super::*;
use crate::format::Timed;
use crate::load;
use crate::protocol::ProtocolTable;
use crate::text::units::Size;

const ADMIN: ClientId = ClientId::new(3);

/// The act that stands for a command. A command or fault that is new does not compile here: give it its act.
fn writing(command: &Command<Target>) -> Act {
    let who = |target: &Target| Who(target.clone());
    match command {
        Command::Crash(node) => Act::Crash(who(node)),
        Command::CrashLosing { node, loss } => Act::CrashLosing { node: who(node), loss: loss_of(*loss) },
        Command::CrashAfterEffect { node, effects } => {
            Act::CrashAfterEffect { node: who(node), effects: *effects }
        }
        Command::CrashAtPoint { node, point, nth } => {
            Act::CrashAtPoint { node: who(node), point: PointName::new(*point), nth: *nth }
        }
        Command::Restart(node) => Act::Restart(who(node)),
        Command::Pause(node) => Act::Pause(who(node)),
        Command::Resume(node) => Act::Resume(who(node)),
        Command::SlowDown { node, percent } => Act::SlowDown { node: who(node), percent: *percent },
        Command::Wipe(node) => Act::Wipe(who(node)),
        Command::Clock { node, fault } => writing_clock(who(node), *fault),
        Command::Disk { node, fault } => writing_disk(who(node), *fault),
        Command::Cut { from, to, direction } => {
            Act::Cut { from: all_of(from), to: all_of(to), direction: way(*direction) }
        }
        Command::Mend { from, to, direction } => {
            Act::Mend { from: all_of(from), to: all_of(to), direction: way(*direction) }
        }
        Command::Partition { name, shape } => {
            Act::Partition { name: name.raw().to_string(), shape: writing_shape(shape) }
        }
        Command::HealPartition(name) => Act::Heal(name.raw().to_string()),
        Command::HealAll => Act::HealAll,
        Command::Link { from, to, fault } => writing_link(all_of(from), all_of(to), *fault),
        Command::AllLinks(fault) => writing_all_links(*fault),
        Command::Hold { from, to } => Act::Hold { from: all_of(from), to: all_of(to) },
        Command::Release { from, to } => Act::Release { from: all_of(from), to: all_of(to) },
        Command::Recover => Act::Recover,
        Command::Message { id, act } => writing_message(MessageName::new(*id), *act),
        Command::Issue { client, operation } => {
            Act::Issue { client: ClientName::new(*client), operation: Asked(operation.clone()) }
        }
    }
}

fn loss_of(loss: CrashLoss) -> Loss {
    match loss {
        CrashLoss::All => Loss::All,
        CrashLoss::Prefix => Loss::Prefix,
        CrashLoss::TornLast => Loss::TornLast,
    }
}

fn writing_clock(node: Who, fault: ClockFault) -> Act {
    let ppm = |parts| Ppm::new(parts).expect("within what clocks take");
    match fault {
        ClockFault::Offset(nanos) => Act::ClockOffset { node, by: SignedTime::from_nanos(nanos) },
        ClockFault::Drift(parts) => Act::ClockDrift { node, rate: ppm(parts) },
        ClockFault::Step(nanos) => Act::ClockStep { node, by: SignedTime::from_nanos(nanos) },
        ClockFault::Strobe { amplitude, period } => {
            Act::ClockStrobe { node, amplitude: amplitude.into(), period: period.into() }
        }
        ClockFault::Freeze => Act::ClockFreeze(node),
        ClockFault::Thaw => Act::ClockThaw(node),
        ClockFault::Slew(parts) => {
            Act::ClockSlew { node, rate: ppm(i32::try_from(parts).expect("at most 500")) }
        }
        ClockFault::Heal => Act::ClockHeal(node),
    }
}

fn writing_disk(node: Who, fault: DiskFault) -> Act {
    let record = |at: SlotAddress| RecordAt { region: at.region.raw(), record: at.index };
    match fault {
        DiskFault::Corrupt { at, how } => {
            let how = match how {
                Corruption::Detected => Harm::Unreadable,
                Corruption::Undetected(draw) => Harm::Altered(draw),
            };
            Act::DiskCorrupt { node, at: record(at), how }
        }
        DiskFault::Misdirect { from, onto } => {
            Act::DiskMisdirect { node, from: from.raw(), onto: record(onto) }
        }
        DiskFault::Sync(SyncHonesty::Honest) => Act::DiskHonest(node),
        DiskFault::Sync(SyncHonesty::LyingFor(syncs)) => Act::DiskLieFor { node, syncs },
        DiskFault::Sync(SyncHonesty::Lying) => Act::DiskLie(node),
        DiskFault::RollBack { region, syncs } => Act::DiskRollBack { node, region: region.raw(), syncs },
        DiskFault::Capacity(bytes) => Act::DiskCapacity { node, size: bytes.map(Size::from_bytes) },
        DiskFault::Slow(factor) => {
            assert_eq!(factor.denominator.get(), 1, "scenarios slow disks down by whole numbers");
            Act::DiskSlow { node, times: factor.numerator }
        }
        DiskFault::Stall => Act::DiskStall(node),
        DiskFault::Unstall => Act::DiskUnstall(node),
        DiskFault::Wipe => Act::Wipe(node),
    }
}

fn writing_shape(shape: &Shape<Target>) -> ShapeOf {
    let nodes = |targets: &[Target]| targets.iter().cloned().map(Who).collect();
    match shape {
        Shape::Groups(groups) => ShapeOf::Groups(groups.iter().map(|group| all_of(group)).collect()),
        Shape::Isolate(alone) => ShapeOf::Isolate(all_of(alone)),
        Shape::RingOfMajorities => ShapeOf::RingOfMajorities,
        Shape::Bridge(node) => ShapeOf::Bridge(Who(node.clone())),
        Shape::OneWay { from, to } => ShapeOf::OneWay { from: nodes(from), to: nodes(to) },
    }
}

fn writing_link(from: Vec<Somebody>, to: Vec<Somebody>, fault: LinkFault) -> Act {
    match fault {
        LinkFault::Loss(likely) => Act::Lose { from, to, probability: exact(likely) },
        LinkFault::Duplicate(likely) => Act::Duplicate { from, to, probability: exact(likely) },
        LinkFault::Reorder { probability, extra } => {
            Act::Reorder { from, to, probability: exact(probability), extra: extra.into() }
        }
        LinkFault::LatencyPercent(percent) => Act::Delay { from, to, percent },
    }
}

fn writing_all_links(fault: LinkFault) -> Act {
    match fault {
        LinkFault::Loss(likely) => Act::LoseEverywhere { probability: exact(likely) },
        LinkFault::Duplicate(likely) => Act::DuplicateEverywhere { probability: exact(likely) },
        LinkFault::Reorder { probability, extra } => {
            Act::ReorderEverywhere { probability: exact(probability), extra: extra.into() }
        }
        LinkFault::LatencyPercent(percent) => Act::DelayEverywhere { percent },
    }
}

fn writing_message(message: MessageName, act: MessageAct) -> Act {
    match act {
        MessageAct::Drop => Act::DropMessage(message),
        MessageAct::Delay(by) => Act::DelayMessage { message, by: by.into() },
        MessageAct::Duplicate => Act::DuplicateMessage(message),
    }
}

fn exact(likely: Option<random::Probability>) -> Option<Probability> {
    likely.map(|likely| likely.to_string().parse().expect("a probability reads back"))
}

fn all_of(places: &[Place<Target>]) -> Vec<Somebody> {
    places.iter().cloned().map(Somebody).collect()
}

fn way(direction: Direction) -> LinkDirection {
    match direction {
        Direction::OneWay => LinkDirection::OneWay,
        Direction::BothWays => LinkDirection::BothWays,
    }
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
    scenario.faults.timed = vec![Timed { at, when: None, act: act.clone(), undo_after: None, undo: None }];
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
        region_count: 3,
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
