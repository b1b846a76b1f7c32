//! The face of a running simulation that runners and windows hold, whatever protocol runs inside.

mod host;
mod recording;

use serde::{Deserialize, Serialize};

use crate::check::{Violation, Work};
use crate::disk::DamageKind;
use crate::fault::{Command, Plan};
use crate::history::History;
use crate::metrics::Metrics;
use crate::milestone::Milestone;
use crate::persist::AppendLog;
use crate::process::{Message, Process, Timer};
use crate::status::NodeStatus;
use crate::trace::{Record, Trace};
use crate::view::{Part, ViewBuilder, ViewRequest};
use crate::world::{Breakdown, Stop, World};
use crate::{Digest, Endpoint, MessageId, NodeId, SimTime};

pub use host::{ArmedTimer, ClockView, HostView, RegionView, Waiting};
pub use recording::{Capture, Recording, RecordingData, RecordingError};

/// What a simulation can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "four independent abilities, read by name")]
pub struct Capabilities {
    /// Go on by single events.
    pub step: bool,
    /// Be copied, so that time can go back and futures branch.
    pub fork: bool,
    /// Take commands.
    pub command: bool,
    /// Be shown at any earlier moment, without running again.
    pub seek: bool,
}

/// Something that could happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    pub(crate) slot: u32,
    /// What kind of thing.
    pub kind: ChoiceKind,
    /// Who caused it.
    pub from: Endpoint,
    /// Where it happens.
    pub to: Endpoint,
}

/// What kind of thing could happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[repr(u8)]
pub enum ChoiceKind {
    /// A message arrives.
    Message,
    /// A timer fires.
    Timer,
    /// A sync completes.
    Durable,
    /// A client's request arrives.
    Request,
    /// An answer arrives at its client.
    Reply,
    /// A waiting input is handled.
    Handler,
    /// A client goes on.
    Client,
}

/// Something that is on its way from one endpoint to another. What it says: [`Simulation::describe_flight`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct InFlight {
    /// Its address: who sent it, for whom, and the how-manieth on that link it is.
    pub id: MessageId,
    /// When it was sent, where a trace says so.
    pub sent: Option<SimTime>,
    /// When it arrives; `None` while it waits on a link that is held.
    pub due: Option<SimTime>,
    /// Its kind: one of the protocol's messages, `request` or `reply`.
    pub kind: &'static str,
    /// Where the world keeps it until it arrives.
    pub slot: u32,
}

/// A running simulation without its type. See [`World`] for what the methods mean; a call here costs a virtual
/// call, so runners ask for many events at a time.
pub trait Simulation: Send {
    /// What this one can do.
    fn capabilities(&self) -> Capabilities;

    /// Goes on until time would pass `until`, or `events` more events have happened, or a property is violated.
    /// A process that panics is a violation of `panic`, and the world does nothing more after it; nor does it after a
    /// panic of the engine or an invariant: [`Simulation::breakdown`].
    fn run(&mut self, until: SimTime, events: u64) -> Stop;

    /// Shows how things stood after so many events of the run; after the last where there were fewer.
    ///
    /// # Errors
    /// If this simulation cannot go back: [`Capabilities::seek`].
    fn seek(&mut self, _events: u64) -> Result<(), Unable> {
        Err(Unable("go back by itself: fork it, and keep the copy"))
    }

    /// Goes on by one event.
    fn step(&mut self) -> Stop {
        self.run(SimTime::MAX - crate::Span::nanos(1), 1)
    }

    /// Applies a command now: right after the last event, or when [`Simulation::pass_to`] has let time come to.
    ///
    /// # Errors
    /// If this simulation takes no commands.
    fn apply(&mut self, command: Command) -> Result<(), Unable>;

    /// Lets time come to `time`, so that a command may be applied there: see [`World::pass_to`].
    ///
    /// # Errors
    /// If this simulation takes no commands.
    fn pass_to(&mut self, time: SimTime) -> Result<(), Unable>;

    /// A copy of everything.
    ///
    /// # Errors
    /// If it cannot be copied.
    fn fork(&self) -> Result<Box<dyn Simulation>, Unable>;

    /// Gives every stream new keys.
    ///
    /// # Errors
    /// If nothing is drawn here.
    fn reseed(&mut self, seed: u64) -> Result<(), Unable>;

    /// True time.
    fn now(&self) -> SimTime;

    /// How many events have happened.
    fn events(&self) -> u64;

    /// The digest of all that has happened.
    fn digest(&self) -> Digest;

    /// How many nodes there are.
    fn node_count(&self) -> usize;

    /// All nodes at a glance, in order; `into` is cleared first, so that a frame need not allocate.
    fn statuses(&self, into: &mut Vec<NodeStatus>);

    /// The state of one node's process; empty while it is down.
    fn view(&self, node: NodeId, request: &ViewRequest) -> Vec<Part>;

    /// What there is of one node beside its process: clocks, timers, inbox, disk. Takes time in proportion to all that is
    /// pending. Default: nothing is known of it.
    fn host(&self, _node: NodeId) -> Option<HostView> {
        None
    }

    /// What is recorded, where recording is on.
    fn trace(&self) -> Option<&Trace>;

    /// Records from here on.
    fn start_trace(&mut self);

    /// A record in words: `n2 receives AppendEntries from n1`.
    fn describe(&self, record: &Record) -> String;

    /// The names of the kinds of message, in the order of their numbers in records. Default: they are not known.
    fn message_kinds(&self) -> &'static [&'static str] {
        &[]
    }

    /// The messages, requests and replies that are on their way, in the order in which they were sent. Takes time in proportion to all that is pending. Default: nothing is known of them.
    fn in_flight(&self) -> Vec<InFlight> {
        Vec::new()
    }

    /// What something that is on its way says, in a line for people; `None` where it is so no longer. Default: nothing is
    /// known of it.
    fn describe_flight(&self, _flight: &InFlight) -> Option<String> {
        None
    }

    /// What clients asked and got.
    fn history(&self) -> &History;

    /// What was counted and measured.
    fn metrics(&self) -> &Metrics;

    /// What mattered.
    fn milestones(&self) -> &AppendLog<Milestone>;

    /// The plan, with what its entries were as far as they have happened.
    fn plan(&self) -> &Plan;

    /// What was violated, the first first.
    fn violations(&self) -> &[Violation];

    /// Why nothing more happens, if something has panicked. Default: nothing has.
    fn breakdown(&self) -> Option<&Breakdown> {
        None
    }

    /// What has happened to disks, and to the memory of protocols that need none, beyond the protocol's promise: the
    /// worst of each node.
    fn beyond_promise(&self) -> Vec<(NodeId, DamageKind)>;

    /// What those of `well` that run do not agree on and must come to, in the protocol's words. Default: nothing, as where
    /// nothing runs.
    fn disagreement(&self, _well: &[NodeId]) -> Option<String> {
        None
    }

    /// The work that there is, as those of `well` that run know it. Default: none, as where nothing runs.
    fn work(&self, _well: &[NodeId]) -> Vec<Work> {
        Vec::new()
    }

    /// How often each of the protocol's points was reached.
    fn points(&self) -> Vec<(&'static str, u64)>;

    /// When each of the protocol's points was reached first, in their order. Default: nothing is known of it.
    fn points_first(&self) -> Vec<Option<SimTime>> {
        Vec::new()
    }

    /// How often each of the protocol's fault points was reached.
    fn fault_points(&self) -> Vec<(&'static str, u64)>;

    /// Keeps account of what is reached in the abstract, from here on. Default: nothing is.
    fn watch_coverage(&mut self) {}

    /// What was reached in the abstract since then: see [`World::coverage`].
    fn coverage(&self) -> Vec<u64> {
        Vec::new()
    }

    /// What could happen next.
    fn enabled(&self) -> Vec<Choice>;

    /// Makes a choice happen.
    ///
    /// # Errors
    /// If nothing can be chosen here.
    fn take(&mut self, choice: Choice) -> Result<(), Unable>;

    /// The state as exploration sees it.
    fn state_fingerprint(&self) -> u64;
}

/// Something that this simulation cannot do; [`Capabilities`] says so beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this simulation cannot {0}")]
pub struct Unable(pub &'static str);

impl<P: Process> Simulation for World<P> {
    fn capabilities(&self) -> Capabilities {
        let runs = !self.is_broken();
        Capabilities { step: runs, fork: runs && self.can_fork(), command: runs, seek: false }
    }

    fn run(&mut self, until: SimTime, events: u64) -> Stop {
        let stop = self.guard(|world| world.run(until, events));
        stop.or_else(|| self.broken_stop()).expect("a run ends with a stop or a breakdown")
    }

    fn apply(&mut self, command: Command) -> Result<(), Unable> {
        if self.is_broken() {
            return Err(Unable("take a command: something has panicked"));
        }
        self.guard(|world| world.apply(command));
        Ok(())
    }

    fn pass_to(&mut self, time: SimTime) -> Result<(), Unable> {
        if self.is_broken() {
            return Err(Unable("let time pass: something has panicked"));
        }
        self.pass_to(time);
        Ok(())
    }

    fn fork(&self) -> Result<Box<dyn Simulation>, Unable> {
        if self.is_broken() {
            return Err(Unable("be copied: something has panicked"));
        }
        match self.fork() {
            Some(copy) => Ok(Box::new(copy)),
            None => Err(Unable("be copied: a process cannot")),
        }
    }

    fn reseed(&mut self, seed: u64) -> Result<(), Unable> {
        self.reseed(seed);
        Ok(())
    }

    fn now(&self) -> SimTime {
        self.now()
    }

    fn events(&self) -> u64 {
        self.events()
    }

    fn digest(&self) -> Digest {
        self.digest()
    }

    fn node_count(&self) -> usize {
        self.nodes().count()
    }

    fn statuses(&self, into: &mut Vec<NodeStatus>) {
        into.clear();
        into.extend((0_u32..).take(self.nodes().count()).map(|index| self.status(NodeId::new(index))));
    }

    fn view(&self, node: NodeId, request: &ViewRequest) -> Vec<Part> {
        let mut view = ViewBuilder::at(self.nodes().monotonic(node));
        if let Some(process) = self.process(node) {
            process.view(&mut view, request);
        }
        view.finish()
    }

    fn host(&self, node: NodeId) -> Option<HostView> {
        Some(self.host_view(node))
    }

    fn trace(&self) -> Option<&Trace> {
        self.trace()
    }

    fn start_trace(&mut self) {
        self.start_trace();
    }

    fn describe(&self, record: &Record) -> String {
        record.describe(P::Message::KINDS, P::Timer::NAMES)
    }

    fn message_kinds(&self) -> &'static [&'static str] {
        P::Message::KINDS
    }

    fn in_flight(&self) -> Vec<InFlight> {
        self.in_flight()
    }

    fn describe_flight(&self, flight: &InFlight) -> Option<String> {
        self.describe_flight(flight)
    }

    fn history(&self) -> &History {
        self.history()
    }

    fn metrics(&self) -> &Metrics {
        self.metrics()
    }

    fn milestones(&self) -> &AppendLog<Milestone> {
        self.milestones()
    }

    fn plan(&self) -> &Plan {
        self.plan()
    }

    fn violations(&self) -> &[Violation] {
        self.violations()
    }

    fn breakdown(&self) -> Option<&Breakdown> {
        self.breakdown()
    }

    fn beyond_promise(&self) -> Vec<(NodeId, DamageKind)> {
        let nodes = self.nodes();
        let forgotten = P::forgotten(&nodes);
        let harm = |node: NodeId| {
            let is_forgotten = forgotten.contains(&node);
            let on_disk = nodes.disk(node).and_then(|disk| disk.beyond(P::PROMISE));
            if is_forgotten { Some(DamageKind::LostMemory) } else { on_disk }
        };
        let all = (0_u32..).take(nodes.count()).map(NodeId::new);
        all.filter_map(|node| Some((node, harm(node)?))).collect()
    }

    fn disagreement(&self, well: &[NodeId]) -> Option<String> {
        P::disagreement(&self.nodes(), well)
    }

    fn work(&self, well: &[NodeId]) -> Vec<Work> {
        P::work(&self.nodes(), well)
    }

    fn points(&self) -> Vec<(&'static str, u64)> {
        self.points()
    }

    fn points_first(&self) -> Vec<Option<SimTime>> {
        self.points_first()
    }

    fn fault_points(&self) -> Vec<(&'static str, u64)> {
        self.fault_points()
    }

    fn watch_coverage(&mut self) {
        self.watch_coverage();
    }

    fn coverage(&self) -> Vec<u64> {
        self.coverage()
    }

    fn enabled(&self) -> Vec<Choice> {
        self.enabled()
    }

    fn take(&mut self, choice: Choice) -> Result<(), Unable> {
        if self.is_broken() {
            return Err(Unable("go on: something has panicked"));
        }
        self.guard(|world| world.take(choice));
        Ok(())
    }

    fn state_fingerprint(&self) -> u64 {
        self.state_fingerprint()
    }
}
