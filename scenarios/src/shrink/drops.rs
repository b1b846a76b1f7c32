//! Single messages that are dropped, in the place of loss, cuts and partitions.
//!
//! The run is recorded, and each message that it lost is dropped by its number, with whatever lost it left out. Then as many of
//! these drops are taken away as can be. That is kept where it says more with no more lines: `drop n1->n2#17` for a
//! network that loses one message in twenty, or for a partition that mattered for a single message.
//!
//! A trace has no numbers of messages; they are counted by what caused each. Where that goes wrong, the candidate does not
//! fail, and everything stays as it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::fault::{Command, Entry, MessageAct, Target};
use sim_core::trace::{Cause, Record, Trace, TraceKind};
use sim_core::{Endpoint, MessageId, SimTime};

use super::case::Case;
use super::needs::Family;
use super::{Shrinker, Thrift};
use crate::run::{Recording, RunOptions, run};
use crate::text::{Outline, Path};

/// More lost messages than this are not told one by one.
const DROPS_MAX: usize = 100;
/// A longer run loses too many.
const EVENTS_MAX: u64 = 10_000;
/// So many drops may take the place of a network that loses messages by chance.
const FOR_CHANCE: usize = 4;

impl Shrinker<'_, '_> {
    /// Drops single messages instead, where that says more.
    pub(super) fn with_single_drops(&mut self) {
        if self.best_events > EVENTS_MAX {
            return;
        }
        let drops = self.drops();
        if drops.is_empty() || drops.len() > DROPS_MAX {
            return;
        }
        let without_chance = self.without_chance();
        let without_cuts = self.without_cuts();
        let allowed = self.best.entries.len();
        if let Some(case) = without_chance {
            self.with_these(&case, &drops, allowed + FOR_CHANCE);
        }
        if let Some(case) = without_cuts {
            self.with_these(&case, &drops, allowed);
        }
    }

    /// Tries a case with drops; keeps it if so many entries are enough.
    fn with_these(&mut self, case: &Case, drops: &[Arc<Entry>], allowed: usize) {
        let before = (self.best.clone(), self.best_events, self.thrift);
        let all = drops.iter().chain(&case.entries).cloned().collect();
        if self.try_all(&[case.with_entries(all)]).is_none() {
            return;
        }
        self.thrift = Thrift::Spending;
        self.without_chunks(is_drop);
        self.without_chunks(|entry| !is_drop(entry));
        let is_kept = self.best.entries.len() <= allowed;
        (_, _, self.thrift) = before;
        if !is_kept {
            (self.best, self.best_events, _) = before;
        }
    }

    /// The best case in a network that loses nothing by chance, where its own does.
    fn without_chance(&self) -> Option<Case> {
        let loss = &self.best.loaded.scenario.network.loss;
        let is_lossless = loss.is_none_or(|loss| loss.probability().is_zero());
        let path = Path::parse("network.loss").filter(|_| !is_lossless)?;
        let text = Outline::new(self.best.loaded.value_text()).without(&path)?;
        self.best.with_text(&text, self.trial.table)
    }

    /// The best case without cuts and what links lose, where it has any.
    fn without_cuts(&self) -> Option<Case> {
        let is_cut = |entry: &Entry| {
            !is_drop(entry) && matches!(Family::of(&entry.command), Some(Family::Cut | Family::Link))
        };
        let kept: Vec<Arc<Entry>> =
            self.best.entries.iter().filter(|entry| !is_cut(entry)).cloned().collect();
        (kept.len() < self.best.entries.len()).then(|| self.best.with_entries(kept))
    }

    /// A drop for each message that the best case loses.
    fn drops(&self) -> Vec<Arc<Entry>> {
        let replay = Some(self.best.plan());
        let options = RunOptions { replay, recording: Recording::On, ..RunOptions::default() };
        let ran = run(&self.best.loaded, self.trial.table, self.best.seed, &options);
        let lost = ran.simulation.trace().map(lost).unwrap_or_default();
        let drop = |id| Command::<Target>::Message { id, act: MessageAct::Drop };
        lost.into_iter().map(|id| Arc::new(Entry::at(SimTime::ZERO, drop(id)))).collect()
    }
}

fn is_drop(entry: &Entry) -> bool {
    matches!(entry.command, Command::Message { act: MessageAct::Drop, .. })
}

/// The messages that were lost, but not because their receiver was down.
fn lost(trace: &Trace) -> Vec<MessageId> {
    let mut links: BTreeMap<(Endpoint, Endpoint), Vec<(Cause, bool)>> = BTreeMap::new();
    for record in trace {
        if let Some(link) = link_of(record) {
            let is_lost = record.kind() == TraceKind::Drop;
            links.entry(link).or_default().push((record.cause(), is_lost));
        }
    }
    let mut all = Vec::new();
    for ((from, to), mut sent) in links {
        sent.sort_by_key(|(cause, _)| *cause);
        let numbered = (0_u32..).zip(sent);
        all.extend(numbered.filter(|(_, (_, is_lost))| *is_lost).map(|(ordinal, _)| MessageId {
            from,
            to,
            ordinal,
        }));
    }
    all
}

/// From whom to whom something travelled that arrived or was lost.
fn link_of(record: &Record) -> Option<(Endpoint, Endpoint)> {
    let travels = matches!(
        record.kind(),
        TraceKind::Delivery | TraceKind::Request | TraceKind::Reply | TraceKind::Drop
    );
    let (from, to) = (record.peer()?, record.subject()?);
    (travels && from != to).then_some((from, to))
}
