//! Brute-force twins: the definitions, tried out on every order.

use super::{Shape, draws, happened, random_history};
use crate::check::history::Judgement;
use crate::history::{History, HistoryOperation};
use crate::service::{Certainty, Model};

/// Whether one operation must come before another.
type MustPrecede<'a> = &'a dyn Fn(&HistoryOperation, &HistoryOperation) -> bool;

/// Whether some order of operations that happened or may have is legal for the model of the whole service. Only
/// orders that `must_precede` allows count; what may have happened may be left out.
pub(in crate::check::history) fn has_legal_order<M: Model>(
    model: &M,
    operations: &[HistoryOperation],
    must_precede: MustPrecede<'_>,
) -> bool {
    place(model, &model.initial(), operations, must_precede, &mut Vec::new())
}

fn place<M: Model>(
    model: &M,
    state: &M::State,
    operations: &[HistoryOperation],
    must_precede: MustPrecede<'_>,
    placed: &mut Vec<usize>,
) -> bool {
    let is_known = |index: &usize| operations[*index].outcome.certainty() == Certainty::Happened;
    let rest: Vec<usize> = (0..operations.len()).filter(|index| !placed.contains(index)).collect();
    if !rest.iter().any(is_known) {
        return true;
    }
    rest.iter().any(|index| {
        let next = &operations[*index];
        let mut known = rest.iter().filter(|other| is_known(other));
        if known.any(|other| must_precede(&operations[*other], next)) {
            return false;
        }
        let Some(after) = model.step(state, &next.operation, &next.outcome) else { return false };
        placed.push(*index);
        let is_legal = place(model, &after, operations, must_precede, placed);
        placed.pop();
        is_legal
    })
}

/// Whether the first had completed before the second was asked for.
pub(in crate::check::history) fn is_earlier(first: &HistoryOperation, second: &HistoryOperation) -> bool {
    first.completed.is_some_and(|completed| completed < second.invoked)
}

/// Compares a checker with its twin on 10,000 histories, and has `verify` look at the evidence against each bad one.
pub(in crate::check::history) fn agrees<E: std::fmt::Debug>(
    shape: Shape,
    judge: impl Fn(&History) -> Judgement<E>,
    twin: impl Fn(&[HistoryOperation]) -> bool,
    verify: impl Fn(&E),
) {
    let mut counts = [0, 0];
    for index in 0..10_000 {
        let history = random_history(shape, &mut draws(index));
        let is_good = twin(&happened(&history));
        match judge(&history) {
            Judgement::Pass => assert!(is_good, "history {index} is bad: {:#?}", history.operations()),
            Judgement::Inconclusive(why) => panic!("history {index}: {why}"),
            Judgement::Violation(evidence) => {
                assert!(!is_good, "history {index} is good: {evidence:#?}{:#?}", history.operations());
                verify(&evidence);
            }
        }
        counts[usize::from(is_good)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 1_000), "bad and good histories: {counts:?}");
}
