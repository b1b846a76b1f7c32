//! The queue as Raft replicates it: a state machine whose entries are commands with their times.

use std::fmt;
use std::mem;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sim_core::LocalTime;
use sim_core::service::Outcome;
use sim_core::view::ViewBuilder;

use super::Node;
use super::command::{Command, Events};
use super::config::Rules;
use super::durable::Snapshot;
use super::state::Queue;
use crate::raft::Application;
use crate::replicated::{Agreeable, Chain, Executable, Index, Machine, Piece};

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Step {
    /// Nothing.
    Noop,
    /// Perform this, at this time of the log.
    Command {
        /// When.
        at: LocalTime,
        /// What.
        command: Command,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noop => f.write_str("noop"),
            Self::Command { command, .. } => write!(f, "{command:?}"),
        }
    }
}

impl Agreeable for Step {
    const SIZE: u64 = 32;
    const NOOP: Self = Self::Noop;
}

/// A snapshot, whole: what it holds belongs together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Whole(pub Arc<Snapshot>);

impl Piece for Whole {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn is_session(&self) -> bool {
        false
    }
}

/// What came of a command that was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Executed {
    /// The how-manieth command it is, from 0.
    pub(super) index: u64,
    /// When, by the log's time.
    pub(super) at: LocalTime,
    pub(super) events: Events,
}

/// A queue, and what it was given. See the [module documentation](self).
#[derive(Clone)]
pub struct Ledger {
    rules: Rules,
    queue: Queue,
    /// How many commands were executed.
    count: u64,
    applied: Index,
    chain: Chain,
    /// What its process has not heard of yet.
    news: Vec<Executed>,
}

impl Ledger {
    pub(super) fn new(rules: Rules) -> Self {
        let (applied, chain) = (Index::ZERO, Chain::EMPTY);
        Self { rules, queue: Queue::new(rules), count: 0, applied, chain, news: Vec::new() }
    }

    /// The queue after all that was executed.
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// How many commands were executed.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// What came of the commands since the last call, in order.
    pub(super) fn take_news(&mut self) -> Vec<Executed> {
        mem::take(&mut self.news)
    }
}

impl Machine for Ledger {
    type Command = Step;
    type Item = Whole;
    /// Everything is a command: to look at a queue and to take from it are one.
    type Query = ();

    fn items(&self) -> impl Iterator<Item = Whole> {
        [Whole(Arc::new(Snapshot { upto: self.count, queue: self.queue.clone() }))].into_iter()
    }

    fn restored(&self, (applied, chain): (Index, Chain), items: impl IntoIterator<Item = Whole>) -> Self {
        let mut ledger = Self { applied, chain, ..Self::new(self.rules) };
        for Whole(snapshot) in items {
            (ledger.count, ledger.queue) = (snapshot.upto, snapshot.queue.clone());
        }
        ledger
    }

    fn apply<E>(&mut self, entry: &E, witness: impl FnOnce(Index, Chain)) -> Option<Outcome>
    where
        E: Executable<Command = Step>,
    {
        self.applied = self.applied.next();
        self.chain = self.chain.extend(entry);
        witness(self.applied, self.chain);
        if let Some(&Step::Command { at, command }) = entry.command() {
            let events = self.queue.apply(at, command);
            self.news.push(Executed { index: self.count, at, events });
            self.count += 1;
        }
        None
    }

    fn answer(&self, (): ()) -> Outcome {
        unreachable!("a queue is asked for nothing but by commands")
    }

    fn applied(&self) -> Index {
        self.applied
    }

    fn chain(&self) -> Chain {
        self.chain
    }

    fn show(&self, view: &mut ViewBuilder) {
        let (waiting, held) = self.queue.depth();
        view.number("commands executed", self.count);
        view.number("queued", waiting);
        view.number("in flight", held);
        view.number("dead letters", self.queue.dead_letters().len());
    }
}

impl Application for Ledger {
    type Host = Node;
}

/// The chain stands for the queue, which is a function of it.
impl Serialize for Ledger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.applied, self.chain).serialize(serializer)
    }
}
