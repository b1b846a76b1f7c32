//! The two clocks of one node: what a process sees instead of true time.
//!
//! | clock | starts at | may jump | moved by |
//! | --- | --- | --- | --- |
//! | monotonic | 0, at true time 0 | never backwards, never forwards in a leap | drift, freeze |
//! | wall | true time plus its offset | both ways | drift, freeze, offset, step, strobe, slewing |
//!
//! Both are piecewise linear in integers. A change of rate or value is a **breakpoint**: the clock notes the
//! true time and both readings there, and computes every later reading from these. A reading is therefore a
//! pure function of true time until the next breakpoint, and no breakpoint moves what was read before it.
//!
//! ```text
//! reading                     thaw ╱
//!    │            drift +50%      ╱
//!    │        ╱‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾      freeze: stands still
//!    │    ╱
//!    └──────────────────────────────── true time
//! ```
//!
//! A breakpoint moves the true time at which an armed timer is due, so the world asks
//! [`NodeClock::when_monotonic_reaches`] again for every timer of the node. Readings saturate at 0 and at
//! [`LocalTime::MAX`] (584 years); a run ends long before.
//!
//! Left out: temperature-dependent drift, leap seconds (a step says the same), and NTP's slewing of the
//! monotonic clock, which protocols never rely on.

mod fault;

use crate::time::{LocalTime, SimTime, Span};

pub use fault::{ClockError, ClockFault, DRIFT_LIMIT_PPM, SLEW_LIMIT_PPM};

const MILLION: i128 = 1_000_000;

/// The wall and the monotonic clock of one node.
///
/// A fresh clock shows true time. Every method takes the true time `now`, which must not lie before the last
/// breakpoint: the engine only moves forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeClock {
    /// True time of the last breakpoint; of the freeze while the clock is frozen.
    anchor: SimTime,
    /// The monotonic reading at `anchor`.
    monotonic: LocalTime,
    /// The wall reading at `anchor` without strobe; below zero it reads as zero.
    wall: i64,
    strobe: Strobe,
    error: ErrorBound,
    /// How far the wall clock was ahead at time 0, where nobody has done anything to it yet.
    own_offset: i64,
    /// How much faster than true time both clocks run by themselves; what a heal brings back.
    own_drift_ppm: i32,
    /// How fast the wall clock is led to true time by itself, in ppm; 0 where it is not.
    own_slew_ppm: u16,
    /// How much faster than true time both clocks run, in ppm, within [`DRIFT_LIMIT_PPM`].
    drift_ppm: i32,
    /// While not 0 the wall clock is led to true time at this rate and then kept there.
    slew_ppm: u32,
    is_frozen: bool,
    /// Whether all readings equal true time: recomputed at each breakpoint, so that the usual case is one
    /// test.
    is_true: bool,
}

/// A wall clock that flips between two values; off while `period` is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Strobe {
    since: SimTime,
    amplitude: Span,
    period: Span,
}

/// What the node believes about its wall clock: at most `base` off when last synchronised, and losing
/// `drift_ppm` since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ErrorBound {
    synchronised: LocalTime,
    base: Span,
    drift_ppm: u32,
}

impl Default for NodeClock {
    fn default() -> Self {
        Self::new(Span::ZERO, 0)
    }
}

impl NodeClock {
    /// A clock that shows true time and was synchronised at time 0.
    ///
    /// `error_base` and `error_ppm` are what the node assumes of its wall clock: off by at most `error_base`
    /// right after a synchronisation, and by `error_ppm` of the time since then on top. They move no reading,
    /// only [`NodeClock::error_bound`].
    pub fn new(error_base: Span, error_ppm: u32) -> Self {
        Self {
            anchor: SimTime::ZERO,
            monotonic: LocalTime::ZERO,
            wall: 0,
            strobe: Strobe::default(),
            error: ErrorBound { synchronised: LocalTime::ZERO, base: error_base, drift_ppm: error_ppm },
            own_offset: 0,
            own_drift_ppm: 0,
            own_slew_ppm: 0,
            drift_ppm: 0,
            slew_ppm: 0,
            is_frozen: false,
            is_true: true,
        }
    }

    /// The same clock with a wall clock that is `offset` nanoseconds ahead at time 0 (below 0: behind), and both
    /// clocks `drift_ppm` fast (below 0: slow). This is how the clock is, not a fault: [`ClockFault::Heal`] brings
    /// it back.
    ///
    /// # Errors
    ///
    /// [`ClockError::Drift`] beyond ±[`DRIFT_LIMIT_PPM`].
    pub fn with_own(mut self, offset: i64, drift_ppm: i32) -> Result<Self, ClockError> {
        self.set_offset(SimTime::ZERO, offset);
        self.set_drift(SimTime::ZERO, drift_ppm)?;
        (self.own_offset, self.own_drift_ppm, self.own_slew_ppm) = (offset, drift_ppm, 0);
        Ok(self)
    }

    /// The same clock with a wall clock that is led to true time from time 0 on, at `ppm`, and then kept there: a node
    /// that synchronises its clock. Comes after [`NodeClock::with_own`], and is as lasting.
    ///
    /// # Errors
    ///
    /// [`ClockError::Slew`] for 0 or more than [`SLEW_LIMIT_PPM`].
    pub fn with_own_slew(mut self, ppm: u32) -> Result<Self, ClockError> {
        self.slew(SimTime::ZERO, ppm)?;
        self.own_slew_ppm = u16::try_from(ppm).map_err(|_| ClockError::Slew(ppm))?;
        Ok(self)
    }

    /// Whether both clocks show exactly true time, now and until the next fault.
    pub const fn is_true(&self) -> bool {
        self.is_true
    }

    /// Whether both clocks stand still.
    pub const fn is_frozen(&self) -> bool {
        self.is_frozen
    }

    /// How much faster than true time both clocks run, in ppm; below 0: slower.
    pub const fn drift_ppm(&self) -> i32 {
        self.drift_ppm
    }

    /// The monotonic clock: never less than an earlier reading.
    #[inline]
    pub fn monotonic(&self, now: SimTime) -> LocalTime {
        if self.is_true {
            return LocalTime::from_nanos(now.as_nanos());
        }
        self.monotonic_bent(now)
    }

    /// The wall clock: may jump either way.
    #[inline]
    pub fn wall(&self, now: SimTime) -> LocalTime {
        if self.is_true {
            return LocalTime::from_nanos(now.as_nanos());
        }
        let reading = self.wall_steady(now) + self.strobe.shift(self.running_until(now));
        LocalTime::from_nanos(to_u64(reading))
    }

    /// How far, at most, the node believes its wall clock to be from true time: the base of
    /// [`NodeClock::new`] plus the assumed drift over the time since the last synchronisation, rounded up.
    ///
    /// Time since then is measured by the node's own monotonic clock. A synchronisation is the start of the
    /// run, the end of a slew, or healing. Faults do not widen the bound, so it can be wrong: that is what
    /// they are for.
    pub fn error_bound(&self, now: SimTime) -> Span {
        if self.is_slewed_to_truth(now) {
            return self.error.base;
        }
        let elapsed = i128::from(self.monotonic(now).since(self.error.synchronised).as_nanos());
        let grown = (elapsed * i128::from(self.error.drift_ppm) + MILLION - 1) / MILLION;
        self.error.base + Span::nanos(to_u64(grown))
    }

    /// The earliest true time at which the monotonic clock shows `deadline` or more, if nothing happens to
    /// the clock before.
    ///
    /// `None` while the clock is frozen short of `deadline`, or if that time lies beyond [`SimTime::MAX`]. A
    /// deadline the clock has passed by its last breakpoint gives the time of that breakpoint.
    #[inline]
    pub fn when_monotonic_reaches(&self, deadline: LocalTime) -> Option<SimTime> {
        if self.is_true {
            return Some(SimTime::from_nanos(deadline.as_nanos()).max(self.anchor));
        }
        self.when_bent_reaches(deadline)
    }

    #[inline(never)]
    fn monotonic_bent(&self, now: SimTime) -> LocalTime {
        let elapsed = self.running_until(now).since(self.anchor);
        let reading = i128::from(self.monotonic.as_nanos()) + drifted(elapsed, self.drift_ppm);
        LocalTime::from_nanos(to_u64(reading))
    }

    #[inline(never)]
    fn when_bent_reaches(&self, deadline: LocalTime) -> Option<SimTime> {
        let missing = deadline.since(self.monotonic).as_nanos();
        if missing == 0 {
            return Some(self.anchor);
        }
        if self.is_frozen {
            return None;
        }
        // floor(elapsed * rate / million) reaches `missing` exactly where elapsed * rate reaches missing *
        // million.
        let rate = (MILLION + i128::from(self.drift_ppm)).unsigned_abs();
        let elapsed = (u128::from(missing) * MILLION.unsigned_abs()).div_ceil(rate);
        let when = u64::try_from(u128::from(self.anchor.as_nanos()) + elapsed).ok()?;
        Some(SimTime::from_nanos(when))
    }

    /// The wall reading without strobe, unclamped.
    fn wall_steady(&self, now: SimTime) -> i128 {
        let until = self.running_until(now);
        let elapsed = until.since(self.anchor);
        if self.slew_ppm == 0 {
            return i128::from(self.wall) + drifted(elapsed, self.drift_ppm);
        }
        i128::from(until.as_nanos()) + slewed(self.wall_error_at_anchor(), elapsed, self.slew_ppm)
    }

    fn is_slewed_to_truth(&self, now: SimTime) -> bool {
        self.slew_ppm != 0 && !self.is_frozen && self.wall_steady(now) == i128::from(now.as_nanos())
    }

    fn wall_error_at_anchor(&self) -> i128 {
        i128::from(self.wall) - i128::from(self.anchor.as_nanos())
    }

    /// The true time up to which the clocks have run.
    fn running_until(&self, now: SimTime) -> SimTime {
        assert!(
            now >= self.anchor,
            "a clock is read at {now}, before its last breakpoint at {}",
            self.anchor
        );
        if self.is_frozen { self.anchor } else { now }
    }
}

impl Strobe {
    /// What the strobe adds to the wall clock: up in even periods, down in odd ones.
    fn shift(&self, at: SimTime) -> i128 {
        if self.period.is_zero() {
            return 0;
        }
        let amplitude = i128::from(self.amplitude.as_nanos());
        let flips = at.since(self.since).as_nanos() / self.period.as_nanos();
        if flips.is_multiple_of(2) { amplitude } else { -amplitude }
    }
}

/// How far a clock with this drift gets in `elapsed` of true time, rounded down.
fn drifted(elapsed: Span, drift_ppm: i32) -> i128 {
    i128::from(elapsed.as_nanos()) * (MILLION + i128::from(drift_ppm)) / MILLION
}

/// What is left of `error` after `elapsed` of slewing; never past 0.
fn slewed(error: i128, elapsed: Span, slew_ppm: u32) -> i128 {
    let corrected = i128::from(elapsed.as_nanos()) * i128::from(slew_ppm) / MILLION;
    (error.abs() - corrected).max(0) * error.signum()
}

fn to_u64(reading: i128) -> u64 {
    u64::try_from(reading.max(0)).unwrap_or(u64::MAX)
}

fn to_i64(reading: i128) -> i64 {
    i64::try_from(reading).unwrap_or(if reading < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests;
