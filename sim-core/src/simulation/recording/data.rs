//! The form of a recording that can be written to a file: plain data, checked when it is read.
//!
//! Words that a running world has as `&'static str` (roles, marks, column heads, points) stand in a table once and are
//! named by index. Reading a file brings each distinct word of it to life for the rest of the program, at most
//! [`WORDS_MAX`] of at most [`WORD_LENGTH_MAX`] bytes; there is no other way back to a `Status`, which is `Copy`.

mod read;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Frame, Recording};
use crate::check::Violation;
use crate::disk::DamageKind;
use crate::fault::Plan;
use crate::history::HistoryEvent;
use crate::metrics::Counter;
use crate::milestone::{Happening, Milestone};
use crate::status::{NodeStatus, Power, Standing, Status};
use crate::trace::{Record, StatusChange};
use crate::view::{Content, Links, Part, Weight};
use crate::{NodeId, SimTime};

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
    beyond_promise: Vec<(NodeId, DamageKind)>,
    points: Vec<(u32, u64)>,
    #[serde(default)]
    fault_points: Vec<(u32, u64)>,
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
    /// A node is named that is not there.
    #[error("{node} is named, and there are {count} nodes")]
    Node {
        /// Which one.
        node: NodeId,
        /// How many there are.
        count: usize,
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
    Links(Vec<(NodeId, u32, Weight)>),
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
        let fault_points = tape.fault_points.iter();
        let fault_points = fault_points.map(|(point, count)| (words.index(point), *count)).collect();
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
            beyond_promise: tape.beyond_promise.clone(),
            points,
            fault_points,
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
            Content::Links(Links(links)) => ContentData::Links(
                links.iter().map(|link| (link.to, self.index(link.kind), link.weight)).collect(),
            ),
        }
    }
}
