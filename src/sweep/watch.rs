//! How far a sweep is: a line that changes at a terminal, a plain line now and then elsewhere.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::talk_line;
use crate::table::{grouped, lasting};

/// How often a plain line is said.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How far it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    /// How many runs are done.
    pub(crate) runs: u64,
    /// So many of them by an earlier start.
    pub(crate) before: u64,
    /// How many there are to do in all.
    pub(crate) total: u64,
    pub(crate) failures: u64,
    pub(crate) simulated_ns: u128,
    pub(crate) elapsed: Duration,
    /// How much time is left, where it is bounded.
    pub(crate) time_left: Option<Duration>,
}

/// Whom a sweep tells how far it is.
pub(crate) enum Watch {
    /// Nobody.
    Quiet,
    /// Whoever sits at the terminal.
    Bar(ProgressBar),
    /// A log; when the last line was said.
    Lines(Duration),
}

impl Watch {
    /// For standard error, whatever it is; `total` runs are to be done.
    pub(crate) fn new(total: u64) -> Self {
        if !stderr().is_terminal() {
            return Self::Lines(Duration::ZERO);
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:24} {msg}");
        bar.set_style(style.expect("the template is well-formed"));
        Self::Bar(bar)
    }

    /// So far it is now.
    pub(crate) fn show(&mut self, standing: &Standing) {
        match self {
            Self::Quiet => {}
            Self::Bar(bar) => {
                bar.set_position(standing.runs);
                bar.set_message(standing.to_string());
            }
            Self::Lines(said) => {
                if standing.elapsed >= *said + LINE_EVERY {
                    *said = standing.elapsed;
                    talk_line(standing);
                }
            }
        }
    }

    /// Takes the line away, so that something else can be printed.
    pub(crate) fn clear(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// `1,234 of 100,000 runs, 171 a second, 3h 25m simulated, 2 failures, 9m 37s left`.
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.elapsed.as_millis().max(1);
        let new = u128::from(self.runs.saturating_sub(self.before));
        let rate = u64::try_from(new * 1_000 / millis).unwrap_or(u64::MAX);
        let failures = match self.failures {
            0 => "no failure".to_owned(),
            1 => "1 failure".to_owned(),
            more => format!("{} failures", grouped(more)),
        };
        let needed = (new > 0).then(|| millis * u128::from(self.total - self.runs) / new * 1_000_000);
        let bounded = self.time_left.map(|left| left.as_nanos());
        let left = needed.into_iter().chain(bounded).min();
        let left = left.map_or_else(String::new, |left| format!(", {} left", lasting(left)));
        write!(
            f,
            "{} of {} runs, {} a second, {} simulated, {failures}{left}",
            grouped(self.runs),
            grouped(self.total),
            grouped(rate),
            lasting(self.simulated_ns),
        )
    }
}
