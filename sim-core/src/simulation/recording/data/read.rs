//! Reading a recording: every index and order is checked, so that nothing in a damaged file can panic later.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Frame, Recording, Tape};
use super::{
    ChangeData, ContentData, Face, HappeningData, MilestoneData, NodeFace, PartData, RecordingData,
    RecordingError, WORD_LENGTH_MAX, WORDS_MAX,
};
use crate::history::{History, HistoryEvent, HistoryEventKind};
use crate::metrics::{Counter, Metrics};
use crate::milestone::{Happening, Milestone};
use crate::persist::AppendLog;
use crate::service::Outcome;
use crate::status::{NodeStatus, Status};
use crate::trace::{Note, StatusChange, Trace};
use crate::view::{Cell, Content, Link, Links, Part, Strip, Table, Weight};
use crate::{NodeId, SimTime};

impl TryFrom<RecordingData> for Recording {
    type Error = RecordingError;

    fn try_from(data: RecordingData) -> Result<Self, RecordingError> {
        let known = Known::read(&data.words)?;
        let trace = read_trace(&data, &known)?;
        let history = read_history(&data.history)?;
        check_frames(&data)?;
        check_nodes(&data)?;
        let milestones = data.milestones.iter().map(|milestone| known.milestone(milestone));
        let milestones = milestones.collect::<Result<Vec<_>, _>>()?;
        let counted = |(word, count): &(u32, u64)| Ok((known.word(*word)?, *count));
        let points = data.points.iter().map(counted);
        let fault_points = data.fault_points.iter().map(counted);
        Ok(Self::new(Tape {
            statuses: read_statuses(&data, &known)?,
            views: read_views(&data, &known)?,
            milestones: log_of(milestones),
            points: points.collect::<Result<_, RecordingError>>()?,
            fault_points: fault_points.collect::<Result<_, RecordingError>>()?,
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
            beyond_promise: data.beyond_promise,
        }))
    }
}

fn log_of<T: Clone>(entries: Vec<T>) -> AppendLog<T> {
    let mut log = AppendLog::new();
    for entry in entries {
        log.push(entry);
    }
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

/// All nodes that are named are there: whoever shows a recording has a place for each that has a status, and no other.
fn check_nodes(data: &RecordingData) -> Result<(), RecordingError> {
    let leaders = data.statuses.iter().flatten().filter_map(|(_, face)| face.process?.leader);
    let ends = data.records.iter().flat_map(|record| [record.subject(), record.peer()]);
    let changed = data.status_changes.iter().map(|change| change.node);
    let stood = data.milestones.iter().filter_map(|milestone| match milestone.what {
        HappeningData::Stands(node, _) | HappeningData::Crashed(node) | HappeningData::Restarted(node) => {
            Some(node)
        }
        HappeningData::Command(_) => None,
    });
    let mut named = leaders
        .chain(ends.filter_map(|end| end?.node()))
        .chain(changed)
        .chain(stood)
        .chain(data.violations.iter().filter_map(|violation| violation.node))
        .chain(data.beyond_promise.iter().map(|(node, _)| *node));
    let stranger = named.find(|node| node.index() >= data.statuses.len());
    stranger.map_or(Ok(()), |node| Err(RecordingError::Node { node, count: data.statuses.len() }))
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
    let mut open = BTreeSet::new();
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
            ContentData::Links(links) => {
                let link = |(to, kind, weight): &(NodeId, u32, Weight)| {
                    Ok(Link { to: *to, kind: self.word(*kind)?, weight: *weight })
                };
                Content::Links(Links(links.iter().map(link).collect::<Result<_, RecordingError>>()?))
            }
        })
    }
}
