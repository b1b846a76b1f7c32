//! A line on standard error that says how far hunts and reproductions are, where a person watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far something is. Silent where standard error is no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// For whoever sits at the terminal.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg}: {human_pos} runs");
        bar.set_style(style.expect("the template is well-formed"));
        Self { bar }
    }

    /// For nobody.
    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    /// Something else is being done from now on.
    pub(crate) fn begin(&mut self, what: impl Into<String>) {
        self.bar.set_message(what.into());
        self.show(0);
    }

    /// So many runs are done.
    pub(crate) fn show(&mut self, runs: usize) {
        self.bar.set_position(runs as u64);
    }

    /// Takes the line away, so that something else can be printed.
    pub(crate) fn clear(&mut self) {
        self.bar.finish_and_clear();
        self.bar.reset();
    }
}
