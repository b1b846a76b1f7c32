//! The run once more, stopped at each record that is told: what the message said, and what it changed.

use std::collections::BTreeMap;

use sim_core::network::DropReason;
use sim_core::simulation::InFlight;
use sim_core::status::{NodeStatus, Status};
use sim_core::trace::{Record, TraceKind};
use sim_core::view::{Part, ViewRequest};
use sim_core::{NodeId, SimTime, Simulation, Span};

use super::Judge;
use super::changes::{Flat, at_most, forgotten, log_changes, losses, value_changes};
use super::moment::{Moment, Told, asking};
use super::past::{Past, losses_before};
use crate::run::Recording;

/// The end of time.
const END: SimTime = SimTime::from_nanos(u64::MAX - 1);

/// About how many events take as long as a scene does.
const EVENTS_A_SCENE: u64 = 100;
/// And for each node that is looked at.
const EVENTS_A_NODE: u64 = 20;

/// All nodes at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Scenery {
    pub(super) statuses: Vec<NodeStatus>,
    pub(super) views: Vec<Vec<Part>>,
}

impl Scenery {
    fn of(simulation: &dyn Simulation) -> Self {
        let mut statuses = Vec::new();
        simulation.statuses(&mut statuses);
        let nodes = (0..).map(NodeId::new).take(statuses.len());
        Self { views: nodes.map(|node| simulation.view(node, &ViewRequest::default())).collect(), statuses }
    }

    /// How far a node knows things to be decided.
    fn commit(&self, node: NodeId) -> u64 {
        self.statuses[node.index()].process.map_or(0, |process| process.commit)
    }

    /// The nodes that are up.
    fn living(&self) -> impl Iterator<Item = NodeId> {
        let all = (0..).map(NodeId::new).zip(&self.statuses);
        all.filter(|(_, status)| status.process.is_some()).map(|(node, _)| node)
    }

    pub(super) fn flat(&self, node: NodeId) -> Flat {
        Flat::of(&self.views[node.index()])
    }

    /// How far anybody who is up knows things to be decided, and the first who does.
    pub(super) fn decided(&self) -> Option<(u64, NodeId)> {
        let known = (0..).map(NodeId::new).zip(&self.statuses);
        let commits = known.filter_map(|(node, status)| Some((status.process?.commit, node)));
        commits.max_by_key(|(commit, node)| (*commit, std::cmp::Reverse(*node)))
    }
}

/// One record that is told.
pub(super) struct Scene {
    /// What happened, in words, with what a message said.
    pub(super) happening: String,
    /// What came of it, in words.
    pub(super) effects: Vec<String>,
    pub(super) before: Scenery,
    pub(super) after: Scenery,
}

/// All that is told.
pub(super) struct Retold {
    /// By record.
    pub(super) scenes: BTreeMap<u32, Scene>,
    /// The nodes when it shows.
    pub(super) end: Scenery,
    /// What happened then.
    last_words: String,
}

/// The run on its way from one record that is told to the next.
pub(super) struct Retelling {
    simulation: Box<dyn Simulation>,
    /// By event, the records that are still to be told.
    waiting: BTreeMap<u64, Vec<u32>>,
    /// How each node looked when it was last seen up.
    alive: BTreeMap<NodeId, Flat>,
    scenes: BTreeMap<u32, Scene>,
}

impl Retelling {
    /// `simulation` is the run before its first event.
    pub(super) fn new(simulation: Box<dyn Simulation>, moment: &Moment, past: &Past) -> Self {
        let mut waiting: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for record in &past.told {
            waiting.entry(moment.told.event_of(*record)).or_default().push(*record);
        }
        // What nodes knew before they went down is needed when they come back.
        for event in crashes(&moment.told) {
            waiting.entry(event).or_default();
        }
        Self { simulation, waiting, alive: BTreeMap::new(), scenes: BTreeMap::new() }
    }

    /// How many events of the run have happened.
    pub(super) fn events(&self) -> u64 {
        self.simulation.events()
    }

    /// Goes on by about so many events, up to the moment; says whether all is told.
    pub(super) fn go_on(&mut self, moment: &Moment, events: u64) -> bool {
        let mut end = self.events().saturating_add(events);
        while let Some(entry) = self.waiting.first_entry() {
            let event = *entry.key();
            if event > end {
                run(self.simulation.as_mut(), end);
                return false;
            }
            let records = entry.remove();
            self.tell(moment, event, records);
            // To look at all nodes takes longer than an event.
            let nodes = u64::try_from(self.simulation.node_count()).unwrap_or(u64::MAX);
            end = end.saturating_sub(EVENTS_A_SCENE + nodes.saturating_mul(EVENTS_A_NODE));
        }
        run(self.simulation.as_mut(), moment.event.min(end));
        end >= moment.event
    }

    fn tell(&mut self, moment: &Moment, event: u64, records: Vec<u32>) {
        let simulation = self.simulation.as_mut();
        run(simulation, event.saturating_sub(1));
        let (before, travelling) = (Scenery::of(simulation), arriving(simulation, moment, &records));
        self.alive.extend(before.living().map(|node| (node, before.flat(node))));
        run(simulation, event);
        let after = Scenery::of(simulation);
        let (travelling, alive) = (travelling.as_slice(), &self.alive);
        let stage = Stage { moment, travelling, before: &before, after: &after, alive };
        self.scenes.extend(records.into_iter().map(|record| (record, stage.scene(record))));
    }

    /// All of it, when all is told.
    pub(super) fn finish(self, moment: &Moment) -> Retold {
        let end = Scenery::of(self.simulation.as_ref());
        let shown = moment.record.and_then(|record| self.scenes.get(&record)).map(|scene| &scene.happening);
        let last_words = shown.cloned().unwrap_or_else(|| "the run ends".to_owned());
        Retold { scenes: self.scenes, end, last_words }
    }
}

impl Retold {
    pub(super) fn of(judge: &Judge<'_>, moment: &Moment, past: &Past) -> Self {
        let mut retelling = Retelling::new(judge.fresh(Recording::Off), moment, past);
        let _all_at_once = retelling.go_on(moment, u64::MAX);
        retelling.finish(moment)
    }

    pub(super) fn last_words(&self) -> String {
        self.last_words.clone()
    }
}

/// Goes on until so many events have happened in all, or nothing more does. A violation is no reason to stop.
fn run(simulation: &mut dyn Simulation, events: u64) {
    let mut before = None;
    while simulation.events() < events && before != Some(simulation.events()) {
        before = Some(simulation.events());
        let _it_may_end_before = simulation.run(END, events - simulation.events());
    }
}

/// What surrounds the records of an event.
struct Stage<'a> {
    moment: &'a Moment,
    /// What arrives with the event, and what it says.
    travelling: &'a [(InFlight, String)],
    before: &'a Scenery,
    after: &'a Scenery,
    /// How each node looked when it was last seen up.
    alive: &'a BTreeMap<NodeId, Flat>,
}

impl Stage<'_> {
    fn scene(&self, number: u32) -> Scene {
        let told = &self.moment.told;
        let record = told.record(number);
        let happening = happening(self.moment, number, said(record, self.travelling));
        let mut effects = match record.kind() {
            TraceKind::Drop => Vec::new(),
            TraceKind::Command | TraceKind::Restart => self.came_back(),
            _ => self.effects(number),
        };
        effects.extend(self.moment.lasts.get(&number).into_iter().flatten().cloned());
        Scene { happening, effects, before: self.before.clone(), after: self.after.clone() }
    }

    /// What an input changed at its node.
    fn effects(&self, number: u32) -> Vec<String> {
        let told = &self.moment.told;
        let turns = told.changes_of(number);
        let mut effects: Vec<String> =
            turns.filter_map(|change| turn(change.node, change.before, change.after)).collect();
        let node = told.record(number).subject().and_then(sim_core::Endpoint::node);
        let Some(node) = node else { return effects };
        let (was, now) = (self.before.flat(node), self.after.flat(node));
        // Who came to stand otherwise has other values by that.
        let turned = !effects.is_empty();
        effects.extend(at_most(log_changes(&was, &now)));
        let commits = [self.before, self.after].map(|scenery| scenery.commit(node));
        if commits[1] > commits[0] {
            effects.push(format!("knows {} to be decided", now.up_to(commits[1])));
        }
        if !turned {
            effects.extend(value_changes(&was, &now, commits));
        }
        effects
    }

    /// What nodes that came up know no longer.
    fn came_back(&self) -> Vec<String> {
        let mut effects = Vec::new();
        for node in self.after.living() {
            let is_new = self.before.statuses[node.index()].process.is_none();
            if let Some(was) = self.alive.get(&node).filter(|_| is_new) {
                let now = self.after.flat(node);
                effects.extend(at_most(losses(was, &now)));
                effects.extend(forgotten(was, &now));
            }
        }
        effects
    }
}

/// The events with which nodes went down.
fn crashes(told: &Told) -> impl Iterator<Item = u64> {
    let all = (0..).zip(told.trace());
    all.filter(|(_, record)| record.kind() == TraceKind::Crash).map(|(number, _)| told.event_of(number))
}

/// What is on its way and due when one of these records is made, with what it says.
fn arriving(simulation: &dyn Simulation, moment: &Moment, records: &[u32]) -> Vec<(InFlight, String)> {
    let is_due = |due| records.iter().any(|record| moment.told.record(*record).at() == due);
    let due = simulation.in_flight().into_iter().filter(|flight| flight.due.is_some_and(is_due));
    due.filter_map(|flight| Some((flight, simulation.describe_flight(&flight)?))).collect()
}

/// What a message, a request or a reply said that arrived now.
fn said<'a>(record: &Record, travelling: &'a [(InFlight, String)]) -> Option<&'a str> {
    let (from, to) = (record.peer()?, record.subject()?);
    let is_it = |(flight, _): &&(InFlight, String)| {
        (flight.id.from, flight.id.to, flight.due) == (from, to, Some(record.at()))
    };
    travelling.iter().find(is_it).map(|(_, text)| text.as_str())
}

/// What happened, in words.
fn happening(moment: &Moment, number: u32, said: Option<&str>) -> String {
    let told = &moment.told;
    let record = told.record(number);
    if record.kind() == TraceKind::Command {
        let notes: Vec<&str> = told.trace().notes(number..number + 1).map(|note| &*note.text).collect();
        return notes.join("; ");
    }
    let plain = told.simulation.describe(record);
    let took = told.trace().sent_at(number).map(|sent| record.at().since(sent));
    let took = took.filter(|took| !took.is_zero());
    let on_its_way = took.map_or_else(String::new, |took| format!(", {} on its way", rounded(took)));
    match (record.kind(), said) {
        (TraceKind::Drop, _) => plain.replace(DropReason::Targeted.name(), "a fault picked it out"),
        (TraceKind::HandlerStart, _) => {
            let waited = record.cause().map(|cause| told.simulation.describe(told.record(cause)));
            waited.map_or_else(|| plain.clone(), |waited| format!("{plain} ({waited})"))
        }
        (TraceKind::TimerFired, _) => match record.subject().and_then(sim_core::Endpoint::client) {
            Some(client) => asking(client, record.at(), &moment.operations),
            None => format!("{plain}{}", for_want(told, number)),
        },
        (TraceKind::Durable, _) => on_disk(told, number).unwrap_or(plain),
        (_, Some(said)) => format!("{}{on_its_way}", saying(&plain, said)),
        (_, None) => format!("{plain}{on_its_way}"),
    }
}

/// What is on disk now, in words; `None` where nobody knows when it was written.
fn on_disk(told: &Told, number: u32) -> Option<String> {
    let record = told.record(number);
    let (node, written) = (record.subject()?, told.record(record.cause()?).at());
    let span = record.at().since(written);
    let when = if span.is_zero() { "just now".to_owned() } else { format!("{} ago", rounded(span)) };
    Some(format!("{node} has on disk what it wrote {when}"))
}

/// What arrived with what it said, which may begin with what it is called.
fn saying(plain: &str, said: &str) -> String {
    let name = said.split_whitespace().next().unwrap_or_default();
    let named = format!(" {name} ");
    if plain.contains(&named) {
        return plain.replacen(&named, &format!(" {said} "), 1);
    }
    format!("{plain}: {said}")
}

/// What was lost before a timer fired, in words.
fn for_want(told: &Told, timer: u32) -> String {
    match losses_before(told, timer).len() {
        0 => String::new(),
        1 => ", after a message to it was lost".to_owned(),
        count => format!(", after {count} messages to it were lost"),
    }
}

/// How a process came to stand otherwise, in words; nothing where it only follows somebody else.
fn turn(node: NodeId, before: Option<Status>, after: Option<Status>) -> Option<String> {
    let Some(after) = after else { return before.map(|_| format!("{node} is down")) };
    let epoch = if after.epoch > 0 { format!(" in epoch {}", after.epoch) } else { String::new() };
    match before {
        Some(before) if before.role != after.role || before.standing != after.standing => {
            Some(format!("{node} becomes {}{epoch}", after.role))
        }
        Some(before) if before.epoch != after.epoch => Some(format!("{node} is {}{epoch} now", after.role)),
        Some(_) => None,
        None => Some(format!("{node} is up as {}{epoch}", after.role)),
    }
}

/// A span with at most three digits.
fn rounded(span: Span) -> Span {
    let nanos = span.as_nanos();
    let digits = nanos.checked_ilog10().unwrap_or(0) + 1;
    let grain = 10_u64.pow(digits.saturating_sub(3));
    Span::nanos(nanos / grain * grain)
}
