//! Sooner and rounder: less waiting between entries, an earlier heal, and times with few digits.

use std::sync::Arc;

use sim_core::fault::{Entry, Moment, Trigger};
use sim_core::{SimTime, Span};

use super::case::{Case, time_of};
use super::symptom::Kind;
use super::{SEEDS_OF_PHASES, Shrinker};

/// Gaps are left alone below this.
const GAP_MIN: Span = Span::millis(1);
/// What is not live after so long seldom is later.
const QUICK_MIN: Span = Span::millis(500);
/// To what times are rounded, the coarsest first.
const GRAINS: [Span; 5] =
    [Span::secs(1), Span::millis(100), Span::millis(10), Span::millis(1), Span::micros(100)];
/// Lengths of the fault phase that are tried, in milliseconds.
const PHASES: [u64; 13] = [100, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 7_000, 10_000];

impl Shrinker<'_, '_> {
    /// Gives less time to converge while candidates are tried: those that do not fail would go on to the very end. Who converges
    /// sooner converges, so where the failure is that time runs out this leaves nothing out; and where the leader must be
    /// kept after that time, it stays.
    pub(super) fn without_convergence(&mut self) {
        let usual = self.best.loaded.scenario.phases.convergence.span();
        let quick = match self.trial.symptom.kind() {
            Kind::Safety => Span::millis(1),
            Kind::Convergence => Span::nanos(usual.as_nanos() / 5).max(QUICK_MIN),
            Kind::Steadiness => return,
        };
        let quick = self.best.with_set(&format!("phases.convergence=\"{quick}\""), self.trial.table);
        self.try_all(&Vec::from_iter(quick));
    }

    /// Ends the fault phase earlier, what comes after it left out: that is the quickest way to shorter runs, and what fails
    /// late often fails early with another seed.
    pub(super) fn with_sooner_heal(&mut self) {
        self.seeds = SEEDS_OF_PHASES;
        let now = self.best.loaded.scenario.phases.faults.span();
        let cases: Vec<Case> = self.with_heal(Span::ZERO, now).iter().map(early).collect();
        self.try_all(&cases);
        self.seeds = 0;
        self.ended_at_failure();
    }

    /// Ends the fault phase just when the best case has failed: those that do not fail go on until then.
    pub(super) fn ended_at_failure(&mut self) {
        let end = Span::millis(self.failed.as_nanos() / 1_000_000 + 1);
        if end < self.best.loaded.scenario.phases.faults.span() {
            let ended = self.best.with_set(&format!("phases.faults=\"{end}\""), self.trial.table);
            self.try_all(&Vec::from_iter(ended.as_ref().map(early)));
        }
    }

    /// Shortens gaps between entries, what comes after them moving along, and the phases; says whether anything helped.
    pub(super) fn sooner(&mut self) -> bool {
        // Three candidates a gap.
        let is_dear = self.is_dear(3 * self.best.entries.len() as u64);
        let is_sooner = !is_dear && self.with_shorter_gaps();
        is_sooner | self.with_earlier_end()
    }

    /// Shortens each gap as often as that succeeds; says whether it did.
    fn with_shorter_gaps(&mut self) -> bool {
        let mut is_sooner = false;
        let mut index = 0;
        while index < self.best.entries.len() {
            if self.with_shorter_gap(index) {
                is_sooner = true;
            } else {
                index += 1;
            }
        }
        is_sooner
    }

    /// Shortens the gap before an entry to an eighth, a quarter, a half.
    fn with_shorter_gap(&mut self, index: usize) -> bool {
        let at = time_of(&self.best.entries[index]);
        let before = index.checked_sub(1).map_or(SimTime::ZERO, |before| time_of(&self.best.entries[before]));
        if at == SimTime::MAX || at.since(before) <= GAP_MIN {
            return false;
        }
        let gap = at.since(before).as_nanos();
        let cuts = [gap - gap / 8, gap - gap / 4, gap / 2].map(Span::nanos);
        let cases: Vec<Case> = cuts.map(|cut| self.shifted(index, cut)).into();
        self.try_all(&cases).is_some()
    }

    /// The best case with everything from an entry on so much earlier.
    fn shifted(&self, from: usize, cut: Span) -> Case {
        let shift = |(index, entry): (usize, &Arc<Entry>)| match entry.trigger {
            Trigger::At(moment) if index >= from => {
                moved(entry, SimTime::from_nanos(moment.time.as_nanos() - cut.as_nanos()))
            }
            Trigger::At(_) | Trigger::After { .. } | Trigger::Before { .. } => entry.clone(),
        };
        self.best.with_entries(self.best.entries.iter().enumerate().map(shift).collect())
    }

    /// Ends the fault phase earlier. The time to converge stays: with less, the right protocol would fail as well.
    fn with_earlier_end(&mut self) -> bool {
        let now = self.best.loaded.scenario.phases.faults.span();
        let ends = self.with_heal(self.last(), now);
        self.try_all(&ends).is_some()
    }

    /// When the last entry comes that does not wait for anything.
    fn last(&self) -> Span {
        let times = self.best.entries.iter().map(|entry| time_of(entry)).filter(|time| *time < SimTime::MAX);
        times.max().unwrap_or(SimTime::ZERO).since(SimTime::ZERO)
    }

    /// The best case with a fault phase of each length between two.
    fn with_heal(&self, above: Span, below: Span) -> Vec<Case> {
        let lengths =
            PHASES.into_iter().map(Span::millis).filter(|length| *length > above && *length < below);
        let set = |length| self.best.with_set(&format!("phases.faults=\"{length}\""), self.trial.table);
        lengths.filter_map(set).collect()
    }

    /// Rounds times as coarsely as the failure allows: all together, then each by itself.
    pub(super) fn rounder(&mut self) {
        let phase = self.best.loaded.scenario.phases.faults.span();
        if !PHASES.iter().any(|length| Span::millis(*length) == phase) {
            let longer = self.with_heal(phase, Span::secs(3_600));
            self.try_all(&longer);
        }
        let together: Vec<Case> = GRAINS.iter().map(|grain| self.rounded(|_| true, *grain)).collect();
        self.try_all(&together);
        for index in 0..self.best.entries.len() {
            let nanos = match self.best.entries[index].trigger {
                Trigger::At(moment) => moment.time.as_nanos(),
                Trigger::After { span, .. } | Trigger::Before { span, .. } => span.as_nanos(),
            };
            let coarser = GRAINS.iter().take_while(|grain| nanos % grain.as_nanos() != 0);
            let alone: Vec<Case> = coarser.map(|grain| self.rounded(|at| at == index, *grain)).collect();
            self.try_all(&alone);
        }
    }

    /// The best case with the times of some entries rounded to a grain.
    fn rounded(&self, is_meant: impl Fn(usize) -> bool, grain: Span) -> Case {
        let round = |(index, entry): (usize, &Arc<Entry>)| {
            if is_meant(index) { rounded(entry, grain) } else { entry.clone() }
        };
        let mut entries: Vec<Arc<Entry>> = self.best.entries.iter().enumerate().map(round).collect();
        entries.sort_by_key(|entry| time_of(entry));
        self.best.with_entries(entries)
    }
}

/// The case without what comes after its fault phase.
fn early(case: &Case) -> Case {
    let heal_at = case.loaded.scenario.phases.heal_at();
    let is_early = |entry: &&Arc<Entry>| entry.moment().is_none_or(|moment| moment.time < heal_at);
    case.with_entries(case.entries.iter().filter(is_early).cloned().collect())
}

/// The entry with its time as a multiple of a grain.
fn rounded(entry: &Entry, grain: Span) -> Arc<Entry> {
    let nearest = |nanos: u64| (nanos + grain.as_nanos() / 2) / grain.as_nanos() * grain.as_nanos();
    match entry.trigger {
        Trigger::At(moment) => {
            let nanos = nearest(moment.time.as_nanos()).max(grain.as_nanos());
            moved(entry, SimTime::from_nanos(nanos))
        }
        Trigger::After { span, event, occurrence, since, until } => {
            let span = Span::nanos(nearest(span.as_nanos()));
            let trigger = Trigger::After { span, event, occurrence, since, until };
            Arc::new(Entry { trigger, ..entry.clone() })
        }
        Trigger::Before { span, node, timer, since, until } => {
            let span = Span::nanos(nearest(span.as_nanos()));
            let trigger = Trigger::Before { span, node, timer, since, until };
            Arc::new(Entry { trigger, ..entry.clone() })
        }
    }
}

/// The entry at another time.
fn moved(entry: &Entry, time: SimTime) -> Arc<Entry> {
    Arc::new(Entry { trigger: Trigger::At(Moment::before(time)), ..entry.clone() })
}
