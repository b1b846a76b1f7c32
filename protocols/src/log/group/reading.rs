//! A consumer reads: it asks whoever leads a partition, as far as it knows, and finds out who that is where nobody answers.

use std::sync::Arc;

use sim_core::service::Value;
use sim_core::{Context, NodeId};

use super::super::Node;
use super::super::config::Guarantee;
use super::super::mutants::Mutant;
use super::super::types::PartitionId;
use super::consumer::Consumer;
use super::message::Request;
use super::share::Stage;

impl Consumer {
    /// Asks for records whoever leads a partition; the next broker, if that one has not answered in time: one that is down does
    /// not say who leads since.
    pub(super) fn read(&mut self, context: &mut Context<'_, Node>, id: PartitionId, offset: u64) {
        let (now, patience) = (context.now(), self.config.call_timeout);
        let known = *self.leaders.entry(id).or_insert(self.coordinator);
        let Some(share) = self.shares.get_mut(&id) else { return };
        let is_in_vain = share.ask_for_records(now, patience);
        let leader = if is_in_vain { self.config.broker(known.raw()) } else { known };
        self.leaders.insert(id, leader);
        self.ask(context, leader, Request::Read { partition: id, offset });
    }

    /// A broker has answered what it asked of a partition.
    pub(super) fn on_read(&mut self, id: PartitionId) {
        if let Some(share) = self.shares.get_mut(&id) {
            share.reads_since = None;
        }
    }

    /// The same, with what is there: so it leads.
    pub(super) fn on_leader(&mut self, from: NodeId, id: PartitionId) {
        self.leaders.insert(id, from);
        self.on_read(id);
    }

    pub(super) fn on_records(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        offset: u64,
        values: Arc<[Value]>,
    ) {
        let Some(share) = self.shares.get_mut(&id) else { return };
        // A late answer may be to what it asked before it sought back.
        if !share.reads(offset) || share.is_paused() || share.is_full(&self.config) || values.is_empty() {
            return;
        }
        let is_claimed = self.config.guarantee == Guarantee::AtMostOnce;
        if is_claimed && !self.config.has(Mutant::ProcessBeforeCommit) {
            share.stage = Stage::Claims(values);
            return self.claim(context, id);
        }
        share.take(context, id, &values, &self.workers);
        if is_claimed || self.config.has(Mutant::CommitPosition) {
            self.keep(context, id);
        }
        self.start_all(context);
        self.on_share(context, id);
    }
}
