//! What is deleted stays deleted, where that is known.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Key;

use super::super::{Epidemic, Fact, Item};

/// A site that has a death certificate, active or dormant, takes nothing that it cancels.
#[derive(Clone, Debug, Default)]
pub struct NoResurrection {
    /// The last certificate of each key at each site that has one.
    certificates: BTreeMap<NodeId, BTreeMap<Key, Item>>,
}

impl NoResurrection {
    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        let certificates = self.certificates.entry(node).or_default();
        match fact {
            Fact::Started => certificates.clear(),
            Fact::Took { item, .. } | Fact::Recovered(item) | Fact::Awakened { certificate: item } => {
                if let Some(certificate) = certificates.get(&item.key) {
                    let is_cancelled = item.version.written < certificate.version.written;
                    ensure!(!is_cancelled, "{node} takes {item}, and has {certificate}");
                }
                if item.is_certificate() {
                    certificates.insert(item.key, item);
                } else {
                    certificates.remove(&item.key);
                }
            }
            Fact::Discarded { key, .. } | Fact::DormantDiscarded { key, .. } => {
                certificates.remove(&key);
            }
            Fact::Stamped(_) | Fact::Acknowledged { .. } | Fact::LaidDormant { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<Epidemic> for NoResurrection {
    fn about(&self) -> &'static About {
        &About {
            name: "no-resurrection",
            statement: "A site that has a death certificate, active or dormant, takes nothing that it cancels.",
            source: "Demers et al. (PODC 1987) §2 and §2.1",
            leaves_out: "sites that have forgotten a certificate, as they may after τ1: `certificates-by-rule` sees to when",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Epidemic>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))
    }

    /// No site holds what a certificate that is dormant there cancels.
    fn check_all(&self, nodes: &Nodes<'_, Epidemic>) -> Result<(), Breach> {
        for (node, site) in nodes.running() {
            for (key, dormant) in site.dormant() {
                let held = site.database().get(*key);
                let is_cancelled = held.is_some_and(|held| held.version.written <= dormant.version.written);
                ensure!(!is_cancelled, "{node} has {held:?} with a dormant {dormant}");
            }
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
    use super::super::samples::{awakened, item};
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = NoResurrection::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(0), *fact))
    }

    #[test]
    fn what_a_certificate_cancels_comes_back_only_where_it_is_forgotten() {
        let (now, gone) = (Moment(99), item(None, 6));
        let took = |item| Fact::Took { item, now };
        let (dormant, discarded) = (
            Fact::LaidDormant { key: gone.key, version: gone.version, now },
            Fact::Discarded { key: gone.key, version: gone.version, now },
        );
        let (older, newer) = (took(item(Some(5), 5)), took(item(Some(7), 7)));
        assert_eq!(judge(&[took(gone), newer, newer]), Ok(()));
        assert_eq!(judge(&[took(gone), discarded, older]), Ok(()));
        assert!(judge(&[took(gone), older]).is_err());
        assert!(judge(&[took(gone), dormant, older]).is_err());
        let again = Fact::Awakened { certificate: awakened(gone, 50) };
        assert_eq!(judge(&[took(gone), dormant, again]), Ok(()));
        assert!(judge(&[took(gone), dormant, again, older]).is_err());
        let over = Fact::DormantDiscarded { key: gone.key, version: gone.version, now };
        assert_eq!(judge(&[took(gone), dormant, over, older]), Ok(()), "it was away too long");
    }
}
