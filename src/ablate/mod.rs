//! What happens to failures when one kind of fault is left out.
//!
//! ```text
//! seed ─► run with all kinds ─┐
//!     ├─► run without `crash` ─┼─► who fails no longer, and who fails now
//!     └─► run without `cut` ───┘
//! ```
//!
//! A kind that is turned off ([`Generator::off`](sim_core::fault::Generator)) leaves the faults of all other kinds where
//! they were. So the run without it differs by these faults and by what follows from them: a failure that is no longer there
//! needs the kind. It may need several, each by itself; or none, where any of several will do.
//!
//! Seeds count in their order, however runs finish, and no run is kept but the first of each cause.

use std::collections::BTreeMap;

use crate::compare::Failing;
use crate::report::VerdictKind;
use crate::sweep::{InOrder, Row, Verdicts};

/// A kind of fault that may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What leaves it out, `path=value`.
    pub(crate) off: String,
}

/// What came of leaving out one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Without {
    /// Seeds by who failed: A is the run with all kinds, B that without this one.
    pub(crate) failing: Failing,
    /// How many failures are no longer there, or are others.
    pub(crate) needed: u64,
}

/// Failures with the same cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caused {
    pub(crate) count: u64,
    /// The first of these runs.
    pub(crate) first: Row,
    /// By kind, how many of them need it.
    pub(crate) needed: Vec<u64>,
    /// How many need no single kind.
    pub(crate) none: u64,
}

/// What came of leaving out each kind.
pub(crate) struct Ablation {
    /// How many runs a seed has: one with all kinds, and one without each.
    width: u64,
    waiting: InOrder<Row>,
    /// The runs of the seed whose turn it is.
    group: Vec<Row>,
    /// How many seeds are done.
    pub(crate) seeds: u64,
    /// Of all runs.
    pub(crate) verdicts: Verdicts,
    /// By kind.
    pub(crate) without: Vec<Without>,
    causes: BTreeMap<(VerdictKind, String), Caused>,
    pub(crate) events: u64,
    pub(crate) simulated_ns: u128,
}

impl Ablation {
    /// Of so many kinds.
    pub(crate) fn new(kinds: usize) -> Self {
        Self {
            width: kinds as u64 + 1,
            waiting: InOrder::new(),
            group: Vec::new(),
            seeds: 0,
            verdicts: Verdicts::default(),
            without: vec![Without::default(); kinds],
            causes: BTreeMap::new(),
            events: 0,
            simulated_ns: 0,
        }
    }

    /// Takes in a run that is done, in any order.
    pub(crate) fn put(&mut self, row: Row) {
        self.waiting.put(row.job, row);
        while let Some((_, row)) = self.waiting.next() {
            self.take(row);
        }
    }

    /// Nothing more comes: seeds that finished behind a run that did not count now.
    pub(crate) fn finish(&mut self) {
        for (_, row) in std::mem::replace(&mut self.waiting, InOrder::new()).rest() {
            self.take(row);
        }
    }

    /// Takes in a run, in order; a seed counts when all of its runs are there.
    fn take(&mut self, row: Row) {
        let seed = |row: &Row| row.job / self.width;
        if self.group.first().is_some_and(|first| seed(first) != seed(&row)) {
            self.group.clear();
        }
        self.group.push(row);
        if self.group.len() as u64 == self.width {
            let group = std::mem::take(&mut self.group);
            self.add(&group);
        }
    }

    fn add(&mut self, group: &[Row]) {
        let (with, rest) = group.split_first().expect("a seed has a run with all kinds");
        self.seeds += 1;
        for row in group {
            self.verdicts.add(row.verdict);
            self.events += row.events;
            self.simulated_ns += u128::from(row.simulated_ns);
        }
        let is_needed: Vec<bool> =
            rest.iter().map(|row| with.is_failure() && !fails_alike(with, row)).collect();
        for ((without, row), is_needed) in self.without.iter_mut().zip(rest).zip(&is_needed) {
            without.failing.add([with.is_failure(), row.is_failure()]);
            without.needed += u64::from(*is_needed);
        }
        if let Some(what) = with.cause() {
            self.add_cause(with, what, &is_needed);
        }
    }

    fn add_cause(&mut self, row: &Row, what: String, is_needed: &[bool]) {
        let new = || Caused { count: 0, first: row.clone(), needed: vec![0; is_needed.len()], none: 0 };
        let caused = self.causes.entry((row.verdict, what)).or_insert_with(new);
        caused.count += 1;
        caused.none += u64::from(!is_needed.contains(&true));
        for (count, is_needed) in caused.needed.iter_mut().zip(is_needed) {
            *count += u64::from(*is_needed);
        }
    }

    /// How many runs with all kinds failed.
    pub(crate) fn failures(&self) -> u64 {
        self.causes.values().map(|caused| caused.count).sum()
    }

    /// What failed with all kinds, the most frequent first.
    pub(crate) fn causes(&self) -> Vec<(VerdictKind, &str, &Caused)> {
        let causes = self.causes.iter().map(|((verdict, what), caused)| (*verdict, what.as_str(), caused));
        let mut causes: Vec<_> = causes.collect();
        causes.sort_by_key(|(_, _, caused)| std::cmp::Reverse(caused.count));
        causes
    }
}

/// Whether a run fails as the other does.
fn fails_alike(one: &Row, other: &Row) -> bool {
    (one.verdict, one.cause()) == (other.verdict, other.cause())
}

#[cfg(test)]
mod tests {
    use scenarios::{ProtocolTable, RunOptions};

    use super::*;
    use crate::sweep::Job;

    /// Rows of seeds with three runs each: `x` fails of one thing, `y` of another, `.` passes.
    fn ablation(seeds: &[&str], order: impl Fn(usize) -> usize) -> Ablation {
        let table = ProtocolTable::builtin();
        let text = r#"Scenario(format_version: 1, name: "it", protocol: Echo())"#;
        let loaded = scenarios::load("it.ron", text.as_bytes(), &[], &table).expect("it is valid");
        let letters: Vec<char> = seeds.iter().flat_map(|seed| seed.chars()).collect();
        let mut ablation = Ablation::new(2);
        for place in (0..letters.len()).map(order) {
            let job = Job { index: place as u64, loaded: &loaded, seed: 0, options: &RunOptions::PLAIN };
            let row = Row::of(&job, Err(letters[place].to_string()));
            let verdict = if letters[place] == '.' { VerdictKind::Pass } else { row.verdict };
            ablation.put(Row { verdict, ..row });
        }
        ablation
    }

    #[test]
    fn a_failure_needs_a_kind_without_which_it_is_gone_or_another() {
        // The first needs the first kind, the second both, the third none; the fourth fails only without the second kind.
        let ablation = ablation(&["x.x", "xy.", "xxx", "..x", "..."], |place| place);
        assert_eq!((ablation.seeds, ablation.failures()), (5, 3));
        let [one, two] = ablation.without[..] else { panic!("two kinds") };
        assert_eq!((one.needed, one.failing.only_a, one.failing.only_b, one.failing.both), (2, 1, 0, 2));
        assert_eq!((two.needed, two.failing.only_a, two.failing.only_b, two.failing.both), (1, 1, 1, 2));
        let causes = ablation.causes();
        let [(_, _, found)] = causes[..] else { panic!("one cause") };
        assert_eq!((found.count, &found.needed[..], found.none, found.first.job), (3, &[2, 1][..], 1, 0));
    }

    #[test]
    fn the_order_in_which_runs_finish_does_not_matter() {
        let seeds = ["x.x", "xy.", "xxx", "..x"];
        let (forth, back) = (ablation(&seeds, |place| place), ablation(&seeds, |place| 11 - place));
        assert_eq!((forth.seeds, &forth.without, forth.causes()), (back.seeds, &back.without, back.causes()));
    }

    #[test]
    fn a_seed_counts_when_all_of_its_runs_are_there() {
        // Run 4, of the second seed, is missing: what came behind it counts at the end.
        let mut ablation = ablation(&["x.x", "x"], |place| place);
        assert_eq!(ablation.seeds, 1);
        ablation.finish();
        assert_eq!((ablation.seeds, ablation.failures()), (1, 1));
    }
}
