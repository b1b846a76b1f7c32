//! One act on a running world, as scenarios write it.
//!
//! The engine's commands name partitions by number and times in nanoseconds; here they have names and units.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::clock::ClockFault;
use sim_core::disk::{DiskFault, RegionId, SlowFactor, SyncHonesty};
use sim_core::fault::{Command, LinkFault, Place, Shape, Target};
use sim_core::network::PartitionId;
use sim_core::service::{Admin, Operation};
use sim_core::{ClientId, NodeId};

use super::{LinkDirection, Somebody, Who};
use crate::text::units::{NodeName, Ppm, Probability, SignedTime, Size, Time};

/// What happens. Nodes are `n3` or a role such as `leader`; where places are asked for, clients such as `c1` too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Act {
    /// The node stops at once; writes that were not synced are lost.
    Crash(Who),
    /// Like `Crash`, but not all writes that were not synced need be lost.
    CrashLosing {
        /// Which node.
        node: Who,
        /// What is lost.
        loss: Loss,
    },
    /// The node crashes in its next handler, after so many of its effects.
    CrashAfterEffect {
        /// Which node.
        node: Who,
        /// How many effects still happen.
        effects: u32,
    },
    /// A node that is down starts on what its disk kept.
    Restart(Who),
    /// The process gets no processor; inputs wait (a long collection).
    Pause(Who),
    /// A paused process goes on.
    Resume(Who),
    /// Everything takes so many percent of its usual time.
    SlowDown {
        /// Which node.
        node: Who,
        /// At least 100, the usual speed.
        percent: u32,
    },
    /// The disk is emptied; a node that is up crashes first.
    Wipe(Who),
    /// The wall clock jumps.
    ClockStep {
        /// Which node.
        node: Who,
        /// Forward, or below 0 back.
        by: SignedTime,
    },
    /// The wall clock is set to true time plus this.
    ClockOffset {
        /// Which node.
        node: Who,
        /// Ahead, or below 0 behind.
        by: SignedTime,
    },
    /// Both clocks run fast, or below 0 slow: -500000ppm to 500000ppm.
    ClockDrift {
        /// Which node.
        node: Who,
        /// By how much.
        rate: Ppm,
    },
    /// The wall clock flips between ahead and behind.
    ClockStrobe {
        /// Which node.
        node: Who,
        /// How far; `0s` ends it.
        amplitude: Time,
        /// Time between two flips, above 0.
        period: Time,
    },
    /// Both clocks stand still.
    ClockFreeze(Who),
    /// Frozen clocks go on.
    ClockThaw(Who),
    /// Clocks are well again.
    ClockHeal(Who),
    /// Writes beyond this many bytes fail; without `size` any amount fits.
    DiskCapacity {
        /// Which node.
        node: Who,
        /// How much fits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<Size>,
    },
    /// Syncs take so many times as long; 1 is the usual time.
    DiskSlow {
        /// Which node.
        node: Who,
        /// At least 1.
        times: u32,
    },
    /// Syncs don't complete.
    DiskStall(Who),
    /// A stalled disk goes on.
    DiskUnstall(Who),
    /// Syncs complete without making anything durable. Beyond what crash-fault protocols survive.
    DiskLie(Who),
    /// Syncs tell the truth again.
    DiskHonest(Who),
    /// A region of the disk goes back by so many syncs. Beyond what crash-fault protocols survive.
    DiskRollBack {
        /// Which node.
        node: Who,
        /// The region, from 0.
        region: u8,
        /// How many syncs.
        syncs: u32,
    },
    /// Messages from the first to the second are dropped.
    Cut {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
        /// Default `BothWays`.
        #[serde(default)]
        direction: LinkDirection,
    },
    /// Takes cuts back.
    Mend {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
        /// Default `BothWays`.
        #[serde(default)]
        direction: LinkDirection,
    },
    /// Splits the network; one of the same name is replaced.
    Partition {
        /// What `Heal` calls it.
        name: String,
        /// Who is apart from whom.
        shape: ShapeOf,
    },
    /// Takes the partition of this name back.
    Heal(String),
    /// Takes back every cut, partition, hold and change of links.
    HealAll,
    /// Messages from the first to the second are lost with this probability; without it as the network says.
    Lose {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
        /// How likely.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<Probability>,
    },
    /// All messages are lost with this probability; without it as the network says.
    LoseEverywhere {
        /// How likely.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<Probability>,
    },
    /// Messages from the first to the second take so many percent of their usual time.
    Delay {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
        /// 100 is as the network says.
        percent: u32,
    },
    /// All messages take so many percent of their usual time.
    DelayEverywhere {
        /// 100 is as the network says.
        percent: u32,
    },
    /// Messages from the first to the second wait until `Release`.
    Hold {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
    },
    /// What was held arrives in a burst.
    Release {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
    },
    /// An administrator asks the cluster for something: the first of `clients: (admins: …)`, or the first client where
    /// there is none. It asks one thing after another. Protocols without such a thing refuse.
    Ask(Request),
    /// Everything is well again; nodes that are down restart.
    Recover,
}

/// What an administrator asks for. Nodes are named; roles are not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Request {
    /// Make this node a member. A spare must be started first.
    AddNode(NodeName),
    /// Make this node no member.
    RemoveNode(NodeName),
    /// Make this node a learner: it gets everything and decides nothing.
    AddLearner(NodeName),
    /// Make both of these nodes members, in one change.
    AddNodes(NodeName, NodeName),
    /// Make one node a member in the place of another, in one change.
    ReplaceNode {
        /// Who goes.
        remove: NodeName,
        /// Who comes.
        add: NodeName,
    },
    /// Leave a joint membership that is not left by itself.
    LeaveJoint,
    /// Let this node lead.
    TransferLeadership(NodeName),
    /// Follow nobody until a leader is heard of again.
    ForgetLeader,
    /// Take a snapshot and compact now.
    Snapshot,
}

/// What a crash does to writes that were not synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Loss {
    /// All are lost.
    #[default]
    All,
    /// Those before a drawn point survive.
    Prefix,
    /// Those before a drawn point survive, and the next one is torn.
    TornLast,
}

/// Who is apart from whom. Clients reach everybody unless named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ShapeOf {
    /// Members of different groups don't reach each other; nodes in no group form one more.
    Groups(Vec<Vec<Somebody>>),
    /// Each of these is alone.
    Isolate(Vec<Somebody>),
    /// Every node reaches a majority, and no two the same one.
    RingOfMajorities,
    /// Two halves that only reach each other by this node.
    Bridge(Who),
    /// The first don't reach the second; the way back is open.
    OneWay {
        /// The senders.
        from: Vec<Who>,
        /// The receivers.
        to: Vec<Who>,
    },
}

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
            Self::Recover => Command::Recover,
            Self::Crash(_)
            | Self::CrashLosing { .. }
            | Self::CrashAfterEffect { .. }
            | Self::Restart(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::SlowDown { .. }
            | Self::Wipe(_) => self.host_command(),
            Self::ClockStep { .. }
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
            | Self::DiskRollBack { .. } => self.disk_command(),
            Self::Cut { .. }
            | Self::Mend { .. }
            | Self::Lose { .. }
            | Self::LoseEverywhere { .. }
            | Self::Delay { .. }
            | Self::DelayEverywhere { .. }
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
            Self::DiskHonest(node) => (node, DiskFault::Sync(SyncHonesty::Honest)),
            Self::DiskRollBack { node, region, syncs } => {
                (node, DiskFault::RollBack { region: RegionId::new(*region), syncs: *syncs })
            }
            other => unreachable!("{other:?} is no act on a disk"),
        };
        Command::Disk { node: node.0.clone(), fault }
    }

    fn link_command(&self) -> Command<Target> {
        let loss = |given: &Option<Probability>| LinkFault::Loss(given.map(Probability::probability));
        match self {
            Self::Cut { from, to, direction } => {
                Command::Cut { from: places(from), to: places(to), direction: direction.direction() }
            }
            Self::Mend { from, to, direction } => {
                Command::Mend { from: places(from), to: places(to), direction: direction.direction() }
            }
            Self::Lose { from, to, probability } => {
                Command::Link { from: places(from), to: places(to), fault: loss(probability) }
            }
            Self::LoseEverywhere { probability } => Command::AllLinks(loss(probability)),
            Self::Delay { from, to, percent } => {
                let fault = LinkFault::LatencyPercent(*percent);
                Command::Link { from: places(from), to: places(to), fault }
            }
            Self::DelayEverywhere { percent } => Command::AllLinks(LinkFault::LatencyPercent(*percent)),
            Self::Hold { from, to } => Command::Hold { from: places(from), to: places(to) },
            Self::Release { from, to } => Command::Release { from: places(from), to: places(to) },
            other => unreachable!("{other:?} is no act on links"),
        }
    }

    /// The act that takes this one back. A role may fall to another node until then, so the opposite of an act on a
    /// role is on all nodes it could have been; `None` where there is no such act.
    pub fn opposite(&self) -> Option<Self> {
        let all = |node: &Who| Who(if node.0.node().is_some() { node.0.clone() } else { Target::All });
        let down = |node: &Who| Who(if node.0.node().is_some() { node.0.clone() } else { Target::AnyDown });
        Some(match self {
            Self::Crash(node) | Self::CrashLosing { node, .. } | Self::CrashAfterEffect { node, .. } => {
                Self::Restart(down(node))
            }
            Self::Pause(node) => Self::Resume(all(node)),
            Self::SlowDown { node, .. } => Self::SlowDown { node: all(node), percent: 100 },
            Self::ClockDrift { node, .. }
            | Self::ClockStrobe { node, .. }
            | Self::ClockOffset { node, .. } => Self::ClockHeal(all(node)),
            Self::ClockFreeze(node) => Self::ClockThaw(all(node)),
            Self::DiskCapacity { node, .. } => Self::DiskCapacity { node: all(node), size: None },
            Self::DiskSlow { node, .. } => Self::DiskSlow { node: all(node), times: 1 },
            Self::DiskStall(node) => Self::DiskUnstall(all(node)),
            Self::DiskLie(node) => Self::DiskHonest(all(node)),
            Self::Partition { name, .. } => Self::Heal(name.clone()),
            Self::Cut { from, to, direction } => {
                let (from, to) = (everybody(from), everybody(to));
                Self::Mend { from, to, direction: *direction }
            }
            Self::Lose { from, to, .. } => {
                Self::Lose { from: everybody(from), to: everybody(to), probability: None }
            }
            Self::LoseEverywhere { .. } => Self::LoseEverywhere { probability: None },
            Self::Delay { from, to, .. } => {
                Self::Delay { from: everybody(from), to: everybody(to), percent: 100 }
            }
            Self::DelayEverywhere { .. } => Self::DelayEverywhere { percent: 100 },
            Self::Hold { from, to } => Self::Release { from: everybody(from), to: everybody(to) },
            Self::Ask(request) => Self::Ask(request.opposite()?),
            Self::Restart(_)
            | Self::Resume(_)
            | Self::Wipe(_)
            | Self::ClockStep { .. }
            | Self::ClockThaw(_)
            | Self::ClockHeal(_)
            | Self::DiskUnstall(_)
            | Self::DiskHonest(_)
            | Self::DiskRollBack { .. }
            | Self::Mend { .. }
            | Self::Heal(_)
            | Self::HealAll
            | Self::Release { .. }
            | Self::Recover => return None,
        })
    }

    /// The name of the partition that is made or healed.
    pub fn partition_name(&self) -> Option<&str> {
        match self {
            Self::Partition { name, .. } | Self::Heal(name) => Some(name),
            _ => None,
        }
    }
}

impl Request {
    /// The operation.
    pub fn admin(self) -> Admin {
        match self {
            Self::AddNode(node) => Admin::AddNode(node.id()),
            Self::RemoveNode(node) => Admin::RemoveNode(node.id()),
            Self::AddLearner(node) => Admin::AddLearner(node.id()),
            Self::AddNodes(one, other) => Admin::AddNodes(one.id(), other.id()),
            Self::ReplaceNode { remove, add } => Admin::ReplaceNode { remove: remove.id(), add: add.id() },
            Self::LeaveJoint => Admin::LeaveJoint,
            Self::TransferLeadership(node) => Admin::TransferLeadership(node.id()),
            Self::ForgetLeader => Admin::ForgetLeader,
            Self::Snapshot => Admin::Snapshot,
        }
    }

    /// The nodes that it names.
    pub fn nodes(self) -> Vec<NodeId> {
        match self {
            Self::AddNode(node)
            | Self::RemoveNode(node)
            | Self::AddLearner(node)
            | Self::TransferLeadership(node) => vec![node.id()],
            Self::AddNodes(one, other) | Self::ReplaceNode { remove: one, add: other } => {
                vec![one.id(), other.id()]
            }
            Self::LeaveJoint | Self::ForgetLeader | Self::Snapshot => Vec::new(),
        }
    }

    /// What takes it back, in one request; `None` where there is no such request.
    fn opposite(self) -> Option<Self> {
        match self {
            Self::AddNode(node) | Self::AddLearner(node) => Some(Self::RemoveNode(node)),
            Self::RemoveNode(node) => Some(Self::AddNode(node)),
            Self::ReplaceNode { remove, add } => Some(Self::ReplaceNode { remove: add, add: remove }),
            Self::AddNodes(..)
            | Self::LeaveJoint
            | Self::TransferLeadership(_)
            | Self::ForgetLeader
            | Self::Snapshot => None,
        }
    }
}

impl ShapeOf {
    fn shape(&self) -> Shape<Target> {
        match self {
            Self::Groups(groups) => Shape::Groups(groups.iter().map(|group| places(group)).collect()),
            Self::Isolate(alone) => Shape::Isolate(places(alone)),
            Self::RingOfMajorities => Shape::RingOfMajorities,
            Self::Bridge(node) => Shape::Bridge(node.0.clone()),
            Self::OneWay { from, to } => {
                let targets = |nodes: &[Who]| nodes.iter().map(|node| node.0.clone()).collect();
                Shape::OneWay { from: targets(from), to: targets(to) }
            }
        }
    }
}

fn places(somebody: &[Somebody]) -> Vec<Place<Target>> {
    somebody.iter().map(|one| one.0.clone()).collect()
}

/// The places, with roles widened to all nodes.
fn everybody(somebody: &[Somebody]) -> Vec<Somebody> {
    let widen = |one: &Somebody| match &one.0 {
        Place::Node(target) if target.node().is_none() => Somebody(Place::Node(Target::All)),
        Place::Node(_) | Place::Client(_) => one.clone(),
    };
    somebody.iter().map(widen).collect()
}
