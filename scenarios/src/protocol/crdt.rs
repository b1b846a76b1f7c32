//! Replicated data that merges in scenarios.

use protocols::crdt::{self, Config, ConfigError, Crdt, Mutant, invariants};
use protocols::mutant::MutantAbout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::MutantName;
use super::kind::Builtin;
use super::objections::{MORE_NODES, no_limit, no_time, too_few_nodes};
use crate::text::units::Time;
use crate::validate::Objection;

/// The parameters of replicated data that merges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// What is replicated. Default `PnCounter`.
    pub kind: Kind,
    /// What replicas send each other. Default `Delta`.
    pub shipping: Shipping,
    /// How often a replica sends to another one, above 0. Default `100ms`.
    pub period: Time,
    /// How many deltas a replica keeps for those that have not acknowledged them, at least 1. Default 1,000.
    pub deltas_max: u32,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// What is replicated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// A counter that grows: the service `counter`, where subtractions are refused.
    GCounter,
    /// A counter that grows and falls: the service `counter`.
    #[default]
    PnCounter,
    /// A set that grows: the service `set`.
    GSet,
    /// Multi-value registers under keys, where putting wins over removing: the service `kv`, without compare-and-set.
    OrMap,
}

/// What replicas send each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Shipping {
    /// All that they have, each time.
    State,
    /// What the other one has not acknowledged.
    #[default]
    Delta,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new(2);
        Self {
            kind: Kind::default(),
            shipping: Shipping::default(),
            period: usual.period.into(),
            deltas_max: usual.deltas_max,
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Crdt;

    const SUMMARY: &'static str =
        "counters, sets and maps whose replicas take changes alone and merge them in any order";
    const SERVICES: &'static [Service] = &[Service::Counter, Service::Set, Service::Kv];
    const REGION_COUNT: u8 = 1;

    fn services(&self) -> Vec<Service> {
        match self.kind {
            Kind::GCounter | Kind::PnCounter => vec![Service::Counter],
            Kind::GSet => vec![Service::Set],
            Kind::OrMap => vec![Service::Kv],
        }
    }

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            node_count: members.last().map_or(0, |last| last.raw() + 1),
            kind: match self.kind {
                Kind::GCounter => crdt::Kind::GCounter,
                Kind::PnCounter => crdt::Kind::PnCounter,
                Kind::GSet => crdt::Kind::GSet,
                Kind::OrMap => crdt::Kind::OrMap,
            },
            shipping: match self.shipping {
                Shipping::State => crdt::Shipping::State,
                Shipping::Delta => crdt::Shipping::Delta,
            },
            period: self.period.span(),
            deltas_max: self.deltas_max,
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(objection)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Crdt>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: ConfigError) -> Objection {
    match error {
        ConfigError::NoPeers(_) => too_few_nodes(&error, MORE_NODES),
        ConfigError::NoPeriod => no_time("period", &error),
        ConfigError::NoDeltas => no_limit("deltas_max", &error),
    }
}
