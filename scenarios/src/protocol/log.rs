//! The partitioned log in scenarios.

use protocols::log::{self, Config, ConfigError, Mutant, Node, invariants};
use protocols::mutant::MutantAbout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::MutantName;
use super::kind::Builtin;
use super::objections::{MORE_NODES, no_limit, no_time, parameter, too_few_nodes};
use crate::text::units::Time;
use crate::validate::Objection;

/// The parameters of a partitioned log. `n1` is the controller, all others are brokers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How many partitions clients use, 1 to 10,000; one more holds the offsets of consumers. Default 2.
    pub partitions: u32,
    /// On how many brokers each partition is, 1 to as many as there are. Default: 3, or as many as there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication: Option<u32>,
    /// How many must be in sync for a record to be taken and answered with `acks: All`, 1 to `replication`. Default: 2, or
    /// `replication` if that is less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_insync: Option<u32>,
    /// When an append is answered. Default `All`.
    pub acks: Acks,
    /// Whether a leader knows a record that is sent again. Default `true`.
    pub idempotence: bool,
    /// Whether somebody may lead who is not in sync, where nobody lives who is. Default `Clean`.
    pub election: Election,
    /// How often a broker tells the controller that it lives, above 0. Default `2s`.
    pub heartbeat: Time,
    /// After how long without a heartbeat the controller fences a broker, above `heartbeat`. Default `9s`.
    pub session_timeout: Time,
    /// After how long a follower that has not caught up is out of sync, above `fetch_wait`. Default `30s`.
    pub lag_max: Time,
    /// How long a follower waits for records or for an answer before it asks again, above 0. Default `500ms`.
    pub fetch_wait: Time,
    /// How many records a follower or a client gets at a time, at least 1. Default 500.
    pub fetch_max: u32,
    /// How often the controller gives partitions back to the first of their replicas, above 0. Default `10s`.
    pub rebalance: Time,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// When an append is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Acks {
    /// At once, before it is on any disk.
    Never,
    /// When it is on the leader's disk.
    Leader,
    /// When it is on the disks of all that are in sync.
    #[default]
    All,
}

/// Who may lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Election {
    /// Who is in sync; else nobody.
    #[default]
    Clean,
    /// Anybody, where nobody lives who is in sync: what it does not have is lost.
    Unclean,
}

/// A disk has no more regions.
const PARTITIONS_MAX: u32 = 10_000;

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new(4);
        Self {
            partitions: usual.partitions,
            replication: None,
            min_insync: None,
            acks: Acks::default(),
            idempotence: true,
            election: Election::default(),
            heartbeat: usual.heartbeat.into(),
            session_timeout: usual.session_timeout.into(),
            lag_max: usual.lag_max.into(),
            fetch_wait: usual.fetch_wait.into(),
            fetch_max: usual.fetch_max,
            rebalance: usual.rebalance.into(),
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Node;

    const SUMMARY: &'static str = "records in partitions, replicated among brokers: in-sync replicas, leader epochs, idempotent producers";
    const SERVICES: &'static [Service] = &[Service::Log];
    const REGION_COUNT: u8 = 4;

    fn region_count(&self) -> u16 {
        u16::try_from(self.partitions.saturating_add(2)).unwrap_or(u16::MAX)
    }

    fn config(&self, members: &[NodeId]) -> Config {
        let node_count = members.last().map_or(0, |last| last.raw() + 1);
        let usual = Config::new(node_count);
        let replication = self.replication.unwrap_or(usual.replication);
        Config {
            node_count,
            partitions: self.partitions,
            replication,
            min_insync: self.min_insync.unwrap_or_else(|| usual.min_insync.min(replication)),
            acks: match self.acks {
                Acks::Never => log::Acks::None,
                Acks::Leader => log::Acks::Leader,
                Acks::All => log::Acks::All,
            },
            idempotence: if self.idempotence { log::Idempotence::On } else { log::Idempotence::Off },
            election: match self.election {
                Election::Clean => log::Election::Clean,
                Election::Unclean => log::Election::Unclean,
            },
            heartbeat: self.heartbeat.span(),
            session_timeout: self.session_timeout.span(),
            lag_max: self.lag_max.span(),
            fetch_wait: self.fetch_wait.span(),
            fetch_max: self.fetch_max,
            rebalance: self.rebalance.span(),
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        if config.partitions > PARTITIONS_MAX {
            let problem = format!("a log cannot have {} `partitions`", config.partitions);
            return Err(parameter("partitions", &problem, format!("1 to {PARTITIONS_MAX}"), "or fewer"));
        }
        config.validate().map_err(objection)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Node>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: ConfigError) -> Objection {
    match error {
        ConfigError::TooFewNodes(_) => {
            too_few_nodes(&error, "the first node is the controller, all others are brokers")
        }
        ConfigError::TooManyNodes(_) => {
            Objection::new("nodes", error.to_string(), "2 to 64", "write fewer `nodes`")
        }
        ConfigError::NoPartitions => no_limit("partitions", &error),
        ConfigError::NoReplicas => no_limit("replication", &error),
        ConfigError::TooManyReplicas { brokers, .. } => {
            parameter("replication", &error, format!("1 to {brokers}"), MORE_NODES)
        }
        ConfigError::TooManyInSync { replication, .. } => parameter(
            "min_insync",
            &error,
            format!("1 to {replication}"),
            "one less than `replication` is usual",
        ),
        ConfigError::NoTime(name) => no_time(name, &error),
        ConfigError::Nothing(name) => no_limit(name, &error),
        ConfigError::ShortSession { heartbeat, .. } => parameter(
            "session_timeout",
            &error,
            format!("times above `{heartbeat}`"),
            "several heartbeats, because some are lost",
        ),
        ConfigError::ShortLag { fetch_wait, .. } => {
            parameter("lag_max", &error, format!("times above `{fetch_wait}`"), "or a shorter `fetch_wait`")
        }
    }
}
