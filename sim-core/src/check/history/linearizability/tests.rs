use std::collections::BTreeSet;

use super::*;
use crate::check::history::spec::{Bond, Mutex, Text, Texts};
use crate::check::history::testing::{
    self, Shape, by_hand, draws, has_legal_order, history_of, is_earlier, random_history, read_during,
    write_during,
};
use crate::history::HistoryOperation;
use crate::service::kv::KvModel;
use crate::service::set::SetModel;
use crate::service::{Certainty, Key, Model, Operation, Outcome, Refusal, Value, kv, lock, queue, set};

const BUDGET: u64 = 1_000_000;

/// The brute-force twin: all orders that time allows, judged by the model of the whole service.
fn is_linearizable<M: Model>(model: &M, operations: &[HistoryOperation]) -> bool {
    has_legal_order(model, operations, &is_earlier)
}

/// Compares a checker with its twin, and the evidence against each bad history with the twin again.
fn agrees<S: Spec, M: Model>(checker: &Linearizability<S>, model: &M, shape: Shape) {
    testing::agrees(
        shape,
        |history| checker.judge(history, BUDGET),
        |operations| is_linearizable(model, operations),
        |evidence| {
            assert!(evidence.is_minimal && !evidence.stuck.is_empty());
            assert!(!is_linearizable(model, &evidence.minimal), "called illegal, and legal: {evidence}");
        },
    );
}

/// So many clients: more would have too many orders.
const CLIENTS: u32 = 4;

fn agrees_on_all<S: Spec, M: Model>(checker: &Linearizability<S>, model: &M, service: Service) {
    for shape in Shape::all(service, CLIENTS) {
        agrees(checker, model, shape);
    }
}

#[test]
fn registers_agree_with_all_orders() {
    agrees_on_all(&super::kv(), &KvModel, Service::Kv);
    agrees(&super::kv(), &KvModel, Shape { one_exchange_in: 3, ..Shape::unique(Service::Kv, CLIENTS) });
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

// ----- points -----

/// In the order of the points, every history that passes is legal for one copy of the object, each operation at a moment
/// between its ends. Objects are looked at one by one: points of two may coincide.
fn points_are_in_a_legal_order<S: Spec + Send + Sync, M: Model>(
    checker: &Linearizability<S>,
    model: &M,
    shape: Shape,
) {
    let mut placed_count = 0;
    for index in 0..2_000 {
        let history = random_history(shape, &mut draws(index));
        let points = checker.points(&history, BUDGET);
        let is_pass = checker.judge(&history, BUDGET) == Judgement::Pass;
        assert_eq!(points.is_some(), is_pass, "history {index}");
        let Some(points) = points else { continue };
        let mut operations = history.operations();
        // What happened certainly must have a point; what may have happened has one if it is needed.
        operations.retain(|operation| {
            let must_have = operation.outcome.certainty() == Certainty::Happened;
            assert!(!must_have || points.contains_key(&operation.op), "{} of history {index}", operation.op);
            points.contains_key(&operation.op)
        });
        for operation in &mut operations {
            let point = points[&operation.op];
            let end = operation.completed.filter(|_| operation.outcome.certainty() == Certainty::Happened);
            assert!(operation.invoked <= point && end.is_none_or(|end| point <= end), "history {index}");
            // At its point and nowhere else.
            (operation.invoked, operation.completed) = (point, end.map(|_| point));
        }
        placed_count += operations.len();
        assert!(is_linearizable(model, &operations), "history {index}: {operations:?}");
    }
    assert!(placed_count > 1_000, "{placed_count} operations had points");
}

#[test]
fn points_of_legal_histories_are_in_a_legal_order() {
    for shape in Shape::all(Service::Kv, CLIENTS) {
        points_are_in_a_legal_order(&super::kv(), &KvModel, shape);
    }
    points_are_in_a_legal_order(&super::set(), &SetModel, Shape::repeating(Service::Set, CLIENTS));
    let (expiry, service) = (Expiry::Possible, Service::Queue);
    points_are_in_a_legal_order(
        &super::queue(expiry),
        &QueueModel { expiry },
        Shape::repeating(service, CLIENTS),
    );
    points_are_in_a_legal_order(
        &super::lock(expiry),
        &LockModel { expiry },
        Shape::repeating(Service::Lock, CLIENTS),
    );
}

// ----- evidence -----

/// What evidence may leave out: from a legal history, anything that bonds allow leaves a legal one.
fn leaving_out_is_sound<S: Spec>(spec: &S, shape: Shape) {
    let mut scratch = Scratch::new();
    for index in 0..3_000 {
        let history = random_history(shape, &mut draws(index));
        let record = Record::new(&history);
        for part in part::split(spec, &record) {
            let mut is_legal = |part: &Part<S::Call>| {
                Search::new(spec, &part.calls, &part.ends, &mut scratch).run(BUDGET) == Found::Legal
            };
            if !is_legal(&part) {
                continue;
            }
            for call in 0..part.calls.len() {
                let is_kept: Vec<bool> = (0..part.calls.len())
                    .map(|other| other != call || !spec.is_pure(&part.calls[call]))
                    .collect();
                assert!(is_legal(&part.keep(&is_kept, Clone::clone)), "history {index} without call {call}");
            }
            let is_kept: Vec<bool> = part.calls.iter().map(|call| !spec.bonds(call).is_negative).collect();
            let part = part.keep(&is_kept, Clone::clone);
            for group in shrink::groups(part.calls.iter().map(|call| spec.bonds(call))) {
                let gone: BTreeSet<Bond> = group.into_iter().collect();
                let is_gone = |bond: &Option<Bond>| bond.is_some_and(|bond| gone.contains(&bond));
                let is_kept: Vec<bool> =
                    part.calls.iter().map(|call| !spec.bonds(call).all.iter().any(is_gone)).collect();
                let smaller = part::without(spec, &part, &gone, &is_kept);
                assert!(is_legal(&smaller), "history {index} without {gone:?}");
            }
        }
    }
}

#[test]
fn what_evidence_leaves_out_never_makes_a_legal_history_illegal() {
    for shape in Shape::all(Service::Kv, CLIENTS) {
        leaving_out_is_sound(&Register, shape);
    }
    leaving_out_is_sound(&GrowSet, Shape::repeating(Service::Set, CLIENTS));
    for expiry in [Expiry::Never, Expiry::Possible] {
        let queue = Modelled { model: QueueModel { expiry }, service: Service::Queue, expiry };
        leaving_out_is_sound(&queue, Shape::repeating(Service::Queue, CLIENTS));
        let lock = Modelled { model: LockModel { expiry }, service: Service::Lock, expiry };
        leaving_out_is_sound(&lock, Shape::repeating(Service::Lock, CLIENTS));
    }
}

fn evidence<S: Spec>(checker: &Linearizability<S>, operations: &[HistoryOperation]) -> Evidence {
    match checker.judge(&history_of(operations), BUDGET) {
        Judgement::Violation(evidence) => *evidence,
        other => panic!("not a violation: {other:?}"),
    }
}

fn passes<S: Spec>(checker: &Linearizability<S>, operations: &[HistoryOperation]) -> bool {
    checker.judge(&history_of(operations), BUDGET) == Judgement::Pass
}

#[test]
fn a_stale_read_is_shown_with_the_writes_that_make_it_stale() {
    let mut operations: Vec<HistoryOperation> = (0..100)
        .flat_map(|turn| {
            [
                write_during(1, 10 * turn..10 * turn + 4, 1, turn),
                read_during(2, 10 * turn + 5..10 * turn + 8, 1, Some(turn)),
            ]
        })
        .collect();
    operations.push(read_during(3, 995..998, 1, Some(3)));
    let evidence = evidence(&super::kv(), &operations);
    assert_eq!(evidence.part.as_deref(), Some("k1"));
    // Its read of 99 stays within its time, too.
    assert_eq!((evidence.prefix.len(), evidence.operation_count), (200, 201));
    assert_eq!(evidence.stuck, [read_during(3, 995..998, 1, Some(3))]);
    assert_eq!(evidence.minimal.len(), 3, "{evidence}");
    assert_eq!(evidence.minimal[2], read_during(3, 995..998, 1, Some(3)));
    let text = evidence.to_string();
    assert!(text.contains("c3#995  read k1 -> value 3  [995ms, 998ms]"), "{text}");
}

#[test]
fn a_set_is_shown_without_the_elements_that_do_not_matter() {
    let add = |client, at, value| {
        by_hand(client, at, at + 1, Operation::Set(set::Operation::Add(value)), Outcome::Done)
    };
    let read = |client, at, values: &[Value]| {
        by_hand(client, at, at + 1, Operation::Set(set::Operation::Read), Outcome::Values(values.into()))
    };
    let good = [add(1, 0, 1), add(1, 2, 2), add(1, 4, 3), read(2, 6, &[1, 2, 3])];
    assert!(passes(&super::set(), &good));
    let bad = [&good[..], &[read(2, 8, &[1, 3])]].concat();
    let evidence = evidence(&super::set(), &bad);
    assert_eq!(evidence.minimal, [add(1, 2, 2), read(2, 8, &[])], "{evidence}");
}

// ----- by hand -----

#[test]
fn overlapping_operations_may_take_effect_in_either_order() {
    assert!(passes(
        &super::kv(),
        &[write_during(1, 0..10, 1, 1), read_during(2, 2..4, 1, Some(1)), read_during(3, 5..9, 1, Some(1))]
    ));
    assert!(passes(
        &super::kv(),
        &[write_during(1, 0..10, 1, 1), read_during(2, 2..4, 1, None), read_during(3, 5..9, 1, Some(1))]
    ));
    assert!(!passes(
        &super::kv(),
        &[write_during(1, 0..10, 1, 1), read_during(2, 2..4, 1, Some(1)), read_during(3, 5..9, 1, None)]
    ));
}

#[test]
fn an_unknown_write_may_take_effect_late_or_never_but_only_once() {
    let unknown =
        HistoryOperation { outcome: Outcome::Unknown, completed: None, ..write_during(1, 0..1, 1, 7) };
    assert!(passes(
        &super::kv(),
        &[unknown.clone(), read_during(2, 2..3, 1, None), read_during(2, 50..51, 1, Some(7))]
    ));
    assert!(passes(&super::kv(), &[unknown.clone(), read_during(2, 2..3, 1, None)]));
    assert!(!passes(
        &super::kv(),
        &[
            unknown.clone(),
            read_during(2, 2..3, 1, Some(7)),
            write_during(2, 4..5, 1, 8),
            read_during(2, 6..7, 1, Some(7))
        ]
    ));
    assert!(
        !passes(
            &super::kv(),
            &[
                read_during(2, 2..3, 1, Some(7)),
                HistoryOperation { invoked: crate::SimTime::from_nanos(9_000_000), ..unknown }
            ]
        ),
        "not before it was asked"
    );
}

#[test]
fn a_refused_write_did_not_happen() {
    let refused =
        HistoryOperation { outcome: Outcome::Refused(Refusal::Overloaded), ..write_during(1, 0..1, 1, 7) };
    assert!(passes(&super::kv(), &[refused.clone(), read_during(2, 2..3, 1, None)]));
    assert!(!passes(&super::kv(), &[refused, read_during(2, 2..3, 1, Some(7))]));
}

#[test]
fn a_compare_and_set_succeeds_once() {
    let cas = |client, outcome| {
        let operation = kv::Operation::CompareAndSet { key: Key(1), expected: 1, value: 2 };
        by_hand(client, 5, 9, Operation::Kv(operation), outcome)
    };
    let written = write_during(1, 0..1, 1, 1);
    assert!(passes(&super::kv(), &[written.clone(), cas(2, Outcome::Done), cas(3, Outcome::Rejected)]));
    assert!(!passes(&super::kv(), &[written.clone(), cas(2, Outcome::Done), cas(3, Outcome::Done)]));
    assert!(!passes(&super::kv(), &[written, cas(2, Outcome::Rejected), cas(3, Outcome::Rejected)]));
}

#[test]
fn a_queue_is_first_in_first_out() {
    let enqueue =
        |at, value| by_hand(1, at, at + 1, Operation::Queue(queue::Operation::Enqueue(value)), Outcome::Done);
    let dequeue = |at, receipt, value| {
        let outcome = Outcome::Received { receipt, value, delivery: 1 };
        by_hand(2, at, at + 1, Operation::Queue(queue::Operation::Dequeue), outcome)
    };
    let checker = super::queue(Expiry::Never);
    let mut operations: Vec<_> = (0..20).map(|value| enqueue(2 * value, value)).collect();
    operations.extend((0..20).map(|value| dequeue(100 + 2 * value, value, value)));
    assert!(passes(&checker, &operations));
    operations[27] = dequeue(114, 7, 9);
    operations[29] = dequeue(118, 9, 7);
    let evidence = evidence(&checker, &operations);
    assert_eq!(evidence.minimal.len(), 3, "{evidence}");
}

#[test]
fn a_lock_has_one_holder() {
    let acquire = |client, at, token| {
        by_hand(client, at, at + 1, Operation::Lock(lock::Operation::Acquire), Outcome::Ticket(token))
    };
    let twice = [acquire(1, 0, 1), acquire(2, 5, 2)];
    assert!(!passes(&super::lock(Expiry::Never), &twice));
    assert!(passes(&super::lock(Expiry::Possible), &twice));
}

#[test]
fn a_mutex_is_held_by_one_and_released_when_held() {
    let checker = Linearizability::new(Mutex);
    let acquire = |client, at| {
        by_hand(client, at, at + 1, Operation::Lock(lock::Operation::Acquire), Outcome::Ticket(0))
    };
    let release = |client, at, outcome| {
        by_hand(client, at, at + 1, Operation::Lock(lock::Operation::Release { token: 0 }), outcome)
    };
    let free = release(1, 4, Outcome::Done);
    assert!(passes(&checker, &[acquire(1, 0), free.clone(), acquire(2, 8)]));
    assert!(!passes(&checker, &[acquire(1, 0), acquire(2, 8)]));
    assert!(!passes(&checker, &[acquire(1, 0), free.clone(), release(2, 8, Outcome::Done)]));
    assert!(passes(&checker, &[acquire(1, 0), free, release(2, 8, Outcome::Rejected)]));
    assert!(!passes(&checker, &[acquire(1, 0), release(2, 8, Outcome::Rejected)]));
}

#[test]
fn texts_grow_in_one_order() {
    let whole = |text: &str| Text::Whole(text.into());
    let texts = [
        (1, Text::Appended("a".into())),
        (2, Text::Appended("b".into())),
        (3, whole("ab")),
        (4, whole("ba")),
    ];
    let checker = Linearizability::new(Texts { texts: texts.into() });
    let both = [write_during(1, 0..5, 1, 1), write_during(2, 0..5, 1, 2)];
    for (seen, is_legal) in [(3, true), (4, true), (1, false)] {
        assert_eq!(passes(&checker, &[&both[..], &[read_during(3, 6..7, 1, Some(seen))]].concat()), is_legal);
    }
    let twice = [read_during(3, 6..7, 1, Some(3)), read_during(3, 8..9, 1, Some(4))];
    assert!(!passes(&checker, &[&both[..], &twice].concat()));
    assert!(passes(
        &checker,
        &[read_during(3, 6..7, 1, None), write_during(1, 8..9, 1, 3), read_during(3, 10..11, 1, Some(3))]
    ));
}

// ----- limits -----

/// Twenty writes at once, and reads of two values in turn meanwhile.
fn hard(client_values: impl Fn(u64) -> Value) -> History {
    let client = |index: u64| u32::try_from(index).expect("small") + 1;
    let mut operations: Vec<_> =
        (0..20).map(|index| write_during(client(index), 0..100, 1, client_values(index))).collect();
    operations.extend(
        [(50, 7), (52, 9), (54, 7), (56, 9), (58, 7)]
            .map(|(at, value)| read_during(30, at..at + 1, 1, Some(value))),
    );
    history_of(&operations)
}

#[test]
fn a_search_without_end_stops_at_its_budget() {
    // Two clients write each value, so that who read from whom is not known.
    let history = hard(|index| index % 10);
    assert!(matches!(super::kv().judge(&history, 10_000), Judgement::Inconclusive(_)));
    let answer = super::kv().check(&history, 10_000);
    assert!(matches!(&answer, Answer::Inconclusive(why) if why.contains("no answer for k1")), "{answer:?}");
}

/// Rounds in which five clients ask at once: a little more is put into a queue than taken out, so that it grows.
fn busy_queue(rounds: u64) -> Vec<HistoryOperation> {
    let mut draws = draws(3);
    let (mut waiting, mut next) = (std::collections::VecDeque::new(), 0);
    let mut operations = Vec::new();
    for round in 0..rounds {
        let mut clients = vec![1, 2, 3, 4, 5];
        while !clients.is_empty() {
            let client =
                clients.swap_remove(usize::try_from(draws.below(clients.len() as u64)).expect("five"));
            let (operation, outcome) = if draws.below(100) < 55 {
                next += 1;
                waiting.push_back(next);
                (queue::Operation::Enqueue(next), Outcome::Done)
            } else {
                let taken = waiting.pop_front();
                let received = |value| Outcome::Received { receipt: value, value, delivery: 1 };
                (queue::Operation::Dequeue, taken.map_or(Outcome::Value(None), received))
            };
            operations.push(by_hand(
                client,
                10 * round,
                10 * round + 9,
                Operation::Queue(operation),
                outcome,
            ));
        }
    }
    operations
}

#[test]
fn messages_that_come_out_much_later_say_in_which_order_they_went_in() {
    let history = history_of(&busy_queue(400));
    // Ten steps an operation; without the order of messages a tenth of this history takes millions.
    assert_eq!(super::queue(Expiry::Never).judge(&history, 20_000), Judgement::Pass);
}

#[test]
fn unique_values_are_decided_where_a_search_is_not() {
    let history = hard(|index| index);
    let Judgement::Violation(evidence) = super::kv().judge(&history, 10_000) else { panic!("a violation") };
    assert!(evidence.minimal.len() <= 5, "{evidence}");
}

#[test]
fn a_brief_answer_is_the_first_line_of_the_whole_one() {
    let brief = |answer: Answer| match answer {
        Answer::Violation(text) => Answer::Violation(text.lines().next().expect("evidence").to_owned()),
        other => other,
    };
    let mut violations = 0;
    for index in 0..2_000 {
        let history = random_history(Shape::repeating(Service::Kv, CLIENTS), &mut draws(index));
        let checker: &dyn HistoryChecker = &super::kv();
        let whole = checker.check(&history, BUDGET);
        violations += usize::from(matches!(whole, Answer::Violation(_)));
        assert_eq!(checker.check_briefly(&history, BUDGET), brief(whole), "history {index}");
    }
    assert!((500..1_900).contains(&violations), "{violations} violations");
    // Here a search runs out of steps, and the parts that contradict one another are judged by themselves.
    let history = hard(|index| index);
    let whole = super::kv().check(&history, 10_000);
    assert_eq!(super::kv().check_briefly(&history, 10_000), brief(whole));
}

#[test]
fn zones_agree_with_all_orders() {
    let mut scratch = Scratch::new();
    let mut counts = [0; 2];
    for index in 0..10_000 {
        let history = random_history(Shape::unique(Service::Kv, CLIENTS), &mut draws(index));
        let record = Record::new(&history);
        for part in part::split(&Register, &record) {
            let mut search = Search::new(&Register, &part.calls, &part.ends, &mut scratch);
            let is_legal = search.run(BUDGET) == Found::Legal;
            match zones::judge(&Register, &part) {
                Zones::Legal => assert!(is_legal, "history {index}: {:#?}", history.operations()),
                Zones::NotApplicable => continue,
                Zones::Illegal(values) => {
                    assert!(!is_legal, "history {index}, {values:?}: {:#?}", history.operations());
                    let small = part.only(&values, |call| Register.access(call));
                    let mut search = Search::new(&Register, &small.calls, &small.ends, &mut scratch);
                    assert!(search.run(BUDGET) != Found::Legal, "history {index}, {values:?}");
                }
            }
            counts[usize::from(is_legal)] += 1;
        }
    }
    assert!(counts.iter().all(|count| *count > 1_000), "bad and good parts: {counts:?}");
}

#[test]
fn long_histories_need_no_deep_stack() {
    let operations: Vec<_> = (0..50_000_u64)
        .flat_map(|turn| {
            [
                write_during(1, 10 * turn..10 * turn + 9, 1, turn),
                read_during(2, 10 * turn + 1..10 * turn + 12, 1, Some(turn)),
            ]
        })
        .collect();
    assert!(passes(&super::kv(), &operations));
}

#[test]
fn an_empty_history_is_legal() {
    assert!(passes(&super::kv(), &[]));
}
