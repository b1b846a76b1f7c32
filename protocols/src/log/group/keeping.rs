//! How far partitions were handled: the coordinator writes it down for who may say it, and says it to who begins.

use std::sync::Arc;

use sim_core::{Context, NodeId};

use super::super::broker::Broker;
use super::super::entry::{Body, Entry};
use super::super::metrics::Counter;
use super::super::replica::Waiter;
use super::super::types::PartitionId;
use super::super::{Node, Point};
use super::Generation;
use super::coordinator::{Call, answer};
use super::message::Answer;

impl Broker {
    /// A member asks where to begin: with the first record, where nobody has come anywhere. With transactions the coordinator
    /// writes the group down again, and answers when that is committed: so that nobody else coordinates, and knows more. Without
    /// them a member that begins too early handles again what was handled, of which the store knows effectively once.
    pub(super) fn on_ask(&mut self, context: &mut Context<'_, Node>, call: Call, partition: PartitionId) {
        let offset = self.offsets().kept.get(&partition).copied().unwrap_or(0);
        let reply = Answer::Offset { partition, offset };
        if !self.config.is_transactional() {
            return answer(context, call, reply);
        }
        let Some(image) = self.coordinator.as_ref().map(|group| Arc::clone(&group.written)) else { return };
        if self.write_group(context, image).is_some() {
            self.answer_when_committed(context, vec![Waiter::Member { call, answer: reply }]);
        }
    }

    /// A member has handled everything below an offset.
    pub(super) fn on_keep(
        &mut self,
        context: &mut Context<'_, Node>,
        call: Call,
        generation: Generation,
        partition: PartitionId,
        offset: u64,
    ) {
        let may = self
            .coordinator
            .as_ref()
            .is_some_and(|coordinator| coordinator.may_keep(call.from, call.life, generation, partition));
        if !may {
            context.sometimes(Point::CommitFenced as usize);
            context.count(Counter::CommitsRefused as usize, 1);
            return answer(context, call, Answer::NotKept { partition });
        }
        if self.keep(context, (call.from, generation), partition, offset).is_some() {
            let answer = Answer::Kept { partition, offset };
            self.answer_when_committed(context, vec![Waiter::Member { call, answer }]);
        }
    }

    /// Writes down how far a partition was handled. What comes late, when more is known, changes nothing. `None` if the disk
    /// takes no more.
    fn keep(
        &mut self,
        context: &mut Context<'_, Node>,
        by: (NodeId, Generation),
        partition: PartitionId,
        offset: u64,
    ) -> Option<()> {
        let id = self.config.offsets_partition();
        let epoch = self.replica(id).leading()?.epoch();
        let known = self.coordinator.as_ref()?.kept.get(&partition).copied();
        if known.is_some_and(|known| offset <= known) {
            return Some(());
        }
        let body = Body::Commit { partition, offset, by: Some(by) };
        self.push(context, id, Entry { epoch, op: None, body })?;
        self.coordinator.as_mut()?.kept.insert(partition, offset);
        self.flush(context, id);
        self.serve_parked(context, id);
        Some(())
    }
}
