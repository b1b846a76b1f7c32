//! What a consumer knows of a partition that it has.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::Value;
use sim_core::{Context, LocalTime, Span};

use super::super::config::Config;
use super::super::mutants::Mutant;
use super::super::types::PartitionId;
use super::super::{Fact, Node};
use super::producing::Producing;
use super::workers::{Worker, in_hand};

/// A partition that it has.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// Tells it from earlier times that it had the partition: the number of its last call before it began.
    pub(super) tenure: u64,
    pub(super) stage: Stage,
    /// Whether it gives the partition up when what is in hand is done.
    pub(super) gives_up: bool,
    /// Where it reads next.
    pub(super) position: u64,
    /// What was read and nobody has in hand.
    pub(super) backlog: VecDeque<(u64, Value)>,
    /// What is done above `done`.
    pub(super) done_above: BTreeSet<u64>,
    /// Everything below is done.
    pub(super) done: u64,
    /// Everything below is kept, as far as it knows.
    pub(super) kept: u64,
    /// Everything below is to be kept, as it has asked.
    pub(super) keeps: u64,
    /// Until when it reads nothing, because handling a record failed.
    pub(super) paused_until: Option<LocalTime>,
    /// When it first asked for records since it last was answered.
    pub(super) reads_since: Option<LocalTime>,
    /// With transactions: how far it is with its own.
    pub(super) producing: Option<Box<Producing>>,
}

/// How far it is with a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Stage {
    /// It asks how far anybody has come.
    Asks,
    /// It reads and handles.
    Works,
    /// At most once: what it has read it may handle when it is kept as handled.
    Claims(Arc<[Value]>),
}

impl Share {
    /// Everything below is done.
    pub const fn done(&self) -> u64 {
        self.done
    }

    /// Everything below is kept, as far as the consumer knows.
    pub const fn kept(&self) -> u64 {
        self.kept
    }

    /// Where it reads next.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// How many records wait for a worker.
    pub fn backlog_len(&self) -> u64 {
        self.backlog.len() as u64
    }

    /// With transactions: how far it is with its own.
    pub fn producing(&self) -> Option<&Producing> {
        self.producing.as_deref()
    }

    pub(super) fn new(tenure: u64, producing: Option<Box<Producing>>) -> Self {
        Self {
            tenure,
            stage: Stage::Asks,
            gives_up: false,
            position: 0,
            backlog: VecDeque::new(),
            done_above: BTreeSet::new(),
            done: 0,
            kept: 0,
            keeps: 0,
            paused_until: None,
            reads_since: None,
            producing,
        }
    }

    /// Whether a worker may take something of it.
    pub(super) fn has_work(&self) -> bool {
        let Some((next, _)) = self.backlog.front() else { return false };
        self.producing.as_ref().is_none_or(|producing| producing.may_take(*next, self.done_above.last()))
    }

    /// Whether it asked this, by the call's number, to find out how far anybody has come. An answer to what it asked when it had
    /// the partition before may be of long ago.
    pub(super) fn has_asked(&self, number: u64) -> bool {
        self.stage == Stage::Asks && number > self.tenure
    }

    /// Whether so much waits that it reads no more.
    pub(super) fn is_full(&self, config: &Config) -> bool {
        !config.has(Mutant::BacklogUnbounded) && self.backlog.len() >= config.backlog_max as usize
    }

    /// Whether it waits for what comes from `offset` on.
    pub(super) fn reads(&self, offset: u64) -> bool {
        !self.gives_up && self.stage == Stage::Works && self.position == offset
    }

    /// Whether what is done can be kept. In a transaction results after a record that has failed can only be committed with its
    /// own.
    pub(super) fn can_keep(&self) -> bool {
        self.producing.is_none() || self.done_above.is_empty()
    }

    /// Whether it waits for something to be kept.
    pub(super) const fn is_keeping(&self) -> bool {
        self.keeps > self.kept
    }

    /// Until when it reads nothing.
    pub const fn paused_until(&self) -> Option<LocalTime> {
        self.paused_until
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.paused_until.is_some()
    }

    /// It reads again if the time is up.
    pub(super) fn end_pause(&mut self, now: LocalTime) {
        self.paused_until = self.paused_until.filter(|until| *until > now);
    }

    /// These come next. What is done already, or in hand, it has read before a record failed.
    pub(super) fn take(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        values: &[Value],
        workers: &[Worker],
    ) {
        self.add(id, values, workers);
        context.fact(Fact::Read { partition: id, waiting: self.backlog_len() });
    }

    fn add(&mut self, id: PartitionId, values: &[Value], workers: &[Worker]) {
        let next = (self.position..).zip(values.iter().copied());
        let is_in_hand = |offset: u64| in_hand(workers, id, self.tenure).any(|other| other == offset);
        let is_new = |(offset, _): &(u64, Value)| !self.done_above.contains(offset) && !is_in_hand(*offset);
        self.backlog.extend(next.filter(is_new));
        self.position += values.len() as u64;
    }

    /// It asks for records. Whether whoever leads the partition has been silent for so long that it may be somebody else by now.
    pub(super) fn ask_for_records(&mut self, now: LocalTime, patience: Span) -> bool {
        let since = *self.reads_since.get_or_insert(now);
        let is_in_vain = now.since(since) >= patience;
        if is_in_vain {
            self.reads_since = Some(now);
        }
        is_in_vain
    }

    /// It reads again from an offset on, before where it is, or from before that: what waits has to be read again, too. Where it
    /// has gone ahead since it took the record, it does not go back.
    pub(super) fn seek_back(&mut self, offset: u64) {
        let first = self.backlog.front().map_or(offset, |(first, _)| offset.min(*first));
        self.position = first.min(self.position).max(self.done);
        self.backlog.clear();
    }

    /// It reads on further ahead; all before counts as done.
    pub(super) fn seek_ahead(&mut self, offset: u64) {
        self.done_above = self.done_above.split_off(&offset);
        self.done = offset;
        self.advance();
        self.position = self.done;
    }

    /// A record is done.
    pub(super) fn finish(&mut self, offset: u64) {
        // It may have gone ahead, past this record.
        if offset >= self.done {
            self.done_above.insert(offset);
            self.advance();
        }
    }

    fn advance(&mut self) {
        while self.done_above.remove(&self.done) {
            self.done += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Generation;
    use super::super::message::Effect;
    use super::super::workers::Task;
    use super::*;

    const ID: PartitionId = PartitionId(0);

    fn handles(offset: u64) -> Worker {
        let effect =
            Effect { partition: ID, offset, value: offset, generation: Generation(1), attempt: offset };
        Worker::Handles(Task { effect, tenure: 1, since: LocalTime::ZERO })
    }

    /// It has read `count` records from 5 on, and nobody has taken anything.
    fn share(count: u64) -> Share {
        let mut share = Share::new(1, None);
        (share.position, share.done, share.kept) = (5, 5, 5);
        let values: Vec<Value> = (5..5 + count).collect();
        share.add(ID, &values, &[]);
        share
    }

    fn waiting(share: &Share) -> Vec<u64> {
        share.backlog.iter().map(|(offset, _)| *offset).collect()
    }

    #[test]
    fn what_waits_before_a_record_that_fails_is_read_again_with_it() {
        // 5 has failed before, and was read again with what follows, while another worker had 6 in hand.
        let mut share = share(1);
        share.position = 9;
        share.seek_back(6);
        assert_eq!((share.position, waiting(&share)), (5, vec![]), "nobody has 5");
        share.add(ID, &[5, 6, 7], &[handles(7)]);
        assert_eq!(waiting(&share), [5, 6], "7 is in hand");
    }

    #[test]
    fn what_is_done_is_not_done_again_after_another_record_has_failed() {
        let mut share = share(4);
        share.finish(7);
        share.seek_back(6);
        assert_eq!(share.position, 5);
        share.add(ID, &[5, 6, 7, 8], &[]);
        assert_eq!(waiting(&share), [5, 6, 8]);
    }

    #[test]
    fn what_is_gone_leaves_no_hole_behind() {
        let mut share = share(0);
        share.done_above = [7, 12, 15].into();
        share.seek_ahead(12);
        assert_eq!((share.done, share.position), (13, 13), "12 is done, too");
        assert_eq!(share.done_above, [15].into());
    }

    #[test]
    fn a_record_in_hand_that_is_gone_meanwhile_counts_no_more() {
        let mut share = share(0);
        share.seek_ahead(12);
        share.finish(7);
        assert_eq!((share.done, share.done_above.len()), (12, 0));
        share.seek_back(8);
        assert_eq!(share.position, 12);
    }

    #[test]
    fn a_leader_that_is_silent_for_long_may_be_another_by_now() {
        let mut share = share(0);
        let [asked, early, late] = [0, 30, 40].map(|millis| LocalTime::ZERO + Span::millis(millis));
        let patience = Span::millis(40);
        assert_eq!([asked, early].map(|now| share.ask_for_records(now, patience)), [false, false]);
        assert!(share.ask_for_records(late, patience));
        assert!(!share.ask_for_records(late, patience), "the next one has its time, too");
    }
}
