//! Services: what clients may ask of a protocol, whichever it is.
//!
//! One scenario runs on any protocol that offers its service, because operations and outcomes are the closed
//! enums here and nothing of a protocol's own. Each service has a file with its operations and its sequential
//! [`Model`]: the meaning of the operations on one machine without faults, against which histories are checked.
//!
//! An [`Outcome`] is an answer, or one of two ways of not answering: [`Outcome::Refused`] (certainly did not
//! happen) and [`Outcome::Unknown`] (may have happened, or may still happen; never counted as a failure).

pub mod broadcast;
pub mod counter;
pub mod echo;
pub mod kv;
pub mod lock;
pub mod log;
pub mod membership;
pub mod queue;
pub mod set;
mod text;
pub mod transfer;
pub mod txn;
pub mod unique_ids;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{NodeId, Span};

/// A key of a `kv` or `txn` service, printed `k7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub u32);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "k{}", self.0)
    }
}

/// What is stored, sent or added. Workloads draw unique ones, so that checkers can tell writes apart.
pub type Value = u64;

/// In the place of a ticket, the one that its client got last: a workload cannot know what a client will get. The client
/// puts in its own when it asks. No service gives out this one.
pub const LAST_TICKET: u64 = 0;

/// The name of a service, as scenarios write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Gives back what it is given.
    Echo,
    /// Numbers nobody else gets.
    UniqueIds,
    /// Values that reach every node.
    Broadcast,
    /// A number that is added to.
    Counter,
    /// A set that grows.
    Set,
    /// Who is in the group.
    Membership,
    /// Registers under keys, with compare-and-set.
    Kv,
    /// A work queue with acknowledgement.
    Queue,
    /// An append-only log in partitions.
    Log,
    /// A lock with fencing tokens.
    Lock,
    /// Accounts and transfers between them.
    Transfer,
    /// Transactions over lists.
    Txn,
}

impl Service {
    /// All services, in the order of their declaration.
    pub const ALL: [Self; 12] = [
        Self::Echo,
        Self::UniqueIds,
        Self::Broadcast,
        Self::Counter,
        Self::Set,
        Self::Membership,
        Self::Kv,
        Self::Queue,
        Self::Log,
        Self::Lock,
        Self::Transfer,
        Self::Txn,
    ];

    /// The name as scenarios write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::UniqueIds => "unique-ids",
            Self::Broadcast => "broadcast",
            Self::Counter => "counter",
            Self::Set => "set",
            Self::Membership => "membership",
            Self::Kv => "kv",
            Self::Queue => "queue",
            Self::Log => "log",
            Self::Lock => "lock",
            Self::Transfer => "transfer",
            Self::Txn => "txn",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// `echo`: give this back.
    Echo(Value),
    /// `unique-ids`: a number nobody else gets.
    UniqueId,
    /// `broadcast`.
    Broadcast(broadcast::Operation),
    /// `counter`.
    Counter(counter::Operation),
    /// `set`.
    Set(set::Operation),
    /// `membership`: who is alive.
    Members,
    /// `kv`.
    Kv(kv::Operation),
    /// `queue`.
    Queue(queue::Operation),
    /// `log`.
    Log(log::Operation),
    /// `lock`.
    Lock(lock::Operation),
    /// `transfer`.
    Transfer(transfer::Operation),
    /// `txn`: the steps happen together or not at all.
    Txn(Arc<[txn::Step]>),
    /// Administration of the protocol itself.
    Admin(Admin),
}

/// Administration that any protocol may offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Admin {
    /// Make this node a member.
    AddNode(NodeId),
    /// Make this node no member.
    RemoveNode(NodeId),
    /// Make this node a learner: it gets everything and decides nothing.
    AddLearner(NodeId),
    /// Make both of these nodes members, in one change.
    AddNodes(NodeId, NodeId),
    /// Make one node a member in the place of another, in one change.
    ReplaceNode {
        /// Who goes.
        remove: NodeId,
        /// Who comes.
        add: NodeId,
    },
    /// Leave a joint configuration that is not left by itself.
    LeaveJoint,
    /// Let this node lead.
    TransferLeadership(NodeId),
    /// Follow nobody until a leader is heard of again: who asks knows that the one it follows is gone.
    ForgetLeader,
    /// Take a snapshot and compact now.
    Snapshot,
}

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It happened, and there is nothing more to say.
    Done,
    /// It was evaluated and its condition did not hold; nothing changed (a failed compare-and-set, a held lock).
    Rejected,
    /// A value, or that there is none.
    Value(Option<Value>),
    /// Values, in an order that the service defines.
    Values(Arc<[Value]>),
    /// A position or ticket: an offset, a fencing token, a receipt.
    Ticket(u64),
    /// A message of a queue: its receipt and its value.
    Received {
        /// What to acknowledge it with.
        receipt: u64,
        /// The message.
        value: Value,
        /// The how-manieth delivery of this message, from 1.
        delivery: u32,
    },
    /// The results of a transaction, a step each.
    Txn(Arc<[txn::StepOutcome]>),
    /// The members believed alive.
    Members(Arc<[NodeId]>),
    /// Not an answer: ask this node, or anybody if unknown. Clients follow it; histories never hold it.
    Redirect(Option<NodeId>),
    /// Certainly did not happen and will not.
    Refused(Refusal),
    /// The client gave up waiting: it may have happened, or may still happen.
    Unknown,
    /// Records of a log, each with its offset.
    Records(Arc<[(u64, Value)]>),
}

/// Why something certainly did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The protocol does not offer the operation.
    Unsupported,
    /// The node has too much to do.
    Overloaded,
    /// The request names something that does not exist (an account, a node).
    NotFound,
    /// A token or epoch has been superseded.
    Fenced,
    /// A transaction was aborted.
    Aborted,
    /// The node is in a state that cannot serve it, now.
    Unavailable,
    /// The client's session has expired.
    SessionExpired,
}

impl Operation {
    /// The service it belongs to; `None` for administration, which any protocol may offer.
    pub const fn service(&self) -> Option<Service> {
        match self {
            Self::Echo(_) => Some(Service::Echo),
            Self::UniqueId => Some(Service::UniqueIds),
            Self::Broadcast(_) => Some(Service::Broadcast),
            Self::Counter(_) => Some(Service::Counter),
            Self::Set(_) => Some(Service::Set),
            Self::Members => Some(Service::Membership),
            Self::Kv(_) => Some(Service::Kv),
            Self::Queue(_) => Some(Service::Queue),
            Self::Log(_) => Some(Service::Log),
            Self::Lock(_) => Some(Service::Lock),
            Self::Transfer(_) => Some(Service::Transfer),
            Self::Txn(_) => Some(Service::Txn),
            Self::Admin(_) => None,
        }
    }

    /// Whether it leaves the state as it is whatever happens: a read whose outcome is unknown can be left out
    /// of a history.
    pub fn is_read(&self) -> bool {
        match self {
            Self::Echo(_) | Self::Members => true,
            Self::UniqueId | Self::Queue(_) | Self::Lock(_) | Self::Admin(_) => false,
            Self::Broadcast(operation) => operation.is_read(),
            Self::Counter(operation) => operation.is_read(),
            Self::Set(operation) => operation.is_read(),
            Self::Kv(operation) => operation.is_read(),
            Self::Log(operation) => operation.is_read(),
            Self::Transfer(operation) => operation.is_read(),
            Self::Txn(steps) => steps.iter().all(|step| step.is_read()),
        }
    }

    /// With `last`, which its client got, in the place of [`LAST_TICKET`].
    #[must_use]
    pub fn with_ticket(self, last: u64) -> Self {
        match self {
            Self::Lock(lock::Operation::Release { token: LAST_TICKET }) => {
                Self::Lock(lock::Operation::Release { token: last })
            }
            Self::Queue(queue::Operation::Acknowledge { receipt: LAST_TICKET }) => {
                Self::Queue(queue::Operation::Acknowledge { receipt: last })
            }
            Self::Queue(queue::Operation::Return { receipt: LAST_TICKET }) => {
                Self::Queue(queue::Operation::Return { receipt: last })
            }
            other => other,
        }
    }

    /// Size on the wire in bytes, headers left out.
    pub fn size(&self) -> u64 {
        match self {
            Self::Txn(steps) => 16 * steps.len() as u64,
            Self::Echo(_)
            | Self::UniqueId
            | Self::Broadcast(_)
            | Self::Counter(_)
            | Self::Set(_)
            | Self::Members
            | Self::Kv(_)
            | Self::Queue(_)
            | Self::Log(_)
            | Self::Lock(_)
            | Self::Transfer(_)
            | Self::Admin(_) => 24,
        }
    }
}

impl Outcome {
    /// Size on the wire in bytes, headers left out.
    pub fn size(&self) -> u64 {
        match self {
            Self::Values(values) => 8 * values.len() as u64,
            Self::Txn(steps) => 16 * steps.len() as u64,
            Self::Members(members) => 4 * members.len() as u64,
            Self::Records(records) => 16 * records.len() as u64,
            Self::Done
            | Self::Rejected
            | Self::Value(_)
            | Self::Ticket(_)
            | Self::Received { .. }
            | Self::Redirect(_)
            | Self::Refused(_)
            | Self::Unknown => 16,
        }
    }

    /// Whether the operation certainly took its effect, certainly did not, or neither is known.
    pub const fn certainty(&self) -> Certainty {
        match self {
            Self::Unknown => Certainty::Unknown,
            Self::Refused(_) | Self::Redirect(_) => Certainty::DidNotHappen,
            Self::Done
            | Self::Rejected
            | Self::Value(_)
            | Self::Values(_)
            | Self::Ticket(_)
            | Self::Received { .. }
            | Self::Txn(_)
            | Self::Members(_)
            | Self::Records(_) => Certainty::Happened,
        }
    }
}

impl Outcome {
    /// Whether this may stand in a history where the answer is `answer`: it is that, or unknown.
    fn may_be(&self, answer: &Self) -> bool {
        *self == Self::Unknown || self == answer
    }

    /// What it gives to whoever asked, to be shown later: a ticket or a receipt.
    pub const fn ticket(&self) -> Option<u64> {
        match self {
            Self::Ticket(ticket) | Self::Received { receipt: ticket, .. } => Some(*ticket),
            Self::Done
            | Self::Rejected
            | Self::Value(_)
            | Self::Values(_)
            | Self::Txn(_)
            | Self::Members(_)
            | Self::Records(_)
            | Self::Redirect(_)
            | Self::Refused(_)
            | Self::Unknown => None,
        }
    }

    /// The values, of [`Outcome::Values`].
    fn values(&self) -> Option<&[Value]> {
        if let Self::Values(values) = self { Some(values) } else { None }
    }
}

/// What an outcome says about the effect of its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It happened, between invocation and completion.
    Happened,
    /// It did not happen and will not.
    DidNotHappen,
    /// It may have happened, or may still happen after the client stopped waiting.
    Unknown,
}

/// A service on one machine without faults: a state, and what each operation may do to it.
pub trait Model {
    /// The whole state. Equal states must be interchangeable.
    type State: Clone + Eq + fmt::Debug + Serialize;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// Whether `operation` may give `outcome` in `state`, and the state after it if so.
    ///
    /// `None` also for operations of other services, and for [`Outcome::Refused`] and [`Outcome::Redirect`]:
    /// operations that did not happen are left out of a history before it is judged.
    /// With [`Outcome::Unknown`] the answer says what the operation does where its outcome is never seen.
    fn step(&self, state: &Self::State, operation: &Operation, outcome: &Outcome) -> Option<Self::State>;

    /// The state for people, in a line.
    fn describe(&self, state: &Self::State) -> String {
        format!("{state:?}")
    }
}

/// Whether holding something (a lock, a message of a queue) can end by itself, by a lease that runs out. A model
/// knows no time: where it is possible, it is possible at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expiry {
    /// It ends only when the holder ends it.
    Never,
    /// It may end at any moment.
    Possible,
}

/// How long a lease, lock or visibility timeout lasts.
pub type Lease = Span;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_of_each_service_are_told_from_what_changes_it() {
        let read_and_change = [
            (
                Operation::Broadcast(broadcast::Operation::Read),
                Operation::Broadcast(broadcast::Operation::Send(1)),
            ),
            (Operation::Counter(counter::Operation::Read), Operation::Counter(counter::Operation::Add(1))),
            (Operation::Set(set::Operation::Read), Operation::Set(set::Operation::Add(1))),
            (Operation::Kv(kv::Operation::Read(Key(1))), Operation::Kv(kv::Operation::Delete(Key(1)))),
            (
                Operation::Log(log::Operation::Committed { partition: 0 }),
                Operation::Log(log::Operation::Commit { partition: 0, offset: 1 }),
            ),
            (
                Operation::Txn([txn::Step::Read(Key(1))].into()),
                Operation::Txn([txn::Step::Read(Key(1)), txn::Step::Append(Key(1), 1)].into()),
            ),
        ];
        for (read, change) in read_and_change {
            assert_eq!((read.is_read(), change.is_read()), (true, false), "{read}, {change}");
            assert_eq!(read.service(), change.service());
        }
    }

    #[test]
    fn the_last_ticket_stands_for_what_the_client_got() {
        let release = |token| Operation::Lock(lock::Operation::Release { token });
        assert_eq!(release(LAST_TICKET).with_ticket(7), release(7));
        assert_eq!(release(5).with_ticket(7), release(5), "it says which");
        assert_eq!(Operation::Echo(0).with_ticket(7), Operation::Echo(0));
        let received = Outcome::Received { receipt: 3, value: 9, delivery: 1 };
        assert_eq!((Outcome::Ticket(4).ticket(), received.ticket()), (Some(4), Some(3)));
        assert_eq!(Outcome::Done.ticket(), None);
    }

    #[test]
    fn administration_belongs_to_no_service() {
        assert_eq!(Operation::Admin(Admin::Snapshot).service(), None);
        assert_eq!(Operation::Queue(queue::Operation::Dequeue).service(), Some(Service::Queue));
    }
}
