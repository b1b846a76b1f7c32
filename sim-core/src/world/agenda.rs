//! When commands are due: the plan of a run, merged with its events.

use crate::fault::{Entry, Moment, Plan, StatusEvent, Trigger, Was};
use crate::status::NodeStatus;
use crate::{SimTime, Span};

/// The plan of a run and where the run stands in it.
#[derive(Clone)]
pub(super) struct Agenda {
    plan: Plan,
    /// Entries whose moment is known, latest first: index into the plan.
    due: Vec<(Moment, usize)>,
    /// Entries that wait for something to happen.
    waiting: Vec<Waiting>,
    /// The moment of the last entry that was applied, and how many were at it.
    last: Option<(Moment, u32)>,
}

#[derive(Clone, Copy)]
struct Waiting {
    index: usize,
    event: StatusEvent,
    /// How many more times it has to happen.
    missing: u32,
    delay: Span,
    /// What happens before does not count.
    since: SimTime,
    /// The entry is left out if it would come then or later.
    until: SimTime,
}

impl Agenda {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut due = plan.schedule();
        due.reverse();
        let waiting = (0..).zip(plan.entries()).filter_map(|(index, entry)| waiting(index, entry)).collect();
        let mut agenda = Self { plan: plan.clone(), due, waiting, last: None };
        for (index, entry) in plan.entries().iter().enumerate() {
            if let Trigger::Before { since, .. } = entry.trigger
                && looks(entry)
            {
                agenda.come_due(index, Moment::before(since));
            }
        }
        agenda
    }

    /// The plan, with what its entries were as far as they have happened.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The first instant at which the run loop has to look here: the next command, or just after `until`.
    pub(super) fn barrier(&self, until: SimTime) -> SimTime {
        let end = until + Span::nanos(1);
        self.due.last().map_or(end, |(moment, _)| moment.time.min(end))
    }

    /// The next entry whose moment is known.
    pub(super) fn next(&self) -> Option<(Moment, usize)> {
        self.due.last().copied()
    }

    /// When the next entry is due that does not only look at a timer.
    pub(super) fn next_act(&self) -> Option<SimTime> {
        let acts = |index: usize| !looks(&self.plan.entries()[index]);
        self.due.iter().rev().find(|(_, index)| acts(*index)).map(|(moment, _)| moment.time)
    }

    /// Takes the next entry off the list.
    pub(super) fn take_next(&mut self) -> Option<(usize, Entry)> {
        let (_, index) = self.due.pop()?;
        Some((index, self.plan.entries()[index].clone()))
    }

    /// Notes what an entry was.
    pub(super) fn record(&mut self, index: usize, was: Was) {
        self.plan.record(index, was);
    }

    /// The place among the entries of this moment for one that is applied now.
    pub(super) fn next_place(&mut self, moment: Moment) -> u32 {
        let place = self.last.filter(|(last, _)| *last == moment).map_or(0, |(_, count)| count);
        self.last = Some((moment, place + 1));
        place
    }

    /// Adds an entry that has just happened.
    pub(super) fn add_done(&mut self, entry: Entry) {
        let inserted = self.plan.insert(entry);
        let shift = |index: &mut usize| *index += usize::from(*index >= inserted);
        self.due.iter_mut().for_each(|(_, index)| shift(index));
        self.waiting.iter_mut().for_each(|waiting| shift(&mut waiting.index));
    }

    /// Whether anything waits for a change of status.
    #[inline(always)]
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether anything waits for a fault point.
    pub(super) fn awaits_points(&self) -> bool {
        self.waiting.iter().any(|waiting| matches!(waiting.event, StatusEvent::Reaches(_)))
    }

    /// A node's status has changed: entries that waited for that come due.
    pub(super) fn on_status(&mut self, now: Moment, before: Option<&NodeStatus>, after: &NodeStatus) {
        self.on_event(now, |event| event.matches(before, after));
    }

    /// A fault point was reached: entries that waited for that come due.
    pub(super) fn on_point(&mut self, now: Moment, point: &str) {
        self.on_event(now, |event| matches!(event, StatusEvent::Reaches(name) if name.as_str() == point));
    }

    fn on_event(&mut self, now: Moment, has_happened: impl Fn(StatusEvent) -> bool) {
        for position in (0..self.waiting.len()).rev() {
            let waiting = &mut self.waiting[position];
            if waiting.since > now.time || !has_happened(waiting.event) {
                continue;
            }
            waiting.missing -= 1;
            if waiting.missing == 0 {
                let Waiting { index, delay, until, .. } = self.waiting.remove(position);
                if now.time + delay < until {
                    self.come_due(
                        index,
                        if delay.is_zero() { now } else { Moment::before(now.time + delay) },
                    );
                }
            }
        }
    }

    /// An entry is due at this moment, or it is to be looked then whether it is.
    pub(super) fn come_due(&mut self, index: usize, moment: Moment) {
        let position =
            self.due.partition_point(|&(other, other_index)| (other, other_index) > (moment, index));
        self.due.insert(position, (moment, index));
    }
}

/// Whether an entry comes before a timer fires, so that its moment is not known.
fn looks(entry: &Entry) -> bool {
    matches!(entry.trigger, Trigger::Before { .. }) && entry.was.is_none()
}

/// What an entry waits for; `None` where its moment is known.
fn waiting(index: usize, entry: &Entry) -> Option<Waiting> {
    match (entry.trigger, &entry.was) {
        (Trigger::After { span, event, occurrence, since, until }, None) => {
            Some(Waiting { index, event, missing: occurrence.max(1), delay: span, since, until })
        }
        (Trigger::After { .. }, Some(_)) | (Trigger::Before { .. } | Trigger::At(_), _) => None,
    }
}
