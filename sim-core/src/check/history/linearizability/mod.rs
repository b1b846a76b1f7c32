//! Linearizability: whether every operation can have taken effect at one moment between its two ends, so that all
//! together are legal for one copy of the object (Herlihy and Wing, 1990).
//!
//! ```text
//! history ─► parts, one an object ─► search for a legal order ─► pass
//!                                        │ none: the longest legal prefix, what is stuck after it,
//!                                        │       and the smallest part that is illegal still
//!                                        └ out of steps: inconclusive
//! ```
//!
//! - An operation of unknown outcome may take effect at any time after its invocation, also after the history has
//!   ended, or never. It is never the reason of a violation by itself.
//! - An operation that was refused did not happen.
//! - Where values are unique and there are only reads and writes, every history is decided: what the search cannot,
//!   [`zones`] can.
//! - The answer depends on the history and the budget alone.

mod evidence;
pub(super) mod hash;
pub(super) mod memo;
mod part;
mod points;
pub(super) mod search;
mod shrink;
#[cfg(test)]
mod tests;
mod zones;

pub use evidence::Evidence;

use std::collections::BTreeMap;

use self::part::Part;
use self::search::{Found, Scratch, Search};
use self::zones::Zones;
use super::recorded::Record;
use super::spec::{GrowSet, Modelled, Register, Spec};
use super::{About, Answer, Judgement};
use crate::check::HistoryChecker;
use crate::history::History;
use crate::service::lock::LockModel;
use crate::service::queue::QueueModel;
use crate::service::{Expiry, Service};
use crate::{OpId, SimTime};

/// What it says, for all services.
pub static ABOUT: About = About {
    name: "linearizability",
    statement: "every operation takes effect at one moment between its invocation and its completion",
    source: "Herlihy and Wing, 1990; the search is that of Wing and Gong, 1993, and Lowe, 2017",
    leaves_out: "an operation of unknown outcome may have happened or not; where the steps of the search run out, \
                 the answer is inconclusive",
};

/// Checks histories of one kind of object. See the [module documentation](self).
#[derive(Clone, Copy, Debug)]
pub struct Linearizability<S> {
    spec: S,
}

/// Whether the smallest part that is illegal is looked for: in a long history that takes most of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SmallestPart {
    Sought,
    LeftOut,
}

impl<S: Spec> Linearizability<S> {
    /// The checker for objects of this kind.
    pub const fn new(spec: S) -> Self {
        Self { spec }
    }

    /// Judges a history in about `budget` steps; making evidence small may take as many again.
    pub fn judge(&self, history: &History, budget: u64) -> Judgement<Evidence> {
        self.judge_with(history, budget, SmallestPart::Sought)
    }

    fn judge_with(&self, history: &History, budget: u64, smallest: SmallestPart) -> Judgement<Evidence> {
        let record = Record::new(history);
        let parts = part::split(&self.spec, &record);
        let mut scratch = Scratch::new();
        let mut steps = 0;
        let mut undecided = Vec::new();
        // A fair share each, so that one hard part leaves the others their answers; then what is left, in order.
        let share = budget / (parts.len() as u64).max(1);
        for part in &parts {
            match self.search(part, share, &mut steps, &mut scratch) {
                Found::Legal => {}
                Found::OutOfBudget => undecided.push(part),
                Found::Illegal { deepest } => {
                    return self.violation(&record, part, deepest, (budget, smallest), &mut scratch);
                }
            }
        }
        let mut still_undecided = Vec::new();
        for part in undecided {
            match zones::judge(&self.spec, part) {
                Zones::Legal => continue,
                Zones::Illegal(values) => {
                    // These clusters alone are illegal, and small enough for a search.
                    let small = part.only(&values, |call| self.spec.access(call));
                    return self.violation_of_part(&record, &small, (budget, smallest), &mut scratch);
                }
                Zones::NotApplicable => {}
            }
            match self.search(part, budget.saturating_sub(steps), &mut steps, &mut scratch) {
                Found::Legal => {}
                Found::OutOfBudget => still_undecided.push(part),
                Found::Illegal { deepest } => {
                    return self.violation(&record, part, deepest, (budget, smallest), &mut scratch);
                }
            }
        }
        if still_undecided.is_empty() {
            return Judgement::Pass;
        }
        Judgement::Inconclusive(self.say_undecided(&still_undecided, steps, budget))
    }

    /// Whether the steps suffice to see that it is.
    pub(super) fn is_linearizable(&self, history: &History, budget: u64) -> bool {
        let record = Record::new(history);
        let mut scratch = Scratch::new();
        let mut steps = 0;
        let mut is_legal = |part: &Part<S::Call>| {
            let left = budget.saturating_sub(steps);
            self.search(part, left, &mut steps, &mut scratch) == Found::Legal
        };
        part::split(&self.spec, &record).iter().all(&mut is_legal)
    }

    fn search(&self, part: &Part<S::Call>, budget: u64, steps: &mut u64, scratch: &mut Scratch) -> Found {
        let mut search = Search::new(&self.spec, &part.calls, &part.ends, scratch);
        let found = search.run(budget);
        *steps += search.steps();
        found
    }

    /// The evidence of a part that is known to be illegal, as far as the steps suffice.
    fn violation_of_part(
        &self,
        record: &Record<'_>,
        part: &Part<S::Call>,
        (budget, smallest): (u64, SmallestPart),
        scratch: &mut Scratch,
    ) -> Judgement<Evidence> {
        let mut search = Search::new(&self.spec, &part.calls, &part.ends, scratch);
        match search.run(budget) {
            Found::Illegal { deepest } => self.violation(record, part, deepest, (budget, smallest), scratch),
            Found::OutOfBudget => {
                Judgement::Inconclusive(self.say_undecided(&[part], search.steps(), budget))
            }
            Found::Legal => unreachable!("clusters whose zones contradict one another are illegal"),
        }
    }

    fn violation(
        &self,
        record: &Record<'_>,
        part: &Part<S::Call>,
        deepest: usize,
        (budget, smallest): (u64, SmallestPart),
        scratch: &mut Scratch,
    ) -> Judgement<Evidence> {
        let small = match smallest {
            SmallestPart::Sought => shrink::shrink(&self.spec, record, part, budget, scratch),
            SmallestPart::LeftOut => (part.clone(), false),
        };
        Judgement::Violation(Box::new(evidence::gather(&self.spec, record, part, deepest, small, scratch)))
    }

    fn say_undecided(&self, parts: &[&Part<S::Call>], steps: u64, budget: u64) -> String {
        let mut names: Vec<String> = parts.iter().filter_map(|part| self.spec.part_name(part.key)).collect();
        let rest = names.len().saturating_sub(5);
        names.truncate(5);
        if rest > 0 {
            names.push(format!("{rest} more"));
        }
        let of = if names.is_empty() { String::new() } else { format!(" for {}", names.join(", ")) };
        format!("no answer{of} after {steps} steps, with a budget of {budget}")
    }
}

impl<S: Spec + Send + Sync> HistoryChecker for Linearizability<S> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        self.judge(history, budget).into()
    }

    fn check_briefly(&self, history: &History, budget: u64) -> Answer {
        match Answer::from(self.judge_with(history, budget, SmallestPart::LeftOut)) {
            Answer::Violation(text) => Answer::Violation(text.lines().next().unwrap_or_default().to_owned()),
            answer @ (Answer::Pass | Answer::Inconclusive(_)) => answer,
        }
    }

    fn evidence(&self, history: &History, budget: u64) -> Option<Box<Evidence>> {
        match self.judge(history, budget) {
            Judgement::Violation(evidence) => Some(evidence),
            Judgement::Pass | Judgement::Inconclusive(_) => None,
        }
    }

    fn points(&self, history: &History, budget: u64) -> Option<BTreeMap<OpId, SimTime>> {
        points::find(&self.spec, history, budget)
    }
}

/// The queue; with [`Expiry::Possible`] a message that is held may come back at any time.
pub const fn queue(expiry: Expiry) -> Linearizability<Modelled<QueueModel>> {
    Linearizability::new(Modelled { model: QueueModel { expiry }, service: Service::Queue, expiry })
}

/// The lock; with [`Expiry::Possible`] it may become free at any time.
pub const fn lock(expiry: Expiry) -> Linearizability<Modelled<LockModel>> {
    Linearizability::new(Modelled { model: LockModel { expiry }, service: Service::Lock, expiry })
}

/// Registers under keys.
pub const fn kv() -> Linearizability<Register> {
    Linearizability::new(Register)
}

/// The set that grows.
pub const fn set() -> Linearizability<GrowSet> {
    Linearizability::new(GrowSet)
}
