//! The controller: it knows which brokers live, and decides who leads each partition and who is in sync.
//!
//! What it decides is on its disk, or on those of a majority of several controllers, before anybody hears of it. It never asks brokers for what they have: a leader comes from
//! those in sync, and they have all that is committed.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::log;
use sim_core::{Context, NodeId};

use super::config::{Config, Election};
use super::facts::Fact;
use super::image::{Image, PartitionState, Registration};
use super::message::{IsrChange, Message};
use super::metrics::Counter;
use super::mutants::Mutant;
use super::types::{BrokerEpoch, Epoch, PartitionId};
use super::{Node, Point, Timer};
use crate::replicated::NodeSet;

/// Where decisions are kept.
pub(super) trait Journal {
    /// Writes what the cluster shall look like. Returns whether that was taken: else nothing changes.
    fn write(&mut self, context: &mut Context<'_, Node>, before: &Image, image: &Arc<Image>) -> bool;

    /// Sees to it that what was written is kept. Returns up to which version it is, if `version` is already.
    fn wait(&mut self, context: &mut Context<'_, Node>, version: u64) -> Option<u64>;
}

/// What waits for the journal.
#[derive(Clone, Debug, Serialize)]
enum Act {
    /// A broker is told that it is known.
    Welcome { to: NodeId, incarnation: u64 },
    /// All brokers are told what has changed, from the image before.
    Publish { before: Arc<Image>, image: Arc<Image> },
}

/// The controller. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Controller {
    #[serde(skip)]
    config: Arc<Config>,
    /// What it has decided; the last of it may not be kept yet.
    image: Arc<Image>,
    /// What is kept: what brokers may know.
    published: Arc<Image>,
    /// What waits until this version is kept, in order.
    acts: VecDeque<(u64, Act)>,
}

impl Controller {
    /// A controller that goes on from this.
    pub(super) fn new(config: Arc<Config>, image: Arc<Image>) -> Self {
        Self { config, published: Arc::clone(&image), image, acts: VecDeque::new() }
    }

    /// What brokers may know.
    pub const fn published(&self) -> &Arc<Image> {
        &self.published
    }

    /// Who may do what a client asks, as far as it is on disk.
    pub(super) fn leader_for(&self, operation: log::Operation) -> Option<NodeId> {
        self.published.partition(self.config.partition_of(operation)?).leader
    }

    /// After a restart every broker has a whole session to be heard of.
    pub(super) fn start(&self, context: &mut Context<'_, Node>) {
        context.set_timer(Timer::Rebalance, self.config.rebalance);
        for (node, broker) in &self.image.brokers {
            if !broker.is_fenced {
                context.set_timer(Timer::Session(*node), self.config.session_timeout);
            }
        }
    }

    /// It decides from here on, where another one did: all brokers are told what it goes on from.
    pub(super) fn take_over(&self, context: &mut Context<'_, Node>) {
        self.start(context);
        announce(context, &self.image);
    }

    /// Another one decides from here on.
    pub(super) fn retire(&self, context: &mut Context<'_, Node>) {
        context.cancel_timer(Timer::Rebalance);
        for node in self.image.brokers.keys() {
            context.cancel_timer(Timer::Session(*node));
        }
    }

    pub(super) fn on_message(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        from: NodeId,
        message: &Message,
    ) {
        match *message {
            Message::Register { incarnation } => self.on_register(context, journal, from, incarnation),
            Message::Heartbeat { epoch, version } => {
                self.on_heartbeat(context, journal, from, epoch, version);
            }
            Message::AlterPartition(change) => self.on_alter(context, journal, from, change),
            Message::Registered { .. }
            | Message::Unregistered { .. }
            | Message::Metadata { .. }
            | Message::Fetch(_)
            | Message::Group(_)
            | Message::Transaction(_)
            | Message::Active(_)
            | Message::Raft(_)
            | Message::Fetched { .. } => {
                panic!("{}, the controller, cannot get {message:?} from {from}", context.node())
            }
        }
    }

    // ----- brokers -----

    /// A broker has started. What it led and where it was in sync in its last life is over: it is heard of again when it
    /// knows that. In its first life it has missed nothing that was there before it.
    fn on_register(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        from: NodeId,
        incarnation: u64,
    ) {
        let known = self.image.brokers.get(&from);
        if known.is_none_or(|broker| broker.incarnation != incarnation) {
            let mut image = Image::clone(&self.image);
            if known.is_some() {
                self.fence(&mut image, from);
            }
            let epoch = BrokerEpoch(self.image.version + 1);
            image.brokers.insert(from, Registration { incarnation, epoch, is_fenced: true });
            if !self.save(context, journal, image) {
                return;
            }
        }
        self.after_durable(context, journal, Act::Welcome { to: from, incarnation });
    }

    /// A broker lives. If another life of it has registered since (the message of an earlier one may have been on its way for
    /// long), it has to register again. One that was fenced may lead again as soon as it knows what has happened.
    fn on_heartbeat(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        from: NodeId,
        epoch: BrokerEpoch,
        version: u64,
    ) {
        let known = self.image.brokers.get(&from).filter(|broker| broker.epoch == epoch);
        let Some(broker) = known else { return context.send(from, Message::Unregistered { epoch }) };
        context.set_timer(Timer::Session(from), self.config.session_timeout);
        if version < self.published.version {
            let image = Arc::clone(&self.published);
            return context.send(from, Message::Metadata { epoch, image });
        }
        if broker.is_fenced {
            let mut image = Image::clone(&self.image);
            image.brokers.entry(from).and_modify(|broker| broker.is_fenced = false);
            self.fill_vacancies(context, &mut image);
            self.save(context, journal, image);
        }
    }

    /// A broker was not heard of for a whole session.
    pub(super) fn on_session_over(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        node: NodeId,
    ) {
        context.sometimes(Point::Fenced as usize);
        context.count(Counter::BrokersFenced as usize, 1);
        let mut image = Image::clone(&self.image);
        self.fence(&mut image, node);
        image.brokers.entry(node).and_modify(|broker| broker.is_fenced = true);
        self.fill_vacancies(context, &mut image);
        if !self.save(context, journal, image) {
            context.set_timer(Timer::Session(node), self.config.session_timeout);
        }
    }

    /// Takes a broker out of everything: it leads nothing, and is in sync only where nobody else is.
    fn fence(&self, image: &mut Image, node: NodeId) {
        image.brokers.entry(node).and_modify(|broker| broker.is_fenced = true);
        for id in self.config.all_partitions() {
            let partition = image.partition(id);
            if !partition.isr.contains(node) && partition.leader != Some(node) {
                continue;
            }
            let mut next = *partition;
            if next.isr.len() > 1 {
                next.isr = next.isr.without(node);
            }
            if next.leader == Some(node) {
                next.leader = self.candidate(image, id, next.isr);
                if next.leader.is_some() {
                    next.epoch = self.epoch_after(&next);
                }
            }
            change(image, id, next);
        }
    }

    // ----- leaders -----

    /// The first replica that is in sync and lives.
    fn candidate(&self, image: &Image, id: PartitionId, isr: NodeSet) -> Option<NodeId> {
        self.config.replicas(id).find(|node| isr.contains(*node) && image.is_live(*node))
    }

    /// Finds leaders where there is none. If nobody in sync lives, and elections may be unclean, anybody will do; then
    /// nobody else is in sync.
    fn fill_vacancies(&self, context: &mut Context<'_, Node>, image: &mut Image) {
        let may_be_unclean =
            self.config.election == Election::Unclean || self.config.has(Mutant::UncleanElection);
        for id in self.config.all_partitions() {
            let mut next = *image.partition(id);
            if next.leader.is_some() {
                continue;
            }
            next.leader = self.candidate(image, id, next.isr);
            if next.leader.is_none() && may_be_unclean {
                next.leader = self.config.replicas(id).find(|node| image.is_live(*node));
                if let Some(leader) = next.leader {
                    context.sometimes(Point::UncleanElection as usize);
                    next.isr = NodeSet::one(leader);
                }
            }
            if next.leader.is_some() {
                next.epoch = self.epoch_after(&next);
                change(image, id, next);
            }
        }
    }

    fn epoch_after(&self, state: &PartitionState) -> Epoch {
        if self.config.has(Mutant::EpochReused) && state.epoch > Epoch::default() {
            return state.epoch;
        }
        state.epoch.next()
    }

    /// Gives partitions back to the first of their replicas, so that no broker leads them all.
    pub(super) fn on_rebalance(&mut self, context: &mut Context<'_, Node>, journal: &mut impl Journal) {
        context.set_timer(Timer::Rebalance, self.config.rebalance);
        let mut image = Image::clone(&self.image);
        for id in self.config.all_partitions() {
            let mut next = *image.partition(id);
            let Some(first) = self.config.replicas(id).next() else { continue };
            if next.leader != Some(first) && next.isr.contains(first) && image.is_live(first) {
                next.leader = Some(first);
                next.epoch = self.epoch_after(&next);
                change(&mut image, id, next);
            }
        }
        if image.version > self.image.version {
            context.sometimes(Point::Rebalanced as usize);
            self.save(context, journal, image);
        }
    }

    /// A leader says that others are in sync. It is refused if the leader, its epoch or what it changes is not the last: then
    /// the leader is told what is. Where somebody whom it wants does not live, it is refused for good: until the leader knows that,
    /// it commits nothing without whom it wants.
    fn on_alter(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        from: NodeId,
        asked: IsrChange,
    ) {
        let Some(broker) = self.image.brokers.get(&from) else { return };
        let state = *self.image.partition(asked.partition);
        let is_leader = broker.epoch == asked.broker_epoch && state.leader == Some(from);
        let is_last = state.epoch == asked.epoch && state.version == asked.version;
        let is_sane = asked.isr.contains(from)
            && asked.isr.difference(state.isr).iter().all(|node| self.image.is_live(node));
        let may = if self.config.has(Mutant::StaleChangeAccepted) {
            is_sane
        } else {
            is_leader && is_last && is_sane
        };
        let mut image = Image::clone(&self.image);
        if may {
            change(&mut image, asked.partition, PartitionState { isr: asked.isr, ..state });
            self.save(context, journal, image);
            return;
        }
        context.sometimes(Point::ChangeRefused as usize);
        if is_leader && is_last {
            // Nor will what is on its way still, or comes again, be taken when they live: it changes an older version.
            renew(&mut image, asked.partition);
            self.save(context, journal, image);
            return;
        }
        let (epoch, image) = (asked.broker_epoch, Arc::clone(&self.published));
        context.send(from, Message::Metadata { epoch, image });
    }

    // ----- the disk -----

    /// Decides, and publishes it once it is on disk. Whether it could be written.
    fn save(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        mut image: Image,
    ) -> bool {
        image.version = self.image.version + 1;
        let image = Arc::new(image);
        if !journal.write(context, &self.image, &image) {
            return false;
        }
        let before = std::mem::replace(&mut self.image, Arc::clone(&image));
        self.after_durable(context, journal, Act::Publish { before, image });
        true
    }

    fn after_durable(&mut self, context: &mut Context<'_, Node>, journal: &mut impl Journal, act: Act) {
        self.acts.push_back((self.image.version, act));
        if let Some(kept) = journal.wait(context, self.image.version) {
            self.release(context, kept);
        }
    }

    /// Decisions up to this version are kept.
    pub(super) fn release(&mut self, context: &mut Context<'_, Node>, kept: u64) {
        while let Some((_, act)) = self.acts.pop_front_if(|(version, _)| *version <= kept) {
            self.perform(context, act);
        }
    }

    fn perform(&mut self, context: &mut Context<'_, Node>, act: Act) {
        match act {
            Act::Welcome { to, incarnation } => self.welcome(context, to, incarnation),
            Act::Publish { before, image } => self.publish(context, &before, image),
        }
    }

    fn welcome(&self, context: &mut Context<'_, Node>, to: NodeId, incarnation: u64) {
        let known = self.published.brokers.get(&to).filter(|broker| broker.incarnation == incarnation);
        if let Some(Registration { epoch, .. }) = known {
            let (epoch, image) = (*epoch, Arc::clone(&self.published));
            context.send(to, Message::Registered { incarnation, epoch, image });
        }
    }

    fn publish(&mut self, context: &mut Context<'_, Node>, before: &Image, image: Arc<Image>) {
        // Several controllers state what was decided, whoever has: each for itself.
        if self.config.controllers == 1 {
            tell_changes(context, before, &image);
        }
        let elections = before.partitions.iter().zip(&image.partitions);
        let elections = elections.filter(|(was, is)| was.epoch != is.epoch).count();
        context.count(Counter::Elections as usize, elections as u64);
        announce(context, &image);
        self.published = image;
    }
}

/// Tells all brokers what the cluster looks like. Who has registered with this change is told so, and the rest with it.
fn announce(context: &mut Context<'_, Node>, image: &Arc<Image>) {
    let known = |(_, broker): &(&NodeId, &Registration)| broker.epoch.0 < image.version;
    for (node, broker) in image.brokers.iter().filter(known) {
        let image = Arc::clone(image);
        context.send(*node, Message::Metadata { epoch: broker.epoch, image });
    }
}

/// States which partitions have changed.
pub(super) fn tell_changes(context: &mut Context<'_, Node>, before: &Image, image: &Image) {
    let pairs = before.partitions.iter().zip(&image.partitions);
    for (partition, (was, state)) in (0..).map(PartitionId).zip(pairs) {
        if was != state {
            context.fact(Fact::Changed { partition, state: *state, was: was.isr });
        }
    }
}

/// Sets a partition; the image's own version rises when it is saved, and by this it shows that it must be.
fn change(image: &mut Image, id: PartitionId, next: PartitionState) {
    let partition = &mut image.partitions[id.index()];
    if *partition != next {
        *partition = next;
        renew(image, id);
    }
}

/// Leaves a partition as it is, and takes no change of what it was.
fn renew(image: &mut Image, id: PartitionId) {
    image.partitions[id.index()].version += 1;
    image.version += 1;
}
