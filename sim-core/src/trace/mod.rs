//! The trace: what happened, with the cause of each record.
//!
//! One [`Record`] stands for one event, drop or command. Sends are not recorded: a message leaves at the
//! instant of the record that caused its arrival ([`Trace::sent_at`]). Texts are rendered late: the few there
//! are (notes of processes, commands) and changes of status stand in side lists, by record number.
//!
//! **Causes.** A record happened because of the record it names as its cause *and* because of everything that
//! happened before on the same lane (Lamport's happened-before, CACM 1978). Drops are no input of anybody; but
//! a timer may fire only because something did *not* arrive, so that drops on a lane count as causes of the
//! next timer that fires there:
//!
//! ```text
//! n1  ──●start────●timer─────────────────●timer (no heartbeat came)
//!        \        ^ caused by start      ^ caused by the first timer, and by the drop
//! n2  ────●delivery──────────╳ drop on n1's lane, caused by the delivery
//! ```

mod past;
mod record;

use std::ops::Range;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

pub use record::{Cause, Lifecycle, Payload, Record, TraceKind};

use crate::persist::{self, AppendLog};
use crate::status::Status;
use crate::{NodeId, SimTime};

/// A text that belongs to a record: a process's note, or a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The number of the record.
    pub record: u32,
    /// The text, one line.
    pub text: Arc<str>,
}

/// A process that looks different after a record than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StatusChange {
    /// The number of the record.
    pub record: u32,
    /// Whose status.
    pub node: NodeId,
    /// The status before; `None` if the node was down.
    pub before: Option<Status>,
    /// The status after; `None` if the node is down.
    pub after: Option<Status>,
}

/// All records of a run, numbered from 0. Append-only; a clone shares what was there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    records: AppendLog<Record>,
    /// In order of record.
    notes: AppendLog<Note>,
    /// In order of record.
    status_changes: AppendLog<StatusChange>,
}

impl Trace {
    /// No records.
    pub fn new() -> Self {
        Self::default()
    }

    /// No records; the next one has this number, because recording starts in the middle of a run.
    pub fn starting_at(number: u32) -> Self {
        Self { records: AppendLog::starting_at(u64::from(number)), ..Self::default() }
    }

    /// A trace as it was written down: the records from number `first` on, and the side lists in order of record.
    ///
    /// # Panics
    /// As [`Trace::push`] does.
    pub(crate) fn from_parts(
        first: u32,
        records: &[Record],
        notes: Vec<Note>,
        status_changes: Vec<StatusChange>,
    ) -> Self {
        let mut trace = Self::starting_at(first);
        for record in records {
            trace.push(*record);
        }
        for note in notes {
            trace.notes.push(note);
        }
        for change in status_changes {
            trace.status_changes.push(change);
        }
        trace
    }

    /// Appends a record and returns its number.
    ///
    /// # Panics
    /// If its cause is not an earlier record, or there are 4,294,967,295 records already.
    pub fn push(&mut self, record: Record) -> u32 {
        let number = self.len();
        assert!(number < u32::MAX, "a trace numbers its records with 32 bits");
        if let Some(cause) = record.cause() {
            assert!(cause < number, "a cause comes first: record {number} names {cause}");
        }
        self.records.push(record);
        number
    }

    /// Adds a text to the last record.
    ///
    /// # Panics
    /// If there is no record.
    pub fn note(&mut self, text: impl Into<Arc<str>>) {
        self.notes.push(Note { record: self.last_number(), text: text.into() });
    }

    /// Remembers that the last record changed `node`'s status, if role, epoch or leader changed or the node
    /// came up or went down. Progress alone (commit, gauge) would be as long as the trace.
    ///
    /// # Panics
    /// If there is no record.
    pub fn status_changed(&mut self, node: NodeId, before: Option<Status>, after: Option<Status>) {
        let face = |status: Status| (status.role, status.standing, status.epoch, status.leader);
        if before.map(face) != after.map(face) {
            let record = self.last_number();
            self.status_changes.push(StatusChange { record, node, before, after });
        }
    }

    /// Forgets all records but the first `len`, and what belongs to the others.
    pub fn truncate(&mut self, len: u32) {
        self.notes.truncate_back(first_not(&self.notes, |note| note.record < len));
        self.status_changes.truncate_back(first_not(&self.status_changes, |change| change.record < len));
        self.records.truncate_back(u64::from(len));
    }

    /// The number of the next record: how many there are, those before recording started included.
    pub fn len(&self) -> u32 {
        u32::try_from(self.records.end_index()).expect("`push` asserted that numbers fit 32 bits")
    }

    /// Bytes that records, notes and changes of status take, texts left out.
    pub fn bytes(&self) -> usize {
        let count = |length: u64| usize::try_from(length).expect("what is in memory can be counted");
        count(self.records.len()) * size_of::<Record>()
            + count(self.notes.len()) * size_of::<Note>()
            + count(self.status_changes.len()) * size_of::<StatusChange>()
    }

    /// Whether nothing was recorded.
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The record with this number.
    pub fn get(&self, number: u32) -> Option<&Record> {
        self.records.get(u64::from(number))
    }

    /// All records in order of number, which is order of time.
    pub fn iter(&self) -> persist::Range<'_, Record> {
        self.records.iter()
    }

    /// The records with these numbers; numbers that do not exist are left out.
    pub fn range(&self, numbers: Range<u32>) -> persist::Range<'_, Record> {
        self.records.range(u64::from(numbers.start)..u64::from(numbers.end))
    }

    /// The notes of the records with these numbers, in order.
    pub fn notes(&self, numbers: Range<u32>) -> persist::Range<'_, Note> {
        let index = |number| first_not(&self.notes, |note| note.record < number);
        self.notes.range(index(numbers.start)..index(numbers.end))
    }

    /// The status changes of the records with these numbers, in order.
    pub fn status_changes(&self, numbers: Range<u32>) -> persist::Range<'_, StatusChange> {
        let index = |number| first_not(&self.status_changes, |change| change.record < number);
        self.status_changes.range(index(numbers.start)..index(numbers.end))
    }

    /// The number of the first record that is not before this time; that of the next record, where all are.
    pub fn first_at(&self, time: SimTime) -> u32 {
        let number = first_not(&self.records, |record| record.at() < time);
        u32::try_from(number).expect("a trace numbers its records with 32 bits")
    }

    /// When the message, request or reply of this record was sent; `None` for records of anything else, and
    /// where it came from outside.
    pub fn sent_at(&self, number: u32) -> Option<SimTime> {
        let record = self.get(number)?;
        record.payload()?;
        self.get(record.cause()?).map(Record::at)
    }

    /// The records without which this one might not have happened, itself left out, in rising order.
    /// See the [module documentation](self). Takes time in proportion to `number`.
    ///
    /// # Panics
    /// If there is no such record.
    pub fn causal_past(&self, number: u32) -> Vec<u32> {
        past::causal_past(self, number)
    }

    fn last_number(&self) -> u32 {
        self.len().checked_sub(1).expect("notes and status changes belong to a record, and there is none")
    }
}

impl<'a> IntoIterator for &'a Trace {
    type Item = &'a Record;
    type IntoIter = persist::Range<'a, Record>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The index of the first entry of which `is_before` does not hold: it holds of all up to some, and of none after it.
fn first_not<T>(list: &AppendLog<T>, is_before: impl Fn(&T) -> bool) -> u64 {
    let (mut low, mut high) = (list.first_index(), list.end_index());
    while low < high {
        let middle = low.midpoint(high);
        if is_before(list.get(middle).expect("an index between the ends is kept")) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// As three sequences: records, notes, status changes.
impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_struct("Trace", 3)?;
        parts.serialize_field("records", &Sequence(&self.records))?;
        parts.serialize_field("notes", &Sequence(&self.notes))?;
        parts.serialize_field("status_changes", &Sequence(&self.status_changes))?;
        parts.end()
    }
}

struct Sequence<'a, T>(&'a AppendLog<T>);

impl<T: Serialize> Serialize for Sequence<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;
    use crate::status::Standing;

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    fn started(nodes: u32) -> Trace {
        let mut trace = Trace::new();
        for node in 0..nodes {
            trace.push(Record::lifecycle(at(u64::from(node)), None, NodeId::new(node), Lifecycle::Start));
        }
        trace
    }

    #[test]
    fn a_message_was_sent_when_its_cause_happened() {
        let mut trace = started(2);
        let [n1, n2] = [0, 1].map(|index| Endpoint::from(NodeId::new(index)));
        let delivery = trace.push(Record::delivery(at(9), Some(1), n2, n1, 0));
        assert_eq!(trace.sent_at(delivery), Some(at(1)));
        assert_eq!(trace.sent_at(0), None, "a start is not sent");
    }

    #[test]
    #[should_panic(expected = "record 1 names 1")]
    fn a_record_does_not_cause_itself() {
        started(1).push(Record::handler_start(at(1), Some(1), NodeId::new(0)));
    }

    #[test]
    fn notes_are_found_by_record_and_go_with_it() {
        let mut trace = Trace::new();
        for step in 0..6 {
            trace.push(Record::command(at(step), None));
            if step % 2 == 1 {
                trace.note(format!("first of {step}"));
                trace.note("second");
            }
        }
        let texts =
            |trace: &Trace, from, to| -> Vec<u32> { trace.notes(from..to).map(|note| note.record).collect() };
        assert_eq!(texts(&trace, 0, 6), [1, 1, 3, 3, 5, 5]);
        assert_eq!(texts(&trace, 2, 4), [3, 3]);
        trace.truncate(3);
        assert_eq!((trace.len(), texts(&trace, 0, 6)), (3, vec![1, 1]));
    }

    #[test]
    fn progress_alone_is_no_change_of_status() {
        let mut trace = started(1);
        let (node, follower) = (NodeId::new(0), Status::peer("follower"));
        let leader = Status { role: "leader", standing: Standing::Leader, ..follower };
        trace.status_changed(node, None, Some(follower));
        trace.status_changed(node, Some(follower), Some(Status { commit: 5, gauge: 5, ..follower }));
        trace.status_changed(node, Some(follower), Some(leader));
        let after: Vec<_> = trace.status_changes(0..1).map(|change| change.after).collect();
        assert_eq!(after, [Some(follower), Some(leader)]);
        assert_eq!(trace.status_changes(1..9).len(), 0);
    }
}
