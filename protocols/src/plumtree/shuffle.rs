//! Shuffles (HyParView §4.4): two nodes exchange some of those whom they know, so that passive views stay random and
//! those who are gone fade from them.

use std::sync::Arc;

use sim_core::{Context, NodeId};

use super::message::Message;
use super::overlay::draw_some;
use super::{Mutant, Plumtree, Timer};
use crate::draw;

impl Plumtree {
    /// When the first of the moments comes that come once in an interval.
    pub(super) fn await_first_shuffle(&self, context: &mut Context<'_, Self>) {
        let phase = draw::phase(context.random(), self.config.shuffle_interval);
        context.set_timer(Timer::Shuffle, phase);
    }

    /// Begins a shuffle through a neighbour. What has changed since the last one may help to fill free places.
    pub(super) fn on_shuffle_due(&mut self, context: &mut Context<'_, Self>) {
        context.set_timer(Timer::Shuffle, self.config.shuffle_interval);
        self.seek_anew(context, None);
        let Some(to) = self.draw_neighbour(context, &[]) else { return };
        let neighbours = self.neighbours().iter().map(|neighbour| neighbour.node).filter(|node| *node != to);
        let neighbours = draw_some(context, neighbours, self.config.shuffle_active as usize);
        self.shuffled = self.draw_passive(context, self.config.shuffle_passive as usize, to);
        let nodes = [self.node].into_iter().chain(neighbours).chain(self.shuffled.iter().copied());
        let (nodes, ttl) = (nodes.collect(), self.config.active_walk);
        if self.config.has(Mutant::ShuffleLoses) {
            for node in self.shuffled.clone() {
                self.strike(context, node, super::facts::Removal::Evicted);
            }
        }
        context.send(to, Message::Shuffle { origin: self.node, nodes, ttl });
    }

    /// A shuffle comes by: it walks on, or ends here, and the origin gets as many nodes as it has sent.
    pub(super) fn on_shuffle(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        origin: NodeId,
        nodes: Arc<[NodeId]>,
        ttl: u32,
    ) {
        let left = ttl.saturating_sub(1);
        let next = if left == 0 { None } else { self.draw_neighbour(context, &[from, origin]) };
        if let Some(next) = next {
            return context.send(next, Message::Shuffle { origin, nodes, ttl: left });
        }
        if origin == self.node {
            return;
        }
        let given = self.draw_passive(context, nodes.len(), origin);
        self.note_all(context, &nodes, &given);
        context.send(origin, Message::ShuffleReply(given.into()));
    }

    /// What a shuffle has brought.
    pub(super) fn on_shuffle_reply(&mut self, context: &mut Context<'_, Self>, nodes: &[NodeId]) {
        let given = std::mem::take(&mut self.shuffled);
        self.note_all(context, nodes, &given);
    }

    /// Notes those that it is told of, and asks them where it has room. Those that it has given away go first.
    fn note_all(&mut self, context: &mut Context<'_, Self>, nodes: &[NodeId], given: &[NodeId]) {
        for node in nodes {
            self.note(context, *node, given);
        }
        self.seek(context);
    }
}
