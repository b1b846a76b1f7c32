use proptest::prelude::*;

use super::*;

const fn at(nanos: u64) -> SimTime {
    SimTime::from_nanos(nanos)
}

const fn reads(nanos: u64) -> LocalTime {
    LocalTime::from_nanos(nanos)
}

#[test]
fn an_untouched_clock_shows_true_time() {
    let clock = NodeClock::default();
    assert!(clock.is_true());
    assert_eq!((clock.monotonic(at(7)), clock.wall(at(7))), (reads(7), reads(7)));
    assert_eq!(clock.when_monotonic_reaches(reads(9)), Some(at(9)));
}

#[test]
fn a_clock_is_small() {
    assert!(size_of::<NodeClock>() <= 96, "{} bytes a clock, at most 96", size_of::<NodeClock>());
}

#[test]
fn drift_moves_both_clocks() {
    let mut clock = NodeClock::default();
    clock.set_drift(at(1_000), 500_000).expect("in range");
    assert!(!clock.is_true());
    assert_eq!((clock.monotonic(at(3_000)), clock.wall(at(3_000))), (reads(4_000), reads(4_000)));
    assert_eq!(clock.when_monotonic_reaches(reads(4_000)), Some(at(3_000)));
}

#[test]
fn offset_and_step_move_the_wall_clock_only() {
    let mut clock = NodeClock::default();
    clock.set_offset(at(100), 50);
    assert_eq!((clock.monotonic(at(200)), clock.wall(at(200))), (reads(200), reads(250)));
    clock.step(at(200), -1_000);
    assert_eq!(clock.wall(at(200)), LocalTime::ZERO, "a wall clock before the epoch reads zero");
    assert_eq!(clock.wall(at(1_000)), reads(50));
    clock.set_offset(at(1_000), 0);
    assert!(clock.is_true(), "an offset of zero restores the untouched clock");
}

#[test]
fn strobe_flips_every_period_of_true_time() {
    let mut clock = NodeClock::default();
    clock.strobe(at(1_000), Span::nanos(100), Span::nanos(10)).expect("period above zero");
    let seen: Vec<u64> = [1_000, 1_009, 1_010, 1_019, 1_020].map(|t| clock.wall(at(t)).as_nanos()).to_vec();
    assert_eq!(seen, [1_100, 1_109, 910, 919, 1_120]);
    assert_eq!(clock.monotonic(at(1_010)), reads(1_010));
    clock.strobe(at(1_020), Span::ZERO, Span::nanos(10)).expect("period above zero");
    assert!(clock.is_true(), "the end of a strobe leaves no trace");
}

#[test]
fn a_frozen_clock_stands_still_and_stays_behind() {
    let mut clock = NodeClock::default();
    clock.freeze(at(100));
    assert_eq!((clock.monotonic(at(900)), clock.wall(at(900))), (reads(100), reads(100)));
    assert_eq!(clock.when_monotonic_reaches(reads(101)), None);
    assert_eq!(clock.when_monotonic_reaches(reads(100)), Some(at(100)));
    clock.thaw(at(900));
    assert_eq!((clock.monotonic(at(910)), clock.wall(at(910))), (reads(110), reads(110)));
}

#[test]
fn a_frozen_strobe_does_not_flip_whatever_happens() {
    let mut clock = NodeClock::default();
    clock.strobe(at(0), Span::nanos(100), Span::nanos(10)).expect("period above zero");
    clock.freeze(at(1_000));
    clock.set_drift(at(1_010), 7).expect("in range");
    assert_eq!(clock.wall(at(1_011)), reads(1_100));
    clock.step(at(1_030), 5);
    assert_eq!(clock.wall(at(1_031)), reads(1_105));
    clock.thaw(at(1_050));
    assert_eq!(clock.wall(at(1_050)), reads(905), "true time says that the strobe is down");
}

#[test]
fn a_slew_leads_to_true_time_and_stops_there() {
    let mut clock = NodeClock::default();
    clock.set_offset(at(0), -1_000);
    clock.slew(at(1_000_000), 500).expect("in range");
    assert_eq!(clock.wall(at(2_000_000)), reads(1_999_500));
    assert_eq!(clock.wall(at(3_000_000)), reads(3_000_000));
    assert_eq!(clock.wall(at(9_000_000)), reads(9_000_000));
}

#[test]
fn the_error_bound_grows_until_the_next_synchronisation() {
    let mut clock = NodeClock::new(Span::nanos(10), 100);
    assert_eq!(clock.error_bound(at(0)), Span::nanos(10));
    assert_eq!(clock.error_bound(at(1_000_000)), Span::nanos(110));
    clock.set_offset(at(1_000_000), 1_000);
    assert_eq!(clock.error_bound(at(1_000_000)), Span::nanos(110), "the node cannot know of the offset");
    clock.slew(at(1_000_000), 500).expect("in range");
    assert_eq!(clock.error_bound(at(3_000_000)), Span::nanos(10));
    clock.set_drift(at(4_000_000), 0).expect("in range");
    assert_eq!(clock.error_bound(at(5_000_000)), Span::nanos(110));
}

#[test]
fn a_healed_clock_is_as_if_nothing_had_been_done_to_it() {
    let own = NodeClock::new(Span::nanos(10), 100).with_own(-5_000, 200_000).expect("in range");
    let mut clock = own.clone();
    clock.step(at(1_000), 1_000_000);
    clock.set_drift(at(2_000), -500_000).expect("in range");
    clock.strobe(at(2_000), Span::nanos(100), Span::nanos(10)).expect("period above zero");
    clock.freeze(at(3_000));
    clock.heal(at(1_000_000));
    for now in [at(1_000_000), at(9_000_000)] {
        assert_eq!(clock.wall(now), own.wall(now));
    }
    let gone_by = clock.monotonic(at(2_000_000)).since(clock.monotonic(at(1_000_000)));
    assert_eq!(gone_by, Span::nanos(1_200_000), "by its own drift");
    let bound = clock.error_bound(at(1_000_000));
    assert!(bound > Span::nanos(10), "a clock that is off was not synchronised by the heal: {bound}");
}

#[test]
fn a_clock_that_synchronises_itself_goes_on_doing_so_after_a_heal() {
    let own = NodeClock::new(Span::nanos(10), 100).with_own(-1_000, 200_000).expect("in range");
    let own = own.with_own_slew(500).expect("in range");
    assert_eq!(own.wall(at(1_000_000)), reads(999_500), "half of the offset is gone, whatever the drift");
    let mut clock = own.clone();
    clock.step(at(1_000), 1_000_000);
    clock.set_drift(at(2_000), -500_000).expect("in range");
    clock.heal(at(1_000_000));
    for now in [at(1_000_000), at(1_500_000), at(2_000_000), at(9_000_000)] {
        assert_eq!(clock.wall(now), own.wall(now));
    }
    assert_eq!(clock.wall(at(9_000_000)), reads(9_000_000));
    assert_eq!(clock.error_bound(at(9_000_000)), Span::nanos(10), "it is synchronised");
}

#[test]
fn a_healed_clock_without_a_drift_of_its_own_shows_true_time() {
    let mut clock = NodeClock::new(Span::nanos(10), 100);
    clock.step(at(1_000), 1_000_000);
    clock.set_drift(at(2_000), -500_000).expect("in range");
    clock.heal(at(1_000_000));
    assert_eq!(clock.wall(at(2_000_000)), reads(2_000_000));
    assert_eq!(clock.error_bound(at(1_000_000)), Span::nanos(10));
}

#[test]
fn out_of_range_faults_are_refused_and_change_nothing() {
    let mut clock = NodeClock::default();
    assert_eq!(clock.apply(at(5), &ClockFault::Drift(500_001)), Err(ClockError::Drift(500_001)));
    assert_eq!(clock.apply(at(5), &ClockFault::Drift(i32::MIN)), Err(ClockError::Drift(i32::MIN)));
    assert_eq!(clock.apply(at(5), &ClockFault::Slew(0)), Err(ClockError::Slew(0)));
    let too_fast = SLEW_LIMIT_PPM + 1;
    assert_eq!(clock.apply(at(5), &ClockFault::Slew(too_fast)), Err(ClockError::Slew(too_fast)));
    assert_eq!(clock.clone().with_own_slew(0), Err(ClockError::Slew(0)));
    let strobe = ClockFault::Strobe { amplitude: Span::nanos(1), period: Span::ZERO };
    assert_eq!(clock.apply(at(5), &strobe), Err(ClockError::StrobePeriod));
    assert_eq!(clock, NodeClock::default());
}

fn any_fault() -> impl Strategy<Value = ClockFault> {
    prop_oneof![
        (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(ClockFault::Offset),
        (-DRIFT_LIMIT_PPM..=DRIFT_LIMIT_PPM).prop_map(ClockFault::Drift),
        (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(ClockFault::Step),
        (0..1_000_000_u64, 1..1_000_000_u64).prop_map(|(amplitude, period)| ClockFault::Strobe {
            amplitude: Span::nanos(amplitude),
            period: Span::nanos(period)
        }),
        Just(ClockFault::Freeze),
        Just(ClockFault::Thaw),
        (1..=SLEW_LIMIT_PPM).prop_map(ClockFault::Slew),
        Just(ClockFault::Heal),
    ]
}

fn any_history() -> impl Strategy<Value = Vec<(u64, ClockFault)>> {
    prop::collection::vec((0..10_000_000_u64, any_fault()), 0..12)
}

proptest! {
    #[test]
    fn the_monotonic_clock_never_goes_backwards(history in any_history(), probe in 0..1_000_000_u64) {
        let mut clock = NodeClock::default();
        let (mut now, mut last) = (SimTime::ZERO, LocalTime::ZERO);
        for (wait, fault) in history {
            for step in [probe.min(wait), wait.saturating_sub(probe)] {
                now += Span::nanos(step);
                let seen = clock.monotonic(now);
                prop_assert!(seen >= last, "monotonic clock went from {last} back to {seen} at {now}");
                last = seen;
            }
            clock.apply(now, &fault).expect("in range");
            prop_assert_eq!(clock.monotonic(now), last, "a fault made the monotonic clock jump");
        }
    }

    #[test]
    fn a_deadline_is_reached_at_exactly_the_stated_time(
        history in any_history(),
        ahead in 1..1_000_000_000_000_u64,
    ) {
        let mut clock = NodeClock::default();
        let mut now = SimTime::ZERO;
        for (wait, fault) in history {
            now += Span::nanos(wait);
            clock.apply(now, &fault).expect("in range");
            let deadline = clock.monotonic(now) + Span::nanos(ahead);
            let Some(when) = clock.when_monotonic_reaches(deadline) else {
                prop_assert!(clock.is_frozen(), "a running clock never reaches {deadline}");
                continue;
            };
            prop_assert!(clock.monotonic(when) >= deadline, "at {when} the clock is short of {deadline}");
            let before = when - Span::nanos(1);
            prop_assert!(clock.monotonic(before) < deadline, "{deadline} is reached before {when}");
        }
    }

    #[test]
    fn the_fast_path_tells_the_truth(history in any_history(), later in 0..1_000_000_000_u64) {
        let mut clock = NodeClock::default();
        let mut now = SimTime::ZERO;
        for (wait, fault) in history {
            now += Span::nanos(wait);
            clock.apply(now, &fault).expect("in range");
            let then = now + Span::nanos(later);
            let twin = NodeClock { is_true: false, ..clock.clone() };
            prop_assert_eq!(clock.monotonic(then), twin.monotonic(then));
            prop_assert_eq!(clock.wall(then), twin.wall(then));
        }
    }

    #[test]
    fn a_slew_never_overshoots(
        offset in -1_000_000_i64..1_000_000,
        ppm in 1..=SLEW_LIMIT_PPM,
        later in 0..10_000_000_000_u64,
    ) {
        let mut clock = NodeClock::default();
        let start = at(1_000_000_000);
        clock.set_offset(start, offset);
        clock.slew(start, ppm).expect("in range");
        let now = start + Span::nanos(later);
        let error = i128::from(clock.wall(now).as_nanos()) - i128::from(now.as_nanos());
        prop_assert!(error.abs() <= i128::from(offset).abs(), "the error grew from {offset} to {error}");
        prop_assert!(error.signum() * i128::from(offset).signum() >= 0, "slewed past true time by {error}");
    }
}
