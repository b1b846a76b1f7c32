//! What transactions say of the lists: who appended what, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use super::Isolation;
use crate::check::history::anomaly::Anomaly;
use crate::check::history::recorded::Record;
use crate::service::txn::{Step, StepOutcome};
use crate::service::{Certainty, Key, Operation, Outcome, Value};

/// Where a value was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Append {
    /// The transaction, by its index in the record.
    pub(super) txn: u32,
    /// The how-manieth step.
    pub(super) step: usize,
}

/// A list as a transaction found it, its own appends left out.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) txn: u32,
    pub(super) len: usize,
}

/// One list.
#[derive(Debug, Default)]
pub(super) struct List {
    /// The longest list that was read, and by whom.
    longest: Vec<Value>,
    longest_by: u32,
    /// The transactions behind its values.
    pub(super) order: Vec<Append>,
    pub(super) reads: Vec<Read>,
    /// What was certainly appended and is in no list that was read: it comes after all that is.
    pub(super) unread: Vec<Append>,
}

/// All lists, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) by_key: BTreeMap<Key, List>,
    appends: BTreeMap<(Key, Value), Append>,
    found: Vec<Finding>,
    /// G1a and G1b, which are not so bad.
    dirty: Vec<Finding>,
    is_contradictory: bool,
}

/// An anomaly that is no circle, from which level on it is one, and the transactions that show it.
#[derive(Clone, Debug)]
struct Finding {
    from: Isolation,
    name: &'static str,
    says: String,
    txns: Vec<u32>,
}

impl Lists {
    /// Goes through all transactions. An error says why nothing can be said.
    pub(super) fn read(record: &Record<'_>) -> Result<Self, String> {
        let mut lists = Self::default();
        lists.collect_appends(record)?;
        for (index, operation) in record.happened() {
            if let (Operation::Txn(steps), Outcome::Txn(results)) = (operation.operation, operation.outcome) {
                if !fits(steps, results) {
                    return Err(format!("the results of {} don't fit its steps", operation.op));
                }
                lists.read_txn(record, index, steps, results);
            }
        }
        lists.find_orders();
        lists.found.extend(std::mem::take(&mut lists.dirty));
        lists.find_unread(record);
        Ok(lists)
    }

    /// Whether some lists that were read cannot come from one order.
    pub(super) const fn is_contradictory(&self) -> bool {
        self.is_contradictory
    }

    /// What is wrong already, without circles: from which level on, and what. One of a kind.
    pub(super) fn anomalies(&self, record: &Record<'_>) -> Vec<(Isolation, Anomaly)> {
        let mut names = BTreeSet::new();
        let first = self.found.iter().filter(|finding| names.insert(finding.name));
        first
            .map(|finding| {
                let operations =
                    finding.txns.iter().map(|it| record.operations[*it as usize].owned()).collect();
                let (name, says) = (finding.name.to_owned(), finding.says.clone());
                (finding.from, Anomaly { name, says, operations, links: Vec::new() })
            })
            .collect()
    }

    fn find(&mut self, from: Isolation, name: &'static str, txns: &[u32], says: String) {
        self.found.push(Finding { from, name, says, txns: txns.to_vec() });
    }

    /// Appends of all transactions, aborted ones too.
    fn collect_appends(&mut self, record: &Record<'_>) -> Result<(), String> {
        for (txn, operation) in (0..).zip(&record.operations) {
            let Operation::Txn(steps) = operation.operation else { continue };
            for (step, what) in steps.iter().enumerate() {
                let Step::Append(key, value) = *what else { continue };
                if let Some(other) = self.appends.insert((key, value), Append { txn, step }) {
                    let other = record.operations[other.txn as usize].op;
                    return Err(format!("{other} and {} both append {value} to {key}", operation.op));
                }
            }
        }
        Ok(())
    }

    fn read_txn(&mut self, record: &Record<'_>, txn: u32, steps: &[Step], results: &[StepOutcome]) {
        // For each list what the transaction knows of it, and what it has appended itself.
        let mut known: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        let mut own: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        for (step, result) in steps.iter().zip(results) {
            match (*step, result) {
                (Step::Append(key, value), _) => {
                    own.entry(key).or_default().push(value);
                    if let Some(known) = known.get_mut(&key) {
                        known.push(value);
                    }
                }
                (Step::Read(key), StepOutcome::List(values)) => {
                    let own = own.get(&key).map_or(&[][..], Vec::as_slice);
                    match known.get(&key) {
                        Some(known) if known[..] == values[..] => {}
                        None if values.ends_with(own) => {
                            let before = values.len() - own.len();
                            self.find_dirty_read(record, txn, key, &values[..before]);
                            self.read_list(txn, key, values, before);
                            known.insert(key, values.to_vec());
                        }
                        _ => {
                            let says = format!("a read of {key} does not fit the steps before it");
                            self.find(Isolation::ReadUncommitted, "internal", &[txn], says);
                        }
                    }
                }
                (Step::Read(_), StepOutcome::Appended) => unreachable!("results fit their steps"),
            }
        }
    }

    fn read_list(&mut self, txn: u32, key: Key, values: &[Value], len: usize) {
        let list = self.by_key.entry(key).or_default();
        list.reads.push(Read { txn, len });
        let common = values.iter().zip(&list.longest).take_while(|(one, other)| one == other).count();
        if common < values.len().min(list.longest.len()) {
            let (other, longest_by) = (list.longest.clone(), list.longest_by);
            self.is_contradictory = true;
            let says =
                format!("{key} was read as {values:?} and as {other:?}, and neither grows into the other");
            self.find(Isolation::ReadUncommitted, "incompatible-order", &[longest_by, txn], says);
        } else if values.len() > list.longest.len() {
            list.longest = values.to_vec();
            list.longest_by = txn;
        }
    }

    /// From values to transactions.
    fn find_orders(&mut self) {
        for key in self.by_key.keys().copied().collect::<Vec<Key>>() {
            let list = &self.by_key[&key];
            let (longest, reader) = (list.longest.clone(), list.longest_by);
            let mut order: Vec<Append> = Vec::new();
            for value in &longest {
                let Some(append) = self.appends.get(&(key, *value)).copied() else {
                    self.is_contradictory = true;
                    let says = format!("{value} was read from {key}, and nobody appended it");
                    self.find(Isolation::ReadUncommitted, "garbage-read", &[reader], says);
                    break;
                };
                if order.contains(&append) {
                    self.is_contradictory = true;
                    let says = format!("{value} was read twice from {key}, and appended once");
                    self.find(Isolation::ReadUncommitted, "duplicate-elements", &[append.txn, reader], says);
                    break;
                }
                if order.iter().any(|other| other.txn == append.txn && other.step > append.step) {
                    self.is_contradictory = true;
                    let says = format!("{key} has what a transaction appended in another order than it did");
                    self.find(Isolation::ReadUncommitted, "incompatible-order", &[append.txn, reader], says);
                }
                order.push(append);
            }
            self.by_key.get_mut(&key).expect("a key of the map").order = order;
        }
    }

    /// G1a and G1b: a read of what was aborted, and of half of what a transaction appended.
    fn find_dirty_read(&mut self, record: &Record<'_>, txn: u32, key: Key, seen: &[Value]) {
        let append = |value: &Value| self.appends.get(&(key, *value)).copied();
        let is_aborted = |append: &Append| {
            record.operations[append.txn as usize].outcome.certainty() == Certainty::DidNotHappen
        };
        let aborted = seen.iter().filter_map(append).find(is_aborted);
        let last = seen.last().and_then(append).filter(|last| last.txn != txn);
        if let Some(append) = aborted {
            let says = format!("a read of {key} has what an aborted transaction appended");
            let txns = vec![append.txn, txn];
            self.dirty.push(Finding { from: Isolation::ReadCommitted, name: "G1a", says, txns });
        }
        if let Some(last) = last.filter(|last| appends_later(record, key, *last)) {
            let says = format!("a read of {key} has one append of a transaction and not its next");
            let txns = vec![last.txn, txn];
            self.dirty.push(Finding { from: Isolation::ReadCommitted, name: "G1b", says, txns });
        }
    }

    /// What certainly happened and was in no list that was read.
    fn find_unread(&mut self, record: &Record<'_>) {
        let seen: BTreeSet<u32> =
            self.by_key.values().flat_map(|list| &list.order).map(|append| append.txn).collect();
        for ((key, _), append) in &self.appends {
            let operation = &record.operations[append.txn as usize];
            let has_happened = operation.is_known() || seen.contains(&append.txn);
            let is_aborted = operation.outcome.certainty() == Certainty::DidNotHappen;
            if let Some(list) = self.by_key.get_mut(key)
                && has_happened
                && !is_aborted
                && !list.order.contains(append)
            {
                list.unread.push(*append);
            }
        }
    }
}

/// Whether each step has a result of its kind.
fn fits(steps: &[Step], results: &[StepOutcome]) -> bool {
    steps.len() == results.len()
        && steps
            .iter()
            .zip(results)
            .all(|(step, result)| step.is_read() == matches!(result, StepOutcome::List(_)))
}

/// Whether the transaction of an append has another one to the same list.
fn appends_later(record: &Record<'_>, key: Key, append: Append) -> bool {
    let Operation::Txn(steps) = record.operations[append.txn as usize].operation else { return false };
    let is_on_key = |step: &Step| matches!(step, Step::Append(other, _) if *other == key);
    steps[append.step + 1..].iter().any(is_on_key)
}
