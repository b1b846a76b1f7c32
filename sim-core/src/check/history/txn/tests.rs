use super::*;
use crate::check::history::testing::{Shape, by_hand, draws, happened, history_of, random_history};
use crate::history::HistoryOperation;
use crate::service::txn::{Step, StepOutcome, TxnModel};
use crate::service::{Certainty, Key, Model, Operation, Outcome, Refusal, Service, Value};

const BUDGET: u64 = 1_000_000;

/// Whether one operation must come before another.
type MustPrecede = dyn Fn(&HistoryOperation, &HistoryOperation) -> bool;

/// The brute-force twin: all orders that `must_precede` allows, judged by the model.
fn is_serializable(
    state: &<TxnModel as Model>::State,
    all: &[HistoryOperation],
    must_precede: &MustPrecede,
    placed: &mut Vec<usize>,
) -> bool {
    let is_known = |operation: &HistoryOperation| operation.outcome.certainty() == Certainty::Happened;
    let rest: Vec<usize> = (0..all.len()).filter(|index| !placed.contains(index)).collect();
    if rest.iter().all(|index| !is_known(&all[*index])) {
        return true;
    }
    rest.iter().any(|index| {
        let next = &all[*index];
        if rest.iter().any(|other| is_known(&all[*other]) && must_precede(&all[*other], next)) {
            return false;
        }
        let Some(after) = TxnModel.step(state, &next.operation, &next.outcome) else { return false };
        placed.push(*index);
        let is_legal = is_serializable(&after, all, must_precede, placed);
        placed.pop();
        is_legal
    })
}

fn is_earlier(first: &HistoryOperation, second: &HistoryOperation) -> bool {
    first.completed.is_some_and(|completed| completed < second.invoked)
}

#[test]
fn the_serializable_levels_agree_with_all_orders() {
    let shape =
        Shape { service: Service::Txn, operations_max: 6, clients: 3, keys: 2, values: 0, one_unknown_in: 8 };
    let mut counts = [[0; 2]; 3];
    for index in 0..10_000 {
        let history = random_history(shape, &mut draws(index));
        let all = happened(&history);
        let levels: [(Isolation, &MustPrecede); 3] = [
            (Isolation::Serializable, &|_, _| false),
            (Isolation::StrongSessionSerializable, &|first, second| {
                is_earlier(first, second) && first.op.client == second.op.client
            }),
            (Isolation::StrictSerializable, &is_earlier),
        ];
        for (place, (level, must_precede)) in levels.into_iter().enumerate() {
            let twin = is_serializable(&TxnModel.initial(), &all, must_precede, &mut Vec::new());
            match Transactions::new(level).judge(&history, BUDGET) {
                Judgement::Pass => assert!(twin, "history {index}, {level:?}: {:#?}", history.operations()),
                Judgement::Violation(found) => {
                    assert!(!twin, "history {index}, {level:?}: {found}{:#?}", history.operations());
                }
                Judgement::Inconclusive(why) => panic!("history {index}: {why}"),
            }
            counts[place][usize::from(twin)] += 1;
        }
    }
    assert!(counts.iter().flatten().all(|count| *count > 400), "bad and good at each level: {counts:?}");
}

// ----- by hand -----

fn append(key: u32, value: Value) -> (Step, StepOutcome) {
    (Step::Append(Key(key), value), StepOutcome::Appended)
}

fn read(key: u32, values: &[Value]) -> (Step, StepOutcome) {
    (Step::Read(Key(key)), StepOutcome::List(values.into()))
}

fn txn(client: u32, at: u64, steps: &[(Step, StepOutcome)]) -> HistoryOperation {
    let outcome = Outcome::Txn(steps.iter().map(|(_, outcome)| outcome.clone()).collect());
    by_hand(client, at, at + 1, Operation::Txn(steps.iter().map(|(step, _)| *step).collect()), outcome)
}

/// All at once, so that only the lists say what came first.
fn at_once(txns: &[&[(Step, StepOutcome)]]) -> Vec<HistoryOperation> {
    (1..).zip(txns).map(|(client, steps)| txn(client, 0, steps)).collect()
}

fn names(operations: &[HistoryOperation], isolation: Isolation) -> Vec<String> {
    match Transactions::new(isolation).judge(&history_of(operations), BUDGET) {
        Judgement::Pass => Vec::new(),
        Judgement::Violation(found) => found.0.into_iter().map(|anomaly| anomaly.name).collect(),
        Judgement::Inconclusive(why) => panic!("{why}"),
    }
}

/// The anomaly is found at this level and all above, and at none below.
fn is_forbidden_from(operations: &[HistoryOperation], name: &str, from: Isolation) {
    for isolation in Isolation::ALL {
        let found = names(operations, isolation);
        assert_eq!(found.iter().any(|found| found == name), isolation >= from, "{isolation:?}: {found:?}");
    }
}

#[test]
fn writes_in_a_circle_are_g0() {
    let txns = at_once(&[
        &[append(1, 1), append(2, 1)],
        &[append(1, 2), append(2, 2)],
        &[read(1, &[1, 2]), read(2, &[2, 1])],
    ]);
    is_forbidden_from(&txns, "G0", Isolation::ReadUncommitted);
}

#[test]
fn information_in_a_circle_is_g1c() {
    let txns = at_once(&[&[append(1, 1), read(2, &[2])], &[append(2, 2), read(1, &[1])]]);
    is_forbidden_from(&txns, "G1c", Isolation::ReadCommitted);
}

#[test]
fn reading_from_two_moments_is_g_single() {
    let txns = at_once(&[&[append(1, 1), append(2, 1)], &[read(1, &[]), read(2, &[1])]]);
    is_forbidden_from(&txns, "G-single", Isolation::SnapshotIsolation);
}

#[test]
fn write_skew_is_g2_item() {
    let txns = at_once(&[
        &[read(1, &[]), append(2, 1)],
        &[read(2, &[]), append(1, 1)],
        &[read(1, &[1]), read(2, &[1])],
    ]);
    is_forbidden_from(&txns, "G2-item", Isolation::Serializable);
    assert_eq!(names(&txns, Isolation::StrictSerializable), ["G2-item"]);
}

#[test]
fn what_was_aborted_or_half_done_is_not_read() {
    let mut aborted = at_once(&[&[append(1, 1)], &[read(1, &[1])]]);
    aborted[0].outcome = Outcome::Refused(Refusal::Aborted);
    is_forbidden_from(&aborted, "G1a", Isolation::ReadCommitted);
    let half = at_once(&[&[append(1, 1), append(1, 2)], &[read(1, &[1])], &[read(1, &[1, 2])]]);
    is_forbidden_from(&half, "G1b", Isolation::ReadCommitted);
}

#[test]
fn lists_that_contradict_are_named() {
    let txns = at_once(&[&[append(1, 1)], &[append(1, 2)], &[read(1, &[1, 2])], &[read(1, &[2])]]);
    assert_eq!(names(&txns, Isolation::ReadUncommitted), ["incompatible-order"]);
    let garbage = at_once(&[&[append(1, 1)], &[read(1, &[7])]]);
    assert_eq!(names(&garbage, Isolation::ReadUncommitted), ["garbage-read"]);
    let twice = at_once(&[&[append(1, 1)], &[read(1, &[1, 1])]]);
    assert_eq!(names(&twice, Isolation::ReadUncommitted), ["duplicate-elements"]);
    let internal = at_once(&[&[append(1, 1), read(1, &[])]]);
    assert_eq!(names(&internal, Isolation::ReadUncommitted), ["internal"]);
}

#[test]
fn a_stale_read_breaks_only_the_orders_of_clients_and_clock() {
    let own = [txn(1, 0, &[append(1, 1)]), txn(1, 5, &[read(1, &[])]), txn(2, 9, &[read(1, &[1])])];
    is_forbidden_from(&own, "G-single-process", Isolation::StrongSessionSerializable);
    let others = [txn(1, 0, &[append(1, 1)]), txn(2, 5, &[read(1, &[])])];
    is_forbidden_from(&others, "G-single-realtime", Isolation::StrictSerializable);
}

#[test]
fn the_shortest_circle_is_shown_with_its_reasons() {
    let own = [txn(1, 0, &[append(1, 1)]), txn(2, 5, &[read(1, &[])])];
    let Judgement::Violation(found) =
        Transactions::new(Isolation::StrictSerializable).judge(&history_of(&own), BUDGET)
    else {
        panic!("a violation")
    };
    assert_eq!(found.0[0].links.len(), 2);
    let text = found.to_string();
    assert!(text.contains("it read k1 as it was before that appended (rw)"), "{text}");
    assert!(text.contains("it had completed before that was asked for (real time)"), "{text}");
}

#[test]
fn values_appended_twice_are_inconclusive() {
    let history = history_of(&at_once(&[&[append(1, 1)], &[append(1, 1)]]));
    let answer = Transactions::new(Isolation::Serializable).check(&history, BUDGET);
    assert!(
        matches!(&answer, Answer::Inconclusive(why) if why.contains("both append 1 to k1")),
        "{answer:?}"
    );
}

#[test]
fn a_thousand_good_transactions_pass() {
    let mut lists = [Vec::new(), Vec::new(), Vec::new()];
    let mut operations = Vec::new();
    for index in 0..1_000_u64 {
        let at = usize::try_from(index % 3).expect("small");
        let key = u32::try_from(at).expect("small");
        let before = read(key, &lists[at]);
        lists[at].push(index);
        operations.push(txn(
            u32::try_from(index % 10).expect("small") + 1,
            2 * index,
            &[before, append(key, index)],
        ));
    }
    assert!(names(&operations, Isolation::StrictSerializable).is_empty());
}
