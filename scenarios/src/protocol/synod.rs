//! The Synod in scenarios.

use protocols::mutant::MutantAbout;
use protocols::synod::{self, Config, ConfigError, Mutant, Synod, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::MutantName;
use super::kind::Builtin;
use super::objections;
use super::quorums::Quorums;
use crate::text::units::{Time, TimeRange};
use crate::validate::Objection;

/// The parameters of the Synod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Which sets of acceptors are enough. Default `Majority`.
    pub quorums: Quorums,
    /// Who hears of it when an acceptor accepts. Default `Everybody`.
    pub learning: Learning,
    /// How long a proposer waits for a quorum before it takes another ballot, above 0. Default `100ms`.
    pub ballot_timeout: Time,
    /// From where the pause of a pre-empted proposer is drawn. Default `5ms..50ms`. With a single time such as `0ms`
    /// proposers may pre-empt each other for ever.
    pub backoff: TimeRange,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// Who hears of it when an acceptor accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Learning {
    /// Every node.
    #[default]
    Everybody,
    /// The proposer, which tells the others: fewer messages, one delay more.
    Proposer,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new([]);
        let backoff = TimeRange::new(*usual.backoff.start(), *usual.backoff.end());
        Self {
            quorums: Quorums::default(),
            learning: Learning::default(),
            ballot_timeout: usual.ballot_timeout.into(),
            backoff: backoff.expect("the Synod's own default is a range"),
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Synod;

    const SUMMARY: &'static str =
        "single-decree Paxos: nodes agree on one value, a register that is written once";
    const SERVICES: &'static [Service] = &[Service::Kv];
    const REGION_COUNT: u8 = 2;

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            quorums: self.quorums.system(),
            learning: match self.learning {
                Learning::Everybody => synod::Learning::Everybody,
                Learning::Proposer => synod::Learning::Proposer,
            },
            ballot_timeout: self.ballot_timeout.span(),
            backoff: self.backoff.low()..=self.backoff.high(),
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
            ..Config::new(members.iter().copied())
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(|error| objection(&error))
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Synod>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::Members(error) => objections::members(error),
        ConfigError::Quorums(wrong) => objections::quorums(wrong),
        ConfigError::NoBallotTimeout => objections::no_time("ballot_timeout", error),
        ConfigError::EmptyBackoff { .. } => objections::reversed("backoff", error),
    }
}
