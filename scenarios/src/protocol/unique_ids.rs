//! Unique ids in scenarios.

use protocols::mutant::MutantAbout;
use protocols::unique_ids::{self, Config, ConfigError, Mutant, UniqueIds, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::check::Invariant;
use sim_core::service::Service;
use sim_core::{NodeId, Span};

use super::MutantName;
use super::kind::Builtin;
use super::objections::{no_limit, no_time, parameter};
use crate::text::units::Time;
use crate::validate::Objection;

/// The parameters of unique ids. Every node gives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How ids are made. Default `Counter()`.
    pub kind: Kind,
    /// How many requests may wait at a node, at least 1. Default 1,000.
    pub waiting_max: u32,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// How ids are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// The node and a counter.
    Counter {
        /// How many numbers are reserved at a time, at least 1. Default 100.
        #[serde(default = "hundred")]
        block: u64,
    },
    /// Milliseconds of the wall clock, the node, and a sequence number.
    Snowflake {
        /// What a node does while its clock is behind what it has used. Default `Refuse`.
        #[serde(default)]
        regress: Regress,
        /// How much time is reserved at a time, at least `1ms`. Default `100ms`.
        #[serde(default = "tenth_of_a_second")]
        block: Time,
    },
    /// The time of a hybrid logical clock, and the node.
    Hybrid {
        /// How far wall clocks can be apart. Default `10ms`.
        #[serde(default = "hundredth_of_a_second")]
        epsilon: Time,
        /// How much time is reserved at a time, above 0. Default `100ms`.
        #[serde(default = "tenth_of_a_second")]
        block: Time,
        /// How often a node tells another the time, above 0. Default `10ms`.
        #[serde(default = "hundredth_of_a_second")]
        beat: Time,
    },
}

/// What a Snowflake node does while its wall clock is behind what it has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Regress {
    /// It refuses: clients may ask others.
    #[default]
    Refuse,
    /// It lets clients wait.
    Wait,
}

const fn hundred() -> u64 {
    100
}

fn tenth_of_a_second() -> Time {
    Span::millis(100).into()
}

fn hundredth_of_a_second() -> Time {
    Span::millis(10).into()
}

impl Default for Parameters {
    fn default() -> Self {
        Self { kind: Kind::Counter { block: hundred() }, waiting_max: 1_000, mutant: None }
    }
}

impl Builtin for Parameters {
    type Process = UniqueIds;

    const SUMMARY: &'static str =
        "unique ids without asking others: counters with blocks, Snowflake's times, or hybrid logical clocks";
    const SERVICES: &'static [Service] = &[Service::UniqueIds];
    const REGION_COUNT: u8 = 1;

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            node_count: members.last().map_or(0, |last| last.raw() + 1),
            kind: match &self.kind {
                Kind::Counter { block } => unique_ids::Kind::Counter { block: *block },
                Kind::Snowflake { regress, block } => unique_ids::Kind::Snowflake {
                    regress: match regress {
                        Regress::Refuse => unique_ids::Regress::Refuse,
                        Regress::Wait => unique_ids::Regress::Wait,
                    },
                    block: block.span(),
                },
                Kind::Hybrid { epsilon, block, beat } => unique_ids::Kind::Hybrid {
                    epsilon: epsilon.span(),
                    block: block.span(),
                    beat: beat.span(),
                },
            },
            waiting_max: usize::try_from(self.waiting_max).unwrap_or(usize::MAX),
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(|error| objection(&error))
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<UniqueIds>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::TooManyNodes { room, .. } => Objection::new(
            "nodes",
            error.to_string(),
            format!("{room} and fewer"),
            "fewer nodes, or `Counter()`",
        ),
        ConfigError::EmptyBlock(_) => parameter(
            "kind",
            error,
            "a block of 1 and more, or of `1ms` and more",
            "leave `block` out for the usual one",
        ),
        ConfigError::NoBeat => no_time("kind", error),
        ConfigError::NoWaiting => no_limit("waiting_max", error),
    }
}
