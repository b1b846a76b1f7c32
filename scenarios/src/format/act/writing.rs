//! From the engine's command back to an act: what was drawn or done by hand, as somebody could have written it.

use sim_core::clock::ClockFault;
use sim_core::disk::{Corruption, CrashLoss, DiskFault, SlotAddress, SyncHonesty};
use sim_core::fault::{Command, LinkFault, MessageAct, Place, Shape, Target};
use sim_core::network::{Direction, PartitionId};
use sim_core::random;

use super::{Act, Harm, Loss, RecordAt, ShapeOf};
use crate::format::{LinkDirection, Somebody, Who};
use crate::text::units::{Asked, ClientName, MessageName, PointName, Ppm, Probability, SignedTime, Size};

impl Act {
    /// The act that stands for a command; `partition` gives the name of a partition's number. `None` for what scenarios
    /// have no word for: a disk that is slower by a fraction.
    pub fn of(command: &Command<Target>, partition: &dyn Fn(PartitionId) -> String) -> Option<Self> {
        let who = |target: &Target| Who(target.clone());
        Some(match command {
            Command::Crash(node) => Self::Crash(who(node)),
            Command::CrashLosing { node, loss } => {
                Self::CrashLosing { node: who(node), loss: loss_of(*loss) }
            }
            Command::CrashAfterEffect { node, effects } => {
                Self::CrashAfterEffect { node: who(node), effects: *effects }
            }
            Command::CrashAtPoint { node, point, nth } => {
                Self::CrashAtPoint { node: who(node), point: PointName::new(*point), nth: *nth }
            }
            Command::FireTimer { node, timer } => {
                Self::FireTimer { node: who(node), timer: PointName::new(*timer) }
            }
            Command::Restart(node) => Self::Restart(who(node)),
            Command::Pause(node) => Self::Pause(who(node)),
            Command::Resume(node) => Self::Resume(who(node)),
            Command::SlowDown { node, percent } => Self::SlowDown { node: who(node), percent: *percent },
            Command::Wipe(node) => Self::Wipe(who(node)),
            Command::Clock { node, fault } => writing_clock(who(node), *fault),
            Command::Disk { node, fault } => writing_disk(who(node), *fault)?,
            Command::Cut { from, to, direction } => {
                Self::Cut { from: all_of(from), to: all_of(to), direction: way(*direction) }
            }
            Command::Mend { from, to, direction } => {
                Self::Mend { from: all_of(from), to: all_of(to), direction: way(*direction) }
            }
            Command::Partition { name, shape } => {
                Self::Partition { name: partition(*name), shape: writing_shape(shape) }
            }
            Command::HealPartition(name) => Self::Heal(partition(*name)),
            Command::HealAll => Self::HealAll,
            Command::Link { from, to, fault } => writing_link(all_of(from), all_of(to), *fault),
            Command::AllLinks(fault) => writing_all_links(*fault),
            Command::Hold { from, to } => Self::Hold { from: all_of(from), to: all_of(to) },
            Command::Release { from, to } => Self::Release { from: all_of(from), to: all_of(to) },
            Command::Recover => Self::Recover,
            Command::Message { id, act } => writing_message(MessageName::new(*id), *act),
            Command::Issue { client, operation } => {
                Self::Issue { client: ClientName::new(*client), operation: Asked(operation.clone()) }
            }
        })
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

fn writing_disk(node: Who, fault: DiskFault) -> Option<Act> {
    let record = |at: SlotAddress| RecordAt { region: at.region.raw(), record: at.index };
    Some(match fault {
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
            if factor.denominator.get() != 1 {
                return None;
            }
            Act::DiskSlow { node, times: factor.numerator }
        }
        DiskFault::Stall => Act::DiskStall(node),
        DiskFault::Unstall => Act::DiskUnstall(node),
        DiskFault::Wipe => Act::Wipe(node),
    })
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
        MessageAct::Deliver => Act::DeliverMessage(message),
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
