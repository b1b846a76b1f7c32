//! Half of a long run, with many seeds.
//!
//! Where each candidate is another run, half of a run fails about as seldom as all of it but one entry does. So much is taken
//! away at once, and other seeds make up for it:
//!
//! | leaves out | by chance |
//! | --- | --- |
//! | operations | each with one in two, or those of each client with one in two |
//! | faults | each with one in two |
//! | both | each with one in two |
//! | time | half or a quarter of it, and what happens then; what comes later moves along |
//!
//! What fails ends where it failed, and is halved again, with less to run each time.

use std::sync::Arc;

use sim_core::fault::{Command, Entry, Moment, Target, Trigger};
use sim_core::random::{KeySource, Purpose, Stream};
use sim_core::{SimTime, Span};

use super::Shrinker;
use super::case::{Case, is_operation, time_of};
use crate::protocol::ProtocolTable;

/// Runs with fewer entries than this are left to other steps.
const ENTRIES_MIN: usize = 32;
/// What this may take of what is left.
const SHARE: u64 = 3;
/// How many candidates are tried of one run, at most.
const CANDIDATES_MAX: u64 = 20_000;

impl Shrinker<'_, '_> {
    /// Halves the best case as long as that succeeds; says whether it did.
    pub(super) fn by_halves(&mut self) -> bool {
        let left = self.events_max.saturating_sub(self.spent.events);
        let events_max = std::mem::replace(&mut self.events_max, self.spent.events + left / SHARE);
        let mut is_smaller = false;
        while self.best.entries.len() >= ENTRIES_MIN && self.halved() {
            is_smaller = true;
            self.ended_at_failure();
        }
        self.events_max = events_max;
        is_smaller
    }

    fn halved(&mut self) -> bool {
        let (case, table) = (self.best.clone(), self.trial.table);
        let halves = (0..CANDIDATES_MAX).filter_map(|number| half(&case, number, table));
        self.try_each(halves.map(|half| ((), half))).is_some()
    }
}

/// One half of many: with the seed of the case, or any other.
pub(super) fn half(case: &Case, number: u64, table: &ProtocolTable) -> Option<Case> {
    let phase = case.loaded.scenario.phases.faults.span();
    let mut stream = KeySource::new(number).stream(Purpose::Faults, phase.as_nanos(), 1);
    let is_fault = |entry: &Entry| !is_operation(entry);
    let half = match stream.below(5) {
        0 => thinned(case, is_operation, &mut stream),
        1 => of_some_clients(case, &mut stream),
        2 => thinned(case, is_fault, &mut stream),
        3 => thinned(&thinned(case, is_fault, &mut stream), is_operation, &mut stream),
        _ => return without_stretch(case, &mut stream, table).map(|half| seeded(half, number)),
    };
    (half.entries.len() < case.entries.len()).then(|| seeded(half, number))
}

fn seeded(case: Case, number: u64) -> Case {
    if number.is_multiple_of(3) { case } else { case.with_seed(number) }
}

/// The case with any half of the entries of a class.
fn thinned(case: &Case, is_member: impl Fn(&Entry) -> bool, stream: &mut Stream) -> Case {
    let kept = case.entries.iter().filter(|entry| !is_member(entry) || stream.below(2) == 0);
    case.with_entries(kept.cloned().collect())
}

/// The case with what about half of the clients ask.
fn of_some_clients(case: &Case, stream: &mut Stream) -> Case {
    let asks: Vec<bool> = (0..case.loaded.scenario.clients.total()).map(|_| stream.below(2) == 0).collect();
    let is_kept = |entry: &&Arc<Entry>| match &entry.command {
        Command::<Target>::Issue { client, .. } if is_operation(entry) => {
            asks.get(client.index()).is_some_and(|asks| *asks)
        }
        _ => true,
    };
    case.with_entries(case.entries.iter().filter(is_kept).cloned().collect())
}

/// The case without half or a quarter of its time, and what happens then.
fn without_stretch(case: &Case, stream: &mut Stream, table: &ProtocolTable) -> Option<Case> {
    let phase = case.loaded.scenario.phases.faults.span();
    let length = Span::nanos(phase.as_nanos() / if stream.below(2) == 0 { 2 } else { 4 });
    let begin = stream.span(Span::ZERO, phase.saturating_sub(length));
    let (begin, end) = (SimTime::ZERO + begin, SimTime::ZERO + begin + length);
    let kept = case.entries.iter().filter(|entry| !(begin..end).contains(&time_of(entry)));
    let entries = kept.map(|entry| sooner(entry, end, length)).collect();
    let set = format!("phases.faults=\"{}\"", phase.saturating_sub(length));
    Some(case.with_set(&set, table)?.with_entries(entries))
}

/// What comes at a time or later, so much earlier.
fn sooner(entry: &Arc<Entry>, from: SimTime, cut: Span) -> Arc<Entry> {
    match entry.trigger {
        Trigger::At(moment) if moment.time >= from => {
            let time = SimTime::from_nanos(moment.time.as_nanos() - cut.as_nanos());
            Arc::new(Entry { trigger: Trigger::At(Moment::before(time)), ..Entry::clone(entry) })
        }
        _ => entry.clone(),
    }
}
