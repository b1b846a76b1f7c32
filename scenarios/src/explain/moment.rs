//! At which event a failure shows, and who is concerned.
//!
//! | failure | shows at |
//! | --- | --- |
//! | of an invariant, or a panic | the event after which it was found |
//! | of a history | the completion that no legal order has room for: the last in the smallest illegal part |
//! | of liveness | the end of the run: something is missing, and no event is guilty |

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use sim_core::check::history::linearizability::Evidence;
use sim_core::history::HistoryOperation;
use sim_core::status::NodeStatus;
use sim_core::trace::{Payload, Record, StatusChange, Trace, TraceKind};
use sim_core::{ClientId, Endpoint, NodeId, OpId, SimTime, Simulation, Span};

use super::Judge;
use super::lasts::{Lasts, lasts};
use crate::run::{self, BATCH, Observer, Recording, Report, ReportedViolation};

/// When and where a failure shows.
pub(super) struct Moment {
    /// After so many events.
    pub(super) event: u64,
    /// When.
    pub(super) at: SimTime,
    /// The record that shows it; `None` where something is missing.
    pub(super) record: Option<u32>,
    /// The records whose past is told: that one, or the last of each node, or those that complete what contradicts.
    pub(super) roots: Vec<u32>,
    /// The nodes concerned, in order.
    pub(super) nodes: Vec<NodeId>,
    /// What shows that a history is illegal.
    pub(super) evidence: Option<Box<Evidence>>,
    /// What clients asked and got.
    pub(super) operations: Vec<HistoryOperation>,
    /// Where something is missing, what happened for the last time.
    pub(super) lasts: Lasts,
    /// The run as it ended, with its trace.
    pub(super) told: Told,
}

/// A run with its whole trace.
pub(super) struct Told {
    pub(super) simulation: Box<dyn Simulation>,
    /// How many records there were after so many events.
    ends: Vec<u32>,
    /// By node, with which event it last learned how far things are decided, and how far; zeros where it learned nothing.
    pub(super) learned: Vec<(u64, u64)>,
}

impl Told {
    /// A run before its first event, recorded from its start.
    pub(super) fn begin(simulation: Box<dyn Simulation>) -> Self {
        let ends = vec![simulation.trace().map_or(0, Trace::len)];
        let learned = vec![(0, 0); simulation.node_count()];
        Self { simulation, ends, learned }
    }

    /// Goes through the run event by event, until so many have happened in all; says whether it can go on.
    pub(super) fn go_on(&mut self, events: u64) -> bool {
        let mut statuses = Vec::new();
        while self.simulation.events() < events {
            let before = self.simulation.events();
            self.simulation.step();
            if self.simulation.events() == before {
                return false;
            }
            self.ends.push(self.trace().len());
            self.simulation.statuses(&mut statuses);
            note_learned(&mut self.learned, &statuses, before + 1);
        }
        true
    }

    /// Goes through the run; `None` if that was broken off.
    fn run(judge: &Judge<'_>, events: u64, observer: &mut Observer<'_>) -> Option<Self> {
        let mut told = Self::begin(judge.fresh(Recording::On));
        let mut next = BATCH;
        while told.go_on(next.min(events)) && next < events {
            next += BATCH;
            if observer(told.simulation.as_ref()).is_break() {
                return None;
            }
        }
        Some(told)
    }

    pub(super) fn trace(&self) -> &Trace {
        self.simulation.trace().expect("the run was recorded from its start")
    }

    pub(super) fn record(&self, number: u32) -> &Record {
        self.trace().get(number).expect("its number was read from this trace")
    }

    /// With which event a record came: the how-manieth, from 1; 0 for those before the first.
    pub(super) fn event_of(&self, record: u32) -> u64 {
        self.ends.partition_point(|end| *end <= record) as u64
    }

    /// The record of the input that a record belongs to: what a handler sends and is lost at once is recorded behind it.
    pub(super) fn input_of(&self, record: u32) -> u32 {
        let is_lost = self.record(record).kind() == TraceKind::Drop;
        let cause = self.record(record).cause().filter(|_| is_lost);
        cause.filter(|cause| self.event_of(*cause) == self.event_of(record)).unwrap_or(record)
    }

    /// How the node of an input came to stand otherwise by it.
    pub(super) fn changes_of(&self, input: u32) -> impl Iterator<Item = &StatusChange> {
        let records = input..self.records_of(self.event_of(input)).end;
        self.trace().status_changes(records).filter(move |change| self.input_of(change.record) == input)
    }

    /// The record of what happened with an event, commands that came just before it left aside; `None` for 0.
    pub(super) fn cause_of(&self, event: u64) -> Option<u32> {
        let is_one = |number: &u32| {
            let kind = self.record(*number).kind();
            !matches!(kind, TraceKind::Drop | TraceKind::Command)
                && self
                    .record(*number)
                    .cause()
                    .is_none_or(|cause| self.record(cause).kind() != TraceKind::Command)
        };
        self.records_of(event).find(is_one).filter(|_| event > 0)
    }

    /// When an event happened; the start for 0.
    pub(super) fn time_of(&self, event: u64) -> SimTime {
        let records = self.records_of(event);
        records.last().filter(|_| event > 0).map_or(SimTime::ZERO, |last| self.record(last).at())
    }

    /// What happened with an event, in words.
    pub(super) fn words_of(&self, event: u64) -> String {
        if event == 0 {
            return "the start".to_owned();
        }
        let told = |number: u32| {
            let notes: Vec<&str> = self.trace().notes(number..number + 1).map(|note| &*note.text).collect();
            match self.record(number).kind() {
                TraceKind::Command if !notes.is_empty() => notes.join("; "),
                _ => self.simulation.describe(self.record(number)),
            }
        };
        let is_own = |number: &u32| self.record(*number).kind() != TraceKind::Drop;
        self.records_of(event).filter(is_own).map(told).collect::<Vec<_>>().join("; ")
    }

    /// The records that came with an event.
    fn records_of(&self, event: u64) -> std::ops::Range<u32> {
        let index = usize::try_from(event).expect("events were counted by a vector").min(self.ends.len() - 1);
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        begin..self.ends[index]
    }

    /// The record to go on with from this one on the way back to what caused it. Heartbeats set each other, and clients ask
    /// again: of such the first is taken.
    pub(super) fn back_from(&self, number: u32) -> Option<u32> {
        let record = self.record(number);
        match record.kind() {
            TraceKind::TimerFired => self.record(self.first_firing(number)).cause(),
            TraceKind::Request => self.first_request(record.op()?).filter(|first| *first < number),
            _ => None,
        }
        .or(record.cause())
    }

    /// The first of the firings of a timer that each led to the next.
    fn first_firing(&self, number: u32) -> u32 {
        let (mut first, timer) = (number, self.record(number));
        let is_same = |other: &Record| {
            other.kind() == TraceKind::TimerFired
                && (other.subject(), other.timer()) == (timer.subject(), timer.timer())
        };
        while let Some(before) = self.record(first).cause().filter(|cause| is_same(self.record(*cause))) {
            first = before;
        }
        first
    }

    /// The record with which an operation first arrived anywhere.
    fn first_request(&self, op: OpId) -> Option<u32> {
        let is_one = |record: &Record| record.payload() == Some(Payload::Request) && record.op() == Some(op);
        (0..).zip(self.trace()).find(|(_, record)| is_one(record)).map(|(number, _)| number)
    }

    /// The last input of a lane before record `end`.
    pub(super) fn last_on(&self, lane: Endpoint, end: u32) -> Option<u32> {
        let is_input = |record: &Record| record.subject() == Some(lane) && record.kind() != TraceKind::Drop;
        (0..end).rev().find(|number| is_input(self.record(*number)))
    }
}

impl Moment {
    /// Finds it, by going through the run once more; `None` if that was broken off.
    pub(super) fn find(
        judge: &Judge<'_>,
        report: &Report,
        ran: &dyn Simulation,
        observer: &mut Observer<'_>,
    ) -> Option<Self> {
        let violation = &report.violations[0];
        let told = Told::run(judge, report.events, observer)?;
        let evidence = evidence(judge, violation, ran);
        let node = violation.node.as_deref().and_then(|name| node_of(name, told.simulation.node_count()));
        let roots = match (&evidence, node) {
            (Some(evidence), _) => completions(&told, evidence),
            (None, Some(node)) => violating(&told, violation.event, node).into_iter().collect(),
            (None, None) => Vec::new(),
        };
        if !roots.is_empty() {
            return Some(Self::at_the_last(told, roots, node, &violation.evidence, evidence));
        }
        let (at, end) = (told.simulation.now(), told.trace().len());
        let roots: Vec<u32> = lanes(&told).filter_map(|lane| told.last_on(lane, end)).collect();
        let nodes = concerned(&told, &violation.evidence, node, &roots, false);
        let operations = ran.history().operations();
        let heal_at = judge.configured.scenario.phases.heal_at();
        let halfway = heal_at + Span::nanos(at.as_nanos().saturating_sub(heal_at.as_nanos()) / 2);
        let lasts = lasts(&told, &nodes, &operations, halfway);
        Some(Self { event: report.events, at, record: None, roots, nodes, evidence, operations, lasts, told })
    }

    /// The moment of a record of a run that has come so far; `evidence` names others that are concerned.
    pub(super) fn of_record(told: Told, record: u32, evidence: &str) -> Self {
        let node = told.record(record).subject().and_then(Endpoint::node);
        Self::at_the_last(told, vec![record], node, evidence, None)
    }

    /// The moment at which what clients saw became illegal, in a run that has come so far: when the last of what contradicts
    /// completed; `None` if nothing of it did.
    pub(super) fn of_history(told: Told, evidence: &Evidence, text: &str) -> Option<Self> {
        let roots = completions(&told, evidence);
        (!roots.is_empty())
            .then(|| Self::at_the_last(told, roots, None, text, Some(Box::new(evidence.clone()))))
    }

    /// The moment of the last of these records.
    fn at_the_last(
        told: Told,
        roots: Vec<u32>,
        node: Option<NodeId>,
        text: &str,
        evidence: Option<Box<Evidence>>,
    ) -> Self {
        let record = *roots.last().expect("there is one at least");
        let (event, at) = (told.event_of(record), told.record(record).at());
        let nodes = concerned(&told, text, node, &roots, true);
        let operations = told.simulation.history().operations();
        let (record, lasts) = (Some(record), Lasts::new());
        Self { event, at, record, roots, nodes, evidence, operations, lasts, told }
    }

    /// How far the history is legal.
    pub(super) fn legal_prefix(&self) -> Option<LegalPrefix> {
        self.evidence.as_ref().map(|evidence| LegalPrefix::of(evidence, &self.operations))
    }
}

/// Keeps the last time that each node learned of something that it was decided.
fn note_learned(learned: &mut [(u64, u64)], statuses: &[NodeStatus], event: u64) {
    for (known, status) in learned.iter_mut().zip(statuses) {
        let commit = status.process.map_or(0, |process| process.commit);
        if commit > known.1 {
            *known = (event, commit);
        }
    }
}

/// The evidence of the checker that found a history illegal.
fn evidence(judge: &Judge<'_>, violation: &ReportedViolation, ran: &dyn Simulation) -> Option<Box<Evidence>> {
    let scenario = &judge.configured.scenario;
    let budget = scenario.checks.history_budget;
    run::evidence(scenario, judge.table, &violation.property, ran.history(), budget)
}

/// The replies that completed what contradicts, in order.
fn completions(told: &Told, evidence: &Evidence) -> Vec<u32> {
    let completed =
        evidence.minimal.iter().filter_map(|operation| Some((operation.op, operation.completed?)));
    let completed: BTreeSet<(OpId, SimTime)> = completed.collect();
    let is_one = |record: &Record| {
        record.kind() == TraceKind::Reply
            && record.op().is_some_and(|op| completed.contains(&(op, record.at())))
    };
    (0..).zip(told.trace()).filter(|(_, record)| is_one(record)).map(|(number, _)| number).collect()
}

/// The record of the event at which an invariant did not hold any more.
pub(super) fn violating(told: &Told, event: u64, node: NodeId) -> Option<u32> {
    let is_input = |number: &u32| {
        let record = told.record(*number);
        record.subject() == Some(node.into()) && record.kind() != TraceKind::Drop
    };
    let mut records = told.records_of(event);
    records.find(is_input).or_else(|| told.last_on(node.into(), told.trace().len()))
}

fn lanes(told: &Told) -> impl Iterator<Item = Endpoint> {
    (0..).map(NodeId::new).take(told.simulation.node_count()).map(Endpoint::from)
}

/// What a client did when a timer of it fired, in words.
pub(super) fn asking(client: ClientId, at: SimTime, operations: &[HistoryOperation]) -> String {
    let mut own = operations.iter().filter(|operation| operation.op.client == client);
    let doing = |operation: &HistoryOperation| {
        let op = operation.op;
        if operation.invoked == at {
            Some(format!("{client} asks {} ({op})", operation.operation))
        } else if operation.invoked < at && operation.completed.is_none_or(|completed| completed > at) {
            Some(format!("{client} asks again for {op}"))
        } else {
            None
        }
    };
    own.find_map(doing).unwrap_or_else(|| format!("{client} stops waiting"))
}

/// Who is concerned: the node, those that the evidence names, and whoever sent what showed it. Where that is nobody,
/// or something is missing, all.
fn concerned(
    told: &Told,
    evidence: &str,
    node: Option<NodeId>,
    roots: &[u32],
    is_shown: bool,
) -> Vec<NodeId> {
    let count = told.simulation.node_count();
    let mut nodes: BTreeSet<NodeId> = node.into_iter().collect();
    let words = evidence.split(|letter: char| !letter.is_alphanumeric());
    nodes.extend(words.filter_map(|word| node_of(word, count)));
    if is_shown {
        let senders = roots.iter().filter_map(|root| told.record(*root).peer()?.node());
        nodes.extend(senders);
    }
    if nodes.is_empty() {
        nodes.extend((0..).map(NodeId::new).take(count));
    }
    nodes.into_iter().collect()
}

/// The node of this name, if there is one.
fn node_of(name: &str, count: usize) -> Option<NodeId> {
    let number: usize = name.strip_prefix('n')?.parse().ok()?;
    let index = number.checked_sub(1).filter(|index| *index < count)?;
    Some(NodeId::new(u32::try_from(index).expect("nodes are counted with 32 bits")))
}

/// How far a history is legal.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LegalPrefix {
    /// The object, where there are several: a key.
    pub object: Option<String>,
    /// The operations in an order in which they can have taken effect, with what each got.
    pub legal: Vec<String>,
    /// The state after them.
    pub state: String,
    /// What must come next, as far as time goes, and cannot, as far as the state goes.
    pub stuck: Vec<String>,
    /// The smallest part that is illegal by itself.
    pub contradiction: Vec<String>,
}

impl LegalPrefix {
    fn of(evidence: &Evidence, operations: &[HistoryOperation]) -> Self {
        let told = |op: &OpId| operations.iter().find(|operation| operation.op == *op).map(told);
        Self {
            object: evidence.part.clone(),
            legal: evidence.prefix.iter().filter_map(told).collect(),
            state: evidence.state.clone(),
            stuck: evidence.stuck.iter().map(self::told).collect(),
            contradiction: evidence.minimal.iter().map(self::told).collect(),
        }
    }
}

/// An operation in a line.
pub(super) fn told(operation: &HistoryOperation) -> String {
    let HistoryOperation { op, operation, invoked, completed, outcome } = operation;
    let completed = completed.map_or_else(|| "never".to_owned(), |completed| completed.to_string());
    format!("{op} {operation} -> {outcome} [{invoked} to {completed}]")
}
