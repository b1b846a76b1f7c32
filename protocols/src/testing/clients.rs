//! Clients of a key-value store, and what they must have got.

use std::fmt::Display;

use sim_core::check::Answer;
use sim_core::check::history::{DEFAULT_BUDGET, for_service};
use sim_core::history::History;
use sim_core::random::{KeySource, Purpose};
use sim_core::service::{Key, Operation, Outcome, Service, kv};
use sim_core::{ClientId, Process, Span, World};

use super::Script;

/// A step of a script: an operation, so many milliseconds after the one before was completed.
pub(crate) fn op(wait: u64, operation: kv::Operation) -> (Span, Operation) {
    (Span::millis(wait), Operation::Kv(operation))
}

/// The register that [`counting`] clients count in, which no other client touches.
pub(crate) const COUNTER: Key = Key(9);

/// A client that counts with compare-and-set: an increment that took effect twice is rejected the
/// second time, and so is the next one after an increment that was lost.
pub(crate) fn counting(steps: u64) -> Script {
    let first = op(0, kv::Operation::Write(COUNTER, 0));
    let increment =
        |value| op(5, kv::Operation::CompareAndSet { key: COUNTER, expected: value, value: value + 1 });
    Script(std::iter::once(first).chain((0..steps).map(increment)).collect())
}

/// A client that writes values nobody else writes, and reads, under three keys.
pub(crate) fn mixed(client: u64, steps: u64) -> Script {
    let mut stream = KeySource::new(client).stream(Purpose::Workload, client, 0);
    let step = |ordinal| {
        let key = Key(u32::try_from(stream.below(3)).expect("small"));
        let wait = stream.below(10);
        match stream.below(2) {
            0 => op(wait, kv::Operation::Read(key)),
            _ => op(wait, kv::Operation::Write(key, client * 1_000_000 + ordinal)),
        }
    };
    Script((1..=steps).map(step).collect())
}

/// What all operations came to, in order of invocation.
pub(crate) fn outcomes<P: Process>(world: &World<P>) -> Vec<Outcome> {
    world.history().operations().into_iter().map(|operation| operation.outcome).collect()
}

/// What clients got is what one machine could have answered.
pub(crate) fn assert_linearizable(history: &History, what: impl Display) {
    for checker in for_service(Service::Kv) {
        let answer = checker.check(history, DEFAULT_BUDGET);
        assert_eq!(answer, Answer::Pass, "{what}: {}", checker.about().name);
    }
}

/// Everything was answered, and as [`assert_counted`] says.
pub(crate) fn assert_served<P: Process>(world: &World<P>, counting: Option<u32>, what: impl Display) {
    assert_eq!(world.history().open_count(), 0, "{what}: every operation is answered");
    assert_counted(world.history(), counting, &what);
}

/// What was answered is what one machine would have answered, and the client that counts, if there is one, was never
/// rejected.
pub(crate) fn assert_counted(history: &History, counting: Option<u32>, what: impl Display) {
    assert_linearizable(history, &what);
    let operations = history.operations();
    let counted = operations.iter().filter(|one| Some(one.op.client) == counting.map(ClientId::new));
    let failed: Vec<_> =
        counted.filter(|one| one.completed.is_some() && one.outcome != Outcome::Done).collect();
    assert!(failed.is_empty(), "{what}: {failed:?}");
}
