//! The form of a recording that can be written to a file: plain data, checked when it is read.
//!
//! Words that a running world has as `&'static str` (roles, marks, column heads, points) stand in a table once and are
//! named by index. Reading a file brings each distinct word of it to life for the rest of the program, at most
//! [`WORDS_MAX`] of at most [`WORD_LENGTH_MAX`] bytes; there is no other way back to a `Status`, which is `Copy`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Frame, Recording, Tape};
use crate::check::Violation;
use crate::disk::DamageKind;
use crate::fault::Plan;
use crate::history::{History, HistoryEvent, HistoryEventKind};
use crate::metrics::{Counter, Metrics};
use crate::milestone::{Happening, Milestone};
use crate::persist::AppendLog;
use crate::service::Outcome;
use crate::status::{NodeStatus, Power, Standing, Status};
use crate::trace::{Note, Record, StatusChange, Trace};
use crate::view::{Cell, Content, Part, Strip, Table};
use crate::{Digest, NodeId, OpId, SimTime};

/// The most distinct words of a recording.
const WORDS_MAX: usize = 1_024;
/// The longest word in bytes.
const WORD_LENGTH_MAX: usize = 64;

/// A recording as plain data: what is written to a file. Latency histograms are left out; counters are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingData {
    scenario: String,
    text: String,
    first_event: u64,
    frames: Vec<Frame>,
    words: Vec<String>,
    statuses: Vec<Vec<(u64, NodeFace)>>,
    views: Vec<(u64, Vec<Vec<PartData>>)>,
    first_record: u32,
    records: Vec<Record>,
    notes: Vec<(u32, Arc<str>)>,
    status_changes: Vec<ChangeData>,
    described: Vec<u32>,
    texts: Vec<String>,
    history: Vec<HistoryEvent>,
    milestones: Vec<MilestoneData>,
    violations: Vec<Violation>,
    plan: Plan,
    counters: BTreeMap<String, u64>,
    digest: Digest,
    beyond_promise: Vec<(NodeId, DamageKind)>,
    points: Vec<(u32, u64)>,
}

/// Why data is no recording: it was damaged, or made by something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// There is nothing in it, not even a beginning.
    #[error("a recording without a first moment")]
    Empty,
    /// Moments run backwards, or name more than there is.
    #[error("moment {index} does not follow from the one before, or names records that are not there")]
    Frame {
        /// Which one, from 0.
        index: usize,
    },
    /// A node has no status at the beginning, or its statuses are out of order.
    #[error("the statuses of n{number} do not start at the beginning and rise")]
    Statuses {
        /// Which node, from 1.
        number: usize,
    },
    /// Views are out of order, or not one a node.
    #[error("view {index} is out of order or has not one part a node")]
    View {
        /// Which one, from 0.
        index: usize,
    },
    /// A record is out of order, or names a cause that does not come first or a text that is not there.
    #[error("record {number} is out of order, or names a cause or text that is not there")]
    Record {
        /// Its number.
        number: u64,
    },
    /// A note or a change of status belongs to no record, or stands out of order.
    #[error("note or change of status {index} is out of order or belongs to no record")]
    Note {
        /// Which one, from 0.
        index: usize,
    },
    /// An event of the history is out of order, or completes what was not asked.
    #[error("history event {index} is out of order, or completes what was not asked")]
    History {
        /// Which one, from 0.
        index: usize,
    },
    /// A word is missing from the table, too long, or one too many.
    #[error(
        "word {index} is missing or too long; at most {WORDS_MAX} words of {WORD_LENGTH_MAX} bytes are allowed"
    )]
    Word {
        /// Which one, from 0.
        index: usize,
    },
    /// A counter that this version does not know.
    #[error("`{name}` is no counter")]
    Counter {
        /// What was read.
        name: String,
    },
}

/// [`NodeStatus`], with its words by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct NodeFace {
    power: Power,
    incarnation: u32,
    process: Option<Face>,
}

/// [`Status`], with its word by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Face {
    role: u32,
    standing: Standing,
    epoch: u64,
    leader: Option<NodeId>,
    commit: u64,
    gauge: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChangeData {
    record: u32,
    node: NodeId,
    before: Option<Face>,
    after: Option<Face>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct MilestoneData {
    at: SimTime,
    event: u64,
    what: HappeningData,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum HappeningData {
    Stands(NodeId, Face),
    Crashed(NodeId),
    Restarted(NodeId),
    Command(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PartData {
    name: String,
    content: ContentData,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ContentData {
    Text(String),
    Number(u64),
    Group(Vec<PartData>),
    Strip { available: Range<u64>, cells: Vec<(u64, u64, String)>, marks: Vec<(u32, u64)> },
    Table { columns: Vec<u32>, available: Range<u64>, rows: Vec<Vec<String>> },
}

impl From<&Recording> for RecordingData {
    fn from(recording: &Recording) -> Self {
        let (tape, mut words) = (&*recording.tape, Words::default());
        let trace = &tape.trace;
        let statuses = tape.statuses.iter().map(|changes| {
            changes.iter().map(|(from, status)| (*from as u64, words.node_face(status))).collect()
        });
        let statuses = statuses.collect();
        let views = tape
            .views
            .iter()
            .map(|(from, nodes)| (*from as u64, nodes.iter().map(|parts| words.parts(parts)).collect()));
        let views = views.collect();
        let first_record = trace.len() - u32::try_from(trace.iter().len()).expect("as many as numbers");
        let changes = trace.status_changes(0..u32::MAX).map(|change| words.change(change)).collect();
        let milestones = tape.milestones.iter().map(|milestone| words.milestone(milestone)).collect();
        let points = tape.points.iter().map(|(point, count)| (words.index(point), *count)).collect();
        Self {
            scenario: tape.scenario.clone(),
            text: tape.text.clone(),
            first_event: tape.first_event,
            frames: tape.frames.clone(),
            statuses,
            views,
            first_record,
            records: trace.iter().copied().collect(),
            notes: trace.notes(0..u32::MAX).map(|note| (note.record, note.text.clone())).collect(),
            status_changes: changes,
            described: tape.described.clone(),
            texts: tape.texts.clone(),
            history: tape.history.events().cloned().collect(),
            milestones,
            violations: tape.violations.clone(),
            plan: tape.plan.clone(),
            counters: Counter::ALL
                .into_iter()
                .map(|counter| (counter.name().to_owned(), tape.metrics.counter(counter)))
                .collect(),
            digest: tape.digest,
            beyond_promise: tape.beyond_promise.clone(),
            points,
            words: words.known,
        }
    }
}

/// The table of words while it is made.
#[derive(Default)]
struct Words {
    known: Vec<String>,
    index_of: BTreeMap<&'static str, u32>,
}

impl Words {
    fn index(&mut self, word: &'static str) -> u32 {
        *self.index_of.entry(word).or_insert_with(|| {
            self.known.push(word.to_owned());
            u32::try_from(self.known.len() - 1).expect("protocols have a handful of words")
        })
    }

    fn face(&mut self, status: &Status) -> Face {
        let &Status { role, standing, epoch, leader, commit, gauge } = status;
        Face { role: self.index(role), standing, epoch, leader, commit, gauge }
    }

    fn node_face(&mut self, status: &NodeStatus) -> NodeFace {
        let &NodeStatus { power, incarnation, process } = status;
        NodeFace { power, incarnation, process: process.map(|process| self.face(&process)) }
    }

    fn change(&mut self, change: &StatusChange) -> ChangeData {
        let mut face = |status: Option<Status>| status.map(|status| self.face(&status));
        let (before, after) = (face(change.before), face(change.after));
        ChangeData { record: change.record, node: change.node, before, after }
    }

    fn milestone(&mut self, milestone: &Milestone) -> MilestoneData {
        let what = match &milestone.what {
            Happening::Stands { node, status } => HappeningData::Stands(*node, self.face(status)),
            Happening::Crashed(node) => HappeningData::Crashed(*node),
            Happening::Restarted(node) => HappeningData::Restarted(*node),
            Happening::Command(text) => HappeningData::Command(text.clone()),
        };
        MilestoneData { at: milestone.at, event: milestone.event, what }
    }

    fn parts(&mut self, parts: &[Part]) -> Vec<PartData> {
        let part = |part: &Part| PartData { name: part.name.clone(), content: self.content(&part.content) };
        parts.iter().map(part).collect()
    }

    fn content(&mut self, content: &Content) -> ContentData {
        match content {
            Content::Text(text) => ContentData::Text(text.clone()),
            Content::Number(number) => ContentData::Number(*number),
            Content::Group(parts) => ContentData::Group(self.parts(parts)),
            Content::Strip(strip) => ContentData::Strip {
                available: strip.available.clone(),
                cells: strip.cells.iter().map(|cell| (cell.index, cell.epoch, cell.label.clone())).collect(),
                marks: strip.marks.iter().map(|(mark, index)| (self.index(mark), *index)).collect(),
            },
            Content::Table(table) => ContentData::Table {
                columns: table.columns.iter().map(|column| self.index(column)).collect(),
                available: table.available.clone(),
                rows: table.rows.clone(),
            },
        }
    }
}

impl TryFrom<RecordingData> for Recording {
    type Error = RecordingError;

    fn try_from(data: RecordingData) -> Result<Self, RecordingError> {
        let known = Known::read(&data.words)?;
        let trace = read_trace(&data, &known)?;
        let history = read_history(&data.history)?;
        check_frames(&data)?;
        let milestones = data.milestones.iter().map(|milestone| known.milestone(milestone));
        let milestones = milestones.collect::<Result<Vec<_>, _>>()?;
        let points = data.points.iter().map(|(word, count)| Ok((known.word(*word)?, *count)));
        Ok(Self::new(Tape {
            statuses: read_statuses(&data, &known)?,
            views: read_views(&data, &known)?,
            milestones: log_of(milestones),
            points: points.collect::<Result<_, RecordingError>>()?,
            metrics: read_counters(&data.counters)?,
            trace,
            history,
            scenario: data.scenario,
            text: data.text,
            first_event: data.first_event,
            frames: data.frames,
            described: data.described,
            texts: data.texts,
            violations: data.violations,
            plan: data.plan,
            digest: data.digest,
            beyond_promise: data.beyond_promise,
        }))
    }
}

fn log_of<T: Clone>(entries: Vec<T>) -> AppendLog<T> {
    let mut log = AppendLog::new();
    entries.into_iter().for_each(|entry| _ = log.push(entry));
    log
}

fn ensure(is_right: bool, error: RecordingError) -> Result<(), RecordingError> {
    if is_right { Ok(()) } else { Err(error) }
}

fn check_frames(data: &RecordingData) -> Result<(), RecordingError> {
    let records_end = u64::from(data.first_record) + data.records.len() as u64;
    ensure(!data.frames.is_empty(), RecordingError::Empty)?;
    let parts = |frame: &Frame| [u64::from(frame.records), frame.history, frame.milestones, frame.violations];
    let lengths =
        [&data.history.len(), &data.milestones.len(), &data.violations.len()].map(|length| *length as u64);
    let ends = [records_end, lengths[0], lengths[1], lengths[2]];
    let mut before = (SimTime::ZERO, [0; 4]);
    for (index, frame) in data.frames.iter().enumerate() {
        let after = (frame.at, parts(frame));
        let rises =
            before.0 <= after.0 && before.1.iter().zip(after.1).all(|(before, after)| *before <= after);
        let exists = after.1.iter().zip(ends).all(|(after, end)| *after <= end);
        ensure(rises && exists, RecordingError::Frame { index })?;
        before = after;
    }
    Ok(())
}

fn read_statuses(
    data: &RecordingData,
    known: &Known,
) -> Result<Vec<Vec<(usize, NodeStatus)>>, RecordingError> {
    let node = |(number, changes): (usize, &Vec<(u64, NodeFace)>)| {
        let is_rising = changes.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let starts = changes.first().is_some_and(|(from, _)| *from == 0);
        ensure(is_rising && starts, RecordingError::Statuses { number: number + 1 })?;
        let read = changes.iter().map(|(from, face)| Ok((index_of(*from), known.node_status(face)?)));
        read.collect::<Result<Vec<_>, RecordingError>>()
    };
    data.statuses.iter().enumerate().map(node).collect()
}

type Views = Vec<(usize, Vec<Vec<Part>>)>;

fn read_views(data: &RecordingData, known: &Known) -> Result<Views, RecordingError> {
    let mut last = 0;
    let mut views = Vec::new();
    for (index, (from, nodes)) in data.views.iter().enumerate() {
        let fits = *from >= last && nodes.len() == data.statuses.len();
        ensure(fits, RecordingError::View { index })?;
        last = *from;
        let nodes = nodes.iter().map(|parts| known.parts(parts)).collect::<Result<_, _>>()?;
        views.push((index_of(*from), nodes));
    }
    Ok(views)
}

/// What is farther than memory reaches is never shown.
fn index_of(frame: u64) -> usize {
    usize::try_from(frame).unwrap_or(usize::MAX)
}

fn read_trace(data: &RecordingData, known: &Known) -> Result<Trace, RecordingError> {
    check_records(data)?;
    let notes = data.notes.iter().map(|(record, text)| Ok(Note { record: *record, text: text.clone() }));
    let changes = data.status_changes.iter().map(|change| known.change(change));
    let (notes, changes) =
        (notes.collect::<Result<Vec<_>, RecordingError>>()?, changes.collect::<Result<Vec<_>, _>>()?);
    check_side_list(data, notes.iter().map(|note| note.record))?;
    check_side_list(data, changes.iter().map(|change| change.record))?;
    Ok(Trace::from_parts(data.first_record, &data.records, notes, changes))
}

fn check_records(data: &RecordingData) -> Result<(), RecordingError> {
    let numbers = u64::from(data.first_record)..u64::from(u32::MAX);
    let mut last = SimTime::ZERO;
    ensure(
        data.described.len() == data.records.len(),
        RecordingError::Record { number: data.described.len() as u64 },
    )?;
    let mut all = numbers.zip(data.records.iter().zip(&data.described));
    all.try_for_each(|(number, (record, text))| {
        let is_caused = record.cause().is_none_or(|cause| u64::from(cause) < number);
        let fits = is_caused && record.at() >= last && (*text as usize) < data.texts.len();
        last = record.at();
        ensure(fits && record.is_sound(), RecordingError::Record { number })
    })
}

fn check_side_list(data: &RecordingData, records: impl Iterator<Item = u32>) -> Result<(), RecordingError> {
    let end = u64::from(data.first_record) + data.records.len() as u64;
    let mut last = data.first_record;
    for (index, record) in records.enumerate() {
        ensure(record >= last && u64::from(record) < end, RecordingError::Note { index })?;
        last = record;
    }
    Ok(())
}

fn read_history(events: &[HistoryEvent]) -> Result<History, RecordingError> {
    let mut history = History::new();
    let mut open = std::collections::BTreeSet::<OpId>::new();
    let mut last = SimTime::ZERO;
    for (index, HistoryEvent { at, op, what }) in events.iter().enumerate() {
        let fits = match what {
            HistoryEventKind::Invoked(_) => open.insert(*op),
            HistoryEventKind::Completed(outcome) => {
                open.remove(op) && !matches!(outcome, Outcome::Redirect(_))
            }
        };
        ensure(fits && *at >= last, RecordingError::History { index })?;
        last = *at;
        match what.clone() {
            HistoryEventKind::Invoked(operation) => history.invoke(*at, *op, operation),
            HistoryEventKind::Completed(outcome) => history.complete(*at, *op, outcome),
        }
    }
    Ok(history)
}

fn read_counters(counters: &BTreeMap<String, u64>) -> Result<Metrics, RecordingError> {
    let mut metrics = Metrics::new();
    for (name, count) in counters {
        let counter = Counter::ALL.into_iter().find(|counter| counter.name() == name);
        let counter = counter.ok_or_else(|| RecordingError::Counter { name: name.clone() })?;
        metrics.add(counter, *count);
    }
    Ok(metrics)
}

/// The words of a file, brought to life.
struct Known(Vec<&'static str>);

impl Known {
    fn read(words: &[String]) -> Result<Self, RecordingError> {
        ensure(words.len() <= WORDS_MAX, RecordingError::Word { index: WORDS_MAX })?;
        let too_long = words.iter().position(|word| word.len() > WORD_LENGTH_MAX);
        too_long.map_or(Ok(()), |index| Err(RecordingError::Word { index }))?;
        Ok(Self(words.iter().map(|word| &*word.clone().leak()).collect()))
    }

    fn word(&self, index: u32) -> Result<&'static str, RecordingError> {
        let index = index as usize;
        self.0.get(index).copied().ok_or(RecordingError::Word { index })
    }

    fn status(&self, face: &Face) -> Result<Status, RecordingError> {
        let &Face { role, standing, epoch, leader, commit, gauge } = face;
        Ok(Status { role: self.word(role)?, standing, epoch, leader, commit, gauge })
    }

    fn node_status(&self, face: &NodeFace) -> Result<NodeStatus, RecordingError> {
        let process = face.process.as_ref().map(|process| self.status(process)).transpose()?;
        Ok(NodeStatus { power: face.power, incarnation: face.incarnation, process })
    }

    fn change(&self, change: &ChangeData) -> Result<StatusChange, RecordingError> {
        let status = |face: &Option<Face>| face.as_ref().map(|face| self.status(face)).transpose();
        let (before, after) = (status(&change.before)?, status(&change.after)?);
        Ok(StatusChange { record: change.record, node: change.node, before, after })
    }

    fn milestone(&self, milestone: &MilestoneData) -> Result<Milestone, RecordingError> {
        let what = match &milestone.what {
            HappeningData::Stands(node, face) => {
                Happening::Stands { node: *node, status: self.status(face)? }
            }
            HappeningData::Crashed(node) => Happening::Crashed(*node),
            HappeningData::Restarted(node) => Happening::Restarted(*node),
            HappeningData::Command(text) => Happening::Command(text.clone()),
        };
        Ok(Milestone { at: milestone.at, event: milestone.event, what })
    }

    fn parts(&self, parts: &[PartData]) -> Result<Vec<Part>, RecordingError> {
        let part =
            |part: &PartData| Ok(Part { name: part.name.clone(), content: self.content(&part.content)? });
        parts.iter().map(part).collect()
    }

    fn content(&self, content: &ContentData) -> Result<Content, RecordingError> {
        Ok(match content {
            ContentData::Text(text) => Content::Text(text.clone()),
            ContentData::Number(number) => Content::Number(*number),
            ContentData::Group(parts) => Content::Group(self.parts(parts)?),
            ContentData::Strip { available, cells, marks } => {
                let cell = |(index, epoch, label): &(u64, u64, String)| Cell {
                    index: *index,
                    epoch: *epoch,
                    label: label.clone(),
                };
                let marks = marks.iter().map(|(mark, index)| Ok((self.word(*mark)?, *index)));
                Content::Strip(Strip {
                    available: available.clone(),
                    cells: cells.iter().map(cell).collect(),
                    marks: marks.collect::<Result<_, RecordingError>>()?,
                })
            }
            ContentData::Table { columns, available, rows } => {
                let columns = columns.iter().map(|column| self.word(*column)).collect::<Result<_, _>>()?;
                Content::Table(Table { columns, available: available.clone(), rows: rows.clone() })
            }
        })
    }
}
