//! How a sweep goes: which runs are done, what they come to so far, and whether it is over.
//!
//! Runs finish in any order; they count in the order of their jobs. So a sweep that ends by a rule (so many failures,
//! nothing new for so long) ends after the same run on however many threads. What finished behind that run is dropped.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::Serialize;

use super::{Grid, InOrder, Row, Standing, Stopwatch, Tally};
use crate::interrupt;

/// When a sweep ends before all of its runs are done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stops {
    /// After so many failures.
    pub(crate) failures: Option<u64>,
    /// When so many runs in a row reached no point that none before them had.
    pub(crate) saturated: Option<u64>,
    /// When so much time has passed. Which runs are done by then depends on the machine.
    pub(crate) time: Option<Duration>,
}

/// Why a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum End {
    /// All runs are done.
    Complete,
    /// So many failures as were asked for.
    Failures,
    /// Nothing new for as many runs as were asked for.
    Saturated,
    /// The time was up.
    TimeBudget,
    /// Ctrl-C.
    Interrupted,
}

impl End {
    /// Whether which runs were done follows from the runs alone.
    pub(crate) const fn is_by_rule(self) -> bool {
        match self {
            Self::Complete | Self::Failures | Self::Saturated => true,
            Self::TimeBudget | Self::Interrupted => false,
        }
    }
}

/// How a sweep goes.
pub(crate) struct Course<'a> {
    grid: &'a Grid,
    stops: Stops,
    waiting: InOrder<Row>,
    pub(crate) tally: Tally,
    pub(crate) watch: Stopwatch,
    end: Option<End>,
}

impl<'a> Course<'a> {
    /// At its start; the time begins to run.
    pub(crate) fn new(grid: &'a Grid, stops: Stops) -> Self {
        let (waiting, tally, watch) = (InOrder::new(), Tally::new(grid), Stopwatch::start());
        Self { grid, stops, waiting, tally, watch, end: None }
    }

    /// What was taken in until now was done before.
    pub(crate) fn restart_clock(&mut self) {
        self.watch = Stopwatch::start();
    }

    /// Takes in a run that is done.
    pub(crate) fn put(&mut self, row: Row) {
        self.waiting.put(row.job, row);
        while self.end.is_none() {
            let Some((_, row)) = self.waiting.next() else { break };
            self.tally.add(self.grid, &row);
            self.end = self.rule();
        }
    }

    /// Breaks if the sweep is over, or its time is.
    pub(crate) fn look(&mut self) -> ControlFlow<()> {
        let is_late = self.stops.time.is_some_and(|time| self.watch.elapsed() >= time);
        if self.end.is_none() && is_late {
            self.end = Some(End::TimeBudget);
        }
        if self.end.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Which rule ends the sweep after the runs that count so far.
    fn rule(&self) -> Option<End> {
        let Tally { runs, failures, last_news, .. } = self.tally;
        if self.stops.failures.is_some_and(|most| failures >= most) {
            return Some(End::Failures);
        }
        if self.stops.saturated.is_some_and(|most| runs - last_news >= most) {
            return Some(End::Saturated);
        }
        (runs == self.grid.len()).then_some(End::Complete)
    }

    /// How far it is; `before` of the runs were done by an earlier start.
    pub(crate) fn standing(&self, before: u64) -> Standing {
        let Tally { runs, failures, simulated_ns, .. } = self.tally;
        let elapsed = self.watch.elapsed();
        let time_left = self.stops.time.map(|time| time.saturating_sub(elapsed));
        Standing { runs, before, total: self.grid.len(), failures, simulated_ns, elapsed, time_left }
    }

    /// Nothing more comes: what it came to, and why it ended. Runs that finished behind one that did not count now,
    /// unless a rule has dropped them.
    pub(crate) fn finish(mut self) -> (Tally, End) {
        let end = self.end.unwrap_or(End::Interrupted);
        assert!(
            self.end.is_some() || interrupt::is_asked(),
            "a sweep ends when its runs are done, or is ended"
        );
        if !end.is_by_rule() {
            for (_, row) in self.waiting.rest() {
                self.tally.add(self.grid, &row);
            }
        }
        (self.tally, end)
    }
}
