//! Leases by clocks that drift: who counts for how long, so that the holder has stopped before the granter lets go.
//!
//! A lease of length TTL is counted from before it was asked for by its holder, and from when it was granted by its granter, each by
//! its own monotonic clock. Clocks run at a rate between 1 / (1 + ρ) and 1 + ρ of true time. Then
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
}
