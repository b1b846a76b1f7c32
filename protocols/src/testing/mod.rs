//! What the tests of all protocols share: small worlds with scripted clients, [`faults`], and [`conversation`] scripts.

pub(crate) mod clients;
pub(crate) mod conversation;
pub(crate) mod faults;
pub(crate) mod names;
mod twins;

use std::sync::Arc;

use sim_core::check::Invariant;
use sim_core::disk::DiskModel;
use sim_core::fault::Plan;
use sim_core::network::{LinkModel, Network, NetworkConfig, Topology};
use sim_core::random::{Distribution, KeySource, Probability};
use sim_core::service::Operation;
use sim_core::world::{
    ClientPolicy, ClientSetup, DiskTiming, HostTiming, Start, TieRule, Workload, WorkloadStep,
};
use sim_core::{ClientId, NodeId, Process, Setup, Span, World};

/// The operations of one client, each so long after the one before was completed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(pub(crate) Vec<(Span, Operation)>);

impl Workload for Script {
    fn step(&self, _client: ClientId, ordinal: u32) -> Option<WorkloadStep> {
        let (wait, operation) = self.0.get(ordinal as usize)?.clone();
        Some(WorkloadStep { start: Start::After(wait), operation })
    }
}

/// A mesh of nodes, 0.5 to 1.5 ms apart, with disks that take 0.2 to 2 ms to sync, and clients next door.
pub(crate) fn world<P: Process>(
    seed: u64,
    node_count: u32,
    config: P::Config,
    scripts: Vec<Script>,
    invariants: Vec<Box<dyn Invariant<P>>>,
) -> World<P> {
    let (node_link, sync) = (uniform(500, 1_500), uniform(200, 2_000));
    world_over(seed, node_count, config, scripts, invariants, (node_link, sync))
}

/// A mesh of nodes that are all `delay` apart, with disks that take no time.
pub(crate) fn steady_world<P: Process>(
    node_count: u32,
    delay: Span,
    config: P::Config,
    scripts: Vec<Script>,
    invariants: Vec<Box<dyn Invariant<P>>>,
) -> World<P> {
    let node_link = Distribution::uniform(delay, delay).expect("a valid range");
    world_over(1, node_count, config, scripts, invariants, (node_link, uniform(0, 0)))
}

/// Microseconds.
fn uniform(low: u64, high: u64) -> Distribution {
    Distribution::uniform(Span::micros(low), Span::micros(high)).expect("a valid range")
}

fn world_over<P: Process>(
    seed: u64,
    node_count: u32,
    config: P::Config,
    scripts: Vec<Script>,
    invariants: Vec<Box<dyn Invariant<P>>>,
    (node_link, sync): (Distribution, Distribution),
) -> World<P> {
    let clients = u32::try_from(scripts.len()).expect("few clients");
    let network = NetworkConfig {
        nodes: node_count,
        clients,
        topology: Topology::Mesh,
        node_link: LinkModel::new(node_link),
        client_link: LinkModel::new(uniform(100, 200)),
        overrides: Vec::new(),
    };
    let policy = Arc::new(ClientPolicy {
        targets: (0..node_count).map(NodeId::new).collect(),
        timeout: Span::millis(200),
        give_up: Span::secs(60),
        backoff: Span::millis(20),
        roaming: Probability::ZERO,
    });
    let disk = DiskTiming { write: uniform(0, 0), sync, model: DiskModel::default() };
    World::new(Setup {
        seed,
        config: Arc::new(config),
        node_count,
        spares: Vec::new(),
        clocks: Vec::new(),
        domains: Vec::new(),
        network: Network::new(&network, &KeySource::new(seed)).expect("a valid network"),
        ties: TieRule::Shuffled,
        timing: HostTiming { disk, ..HostTiming::default() },
        clients: scripts
            .into_iter()
            .map(|script| ClientSetup { workload: Arc::new(script), policy: policy.clone() })
            .collect(),
        plan: Plan::default(),
        invariants,
    })
}

/// Goes on for `span`, and checks that nothing was violated.
pub(crate) fn run<P: Process>(world: &mut World<P>, span: Span) {
    let until = world.now() + span;
    world.run(until, u64::MAX);
    assert_eq!(world.violations(), [], "at {}", world.now());
    if let Err((name, breach)) = world.check_all() {
        panic!("{name}: {breach}, at {}", world.now());
    }
}
