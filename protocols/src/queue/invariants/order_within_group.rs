//! Order within a group: one message after the other.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::command::{Event, MessageId};
use super::super::facts::Effect;
use super::super::{Config, Fact, Guarantee, Node, Rules};
use super::{Kind, News, kinds};

/// A message of a group is delivered after those of the group that came before it are gone; where consumers promise
/// effectively once, effects are in order, too.
#[derive(Clone, Debug)]
pub struct OrderWithinGroup {
    rules: Rules,
    orders_effects: bool,
    news: News,
    /// The messages in the queue, by group.
    live: BTreeMap<u64, BTreeSet<MessageId>>,
    groups: BTreeMap<MessageId, u64>,
    /// The message of the last effect, by group.
    effects: BTreeMap<u64, MessageId>,
}

impl OrderWithinGroup {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            rules: config.rules,
            orders_effects: config.guarantee == Guarantee::EffectivelyOnce,
            news: News::default(),
            live: BTreeMap::new(),
            groups: BTreeMap::new(),
            effects: BTreeMap::new(),
        }
    }

    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        if let Some(effect) = self.news.effect(fact) {
            self.on_effect(effect)?;
        }
        let Some((_, events)) = self.news.events(fact) else { return Ok(()) };
        events.iter().try_for_each(|event| self.on_recorded(event))
    }

    fn on_effect(&mut self, effect: Effect) -> Result<(), Breach> {
        let Effect { receipt, value, .. } = effect;
        let group = self.rules.group_of(value).expect("there are groups");
        let last = self.effects.insert(group, receipt.message);
        let is_late = last.is_some_and(|last| last > receipt.message) && self.orders_effects;
        ensure!(!is_late, "group {group} has the effect of {receipt} after that of {last:?}");
        Ok(())
    }

    fn on_recorded(&mut self, event: &Event) -> Result<(), Breach> {
        if let Some((message, value)) = event.entered() {
            let group = self.rules.group_of(value).expect("there are groups");
            self.groups.insert(message, group);
            self.live.entry(group).or_default().insert(message);
        } else if let Some(message) = event.left() {
            self.leave(message);
        } else if let Event::Delivered { receipt, .. } = event {
            let group = self.groups.get(&receipt.message);
            let first = group.and_then(|group| self.live.get(group)?.first());
            ensure!(
                first == Some(&receipt.message),
                "{receipt} of group {group:?} is delivered, and {first:?} is before it"
            );
        }
        Ok(())
    }

    fn leave(&mut self, message: MessageId) {
        if let Some(group) = self.groups.remove(&message)
            && let Some(live) = self.live.get_mut(&group)
        {
            live.remove(&message);
        }
    }
}

impl Invariant<Node> for OrderWithinGroup {
    fn about(&self) -> &'static About {
        &About {
            name: "order-within-group",
            statement: "A message of a group is delivered after those of the group that came before it are gone; where \
                        consumers promise effectively once, effects are in that order, too.",
            source: "Amazon SQS Developer Guide, FIFO queues: message group ID",
            leaves_out: "effects with the other guarantees: a consumer that was paused may have one late",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded, Kind::Effected])
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))
    }

    /// Of a group, at most the first message is held.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        for (_, process) in nodes.running() {
            let Some(broker) = process.broker() else { continue };
            let mut seen = BTreeSet::new();
            for (id, message) in broker.queue().messages().iter() {
                let Some(group) = self.rules.group_of(message.value) else { return Ok(()) };
                let is_first = seen.insert(group);
                let is_held = matches!(message.stage, super::super::state::Stage::Held { .. });
                ensure!(is_first || !is_held, "{id} of group {group} is held, and another one is before it");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{acknowledged, delivered, effected, enqueued, recorded};
    use super::*;

    fn judge(groups: u32, facts: &[Fact]) -> Result<(), Breach> {
        let rules = Rules { groups, ..Rules::new() };
        let guarantee = Guarantee::EffectivelyOnce;
        let mut invariant = OrderWithinGroup::new(&Config { rules, guarantee, ..Config::new(3) });
        facts.iter().try_for_each(|fact| invariant.on_fact(fact))
    }

    #[test]
    fn a_message_that_is_delivered_before_its_turn_is_found() {
        let sent: &[Event] = &[enqueued(1, 7), enqueued(2, 8)];
        let early = recorded(&[sent, &[delivered(1, 1, 9)], &[delivered(2, 1, 9)]]);
        assert!(judge(1, &early).is_err());
        assert_eq!(judge(3, &early), Ok(()), "they are of two groups");
        let right = recorded(&[sent, &[delivered(1, 1, 9)], &[acknowledged(1, 1), delivered(2, 1, 9)]]);
        assert_eq!(judge(1, &right), Ok(()));
    }

    #[test]
    fn an_effect_after_a_later_one_is_found() {
        assert!(judge(1, &[effected(0, 2, 1, 8), effected(1, 1, 1, 7)]).is_err());
        assert_eq!(judge(1, &[effected(0, 1, 1, 7), effected(1, 2, 1, 8)]), Ok(()));
    }
}
