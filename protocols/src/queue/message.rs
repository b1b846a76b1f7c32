//! What brokers, producers, consumers and store send each other.

use serde::Serialize;
use sim_core::NodeId;
use sim_core::process;
use sim_core::service::Value;

use super::command::{MessageId, Receipt, Session};
use super::facts::Effect;
use super::ledger::Ledger;
use crate::raft;
use crate::replicated::Told;

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// Consumer to broker: I take so many at a time.
    Credit {
        /// Its life.
        session: Session,
        /// The how-manieth of this life: an older one says nothing.
        number: u64,
        /// How many it holds at most; 0 is a pause.
        window: u32,
    },
    /// Broker to consumer: handle this.
    Deliver {
        /// To which of its lives.
        session: Session,
        /// What to settle it with.
        receipt: Receipt,
        /// The message that it was at first.
        origin: MessageId,
        /// What it says.
        value: Value,
    },
    /// Consumer to broker: this is done with.
    Acknowledge(Receipt),
    /// Consumer to broker: this has failed.
    Return(Receipt),
    /// Consumer to broker: this takes longer.
    Extend(Receipt),
    /// Broker to consumer: the receipt was good, and the message is gone.
    Settled(Receipt),
    /// Broker to consumer: it is yours for another visibility timeout.
    Extended(Receipt),
    /// Broker to consumer: the receipt settles nothing.
    Void(Receipt),
    /// Consumer to store: have this effect.
    Apply(Effect),
    /// Store to consumer: the effect is there, by this request or an earlier one.
    Applied(Receipt),
    /// Store to consumer: another delivery has come after yours.
    Fenced(Receipt),
    /// One of several brokers to consumer: this one is in office, as far as I know.
    Leader(Option<NodeId>),
    /// Producer to broker: a row of my outbox.
    Publish {
        /// Which.
        number: u64,
        /// What it says.
        value: Value,
    },
    /// Broker to producer: the row is in the queue.
    Published {
        /// Which.
        number: u64,
    },
    /// Broker to producer: there is no room for the row.
    NoRoom {
        /// Which.
        number: u64,
    },
    /// Broker to producer: there is room again.
    Room,
    /// Between brokers. Boxed, it does not make the others large.
    Raft(Box<raft::MessageOf<Told<Ledger>>>),
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &[
        "Credit",
        "Deliver",
        "Acknowledge",
        "Return",
        "Extend",
        "Settled",
        "Extended",
        "Void",
        "Apply",
        "Applied",
        "Fenced",
        "Leader",
        "Publish",
        "Published",
        "NoRoom",
        "Room",
        "RequestVote",
        "RequestVoteReply",
        "RaftHeartbeat",
        "AppendEntries",
        "AppendEntriesReply",
        "PreVote",
        "PreVoteReply",
        "InstallSnapshot",
        "InstallSnapshotReply",
        "TimeoutNow",
        "ReadIndex",
        "ReadIndexReply",
    ];

    fn kind(&self) -> u8 {
        match self {
            Self::Credit { .. } => 0,
            Self::Deliver { .. } => 1,
            Self::Acknowledge(_) => 2,
            Self::Return(_) => 3,
            Self::Extend(_) => 4,
            Self::Settled(_) => 5,
            Self::Extended(_) => 6,
            Self::Void(_) => 7,
            Self::Apply(_) => 8,
            Self::Applied(_) => 9,
            Self::Fenced(_) => 10,
            Self::Leader(_) => 11,
            Self::Publish { .. } => 12,
            Self::Published { .. } => 13,
            Self::NoRoom { .. } => 14,
            Self::Room => 15,
            Self::Raft(message) => 16 + message.kind(),
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Credit { .. } | Self::Publish { .. } => 24,
            Self::Deliver { .. } | Self::Apply(_) => 40,
            Self::Acknowledge(_)
            | Self::Return(_)
            | Self::Extend(_)
            | Self::Settled(_)
            | Self::Extended(_)
            | Self::Void(_)
            | Self::Applied(_)
            | Self::Fenced(_)
            | Self::Leader(_)
            | Self::Published { .. }
            | Self::NoRoom { .. } => 16,
            Self::Room => 8,
            Self::Raft(message) => message.size(),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Credit { window, number, .. } => format!("Credit window={window} number={number}"),
            Self::Deliver { receipt, value, .. } => format!("Deliver {receipt} value={value}"),
            Self::Apply(Effect { receipt, value, .. }) => format!("Apply {receipt} value={value}"),
            Self::Leader(Some(node)) => format!("Leader {node}"),
            Self::Publish { number, value } => format!("Publish number={number} value={value}"),
            Self::Published { number } => format!("Published number={number}"),
            Self::NoRoom { number } => format!("NoRoom number={number}"),
            Self::Room => "Room".to_owned(),
            Self::Leader(None) => "Leader unknown".to_owned(),
            Self::Raft(message) => message.describe(),
            Self::Acknowledge(receipt)
            | Self::Return(receipt)
            | Self::Extend(receipt)
            | Self::Settled(receipt)
            | Self::Extended(receipt)
            | Self::Void(receipt)
            | Self::Applied(receipt)
            | Self::Fenced(receipt) => format!("{} {receipt}", Self::KINDS[usize::from(self.kind())]),
        }
    }
}
