//! The search of Wing and Gong with the memo of Lowe, over a doubly linked list of calls and returns.
//!
//! ```text
//! list     call a   call b   return a   call c   return c   return b
//!          └────window────┘  the first return: a must be placed before it
//! ```
//!
//! An operation may be next if its call stands before the first return. Placing one takes its call and its return
//! out of the list; taking it back puts them in again at the same places. Where nothing in the window fits, the
//! last choice is taken back. A configuration (the set of placed operations, and the state) that was tried once
//! is not tried again.
//!
//! Three shortcuts keep the tree small, and none loses an answer:
//!
//! - An operation that never changes the state, and fits, is placed at once and for good. In any legal order that
//!   starts like this one it can be moved here: it is in the window, and nobody notices.
//! - Of operations of unknown outcome that are alike, the one called first is placed first. They can be exchanged
//!   in any legal order, because neither has a return.
//! - Where the object says that one call comes before another in every legal order ([`Spec::order`]), the other is not
//!   placed first.
//!
//! Sources: Wing and Gong, "Testing and Verifying Concurrent Objects", 1993; Lowe, "Testing for Linearizability",
//! 2017; the list is Porcupine's, the incremental hash is Zobrist's.

use std::collections::BTreeMap;

use super::hash::spread_call;
use super::memo::Memo;
use crate::check::history::spec::{CallSpan, Spec};
use crate::fingerprint::fingerprint;

/// No entry, and the sentinel before the first and after the last.
const NONE: u32 = 0;
const RETURN: u32 = 1 << 31;
const PURE: u32 = 1 << 30;
const INDEX: u32 = PURE - 1;

/// An operation's call or return in the list; 16 bytes.
#[derive(Clone, Copy, Debug)]
struct Entry {
    next: u32,
    prev: u32,
    /// The other end; [`NONE`] where the outcome is unknown, which has no return.
    mate: u32,
    /// The index of the operation, and two flags.
    call: u32,
}

impl Entry {
    const fn is_return(self) -> bool {
        self.call & RETURN != 0
    }

    const fn is_pure(self) -> bool {
        self.call & PURE != 0
    }

    const fn index(self) -> usize {
        (self.call & INDEX) as usize
    }
}

/// One end of an operation, in order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check::history) struct End {
    /// Which operation: an index of the slice of calls.
    pub(in crate::check::history) call: u32,
    /// Which end. An operation of unknown outcome has no return.
    pub(in crate::check::history) is_return: bool,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check::history) enum Found {
    /// A legal order.
    Legal,
    /// There is none; at most so many operations can be placed.
    Illegal {
        /// The length of the longest legal prefix.
        deepest: usize,
    },
    /// The steps ran out.
    OutOfBudget,
}

/// A placed operation, and how to take it back.
#[derive(Clone, Debug)]
enum Placed<S> {
    /// It could not matter, so it is not a choice.
    Pure(u32),
    /// A choice, and the state before it.
    Choice(u32, S),
}

/// The memory of searches, to be used again.
#[derive(Debug)]
pub(in crate::check::history) struct Scratch {
    entries: Vec<Entry>,
    memo: Memo,
}

impl Scratch {
    pub(in crate::check::history) fn new() -> Self {
        Self { entries: Vec::new(), memo: Memo::new() }
    }
}

/// One search for a legal order.
pub(in crate::check::history) struct Search<'a, S: Spec> {
    spec: &'a S,
    calls: &'a [S::Call],
    scratch: &'a mut Scratch,
    /// The hash of the set of placed operations.
    placed: u128,
    state: S::State,
    trail: Vec<Placed<S::State>>,
    /// Operations with a return that are not placed.
    open_count: usize,
    /// For an operation of unknown outcome: an earlier one that is like it. Empty where there is none.
    twins: Vec<Option<u32>>,
    /// For each operation those that must be placed first. Empty where nothing is known but time.
    first: Vec<Vec<u32>>,
    /// Empty where neither of the two needs it.
    is_placed: Vec<bool>,
    deepest: usize,
    /// Stop when so many are placed.
    goal: usize,
    steps: u64,
}

impl<'a, S: Spec> Search<'a, S> {
    /// A search that has not begun. `ends` is in order of time and names each of `calls` at most once a side.
    pub(in crate::check::history) fn new(
        spec: &'a S,
        calls: &'a [S::Call],
        ends: &[End],
        scratch: &'a mut Scratch,
    ) -> Self {
        assert!(calls.len() < INDEX as usize, "a part has fewer than 2^30 operations, not {}", calls.len());
        let open_count = link(spec, calls, ends, &mut scratch.entries);
        scratch.memo.reset(calls.len());
        let has_unknown = 2 * open_count < ends.len();
        let first = if S::HAS_ORDER { first(spec, calls, ends) } else { Vec::new() };
        let must_know = has_unknown || !first.is_empty();
        Self {
            twins: if has_unknown { twins(calls, ends, &scratch.entries) } else { Vec::new() },
            is_placed: if must_know { vec![false; calls.len()] } else { Vec::new() },
            first,
            state: spec.initial(),
            trail: Vec::with_capacity(calls.len()),
            placed: 0,
            deepest: 0,
            goal: usize::MAX,
            steps: 0,
            spec,
            calls,
            scratch,
            open_count,
        }
    }

    /// Looks for a legal order in about `budget` steps. A step is an operation tried in a state.
    pub(in crate::check::history) fn run(&mut self, budget: u64) -> Found {
        loop {
            if self.settle() {
                return Found::Legal;
            }
            self.deepest = self.deepest.max(self.trail.len());
            if self.trail.len() >= self.goal {
                return Found::Illegal { deepest: self.deepest };
            }
            if self.steps > budget {
                return Found::OutOfBudget;
            }
            let mut from = self.scratch.entries[0].next;
            while !self.choose(from) {
                match self.take_back() {
                    Some(next) => from = next,
                    None => return Found::Illegal { deepest: self.deepest },
                }
            }
        }
    }

    /// Runs to the first configuration with `goal` operations placed: the state there, what is placed in order,
    /// and what could be next.
    pub(in crate::check::history) fn run_to(mut self, goal: usize) -> (S::State, Vec<u32>, Vec<u32>) {
        self.goal = goal;
        let found = self.run(u64::MAX);
        assert!(found != Found::Legal, "a history that was illegal stays so");
        let (order, window) = (self.order(), self.window());
        let window = window.iter().map(|entry| self.scratch.entries[*entry as usize].call & INDEX).collect();
        (self.state, order, window)
    }

    /// The operations that are placed, in order: after [`Found::Legal`] a legal order of all that must be in one.
    pub(in crate::check::history) fn order(&self) -> Vec<u32> {
        let call = |placed: &Placed<S::State>| match placed {
            Placed::Pure(entry) | Placed::Choice(entry, _) => {
                self.scratch.entries[*entry as usize].call & INDEX
            }
        };
        self.trail.iter().map(call).collect()
    }

    /// How many steps were taken.
    pub(in crate::check::history) const fn steps(&self) -> u64 {
        self.steps
    }

    /// Places all operations that fit and cannot matter; whether no return is left then.
    fn settle(&mut self) -> bool {
        let mut at = self.scratch.entries[0].next;
        while self.open_count > 0 {
            let entry = self.scratch.entries[at as usize];
            if entry.is_return() {
                return false;
            }
            let mut next = entry.next;
            if entry.is_pure() {
                self.steps += 1;
                if self.spec.step(&self.state, &self.calls[entry.index()]).is_some() {
                    self.lift(at);
                    self.trail.push(Placed::Pure(at));
                    next = self.scratch.entries[entry.prev as usize].next;
                }
            }
            at = next;
        }
        true
    }

    /// Places the first operation from this entry on that may be next and leads to a new configuration.
    fn choose(&mut self, from: u32) -> bool {
        let mut at = from;
        loop {
            let entry = self.scratch.entries[at as usize];
            if at == NONE || entry.is_return() {
                return false;
            }
            if !entry.is_pure() && self.may_be_next(entry.index()) {
                self.steps += 1;
                if let Some(next) = self.spec.step(&self.state, &self.calls[entry.index()]) {
                    let placed = self.placed ^ spread_call(entry.call & INDEX);
                    if self.scratch.memo.insert(placed ^ self.spec.hash(&next)) {
                        let before = std::mem::replace(&mut self.state, next);
                        self.trail.push(Placed::Choice(at, before));
                        self.lift(at);
                        return true;
                    }
                }
            }
            at = entry.next;
        }
    }

    /// Takes back the last choice and all that followed; the entry after it, to go on from.
    fn take_back(&mut self) -> Option<u32> {
        while let Some(placed) = self.trail.pop() {
            match placed {
                Placed::Pure(entry) => self.unlift(entry),
                Placed::Choice(entry, before) => {
                    self.unlift(entry);
                    self.state = before;
                    return Some(self.scratch.entries[entry as usize].next);
                }
            }
        }
        None
    }

    /// The entries of all operations that may be next.
    fn window(&self) -> Vec<u32> {
        let mut window = Vec::new();
        let mut at = self.scratch.entries[0].next;
        while at != NONE && !self.scratch.entries[at as usize].is_return() {
            window.push(at);
            at = self.scratch.entries[at as usize].next;
        }
        window
    }

    /// Whether those are placed that must be before it: its twin, and what the object says.
    fn may_be_next(&self, call: usize) -> bool {
        let is_placed = |call: u32| self.is_placed[call as usize];
        self.twins.get(call).copied().flatten().is_none_or(is_placed)
            && self.first.get(call).is_none_or(|first| first.iter().all(|call| is_placed(*call)))
    }

    /// Takes both ends of an operation out of the list.
    #[inline]
    fn lift(&mut self, at: u32) {
        let entry = self.scratch.entries[at as usize];
        self.placed ^= spread_call(entry.call & INDEX);
        if let Some(is_placed) = self.is_placed.get_mut(entry.index()) {
            *is_placed = true;
        }
        self.unlink(at);
        if entry.mate != NONE {
            self.unlink(entry.mate);
            self.open_count -= 1;
        }
    }

    /// Puts both ends back, in the opposite order.
    #[inline]
    fn unlift(&mut self, at: u32) {
        let entry = self.scratch.entries[at as usize];
        self.placed ^= spread_call(entry.call & INDEX);
        if let Some(is_placed) = self.is_placed.get_mut(entry.index()) {
            *is_placed = false;
        }
        if entry.mate != NONE {
            self.relink(entry.mate);
            self.open_count += 1;
        }
        self.relink(at);
    }

    #[inline]
    fn unlink(&mut self, at: u32) {
        let Entry { next, prev, .. } = self.scratch.entries[at as usize];
        self.scratch.entries[prev as usize].next = next;
        self.scratch.entries[next as usize].prev = prev;
    }

    #[inline]
    fn relink(&mut self, at: u32) {
        let Entry { next, prev, .. } = self.scratch.entries[at as usize];
        self.scratch.entries[prev as usize].next = at;
        self.scratch.entries[next as usize].prev = at;
    }
}

/// Builds the list, with its sentinel at 0; how many operations have a return.
fn link<S: Spec>(spec: &S, calls: &[S::Call], ends: &[End], entries: &mut Vec<Entry>) -> usize {
    let len = u32::try_from(ends.len()).expect("a part has fewer than 2^31 ends");
    entries.clear();
    entries.push(Entry { next: 1 % (len + 1), prev: len, mate: NONE, call: 0 });
    let mut places = vec![NONE; calls.len()];
    let mut return_count = 0;
    for (at, end) in (1..).zip(ends) {
        let next = (at + 1) % (len + 1);
        let call = end.call as usize;
        let mut entry = Entry { next, prev: at - 1, mate: NONE, call: end.call };
        if end.is_return {
            let mate = places[call];
            assert!(mate != NONE, "a return follows its call");
            entries[mate as usize].mate = at;
            entry.mate = mate;
            entry.call |= RETURN;
            return_count += 1;
        } else {
            places[call] = at;
            entry.call |= if spec.is_pure(&calls[call]) { PURE } else { 0 };
        }
        entries.push(entry);
    }
    return_count
}

/// For each operation of unknown outcome the last one before it that is alike.
fn twins<C: serde::Serialize>(calls: &[C], ends: &[End], entries: &[Entry]) -> Vec<Option<u32>> {
    let mut last: BTreeMap<u64, u32> = BTreeMap::new();
    let mut twins = vec![None; calls.len()];
    for (end, entry) in ends.iter().zip(&entries[1..]) {
        if entry.mate == NONE {
            let call = end.call as usize;
            twins[call] = last.insert(fingerprint(&calls[call]), end.call);
        }
    }
    twins
}

/// For each operation those that come before it by what the object says; empty where it says nothing.
fn first<S: Spec>(spec: &S, calls: &[S::Call], ends: &[End]) -> Vec<Vec<u32>> {
    let mut spans = vec![CallSpan::default(); calls.len()];
    for (at, end) in (0..).zip(ends) {
        let span = &mut spans[end.call as usize];
        if end.is_return {
            span.end = Some(at);
        } else {
            span.start = at;
        }
    }
    let pairs = spec.order(calls, &spans);
    let mut first = if pairs.is_empty() { Vec::new() } else { vec![Vec::new(); calls.len()] };
    for (before, after) in pairs {
        first[after as usize].push(before);
    }
    first
}
