//! What lies in the slab while its key waits in the event queue (or its slot in an inbox).

use crate::fingerprint::fingerprint;
use crate::process::Process;
use crate::service::{Operation, Outcome};
use crate::{Endpoint, LocalTime, OpId, SimTime, SyncId};

/// Something that will happen.
pub(super) struct Scheduled<P: Process> {
    /// The sender, or the node itself.
    pub(super) from: Endpoint,
    /// Where it happens.
    pub(super) to: Endpoint,
    /// The record that caused it.
    pub(super) cause: u32,
    /// A message's ordinal on its link; else the incarnation of the node that this belongs to.
    pub(super) tag: u32,
    /// For messages on a connection: how often either end had been started when it was sent.
    pub(super) epoch: u32,
    pub(super) event: Event<P>,
}

/// What will happen.
pub(super) enum Event<P: Process> {
    /// A message from node to node arrives.
    Message(P::Message),
    /// A timer fires, if its hour has come: see [`TimerEvent`].
    Timer(TimerEvent<P::Timer>),
    /// A sync has completed.
    Durable(SyncId),
    /// A client's operation arrives at a node.
    Request(Box<(OpId, Operation)>),
    /// A node's answer arrives at a client.
    Reply(Box<(OpId, Outcome)>),
    /// The node has the processor for the input at the head of its inbox.
    Handler,
    /// A client does what it planned for now.
    Client(Wake),
    /// Taken back; its key is still in the queue.
    Cancelled,
}

/// A timer that is armed.
///
/// A timer that is set anew to a later time keeps its key in the queue: when that key comes up early, a new one
/// is pushed for `due` and `order`. So an election timer that is reset at each heartbeat costs a write to the
/// slab, not a push and a cancellation. The order of firings is exactly that of the `order` numbers.
#[derive(Clone, Copy)]
pub(super) struct TimerEvent<T> {
    pub(super) timer: T,
    /// On the node's monotonic clock.
    pub(super) deadline: LocalTime,
    /// When that is, as far as is known now; `SimTime::MAX` while the clock stands still.
    pub(super) due: SimTime,
    /// The sequence number that it was set with.
    pub(super) order: u64,
    /// The time of its key in the queue; `None` where it has none (in an inbox, or the clock stands still).
    pub(super) queued: SimTime,
}

/// What a client wakes up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// Issue the operation with this ordinal.
    Issue(u32),
    /// Send attempt `.1` of operation `.0`.
    Attempt(u32, u32),
    /// Attempt `.1` of operation `.0` has taken too long.
    Timeout(u32, u32),
}

impl Wake {
    /// What it is for, as exploration tells states apart.
    pub(super) fn fingerprint(self) -> u64 {
        match self {
            Self::Issue(step) => fingerprint(&(0_u32, step, 0_u32)),
            Self::Attempt(ordinal, attempt) => fingerprint(&(1_u32, ordinal, attempt)),
            Self::Timeout(ordinal, attempt) => fingerprint(&(2_u32, ordinal, attempt)),
        }
    }
}

impl<P: Process> Clone for Event<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Message(message) => Self::Message(message.clone()),
            Self::Timer(timer) => Self::Timer(*timer),
            Self::Durable(sync) => Self::Durable(*sync),
            Self::Request(request) => Self::Request(request.clone()),
            Self::Reply(reply) => Self::Reply(reply.clone()),
            Self::Handler => Self::Handler,
            Self::Client(wake) => Self::Client(*wake),
            Self::Cancelled => Self::Cancelled,
        }
    }
}

impl<P: Process> Clone for Scheduled<P> {
    fn clone(&self) -> Self {
        let Self { from, to, cause, tag, epoch, ref event } = *self;
        Self { from, to, cause, tag, epoch, event: event.clone() }
    }
}
