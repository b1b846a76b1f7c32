//! Multi-Paxos in scenarios.

use protocols::paxos::config::Reads;
use protocols::paxos::{Config, ConfigError, Lease, Mutant, Paxos, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::process::{Message as _, Process, Timer as _};
use sim_core::service::Service;
use sim_core::{NodeId, Simulation, Span};

use super::quorums::Quorums;
use super::{MutantName, Protocol, ProtocolAbout, ProtocolKind};
use crate::assemble::Blueprint;
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

impl Parameters {
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
}

/// What is known of Multi-Paxos.
pub(super) struct Kind;

impl ProtocolKind for Kind {
    fn about(&self) -> ProtocolAbout {
        ProtocolAbout {
            name: "paxos".to_owned(),
            summary:
                "Multi-Paxos: a sequence of decisions under a stable leader, and a key-value store on it"
                    .to_owned(),
            services: vec![Service::Kv],
            region_count: 3,
            parameters: schemars::schema_for!(Parameters),
            invariants: invariants::all(&Config::new([]))
                .iter()
                .map(|invariant| *invariant.about())
                .collect(),
            mutants: Mutant::ALL.iter().map(|mutant| mutant.about()).collect(),
            message_kinds: <Paxos as Process>::Message::KINDS.to_vec(),
            timers: <Paxos as Process>::Timer::NAMES.to_vec(),
            points: Paxos::POINTS.to_vec(),
        }
    }

    fn check(&self, protocol: &Protocol, members: &[NodeId]) -> Result<(), Objection> {
        parameters(protocol).config(members).validate().map_err(|error| objection(&error))
    }

    fn assemble(&self, protocol: &Protocol, members: &[NodeId], blueprint: Blueprint) -> Box<dyn Simulation> {
        let config = parameters(protocol).config(members);
        let invariants = invariants::all(&config);
        blueprint.build::<Paxos>(config, invariants)
    }
}

fn parameters(protocol: &Protocol) -> &Parameters {
    let Protocol::Paxos(parameters) = protocol else {
        panic!("the table hands Multi-Paxos its own parameters, not those of `{}`", protocol.name())
    };
    parameters
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::NoMembers => {
            Objection::new("spares", error.to_string()).hint("leave at least one node that is no spare")
        }
        ConfigError::OutOfReach(_) | ConfigError::MembersNotAscending { .. } => {
            Objection::new("nodes", error.to_string()).hint("fewer nodes, or some of them as `spares`")
        }
        ConfigError::Quorums(_) => Objection::new("protocol.quorums", error.to_string())
            .hint("larger quorums, or the mutant `disjoint-quorums` to see what happens"),
        ConfigError::NoHeartbeat => Objection::new("protocol.heartbeat", error.to_string()),
        ConfigError::EmptyElectionTimeout { low, .. } => {
            let twice = *low + (*low).max(Span::millis(1));
            let hint = format!("write a range such as `\"{low}..{twice}\"`");
            Objection::new("protocol.election_timeout", error.to_string()).hint(hint)
        }
        ConfigError::HeartbeatTooLong { low, .. } => {
            let third = Span::nanos(low.as_nanos() / 3);
            Objection::new("protocol.heartbeat", error.to_string()).hint(format!("such as `\"{third}\"`"))
        }
        ConfigError::LeaseTooShort { .. } | ConfigError::DriftTooLarge(_) => {
            Objection::new("protocol.reads", error.to_string())
        }
        ConfigError::ZeroLimit(name) => Objection::new(&format!("protocol.{name}"), error.to_string()),
    }
}
