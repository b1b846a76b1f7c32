//! Plumtree over `HyParView` in scenarios.

use protocols::mutant::MutantAbout;
use protocols::plumtree::{Config, ConfigError, Mutant, Plumtree, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::MutantName;
use super::detector::{self, Detector};
use super::kind::Builtin;
use super::objections::{MORE_NODES, no_limit, no_time, parameter, too_few_nodes};
use crate::text::units::Time;
use crate::validate::Objection;

/// The parameters of Plumtree and of the overlay below it, `HyParView`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How many neighbours a node has at most, at least 2: the fan-out and one. Default 5.
    pub active_view: u32,
    /// How many others it knows besides, at least 1. Default 30.
    pub passive_view: u32,
    /// How many hops the walk of a newcomer makes at most, at least 1: ARWL. Default 6.
    pub active_walk: u32,
    /// How many hops before its end it leaves the newcomer in a passive view, no more than `active_walk`: PRWL. Default 3.
    pub passive_walk: u32,
    /// How often a node exchanges parts of its views, above 0. Default `10s`.
    pub shuffle_interval: Time,
    /// How many of its neighbours it tells then, no more than `active_view`: ka. Default 3.
    pub shuffle_active: u32,
    /// How many of those that it knows besides, no more than `passive_view`: kp. Default 4.
    pub shuffle_passive: u32,
    /// How often it tells its neighbours that it is there, above 0. Default `500ms`.
    pub keep_alive: Time,
    /// How much silence of a neighbour is a failure. Default `Timeout("2s")`.
    pub detector: Detector,
    /// How long it waits for an answer of one whom it wants for a neighbour, above 0. Default `500ms`.
    pub connect_timeout: Time,
    /// How often it asks one whom it has lost, or anybody while it has room. `0s`: never, as in the paper. Default `5s`.
    pub reconnect_interval: Time,
    /// How long it waits for a value that was announced before it asks for it, above 0: timeout1. Default `200ms`.
    pub graft_timeout: Time,
    /// And then before it asks the next one, above 0 and no longer than `graft_timeout`: timeout2. Default `100ms`.
    pub graft_retry: Time,
    /// How often announcements are sent, all that there are in one message. `0s`: each at once. Default `0s`.
    pub announce_interval: Time,
    /// By how many hops a way must be shorter to be taken into the tree. 0: the tree stays as it is. Default 3.
    pub optimisation: u32,
    /// Whether keep-alives announce what the neighbour has not confirmed; without, links lose what they lose. Default `true`.
    pub catch_up: bool,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new(2);
        Self {
            active_view: usual.active_view,
            passive_view: usual.passive_view,
            active_walk: usual.active_walk,
            passive_walk: usual.passive_walk,
            shuffle_interval: usual.shuffle_interval.into(),
            shuffle_active: usual.shuffle_active,
            shuffle_passive: usual.shuffle_passive,
            keep_alive: usual.keep_alive.into(),
            detector: usual.detector.into(),
            connect_timeout: usual.connect_timeout.into(),
            reconnect_interval: usual.reconnect_interval.unwrap_or_default().into(),
            graft_timeout: usual.graft_timeout.into(),
            graft_retry: usual.graft_retry.into(),
            announce_interval: usual.announce_interval.unwrap_or_default().into(),
            optimisation: usual.optimisation.unwrap_or_default(),
            catch_up: usual.catch_up.is_on(),
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Plumtree;

    const SUMMARY: &'static str =
        "broadcast by a tree that gossip mends: Plumtree, over the overlay that HyParView keeps";
    const SERVICES: &'static [Service] = &[Service::Broadcast];
    const REGION_COUNT: u8 = 0;

    fn config(&self, members: &[NodeId]) -> Config {
        let often = |time: Time| Some(time.span()).filter(|span| !span.is_zero());
        Config {
            node_count: u32::try_from(members.len()).expect("node counts fit 31 bits"),
            active_view: self.active_view,
            passive_view: self.passive_view,
            active_walk: self.active_walk,
            passive_walk: self.passive_walk,
            shuffle_interval: self.shuffle_interval.span(),
            shuffle_active: self.shuffle_active,
            shuffle_passive: self.shuffle_passive,
            keep_alive: self.keep_alive.span(),
            detector: self.detector.into(),
            connect_timeout: self.connect_timeout.span(),
            reconnect_interval: often(self.reconnect_interval),
            graft_timeout: self.graft_timeout.span(),
            graft_retry: self.graft_retry.span(),
            announce_interval: often(self.announce_interval),
            optimisation: Some(self.optimisation).filter(|threshold| *threshold > 0),
            catch_up: self.catch_up.into(),
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(objection)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Plumtree>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: ConfigError) -> Objection {
    match error {
        ConfigError::NoPeers(_) => too_few_nodes(&error, MORE_NODES),
        ConfigError::NoFanOut(_) => parameter(
            "active_view",
            &error,
            "2 and more",
            "5 is usual: a fan-out of 4, and where it comes from",
        ),
        ConfigError::NoCount(name) => no_limit(name, &error),
        ConfigError::NoTime(name) => no_time(name, &error),
        ConfigError::WalkTooShort { active, .. } => {
            parameter("passive_walk", &error, format!("0 to {active}"), "half of `active_walk` is usual")
        }
        ConfigError::ShuffleTooLarge { name, view, .. } => {
            parameter(name, &error, format!("0 to {view}"), "a few of a view are enough: 3 and 4 are usual")
        }
        ConfigError::RetryTooLong { timeout, .. } => {
            let half = sim_core::Span::nanos(timeout.as_nanos() / 2);
            parameter(
                "graft_retry",
                &error,
                format!("times up to `{timeout}`"),
                format!("such as `\"{half}\"`"),
            )
        }
        ConfigError::Detector(error) => detector::objection(error),
    }
}
