//! Making an illegal part small, by leaving out what it is illegal without.
//!
//! A smaller history proves something only if leaving out can never make a legal history illegal. Three ways are
//! such:
//!
//! | left out | why a legal order stays legal |
//! | --- | --- |
//! | everything after some moment | what had not completed by then becomes unknown |
//! | a pure call | nobody noticed it |
//! | all calls with the same [bonds](Bonds), once negative calls are gone | nobody who is left saw their effect |
//!
//! Each candidate is judged by the search itself; one that runs out of steps counts as legal, so it is not taken.
//! What results is minimal in this sense: without any further one of these, it is legal.

use std::collections::{BTreeMap, BTreeSet};

use super::part::{Part, without};
use super::search::{Found, Scratch, Search};
use crate::check::history::recorded::Record;
use crate::check::history::spec::{Bond, Bonds, Spec};
use crate::service::Outcome;

/// The smallest illegal part that was found, and whether it is minimal: if not, the steps ran out.
pub(super) fn shrink<S: Spec>(
    spec: &S,
    record: &Record<'_>,
    part: &Part<S::Call>,
    budget: u64,
    scratch: &mut Scratch,
) -> (Part<S::Call>, bool) {
    let mut shrinker = Shrinker { spec, scratch, left: budget, ran_out: false };
    let mut small = part.clone();
    loop {
        let before = small.calls.len();
        small = shrinker.shortest_prefix(record, &small);
        small = shrinker.drop_negatives(small);
        small = shrinker.drop_groups(small);
        small = shrinker.drop_pure(small);
        if small.calls.len() == before {
            break;
        }
    }
    (small, !shrinker.ran_out)
}

struct Shrinker<'a, S> {
    spec: &'a S,
    scratch: &'a mut Scratch,
    left: u64,
    ran_out: bool,
}

impl<S: Spec> Shrinker<'_, S> {
    fn is_illegal(&mut self, part: &Part<S::Call>) -> bool {
        let mut search = Search::new(self.spec, &part.calls, &part.ends, self.scratch);
        let found = search.run(self.left);
        self.left = self.left.saturating_sub(search.steps());
        self.ran_out |= found == Found::OutOfBudget;
        matches!(found, Found::Illegal { .. })
    }

    /// Prefixes of an illegal prefix's end are illegal from some length on: that length, by halving.
    fn shortest_prefix(&mut self, record: &Record<'_>, part: &Part<S::Call>) -> Part<S::Call> {
        let prefix = |len| {
            part.prefix(len, |operation| {
                self.spec.compile(record.operations[operation as usize].operation, &Outcome::Unknown)
            })
        };
        let (mut legal, mut illegal) = (0, part.ends.len());
        let mut found = part.clone();
        while illegal - legal > 1 {
            let middle = usize::midpoint(legal, illegal);
            let candidate = prefix(middle);
            let mut search = Search::new(self.spec, &candidate.calls, &candidate.ends, self.scratch);
            let answer = search.run(self.left);
            self.left = self.left.saturating_sub(search.steps());
            match answer {
                Found::Illegal { .. } => (illegal, found) = (middle, candidate),
                Found::Legal => legal = middle,
                Found::OutOfBudget => {
                    self.ran_out = true;
                    break;
                }
            }
        }
        found
    }

    /// Without all calls that saw that something was not so, if that is illegal still.
    fn drop_negatives(&mut self, part: Part<S::Call>) -> Part<S::Call> {
        let is_kept: Vec<bool> = part.calls.iter().map(|call| !self.spec.bonds(call).is_negative).collect();
        self.try_keeping(part, &is_kept, &BTreeSet::new()).unwrap_or_else(|part| part)
    }

    /// Without as many groups of bonds as possible.
    fn drop_groups(&mut self, mut part: Part<S::Call>) -> Part<S::Call> {
        if part.calls.iter().any(|call| self.spec.bonds(call).is_negative) {
            return part;
        }
        let mut groups = groups(part.calls.iter().map(|call| self.spec.bonds(call)));
        let mut size = groups.len().div_ceil(2);
        while size > 0 && !groups.is_empty() {
            let mut at = 0;
            while at < groups.len() {
                let end = (at + size).min(groups.len());
                let gone: BTreeSet<Bond> = groups[at..end].iter().flatten().copied().collect();
                let is_gone = |bond: &Option<Bond>| bond.is_some_and(|bond| gone.contains(&bond));
                let is_kept: Vec<bool> =
                    part.calls.iter().map(|call| !self.spec.bonds(call).all.iter().any(is_gone)).collect();
                match self.try_keeping(part, &is_kept, &gone) {
                    Ok(smaller) => {
                        part = smaller;
                        groups.drain(at..end);
                    }
                    Err(same) => {
                        part = same;
                        at = end;
                    }
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
        part
    }

    /// Without as many pure calls as possible.
    fn drop_pure(&mut self, mut part: Part<S::Call>) -> Part<S::Call> {
        let pure_of = |part: &Part<S::Call>, spec: &S| -> Vec<usize> {
            (0..part.calls.len()).filter(|index| spec.is_pure(&part.calls[*index])).collect()
        };
        let mut size = pure_of(&part, self.spec).len().div_ceil(2);
        while size > 0 {
            let mut from = 0;
            loop {
                let pure = pure_of(&part, self.spec);
                if from >= pure.len() {
                    break;
                }
                let chosen = &pure[from..(from + size).min(pure.len())];
                let mut is_kept = vec![true; part.calls.len()];
                for index in chosen {
                    is_kept[*index] = false;
                }
                match self.try_keeping(part, &is_kept, &BTreeSet::new()) {
                    Ok(smaller) => part = smaller,
                    Err(same) => {
                        part = same;
                        from += size;
                    }
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
        part
    }

    /// The smaller part if it is illegal, else the part as it was.
    fn try_keeping(
        &mut self,
        part: Part<S::Call>,
        is_kept: &[bool],
        gone: &BTreeSet<Bond>,
    ) -> Result<Part<S::Call>, Part<S::Call>> {
        if self.ran_out || (gone.is_empty() && is_kept.iter().all(|is_kept| *is_kept)) {
            return Err(part);
        }
        let smaller = without(self.spec, &part, gone, is_kept);
        if self.is_illegal(&smaller) { Ok(smaller) } else { Err(part) }
    }
}

/// The bonds, grouped by what calls tie together.
pub(super) fn groups(bonds: impl Iterator<Item = Bonds>) -> Vec<Vec<Bond>> {
    let mut parents: BTreeMap<Bond, Bond> = BTreeMap::new();
    for bonds in bonds {
        let mut tied = bonds.all.into_iter().flatten();
        let Some(first) = tied.next() else { continue };
        let first = root(&mut parents, first);
        if let Some(second) = tied.next() {
            let second = root(&mut parents, second);
            parents.insert(second, first);
        }
    }
    let all: Vec<Bond> = parents.keys().copied().collect();
    let mut groups: BTreeMap<Bond, Vec<Bond>> = BTreeMap::new();
    for bond in all {
        groups.entry(root(&mut parents, bond)).or_default().push(bond);
    }
    groups.into_values().collect()
}

/// The representative of a bond's group.
fn root(parents: &mut BTreeMap<Bond, Bond>, bond: Bond) -> Bond {
    let mut at = bond;
    loop {
        let parent = *parents.entry(at).or_insert(at);
        if parent == at {
            parents.insert(bond, at);
            return at;
        }
        at = parent;
    }
}
