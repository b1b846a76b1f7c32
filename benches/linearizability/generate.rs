//! Valid histories of registers, drawn from a fixed seed.

use std::collections::BTreeMap;

use sim_core::history::History;
use sim_core::random::{Distribution, KeySource, Purpose, Stream};
use sim_core::service::{Key, Operation, kv};
use sim_core::{ClientId, OpId, SimTime, Span};

const CLIENTS: u32 = 10;

/// An operation before the order of its moment is known.
struct Drawn {
    op: OpId,
    operation: kv::Operation,
    invoked: SimTime,
    effect: SimTime,
    completed: SimTime,
}

/// A history, and how many operations are in flight on average.
#[expect(clippy::cast_precision_loss, reason = "a mean for people")]
pub(super) fn history(operations: u32, think_ms: u32, keys: u32) -> (History, f64) {
    let mut drawn = draw(operations, think_ms, keys);
    drawn.sort_by_key(|operation| (operation.effect, operation.op));
    let mut registers = BTreeMap::new();
    let mut ends = Vec::new();
    for Drawn { op, operation, invoked, completed, .. } in &drawn {
        let (outcome, after) = operation.evaluate(registers.get(&operation.key()).copied());
        if let Some(value) = after {
            registers.insert(operation.key(), value);
        }
        ends.push((*invoked, *op, Err(Operation::Kv(*operation))));
        ends.push((*completed, *op, Ok(outcome)));
    }
    ends.sort_by_key(|(at, op, end)| (*at, end.is_ok(), *op));
    let mut history = History::new();
    for (at, op, end) in ends {
        match end {
            Err(operation) => history.invoke(at, op, operation),
            Ok(outcome) => history.complete(at, op, outcome),
        }
    }
    let busy: u64 = drawn.iter().map(|drawn| drawn.completed.since(drawn.invoked).as_nanos()).sum();
    let end = drawn.iter().map(|drawn| drawn.completed).max().unwrap_or(SimTime::ZERO);
    (history, busy as f64 / end.since(SimTime::ZERO).as_nanos() as f64)
}

fn draw(operations: u32, think_ms: u32, keys: u32) -> Vec<Drawn> {
    let mut random = Stream::new(KeySource::new(42).key(Purpose::Workload, 0, 0));
    let think = Distribution::exponential(Span::millis(u64::from(think_ms)));
    let mut free = [SimTime::ZERO; CLIENTS as usize];
    let mut drawn = Vec::new();
    for index in 0..operations {
        let client = index % CLIENTS;
        let pause = if think_ms == 0 { Span::ZERO } else { think.sample(random.next_u64()) };
        let invoked = free[client as usize] + pause + Span::nanos(1 + random.below(1_000));
        let length = random.span(Span::millis(1), Span::millis(10));
        let effect = invoked + Span::nanos(1 + random.below(length.as_nanos() - 1));
        let completed = invoked + length;
        free[client as usize] = completed;
        let key = Key(u32::try_from(random.below(u64::from(keys))).expect("keys are few"));
        let value = 1 + random.below(1_000);
        let operation =
            if random.below(2) == 0 { kv::Operation::Write(key, value) } else { kv::Operation::Read(key) };
        let op = OpId { client: ClientId::new(client), ordinal: index / CLIENTS };
        drawn.push(Drawn { op, operation, invoked, effect, completed });
    }
    drawn
}
