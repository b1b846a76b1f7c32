//! A history taken apart: what belongs to one object, compiled.

use std::collections::{BTreeMap, BTreeSet};

use super::search::End;
use crate::check::history::recorded::Record;
use crate::check::history::spec::{Access, Bond, Spec};
use crate::service::Value;

/// The operations of one object, in order of invocation, and their ends in order of time.
#[derive(Clone, Debug)]
pub(super) struct Part<C> {
    /// Which object.
    pub(super) key: u64,
    pub(super) calls: Vec<C>,
    /// For each call its index in the record.
    pub(super) operations: Vec<u32>,
    pub(super) ends: Vec<End>,
}

impl<C: Clone> Part<C> {
    /// The part with some of its calls only, after `change`.
    pub(super) fn keep(&self, is_kept: &[bool], mut change: impl FnMut(&C) -> C) -> Self {
        let mut places = vec![0; self.calls.len()];
        let mut kept = Self { key: self.key, calls: Vec::new(), operations: Vec::new(), ends: Vec::new() };
        for (index, call) in self.calls.iter().enumerate().filter(|(index, _)| is_kept[*index]) {
            places[index] = u32::try_from(kept.calls.len()).expect("no more than there were");
            kept.calls.push(change(call));
            kept.operations.push(self.operations[index]);
        }
        let ends = self.ends.iter().filter(|end| is_kept[end.call as usize]);
        kept.ends = ends.map(|end| End { call: places[end.call as usize], ..*end }).collect();
        kept
    }

    /// The part with the reads and writes of some values only.
    pub(super) fn only(&self, values: &[Option<Value>], access: impl Fn(&C) -> Option<Access>) -> Self {
        let is_kept = self.calls.iter().map(|call| match access(call) {
            Some(Access::Read(value)) => values.contains(&value),
            Some(Access::Write(value)) => values.contains(&Some(value)),
            None => true,
        });
        self.keep(&is_kept.collect::<Vec<bool>>(), C::clone)
    }

    /// The part as it was after its first `len` ends: what had not completed is unknown.
    ///
    /// `recompile` gives the call as it is where its outcome is unknown, if it says anything then.
    pub(super) fn prefix(&self, len: usize, mut unknown: impl FnMut(u32) -> Option<C>) -> Self {
        let mut is_known = vec![false; self.calls.len()];
        let mut is_called = vec![false; self.calls.len()];
        for end in &self.ends[..len] {
            if end.is_return {
                is_known[end.call as usize] = true;
            } else {
                is_called[end.call as usize] = true;
            }
        }
        let mut calls = self.calls.clone();
        for (index, call) in calls.iter_mut().enumerate() {
            if is_called[index] && !is_known[index] {
                match unknown(self.operations[index]) {
                    Some(unknown) => *call = unknown,
                    None => is_called[index] = false,
                }
            }
        }
        let ends = self.ends[..len].to_vec();
        let all = Self { key: self.key, calls, operations: self.operations.clone(), ends };
        all.keep(&is_called, C::clone)
    }
}

/// The parts of a record, in order of their keys.
pub(super) fn split<S: Spec>(spec: &S, record: &Record<'_>) -> Vec<Part<S::Call>> {
    let mut parts: Vec<Part<S::Call>> = Vec::new();
    let mut places = Places::default();
    // For each operation its part and its index there.
    let mut homes: Vec<Option<(u32, u32)>> = vec![None; record.operations.len()];
    for (index, operation) in record.happened() {
        let Some(key) = spec.part(operation.operation) else { continue };
        let Some(call) = spec.compile(operation.operation, operation.outcome) else { continue };
        let next = u32::try_from(parts.len()).expect("fewer parts than operations");
        let place = places.get_or_insert(key, next);
        if place == next {
            parts.push(Part { key, calls: Vec::new(), operations: Vec::new(), ends: Vec::new() });
        }
        let part = &mut parts[place as usize];
        let at = u32::try_from(part.calls.len()).expect("fewer than there are operations");
        homes[index as usize] = Some((place, at));
        part.calls.push(call);
        part.operations.push(index);
    }
    for packed in &record.ends {
        if let Some((place, call)) = homes[(packed >> 1) as usize] {
            parts[place as usize].ends.push(End { call, is_return: packed & 1 == 1 });
        }
    }
    parts.sort_by_key(|part| part.key);
    parts
}

/// The place of each part; small keys are found at once.
#[derive(Default)]
struct Places {
    /// For each key its place, plus one.
    dense: Vec<u32>,
    others: BTreeMap<u64, u32>,
}

/// Keys below have a place in [`Places::dense`].
const KEYS_DENSE: u64 = 4_096;

impl Places {
    fn get_or_insert(&mut self, key: u64, next: u32) -> u32 {
        let Some(key_index) = usize::try_from(key).ok().filter(|_| key < KEYS_DENSE) else {
            return *self.others.entry(key).or_insert(next);
        };
        if key_index >= self.dense.len() {
            self.dense.resize(key_index + 1, 0);
        }
        let place = &mut self.dense[key_index];
        if *place == 0 {
            *place = next + 1;
        }
        *place - 1
    }
}

/// A part without everything that has one of these bonds.
pub(super) fn without<S: Spec>(
    spec: &S,
    part: &Part<S::Call>,
    gone: &BTreeSet<Bond>,
    is_kept: &[bool],
) -> Part<S::Call> {
    part.keep(is_kept, |call| spec.without(call, gone))
}
