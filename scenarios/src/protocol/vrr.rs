//! Viewstamped Replication in scenarios.

use protocols::vrr::{Config, ConfigError, Mutant, ReadMode, Vrr, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::process::{Message as _, Process, Timer as _};
use sim_core::service::Service;
use sim_core::{NodeId, Simulation, Span};

use super::{MutantName, Protocol, ProtocolAbout, ProtocolKind};
use crate::assemble::Blueprint;
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

impl Parameters {
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
}

/// What is known of Viewstamped Replication.
pub(super) struct Kind;

impl ProtocolKind for Kind {
    fn about(&self) -> ProtocolAbout {
        ProtocolAbout {
            name: "vrr".to_owned(),
            summary: "Viewstamped Replication Revisited: a replicated log without a disk, and a key-value store on it"
                .to_owned(),
            services: vec![Service::Kv],
            region_count: 0,
            parameters: schemars::schema_for!(Parameters),
            invariants: invariants::all().iter().map(|invariant| *invariant.about()).collect(),
            mutants: Mutant::ALL.iter().map(|mutant| mutant.about()).collect(),
            message_kinds: <Vrr as Process>::Message::KINDS.to_vec(),
            timers: <Vrr as Process>::Timer::NAMES.to_vec(),
            points: Vrr::POINTS.to_vec(),
        }
    }

    fn check(&self, protocol: &Protocol, members: &[NodeId]) -> Result<(), Objection> {
        parameters(protocol).config(members).validate().map_err(|error| objection(&error))
    }

    fn assemble(&self, protocol: &Protocol, members: &[NodeId], blueprint: Blueprint) -> Box<dyn Simulation> {
        blueprint.build::<Vrr>(parameters(protocol).config(members), invariants::all())
    }
}

fn parameters(protocol: &Protocol) -> &Parameters {
    let Protocol::Vrr(parameters) = protocol else {
        panic!("the table hands this protocol its own parameters, not those of `{}`", protocol.name())
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
        ConfigError::ReversedTimeout { .. } => {
            Objection::new("protocol.view_change_timeout", error.to_string())
        }
        ConfigError::HeartbeatTooLong { low, .. } => {
            let third = Span::nanos(low.as_nanos() / 3);
            Objection::new("protocol.heartbeat", error.to_string()).hint(format!("such as `\"{third}\"`"))
        }
        ConfigError::ZeroLimit(name) => Objection::new(&format!("protocol.{name}"), error.to_string()),
    }
}
