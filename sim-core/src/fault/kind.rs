//! What a kind of fault is: something a generator draws faults of.
//!
//! A kind is one file with a unit struct and a line in the [table](super::table). It draws all it needs from the
//! stream it is given, which no other fault shares.

use super::command::{Command, Place};
use super::condition::StatusEvent;
use super::point::{PointName, TimerName};
use super::target::Target;
use crate::disk::RegionId;
use crate::network::PartitionId;
use crate::random::Stream;
use crate::{ClientId, NodeId, Span};

/// A kind of fault.
pub trait FaultKind: Sync {
    /// What tools say of it.
    fn about(&self) -> About;

    /// One fault of this kind, or `None` where it makes no sense (a partition of one node).
    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault>;
}

/// What tools say of a kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The name as scenarios write it; it keys the draws, so a kind that is renamed draws other faults.
    pub name: &'static str,
    /// One line.
    pub help: &'static str,
    /// Whether protocols must survive it.
    pub severity: Severity,
    /// How often it happens unless a scenario says otherwise. With [`Rate::NEVER`] only scenarios that name the kind
    /// have it: a kind that came later leaves the runs of those that name none as they were.
    pub rate: Rate,
}

/// Whether a protocol for crash faults must survive a kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It must: crashes, delays, losses, un-synced writes gone.
    Benign,
    /// Only if it promises to: what was durable is lost or altered.
    BeyondCrashFault,
}

/// How often something happens on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many times; 0 is never.
    pub count: u32,
    /// In how long.
    pub per: Span,
}

impl Rate {
    /// Not at all.
    pub const NEVER: Self = Self { count: 0, per: Span::secs(1) };

    /// `count` times in `per`.
    pub const fn new(count: u32, per: Span) -> Self {
        Self { count, per }
    }

    /// The mean time from one to the next; `None` if it never happens.
    pub const fn mean(self) -> Option<Span> {
        match self.per.as_nanos().checked_div(self.count as u64) {
            Some(nanos) => Some(Span::nanos(nanos)),
            None => None,
        }
    }
}

/// What a fault may draw from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratorContext {
    /// The nodes that faults may hit, ascending; spares are left out.
    pub nodes: Vec<NodeId>,
    /// How many clients there are.
    pub client_count: u32,
    /// Nodes that are down until somebody adds them, ascending.
    pub spares: Vec<NodeId>,
    /// The nodes of each failure domain, as far as faults may hit them; none is empty.
    pub domains: Vec<Vec<NodeId>>,
    /// Clients that only administer; they come after the others.
    pub admins: Vec<ClientId>,
    /// What of the protocol faults can be about.
    pub sites: Sites,
    /// The shortest and the longest that a fault lasts.
    pub duration: (Span, Span),
    /// The how-manieth candidate of its kind this is, from 0.
    pub ordinal: u32,
}

/// What of a protocol faults can be about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sites {
    /// How many disk regions it has, numbered from 0; without any, no fault hits a region.
    pub region_count: u16,
    /// The names of its plain timers.
    pub timers: &'static [&'static str],
    /// The names of its fault points.
    pub points: &'static [&'static str],
}

/// The names of drawn partitions start here, so that those made by hand can count from 0.
const PARTITION_BASE: u32 = 1 << 20;
/// More kinds than this make no partitions.
const PARTITIONS_MAX: u32 = 4;

impl GeneratorContext {
    /// How long a fault lasts; takes one draw.
    pub fn draw_duration(&self, stream: &mut Stream) -> Span {
        stream.span(self.duration.0, self.duration.1)
    }

    /// Whether there is anybody beside a single node.
    pub const fn has_peers(&self) -> bool {
        self.nodes.len() > 1
    }

    /// One node; takes one draw.
    pub fn draw_node(&self, stream: &mut Stream) -> Option<NodeId> {
        stream.pick(&self.nodes).copied()
    }

    /// Two different endpoints in random order, at least one of them a node.
    pub fn draw_link(&self, stream: &mut Stream) -> Option<(Place, Place)> {
        let node = self.draw_node(stream)?;
        let others = self.nodes.iter().filter(|other| **other != node).map(|other| Place::Node(*other));
        let clients = (0..self.client_count).map(|index| Place::Client(ClientId::new(index)));
        let peers: Vec<Place> = others.chain(clients).collect();
        let mut ends = [Place::Node(node), stream.pick(&peers)?.clone()];
        stream.shuffle(&mut ends);
        let [from, to] = ends;
        Some((from, to))
    }

    /// So many different nodes, in random order; `None` if there are fewer.
    pub fn draw_subset(&self, stream: &mut Stream, count: usize) -> Option<Vec<NodeId>> {
        let mut nodes = self.nodes.clone();
        stream.shuffle(&mut nodes);
        nodes.truncate(count);
        (nodes.len() == count).then_some(nodes)
    }

    /// One disk region; `None` without a draw if the protocol has none.
    pub fn draw_region(&self, stream: &mut Stream) -> Option<RegionId> {
        let regions: Vec<RegionId> = (0..self.sites.region_count).map(RegionId::new).collect();
        stream.pick(&regions).copied()
    }

    /// One of the protocol's plain timers; `None` without a draw if it has none.
    pub fn draw_timer(&self, stream: &mut Stream) -> Option<TimerName> {
        stream.pick(self.sites.timers).map(|name| name.parse().expect("timers have good names"))
    }

    /// One of the protocol's fault points; `None` without a draw if it has none.
    pub fn draw_point(&self, stream: &mut Stream) -> Option<PointName> {
        stream.pick(self.sites.points).map(|name| name.parse().expect("fault points have good names"))
    }

    /// How long after something an aimed act follows, at most `longest`: at once, within a hundredth, a tenth, or
    /// all of it, each equally likely. Takes two draws.
    pub fn draw_delay(&self, stream: &mut Stream, longest: Span) -> Span {
        let scale = [0, 1, 10, 100][usize::try_from(stream.below(4)).expect("below 4")];
        stream.span(Span::ZERO, Span::nanos(longest.as_nanos() / 100 * scale))
    }

    /// Who administers; any client where nobody is there for that. Takes one draw.
    pub fn draw_admin(&self, stream: &mut Stream) -> Option<ClientId> {
        let clients: Vec<ClientId> = (0..self.client_count).map(ClientId::new).collect();
        stream.pick(if self.admins.is_empty() { &clients } else { &self.admins }).copied()
    }

    /// A name for a partition that this fault makes; `family` is the number of the kind among those that make any, below
    /// 4.
    pub(super) const fn partition_name(&self, family: u32) -> PartitionId {
        PartitionId::new(PARTITION_BASE + self.ordinal * PARTITIONS_MAX + family)
    }
}

/// What of a node a fault concerns. Faults of one part of one node never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Whether it runs, and how fast.
    Host,
    /// Its clocks.
    Clock,
    /// Its disk, while it runs.
    Disk,
    /// Its links. Only faults of one kind exclude each other here.
    Network,
}

/// One fault: what begins it, what happens meanwhile, what ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it concerns.
    pub part: Part,
    /// Whom it concerns.
    pub nodes: Vec<NodeId>,
    /// From the first command to the last.
    pub duration: Span,
    /// Whether the nodes are down, or may be, until the end.
    pub is_down: bool,
    /// What begins it.
    pub begin: Vec<Command>,
    /// What happens in between, so long after the begin, ascending.
    pub during: Vec<(Span, Command)>,
    /// What ends it. Empty where there is nothing to undo.
    pub end: Vec<Command>,
    /// What is aimed at roles or at moments that only the run knows. Part of neither of the lists above.
    pub aimed: Vec<Aimed>,
    /// How many nodes beside `nodes` may be down until the end, because something is aimed at them.
    pub aimed_down: u32,
}

/// An act on whoever has a role then, at a moment that may depend on the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aimed {
    /// When.
    pub at: Aim,
    /// What.
    pub command: Command<Target>,
}

/// When an aimed act happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// So long after the begin of the fault.
    Offset(Span),
    /// Within the fault, so long after something has happened in it for the `nth` time, from 1.
    After {
        /// What has to happen.
        event: StatusEvent,
        /// The how-manieth time since the begin of the fault, from 1.
        nth: u32,
        /// How long after that.
        span: Span,
    },
    /// Within the fault, at most so long before a timer of a node fires.
    Before {
        /// Whose.
        node: NodeId,
        /// Which.
        timer: TimerName,
        /// How long before.
        span: Span,
    },
}

impl Fault {
    /// A fault that does nothing yet.
    pub(super) const fn new(part: Part, nodes: Vec<NodeId>, duration: Span) -> Self {
        Self {
            part,
            nodes,
            duration,
            is_down: false,
            begin: Vec::new(),
            during: Vec::new(),
            end: Vec::new(),
            aimed: Vec::new(),
            aimed_down: 0,
        }
    }

    /// A fault that is only aimed, and takes down at most `down` nodes at once.
    pub(super) fn aimed(part: Part, duration: Span, aimed: Vec<Aimed>, down: u32) -> Self {
        Self { aimed, aimed_down: down, ..Self::new(part, Vec::new(), duration) }
    }

    /// How many nodes are down, or may be, until the end.
    pub fn down_count(&self) -> usize {
        let named = if self.is_down { self.nodes.len() } else { 0 };
        named + self.aimed_down as usize
    }

    /// A fault that `begin` starts and `end` ends.
    pub(super) fn between(
        part: Part,
        nodes: Vec<NodeId>,
        duration: Span,
        begin: Command,
        end: Command,
    ) -> Self {
        Self { begin: vec![begin], end: vec![end], ..Self::new(part, nodes, duration) }
    }

    /// A fault that keeps `node` down from `begin` to its restart.
    pub(super) fn outage(node: NodeId, duration: Span, begin: Command) -> Self {
        let restart = Command::Restart(node);
        Self { is_down: true, ..Self::between(Part::Host, vec![node], duration, begin, restart) }
    }

    /// Gives the partitions of this fault names of their own; no two faults may have the same `place`.
    pub(super) fn rename_partitions(&mut self, place: u32) {
        let rename = |name: &mut PartitionId| {
            let family = (name.raw() - PARTITION_BASE) % PARTITIONS_MAX;
            *name = PartitionId::new(PARTITION_BASE + place * PARTITIONS_MAX + family);
        };
        let during = self.during.iter_mut().map(|(_, command)| command);
        let plain = self.begin.iter_mut().chain(during).chain(&mut self.end);
        plain.filter_map(Command::partition_name).for_each(rename);
        let aimed = self.aimed.iter_mut().map(|aimed| &mut aimed.command);
        aimed.filter_map(Command::partition_name).for_each(rename);
    }

    /// All commands in order, each so long after the begin.
    pub fn commands(&self) -> impl Iterator<Item = (Span, &Command)> {
        let begin = self.begin.iter().map(|command| (Span::ZERO, command));
        let during = self.during.iter().map(|(offset, command)| (*offset, command));
        begin.chain(during).chain(self.end.iter().map(|command| (self.duration, command)))
    }
}

impl Aimed {
    /// So long after the begin of the fault.
    pub(super) fn at(offset: Span, command: Command<Target>) -> Self {
        Self { at: Aim::Offset(offset), command }
    }

    /// At most `span` before a timer fires within the fault.
    pub(super) fn before(node: NodeId, timer: TimerName, span: Span, command: Command<Target>) -> Self {
        Self { at: Aim::Before { node, timer, span }, command }
    }

    /// `span` after the `nth` `event` within the fault.
    pub(super) fn after(event: StatusEvent, nth: u32, span: Span, command: Command<Target>) -> Self {
        Self { at: Aim::After { event, nth, span }, command }
    }
}

/// The nodes among places.
pub(super) fn nodes_of(places: &[&Place]) -> Vec<NodeId> {
    let node = |place: &&Place| match place {
        Place::Node(node) => Some(*node),
        Place::Client(_) => None,
    };
    places.iter().filter_map(node).collect()
}
