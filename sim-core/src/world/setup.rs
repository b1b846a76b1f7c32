//! What a world is made from.

use std::sync::Arc;

use super::client::Client;
use super::core::{Core, UNLIMITED};
use super::host::NodeHost;
use super::points::FaultPoints;
use crate::check::Invariant;
use crate::clock::NodeClock;
use crate::digest::Digest;
use crate::disk::DiskModel;
use crate::fault::{Domain, Plan, Teller};
use crate::history::History;
use crate::leadership::Leadership;
use crate::metrics::{Metrics, OwnNames};
use crate::network::Network;
use crate::persist::AppendLog;
use crate::process::{Process, Timer};
use crate::queue::{Handle, Slab, Ties, WorldQueue};
use crate::random::{Distribution, KeySource, Probability, Purpose};
use crate::service::Operation;
use crate::{ClientId, Endpoint, NodeId, SimTime, Span};

/// Everything that decides a run of protocol `P`.
pub struct Setup<P: Process> {
    /// The seed of every draw.
    pub seed: u64,
    /// What all processes share.
    pub config: Arc<P::Config>,
    /// How many nodes there are, spares included.
    pub node_count: u32,
    /// Nodes that are down until a command starts them.
    pub spares: Vec<NodeId>,
    /// The clock of each node at the start: one a node, or empty for clocks that show true time.
    pub clocks: Vec<NodeClock>,
    /// Where each node stands, for targets: one a node, or empty where nothing names them.
    pub domains: Vec<Domain>,
    /// The network, for `node_count` nodes and as many clients as below.
    pub network: Network,
    /// How events at the same nanosecond are ordered.
    pub ties: TieRule,
    /// How long hosts take for things.
    pub timing: HostTiming,
    /// The clients, `c1` first.
    pub clients: Vec<ClientSetup>,
    /// The commands of the run.
    pub plan: Plan,
    /// What is checked at every event.
    pub invariants: Vec<Box<dyn Invariant<P>>>,
}

/// How events at the same nanosecond are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TieRule {
    /// In the order in which they were scheduled.
    #[default]
    Fifo,
    /// In a keyed random order: constant latencies hide races, this shows them.
    Shuffled,
}

/// How long hosts take for things, and how much waits for them.
#[derive(Clone, Debug)]
pub struct HostTiming {
    /// Processor time for one input; zero handles inputs in the event of their arrival.
    pub service: Distribution,
    /// How many inputs may wait; more are dropped with `inbox-full`. `None`: any number.
    pub inbox_limit: Option<u32>,
    /// The disks.
    pub disk: DiskTiming,
}

/// How long disks take, and what they are.
#[derive(Clone, Debug)]
pub struct DiskTiming {
    /// Device time for one write, paid by the sync that covers it.
    pub write: Distribution,
    /// Device time for one sync.
    pub sync: Distribution,
    /// Capacity and behaviour at a crash.
    pub model: DiskModel,
}

impl Default for HostTiming {
    /// No service time, any number of waiting inputs, and disks that take no time.
    fn default() -> Self {
        let none = Distribution::constant(Span::ZERO);
        Self {
            service: none.clone(),
            inbox_limit: None,
            disk: DiskTiming { write: none.clone(), sync: none, model: DiskModel::default() },
        }
    }
}

impl HostTiming {
    pub(super) fn has_service_time(&self) -> bool {
        !self.service.maximum().is_zero()
    }
}

/// One client.
#[derive(Clone)]
pub struct ClientSetup {
    /// What it asks.
    pub workload: Arc<dyn Workload>,
    /// How it asks.
    pub policy: Arc<ClientPolicy>,
}

/// How a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientPolicy {
    /// The nodes it may ask; the first attempt of `cK` goes to the K-th of them, round and round.
    pub targets: Vec<NodeId>,
    /// How long it waits for an answer before it asks another node.
    pub timeout: Span,
    /// How long after the invocation it stops asking; the outcome is then unknown.
    pub give_up: Span,
    /// How long it waits before it asks again after a redirect to nowhere or an overloaded node.
    pub backoff: Span,
    /// How likely an operation begins at a random one of `targets`, whoever is believed to lead.
    pub roaming: Probability,
}

/// What a client asks: a pure function, so that a copy of a world asks the same.
pub trait Workload: Send + Sync {
    /// The `ordinal`-th operation of a client, from 0; `None` after the last.
    fn step(&self, client: ClientId, ordinal: u32) -> Option<WorkloadStep>;
}

/// One operation, and when it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadStep {
    /// When.
    pub start: Start,
    /// What.
    pub operation: Operation,
}

/// When an operation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Closed loop: so long after the one before was completed (or after the start of the run).
    After(Span),
    /// Open loop: at this instant, or as soon after it as the one before is completed.
    At(SimTime),
}

impl<P: Process> Core<P> {
    pub(super) fn new(setup: &Setup<P>) -> Self {
        let keys = KeySource::new(setup.seed);
        let mut network = setup.network.clone();
        network.rekey(&keys);
        let host = |index: u32| {
            let who = u64::from(index);
            let clock = setup.clocks.get(index as usize).cloned();
            let stream = |purpose| keys.stream(purpose, who, 0);
            NodeHost::new(clock, stream(Purpose::Process), stream(Purpose::Disk), stream(Purpose::Service))
        };
        Self {
            now: SimTime::ZERO,
            sequence: 0,
            events: 0,
            events_now: 0,
            record: u32::MAX,
            records: 0,
            place: Endpoint::from(NodeId::new(0)),
            is_process_to_blame: false,
            queue: WorldQueue::default(),
            slab: Slab::default(),
            cancelled: 0,
            ties: ties(setup.ties, &keys),
            former_ties: Vec::new(),
            network,
            digest: Digest::default(),
            hosts: (0..setup.node_count).map(host).collect(),
            timers: vec![Handle::NONE; setup.node_count as usize * P::Timer::NAMES.len()],
            facts: Vec::new(),
            effects_left: UNLIMITED,
            is_cut: false,
            timing: setup.timing.clone(),
            clients: setup
                .clients
                .iter()
                .zip(0_u64..)
                .map(|(client, who)| Client::new(client.clone(), keys.stream(Purpose::Client, who, 0)))
                .collect(),
            metrics: Metrics::with_own(OwnNames {
                gauges: P::GAUGES,
                counters: P::COUNTERS,
                latencies: P::LATENCIES,
            }),
            leadership: Leadership::default(),
            history: History::default(),
            milestones: AppendLog::new(),
            teller: Teller::default(),
            trace: None,
            coverage: None,
            points: vec![0; P::POINTS.len()],
            points_first: vec![None; P::POINTS.len()],
            fault_points: FaultPoints::new(P::FAULT_POINTS.len()),
            must_look: false,
            held: Vec::new(),
            keys,
        }
    }
}

fn ties(rule: TieRule, keys: &KeySource) -> Ties {
    match rule {
        TieRule::Fifo => Ties::Fifo,
        TieRule::Shuffled => Ties::Shuffled(keys.key(Purpose::Ties, 0, 0)),
    }
}
