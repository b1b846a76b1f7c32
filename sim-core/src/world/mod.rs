//! A running simulation: nodes, clients, network and event queue.
//!
//! **One event.** [`World::run`] takes the least key from the queue, moves time to it and hands what waits in its
//! slot to a process (or a client). The process acts through its [`Context`], whose
//! effects go straight into the queue. Facts that the handler stated go to the invariants. Then the next key.
//!
//! **Commands** come from a list of their own, ordered by (time, how many events of that instant came before), and
//! are merged when a key is taken: they take no sequence number, so adding one shifts nothing else.
//!
//! | file | holds |
//! | --- | --- |
//! | `setup` | what a world is made from |
//! | `core` | everything but the processes; the one place where things are sent and scheduled |
//! | `effects` | what [`Context`] calls: timers, disk, answers |
//! | `host`, `event`, `client` | one node's host, what waits in a slot, one client |
//! | `arrival` | what is due reaches its place, one function a kind of event |
//! | `agenda`, `apply` | when commands are due, and what each does |
//! | `inbox` | service times, pauses, bounded waiting |
//! | `points` | situations worth reaching, and fault points |
//! | `branch`, `explore` | copies and re-seeding; what could happen next |
//! | `breakdown` | what becomes of a world in which something panicked |
//! | `hand` | a world whose every step is chosen: what the choices hold, and what else a network may do |

mod agenda;
mod apply;
mod arrival;
mod branch;
mod breakdown;
mod client;
mod core;
mod effects;
mod event;
mod explore;
mod hand;
mod host;
mod inbox;
mod inspect;
mod points;
mod setup;

use std::sync::Arc;

use self::agenda::Agenda;
pub use self::breakdown::Breakdown;
use self::breakdown::blame_process;
pub(crate) use self::core::Core;
use self::core::UNLIMITED;
use self::event::{Event, Scheduled};
pub use self::hand::{Content, Prospect};
pub use self::host::NodeHost;
use self::host::Spare;
pub use self::setup::{
    ClientPolicy, ClientSetup, DiskTiming, HostTiming, Setup, Start, TieRule, Workload, WorkloadStep,
};
use crate::check::{Breach, Ghosts, Invariants, Nodes, Violation};
use crate::context::Context;
use crate::coverage::Coverage;
use crate::digest::Digest;
use crate::disk::CrashLoss;
use crate::fault::{Domain, Moment, Plan};
use crate::history::History;
use crate::leadership::{Change, is_change};
use crate::metrics::Metrics;
use crate::milestone::{Happening, Milestone};
use crate::network::Forwarding;
use crate::persist::AppendLog;
use crate::process::Process;
use crate::queue::EventQueue;
use crate::status::{NodeStatus, Power, Standing, Status};
use crate::trace::Trace;
use crate::{NodeId, SimTime};

/// A running simulation of protocol `P`. See the [module documentation](self).
pub struct World<P: Process> {
    /// One place a node; `None` while it is down.
    processes: Vec<Option<P>>,
    core: Core<P>,
    config: Arc<P::Config>,
    invariants: Invariants<P>,
    /// What the invariants share.
    ghosts: Ghosts<P>,
    violations: Vec<Violation>,
    /// Something has panicked: nothing more happens.
    breakdown: Option<Breakdown>,
    agenda: Agenda,
    domains: Arc<[Domain]>,
    /// How many of the violations a caller has been told about.
    told: usize,
    /// How many buckets of the queue had been opened when events were last read ahead of.
    read_ahead_of: u64,
}

/// Why a run paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing more happens before or at the time asked for.
    Horizon,
    /// As many events as asked for have happened.
    Budget,
    /// Nothing more will happen at all, unless a command makes it.
    Idle,
    /// A property was violated by the last event.
    Violation,
    /// The engine cannot go on, and no process is to blame: [`World::breakdown`] says why.
    Broken,
}

impl<P: Process> World<P> {
    /// A world at time zero: hosts and clients are there, every node that is no spare has been started. A process
    /// that panics when it is started is a violation of `panic` at event 0, and the world does nothing more.
    ///
    /// # Panics
    /// If the setup contradicts itself: a spare or a plan entry that names no node, clocks or domains for another
    /// number of nodes, a network for other numbers of nodes or clients. Scenarios are checked before they come here.
    pub fn new(setup: Setup<P>) -> Self {
        let mut world = Self::at_rest(setup);
        world.guard(Self::start_members);
        world
    }

    /// Like [`World::new`], and records from the very start: the first records are the starts of the nodes.
    ///
    /// # Panics
    /// As [`World::new`].
    pub fn new_traced(setup: Setup<P>) -> Self {
        let mut world = Self::at_rest(setup);
        world.start_trace();
        world.guard(Self::start_members);
        world
    }

    /// A world at time zero before anything has been started.
    fn at_rest(setup: Setup<P>) -> Self {
        let count = setup.node_count as usize;
        assert!(setup.clocks.is_empty() || setup.clocks.len() == count, "one clock a node, or none at all");
        let domains = setup.domains.len();
        assert!(domains == 0 || domains == count, "one failure domain a node, or none at all");
        let (nodes, clients) = setup.network.population();
        assert_eq!(
            (nodes as usize, clients as usize),
            (count, setup.clients.len()),
            "the network is for as many nodes and clients as there are"
        );
        let mut world = Self {
            processes: (0..count).map(|_| None).collect(),
            config: setup.config.clone(),
            violations: Vec::new(),
            breakdown: None,
            agenda: Agenda::new(&setup.plan),
            domains: setup.domains.clone().into(),
            told: 0,
            read_ahead_of: 0,
            core: Core::new(&setup),
            ghosts: Ghosts::of(&setup.invariants),
            invariants: Invariants::new(setup.invariants),
        };
        assert_points_exist::<P>(&setup.plan);
        world.watch_points();
        for &spare in &setup.spares {
            world.core.hosts[spare.index()].spare = Spare::Reserve;
            world.core.network.set_forwarding(spare, Forwarding::Off);
        }
        world
    }

    /// Starts every node that is no spare, and the clients. Nothing causes these starts.
    fn start_members(&mut self) {
        for (index, node) in (0..).map(NodeId::new).enumerate().take(self.processes.len()) {
            if self.core.hosts[index].spare == Spare::Member {
                self.start(node);
                self.core.record = u32::MAX;
            }
        }
        self.core.metrics.settle();
        self.core.start_clients();
    }

    /// Goes on until time would pass `until`, or `events` more events have happened, or a property is violated.
    ///
    /// # Panics
    /// If a process panics. [`Simulation`](crate::Simulation) turns that into a violation.
    pub fn run(&mut self, until: SimTime, events: u64) -> Stop {
        if let Some(stop) = self.broken_stop() {
            return stop;
        }
        let last_event = self.core.events.saturating_add(events);
        self.core.maybe_catch_up();
        self.hear_of_points();
        let mut barrier = self.agenda.barrier(until);
        loop {
            if self.core.events >= last_event {
                return Stop::Budget;
            }
            match self.core.queue.pop() {
                Some(key) if key.time() < barrier => self.pop(key),
                key => {
                    if let Some(stop) = self.at_barrier(key, until) {
                        return stop;
                    }
                    barrier = self.agenda.barrier(until);
                }
            }
            if self.core.must_look {
                self.hear_of_points();
                if self.has_new_violation() {
                    return Stop::Violation;
                }
                barrier = self.agenda.barrier(until);
            }
        }
    }

    /// Whether something was violated that no caller has been told about; they are told now.
    #[cold]
    fn has_new_violation(&mut self) -> bool {
        self.core.must_look = false;
        let is_new = self.told < self.violations.len();
        self.told = self.violations.len();
        is_new
    }

    /// Hands an input to its process, then its facts to the invariants.
    #[inline(never)]
    fn handle(&mut self, node: NodeId, scheduled: Scheduled<P>) {
        self.maybe_limit_effects(node);
        let process = self.processes[node.index()].as_mut().expect("a running node has a process");
        Context::during(&mut self.core, node, |context| match scheduled.event {
            Event::Message(message) => {
                let from = scheduled.from.node().expect("only nodes send messages");
                process.on_message(context, from, message);
            }
            Event::Timer(timer) => process.on_timer(context, timer.timer),
            Event::Durable(sync) => process.on_durable(context, sync),
            Event::Request(request) => process.on_request(context, request.0, request.1),
            Event::Reply(_) | Event::Handler | Event::Client(_) | Event::Cancelled => {
                unreachable!("this is no input of a process")
            }
        });
        self.after_handler(node);
    }

    #[inline(always)]
    fn maybe_limit_effects(&mut self, node: NodeId) {
        if let Some(limit) = self.core.hosts[node.index()].crash_after {
            self.core.effects_left = limit;
        }
    }

    /// After a handler whose effects nobody counts.
    #[inline(always)]
    fn after_plain_handler(&mut self, node: NodeId) {
        if !self.core.facts.is_empty() {
            self.check_facts(node);
        }
    }

    #[inline(always)]
    fn after_handler(&mut self, node: NodeId) {
        self.after_plain_handler(node);
        if self.core.effects_left != UNLIMITED {
            self.maybe_crash_after_effect(node);
        }
    }

    /// A crash was armed for this handler: if it had any effect, or tried to, the node crashes here.
    #[cold]
    fn maybe_crash_after_effect(&mut self, node: NodeId) {
        let limit = self.core.hosts[node.index()].crash_after;
        let had_effects = self.core.is_cut || Some(self.core.effects_left) != limit;
        self.core.effects_left = UNLIMITED;
        self.core.is_cut = false;
        if had_effects {
            self.crash(node);
        }
    }

    /// Shows the invariants what the handler stated, and notes a change of standing.
    #[inline(never)]
    fn check_facts(&mut self, node: NodeId) {
        let facts = std::mem::take(&mut self.core.facts);
        self.ghosts.on_event(node, &facts);
        let nodes = Nodes::new(&self.processes, &self.core.hosts, &self.ghosts, self.core.now);
        let mut breaches = Vec::new();
        for place in self.invariants.hearers(&facts) {
            if let Err(breach) = self.invariants[place].on_event(&nodes, node, &facts) {
                breaches.push((place, breach));
            }
        }
        if !breaches.is_empty() {
            self.report(node, breaches);
        }
        self.core.facts = facts;
        self.core.facts.clear();
        self.note_status(node);
    }

    /// Reports each breach once: a violated invariant is not asked again.
    #[cold]
    fn report(&mut self, node: NodeId, breaches: Vec<(usize, Breach)>) {
        for (place, Breach(evidence)) in breaches.into_iter().rev() {
            let property = self.invariants.remove(place).about().name.to_owned();
            tracing::warn!(now = %self.core.now, %node, property, evidence, "violation");
            let (at, event) = (self.core.now, self.core.events);
            self.violations.push(Violation { property, at, event, node: Some(node), evidence });
            self.core.must_look = true;
        }
    }

    /// Compares a process's status with the last one seen.
    fn note_status(&mut self, node: NodeId) {
        let process = self.processes[node.index()].as_ref();
        let status = blame_process(&mut self.core.is_process_to_blame, || process.map(Process::status));
        let after = self.core.hosts[node.index()].status_with(status);
        let before = self.core.hosts[node.index()].status.replace(after);
        if self.core.trace.is_some() || self.agenda.is_waiting() {
            self.show_status(node, before, after);
        }
        if let Some(coverage) = &mut self.core.coverage {
            coverage.on_status(node, before.as_ref(), &after);
        }
        let before = before.and_then(|before| before.process);
        if let Some(status) = after.process {
            if is_change(before, &status) {
                self.on_standing(node, before, status);
            }
            let core = &mut self.core;
            core.leadership.maybe_progress(&mut core.metrics, core.now, node, status.commit);
        }
    }

    /// Hands a change of status to the trace, and to plan entries that wait for one.
    #[cold]
    fn show_status(&mut self, node: NodeId, before: Option<NodeStatus>, after: NodeStatus) {
        if let Some(trace) = &mut self.core.trace {
            trace.status_changed(node, before.and_then(|before| before.process), after.process);
        }
        let now = Moment { time: self.core.now, after_events: self.core.events_now };
        self.agenda.on_status(now, before.as_ref(), &after);
        self.core.must_look = true;
    }

    /// A process stands otherwise, in another epoch, or knows of another leader.
    #[cold]
    fn on_standing(&mut self, node: NodeId, before: Option<Status>, status: Status) {
        let core = &mut self.core;
        let hears_leader = status.standing == Standing::Candidate
            && core.leadership.leader().is_some_and(|leader| core.would_hear(node, leader));
        let change = Change { at: core.now, node, before, after: status, hears_leader };
        core.leadership.on_change(&mut core.metrics, &change);
        if stands_anew(before, status) {
            self.core.note_milestone(Happening::Stands { node, status });
        }
    }

    // ----- starting and stopping nodes -----

    /// Starts a node that is down, on what its disk kept.
    pub(super) fn start(&mut self, node: NodeId) {
        assert_eq!(self.core.hosts[node.index()].power, Power::Down, "{node} runs already");
        self.core.power_on(node);
        let blame = &mut self.core.is_process_to_blame;
        self.processes[node.index()] = Some(blame_process(blame, || P::boot(&self.config, node)));
        self.maybe_limit_effects(node);
        let process = self.processes[node.index()].as_mut().expect("just booted");
        Context::during(&mut self.core, node, |context| process.on_start(context));
        self.after_handler(node);
        self.note_status(node);
    }

    /// Stops a node at once, its disk losing what its model says. Nothing happens if it is down.
    pub(super) fn crash(&mut self, node: NodeId) {
        self.crash_losing(node, self.core.timing.disk.model.crash_loss);
    }

    pub(super) fn crash_losing(&mut self, node: NodeId, loss: CrashLoss) {
        if self.core.power_off(node, loss) {
            self.processes[node.index()] = None;
            self.note_status(node);
        }
    }

    // ----- queries -----

    /// True time.
    pub fn now(&self) -> SimTime {
        self.core.now
    }

    /// How many events have happened.
    pub fn events(&self) -> u64 {
        self.core.events
    }

    /// The digest of all that has happened.
    pub fn digest(&self) -> Digest {
        self.core.digest
    }

    /// The process on a node; `None` while it is down.
    pub fn process(&self, node: NodeId) -> Option<&P> {
        self.processes[node.index()].as_ref()
    }

    /// All nodes as checkers see them.
    pub fn nodes(&self) -> Nodes<'_, P> {
        Nodes::new(&self.processes, &self.core.hosts, &self.ghosts, self.core.now)
    }

    /// Properties that were violated, the first first.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The plan, with what its entries were as far as they have happened.
    pub fn plan(&self) -> &Plan {
        self.agenda.plan()
    }

    /// What is recorded; `None` unless [`World::start_trace`] was called, or [`World::new_traced`] made it.
    pub fn trace(&self) -> Option<&Trace> {
        self.core.trace.as_deref()
    }

    /// Records from here on. Digest and events stay as they would have been.
    pub fn start_trace(&mut self) {
        if self.core.trace.is_none() {
            self.core.trace = Some(Box::new(Trace::starting_at(self.core.records)));
        }
    }

    /// Keeps account of what is on its way, from here on: [`Gauge::InFlight`](crate::metrics::Gauge::InFlight) is there
    /// and each message costs a nanosecond or two more. Digest and events stay as they would have been.
    pub fn watch_flight(&mut self) {
        if !self.core.network.is_watched() {
            let count = self.core.flying_count();
            self.core.network.watch();
            self.core.metrics.watch_flight(self.core.now, count);
        }
    }

    /// Keeps account of what is reached in the abstract, from here on. Digest and events stay as they would have been.
    pub fn watch_coverage(&mut self) {
        if self.core.coverage.is_none() {
            let statuses = self.statuses();
            self.core.coverage = Some(Box::new(Coverage::new(&statuses)));
        }
    }

    /// What was reached in the abstract since [`World::watch_coverage`], as features, ascending: numbers that mean the
    /// same in every run. Empty where that was not watched.
    pub fn coverage(&self) -> Vec<u64> {
        let points = self.core.points.iter().chain(&self.core.fault_points.counts);
        let features = self.core.coverage.as_ref().map(|coverage| coverage.features(points.copied()));
        features.unwrap_or_default()
    }

    /// What clients asked and got.
    pub fn history(&self) -> &History {
        &self.core.history
    }

    /// What was counted and measured.
    pub fn metrics(&self) -> &Metrics {
        &self.core.metrics
    }

    /// What mattered.
    pub fn milestones(&self) -> &AppendLog<Milestone> {
        &self.core.milestones
    }

    /// Runs each invariant's brute-force twin.
    ///
    /// # Errors
    /// The first breach, with the name of the invariant.
    pub fn check_all(&self) -> Result<(), (&'static str, Breach)> {
        let nodes = self.nodes();
        self.invariants.iter().try_for_each(|invariant| {
            invariant.check_all(&nodes).map_err(|breach| (invariant.about().name, breach))
        })
    }

    /// One node at a glance.
    pub fn status(&self, node: NodeId) -> NodeStatus {
        let process = self.processes[node.index()].as_ref().map(Process::status);
        self.core.hosts[node.index()].status_with(process)
    }
}

/// That the protocol has every fault point that the plan names. Scenarios are checked before.
fn assert_points_exist<P: Process>(plan: &Plan) {
    for name in plan.fault_points() {
        let known = P::FAULT_POINTS;
        assert!(
            known.contains(&name.as_str()),
            "the plan names the fault point `{name}`; there are {known:?}"
        );
    }
}

/// Whether a status is worth a milestone: another standing, or another epoch of a leader or candidate.
fn stands_anew(before: Option<Status>, after: Status) -> bool {
    let Some(before) = before else { return after.standing != Standing::Peer };
    before.standing != after.standing || (before.epoch != after.epoch && after.standing != Standing::Follower)
}
