//! What is deleted stays deleted, where that is known, and nobody who has known brings it back.
//!
//! A certificate cannot promise that what it cancels is never seen again: it is kept for a while, and a site that has not had it
//! in that time still has the item and passes it on. What can be promised is where the item comes from:
//!
//! | a site that | goes back to the item |
//! | --- | --- |
//! | has the certificate, active or dormant | never |
//! | has had it and forgotten it | if it is sent the item, and never by itself: not by a crash either |
//! | has not had it | – : it has the item all the time |
//!
//! So a deletion that every site has had is for good, but for messages that were under way all the while: nobody is left who
//! could send the item. Nor does it matter for that how long a site was away, only whether it has had the certificate.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Key;

use super::super::{Epidemic, Fact, Item};

/// A site that has a death certificate takes nothing that it cancels, and one that has had it finds nothing of that on its
/// disk.
#[derive(Clone, Debug, Default)]
pub struct NoResurrection {
    /// The last certificate of each key at each site that has one.
    certificates: BTreeMap<NodeId, BTreeMap<Key, Item>>,
    /// The last certificate of each key that a site has ever had: neither its time nor a crash takes that.
    had: BTreeMap<(NodeId, Key), Item>,
}

impl NoResurrection {
    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        match fact {
            Fact::Started => {
                self.certificates.remove(&node);
            }
            Fact::Recovered(item) => {
                if let Some(had) = self.had.get(&(node, item.key)) {
                    ensure!(!cancels(had, &item), "{node} finds {item} on its disk, and has had {had}");
                }
                self.hold(node, item);
            }
            Fact::Took { item, .. } | Fact::Awakened { certificate: item } => {
                let certificates = self.certificates.get(&node);
                if let Some(has) = certificates.and_then(|certificates| certificates.get(&item.key)) {
                    ensure!(!cancels(has, &item), "{node} takes {item}, and has {has}");
                }
                self.hold(node, item);
            }
            Fact::Discarded { key, .. } | Fact::DormantDiscarded { key, .. } => {
                self.certificates.entry(node).or_default().remove(&key);
            }
            Fact::Stamped(_) | Fact::Acknowledged { .. } | Fact::LaidDormant { .. } => {}
        }
        Ok(())
    }

    fn hold(&mut self, node: NodeId, item: Item) {
        let certificates = self.certificates.entry(node).or_default();
        if !item.is_certificate() {
            certificates.remove(&item.key);
            return;
        }
        certificates.insert(item.key, item);
        let had = self.had.entry((node, item.key)).or_insert(item);
        if had.version < item.version {
            *had = item;
        }
    }
}

fn cancels(certificate: &Item, item: &Item) -> bool {
    item.version.written < certificate.version.written
}

impl Invariant<Epidemic> for NoResurrection {
    fn about(&self) -> &'static About {
        &About {
            name: "no-resurrection",
            statement: "A site that has a death certificate, active or dormant, takes nothing that it cancels, and one that has \
                        ever had it finds nothing of that after a crash: what is deleted comes back only from a site that has \
                        not heard of it.",
            source: "Demers et al. (PODC 1987) §2 and §2.1",
            leaves_out: "what a site is sent after it has forgotten a certificate, as it may after τ1 (`certificates-by-rule` \
                         sees to when): it cannot be told whether the message is new or was under way for so long",
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

    #[test]
    fn who_has_had_a_certificate_never_finds_what_it_cancels_on_its_disk() {
        let (now, gone) = (Moment(99), item(None, 6));
        let (took, started) = (Fact::Took { item: gone, now }, Fact::Started);
        let found = |at| Fact::Recovered(item(Some(at), at));
        let discarded = Fact::Discarded { key: gone.key, version: gone.version, now };
        assert_eq!(judge(&[started, found(5), took, discarded, started, Fact::Recovered(gone)]), Ok(()));
        assert_eq!(judge(&[took, started, found(7)]), Ok(()));
        assert!(judge(&[took, started, found(5)]).is_err());
        assert!(judge(&[took, discarded, started, found(5)]).is_err(), "nor when it is forgotten");
        let back = Fact::Took { item: item(Some(5), 5), now };
        assert!(judge(&[took, discarded, back, started, found(5)]).is_err(), "nor what came back meanwhile");
    }
}
