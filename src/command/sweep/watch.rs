//! How far a sweep is: a line that changes at a terminal, a plain line now and then elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::talk_line;
use crate::sweep::Course;
use crate::table::{grouped, lasting};

/// How often a plain line is said.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Whom a sweep tells how far it is.
pub(super) enum Watch {
    /// Nobody.
    Quiet,
    /// Whoever sits at the terminal.
    Bar(ProgressBar),
    /// A log; when the last line was said.
    Lines(Duration),
}

impl Watch {
    /// For standard error, whatever it is; `total` runs are to be done.
    pub(super) fn new(total: u64) -> Self {
        if !stderr().is_terminal() {
            return Self::Lines(Duration::ZERO);
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:24} {msg}");
        bar.set_style(style.expect("the template is well-formed"));
        Self::Bar(bar)
    }

    /// So far it is now; `before` of the runs were done by an earlier start.
    pub(super) fn show(&mut self, course: &Course<'_>, total: u64, before: u64) {
        match self {
            Self::Quiet => {}
            Self::Bar(bar) => {
                bar.set_position(course.tally.runs);
                bar.set_message(line(course, total, before));
            }
            Self::Lines(said) => {
                let now = course.watch.elapsed();
                if now >= *said + LINE_EVERY {
                    *said = now;
                    talk_line(line(course, total, before));
                }
            }
        }
    }

    /// Takes the line away, so that something else can be printed.
    pub(super) fn clear(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// `1,234 of 100,000 runs, 171 a second, 3h 25m simulated, 2 failures, 9m 37s left`.
fn line(course: &Course<'_>, total: u64, before: u64) -> String {
    let tally = &course.tally;
    let millis = course.watch.elapsed().as_millis().max(1);
    let new = u128::from(tally.runs.saturating_sub(before));
    let rate = u64::try_from(new * 1_000 / millis).unwrap_or(u64::MAX);
    let failures = match tally.failures {
        0 => "no failure".to_owned(),
        1 => "1 failure".to_owned(),
        more => format!("{} failures", grouped(more)),
    };
    let needed = (new > 0).then(|| millis * u128::from(total - tally.runs) / new * 1_000_000);
    let bounded = course.time_left().map(|left| left.as_nanos());
    let left = needed.into_iter().chain(bounded).min();
    let left = left.map_or_else(String::new, |left| format!(", {} left", lasting(left)));
    format!(
        "{} of {} runs, {} a second, {} simulated, {failures}{left}",
        grouped(tally.runs),
        grouped(total),
        grouped(rate),
        lasting(tally.simulated_ns),
    )
}
