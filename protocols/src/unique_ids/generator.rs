//! Positions, and the ids that are made of them.
//!
//! A generator is asked for its next position and gives out one after the other, each once and larger than before. Whether it may be
//! used is for its node to say, which knows what is on disk.

use serde::Serialize;
use sim_core::{LocalTime, NodeId, Span};

use super::config::{Config, Kind};
use super::mutants::Mutant;
use crate::clocks::{Hybrid, Timestamp, TooFarAhead};

/// Bits of the node in ids of a counter.
const NODE_BITS_COUNTER: u32 = 16;
/// Bits of the node in ids of a clock.
pub(super) const NODE_BITS: u32 = 10;
/// Bits of the sequence number in a Snowflake id.
const SEQUENCE_BITS: u32 = 12;
/// How many nodes fit with a counter.
pub(super) const NODES_MAX_COUNTER: u32 = 1 << NODE_BITS_COUNTER;
/// How many nodes fit with a clock.
pub(super) const NODES_MAX: u32 = 1 << NODE_BITS;

/// What makes ids. See the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Generator {
    /// A counter.
    Counter {
        /// The next number.
        next: u64,
    },
    /// Milliseconds and a sequence.
    Snowflake {
        /// The next millisecond that has sequence numbers left, and how many of them are used.
        next: (u64, u64),
    },
    /// A hybrid clock.
    Hybrid(Hybrid),
}

/// What a generator has next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// An id, and its position.
    Id {
        /// Where it stands: only below the bound on disk may it be used.
        position: u64,
        /// The id.
        id: u64,
    },
    /// The clock is behind what was used, by so much.
    ClockBack(Span),
    /// All of this millisecond is used.
    MillisecondFull,
}

impl Generator {
    /// One whose positions below `bound` may have been used.
    pub(super) fn after(bound: u64, config: &Config) -> Self {
        match config.kind {
            Kind::Counter { .. } => Self::Counter { next: bound },
            Kind::Snowflake { .. } => Self::Snowflake { next: (bound, 0) },
            Kind::Hybrid { epsilon, .. } => {
                Self::Hybrid(Hybrid::after(epsilon, Timestamp::from_number(bound)))
            }
        }
    }

    /// The next position and id of `node` when its wall clock shows `wall`. It counts as used only if [`Generator::take`] follows.
    pub(super) fn next(&self, config: &Config, node: NodeId, wall: LocalTime) -> Next {
        let node = if config.has(Mutant::NodeLeftOut) { 0 } else { u64::from(node.raw()) };
        match *self {
            Self::Counter { next } => {
                Next::Id { position: next, id: node << (64 - NODE_BITS_COUNTER) | next }
            }
            Self::Snowflake { next: (millisecond, used) } => {
                let now = wall.as_nanos() / 1_000_000;
                if now < millisecond && !config.has(Mutant::ClockBackIgnored) {
                    return Next::ClockBack(Span::millis(millisecond - now));
                }
                let used = if now == millisecond { used } else { 0 };
                if used >> SEQUENCE_BITS > 0 {
                    return Next::MillisecondFull;
                }
                let id = (now << NODE_BITS | node) << SEQUENCE_BITS | used;
                Next::Id { position: now, id }
            }
            Self::Hybrid(mut clock) => {
                let position = clock.tick(wall).number();
                Next::Id { position, id: position << NODE_BITS | node }
            }
        }
    }

    /// The position that [`Generator::next`] has given is used.
    pub(super) fn take(&mut self, wall: LocalTime) {
        match self {
            Self::Counter { next } => *next += 1,
            Self::Snowflake { next: (millisecond, used) } => {
                let now = wall.as_nanos() / 1_000_000;
                *used = if now == *millisecond { *used + 1 } else { 1 };
                *millisecond = now;
            }
            Self::Hybrid(clock) => _ = clock.tick(wall),
        }
    }

    /// Another node says what time it is; whether it was ahead.
    pub(super) fn observe(&mut self, wall: LocalTime, remote: Timestamp) -> Result<bool, TooFarAhead> {
        let Self::Hybrid(clock) = self else { unreachable!("only hybrid clocks are told the time") };
        let is_ahead = remote > clock.last();
        clock.observe(wall, remote)?;
        Ok(is_ahead)
    }
}

/// How many positions a block has.
pub(super) fn block(kind: Kind) -> u64 {
    match kind {
        Kind::Counter { block } => block,
        Kind::Snowflake { block, .. } => block.as_nanos() / 1_000_000,
        Kind::Hybrid { block, .. } => block.as_nanos(),
    }
}

/// The physical time in an id, if there is one.
pub fn time_in(id: u64, kind: Kind) -> Option<LocalTime> {
    match kind {
        Kind::Counter { .. } => None,
        Kind::Snowflake { .. } => {
            Some(LocalTime::from_nanos((id >> (NODE_BITS + SEQUENCE_BITS)) * 1_000_000))
        }
        Kind::Hybrid { .. } => Some(Timestamp::from_number(id >> NODE_BITS).physical()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unique_ids::Regress;

    fn wall(millis: u64) -> LocalTime {
        LocalTime::ZERO + Span::millis(millis)
    }

    #[test]
    fn a_snowflake_has_the_bits_of_its_readme() {
        let kind = Kind::Snowflake { regress: Regress::Refuse, block: Span::millis(10) };
        let config = Config { kind, ..Config::new(9) };
        let mut generator = Generator::after(0, &config);
        let next = |generator: &Generator, at| generator.next(&config, NodeId::new(5), wall(at));
        let id = |at: u64, sequence: u64| Next::Id { position: at, id: (at << 22) + (5 << 12) + sequence };
        assert_eq!(next(&generator, 7), id(7, 0));
        generator.take(wall(7));
        assert_eq!(next(&generator, 7), id(7, 1));
        assert_eq!((next(&generator, 8), next(&generator, 4)), (id(8, 0), Next::ClockBack(Span::millis(3))));
        for _ in 1..4_096 {
            generator.take(wall(7));
        }
        assert_eq!(next(&generator, 7), Next::MillisecondFull);
        assert_eq!(time_in((7 << 22) + (5 << 12) + 4_095, kind), Some(wall(7)));
    }

    #[test]
    fn a_generator_goes_on_at_its_bound_whatever_the_clock_shows() {
        let kind = Kind::Hybrid { epsilon: Span::millis(1), block: Span::millis(1), beat: Span::millis(1) };
        let config = Config { kind, ..Config::new(2) };
        let bound = 1 << 40;
        let Next::Id { position, id } =
            Generator::after(bound, &config).next(&config, NodeId::new(1), wall(1))
        else {
            panic!("a hybrid clock always has a time")
        };
        assert!(position >= bound && id == (position << 10) + 1);
        let counter = Config::new(2);
        let Next::Id { position, id } =
            Generator::after(300, &counter).next(&counter, NodeId::new(1), wall(1))
        else {
            panic!("so has a counter")
        };
        assert_eq!((position, id), (300, (1 << 48) + 300));
    }
}
