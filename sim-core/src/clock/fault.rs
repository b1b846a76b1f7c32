//! What can go wrong with a node's clocks: each fault is a breakpoint followed by a change.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{NodeClock, Strobe, drifted, slewed, to_i64};
use crate::time::{LocalTime, SimTime, Span};

/// The largest drift either way, in ppm: a clock runs at half to one and a half times its proper speed.
pub const DRIFT_LIMIT_PPM: i32 = 500_000;

/// The fastest slew, in ppm: what `ntpd` and `adjtime` allow.
pub const SLEW_LIMIT_PPM: u32 = 500;

/// One act on the clocks of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockFault {
    /// The wall clock is set to true time plus this many nanoseconds, and is no longer slewed.
    Offset(i64),
    /// Both clocks run this many ppm fast (below 0: slow) from now on, within ±[`DRIFT_LIMIT_PPM`]; the wall
    /// clock is no longer slewed. 0 is the proper speed: what has been gained or lost stays.
    Drift(i32),
    /// The wall clock jumps by this many nanoseconds. A slew goes on and leads it back.
    Step(i64),
    /// The wall clock flips: `amplitude` ahead for one `period`, then `amplitude` behind for one, and so on
    /// by true time.
    Strobe {
        /// The distance either way; zero ends the strobe.
        amplitude: Span,
        /// The time between two flips; above zero.
        period: Span,
    },
    /// Both clocks stand still until [`ClockFault::Thaw`], as in a suspended virtual machine. Timers do not
    /// fire meanwhile, unless they were due. Faults in between act on the standing clock.
    Freeze,
    /// Both clocks go on from where they stood, so they stay behind by as long as they were frozen.
    Thaw,
    /// The wall clock is led to true time at this many ppm, 1 to [`SLEW_LIMIT_PPM`], and then kept there
    /// whatever the drift.
    Slew(u32),
    /// What was done to the clock is over: no freeze or strobe, and no slew but its own. Both clocks run as they do by
    /// themselves, at the proper speed unless the clock has a drift of its own ([`NodeClock::with_own`]). The wall
    /// clock shows what it would show had nothing happened: true time unless it has an offset or a drift of its own.
    /// The monotonic clock keeps its value.
    Heal,
}

/// Why a [`ClockFault`] was refused; the clock is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ClockError {
    /// Beyond what a clock may drift.
    #[error("drift of {0} ppm: allowed are -{DRIFT_LIMIT_PPM} to {DRIFT_LIMIT_PPM} ppm")]
    Drift(i32),
    /// Standing still or faster than NTP would.
    #[error("slew at {0} ppm: allowed are 1 to {SLEW_LIMIT_PPM} ppm")]
    Slew(u32),
    /// A strobe that would flip infinitely often.
    #[error("strobe with a period of 0s: it must be longer")]
    StrobePeriod,
}

impl NodeClock {
    /// Does to this clock what `fault` says, as a breakpoint at `now`.
    ///
    /// # Errors
    ///
    /// A number outside the range that [`ClockFault`] states.
    pub fn apply(&mut self, now: SimTime, fault: &ClockFault) -> Result<(), ClockError> {
        match *fault {
            ClockFault::Offset(nanos) => self.set_offset(now, nanos),
            ClockFault::Drift(ppm) => self.set_drift(now, ppm)?,
            ClockFault::Step(nanos) => self.step(now, nanos),
            ClockFault::Strobe { amplitude, period } => self.strobe(now, amplitude, period)?,
            ClockFault::Freeze => self.freeze(now),
            ClockFault::Thaw => self.thaw(now),
            ClockFault::Slew(ppm) => self.slew(now, ppm)?,
            ClockFault::Heal => self.heal(now),
        }
        Ok(())
    }

    /// See [`ClockFault::Offset`].
    pub fn set_offset(&mut self, now: SimTime, nanos: i64) {
        self.breakpoint(now, |clock| {
            clock.wall = to_i64(i128::from(now.as_nanos()) + i128::from(nanos));
            clock.slew_ppm = 0;
        });
    }

    /// See [`ClockFault::Drift`].
    ///
    /// # Errors
    ///
    /// [`ClockError::Drift`] beyond ±[`DRIFT_LIMIT_PPM`].
    pub fn set_drift(&mut self, now: SimTime, ppm: i32) -> Result<(), ClockError> {
        if ppm.unsigned_abs() > DRIFT_LIMIT_PPM.unsigned_abs() {
            return Err(ClockError::Drift(ppm));
        }
        self.breakpoint(now, |clock| {
            clock.drift_ppm = ppm;
            clock.slew_ppm = 0;
        });
        Ok(())
    }

    /// See [`ClockFault::Step`].
    pub fn step(&mut self, now: SimTime, nanos: i64) {
        self.breakpoint(now, |clock| clock.wall = clock.wall.saturating_add(nanos));
    }

    /// See [`ClockFault::Strobe`].
    ///
    /// # Errors
    ///
    /// [`ClockError::StrobePeriod`] if `period` is zero.
    pub fn strobe(&mut self, now: SimTime, amplitude: Span, period: Span) -> Result<(), ClockError> {
        if period.is_zero() {
            return Err(ClockError::StrobePeriod);
        }
        let strobe =
            if amplitude.is_zero() { Strobe::default() } else { Strobe { since: now, amplitude, period } };
        self.breakpoint(now, |clock| clock.strobe = strobe);
        Ok(())
    }

    /// See [`ClockFault::Freeze`].
    pub fn freeze(&mut self, now: SimTime) {
        self.breakpoint(now, |clock| clock.is_frozen = true);
    }

    /// See [`ClockFault::Thaw`].
    pub fn thaw(&mut self, now: SimTime) {
        self.breakpoint(now, |clock| clock.is_frozen = false);
    }

    /// See [`ClockFault::Slew`].
    ///
    /// # Errors
    ///
    /// [`ClockError::Slew`] for 0 or more than [`SLEW_LIMIT_PPM`].
    pub fn slew(&mut self, now: SimTime, ppm: u32) -> Result<(), ClockError> {
        if ppm == 0 || ppm > SLEW_LIMIT_PPM {
            return Err(ClockError::Slew(ppm));
        }
        self.breakpoint(now, |clock| clock.slew_ppm = ppm);
        Ok(())
    }

    /// See [`ClockFault::Heal`].
    pub fn heal(&mut self, now: SimTime) {
        self.breakpoint(now, |clock| {
            clock.is_frozen = false;
            clock.drift_ppm = clock.own_drift_ppm;
            clock.slew_ppm = clock.own_slew_ppm.into();
            clock.strobe = Strobe::default();
            clock.wall = to_i64(clock.own_wall(now));
            // A clock that is off by itself is no better synchronised than at the start.
            let is_true = clock.wall_error_at_anchor() == 0;
            clock.error.synchronised = if is_true { clock.monotonic } else { LocalTime::ZERO };
        });
    }

    /// What the wall clock would show had nobody done anything to it.
    fn own_wall(&self, now: SimTime) -> i128 {
        let (offset, gone_by) = (i128::from(self.own_offset), now.since(SimTime::ZERO));
        if self.own_slew_ppm == 0 {
            return offset + drifted(gone_by, self.own_drift_ppm);
        }
        i128::from(now.as_nanos()) + slewed(offset, gone_by, self.own_slew_ppm.into())
    }

    /// Writes down both readings at `now`, so that `change` bends only what comes after. A clock that stays
    /// frozen keeps its place in true time, so that its strobe does not flip.
    fn breakpoint(&mut self, now: SimTime, change: impl FnOnce(&mut Self)) {
        let monotonic = self.monotonic(now);
        let wall = to_i64(self.wall_steady(now));
        if self.is_slewed_to_truth(now) {
            self.error.synchronised = monotonic;
        }
        let frozen_at = self.is_frozen.then_some(self.anchor);
        (self.anchor, self.monotonic, self.wall) = (now, monotonic, wall);
        change(self);
        if self.is_frozen {
            self.anchor = frozen_at.unwrap_or(now);
        }
        assert!(
            self.monotonic == monotonic,
            "a fault moved the monotonic clock from {monotonic} to {}",
            self.monotonic
        );
        self.is_true = self.shows_true_time();
    }

    fn shows_true_time(&self) -> bool {
        self.monotonic.as_nanos() == self.anchor.as_nanos()
            && self.wall_error_at_anchor() == 0
            && self.drift_ppm == 0
            && self.strobe == Strobe::default()
            && !self.is_frozen
    }
}
