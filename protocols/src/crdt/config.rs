//! The parameters of replicated data, and which of them make no sense.

use serde::Serialize;
use sim_core::Span;

use super::mutants::Mutant;

/// What is replicated, and which service it offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// A counter that grows: `counter` without subtraction.
    GCounter,
    /// A counter that grows and falls: `counter`.
    #[default]
    PnCounter,
    /// A set that grows: `set`.
    GSet,
    /// Multi-value registers under keys, where putting wins over removing: `kv` without compare-and-set.
    OrMap,
}

/// What replicas send each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Shipping {
    /// The whole state, each time.
    State,
    /// What has changed since the other one last acknowledged something, and the whole state where that is not kept any
    /// more (Almeida et al., algorithm 2).
    #[default]
    Delta,
}

/// What all replicas share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Config {
    /// How many replicas there are, at least 2: the first so many nodes.
    pub node_count: u32,
    /// What is replicated.
    pub kind: Kind,
    /// What is sent.
    pub shipping: Shipping,
    /// How often a replica sends to another one, drawn from all. Default 100 ms.
    pub period: Span,
    /// How many deltas a replica keeps for those that have not acknowledged them, at least 1. Default 1,000.
    pub deltas_max: u32,
    /// The bug to have; default none.
    #[serde(skip)]
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody could be sent anything.
    #[error("data is replicated on at least two nodes, and there are {0}")]
    NoPeers(u32),
    /// A replica would send endlessly in one instant.
    #[error("`period` must be longer than 0, else a replica sends endlessly in one instant")]
    NoPeriod,
    /// No delta could ever be sent.
    #[error("with `deltas_max` 0 no delta is kept: that is `shipping: State`")]
    NoDeltas,
}

impl Config {
    /// So many replicas with the default parameters.
    pub const fn new(node_count: u32) -> Self {
        Self {
            node_count,
            kind: Kind::PnCounter,
            shipping: Shipping::Delta,
            period: Span::millis(100),
            deltas_max: 1_000,
            mutant: None,
        }
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub const fn validate(&self) -> Result<(), ConfigError> {
        if self.node_count < 2 {
            return Err(ConfigError::NoPeers(self.node_count));
        }
        if self.period.is_zero() {
            return Err(ConfigError::NoPeriod);
        }
        if self.deltas_max == 0 {
            return Err(ConfigError::NoDeltas);
        }
        Ok(())
    }

    /// Whether replicas have this bug.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}
