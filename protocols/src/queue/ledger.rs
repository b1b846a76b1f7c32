//! The queue as Raft replicates it: a state that changes by commands with their times.

use std::fmt;

use serde::Serialize;
use sim_core::LocalTime;
use sim_core::view::ViewBuilder;

use super::Node;
use super::command::{Command, Events};
use super::config::Rules;
use super::durable::Snapshot;
use super::state::Queue;
use crate::raft::Application;
use crate::replicated::{Change, Saved, State, Told};

/// A command, and when it is performed by the time of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Timed {
    /// When.
    pub at: LocalTime,
    /// What.
    pub command: Command,
}

impl fmt::Display for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.command.fmt(f)
    }
}

impl Change for Timed {
    const SIZE: u64 = 32;
}

impl Saved for Snapshot {
    fn size(&self) -> u64 {
        self.size()
    }
}

/// What came of a command that was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// The how-manieth command it is, from 0.
    pub index: u64,
    /// When, by the log's time.
    pub at: LocalTime,
    /// What came of it, in order.
    pub events: Events,
}

/// A queue, and how many commands made it what it is.
#[derive(Clone)]
pub struct Ledger {
    queue: Queue,
    count: u64,
}

impl Ledger {
    pub(super) fn new(rules: Rules) -> Self {
        Self { queue: Queue::new(rules), count: 0 }
    }

    /// The queue after all that was executed.
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// How many commands were executed.
    pub const fn count(&self) -> u64 {
        self.count
    }
}

impl State for Ledger {
    type Change = Timed;
    type Saved = Snapshot;
    type News = Executed;

    fn change(&mut self, Timed { at, command }: Timed) -> Option<Executed> {
        let (index, events) = (self.count, self.queue.apply(at, command));
        self.count += 1;
        Some(Executed { index, at, events })
    }

    /// It goes on where the log is.
    fn on_new_leader(&mut self) {}

    fn save(&self) -> Snapshot {
        Snapshot { upto: self.count, queue: self.queue.clone() }
    }

    fn load(&mut self, saved: &Snapshot) {
        (self.count, self.queue) = (saved.upto, saved.queue.clone());
    }

    fn show(&self, view: &mut ViewBuilder) {
        let (waiting, held) = self.queue.depth();
        view.number("commands executed", self.count);
        view.number("queued", waiting);
        view.number("in flight", held);
        view.number("dead letters", self.queue.dead_letters().len());
    }
}

impl Application for Told<Ledger> {
    type Host = Node;
}
