//! What clients asked, as stretches of time, one row a client. Grows with the run, so that a frame costs what is new and
//! what is seen.

use std::collections::BTreeMap;

use sim_core::history::{History, HistoryEvent, HistoryEventKind};
use sim_core::service::{Certainty, Operation, Outcome};
use sim_core::{OpId, SimTime, Span};

use crate::session::BranchId;

/// An operation from its invocation to its completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) op: OpId,
    pub(crate) invoked: SimTime,
    /// When the client stopped waiting; `None` where it still waits.
    pub(crate) completed: Option<SimTime>,
    pub(crate) fate: Fate,
    /// The places of its ends in the history.
    asked: u64,
    answered: Option<u64>,
    /// The latest completion of this one and all of the client before it.
    reach: SimTime,
}

/// What came of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It happened.
    Done,
    /// It was refused, and did not happen.
    Refused,
    /// The client gave up waiting: it may have happened.
    Unknown,
    /// The client waits.
    Open,
}

impl Interval {
    fn end(&self) -> SimTime {
        self.completed.unwrap_or(SimTime::MAX)
    }

    /// What was asked, and what came of it.
    pub(crate) fn told<'a>(&self, history: &'a History) -> (Option<&'a Operation>, Option<&'a Outcome>) {
        let event = |place: u64| history.range(place..place + 1).next().map(|event| &event.what);
        let operation = match event(self.asked) {
            Some(HistoryEventKind::Invoked(operation)) => Some(operation),
            Some(HistoryEventKind::Completed(_)) | None => None,
        };
        let outcome = match self.answered.and_then(event) {
            Some(HistoryEventKind::Completed(outcome)) => Some(outcome),
            Some(HistoryEventKind::Invoked(_)) | None => None,
        };
        (operation, outcome)
    }
}

/// The operations of one path, as far as it was computed.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    tip: Option<BranchId>,
    events: u64,
    count: usize,
    /// Of each client, in order of invocation.
    clients: Vec<Vec<Interval>>,
    /// Where those are that were not completed.
    open: BTreeMap<OpId, usize>,
}

impl Operations {
    /// Takes in what happened since the last time; begins anew where the path leads elsewhere.
    pub(crate) fn update(&mut self, history: &History, tip: BranchId) {
        if self.tip != Some(tip) || history.len() < self.events {
            *self = Self { tip: Some(tip), ..Self::default() };
        }
        for (place, event) in (self.events..).zip(history.range(self.events..history.len())) {
            self.take(place, event);
        }
        self.events = history.len();
    }

    /// How many clients have asked something, and those numbered before them.
    pub(crate) fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// How many operations there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// An operation by its name.
    pub(crate) fn find(&self, op: OpId) -> Option<&Interval> {
        self.clients.get(op.client.index())?.iter().rfind(|interval| interval.op == op)
    }

    /// The operations of a client that are seen between two times. Of those that would be drawn over one another, all
    /// within `grain`, the first stands for all.
    pub(crate) fn seen(&self, client: usize, from: SimTime, to: SimTime, grain: Span) -> Vec<&Interval> {
        let all = self.clients.get(client).map_or(&[][..], Vec::as_slice);
        let mut seen = Vec::new();
        let mut next = all.partition_point(|interval| interval.reach < from);
        while let Some(interval) = all.get(next).filter(|interval| interval.invoked <= to) {
            let drawn_to = interval.invoked.max(from) + grain;
            if interval.end() >= from {
                seen.push(interval);
            }
            next += 1;
            if grain > Span::ZERO {
                next += all[next..].partition_point(|later| later.reach <= drawn_to);
            }
        }
        seen
    }

    fn take(&mut self, place: u64, event: &HistoryEvent) {
        let client = event.op.client.index();
        match &event.what {
            HistoryEventKind::Invoked(_) => {
                if self.clients.len() <= client {
                    self.clients.resize_with(client + 1, Vec::new);
                }
                let row = &mut self.clients[client];
                self.open.insert(event.op, row.len());
                self.count += 1;
                row.push(Interval {
                    op: event.op,
                    invoked: event.at,
                    completed: None,
                    fate: Fate::Open,
                    asked: place,
                    answered: None,
                    reach: SimTime::MAX,
                });
            }
            HistoryEventKind::Completed(outcome) => {
                let index = self.open.remove(&event.op).expect("a history completes what was invoked");
                let row = &mut self.clients[client];
                row[index].completed = Some(event.at);
                row[index].answered = Some(place);
                row[index].fate = match outcome.certainty() {
                    Certainty::Happened => Fate::Done,
                    Certainty::DidNotHappen => Fate::Refused,
                    Certainty::Unknown => Fate::Unknown,
                };
                // Only what came after it can reach less far now.
                let mut reach = if index == 0 { SimTime::ZERO } else { row[index - 1].reach };
                for interval in &mut row[index..] {
                    reach = reach.max(interval.end());
                    interval.reach = reach;
                    if reach == SimTime::MAX {
                        break;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sim_core::ClientId;

    use super::*;

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    /// Each number lets a client ask, or completes the oldest or youngest that it waits for.
    fn history(turns: &[u8]) -> History {
        let mut history = History::new();
        let mut open: Vec<Vec<OpId>> = vec![Vec::new(); 2];
        for (time, turn) in (1..).zip(turns) {
            let client = usize::from(turn % 2);
            let waits = &mut open[client];
            let op = OpId {
                client: ClientId::new(u32::from(turn % 2)),
                ordinal: u32::try_from(time).expect("few"),
            };
            match turn % 6 {
                0..=2 => {
                    history.invoke(at(time * 10), op, Operation::UniqueId);
                    waits.push(op);
                }
                3 | 4 if !waits.is_empty() => history.complete(at(time * 10), waits.remove(0), Outcome::Done),
                _ => {
                    if let Some(op) = waits.pop() {
                        history.complete(at(time * 10), op, Outcome::Unknown);
                    }
                }
            }
        }
        history
    }

    proptest! {
        #[test]
        fn bit_by_bit_or_at_once_what_is_seen_is_what_overlaps(
            turns in prop::collection::vec(0_u8..12, 0..200), cut in 0_usize..200, from in 0_u64..2_000, length in 0_u64..500,
        ) {
            let whole = history(&turns);
            let (mut slow, mut fast) = (Operations::default(), Operations::default());
            slow.update(&history(&turns[..cut.min(turns.len())]), BranchId::FIRST);
            slow.update(&whole, BranchId::FIRST);
            fast.update(&whole, BranchId::FIRST);
            prop_assert_eq!(&slow.clients, &fast.clients);
            prop_assert_eq!(fast.count(), whole.operations().len());
            let (from, to) = (at(from), at(from + length));
            for client in 0..fast.client_count() {
                let overlaps = fast.clients[client].iter().filter(|it| it.invoked <= to && it.end() >= from);
                prop_assert_eq!(fast.seen(client, from, to, Span::ZERO), overlaps.collect::<Vec<_>>());
            }
        }

        #[test]
        fn what_is_left_out_lies_within_the_grain_of_what_is_not(turns in prop::collection::vec(0_u8..12, 0..300), grain in 1_u64..200) {
            let mut operations = Operations::default();
            operations.update(&history(&turns), BranchId::FIRST);
            let grain = Span::nanos(grain);
            for client in 0..operations.client_count() {
                let seen = operations.seen(client, SimTime::ZERO, SimTime::MAX, grain);
                for interval in &operations.clients[client] {
                    let covers = |drawn: &&Interval| {
                        drawn.invoked <= interval.invoked && interval.end() <= drawn.end().max(drawn.invoked + grain)
                    };
                    prop_assert!(seen.iter().any(covers), "{interval:?}");
                }
            }
        }
    }
}
