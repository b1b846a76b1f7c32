//! A broker on several nodes, with its log in Raft.
//!
//! All brokers keep the log; the leader of Raft is *in office*: it serves producers and consumers. What it adds to the log
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
use super::ledger::{Executed, Ledger, Step};
use super::message::Message;
use super::state::Queue;
use crate::raft;
use crate::replicated::{Executable as _, Index, Machine as _};

/// The replica of a broker.
type Replica = raft::Replica<Ledger>;

impl Journal for Replica {
    fn append(&mut self, context: &mut Context<'_, Node>, at: LocalTime, command: Command) -> bool {
        self.submit(context, Step::Command { at, command }).is_some()
    }

    fn keep(&mut self, context: &mut Context<'_, Node>, _: &Queue) {
        self.spread(context);
    }
}

/// What a leader has beyond its replica.
#[derive(Clone, Serialize)]
struct Office {
    term: raft::Term,
    broker: Broker,
    /// The first entry of its term. When that is executed, so is all that it found in the log.
    begins: Index,
    /// Whether it is.
    has_begun: bool,
}

/// One of several brokers. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Replicated {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    replica: Replica,
    office: Option<Office>,
}

impl Replicated {
    /// A broker that remembers nothing yet.
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        let replica = Replica::new(Arc::new(config.raft()), node, Ledger::new(config.rules));
        Self { node, config, replica, office: None }
    }

    /// The broker, where it is in office.
    pub(super) fn broker(&self) -> Option<&Broker> {
        self.office.as_ref().map(|office| &office.broker)
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
        match (message, &mut self.office) {
            (Message::Raft(message), _) => self.replica.receive(context, from, *message),
            (message, Some(office)) => {
                if let Message::Credit { .. } = message {
                    context.send(from, Message::Leader(Some(self.node)));
                }
                office.broker.on_message(context, &mut self.replica, from, &message);
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
        let Some(office) = &mut self.office else {
            unreachable!("{} is not in office, and something comes due", self.node)
        };
        office.broker.on_deadline(context, &mut self.replica);
        self.settle(context);
    }

    pub(super) fn on_request(
        &mut self,
        context: &mut Context<'_, Node>,
        op: OpId,
        operation: queue::Operation,
    ) {
        match &mut self.office {
            Some(office) => office.broker.on_request(context, &mut self.replica, op, operation),
            None => context.reply(op, Outcome::Redirect(self.leader())),
        }
        self.settle(context);
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Node>, sync: SyncId) {
        self.replica.on_sync_done(context, sync);
        self.settle(context);
    }

    // ----- office -----

    fn leader(&self) -> Option<NodeId> {
        self.replica.standing().leader
    }

    /// What follows from what the replica has done: who is in office, and what is said.
    fn settle(&mut self, context: &mut Context<'_, Node>) {
        let leads = self.replica.is_leader().then(|| self.replica.term());
        let was_in_office = self.office.as_ref().map(|office| office.term);
        if was_in_office != leads
            && let Some(office) = self.office.take()
        {
            office.broker.retire(context, self.leader());
        }
        for executed in self.replica.machine_mut().take_news() {
            self.tell(context, executed);
        }
        if let (Some(term), None) = (leads, &self.office) {
            self.take_office(context, term);
        }
        if let Some(office) = &mut self.office {
            if !office.has_begun && self.replica.machine().applied() >= office.begins {
                office.has_begun = true;
                context.fact(Fact::Recovered);
            }
            office.broker.go_on(context, &mut self.replica);
        }
    }

    /// A command is executed. Whoever waits for it is told, if it was added in this office.
    fn tell(&mut self, context: &mut Context<'_, Node>, executed: Executed) {
        let Executed { index, at, events } = executed;
        context.fact(Fact::Recorded { index, at, events: events.clone() });
        let Some(office) = &mut self.office else { return };
        if let Some(result) = office.broker.next_result(index + 1) {
            let foreseen = (result.index, result.at, &result.events);
            assert_eq!(foreseen, (index, at, &events), "what was foreseen is not what has come");
            office.broker.tell(context, result);
        }
    }

    /// It performs what the log has and is not executed yet, and serves. Nobody is told what came of that: who asked
    /// for it waits for the broker before, and asks again.
    fn take_office(&mut self, context: &mut Context<'_, Node>, term: raft::Term) {
        let ledger = self.replica.machine();
        let (mut queue, mut end) = (ledger.queue().clone(), ledger.count());
        for entry in &*self.replica.log().slice(ledger.applied().next(), u64::MAX) {
            if let Some(&Step::Command { at, command }) = entry.command() {
                queue.apply(at, command);
                end += 1;
            }
        }
        let mut broker = Broker::boot(Arc::clone(&self.config), self.node);
        broker.take_over(queue, end, context.now());
        self.office =
            Some(Office { term, broker, begins: self.replica.log().last_index(), has_begun: false });
    }

    // ----- for people -----

    pub(super) fn status(&self) -> Status {
        self.replica.standing()
    }

    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        if let Some(office) = &self.office {
            view.group("in office", |view| office.broker.show(view, request));
        }
        view.group("raft", |view| self.replica.show(view, request));
    }
}
