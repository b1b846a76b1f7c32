//! Quorum systems: which sets of members are enough for each of the two phases of Paxos.
//!
//! Paxos needs that whoever asks in phase 1 hears of what was accepted in phase 2. Any two majorities have a member in
//! common, and that does it; but it is more than is needed. **Flexible Paxos** (Howard, Malkhi, Spiegelman, 2016): only
//! quorums of *different* phases have to meet, ∀ q1 ∈ Q1, q2 ∈ Q2: q1 ∩ q2 ≠ ∅. Phase 2 happens for every command and
//! phase 1 only when leaders change, so small phase 2 quorums make the usual case faster, and leader changes need more
//! members alive.
//!
//! | system | a phase 1 quorum | a phase 2 quorum | they meet because |
//! | --- | --- | --- | --- |
//! | majority | more than half | more than half | two halves and more are more than all |
//! | sizes | any `phase1` members | any `phase2` members | `phase1 + phase2 > n` |
//! | grid | a whole row | a whole column | every row crosses every column |
//! | weights | members that weigh `phase1` | members that weigh `phase2` | `phase1 + phase2 >` the weight of all |

use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;

use super::node_set::NodeSet;

/// The two phases of Paxos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Prepare and promise.
    One,
    /// Accept and accepted.
    Two,
}

/// Which sets of members are enough. See the [module documentation](self).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Quorums {
    /// More than half, in both phases.
    #[default]
    Majority,
    /// Any so many.
    Sizes {
        /// Members of a phase 1 quorum.
        phase1: usize,
        /// Members of a phase 2 quorum.
        phase2: usize,
    },
    /// Members stand in rows and columns, row by row: the member at place `r * columns + c` in row r and column c. A
    /// row is a phase 1 quorum, a column a phase 2 quorum.
    Grid {
        /// How many rows.
        rows: usize,
        /// How many columns.
        columns: usize,
    },
    /// Members have weights, in their order.
    Weights {
        /// The weight of each.
        weights: Arc<[u64]>,
        /// What a phase 1 quorum weighs at least.
        phase1: u64,
        /// What a phase 2 quorum weighs at least.
        phase2: u64,
    },
}

/// Why a quorum system is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuorumsError {
    /// Fewer than one or more than all.
    #[error("a {phase} quorum of {size} among {members} members: it must be 1 to {members}")]
    Size {
        /// `phase 1` or `phase 2`.
        phase: &'static str,
        /// How many, or what weight.
        size: u64,
        /// Of how many, or of what weight.
        members: u64,
    },
    /// Rows times columns are not the members.
    #[error("a grid of {rows} rows and {columns} columns has {} places, but there are {members} members", rows * columns)]
    Grid {
        /// How many rows.
        rows: usize,
        /// How many columns.
        columns: usize,
        /// How many members.
        members: usize,
    },
    /// Not one weight for each member.
    #[error("{weights} weights for {members} members: each member needs one")]
    Weights {
        /// How many weights.
        weights: usize,
        /// How many members.
        members: usize,
    },
    /// Two quorums of different phases have no member in common.
    #[error(
        "a phase 1 quorum of {phase1} and a phase 2 quorum of {phase2} among {members} need not have a member in common, \
         so that a new proposer may never hear of a value that was chosen; {phase1} + {phase2} must be more than \
         {members} (Flexible Paxos: every phase 1 quorum meets every phase 2 quorum)"
    )]
    NoIntersection {
        /// Size or weight of a phase 1 quorum.
        phase1: u64,
        /// Size or weight of a phase 2 quorum.
        phase2: u64,
        /// Number or weight of all members.
        members: u64,
    },
}

impl Quorums {
    /// Whether this system fits `members` members, and every phase 1 quorum meets every phase 2 quorum.
    ///
    /// # Errors
    /// What does not fit, or that two quorums need not meet.
    pub fn validate(&self, members: usize) -> Result<(), QuorumsError> {
        self.validate_shape(members)?;
        let (phase1, phase2, all) = match self {
            Self::Majority | Self::Grid { .. } => return Ok(()),
            Self::Sizes { phase1, phase2 } => (*phase1 as u64, *phase2 as u64, members as u64),
            Self::Weights { weights, phase1, phase2 } => (*phase1, *phase2, total(weights)),
        };
        if u128::from(phase1) + u128::from(phase2) > u128::from(all) {
            Ok(())
        } else {
            Err(QuorumsError::NoIntersection { phase1, phase2, members: all })
        }
    }

    /// Whether it fits `members` members; whether its quorums meet is left open.
    ///
    /// # Errors
    /// What does not fit.
    pub fn validate_shape(&self, members: usize) -> Result<(), QuorumsError> {
        match self {
            Self::Majority => Ok(()),
            Self::Sizes { phase1, phase2 } => check_sizes(*phase1 as u64, *phase2 as u64, members as u64),
            Self::Grid { rows, columns } => match rows.checked_mul(*columns) {
                Some(places) if places == members && places > 0 => Ok(()),
                Some(_) | None => Err(QuorumsError::Grid { rows: *rows, columns: *columns, members }),
            },
            Self::Weights { weights, .. } if weights.len() != members => {
                Err(QuorumsError::Weights { weights: weights.len(), members })
            }
            Self::Weights { weights, phase1, phase2 } => check_sizes(*phase1, *phase2, total(weights)),
        }
    }

    /// Whether those of `members` that are in `set` are enough for a phase, or more than enough.
    #[inline]
    pub fn is_enough(&self, phase: Phase, set: NodeSet, members: NodeSet) -> bool {
        match self {
            Self::Majority => members.has_majority_in(set),
            Self::Sizes { phase1, phase2 } => {
                members.intersection(set).len() >= *phase.choose(phase1, phase2)
            }
            Self::Grid { rows, columns } => holds_line(set, members, (*rows, *columns), phase),
            Self::Weights { weights, phase1, phase2 } => {
                let weighed = members.iter().zip(weights.iter()).filter(|(member, _)| set.contains(*member));
                let weight = weighed.fold(0_u64, |sum, (_, weight)| sum.saturating_add(*weight));
                weight >= *phase.choose(phase1, phase2)
            }
        }
    }

    /// Whether it is defined for any number of members, so that members may come and go.
    pub const fn follows_members(&self) -> bool {
        matches!(self, Self::Majority)
    }
}

impl Phase {
    fn choose<T>(self, one: T, two: T) -> T {
        match self {
            Self::One => one,
            Self::Two => two,
        }
    }
}

/// Whether a grid has a row (phase 1) or a column (phase 2) whose members are all in `set`.
fn holds_line(set: NodeSet, members: NodeSet, (rows, columns): (usize, usize), phase: Phase) -> bool {
    let members: Vec<NodeId> = members.iter().collect();
    let has = |row: usize, column: usize| {
        members.get(row * columns + column).is_some_and(|node| set.contains(*node))
    };
    match phase {
        Phase::One => (0..rows).any(|row| (0..columns).all(|column| has(row, column))),
        Phase::Two => (0..columns).any(|column| (0..rows).all(|row| has(row, column))),
    }
}

fn check_sizes(phase1: u64, phase2: u64, members: u64) -> Result<(), QuorumsError> {
    let sizes = [("phase 1", phase1), ("phase 2", phase2)];
    match sizes.into_iter().find(|(_, size)| !(1..=members).contains(size)) {
        Some((phase, size)) => Err(QuorumsError::Size { phase, size, members }),
        None => Ok(()),
    }
}

fn total(weights: &[u64]) -> u64 {
    weights.iter().fold(0, |sum, weight| sum.saturating_add(*weight))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The nodes whose bits are set.
    fn nodes(bits: u64) -> NodeSet {
        (0..64).filter(|index| bits >> index & 1 == 1).map(NodeId::new).collect()
    }

    /// The first `count` nodes.
    fn first(count: usize) -> NodeSet {
        nodes((1 << count) - 1)
    }

    /// All sets of the first `members` nodes that are enough for a phase.
    fn quorums(system: &Quorums, phase: Phase, members: usize) -> Vec<NodeSet> {
        let all = (0..1_u64 << members).map(nodes);
        all.filter(|set| system.is_enough(phase, *set, first(members))).collect()
    }

    /// ∀ q1 ∈ Q1, q2 ∈ Q2: q1 ∩ q2 ≠ ∅, by looking at all of them.
    fn always_meet(system: &Quorums, members: usize) -> bool {
        let second = quorums(system, Phase::Two, members);
        quorums(system, Phase::One, members)
            .iter()
            .all(|q1| second.iter().all(|q2| !q1.intersection(*q2).is_empty()))
    }

    fn system() -> impl Strategy<Value = Quorums> {
        prop_oneof![
            Just(Quorums::Majority),
            (0_usize..8, 0_usize..8).prop_map(|(phase1, phase2)| Quorums::Sizes { phase1, phase2 }),
            (0_usize..4, 0_usize..4).prop_map(|(rows, columns)| Quorums::Grid { rows, columns }),
            (prop::collection::vec(0_u64..4, 1..7), 0_u64..12, 0_u64..12).prop_map(
                |(weights, phase1, phase2)| { Quorums::Weights { weights: weights.into(), phase1, phase2 } }
            ),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn quorums_of_a_valid_system_meet_and_all_members_are_one(system in system(), members in 1_usize..7) {
            if system.validate(members).is_ok() {
                prop_assert!(always_meet(&system, members));
                for phase in [Phase::One, Phase::Two] {
                    prop_assert!(system.is_enough(phase, first(members), first(members)));
                    prop_assert!(!system.is_enough(phase, NodeSet::EMPTY, first(members)));
                }
            }
        }

        #[test]
        fn sizes_and_unit_weights_are_refused_only_if_they_need_not_meet(phase1 in 1_usize..7, phase2 in 1_usize..7, members in 1_usize..7) {
            let sizes = Quorums::Sizes { phase1, phase2 };
            if sizes.validate_shape(members).is_ok() {
                prop_assert_eq!(sizes.validate(members).is_ok(), always_meet(&sizes, members));
                let weights = vec![1; members].into();
                let weighed = Quorums::Weights { weights, phase1: phase1 as u64, phase2: phase2 as u64 };
                prop_assert_eq!(weighed.validate(members).is_ok(), sizes.validate(members).is_ok());
            }
        }

        #[test]
        fn a_superset_of_a_quorum_is_one(system in system(), set in 0_u64..64, more in 0_u64..64) {
            for phase in [Phase::One, Phase::Two] {
                if system.validate_shape(6).is_ok() && system.is_enough(phase, nodes(set), first(6)) {
                    prop_assert!(system.is_enough(phase, nodes(set | more), first(6)));
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_reason() {
        let error = |system: &Quorums, members| system.validate(members).expect_err("refused").to_string();
        let sizes = Quorums::Sizes { phase1: 2, phase2: 2 };
        assert!(error(&sizes, 4).contains("2 + 2 must be more than 4"), "{}", error(&sizes, 4));
        assert_eq!(sizes.validate(3), Ok(()));
        assert!(error(&Quorums::Sizes { phase1: 0, phase2: 5 }, 5).contains("a phase 1 quorum of 0"));
        assert!(error(&Quorums::Grid { rows: 2, columns: 3 }, 5).contains("has 6 places"));
        let weights = Quorums::Weights { weights: [2, 1, 1].into(), phase1: 2, phase2: 2 };
        assert!(error(&weights, 3).contains("2 + 2 must be more than 4"));
        assert!(error(&weights, 4).contains("3 weights for 4 members"));
    }

    #[test]
    fn with_an_even_number_of_members_half_is_enough_for_phase_two() {
        assert_eq!(Quorums::Sizes { phase1: 3, phase2: 2 }.validate(4), Ok(()));
    }

    #[test]
    fn a_grid_needs_a_row_and_a_column() {
        let grid = Quorums::Grid { rows: 2, columns: 3 };
        let (row, column, all) = (nodes(0b11_1000), nodes(0b01_0010), first(6));
        assert!(grid.is_enough(Phase::One, row, all) && !grid.is_enough(Phase::Two, row, all));
        assert!(grid.is_enough(Phase::Two, column, all) && !grid.is_enough(Phase::One, column, all));
    }
}
