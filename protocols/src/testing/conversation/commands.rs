//! What each command does.

use sim_core::clock::ClockFault;
use sim_core::disk::{Corruption, DiskFault, RegionKind, SlotAddress};
use sim_core::fault::{Command, Place};
use sim_core::network::Direction;
use sim_core::process::Message as _;
use sim_core::service::Operation;
use sim_core::simulation::{Choice, ChoiceKind};
use sim_core::{ClientId, NodeId, OpId, Simulation, Span};

use super::Conversation;
use super::arguments::{Arguments, Nodes};
use super::stage::{CLIENTS, Stage, timer_name};

/// Steps of one `settle` at most: a protocol that sends without end does not come to rest.
const SETTLE_MAX: usize = 5_000;

type Output = Result<Vec<String>, String>;

/// Which of the messages on some links.
enum Which {
    Oldest,
    All,
    Last,
    /// Counted from 1.
    Nth(usize),
}

impl<P: Conversation> Stage<P> {
    /// Performs one command.
    pub(super) fn perform(&mut self, arguments: &mut Arguments) -> Output {
        let name: String = arguments.next("command")?;
        match name.as_str() {
            "fire" => self.fire(arguments),
            "deliver" => self.deliver(arguments),
            "drop" => self.lose(arguments),
            "duplicate" => self.double(arguments),
            "durable" => self.durable(arguments),
            "settle" => self.settle(arguments),
            "request" => self.request(arguments),
            "retry" => self.retry(arguments),
            "crash" => self.on_each(arguments, Self::crash),
            "restart" => self.on_each(arguments, Self::restart),
            "wipe" => self.on_each(arguments, Self::wipe),
            "lose-unsynced" => self.on_each(arguments, Self::lose_unsynced),
            "crash-after" => self.crash_after(arguments),
            "cut" => self.cut(arguments),
            "mend" => self.mend(arguments),
            "heal" => Ok(self.act(Command::HealAll)),
            "clock" => self.clock(arguments),
            "disk" => self.disk(arguments),
            "advance" => self.advance(arguments),
            "quietly" => self.perform(arguments).map(|_| Vec::new()),
            "facts" => {
                self.shows_facts = arguments.next("facts")?;
                Ok(Vec::new())
            }
            "expect-violation" => self.expect_violation(arguments),
            _ => self.show(&name, arguments),
        }
    }

    /// One of these properties will be violated, and each of them may.
    fn expect_violation(&mut self, arguments: &mut Arguments) -> Output {
        let mut any = vec![arguments.next("property")?];
        while let Some(property) = arguments.maybe() {
            any.push(property);
        }
        self.expected.push(any);
        Ok(Vec::new())
    }

    // ----- nodes in commands -----

    /// The next word as a node of this cluster.
    pub(super) fn node(&self, arguments: &mut Arguments) -> Result<NodeId, String> {
        let node: NodeId = arguments.next("node")?;
        self.known(Nodes::These(vec![node])).map(|_| node)
    }

    /// The next word as nodes.
    fn nodes(&self, arguments: &mut Arguments) -> Result<Vec<NodeId>, String> {
        self.known(arguments.next("nodes")?)
    }

    /// The next word as nodes, if it is; else all.
    pub(super) fn nodes_or_all(&self, arguments: &mut Arguments) -> Result<Vec<NodeId>, String> {
        self.known(arguments.maybe().unwrap_or(Nodes::All))
    }

    fn known(&self, nodes: Nodes) -> Result<Vec<NodeId>, String> {
        nodes.among(u32::try_from(self.world.nodes().count()).expect("few nodes"))
    }

    fn on_each(&mut self, arguments: &mut Arguments, act: fn(&mut Self, NodeId) -> Output) -> Output {
        let mut output = Vec::new();
        for node in self.nodes(arguments)? {
            output.extend(act(self, node)?);
        }
        Ok(output)
    }

    // ----- what waits -----

    fn fire(&mut self, arguments: &mut Arguments) -> Output {
        let (node, name) = (self.node(arguments)?, arguments.rest());
        let prospects = self.world.prospects();
        let of_node = prospects.iter().filter(|prospect| prospect.choice.to == node.into());
        let mut timers: Vec<_> = of_node
            .filter_map(|prospect| {
                let name = timer_name::<P>(prospect.content.timer()?);
                Some((prospect.due, prospect.order, name, prospect.choice))
            })
            .collect();
        timers.sort_by_key(|(due, order, ..)| (*due, *order));
        let found = timers.iter().find(|(_, _, armed, _)| armed.starts_with(&name));
        let armed: Vec<&str> = timers.iter().map(|(_, _, armed, _)| armed.as_str()).collect();
        let found =
            found.ok_or_else(|| format!("{node} has no timer `{name}`, but: {}", armed.join(", ")))?;
        let choice = found.3;
        Ok(self.step(choice))
    }

    fn deliver(&mut self, arguments: &mut Arguments) -> Output {
        let choices = self.messages(arguments)?;
        let mut output = Vec::new();
        for choice in choices {
            if !self.world.is_broken() {
                output.extend(self.step(choice));
            }
        }
        Ok(output)
    }

    fn lose(&mut self, arguments: &mut Arguments) -> Output {
        let mut output = Vec::new();
        for choice in self.messages(arguments)? {
            output.push(format!("  {} is lost", self.in_words(choice)));
            self.world.lose(choice);
        }
        Ok(output)
    }

    fn double(&mut self, arguments: &mut Arguments) -> Output {
        let mut output = Vec::new();
        for choice in self.messages(arguments)? {
            output.push(format!("  {} is there twice", self.in_words(choice)));
            self.world.double(choice);
        }
        Ok(output)
    }

    /// The messages that `FROM TO [WHICH]` means: at least one.
    fn messages(&self, arguments: &mut Arguments) -> Result<Vec<Choice>, String> {
        let (from, to) = (self.nodes(arguments)?, self.nodes(arguments)?);
        let which = which(arguments)?;
        let text = arguments.rest();
        let mut found: Vec<Choice> = self
            .flying(&from, &to)
            .into_iter()
            .filter(|(_, description)| description.starts_with(&text))
            .map(|(choice, _)| choice)
            .collect();
        match which {
            Which::All => {}
            Which::Oldest => found.truncate(1),
            Which::Last => found = found.pop().into_iter().collect(),
            Which::Nth(nth) => found = found.get(nth - 1).copied().into_iter().collect(),
        }
        if found.is_empty() { Err("no such message is in flight".to_owned()) } else { Ok(found) }
    }

    /// Messages in flight between these, the oldest first, with their descriptions.
    pub(super) fn flying(&self, from: &[NodeId], to: &[NodeId]) -> Vec<(Choice, String)> {
        let prospects = self.world.prospects();
        let messages = prospects.iter().filter_map(|prospect| {
            let message = prospect.content.message()?;
            Some((prospect.choice, message.describe()))
        });
        let is_among =
            |end: sim_core::Endpoint, nodes: &[NodeId]| end.node().is_some_and(|node| nodes.contains(&node));
        messages.filter(|(choice, _)| is_among(choice.from, from) && is_among(choice.to, to)).collect()
    }

    fn in_words(&self, choice: Choice) -> String {
        let flying = self.flying(&self.all_nodes(), &self.all_nodes());
        let (_, text) = flying.iter().find(|(other, _)| *other == choice).expect("it is in flight");
        format!("{text} from {} to {}", choice.from, choice.to)
    }

    fn durable(&mut self, arguments: &mut Arguments) -> Output {
        let (nodes, all) = (self.nodes(arguments)?, arguments.flag("all"));
        let mut output = Vec::new();
        for node in nodes {
            let first = self.next_sync(node).ok_or_else(|| format!("{node} has no sync under way"))?;
            output.extend(self.step(first));
            while all && let Some(next) = self.next_sync(node) {
                output.extend(self.step(next));
            }
        }
        Ok(output)
    }

    fn next_sync(&self, node: NodeId) -> Option<Choice> {
        let choices = self.world.prospects().into_iter().map(|prospect| prospect.choice);
        choices.into_iter().find(|choice| choice.kind == ChoiceKind::Durable && choice.to == node.into())
    }

    fn settle(&mut self, arguments: &mut Arguments) -> Output {
        let nodes = self.nodes_or_all(arguments)?;
        let is_quiet = arguments.flag("quiet");
        let mut output = Vec::new();
        for _ in 0..SETTLE_MAX {
            let Some(choice) = self.next_among(&nodes) else { return Ok(output) };
            let lines = self.step(choice);
            output.extend(if is_quiet { only_facts(choice, lines) } else { lines });
            if self.world.is_broken() {
                return Ok(output);
            }
        }
        Err(format!("no rest after {SETTLE_MAX} steps"))
    }

    /// The oldest message between these nodes, or sync of one of them.
    fn next_among(&self, nodes: &[NodeId]) -> Option<Choice> {
        let is_inside = |end: sim_core::Endpoint| end.node().is_some_and(|node| nodes.contains(&node));
        let moves = |kind| matches!(kind, ChoiceKind::Message | ChoiceKind::Durable | ChoiceKind::Handler);
        let choices = self.world.prospects().into_iter().map(|prospect| prospect.choice);
        choices
            .into_iter()
            .find(|choice| moves(choice.kind) && is_inside(choice.from) && is_inside(choice.to))
    }

    // ----- clients -----

    fn request(&mut self, arguments: &mut Arguments) -> Output {
        let client: ClientId = arguments.next("client")?;
        if client.raw() >= CLIENTS {
            return Err(format!("{client} is none of the {CLIENTS} clients"));
        }
        let node = self.node(arguments)?;
        let operation = arguments.operation()?;
        let count = self.asked.iter().filter(|(op, _)| op.client == client).count();
        let op = OpId { client, ordinal: u32::try_from(count).expect("few operations") };
        self.asked.push((op, operation.clone()));
        self.ask(op, node, operation)
    }

    fn retry(&mut self, arguments: &mut Arguments) -> Output {
        let word: String = arguments.next("client")?;
        let node = self.node(arguments)?;
        let is_meant = |op: &OpId| op.to_string() == word || op.client.to_string() == word;
        let found = self.asked.iter().rev().find(|(op, _)| is_meant(op)).cloned();
        let (op, operation) = found.ok_or_else(|| format!("`{word}` has asked nothing"))?;
        self.ask(op, node, operation)
    }

    fn ask(&mut self, op: OpId, node: NodeId, operation: Operation) -> Output {
        self.world.ask(op, node, operation);
        let prospects = self.world.prospects();
        let request = prospects.iter().rev().find(|prospect| prospect.choice.kind == ChoiceKind::Request);
        let choice = request.ok_or_else(|| format!("the request does not reach {node}"))?.choice;
        Ok(self.step(choice))
    }

    // ----- faults -----

    /// Does something that no process answers to.
    fn act(&mut self, command: Command) -> Vec<String> {
        self.world.apply(command);
        Vec::new()
    }

    fn crash(&mut self, node: NodeId) -> Output {
        self.up(node)?;
        self.world.apply(Command::Crash(node));
        Ok(vec![format!("  {node}: crashes")])
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is one of the acts of `on_each`, which may fail")]
    fn wipe(&mut self, node: NodeId) -> Output {
        self.world.apply(Command::Wipe(node));
        Ok(vec![format!("  {node}: its disk is empty")])
    }

    fn restart(&mut self, node: NodeId) -> Output {
        if self.world.process(node).is_some() {
            return Err(format!("{node} is up"));
        }
        Ok(self.apply(&format!("{node}: starts"), Command::Restart(node)))
    }

    fn lose_unsynced(&mut self, node: NodeId) -> Output {
        let mut output = self.crash(node)?;
        output.extend(self.restart(node)?);
        Ok(output)
    }

    fn crash_after(&mut self, arguments: &mut Arguments) -> Output {
        let node = self.node(arguments)?;
        self.up(node)?;
        let effects = arguments.next("number of effects")?;
        Ok(self.act(Command::CrashAfterEffect { node, effects }))
    }

    fn up(&self, node: NodeId) -> Result<(), String> {
        if self.world.process(node).is_some() { Ok(()) } else { Err(format!("{node} is down")) }
    }

    fn cut(&mut self, arguments: &mut Arguments) -> Output {
        let (from, to) = (self.nodes(arguments)?, self.nodes(arguments)?);
        let (from, to) = (places(from), places(to));
        Ok(self.act(Command::Cut { from, to, direction: Direction::BothWays }))
    }

    fn mend(&mut self, arguments: &mut Arguments) -> Output {
        let (from, to) = (self.nodes(arguments)?, self.nodes(arguments)?);
        let (from, to) = (places(from), places(to));
        Ok(self.act(Command::Mend { from, to, direction: Direction::BothWays }))
    }

    fn clock(&mut self, arguments: &mut Arguments) -> Output {
        let node = self.node(arguments)?;
        let fault = if let Some(ppm) = arguments.value("drift")? {
            ClockFault::Drift(ppm)
        } else if let Some(span) = arguments.value::<Span>("step")? {
            ClockFault::Step(nanos(span))
        } else if let Some(span) = arguments.value::<Span>("back")? {
            ClockFault::Step(-nanos(span))
        } else if arguments.flag("freeze") {
            ClockFault::Freeze
        } else if arguments.flag("thaw") {
            ClockFault::Thaw
        } else {
            return Err("a clock takes `drift=PPM`, `step=SPAN`, `back=SPAN`, `freeze` or `thaw`".to_owned());
        };
        Ok(self.act(Command::Clock { node, fault }))
    }

    fn disk(&mut self, arguments: &mut Arguments) -> Output {
        let node = self.node(arguments)?;
        let faults = [
            ("stall", DiskFault::Stall),
            ("unstall", DiskFault::Unstall),
            ("full", DiskFault::Capacity(Some(1))),
            ("room", DiskFault::Capacity(None)),
        ];
        if arguments.flag("rot") {
            return self.rot(node, arguments);
        }
        match faults.into_iter().find(|(word, _)| arguments.flag(word)) {
            Some((_, fault)) => Ok(self.act(Command::Disk { node, fault })),
            None => Ok(self.show_disk(node)),
        }
    }

    /// The first record of a region cannot be read from now on.
    fn rot(&mut self, node: NodeId, arguments: &mut Arguments) -> Output {
        let name: String = arguments.next("region")?;
        let disk = self.world.nodes().disk(node).ok_or_else(|| format!("{node} has written nothing"))?;
        let found = disk.regions().find(|(region, _)| P::region_on(&self.config, node, *region) == name);
        let (region, kind) = found.ok_or_else(|| format!("{node} has no region `{name}`"))?;
        let index = if kind == RegionKind::Log { disk.log_bounds(region).start } else { 0 };
        let fault = DiskFault::Corrupt { at: SlotAddress { region, index }, how: Corruption::Detected };
        Ok(self.act(Command::Disk { node, fault }))
    }

    fn advance(&mut self, arguments: &mut Arguments) -> Output {
        self.world.pass(arguments.next("time")?);
        Ok(vec![format!("  it is {}", Simulation::now(&self.world))])
    }
}

fn which(arguments: &mut Arguments) -> Result<Which, String> {
    if arguments.flag("all") {
        return Ok(Which::All);
    }
    if arguments.flag("last") {
        return Ok(Which::Last);
    }
    match arguments.number_sign()? {
        Some(nth) => Ok(Which::Nth(nth)),
        None => Ok(Which::Oldest),
    }
}

fn nanos(span: Span) -> i64 {
    i64::try_from(span.as_nanos()).expect("a short step")
}

fn places(nodes: Vec<NodeId>) -> Vec<Place> {
    nodes.into_iter().map(Place::Node).collect()
}

/// What a node has stated or answered in a step, after its name.
fn only_facts(choice: Choice, lines: Vec<String>) -> Vec<String> {
    let is_effect = |line: &str| line.starts_with("sends ") || line.starts_with("syncs ");
    let facts = lines.into_iter().skip(1).map(|line| line.trim().to_owned());
    facts.filter(|line| !is_effect(line)).map(|line| format!("  {}: {line}", choice.to)).collect()
}
