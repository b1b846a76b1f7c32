//! Durability: what a client was told is done.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Key;

use super::super::item::Timestamp;
use super::super::{Epidemic, Fact};

/// A site holds each update that it has acknowledged, or something newer, also after a crash, until a certificate's
/// time is over.
#[derive(Clone, Debug, Default)]
pub struct AcknowledgedSurvives {
    acknowledged: BTreeMap<NodeId, BTreeMap<Key, Timestamp>>,
}

impl AcknowledgedSurvives {
    fn on_fact(&mut self, node: NodeId, fact: Fact) {
        let acknowledged = self.acknowledged.entry(node).or_default();
        match fact {
            Fact::Acknowledged { key, written } => {
                let latest = acknowledged.entry(key).or_insert(written);
                *latest = written.max(*latest);
            }
            Fact::Discarded { key, version, .. } | Fact::LaidDormant { key, version, .. } => {
                if acknowledged.get(&key).is_some_and(|written| *written <= version.written) {
                    acknowledged.remove(&key);
                }
            }
            Fact::Started
            | Fact::Recovered(_)
            | Fact::Stamped(_)
            | Fact::Took { .. }
            | Fact::DormantDiscarded { .. }
            | Fact::Awakened { .. } => {}
        }
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
            statement: "A site holds each update that it has acknowledged, or a newer one, also after a crash, until a \
                        certificate's time is over.",
            source: "Demers et al. (PODC 1987) §0.1: the database of a site is stable",
            leaves_out: "updates that other sites have sent, which may be lost in a crash and come again",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Epidemic>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let mut has_started = false;
        for fact in facts {
            self.on_fact(node, *fact);
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

    fn fork(&self) -> Box<dyn Invariant<Epidemic>> {
        Box::new(self.clone())
    }
}
