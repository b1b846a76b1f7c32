//! Small runs made of parts of the large one.
//!
//! A failure that needs much to come together is gone as soon as anything is taken away: each candidate is another run
//! altogether. Then it is cheaper to look for the same failure in short runs. Each takes a stretch of the faults and of what
//! clients asked, moves it to where the first operation was done, leaves out more or less of it, and has another seed:
//!
//! ```text
//! ─────────── the run ─────────────────────╳ violation
//!                          [x..x.x..x...x.x]
//!      [x....x...x]◄───────────┘
//! ```
//!
//! The shortest come first, as there is time for most of them.

use std::ops::Range;
use std::sync::Arc;

use sim_core::fault::{Entry, Moment, Trigger};
use sim_core::random::{KeySource, Purpose, Stream};
use sim_core::{SimTime, Span};

use super::Shrinker;
use super::case::{Case, is_operation};
use crate::load::Loaded;
use crate::run::Run;

/// How long the stretches are, in milliseconds; the last: all of it, which stays where it is.
const LENGTHS: [u64; 6] = [100, 250, 600, 1_500, 4_000, u64::MAX];
/// Runs with fewer events than this are small enough.
const EVENTS_MIN: u64 = 600;
/// What the runs of one length may take of what is left.
const LENGTH_SHARE: u64 = 8;
/// How many entries of a class stay, at most.
const KEPT: [usize; 7] = [0, 1, 2, 4, 8, 16, 64];

/// The run to take parts of.
struct Whole<'a> {
    case: &'a Case,
    /// The scenario of the parts.
    loaded: Arc<Loaded>,
    /// Where parts begin: when the first operation was done, as nobody leads before.
    begun: Span,
    /// How long they are.
    length: Span,
}

impl Shrinker<'_, '_> {
    /// Looks for the failure in short runs, as long as some are found.
    pub(super) fn by_parts(&mut self, first: &Run) {
        let done = first.simulation.history().operations().into_iter().filter_map(|done| done.completed);
        let begun = done.min().unwrap_or(SimTime::ZERO).since(SimTime::ZERO);
        while self.best_events > EVENTS_MIN && LENGTHS.iter().any(|length| self.by_parts_of(*length, begun)) {
        }
    }

    /// Tries parts of one length; says whether one fails.
    fn by_parts_of(&mut self, length: u64, begun: Span) -> bool {
        let case = self.best.clone();
        let heal = case.loaded.scenario.phases.faults.span();
        let whole = match length {
            u64::MAX => Whole { case: &case, loaded: case.loaded.clone(), begun: Span::ZERO, length: heal },
            length => {
                let length = Span::millis(length);
                let faults = begun + length + Span::nanos(length.as_nanos() / 4);
                let set = format!("phases.faults=\"{faults}\"");
                let shorter = (faults < heal).then(|| case.with_set(&set, self.trial.table)).flatten();
                let Some(Case { loaded, .. }) = shorter else { return false };
                Whole { case: &case, loaded, begun, length }
            }
        };
        let left = self.events_max.saturating_sub(self.spent.events);
        let events_max = std::mem::replace(&mut self.events_max, self.spent.events + left / LENGTH_SHARE);
        let found = self.try_each((0..).map(|number| ((), whole.part(number))));
        self.events_max = events_max;
        found.is_some()
    }
}

impl Whole<'_> {
    /// One part of many: half of them the last stretch, half any other.
    fn part(&self, number: u64) -> Case {
        let mut stream = KeySource::new(number).stream(Purpose::Faults, self.length.as_nanos(), 0);
        let end = self.case.loaded.scenario.phases.faults.span();
        let last = end.saturating_sub(self.length);
        let begin = if stream.below(2) == 0 { last } else { stream.span(Span::ZERO, last) };
        let stretch = begin..begin + self.length;
        let entries = self.case.entries.iter();
        let inside: Vec<Arc<Entry>> =
            entries.filter_map(|entry| moved(entry, &stretch, self.begun)).collect();
        let mut kept = vec![false; inside.len()];
        for is_member in [is_operation as fn(&Entry) -> bool, |entry: &Entry| !is_operation(entry)] {
            let places: Vec<usize> = (0..inside.len()).filter(|place| is_member(&inside[*place])).collect();
            for place in chosen(places, &mut stream) {
                kept[place] = true;
            }
        }
        let entries = inside.into_iter().zip(kept).filter_map(|(entry, is_kept)| is_kept.then_some(entry));
        let seed = if number.is_multiple_of(2) { self.case.seed } else { number };
        Case { loaded: self.loaded.clone(), seed, entries: entries.collect() }
    }
}

/// Some of these, in random order: a few, or a good part.
fn chosen(mut places: Vec<usize>, stream: &mut Stream) -> Vec<usize> {
    let parts = (1..=4).map(|quarters| places.len() * quarters / 4);
    let counts: Vec<usize> = KEPT.into_iter().chain(parts).collect();
    let count = *stream.pick(&counts).expect("it is not empty");
    stream.shuffle(&mut places);
    places.truncate(count);
    places
}

/// An entry of a stretch as it is when that begins at `to`; `None` for one outside. What waits for something from
/// the start on may always come.
fn moved(entry: &Arc<Entry>, stretch: &Range<Span>, to: Span) -> Option<Arc<Entry>> {
    let shifted = |time: SimTime| {
        let time = time.since(SimTime::ZERO);
        stretch.contains(&time).then(|| SimTime::ZERO + to + time.saturating_sub(stretch.start))
    };
    let trigger = match entry.trigger {
        Trigger::At(moment) => Trigger::At(Moment::before(shifted(moment.time)?)),
        Trigger::After { since: SimTime::ZERO, .. } | Trigger::Before { since: SimTime::ZERO, .. } => {
            return Some(entry.clone());
        }
        Trigger::After { span, event, occurrence, since, until } => {
            Trigger::After { span, event, occurrence, since: shifted(since)?, until }
        }
        Trigger::Before { span, node, timer, since, until } => {
            Trigger::Before { span, node, timer, since: shifted(since)?, until }
        }
    };
    Some(Arc::new(Entry { trigger, ..Entry::clone(entry) }))
}
