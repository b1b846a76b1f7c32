//! Snapshots of a bank in scenarios.

use protocols::mutant::MutantAbout;
use protocols::snapshots::{self, Config, ConfigError, Mutant, Snapshots, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::MutantName;
use super::kind::Builtin;
use super::objections::{MORE_NODES, no_time, parameter, reversed, too_few_nodes};
use crate::text::units::{Time, TimeRange};
use crate::validate::Objection;

/// The parameters of snapshots. All nodes are branches of one bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How many accounts there are, one a node to 1000000; each begins with 100, and nodes have them in turn. Default 8.
    pub accounts: u32,
    /// What the channels between nodes promise. Default `Fifo`.
    pub channels: Channels,
    /// How many nodes begin snapshots by themselves, the first ones; 0: only clients do, who read all balances. Default 1.
    pub initiators: u32,
    /// How long such a node waits before it begins the next, above 0. Default `200ms..400ms`.
    pub snapshot_every: TimeRange,
    /// How long an initiator waits for all parts before it gives a snapshot up, above 0. Default `1s`.
    pub patience: Time,
    /// How long a node waits before it pays something by itself, above 0. Default `5ms..25ms`.
    pub pay_every: TimeRange,
    /// How much it pays at most; 0: nothing is paid but what clients ask for. Default 20.
    pub amount_max: u64,
    /// How long a sender waits for an acknowledgement before it sends again, above 0. Default `20ms`.
    pub resend_after: Time,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// What the channels between nodes promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Channels {
    /// What was sent first comes out first, each once: what the algorithm needs.
    #[default]
    Fifo,
    /// Each comes out once, in any order: snapshots are wrong.
    Unordered,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new(2);
        let range = |range: &std::ops::RangeInclusive<sim_core::Span>| {
            TimeRange::new(*range.start(), *range.end()).expect("the defaults are ranges")
        };
        Self {
            accounts: usual.accounts,
            channels: Channels::default(),
            initiators: usual.initiators,
            snapshot_every: range(&usual.snapshot_every),
            patience: usual.patience.into(),
            pay_every: range(&usual.pay_every),
            amount_max: usual.amount_max,
            resend_after: usual.resend_after.into(),
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Snapshots;

    const SUMMARY: &'static str = "Chandy and Lamport's snapshots: branches of a bank send each other money, and record what all of them have";
    const SERVICES: &'static [Service] = &[Service::Transfer];
    const REGION_COUNT: u8 = 1;

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            node_count: members.last().map_or(0, |last| last.raw() + 1),
            accounts: self.accounts,
            channels: match self.channels {
                Channels::Fifo => snapshots::Channels::Fifo,
                Channels::Unordered => snapshots::Channels::Unordered,
            },
            initiators: self.initiators,
            snapshot_every: self.snapshot_every.low()..=self.snapshot_every.high(),
            patience: self.patience.span(),
            pay_every: self.pay_every.low()..=self.pay_every.high(),
            amount_max: self.amount_max,
            resend_after: self.resend_after.span(),
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(|error| objection(&error))
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Snapshots>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::TooFewNodes(_) => too_few_nodes(error, MORE_NODES),
        ConfigError::TooFewAccounts { nodes, .. } => {
            parameter("accounts", error, format!("{nodes} and more"), "leave it out for 8, or write more")
        }
        ConfigError::TooManyAccounts(_) => {
            parameter("accounts", error, "one a node to 1000000", "leave it out for 8")
        }
        ConfigError::TooManyInitiators { nodes, .. } => {
            parameter("initiators", error, format!("0 to {nodes}"), "with `0` only clients begin snapshots")
        }
        ConfigError::NoTime(name) => no_time(name, error),
        ConfigError::EmptyRange { name, .. } => reversed(name, error),
    }
}
