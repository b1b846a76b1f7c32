//! Five-node Raft, idle and busy, with all invariants on.

use std::sync::Arc;

use protocols::raft::{self, Raft};
use sim_core::fault::Plan;
use sim_core::network::{LinkModel, Network, NetworkConfig, Topology};
use sim_core::random::{Distribution, Key, KeySource, Probability, Purpose, below, squares64};
use sim_core::service::{self, Operation, kv};
use sim_core::world::{
    ClientPolicy, ClientSetup, DiskTiming, HostTiming, Start, TieRule, Workload, WorkloadStep,
};
use sim_core::{ClientId, NodeId, Setup, SimTime, Span, World};

/// How many nodes there are.
const NODES: u32 = 5;

/// Half reads, half writes of 100 keys, each client at its own pace.
struct Steady {
    /// One a client.
    keys: Vec<Key>,
    every: Span,
}

impl Workload for Steady {
    fn step(&self, client: ClientId, ordinal: u32) -> Option<WorkloadStep> {
        let draw = squares64(u64::from(ordinal), self.keys[client.index()]);
        let key = kv_key(below(draw, 100));
        let value = u64::from(client.raw()) << 32 | u64::from(ordinal);
        let operation =
            if draw.is_multiple_of(2) { kv::Operation::Read(key) } else { kv::Operation::Write(key, value) };
        let at = SimTime::from_nanos(u64::from(ordinal) * self.every.as_nanos()) + Span::millis(1_000);
        Some(WorkloadStep { start: Start::At(at), operation: Operation::Kv(operation) })
    }
}

fn kv_key(number: u64) -> service::Key {
    service::Key(u32::try_from(number).expect("a small number"))
}

/// A cluster that `clients` clients ask `rate` times a second each.
pub(super) fn cluster(clients: u32, rate: u64) -> World<Raft> {
    let members: Arc<[NodeId]> = (0..NODES).map(NodeId::new).collect();
    let latency = Distribution::uniform(Span::micros(500), Span::millis(2)).expect("low is below high");
    let network = NetworkConfig {
        nodes: NODES,
        clients,
        topology: Topology::Mesh,
        node_link: LinkModel::new(latency.clone()),
        client_link: LinkModel::new(latency),
        overrides: Vec::new(),
    };
    let policy = Arc::new(ClientPolicy {
        targets: members.to_vec(),
        timeout: Span::millis(500),
        give_up: Span::secs(10),
        backoff: Span::millis(50),
        roaming: Probability::ZERO,
    });
    let every = Span::nanos(1_000_000_000 / rate.max(1));
    let workload: Arc<dyn Workload> = Arc::new(Steady {
        keys: (0..u64::from(clients))
            .map(|client| KeySource::new(7).key(Purpose::Workload, client, 0))
            .collect(),
        every,
    });
    let client = ClientSetup { workload, policy };
    let disk = DiskTiming {
        write: Distribution::constant(Span::micros(5)),
        sync: Distribution::uniform(Span::micros(100), Span::micros(500)).expect("low is below high"),
        model: sim_core::disk::DiskModel::default(),
    };
    World::new(Setup {
        seed: 0,
        config: Arc::new(raft::Config::new(members.iter().copied())),
        node_count: NODES,
        spares: Vec::new(),
        clocks: Vec::new(),
        domains: Vec::new(),
        network: Network::new(&network, &KeySource::new(0)).expect("a mesh fits any number of nodes"),
        ties: TieRule::Fifo,
        timing: HostTiming { disk, ..HostTiming::default() },
        clients: vec![client; clients as usize],
        plan: Plan::default(),
        invariants: raft::invariants::all(),
    })
}
