//! The brute-force twin of every anomaly: the definitions applied to all transactions, and all circles tried.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::{Isolation, Transactions};
use crate::check::history::Judgement;
use crate::check::history::testing::{by_hand, draws, history_of, is_earlier};
use crate::history::{History, HistoryOperation};
use crate::random::Stream;
use crate::service::txn::{Step, StepOutcome};
use crate::service::{Certainty, Key, Operation, Outcome, Refusal, Value};

// ----- histories -----

/// A transaction before it is known what it read.
struct Draft {
    client: u32,
    time: (u64, u64),
    steps: Vec<Step>,
    outcome: Option<Outcome>,
}

const KEYS: [Key; 2] = [Key(0), Key(1)];

/// Up to six transactions of a store that has one order for each list, which often is not that of the transactions; a
/// read gets what came before it, or anything. One read in a few histories is garbled.
fn weak_history(draws: &mut Stream) -> History {
    let mut drafts: Vec<Draft> = (0..2 + draws.below(4)).map(|index| draft(index, draws)).collect();
    if draws.below(2) == 0 {
        let steps = KEYS.map(Step::Read).to_vec();
        drafts.push(Draft { client: 5, time: (0, 200), steps, outcome: None });
    }
    let orders = KEYS.map(|key| order(&drafts, key, draws));
    let garbled = draws.below(8 * drafts.len() as u64);
    let operations: Vec<HistoryOperation> = (0..)
        .zip(&drafts)
        .map(|(index, draft)| {
            let mut results = results(index, draft, &orders, draws);
            if index as u64 == garbled {
                garble(&mut results, draws);
            }
            let outcome = draft.outcome.clone().unwrap_or(Outcome::Txn(results.into()));
            let operation = Operation::Txn(draft.steps.clone().into());
            by_hand(draft.client, draft.time.0, draft.time.1, operation, outcome)
        })
        .collect();
    history_of(&operations)
}

fn draft(index: u64, draws: &mut Stream) -> Draft {
    let steps = (0..=draws.below(3)).map(|step| {
        let key = KEYS[usize::from(draws.below(2) == 0)];
        if draws.below(2) == 0 { Step::Read(key) } else { Step::Append(key, 10 * index + step) }
    });
    let steps = steps.collect();
    let start = 10 + 10 * index + draws.below(8);
    let outcome = match draws.below(12) {
        0 => Some(Outcome::Unknown),
        1 => Some(Outcome::Refused(Refusal::Aborted)),
        _ => None,
    };
    // A client goes on when it has its answer, so those that ask three times apart have one each.
    let client = if draws.below(2) == 0 { 1 } else { 2 + u32::try_from(index % 3).expect("small") };
    let end = if client == 1 { start + 1 } else { start + 1 + draws.below(18) };
    Draft { client, time: (start, end), steps, outcome }
}

/// What each transaction appends to a list, in the order of the list.
fn order(drafts: &[Draft], key: Key, draws: &mut Stream) -> Vec<(usize, Value)> {
    let mut blocks: Vec<(usize, Vec<Value>)> = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let values = draft.steps.iter().filter_map(|step| match step {
            Step::Append(other, value) if *other == key => Some(*value),
            Step::Append(..) | Step::Read(_) => None,
        });
        // Whether what did not end well took effect.
        if draft.outcome.is_none() || draws.below(2) == 0 {
            blocks.push((index, values.collect()));
        }
    }
    if draws.below(3) == 0 && !blocks.is_empty() {
        let [one, other] = [0; 2].map(|_| usize::try_from(draws.below(blocks.len() as u64)).expect("small"));
        blocks.swap(one, other);
    }
    blocks
        .into_iter()
        .flat_map(|(index, values)| values.into_iter().map(move |value| (index, value)))
        .collect()
}

fn results(
    index: usize,
    draft: &Draft,
    orders: &[Vec<(usize, Value)>; 2],
    draws: &mut Stream,
) -> Vec<StepOutcome> {
    let mut own: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
    let mut seen: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
    let step = |step: &Step| match *step {
        Step::Append(key, value) => {
            own.entry(key).or_default().push(value);
            StepOutcome::Appended
        }
        Step::Read(key) => {
            let own = own.get(&key).cloned().unwrap_or_default();
            let base = seen.entry(key).or_insert_with(|| {
                let order = &orders[key.0 as usize];
                let own_at = order.iter().position(|(txn, _)| *txn == index).unwrap_or(order.len());
                let before = order.iter().take_while(|(txn, _)| *txn < index).count().min(own_at);
                let len = match draws.below(8) {
                    _ if !own.is_empty() => own_at,
                    0..3 => usize::try_from(draws.below(own_at as u64 + 1)).expect("small"),
                    _ => before,
                };
                order[..len].iter().map(|(_, value)| *value).collect()
            });
            StepOutcome::List(base.iter().chain(&own).copied().collect())
        }
    };
    draft.steps.iter().map(step).collect()
}

/// A read of something else: twice, from nowhere, in another order, or without its end.
fn garble(results: &mut [StepOutcome], draws: &mut Stream) {
    let Some(StepOutcome::List(values)) = results.iter_mut().find(|it| matches!(it, StepOutcome::List(_)))
    else {
        return;
    };
    let mut list = values.to_vec();
    match draws.below(4) {
        0 => list.extend(values.first()),
        1 => list.push(99),
        2 => list.reverse(),
        _ => _ = list.pop(),
    }
    *values = list.into();
}

// ----- definitions -----

/// What shows by itself, without circles, and the lists.
#[derive(Default)]
struct Found {
    names: BTreeSet<&'static str>,
    /// For each list that was read: by whom, what, and how much of that was there before the reader's own appends.
    reads: BTreeMap<Key, Vec<(usize, Vec<Value>, usize)>>,
    is_contradictory: bool,
}

fn steps_of(operation: &HistoryOperation) -> &[Step] {
    if let Operation::Txn(steps) = &operation.operation { steps } else { &[] }
}

fn appends_of(operation: &HistoryOperation, key: Key) -> Vec<Value> {
    let appended = steps_of(operation).iter().filter_map(|step| match step {
        Step::Append(other, value) if *other == key => Some(*value),
        Step::Append(..) | Step::Read(_) => None,
    });
    appended.collect()
}

fn writer(all: &[HistoryOperation], key: Key, value: Value) -> Option<usize> {
    all.iter().position(|operation| appends_of(operation, key).contains(&value))
}

fn is_aborted(operation: &HistoryOperation) -> bool {
    operation.outcome.certainty() == Certainty::DidNotHappen
}

fn without_circles(all: &[HistoryOperation]) -> Found {
    let mut found = Found::default();
    for (index, operation) in all.iter().enumerate() {
        let Outcome::Txn(results) = &operation.outcome else { continue };
        let mut expected: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        let mut own: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        for (step, result) in steps_of(operation).iter().zip(results.iter()) {
            match (*step, result) {
                (Step::Append(key, value), _) => {
                    own.entry(key).or_default().push(value);
                    expected.entry(key).and_modify(|list| list.push(value));
                }
                (Step::Read(key), StepOutcome::List(list)) => {
                    let own = own.entry(key).or_default();
                    let fits = match expected.get(&key) {
                        Some(expected) => expected[..] == list[..],
                        None => list.ends_with(own),
                    };
                    if !fits {
                        found.names.insert("internal");
                    } else if let Entry::Vacant(unknown) = expected.entry(key) {
                        let before = list.len() - own.len();
                        found.reads.entry(key).or_default().push((index, list.to_vec(), before));
                        unknown.insert(list.to_vec());
                    }
                }
                (Step::Read(_), StepOutcome::Appended) => panic!("a read gives a list"),
            }
        }
    }
    for (key, reads) in &found.reads {
        for (reader, list, before) in reads {
            let mut names = Vec::new();
            let writers: Vec<Option<usize>> = list.iter().map(|value| writer(all, *key, *value)).collect();
            if writers.contains(&None) {
                names.push("garbage-read");
            }
            if list.iter().collect::<BTreeSet<_>>().len() < list.len() {
                names.push("duplicate-elements");
            }
            let is_prefix = |other: &Vec<Value>| list.starts_with(other) || other.starts_with(list);
            let is_own_order = |operation: &HistoryOperation| {
                let appended = appends_of(operation, *key);
                list.iter().filter(|value| appended.contains(value)).is_sorted()
            };
            if !reads.iter().all(|(_, other, _)| is_prefix(other)) || !all.iter().all(is_own_order) {
                names.push("incompatible-order");
            }
            found.is_contradictory |= !names.is_empty();
            if writers[..*before].iter().flatten().any(|writer| is_aborted(&all[*writer])) {
                names.push("G1a");
            }
            let last = list[..*before].last().zip(writers[..*before].last().copied().flatten());
            if last.is_some_and(|(last, by)| by != *reader && appends_of(&all[by], *key).last() != Some(last))
            {
                names.push("G1b");
            }
            found.names.extend(names);
        }
    }
    found
}

/// Why one transaction comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Because {
    Append,
    Read,
    Overwrite,
    Process,
    RealTime,
}

type Edges = BTreeMap<(usize, usize), BTreeSet<Because>>;

fn edges(all: &[HistoryOperation], found: &Found) -> Edges {
    let mut edges = Edges::new();
    let mut add = |before: usize, after: usize, because| {
        if before != after {
            edges.entry((before, after)).or_default().insert(because);
        }
    };
    let longest = |key: &Key| found.reads[key].iter().map(|(_, list, _)| list).max_by_key(|list| list.len());
    let is_seen = |txn: usize| {
        let lists = found.reads.keys().map(|key| (*key, longest(key).expect("a read")));
        lists.into_iter().any(|(key, list)| list.iter().any(|value| writer(all, key, *value) == Some(txn)))
    };
    for (key, reads) in &found.reads {
        let committed = |list: &[Value]| -> Vec<usize> {
            let writers = list.iter().map(|value| writer(all, *key, *value).expect("no garbage"));
            writers.filter(|writer| !is_aborted(&all[*writer])).collect()
        };
        let longest = longest(key).expect("a read");
        let order = committed(longest);
        let unread: Vec<usize> = (0..all.len())
            .filter(|txn| all[*txn].outcome.certainty() == Certainty::Happened || is_seen(*txn))
            .filter(|txn| !is_aborted(&all[*txn]))
            .filter(|txn| appends_of(&all[*txn], *key).iter().any(|value| !longest.contains(value)))
            .collect();
        order.windows(2).for_each(|pair| add(pair[0], pair[1], Because::Append));
        if let Some(last) = order.last() {
            for txn in &unread {
                add(*last, *txn, Because::Append);
            }
        }
        for (reader, _, before) in reads {
            committed(&longest[..*before])
                .last()
                .into_iter()
                .for_each(|last| add(*last, *reader, Because::Read));
            match committed(&longest[*before..]).first() {
                Some(next) => add(*reader, *next, Because::Overwrite),
                None => {
                    for next in &unread {
                        add(*reader, *next, Because::Overwrite);
                    }
                }
            }
        }
    }
    for (before, first) in all.iter().enumerate() {
        for (after, second) in all.iter().enumerate() {
            let is_known = first.outcome.certainty() == Certainty::Happened;
            if is_known && !is_aborted(second) && is_earlier(first, second) {
                add(before, after, Because::RealTime);
                if first.op.client == second.op.client {
                    add(before, after, Because::Process);
                }
            }
        }
    }
    edges
}

/// What a circle is made of: whether it has reads, how many overwrites up to two, and which other order.
type Made = (bool, u8, Option<Because>);

fn with((has_reads, overwrites, besides): Made, because: Because) -> Option<Made> {
    match because {
        Because::Append => Some((has_reads, overwrites, besides)),
        Because::Read => Some((true, overwrites, besides)),
        Because::Overwrite => Some((has_reads, (overwrites + 1).min(2), besides)),
        Because::Process | Because::RealTime => {
            besides.is_none_or(|other| other == because).then_some((has_reads, overwrites, Some(because)))
        }
    }
}

/// The length of the shortest circle of each kind, of all circles that there are.
fn shortest_circles(count: usize, edges: &Edges) -> BTreeMap<(u8, Option<Because>), usize> {
    fn walk(
        path: &mut Vec<usize>,
        made: &BTreeSet<Made>,
        (count, edges): (usize, &Edges),
        found: &mut BTreeMap<(u8, Option<Because>), usize>,
    ) {
        let last = path[path.len() - 1];
        for next in path[0]..count {
            let Some(reasons) = edges.get(&(last, next)) else { continue };
            let made: BTreeSet<Made> = made
                .iter()
                .flat_map(|made| reasons.iter().filter_map(|because| with(*made, *because)))
                .collect();
            if next == path[0] {
                for (has_reads, overwrites, besides) in made {
                    let kind = if overwrites == 0 { u8::from(has_reads) } else { 1 + overwrites };
                    let length = found.entry((kind, besides)).or_insert(path.len());
                    *length = path.len().min(*length);
                }
            } else if !path.contains(&next) {
                path.push(next);
                walk(path, &made, (count, edges), found);
                path.pop();
            }
        }
    }
    let mut found = BTreeMap::new();
    for start in 0..count {
        walk(&mut vec![start], &[(false, 0, None)].into(), (count, edges), &mut found);
    }
    found
}

const KINDS: [(&str, Isolation); 4] = [
    ("G0", Isolation::ReadUncommitted),
    ("G1c", Isolation::ReadCommitted),
    ("G-single", Isolation::SnapshotIsolation),
    ("G2-item", Isolation::Serializable),
];

/// All anomalies of a level: with the length of the shortest circle, or 0 where it is none.
fn anomalies(all: &[HistoryOperation], level: Isolation) -> BTreeMap<String, usize> {
    let found = without_circles(all);
    let is_forbidden = |name: &&&str| level >= Isolation::ReadCommitted || !["G1a", "G1b"].contains(name);
    let mut names: BTreeMap<String, usize> =
        found.names.iter().filter(is_forbidden).map(|name| ((*name).to_owned(), 0)).collect();
    if found.is_contradictory {
        return names;
    }
    let circles = shortest_circles(all.len(), &edges(all, &found));
    for ((name, from), kind) in KINDS.into_iter().zip(0..) {
        let variants = [
            (None, "", from),
            (Some(Because::Process), "-process", from.max(Isolation::StrongSessionSerializable)),
            (Some(Because::RealTime), "-realtime", Isolation::StrictSerializable),
        ];
        let mut there = variants.into_iter().filter(|(_, _, from)| *from <= level);
        let first = there.find_map(|(besides, ending, _)| Some((circles.get(&(kind, besides))?, ending)));
        names.extend(first.map(|(length, ending)| (format!("{name}{ending}"), *length)));
    }
    names
}

// ----- comparison -----

#[test]
fn every_anomaly_agrees_with_the_definitions_and_all_circles() {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for index in 0..10_000 {
        let history = weak_history(&mut draws(index));
        let all = history.operations();
        for level in Isolation::ALL {
            let twin = anomalies(&all, level);
            let found: BTreeMap<String, usize> = match Transactions::new(level).judge(&history, 1_000_000) {
                Judgement::Pass => BTreeMap::new(),
                Judgement::Violation(found) => {
                    found.0.into_iter().map(|anomaly| (anomaly.name, anomaly.links.len())).collect()
                }
                Judgement::Inconclusive(why) => panic!("history {index}: {why}"),
            };
            if without_circles(&all).is_contradictory {
                // Of lists that cannot be, one thing that is wrong is enough.
                assert!(found.keys().all(|name| twin.contains_key(name)), "{index}: {found:?}, {twin:?}");
                assert_eq!(found.is_empty(), twin.is_empty(), "history {index}: {all:#?}");
            } else {
                assert_eq!(found, twin, "history {index}, {level:?}: {all:#?}");
            }
            if found.is_empty() {
                *counts.entry(level.name().to_owned()).or_default() += 1;
            }
            if level == Isolation::StrictSerializable {
                for name in found.into_keys() {
                    *counts.entry(name).or_default() += 1;
                }
            }
        }
    }
    let all = 6 + 6 + 3 * KINDS.len();
    assert!(counts.len() == all && counts.values().all(|count| *count > 20), "of each: {counts:#?}");
}
