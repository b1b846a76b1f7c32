//! Updates: how they are stamped, and which of two items a site keeps (§1.1).

use sim_core::service::{Key, Outcome, Refusal, Value, kv};
use sim_core::{Context, NodeId, OpId};

use super::config::Mail;
use super::durable::{Record, Update};
use super::facts::Fact;
use super::item::{Item, Moment, Timestamp, Version};
use super::message::Message;
use super::metrics::{Counter, Gauge};
use super::mutants::Mutant;
use super::{Epidemic, Point};
use crate::draw;

impl Epidemic {
    /// A client asks.
    pub(super) fn on_kv(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: kv::Operation) {
        match operation {
            kv::Operation::Read(key) => {
                let value = self.database.get(key).and_then(|item| item.value);
                context.reply(op, Outcome::Value(value));
            }
            kv::Operation::Write(key, value) => self.begin_update(context, op, key, Some(value)),
            kv::Operation::Delete(key) => self.begin_update(context, op, key, None),
            // Nobody knows what all sites have.
            kv::Operation::CompareAndSet { .. } => context.reply(op, Outcome::Refused(Refusal::Unsupported)),
        }
    }

    /// Stamps an update, and has it hold when it is on disk.
    fn begin_update(&mut self, context: &mut Context<'_, Self>, op: OpId, key: Key, value: Option<Value>) {
        let item = self.stamp(context, key, value);
        // Said before it is written: what a crash leaves on the disk was stamped, even if the handler was cut there.
        context.fact(Fact::Stamped(item));
        if self.commit.append(context, Record(item)).is_err() {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        self.await_disk(context, Update { op, item });
    }

    /// An item that overrides what this site has and has had: later than all that it has stamped, than what is under the key,
    /// also if that came from a clock that is ahead, and than the certificates that it has buried, also if its clock was set
    /// back since.
    fn stamp(&mut self, context: &mut Context<'_, Self>, key: Key, value: Option<Value>) -> Item {
        let mut at = Moment::of(context.wall()).max(self.last_stamp.next());
        if let Some(held) = self.database.version(key)
            && !self.config.has(Mutant::StampsBehind)
        {
            at = at.max(held.written.at.next());
        }
        self.last_stamp = at;
        let version = Version { written: Timestamp { at, site: self.node }, activated: at };
        let retention = match value {
            Some(_) => self.node,
            None => NodeId::new(draw::below(context.random(), self.config.node_count)),
        };
        Item { key, value, version, retention }
    }

    /// An update of this site is on disk.
    pub(super) fn begin_to_hold(&mut self, context: &mut Context<'_, Self>, item: Item) {
        if item.is_certificate() && self.config.has(Mutant::NoCertificate) {
            return self.database.remove(item.key);
        }
        self.take(context, item);
        if self.config.mail == Mail::Direct {
            self.mail(context, item);
        }
    }

    /// Sends an update to all other sites, once.
    fn mail(&mut self, context: &mut Context<'_, Self>, item: Item) {
        let others = (0..self.config.node_count).map(NodeId::new).filter(|site| *site != self.node);
        for site in others {
            context.count(Counter::ItemsSent as usize, 1);
            context.send(site, Message::Mail(item));
        }
    }

    /// Whether an item that comes from another site is to be taken: it is newer than what is here, and no certificate that is as
    /// old as it gets.
    pub(super) fn is_to_be_taken(
        &mut self,
        context: &mut Context<'_, Self>,
        item: &Item,
        now: Moment,
    ) -> bool {
        let is_forgotten = self.database.version(item.key).is_none() && self.is_expired(item, now);
        !self.is_superseded(context, item, now) && !is_forgotten
    }

    /// Items of another site are on disk.
    pub(super) fn take_all(&mut self, context: &mut Context<'_, Self>, items: &[Item]) {
        for item in items {
            self.take(context, *item);
        }
    }

    /// An item is on disk, and holds. Where something newer has come meanwhile, that stays. A deletion holds even if it took
    /// longer to get to the disk than its certificate is active: it is told as done, and a retention site keeps it dormant.
    fn take(&mut self, context: &mut Context<'_, Self>, item: Item) {
        let now = Moment::of(context.wall());
        if !self.is_superseded(context, &item, now) {
            self.hold(context, item, now);
        }
    }

    /// Whether this site knows something newer than an item, perhaps a certificate that is dormant, and awake from now on.
    fn is_superseded(&mut self, context: &mut Context<'_, Self>, item: &Item, now: Moment) -> bool {
        if !self.is_news(item, self.database.version(item.key)) {
            context.sometimes(Point::Obsolete as usize);
            return true;
        }
        self.awaken(context, item, now)
    }

    fn hold(&mut self, context: &mut Context<'_, Self>, item: Item, now: Moment) {
        context.fact(Fact::Took { item, now });
        context.count(Counter::ItemsTaken as usize, 1);
        self.keep(context, item);
    }

    fn is_news(&self, item: &Item, held: Option<Version>) -> bool {
        let Some(held) = held else { return true };
        if self.config.has(Mutant::TiesToTheLast) {
            let (new, old) = (item.version.written, held.written);
            return new.at > old.at || (new.at == old.at && new.site != old.site);
        }
        item.version > held || self.config.has(Mutant::TakesEverything)
    }

    /// Puts an item that is on disk into the database.
    pub(super) fn keep(&mut self, context: &mut Context<'_, Self>, item: Item) {
        let is_obsolete = |dormant: &Item| dormant.version.written <= item.version.written;
        if self.dormant.get(&item.key).is_some_and(is_obsolete) {
            self.dormant.remove(&item.key);
        }
        self.database.put(item);
        self.tell_levels(context);
    }

    /// Says how many death certificates there are.
    pub(super) fn tell_levels(&self, context: &mut Context<'_, Self>) {
        context.gauge(Gauge::Certificates as usize, self.database.certificate_count() as u64);
        context.gauge(Gauge::DormantCertificates as usize, self.dormant.len() as u64);
    }
}
