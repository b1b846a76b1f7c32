//! Chain replication in scenarios.

use protocols::chain::{self, ChainReplication, Config, ConfigError, Mutant, invariants};
use protocols::mutant::MutantAbout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::kind::Builtin;
use super::objections::{no_limit, no_time, parameter};
use super::{MutantName, swim};
use crate::text::units::{Ppm, Time};
use crate::validate::Objection;

/// The parameters of chain replication. The first node is the master; the others are the first chain, from the head on. Spares join at the
/// tail when they are started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Who answers queries. Default `Tail`.
    pub reads: Reads,
    /// When a silent server is removed. Default `Lease`.
    pub detector: Detector,
    /// How often a server shows the master that it lives, above 0 and shorter than the lease. Default `50ms`.
    pub heartbeat: Time,
    /// How long a server may answer queries after it has shown the master that it lives; who does not for as long is removed. Default
    /// `300ms`.
    pub lease: Time,
    /// ρ: clocks run at between 1 / (1 + ρ) and 1 + ρ times the speed of true time, below `500000ppm`. `450000ppm` allows for clocks up to
    /// 450000 ppm fast and 310344 ppm slow. Default `200ppm`.
    pub drift_max: Ppm,
    /// How long a server waits for an acknowledgement before it sends again, above 0. Default `50ms`.
    pub resend: Time,
    /// How many updates one message carries at most, at least 1. Default 64.
    pub batch_max: u64,
    /// How many updates may be on their way to the tail before the head refuses clients, at least 1. Default 1,000.
    pub in_process_max: u64,
    /// How many acknowledged updates a server keeps besides its state; who joins and lacks more gets the state. Default 1,000.
    pub history_kept: u64,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// When a silent server is removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Detector {
    /// As soon as its lease is over.
    #[default]
    Lease,
    /// When its lease is over and SWIM, among all nodes, has it down as dead, or it has lost its memory. With SWIM's parameters.
    Swim(Box<swim::Parameters>),
}

/// Who answers queries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Reads {
    /// The tail alone.
    #[default]
    Tail,
    /// Any server, which asks the tail where it must: CRAQ.
    Apportioned,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new([]);
        Self {
            reads: Reads::default(),
            detector: Detector::default(),
            heartbeat: usual.heartbeat.into(),
            lease: usual.lease.into(),
            drift_max: Ppm::new(usual.drift_max.cast_signed())
                .expect("the protocol's own default is a drift"),
            resend: usual.resend.into(),
            batch_max: usual.batch_max,
            in_process_max: usual.in_process_max,
            history_kept: usual.history_kept,
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = ChainReplication;

    const SUMMARY: &'static str = "chain replication, with CRAQ's apportioned queries: a key-value store on servers in a row, and a master";
    const SERVICES: &'static [Service] = &[Service::Kv];
    const REGION_COUNT: u8 = 1;

    /// With SWIM each node has its incarnation as well.
    fn region_count(&self) -> u16 {
        u16::from(Self::REGION_COUNT) + u16::from(self.detector != Detector::Lease)
    }

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            reads: match self.reads {
                Reads::Tail => chain::Reads::Tail,
                Reads::Apportioned => chain::Reads::Apportioned,
            },
            detector: match &self.detector {
                Detector::Lease => chain::Detector::Lease,
                Detector::Swim(swim) => chain::Detector::Swim(swim.config(members).into()),
            },
            heartbeat: self.heartbeat.span(),
            lease: self.lease.span(),
            drift_max: self.drift_max.parts().unsigned_abs(),
            resend: self.resend.span(),
            batch_max: self.batch_max,
            in_process_max: self.in_process_max,
            history_kept: self.history_kept,
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
            ..Config::new(members.iter().copied())
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(|error| objection(&error))
    }

    fn invariants(_: &Config) -> Vec<Box<dyn Invariant<ChainReplication>>> {
        invariants::all()
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::NoMaster => {
            let hint = "leave `n1` out of `spares`";
            Objection::new("spares", error.to_string(), "a first node that is no spare", hint)
        }
        ConfigError::NoServer => {
            let hint = "more nodes, or fewer of them as `spares`";
            Objection::new("nodes", error.to_string(), "two nodes and more that are no spares", hint)
        }
        ConfigError::NoTime(name) => no_time(name, error),
        ConfigError::HeartbeatTooLong { lease, .. } => {
            let third = sim_core::Span::nanos(lease.as_nanos() / 3);
            parameter("heartbeat", error, format!("times below `{lease}`"), format!("such as `\"{third}\"`"))
        }
        ConfigError::TooMuchDrift(_) => parameter(
            "drift_max",
            error,
            "0 and more, below `500000ppm`",
            "`200ppm` is usual for quartz clocks",
        ),
        ConfigError::Swim(of_swim) => {
            let Objection { allowed, hint, .. } = swim::objection(*of_swim);
            parameter("detector", error, allowed, hint)
        }
        ConfigError::ZeroLimit(name) => no_limit(name, error),
    }
}
