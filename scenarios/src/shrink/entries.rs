//! Fewer entries, by delta debugging: chunks are taken away, ever smaller ones, until no single one can go.

use std::collections::BTreeSet;
use std::sync::Arc;

use sim_core::fault::{Entry, StatusEvent, Trigger};

use super::Shrinker;
use super::case::is_operation;

impl Shrinker<'_, '_> {
    /// Takes away what can go; says whether anything did.
    pub(super) fn without_entries(&mut self) -> bool {
        let before = self.best.entries.len();
        // Operations first: there are most of them, and the runs are shorter when they are gone.
        self.without_chunks(is_operation);
        self.without_chunks(|entry| !is_operation(entry));
        self.best.entries.len() < before
    }

    /// Takes chunks of the entries of a class away: all of them, half, a quarter, … one.
    pub(super) fn without_chunks(&mut self, is_member: impl Fn(&Entry) -> bool) {
        let mut size = self.members(&is_member).len();
        while size > 0 {
            let chunks = self.members(&is_member).len().div_ceil(size);
            if self.is_dear(chunks as u64) {
                return;
            }
            self.without_chunks_of(size, &is_member);
            // Two at a time as well: a fault often stands beside what undoes it.
            size = if size > 3 { size / 2 } else { size - 1 };
        }
    }

    /// Goes through the chunks of one size, from the last, as later entries depend on earlier ones. After one was taken
    /// away it goes on with the one before: those behind it were needed when there was more.
    fn without_chunks_of(&mut self, size: usize, is_member: &impl Fn(&Entry) -> bool) {
        let mut end = self.members(is_member).len();
        while end > 0 {
            let members = self.members(is_member);
            let ends: Vec<usize> = (1..=end).rev().step_by(size).collect();
            let best = self.best.clone();
            let cases = ends.iter().flat_map(|&end| {
                let kept = without(&best.entries, &members[end.saturating_sub(size)..end]);
                let closed_up = closed_up(&kept).map(|closer| (end, best.with_entries(closer)));
                std::iter::once((end, best.with_entries(kept))).chain(closed_up)
            });
            match self.try_each(cases) {
                Some(found) => end = found.saturating_sub(size),
                None => return,
            }
        }
    }

    /// Where the entries of a class stand.
    fn members(&self, is_member: &impl Fn(&Entry) -> bool) -> Vec<usize> {
        let entries = self.best.entries.iter().enumerate();
        entries.filter(|(_, entry)| is_member(entry)).map(|(index, _)| index).collect()
    }
}

/// The entries but for those at some places.
fn without(entries: &[Arc<Entry>], places: &[usize]) -> Vec<Arc<Entry>> {
    let kept = entries.iter().enumerate().filter(|(index, _)| !places.contains(index));
    kept.map(|(_, entry)| entry.clone()).collect()
}

/// What waits for the first, third and seventh time of something waits for the first, second and third: where what made
/// the others happen is gone, they happen no more. `None` where that changes nothing.
fn closed_up(entries: &[Arc<Entry>]) -> Option<Vec<Arc<Entry>>> {
    let counts: BTreeSet<(u32, StatusEvent)> = entries.iter().filter_map(|entry| count_of(entry)).collect();
    let rank = |event: StatusEvent, occurrence: u32| {
        let lower = counts.iter().filter(|(lower, same)| *same == event && *lower < occurrence).count();
        u32::try_from(lower).expect("a plan has few entries") + 1
    };
    let close_up = |entry: &Arc<Entry>| {
        let mut closer = Entry::clone(entry);
        if let Trigger::After { event, occurrence, .. } = &mut closer.trigger {
            *occurrence = rank(*event, *occurrence);
        }
        Arc::new(closer)
    };
    let closer: Vec<Arc<Entry>> = entries.iter().map(close_up).collect();
    (closer != entries).then_some(closer)
}

fn count_of(entry: &Entry) -> Option<(u32, StatusEvent)> {
    match entry.trigger {
        Trigger::After { event, occurrence, .. } => Some((occurrence, event)),
        Trigger::Before { .. } | Trigger::At(_) => None,
    }
}
