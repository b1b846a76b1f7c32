//! Gossip in scenarios.

use protocols::gossip::{self, Config, ConfigError, Gossip, Mutant, invariants};
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

/// The parameters of gossip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How long a cycle is, in which each site calls once, above 0. Default `100ms`.
    pub cycle: Time,
    /// When cycles begin. Default `Scattered`.
    pub rhythm: Rhythm,
    /// Who sends in a call. Default `Push`.
    pub spread: Spread,
    /// What makes a site lose interest in a rumor. Default `Feedback`.
    pub judging: Judging,
    /// How soon it does. Default `Counter(2)`.
    pub interest: Interest,
    /// Whether of two sites that both know a rumor only the one with the smaller counter counts; only with `PushPull`, `Feedback` and `Counter`.
    /// Default false.
    pub minimization: bool,
    /// How many calls a site takes in a cycle, at least 1. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_limit: Option<u32>,
    /// How many others a site calls in a cycle after it was refused; not without `connection_limit`. Default 0.
    pub hunt_limit: u32,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// When cycles begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Rhythm {
    /// At each site at a moment of its own, drawn when it starts.
    #[default]
    Scattered,
    /// At all sites at once, by their clocks.
    Together,
}

/// Who sends in a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Spread {
    /// Whoever calls.
    #[default]
    Push,
    /// Whoever is called; every site calls in every cycle.
    Pull,
    /// Both; every site calls in every cycle.
    PushPull,
}

/// What makes a site lose interest in a rumor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Judging {
    /// Sharing it, with whomever.
    Blind,
    /// Sharing it with nobody who needed it.
    #[default]
    Feedback,
}

/// How soon a site loses interest in a rumor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Interest {
    /// After so many cycles, at least 1; a useful one begins to count anew.
    Counter(u32),
    /// After each cycle with a chance of one in so many, at least 1.
    Coin(u32),
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new(2);
        Self {
            cycle: usual.cycle.into(),
            rhythm: Rhythm::default(),
            spread: Spread::default(),
            judging: Judging::default(),
            interest: match usual.interest {
                gossip::Interest::Counter(k) => Interest::Counter(k),
                gossip::Interest::Coin(k) => Interest::Coin(k),
            },
            minimization: usual.minimization.is_on(),
            connection_limit: usual.connection_limit,
            hunt_limit: usual.hunt_limit,
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Gossip;

    const SUMMARY: &'static str =
        "epidemics: rumors that sites tell each other, until they lose interest, and that most of them hear";
    const SERVICES: &'static [Service] = &[Service::Broadcast];
    const REGION_COUNT: u8 = 0;

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            node_count: members.last().map_or(0, |last| last.raw() + 1),
            cycle: self.cycle.span(),
            rhythm: match self.rhythm {
                Rhythm::Scattered => gossip::Rhythm::Scattered,
                Rhythm::Together => gossip::Rhythm::Together,
            },
            spread: match self.spread {
                Spread::Push => gossip::Spread::Push,
                Spread::Pull => gossip::Spread::Pull,
                Spread::PushPull => gossip::Spread::PushPull,
            },
            judging: match self.judging {
                Judging::Blind => gossip::Judging::Blind,
                Judging::Feedback => gossip::Judging::Feedback,
            },
            interest: match self.interest {
                Interest::Counter(k) => gossip::Interest::Counter(k),
                Interest::Coin(k) => gossip::Interest::Coin(k),
            },
            minimization: self.minimization.into(),
            connection_limit: self.connection_limit,
            hunt_limit: self.hunt_limit,
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(objection)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Gossip>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: ConfigError) -> Objection {
    match error {
        ConfigError::NoPeers(_) => too_few_nodes(&error, MORE_NODES),
        ConfigError::NoCycle => no_time("cycle", &error),
        ConfigError::NoInterest => {
            parameter("interest", &error, "`Counter(1)` or `Coin(1)`, and more", "`Counter(2)` is usual")
        }
        ConfigError::NothingToCompare => parameter(
            "minimization",
            &error,
            "`true` with `spread: PushPull`, `judging: Feedback` and a `Counter`",
            "set these, or leave it out",
        ),
        ConfigError::NoConnections => no_limit("connection_limit", &error),
        ConfigError::HuntWithoutLimit(_) => {
            parameter("hunt_limit", &error, "0 without a `connection_limit`", "add `connection_limit: 1`")
        }
    }
}
