//! Echo: the template. A node answers what it was asked, after a peer has said it back.
//!
//! # What it guarantees
//!
//! A client gets back the value it sent, and no other ([`invariants::AnswersMatch`]). While the asked node and one
//! of its peers live and are connected, it gets it, however many messages are lost.
//!
//! # The way of a request
//!
//! ```text
//! client          n1               n2              n3
//!   │── Echo(7) ──>│── Ask(7) ──────╳               │       lost
//!   │              │ Retry fires    │               │
//!   │              │── Ask(7) ──────┼──────────────>│       the next peer
//!   │<── Value(7) ─│<─ Answer(7) ───┼───────────────│
//! ```
//!
//! 1. A client asks a node: `Operation::Echo` arrives in `on_request`. The node remembers it as [`Pending`], sends
//!    [`Message::Ask`] to a peer and sets [`Timer::Retry`]. A node without peers answers at once.
//! 2. The peer sends the value back: [`Message::Answer`].
//! 3. The node cancels the timer and replies. An answer that comes twice finds nothing pending and is dropped.
//! 4. If the timer fires first, the node asks the next peer.
//!
//! # What is left out, and what that costs
//!
//! Nothing is on disk, so what was pending at a crash is forgotten, and the client asks again after its own timeout.
//! Retries go on for as long as the node lives, at a fixed pace: with all peers gone that is work for nothing.
//!
//! # Sources
//!
//! None: the smallest thing that has a message, a timer, a fact, an invariant and a view.

mod config;
mod facts;
pub mod invariants;
mod message;
pub mod mutants;
mod view;

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::disk::{self, DiskPromise};
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal, Value};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, Span, SyncId};

pub use config::{Config, ConfigError};
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// The answer to this operation; when it fires, the next peer is asked.
    Retry(OpId),
}

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &[];

    fn index(self) -> Option<usize> {
        match self {
            Self::Retry(_) => None,
        }
    }
}

/// What is written to disk: nothing, so there is no such record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Record {}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match *self {}
    }
}

/// A request that waits for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pending {
    /// What to say back.
    pub value: Value,
    /// How many peers were asked so far, from 1; a peer asked twice counts twice.
    pub asked: u32,
}

/// One node. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Echo {
    node: NodeId,
    node_count: u32,
    retry_after: Span,
    #[serde(skip)]
    mutant: Option<Mutant>,
    pending: BTreeMap<OpId, Pending>,
}

impl Process for Echo {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::EVERYTHING;
    const POINTS: &'static [&'static str] = &["a peer was asked again"];
    const GAUGES: &'static [&'static str] = &["pending"];

    fn boot(config: &Config, node: NodeId) -> Self {
        let &Config { node_count, retry_after, mutant } = config;
        Self { node, node_count, retry_after, mutant, pending: BTreeMap::new() }
    }

    /// Nothing is on disk, and nothing is due.
    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.tell_pending(context);
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        match message {
            Message::Ask { op, value } => self.on_ask(context, from, op, value),
            Message::Answer { op, value } => self.on_answer(context, op, value),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Retry(op) => {
                context.sometimes(0);
                self.ask(context, op);
            }
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Echo(value) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        context.fact(Fact::Asked { op, value });
        self.pending.insert(op, Pending { value, asked: 0 });
        self.tell_pending(context);
        if self.node_count == 1 {
            self.on_answer(context, op, value);
        } else {
            self.ask(context, op);
        }
    }

    /// Nothing is ever synced.
    fn on_durable(&mut self, _context: &mut Context<'_, Self>, sync: SyncId) {
        unreachable!("echo writes nothing, but {sync:?} is durable");
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        Status { gauge: self.pending.len() as u64, ..Status::peer("echo") }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Echo {
    /// What waits for a peer, by operation.
    pub fn pending(&self) -> &BTreeMap<OpId, Pending> {
        &self.pending
    }

    /// The gauge: how many requests wait for a peer.
    fn tell_pending(&self, context: &mut Context<'_, Self>) {
        context.gauge(0, self.pending.len() as u64);
    }

    /// Asks the next peer, and waits.
    fn ask(&mut self, context: &mut Context<'_, Self>, op: OpId) {
        let pending = self.pending.get_mut(&op).expect("a timer runs only for what is pending");
        pending.asked += 1;
        let distance = 1 + (pending.asked - 1) % (self.node_count - 1);
        let peer = NodeId::new((self.node.raw() + distance) % self.node_count);
        assert_ne!(peer, self.node, "a node does not ask itself");
        context.send(peer, Message::Ask { op, value: pending.value });
        context.set_timer(Timer::Retry(op), self.retry_after);
    }

    /// A peer wants to hear the value.
    fn on_ask(&self, context: &mut Context<'_, Self>, from: NodeId, op: OpId, value: Value) {
        let value = if self.mutant == Some(Mutant::WrongEcho) { value + 1 } else { value };
        context.send(from, Message::Answer { op, value });
    }

    /// A peer has said the value back. The first answer counts.
    fn on_answer(&mut self, context: &mut Context<'_, Self>, op: OpId, value: Value) {
        if self.pending.remove(&op).is_some() {
            self.tell_pending(context);
            context.cancel_timer(Timer::Retry(op));
            context.fact(Fact::Answered { op, value });
            context.reply(op, Outcome::Value(Some(value)));
        }
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
