//! When a failure became inevitable: the run is stopped at some moments, and goes on from each of them with other draws.
//!
//! What happened stands, what is on its way arrives when it was due, and the plan is followed as it was: faults hit the same
//! nodes at the same times. Latencies, losses and timeouts drawn after the moment are others. The share of such futures that
//! fail the same way rises from what these faults do on average to all of them.
//!
//! **Search.** [`MOMENTS`] moments are tried, evenly spaced in events, and from the end backwards the first one after which
//! fewer than [`WANTED_PERCENT`] in a hundred fail. Shares need not rise steadily, which is why moments are scanned first.
//! Between that moment and the next one the event is found by halving; there, the share is taken to rise. The event that
//! itself shows the failure counts as certain. A moment of which half of the futures show that too few fail is left at that.

use sim_core::fingerprint::fingerprint;

use schemars::JsonSchema;
use serde::Serialize;

use super::moment::Moment;
use super::{Job, Laboratory, Options};
use crate::run::Paused;

/// How many moments are tried before the search by halving.
const MOMENTS: u64 = 10;
/// So many futures in a hundred must fail where a failure is called inevitable.
pub const WANTED_PERCENT: u64 = 95;
/// How many futures are made at once, at most.
const AT_ONCE: u64 = 64;

/// When a failure became inevitable.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Inevitability {
    /// Moments that were tried, in order.
    pub shares: Vec<Share>,
    /// From after this event on nearly all futures fail, and after the one before not yet: the how-manieth, from 1; 0 where
    /// nearly all futures fail from the start. `null` if the search was broken off before it was found.
    pub event: Option<u64>,
    /// When that event happened.
    pub at_ns: Option<u64>,
    /// What happened then, in words.
    pub happening: Option<String>,
    /// With how many seeds each moment was tried; with half where those show that too few fail.
    pub samples: u32,
    /// How many runs were made.
    pub runs: u64,
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
    /// Whether nearly all fail.
    pub const fn is_inevitable(&self) -> bool {
        self.failed * 100 >= self.of * WANTED_PERCENT
    }
}

/// Searches for the moment; `None` if nobody asked, or runs cannot be copied.
pub(super) fn search(
    laboratory: &mut Laboratory<'_, '_>,
    options: &Options,
    moment: &Moment,
) -> Option<Inevitability> {
    if options.samples == 0 {
        return None;
    }
    let start = laboratory.judge.at_start(laboratory.judge.plan().clone());
    start.copy().ok()?;
    let before = laboratory.spent.runs;
    let events_max = laboratory.spent.events.saturating_add(options.events_max);
    let mut search = Search { laboratory, samples: options.samples, events_max, shares: Vec::new() };
    let event = search.scan(start, moment.event).and_then(|bracket| search.halve(bracket));
    let mut shares = search.shares;
    shares.sort_by_key(|share| share.event);
    let told = &moment.told;
    Some(Inevitability {
        at_ns: event.map(|event| told.time_of(event).as_nanos()),
        happening: event.map(|event| told.words_of(event)),
        event,
        shares,
        samples: options.samples,
        runs: laboratory.spent.runs - before,
    })
}

/// Somewhere after `low`, and at `high` at the latest, it became inevitable.
struct Bracket {
    /// `None`: it was from the start.
    low: Option<Paused>,
    high: u64,
}

struct Search<'s, 'run, 'a> {
    laboratory: &'s mut Laboratory<'run, 'a>,
    samples: u32,
    events_max: u64,
    shares: Vec<Share>,
}

impl Search<'_, '_, '_> {
    /// Tries moments up to `end`, the event that shows the failure; `None` if that was broken off.
    fn scan(&mut self, mut at: Paused, end: u64) -> Option<Bracket> {
        let mut bracket = Bracket { low: None, high: 0 };
        let mut is_open = false;
        let mut events: Vec<u64> =
            (0..MOMENTS).map(|index| end.saturating_sub(1) * index / (MOMENTS - 1)).collect();
        events.dedup();
        for event in events {
            at.go_on(event);
            let share = self.share(&at)?;
            if !share.is_inevitable() {
                bracket = Bracket { low: Some(at.copy().ok()?), high: end };
                is_open = true;
            } else if is_open {
                bracket.high = event;
                is_open = false;
            }
        }
        Some(bracket)
    }

    /// The first event of a bracket after which it is inevitable.
    fn halve(&mut self, bracket: Bracket) -> Option<u64> {
        let Some(mut low) = bracket.low else { return Some(0) };
        let mut high = bracket.high;
        while high - low.simulation().events() > 1 {
            let mut middle = low.copy().ok()?;
            middle.go_on(u64::midpoint(low.simulation().events(), high));
            if self.share(&middle)?.is_inevitable() {
                high = middle.simulation().events();
            } else {
                low = middle;
            }
        }
        Some(high)
    }

    /// How many futures of a moment fail; `None` if that was broken off, or there are events for no more.
    fn share(&mut self, at: &Paused) -> Option<Share> {
        let (event, at_ns) = (at.simulation().events(), at.simulation().now().as_nanos());
        let mut share = Share { event, at_ns, failed: 0, of: 0 };
        let seed = self.laboratory.judge.seed();
        let samples = u64::from(self.samples);
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
            let at_best = share.failed + (samples - share.of);
            if at_best * 100 < samples * WANTED_PERCENT {
                break;
            }
        }
        self.shares.push(share);
        Some(share)
    }
}
