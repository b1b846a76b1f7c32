//! SWIM in scenarios.

use protocols::mutant::MutantAbout;
use protocols::swim::{self, Config, ConfigError, Mutant, Swim, invariants};
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

/// The parameters of SWIM. Their defaults are those of memberlist in a local network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "Lifeguard is three switches, and the ping over TCP one more"
)]
pub struct Parameters {
    /// Whom the first members know. Default `Known`.
    pub formation: Formation,
    /// How long a protocol period is, in which each member probes one other. Default `1s`.
    pub probe_interval: Time,
    /// How long it waits for an answer before it asks others to ping; above 0, below `probe_interval`. Default `500ms`.
    pub probe_timeout: Time,
    /// How many it asks. Default 3.
    pub indirect_checks: u32,
    /// Whether it also pings once more itself then, in place of memberlist's ping over TCP. Default `true`.
    pub fallback_ping: bool,
    /// Whom a member probes. Default `RoundRobin`.
    pub probe_order: ProbeOrder,
    /// When protocol periods begin. Default `Scattered`.
    pub rhythm: Rhythm,
    /// How often a member gossips while it has news, above 0. Default `200ms`.
    pub gossip_interval: Time,
    /// To how many, at least 1. Default 3.
    pub gossip_nodes: u32,
    /// How long the dead are gossiped to after their death. Default `30s`.
    pub gossip_to_the_dead: Time,
    /// How often a member syncs all that it believes with another one, in groups of up to 32; larger ones do more seldom. `0s`:
    /// never. Default `30s`.
    pub push_pull_interval: Time,
    /// How often it tries to sync with one of the dead, as Serf does. `0s`: never. Default `30s`.
    pub reconnect_interval: Time,
    /// How long those who are gone are remembered. Default `24h`.
    pub retention: Time,
    /// How often news are passed on: so many times the digits of the number of members, at least 1. Default 4.
    pub retransmit_mult: u32,
    /// How long a suspicion stands at least: so many times max(1, log10 n) periods, at least 1. Default 4.
    pub suspicion_mult: u32,
    /// So many times as long it stands at most, at least 1; only with `confirmations`. Default 6.
    pub suspicion_max_mult: u32,
    /// Bytes of a message at most, at least 40: what news ride in. Default 1400.
    pub packet_size: u32,
    /// Lifeguard: whether a member that gets no answers waits longer. Default `true`.
    pub local_health: bool,
    /// Lifeguard: how often it counts this at most. Default 8.
    pub health_max: u32,
    /// Lifeguard: whether a suspicion stands for the longest time, and shorter with each who shares it. Default `true`.
    pub confirmations: bool,
    /// Lifeguard: whether who pings a suspect tells it so. Default `true`.
    pub buddy: bool,
    /// What the run is held to. Default `Eventual`.
    pub accuracy: Accuracy,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// Whom the first members know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Formation {
    /// Each other, from the start.
    #[default]
    Known,
    /// Nobody: they join through three of them, as later ones do.
    Joining,
}

/// Whom a member probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProbeOrder {
    /// All others in each round, each round in another order.
    #[default]
    RoundRobin,
    /// One that is drawn from all, each time.
    Random,
}

/// When protocol periods begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Rhythm {
    /// At each node at a moment of its own, drawn when it starts.
    #[default]
    Scattered,
    /// At all nodes at once, by their clocks.
    Together,
}

/// What a run is held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Accuracy {
    /// Members that run may be taken for dead for a while.
    #[default]
    Eventual,
    /// Nobody that runs is declared dead.
    NoFalseDeaths,
    /// Nobody that runs is even suspected.
    NoFalseSuspicions,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new([]);
        Self {
            formation: Formation::default(),
            probe_interval: usual.probe_interval.into(),
            probe_timeout: usual.probe_timeout.into(),
            indirect_checks: usual.indirect_checks,
            fallback_ping: usual.fallback_ping.is_on(),
            probe_order: ProbeOrder::default(),
            rhythm: Rhythm::default(),
            gossip_interval: usual.gossip_interval.into(),
            gossip_nodes: usual.gossip_nodes,
            gossip_to_the_dead: usual.gossip_to_the_dead.into(),
            push_pull_interval: usual.push_pull_interval.unwrap_or_default().into(),
            reconnect_interval: usual.reconnect_interval.unwrap_or_default().into(),
            retention: usual.retention.into(),
            retransmit_mult: usual.retransmit_mult,
            suspicion_mult: usual.suspicion_mult,
            suspicion_max_mult: usual.suspicion_max_mult,
            packet_size: usual.packet_size,
            local_health: usual.local_health.is_on(),
            health_max: usual.health_max,
            confirmations: usual.confirmations.is_on(),
            buddy: usual.buddy.is_on(),
            accuracy: Accuracy::default(),
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Swim;

    const SUMMARY: &'static str = "membership and failure detection: probes, suspicions and gossip, with memberlist's extras and Lifeguard";
    const SERVICES: &'static [Service] = &[Service::Membership];
    const REGION_COUNT: u8 = 1;

    fn config(&self, members: &[NodeId]) -> Config {
        let often = |time: Time| Some(time.span()).filter(|span| !span.is_zero());
        Config {
            formation: self.formation.into(),
            probe_interval: self.probe_interval.span(),
            probe_timeout: self.probe_timeout.span(),
            indirect_checks: self.indirect_checks,
            fallback_ping: self.fallback_ping.into(),
            probe_order: self.probe_order.into(),
            rhythm: self.rhythm.into(),
            gossip_interval: self.gossip_interval.span(),
            gossip_nodes: self.gossip_nodes,
            gossip_to_the_dead: self.gossip_to_the_dead.span(),
            push_pull_interval: often(self.push_pull_interval),
            reconnect_interval: often(self.reconnect_interval),
            retention: self.retention.span(),
            retransmit_mult: self.retransmit_mult,
            suspicion_mult: self.suspicion_mult,
            suspicion_max_mult: self.suspicion_max_mult,
            packet_size: self.packet_size,
            local_health: self.local_health.into(),
            health_max: self.health_max,
            confirmations: self.confirmations.into(),
            buddy: self.buddy.into(),
            accuracy: self.accuracy.into(),
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
            ..Config::new(members.iter().copied())
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(objection)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Swim>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

impl From<Formation> for swim::Formation {
    fn from(formation: Formation) -> Self {
        match formation {
            Formation::Known => Self::Known,
            Formation::Joining => Self::Joining,
        }
    }
}

impl From<ProbeOrder> for swim::ProbeOrder {
    fn from(order: ProbeOrder) -> Self {
        match order {
            ProbeOrder::RoundRobin => Self::RoundRobin,
            ProbeOrder::Random => Self::Random,
        }
    }
}

impl From<Rhythm> for swim::Rhythm {
    fn from(rhythm: Rhythm) -> Self {
        match rhythm {
            Rhythm::Scattered => Self::Scattered,
            Rhythm::Together => Self::Together,
        }
    }
}

impl From<Accuracy> for swim::Accuracy {
    fn from(accuracy: Accuracy) -> Self {
        match accuracy {
            Accuracy::Eventual => Self::Eventual,
            Accuracy::NoFalseDeaths => Self::NoFalseDeaths,
            Accuracy::NoFalseSuspicions => Self::NoFalseSuspicions,
        }
    }
}

pub(super) fn objection(error: ConfigError) -> Objection {
    match error {
        ConfigError::NoPeers(_) => too_few_nodes(&error, MORE_NODES),
        ConfigError::NoTime(name) => no_time(name, &error),
        ConfigError::TimeoutTooLong { interval, .. } => {
            let half = sim_core::Span::nanos(interval.as_nanos() / 2);
            let allowed = format!("times below `{interval}`");
            parameter("probe_timeout", &error, allowed, format!("such as `\"{half}\"`"))
        }
        ConfigError::NoCount(name) => no_limit(name, &error),
        ConfigError::SuspicionTooShort { .. } => {
            parameter("suspicion_mult", &error, "1 and more", "4 is usual in a local network")
        }
        ConfigError::RetentionTooShort { suspicion, .. } => {
            parameter("retention", &error, format!("`{suspicion}` and more"), "Serf's is a day")
        }
        ConfigError::PacketTooSmall(_) => {
            parameter("packet_size", &error, "40 bytes and more", "1400 is usual")
        }
    }
}
