//! Gauges: levels that go up and down, kept exactly and without samples.
//!
//! A [`Gauge`](crate::metrics::Gauge) is one of the world (how much is on its way, how many nodes are up); a process
//! may set named ones of its own ([`Context::gauge`](crate::Context::gauge)). A level changes where something happens to it, so an event
//! that changes none costs nothing, and nothing has to be looked at between. What is on its way changes with nearly every
//! event, so that account is kept only where it is [asked for](crate::World::watch_flight).
//!
//! **The mean over time** needs no multiplication at a change. The area under a level is the sum of what each unit
//! contributes from when it came to when it went, so coming takes the time off an account, going adds it, and what
//! is still there counts up to the moment of the question:
//!
//! ```text
//!  2 │      ┌──┐          area up to t = − 3 − 6 + 8 + t·1
//!  1 │   ┌──┘  └───┄           (came at 3 and 6, one went at 8, one is still there)
//!    └───3──6──8───t
//! ```
//!
//! The account wraps on its way and is right in the end. All of it is integers; clones are copies.

use serde::Serialize;

use crate::SimTime;

/// The level of something, its extremes and its area, since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    value: u64,
    low: u64,
    high: u64,
    /// The area under the level, but for what is still there; wraps. See the [module documentation](self).
    account: u128,
}

impl Level {
    /// Goes up.
    #[inline(always)]
    pub(crate) fn rise(&mut self, now: SimTime, by: u64) {
        self.value += by;
        self.account = self.account.wrapping_sub(area(by, now));
        if self.value > self.high {
            self.high = self.value;
        }
    }

    /// Goes down.
    #[inline(always)]
    pub(crate) fn fall(&mut self, now: SimTime, by: u64) {
        debug_assert!(self.value >= by, "a level of {} cannot fall by {by}", self.value);
        self.value -= by;
        self.account = self.account.wrapping_add(area(by, now));
        if self.value < self.low {
            self.low = self.value;
        }
    }

    /// Goes to `value`.
    pub(crate) fn set(&mut self, now: SimTime, value: u64) {
        if value >= self.value {
            self.rise(now, value - self.value);
        } else {
            self.fall(now, self.value - value);
        }
    }

    /// Takes the level that it has for the first one: what was before was preparation.
    pub(crate) fn settle(&mut self) {
        (self.low, self.high) = (self.value, self.value);
    }

    /// The area under the level up to `now`, from when it first was above zero.
    fn area(&self, now: SimTime) -> u128 {
        self.account.wrapping_add(area(self.value, now))
    }

    /// What it was between `since`, before which it was zero, and `now`.
    pub(crate) fn summary(&self, since: SimTime, now: SimTime) -> GaugeSummary {
        let nanos = u128::from(now.since(since).as_nanos());
        let mean_thousandths = mean_thousandths(self.area(now), nanos, self.value);
        GaugeSummary { last: Some(self.value), min: self.low, max: self.high, mean_thousandths }
    }

    /// Its mean from `from` on, when it was as `earlier` says, to `to`, in thousandths.
    pub(crate) fn mean_since(&self, earlier: &Self, from: SimTime, to: SimTime) -> u64 {
        let area = self.area(to).wrapping_sub(earlier.area(from));
        mean_thousandths(area, u128::from(to.since(from).as_nanos()), self.value)
    }
}

/// A gauge that one process sets: there while the process lives and has set it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProcessLevel {
    level: Level,
    /// One while the gauge is there, else zero: its area is the time that the mean is taken over.
    presence: Level,
}

impl ProcessLevel {
    /// Whether it is there, and has this value.
    #[inline]
    pub(crate) const fn is_at(&self, value: u64) -> bool {
        self.presence.value > 0 && self.level.value == value
    }

    pub(crate) fn set(&mut self, now: SimTime, value: u64) {
        let is_first = self.presence.high == 0;
        if self.presence.value == 0 {
            self.presence.rise(now, 1);
        }
        self.level.set(now, value);
        if is_first {
            self.level.settle();
        }
        // One that comes back low has not fallen to that.
        self.level.low = self.level.low.min(value);
    }

    /// The process has gone, and its gauge with it.
    pub(crate) fn clear(&mut self, now: SimTime) {
        let low = self.level.low;
        self.level.set(now, 0);
        self.level.low = low;
        self.presence.set(now, 0);
    }

    /// What it was while it was there; `None` where it never was.
    pub(crate) fn summary(&self, now: SimTime) -> Option<GaugeSummary> {
        let Level { value, low, high, .. } = self.level;
        let mean_thousandths = mean_thousandths(self.level.area(now), self.presence.area(now), value);
        let last = (self.presence.value > 0).then_some(value);
        (self.presence.high > 0).then_some(GaugeSummary { last, min: low, max: high, mean_thousandths })
    }
}

/// A level over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GaugeSummary {
    /// At the end; `None` where it was not there any more: its process was down.
    pub last: Option<u64>,
    /// The lowest, moments included that lasted no time.
    pub min: u64,
    /// The highest, moments included that lasted no time.
    pub max: u64,
    /// The mean over simulated time, in thousandths, rounded down.
    pub mean_thousandths: u64,
}

/// What `units` contribute in `time` from the start.
#[inline(always)]
fn area(units: u64, time: SimTime) -> u128 {
    u128::from(units) * u128::from(time.as_nanos())
}

/// The mean; over no time it is the value itself.
fn mean_thousandths(area: u128, nanos: u128, value: u64) -> u64 {
    let scaled = area.checked_mul(1_000).map(|scaled| scaled.checked_div(nanos));
    bounded(match scaled {
        Some(mean) => mean.unwrap_or_else(|| u128::from(value) * 1_000),
        // So large an area has digits enough.
        None => (area / nanos.max(1)).saturating_mul(1_000),
    })
}

fn bounded(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    #[test]
    fn the_mean_is_weighted_by_time() {
        let mut level = Level::default();
        level.rise(at(3), 1);
        level.rise(at(6), 1);
        level.fall(at(8), 1);
        // 0 for 3 ns, 1 for 3, 2 for 2, 1 for 2.
        let expected = GaugeSummary { last: Some(1), min: 0, max: 2, mean_thousandths: 900 };
        assert_eq!(level.summary(at(0), at(10)), expected);
    }

    #[test]
    fn the_mean_of_a_part_of_a_run_is_that_of_this_part_alone() {
        let mut level = Level::default();
        level.rise(at(0), 5);
        level.fall(at(10), 4);
        let earlier = level;
        level.rise(at(30), 2);
        // 1 from 20 to 30, 3 from 30 to 40.
        assert_eq!(level.mean_since(&earlier, at(20), at(40)), 2_000);
        assert_eq!(earlier.mean_since(&earlier, at(10), at(20)), 1_000, "nothing has happened meanwhile");
    }

    #[test]
    fn a_run_of_no_time_has_its_level_as_mean() {
        let mut level = Level::default();
        level.rise(at(0), 7);
        assert_eq!(level.summary(at(0), at(0)).mean_thousandths, 7_000);
    }

    #[test]
    fn a_process_that_is_down_neither_lowers_its_gauge_nor_counts_as_time() {
        let mut gauge = ProcessLevel::default();
        assert_eq!(gauge.summary(at(5)), None, "a gauge that was never set is not there");
        gauge.set(at(10), 6);
        gauge.set(at(20), 4);
        gauge.clear(at(30));
        let down = GaugeSummary { last: None, min: 4, max: 6, mean_thousandths: 5_000 };
        assert_eq!(gauge.summary(at(1_000)), Some(down));
        gauge.set(at(1_000), 2);
        let back = GaugeSummary { last: Some(2), min: 2, max: 6, mean_thousandths: 3_500 };
        assert_eq!(gauge.summary(at(1_020)), Some(back));
    }

    #[test]
    fn the_largest_levels_over_the_longest_time_do_not_overflow() {
        let mut level = Level::default();
        level.rise(at(0), u64::MAX);
        assert_eq!(level.summary(at(0), at(u64::MAX)).mean_thousandths, u64::MAX);
        let mut level = Level::default();
        level.rise(at(0), 1 << 50);
        assert_eq!(level.summary(at(0), at(u64::MAX)).mean_thousandths, 1_000 << 50);
    }

    proptest! {
        #[test]
        fn a_level_is_what_a_walk_over_its_changes_finds(
            changes in prop::collection::vec((0_u64..1_000, 0_u64..50), 1..60),
            rest in 0_u64..1_000,
        ) {
            let (mut level, mut now, mut value, mut area) = (Level::default(), 0, 0, 0_u64);
            for &(wait, next) in &changes {
                area += value * wait;
                now += wait;
                value = next;
                level.set(at(now), value);
            }
            area += value * rest;
            now += rest;
            let summary = level.summary(at(0), at(now));
            prop_assert_eq!(summary.last, Some(value));
            prop_assert_eq!(summary.min, 0);
            prop_assert_eq!(Some(summary.max), changes.iter().map(|change| change.1).max());
            prop_assert_eq!(summary.mean_thousandths, (area * 1_000).checked_div(now).unwrap_or(value * 1_000));
        }
    }
}
