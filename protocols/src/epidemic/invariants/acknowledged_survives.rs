//! Durability: what a client was told is done.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Key;

use super::super::item::Timestamp;
use super::super::{Epidemic, Fact, Item};
use super::Had;

/// A site holds each update that it has acknowledged, or something newer that has come since it was stamped, also after a
/// crash, until a certificate's time is over.
#[derive(Clone, Debug, Default)]
pub struct AcknowledgedSurvives {
    acknowledged: BTreeMap<NodeId, BTreeMap<Key, Timestamp>>,
    had: Had,
    /// Updates that were stamped below what their site had had, and that: it counts as nothing newer.
    below: BTreeMap<Timestamp, Timestamp>,
}

impl AcknowledgedSurvives {
    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        let acknowledged = self.acknowledged.entry(node).or_default();
        match fact {
            Fact::Stamped(Item { key, version, .. }) => {
                match self.had.get(node, key).filter(|had| *had > version.written) {
                    Some(had) => self.below.insert(version.written, had),
                    None => self.below.remove(&version.written),
                };
            }
            Fact::Took { item, .. } | Fact::Recovered(item) | Fact::Awakened { certificate: item } => {
                self.had.hold(node, &item);
            }
            Fact::Acknowledged { key, written } => {
                if let Some(had) = self.below.get(&written) {
                    let lost = format!("{node} acknowledges an update of {key} at {written}");
                    return Err(Breach(format!("{lost}, and had {had} when it stamped it")));
                }
                let latest = acknowledged.entry(key).or_insert(written);
                *latest = written.max(*latest);
            }
            Fact::Discarded { key, version, .. } | Fact::LaidDormant { key, version, .. } => {
                if acknowledged.get(&key).is_some_and(|written| *written <= version.written) {
                    acknowledged.remove(&key);
                }
            }
            Fact::Started | Fact::DormantDiscarded { .. } => {}
        }
        Ok(())
    }

    fn check(&self, node: NodeId, site: &Epidemic, keys: impl Iterator<Item = Key>) -> Result<(), Breach> {
        let Some(acknowledged) = self.acknowledged.get(&node) else { return Ok(()) };
        for key in keys {
            let Some(written) = acknowledged.get(&key) else { continue };
            let held = site.database().get(key);
            let survives = held.is_some_and(|held| held.version.written >= *written);
            ensure!(survives, "{node} has acknowledged an update of {key} at {written}, and has {held:?}");
        }
        Ok(())
    }
}

impl Invariant<Epidemic> for AcknowledgedSurvives {
    fn about(&self) -> &'static About {
        &About {
            name: "acknowledged-survives",
            statement: "A site holds each update that it has acknowledged, or a newer one that came after it was stamped, also \
                        after a crash, until a certificate's time is over.",
            source: "Demers et al. (PODC 1987) §0.1: the database of a site is stable",
            leaves_out: "updates that other sites have sent: `newest-wins` has those",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Epidemic>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let mut has_started = false;
        for fact in facts {
            self.on_fact(node, *fact)?;
            has_started |= *fact == Fact::Started;
        }
        let Some(site) = nodes.process(node) else { return Ok(()) };
        if has_started {
            let all = self.acknowledged.get(&node).into_iter().flat_map(BTreeMap::keys);
            return self.check(node, site, all.copied());
        }
        let told = facts.iter().filter_map(|fact| match fact {
            Fact::Acknowledged { key, .. } => Some(*key),
            Fact::Started
            | Fact::Recovered(_)
            | Fact::Stamped(_)
            | Fact::Took { .. }
            | Fact::Discarded { .. }
            | Fact::LaidDormant { .. }
            | Fact::DormantDiscarded { .. }
            | Fact::Awakened { .. } => None,
        });
        self.check(node, site, told)
    }

    fn check_all(&self, nodes: &Nodes<'_, Epidemic>) -> Result<(), Breach> {
        for (node, site) in nodes.running() {
            let all = self.acknowledged.get(&node).into_iter().flat_map(BTreeMap::keys);
            self.check(node, site, all.copied())?;
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
        let mut invariant = AcknowledgedSurvives::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(0), *fact))
    }

    #[test]
    fn what_a_site_had_before_an_update_was_stamped_is_nothing_newer() {
        let (now, gone) = (Moment(99), item(None, 6));
        let took = Fact::Took { item: gone, now };
        let forgotten = Fact::Discarded { key: gone.key, version: gone.version, now };
        let write = |at| item(Some(at), at);
        let done = |at| Fact::Acknowledged { key: gone.key, written: write(at).version.written };
        assert_eq!(judge(&[took, forgotten, Fact::Stamped(write(7)), done(7)]), Ok(()));
        assert_eq!(judge(&[Fact::Stamped(write(5)), took, done(5)]), Ok(()), "it came meanwhile");
        assert!(judge(&[took, forgotten, Fact::Stamped(write(5)), done(5)]).is_err());
        assert!(judge(&[took, Fact::Started, forgotten, Fact::Stamped(write(5)), done(5)]).is_err());
    }
}
