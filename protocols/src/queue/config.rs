//! The parameters of a queue and its consumers, and which of them make no sense.

use serde::Serialize;
use sim_core::random::{Distribution, Probability};
use sim_core::service::Value;
use sim_core::{ClientId, NodeId, Span};

use super::mutants::Mutant;
use crate::raft;
use crate::replicated::MEMBERS_MAX;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Role {
    /// Keeps the queue: the first node, or several.
    Broker,
    /// Does something and has a message tell of it: none, or the next few.
    Producer,
    /// Takes messages and handles them: all between.
    Consumer,
    /// Has the effects of messages: the last node.
    Store,
}

/// What consumers promise of each message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Guarantee {
    /// One effect or none: acknowledged before it is handled.
    AtMostOnce,
    /// One effect or more: acknowledged after it was handled.
    #[default]
    AtLeastOnce,
    /// One effect: handled, and the store keeps in one transaction the effect and that it has had it.
    EffectivelyOnce,
}

/// What happens to a message for which there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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

/// What the state machine of a queue knows of its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// How long a delivery may take. Default 30 s.
    pub visibility: Span,
    /// How long a message waits before it can be taken. Default 0.
    pub delay: Span,
    /// How long a message waits that has failed. Default 0.
    pub retry_delay: Span,
    /// How many groups there are, within which messages are handled one after the other, in order; 0: no groups.
    pub groups: u32,
    /// How many priorities there are; 1 is first in, first out.
    pub priorities: u32,
    /// How long a message that is sent again is known; `None`: it is a new one.
    pub deduplication: Option<Span>,
    /// After how many deliveries without success a message is a dead letter; `None`: never.
    pub max_receives: Option<u32>,
    /// How long a message may wait; `None`: for ever.
    pub time_to_live: Option<Span>,
    /// How many messages there may be, dead letters aside; `None`: any number.
    pub capacity: Option<u32>,
    /// What happens to those beyond it.
    pub overflow: Overflow,
    /// The bug to have.
    #[serde(skip)]
    pub mutant: Option<Mutant>,
}

impl Rules {
    /// Messages that stay, in order, and come back half a minute after they were taken.
    pub const fn new() -> Self {
        Self {
            visibility: Span::secs(30),
            delay: Span::ZERO,
            retry_delay: Span::ZERO,
            groups: 0,
            priorities: 1,
            deduplication: None,
            max_receives: None,
            time_to_live: None,
            capacity: None,
            overflow: Overflow::Reject,
            mutant: None,
        }
    }

    /// The group of a message; `None` where there are none.
    #[inline]
    pub fn group_of(&self, value: Value) -> Option<u64> {
        (self.groups > 0).then(|| scatter(value, 1) % u64::from(self.groups))
    }

    /// The priority of a message; 0 goes first.
    #[inline]
    pub fn priority_of(&self, value: Value) -> u32 {
        if self.priorities == 1 {
            return 0;
        }
        u32::try_from(scatter(value, 2) % u64::from(self.priorities)).expect("it is below a `u32`")
    }

    /// Whether messages are taken in another order than that in which they come in, groups and failures aside.
    pub(super) fn has_delays_or_priorities(&self) -> bool {
        self.priorities > 1 || !self.delay.is_zero() || !self.retry_delay.is_zero()
    }

    /// Whether there is this bug.
    #[inline]
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new()
    }
}

/// A number that a value stands for, as good as drawn; another for each `purpose`.
#[inline]
pub(super) const fn scatter(value: Value, purpose: u64) -> u64 {
    let mixed = (value ^ purpose.rotate_right(8)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 16
}

/// Pauses of a consumer: after so many messages it does nothing for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stall {
    /// After how many messages, at least 1.
    pub every: u32,
    /// For how long.
    pub lasts: Span,
}

/// What all nodes share.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many nodes there are: brokers, producers, consumers and a store, in this order.
    pub node_count: u32,
    /// How many brokers there are: the first nodes. One keeps its log on its disk, several keep it by Raft. Default 1.
    pub brokers: u32,
    /// How many producers with an outbox there are, after the brokers. Clients then send by way of them. Default 0.
    pub producers: u32,
    /// The queue.
    pub rules: Rules,
    /// How many log entries a broker keeps before it replaces them by a snapshot. Default 10,000.
    pub snapshot_every: u64,
    /// What consumers promise.
    pub guarantee: Guarantee,
    /// How many messages a consumer handles at a time. Default 1.
    pub workers: u32,
    /// How many messages a consumer holds at a time, those that are handled included. Default 10.
    pub prefetch: u32,
    /// How long it takes to handle a message. Default 10 ms.
    pub service: Distribution,
    /// How likely handling fails. Default 0.
    pub failure: Probability,
    /// One message in so many fails whenever it is handled; 0: none.
    pub poison: u32,
    /// Pauses of consumers; default none.
    pub stall: Option<Stall>,
    /// How often a consumer asks for more time for what it holds; `None`: never.
    pub heartbeat: Option<Span>,
    /// Whether a consumer leaves out what it has held for longer than it may. Default yes.
    pub shedding: Shedding,
    /// How often a consumer says how much it takes. Default 100 ms.
    pub credit_interval: Span,
    /// How long a consumer waits for an answer before it asks again. Default 200 ms.
    pub call_timeout: Span,
}

/// Whether a consumer handles what it has held for longer than it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Shedding {
    /// It leaves that out.
    #[default]
    Late,
    /// It handles everything.
    Nothing,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no place for brokers, producers and a store.
    #[error("{others} brokers and producers, and a store, are more than the {nodes} nodes that there are")]
    TooFewNodes {
        /// Nodes.
        nodes: u32,
        /// Brokers and producers.
        others: u32,
    },
    /// Raft takes no more members.
    #[error("{0} `brokers` are more than a group of Raft can have, which is {MEMBERS_MAX}")]
    TooManyBrokers(u32),
    /// Messages would be back before they are taken.
    #[error("with a `visibility` of 0 a message is back before anybody has it")]
    NoVisibility,
    /// There is no priority for a message.
    #[error("with 0 `priorities` no message has one; 1 is first in, first out")]
    NoPriority,
    /// Order within a group and priorities exclude each other.
    #[error("{groups} `groups` keep their order, and {priorities} `priorities` do not")]
    OrderedAndNot {
        /// Groups.
        groups: u32,
        /// Priorities.
        priorities: u32,
    },
    /// Every message is a dead letter at once.
    #[error("with a `max_receives` of 0 every message is a dead letter at once")]
    NoReceives,
    /// Messages would expire at once.
    #[error("`{0}` must be longer than 0")]
    NoTime(&'static str),
    /// Nothing fits.
    #[error("`{0}` must be at least 1")]
    Nothing(&'static str),
    /// More workers than messages.
    #[error("{workers} `workers` never have work with a `prefetch` of {prefetch}")]
    IdleWorkers {
        /// Workers.
        workers: u32,
        /// Prefetch.
        prefetch: u32,
    },
    /// Extensions come too late.
    #[error("a `heartbeat` of {heartbeat} comes after the `visibility` of {visibility} has run out")]
    LateHeartbeat {
        /// The heartbeat.
        heartbeat: Span,
        /// The visibility.
        visibility: Span,
    },
}

impl Config {
    /// So many nodes with the default parameters.
    pub fn new(node_count: u32) -> Self {
        Self {
            node_count,
            brokers: 1,
            producers: 0,
            rules: Rules::new(),
            snapshot_every: 10_000,
            guarantee: Guarantee::AtLeastOnce,
            workers: 1,
            prefetch: 10,
            service: Distribution::constant(Span::millis(10)),
            failure: Probability::ZERO,
            poison: 0,
            stall: None,
            heartbeat: None,
            shedding: Shedding::Late,
            credit_interval: Span::millis(100),
            call_timeout: Span::millis(200),
        }
    }

    /// The first broker, whom everybody asks first.
    pub const BROKER: NodeId = NodeId::new(0);

    /// The node that has the effects.
    pub const fn store(&self) -> NodeId {
        NodeId::new(self.node_count.saturating_sub(1))
    }

    /// What a node is.
    pub fn role_of(&self, node: NodeId) -> Role {
        match node {
            node if node.raw() < self.brokers => Role::Broker,
            node if node.raw() < self.brokers + self.producers => Role::Producer,
            node if node == self.store() => Role::Store,
            _ => Role::Consumer,
        }
    }

    /// The producer by way of which a client sends; `None` where clients send to the broker.
    pub(super) fn producer_of(&self, client: ClientId) -> Option<NodeId> {
        (self.producers > 0).then(|| NodeId::new(self.brokers + client.raw() % self.producers))
    }

    /// The nodes that are brokers.
    pub(super) fn broker_nodes(&self) -> impl Iterator<Item = NodeId> {
        (0..self.brokers).map(NodeId::new)
    }

    /// How several brokers keep their log. A mutant with the name of one of Raft is that bug in the replicas.
    pub(super) fn raft(&self) -> raft::Config {
        let (snapshot_every, snapshot_trail) = (self.snapshot_every, self.snapshot_every / 2);
        let mutant = self.rules.mutant.and_then(|mutant| raft::Mutant::by_name(mutant.about().name));
        raft::Config { snapshot_every, snapshot_trail, mutant, ..raft::Config::new(self.broker_nodes()) }
    }

    /// Whether handling this message always fails.
    pub fn is_poison(&self, value: Value) -> bool {
        self.poison > 0 && scatter(value, 3).is_multiple_of(u64::from(self.poison))
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let Rules { visibility, groups, priorities, .. } = self.rules;
        let (workers, prefetch) = (self.workers, self.prefetch);
        if self.brokers == 0 {
            return Err(ConfigError::Nothing("brokers"));
        }
        let others = self.brokers.saturating_add(self.producers);
        if self.node_count <= others {
            return Err(ConfigError::TooFewNodes { nodes: self.node_count, others });
        }
        if self.brokers as usize > MEMBERS_MAX {
            return Err(ConfigError::TooManyBrokers(self.brokers));
        }
        if visibility.is_zero() {
            return Err(ConfigError::NoVisibility);
        }
        if priorities == 0 {
            return Err(ConfigError::NoPriority);
        }
        if groups > 0 && priorities > 1 {
            return Err(ConfigError::OrderedAndNot { groups, priorities });
        }
        if self.rules.max_receives == Some(0) {
            return Err(ConfigError::NoReceives);
        }
        self.validate_amounts()?;
        if prefetch < workers {
            return Err(ConfigError::IdleWorkers { workers, prefetch });
        }
        match self.heartbeat {
            Some(heartbeat) if heartbeat >= visibility => {
                Err(ConfigError::LateHeartbeat { heartbeat, visibility })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn validate_amounts(&self) -> Result<(), ConfigError> {
        let times = [
            ("time_to_live", self.rules.time_to_live),
            ("deduplication", self.rules.deduplication),
            ("heartbeat", self.heartbeat),
            ("stall.lasts", self.stall.map(|stall| stall.lasts)),
            ("credit_interval", Some(self.credit_interval)),
            ("call_timeout", Some(self.call_timeout)),
        ];
        if let Some((name, _)) = times.iter().find(|(_, time)| *time == Some(Span::ZERO)) {
            return Err(ConfigError::NoTime(name));
        }
        let numbers = [
            ("workers", Some(self.workers)),
            ("capacity", self.rules.capacity),
            ("stall.every", self.stall.map(|stall| stall.every)),
            ("snapshot_every", Some(u32::from(self.snapshot_every > 0))),
        ];
        let none = numbers.iter().find(|(_, number)| *number == Some(0));
        none.map_or(Ok(()), |(name, _)| Err(ConfigError::Nothing(name)))
    }

    /// Whether nodes have this bug.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.rules.has(mutant)
    }
}
