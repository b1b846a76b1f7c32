//! The state machine against a queue as one would write it, and what it costs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sim_core::{ClientId, NodeId, Span};

use super::super::command::Session;
use super::*;

/// Holders of the tests.
const fn holder(node: u32) -> Holder {
    Holder::Consumer { node: NodeId::new(node), session: Session(0) }
}

const fn at(second: u64) -> LocalTime {
    LocalTime::from_nanos(second * 1_000_000_000)
}

/// A list of messages that is looked through from the front each time: no index that could be wrong.
#[derive(Debug)]
struct Twin {
    rules: Rules,
    now: LocalTime,
    last: u64,
    messages: BTreeMap<u64, Message>,
    sent: BTreeMap<Value, LocalTime>,
}

impl Twin {
    const fn new(rules: Rules) -> Self {
        Self { rules, now: LocalTime::ZERO, last: 0, messages: BTreeMap::new(), sent: BTreeMap::new() }
    }

    /// Deadlines at the same time come due in the order of their kinds: visibility, delay, time to live.
    fn pass(&mut self, now: LocalTime) {
        loop {
            let due = |message: &Message| {
                let stage = match message.stage {
                    Stage::Held { until, .. } => Some((until, 0)),
                    Stage::Delayed { until } => Some((until, 1)),
                    Stage::Waiting => None,
                };
                let is_held = matches!(message.stage, Stage::Held { .. });
                let expiry = message.expires.filter(|_| !is_held).map(|at| (at, 2));
                stage.into_iter().chain(expiry).min()
            };
            let all = self.messages.iter().filter_map(|(id, message)| Some((due(message)?, *id)));
            let Some(((at, kind), id)) = all.min().filter(|((at, _), _)| *at <= now) else { break };
            self.now = self.now.max(at);
            match kind {
                0 => self.come_back(id, now, Span::ZERO),
                1 => self.messages.get_mut(&id).expect("listed").stage = Stage::Waiting,
                _ => _ = self.messages.remove(&id),
            }
        }
        self.now = now;
    }

    fn come_back(&mut self, id: u64, now: LocalTime, delay: Span) {
        let message = self.messages.get_mut(&id).expect("it is there");
        message.failures += 1;
        message.stage = if delay.is_zero() { Stage::Waiting } else { Stage::Delayed { until: now + delay } };
        let is_over = message.expires.is_some_and(|at| at <= now);
        if self.rules.max_receives.is_some_and(|most| message.failures >= most) || is_over {
            self.messages.remove(&id);
        }
    }

    fn enqueue(&mut self, value: Value) {
        let window = self.rules.deduplication;
        if window.is_some_and(|window| self.sent.get(&value).is_some_and(|at| self.now < *at + window)) {
            return;
        }
        self.sent.insert(value, self.now);
        self.last += 1;
        let expires = self.rules.time_to_live.map(|time| self.now + time);
        let mut message = Message::new(value, MessageId(self.last), expires);
        if !self.rules.delay.is_zero() {
            message.stage = Stage::Delayed { until: self.now + self.rules.delay };
        }
        self.messages.insert(self.last, message);
    }

    /// The first by priority that waits, and is the first of its group.
    fn next(&self) -> Option<u64> {
        let mut seen = BTreeSet::new();
        let mut best: Option<(u32, u64)> = None;
        for (id, message) in &self.messages {
            let is_first = self.rules.group_of(message.value).is_none_or(|group| seen.insert(group));
            let rank = (self.rules.priority_of(message.value), *id);
            if is_first && message.stage == Stage::Waiting && best.is_none_or(|best| rank < best) {
                best = Some(rank);
            }
        }
        best.map(|(_, id)| id)
    }

    fn receive(&mut self) -> Option<(u64, u32)> {
        let id = self.next()?;
        let until = self.now + self.rules.visibility;
        let message = self.messages.get_mut(&id).expect("it is next");
        message.deliveries += 1;
        message.stage = Stage::Held { until, holder: holder(1) };
        Some((id, message.deliveries))
    }

    fn is_valid(&self, receipt: Receipt) -> bool {
        self.messages.get(&receipt.message.0).is_some_and(|message| {
            matches!(message.stage, Stage::Held { .. }) && message.deliveries == receipt.delivery
        })
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    let limits = (prop::option::of(1..4_u32), prop::option::of(2..9_u64), prop::option::of(2..9_u64));
    (1..5_u64, 0..2_u64, 0..2_u64, prop::bool::ANY, 1..4_u32, limits).prop_map(
        |(visibility, delay, retry, has_groups, many, (max_receives, time_to_live, window))| Rules {
            visibility: Span::secs(visibility),
            delay: Span::secs(delay),
            retry_delay: Span::secs(retry),
            groups: if has_groups { many } else { 0 },
            priorities: if has_groups { 1 } else { many },
            max_receives,
            time_to_live: time_to_live.map(Span::secs),
            deduplication: window.map(Span::secs),
            ..Rules::new()
        },
    )
}

proptest! {
    #[test]
    fn it_answers_as_a_list_that_is_looked_through(
        rules in rules(),
        draws in prop::collection::vec((0..7_u8, 0..12_u64, 0..3_u64), 1..120),
    ) {
        let (mut queue, mut twin) = (Queue::new(rules), Twin::new(rules));
        let (mut receipts, mut now) = (vec![Receipt { message: MessageId(1), delivery: 1 }], 0);
        for (kind, draw, passed) in draws {
            now += passed;
            twin.pass(at(now));
            let receipt = receipts[usize::try_from(draw).expect("small") % receipts.len()];
            match kind {
                0..2 => {
                    queue.apply(at(now), Command::Enqueue(draw));
                    twin.enqueue(draw);
                }
                2 | 3 => {
                    let events = queue.apply(at(now), Command::Receive { holder: holder(1), count: 1 });
                    let given = events.iter().find_map(|event| {
                        if let Event::Delivered { receipt, .. } = event { Some(*receipt) } else { None }
                    });
                    let expected = twin.receive();
                    prop_assert_eq!(given.map(|receipt| (receipt.message.0, receipt.delivery)), expected);
                    receipts.extend(given);
                }
                4 => {
                    let is_valid = twin.is_valid(receipt);
                    let events = queue.apply(at(now), Command::Acknowledge(receipt));
                    prop_assert_eq!(matches!(events.last(), Some(Event::Acknowledged { .. })), is_valid);
                    if is_valid { twin.messages.remove(&receipt.message.0); }
                }
                5 => {
                    let is_valid = twin.is_valid(receipt);
                    queue.apply(at(now), Command::Return(receipt));
                    if is_valid { twin.come_back(receipt.message.0, at(now), rules.retry_delay); }
                }
                _ => {
                    let is_valid = twin.is_valid(receipt);
                    queue.apply(at(now), Command::Extend(receipt));
                    if is_valid {
                        let until = at(now) + rules.visibility;
                        let message = twin.messages.get_mut(&receipt.message.0).expect("it is valid");
                        message.stage = Stage::Held { until, holder: holder(1) };
                    }
                }
            }
            let all: Vec<(u64, Message)> = queue.messages().iter().map(|(id, message)| (id.0, *message)).collect();
            prop_assert_eq!(all, twin.messages.iter().map(|(id, message)| (*id, *message)).collect::<Vec<_>>());
            let Tally { sent, acknowledged, dead_lettered, expired, .. } = queue.tally();
            prop_assert_eq!(sent, queue.messages().len() + acknowledged + dead_lettered + expired);
        }
    }

    #[test]
    fn equal_commands_at_equal_times_make_equal_queues(
        rules in rules(),
        draws in prop::collection::vec((0..3_u8, 0..12_u64, 0..3_u64), 1..60),
    ) {
        let (mut first, mut second, mut now) = (Queue::new(rules), Queue::new(rules), 0);
        for (kind, draw, passed) in draws {
            now += passed;
            let command = match kind {
                0 => Command::Enqueue(draw),
                1 => Command::Receive { holder: holder(1), count: 2 },
                _ => Command::Redrive,
            };
            prop_assert_eq!(first.apply(at(now), command), second.apply(at(now), command));
        }
        prop_assert!(first == second);
    }
}

#[test]
fn a_client_that_asks_again_is_given_the_same() {
    let mut queue = Queue::new(Rules::new());
    for value in [7, 8] {
        queue.apply(at(0), Command::Enqueue(value));
    }
    let op = |ordinal| OpId { client: ClientId::new(0), ordinal };
    let first = queue.apply(at(1), Command::Dequeue(op(0)));
    assert_eq!(queue.apply(at(2), Command::Dequeue(op(0))), first);
    assert_ne!(queue.apply(at(2), Command::Dequeue(op(1))), first);
    assert!(queue.apply(at(3), Command::Dequeue(op(2))).contains(&Event::Empty));
}

#[test]
fn dead_letters_come_back_in_order_as_far_as_there_is_room() {
    let rules = Rules { max_receives: Some(1), capacity: Some(2), ..Rules::new() };
    let mut queue = Queue::new(rules);
    for value in [7, 8, 9] {
        queue.apply(at(0), Command::Enqueue(value));
        for event in queue.apply(at(0), Command::Receive { holder: holder(1), count: 1 }) {
            let Event::Delivered { receipt, .. } = event else { panic!("{event:?}") };
            queue.apply(at(0), Command::Return(receipt));
        }
    }
    assert_eq!((queue.messages().len(), queue.dead_letters().len()), (0, 3));
    let events = queue.apply(at(1), Command::Redrive);
    let values: Vec<Value> = events
        .iter()
        .map(|event| {
            let Event::Redriven { value, .. } = event else { panic!("{event:?}") };
            *value
        })
        .collect();
    assert_eq!(values, [7, 8]);
    assert_eq!((queue.messages().len(), queue.dead_letters().len()), (2, 1));
}
