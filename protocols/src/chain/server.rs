//! A server of the chain: its life, its place, and what it is asked. How updates travel is in `propagation`, how queries are answered in
//! `queries`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::{Key, Operation, Outcome, Refusal};
use sim_core::{Context, LocalTime, NodeId, OpId};

use super::config::{Config, MASTER};
use super::facts::Fact;
use super::message::{Heartbeat, Message, Report};
use super::mutants::Mutant;
use super::types::{Configuration, Epoch, Member};
use super::versions::Versions;
use super::{ChainReplication, Point, Timer};
use crate::replicated::{ChainedLog, Command, Index, Life, SessionPolicy, StateMachine};

/// Whether a server takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Part {
    /// It does not: it has nothing, and waits to be let in.
    Outside,
    /// It joins; whether it has had all that the tail had, in this epoch.
    Joining {
        /// Whether it has.
        has_copy: bool,
    },
    /// It does.
    Serving,
}

/// A server. See the [module documentation](self). All of it is in memory.
#[derive(Clone, Serialize)]
pub struct Server {
    #[serde(skip)]
    pub(super) config: Arc<Config>,
    /// Who it is.
    pub(super) me: Member,
    /// The newest configuration that it knows of.
    pub(super) configuration: Arc<Configuration>,
    pub(super) part: Part,
    /// Until when, by its own clock, it may answer queries.
    pub(super) lease_until: Option<LocalTime>,
    /// The state after its whole history.
    pub(super) machine: StateMachine,
    /// The end of its history.
    pub(super) history: ChainedLog<Command>,
    /// The tail is known to have everything up to here: what comes after it is the list of sent updates.
    pub(super) acknowledged: Index,
    /// What came of the updates on that list.
    pub(super) outcomes: VecDeque<Option<Outcome>>,
    pub(super) versions: Versions,
    /// Queries for which it has asked the tail.
    pub(super) asking: BTreeMap<OpId, Key>,
    /// After which update it has asked its predecessor for more.
    pub(super) asked_after: Option<Index>,
    /// The last update that it had when it last looked whether to send again.
    pub(super) sent_before: Index,
}

impl Server {
    /// A server that remembers nothing.
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        let configuration = Arc::new(Configuration::first(config.servers()));
        let machine = Self::empty(&config);
        Self {
            config,
            me: Member { node, life: Life::FIRST },
            configuration,
            part: Part::Outside,
            lease_until: None,
            machine,
            history: ChainedLog::default(),
            acknowledged: Index::ZERO,
            outcomes: VecDeque::new(),
            versions: Versions::default(),
            asking: BTreeMap::new(),
            asked_after: None,
            sent_before: Index::ZERO,
        }
    }

    fn empty(config: &Config) -> StateMachine {
        let forgets = config.has(Mutant::RetriesAreNew);
        StateMachine::new(if forgets { SessionPolicy::Forget } else { SessionPolicy::KeepAll })
    }

    /// Whoever starts for the first time takes its place in the first chain, if it has one. Others have lost what they had, and
    /// are somebody new.
    pub(super) fn on_start(&mut self, context: &mut Context<'_, ChainReplication>) {
        if !context.is_first_start() && !self.config.has(Mutant::KeepsItsPlace) {
            self.me.life = Life::drawn(context.random().next_u64());
        }
        if self.configuration.contains(self.me) {
            self.part = Part::Serving;
            context.fact(Fact::Entered(Arc::clone(&self.configuration)));
        }
        context.set_timer(Timer::Resend, self.config.resend);
        self.on_heartbeat_due(context);
    }

    // ----- the master -----

    /// Time to show the master that it lives.
    pub(super) fn on_heartbeat_due(&mut self, context: &mut Context<'_, ChainReplication>) {
        context.set_timer(Timer::Heartbeat, self.config.heartbeat);
        self.report(context);
    }

    /// Tells the master how far it is, and asks for a lease.
    pub(super) fn report(&self, context: &mut Context<'_, ChainReplication>) {
        let report = match self.part {
            Part::Outside | Part::Joining { has_copy: false } => Report::New,
            Part::Joining { has_copy: true } => Report::Copied,
            Part::Serving => Report::Serving,
        };
        let heartbeat = Heartbeat {
            life: self.me.life,
            sent: context.now(),
            epoch: self.configuration.epoch,
            report,
            acknowledged: self.acknowledged,
        };
        context.send(MASTER, Message::Heartbeat(heartbeat));
    }

    /// The master has heard of it: it may answer queries for the length of a lease from when it sent the heartbeat.
    pub(super) fn on_lease(
        &mut self,
        context: &mut Context<'_, ChainReplication>,
        sent: LocalTime,
        configuration: &Arc<Configuration>,
    ) {
        self.on_configure(context, configuration);
        if configuration.contains(self.me) {
            let from = if self.config.has(Mutant::LeaseFromReceipt) { context.now() } else { sent };
            self.lease_until = self.lease_until.max(Some(from + self.config.server_lease()));
        }
    }

    /// The master tells of a configuration; it may be an old one that comes late.
    pub(super) fn on_configure(
        &mut self,
        context: &mut Context<'_, ChainReplication>,
        configuration: &Arc<Configuration>,
    ) {
        let is_news = if self.config.has(Mutant::GoesBack) {
            configuration.epoch != self.epoch()
        } else {
            configuration.epoch > self.epoch()
        };
        if is_news {
            let old = std::mem::replace(&mut self.configuration, Arc::clone(configuration));
            if configuration.contains(self.me) {
                self.enter(context, &old);
            } else if self.part == Part::Outside {
                // The master takes it in when it knows how things stand.
                self.report(context);
            } else {
                self.leave(context);
            }
        }
    }

    /// Goes on in a configuration. What the tail may not have is sent to whoever comes next now (§3.3).
    fn enter(&mut self, context: &mut Context<'_, ChainReplication>, old: &Configuration) {
        context.fact(Fact::Entered(Arc::clone(&self.configuration)));
        self.asked_after = None;
        if self.part != Part::Serving {
            self.part = Part::Joining { has_copy: false };
            if self.config.has(Mutant::ServesMissingSuffix) && self.configuration.tail() == self.me {
                self.join(context);
            }
            return;
        }
        if self.configuration.head() == self.me && old.head() != self.me {
            context.sometimes(Point::NewHead as usize);
        }
        if self.is_tail() {
            return self.become_tail(context);
        }
        let (next, before) = (self.configuration.successor(self.me), old.successor(self.me));
        if next != before && self.config.has(Mutant::SentNotSentAgain) {
            self.drop_sent();
        }
        self.send_sent_again(context);
        self.ask_again(context);
    }

    /// It was removed: somebody has not heard of it for too long. What it has may not be what the chain has, and it knows no
    /// more of it than a new server.
    fn leave(&mut self, context: &mut Context<'_, ChainReplication>) {
        context.sometimes(Point::RemovedAlive as usize);
        context.abandon(super::metrics::Latency::Acknowledged as usize);
        for op in std::mem::take(&mut self.asking).into_keys() {
            context.reply(op, Outcome::Redirect(Some(MASTER)));
        }
        let configuration = Arc::clone(&self.configuration);
        let fresh = Self::boot(Arc::clone(&self.config), self.me.node);
        let life = Life::drawn(context.random().next_u64());
        *self = Self { me: Member { life, ..fresh.me }, configuration, ..fresh };
        context.fact(Fact::Left);
        self.report(context);
    }

    // ----- clients -----

    /// A client asks.
    pub(super) fn on_request(
        &mut self,
        context: &mut Context<'_, ChainReplication>,
        op: OpId,
        operation: &Operation,
    ) {
        let Operation::Kv(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        if operation.is_read() {
            self.on_query(context, op, operation.key());
        } else if self.is_head() {
            self.on_update(context, op, *operation);
        } else {
            self.send_on(context, op, self.configuration.head());
        }
    }

    /// Sends a client to whoever it should ask. If that is this node, in whatever life, it may be able to answer later.
    pub(super) fn send_on(&self, context: &mut Context<'_, ChainReplication>, op: OpId, to: Member) {
        context.reply(
            op,
            if to.node == self.me.node {
                Outcome::Refused(Refusal::Unavailable)
            } else {
                Outcome::Redirect(Some(to.node))
            },
        );
    }

    // ----- queries -----

    /// The newest epoch that it knows of.
    pub fn epoch(&self) -> Epoch {
        self.configuration.epoch
    }

    /// The newest configuration that it knows of.
    pub const fn configuration(&self) -> &Arc<Configuration> {
        &self.configuration
    }

    /// Who it is.
    pub const fn member(&self) -> Member {
        self.me
    }

    /// Whether it takes part.
    pub const fn part(&self) -> Part {
        self.part
    }

    /// Whether it takes part and takes updates.
    pub fn is_head(&self) -> bool {
        self.part == Part::Serving && self.configuration.head() == self.me
    }

    /// Whether it takes part and what it has is committed.
    pub fn is_tail(&self) -> bool {
        self.part == Part::Serving && self.configuration.tail() == self.me
    }

    /// The state after its whole history.
    pub const fn machine(&self) -> &StateMachine {
        &self.machine
    }

    /// The end of its history.
    pub const fn history(&self) -> &ChainedLog<Command> {
        &self.history
    }

    /// The last update that it has.
    pub fn last(&self) -> Index {
        self.history.last_index()
    }

    /// The last update that it knows the tail to have.
    pub const fn acknowledged(&self) -> Index {
        self.acknowledged
    }

    /// How many updates it has that the tail may not have.
    pub fn in_process(&self) -> u64 {
        self.last().since(self.acknowledged)
    }

    /// Whether it may answer queries now, by its own clock.
    pub fn has_lease(&self, now: LocalTime) -> bool {
        self.lease_until.is_some_and(|until| now < until) || self.config.has(Mutant::NoLease)
    }
}
