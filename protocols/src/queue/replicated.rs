//! A broker on several nodes, with its log in Raft.
//!
//! All brokers keep the log; the leader of Raft is *in office*, once it has executed all that it found in the log: it serves
//! producers and consumers. What it adds to the log
//! it performs at once, on a queue that is ahead of what is agreed on, and what came of it is said when the entry is
//! committed and executed. So a change of leaders is for everybody else what a crash and a restart of a standalone broker
//! is: the next one goes on from the log, and knows of everything that anybody else can know of.
//!
//! ```text
//!  producer          leader                         followers
//!     │── enqueue 7 ──>│ log, foresees m1               │
//!     │                │── AppendEntries ──────────────>│ log, sync
//!     │                │<─────────── match ─────────────│
//!     │<─── done ──────│ committed, executed: m1, as foreseen
//! ```
//!
//! Who asks a broker that is not in office is told who is ([`Message::Leader`]). The time of the log goes on by the clock
//! of whoever is in office, from where it had come: while nobody is, it stands still, and deliveries last longer.

use std::sync::Arc;

use serde::Serialize;
use sim_core::service::{Outcome, queue};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, LocalTime, NodeId, OpId, SyncId};

use super::Node;
use super::broker::{Broker, Journal};
use super::command::Command;
use super::config::Config;
use super::facts::Fact;
use super::ledger::{Executed, Ledger, Timed};
use super::message::Message;
use super::state::Queue;
use crate::raft;
use crate::replicated::{Step, Told};

/// The replica of a broker.
type Replica = raft::Replica<Told<Ledger>>;

impl Journal for Replica {
    fn append(&mut self, context: &mut Context<'_, Node>, at: LocalTime, command: Command) -> bool {
        self.submit(context, Step::Change(Timed { at, command })).is_some()
    }

    fn keep(&mut self, context: &mut Context<'_, Node>, _: &Queue) {
        self.spread(context);
    }
}

/// One of several brokers. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Replicated {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    replica: Replica,
    office: raft::Office<Broker>,
}

impl Replicated {
    /// A broker that remembers nothing yet.
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        let replica = Replica::new(Arc::new(config.raft()), node, Told::new(Ledger::new(config.rules)));
        Self { node, config, replica, office: raft::Office::default() }
    }

    /// The broker, where it is in office.
    pub(super) fn broker(&self) -> Option<&Broker> {
        self.office.holder()
    }

    /// The log, and the queue that it makes.
    pub const fn replica(&self) -> &Replica {
        &self.replica
    }

    // ----- inputs -----

    pub(super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        self.replica.start(context);
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Node>, from: NodeId, message: Message) {
        match (message, self.office.holder_mut()) {
            (Message::Raft(message), _) => self.replica.receive(context, from, *message),
            (message, Some(broker)) => {
                if let Message::Credit { .. } = message {
                    context.send(from, Message::Leader(Some(self.node)));
                }
                broker.on_message(context, &mut self.replica, from, &message);
            }
            (_, None) => context.send(from, Message::Leader(self.leader())),
        }
        self.settle(context);
    }

    pub(super) fn on_timer(&mut self, context: &mut Context<'_, Node>, timer: raft::Timer) {
        self.replica.expire(context, timer);
        self.settle(context);
    }

    pub(super) fn on_deadline(&mut self, context: &mut Context<'_, Node>) {
        let Some(broker) = self.office.holder_mut() else {
            unreachable!("{} is not in office, and something comes due", self.node)
        };
        broker.on_deadline(context, &mut self.replica);
        self.settle(context);
    }

    pub(super) fn on_request(
        &mut self,
        context: &mut Context<'_, Node>,
        op: OpId,
        operation: queue::Operation,
    ) {
        match self.office.holder_mut() {
            Some(broker) => broker.on_request(context, &mut self.replica, op, operation),
            None => context.reply(op, Outcome::Redirect(self.leader())),
        }
        self.settle(context);
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Node>, sync: SyncId) {
        self.replica.on_sync_done(context, sync);
        self.settle(context);
    }

    // ----- office -----

    /// Who else leads; nobody, if this node does and is not in office yet.
    fn leader(&self) -> Option<NodeId> {
        self.replica.standing().leader.filter(|leader| *leader != self.node)
    }

    /// What follows from what the replica has done: who is in office, and what is said.
    fn settle(&mut self, context: &mut Context<'_, Node>) {
        if let Some(broker) = self.office.follow(&self.replica) {
            broker.retire(context, self.leader());
        }
        for executed in self.replica.machine_mut().take_news() {
            self.tell(context, executed);
        }
        if self.office.is_vacant(&self.replica) {
            self.take_office(context);
        }
        if let Some(broker) = self.office.holder_mut() {
            broker.go_on(context, &mut self.replica);
        }
    }

    /// A command is executed. Whoever waits for it is told, if it was added in this office.
    fn tell(&mut self, context: &mut Context<'_, Node>, executed: Executed) {
        let Executed { index, at, events } = executed;
        context.fact(Fact::Recorded { index, at, events: events.clone() });
        let Some(broker) = self.office.holder_mut() else { return };
        if let Some(result) = broker.next_result(index + 1) {
            let foreseen = (result.index, result.at, &result.events);
            assert_eq!(foreseen, (index, at, &events), "what was foreseen is not what has come");
            broker.tell(context, result);
        }
    }

    /// It goes on from the log. Nobody is told what came of the last commands of the broker before: who asked for them waits,
    /// and asks again.
    fn take_office(&mut self, context: &mut Context<'_, Node>) {
        let ledger = self.replica.machine().state();
        let mut broker = Broker::boot(Arc::clone(&self.config), self.node);
        broker.take_over(ledger.queue().clone(), ledger.count(), context.now());
        self.office.begin(broker);
        context.fact(Fact::Recovered);
    }

    // ----- for people -----

    pub(super) fn status(&self) -> Status {
        self.replica.standing()
    }

    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        if let Some(broker) = self.office.holder() {
            view.group("in office", |view| broker.show(view, request));
        }
        view.group("raft", |view| self.replica.show(view, request));
    }
}
