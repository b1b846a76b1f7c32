//! The history: what clients asked and got, and when. History checkers judge it; nothing in a run reads it.
//!
//! Both instants are stamped at the client, so that an operation took effect between them if at all:
//!
//! ```text
//! c1  |--write k1=7---------| done
//! c2        |--read k1----------------| value 7       overlaps: either order is legal
//! c3                          |--cas k1 7->9 ……       never completed: unknown
//! ```

use std::collections::BTreeMap;
use std::ops;

use serde::{Deserialize, Serialize, Serializer};

use crate::persist::{AppendLog, Range};
use crate::service::{Operation, Outcome};
use crate::{OpId, SimTime};

/// One end of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// When, true time at the client.
    pub at: SimTime,
    /// Which operation.
    pub op: OpId,
    /// Which end.
    pub what: HistoryEventKind,
}

/// The two ends of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HistoryEventKind {
    /// The client asked.
    Invoked(Operation),
    /// The client got an answer, or gave up with [`Outcome::Unknown`].
    Completed(Outcome),
}

/// An operation with both its ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryOperation {
    /// Its id.
    pub op: OpId,
    /// What was asked.
    pub operation: Operation,
    /// When it was asked.
    pub invoked: SimTime,
    /// When the client stopped waiting; `None` if it still waited when the history ended.
    pub completed: Option<SimTime>,
    /// What the client got; [`Outcome::Unknown`] where it never completed.
    pub outcome: Outcome,
}

/// All operations of a run in order of time. Append-only; a clone shares what was there.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: AppendLog<HistoryEvent>,
    open: Open,
}

/// What was invoked and not completed, which follows from the events: by client the ordinals, at most a few.
#[derive(Clone, Debug, Default)]
struct Open {
    by_client: Vec<Vec<u32>>,
    count: usize,
}

impl Open {
    /// Whether it was not open.
    fn insert(&mut self, op: OpId) -> bool {
        let client = op.client.index();
        if client >= self.by_client.len() {
            self.by_client.resize_with(client + 1, Vec::new);
        }
        let is_new = !self.by_client[client].contains(&op.ordinal);
        if is_new {
            self.by_client[client].push(op.ordinal);
            self.count += 1;
        }
        is_new
    }

    /// Whether it was open.
    fn remove(&mut self, op: OpId) -> bool {
        let Some(ordinals) = self.by_client.get_mut(op.client.index()) else { return false };
        let Some(place) = ordinals.iter().position(|ordinal| *ordinal == op.ordinal) else { return false };
        ordinals.swap_remove(place);
        self.count -= 1;
        true
    }
}

/// Equal when the events are.
impl PartialEq for History {
    fn eq(&self, other: &Self) -> bool {
        self.events == other.events
    }
}

impl Eq for History {}

impl History {
    /// No operations.
    pub fn new() -> Self {
        Self::default()
    }

    /// A client asks.
    ///
    /// # Panics
    /// If the operation is already open, or time runs backwards.
    pub fn invoke(&mut self, at: SimTime, op: OpId, operation: Operation) {
        assert!(self.open.insert(op), "an operation is invoked once: {op} is already open at {at}");
        self.push(HistoryEvent { at, op, what: HistoryEventKind::Invoked(operation) });
    }

    /// A client has its answer, or stops waiting for it.
    ///
    /// # Panics
    /// If the operation is not open, the outcome is a redirect, or time runs backwards.
    pub fn complete(&mut self, at: SimTime, op: OpId, outcome: Outcome) {
        assert!(self.open.remove(op), "a completion follows its invocation, once: {op} is not open at {at}");
        assert!(
            !matches!(outcome, Outcome::Redirect(_)),
            "clients follow redirects: {op} ends in `{outcome:?}`"
        );
        self.push(HistoryEvent { at, op, what: HistoryEventKind::Completed(outcome) });
    }

    /// Forgets all events but the first `len`: back to the moment when the history was that long. Takes time
    /// in proportion to what is forgotten; longer than the history changes nothing.
    pub fn truncate(&mut self, len: u64) {
        // Backwards, so that an operation within the forgotten part is opened first and then removed.
        for index in (len..self.events.end_index()).rev() {
            let event = self.events.get(index).expect("an index between the ends is kept");
            match event.what {
                HistoryEventKind::Invoked(_) => self.open.remove(event.op),
                HistoryEventKind::Completed(_) => self.open.insert(event.op),
            };
        }
        self.events.truncate_back(len);
    }

    /// All events in order of time.
    pub fn events(&self) -> Range<'_, HistoryEvent> {
        self.events.iter()
    }

    /// Some of the events, by their places from 0 on; those that there are not are left out.
    pub fn range(&self, places: ops::Range<u64>) -> Range<'_, HistoryEvent> {
        self.events.range(places)
    }

    /// How many events there are.
    pub const fn len(&self) -> u64 {
        self.events.len()
    }

    /// Whether nothing was asked.
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How many operations clients wait for.
    pub const fn open_count(&self) -> usize {
        self.open.count
    }

    /// All operations in order of invocation.
    pub fn operations(&self) -> Vec<HistoryOperation> {
        let mut operations = Vec::new();
        let mut open = BTreeMap::new();
        for HistoryEvent { at, op, what } in self.events() {
            match what {
                HistoryEventKind::Invoked(operation) => {
                    open.insert(*op, operations.len());
                    operations.push(HistoryOperation {
                        op: *op,
                        operation: operation.clone(),
                        invoked: *at,
                        completed: None,
                        outcome: Outcome::Unknown,
                    });
                }
                HistoryEventKind::Completed(outcome) => {
                    let index: usize =
                        open.remove(op).expect("`complete` asserted that the operation is open");
                    operations[index].completed = Some(*at);
                    operations[index].outcome = outcome.clone();
                }
            }
        }
        operations
    }

    fn push(&mut self, event: HistoryEvent) {
        let last = self.events.last().map_or(SimTime::ZERO, |last| last.at);
        assert!(last <= event.at, "a history is in order of time: {} at {} after {last}", event.op, event.at);
        self.events.push(event);
    }
}

/// As the sequence of its events.
impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.events())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ClientId;

    fn op(client: u32, ordinal: u32) -> OpId {
        OpId { client: ClientId::new(client), ordinal }
    }

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    #[test]
    fn operations_come_in_order_of_invocation_and_missing_completions_are_unknown() {
        let mut history = History::new();
        history.invoke(at(1), op(0, 0), Operation::Echo(7));
        history.invoke(at(2), op(1, 0), Operation::UniqueId);
        history.complete(at(3), op(1, 0), Outcome::Value(Some(9)));
        let operations = history.operations();
        assert_eq!(operations.len(), 2);
        assert_eq!((operations[0].completed, &operations[0].outcome), (None, &Outcome::Unknown));
        assert_eq!(
            (operations[1].completed, &operations[1].outcome),
            (Some(at(3)), &Outcome::Value(Some(9)))
        );
        assert_eq!((history.len(), history.open_count()), (3, 1));
    }

    #[test]
    #[should_panic(expected = "c1#0 is not open")]
    fn a_completion_without_invocation_is_refused() {
        History::new().complete(at(1), op(0, 0), Outcome::Done);
    }

    #[test]
    #[should_panic(expected = "c1#0 is not open")]
    fn a_second_completion_is_refused() {
        let mut history = History::new();
        history.invoke(at(1), op(0, 0), Operation::UniqueId);
        history.complete(at(2), op(0, 0), Outcome::Unknown);
        history.complete(at(3), op(0, 0), Outcome::Done);
    }

    #[test]
    #[should_panic(expected = "in order of time")]
    fn time_does_not_run_backwards() {
        let mut history = History::new();
        history.invoke(at(2), op(0, 0), Operation::UniqueId);
        history.complete(at(1), op(0, 0), Outcome::Done);
    }

    proptest! {
        #[test]
        fn truncation_goes_back_to_the_history_of_that_length(
            clients in prop::collection::vec(0_u32..4, 0..600),
            keep in 0_u64..700,
        ) {
            let mut history = History::new();
            let mut past = vec![history.clone()];
            let mut turns = [0; 4];
            for (time, client) in (0..).zip(clients) {
                let turn = &mut turns[client as usize];
                let id = op(client, *turn / 2);
                if *turn % 2 == 0 {
                    history.invoke(at(time), id, Operation::UniqueId);
                } else {
                    history.complete(at(time), id, Outcome::Done);
                }
                *turn += 1;
                past.push(history.clone());
            }
            let kept = usize::try_from(keep.min(history.len())).expect("small");
            history.truncate(keep);
            prop_assert_eq!(&history, &past[kept]);
        }
    }
}
