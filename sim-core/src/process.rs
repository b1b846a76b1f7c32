//! What a protocol implements: a sans-I/O state machine.
//!
//! A [`Process`] reacts to inputs (`on_start`, `on_message`, `on_timer`, `on_request`, `on_durable`) and acts
//! only through its [`Context`]: it sends, sets timers, writes to its disk, answers clients, states facts.
//! It never sees true time, threads, sockets or another process. That is what makes a run replayable, and the
//! same code testable by hand, by a sweep and by exhaustive exploration.
//!
//! **Life.** [`Process::boot`] makes the value when a node starts, with nothing but its configuration and its
//! id; then `on_start` reads what the disk kept. A crash drops the value. A restart is `boot` on a fresh one.
//!
//! **Persist before send.** A promise to a peer that must survive a crash is written to the disk, synced, and
//! sent in [`Process::on_durable`]. The engine can cut a handler after any of its effects, and tests do.

use std::fmt::Debug;

use serde::Serialize;

use crate::check::{Nodes, Work};
use crate::context::Context;
use crate::disk::{DiskPromise, Record};
use crate::service::Operation;
use crate::status::Status;
use crate::view::{ViewBuilder, ViewRequest};
use crate::{NodeId, OpId, SyncId};

/// One protocol state machine. See the [module documentation](self).
///
/// `Serialize` is for state fingerprints: it must cover everything that decides behaviour, and instants only
/// as [`LocalTime`](crate::LocalTime).
pub trait Process: Sized + Send + Serialize + 'static {
    /// What all processes of a run share: parameters, the initial members.
    type Config: Send + Sync + 'static;
    /// What processes send each other.
    type Message: Message;
    /// The names of timers.
    type Timer: Timer;
    /// What is written to disk.
    type Record: Record;
    /// Typed statements about what just happened, for invariants.
    type Fact: Clone + Debug + Send + 'static;

    /// What the protocol promises to survive of its disk; a run that goes beyond is told apart.
    const PROMISE: DiskPromise;
    /// Names of situations worth reaching (`sometimes`): those never reached in a sweep are listed.
    const POINTS: &'static [&'static str] = &[];
    /// Names of places inside handlers where a crash is worth trying, such as between a write and its sync, as
    /// [`PointName`](crate::fault::PointName)s. A plan names them, and those never reached in a sweep are listed.
    const FAULT_POINTS: &'static [&'static str] = &[];
    /// Names of levels that a process tells by [`Context::gauge`]: how much waits, how far something is behind. Where
    /// one is 0 in a process that has just booted, `on_start` says so, else it counts from when it is first set.
    const GAUGES: &'static [&'static str] = &[];
    /// Names of what processes count together by [`Context::count`]. None is a name that the engine uses.
    const COUNTERS: &'static [&'static str] = &[];
    /// Names of what takes a process some time, from [`Context::begin`] to [`Context::end`], or as long as
    /// [`Context::took`] says. None is a name that the engine uses.
    const LATENCIES: &'static [&'static str] = &[];

    /// Of what kind a fact is, a number below [`Kinds::LIMIT`](crate::check::Kinds::LIMIT): an invariant that
    /// [does not hear](crate::check::Invariant::hears) a kind is not asked about it. Default: all are of one kind.
    fn kind_of(_fact: &Self::Fact) -> u32 {
        0
    }

    /// A process that has just been started on `node` and remembers nothing.
    fn boot(config: &Self::Config, node: NodeId) -> Self;

    /// The first input after [`Process::boot`]: read the disk, arm timers.
    fn on_start(&mut self, context: &mut Context<'_, Self>);

    /// A message from another node (or from itself).
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Self::Message);

    /// A timer that was set and neither cancelled nor set anew.
    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Self::Timer);

    /// A client asks; answer with [`Context::reply`], now or later, or never.
    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation);

    /// Everything written to the region before this sync was asked for is durable.
    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId);

    /// The nodes whose lost memory, as things stand, is more than the protocol promises to survive. Only protocols that
    /// keep with their peers what others keep on disk have a limit: with too many of them empty at once, nobody can
    /// give back what they knew. Asked at the end of a run.
    fn forgotten(_nodes: &Nodes<'_, Self>) -> Vec<NodeId> {
        Vec::new()
    }

    /// What those of `well` that run do not agree on, and must come to agree on once faults have ended: what replicas
    /// hold, who members believe to be up. Asked several times after the faults. Default: nothing, as where a leader sees
    /// to it, of which statuses tell.
    fn disagreement(_nodes: &Nodes<'_, Self>, _well: &[NodeId]) -> Option<String> {
        None
    }

    /// The work that there is, as those of `well` that run know it: what was taken in, such as messages that are kept, and how
    /// much of it is done. Once faults have ended what was taken in must get done. Default: none, as where an answer is
    /// all that is owed.
    fn work(_nodes: &Nodes<'_, Self>, _well: &[NodeId]) -> Vec<Work> {
        Vec::new()
    }

    /// A copy for snapshots and branches; `None` where the process cannot be copied (an external program).
    /// Must be cheap: large state belongs into [`persist`](crate::persist) containers.
    fn fork(&self) -> Option<Self>;

    /// The process at a glance. Called at each frame for each node: no allocation.
    fn status(&self) -> Status;

    /// The whole state, for people.
    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest);
}

/// What processes send each other. Clones must be cheap: large contents are shared.
pub trait Message: Clone + Send + Serialize + Debug + 'static {
    /// The names of the kinds, in the order of [`Message::kind`].
    const KINDS: &'static [&'static str];

    /// The kind, as index into [`Message::KINDS`].
    fn kind(&self) -> u8;

    /// Size on the wire in bytes, for bandwidth and size limits.
    fn size(&self) -> u64;

    /// The contents in a line for people: `AppendEntries term=3 prev=(7,2) entries=2 commit=6`.
    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

/// The name of a timer. Setting a timer that is already set moves it.
///
/// Plain variants get an index, so that they live in an array; variants with a payload have none and live in
/// a map.
pub trait Timer: Copy + Ord + Debug + Send + Serialize + 'static {
    /// The names of the plain variants, by index: `election`.
    const NAMES: &'static [&'static str];

    /// The index of a plain variant in [`Timer::NAMES`]; `None` for variants with a payload.
    fn index(self) -> Option<usize>;
}
