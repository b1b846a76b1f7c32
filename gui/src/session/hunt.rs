//! Running seed after seed until something breaks.
//!
//! Each seed is a run of its own, without a person in it, judged as the command line judges it: also by what clients saw and
//! by whether it converges. It is done piece by piece, a frame's worth of events at a time.

use std::ops::ControlFlow;

use scenarios::run::Paused;
use scenarios::{RunOptions, Verdict};

use super::{FRAME_EVENTS_MAX, Session};

/// What is known of the search.
pub(super) struct Hunt {
    /// The seed that is tried now.
    seed: u64,
    /// How many have passed.
    tried: u64,
    paused: Option<Paused>,
}

/// Where a search has come to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Search {
    /// So many seeds have passed, and this one is tried.
    Underway { seed: u64, tried: u64 },
    /// The seed that is open breaks something, and so many before it did not.
    Found { verdict: Verdict, tried: u64 },
    /// It was stopped after so many seeds.
    Stopped { tried: u64 },
}

impl Session {
    /// Looks for a seed that breaks something, from this one on; from the next, where this one is known to.
    pub(crate) fn hunt(&mut self) {
        let is_known = matches!(self.search, Some(Search::Found { .. })) || self.verdict().is_some();
        let seed = self.seed.wrapping_add(u64::from(is_known));
        self.pause();
        self.hunt = Some(Hunt { seed, tried: 0, paused: None });
        self.search = Some(Search::Underway { seed, tried: 0 });
    }

    /// Where the search has come to, if there was one.
    pub(crate) const fn search(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// Whether seeds are tried.
    pub(crate) const fn is_hunting(&self) -> bool {
        self.hunt.is_some()
    }

    /// Ends the search where it is.
    pub(super) fn give_up_hunt(&mut self) {
        if let Some(Hunt { tried, .. }) = self.hunt.take() {
            self.search = Some(Search::Stopped { tried });
        }
    }

    /// Tries seeds for a frame. The one that breaks something is opened where that shows.
    pub(super) fn go_on_hunting(&mut self) {
        let Some(mut hunt) = self.hunt.take() else { return };
        let mut left = FRAME_EVENTS_MAX;
        while left > 0 {
            let options = RunOptions::PLAIN;
            let mut paused = hunt
                .paused
                .take()
                .unwrap_or_else(|| Paused::at_start(&self.loaded, &self.table, hunt.seed, &options));
            let before = paused.simulation().events();
            if !paused.go_on(before + left) {
                hunt.paused = Some(paused);
                break;
            }
            // A run of no events at all takes time, too.
            left = left.saturating_sub((paused.simulation().events() - before).max(100));
            let report = paused.finish(&self.loaded, &self.table, &mut |_| ControlFlow::Continue(())).report;
            if is_broken(&report.verdict) {
                let event = report.violations.first().map_or(report.events, |violation| violation.event);
                self.restart(hunt.seed);
                self.search = Some(Search::Found { verdict: report.verdict, tried: hunt.tried });
                self.seek_events(event);
                return;
            }
            (hunt.seed, hunt.tried) = (hunt.seed.wrapping_add(1), hunt.tried + 1);
        }
        self.search = Some(Search::Underway { seed: hunt.seed, tried: hunt.tried });
        self.hunt = Some(hunt);
    }
}

/// Whether a run ended with something to look at: also what the scenario expects to be violated, for who looks for that.
const fn is_broken(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::ExpectedViolation { .. }
        | Verdict::Violation { .. }
        | Verdict::Panic { .. }
        | Verdict::Liveness { .. }
        | Verdict::InternalError { .. } => true,
        Verdict::Pass
        | Verdict::ExpectationMissed { .. }
        | Verdict::BeyondPromise
        | Verdict::Inconclusive { .. } => false,
    }
}
