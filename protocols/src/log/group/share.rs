//! What a consumer knows of a partition that it has.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::Value;
use sim_core::{Context, LocalTime};

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

    /// Whether a worker may take something of it.
    pub(super) fn has_work(&self) -> bool {
        let may_begin = self.producing.as_ref().is_none_or(|producing| producing.is_open());
        may_begin && !self.backlog.is_empty()
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
        let next = (self.position..).zip(values.iter().copied());
        let is_in_hand = |offset: u64| in_hand(workers, id, self.tenure).any(|other| other == offset);
        let is_new = |(offset, _): &(u64, Value)| !self.done_above.contains(offset) && !is_in_hand(*offset);
        self.backlog.extend(next.filter(is_new));
        self.position += values.len() as u64;
        context.fact(Fact::Read { partition: id, waiting: self.backlog_len() });
    }

    /// It reads again from an offset on, before where it is.
    pub(super) fn seek_back(&mut self, offset: u64) {
        self.position = offset.min(self.position);
        self.backlog.clear();
    }

    /// It reads on further ahead; all before is done.
    pub(super) fn seek_ahead(&mut self, offset: u64) {
        (self.position, self.done) = (offset, offset);
    }

    /// A record is done.
    pub(super) fn finish(&mut self, offset: u64) {
        self.done_above.insert(offset);
        while self.done_above.remove(&self.done) {
            self.done += 1;
        }
    }
}
