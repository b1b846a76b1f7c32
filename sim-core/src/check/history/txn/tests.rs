use super::*;
use crate::check::history::testing::{
    Shape, by_hand, draws, happened, has_legal_order, history_of, is_earlier, random_history,
};
use crate::history::HistoryOperation;
use crate::service::txn::{Step, StepOutcome, TxnModel};
use crate::service::{Key, Operation, Outcome, Refusal, Service, Value};

const BUDGET: u64 = 1_000_000;

/// Whether one operation must come before another.
type MustPrecede = dyn Fn(&HistoryOperation, &HistoryOperation) -> bool;

#[test]
fn the_serializable_levels_agree_with_all_orders() {
    let shape = Shape {
        service: Service::Txn,
        operations_max: 6,
        clients: 3,
        keys: 2,
        values: 0,
        one_exchange_in: 0,
        one_unknown_in: 8,
    };
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
            let twin = has_legal_order(&TxnModel, &all, must_precede);
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

/// Two transactions in order, the first of which appends, and a third one at the same time as both that misses the
/// first and is missed by the second.
fn missed_by_turns(second_client: u32) -> [HistoryOperation; 3] {
    let missing = [(Step::Read(Key(1)), StepOutcome::List([].into())), append(2, 2)];
    let outcome = Outcome::Txn(missing.iter().map(|(_, outcome)| outcome.clone()).collect());
    let steps = missing.iter().map(|(step, _)| *step).collect();
    [
        by_hand(3, 0, 100, Operation::Txn(steps), outcome),
        txn(1, 10, &[append(1, 1)]),
        txn(second_client, 30, &[read(2, &[])]),
    ]
}

#[test]
fn several_that_miss_one_another_may_break_only_the_order_of_a_client_or_of_the_clock() {
    let own = missed_by_turns(1);
    is_forbidden_from(&own, "G2-item-process", Isolation::StrongSessionSerializable);
    assert_eq!(names(&own, Isolation::StrictSerializable), ["G2-item-process"]);
    let others = missed_by_turns(2);
    is_forbidden_from(&others, "G2-item-realtime", Isolation::StrictSerializable);
    assert_eq!(names(&others, Isolation::StrictSerializable), ["G2-item-realtime"]);
}

#[test]
fn an_aborted_transaction_is_on_no_circle() {
    // Both lists are read in different orders, but one of the two transactions was aborted.
    let mut txns = at_once(&[
        &[append(1, 1), append(2, 1)],
        &[append(1, 2), append(2, 2)],
        &[read(1, &[1, 2]), read(2, &[2, 1])],
    ]);
    txns[1].outcome = Outcome::Refused(Refusal::Aborted);
    assert_eq!(names(&txns, Isolation::StrictSerializable), ["G1a"]);
    assert!(names(&txns, Isolation::ReadUncommitted).is_empty());
}

#[test]
fn a_circle_goes_the_short_way_through_time() {
    // The first has completed before the third was asked for, whatever ran in between.
    let txns = [txn(1, 0, &[append(1, 1)]), txn(2, 5, &[append(2, 2)]), txn(3, 9, &[read(1, &[])])];
    let Judgement::Violation(found) =
        Transactions::new(Isolation::StrictSerializable).judge(&history_of(&txns), BUDGET)
    else {
        panic!("a violation")
    };
    assert_eq!(found.0[0].operations.len(), 2, "{found}");
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

/// Batches of transactions that run at once and append to one list each, after they have read two lists: lists with an
/// odd key as they were three batches ago. All of them together are in one component, in which circles of most kinds
/// are not to be found.
fn stale_reads(batches: u64) -> Vec<HistoryOperation> {
    const KEYS: u64 = 10;
    let mut draws = draws(7);
    let mut states: Vec<Vec<Vec<Value>>> = vec![vec![Vec::new(); 10]];
    let mut operations = Vec::new();
    for batch in 0..batches {
        let now = states.last().expect("there is one").clone();
        let old = states[states.len().saturating_sub(4)].clone();
        let mut next = now.clone();
        for client in 0..5_u32 {
            let value = batch * 5 + u64::from(client);
            let written = u64::from(client) * 2 + draws.below(2);
            let mut steps = Vec::new();
            for key in [draws.below(KEYS), draws.below(KEYS)] {
                let seen = if key % 2 == 1 { &old } else { &now };
                if key != written {
                    steps.push(read(
                        u32::try_from(key).expect("small"),
                        &seen[usize::try_from(key).expect("small")],
                    ));
                }
            }
            steps.push(append(u32::try_from(written).expect("small"), value));
            next[usize::try_from(written).expect("small")].push(value);
            operations.push(txn(client + 1, 2 * batch, &steps));
        }
        states.push(next);
    }
    operations
}

#[test]
fn kinds_that_cannot_be_there_are_not_looked_for() {
    let history = history_of(&stale_reads(200));
    let record = Record::new(&history);
    let lists = Lists::read(&record).expect("values are unique");
    let found = circles::find(&record, &lists, Isolation::StrictSerializable, 20_000);
    let names: Vec<&str> = found.anomalies.iter().map(|anomaly| anomaly.name.as_str()).collect();
    assert_eq!(names, ["G2-item", "G-single-process"]);
    assert_eq!(
        found.cut_short,
        Vec::<String>::new(),
        "20 steps for each of a thousand transactions are enough"
    );
}

#[test]
fn a_search_that_runs_out_of_steps_claims_nothing() {
    let circle = at_once(&[
        &[read(1, &[]), append(2, 2)],
        &[read(2, &[]), append(3, 3)],
        &[read(3, &[]), append(1, 1)],
        &[read(1, &[1]), read(2, &[2]), read(3, &[3])],
    ]);
    let judge = |budget| Transactions::new(Isolation::Serializable).judge(&history_of(&circle), budget);
    let Judgement::Inconclusive(why) = judge(1) else { panic!("one step is not enough") };
    assert!(why.ends_with("not all were looked for: G-single, G2-item took more than 1 steps"), "{why}");
    assert!(matches!(judge(100), Judgement::Violation(_)));
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
