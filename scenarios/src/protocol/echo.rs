//! Echo in scenarios.

use protocols::echo::{Config, ConfigError, Echo, Mutant, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::process::{Message as _, Process, Timer as _};
use sim_core::service::Service;
use sim_core::{NodeId, Simulation};

use super::{MutantName, Protocol, ProtocolAbout, ProtocolKind};
use crate::assemble::Blueprint;
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

impl Parameters {
    fn config(&self, members: &[NodeId]) -> Config {
        let node_count = members.last().map_or(0, |last| last.raw() + 1);
        let mutant = MutantName::resolve(self.mutant.as_ref(), Mutant::by_name);
        Config { node_count, retry_after: self.retry_after.span(), mutant }
    }
}

/// What is known of echo.
pub(super) struct Kind;

impl ProtocolKind for Kind {
    fn about(&self) -> ProtocolAbout {
        ProtocolAbout {
            name: "echo".to_owned(),
            summary: "the template: a node answers what it was asked, after a peer has said it back"
                .to_owned(),
            services: vec![Service::Echo],
            region_count: 0,
            parameters: schemars::schema_for!(Parameters),
            invariants: invariants::all().iter().map(|invariant| *invariant.about()).collect(),
            mutants: Mutant::ALL.iter().map(|mutant| mutant.about()).collect(),
            message_kinds: <Echo as Process>::Message::KINDS.to_vec(),
            timers: <Echo as Process>::Timer::NAMES.to_vec(),
            points: Echo::POINTS.to_vec(),
        }
    }

    fn check(&self, protocol: &Protocol, members: &[NodeId]) -> Result<(), Objection> {
        parameters(protocol).config(members).validate().map_err(|error| match error {
            ConfigError::NoNodes => Objection::new("spares", error.to_string()),
            ConfigError::NoRetryTime => Objection::new("protocol.retry_after", error.to_string()),
        })
    }

    fn assemble(&self, protocol: &Protocol, members: &[NodeId], blueprint: Blueprint) -> Box<dyn Simulation> {
        blueprint.build::<Echo>(parameters(protocol).config(members), invariants::all())
    }
}

fn parameters(protocol: &Protocol) -> &Parameters {
    let Protocol::Echo(parameters) = protocol else {
        panic!("the table hands echo its own parameters, not those of `{}`", protocol.name())
    };
    parameters
}
