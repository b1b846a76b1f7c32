//! A run as data: what happened, shown again without running again.
//!
//! A [`Recording`] holds what tools look at: trace with texts, statuses, views, history, milestones, violations.
//! So what cannot be run again (a free-running external program, a candidate's failure) opens in the same tools as a
//! world. Its cursor stands after some event of the run; [`Simulation::run`] and [`Simulation::seek`] move it.
//!
//! | shown | as of |
//! | --- | --- |
//! | time, digest, statuses, trace, history, milestones, violations | the cursor |
//! | views | the last time they were taken: every so many events |
//! | metrics, plan, points, damage | the end of the run |
//!
//! Commands that come after the last event belong to the last moment. What is left out: the processes themselves, so
//! there is nothing to choose, to command or to reseed; and the windows of long views are those that were taken.

mod data;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::data::{RecordingData, RecordingError};
use super::{Capabilities, Choice, Simulation, Unable};
use crate::check::Violation;
use crate::disk::DamageKind;
use crate::fault::{Command, Plan};
use crate::history::History;
use crate::metrics::Metrics;
use crate::milestone::Milestone;
use crate::persist::AppendLog;
use crate::status::NodeStatus;
use crate::trace::{Record, Trace};
use crate::view::{Part, ViewRequest};
use crate::world::Stop;
use crate::{Digest, NodeId, SimTime};

/// What to record of a run, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The name of the scenario.
    pub scenario: String,
    /// The text of the scenario, so that a recording can say what it is of.
    pub text: String,
    /// Nothing after this instant.
    pub until: SimTime,
    /// No more events than this.
    pub events: u64,
    /// Take the views of all nodes at the start and after each so many events; 0: at the start only.
    pub view_every: u64,
}

/// A run as data. See the [module documentation](self). A clone shares what was recorded.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What was recorded.
    tape: Arc<Tape>,
    /// After how many recorded events the cursor stands: an index into the frames.
    cursor: usize,
    trace: Trace,
    history: History,
    milestones: AppendLog<Milestone>,
}

/// Everything that was recorded; the same for all cursors.
#[derive(Debug)]
struct Tape {
    scenario: String,
    text: String,
    /// How many events had happened where recording began.
    first_event: u64,
    /// How things stood after each event; never empty, the first is how they stood at the beginning.
    frames: Vec<Frame>,
    /// Of each node, each status from the frame on that is named.
    statuses: Vec<Vec<(usize, NodeStatus)>>,
    /// The views of all nodes, from the frame on that is named.
    views: Vec<(usize, Vec<Vec<Part>>)>,
    trace: Trace,
    /// Of each record in the trace, which of the texts describes it.
    described: Vec<u32>,
    texts: Vec<String>,
    history: History,
    milestones: AppendLog<Milestone>,
    violations: Vec<Violation>,
    plan: Plan,
    metrics: Metrics,
    beyond_promise: Vec<(NodeId, DamageKind)>,
    points: Vec<(&'static str, u64)>,
    fault_points: Vec<(&'static str, u64)>,
}

impl Tape {
    /// The place of a record among those of its instant. Equal records have equal texts, so the first will do.
    fn index_of(&self, record: &Record) -> Option<usize> {
        let count = u32::try_from(self.described.len()).expect("as many as there are numbers");
        let (first, instant) = (self.trace.len() - count, self.trace.first_at(record.at()));
        let mut same =
            self.trace.range(instant..self.trace.len()).take_while(|other| other.at() == record.at());
        let place = same.position(|other| other == record)?;
        Some((instant - first) as usize + place)
    }
}

/// How far things had come after one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Frame {
    at: SimTime,
    digest: Digest,
    records: u32,
    history: u64,
    milestones: u64,
    violations: u64,
}

impl Frame {
    fn of(simulation: &dyn Simulation) -> Self {
        Self {
            at: simulation.now(),
            digest: simulation.digest(),
            records: simulation.trace().map_or(0, Trace::len),
            history: simulation.history().len(),
            milestones: simulation.milestones().end_index(),
            violations: simulation.violations().len() as u64,
        }
    }
}

impl Recording {
    /// Runs a simulation event by event as far as `capture` says, beyond violations too, and records that. The
    /// cursor stands at the beginning.
    pub fn capture(simulation: &mut dyn Simulation, capture: &Capture) -> Self {
        simulation.start_trace();
        let mut camera = Camera::new(simulation);
        camera.take_views(simulation);
        for number in 1..=capture.events {
            let before = simulation.events();
            simulation.run(capture.until, 1);
            if simulation.events() == before {
                break;
            }
            camera.take(simulation);
            if number.checked_rem(capture.view_every) == Some(0) {
                camera.take_views(simulation);
            }
        }
        Self::new(camera.finish(simulation, capture))
    }

    fn new(tape: Tape) -> Self {
        let (trace, history) = (tape.trace.clone(), tape.history.clone());
        let milestones = tape.milestones.clone();
        let mut recording = Self { tape: Arc::new(tape), cursor: 0, trace, history, milestones };
        recording.show(0);
        recording
    }

    /// The name of the scenario.
    pub fn scenario(&self) -> &str {
        &self.tape.scenario
    }

    /// The text of the scenario.
    pub fn text(&self) -> &str {
        &self.tape.text
    }

    /// How many events of the run there were where the recording ends.
    pub fn events_end(&self) -> u64 {
        self.tape.first_event + self.last() as u64
    }

    fn last(&self) -> usize {
        self.tape.frames.len() - 1
    }

    fn frame(&self) -> Frame {
        self.tape.frames[self.cursor]
    }

    /// Puts the cursor after frame `index`.
    fn show(&mut self, index: usize) {
        self.cursor = index;
        let (tape, frame) = (Arc::clone(&self.tape), self.frame());
        self.trace = tape.trace.clone();
        self.trace.truncate(frame.records);
        self.history = tape.history.clone();
        self.history.truncate(frame.history);
        self.milestones = tape.milestones.clone();
        self.milestones.truncate_back(frame.milestones);
    }

    /// Where a run to `until` by at most `events` events comes to, and why it stops there.
    fn destination(&self, until: SimTime, events: u64) -> (usize, Stop) {
        let frames = &self.tape.frames;
        let mut index = self.cursor;
        for _ in 0..events {
            match frames.get(index + 1) {
                None => return (index, Stop::Idle),
                Some(next) if next.at > until => return (index, Stop::Horizon),
                Some(next) => {
                    let is_clean = next.violations == frames[index].violations;
                    index += 1;
                    if !is_clean {
                        return (index, Stop::Violation);
                    }
                }
            }
        }
        (index, Stop::Budget)
    }
}

/// The entry that was in force at frame `index`: the last that is not from later on.
fn in_force<T>(entries: &[(usize, T)], index: usize) -> Option<&T> {
    let after = entries.partition_point(|(from, _)| *from <= index);
    Some(&entries[after.checked_sub(1)?].1)
}

impl Simulation for Recording {
    fn capabilities(&self) -> Capabilities {
        Capabilities { step: true, fork: true, command: false, seek: true }
    }

    fn run(&mut self, until: SimTime, events: u64) -> Stop {
        let (index, stop) = self.destination(until, events);
        self.show(index);
        stop
    }

    fn seek(&mut self, events: u64) -> Result<(), Unable> {
        let index = events.saturating_sub(self.tape.first_event);
        self.show(usize::try_from(index).map_or(self.last(), |index| index.min(self.last())));
        Ok(())
    }

    fn apply(&mut self, _command: Command) -> Result<(), Unable> {
        Err(Unable("take a command: it is a recording"))
    }

    fn pass_to(&mut self, _time: SimTime) -> Result<(), Unable> {
        Err(Unable("let time pass for a command: it is a recording"))
    }

    fn fork(&self) -> Result<Box<dyn Simulation>, Unable> {
        Ok(Box::new(self.clone()))
    }

    fn reseed(&mut self, _seed: u64) -> Result<(), Unable> {
        Err(Unable("take another seed: it is a recording"))
    }

    fn now(&self) -> SimTime {
        self.frame().at
    }

    fn events(&self) -> u64 {
        self.tape.first_event + self.cursor as u64
    }

    fn digest(&self) -> Digest {
        self.frame().digest
    }

    fn node_count(&self) -> usize {
        self.tape.statuses.len()
    }

    fn statuses(&self, into: &mut Vec<NodeStatus>) {
        into.clear();
        let all = self.tape.statuses.iter().map(|changes| in_force(changes, self.cursor));
        into.extend(all.map(|status| *status.expect("every node has a status from the first frame on")));
    }

    /// The view that was taken last before the cursor, with the rows that were taken.
    fn view(&self, node: NodeId, _request: &ViewRequest) -> Vec<Part> {
        let views = in_force(&self.tape.views, self.cursor);
        views.and_then(|views| views.get(node.index())).cloned().unwrap_or_default()
    }

    fn trace(&self) -> Option<&Trace> {
        Some(&self.trace)
    }

    fn start_trace(&mut self) {}

    fn describe(&self, record: &Record) -> String {
        let text = self.tape.index_of(record).map(|index| self.tape.described[index] as usize);
        text.map_or_else(String::new, |text| self.tape.texts[text].clone())
    }

    fn history(&self) -> &History {
        &self.history
    }

    fn metrics(&self) -> &Metrics {
        &self.tape.metrics
    }

    fn milestones(&self) -> &AppendLog<Milestone> {
        &self.milestones
    }

    fn plan(&self) -> &Plan {
        &self.tape.plan
    }

    fn violations(&self) -> &[Violation] {
        let count = usize::try_from(self.frame().violations).unwrap_or(usize::MAX);
        &self.tape.violations[..count.min(self.tape.violations.len())]
    }

    fn beyond_promise(&self) -> Vec<(NodeId, DamageKind)> {
        self.tape.beyond_promise.clone()
    }

    fn points(&self) -> Vec<(&'static str, u64)> {
        self.tape.points.clone()
    }

    fn fault_points(&self) -> Vec<(&'static str, u64)> {
        self.tape.fault_points.clone()
    }

    fn enabled(&self) -> Vec<Choice> {
        Vec::new()
    }

    fn take(&mut self, _choice: Choice) -> Result<(), Unable> {
        Err(Unable("go another way: it is a recording"))
    }

    /// The place of the cursor: a recording knows no more of the state.
    fn state_fingerprint(&self) -> u64 {
        crate::fingerprint::fingerprint(&(self.digest(), self.events()))
    }
}

/// What takes down a run while it happens.
struct Camera {
    first_event: u64,
    frames: Vec<Frame>,
    statuses: Vec<Vec<(usize, NodeStatus)>>,
    views: Vec<(usize, Vec<Vec<Part>>)>,
    now: Vec<NodeStatus>,
}

impl Camera {
    fn new(simulation: &dyn Simulation) -> Self {
        let statuses = vec![Vec::new(); simulation.node_count()];
        let frames = vec![Frame::of(simulation)];
        let mut camera =
            Self { first_event: simulation.events(), frames, statuses, views: Vec::new(), now: Vec::new() };
        camera.take_statuses(simulation);
        camera
    }

    /// One event has happened.
    fn take(&mut self, simulation: &dyn Simulation) {
        self.frames.push(Frame::of(simulation));
        self.take_statuses(simulation);
    }

    fn take_statuses(&mut self, simulation: &dyn Simulation) {
        let index = self.frames.len() - 1;
        simulation.statuses(&mut self.now);
        for (changes, now) in self.statuses.iter_mut().zip(&self.now) {
            match changes.last_mut() {
                Some((_, last)) if last == now => {}
                Some((from, last)) if *from == index => *last = *now,
                Some(_) | None => changes.push((index, *now)),
            }
        }
    }

    fn take_views(&mut self, simulation: &dyn Simulation) {
        let nodes = (0_u32..).take(simulation.node_count()).map(NodeId::new);
        let views = nodes.map(|node| simulation.view(node, &ViewRequest::default()));
        self.views.push((self.frames.len() - 1, views.collect()));
    }

    fn finish(mut self, simulation: &dyn Simulation, capture: &Capture) -> Tape {
        // Commands may have come after the last event.
        *self.frames.last_mut().expect("there is a first frame") = Frame::of(simulation);
        self.take_statuses(simulation);
        let trace = simulation.trace().cloned().unwrap_or_default();
        let (described, texts) = describe_all(simulation, &trace);
        Tape {
            scenario: capture.scenario.clone(),
            text: capture.text.clone(),
            first_event: self.first_event,
            frames: self.frames,
            statuses: self.statuses,
            views: self.views,
            trace,
            described,
            texts,
            history: simulation.history().clone(),
            milestones: simulation.milestones().clone(),
            violations: simulation.violations().to_vec(),
            plan: simulation.plan().clone(),
            metrics: ended(simulation.metrics(), simulation.now()),
            beyond_promise: simulation.beyond_promise(),
            points: simulation.points(),
            fault_points: simulation.fault_points(),
        }
    }
}

/// What was measured, as it stood at the end of the run wherever the recording is shown.
fn ended(metrics: &Metrics, at: SimTime) -> Metrics {
    let mut metrics = metrics.clone();
    metrics.end(at);
    metrics
}

/// The texts of all records, each text once.
fn describe_all(simulation: &dyn Simulation, trace: &Trace) -> (Vec<u32>, Vec<String>) {
    let (mut known, mut texts) = (BTreeMap::new(), Vec::new());
    let described = trace.iter().map(|record| {
        let text = simulation.describe(record);
        *known.entry(text).or_insert_with_key(|text| {
            texts.push(text.clone());
            u32::try_from(texts.len() - 1).expect("a trace numbers its records with 32 bits")
        })
    });
    (described.collect(), texts)
}
