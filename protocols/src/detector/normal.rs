//! The normal distribution by a table: what a variable exceeds with a chance of one in ten, a hundred, a thousand…

/// The highest threshold that the table has.
pub const THRESHOLD_MAX: u32 = 16;

/// In the place φ - 1, in thousandths: how many deviations above the mean a normal variable is with a chance of 10^-φ.
const QUANTILES: [u32; THRESHOLD_MAX as usize] = [
    1_282, 2_326, 3_090, 3_719, 4_265, 4_753, 5_199, 5_612, 5_998, 6_361, 6_706, 7_034, 7_349, 7_651, 7_941,
    8_222,
];

/// How many deviations above its mean a normal variable is with a chance of 10^-φ, in thousandths; `None` for a φ that is not in
/// the table, which goes from 1 to [`THRESHOLD_MAX`].
pub fn quantile(phi: u32) -> Option<u32> {
    let place = usize::try_from(phi.checked_sub(1)?).ok()?;
    QUANTILES.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chance that a normal variable exceeds `z`, by Simpson's rule from there to where nothing is left.
    #[expect(clippy::disallowed_methods, reason = "a test of a table against floats, which no run sees")]
    fn exceeding(z: f64) -> f64 {
        const STEPS: u32 = 20_000;
        let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let width = 12.0 / f64::from(STEPS);
        let inner: f64 = (1..STEPS)
            .map(|step| density(z + f64::from(step) * width) * if step % 2 == 1 { 4.0 } else { 2.0 })
            .sum();
        (density(z) + inner + density(z + 12.0)) * width / 3.0
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test of a table against floats, which no run sees")]
    fn the_table_is_that_of_the_normal_distribution() {
        for phi in 1..=THRESHOLD_MAX {
            let thousandths = quantile(phi).expect("the table has it");
            let at = |thousandths: f64| -exceeding(thousandths / 1_000.0).log10();
            let (low, high) = (at(f64::from(thousandths) - 0.51), at(f64::from(thousandths) + 0.51));
            assert!((low..high).contains(&f64::from(phi)), "φ = {phi} is not within {low}..{high}");
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_said_so() {
        assert_eq!(quantile(0), None);
        assert_eq!(quantile(17), None);
        assert_eq!(quantile(8), Some(5_612));
    }
}
