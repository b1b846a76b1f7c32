//! The run once more, stopped at each record that is told: what the message said, and what it changed.

use std::collections::BTreeMap;

use sim_core::simulation::InFlight;
use sim_core::status::{NodeStatus, Status};
use sim_core::trace::{Record, TraceKind};
use sim_core::view::{Part, ViewRequest};
use sim_core::{NodeId, SimTime, Simulation, Span};

use super::Judge;
use super::changes::{Flat, log_changes, value_changes};
use super::moment::{Moment, Told};
use super::past::{Past, losses_before};
use crate::run::Recording;

/// The end of time.
const END: SimTime = SimTime::from_nanos(u64::MAX - 1);

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

impl Retold {
    pub(super) fn of(judge: &Judge<'_>, moment: &Moment, past: &Past) -> Self {
        let mut simulation = judge.fresh(Recording::Off);
        let mut by_event: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for record in &past.told {
            by_event.entry(moment.told.event_of(*record)).or_default().push(*record);
        }
        let mut scenes = BTreeMap::new();
        for (event, records) in by_event {
            run(simulation.as_mut(), event.saturating_sub(1));
            let (before, travelling) = (Scenery::of(simulation.as_ref()), simulation.in_flight());
            run(simulation.as_mut(), event);
            let after = Scenery::of(simulation.as_ref());
            let told = |record: u32| (record, scene(&moment.told, record, &travelling, &before, &after));
            scenes.extend(records.into_iter().map(told));
        }
        run(simulation.as_mut(), moment.event);
        let end = Scenery::of(simulation.as_ref());
        let shown =
            moment.record.and_then(|record| scenes.get(&record)).map(|scene: &Scene| &scene.happening);
        let last_words = shown.cloned().unwrap_or_else(|| "the run ends".to_owned());
        Self { scenes, end, last_words }
    }

    pub(super) fn last_words(&self) -> String {
        self.last_words.clone()
    }
}

/// Goes on until so many events have happened in all.
fn run(simulation: &mut dyn Simulation, events: u64) {
    let left = events.saturating_sub(simulation.events());
    if left > 0 {
        let _it_may_end_before = simulation.run(END, left);
    }
}

fn scene(told: &Told, number: u32, travelling: &[InFlight], before: &Scenery, after: &Scenery) -> Scene {
    let record = told.record(number);
    let happening = happening(told, number, said(record, travelling));
    let node = record.subject().and_then(sim_core::Endpoint::node);
    let turns = told.changes_of(number);
    let mut effects: Vec<String> =
        turns.filter_map(|change| turn(change.node, change.before, change.after)).collect();
    let is_input = !matches!(record.kind(), TraceKind::Drop | TraceKind::Command);
    if let Some(node) = node.filter(|_| is_input) {
        let (was, now) = (before.flat(node), after.flat(node));
        // Who came to stand otherwise has other values by that.
        let turned = !effects.is_empty();
        effects.extend(log_changes(&was, &now));
        if !turned {
            effects.extend(value_changes(&was, &now));
        }
    }
    Scene { happening, effects, before: before.clone(), after: after.clone() }
}

/// What a message, a request or a reply said that arrived now.
fn said<'a>(record: &Record, travelling: &'a [InFlight]) -> Option<&'a str> {
    let (from, to) = (record.peer()?, record.subject()?);
    let is_it = |flight: &&InFlight| (flight.from, flight.to, flight.due) == (from, to, record.at());
    travelling.iter().find(is_it).map(|flight| flight.text.as_str())
}

/// What happened, in words.
fn happening(told: &Told, number: u32, said: Option<&str>) -> String {
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
        (TraceKind::Drop, _) => plain,
        (TraceKind::HandlerStart, _) => {
            let waited = record.cause().map(|cause| told.simulation.describe(told.record(cause)));
            waited.map_or_else(|| plain.clone(), |waited| format!("{plain} ({waited})"))
        }
        (TraceKind::TimerFired, _) => match record.subject().and_then(sim_core::Endpoint::client) {
            Some(client) => format!("{client} asks, or asks again"),
            None => format!("{plain}{}", for_want(told, number)),
        },
        (_, Some(said)) => format!("{}{on_its_way}", saying(&plain, said)),
        (_, None) => format!("{plain}{on_its_way}"),
    }
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
