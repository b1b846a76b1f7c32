//! Worlds for tests: what they are made from, and shorthand for what they are asked.

mod chatter;
mod puppet;
mod storm;

use std::sync::Arc;

use sim_core::fault::{Command, Entry, Plan, Target};
use sim_core::network::{LinkModel, Network, NetworkConfig, Topology};
use sim_core::random::{Distribution, KeySource, Probability};
use sim_core::service::Operation;
use sim_core::trace::{Record, TraceKind};
use sim_core::world::{ClientPolicy, ClientSetup, HostTiming, Setup, Start, TieRule, Workload, WorkloadStep};
use sim_core::{ClientId, NodeId, Process, SimTime, Span, World};

pub(crate) use chatter::{AppendsInOrder, Chatter, ChatterConfig, ChatterFact};
pub(crate) use puppet::{Input, Puppet, PuppetTimer, Strings, Word, puppets};
pub(crate) use storm::storm;

/// The node printed `n{number}`.
pub(crate) const fn n(number: u32) -> NodeId {
    NodeId::new(number - 1)
}

/// The client printed `c{number}`.
pub(crate) const fn c(number: u32) -> ClientId {
    ClientId::new(number - 1)
}

pub(crate) const fn ms(millis: u64) -> Span {
    Span::millis(millis)
}

pub(crate) const fn at(millis: u64) -> SimTime {
    SimTime::from_nanos(millis * 1_000_000)
}

pub(crate) fn percent(percent: u64) -> Probability {
    Probability::from_ratio(percent, 100).expect("at most 100")
}

pub(crate) const fn constant(span: Span) -> Distribution {
    Distribution::constant(span)
}

pub(crate) fn uniform(low: Span, high: Span) -> Distribution {
    Distribution::uniform(low, high).expect("low comes first")
}

pub(crate) fn link(latency: Distribution) -> LinkModel {
    LinkModel::new(latency)
}

/// A network of `nodes` nodes and `clients` clients, all links alike.
pub(crate) fn network(nodes: u32, clients: u32, topology: Topology, link: &LinkModel) -> Network {
    let config = NetworkConfig {
        nodes,
        clients,
        topology,
        node_link: link.clone(),
        client_link: link.clone(),
        overrides: Vec::new(),
    };
    Network::new(&config, &KeySource::new(0)).expect("a network that fits")
}

/// A mesh without clients whose links take 1 to 5 ms.
pub(crate) fn mesh<P: Process>(seed: u64, nodes: u32, config: P::Config) -> Setup<P> {
    let link = link(uniform(ms(1), ms(5)));
    Setup {
        seed,
        config: Arc::new(config),
        node_count: nodes,
        spares: Vec::new(),
        clocks: Vec::new(),
        domains: Vec::new(),
        network: network(nodes, 0, Topology::Mesh, &link),
        ties: TieRule::Fifo,
        timing: HostTiming::default(),
        clients: Vec::new(),
        plan: Plan::default(),
        invariants: Vec::new(),
    }
}

/// Puts the same link everywhere, in a mesh.
pub(crate) fn relink<P: Process>(setup: &mut Setup<P>, link: &LinkModel) {
    let clients = u32::try_from(setup.clients.len()).expect("a few clients");
    setup.network = network(setup.node_count, clients, Topology::Mesh, link);
}

/// A plan of commands at milliseconds.
pub(crate) fn plan(commands: impl IntoIterator<Item = (u64, Command)>) -> Plan {
    let entries = commands.into_iter().map(|(millis, command)| Entry::at(at(millis), &command));
    Plan::new(entries.collect(), Vec::new())
}

/// A client that asks `operations`, `wait` after the answer before, of all nodes in turn.
pub(crate) fn closed_loop(nodes: u32, wait: Span, operations: Vec<Operation>) -> ClientSetup {
    let steps = operations.into_iter().map(|operation| WorkloadStep { start: Start::After(wait), operation });
    asks(nodes, steps.collect())
}

pub(crate) fn asks(nodes: u32, steps: Vec<WorkloadStep>) -> ClientSetup {
    let policy = ClientPolicy {
        targets: (0..nodes).map(NodeId::new).collect(),
        timeout: ms(50),
        give_up: ms(200),
        backoff: ms(10),
        roaming: Probability::ZERO,
    };
    ClientSetup { workload: Arc::new(Steps(steps)), policy: Arc::new(policy) }
}

pub(crate) fn echoes(count: u64) -> Vec<Operation> {
    (0..count).map(Operation::Echo).collect()
}

struct Steps(Vec<WorkloadStep>);

impl Workload for Steps {
    fn step(&self, _client: ClientId, ordinal: u32) -> Option<WorkloadStep> {
        self.0.get(ordinal as usize).cloned()
    }
}

/// The records of a kind.
pub(crate) fn records<P: Process>(world: &World<P>, kind: TraceKind) -> Vec<Record> {
    let trace = world.trace().expect("the test records");
    trace.iter().filter(|record| record.kind() == kind).copied().collect()
}

/// The drops, as words: who lost what from whom when, and why.
pub(crate) fn drops<P: Process>(world: &World<P>) -> Vec<(SimTime, String)> {
    let drops = records(world, TraceKind::Drop);
    drops.iter().map(|drop| (drop.at(), drop.drop_reason().expect("a drop").to_string())).collect()
}

pub(crate) fn traced<P: Process>(setup: Setup<P>) -> World<P> {
    World::new_traced(setup)
}

/// A command on a role.
pub(crate) fn entry(trigger: sim_core::fault::Trigger, command: Command<Target>) -> Entry {
    Entry { trigger, command, was: None }
}
