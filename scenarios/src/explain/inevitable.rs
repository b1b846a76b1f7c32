//! When a failure became inevitable: the run is stopped at some moments, and goes on from each of them with other draws.
//!
//! What happened stands, what is on its way arrives when it was due, and the plan is followed as it was: faults hit the same
//! nodes at the same times. Latencies, losses and timeouts drawn after the moment are others. The share of such futures that
//! fail the same way rises from what these faults do on average to all of them.
//!
//! **Which events.** Only events that the failure depends on, and those with which something was done from outside: no other
//! can have decided it. What a client on the far side was told in the same millisecond is no answer, however the shares fall.
//!
//! **Search.** [`MOMENTS`] moments are evenly spaced in these events. From the end backwards they are tried up to the first one
//! after which surely fewer than [`WANTED_PERCENT`] in a hundred fail: the interval of the share does not reach that. Shares need
//! not rise steadily, which is why moments are scanned first. Between that moment and the next one the event is found by
//! halving; there, the share is taken to rise. The event that itself shows the failure counts as certain. Earlier moments come
//! last, to show how the share rose. A moment of which half of the futures show that too few fail is left at that.
//!
//! **Long runs.** All futures together may have some millions of events. A moment in a long run has fewer futures, down to
//! [`SAMPLES_MIN`], so that the search comes to its end; where it does not, it tells between which events it came to.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use sim_core::fingerprint::fingerprint;
use sim_core::trace::TraceKind;

use super::moment::Moment;
use super::{Job, Laboratory, Options};
use crate::run::Paused;

/// How many moments are tried before the search by halving.
const MOMENTS: usize = 10;
/// Where a failure is called inevitable, the share of futures that fail may be so many in a hundred.
pub const WANTED_PERCENT: u64 = 95;
/// The square of 1.96, in ten thousandths: intervals are Wilson's, at 95 %.
const QUANTILE_SQUARED: u64 = 38_415;
/// About how many futures as long as the run a search takes for each future of a moment.
const LENGTHS: u64 = 20;
/// A moment has no fewer futures than these, unless fewer were asked for.
const SAMPLES_MIN: u64 = 10;
/// How many futures are made at once, at most.
const AT_ONCE: u64 = 64;

/// When a failure became inevitable.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Inevitability {
    /// Moments that were tried, in order.
    pub shares: Vec<Share>,
    /// From after this event on nearly all futures fail, and after the one before that the failure depends on not yet: the
    /// how-manieth, from 1; 0 where nearly all futures fail from the start. `null` if the search was broken off before it was
    /// found.
    pub event: Option<u64>,
    /// Where it was not found, between which events it is; `null` if that is not known either.
    pub bracket: Option<Bracket>,
    /// When that event happened.
    pub at_ns: Option<u64>,
    /// What happened then, in words.
    pub happening: Option<String>,
    /// With how many seeds each moment was tried, fewer than asked for in a long run; with half where those show that too few
    /// fail.
    pub samples: u64,
    /// How many runs were made.
    pub runs: u64,
}

/// Between which events a failure became inevitable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Bracket {
    /// After this event not yet.
    pub above: u64,
    /// After this one it was.
    pub up_to: u64,
}

/// How many futures of a moment fail the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Share {
    /// After so many events.
    pub event: u64,
    /// When.
    pub at_ns: u64,
    /// How many fail.
    pub failed: u64,
    /// Of how many.
    pub of: u64,
}

impl Share {
    /// Whether nearly all fail: the upper end of Wilson's interval for the share is not below [`WANTED_PERCENT`]. That interval
    /// holds all rates that the share is less than 1.96 standard deviations of that rate away from.
    pub const fn is_inevitable(&self) -> bool {
        let below = (self.of * WANTED_PERCENT).saturating_sub(self.failed * 100);
        let variance = self.of * WANTED_PERCENT * (100 - WANTED_PERCENT);
        below * below * 10_000 <= QUANTILE_SQUARED * variance
    }
}

/// Searches for the moment; `None` if nobody asked, or runs cannot be copied.
pub(super) fn search(
    laboratory: &mut Laboratory<'_, '_>,
    options: &Options,
    moment: &Moment,
    past: &BTreeSet<u32>,
) -> Option<Inevitability> {
    if options.samples == 0 {
        return None;
    }
    let start = laboratory.judge.at_start(laboratory.judge.plan().clone());
    start.copy().ok()?;
    let before = laboratory.spent.runs;
    let events_max = laboratory.spent.events.saturating_add(options.events_max);
    let samples = affordable(options, moment.event);
    let mut search = Search { laboratory, samples, events_max, shares: Vec::new() };
    let found = search.find(start, &eligible(moment, past), moment.event);
    let mut shares = search.shares;
    shares.sort_by_key(|share| share.event);
    let told = &moment.told;
    let (event, bracket) = match found {
        Found::At(event) => (Some(event), None),
        Found::Between(bracket) => (None, Some(bracket)),
        Found::Unknown => (None, None),
    };
    Some(Inevitability {
        at_ns: event.map(|event| told.time_of(event).as_nanos()),
        happening: event.map(|event| told.words_of(event)),
        event,
        bracket,
        shares,
        samples,
        runs: laboratory.spent.runs - before,
    })
}

/// The events that may have decided it, in order: from the start up to the one before the failure.
fn eligible(moment: &Moment, past: &BTreeSet<u32>) -> Vec<u64> {
    let commands = (0..moment.told.trace().len())
        .filter(|number| moment.told.record(*number).kind() == TraceKind::Command);
    let events = past.iter().copied().chain(commands).map(|number| moment.told.event_of(number));
    let before: BTreeSet<u64> = events.filter(|event| *event < moment.event).chain([0]).collect();
    before.into_iter().collect()
}

/// With how many futures each moment can be tried, for a failure that shows at this event.
fn affordable(options: &Options, event: u64) -> u64 {
    let fair = options.events_max / event.max(1).saturating_mul(LENGTHS);
    u64::from(options.samples).min(fair.max(SAMPLES_MIN))
}

/// What a search came to.
enum Found {
    At(u64),
    Between(Bracket),
    Unknown,
}

struct Search<'s, 'run, 'a> {
    laboratory: &'s mut Laboratory<'run, 'a>,
    samples: u64,
    events_max: u64,
    shares: Vec<Share>,
}

impl Search<'_, '_, '_> {
    /// Searches these events, and `end`, the one that shows the failure.
    fn find(&mut self, start: Paused, events: &[u64], end: u64) -> Found {
        let Some(mut earlier) = moments(start, events) else { return Found::Unknown };
        let mut high = end;
        let found = loop {
            let Some(moment) = earlier.pop() else { break Found::At(0) };
            match self.share(&moment) {
                None => break Found::Unknown,
                Some(share) if share.is_inevitable() => high = share.event,
                Some(_) => break self.halve(moment, events, high),
            }
        };
        // Without these the answer is the same: they are tried as long as it can be afforded.
        if matches!(found, Found::At(_)) {
            let _tried = earlier.into_iter().rev().all(|moment| self.share(&moment).is_some());
        }
        found
    }

    /// The first of these events after which it is inevitable: not yet at `low`, and at `high` at the latest.
    fn halve(&mut self, mut low: Paused, events: &[u64], mut high: u64) -> Found {
        loop {
            let bracket = Bracket { above: low.simulation().events(), up_to: high };
            let between = |event: &&u64| bracket.above < **event && **event < high;
            let between: Vec<u64> = events.iter().filter(between).copied().collect();
            let Some(event) = between.get(between.len() / 2) else { return Found::At(high) };
            let Ok(mut middle) = low.copy() else { return Found::Between(bracket) };
            middle.go_on(*event);
            match self.share(&middle) {
                None => return Found::Between(bracket),
                Some(share) if share.is_inevitable() => high = share.event,
                Some(_) => low = middle,
            }
        }
    }

    /// How many futures of a moment fail; `None` if that was broken off, or there are events for no more.
    fn share(&mut self, at: &Paused) -> Option<Share> {
        let (event, at_ns) = (at.simulation().events(), at.simulation().now().as_nanos());
        let mut share = Share { event, at_ns, failed: 0, of: 0 };
        let seed = self.laboratory.judge.seed();
        let samples = self.samples;
        let at_once = samples.div_ceil(2).min(AT_ONCE);
        for begin in (0..samples).step_by(usize::try_from(at_once).expect("a small number")) {
            if self.laboratory.spent.events > self.events_max {
                return None;
            }
            let indices = begin..samples.min(begin + at_once);
            let branch = |index| at.branch(fingerprint(&(seed, event, index))).ok().map(Job::Branch);
            let jobs = indices.map(branch).collect::<Option<Vec<Job>>>()?;
            let outcomes = self.laboratory.outcomes("trying other futures", jobs)?;
            share.of += outcomes.len() as u64;
            share.failed += outcomes.iter().filter(|outcome| outcome.fails).count() as u64;
            let at_best = Share { failed: share.failed + (samples - share.of), of: samples, ..share };
            if !at_best.is_inevitable() {
                break;
            }
        }
        self.shares.push(share);
        Some(share)
    }
}

/// The run at some of these events, in order; `None` if it cannot be copied.
fn moments(mut at: Paused, events: &[u64]) -> Option<Vec<Paused>> {
    let last = events.len() - 1;
    let places: BTreeSet<usize> = (0..MOMENTS).map(|index| last * index / (MOMENTS - 1)).collect();
    let mut moments: Vec<Paused> = Vec::new();
    for place in places {
        at.go_on(events[place]);
        moments.push(at.copy().ok()?);
    }
    Some(moments)
}
