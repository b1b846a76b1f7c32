//! Echo in scenarios.

use protocols::echo::{Config, ConfigError, Echo, Mutant, invariants};
use protocols::mutant::MutantAbout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::MutantName;
use super::kind::Builtin;
use super::objections::no_time;
use crate::text::units::Time;
use crate::validate::Objection;

/// The parameters of echo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How long a node waits for a peer before it asks the next one, above 0. Default `50ms`.
    pub retry_after: Time,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { retry_after: Config::new(1).retry_after.into(), mutant: None }
    }
}

impl Builtin for Parameters {
    type Process = Echo;

    const SUMMARY: &'static str =
        "the template: a node answers what it was asked, after a peer has said it back";
    const SERVICES: &'static [Service] = &[Service::Echo];
    const REGION_COUNT: u8 = 0;

    fn config(&self, members: &[NodeId]) -> Config {
        let node_count = members.last().map_or(0, |last| last.raw() + 1);
        let mutant = MutantName::resolve(self.mutant.as_ref(), Mutant::by_name);
        Config { node_count, retry_after: self.retry_after.span(), mutant }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(|error| match error {
            ConfigError::NoNodes => {
                let hint = "leave at least one node that is no spare";
                Objection::new("spares", error.to_string(), "fewer spares than nodes", hint)
            }
            ConfigError::NoRetryTime => no_time("retry_after", &error),
        })
    }

    fn invariants(_config: &Config) -> Vec<Box<dyn Invariant<Echo>>> {
        invariants::all()
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}
