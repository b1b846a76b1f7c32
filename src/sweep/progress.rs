//! A line on standard error that says how far a sweep is, where a person watches.

use std::io::{IsTerminal, stderr};

use crate::output::talk;
use crate::table::grouped;

/// How far something is.
pub(crate) struct Progress {
    is_watched: bool,
    /// What is being done.
    what: String,
    /// How wide the line on the terminal is.
    shown: usize,
}

impl Progress {
    /// For whoever sits at the terminal; silent where standard error is none.
    pub(crate) fn new() -> Self {
        Self { is_watched: stderr().is_terminal(), what: String::new(), shown: 0 }
    }

    /// For nobody.
    #[cfg(test)]
    pub(crate) const fn silent() -> Self {
        Self { is_watched: false, what: String::new(), shown: 0 }
    }

    /// Something else is being done from now on.
    pub(crate) fn begin(&mut self, what: impl Into<String>) {
        self.what = what.into();
        self.show(0);
    }

    /// So many runs are done.
    pub(crate) fn show(&mut self, runs: usize) {
        if self.is_watched {
            let line = format!("{}: {} runs", self.what, grouped(runs as u64));
            let width = line.chars().count();
            talk(format_args!("\r{line}{}", " ".repeat(self.shown.saturating_sub(width))));
            self.shown = width;
        }
    }

    /// Takes the line away, so that something else can be printed.
    pub(crate) fn clear(&mut self) {
        if self.shown > 0 {
            talk(format_args!("\r{}\r", " ".repeat(self.shown)));
            self.shown = 0;
        }
    }
}
