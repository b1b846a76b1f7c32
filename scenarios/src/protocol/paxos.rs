//! Multi-Paxos in scenarios.

use protocols::mutant::MutantAbout;
use protocols::paxos::config::Reads;
use protocols::paxos::{Config, ConfigError, Lease, Mutant, Paxos, invariants};
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

/// The parameters of Multi-Paxos.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Which sets of acceptors are enough for each phase. Default `Majority`.
    pub quorums: Quorums,
    /// How often a leader shows that it lives; shorter than any election timeout. Default `50ms`.
    pub heartbeat: Time,
    /// From where election timeouts are drawn, the end excluded. Default `150ms..300ms`.
    pub election_timeout: TimeRange,
    /// How many slots may be proposed beyond the last one executed, at least 1. A change of the acceptors is in force so
    /// many slots after it was decided. Default 256.
    pub window: u64,
    /// How many proposals one message carries at most, at least 1. Default 64.
    pub batch_max: u64,
    /// How many clients may wait for a slot before others are refused, at least 1. Default 10,000.
    pub queue_max: u64,
    /// How many slots are executed between two snapshots; 0 for no snapshots. Default 10,000.
    pub snapshot_every: u64,
    /// How reads are answered. Default `Quorum`.
    pub reads: ReadMode,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// How reads are answered; all of them are linearizable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReadMode {
    /// By the leader, after a round of heartbeats to a phase 1 quorum.
    #[default]
    Quorum,
    /// By the leader, in a slot like a write.
    Slot,
    /// By the leader at once, while it holds a lease: `Lease(length: "120ms", drift_ppm: 1000)`.
    Lease {
        /// How long a lease lasts; with drift taken off, longer than the heartbeat interval.
        length: Time,
        /// How far clocks may drift from true time, in millionths: 0 to 499,999.
        drift_ppm: u32,
    },
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new([]);
        let timeout = TimeRange::new(usual.election_timeout.start, usual.election_timeout.end);
        Self {
            quorums: Quorums::default(),
            heartbeat: usual.heartbeat.into(),
            election_timeout: timeout.expect("the default of Multi-Paxos is a range"),
            window: usual.window,
            batch_max: usual.batch_max,
            queue_max: usual.queue_max,
            snapshot_every: usual.snapshot_every.unwrap_or(0),
            reads: ReadMode::default(),
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Paxos;

    const SUMMARY: &'static str =
        "Multi-Paxos: a sequence of decisions under a stable leader, and a key-value store on it";
    const SERVICES: &'static [Service] = &[Service::Kv];
    const REGION_COUNT: u8 = 4;

    fn config(&self, members: &[NodeId]) -> Config {
        let reads = match &self.reads {
            ReadMode::Quorum => Reads::Quorum,
            ReadMode::Slot => Reads::Slot,
            ReadMode::Lease { length, drift_ppm } => {
                Reads::Lease(Lease { length: length.span(), drift_ppm: *drift_ppm })
            }
        };
        Config {
            quorums: self.quorums.system(),
            heartbeat: self.heartbeat.span(),
            election_timeout: self.election_timeout.low()..self.election_timeout.high(),
            window: self.window,
            batch_max: self.batch_max,
            queue_max: self.queue_max,
            snapshot_every: (self.snapshot_every > 0).then_some(self.snapshot_every),
            reads,
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
            ..Config::new(members.iter().copied())
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(|error| objection(&error))
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Paxos>>> {
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
        ConfigError::NoHeartbeat => objections::no_time("heartbeat", error),
        ConfigError::EmptyElectionTimeout { low, .. } => objections::empty_election_timeout(*low, error),
        ConfigError::HeartbeatTooLong { low, .. } => objections::heartbeat_too_long(*low, error),
        ConfigError::LeaseTooShort { .. } | ConfigError::DriftTooLarge(_) => {
            let allowed = "leases that outlast a heartbeat, with drifts up to `499999ppm`";
            objections::parameter("reads", error, allowed, "leave `reads` out to read without a lease")
        }
        ConfigError::ZeroLimit(name) => objections::no_limit(name, error),
    }
}
