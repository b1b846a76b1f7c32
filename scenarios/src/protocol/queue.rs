//! The message queue in scenarios.

use protocols::mutant::MutantAbout;
use protocols::queue::{self, Config, ConfigError, Mutant, Node, Rules, invariants};
use protocols::replicated::MEMBERS_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::check::Invariant;
use sim_core::service::Service;
use sim_core::{NodeId, Span};

use super::MutantName;
use super::kind::Builtin;
use super::objections::{no_limit, no_time, none_left, parameter};
use crate::format::Latency;
use crate::text::units::{Probability, Time};
use crate::validate::Objection;

/// The parameters of a message queue, its consumers and their store. The first nodes are brokers, then come producers with an
/// outbox, the last node is the store, and those between are consumers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How many of the first nodes are brokers, at least 1. One keeps the queue on its disk; several keep it together by
    /// Raft, and whoever leads is the broker. Default 1.
    pub brokers: u32,
    /// How many nodes after the brokers are producers with a transactional outbox, by way of which clients then send. Default 0.
    pub producers: u32,
    /// How long a delivery may take before the message can be taken by others, above 0. Default `30s`.
    pub visibility: Time,
    /// How long a message waits before it can be taken. Default `0s`.
    pub delay: Time,
    /// How long a message waits that has failed. Default `0s`.
    pub retry_delay: Time,
    /// Into how many groups values fall, within which messages are handled one after the other and in order; not with
    /// `priorities`. Default 0: no groups.
    pub groups: u32,
    /// Into how many priorities values fall. Default 1: first in, first out.
    pub priorities: u32,
    /// How long a value that is sent again is known as the same message. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deduplication: Option<Time>,
    /// After how many deliveries without success a message is a dead letter, at least 1. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_receives: Option<u32>,
    /// How long a message may wait for somebody to take it. Default: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_live: Option<Time>,
    /// How many messages the queue has room for, at least 1. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// What happens to a message for which there is no room. Default `Reject`.
    pub overflow: Overflow,
    /// After how many commands the broker replaces its log by a snapshot, at least 1. Default 10,000.
    pub snapshot_every: u32,
    /// What consumers promise of each message. Default `AtLeastOnce`.
    pub guarantee: Guarantee,
    /// How many messages a consumer handles at a time, at least 1. Default 1.
    pub workers: u32,
    /// How many messages a consumer holds at a time, those that it handles included; at least `workers`. Default 10.
    pub prefetch: u32,
    /// How long it takes to handle a message. Default `10ms`.
    pub service: Latency,
    /// How likely handling a message fails, each time. Default 0.
    pub failure: Probability,
    /// One value in so many is poison: handling it always fails. Default 0: none.
    pub poison: u32,
    /// Pauses of consumers. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall: Option<Stall>,
    /// How often a consumer asks for more time for what it holds; below `visibility`. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Time>,
    /// Whether a consumer leaves out what it has held for longer than `visibility`. Default `Late`.
    pub shedding: Shedding,
    /// How often a consumer says how much it takes, above 0. Default `100ms`.
    pub credit_interval: Time,
    /// How long a consumer waits for an answer before it asks again, above 0. Default `200ms`.
    pub call_timeout: Time,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// What happens to a message for which there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Overflow {
    /// Its producer waits until there is.
    Block,
    /// Its producer is refused.
    #[default]
    Reject,
    /// The message that would be delivered next is dropped for it.
    DropHead,
    /// It is dropped, and its producer is not told.
    DropTail,
}

/// What consumers promise of each message.
#[expect(clippy::enum_variant_names, reason = "these are the field's words")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Guarantee {
    /// One effect or none.
    AtMostOnce,
    /// One effect or more.
    #[default]
    AtLeastOnce,
    /// One effect.
    EffectivelyOnce,
}

/// What a consumer leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Shedding {
    /// What it has held for longer than `visibility`.
    #[default]
    Late,
    /// Nothing.
    Nothing,
}

/// Pauses: after so many messages a consumer does nothing for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// After how many messages, at least 1.
    pub every: u32,
    /// For how long, above 0.
    pub lasts: Time,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new(2);
        let rules = usual.rules;
        Self {
            brokers: usual.brokers,
            producers: usual.producers,
            visibility: rules.visibility.into(),
            delay: rules.delay.into(),
            retry_delay: rules.retry_delay.into(),
            groups: rules.groups,
            priorities: rules.priorities,
            deduplication: None,
            max_receives: None,
            time_to_live: None,
            capacity: None,
            overflow: Overflow::default(),
            snapshot_every: u32::try_from(usual.snapshot_every).expect("it is small"),
            guarantee: Guarantee::default(),
            workers: usual.workers,
            prefetch: usual.prefetch,
            service: Latency::constant(Span::millis(10)),
            failure: "0".parse().expect("it is a probability"),
            poison: usual.poison,
            stall: None,
            heartbeat: None,
            shedding: Shedding::default(),
            credit_interval: usual.credit_interval.into(),
            call_timeout: usual.call_timeout.into(),
            mutant: None,
        }
    }
}

impl Parameters {
    fn rules(&self) -> Rules {
        Rules {
            visibility: self.visibility.span(),
            delay: self.delay.span(),
            retry_delay: self.retry_delay.span(),
            groups: self.groups,
            priorities: self.priorities,
            deduplication: self.deduplication.map(Time::span),
            max_receives: self.max_receives,
            time_to_live: self.time_to_live.map(Time::span),
            capacity: self.capacity,
            overflow: match self.overflow {
                Overflow::Block => queue::Overflow::Block,
                Overflow::Reject => queue::Overflow::Reject,
                Overflow::DropHead => queue::Overflow::DropHead,
                Overflow::DropTail => queue::Overflow::DropTail,
            },
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }
}

impl Builtin for Parameters {
    type Process = Node;

    const SUMMARY: &'static str = "a message queue, its consumers, and the store that they have effects on, with all that can be lost or doubled";
    const SERVICES: &'static [Service] = &[Service::Queue];
    const REGION_COUNT: u8 = 3;

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            node_count: members.last().map_or(0, |last| last.raw() + 1),
            brokers: self.brokers,
            producers: self.producers,
            rules: self.rules(),
            snapshot_every: self.snapshot_every.into(),
            guarantee: match self.guarantee {
                Guarantee::AtMostOnce => queue::Guarantee::AtMostOnce,
                Guarantee::AtLeastOnce => queue::Guarantee::AtLeastOnce,
                Guarantee::EffectivelyOnce => queue::Guarantee::EffectivelyOnce,
            },
            workers: self.workers,
            prefetch: self.prefetch,
            service: self.service.distribution(),
            failure: self.failure.probability(),
            poison: self.poison,
            stall: self.stall.map(|stall| queue::Stall { every: stall.every, lasts: stall.lasts.span() }),
            heartbeat: self.heartbeat.map(Time::span),
            shedding: match self.shedding {
                Shedding::Late => queue::Shedding::Late,
                Shedding::Nothing => queue::Shedding::Nothing,
            },
            credit_interval: self.credit_interval.span(),
            call_timeout: self.call_timeout.span(),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(objection)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Node>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: ConfigError) -> Objection {
    match error {
        ConfigError::TooFewNodes { others, .. } => none_left(
            &error,
            others,
            "the first nodes are `brokers`, then come `producers`, the last is the store, and those between are consumers",
        ),
        ConfigError::TooManyBrokers(_) => {
            parameter("brokers", &error, format!("1 to {MEMBERS_MAX}"), "three or five are usual")
        }
        ConfigError::NoVisibility => no_time("visibility", &error),
        ConfigError::NoPriority => no_limit("priorities", &error),
        ConfigError::OrderedAndNot { .. } => {
            parameter("priorities", &error, "1 with `groups`", "leave out `groups` or `priorities`")
        }
        ConfigError::NoReceives => no_limit("max_receives", &error),
        ConfigError::NoTime(name) => no_time(name, &error),
        ConfigError::Nothing(name) => no_limit(name, &error),
        ConfigError::IdleWorkers { workers, .. } => {
            parameter("prefetch", &error, format!("{workers} and more"), "or fewer `workers`")
        }
        ConfigError::LateHeartbeat { visibility, .. } => {
            let third = Span::nanos(visibility.as_nanos() / 3);
            parameter(
                "heartbeat",
                &error,
                format!("times below `{visibility}`"),
                format!("such as `\"{third}\"`"),
            )
        }
    }
}
