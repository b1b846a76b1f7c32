//! From a scenario and a seed to a world at time zero.

use std::sync::Arc;

use sim_core::check::Invariant;
use sim_core::clock::NodeClock;
use sim_core::disk::DiskModel;
use sim_core::fault::{Domain, Plan, Script};
use sim_core::network::{Network, NetworkConfig};
use sim_core::process::Process;
use sim_core::random::{self, KeySource};
use sim_core::world::{ClientPolicy, ClientSetup, DiskTiming, HostTiming, TieRule, Workload as Asks};
use sim_core::{ClientId, NodeId, Setup, Simulation, World};

use crate::format::{Scenario, Workload};
use crate::plan;
use crate::protocol::{ProtocolKind, ProtocolTable};
use crate::run::Recording;
use crate::text::units::{Probability, Size};
use crate::workload::{Scripted, WorkloadSource};

/// Everything that a world is made from but its protocol.
pub struct Blueprint {
    seed: u64,
    node_count: u32,
    spares: Vec<NodeId>,
    clocks: Vec<NodeClock>,
    domains: Vec<Domain>,
    network: Network,
    ties: TieRule,
    timing: HostTiming,
    clients: Vec<ClientSetup>,
    plan: Plan,
    recording: Recording,
    /// The names of the invariants to check; `None` for all.
    invariants: Option<Vec<String>>,
}

/// The world of a scenario that [`validate`](crate::validate::validate) has let pass, at time zero. With `replay` it
/// follows that plan instead of drawing one.
///
/// # Panics
/// If the scenario contradicts itself, names a protocol that is not in the table, or the plan does not fit it.
pub fn assemble(
    scenario: &Scenario,
    table: &ProtocolTable,
    seed: u64,
    replay: Option<&Plan>,
) -> Box<dyn Simulation> {
    assemble_recording(scenario, table, seed, replay, Recording::Off)
}

/// Like [`assemble`], and with `recording` on the trace begins with the starts of the nodes: one that is started on
/// the finished world has missed them.
///
/// # Panics
/// As [`assemble`].
pub fn assemble_recording(
    scenario: &Scenario,
    table: &ProtocolTable,
    seed: u64,
    replay: Option<&Plan>,
    recording: Recording,
) -> Box<dyn Simulation> {
    let kind = table.find(scenario.protocol.name()).expect("`validate` found the protocol in the table");
    let plan = match replay {
        Some(saved) => plan::healed(saved.clone(), scenario),
        None => plan::plan(scenario, kind.sites(&scenario.protocol), seed),
    };
    if let Err(error) = plan.validate(scenario.nodes, scenario.clients.total()) {
        panic!("the plan does not fit the scenario: {error}");
    }
    let blueprint = Blueprint { recording, ..Blueprint::new(scenario, kind, seed, plan) };
    kind.assemble(&scenario.protocol, &scenario.members(), blueprint)
}

impl Blueprint {
    fn new(scenario: &Scenario, kind: &dyn ProtocolKind, seed: u64, plan: Plan) -> Self {
        let network = Network::new(&network_config(scenario), &KeySource::new(seed));
        Self {
            seed,
            node_count: scenario.nodes,
            spares: scenario.spares.nodes().to_vec(),
            clocks: clocks(scenario),
            domains: domains(scenario),
            network: network.expect("`validate` made the same network"),
            ties: scenario.ties.rule(),
            timing: timing(scenario),
            clients: clients(scenario, kind, seed, &plan),
            plan,
            recording: Recording::Off,
            invariants: scenario.checks.invariants.clone(),
        }
    }

    /// A world of protocol `P` that checks `invariants`, as far as the scenario wants them.
    pub fn build<P: Process>(
        self,
        config: P::Config,
        invariants: Vec<Box<dyn Invariant<P>>>,
    ) -> Box<dyn Simulation> {
        let recording = self.recording;
        let setup = self.setup(config, invariants);
        let mut world = match recording {
            Recording::Off => World::new(setup),
            Recording::On => World::new_traced(setup),
        };
        world.watch_flight();
        Box::new(world)
    }

    /// What [`Blueprint::build`] makes its world from, for those who do more with a world than run it.
    pub fn setup<P: Process>(
        self,
        config: P::Config,
        mut invariants: Vec<Box<dyn Invariant<P>>>,
    ) -> Setup<P> {
        if let Some(wanted) = &self.invariants {
            invariants.retain(|invariant| wanted.iter().any(|name| name == invariant.about().name));
        }
        Setup {
            seed: self.seed,
            config: Arc::new(config),
            node_count: self.node_count,
            spares: self.spares,
            clocks: self.clocks,
            domains: self.domains,
            network: self.network,
            ties: self.ties,
            timing: self.timing,
            clients: self.clients,
            plan: self.plan,
            invariants,
        }
    }
}

/// The network that the scenario asks for.
pub(crate) fn network_config(scenario: &Scenario) -> NetworkConfig {
    NetworkConfig {
        nodes: scenario.nodes,
        clients: scenario.clients.total(),
        topology: scenario.topology.topology(scenario.nodes),
        node_link: scenario.network.node_link(),
        client_link: scenario.network.client_link(),
        overrides: scenario.network.overrides(),
    }
}

/// What clients ask: as the scenario says, else what the protocol serves first.
pub(crate) fn workload(scenario: &Scenario, kind: &dyn ProtocolKind) -> Option<Workload> {
    let usual = || kind.services(&scenario.protocol).first().copied().and_then(Workload::usual);
    scenario.clients.workload.clone().or_else(usual)
}

fn clocks(scenario: &Scenario) -> Vec<NodeClock> {
    let clocks = &scenario.clocks;
    let error_ppm = clocks.error_drift.parts().unsigned_abs();
    if clocks.nodes.is_empty() && clocks.error.span().is_zero() && error_ppm == 0 {
        return Vec::new();
    }
    let fresh = NodeClock::new(clocks.error.span(), error_ppm);
    let mut all = vec![fresh.clone(); scenario.nodes as usize];
    for (name, given) in &clocks.nodes {
        let own = fresh.clone().with_own(given.offset.as_nanos(), given.drift.parts());
        let slewed = own.and_then(|own| match given.slew {
            Some(rate) => own.with_own_slew(rate.parts().unsigned_abs()),
            None => Ok(own),
        });
        all[name.id().index()] = slewed.expect("`validate` checked drift and slew");
    }
    all
}

/// The failure domains of the nodes, one each; none where the scenario names none.
pub fn domains(scenario: &Scenario) -> Vec<Domain> {
    let are_named = !(scenario.zones.is_empty() && scenario.racks.is_empty());
    if are_named { scenario.domains() } else { Vec::new() }
}

fn timing(scenario: &Scenario) -> HostTiming {
    let disks = &scenario.disks;
    let model = DiskModel {
        capacity: disks.capacity.map(Size::bytes),
        crash_loss: disks.crash_loss.crash_loss(),
        ..DiskModel::default()
    };
    HostTiming {
        service: scenario.hosts.service.distribution(),
        inbox_limit: scenario.hosts.inbox,
        disk: DiskTiming { write: disks.write.distribution(), sync: disks.sync.distribution(), model },
    }
}

/// The clients; those for whom the plan has a script ask what it says.
fn clients(scenario: &Scenario, kind: &dyn ProtocolKind, seed: u64, plan: &Plan) -> Vec<ClientSetup> {
    let clients = &scenario.clients;
    let targets = clients.targets.nodes();
    let policy = Arc::new(ClientPolicy {
        targets: if targets.is_empty() { scenario.members() } else { targets.to_vec() },
        timeout: clients.timeout.span(),
        give_up: clients.give_up.span(),
        backoff: clients.backoff.span(),
        roaming: clients.roaming.map_or(random::Probability::ZERO, Probability::probability),
    });
    let drawn = workload(scenario, kind).map(|workload| WorkloadSource::new(&workload, clients, seed));
    let asks = |client: ClientId| -> Option<Arc<dyn Asks>> {
        let script = plan.clients().iter().find(|script| script.client == client);
        match script {
            Some(script) => Some(Arc::new(Scripted::new(script.clone()))),
            None if client.raw() >= clients.count => {
                Some(Arc::new(Scripted::new(Script { client, steps: Vec::new() })))
            }
            None => drawn.clone().map(|drawn| drawn as Arc<dyn Asks>),
        }
    };
    let setup = |client| {
        let workload = asks(ClientId::new(client)).expect("`validate` found something to ask");
        ClientSetup { workload, policy: policy.clone() }
    };
    (0..clients.total()).map(setup).collect()
}
