//! `queue`: a work queue with acknowledgement.
//!
//! ```text
//! enqueue 4 → done      dequeue → received 4 receipt=1 delivery=1      acknowledge 1 → done, and it is gone
//!                       dequeue → none (the message is held)
//! ```
//!
//! Where [leases expire](Expiry::Possible), a message that was not acknowledged in time goes back to its place
//! and is delivered again, under a new receipt; the old one is then void. A holder may also give it back. A service
//! that has dead letters, priorities, delays or a time to live does not conform to the model: it has more in common with
//! `history::queue` of the checkers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Expiry, Model, Outcome, Value};

/// What can be asked of a `queue` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Append a message: `Done`.
    Enqueue(Value),
    /// Take the next message: `Received`, or `Value(None)` where there is none.
    Dequeue,
    /// A received message is done with: `Done`, or `Rejected` where the receipt is void.
    Acknowledge {
        /// From `Received`; [`LAST_TICKET`](super::LAST_TICKET) is the client's last.
        receipt: u64,
    },
    /// A received message could not be handled, and goes back: `Done`, or `Rejected` where the receipt is void.
    Return {
        /// From `Received`.
        receipt: u64,
    },
    /// Administration: dead letters, if the service has any, are messages again: `Done`.
    Redrive,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enqueue(value) => write!(f, "enqueue {value}"),
            Self::Dequeue => f.write_str("dequeue"),
            Self::Acknowledge { receipt } => write!(f, "acknowledge {receipt}"),
            Self::Return { receipt } => write!(f, "return {receipt}"),
            Self::Redrive => f.write_str("redrive"),
        }
    }
}

/// Who may acknowledge a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Holder {
    /// It waits for a `dequeue`.
    Nobody,
    /// Whoever has this receipt.
    Receipt(u64),
    /// Whoever it is was not seen: a `dequeue` without a known outcome took it, or its lease ran out.
    Unseen,
}

/// A message that was enqueued and not yet acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The message.
    pub value: Value,
    /// How many times it was delivered.
    pub deliveries: u32,
    /// Who has it.
    pub holder: Holder,
}

/// `7 waits`, `7 is held with receipt 2`.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        match self.holder {
            Holder::Nobody => write!(f, "{value} waits"),
            Holder::Receipt(receipt) => write!(f, "{value} is held with receipt {receipt}"),
            Holder::Unseen => write!(f, "{value} is held by an unseen `dequeue`"),
        }
    }
}

/// The sequential meaning of `queue`: first in, first out, and at most one holder a message until it is
/// acknowledged.
///
/// With [`Expiry::Possible`] any message held may have come back, which the model learns when it is delivered
/// again or its receipt rejected; numbers of deliveries rise, with gaps where some went to nobody seen. A
/// `dequeue` whose outcome is unknown, if it takes effect, takes the first waiting message. A service that
/// runs a retried `dequeue` twice does not conform: that takes two messages, and only one is seen.
#[derive(Clone, Copy, Debug)]
pub struct QueueModel {
    /// Whether holding a message ends by itself.
    pub expiry: Expiry,
}

impl Model for QueueModel {
    /// The messages in order of enqueueing.
    type State = Vec<Message>;

    fn initial(&self) -> Self::State {
        Vec::new()
    }

    fn step(
        &self,
        state: &Self::State,
        operation: &super::Operation,
        outcome: &Outcome,
    ) -> Option<Self::State> {
        let super::Operation::Queue(operation) = operation else { return None };
        let mut next = state.clone();
        let legal = match *operation {
            Operation::Enqueue(value) => {
                next.push(Message { value, deliveries: 0, holder: Holder::Nobody });
                outcome.may_be(&Outcome::Done)
            }
            Operation::Dequeue => self.dequeue(&mut next, outcome),
            Operation::Acknowledge { receipt } => self.acknowledge(&mut next, receipt, outcome),
            Operation::Return { receipt } => self.give_back(&mut next, receipt, outcome),
            Operation::Redrive => outcome.may_be(&Outcome::Done),
        };
        legal.then_some(next)
    }

    fn describe(&self, state: &Vec<Message>) -> String {
        let messages: Vec<String> = state.iter().map(Message::to_string).collect();
        if messages.is_empty() { "an empty queue".to_owned() } else { messages.join(", ") }
    }
}

impl QueueModel {
    fn dequeue(self, messages: &mut [Message], outcome: &Outcome) -> bool {
        let waiting = messages.iter().position(|message| message.holder == Holder::Nobody);
        if *outcome == Outcome::Unknown {
            if let Some(index) = waiting {
                messages[index].deliveries += 1;
                messages[index].holder = Holder::Unseen;
            }
            return true;
        }
        if *outcome == Outcome::Value(None) {
            return waiting.is_none();
        }
        let Outcome::Received { receipt, value, delivery } = *outcome else { return false };
        let is_held = messages.iter().any(|message| message.holder == Holder::Receipt(receipt));
        let may_be = |&index: &usize| {
            let message = &messages[index];
            message.value == value && self.may_count(message.deliveries, delivery)
        };
        let next = waiting.filter(may_be).or_else(|| self.expired(messages).find(may_be));
        let (Some(index), false) = (next, is_held) else { return false };
        messages[index].deliveries = delivery;
        messages[index].holder = Holder::Receipt(receipt);
        true
    }

    fn acknowledge(self, messages: &mut Vec<Message>, receipt: u64, outcome: &Outcome) -> bool {
        let held = messages.iter().position(|message| message.holder == Holder::Receipt(receipt));
        let Some(index) = held else { return outcome.may_be(&Outcome::Rejected) };
        if outcome.may_be(&Outcome::Done) {
            messages.remove(index);
            return true;
        }
        messages[index].holder = Holder::Unseen;
        *outcome == Outcome::Rejected && self.expiry == Expiry::Possible
    }

    /// Where leases run out, when exactly the message is back is not known either.
    fn give_back(self, messages: &mut [Message], receipt: u64, outcome: &Outcome) -> bool {
        let held = messages.iter().position(|message| message.holder == Holder::Receipt(receipt));
        let Some(index) = held else { return outcome.may_be(&Outcome::Rejected) };
        messages[index].holder = match self.expiry {
            Expiry::Never => Holder::Nobody,
            Expiry::Possible => Holder::Unseen,
        };
        outcome.may_be(&Outcome::Done) || (*outcome == Outcome::Rejected && self.expiry == Expiry::Possible)
    }

    /// Whether the next seen delivery after `before` ones may say that it is the `delivery`-th.
    fn may_count(self, before: u32, delivery: u32) -> bool {
        match self.expiry {
            Expiry::Never => delivery == before + 1,
            Expiry::Possible => delivery > before,
        }
    }

    /// The messages that may have come back.
    fn expired(self, messages: &[Message]) -> impl Iterator<Item = usize> {
        let held = (0..messages.len()).filter(|&index| messages[index].holder != Holder::Nobody);
        held.filter(move |_| self.expiry == Expiry::Possible)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};

    use proptest::prelude::*;

    use super::*;

    const STRICT: QueueModel = QueueModel { expiry: Expiry::Never };
    const LEASED: QueueModel = QueueModel { expiry: Expiry::Possible };

    fn received(receipt: u64, value: Value, delivery: u32) -> (Operation, Outcome) {
        (Operation::Dequeue, Outcome::Received { receipt, value, delivery })
    }

    fn enqueued(value: Value) -> (Operation, Outcome) {
        (Operation::Enqueue(value), Outcome::Done)
    }

    fn acknowledged(receipt: u64, outcome: Outcome) -> (Operation, Outcome) {
        (Operation::Acknowledge { receipt }, outcome)
    }

    /// Whether all steps are legal one after the other.
    fn accepts(model: QueueModel, steps: &[(Operation, Outcome)]) -> bool {
        let step = |state, (operation, outcome): &(Operation, Outcome)| {
            model.step(&state, &super::super::Operation::Queue(*operation), outcome)
        };
        steps.iter().try_fold(model.initial(), step).is_some()
    }

    #[test]
    fn messages_come_first_in_first_out_to_one_holder() {
        let taken = [enqueued(4), enqueued(5), received(1, 4, 1)];
        let then = |step| accepts(STRICT, &[&taken[..], &[step]].concat());
        assert!(then(received(2, 5, 1)));
        assert!(!then(received(2, 4, 2)), "4 is held");
        assert!(!then(received(1, 5, 1)), "the receipt is in use");
        assert!(!then((Operation::Dequeue, Outcome::Value(None))), "5 waits");
        assert!(!accepts(STRICT, &[enqueued(4), enqueued(5), received(1, 5, 1)]), "4 is before 5");
    }

    #[test]
    fn a_message_is_acknowledged_once() {
        let done = [enqueued(4), received(1, 4, 1), acknowledged(1, Outcome::Done)];
        let then = |step| accepts(STRICT, &[&done[..], &[step]].concat());
        assert!(then(acknowledged(1, Outcome::Rejected)));
        assert!(!then(acknowledged(1, Outcome::Done)));
        assert!(then((Operation::Dequeue, Outcome::Value(None))));
        assert!(!accepts(STRICT, &[enqueued(4), received(1, 4, 1), acknowledged(1, Outcome::Rejected)]));
    }

    #[test]
    fn an_expired_message_is_delivered_again_and_its_old_receipt_is_void() {
        let again = [enqueued(4), enqueued(5), received(1, 4, 1), received(2, 4, 2)];
        let then = |step| accepts(LEASED, &[&again[..], &[step]].concat());
        assert!(then(acknowledged(1, Outcome::Rejected)));
        assert!(!then(acknowledged(1, Outcome::Done)), "a zombie acknowledges");
        assert!(then(acknowledged(2, Outcome::Done)));
        assert!(then(acknowledged(2, Outcome::Rejected)), "expired, and not delivered again yet");
        assert!(!then(received(3, 4, 2)), "the third delivery is not the second");
        assert!(then(received(3, 4, 4)), "the third one went to nobody seen");
        let rejected = [&again[..], &[acknowledged(2, Outcome::Rejected)]].concat();
        let then = |step| accepts(LEASED, &[&rejected[..], &[step]].concat());
        assert!(then(received(3, 4, 3)) && then(received(3, 5, 1)), "4 waits, or somebody unseen has it");
        assert!(!then(acknowledged(2, Outcome::Done)), "a void receipt stays void");
    }

    #[test]
    fn a_message_that_was_given_back_is_delivered_again() {
        let back = (Operation::Return { receipt: 1 }, Outcome::Done);
        let given = [enqueued(4), enqueued(5), received(1, 4, 1), back.clone()];
        let then = |model, step| accepts(model, &[&given[..], &[step]].concat());
        assert!(then(STRICT, received(2, 4, 2)) && then(LEASED, received(2, 4, 2)));
        assert!(!then(STRICT, received(2, 5, 1)), "4 is before 5");
        assert!(
            !then(STRICT, acknowledged(1, Outcome::Done)) && !then(LEASED, acknowledged(1, Outcome::Done))
        );
        assert!(!accepts(STRICT, &[enqueued(4), back]), "nobody has it");
        assert!(accepts(STRICT, &[(Operation::Redrive, Outcome::Done)]), "there are no dead letters");
    }

    #[test]
    fn an_unseen_delivery_takes_the_message_until_it_expires() {
        let unseen = [enqueued(4), (Operation::Dequeue, Outcome::Unknown)];
        let then = |model, step| accepts(model, &[&unseen[..], &[step]].concat());
        assert!(then(STRICT, (Operation::Dequeue, Outcome::Value(None))));
        assert!(!then(STRICT, received(1, 4, 1)));
        assert!(then(LEASED, received(1, 4, 2)));
    }

    proptest! {
        /// The twin is a queue as one would write it; whatever it answers is legal, and what it would not is not.
        #[test]
        fn the_model_accepts_what_a_plain_queue_answers(draws in prop::collection::vec((0_u8..4, 0_u64..8), 1..80)) {
            let (mut waiting, mut held) = (VecDeque::new(), BTreeMap::new());
            let mut state = STRICT.initial();
            for (receipt, (kind, draw)) in (100..).zip(draws) {
                let (operation, outcome) = match kind {
                    0 | 1 => {
                        waiting.push_back(draw);
                        enqueued(draw)
                    }
                    2 => match waiting.pop_front() {
                        Some(value) => {
                            held.insert(receipt, value);
                            received(receipt, value, 1)
                        }
                        None => (Operation::Dequeue, Outcome::Value(None)),
                    },
                    _ => {
                        let receipt = held.keys().nth(usize::try_from(draw).expect("small")).copied().unwrap_or(draw);
                        let outcome = held.remove(&receipt).map_or(Outcome::Rejected, |_| Outcome::Done);
                        acknowledged(receipt, outcome)
                    }
                };
                let operation = super::super::Operation::Queue(operation);
                prop_assert!(STRICT.step(&state, &operation, &Outcome::Ticket(0)).is_none());
                state = STRICT.step(&state, &operation, &outcome).expect("a plain queue is legal");
                prop_assert_eq!(state.len(), waiting.len() + held.len());
            }
        }
    }

    #[test]
    fn a_queue_is_shown_message_by_message() {
        let message = |value, holder| Message { value, deliveries: 1, holder };
        let state =
            vec![message(7, Holder::Receipt(2)), message(8, Holder::Unseen), message(9, Holder::Nobody)];
        let shown = "7 is held with receipt 2, 8 is held by an unseen `dequeue`, 9 waits";
        assert_eq!(
            (STRICT.describe(&state), STRICT.describe(&vec![])),
            (shown.into(), "an empty queue".into())
        );
    }
}
