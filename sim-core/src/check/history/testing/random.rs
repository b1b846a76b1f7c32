//! Random small histories of one copy of the objects, good and bad.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::history::History;
use crate::random::Stream;
use crate::service::txn::{Step, StepOutcome};
use crate::service::{Key, Operation, Outcome, Refusal, Service, Value, kv, lock, queue, set};
use crate::{ClientId, OpId, SimTime};

/// How histories are drawn.
#[derive(Clone, Copy, Debug)]
pub(in crate::check::history) struct Shape {
    pub(in crate::check::history) service: Service,
    pub(in crate::check::history) operations_max: u64,
    pub(in crate::check::history) clients: u32,
    pub(in crate::check::history) keys: u64,
    /// Values come from so many; 0 stands for values that are unique.
    pub(in crate::check::history) values: u64,
    /// Where values of registers are unique, one operation in so many is an exchange; 0 stands for none.
    pub(in crate::check::history) one_exchange_in: u64,
    /// One outcome in so many is unknown; as many are refused.
    pub(in crate::check::history) one_unknown_in: u64,
}

impl Shape {
    /// Small enough for all orders to be tried. Values repeat, so that an outcome has several explanations.
    pub(in crate::check::history) fn repeating(service: Service, clients: u32) -> Self {
        let values = if service == Service::Kv { 3 } else { 4 };
        Self { service, operations_max: 8, clients, keys: 2, values, one_exchange_in: 0, one_unknown_in: 8 }
    }

    /// As small, and each value is written once.
    pub(in crate::check::history) fn unique(service: Service, clients: u32) -> Self {
        Self { values: 0, ..Self::repeating(service, clients) }
    }

    /// What the checkers of a service are compared with all orders on.
    pub(in crate::check::history) fn all(service: Service, clients: u32) -> Vec<Self> {
        let repeating = Self::repeating(service, clients);
        match service {
            Service::Kv | Service::Set => vec![repeating, Self::unique(service, clients)],
            Service::Queue | Service::Lock => vec![repeating],
            other => panic!("{other:?} has no checker of orders"),
        }
    }
}

/// One copy of every object, which answers as it should.
#[derive(Default)]
struct Objects {
    registers: BTreeMap<Key, Value>,
    set: BTreeSet<Value>,
    waiting: VecDeque<Value>,
    held: BTreeMap<u64, Value>,
    holder: Option<u64>,
    lists: BTreeMap<Key, Vec<Value>>,
    tickets: u64,
}

impl Objects {
    fn act(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::Kv(operation) => self.kv(*operation),
            Operation::Set(set::Operation::Add(value)) => {
                self.set.insert(*value);
                Outcome::Done
            }
            Operation::Set(set::Operation::Read) => Outcome::Values(self.set.iter().copied().collect()),
            Operation::Queue(operation) => self.queue(*operation),
            Operation::Lock(operation) => self.lock(*operation),
            Operation::Txn(steps) => Outcome::Txn(steps.iter().map(|step| self.step(*step)).collect()),
            other => panic!("{other} is not drawn"),
        }
    }

    fn kv(&mut self, operation: kv::Operation) -> Outcome {
        let (outcome, after) = operation.evaluate(self.registers.get(&operation.key()).copied());
        match after {
            Some(value) => self.registers.insert(operation.key(), value),
            None => self.registers.remove(&operation.key()),
        };
        outcome
    }

    fn queue(&mut self, operation: queue::Operation) -> Outcome {
        match operation {
            queue::Operation::Enqueue(value) => {
                self.waiting.push_back(value);
                Outcome::Done
            }
            queue::Operation::Dequeue => match self.waiting.pop_front() {
                Some(value) => {
                    self.tickets += 1;
                    self.held.insert(self.tickets, value);
                    Outcome::Received { receipt: self.tickets, value, delivery: 1 }
                }
                None => Outcome::Value(None),
            },
            queue::Operation::Acknowledge { receipt } => {
                self.held.remove(&receipt).map_or(Outcome::Rejected, |_| Outcome::Done)
            }
            queue::Operation::Return { .. } | queue::Operation::Redrive => panic!("{operation} is not drawn"),
        }
    }

    fn lock(&mut self, operation: lock::Operation) -> Outcome {
        match operation {
            lock::Operation::Acquire if self.holder.is_none() => {
                self.tickets += 1;
                self.holder = Some(self.tickets);
                Outcome::Ticket(self.tickets)
            }
            lock::Operation::Release { token } if self.holder == Some(token) => {
                self.holder = None;
                Outcome::Done
            }
            lock::Operation::Acquire | lock::Operation::Release { .. } => Outcome::Rejected,
        }
    }

    fn step(&mut self, step: Step) -> StepOutcome {
        match step {
            Step::Append(key, value) => {
                self.lists.entry(key).or_default().push(value);
                StepOutcome::Appended
            }
            Step::Read(key) => StepOutcome::List(self.lists.get(&key).cloned().unwrap_or_default().into()),
        }
    }
}

/// Where an operation stands.
struct Pending {
    op: OpId,
    operation: Operation,
    outcome: Option<Outcome>,
}

/// A history of one copy of the objects that answers late, sometimes not at all and, in about every second one,
/// wrongly once.
pub(in crate::check::history) fn random_history(shape: Shape, draws: &mut Stream) -> History {
    let mut history = History::new();
    let mut objects = Objects::default();
    let mut pending: Vec<Pending> = Vec::new();
    let mut ordinals = vec![0; shape.clients as usize];
    let count = 1 + draws.below(shape.operations_max);
    // Few wrong reads of lists show, so more are made.
    let wrong = draws.below(if shape.service == Service::Txn { count } else { 2 * count });
    let (mut now, mut issued, mut completed) = (0, 0, 0);
    while issued < count || !pending.is_empty() {
        now += 1;
        let at = SimTime::from_nanos(now);
        let client = ClientId::new(u32::try_from(draws.below(u64::from(shape.clients))).expect("small"));
        match pending.iter().position(|pending| pending.op.client == client) {
            None if issued < count => {
                issued += 1;
                let op = OpId { client, ordinal: ordinals[client.index()] };
                ordinals[client.index()] += 1;
                let operation = draw(shape, issued, draws);
                history.invoke(at, op, operation.clone());
                pending.push(Pending { op, operation, outcome: None });
            }
            None => {}
            Some(index) if pending[index].outcome.is_none() => {
                let refused = draws.below(shape.one_unknown_in) == 0;
                let outcome = if refused { None } else { Some(objects.act(&pending[index].operation)) };
                pending[index].outcome = Some(outcome.unwrap_or(Outcome::Refused(Refusal::Aborted)));
            }
            Some(index) => {
                let Pending { op, outcome, .. } = pending.swap_remove(index);
                let mut outcome = outcome.expect("it has acted");
                completed += 1;
                if completed == wrong + 1 {
                    outcome = mutate(outcome, draws);
                }
                match draws.below(shape.one_unknown_in) {
                    // It never completes, and its client goes on with another.
                    0 if draws.below(2) == 0 => {}
                    0 => history.complete(at, op, Outcome::Unknown),
                    _ => history.complete(at, op, outcome),
                }
            }
        }
    }
    history
}

fn draw(shape: Shape, ordinal: u64, draws: &mut Stream) -> Operation {
    let key = Key(u32::try_from(draws.below(shape.keys)).expect("small"));
    let value = if shape.values == 0 { ordinal } else { draws.below(shape.values) };
    let kind = draws.below(6);
    let other = draws.below(shape.values.max(4));
    match shape.service {
        Service::Kv if shape.one_exchange_in > 0 && draws.below(shape.one_exchange_in) == 0 => {
            let expected = 1 + draws.below(ordinal);
            Operation::Kv(kv::Operation::CompareAndSet { key, expected, value })
        }
        Service::Kv if shape.values == 0 => match kind {
            0..3 => Operation::Kv(kv::Operation::Read(key)),
            _ => Operation::Kv(kv::Operation::Write(key, value)),
        },
        Service::Kv => Operation::Kv(match kind {
            0 | 1 => kv::Operation::Read(key),
            2 | 3 => kv::Operation::Write(key, value),
            4 => kv::Operation::CompareAndSet { key, expected: other, value },
            _ => kv::Operation::Delete(key),
        }),
        Service::Set if kind < 3 => Operation::Set(set::Operation::Read),
        Service::Set => Operation::Set(set::Operation::Add(value)),
        Service::Queue => Operation::Queue(match kind {
            0..3 => queue::Operation::Enqueue(value),
            3 | 4 => queue::Operation::Dequeue,
            _ => queue::Operation::Acknowledge { receipt: 1 + other },
        }),
        Service::Lock if kind < 3 => Operation::Lock(lock::Operation::Acquire),
        Service::Lock => Operation::Lock(lock::Operation::Release { token: 1 + draws.below(3) }),
        Service::Txn => {
            Operation::Txn((0..=draws.below(2)).map(|step| draw_step(shape, ordinal, step, draws)).collect())
        }
        other => panic!("{other} is not drawn"),
    }
}

fn draw_step(shape: Shape, ordinal: u64, step: u64, draws: &mut Stream) -> Step {
    let key = Key(u32::try_from(draws.below(shape.keys)).expect("small"));
    if draws.below(2) == 0 { Step::Read(key) } else { Step::Append(key, 10 * ordinal + step) }
}

/// Another outcome of the same kind.
fn mutate(outcome: Outcome, draws: &mut Stream) -> Outcome {
    match outcome {
        Outcome::Value(Some(value)) => Outcome::Value(value.checked_sub(1 + draws.below(2))),
        Outcome::Value(None) => Outcome::Value(Some(draws.below(3))),
        Outcome::Done => Outcome::Rejected,
        Outcome::Rejected => Outcome::Done,
        Outcome::Values(values) => {
            let gone = draws.below(values.len() as u64 + 1);
            Outcome::Values(
                (0..).zip(values.iter()).filter(|(at, _)| *at != gone).map(|(_, value)| *value).collect(),
            )
        }
        Outcome::Ticket(ticket) => Outcome::Ticket(ticket + 1 - draws.below(3).min(ticket)),
        Outcome::Received { receipt, value, delivery } => {
            Outcome::Received { receipt, value: value.saturating_sub(1), delivery }
        }
        Outcome::Txn(steps) => Outcome::Txn(
            steps
                .iter()
                .map(|step| match step {
                    StepOutcome::List(values) => {
                        let len = usize::try_from(draws.below(values.len() as u64 + 1)).expect("small");
                        StepOutcome::List(values[..len].into())
                    }
                    StepOutcome::Appended => StepOutcome::Appended,
                })
                .collect(),
        ),
        other => other,
    }
}
