//! Death certificates are kept as long as the rule says, by the clocks of the sites.

use std::collections::BTreeMap;

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::service::Key;
use sim_core::{NodeId, Span, ensure};

use super::super::item::{Item, Moment, Version};
use super::super::{Config, Epidemic, Fact};

/// A certificate is buried after τ1, forgotten where it is not retained, and after τ1 + τ2 where it is; one that is
/// awakened begins anew.
#[derive(Clone, Debug)]
pub struct CertificatesByRule {
    config: Config,
    /// The certificates that sites hold.
    active: BTreeMap<(NodeId, Key), Item>,
    /// Those that are dormant.
    dormant: BTreeMap<(NodeId, Key), Item>,
}

impl CertificatesByRule {
    /// For sites with this configuration.
    pub const fn new(config: Config) -> Self {
        Self { config, active: BTreeMap::new(), dormant: BTreeMap::new() }
    }

    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        match fact {
            Fact::Started => {
                self.active.retain(|(other, _), _| *other != node);
                self.dormant.retain(|(other, _), _| *other != node);
            }
            Fact::Took { item, .. } | Fact::Recovered(item) => self.hold(node, item),
            Fact::Awakened { certificate } => {
                let dormant = self.dormant.get(&(node, certificate.key)).map(|item| item.version);
                let is_awakened = dormant.is_some_and(|version| {
                    version.written == certificate.version.written
                        && version.activated < certificate.version.activated
                });
                ensure!(is_awakened, "{node} awakens {certificate}, and has {dormant:?} dormant");
                self.hold(node, certificate);
            }
            Fact::Discarded { key, version, now } => {
                let item = self.bury(node, key, version, now)?;
                ensure!(!self.retains(node, &item), "{node} forgets {item}, which it is to retain");
            }
            Fact::LaidDormant { key, version, now } => {
                let item = self.bury(node, key, version, now)?;
                ensure!(self.retains(node, &item), "{node} retains {item}, and is not to");
                self.dormant.insert((node, key), item);
            }
            Fact::DormantDiscarded { key, version, now } => {
                let item = self.dormant.remove(&(node, key));
                let is_there = item.is_some_and(|item| item.version == version);
                ensure!(is_there, "{node} forgets a dormant {version:?} of {key}, and has {item:?}");
                self.check_age(node, version, now, self.config.certificates.dormant)?;
            }
            Fact::Stamped(_) | Fact::Acknowledged { .. } => {}
        }
        Ok(())
    }

    fn hold(&mut self, node: NodeId, item: Item) {
        let place = (node, item.key);
        if self.dormant.get(&place).is_some_and(|dormant| dormant.version.written <= item.version.written) {
            self.dormant.remove(&place);
        }
        if item.is_certificate() {
            self.active.insert(place, item);
        } else {
            self.active.remove(&place);
        }
    }

    /// An active certificate is no longer so.
    fn bury(&mut self, node: NodeId, key: Key, version: Version, now: Moment) -> Result<Item, Breach> {
        let item = self.active.remove(&(node, key)).filter(|item| item.version == version);
        let Some(item) = item else {
            return Err(Breach(format!("{node} buries {version:?} of {key}, and has no such certificate")));
        };
        self.check_age(node, version, now, Span::ZERO)?;
        Ok(item)
    }

    fn check_age(&self, node: NodeId, version: Version, now: Moment, beyond: Span) -> Result<(), Breach> {
        let (age, limit) = (version.activated.age(now), self.config.certificates.active + beyond);
        ensure!(age >= limit, "{node} buries a certificate after {age}, and it is to be kept for {limit}");
        Ok(())
    }

    fn retains(&self, node: NodeId, item: &Item) -> bool {
        item.is_retained_at(node, self.config.certificates.retention_sites, self.config.node_count)
    }
}

impl Invariant<Epidemic> for CertificatesByRule {
    fn about(&self) -> &'static About {
        &About {
            name: "certificates-by-rule",
            statement: "A death certificate is active for τ1, then dormant at its retention sites for τ2 and forgotten \
                        elsewhere, and begins anew when it is awakened.",
            source: "Demers et al. (PODC 1987) §2, §2.1, §2.2",
            leaves_out: "true time: sites go by their clocks",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Epidemic>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))
    }

    /// What sites have is what they said.
    fn check_all(&self, nodes: &Nodes<'_, Epidemic>) -> Result<(), Breach> {
        for (node, site) in nodes.running() {
            let said = |of: &BTreeMap<(NodeId, Key), Item>| -> BTreeMap<Key, Item> {
                let own = of.iter().filter(|((other, _), _)| *other == node);
                own.map(|((_, key), item)| (*key, *item)).collect()
            };
            let all = site.database().items().filter(|item| item.is_certificate());
            let active: BTreeMap<Key, Item> = all.map(|item| (item.key, *item)).collect();
            ensure!(said(&self.active) == active, "{node} has the certificates {active:?}");
            ensure!(said(&self.dormant) == *site.dormant(), "{node} has dormant {:?}", site.dormant());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{awakened, item};
    use super::*;

    /// Two sites; a certificate of n1 is kept there. It is active for 10 ms, and dormant for 20.
    fn judge(node: u32, facts: &[Fact]) -> Result<(), Breach> {
        let mut config = Config::new(2);
        config.certificates.active = Span::millis(10);
        config.certificates.dormant = Span::millis(20);
        config.certificates.retention_sites = 1;
        let mut invariant = CertificatesByRule::new(config);
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(node), *fact))
    }

    #[test]
    fn a_certificate_is_buried_where_and_when_the_rule_says() {
        let gone = item(None, 5);
        let took = Fact::Took { item: gone, now: Moment(5) };
        let discarded = |now| Fact::Discarded { key: gone.key, version: gone.version, now: Moment(now) };
        let dormant = |now| Fact::LaidDormant { key: gone.key, version: gone.version, now: Moment(now) };
        let over = |now| Fact::DormantDiscarded { key: gone.key, version: gone.version, now: Moment(now) };
        assert_eq!(judge(1, &[took, discarded(15)]), Ok(()));
        assert!(judge(1, &[took, discarded(14)]).is_err(), "too early");
        assert!(judge(1, &[took, dormant(15)]).is_err(), "it is no retention site");
        assert!(judge(0, &[took, discarded(15)]).is_err(), "it is one");
        assert_eq!(judge(0, &[took, dormant(15), over(35)]), Ok(()));
        assert!(judge(0, &[took, dormant(15), over(34)]).is_err(), "too early");
        assert!(judge(1, &[discarded(15)]).is_err(), "there is none");
    }

    #[test]
    fn a_certificate_that_is_awakened_begins_anew() {
        let gone = item(None, 5);
        let took = Fact::Took { item: gone, now: Moment(5) };
        let asleep = Fact::LaidDormant { key: gone.key, version: gone.version, now: Moment(15) };
        let again = awakened(gone, 20);
        let woken = Fact::Awakened { certificate: again };
        let buried = |now| Fact::LaidDormant { key: gone.key, version: again.version, now: Moment(now) };
        assert_eq!(judge(0, &[took, asleep, woken, buried(30)]), Ok(()));
        assert!(
            judge(0, &[took, asleep, woken, buried(25)]).is_err(),
            "its time counts from when it was awakened"
        );
        assert!(
            judge(0, &[took, asleep, Fact::Awakened { certificate: gone }]).is_err(),
            "activated as before"
        );
        assert!(judge(0, &[took, woken]).is_err(), "it was not dormant");
    }
}
