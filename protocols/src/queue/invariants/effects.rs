//! How many effects each message has had: what the three promises about them share.

use std::collections::BTreeMap;

use sim_core::check::Breach;
use sim_core::ensure;
use sim_core::service::Value;

use super::super::command::{Event, Holder, MessageId};
use super::super::facts::Effect;
use super::{Fact, News};

/// Effects by message.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    news: News,
    /// By the message as it was at first.
    by_message: BTreeMap<MessageId, u32>,
    by_value: BTreeMap<Value, u32>,
    /// The messages in the queue, with what they were at first.
    origins: BTreeMap<MessageId, MessageId>,
}

impl Effects {
    /// Takes note of what a fact says of effects: an effect, with how many there were of its message and its value.
    pub(super) fn effect(&mut self, fact: &Fact) -> Option<(Effect, u32, u32)> {
        let effect = self.news.effect(fact)?;
        let count = |number: &mut u32| {
            *number += 1;
            *number
        };
        let of_message = count(self.by_message.entry(effect.origin).or_default());
        let of_value = count(self.by_value.entry(effect.value).or_default());
        Some((effect, of_message, of_value))
    }

    /// What a consumer acknowledges has had an effect. Clients that dequeue by themselves have theirs elsewhere.
    pub(super) fn check_acknowledged(&mut self, fact: &Fact) -> Result<(), Breach> {
        let Some((_, events)) = self.news.events(fact) else { return Ok(()) };
        for event in events {
            if let Event::Delivered { receipt, origin, .. } = event {
                self.origins.insert(receipt.message, *origin);
            }
            if let Event::Acknowledged { receipt, holder } = event {
                let origin = self.origins.remove(&receipt.message).unwrap_or(receipt.message);
                let has_effect = self.by_message.contains_key(&origin);
                let is_by_consumer = matches!(holder, Holder::Consumer { .. });
                ensure!(
                    has_effect || !is_by_consumer,
                    "{holder} acknowledges {receipt}, which has had no effect"
                );
            }
        }
        Ok(())
    }
}

/// A message has had more effects than it may.
pub(super) fn check_single(effect: Effect, count: u32) -> Result<(), Breach> {
    let Effect { receipt, origin, value } = effect;
    ensure!(count <= 1, "{origin}, value {value}, has its effect {count} times, the last time by {receipt}");
    Ok(())
}
