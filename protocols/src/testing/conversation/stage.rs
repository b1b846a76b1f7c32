//! The world of a script: what one step brings about, in words.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::disk::{Disk, DiskModel};
use sim_core::fault::{Command, Plan};
use sim_core::network::{LinkModel, Network, NetworkConfig, Topology};
use sim_core::process::{Message as _, Timer as _};
use sim_core::random::{Distribution, KeySource, Probability};
use sim_core::service::{Operation, Outcome};
use sim_core::simulation::{Choice, ChoiceKind};
use sim_core::trace::{Payload, Record, TraceKind};
use sim_core::world::{Breakdown, ClientPolicy, ClientSetup, Content, DiskTiming, HostTiming, TieRule};
use sim_core::{Endpoint, NodeId, OpId, Process, Setup, Simulation, Span, SyncId, World};

use super::Conversation;
use super::arguments::{Arguments, Nodes as NodeList};
use crate::testing;

/// How many clients a script has.
pub(super) const CLIENTS: u32 = 4;

/// What nodes have stated since somebody looked.
type Facts<F> = Arc<Mutex<Vec<F>>>;

/// The world of a script, and what the script has said about it.
pub(super) struct Stage<P: Conversation> {
    pub(super) world: World<P>,
    pub(super) config: Arc<P::Config>,
    facts: Facts<P::Fact>,
    pub(super) shows_facts: bool,
    /// What clients have asked, in order: a retry repeats it.
    pub(super) asked: Vec<(OpId, Operation)>,
    /// What they were answered, and by whom.
    pub(super) answers: Vec<(OpId, NodeId, Outcome)>,
    /// Properties that may be violated; of each list one must be.
    pub(super) expected: Vec<Vec<String>>,
    /// Those that were.
    violated: BTreeSet<String>,
}

/// What there was before a step.
struct Before {
    orders: BTreeSet<u64>,
    syncs: BTreeSet<(NodeId, SyncId)>,
    records: u32,
}

impl<P: Conversation> Stage<P> {
    /// The world that `cluster` and these words ask for.
    pub(super) fn new(words: &str) -> Result<Self, String> {
        let mut arguments = Arguments::new(words);
        let nodes: u32 = arguments.value("nodes")?.ok_or("`nodes=N` is missing")?;
        let seed: u64 = arguments.value("seed")?.unwrap_or(0);
        let spares: NodeList = arguments.value("spares")?.unwrap_or(NodeList::These(Vec::new()));
        let spares = spares.among(nodes)?;
        let config = Arc::new(P::config(nodes, &mut arguments)?);
        arguments.finish()?;
        let facts = Facts::default();
        let mut invariants = P::invariants(&config);
        invariants.push(Box::new(Listener(Arc::clone(&facts))));
        let mut world = World::new(setup(seed, nodes, spares, Arc::clone(&config), invariants));
        world.start_trace();
        facts.lock().expect("no test thread has panicked with it").clear();
        let (asked, answers) = (Vec::new(), Vec::new());
        let (expected, violated) = (Vec::new(), BTreeSet::new());
        Ok(Self { world, config, facts, shows_facts: true, asked, answers, expected, violated })
    }

    /// Performs a command and checks everything.
    pub(super) fn command(&mut self, line: &str) -> Result<Vec<String>, String> {
        if self.world.is_broken() {
            return Err("something has panicked: nothing goes on".to_owned());
        }
        let mut arguments = Arguments::new(line);
        let mut output = self.perform(&mut arguments)?;
        arguments.finish()?;
        self.check(&mut output)?;
        Ok(output)
    }

    /// A violation that was announced and did not come.
    pub(super) fn missing_violation(&self) -> Option<String> {
        let is_missing = |any: &&Vec<String>| !any.iter().any(|property| self.violated.contains(property));
        let missing = self.expected.iter().find(is_missing)?;
        Some(format!("`{}` was expected to be violated, and was not", missing.join(" ")))
    }

    fn check(&mut self, output: &mut Vec<String>) -> Result<(), String> {
        if let Some(Breakdown::Limit(text) | Breakdown::Bug(text)) = self.world.breakdown() {
            return Err(format!("no process is to blame, but: {text}"));
        }
        let found = self.world.violations().iter();
        let mut breaches: Vec<(String, String)> =
            found.map(|violation| (violation.property.clone(), violation.evidence.clone())).collect();
        if !self.world.is_broken()
            && let Err((name, Breach(evidence))) = self.world.check_all()
        {
            breaches.push((name.to_owned(), evidence));
        }
        for (property, evidence) in breaches {
            if !self.expected.iter().any(|any| any.contains(&property)) {
                return Err(format!("{property} is violated: {evidence}"));
            }
            if self.violated.insert(property.clone()) {
                output.push(format!("  violates {property}: {evidence}"));
            }
        }
        Ok(())
    }

    // ----- steps -----

    /// Takes a choice, and says what it was and what came of it.
    pub(super) fn step(&mut self, choice: Choice) -> Vec<String> {
        let headline = self.headline(choice);
        let before = self.before();
        Simulation::take(&mut self.world, choice).expect("a world whose process panicked is not stepped on");
        let mut lines = self.aftermath(&before);
        if let Some(reason) = self.lost_on_arrival(&before, choice) {
            lines.clear();
            lines.push(format!("  {headline}, but it is lost: {reason}"));
        } else {
            lines.insert(0, format!("  {headline}"));
        }
        lines
    }

    /// Applies a command to the world, and says what came of it.
    pub(super) fn apply(&mut self, headline: &str, command: Command) -> Vec<String> {
        let before = self.before();
        Simulation::apply(&mut self.world, command).expect("a world whose process panicked takes no command");
        let mut lines = vec![format!("  {headline}")];
        lines.extend(self.aftermath(&before));
        lines
    }

    /// Why the message of a step did not get in.
    fn lost_on_arrival(&self, before: &Before, choice: Choice) -> Option<&'static str> {
        let record = self.world.trace()?.get(before.records)?;
        let is_this = record.peer() == Some(choice.from) && record.subject() == Some(choice.to);
        if choice.kind == ChoiceKind::Message && is_this { Some(record.drop_reason()?.name()) } else { None }
    }

    fn before(&self) -> Before {
        let orders = self.world.prospects().iter().map(|prospect| prospect.order).collect();
        Before { orders, syncs: self.syncs().collect(), records: self.records() }
    }

    fn records(&self) -> u32 {
        self.world.trace().map_or(0, sim_core::trace::Trace::len)
    }

    /// What has happened since: facts, then effects in their order, then what was lost, then a crash.
    fn aftermath(&mut self, before: &Before) -> Vec<String> {
        let mut lines = Vec::new();
        let facts = std::mem::take(&mut *self.facts.lock().expect("no test thread has panicked with it"));
        if self.shows_facts {
            lines.extend(facts.iter().filter_map(P::fact));
        }
        lines.extend(self.effects(before));
        lines.extend(self.mishaps(before));
        self.hand_over_answers();
        lines.into_iter().map(|line| format!("    {line}")).collect()
    }

    fn effects(&self, before: &Before) -> Vec<String> {
        let syncs: Vec<String> = self
            .syncs()
            .filter(|(node, sync)| !before.syncs.contains(&(*node, *sync)))
            .map(|(node, sync)| self.region_name(node, sync))
            .collect();
        let begun = (!syncs.is_empty()).then(|| format!("syncs {}", syncs.join(", ")));
        let all = self.world.prospects();
        let new = all.iter().filter(|prospect| !before.orders.contains(&prospect.order));
        let sent = new.filter_map(|prospect| match &prospect.content {
            Content::Message(message) => Some(format!("sends {} {}", prospect.choice.to, message.describe())),
            Content::Reply(op, outcome) => Some(format!("answers {op}: {outcome}")),
            Content::Timer(_)
            | Content::Durable(_)
            | Content::Request(..)
            | Content::Handler
            | Content::Client => None,
        });
        begun.into_iter().chain(sent).collect()
    }

    /// The syncs under way, on all nodes.
    fn syncs(&self) -> impl Iterator<Item = (NodeId, SyncId)> {
        self.all_nodes().into_iter().flat_map(|node| {
            let disk = self.world.nodes().disk(node);
            disk.into_iter().flat_map(Disk::pending_syncs).map(move |sync| (node, sync.id))
        })
    }

    fn region_name(&self, node: NodeId, sync: SyncId) -> String {
        let disk = self.world.nodes().disk(node).expect("a node that syncs has a disk");
        let region = disk.region_of(sync).expect("a sync under way is of a region");
        P::region_on(&self.config, node, region)
    }

    /// All nodes, running or not.
    pub(super) fn all_nodes(&self) -> Vec<NodeId> {
        (0_u32..).take(self.world.nodes().count()).map(NodeId::new).collect()
    }

    fn mishaps(&self, before: &Before) -> Vec<String> {
        let trace = self.world.trace().expect("a stage records");
        trace.range(before.records..trace.len()).filter_map(mishap::<P>).collect()
    }

    /// Answers reach their clients at once.
    fn hand_over_answers(&mut self) {
        let mut taken = Vec::new();
        for prospect in self.world.prospects() {
            if let (Content::Reply(op, outcome), Some(node)) =
                (&prospect.content, prospect.choice.from.node())
            {
                self.answers.push((*op, node, (*outcome).clone()));
                taken.push(prospect.choice);
            }
        }
        for choice in taken {
            self.world.take(choice);
        }
    }

    /// A choice in words.
    fn headline(&self, choice: Choice) -> String {
        let all = self.world.prospects();
        let prospect = all.iter().find(|prospect| prospect.choice == choice).expect("it could happen");
        let Choice { from, to, .. } = choice;
        match &prospect.content {
            Content::Message(message) => format!("{to}: {} from {from} arrives", message.describe()),
            Content::Timer(timer) => format!("{to}: {} timer fires", timer_name::<P>(*timer)),
            Content::Durable(sync) => {
                let node = to.node().expect("syncs belong to nodes");
                format!("{to}: {} is on disk", self.region_name(node, *sync))
            }
            Content::Request(op, operation) => format!("{to}: {op} asks {operation}"),
            Content::Reply(op, _) => format!("{to}: the answer to {op} arrives"),
            Content::Handler => format!("{to}: goes on with what waits"),
            Content::Client => format!("{to}: goes on"),
        }
    }
}

/// The name of a timer, as commands write it.
pub(super) fn timer_name<P: Conversation>(timer: P::Timer) -> String {
    match timer.index() {
        Some(index) => <P::Timer as sim_core::process::Timer>::NAMES[index].to_owned(),
        None => P::timer(timer),
    }
}

/// What went wrong within a step.
fn mishap<P: Process>(record: &Record) -> Option<String> {
    let end = |end: Option<Endpoint>| end.map_or_else(String::new, |end| end.to_string());
    match record.kind() {
        TraceKind::Drop => {
            let what = match record.payload()? {
                Payload::Message(kind) => P::Message::KINDS[usize::from(kind)],
                Payload::Request => "a request",
                Payload::Reply => "an answer",
            };
            Some(format!(
                "sends {} {what}, which is lost: {}",
                end(record.subject()),
                record.drop_reason()?.name()
            ))
        }
        TraceKind::Crash => Some("crashes".to_owned()),
        TraceKind::Delivery
        | TraceKind::TimerFired
        | TraceKind::Durable
        | TraceKind::Request
        | TraceKind::Reply
        | TraceKind::HandlerStart
        | TraceKind::Start
        | TraceKind::Restart
        | TraceKind::Pause
        | TraceKind::Resume
        | TraceKind::Command => None,
    }
}

/// Hears facts, and finds nothing wrong with them.
#[derive(Debug)]
struct Listener<F>(Facts<F>);

/// A derived one would ask for facts that can be copied.
impl<F> Clone for Listener<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Process> Invariant<P> for Listener<P::Fact> {
    fn about(&self) -> &'static About {
        &About { name: "listener", statement: "Anything goes.", source: "none", leaves_out: "all" }
    }

    fn on_event(&mut self, _: &Nodes<'_, P>, _: NodeId, facts: &[P::Fact]) -> Result<(), Breach> {
        self.0.lock().expect("no test thread has panicked with it").extend_from_slice(facts);
        Ok(())
    }

    fn check_all(&self, _: &Nodes<'_, P>) -> Result<(), Breach> {
        Ok(())
    }
}

/// A mesh in which everything takes no time, so that only timers and commands move it.
fn setup<P: Process>(
    seed: u64,
    node_count: u32,
    spares: Vec<NodeId>,
    config: Arc<P::Config>,
    invariants: Vec<Box<dyn Invariant<P>>>,
) -> Setup<P> {
    let none = Distribution::constant(Span::ZERO);
    let network = NetworkConfig {
        nodes: node_count,
        clients: CLIENTS,
        topology: Topology::Mesh,
        node_link: LinkModel::new(none.clone()),
        client_link: LinkModel::new(none.clone()),
        overrides: Vec::new(),
    };
    let policy = Arc::new(ClientPolicy {
        targets: vec![NodeId::new(0)],
        timeout: Span::secs(1),
        give_up: Span::secs(1),
        backoff: Span::secs(1),
        roaming: Probability::ZERO,
    });
    let client = ClientSetup { workload: Arc::new(testing::Script::default()), policy };
    let disk = DiskTiming { write: none.clone(), sync: none, model: DiskModel::default() };
    Setup {
        seed,
        config,
        node_count,
        spares,
        clocks: Vec::new(),
        domains: Vec::new(),
        network: Network::new(&network, &KeySource::new(seed)).expect("a valid network"),
        ties: TieRule::Fifo,
        timing: HostTiming { disk, ..HostTiming::default() },
        clients: vec![client; CLIENTS as usize],
        plan: Plan::default(),
        invariants,
    }
}
