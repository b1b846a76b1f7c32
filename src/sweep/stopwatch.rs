//! How long something takes on the wall: what a person waits for, and nothing in a run sees.

#![expect(clippy::disallowed_types, reason = "how long a sweep takes, which no run sees")]

use std::time::Duration;

/// Time since it was started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
