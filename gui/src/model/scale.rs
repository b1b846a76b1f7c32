//! Where a time lies on the screen, and how times are told.

use sim_core::{SimTime, Span};

/// The shortest stretch of time that is shown at once, in nanoseconds.
const SHORTEST: f64 = 100.0;
/// The longest: a hundred hours.
const LONGEST: f64 = 3.6e14;

/// The stretch of time that is shown between the left and the right edge of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    /// The time at the left edge, in nanoseconds.
    start: f64,
    /// How much time is shown, in nanoseconds.
    length: f64,
}

impl Scale {
    /// From one time to another.
    pub(crate) fn new(from: SimTime, to: SimTime) -> Self {
        let (from, to) = (nanos(from), nanos(to));
        Self { start: from, length: (to - from).clamp(SHORTEST, LONGEST) }
    }

    /// Where a time lies: 0 at the left edge, 1 at the right.
    pub(crate) fn place(self, time: SimTime) -> f64 {
        (nanos(time) - self.start) / self.length
    }

    /// The time that lies at a place.
    pub(crate) fn time(self, place: f64) -> SimTime {
        time_of(self.start + place * self.length)
    }

    /// The first time that is shown.
    pub(crate) fn first(self) -> SimTime {
        self.time(0.0)
    }

    /// The last time that is shown.
    pub(crate) fn last(self) -> SimTime {
        self.time(1.0)
    }

    /// How much time is shown.
    pub(crate) fn length(self) -> Span {
        Span::nanos(time_of(self.length).as_nanos())
    }

    /// `factor` times as much time, with what lies at a place staying there.
    pub(crate) fn zoomed(self, factor: f64, place: f64) -> Self {
        let length = (self.length * factor).clamp(SHORTEST, LONGEST);
        Self { start: (self.start + place * (self.length - length)).max(0.0), length }
    }

    /// Moved by a share of what is shown: later, where it is positive.
    pub(crate) fn panned(self, share: f64) -> Self {
        Self { start: (self.start + share * self.length).max(0.0), ..self }
    }

    /// So that a time is shown: moved as little as can be, with some air around it.
    pub(crate) fn showing(self, time: SimTime) -> Self {
        match self.place(time) {
            place if place < 0.0 => self.panned(place - 0.1),
            place if place > 0.95 => self.panned(place - 0.7),
            _ => self,
        }
    }

    /// Round times in what is shown, about so many, and how they are written.
    pub(crate) fn ticks(self, count: f64) -> (Vec<SimTime>, Unit) {
        let step = round_up(self.length / count.max(1.0));
        let first = (self.start / step).ceil();
        let places = (0..200).map(|index| (first + f64::from(index)) * step);
        let shown = places.take_while(|time| *time <= self.start + self.length);
        (shown.map(time_of).collect(), Unit::of(step))
    }
}

/// Round steps above a second, in seconds, up to those of a day.
const LONG: [f64; 14] = [
    60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 18_000.0, 36_000.0, 72_000.0, 180_000.0,
    360_000.0, 720_000.0,
];

/// 1, 2 or 5 times a power of ten, not below `step`; of more than half a minute, round minutes or hours.
fn round_up(step: f64) -> f64 {
    if step > 50e9 {
        return LONG.map(|seconds| seconds * 1e9).into_iter().find(|long| *long >= step).unwrap_or(step);
    }
    let mut power = 1.0;
    while power * 10.0 <= step {
        power *= 10.0;
    }
    let rounded = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power);
    *rounded.iter().find(|rounded| **rounded >= step * 0.999_999).unwrap_or(&rounded[3])
}

/// The unit that times are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    nanos: u64,
    name: &'static str,
    digits: usize,
}

impl Unit {
    /// So that times which are `step` nanoseconds apart look different.
    fn of(step: f64) -> Self {
        let units = [
            (3_600_000_000_000_u64, "h"),
            (60_000_000_000, "min"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "µs"),
            (1, "ns"),
        ];
        let fits = |(nanos, _): &(u64, &str)| {
            #[expect(clippy::cast_precision_loss, reason = "a unit is small")]
            let unit = *nanos as f64;
            // Minutes and hours are no powers of ten, so they are told whole.
            step >= if *nanos > 1_000_000_000 { unit } else { unit / 20.0 }
        };
        let (nanos, name) = units.into_iter().find(fits).unwrap_or(units[5]);
        #[expect(clippy::cast_precision_loss, reason = "a unit is small")]
        let digits = if step >= nanos as f64 {
            0
        } else if step >= nanos as f64 / 10.0 {
            1
        } else {
            2
        };
        Self { nanos, name, digits }
    }

    /// `1.25 s`.
    pub(crate) fn tell(self, time: SimTime) -> String {
        #[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
        let value = time.as_nanos() as f64 / self.nanos as f64;
        format!("{value:.*} {}", self.digits, self.name)
    }
}

/// A time with all its digits: `1.250000000 s`. Numbers stand still while they count.
pub(crate) fn seconds(time: SimTime) -> String {
    let nanos = time.as_nanos();
    format!("{}.{:09} s", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

/// How far a clock is off, in three digits at most before the point: `+1.5 ms`.
pub(crate) fn offset(nanos: i128) -> String {
    let units = [(1_000_000_000_i128, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns")];
    let (unit, name) = units.into_iter().find(|(unit, _)| nanos.abs() >= *unit).unwrap_or(units[3]);
    let tenths = nanos * 10 / unit;
    let sign = if nanos < 0 { '-' } else { '+' };
    let (whole, tenth) = (tenths.abs() / 10, tenths.abs() % 10);
    if unit == 1 || tenth == 0 {
        format!("{sign}{whole} {name}")
    } else {
        format!("{sign}{whole}.{tenth} {name}")
    }
}

/// The same as the turn of a hand: 0 for a microsecond or less, 1 for ten seconds or more, evenly by powers of ten; below 0
/// where the clock is behind.
pub(crate) fn dial(nanos: i128) -> f32 {
    let size = nanos.unsigned_abs().max(1);
    let power = size.ilog10();
    #[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
    let decades = power as f32 + (size as f32 / 10_u128.pow(power) as f32 - 1.0) / 9.0;
    let turn = ((decades - 3.0) / 7.0).clamp(0.0, 1.0);
    if nanos < 0 { -turn } else { turn }
}

#[expect(clippy::cast_precision_loss, reason = "places on a screen")]
fn nanos(time: SimTime) -> f64 {
    time.as_nanos() as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is clamped; places on a screen"
)]
fn time_of(nanos: f64) -> SimTime {
    SimTime::from_nanos(nanos.clamp(0.0, 9e18) as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    proptest! {
        #[test]
        fn what_lies_under_the_mouse_stays_there_when_zooming(
            start in 0..10_000_000_000_u64, length in 1_000..10_000_000_000_u64, place in 0.0..1.0_f64, factor in 0.5..2.0_f64,
        ) {
            let scale = Scale::new(at(start), at(start + length));
            let time = scale.time(place);
            let zoomed = scale.zoomed(factor, place);
            // At the start of time a picture that shows more moves to the right.
            let is_at_the_start = zoomed.first() == at(0);
            prop_assert!(is_at_the_start || (zoomed.place(time) - place).abs() < 1e-3);
        }

        #[test]
        fn ticks_are_in_order_inside_and_look_different(start in 0..1_000_000_000_000_u64, length in 100..1_000_000_000_000_u64) {
            let scale = Scale::new(at(start), at(start + length));
            let (ticks, unit) = scale.ticks(8.0);
            prop_assert!(ticks.len() <= 10, "{}", ticks.len());
            let texts: Vec<String> = ticks.iter().map(|tick| unit.tell(*tick)).collect();
            for (tick, pair) in ticks.iter().zip(texts.windows(2)) {
                prop_assert!(*tick >= scale.first() && *tick <= scale.last() + Span::nanos(1));
                prop_assert_ne!(&pair[0], &pair[1]);
            }
        }
    }

    #[test]
    fn times_are_written_in_the_unit_that_fits() {
        let tell = |length: u64| {
            let (ticks, unit) = Scale::new(at(0), at(length)).ticks(4.0);
            unit.tell(ticks[1])
        };
        assert_eq!(tell(8_000_000_000), "2 s");
        assert_eq!(tell(2_000_000_000), "0.5 s");
        assert_eq!(tell(80_000_000), "20 ms");
        assert_eq!(tell(400), "0.1 µs");
        assert_eq!(tell(100), "0.05 µs");
        assert_eq!(tell(600_000_000_000), "5 min");
        assert_eq!(tell(36_000_000_000_000), "5 h");
        assert_eq!(tell(360_000_000_000_000), "50 h");
    }

    #[test]
    fn a_clock_that_is_ahead_turns_right_and_the_farther_the_more() {
        let told = [0, 999, -1_500, 12_000_000, -2_000_000_000].map(offset);
        assert_eq!(told, ["+0 ns", "+999 ns", "-1.5 µs", "+12 ms", "-2 s"]);
        let turns = [-20_000_000_000, -1_000_000, 0, 1_000_000, 5_000_000, 20_000_000_000].map(dial);
        assert!(turns.is_sorted(), "{turns:?}");
        assert_eq!((turns[0], turns[2], turns[5]), (-1.0, 0.0, 1.0));
    }

    #[test]
    fn a_time_that_leaves_the_picture_is_brought_back_into_it() {
        let scale = Scale::new(at(1_000_000), at(2_000_000));
        for time in [0, 500_000, 1_500_000, 1_990_000, 9_000_000] {
            let place = scale.showing(at(time)).place(at(time));
            assert!((0.0..=0.95).contains(&place), "{time} lies at {place}");
        }
        assert_eq!(scale.showing(at(1_500_000)), scale, "what is shown already moves nothing");
    }
}
