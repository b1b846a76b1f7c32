//! The lock in scenarios.

use protocols::lock::{Config, ConfigError, Lock, Mutant, invariants};
use protocols::mutant::MutantAbout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::check::Invariant;
use sim_core::service::Service;
use sim_core::{NodeId, Span};

use super::MutantName;
use super::kind::Builtin;
use super::objections::{parameter, reversed, too_few_nodes};
use crate::text::units::{Ppm, Time, TimeRange};
use crate::validate::Objection;

/// The parameters of the lock. `n1` is the server, `n2` the resource, all others are workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How long a lease is, at least `3ns`: a worker renews after each third of it. Default `300ms`.
    pub ttl: Time,
    /// ρ: clocks run at between 1 / (1 + ρ) and 1 + ρ times the speed of true time, below `500000ppm`: workers count on TTL / (1 + ρ),
    /// and the server waits for TTL (1 + ρ). `450000ppm` allows for clocks up to 450000 ppm fast and 310344 ppm slow. Default `200ppm`.
    pub drift_max: Ppm,
    /// How long a worker whose lease has run out still tries to renew it, and does nothing else. Default `100ms`.
    pub grace: Time,
    /// How long a worker waits before it asks again for a lock that somebody has, above 0. Default `10ms..30ms`.
    pub retry: TimeRange,
    /// How long it works before each write; not from 0 if `rest` is. Default `5ms..20ms`.
    pub work: TimeRange,
    /// How many writes it makes before it gives the lock back, at least 1. Default 5.
    pub writes: u32,
    /// How long it rests then. Default `10ms..50ms`.
    pub rest: TimeRange,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new(2);
        let range = |low: &Span, high: &Span| TimeRange::new(*low, *high).expect("the defaults are ranges");
        Self {
            ttl: usual.ttl.into(),
            drift_max: Ppm::new(usual.drift_max.cast_signed()).expect("the lock's own default is a drift"),
            grace: usual.grace.into(),
            retry: range(usual.retry.start(), usual.retry.end()),
            work: range(usual.work.start(), usual.work.end()),
            writes: usual.writes,
            rest: range(usual.rest.start(), usual.rest.end()),
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Lock;

    const SUMMARY: &'static str = "a lock with leases and fencing tokens: a server, workers that take it, and a resource that it protects";
    const SERVICES: &'static [Service] = &[Service::Lock];
    const REGION_COUNT: u8 = 1;

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            node_count: members.last().map_or(0, |last| last.raw() + 1),
            ttl: self.ttl.span(),
            drift_max: self.drift_max.parts().unsigned_abs(),
            grace: self.grace.span(),
            retry: self.retry.low()..=self.retry.high(),
            work: self.work.low()..=self.work.high(),
            writes: self.writes,
            rest: self.rest.low()..=self.rest.high(),
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(|error| objection(&error))
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Lock>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::TooFewNodes(_) => too_few_nodes(
            error,
            "more nodes, or fewer of them as `spares`; each beyond the second is a worker",
        ),
        ConfigError::NoLease(_) => {
            parameter("ttl", error, "`3ns` and more", "much longer than a message takes, such as `\"300ms\"`")
        }
        ConfigError::TooMuchDrift(_) => {
            parameter("drift_max", error, "less than `500000ppm`", "`200ppm` is usual for quartz")
        }
        ConfigError::NoWrites => {
            parameter("writes", error, "1 and more", "leave it out for the usual number")
        }
        ConfigError::NoRetryTime => {
            parameter("retry", error, "a range that begins above `0s`", "such as `\"10ms..30ms\"`")
        }
        ConfigError::NoTimePassed => {
            let hint = "such as `rest: \"10ms..50ms\"`, or leave one of them out";
            parameter("work", error, "a range that begins above `0s`, in `work` or in `rest`", hint)
        }
        ConfigError::EmptyRange { name, .. } => reversed(name, error),
    }
}
