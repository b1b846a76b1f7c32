//! Both rules over time.

use proptest::prelude::*;
use sim_core::random::{Distribution, KeySource, Purpose};

use super::*;

const ZERO: LocalTime = LocalTime::ZERO;

fn timeout(millis: u64) -> Rule {
    Rule::Timeout(Span::millis(millis))
}

/// φ without a pause and with hardly a lowest deviation, so that only what was heard counts.
fn phi(threshold: u32) -> Rule {
    let (deviation_min, acceptable_pause) = (Span::nanos(1), Span::ZERO);
    Rule::Phi(Phi { threshold, deviation_min, acceptable_pause, ..Phi::default() })
}

/// Of one that was heard after each of these intervals.
fn after(rule: &Rule, intervals: impl IntoIterator<Item = Span>) -> Detector {
    let mut detector = Detector::new(rule, ZERO);
    for interval in intervals {
        let at = detector.heard() + interval;
        detector.hear(rule, at);
    }
    detector
}

#[test]
fn a_timeout_is_the_same_whatever_was_heard() {
    let rule = timeout(200);
    for intervals in [vec![], vec![Span::millis(1); 50], vec![Span::millis(150); 50]] {
        let detector = after(&rule, intervals);
        assert_eq!(detector.deadline(&rule), detector.heard() + Span::millis(200));
    }
}

#[test]
fn with_akkas_defaults_regular_messages_may_pause_for_more_than_three_seconds() {
    let rule = Rule::Phi(Phi::default());
    let detector = after(&rule, vec![Span::secs(1); 1_000]);
    let allowed = detector.deadline(&rule).since(detector.heard());
    assert_eq!(allowed, Span::nanos(4_561_200_000), "1 s, 3 s, and 5.612 times 100 ms");
}

#[test]
fn a_silence_that_was_suspicious_does_not_count_for_later() {
    let rule = phi(3);
    let mut detector = after(&rule, vec![Span::millis(100); 1_000]);
    let before = detector.deadline(&rule).since(detector.heard());
    let late = detector.heard() + Span::secs(30);
    assert!(detector.is_suspect(&rule, late));
    detector.hear(&rule, late);
    assert!(!detector.is_suspect(&rule, late), "who is heard is well");
    assert_eq!(detector.deadline(&rule).since(late), before);
}

/// In how many of `count` normal intervals, after as many to learn from, the other one is wrongly suspected.
fn mistakes(threshold: u32, mean: Span, deviation: Span, count: u64, seed: u64) -> u64 {
    let rule = phi(threshold);
    let intervals = Distribution::normal(mean, deviation);
    let mut stream = KeySource::new(seed).stream(Purpose::Test, 0, 0);
    let mut detector = Detector::new(&rule, ZERO);
    let mut mistakes = 0;
    for round in 0..count + 2_000 {
        let at = detector.heard() + intervals.sample(stream.next_u64());
        mistakes += u64::from(round >= 2_000 && detector.is_suspect(&rule, at));
        // Mistakes count for later here, so that what is learned is the whole distribution.
        let learns =
            Rule::Phi(Phi { threshold: THRESHOLD_MAX, acceptable_pause: Span::secs(60), ..Phi::default() });
        detector.hear(&learns, at);
    }
    mistakes
}

#[test]
fn a_mistake_is_as_likely_as_phi_says() {
    // Within four standard errors of a count, and the tenth by which a deviation of 1,000 intervals can be off.
    for (phi, count, expected) in [(1, 20_000, 2_000), (2, 20_000, 200), (3, 100_000, 100)] {
        for (mean, deviation) in [(100, 5), (1_000, 200)] {
            let found = mistakes(phi, Span::millis(mean), Span::millis(deviation), count, 7);
            let width = 4 * u64::isqrt(expected) + expected / 10;
            assert!(
                found.abs_diff(expected) <= width,
                "φ = {phi}: {found} mistakes in {count}, {expected} expected"
            );
        }
    }
}

#[test]
fn a_higher_threshold_waits_longer() {
    let intervals: Vec<Span> = (0..100).map(|number| Span::millis(90 + number % 20)).collect();
    let deadline = |threshold| after(&phi(16), intervals.clone()).deadline(&phi(threshold));
    assert!((1..16).all(|threshold| deadline(threshold) < deadline(threshold + 1)));
}

#[test]
fn rules_that_suspect_everybody_are_refused() {
    let second = Span::secs(1);
    assert_eq!(timeout(1_001).validate(second), Ok(()));
    let short = RuleError::TimeoutTooShort { timeout: second, interval: second };
    assert_eq!(timeout(1_000).validate(second), Err(short));
    let usual = Phi::default();
    assert_eq!(Rule::Phi(usual).validate(second), Ok(()));
    for (wrong, error) in [
        (Phi { threshold: 0, ..usual }, RuleError::Threshold(0)),
        (Phi { threshold: 17, ..usual }, RuleError::Threshold(17)),
        (Phi { window: 1, ..usual }, RuleError::Window(1)),
        (Phi { deviation_min: Span::ZERO, ..usual }, RuleError::NoTime("deviation_min")),
        (Phi { interval_first: Span::ZERO, ..usual }, RuleError::NoTime("interval_first")),
    ] {
        assert_eq!(Rule::Phi(wrong).validate(second), Err(error));
    }
}

proptest! {
    #[test]
    fn who_is_silent_for_good_is_suspected_and_stays_so(
        millis in prop::collection::vec(1..5_000_u64, 0..100),
        threshold in 1..=16_u32,
        is_fixed in any::<bool>(),
        later in 0..1_000_000_u64,
    ) {
        let rule = if is_fixed { timeout(300) } else { phi(threshold) };
        let detector = after(&rule, millis.into_iter().map(Span::millis));
        let deadline = detector.deadline(&rule);
        prop_assert!(deadline > detector.heard());
        prop_assert!(!detector.is_suspect(&rule, deadline - Span::nanos(1)));
        prop_assert!(detector.is_suspect(&rule, deadline + Span::millis(later)));
        // By the longest interval that can count, 5 s, and 8.222 deviations of at most as much.
        prop_assert!(deadline.since(detector.heard()) <= Span::millis(47_000));
    }

    #[test]
    fn who_is_never_silent_for_longer_than_the_timeout_is_never_suspected(
        millis in prop::collection::vec(0..300_u64, 1..100),
    ) {
        let rule = timeout(300);
        let mut detector = Detector::new(&rule, ZERO);
        for interval in millis {
            let at = detector.heard() + Span::millis(interval);
            prop_assert!(!detector.is_suspect(&rule, at));
            detector.hear(&rule, at);
        }
    }
}
