//! From an act to the engine's command.

use sim_core::ClientId;
use sim_core::clock::ClockFault;
use sim_core::disk::{DiskFault, RegionId, SlowFactor, SyncHonesty};
use sim_core::fault::{Command, LinkFault, MessageAct, Target};
use sim_core::network::PartitionId;
use sim_core::service::Operation;

use super::Act;
use super::shape::places;
use crate::text::units::{Probability, Size};

impl Act {
    /// The engine's command; `partition` gives the number of a partition's name, and `admin` is who asks.
    pub fn command(&self, partition: &dyn Fn(&str) -> PartitionId, admin: ClientId) -> Command<Target> {
        match self {
            Self::Ask(request) => {
                Command::Issue { client: admin, operation: Operation::Admin(request.admin()) }
            }
            Self::Partition { name, shape } => {
                Command::Partition { name: partition(name), shape: shape.shape() }
            }
            Self::Heal(name) => Command::HealPartition(partition(name)),
            Self::HealAll => Command::HealAll,
            Self::DropMessage(message) => Command::Message { id: message.id(), act: MessageAct::Drop },
            Self::DelayMessage { message, by } => {
                Command::Message { id: message.id(), act: MessageAct::Delay(by.span()) }
            }
            Self::DuplicateMessage(message) => {
                Command::Message { id: message.id(), act: MessageAct::Duplicate }
            }
            Self::DeliverMessage(message) => Command::Message { id: message.id(), act: MessageAct::Deliver },
            Self::Issue { client, operation } => {
                Command::Issue { client: client.id(), operation: operation.0.clone() }
            }
            Self::Recover => Command::Recover,
            Self::Crash(_)
            | Self::CrashLosing { .. }
            | Self::CrashAfterEffect { .. }
            | Self::CrashAtPoint { .. }
            | Self::FireTimer { .. }
            | Self::Restart(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::SlowDown { .. }
            | Self::Wipe(_) => self.host_command(),
            Self::ClockStep { .. }
            | Self::ClockSlew { .. }
            | Self::ClockOffset { .. }
            | Self::ClockDrift { .. }
            | Self::ClockStrobe { .. }
            | Self::ClockFreeze(_)
            | Self::ClockThaw(_)
            | Self::ClockHeal(_) => self.clock_command(),
            Self::DiskCapacity { .. }
            | Self::DiskSlow { .. }
            | Self::DiskStall(_)
            | Self::DiskUnstall(_)
            | Self::DiskLie(_)
            | Self::DiskHonest(_)
            | Self::DiskLieFor { .. }
            | Self::DiskCorrupt { .. }
            | Self::DiskMisdirect { .. }
            | Self::DiskRollBack { .. } => self.disk_command(),
            Self::Cut { .. }
            | Self::Mend { .. }
            | Self::Lose { .. }
            | Self::LoseEverywhere { .. }
            | Self::Delay { .. }
            | Self::DelayEverywhere { .. }
            | Self::Duplicate { .. }
            | Self::DuplicateEverywhere { .. }
            | Self::Reorder { .. }
            | Self::ReorderEverywhere { .. }
            | Self::Hold { .. }
            | Self::Release { .. } => self.link_command(),
        }
    }

    fn host_command(&self) -> Command<Target> {
        match self {
            Self::Crash(node) => Command::Crash(node.0.clone()),
            Self::CrashLosing { node, loss } => {
                Command::CrashLosing { node: node.0.clone(), loss: loss.crash_loss() }
            }
            Self::CrashAfterEffect { node, effects } => {
                Command::CrashAfterEffect { node: node.0.clone(), effects: *effects }
            }
            Self::CrashAtPoint { node, point, nth } => {
                Command::CrashAtPoint { node: node.0.clone(), point: point.name(), nth: *nth }
            }
            Self::FireTimer { node, timer } => {
                Command::FireTimer { node: node.0.clone(), timer: timer.name() }
            }
            Self::Restart(node) => Command::Restart(node.0.clone()),
            Self::Pause(node) => Command::Pause(node.0.clone()),
            Self::Resume(node) => Command::Resume(node.0.clone()),
            Self::SlowDown { node, percent } => Command::SlowDown { node: node.0.clone(), percent: *percent },
            Self::Wipe(node) => Command::Wipe(node.0.clone()),
            other => unreachable!("{other:?} is no act on a host"),
        }
    }

    fn clock_command(&self) -> Command<Target> {
        let (node, fault) = match self {
            Self::ClockStep { node, by } => (node, ClockFault::Step(by.as_nanos())),
            Self::ClockOffset { node, by } => (node, ClockFault::Offset(by.as_nanos())),
            Self::ClockDrift { node, rate } => (node, ClockFault::Drift(rate.parts())),
            Self::ClockSlew { node, rate } => (node, ClockFault::Slew(rate.parts().unsigned_abs())),
            Self::ClockStrobe { node, amplitude, period } => {
                (node, ClockFault::Strobe { amplitude: amplitude.span(), period: period.span() })
            }
            Self::ClockFreeze(node) => (node, ClockFault::Freeze),
            Self::ClockThaw(node) => (node, ClockFault::Thaw),
            Self::ClockHeal(node) => (node, ClockFault::Heal),
            other => unreachable!("{other:?} is no act on a clock"),
        };
        Command::Clock { node: node.0.clone(), fault }
    }

    fn disk_command(&self) -> Command<Target> {
        let (node, fault) = match self {
            Self::DiskCapacity { node, size } => (node, DiskFault::Capacity(size.map(Size::bytes))),
            Self::DiskSlow { node, times } => (node, DiskFault::Slow(SlowFactor::times(*times))),
            Self::DiskStall(node) => (node, DiskFault::Stall),
            Self::DiskUnstall(node) => (node, DiskFault::Unstall),
            Self::DiskLie(node) => (node, DiskFault::Sync(SyncHonesty::Lying)),
            Self::DiskLieFor { node, syncs } => (node, DiskFault::Sync(SyncHonesty::LyingFor(*syncs))),
            Self::DiskHonest(node) => (node, DiskFault::Sync(SyncHonesty::Honest)),
            Self::DiskRollBack { node, region, syncs } => {
                (node, DiskFault::RollBack { region: RegionId::new(*region), syncs: *syncs })
            }
            Self::DiskCorrupt { node, at, how } => {
                (node, DiskFault::Corrupt { at: at.address(), how: how.corruption() })
            }
            Self::DiskMisdirect { node, from, onto } => {
                (node, DiskFault::Misdirect { from: RegionId::new(*from), onto: onto.address() })
            }
            other => unreachable!("{other:?} is no act on a disk"),
        };
        Command::Disk { node: node.0.clone(), fault }
    }

    fn link_command(&self) -> Command<Target> {
        match self {
            Self::Cut { from, to, direction } => {
                Command::Cut { from: places(from), to: places(to), direction: direction.direction() }
            }
            Self::Mend { from, to, direction } => {
                Command::Mend { from: places(from), to: places(to), direction: direction.direction() }
            }
            Self::Hold { from, to } => Command::Hold { from: places(from), to: places(to) },
            Self::Release { from, to } => Command::Release { from: places(from), to: places(to) },
            Self::Lose { from, to, .. }
            | Self::Delay { from, to, .. }
            | Self::Duplicate { from, to, .. }
            | Self::Reorder { from, to, .. } => {
                Command::Link { from: places(from), to: places(to), fault: self.link_fault() }
            }
            everywhere => Command::AllLinks(everywhere.link_fault()),
        }
    }

    fn link_fault(&self) -> LinkFault {
        let exact = |given: &Option<Probability>| given.map(Probability::probability);
        match self {
            Self::Lose { probability, .. } | Self::LoseEverywhere { probability } => {
                LinkFault::Loss(exact(probability))
            }
            Self::Delay { percent, .. } | Self::DelayEverywhere { percent } => {
                LinkFault::LatencyPercent(*percent)
            }
            Self::Duplicate { probability, .. } | Self::DuplicateEverywhere { probability } => {
                LinkFault::Duplicate(exact(probability))
            }
            Self::Reorder { probability, extra, .. } | Self::ReorderEverywhere { probability, extra } => {
                LinkFault::Reorder { probability: exact(probability), extra: extra.span() }
            }
            other => unreachable!("{other:?} is no act on links"),
        }
    }
}
