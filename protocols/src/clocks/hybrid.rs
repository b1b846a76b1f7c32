//! Hybrid logical clocks (Kulkarni et al. 2014).

use std::fmt;

use serde::Serialize;
use sim_core::{LocalTime, Span};

/// Bits of the counter.
const COUNTER_BITS: u32 = 16;

/// A time of a hybrid clock, in 64 bits: the upper 48 are l, physical time in units of 2¹⁶ ns (65,536 ns), the lower 16 are c. Times compare as numbers:
/// by l, then by c.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Before every event.
    pub const ZERO: Self = Self(0);

    /// The shortest physical time that it can tell apart.
    pub const UNIT: Span = Span::nanos(1 << COUNTER_BITS);

    /// The time with this number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// As a number, which orders as it does.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// l, the physical part.
    pub const fn physical(self) -> LocalTime {
        LocalTime::from_nanos(self.0 >> COUNTER_BITS << COUNTER_BITS)
    }

    /// c, the counter.
    pub const fn counter(self) -> u64 {
        self.0 & ((1 << COUNTER_BITS) - 1)
    }

    /// A physical time, rounded up to a whole unit, with a counter of 0.
    fn of(physical: LocalTime) -> Self {
        Self(physical.as_nanos().div_ceil(1 << COUNTER_BITS) << COUNTER_BITS)
    }

    /// The next one: c + 1, which carries into l after 65,536 events for which that stood still.
    const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// `1.048576s+3`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.physical(), self.counter())
    }
}

/// A message comes from a clock that is further ahead of the own physical clock than clocks can be apart. It was not observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message is of {remote}, which is more than {bound} ahead of the own clock's {physical}")]
pub struct TooFarAhead {
    /// When it was sent, by the sender's clock.
    pub remote: Timestamp,
    /// What the own physical clock shows.
    pub physical: LocalTime,
    /// ε, how far physical clocks can be apart.
    pub bound: Span,
}

/// The clock of one node. See the [module documentation](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hybrid {
    last: Timestamp,
    bound: Span,
}

impl Hybrid {
    /// A clock among physical clocks that are at most `bound` apart: ε.
    pub const fn new(bound: Span) -> Self {
        Self { last: Timestamp::ZERO, bound }
    }

    /// A clock of which events up to `last` may have happened, as after a crash.
    pub const fn after(bound: Span, last: Timestamp) -> Self {
        Self { last, bound }
    }

    /// The time of the last event.
    pub const fn last(&self) -> Timestamp {
        self.last
    }

    /// An event of this node, such as a send, while its physical clock shows `physical`: its time. If l is that of the last event, whatever
    /// the physical clock does meanwhile, c counts.
    pub fn tick(&mut self, physical: LocalTime) -> Timestamp {
        self.last = Timestamp::of(physical).max(self.last.next());
        self.last
    }

    /// The receipt of a message that was sent at `remote`, while the physical clock shows `physical`: its time. l is the largest of the three, and c
    /// is one more than that of whoever has it, or 0 if that is the physical clock.
    ///
    /// # Errors
    /// If the message is of a clock that is too far ahead. Then nothing has changed.
    pub fn observe(&mut self, physical: LocalTime, remote: Timestamp) -> Result<Timestamp, TooFarAhead> {
        // Rounding up may add a unit.
        let latest = physical + self.bound + Timestamp::UNIT;
        if remote.physical() > latest {
            return Err(TooFarAhead { remote, physical, bound: self.bound });
        }
        self.last = Timestamp::of(physical).max(self.last.max(remote).next());
        Ok(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(units: u64) -> LocalTime {
        LocalTime::ZERO + Span::nanos(units << COUNTER_BITS)
    }

    fn time(units: u64, counter: u64) -> Timestamp {
        Timestamp((units << COUNTER_BITS) + counter)
    }

    /// The rules of figure 5, one after the other.
    #[test]
    fn send_and_receive_are_those_of_the_paper() {
        let mut clock = Hybrid::new(Span::secs(1));
        assert_eq!(clock.tick(at(10)), time(10, 0), "the physical clock is ahead: c = 0");
        assert_eq!(clock.tick(at(10)), time(10, 1), "it stands still: c + 1");
        assert_eq!(clock.tick(at(7)), time(10, 2), "it went back: the same");
        assert_eq!(clock.observe(at(9), time(10, 5)), Ok(time(10, 6)), "l = l' = l.m: max(c, c.m) + 1");
        assert_eq!(clock.observe(at(9), time(10, 1)), Ok(time(10, 7)), "l = l' = l.m, the other way");
        assert_eq!(clock.observe(at(9), time(8, 9)), Ok(time(10, 8)), "l = l': c + 1");
        assert_eq!(clock.observe(at(9), time(12, 4)), Ok(time(12, 5)), "l = l.m: c.m + 1");
        assert_eq!(
            clock.observe(at(13), time(12, 4)),
            Ok(time(13, 0)),
            "the physical clock is ahead of both"
        );
    }

    #[test]
    fn a_message_of_a_clock_that_is_too_far_ahead_is_refused_and_changes_nothing() {
        let mut clock = Hybrid::new(Span::millis(10));
        let before = clock.tick(at(1_000));
        let (physical, remote) = (at(1_000), Timestamp::of(at(1_000) + Span::millis(11)));
        let refused = TooFarAhead { remote, physical, bound: Span::millis(10) };
        assert_eq!((clock.observe(physical, remote), clock.last()), (Err(refused), before));
        let near = Timestamp::of(physical + Span::millis(10));
        assert!(clock.observe(physical, near).is_ok());
    }

    #[test]
    fn a_counter_that_is_full_carries_into_the_time() {
        let mut clock = Hybrid { last: time(5, (1 << COUNTER_BITS) - 1), bound: Span::ZERO };
        assert_eq!(clock.tick(at(1)), time(6, 0));
    }

    #[test]
    fn a_time_is_rounded_up_and_never_before_the_physical_clock() {
        for nanos in [0, 1, 65_535, 65_536, 65_537, 1_000_000_007] {
            let physical = LocalTime::from_nanos(nanos);
            let l = Timestamp::of(physical).physical();
            assert!(l >= physical && l < physical + Timestamp::UNIT, "{nanos}");
        }
        assert_eq!(time(16, 3).to_string(), format!("{}+3", at(16)));
    }
}
