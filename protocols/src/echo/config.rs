//! Parameters.

use sim_core::Span;

use super::mutants::Mutant;

/// What all nodes share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many nodes there are, at least 1: all of them take part.
    pub node_count: u32,
    /// How long a node waits for a peer before it asks the next one. Default 50 ms.
    pub retry_after: Span,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody would answer.
    #[error("echo needs at least one node")]
    NoNodes,
    /// A node would ask again and again in the same instant.
    #[error("`retry_after` must be longer than 0, else a node asks endlessly in one instant")]
    NoRetryTime,
}

impl Config {
    /// `node_count` nodes with the default parameters.
    pub const fn new(node_count: u32) -> Self {
        Self { node_count, retry_after: Span::millis(50), mutant: None }
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub const fn validate(&self) -> Result<(), ConfigError> {
        if self.node_count == 0 {
            return Err(ConfigError::NoNodes);
        }
        if self.retry_after.is_zero() {
            return Err(ConfigError::NoRetryTime);
        }
        Ok(())
    }
}
