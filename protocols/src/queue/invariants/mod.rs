//! The safety properties of the queue and its consumers, one file each.
//!
//! | property | where it comes from | file |
//! | --- | --- | --- |
//! | what was sent is somewhere | bookkeeping | `conservation` |
//! | one log, whoever reads it | Raft, State Machine Safety | `agreed` |
//! | elections and logs of several brokers | Raft, Figure 3 | `raft_safety` |
//! | what was confirmed survives | `RabbitMQ`, Publisher Confirms | `no_loss` |
//! | one valid receipt a message | SQS, visibility timeout | `visibility_exclusive` |
//! | a repetition is no message | SQS, FIFO queues | `deduplicated` |
//! | order within a group | SQS, FIFO queues | `order_within_group` |
//! | delays and priorities | SQS, delay queues; `RabbitMQ`, priorities | `in_turn` |
//! | no more deliveries than may fail | SQS, dead-letter queues | `poison_isolated` |
//! | queues and backlogs have bounds | `RabbitMQ`, Queue Length Limit, Consumer Prefetch | `bounded` |
//! | nobody waits beside a message | queueing theory: work conservation | `work_conserving` |
//! | what was done is told of, and nothing else | Richardson, transactional outbox | `outbox` |
//! | effects of a message: at most one, at least one, one | Kleppmann, chapter 11 | `at_most_once`, `at_least_once`, `effectively_once` |
//!
//! All of them listen to what is on disk: a command that a crash of the broker takes back is never stated. A restart states
//! again what its log still has, and [`News`] leaves out what was heard before.

mod agreed;
mod at_least_once;
mod at_most_once;
mod bounded;
mod conservation;
mod deduplicated;
mod effectively_once;
mod effects;
mod in_turn;
mod no_loss;
mod order_within_group;
mod outbox;
mod poison_isolated;
mod raft_safety;
mod visibility_exclusive;
mod work_conserving;

use sim_core::LocalTime;
use sim_core::check::{Invariant, Kinds};

pub use agreed::Agreed;
pub use at_least_once::AtLeastOnce;
pub use at_most_once::AtMostOnce;
pub use bounded::Bounded;
pub use conservation::Conservation;
pub use deduplicated::Deduplicated;
pub use effectively_once::EffectivelyOnce;
pub use in_turn::InTurn;
pub use no_loss::NoLoss;
pub use order_within_group::OrderWithinGroup;
pub use outbox::Outbox;
pub use poison_isolated::PoisonIsolated;
pub use visibility_exclusive::VisibilityExclusive;
pub use work_conserving::WorkConserving;

use raft_safety::raft_safety;

use super::command::Event;
use super::facts::{Effect, Kind};
use super::{Config, Fact, Guarantee, Node};
use crate::promised::Promised;

/// All of them, fresh, for nodes with this configuration.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Node>>> {
    let promises = |guarantee| config.guarantee == guarantee;
    vec![
        Box::<Conservation>::default(),
        Box::<NoLoss>::default(),
        Box::<Agreed>::default(),
        raft_safety(),
        Box::<VisibilityExclusive>::default(),
        Promised::when(config.rules.deduplication.is_some(), Box::new(Deduplicated::new(config))),
        Promised::when(config.rules.groups > 0, Box::new(OrderWithinGroup::new(config))),
        Promised::when(config.rules.has_delays_or_priorities(), Box::new(InTurn::new(config))),
        Box::new(PoisonIsolated::new(config)),
        Box::new(Bounded::new(config)),
        Box::new(WorkConserving),
        Promised::when(config.producers > 0, Box::<Outbox>::default()),
        Promised::when(promises(Guarantee::AtMostOnce), Box::<AtMostOnce>::default()),
        Promised::when(promises(Guarantee::AtLeastOnce), Box::<AtLeastOnce>::default()),
        Promised::when(promises(Guarantee::EffectivelyOnce), Box::new(EffectivelyOnce::new(config))),
    ]
}

fn kinds(wanted: impl IntoIterator<Item = Kind>) -> Kinds {
    wanted.into_iter().map(|kind| kind as u32).collect()
}

/// Which of the facts with an index were not heard before.
#[derive(Clone, Copy, Debug, Default)]
struct News {
    recorded: u64,
    effected: u64,
}

impl News {
    /// What came of a command, and when, if this is news.
    fn events<'a>(&mut self, fact: &'a Fact) -> Option<(LocalTime, &'a [Event])> {
        match fact {
            Fact::Recorded { index, at, events } => {
                let is_new = *index >= self.recorded;
                self.recorded = self.recorded.max(index + 1);
                is_new.then_some((*at, &events[..]))
            }
            Fact::Confirmed { .. }
            | Fact::Recovered
            | Fact::Took { .. }
            | Fact::Effected { .. }
            | Fact::Kept { .. }
            | Fact::Raft(_) => None,
        }
    }

    /// An effect, if this is news.
    fn effect(&mut self, fact: &Fact) -> Option<Effect> {
        match fact {
            Fact::Effected { index, effect } => {
                let is_new = *index >= self.effected;
                self.effected = self.effected.max(index + 1);
                is_new.then_some(*effect)
            }
            Fact::Recorded { .. }
            | Fact::Confirmed { .. }
            | Fact::Recovered
            | Fact::Took { .. }
            | Fact::Kept { .. }
            | Fact::Raft(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_configuration_does_not_promise_is_not_asked() {
        let who_hears = |guarantee, kind: Kind| {
            let all = all(&Config { guarantee, ..Config::new(3) });
            let hear = all.iter().filter(|invariant| invariant.hears().has(kind as u32));
            hear.map(|invariant| invariant.about().name).collect::<Vec<_>>()
        };
        for (guarantee, name) in [
            (Guarantee::AtMostOnce, "at-most-once"),
            (Guarantee::AtLeastOnce, "at-least-once"),
            (Guarantee::EffectivelyOnce, "effectively-once"),
        ] {
            assert_eq!(who_hears(guarantee, Kind::Effected), [name]);
            assert!(who_hears(guarantee, Kind::Kept).is_empty(), "there are no producers");
        }
    }
}

#[cfg(test)]
mod testing {
    use sim_core::{LocalTime, NodeId};

    use super::super::command::{Cause, Event, Holder, MessageId, Receipt, Session};
    use super::super::facts::Effect;
    use super::Fact;

    pub(super) const HOLDER: Holder = Holder::Consumer { node: NodeId::new(1), session: Session(1) };

    pub(super) const fn receipt(message: u64, delivery: u32) -> Receipt {
        Receipt { message: MessageId(message), delivery }
    }

    /// Facts about these commands, each a second after the one before.
    pub(super) fn recorded(commands: &[&[Event]]) -> Vec<Fact> {
        let fact = |(index, events): (u64, &&[Event])| Fact::Recorded {
            index,
            at: LocalTime::from_nanos(index * 1_000_000_000),
            events: events.iter().copied().collect(),
        };
        (0..).zip(commands).map(fact).collect()
    }

    pub(super) const fn enqueued(message: u64, value: u64) -> Event {
        Event::Enqueued { message: MessageId(message), value }
    }

    /// Until so many seconds after the start.
    pub(super) fn delivered(message: u64, delivery: u32, until: u64) -> Event {
        Event::Delivered {
            receipt: receipt(message, delivery),
            origin: MessageId(message),
            value: message,
            holder: HOLDER,
            until: LocalTime::from_nanos(until * 1_000_000_000),
        }
    }

    pub(super) const fn acknowledged(message: u64, delivery: u32) -> Event {
        Event::Acknowledged { receipt: receipt(message, delivery), holder: HOLDER }
    }

    pub(super) const fn returned(message: u64, delivery: u32, cause: Cause) -> Event {
        Event::Returned { receipt: receipt(message, delivery), holder: HOLDER, cause }
    }

    pub(super) const fn effected(index: u64, message: u64, delivery: u32, value: u64) -> Fact {
        let effect = Effect { receipt: receipt(message, delivery), origin: MessageId(message), value };
        Fact::Effected { index, effect }
    }
}
