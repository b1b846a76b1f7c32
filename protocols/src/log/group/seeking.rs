//! A consumer reads on elsewhere: where a record failed it seeks back to it and pauses, and where the next one is not there any
//! more it seeks ahead.
//!
//! A paused partition is still its own: it goes on with its heartbeats, and with its other partitions.

use std::ops::Range;

use sim_core::Context;
use sim_core::random::Probability;

use super::super::config::{Guarantee, OffsetReset};
use super::super::metrics::Counter;
use super::super::mutants::Mutant;
use super::super::types::PartitionId;
use super::super::{Node, Point, Timer};
use super::consumer::Consumer;
use super::workers::Task;

impl Consumer {
    /// Whether this attempt to handle a record fails.
    pub(super) fn fails(&self, context: &mut Context<'_, Node>) -> bool {
        let failure = self.config.failure;
        failure != Probability::ZERO && context.random().chance(failure)
    }

    /// Handling a record has failed: it tries again some time later, and with it what comes after it. At most once that was it.
    pub(super) fn on_failed(&mut self, context: &mut Context<'_, Node>, index: u32, task: Task) {
        context.count(Counter::HandlingsFailed as usize, 1);
        let is_over = self.config.guarantee == Guarantee::AtMostOnce;
        if is_over || self.config.has(Mutant::FailureSkipped) {
            return self.finish(context, index, task);
        }
        context.sometimes(Point::HandlingFailed as usize);
        let (id, now) = (task.effect.partition, context.now());
        if let Some(share) = self.shares.get_mut(&id).filter(|share| share.tenure == task.tenure) {
            share.seek_back(task.effect.offset);
            if let Some(producing) = share.producing.as_deref_mut() {
                producing.settle(task.effect.attempt);
            }
            share.paused_until = Some(now + self.config.failure_pause);
            self.wait_out_pause(context, id);
        }
        self.be_idle(context, index);
        self.maybe_keep_in_transaction(context, id);
        self.maybe_drop(context, id);
    }

    /// It reads nothing as long as it is paused.
    pub(super) fn wait_out_pause(&self, context: &mut Context<'_, Node>, id: PartitionId) {
        if let Some(until) = self.shares.get(&id).and_then(|share| share.paused_until) {
            context.set_timer(Timer::Share(id), until.since(context.now()));
        }
    }

    /// What it wanted to read next is not there any more. It first does what it has read.
    pub(super) fn on_gone(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        offset: u64,
        there: Range<u64>,
    ) {
        let reset = self.config.offset_reset;
        let Some(share) = self.shares.get_mut(&id).filter(|share| share.reads(offset)) else { return };
        if share.done < share.position {
            return;
        }
        share.seek_ahead(match reset {
            OffsetReset::Earliest => there.start,
            OffsetReset::Latest => there.end,
        });
        context.count(Counter::OffsetsReset as usize, 1);
        self.maybe_keep_in_transaction(context, id);
        self.on_share(context, id);
    }
}
