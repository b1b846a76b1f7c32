//! What is done to a queue and what comes of it: the words that the state machine, its log and its messages share.

use std::fmt;

use serde::Serialize;
use sim_core::service::Value;
use sim_core::{ClientId, LocalTime, NodeId, OpId};
use smallvec::SmallVec;

/// Bits of a receipt that say which delivery it is.
const DELIVERY_BITS: u32 = 20;

/// A message, by the order in which they came in, from 1. One that comes back from the dead letters gets a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MessageId(pub u64);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}", self.0)
    }
}

/// What a delivery is settled with: a message, and the how-manieth delivery of it. The next delivery makes it void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Receipt {
    /// The message.
    pub message: MessageId,
    /// Which delivery, from 1.
    pub delivery: u32,
}

impl Receipt {
    /// As clients hold it: later receipts of a message are greater, and so are those of later messages.
    ///
    /// # Panics
    /// If there are more messages or deliveries than there are numbers for.
    pub fn ticket(self) -> u64 {
        let Self { message: MessageId(message), delivery } = self;
        assert!(delivery >> DELIVERY_BITS == 0, "{self} is one delivery more than there are numbers for");
        assert!(
            message >> (64 - DELIVERY_BITS) == 0,
            "{self} is one message more than there are numbers for"
        );
        message << DELIVERY_BITS | u64::from(delivery)
    }

    /// Back from [`Receipt::ticket`]; any number is some receipt, if a void one.
    pub fn of_ticket(ticket: u64) -> Self {
        let delivery = ticket & ((1 << DELIVERY_BITS) - 1);
        Self {
            message: MessageId(ticket >> DELIVERY_BITS),
            delivery: u32::try_from(delivery).expect("it has 20 bits"),
        }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.message, self.delivery)
    }
}

/// One life of a consumer, drawn when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Session(pub u64);

/// Who holds a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Holder {
    /// A consumer, in one of its lives.
    Consumer {
        /// Which.
        node: NodeId,
        /// In which life.
        session: Session,
    },
    /// A client that dequeues by itself.
    Client(ClientId),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consumer { node, .. } => node.fmt(f),
            Self::Client(client) => client.fmt(f),
        }
    }
}

/// What can be done to a queue: an entry of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Command {
    /// A producer sends a message.
    Enqueue(Value),
    /// A consumer with credit takes so many messages, or as many as there are.
    Receive {
        /// Who.
        holder: Holder,
        /// How many at most.
        count: u32,
    },
    /// A client takes one message; asked again, it gets the same as long as it holds it.
    Dequeue(OpId),
    /// A delivery is done with.
    Acknowledge(Receipt),
    /// A delivery has failed: the message goes back, or to the dead letters.
    Return(Receipt),
    /// The visibility timeout of a delivery begins anew.
    Extend(Receipt),
    /// Dead letters come back as new messages, the oldest first, as long as there is room.
    Redrive,
    /// Nothing but time: what is due by now comes due. Any other command does that first, too.
    Expire,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enqueue(value) => write!(f, "enqueue {value}"),
            Self::Receive { holder, count } => write!(f, "receive {count} for {holder}"),
            Self::Dequeue(op) => write!(f, "dequeue {op}"),
            Self::Acknowledge(receipt) => write!(f, "acknowledge {receipt}"),
            Self::Return(receipt) => write!(f, "return {receipt}"),
            Self::Extend(receipt) => write!(f, "extend {receipt}"),
            Self::Redrive => f.write_str("redrive"),
            Self::Expire => f.write_str("expire"),
        }
    }
}

/// Why a message went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Cause {
    /// Its visibility timeout ran out.
    Timeout,
    /// Its holder gave it back.
    Failure,
}

/// What came of a command, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Event {
    /// A message is in the queue.
    Enqueued {
        /// Its number.
        message: MessageId,
        /// What it says.
        value: Value,
    },
    /// It was sent before, within the deduplication window: nothing changes.
    Duplicate {
        /// What it says.
        value: Value,
    },
    /// The queue is full, and nothing changes.
    Full,
    /// A message is held by somebody, until a moment.
    Delivered {
        /// What to settle it with.
        receipt: Receipt,
        /// The message that it was at first, before it came back from the dead letters.
        origin: MessageId,
        /// What it says.
        value: Value,
        /// Who holds it.
        holder: Holder,
        /// Until when, by the broker's clock.
        until: LocalTime,
    },
    /// There is nothing to take.
    Empty,
    /// A message is done with.
    Acknowledged {
        /// By which delivery.
        receipt: Receipt,
        /// Who held it.
        holder: Holder,
    },
    /// The receipt settles nothing.
    Void {
        /// Which.
        receipt: Receipt,
    },
    /// A message is held longer.
    Extended {
        /// By which delivery.
        receipt: Receipt,
        /// Until when.
        until: LocalTime,
    },
    /// A delivery has ended without success.
    Returned {
        /// Which.
        receipt: Receipt,
        /// Who held it.
        holder: Holder,
        /// Why.
        cause: Cause,
    },
    /// A message has failed too often.
    DeadLettered {
        /// Which.
        message: MessageId,
        /// What it says.
        value: Value,
    },
    /// A message has waited for too long.
    Expired {
        /// Which.
        message: MessageId,
    },
    /// A message had to go because the queue was full.
    Dropped {
        /// Which.
        message: MessageId,
    },
    /// A dead letter is a message again.
    Redriven {
        /// Which it was.
        from: MessageId,
        /// Which it is; `Enqueued` is not said of it.
        message: MessageId,
        /// What it says.
        value: Value,
    },
}

impl Event {
    /// The message that is in the queue from now on, and what it says.
    pub(super) const fn entered(&self) -> Option<(MessageId, Value)> {
        match *self {
            Self::Enqueued { message, value } | Self::Redriven { message, value, .. } => {
                Some((message, value))
            }
            Self::Duplicate { .. }
            | Self::Full
            | Self::Delivered { .. }
            | Self::Empty
            | Self::Acknowledged { .. }
            | Self::Void { .. }
            | Self::Extended { .. }
            | Self::Returned { .. }
            | Self::DeadLettered { .. }
            | Self::Expired { .. }
            | Self::Dropped { .. } => None,
        }
    }

    /// The message that is in the queue no more.
    pub(super) const fn left(&self) -> Option<MessageId> {
        match *self {
            Self::Acknowledged { receipt, .. } => Some(receipt.message),
            Self::DeadLettered { message, .. } | Self::Expired { message } | Self::Dropped { message } => {
                Some(message)
            }
            Self::Enqueued { .. }
            | Self::Duplicate { .. }
            | Self::Full
            | Self::Delivered { .. }
            | Self::Empty
            | Self::Void { .. }
            | Self::Extended { .. }
            | Self::Returned { .. }
            | Self::Redriven { .. } => None,
        }
    }
}

/// All that came of a command.
pub type Events = SmallVec<[Event; 1]>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_as_clients_hold_them_are_in_order_and_come_back() {
        let receipt = |message, delivery| Receipt { message: MessageId(message), delivery };
        let all = [receipt(1, 1), receipt(1, 2), receipt(2, 1), receipt(70_000, 1_048_575)];
        assert!(all.map(Receipt::ticket).is_sorted());
        assert_eq!(all.map(|receipt| Receipt::of_ticket(receipt.ticket())), all);
    }

    #[test]
    #[should_panic(expected = "one delivery more")]
    fn more_deliveries_than_there_are_numbers_for_are_no_receipt() {
        let _ = Receipt { message: MessageId(1), delivery: 1 << DELIVERY_BITS }.ticket();
    }
}
