//! A search over how far each client has come.
//!
//! An operation may be next if all that must come before it has happened. What never changes a state, and fits, is
//! taken at once and for good; of the others, one is chosen, those asked for first being tried first, and taken back
//! where nothing fits. A configuration (the set of what has happened, and the states) is tried once.

use std::collections::{BTreeMap, BTreeSet};

use super::saturate::Why;
use crate::check::history::anomaly::Order;
use crate::check::history::linearizability::hash::{spread, spread_call};
use crate::check::history::linearizability::memo::Memo;
use crate::check::history::recorded::Record;
use crate::check::history::registers::Accesses;
use crate::check::history::spec::Spec;

/// How a search ended.
#[derive(Debug)]
pub(super) enum Found {
    Legal,
    Illegal { furthest: Furthest },
    OutOfBudget,
}

/// The furthest that a search came.
#[derive(Clone, Debug, Default)]
pub(super) struct Furthest {
    /// How many operations had happened.
    pub(super) len: usize,
    /// What could be next, and does not fit.
    pub(super) next: Vec<u32>,
}

/// All operations with what must come before them.
pub(super) struct Program<C> {
    /// By index in the record; `None` for what says nothing or did not happen.
    calls: Vec<Option<C>>,
    /// Which object's.
    parts: Vec<u32>,
    part_count: usize,
    is_required: Vec<bool>,
    after: Vec<Vec<u32>>,
    /// For a write, how many read from it: it is not overwritten before all have. Empty where that is not known.
    readers: Vec<u32>,
    /// For a read, its write, plus one.
    sources: Vec<u32>,
}

impl<C: Clone> Program<C> {
    pub(super) fn new<S: Spec<Call = C>>(spec: &S, record: &Record<'_>) -> Self {
        let len = record.operations.len();
        let mut program = Self {
            calls: vec![None; len],
            parts: vec![0; len],
            part_count: 0,
            is_required: vec![false; len],
            after: vec![Vec::new(); len],
            readers: Vec::new(),
            sources: Vec::new(),
        };
        let mut parts = BTreeMap::new();
        for (index, operation) in record.happened() {
            let Some(key) = spec.part(operation.operation) else { continue };
            let Some(call) = spec.compile(operation.operation, operation.outcome) else { continue };
            let next = u32::try_from(parts.len()).expect("no more than operations");
            let at = index as usize;
            program.parts[at] = *parts.entry(key).or_insert(next);
            program.calls[at] = Some(call);
            program.is_required[at] = operation.is_known();
        }
        program.part_count = parts.len();
        for (before, after) in record.program_order() {
            program.after[before as usize].push(after);
        }
        program
    }

    /// Takes over what saturation has found: more that must come before, who reads from whom, and what of unknown
    /// outcome has happened.
    pub(super) fn follow(&mut self, record: &Record<'_>, accesses: &Accesses, order: &Order<Why>) {
        let ruled = order.after.iter().map(|all| all.iter().map(|(after, _)| *after).collect()).collect();
        let before = std::mem::replace(&mut self.after, ruled);
        // A write of unknown outcome that nobody read matters only where it may be why an exchange failed.
        let keeps_unseen = accesses.has_failed_exchanges();
        if keeps_unseen {
            for (after, all) in self.after.iter_mut().zip(before) {
                after.extend(all.into_iter().filter(|later| accesses.places[*later as usize].is_none()));
            }
        }
        self.readers = vec![0; record.operations.len()];
        self.sources = vec![0; record.operations.len()];
        for at in 0..record.operations.len() {
            match accesses.places[at] {
                None if keeps_unseen => {}
                None => self.calls[at] = None,
                Some(place) => {
                    self.is_required[at] = true;
                    if let Some(Some(write)) = accesses.all[place as usize].read {
                        self.readers[write as usize] += 1;
                        self.sources[at] = write + 1;
                    }
                }
            }
        }
    }

    /// How many operations there are.
    pub(super) fn len(&self) -> usize {
        self.calls.iter().flatten().count()
    }
}

/// An operation that has happened, and how to take it back.
struct Happened<S> {
    operation: u32,
    /// The state of its object before; `None` for what is no choice.
    before: Option<S>,
    /// The write that was overwritten, plus one.
    overwritten: u32,
}

/// One search.
pub(super) struct Search<'a, S: Spec> {
    spec: &'a S,
    program: &'a Program<S::Call>,
    states: Vec<S::State>,
    /// For each object the last write, plus one.
    current: Vec<u32>,
    readers_left: Vec<u32>,
    before_count: Vec<u32>,
    ready: BTreeSet<u32>,
    required_left: usize,
    trail: Vec<Happened<S::State>>,
    hash: u128,
    memo: Memo,
    steps: u64,
    furthest: Furthest,
}

impl<'a, S: Spec> Search<'a, S> {
    pub(super) fn new(spec: &'a S, program: &'a Program<S::Call>) -> Self {
        let parts = program.part_count;
        let mut before_count = vec![0; program.calls.len()];
        program.after.iter().flatten().for_each(|after| before_count[*after as usize] += 1);
        let mut search = Self {
            spec,
            program,
            states: vec![spec.initial(); parts],
            current: vec![0; parts],
            readers_left: program.readers.clone(),
            ready: BTreeSet::new(),
            required_left: program.is_required.iter().filter(|is_required| **is_required).count(),
            trail: Vec::new(),
            hash: 0,
            memo: Memo::new(),
            steps: 0,
            furthest: Furthest::default(),
            before_count,
        };
        let free: Vec<u32> =
            (0..).zip(&search.before_count).filter(|(_, count)| **count == 0).map(|(at, _)| at).collect();
        for at in free {
            search.make_ready(at);
        }
        search
    }

    pub(super) fn run(&mut self, budget: u64) -> Found {
        loop {
            self.settle();
            if self.required_left == 0 {
                return Found::Legal;
            }
            if self.trail.len() >= self.furthest.len {
                let next = self.ready.iter().copied().filter(|at| self.program.is_required[*at as usize]);
                self.furthest = Furthest { len: self.trail.len(), next: next.collect() };
            }
            if self.steps > budget {
                return Found::OutOfBudget;
            }
            let mut from = 0;
            while !self.choose(from) {
                match self.take_back() {
                    Some(last) => from = last + 1,
                    None => return Found::Illegal { furthest: std::mem::take(&mut self.furthest) },
                }
            }
        }
    }

    pub(super) const fn steps(&self) -> u64 {
        self.steps
    }

    /// Lets everything happen that fits and changes no state.
    fn settle(&mut self) {
        loop {
            let fits = self.ready.iter().copied().find(|at| {
                let call = self.call(*at);
                self.spec.is_pure(call) && self.spec.step(self.state(*at), call).is_some()
            });
            let Some(at) = fits else { return };
            self.steps += 1;
            self.happen(at, None);
        }
    }

    /// Lets the first happen, from this operation on, that fits and leads to a new configuration.
    fn choose(&mut self, from: u32) -> bool {
        let candidates: Vec<u32> = self.ready.range(from..).copied().collect();
        for at in candidates {
            let call = self.call(at);
            if self.spec.is_pure(call) || self.is_still_read(at) {
                continue;
            }
            self.steps += 1;
            let Some(next) = self.spec.step(self.state(at), call) else { continue };
            let part = self.part(at);
            let hash = self.hash
                ^ spread_call(at)
                ^ self.state_hash(part, self.state(at))
                ^ self.state_hash(part, &next);
            if self.memo.insert(hash) {
                self.hash ^= self.state_hash(part, self.state(at)) ^ self.state_hash(part, &next);
                let before = std::mem::replace(&mut self.states[part], next);
                self.happen(at, Some(before));
                return true;
            }
        }
        false
    }

    /// Whether somebody else has yet to read what this would overwrite.
    fn is_still_read(&self, at: u32) -> bool {
        let Some(current) = self.current[self.part(at)].checked_sub(1) else { return false };
        let own =
            u32::from(self.program.sources.get(at as usize).is_some_and(|source| *source == current + 1));
        self.readers_left.get(current as usize).is_some_and(|left| *left > own)
    }

    fn happen(&mut self, at: u32, before: Option<S::State>) {
        let part = self.part(at);
        let overwritten = self.current[part];
        if before.is_some() {
            self.current[part] = at + 1;
        }
        if let Some(source) = self.source(at) {
            self.readers_left[source] -= 1;
        }
        self.trail.push(Happened { operation: at, before, overwritten });
        self.hash ^= spread_call(at);
        self.ready.remove(&at);
        self.required_left -= usize::from(self.program.is_required[at as usize]);
        self.release(at);
    }

    /// Counts down what comes after; operations that say nothing happen on their own.
    fn release(&mut self, at: u32) {
        let program = self.program;
        for after in &program.after[at as usize] {
            self.before_count[*after as usize] -= 1;
            if self.before_count[*after as usize] == 0 {
                self.make_ready(*after);
            }
        }
    }

    fn make_ready(&mut self, at: u32) {
        if self.program.calls[at as usize].is_some() {
            self.ready.insert(at);
        }
    }

    /// Takes back the last choice and all that followed; which it was.
    fn take_back(&mut self) -> Option<u32> {
        while let Some(Happened { operation, before, overwritten }) = self.trail.pop() {
            let program = self.program;
            for after in &program.after[operation as usize] {
                self.before_count[*after as usize] += 1;
                self.ready.remove(after);
            }
            self.hash ^= spread_call(operation);
            self.ready.insert(operation);
            self.required_left += usize::from(program.is_required[operation as usize]);
            if let Some(source) = self.source(operation) {
                self.readers_left[source] += 1;
            }
            if let Some(before) = before {
                let part = self.part(operation);
                self.hash ^= self.state_hash(part, &before) ^ self.state_hash(part, &self.states[part]);
                self.states[part] = before;
                self.current[part] = overwritten;
                return Some(operation);
            }
        }
        None
    }

    fn state_hash(&self, part: usize, state: &S::State) -> u128 {
        self.spec.hash(state).wrapping_mul(spread(part as u64) | 1)
    }

    fn call(&self, at: u32) -> &'a S::Call {
        self.program.calls[at as usize].as_ref().expect("what is ready says something")
    }

    fn part(&self, at: u32) -> usize {
        self.program.parts[at as usize] as usize
    }

    fn state(&self, at: u32) -> &S::State {
        &self.states[self.part(at)]
    }

    fn source(&self, at: u32) -> Option<usize> {
        self.program
            .sources
            .get(at as usize)
            .and_then(|source| source.checked_sub(1))
            .map(|source| source as usize)
    }
}
