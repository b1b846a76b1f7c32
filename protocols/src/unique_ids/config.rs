//! The parameters of unique ids, and which of them make no sense.

use sim_core::Span;

use super::generator::{NODES_MAX, NODES_MAX_COUNTER};
use super::mutants::Mutant;

/// What a Snowflake node does while its wall clock is behind what it has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Regress {
    /// It refuses: clients may ask others.
    #[default]
    Refuse,
    /// It lets clients wait.
    Wait,
}

/// How ids are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The node and a counter.
    Counter {
        /// How many numbers are reserved at a time, at least 1.
        block: u64,
    },
    /// Milliseconds of the wall clock, the node, and a sequence number.
    Snowflake {
        /// What happens while the clock is back.
        regress: Regress,
        /// How much time is reserved at a time, at least 1 ms, and longer than a write to disk takes.
        block: Span,
    },
    /// The time of a hybrid clock, and the node.
    Hybrid {
        /// ε, how far wall clocks can be apart.
        epsilon: Span,
        /// How much time is reserved at a time, above 0, and longer than a write to disk takes.
        block: Span,
        /// How often a node tells another the time, above 0.
        beat: Span,
    },
}

impl Default for Kind {
    fn default() -> Self {
        Self::Counter { block: 100 }
    }
}

/// What all nodes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many nodes there are, at least 1.
    pub node_count: u32,
    /// How ids are made. Default: a counter with blocks of 100.
    pub kind: Kind,
    /// How many requests may wait at a node, at least 1; beyond it clients are refused. Default 1,000.
    pub waiting_max: usize,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Two nodes would have one number.
    #[error("there are {nodes} nodes, and an id has room for {room}")]
    TooManyNodes {
        /// How many there are.
        nodes: u32,
        /// How many fit.
        room: u32,
    },
    /// A block has nothing in it.
    #[error("a block of {0} is no block: no id could be given before the next is reserved")]
    EmptyBlock(String),
    /// A node would tell others the time endlessly in one instant.
    #[error("`beat` must be longer than 0")]
    NoBeat,
    /// Nobody could ever ask.
    #[error("with `waiting_max` of 0 nobody can ask")]
    NoWaiting,
}

impl Config {
    /// So many nodes with the default parameters.
    pub const fn new(node_count: u32) -> Self {
        Self { node_count, kind: Kind::Counter { block: 100 }, waiting_max: 1_000, mutant: None }
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (empty, room) = match self.kind {
            Kind::Counter { block } => ((block == 0).then(|| block.to_string()), NODES_MAX_COUNTER),
            Kind::Snowflake { block, .. } => {
                ((block < Span::millis(1)).then(|| block.to_string()), NODES_MAX)
            }
            Kind::Hybrid { block, .. } => (block.is_zero().then(|| block.to_string()), NODES_MAX),
        };
        if let Some(block) = empty {
            return Err(ConfigError::EmptyBlock(block));
        }
        if self.node_count > room {
            return Err(ConfigError::TooManyNodes { nodes: self.node_count, room });
        }
        if matches!(self.kind, Kind::Hybrid { beat, .. } if beat.is_zero()) {
            return Err(ConfigError::NoBeat);
        }
        if self.waiting_max == 0 { Err(ConfigError::NoWaiting) } else { Ok(()) }
    }

    /// Whether nodes have this bug.
    #[inline]
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_parameters_are_refused() {
        let with = |kind| Config { kind, ..Config::new(3) }.validate();
        assert_eq!(Config::new(1).validate(), Ok(()));
        assert_eq!(with(Kind::Counter { block: 0 }), Err(ConfigError::EmptyBlock("0".into())));
        let block = Span::micros(999);
        let snowflake = Kind::Snowflake { regress: Regress::Wait, block };
        assert_eq!(with(snowflake), Err(ConfigError::EmptyBlock(block.to_string())));
        let hybrid = Kind::Hybrid { epsilon: Span::ZERO, block, beat: Span::ZERO };
        assert_eq!(with(hybrid), Err(ConfigError::NoBeat));
        let block = Span::millis(5);
        let many = Config { kind: Kind::Snowflake { regress: Regress::Wait, block }, ..Config::new(1_025) };
        assert_eq!(many.validate(), Err(ConfigError::TooManyNodes { nodes: 1_025, room: 1_024 }));
        assert_eq!(Config { waiting_max: 0, ..Config::new(1) }.validate(), Err(ConfigError::NoWaiting));
    }
}
