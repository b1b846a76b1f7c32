//! How many effects each message has had: what the three promises about them share.

use sim_core::check::Breach;
use sim_core::ensure;
use sim_core::persist::PersistentMap;
use sim_core::service::Value;

use super::super::command::{Event, Holder, MessageId};
use super::super::facts::Effect;
use super::{Fact, News};

/// Effects by message.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    news: News,
    /// By the message as it was at first.
    by_message: PersistentMap<MessageId, u32>,
    by_value: PersistentMap<Value, u32>,
    /// The messages in the queue, with what they were at first.
    origins: PersistentMap<MessageId, MessageId>,
}

impl Effects {
    /// Takes note of what a fact says of effects: an effect, with how many there were of its message and its value.
    pub(super) fn effect(&mut self, fact: &Fact) -> Option<(Effect, u32, u32)> {
        let effect = self.news.effect(fact)?;
        let of_message = count(&mut self.by_message, effect.origin);
        let of_value = count(&mut self.by_value, effect.value);
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

/// One more of these: how many there are now.
fn count<K: Ord + Clone>(numbers: &mut PersistentMap<K, u32>, key: K) -> u32 {
    if let Some(number) = numbers.get_mut(&key) {
        *number += 1;
        return *number;
    }
    numbers.insert(key, 1);
    1
}

/// A message has had more effects than it may.
pub(super) fn check_single(effect: Effect, count: u32) -> Result<(), Breach> {
    let Effect { receipt, origin, value } = effect;
    ensure!(count <= 1, "{origin}, value {value}, has its effect {count} times, the last time by {receipt}");
    Ok(())
}
