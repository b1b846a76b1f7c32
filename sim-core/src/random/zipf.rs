//! Zipf's law in integers: the k-th of many things is chosen with weight k⁻ˢ.

/// How many thousandths an exponent has.
const THOUSAND: f64 = 1_000.0;

/// The weights of the first `count` ranks for the exponent `thousandths / 1000`: 2³² for the first, at least 1 for
/// each. Computed through `libm`, so that they are the same on every machine; an exponent of 0 weighs all alike.
pub fn zipf_weights(count: u32, thousandths: u32) -> Vec<u64> {
    (1..=count).map(|rank| weight(rank, thousandths)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "weights lie between 1 and 2^32")]
#[expect(clippy::cast_sign_loss, reason = "weights lie between 1 and 2^32")]
fn weight(rank: u32, thousandths: u32) -> u64 {
    let power = -f64::from(thousandths) / THOUSAND * libm::log(f64::from(rank));
    libm::round(libm::exp(power) * f64::from(1 << 16) * f64::from(1 << 16)).max(1.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fall_with_the_power_of_the_rank() {
        let first = 1_u64 << 32;
        assert_eq!(zipf_weights(4, 1_000), [first, first / 2, 1_431_655_765, first / 4]);
        assert_eq!(zipf_weights(2, 2_000), [first, first / 4]);
        assert_eq!(zipf_weights(3, 0), [first; 3]);
        assert!(zipf_weights(1_000, 10_000).iter().all(|weight| *weight > 0), "nobody is impossible");
    }
}
