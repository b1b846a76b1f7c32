//! Death certificates: how what was deleted stays deleted (§2).
//!
//! ```text
//!  written                    τ1                                  τ1 + τ2
//!    │ active at all sites    │ dormant at r retention sites      │ nowhere
//!    ├────────────────────────┼───────────────────────────────────┤
//!    │ spreads as items do    │ spreads no more; an item that it  │ an item that it would have
//!    │                        │ cancels awakens it: activated now │ cancelled comes back for good
//! ```

use sim_core::{Context, Span};

use super::durable::Record;
use super::facts::Fact;
use super::item::{Item, Moment};
use super::metrics::Counter;
use super::mutants::Mutant;
use super::{Epidemic, Point};

impl Epidemic {
    /// Whether a certificate is as old as it gets.
    pub(super) fn is_expired(&self, item: &Item, now: Moment) -> bool {
        let mut active = self.config.certificates.active;
        if self.config.has(Mutant::CertificateGoesEarly) {
            active = Span::nanos(active.as_nanos() / 8);
        }
        item.is_certificate() && item.version.activated.age(now) >= active
    }

    /// Whether this site is to keep a certificate when others have forgotten it.
    fn retains(&self, item: &Item) -> bool {
        let sites = self.config.certificates.retention_sites;
        item.is_retained_at(self.node, sites, self.config.node_count)
            && !self.config.has(Mutant::NothingDormant)
    }

    /// Forgets or lays to rest the certificates whose time is over. What is written here later is stamped later than they are:
    /// an item below one of them would be lost to it wherever it still is, and here when the log is read again.
    pub(super) fn bury(&mut self, context: &mut Context<'_, Self>, now: Moment) {
        let before = (self.database.certificate_count(), self.dormant.len());
        while let Some(certificate) = self.database.oldest_certificate().copied() {
            if !self.is_expired(&certificate, now) {
                break;
            }
            let Item { key, version, .. } = certificate;
            self.database.remove(key);
            if !self.config.has(Mutant::StampsBehindTheBuried) {
                self.last_stamp = self.last_stamp.max(version.written.at);
            }
            if self.retains(&certificate) {
                self.dormant.insert(key, certificate);
                context.sometimes(Point::Dormant as usize);
                context.fact(Fact::LaidDormant { key, version, now });
            } else {
                context.fact(Fact::Discarded { key, version, now });
            }
        }
        self.bury_dormant(context, now);
        if before != (self.database.certificate_count(), self.dormant.len()) {
            self.tell_levels(context);
        }
    }

    fn bury_dormant(&mut self, context: &mut Context<'_, Self>, now: Moment) {
        let limits = self.config.certificates;
        let limit = limits.active + limits.dormant;
        let is_over = |_: &_, certificate: &mut Item| certificate.version.activated.age(now) >= limit;
        let over: Vec<Item> =
            self.dormant.extract_if(.., is_over).map(|(_, certificate)| certificate).collect();
        for Item { key, version, .. } in over {
            context.fact(Fact::DormantDiscarded { key, version, now });
        }
    }

    /// An item comes that a dormant certificate cancels: the certificate is active again, and spreads.
    /// Whether that is so. Where the clock was set back meanwhile, it is still activated later than before: else it would be no
    /// news to those who have it, and nobody would pass it on.
    pub(super) fn awaken(&mut self, context: &mut Context<'_, Self>, item: &Item, now: Moment) -> bool {
        let cancels = |dormant: &&Item| dormant.version.written > item.version.written;
        let Some(dormant) = self.dormant.get(&item.key).filter(cancels) else { return false };
        if self.config.has(Mutant::SleepsOn) {
            return false;
        }
        let mut certificate = *dormant;
        if !self.config.has(Mutant::AwakensStale) {
            certificate.version.activated = now.max(certificate.version.activated.next());
        }
        context.sometimes(Point::Awakened as usize);
        context.count(Counter::Awakenings as usize, 1);
        context.fact(Fact::Awakened { certificate });
        self.keep(context, certificate);
        // Where there is no room, the disk has it as it was activated before.
        let _ = self.commit.append(context, Record(certificate));
        true
    }
}
