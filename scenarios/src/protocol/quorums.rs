//! Quorum systems as scenario files write them.

use protocols::replicated;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which sets of members are enough for each of the two phases. Every phase 1 quorum must meet every phase 2 quorum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Quorums {
    /// More than half, in both phases.
    #[default]
    Majority,
    /// Any so many: `Sizes(phase1: 3, phase2: 2)` of 4. Their sum must be more than all.
    Sizes {
        /// Members of a phase 1 quorum: new leaders need them.
        phase1: u8,
        /// Members of a phase 2 quorum: every command needs them.
        phase2: u8,
    },
    /// Members in rows and columns, row by row: `Grid(rows: 2, columns: 3)` of 6. A row is a phase 1 quorum, a column a
    /// phase 2 quorum.
    Grid {
        /// How many rows.
        rows: u8,
        /// How many columns.
        columns: u8,
    },
    /// Members with weights: `Weights(weights: [3, 1, 1], phase1: 3, phase2: 3)`. The sum of the thresholds must be more
    /// than the weight of all.
    Weights {
        /// The weight of each member, in their order.
        weights: Vec<u64>,
        /// What a phase 1 quorum weighs at least.
        phase1: u64,
        /// What a phase 2 quorum weighs at least.
        phase2: u64,
    },
}

impl Quorums {
    /// The protocols' own form.
    pub(super) fn system(&self) -> replicated::Quorums {
        match self {
            Self::Majority => replicated::Quorums::Majority,
            Self::Sizes { phase1, phase2 } => {
                replicated::Quorums::Sizes { phase1: usize::from(*phase1), phase2: usize::from(*phase2) }
            }
            Self::Grid { rows, columns } => {
                replicated::Quorums::Grid { rows: usize::from(*rows), columns: usize::from(*columns) }
            }
            Self::Weights { weights, phase1, phase2 } => replicated::Quorums::Weights {
                weights: weights.as_slice().into(),
                phase1: *phase1,
                phase2: *phase2,
            },
        }
    }
}
