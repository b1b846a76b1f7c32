//! Viewstamped Replication in scenarios.

use protocols::mutant::MutantAbout;
use protocols::vrr::{Config, ConfigError, Mutant, ReadMode, Vrr, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::MutantName;
use super::kind::Builtin;
use super::objections;
use crate::text::units::{Time, TimeRange};
use crate::validate::Objection;

/// The parameters of Viewstamped Replication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How often a primary sends to each backup at least, and how often messages of view changes and recovery are
    /// repeated; shorter than any view change timeout. Default `50ms`.
    pub heartbeat: Time,
    /// From where the time is drawn after which a replica gives up its view, the end excluded. Default
    /// `150ms..300ms`.
    pub view_change_timeout: TimeRange,
    /// How many requests one message carries at most, at least 1. Default 64.
    pub batch_max: u64,
    /// How many requests may be on their way to one backup, at least 1. Default 1,024.
    pub in_flight_max: u64,
    /// How many requests of a primary may be uncommitted before it refuses clients, at least 1. Default 10,000.
    pub uncommitted_max: u64,
    /// A log keeps between one and two times so many executed requests, at least 1; who needs older ones gets a
    /// checkpoint. Default 1,000.
    pub checkpoint_interval: u64,
    /// How a primary answers reads. Default `Confirm`.
    pub reads: Reads,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// How a primary answers reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Reads {
    /// From its state, after a round of messages that shows that its view is still the newest.
    #[default]
    Confirm,
    /// Through the log, like a write.
    Log,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new([]);
        let timeout = TimeRange::new(usual.view_change_timeout.start, usual.view_change_timeout.end);
        Self {
            heartbeat: usual.heartbeat.into(),
            view_change_timeout: timeout.expect("the protocol's own default is a range"),
            batch_max: usual.batch_max,
            in_flight_max: usual.in_flight_max,
            uncommitted_max: usual.uncommitted_max,
            checkpoint_interval: usual.checkpoint_interval,
            reads: Reads::default(),
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Vrr;

    const SUMMARY: &'static str =
        "Viewstamped Replication Revisited: a replicated log without a disk, and a key-value store on it";
    const SERVICES: &'static [Service] = &[Service::Kv];
    const REGION_COUNT: u8 = 0;

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            heartbeat: self.heartbeat.span(),
            view_change_timeout: self.view_change_timeout.low()..self.view_change_timeout.high(),
            batch_max: self.batch_max,
            in_flight_max: self.in_flight_max,
            uncommitted_max: self.uncommitted_max,
            checkpoint_interval: self.checkpoint_interval,
            reads: match self.reads {
                Reads::Confirm => ReadMode::Confirm,
                Reads::Log => ReadMode::Log,
            },
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
            ..Config::new(members.iter().copied())
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(|error| objection(&error))
    }

    fn invariants(_config: &Config) -> Vec<Box<dyn Invariant<Vrr>>> {
        invariants::all()
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::Members(error) => objections::members(error),
        ConfigError::NoHeartbeat => objections::no_time("heartbeat", error),
        ConfigError::ReversedTimeout { .. } => objections::reversed("view_change_timeout", error),
        ConfigError::HeartbeatTooLong { low, .. } => objections::heartbeat_too_long(*low, error),
        ConfigError::ZeroLimit(name) => objections::no_limit(name, error),
    }
}
