//! Raft in scenarios.

use protocols::raft::{Config, ConfigError, Mutant, Raft, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::process::{Message as _, Process, Timer as _};
use sim_core::service::Service;
use sim_core::{NodeId, Simulation, Span};

use super::{MutantName, Protocol, ProtocolAbout, ProtocolKind};
use crate::assemble::Blueprint;
use crate::text::units::{Time, TimeRange};
use crate::validate::Objection;

/// The parameters of Raft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How often a leader sends to each follower at least; shorter than any election timeout. Default `50ms`.
    pub heartbeat: Time,
    /// From where election timeouts are drawn, the end excluded. Default `150ms..300ms`.
    pub election_timeout: TimeRange,
    /// How many entries one message carries at most, at least 1. Default 64.
    pub append_entries_max: u64,
    /// How many entries may be on their way to one follower, at least 1. Default 1,024.
    pub in_flight_max: u64,
    /// How many entries of a leader may be uncommitted before it refuses clients, at least 1. Default 10,000.
    pub uncommitted_max: u64,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new([]);
        let timeout = TimeRange::new(usual.election_timeout.start, usual.election_timeout.end);
        Self {
            heartbeat: usual.heartbeat.into(),
            election_timeout: timeout.expect("Raft's own default is a range"),
            append_entries_max: usual.append_entries_max,
            in_flight_max: usual.in_flight_max,
            uncommitted_max: usual.uncommitted_max,
            mutant: None,
        }
    }
}

impl Parameters {
    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            heartbeat: self.heartbeat.span(),
            election_timeout: self.election_timeout.low()..self.election_timeout.high(),
            append_entries_max: self.append_entries_max,
            in_flight_max: self.in_flight_max,
            uncommitted_max: self.uncommitted_max,
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
            ..Config::new(members.iter().copied())
        }
    }
}

/// What is known of Raft.
pub(super) struct Kind;

impl ProtocolKind for Kind {
    fn about(&self) -> ProtocolAbout {
        ProtocolAbout {
            name: "raft".to_owned(),
            summary: "a replicated log with a strong leader, and a key-value store on it".to_owned(),
            services: vec![Service::Kv],
            region_count: 2,
            parameters: schemars::schema_for!(Parameters),
            invariants: invariants::all().iter().map(|invariant| *invariant.about()).collect(),
            mutants: Mutant::ALL.iter().map(|mutant| mutant.about()).collect(),
            message_kinds: <Raft as Process>::Message::KINDS.to_vec(),
            timers: <Raft as Process>::Timer::NAMES.to_vec(),
            points: Raft::POINTS.to_vec(),
        }
    }

    fn check(&self, protocol: &Protocol, members: &[NodeId]) -> Result<(), Objection> {
        parameters(protocol).config(members).validate().map_err(|error| objection(&error))
    }

    fn assemble(&self, protocol: &Protocol, members: &[NodeId], blueprint: Blueprint) -> Box<dyn Simulation> {
        blueprint.build::<Raft>(parameters(protocol).config(members), invariants::all())
    }
}

fn parameters(protocol: &Protocol) -> &Parameters {
    let Protocol::Raft(parameters) = protocol else {
        panic!("the table hands Raft its own parameters, not those of `{}`", protocol.name())
    };
    parameters
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::NoMembers => {
            Objection::new("spares", error.to_string()).hint("leave at least one node that is no spare")
        }
        ConfigError::TooManyMembers(_) | ConfigError::MembersNotAscending { .. } => {
            Objection::new("nodes", error.to_string()).hint("fewer nodes, or some of them as `spares`")
        }
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
        ConfigError::ZeroLimit(name) => Objection::new(&format!("protocol.{name}"), error.to_string()),
    }
}
