//! How simulated time passes while a person watches.

use std::fmt;
use std::time::Duration;

use sim_core::Span;

/// How fast simulated time passes, in thousandths of the time on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Speed(u32);

impl Speed {
    /// What a person can choose from, slowest first. Messages take about a millisecond, so slow is useful.
    pub(crate) const ALL: [Self; 7] =
        [Self(1), Self(10), Self(100), Self(1_000), Self(10_000), Self(100_000), Self::FULL];
    /// As fast as on the wall.
    pub(crate) const REAL: Self = Self(1_000);
    /// As fast as the machine can.
    pub(crate) const FULL: Self = Self(u32::MAX);

    /// So many thousandths of real time.
    #[cfg(test)]
    pub(crate) const fn thousandths(thousandths: u32) -> Self {
        Self(thousandths)
    }

    /// The simulated time that passes in a frame of this length; `None` where nothing but the machine sets a limit.
    pub(super) fn simulated(self, frame: Duration) -> Option<Span> {
        let nanos = frame.as_nanos() * u128::from(self.0) / 1_000;
        (self != Self::FULL).then(|| Span::nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// The next that a person can choose, faster or slower.
    pub(crate) fn next(self, is_faster: bool) -> Self {
        let place = Self::ALL.partition_point(|speed| *speed < self);
        let next = if is_faster { place + 1 } else { place.saturating_sub(1) };
        Self::ALL[next.min(Self::ALL.len() - 1)]
    }
}

/// `0.01×`, `10×`, `full`.
impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FULL => f.write_str("full"),
            Self(thousandths) => write!(f, "{}×", f64::from(thousandths) / 1_000.0),
        }
    }
}

/// Whether time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Playback {
    /// It does.
    Playing,
    /// It does when a person says so.
    Paused,
    /// Nothing more happens, unless a command makes it.
    Idle,
}
