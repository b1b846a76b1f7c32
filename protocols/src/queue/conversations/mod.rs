//! The queue in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;
use sim_core::disk::RegionId;
use sim_core::random::{Distribution, Probability};
use sim_core::{NodeId, Process as _, Span};

use super::command::{Cause, Event};
use super::facts::Effect;
use super::{Config, Fact, Guarantee, Mutant, Node, Overflow, Role, Stall, Timer, durable, invariants};
use crate::raft::Raft;
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Node {
    /// The parameters as scenarios call them; `guarantee=at-most-once` or `effectively-once`, `failing=on` makes every
    /// handling fail. Handling takes 10 ms, and a consumer is believed for ten minutes to take what it says.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config { prefetch: 1, credit_interval: Span::secs(120), ..Config::new(nodes) };
        arguments.set("brokers", &mut config.brokers)?;
        arguments.set("producers", &mut config.producers)?;
        let rules = &mut config.rules;
        arguments.set("visibility", &mut rules.visibility)?;
        arguments.set("delay", &mut rules.delay)?;
        arguments.set("retry_delay", &mut rules.retry_delay)?;
        arguments.set("groups", &mut rules.groups)?;
        arguments.set("priorities", &mut rules.priorities)?;
        rules.deduplication = arguments.value("deduplication")?;
        rules.max_receives = arguments.value("max_receives")?;
        rules.time_to_live = arguments.value("time_to_live")?;
        rules.capacity = arguments.value("capacity")?;
        rules.overflow = arguments.named("overflow", overflow)?.unwrap_or_default();
        rules.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.guarantee = arguments.named("guarantee", guarantee)?.unwrap_or_default();
        arguments.set("snapshot_every", &mut config.snapshot_every)?;
        arguments.set("workers", &mut config.workers)?;
        arguments.set("prefetch", &mut config.prefetch)?;
        arguments.set("credit_interval", &mut config.credit_interval)?;
        config.heartbeat = arguments.value("heartbeat")?;
        let service: Option<Span> = arguments.value("service")?;
        config.service = service.map_or(config.service, Distribution::constant);
        if arguments.value("failing")?.unwrap_or(false) {
            config.failure = Probability::ONE;
        }
        let lasts: Option<Span> = arguments.value("stall")?;
        config.stall = lasts.map(|lasts| Stall { every: 1, lasts });
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all(config)
    }

    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Recorded { events, .. } => {
                let texts: Vec<String> = events.iter().map(event).collect();
                (!texts.is_empty()).then(|| texts.join("; "))
            }
            Fact::Effected { effect: Effect { receipt, value, .. }, .. } => {
                Some(format!("has the effect of {receipt}, value {value}"))
            }
            Fact::Recovered => Some("goes on from its log".to_owned()),
            Fact::Kept { value } => Some(format!("has done {value}, and will tell of it")),
            Fact::Raft(fact) => Raft::fact(fact),
            Fact::Confirmed { .. } | Fact::Took { .. } => None,
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Broker(_) | Self::Replicated(_) => self.broker().map_or_else(
                || format!("is a broker: {}", self.status().role),
                |broker| {
                    let (waiting, held) = broker.queue().depth();
                    let dead = broker.queue().dead_letters().len();
                    format!("is the broker: {waiting} queued, {held} in flight, {dead} dead letters")
                },
            ),
            Self::Producer(producer) => format!("is a producer: {} rows", producer.rows().len()),
            Self::Consumer(consumer) => format!("is a consumer: holds {}", consumer.held_count()),
            Self::Store(store) => format!("is the store: {} effects", store.effect_count()),
        }
    }

    /// A broker by itself and a replica use the same regions for different things.
    fn region_on(config: &Config, node: NodeId, region: RegionId) -> String {
        if config.role_of(node) == Role::Broker && config.brokers > 1 {
            return Raft::region(region);
        }
        match region {
            durable::LOG => "log",
            durable::SNAPSHOT => "snapshot",
            durable::INBOX => "inbox",
            other => unreachable!("{node} has no region {}", other.raw()),
        }
        .to_owned()
    }

    fn timer(timer: Timer) -> String {
        match timer {
            Timer::Worker(index) => format!("worker-{}", index + 1),
            Timer::Raft(timer) => Raft::timer(timer),
            Timer::Deadline | Timer::Credit | Timer::Heartbeat | Timer::Relay => {
                format!("{timer:?}").to_lowercase()
            }
        }
    }
}

fn event(event: &Event) -> String {
    match event {
        Event::Enqueued { message, value } => format!("keeps {message}, value {value}"),
        Event::Duplicate { value } => format!("knows value {value}"),
        Event::Full => "is full".to_owned(),
        Event::Delivered { receipt, holder, .. } => format!("gives {receipt} to {holder}"),
        Event::Empty => "has nothing to give".to_owned(),
        Event::Acknowledged { receipt, .. } => format!("is done with {receipt}"),
        Event::Void { receipt } => format!("finds {receipt} void"),
        Event::Extended { receipt, until } => format!("gives more time to {receipt}, until {until}"),
        Event::Returned { receipt, cause: Cause::Timeout, .. } => {
            format!("takes {receipt} back after its time")
        }
        Event::Returned { receipt, cause: Cause::Failure, .. } => format!("gets {receipt} back"),
        Event::DeadLettered { message, .. } => format!("makes {message} a dead letter"),
        Event::Expired { message } => format!("lets {message} expire"),
        Event::Dropped { message } => format!("drops {message}"),
        Event::Redriven { from, message, .. } => format!("brings {from} back as {message}"),
    }
}

fn overflow(name: &str) -> Option<Overflow> {
    match name {
        "block" => Some(Overflow::Block),
        "reject" => Some(Overflow::Reject),
        "drop-head" => Some(Overflow::DropHead),
        "drop-tail" => Some(Overflow::DropTail),
        _ => None,
    }
}

fn guarantee(name: &str) -> Option<Guarantee> {
    match name {
        "at-most-once" => Some(Guarantee::AtMostOnce),
        "at-least-once" => Some(Guarantee::AtLeastOnce),
        "effectively-once" => Some(Guarantee::EffectivelyOnce),
        _ => None,
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Node>("queue");
}
