//! What equals draw: another node, and when to begin.

use sim_core::random::Stream;
use sim_core::{NodeId, Span};

/// A number below `limit`, each as likely as any.
///
/// # Panics
/// If `limit` is 0.
pub fn below(random: &mut Stream, limit: u32) -> u32 {
    u32::try_from(random.below(limit.into())).expect("below a 32-bit number")
}

/// Another node than `node` of the first `node_count`, each as likely as any.
///
/// # Panics
/// If there is no other.
pub fn other(random: &mut Stream, node: NodeId, node_count: u32) -> NodeId {
    let drawn = below(random, node_count - 1);
    NodeId::new(drawn + u32::from(drawn >= node.raw()))
}

/// A moment in a period, so that nodes with equal periods don't all begin at once.
///
/// # Panics
/// If `period` is 0.
pub fn phase(random: &mut Stream, period: Span) -> Span {
    Span::nanos(random.below(period.as_nanos()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sim_core::random::{KeySource, Purpose};

    use super::*;

    #[test]
    fn all_others_are_drawn_and_nobody_draws_itself() {
        let mut random = KeySource::new(5).stream(Purpose::Test, 0, 0);
        for node in [0, 2, 4].map(NodeId::new) {
            let drawn: BTreeSet<u32> = (0..200).map(|_| other(&mut random, node, 5).raw()).collect();
            let others: BTreeSet<u32> = (0..5).filter(|other| *other != node.raw()).collect();
            assert_eq!(drawn, others);
        }
    }

    #[test]
    fn a_phase_is_within_its_period() {
        let mut random = KeySource::new(5).stream(Purpose::Test, 0, 0);
        assert!((0..200).all(|_| phase(&mut random, Span::millis(7)) < Span::millis(7)));
    }
}
