//! What a kind of fault is: something a generator draws faults of.
//!
//! A kind is one file with a unit struct and a line in the [table](super::table). It draws all it needs from the
//! stream it is given, which no other fault shares.

use super::command::{Command, Place};
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
    /// How often it happens unless a scenario says otherwise.
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
    /// How many disk regions the protocol has, numbered from 0.
    pub region_count: u8,
    /// The shortest and the longest that a fault lasts.
    pub duration: (Span, Span),
    /// The how-manieth candidate of its kind this is, from 0.
    pub ordinal: u32,
}

/// The names of drawn partitions start here, so that those made by hand can count from 0.
const PARTITION_BASE: u32 = 1 << 20;

impl GeneratorContext {
    /// How long a fault lasts; takes one draw.
    pub fn draw_duration(&self, stream: &mut Stream) -> Span {
        stream.span(self.duration.0, self.duration.1)
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
        let regions: Vec<RegionId> = (0..self.region_count).map(RegionId::new).collect();
        stream.pick(&regions).copied()
    }

    /// A name for a partition that this fault makes; `family` is the number of the kind among those that make any, below
    /// 4.
    pub(super) const fn partition_name(&self, family: u32) -> PartitionId {
        PartitionId::new(PARTITION_BASE + self.ordinal * 4 + family)
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
}

impl Fault {
    /// A fault that does nothing yet.
    pub(super) const fn new(part: Part, nodes: Vec<NodeId>, duration: Span) -> Self {
        Self { part, nodes, duration, is_down: false, begin: Vec::new(), during: Vec::new(), end: Vec::new() }
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

    /// All commands in order, each so long after the begin.
    pub fn commands(&self) -> impl Iterator<Item = (Span, &Command)> {
        let begin = self.begin.iter().map(|command| (Span::ZERO, command));
        let during = self.during.iter().map(|(offset, command)| (*offset, command));
        begin.chain(during).chain(self.end.iter().map(|command| (self.duration, command)))
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
