//! From the history of a run to entries: the other direction of `build`, for other checkers, and for this one later.

use sim_core::ClientId;
use sim_core::history::{History, HistoryEvent, HistoryEventKind};
use sim_core::service::txn::{Step, StepOutcome};
use sim_core::service::{Key, Operation, Outcome, Value, kv, lock, queue, set};

use super::entry::{Entry, EntryType};
use super::item::{Item, Map};

/// The entries of a run, in its order: one for each operation that a client invoked, and one for each that ended. What
/// administrators ask is no operation of the service: it has a process with a name, as Jepsen's nemesis has.
pub(crate) fn entries_of(history: &History) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut asked = std::collections::BTreeMap::new();
    for event in history.events() {
        let operation = match &event.what {
            HistoryEventKind::Invoked(operation) => asked.entry(event.op).or_insert(operation),
            HistoryEventKind::Completed(_) => &asked[&event.op],
        };
        entries.push(entry(entries.len() + 1, event, operation));
    }
    entries
}

fn entry(line: usize, event: &HistoryEvent, operation: &Operation) -> Entry {
    let (function, key, asked) = call(operation);
    let (kind, value, error) = match &event.what {
        HistoryEventKind::Invoked(_) => (EntryType::Invoke, asked, None),
        HistoryEventKind::Completed(outcome) => end(operation, asked, outcome),
    };
    Entry {
        line,
        process: process(event.op.client, operation),
        kind,
        function: function.to_owned(),
        key: key.map(|key| Item::Int(key.0.into())),
        value,
        time: Some(event.at.as_nanos()),
        error,
    }
}

fn process(client: ClientId, operation: &Operation) -> Item {
    match operation.service() {
        Some(_) => Item::Int(client.raw().into()),
        None => word("admin"),
    }
}

/// The function, the key where it is apart, and the value at the invocation.
fn call(operation: &Operation) -> (&'static str, Option<Key>, Item) {
    match operation {
        Operation::Kv(operation) => {
            let (function, value) = match *operation {
                kv::Operation::Read(_) => ("read", Item::Nil),
                kv::Operation::Write(_, value) => ("write", number(value)),
                kv::Operation::CompareAndSet { expected, value, .. } => {
                    ("cas", Item::List(vec![number(expected), number(value)]))
                }
                kv::Operation::Delete(_) => ("delete", Item::Nil),
            };
            (function, Some(operation.key()), value)
        }
        Operation::Set(set::Operation::Add(value)) => ("add", None, number(*value)),
        Operation::Set(set::Operation::Read) => ("read", None, Item::Nil),
        Operation::Queue(queue::Operation::Enqueue(value)) => ("enqueue", None, number(*value)),
        Operation::Queue(queue::Operation::Dequeue) => ("dequeue", None, Item::Nil),
        Operation::Queue(queue::Operation::Acknowledge { receipt }) => {
            ("acknowledge", None, number(*receipt))
        }
        Operation::Queue(queue::Operation::Return { receipt }) => ("return", None, number(*receipt)),
        Operation::Queue(queue::Operation::Redrive) => ("redrive", None, Item::Nil),
        Operation::Lock(lock::Operation::Acquire) => ("acquire", None, Item::Nil),
        Operation::Lock(lock::Operation::Release { token }) => ("release", None, number(*token)),
        Operation::Txn(steps) => ("txn", None, Item::List(steps.iter().map(|it| step(*it, None)).collect())),
        // These have no model here; others may have one.
        Operation::Echo(value) => ("echo", None, number(*value)),
        other => ("other", None, Item::Text(other.to_string())),
    }
}

/// How it ended, with what value and error.
fn end(operation: &Operation, asked: Item, outcome: &Outcome) -> (EntryType, Item, Option<Item>) {
    match outcome {
        Outcome::Unknown => (EntryType::Info, asked, Some(word("timeout"))),
        Outcome::Rejected => (EntryType::Fail, asked, Some(word("rejected"))),
        Outcome::Refused(refusal) => (EntryType::Fail, asked, Some(Item::Text(refusal.to_string()))),
        Outcome::Redirect(_) => (EntryType::Fail, asked, Some(word("redirected"))),
        Outcome::Done => (EntryType::Ok, asked, None),
        Outcome::Value(value) => (EntryType::Ok, value.map_or(Item::Nil, number), None),
        Outcome::Values(values) => (EntryType::Ok, numbers(values), None),
        Outcome::Ticket(ticket) => (EntryType::Ok, number(*ticket), None),
        Outcome::Received { receipt, value, delivery } => {
            let pairs = [("receipt", *receipt), ("value", *value), ("delivery", u64::from(*delivery))];
            let pairs = pairs.map(|(name, value)| (word(name), number(value))).to_vec();
            (EntryType::Ok, Item::Map(Map { line: 0, pairs }), None)
        }
        Outcome::Txn(results) => {
            let Operation::Txn(steps) = operation else { return (EntryType::Ok, asked, None) };
            let steps = steps.iter().zip(results.iter()).map(|(it, result)| step(*it, Some(result)));
            (EntryType::Ok, Item::List(steps.collect()), None)
        }
        Outcome::Members(_) | Outcome::Records(_) => (EntryType::Ok, Item::Text(outcome.to_string()), None),
    }
}

fn step(step: Step, result: Option<&StepOutcome>) -> Item {
    Item::List(match (step, result) {
        (Step::Append(key, value), _) => vec![word("append"), number(key.0.into()), number(value)],
        (Step::Read(key), Some(StepOutcome::List(values))) => {
            vec![word("r"), number(key.0.into()), numbers(values)]
        }
        (Step::Read(key), _) => vec![word("r"), number(key.0.into()), Item::Nil],
    })
}

fn word(name: &str) -> Item {
    Item::Word(name.to_owned())
}

fn number(value: Value) -> Item {
    Item::Int(value.into())
}

fn numbers(values: &[Value]) -> Item {
    Item::List(values.iter().map(|value| number(*value)).collect())
}

#[cfg(test)]
mod tests {
    use sim_core::history::HistoryOperation;
    use sim_core::service::Refusal;
    use sim_core::{OpId, SimTime};

    use super::super::{FailedCas, Form, Input, Model, build, entries, write};
    use super::*;

    /// Each of these in turn by a client of its own, and one more that never ends.
    fn history(operations: &[(Operation, Outcome)]) -> History {
        let mut history = History::new();
        let mut now = 0;
        for (client, (operation, outcome)) in (0..).zip(operations) {
            let op = OpId { client: ClientId::new(client), ordinal: 0 };
            history.invoke(SimTime::from_nanos(now + 1), op, operation.clone());
            history.complete(SimTime::from_nanos(now + 2), op, outcome.clone());
            now += 2;
        }
        let op = OpId { client: ClientId::new(99), ordinal: 0 };
        history.invoke(SimTime::from_nanos(now + 1), op, operations[0].0.clone());
        history
    }

    fn survives(model: Model, operations: &[(Operation, Outcome)]) {
        let history = history(operations);
        for form in [Form::Edn, Form::Jsonl] {
            let text = write(&entries_of(&history), form);
            let read = entries(&text, Input::Auto).expect("it was just written");
            let built = build(&read, model, FailedCas::Nothing).expect("a history");
            let parts =
                |it: &HistoryOperation| (it.operation.clone(), it.outcome.clone(), it.invoked, it.completed);
            let [before, after] =
                [&history, &built.history].map(|it| it.operations().iter().map(parts).collect::<Vec<_>>());
            assert_eq!(after, before, "{text}");
        }
    }

    #[test]
    fn a_history_of_a_run_is_the_same_after_being_written_and_read() {
        let key = Key(7);
        let kv = |operation, outcome| (Operation::Kv(operation), outcome);
        let cas = kv::Operation::CompareAndSet { key, expected: 1, value: 2 };
        survives(
            Model::Kv,
            &[
                kv(kv::Operation::Write(key, 1), Outcome::Done),
                kv(kv::Operation::Read(key), Outcome::Value(Some(1))),
                kv(kv::Operation::Read(key), Outcome::Value(None)),
                kv(cas, Outcome::Done),
                kv(cas, Outcome::Rejected),
                kv(cas, Outcome::Refused(Refusal::Aborted)),
                kv(kv::Operation::Delete(key), Outcome::Unknown),
            ],
        );
        let set = |operation, outcome| (Operation::Set(operation), outcome);
        survives(
            Model::Set,
            &[
                set(set::Operation::Add(3), Outcome::Done),
                set(set::Operation::Read, Outcome::Values([1, 3].into())),
            ],
        );
        let queue = |operation, outcome| (Operation::Queue(operation), outcome);
        survives(
            Model::Queue,
            &[
                queue(queue::Operation::Enqueue(3), Outcome::Done),
                queue(queue::Operation::Dequeue, Outcome::Received { receipt: 5, value: 3, delivery: 2 }),
                queue(queue::Operation::Dequeue, Outcome::Value(None)),
                queue(queue::Operation::Acknowledge { receipt: 5 }, Outcome::Rejected),
            ],
        );
        let lock = |operation, outcome| (Operation::Lock(operation), outcome);
        survives(
            Model::Lock,
            &[
                lock(lock::Operation::Acquire, Outcome::Ticket(4)),
                lock(lock::Operation::Acquire, Outcome::Rejected),
                lock(lock::Operation::Release { token: 4 }, Outcome::Done),
            ],
        );
        let steps = [Step::Append(key, 1), Step::Read(key)];
        let results = [StepOutcome::Appended, StepOutcome::List([1].into())];
        survives(Model::ListAppend, &[(Operation::Txn(steps.into()), Outcome::Txn(results.into()))]);
    }
}
