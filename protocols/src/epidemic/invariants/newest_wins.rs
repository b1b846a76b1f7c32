//! Monotony: what a site holds under a key gets newer.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Key;

use super::super::item::Version;
use super::super::{Epidemic, Fact, Item};

/// A site takes an item only in place of an older one, and stamps an update later than what it has.
#[derive(Clone, Debug, Default)]
pub struct NewestWins {
    held: BTreeMap<NodeId, BTreeMap<Key, Version>>,
}

impl NewestWins {
    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        let held = self.held.entry(node).or_default();
        match fact {
            Fact::Started => held.clear(),
            Fact::Recovered(item) => {
                held.insert(item.key, item.version);
            }
            Fact::Stamped(Item { key, version, .. }) => {
                let before = held.get(&key);
                let overrides = before.is_none_or(|before| before.written < version.written);
                ensure!(overrides, "{node} has {before:?} of {key}, and stamps an update {version:?}");
            }
            Fact::Took { item, .. } | Fact::Awakened { certificate: item } => {
                let before = held.insert(item.key, item.version);
                let is_newer = before.is_none_or(|before| before < item.version);
                ensure!(is_newer, "{node} takes {item}, and had {before:?}");
            }
            Fact::Discarded { key, version, .. } | Fact::LaidDormant { key, version, .. } => {
                let before = held.remove(&key);
                ensure!(before == Some(version), "{node} buries {version:?} of {key}, and had {before:?}");
            }
            Fact::Acknowledged { .. } | Fact::DormantDiscarded { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<Epidemic> for NewestWins {
    fn about(&self) -> &'static About {
        &About {
            name: "newest-wins",
            statement: "What a site holds under a key only gets newer, and an update overrides what its site has.",
            source: "Demers et al. (PODC 1987) §1.1: an update with a higher timestamp supersedes",
            leaves_out: "what a crash takes that was not synced: other sites have it",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Epidemic>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))
    }

    /// What sites hold is what they said.
    fn check_all(&self, nodes: &Nodes<'_, Epidemic>) -> Result<(), Breach> {
        let none = BTreeMap::new();
        for (node, site) in nodes.running() {
            let said = self.held.get(&node).unwrap_or(&none);
            let held: BTreeMap<Key, Version> =
                site.database().items().map(|item| (item.key, item.version)).collect();
            ensure!(held == *said, "{node} said that it has {said:?}, and has {held:?}");
        }
        Ok(())
    }

    fn fork(&self) -> Box<dyn Invariant<Epidemic>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::item::Moment;
    use super::super::samples::item;
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = NewestWins::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(0), *fact))
    }

    #[test]
    fn an_older_item_never_comes_after_a_newer_one() {
        let took = |at| Fact::Took { item: item(Some(at), at), now: Moment(9) };
        assert_eq!(judge(&[took(5), took(6)]), Ok(()));
        assert_eq!(judge(&[took(6), Fact::Started, took(5)]), Ok(()), "it was not on disk");
        assert!(judge(&[took(6), took(5)]).is_err());
        assert!(judge(&[took(6), took(6)]).is_err());
        assert!(judge(&[Fact::Recovered(item(Some(6), 6)), took(5)]).is_err());
    }

    #[test]
    fn an_update_is_later_than_what_its_site_has() {
        let took = Fact::Took { item: item(Some(6), 6), now: Moment(9) };
        assert_eq!(judge(&[took, Fact::Stamped(item(Some(7), 7))]), Ok(()));
        assert!(judge(&[took, Fact::Stamped(item(Some(7), 5))]).is_err());
    }

    #[test]
    fn a_certificate_that_is_buried_makes_room() {
        let gone = item(None, 6);
        let (took, now) = (Fact::Took { item: gone, now: Moment(6) }, Moment(99));
        let buried = Fact::Discarded { key: gone.key, version: gone.version, now };
        assert_eq!(judge(&[took, buried, Fact::Took { item: item(Some(5), 5), now }]), Ok(()));
        assert!(judge(&[buried]).is_err(), "there was none");
    }
}
