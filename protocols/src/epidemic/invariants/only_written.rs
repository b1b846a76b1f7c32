//! Validity: nothing comes out that did not go in, and a timestamp means one update.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::item::{Item, Timestamp};
use super::super::{Epidemic, Fact};

/// Every item that a site has was stamped by the site that its timestamp names, for an update of a client.
#[derive(Clone, Debug, Default)]
pub struct OnlyWritten {
    stamped: BTreeMap<Timestamp, Stamped>,
}

/// An update that was stamped.
#[derive(Clone, Copy, Debug)]
struct Stamped {
    item: Item,
    /// Whether any site has ever held it. One that was lost before it was on disk never was.
    was_held: bool,
}

impl OnlyWritten {
    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        match fact {
            Fact::Stamped(item) => self.stamp(node, item),
            Fact::Took { item, .. } | Fact::Recovered(item) | Fact::Awakened { certificate: item } => {
                self.check(node, &item)?;
                self.stamped.entry(item.version.written).and_modify(|stamped| stamped.was_held = true);
                Ok(())
            }
            Fact::Started
            | Fact::Acknowledged { .. }
            | Fact::Discarded { .. }
            | Fact::LaidDormant { .. }
            | Fact::DormantDiscarded { .. } => Ok(()),
        }
    }

    fn stamp(&mut self, node: NodeId, item: Item) -> Result<(), Breach> {
        let written = item.version.written;
        ensure!(written.site == node, "{node} stamps {item} for another site");
        let before = self.stamped.insert(written, Stamped { item, was_held: false });
        match before {
            Some(Stamped { item: other, was_held: true }) => {
                Err(Breach(format!("{node} stamps {item}, and the same stamp is on {other}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check(&self, node: NodeId, item: &Item) -> Result<(), Breach> {
        let Some(Stamped { item: original, .. }) = self.stamped.get(&item.version.written) else {
            return Err(Breach(format!("{node} has {item}, which nobody has written")));
        };
        let is_same =
            (item.key, item.value, item.retention) == (original.key, original.value, original.retention);
        ensure!(is_same, "{node} has {item}, and what was written is {original}");
        let (activated, first) = (item.version.activated, original.version.activated);
        ensure!(activated >= first, "{node} has {item}, which was activated at {first}");
        ensure!(activated == first || item.is_certificate(), "{node} has {item}, a value that was awakened");
        Ok(())
    }
}

impl Invariant<Epidemic> for OnlyWritten {
    fn about(&self) -> &'static About {
        &About {
            name: "only-written",
            statement: "A site holds only what a client has written somewhere, and no two updates have the same timestamp.",
            source: "Demers et al. (PODC 1987) §1.1: globally unique timestamps",
            leaves_out: "an update that was stamped and lost before it was on disk: no site has seen it",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Epidemic>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))
    }

    /// What sites hold and keep dormant.
    fn check_all(&self, nodes: &Nodes<'_, Epidemic>) -> Result<(), Breach> {
        for (node, site) in nodes.running() {
            let mut items = site.database().items().chain(site.dormant().values());
            items.try_for_each(|item| self.check(node, item))?;
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
        let mut invariant = OnlyWritten::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(0), *fact))
    }

    fn took(item: Item) -> Fact {
        Fact::Took { item, now: Moment(9) }
    }

    #[test]
    fn what_was_written_is_held_as_it_was_written() {
        let (seven, gone) = (item(Some(7), 5), item(None, 6));
        assert_eq!(judge(&[Fact::Stamped(seven), took(seven), Fact::Recovered(seven)]), Ok(()));
        assert_eq!(
            judge(&[Fact::Stamped(gone), took(gone), Fact::Awakened { certificate: awakened(gone, 8) }]),
            Ok(())
        );
        assert!(judge(&[took(seven)]).is_err(), "nobody has written it");
        assert!(judge(&[Fact::Stamped(seven), took(item(Some(8), 5))]).is_err());
        assert!(judge(&[Fact::Stamped(seven), took(awakened(seven, 8))]).is_err(), "it is no certificate");
        assert!(judge(&[Fact::Stamped(gone), took(awakened(gone, 4))]).is_err());
    }

    #[test]
    fn a_stamp_is_used_again_only_if_nobody_has_seen_it() {
        let (seven, eight) = (Fact::Stamped(item(Some(7), 5)), Fact::Stamped(item(Some(8), 5)));
        assert_eq!(judge(&[seven, Fact::Started, eight]), Ok(()));
        assert!(judge(&[seven, took(item(Some(7), 5)), eight]).is_err());
    }
}
