//! Monotony: what a site holds under a key gets newer.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Key;

use super::super::item::Version;
use super::super::{Epidemic, Fact, Item};
use super::Had;

/// A site takes an item only in place of an older one, finds after a crash no less than it had, and stamps an update later
/// than all that it has had under the key.
#[derive(Clone, Debug, Default)]
pub struct NewestWins {
    held: BTreeMap<NodeId, BTreeMap<Key, Version>>,
    had: Had,
}

impl NewestWins {
    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        let held = self.held.entry(node).or_default();
        match fact {
            Fact::Started => held.clear(),
            Fact::Recovered(item) => {
                held.insert(item.key, item.version);
                let more = self.had.get(node, item.key).filter(|had| *had > item.version.written);
                if let Some(had) = more {
                    let found = format!("{node} finds {item} on its disk");
                    return Err(Breach(format!("{found}, and had an item of {had} before it crashed")));
                }
                self.had.hold(node, &item);
            }
            Fact::Stamped(Item { key, version: Version { written, .. }, .. }) => {
                if let Some(before) = self.had.get(node, key) {
                    let overrides = before < written;
                    ensure!(
                        overrides,
                        "{node} stamps an update of {key} at {written}, and has had one of {before}"
                    );
                }
            }
            Fact::Took { item, .. } | Fact::Awakened { certificate: item } => {
                let before = held.insert(item.key, item.version);
                let is_newer = before.is_none_or(|before| before < item.version);
                ensure!(is_newer, "{node} takes {item}, and had {before:?}");
                self.had.hold(node, &item);
            }
            Fact::Discarded { key, version, .. } | Fact::LaidDormant { key, version, .. } => {
                let before = held.remove(&key);
                ensure!(before == Some(version), "{node} buries {version:?} of {key}, and had {before:?}");
            }
            Fact::Acknowledged { .. } | Fact::DormantDiscarded { .. } => {}
        }
        Ok(())
    }

    /// A site that has started has found something of all that it had.
    fn check_start(&self, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let found: BTreeSet<Key> = facts.iter().filter_map(recovered_key).collect();
        let missing = self.had.all(node).find(|(key, _)| !found.contains(key));
        missing.map_or(Ok(()), |(key, had)| {
            Err(Breach(format!("{node} finds nothing of {key} on its disk, and had an item of {had}")))
        })
    }
}

fn recovered_key(fact: &Fact) -> Option<Key> {
    match fact {
        Fact::Recovered(item) => Some(item.key),
        Fact::Started
        | Fact::Stamped(_)
        | Fact::Took { .. }
        | Fact::Acknowledged { .. }
        | Fact::Discarded { .. }
        | Fact::LaidDormant { .. }
        | Fact::DormantDiscarded { .. }
        | Fact::Awakened { .. } => None,
    }
}

impl Invariant<Epidemic> for NewestWins {
    fn about(&self) -> &'static About {
        &About {
            name: "newest-wins",
            statement: "What a site holds under a key only gets newer, also over a crash, and an update overrides all that its \
                        site has had.",
            source: "Demers et al. (PODC 1987) §1.1: an update with a higher timestamp supersedes",
            leaves_out: "what comes after a certificate that was forgotten: it may be older, from a site that has not had it",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Epidemic>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))?;
        let has_started = facts.contains(&Fact::Started) && nodes.process(node).is_some();
        if has_started { self.check_start(node, facts) } else { Ok(()) }
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
        assert!(judge(&[took(6), took(5)]).is_err());
        assert!(judge(&[took(6), took(6)]).is_err());
        assert!(judge(&[Fact::Recovered(item(Some(6), 6)), took(5)]).is_err());
    }

    #[test]
    fn a_crash_takes_nothing_that_a_site_has_had() {
        let (took, found) =
            (Fact::Took { item: item(Some(6), 6), now: Moment(9) }, |at| Fact::Recovered(item(Some(at), at)));
        assert_eq!(judge(&[took, Fact::Started, found(6)]), Ok(()));
        assert_eq!(judge(&[took, Fact::Started, found(7)]), Ok(()), "it was written down, and not yet taken");
        assert!(judge(&[took, Fact::Started, found(5)]).is_err());
        let mut invariant = NewestWins::default();
        let node = NodeId::new(0);
        assert_eq!(invariant.on_fact(node, took), Ok(()));
        assert_eq!(invariant.check_start(node, &[Fact::Started, found(6)]), Ok(()));
        assert!(invariant.check_start(node, &[Fact::Started]).is_err());
    }

    #[test]
    fn an_update_is_later_than_what_its_site_has_had() {
        let took = Fact::Took { item: item(Some(6), 6), now: Moment(9) };
        assert_eq!(judge(&[took, Fact::Stamped(item(Some(7), 7))]), Ok(()));
        assert!(judge(&[took, Fact::Stamped(item(Some(7), 5))]).is_err());
        let (gone, now) = (item(None, 6), Moment(99));
        let forgotten = Fact::Discarded { key: gone.key, version: gone.version, now };
        let deleted = [Fact::Took { item: gone, now }, forgotten];
        assert_eq!(judge(&[deleted[0], deleted[1], Fact::Stamped(item(Some(7), 7))]), Ok(()));
        assert!(judge(&[deleted[0], deleted[1], Fact::Stamped(item(Some(7), 5))]).is_err());
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
