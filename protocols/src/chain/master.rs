//! The master: who is in the chain.
//!
//! It hears of servers, grants them leases, and issues the next configuration when one is silent for longer than its lease (and the
//! detector agrees, where that is SWIM), or when one wants to join. A configuration is on disk before anybody hears of it, and from
//! the moment it is being written, nobody gets a lease who is not in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sim_core::metrics::Opinion;
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::{Context, LocalTime, NodeId, OpId, SyncId};

use super::config::{Config, Reads};
use super::durable::{CONFIGURATION, Record};
use super::facts::Fact;
use super::message::{Heartbeat, Message, Report};
use super::metrics::Counter;
use super::mutants::Mutant;
use super::types::{Configuration, Joiner, Member, Stage};
use super::{ChainReplication, FaultPoint, Point, Timer};
use crate::group_commit::GroupCommit;
use crate::replicated::{Index, Life};
use crate::swim::Membership;

/// The master. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Master {
    #[serde(skip)]
    config: Arc<Config>,
    /// The last one issued.
    configuration: Arc<Configuration>,
    /// The next one, while it is being written.
    next: Option<Arc<Configuration>>,
    /// When each server of the configuration was granted its last lease.
    granted: BTreeMap<Member, LocalTime>,
    /// Configurations that wait for the disk: one at most.
    writes: GroupCommit<Arc<Configuration>>,
    /// How far any server knows the tail to be.
    acknowledged: Index,
    /// In which life each node was when it sent the last heartbeat that came, and when that was by its clock: who is in
    /// another life has lost its memory, which neither a lease nor SWIM knows. `None` where it began a life at that instant.
    lives: BTreeMap<NodeId, (LocalTime, Option<Life>)>,
}

impl Master {
    /// A master that has read nothing yet.
    pub(super) fn boot(config: Arc<Config>) -> Self {
        Self {
            configuration: Arc::new(Configuration::first(config.servers())),
            config,
            next: None,
            granted: BTreeMap::new(),
            writes: GroupCommit::new(CONFIGURATION),
            acknowledged: Index::ZERO,
            lives: BTreeMap::new(),
        }
    }

    /// What it granted before a crash it does not know: everybody may have a whole lease.
    pub(super) fn on_start(&mut self, context: &mut Context<'_, ChainReplication>) {
        let kept = context.disk().read_cell(CONFIGURATION).ok().flatten();
        if let Some(configuration) = kept.and_then(Record::configuration) {
            self.configuration = Arc::clone(configuration);
        }
        let forgets = self.config.has(Mutant::GrantsForgotten) && !context.is_first_start();
        let granted = if forgets { LocalTime::ZERO } else { context.now() };
        self.granted = self.configuration.links().map(|member| (member, granted)).collect();
        context.fact(Fact::Issued(Arc::clone(&self.configuration)));
        self.tell_watched(context);
        context.set_timer(Timer::Heartbeat, self.config.heartbeat);
    }

    // ----- inputs -----

    pub(super) fn on_message(
        &mut self,
        context: &mut Context<'_, ChainReplication>,
        from: NodeId,
        message: &Message,
    ) {
        match message {
            Message::Heartbeat(heartbeat) => self.on_heartbeat(context, from, *heartbeat),
            Message::Lease { .. }
            | Message::Configure(_)
            | Message::Forward { .. }
            | Message::Missing { .. }
            | Message::Transfer(_)
            | Message::Acknowledge { .. }
            | Message::AskVersion { .. }
            | Message::Version { .. }
            | Message::Swim(_) => {
                panic!("{}, the master, was sent {message:?} by {from}", context.node())
            }
        }
    }

    /// A server lives, and tells how far it is.
    fn on_heartbeat(
        &mut self,
        context: &mut Context<'_, ChainReplication>,
        from: NodeId,
        heartbeat: Heartbeat,
    ) {
        let member = Member { node: from, life: heartbeat.life };
        self.note_life(member, heartbeat.sent);
        let configuration = Arc::clone(&self.configuration);
        if self.may_have_lease(member, context.now()) {
            self.granted.insert(member, context.now());
            self.acknowledged = self.acknowledged.max(heartbeat.acknowledged);
            context.send(from, Message::Lease { sent: heartbeat.sent, configuration });
        } else {
            context.send(from, Message::Configure(configuration));
        }
        if let Some(joiner) = self.progress(member, heartbeat) {
            self.issue(context, joiner);
        }
    }

    /// Time to look who is silent, and whom of those the detector takes to have failed.
    pub(super) fn on_check(
        &mut self,
        context: &mut Context<'_, ChainReplication>,
        membership: Option<&Membership>,
    ) {
        context.set_timer(Timer::Heartbeat, self.config.heartbeat);
        if let Some(next) = self.without_the_failed(context, membership) {
            self.issue(context, next);
        }
    }

    /// A client asks: it is told whom to ask.
    pub(super) fn on_request(
        &mut self,
        context: &mut Context<'_, ChainReplication>,
        op: OpId,
        operation: &Operation,
    ) {
        let Operation::Kv(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        let member = match (operation.is_read(), self.config.reads) {
            (false, _) => self.configuration.head(),
            (true, Reads::Tail) => self.configuration.tail(),
            (true, Reads::Apportioned) => {
                let place = context.random().below(self.configuration.chain.len() as u64);
                self.configuration.chain[usize::try_from(place).expect("few servers")]
            }
        };
        context.reply(op, Outcome::Redirect(Some(member.node)));
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, ChainReplication>, sync: SyncId) {
        self.writes.on_durable(context, sync);
        while let Some(configuration) = self.writes.next_ready() {
            self.announce(context, &configuration);
        }
    }

    // ----- leases -----

    /// Whether a server takes part, and goes on doing so. While the one before it is silent, one that is handed over to gets
    /// no more of them: perhaps nobody will be.
    fn may_have_lease(&self, member: Member, now: LocalTime) -> bool {
        let is_kept = self.next.as_ref().is_none_or(|next| next.contains(member));
        let is_handed_over_to =
            self.configuration.joiner == Some(Joiner { member, stage: Stage::HandingOver });
        let is_left_alone = is_handed_over_to && self.is_silent(self.configuration.last(), now);
        self.configuration.contains(member) && is_kept && !is_left_alone
    }

    /// Whether the last lease that a server can have is over.
    fn is_silent(&self, member: Member, now: LocalTime) -> bool {
        let granted = self.granted.get(&member).expect("everybody in the configuration has an entry");
        now.since(*granted) >= self.config.master_lease()
    }

    // ----- the next configuration -----

    /// The next configuration if a server is further than this one says.
    fn progress(&self, member: Member, heartbeat: Heartbeat) -> Option<Configuration> {
        let is_current = heartbeat.epoch == self.configuration.epoch;
        match self.configuration.joiner {
            None => {
                // One that has joined meanwhile says so in a later epoch: what it said before it joined may come late.
                let is_new = is_current
                    && heartbeat.report == Report::New
                    && !self.configuration.has_node(member.node);
                is_new.then(|| self.with_joiner(Joiner { member, stage: Stage::Copying }))
            }
            Some(Joiner { member: joiner, stage }) if joiner == member && is_current => {
                match (stage, heartbeat.report) {
                    (Stage::Copying, Report::Copied) if self.config.has(Mutant::CountsBeforeItServes) => {
                        Some(self.with_joined(member))
                    }
                    (Stage::Copying, Report::Copied) => {
                        Some(self.with_joiner(Joiner { member, stage: Stage::HandingOver }))
                    }
                    (Stage::HandingOver, Report::Serving) => Some(self.with_joined(member)),
                    (Stage::Copying, Report::New | Report::Serving)
                    | (Stage::HandingOver, Report::New | Report::Copied) => None,
                }
            }
            Some(_) => None,
        }
    }

    fn with_joiner(&self, joiner: Joiner) -> Configuration {
        let chain = Arc::clone(&self.configuration.chain);
        Configuration { epoch: self.configuration.epoch.next(), chain, joiner: Some(joiner) }
    }

    fn with_joined(&self, member: Member) -> Configuration {
        let chain = self.configuration.chain.iter().copied().chain([member]).collect();
        Configuration { epoch: self.configuration.epoch.next(), chain, joiner: None }
    }

    /// The next configuration if somebody has failed and can be done without.
    fn without_the_failed(
        &self,
        context: &mut Context<'_, ChainReplication>,
        membership: Option<&Membership>,
    ) -> Option<Configuration> {
        let current = &self.configuration;
        let failed: Vec<Member> =
            current.links().filter(|member| self.has_failed(context, *member, membership)).collect();
        let is_well = |member: &Member| !failed.contains(member);
        let chain: Arc<[Member]> = current.chain.iter().copied().filter(is_well).collect();
        if chain.is_empty() {
            // Whoever comes back has everything; a server that has lost it all is no help.
            context.sometimes(Point::AllSilent as usize);
            return None;
        }
        let joiner = match current.joiner {
            Some(Joiner { member, stage: Stage::HandingOver }) if !is_well(&current.last()) => {
                // Perhaps it is the tail already, and perhaps it lacks something. Either it says that it serves, or it must go, too,
                // and be it alive to the detector: it gets no more leases, and when the last is over it can have answered nobody.
                context.sometimes(Point::HandOverBroken as usize);
                if !self.is_silent(member, context.now()) {
                    return None;
                }
                None
            }
            joiner => joiner.filter(|joiner| is_well(&joiner.member)),
        };
        let is_news = chain.len() < current.chain.len() || joiner != current.joiner;
        is_news.then(|| Configuration { epoch: current.epoch.next(), chain, joiner })
    }

    /// Whether a server is to be removed: the last lease that it can have is over, and the detector says so.
    fn has_failed(
        &self,
        context: &mut Context<'_, ChainReplication>,
        member: Member,
        membership: Option<&Membership>,
    ) -> bool {
        if !self.is_silent(member, context.now()) {
            return false;
        }
        let Some(membership) = membership else { return true };
        let is_another = self.is_another(member);
        let is_dead = !membership.state_of(member.node).is_present();
        if !is_dead && !is_another {
            context.sometimes(Point::SilentAndAlive as usize);
        }
        is_dead || is_another || self.config.has(Mutant::DetectorNotAsked)
    }

    /// Whether the node of a server is known to be in another life.
    fn is_another(&self, member: Member) -> bool {
        let life = self.lives.get(&member.node).and_then(|(_, life)| *life);
        life.is_some_and(|life| life != member.life)
    }

    /// A server is heard in a life. What comes late says nothing of now, and of two lives at one instant nobody can say which
    /// is the later one.
    fn note_life(&mut self, member: Member, sent: LocalTime) {
        let heard = (sent, Some(member.life));
        let last = self.lives.entry(member.node).or_insert(heard);
        if sent > last.0 {
            *last = heard;
        } else if sent == last.0 && *last != heard {
            last.1 = None;
        }
    }

    /// It watches those whom its configuration names.
    fn tell_watched(&self, context: &mut Context<'_, ChainReplication>) {
        for member in self.configuration.links() {
            context.judge(member.node, Opinion::Trusted);
        }
        context.watch(self.configuration.links().count() as u64);
    }

    /// Writes the next configuration, unless another one is being written; on a full disk the same will be wanted again.
    fn issue(&mut self, context: &mut Context<'_, ChainReplication>, next: Configuration) {
        let next = Arc::new(next);
        if self.next.is_some()
            || self.writes.replace(context, Record::Configuration(Arc::clone(&next))).is_err()
        {
            return;
        }
        context.fact(Fact::Decided(Arc::clone(&next)));
        context.fault_point(FaultPoint::ConfigurationWritten as usize);
        self.next = Some(Arc::clone(&next));
        if self.config.has(Mutant::IssuedBeforeDurable) {
            self.writes.flush(context);
            return self.announce(context, &next);
        }
        if let Some(next) = self.writes.after_durable(context, next) {
            self.announce(context, &next);
        }
    }

    /// A configuration is on disk: all who are in it hear of it, and all who were in the one before.
    fn announce(&mut self, context: &mut Context<'_, ChainReplication>, next: &Arc<Configuration>) {
        let old = std::mem::replace(&mut self.configuration, Arc::clone(next));
        let now = context.now();
        self.granted.retain(|member, _| next.contains(*member));
        for member in next.links() {
            self.granted.entry(member).or_insert(now);
        }
        self.next = None;
        context.count(Counter::Configurations as usize, 1);
        context.fact(Fact::Issued(Arc::clone(next)));
        context.fault_point(FaultPoint::BeforeAnnounce as usize);
        let removed = old.links().filter(|member| !next.contains(*member));
        for member in removed.clone().filter(|member| !self.is_another(*member)) {
            context.judge(member.node, Opinion::Suspected);
        }
        self.tell_watched(context);
        for member in next.links().chain(removed) {
            context.send(member.node, Message::Configure(Arc::clone(next)));
        }
    }

    // ----- queries -----

    /// The last configuration that it has issued.
    pub const fn configuration(&self) -> &Arc<Configuration> {
        &self.configuration
    }

    /// When servers were granted their last leases.
    pub(super) const fn granted(&self) -> &BTreeMap<Member, LocalTime> {
        &self.granted
    }

    /// How far servers have said that the tail is.
    pub const fn acknowledged(&self) -> Index {
        self.acknowledged
    }
}
