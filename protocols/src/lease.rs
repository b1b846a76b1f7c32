//! Leases by clocks that drift: who counts for how long, so that the holder has stopped before the granter lets go.
//!
//! A lease of length TTL is counted from before it was asked for by its holder, and from when it was granted by its granter, each by
//! its own monotonic clock. Clocks run at a rate between 1 / (1 + ρ) and 1 + ρ of true time: up to ρ faster, and up to ρ / (1 + ρ)
//! slower ([`slower_at_most`]), which for a large ρ is far less than ρ. Then
//!
//! ```text
//! holder     asks ├── TTL / (1 + ρ) by its clock ──┤ at most TTL of true time
//! granter       asked ├── TTL · (1 + ρ) by its clock ─────────┤ at least TTL of true time
//! ```
//!
//! Source: C. Gray, D. Cheriton: Leases, SOSP 1989, §2 and §5.

use sim_core::Span;

/// A rate of one, in parts per million.
const ONE: u128 = 1_000_000;

/// Drift from here on measures no lease: a clock that is off by half of its speed.
pub const DRIFT_LIMIT: u32 = 500_000;

/// How long the holder counts on a lease, by its own clock and from when it began to ask: TTL / (1 + ρ), rounded down.
/// `drift_max` is ρ in parts per million.
pub fn holder_counts_on(ttl: Span, drift_max: u32) -> Span {
    span(u128::from(ttl.as_nanos()) * ONE / (ONE + u128::from(drift_max)))
}

/// How long the granter keeps to a lease, by its own clock and from when it was asked: TTL (1 + ρ), rounded up.
/// `drift_max` is ρ in parts per million.
pub fn granter_waits(ttl: Span, drift_max: u32) -> Span {
    span((u128::from(ttl.as_nanos()) * (ONE + u128::from(drift_max))).div_ceil(ONE))
}

/// By how much slower than true time a clock within the bound runs at most, in parts per million: ρ / (1 + ρ), rounded down.
/// `drift_max` is ρ in parts per million.
pub fn slower_at_most(drift_max: u32) -> u32 {
    let slower = u128::from(drift_max) * ONE / (ONE + u128::from(drift_max));
    u32::try_from(slower).expect("it is below ρ")
}

fn span(nanos: u128) -> Span {
    Span::nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_done_before_the_granter_lets_go_however_the_clocks_drift() {
        for drift_max in [0_u32, 1, 200, 50_000, 499_999] {
            let (rate, ttl) = (ONE + u128::from(drift_max), Span::nanos(299_999_993));
            // The holder's clock is as slow, the granter's as fast as may be: nanoseconds of true time.
            let holder = (u128::from(holder_counts_on(ttl, drift_max).as_nanos()) * rate).div_ceil(ONE);
            let granter = u128::from(granter_waits(ttl, drift_max).as_nanos()) * ONE / rate;
            assert!(holder <= granter, "ρ = {drift_max} ppm: {holder} ns of true time against {granter} ns");
        }
    }

    #[test]
    fn a_clock_is_slow_within_the_bound_where_the_holder_is_done_in_a_ttl_of_true_time() {
        assert_eq!(slower_at_most(0), 0);
        assert_eq!(slower_at_most(200), 199);
        assert_eq!(slower_at_most(250_000), 200_000);
        assert_eq!(slower_at_most(450_000), 310_344);
        for drift_max in [1_u32, 200, 250_000, 450_000, 499_999] {
            let ttl = Span::secs(1_000_000);
            let lease = u128::from(holder_counts_on(ttl, drift_max).as_nanos());
            let lasts = |slower: u32| lease * ONE / (ONE - u128::from(slower));
            let (most, ttl) = (slower_at_most(drift_max), u128::from(ttl.as_nanos()));
            assert!(lasts(most) <= ttl, "ρ = {drift_max} ppm: {most} ppm slow is within it");
            assert!(lasts(most + 1) > ttl, "ρ = {drift_max} ppm: {} ppm slow is not", most + 1);
        }
    }
}
