use proptest::prelude::*;

use super::super::{KeySource, Purpose};
use super::*;

/// The draw at a probability in parts per million.
fn draw_at(ppm: u64) -> u64 {
    u64::try_from((u128::from(ppm) << 64) / 1_000_000).expect("below one")
}

fn families() -> Vec<Distribution> {
    let made = [
        Ok(Distribution::exponential(Span::millis(10))),
        Ok(Distribution::normal(Span::millis(10), Span::millis(1))),
        Ok(Distribution::normal(Span::millis(1), Span::millis(10))),
        Distribution::log_normal(Span::millis(10), 0.5),
        Distribution::pareto(Span::millis(10), 3.0),
        Distribution::uniform(Span::millis(3), Span::millis(5)),
        Distribution::empirical((1..100).map(Span::millis).collect()),
        Ok(Distribution::constant(Span::millis(10))),
    ];
    made.into_iter().map(|distribution| distribution.expect("good parameters")).collect()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64, what: impl fmt::Display) {
    assert!((found - expected).abs() <= tolerance * expected, "{what}: {found} instead of {expected}");
}

#[expect(clippy::cast_precision_loss, reason = "compared with a tolerance")]
fn nanos(span: Span) -> f64 {
    span.as_nanos() as f64
}

#[test]
fn quantiles_follow_the_formulas_far_into_the_tail() {
    for ppm in [1_000, 10_000, 250_000, 333_333, 500_000, 900_000, 990_000, 999_000, 999_900, 999_990] {
        let exceeding = f64::from(1_000_000 - u32::try_from(ppm).expect("small")) / 1e6;
        let draw = draw_at(ppm);
        let exponential = Distribution::exponential(Span::millis(10)).sample(draw);
        assert_close(nanos(exponential), -1e7 * libm::log(exceeding), 5e-4, format_args!("exp {ppm} ppm"));
        let pareto = Distribution::pareto(Span::millis(10), 1.5).expect("good").sample(draw);
        assert_close(
            nanos(pareto),
            1e7 * libm::pow(exceeding, -1.0 / 1.5),
            5e-4,
            format_args!("pareto {ppm} ppm"),
        );
    }
}

#[test]
fn normal_families_have_the_printed_percentiles() {
    // Standard normal quantiles at 0.1 %, 50 %, 97.5 %, 99.99 %.
    let cases = [(1_000, -3.090_232), (500_000, 0.0), (975_000, 1.959_964), (999_900, 3.719_016)];
    for (ppm, z) in cases {
        let normal = Distribution::normal(Span::millis(100), Span::millis(10));
        assert_close(
            nanos(normal.sample(draw_at(ppm))),
            1e8 + 1e7 * z,
            5e-4,
            format_args!("normal {ppm} ppm"),
        );
        let log_normal = Distribution::log_normal(Span::millis(10), 0.5).expect("good");
        let expected = 1e7 * libm::exp(0.5 * z);
        assert_close(
            nanos(log_normal.sample(draw_at(ppm))),
            expected,
            5e-4,
            format_args!("log-normal {ppm} ppm"),
        );
    }
}

#[test]
fn means_of_many_samples_are_the_means_of_the_formulas() {
    let cases = [
        (Ok(Distribution::exponential(Span::millis(10))), 1e7),
        (Ok(Distribution::normal(Span::millis(10), Span::millis(2))), 1e7),
        (Distribution::log_normal(Span::millis(10), 0.5), 1e7 * libm::exp(0.125)),
        (Distribution::pareto(Span::millis(10), 3.0), 1.5e7),
        (Distribution::uniform(Span::millis(3), Span::millis(5)), 4e6),
        (Distribution::empirical(vec![Span::millis(2), Span::millis(1), Span::millis(6)]), 3e6),
    ];
    for (distribution, mean) in cases {
        let distribution = distribution.expect("good parameters");
        let mut stream = KeySource::new(1).stream(Purpose::Test, 0, 0);
        let total: f64 = (0..100_000).map(|_| nanos(distribution.sample(stream.next_u64()))).sum();
        assert_close(total / 1e5, mean, 0.01, distribution);
    }
}

#[test]
fn only_constants_need_no_draw() {
    for distribution in families() {
        let mut draws = 0;
        distribution.sample_with(|| {
            draws += 1;
            7
        });
        let is_constant = distribution.minimum() == distribution.maximum();
        assert_eq!(draws, u32::from(!is_constant), "{distribution}");
    }
    let equal_bounds = Distribution::uniform(Span::millis(2), Span::millis(2));
    assert_eq!(equal_bounds, Ok(Distribution::constant(Span::millis(2))));
}

#[test]
fn bounds_are_those_of_the_parameters() {
    let uniform = Distribution::uniform(Span::nanos(10), Span::nanos(13)).expect("good");
    assert_eq!((uniform.minimum(), uniform.maximum()), (Span::nanos(10), Span::nanos(12)));
    let empirical = Distribution::empirical(vec![Span::nanos(9), Span::nanos(4)]).expect("good");
    assert_eq!((empirical.minimum(), empirical.maximum()), (Span::nanos(4), Span::nanos(9)));
    let pareto = Distribution::pareto(Span::millis(10), 3.0).expect("good");
    assert_eq!(pareto.minimum(), Span::millis(10));
    let wild = Distribution::pareto(Span::secs(1), 0.01).expect("good");
    assert_eq!(wild.maximum(), Span::MAX);
    let often_negative = Distribution::normal(Span::millis(1), Span::millis(10));
    assert_eq!(often_negative.minimum(), Span::ZERO);
}

#[test]
fn bad_parameters_are_refused_with_the_value_seen() {
    for sigma in [-0.1, f64::NAN, f64::INFINITY] {
        let error = Distribution::log_normal(Span::millis(1), sigma).expect_err("not a spread");
        assert!(error.to_string().contains(&format!("sigma {sigma}")), "{error}");
    }
    for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Distribution::pareto(Span::millis(1), alpha).expect_err("not an exponent");
        assert!(error.to_string().contains(&format!("alpha {alpha}")), "{error}");
    }
    let (low, high) = (Span::millis(2), Span::millis(1));
    assert_eq!(Distribution::uniform(low, high), Err(DistributionError::BoundsReversed { low, high }));
    assert_eq!(Distribution::empirical(vec![]), Err(DistributionError::NoSamples));
}

#[test]
fn a_distribution_prints_its_parameters() {
    let texts: Vec<String> = families().iter().map(ToString::to_string).collect();
    let expected = [
        "exponential(mean 10ms)",
        "normal(mean 10ms, deviation 1ms)",
        "normal(mean 1ms, deviation 10ms)",
        "log-normal(median 10ms, sigma 0.5)",
        "pareto(minimum 10ms, alpha 3)",
        "3ms..5ms",
        "empirical(99 samples, 1ms to 99ms)",
        "10ms",
    ];
    assert_eq!(texts, expected);
}

proptest! {
    #[test]
    fn higher_draws_never_give_shorter_lengths(draw: u64, shift in 0..64_u32, more in 1..1_000_000_u64) {
        // The shifts reach both tails.
        for low in [draw >> shift, !(draw >> shift)] {
            for distribution in families() {
                let (shorter, longer) = (distribution.sample(low), distribution.sample(low.saturating_add(more)));
                prop_assert!(shorter <= longer, "{} at {}: {} > {}", distribution, low, shorter, longer);
            }
        }
    }

    #[test]
    fn a_single_draw_is_that_of_the_table(draw: u64, shift in 0..64_u32, mean in 1..100_000_000_000_u64) {
        let mean = Span::nanos(mean);
        let table = Distribution::exponential(mean);
        for draw in [draw >> shift, !(draw >> shift), 0, u64::MAX, 1 << 63] {
            prop_assert_eq!(Distribution::sample_exponential(mean, draw), table.sample(draw));
        }
    }
}
