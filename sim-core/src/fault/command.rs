//! The closed list of acts on a running world from outside.

use serde::{Deserialize, Serialize};

use super::{PointName, TimerName, text};
use crate::clock::ClockFault;
use crate::disk::{CrashLoss, DiskFault};
use crate::network::{Direction, PartitionId};
use crate::random::Probability;
use crate::service::Operation;
use crate::{ClientId, Endpoint, MessageId, NodeId, Span};

/// One act on a running world from outside.
///
/// `N` is how nodes are named: by id in what a world applies, by [`Target`](super::Target) in what a plan asks.
/// A command that finds nothing to change (a crash of a node that is down) changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command<N = NodeId> {
    /// The node stops at once: its process, timers and inbox are gone, and so are all un-synced writes.
    Crash(N),
    /// Like [`Command::Crash`], but not all un-synced writes need be lost.
    CrashLosing {
        /// Which node.
        node: N,
        /// What becomes of un-synced writes.
        loss: CrashLoss,
    },
    /// The node's next handler with any effects is cut after `effects` of them (0: before the first), and the node
    /// crashes there. A handler with fewer effects runs whole, and then the node crashes. A [`Command::Restart`] before that calls
    /// it off.
    CrashAfterEffect {
        /// Which node.
        node: N,
        /// How many effects still happen.
        effects: u32,
    },
    /// A node that is down starts with a fresh process on what its disk kept. A node that is up goes on.
    Restart(N),
    /// The process stops being scheduled; the host stays up and inputs wait.
    Pause(N),
    /// A paused process goes on with what has been waiting.
    Resume(N),
    /// Handling an input takes `percent` of its usual time from now on.
    SlowDown {
        /// Which node.
        node: N,
        /// At least 100; 100 is the usual speed.
        percent: u32,
    },
    /// The disk becomes empty. A node that is up crashes first.
    Wipe(N),
    /// Something happens to the clocks of a node.
    Clock {
        /// Which node.
        node: N,
        /// What happens.
        fault: ClockFault,
    },
    /// Something happens to the disk of a node.
    Disk {
        /// Which node.
        node: N,
        /// What happens.
        fault: DiskFault,
    },
    /// Messages from the first places to the second are dropped. Cutting twice is cutting once.
    Cut {
        /// The senders.
        from: Vec<Place<N>>,
        /// The receivers.
        to: Vec<Place<N>>,
        /// Whether the other direction is cut as well.
        direction: Direction,
    },
    /// Takes [`Command::Cut`]s back, for these pairs.
    Mend {
        /// The senders.
        from: Vec<Place<N>>,
        /// The receivers.
        to: Vec<Place<N>>,
        /// Whether the other direction is mended as well.
        direction: Direction,
    },
    /// Splits the network. Partitions with different names hold at once; one with a name in use replaces it.
    Partition {
        /// What [`Command::HealPartition`] calls it.
        name: PartitionId,
        /// Who is apart from whom.
        shape: Shape<N>,
    },
    /// Takes back the partition with this name.
    HealPartition(PartitionId),
    /// Takes back every cut, partition, hold and link fault. Nodes, clocks and disks stay as they are.
    HealAll,
    /// Changes one property of the links from the first places to the second.
    Link {
        /// The senders.
        from: Vec<Place<N>>,
        /// The receivers.
        to: Vec<Place<N>>,
        /// What changes.
        fault: LinkFault,
    },
    /// Changes one property of all links, those of clients included. What [`Command::Link`] says of one wins.
    AllLinks(LinkFault),
    /// Messages from the first places to the second wait in the network until [`Command::Release`].
    Hold {
        /// The senders.
        from: Vec<Place<N>>,
        /// The receivers.
        to: Vec<Place<N>>,
    },
    /// What was held between these is delivered in a burst, in the order it was sent.
    Release {
        /// The senders.
        from: Vec<Place<N>>,
        /// The receivers.
        to: Vec<Place<N>>,
    },
    /// Everything heals: the network, clocks and disks; nodes are resumed at their usual speed, and all that are
    /// down restart, except spares never started. Crashes and misdirected writes that were armed are called off;
    /// acts on single messages stay. Data that is lost stays lost.
    Recover,
    /// Something happens to one message: to one that is on its way now, else when it is sent.
    Message {
        /// Which one.
        #[serde(with = "text")]
        id: MessageId,
        /// What happens.
        act: MessageAct,
    },
    /// A client asks, out of turn, as if a person did.
    Issue {
        /// Who asks.
        #[serde(with = "text")]
        client: ClientId,
        /// What.
        operation: Operation,
    },
    /// The node crashes when a handler reaches a fault point for the `nth` time from now on: what the handler would do
    /// after that never happens. A later one on the same node takes the place of this; a [`Command::Restart`] calls it
    /// off.
    CrashAtPoint {
        /// Which node.
        node: N,
        /// Where.
        point: PointName,
        /// The how-manieth time, from 1.
        nth: u32,
    },
    /// An armed timer is due now, as if the process had set it for a shorter time. One that is not armed, or that the
    /// protocol does not have, stays as it is.
    FireTimer {
        /// Which node.
        node: N,
        /// Which of its plain timers ([`Timer::NAMES`](crate::process::Timer::NAMES)).
        timer: TimerName,
    },
}

/// Who takes part in a cut, a partition, a hold: a node or a client. In files `n3`, `leader`, `c1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a node such as `n3`, a role such as `leader`, or a client such as `c1`"
)]
pub enum Place<N = NodeId> {
    /// A client. Reading tries it first, as no target looks like `c1`.
    Client(#[serde(with = "text")] ClientId),
    /// A node, or the nodes that a target stands for.
    Node(N),
}

impl From<Place> for Endpoint {
    fn from(place: Place) -> Self {
        match place {
            Place::Node(node) => node.into(),
            Place::Client(client) => client.into(),
        }
    }
}

impl<N> From<N> for Place<N> {
    fn from(node: N) -> Self {
        Self::Node(node)
    }
}

/// Who is apart from whom in a partition. Clients reach everybody unless a shape names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape<N = NodeId> {
    /// Members of different groups do not reach each other. Nodes in no group form one more.
    Groups(Vec<Vec<Place<N>>>),
    /// Each of these reaches nobody, and nobody reaches it.
    Isolate(Vec<Place<N>>),
    /// Every node reaches a majority, and no two the same one: those nearest in a ring by id.
    RingOfMajorities,
    /// The other nodes fall into two halves by id, which do not reach each other but all reach this one. Where a
    /// target stands for several nodes, the first is the bridge.
    Bridge(N),
    /// The first do not reach the second; the way back is open.
    OneWay {
        /// The senders.
        from: Vec<N>,
        /// The receivers.
        to: Vec<N>,
    },
}

/// One property of links that differs from what the scenario says. Faults of different properties hold at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkFault {
    /// Messages are lost independently with this probability; `None`: as the scenario says.
    Loss(Option<Probability>),
    /// Messages are delivered twice with this probability; `None`: as the scenario says.
    Duplicate(Option<Probability>),
    /// Some messages are held back so that others overtake them.
    Reorder {
        /// How likely that is; `None`: as the scenario says, and `extra` means nothing.
        probability: Option<Probability>,
        /// For how long they are held back.
        #[serde(with = "text")]
        extra: Span,
    },
    /// The drawn latency is multiplied by this many percent; 100: as the scenario says.
    LatencyPercent(u32),
}

/// What happens to one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageAct {
    /// It never arrives.
    Drop,
    /// It arrives this much later.
    Delay(#[serde(with = "text")] Span),
    /// It arrives twice.
    Duplicate,
    /// It arrives now. One that is not on its way stays as it is.
    Deliver,
}

impl<N> Command<N> {
    /// The name of the partition that it makes or takes back.
    pub(super) const fn partition_name(&mut self) -> Option<&mut PartitionId> {
        if let Self::Partition { name, .. } | Self::HealPartition(name) = self { Some(name) } else { None }
    }

    /// The kind of the command, as traces and the command line write it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Crash(_) => "crash",
            Self::CrashLosing { .. } => "crash-losing",
            Self::CrashAfterEffect { .. } => "crash-after-effect",
            Self::Restart(_) => "restart",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::SlowDown { .. } => "slow-down",
            Self::Wipe(_) => "wipe",
            Self::Clock { .. } => "clock",
            Self::Disk { .. } => "disk",
            Self::Cut { .. } => "cut",
            Self::Mend { .. } => "mend",
            Self::Partition { .. } => "partition",
            Self::HealPartition(_) => "heal-partition",
            Self::HealAll => "heal-all",
            Self::Link { .. } => "link",
            Self::AllLinks(_) => "all-links",
            Self::Hold { .. } => "hold",
            Self::Release { .. } => "release",
            Self::Recover => "recover",
            Self::Message { .. } => "message",
            Self::Issue { .. } => "issue",
            Self::CrashAtPoint { .. } => "crash-at-point",
            Self::FireTimer { .. } => "fire-timer",
        }
    }
}
