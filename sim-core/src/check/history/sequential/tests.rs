use std::collections::BTreeSet;

use super::*;
use crate::check::history::anomaly::Order;
use crate::check::history::spec::Text;
use crate::check::history::testing::{
    self, Shape, by_hand, draws, has_legal_order, history_of, is_earlier, random_history, read, write,
};
use crate::history::HistoryOperation;
use crate::random::Stream;
use crate::service::kv::KvModel;
use crate::service::set::SetModel;
use crate::service::{Key, Model, Operation, Outcome, Value, kv as kv_service, lock};
use crate::{ClientId, OpId, SimTime};

const BUDGET: u64 = 1_000_000;

/// Compares a checker with its brute-force twin: all orders that the clients' own orders allow, judged by the model of
/// the service.
fn agrees<S: Spec + Clone, M: Model>(checker: &Sequential<S>, model: &M, shape: Shape) {
    let is_own = |first: &HistoryOperation, second: &HistoryOperation| first.op.client == second.op.client;
    testing::agrees(
        shape,
        |history| checker.judge(history, BUDGET),
        |operations| {
            has_legal_order(model, operations, &|first, second| {
                is_own(first, second) && is_earlier(first, second)
            })
        },
        |anomaly| assert!(!anomaly.operations.is_empty(), "there is evidence: {anomaly}"),
    );
}

/// So many clients: more would have too many orders.
const CLIENTS: u32 = 3;

fn agrees_on_all<S: Spec + Clone, M: Model>(checker: &Sequential<S>, model: &M, service: Service) {
    for shape in Shape::all(service, CLIENTS) {
        agrees(checker, model, shape);
    }
}

#[test]
fn registers_agree_with_all_orders() {
    agrees_on_all(&super::kv(), &KvModel, Service::Kv);
}

#[test]
fn two_clients_of_one_register_with_unique_values_agree_with_all_orders() {
    agrees(&super::kv(), &KvModel, Shape { keys: 1, ..Shape::unique(Service::Kv, 2) });
}

#[test]
fn exchanges_of_unique_values_agree_with_all_orders() {
    for keys in [1, 2] {
        let shape =
            Shape { keys, one_exchange_in: 3, one_unknown_in: 4, ..Shape::unique(Service::Kv, CLIENTS) };
        agrees(&super::kv(), &KvModel, shape);
    }
}

#[test]
fn an_unseen_write_of_unknown_outcome_may_be_why_an_exchange_failed() {
    let exchange = |client| {
        let operation = kv_service::Operation::CompareAndSet { key: Key(1), expected: 5, value: 6 };
        by_hand(client, 9, 10, Operation::Kv(operation), Outcome::Rejected)
    };
    let unknown = HistoryOperation { outcome: Outcome::Unknown, completed: None, ..write(2, 0, 1, 7) };
    // Not linearizable, so that the rules are asked: c4 reads 3 after c3 has read 5.
    let stale = [write(1, 0, 1, 3), write(1, 2, 1, 5), read(3, 4, 1, Some(5)), read(4, 6, 1, Some(3))];
    assert_eq!(judge(&[&stale[..], &[exchange(1), unknown]].concat()), Judgement::Pass);
    assert!(matches!(judge(&[&stale[..], &[exchange(1)]].concat()), Judgement::Violation(_)));
}

#[test]
fn sets_agree_with_all_orders() {
    agrees_on_all(&super::set(), &SetModel, Service::Set);
}

#[test]
fn queues_agree_with_all_orders() {
    for expiry in [Expiry::Never, Expiry::Possible] {
        agrees_on_all(&super::queue(expiry), &QueueModel { expiry }, Service::Queue);
    }
}

#[test]
fn locks_agree_with_all_orders() {
    for expiry in [Expiry::Never, Expiry::Possible] {
        agrees_on_all(&super::lock(expiry), &LockModel { expiry }, Service::Lock);
    }
}

// ----- by hand -----

fn judge(operations: &[HistoryOperation]) -> Judgement<Anomaly> {
    super::kv().judge(&history_of(operations), BUDGET)
}

#[test]
fn a_client_may_see_the_past_but_not_go_back() {
    assert_eq!(
        judge(&[write(1, 0, 1, 1), write(1, 2, 1, 2), read(2, 5, 1, Some(1)), read(2, 7, 1, Some(2))]),
        Judgement::Pass
    );
    let back = [write(1, 0, 1, 1), write(1, 2, 1, 2), read(2, 5, 1, Some(2)), read(2, 7, 1, Some(1))];
    let Judgement::Violation(anomaly) = judge(&back) else { panic!("a violation") };
    assert!(anomaly.links.len() >= 2, "{anomaly}");
    assert!(anomaly.to_string().contains("its client asked for it first"), "{anomaly}");
}

#[test]
fn two_registers_together_may_be_wrong_where_each_is_right() {
    // Store buffering: each client writes one key, then finds the other empty.
    let operations = [write(1, 0, 1, 1), read(1, 2, 2, None), write(2, 0, 2, 1), read(2, 2, 1, None)];
    assert!(matches!(judge(&operations), Judgement::Violation(_)));
    assert_eq!(judge(&operations[..3]), Judgement::Pass);
}

#[test]
fn a_mutex_is_held_by_one_whoever_asked_first() {
    let of =
        |client, at, operation, outcome| by_hand(client, at, at + 1, Operation::Lock(operation), outcome);
    let acquire = |client, at| of(client, at, lock::Operation::Acquire, Outcome::Done);
    let release = |client, at| of(client, at, lock::Operation::Release { token: 0 }, Outcome::Done);
    let judge = |operations: &[HistoryOperation]| super::mutex().judge(&history_of(operations), BUDGET);
    // c2 had it before c1 let it go: by the clock, and not by what each of them did.
    let late = [acquire(1, 0), acquire(2, 2), release(1, 4), release(2, 6)];
    assert_eq!(judge(&late), Judgement::Pass);
    assert!(!Linearizability::new(Mutex).is_linearizable(&history_of(&late), BUDGET));
    let Judgement::Violation(anomaly) = judge(&late[..2]) else { panic!("nobody lets it go") };
    assert_eq!(anomaly.operations.len(), 1, "one of the two cannot have it: {anomaly}");
}

#[test]
fn texts_may_be_read_as_they_were_but_never_shorter_than_before() {
    let stands_for =
        [(1, Text::Appended("a".into())), (2, Text::Appended("b".into())), (3, Text::Whole("a".into()))];
    let stands_for = stands_for.into_iter().chain([(4, Text::Whole("ab".into()))]).collect();
    let checker = super::texts(Texts { texts: stands_for });
    let judge = |reads: &[HistoryOperation]| {
        let writes = [write(1, 0, 1, 1), write(1, 2, 1, 2)];
        checker.judge(&history_of(&[&writes[..], reads].concat()), BUDGET)
    };
    assert_eq!(judge(&[read(2, 4, 1, Some(3)), read(2, 6, 1, Some(4))]), Judgement::Pass);
    assert!(matches!(judge(&[read(2, 4, 1, Some(4)), read(2, 6, 1, Some(3))]), Judgement::Violation(_)));
}

#[test]
fn a_value_out_of_thin_air_is_named() {
    let Judgement::Violation(anomaly) = judge(&[read(1, 0, 1, Some(9))]) else { panic!("a violation") };
    assert_eq!(anomaly.name, "thin-air-read");
}

// ----- size -----

/// Ten clients of registers that each have a copy of their own, which takes over the writes in order and late: not
/// linearizable, and sequentially consistent as long as a client waits for its own writes.
fn replicated(operations: u32, keys: u64, draws: &mut Stream) -> History {
    let mut log: Vec<(Key, Value)> = Vec::new();
    let mut seen = [0_usize; 10];
    let mut history = History::new();
    for index in 0..operations {
        let at = |offset: u64| SimTime::from_nanos(u64::from(index) * 10 + offset);
        let client = usize::try_from(draws.below(10)).expect("small");
        let op = OpId { client: ClientId::new(u32::try_from(client).expect("small")), ordinal: index };
        let key = Key(u32::try_from(draws.below(keys)).expect("small"));
        let behind = log.len() - seen[client];
        seen[client] += usize::try_from(draws.below(behind as u64 + 1)).expect("small");
        if draws.below(2) == 0 {
            log.push((key, u64::from(index)));
            seen[client] = log.len();
            history.invoke(at(0), op, Operation::Kv(kv_service::Operation::Write(key, u64::from(index))));
            history.complete(at(5), op, Outcome::Done);
        } else {
            let value =
                log[..seen[client]].iter().rev().find(|(other, _)| *other == key).map(|(_, value)| *value);
            history.invoke(at(0), op, Operation::Kv(kv_service::Operation::Read(key)));
            history.complete(at(5), op, Outcome::Value(value));
        }
    }
    history
}

#[test]
fn a_thousand_operations_of_ten_clients_are_decided() {
    for (index, keys) in (0..40).zip([1, 2, 5, 10].into_iter().cycle()) {
        let history = replicated(1_000, keys, &mut draws(index));
        assert!(
            !crate::check::history::linearizability::kv().is_linearizable(&history, BUDGET),
            "reads of the past"
        );
        assert_eq!(super::kv().judge(&history, BUDGET), Judgement::Pass, "history {index} with {keys} keys");
    }
}

#[test]
fn a_history_too_long_for_the_rules_is_inconclusive_within_its_budget() {
    let history = replicated(70_000, 3, &mut draws(0));
    let judgement = super::kv().judge(&history, 10_000);
    assert!(matches!(judgement, Judgement::Inconclusive(_)), "{judgement:?}");
}

#[test]
fn rules_that_are_left_early_say_nothing_wrong() {
    let shape = Shape { one_exchange_in: 3, ..Shape::unique(Service::Kv, CLIENTS) };
    let mut counts = [0; 2];
    for index in 0..2_000 {
        let history = random_history(shape, &mut draws(index));
        let record = Record::new(&history);
        let Ok(accesses) = Accesses::pair(&record) else { continue };
        let all = saturate::saturate(&record, &accesses, BUDGET);
        let (Ok(few), Ok(all)) = (saturate::saturate(&record, &accesses, 0), all) else { continue };
        let pairs = |order: &Order<saturate::Why>| -> BTreeSet<(usize, u32)> {
            let all = order.after.iter().enumerate();
            all.flat_map(|(before, after)| after.iter().map(move |(after, _)| (before, *after))).collect()
        };
        assert!(pairs(&few).is_subset(&pairs(&all)), "history {index}");
        counts[usize::from(pairs(&few) == pairs(&all))] += 1;
    }
    assert!(counts.iter().all(|count| *count > 50), "with and without more to find: {counts:?}");
}

#[test]
fn one_read_that_goes_back_among_a_thousand_operations_is_found() {
    for index in 0..20 {
        let history = replicated(1_000, 3, &mut draws(index));
        let mut operations = history.operations();
        let is_late_read = |operation: &HistoryOperation| {
            matches!(operation.operation, Operation::Kv(kv_service::Operation::Read(_)))
                && operation.op.ordinal > 900
        };
        let at = operations.iter().position(is_late_read).expect("half are reads");
        operations[at].outcome = Outcome::Value(None);
        let Judgement::Violation(anomaly) = judge(&operations) else {
            panic!("history {index}: a violation")
        };
        assert!(anomaly.links.len() >= 2 && anomaly.links.len() < 10, "{anomaly}");
    }
}
