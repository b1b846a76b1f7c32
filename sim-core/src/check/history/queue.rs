//! Queues, as clients see them: what goes in comes out, not out of thin air, not after it was acknowledged, in order.
//!
//! Three checkers, because a service may promise the one and not the other:
//!
//! - [`Integrity`]: what is received was sent; receipts are unique, deliveries are counted upwards, and an acknowledged
//!   message is not received any more.
//! - [`Loss`]: an empty queue has nothing that waits.
//! - [`Order`]: who was sent before comes before.
//!
//! [`super::linearizability::queue`] judges more strictly, and takes more time. Only clients are seen: where others take
//! messages, too, `Loss` has nothing to say, and where a service has groups, priorities or delays, `Order` is not promised.

use std::collections::BTreeMap;

use super::recorded::{Record, Recorded, is_before, out_of, violation};
use crate::check::{About, Answer, HistoryChecker};
use crate::history::History;
use crate::service::queue::Operation as Queue;
use crate::service::{Certainty, Operation, Outcome, Value};

/// What is received was sent, each delivery has its own receipt and number, and nothing comes after its acknowledgement.
#[derive(Clone, Copy, Debug)]
pub struct Integrity;

/// A queue that says it is empty has no message that nobody was given.
#[derive(Clone, Copy, Debug)]
pub struct Loss;

/// Messages are delivered for the first time in the order in which they were sent.
#[derive(Clone, Copy, Debug)]
pub struct Order;

/// A delivery that a client has seen.
#[derive(Clone, Copy, Debug)]
struct Delivery<'a> {
    seen: &'a Recorded<'a>,
    delivery: u32,
}

/// What clients have done with a message.
#[derive(Debug, Default)]
struct Story<'a> {
    sent: Vec<&'a Recorded<'a>>,
    /// In order of completion.
    deliveries: Vec<Delivery<'a>>,
    acknowledged: Option<&'a Recorded<'a>>,
}

/// The messages of a history, and the dequeues that found nothing or were not answered.
struct Stories<'a> {
    by_value: BTreeMap<Value, Story<'a>>,
    empty: Vec<&'a Recorded<'a>>,
    unseen: Vec<&'a Recorded<'a>>,
    /// Two deliveries with one receipt.
    twin: Option<(Value, Value, &'a Recorded<'a>)>,
}

impl<'a> Stories<'a> {
    /// `None` if there are more operations than the budget.
    fn of(record: &'a Record<'a>, budget: u64) -> Option<Self> {
        let mut stories =
            Self { by_value: BTreeMap::new(), empty: Vec::new(), unseen: Vec::new(), twin: None };
        if record.operations.len() as u64 > budget {
            return None;
        }
        let mut values = BTreeMap::new();
        let mut completed: Vec<&Recorded<'_>> = record.operations.iter().collect();
        completed.sort_by_key(|operation| operation.return_at);
        for operation in completed {
            stories.add(operation, &mut values);
        }
        Some(stories)
    }

    /// Takes note of an operation; `values` are the messages by receipt.
    fn add(&mut self, operation: &'a Recorded<'a>, values: &mut BTreeMap<u64, Value>) {
        let Operation::Queue(asked) = operation.operation else { return };
        match (asked, operation.outcome) {
            (Queue::Enqueue(value), outcome) if outcome.certainty() != Certainty::DidNotHappen => {
                self.by_value.entry(*value).or_default().sent.push(operation);
            }
            (Queue::Dequeue, Outcome::Received { receipt, value, delivery }) => {
                let (receipt, delivery) = (*receipt, *delivery);
                let story = self.by_value.entry(*value).or_default();
                story.deliveries.push(Delivery { seen: operation, delivery });
                if let Some(other) = values.insert(receipt, *value) {
                    self.twin.get_or_insert((other, *value, operation));
                }
            }
            (Queue::Dequeue, Outcome::Value(None)) => self.empty.push(operation),
            (Queue::Dequeue, Outcome::Unknown) => self.unseen.push(operation),
            (Queue::Acknowledge { receipt }, Outcome::Done) => {
                if let Some(value) = values.get(receipt) {
                    let story = self.by_value.get_mut(value).expect("it was received");
                    story.acknowledged.get_or_insert(operation);
                }
            }
            _ => {}
        }
    }
}

impl HistoryChecker for Integrity {
    fn about(&self) -> &'static About {
        &About {
            name: "queue-integrity",
            statement: "What is received was sent; every delivery has a receipt of its own and a higher number than those \
                        before it; what was acknowledged is not received any more.",
            source: "after Jepsen's checker `total-queue` (unexpected, duplicated); Amazon SQS, receipt handles",
            leaves_out: "values that were sent twice, for receipts after the acknowledgement; whether anything arrives",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        let Some(stories) = Stories::of(&record, budget) else { return out_of(budget) };
        if let Some((first, second, seen)) = stories.twin {
            return violation(&format!("two deliveries, of {first} and {second}, have one receipt"), &[seen]);
        }
        let found = stories.by_value.iter().find_map(|(value, story)| integrity(*value, story));
        found.unwrap_or(Answer::Pass)
    }
}

fn integrity(value: Value, story: &Story<'_>) -> Option<Answer> {
    let first = story.deliveries.first()?;
    let is_sent = story.sent.iter().any(|sent| sent.call_at < first.seen.return_at);
    if !is_sent {
        return Some(violation(
            &format!("out of thin air: {value} was received, and nobody had sent it"),
            &[first.seen],
        ));
    }
    if story.sent.len() > 1 {
        return None;
    }
    let repeated = story
        .deliveries
        .windows(2)
        .find(|pair| is_before(pair[0].seen, pair[1].seen) && pair[0].delivery >= pair[1].delivery);
    if let Some([before, after]) = repeated {
        let what =
            format!("redelivered: {value} comes as delivery {} after {}", after.delivery, before.delivery);
        return Some(violation(&what, &[before.seen, after.seen]));
    }
    let acknowledged = story.acknowledged?;
    let late = story.deliveries.iter().find(|delivery| is_before(acknowledged, delivery.seen))?;
    let what = format!("duplicated: {value} was received after it was acknowledged");
    Some(violation(&what, &[acknowledged, late.seen]))
}

impl HistoryChecker for Loss {
    fn about(&self) -> &'static About {
        &About {
            name: "queue-loss",
            statement: "A dequeue that finds nothing begins before any message was sent that nobody was given.",
            source: "after Jepsen's checker `total-queue` (lost)",
            leaves_out: "messages that a dequeue without a known outcome may have taken; queues that others take from, that \
                         delay messages, or that drop them",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        let Some(stories) = Stories::of(&record, budget) else { return out_of(budget) };
        let latest = stories.empty.iter().max_by_key(|empty| empty.call_at);
        let Some(nothing) = latest else { return Answer::Pass };
        let is_waiting = |story: &&Story<'_>| {
            let is_sent = story.sent.iter().any(|sent| sent.is_known() && is_before(sent, nothing));
            is_sent && story.deliveries.iter().all(|delivery| nothing.return_at < delivery.seen.call_at)
        };
        let lost: Vec<&Story<'_>> = stories.by_value.values().filter(is_waiting).collect();
        let taken = stories.unseen.iter().filter(|unseen| unseen.call_at < nothing.return_at).count();
        if lost.len() <= taken {
            return Answer::Pass;
        }
        let what = format!("lost: {} messages wait, and the queue says that it is empty", lost.len() - taken);
        violation(&what, &[lost[0].sent[0], nothing])
    }
}

impl HistoryChecker for Order {
    fn about(&self) -> &'static About {
        &About {
            name: "queue-order",
            statement: "Of two messages, of which one was sent before the other, that one is received first for the first \
                        time.",
            source: "after Jepsen's checker for queues; Amazon SQS, FIFO queues",
            leaves_out: "messages that were delivered to nobody seen; queues with groups, priorities or delays",
        }
    }

    /// In the order of sending; the latest first delivery of all that were sent before is kept.
    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        let Some(stories) = Stories::of(&record, budget) else { return out_of(budget) };
        let mut all: Vec<(&Recorded<'_>, &Recorded<'_>)> =
            stories.by_value.values().filter_map(once).collect();
        let mut done = all.clone();
        all.sort_by_key(|(sent, _)| sent.call_at);
        done.sort_by_key(|(sent, _)| sent.return_at);
        let mut done = done.into_iter().peekable();
        let mut latest: Option<(&Recorded<'_>, &Recorded<'_>)> = None;
        for (sent, received) in all {
            while let Some(before) = done.next_if(|(before, _)| is_before(before, sent)) {
                if latest.is_none_or(|(_, latest)| latest.call_at < before.1.call_at) {
                    latest = Some(before);
                }
            }
            if let Some((first, late)) = latest.filter(|(_, late)| is_before(received, late)) {
                return violation(
                    "reordered: what was sent first is received last",
                    &[first, sent, received, late],
                );
            }
        }
        Answer::Pass
    }
}

/// When a message was sent and received for the first time, if both are known and it was sent once.
fn once<'a>(story: &Story<'a>) -> Option<(&'a Recorded<'a>, &'a Recorded<'a>)> {
    let [sent] = story.sent[..] else { return None };
    let first = story.deliveries.iter().find(|delivery| delivery.delivery == 1)?;
    sent.is_known().then_some((sent, first.seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::history::DEFAULT_BUDGET;
    use crate::check::history::testing::{by_hand, history_of};

    type Step = (Queue, u64, u64, Outcome);

    /// A history of clients that each ask once: what, from when to when, and what they get.
    fn history(steps: &[Step]) -> History {
        let operation = |(client, (asked, begun, ended, outcome)): (u32, &Step)| {
            by_hand(client, *begun, *ended, Operation::Queue(*asked), outcome.clone())
        };
        history_of(&(1..).zip(steps).map(operation).collect::<Vec<_>>())
    }

    /// From `at` to the next moment.
    fn send(value: Value, at: u64) -> Step {
        (Queue::Enqueue(value), at, at + 1, Outcome::Done)
    }

    fn take(at: u64, receipt: u64, value: Value, delivery: u32) -> Step {
        (Queue::Dequeue, at, at + 1, Outcome::Received { receipt, value, delivery })
    }

    fn settle(at: u64, receipt: u64) -> Step {
        (Queue::Acknowledge { receipt }, at, at + 1, Outcome::Done)
    }

    fn nothing(at: u64) -> Step {
        (Queue::Dequeue, at, at + 1, Outcome::Value(None))
    }

    fn first_line(checker: &dyn HistoryChecker, steps: &[Step]) -> String {
        match checker.check(&history(steps), DEFAULT_BUDGET) {
            Answer::Pass => "pass".to_owned(),
            Answer::Violation(text) | Answer::Inconclusive(text) => {
                text.lines().next().unwrap_or_default().to_owned()
            }
        }
    }

    #[test]
    fn what_is_received_was_sent_and_not_acknowledged() {
        let judge = |steps: &[Step]| first_line(&Integrity, steps);
        assert_eq!(judge(&[send(7, 0), take(2, 1, 7, 1), settle(4, 1), nothing(6)]), "pass");
        assert_eq!(judge(&[send(7, 0), take(2, 1, 7, 1), take(4, 2, 7, 2), settle(6, 2)]), "pass");
        let thin = "out of thin air: 8 was received, and nobody had sent it";
        assert_eq!(judge(&[send(7, 0), take(2, 1, 8, 1)]), thin);
        assert_eq!(judge(&[take(2, 1, 8, 1), send(8, 4)]), thin, "not yet");
        let late = "duplicated: 7 was received after it was acknowledged";
        assert_eq!(judge(&[send(7, 0), take(2, 1, 7, 1), settle(4, 1), take(6, 2, 7, 2)]), late);
        let twice = [send(7, 0), send(7, 1), take(2, 1, 7, 1), settle(4, 1), take(6, 2, 7, 1)];
        assert_eq!(judge(&twice), "pass", "two messages may say the same");
    }

    #[test]
    fn deliveries_have_their_own_receipts_and_rising_numbers() {
        let judge = |steps: &[Step]| first_line(&Integrity, steps);
        let again = "redelivered: 7 comes as delivery 1 after 1";
        assert_eq!(judge(&[send(7, 0), take(2, 1, 7, 1), take(4, 2, 7, 1)]), again);
        let one = "two deliveries, of 7 and 8, have one receipt";
        assert_eq!(judge(&[send(7, 0), send(8, 0), take(2, 1, 7, 1), take(4, 1, 8, 1)]), one);
    }

    #[test]
    fn an_empty_queue_has_nothing_that_waits() {
        let judge = |steps: &[Step]| first_line(&Loss, steps);
        let lost = "lost: 1 messages wait, and the queue says that it is empty";
        assert_eq!(judge(&[send(7, 0), nothing(2)]), lost);
        assert_eq!(judge(&[send(7, 0), take(2, 1, 7, 1), nothing(4)]), "pass");
        assert_eq!(judge(&[send(7, 0), (Queue::Dequeue, 1, 9, Outcome::Unknown), nothing(10)]), "pass");
        assert_eq!(judge(&[(Queue::Enqueue(7), 0, 1, Outcome::Unknown), nothing(2)]), "pass");
        assert_eq!(judge(&[nothing(0), send(7, 2)]), "pass");
    }

    #[test]
    fn who_was_sent_first_is_received_first() {
        let judge = |steps: &[Step]| first_line(&Order, steps);
        let two = [send(7, 0), send(8, 2)];
        let then = |steps: &[Step]| judge(&[&two[..], steps].concat());
        assert_eq!(then(&[take(4, 1, 7, 1), take(6, 2, 8, 1)]), "pass");
        let wrong = "reordered: what was sent first is received last";
        assert_eq!(then(&[take(4, 2, 8, 1), take(6, 1, 7, 1)]), wrong);
        assert_eq!(
            then(&[take(4, 2, 8, 1), take(6, 1, 7, 2)]),
            "pass",
            "7 was delivered to nobody seen before"
        );
        assert_eq!(judge(&[send(7, 0), send(8, 0), take(4, 2, 8, 1), take(6, 1, 7, 1)]), "pass", "at once");
    }

    #[test]
    fn more_than_the_budget_is_inconclusive() {
        let history = history(&[send(7, 0), take(2, 1, 7, 1)]);
        for checker in [&Integrity as &dyn HistoryChecker, &Loss, &Order] {
            assert!(matches!(checker.check(&history, 1), Answer::Inconclusive(_)));
            assert_eq!(checker.check(&history, 2), Answer::Pass);
        }
    }
}
