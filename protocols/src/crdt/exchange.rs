//! How changes get from replica to replica: whole states, or deltas with acknowledgements.
//!
//! ```text
//!  n1 changes 7, 8, 9                          n2 has acknowledged 7
//!      │── Delta {8 joined with 9} upto=9 ──────>│ joins it, syncs
//!      │<────────────────────────── Ack upto=9 ──│
//! ```
//!
//! A delta that is lost is sent again with the next one, because nobody has acknowledged it. A replica passes on what it
//! was sent, so that two that never talk to each other come to know it, too.

use std::sync::Arc;

use sim_core::{Context, NodeId};

use super::config::Shipping;
use super::data::Data;
use super::facts::Fact;
use super::message::Message;
use super::metrics::{Counter, Gauge};
use super::mutants::Mutant;
use super::{Crdt, Point, Timer};
use crate::draw;

impl Crdt {
    /// The first cycle begins somewhere in a period, so that replicas don't all send at once.
    pub(super) fn await_first_cycle(&self, context: &mut Context<'_, Self>) {
        let after = draw::phase(context.random(), self.config.period);
        context.set_timer(Timer::Shipping, after);
    }

    /// It is time to send to another replica: each is as likely as any.
    pub(super) fn on_cycle(&mut self, context: &mut Context<'_, Self>) {
        context.set_timer(Timer::Shipping, self.config.period);
        let to = draw::other(context.random(), self.node, self.config.node_count);
        match self.config.shipping {
            Shipping::State => {
                context.count(Counter::StatesSent as usize, 1);
                context.send(to, Message::State(self.state.clone()));
            }
            Shipping::Delta => self.send_delta(context, to),
        }
    }

    /// Sends what another replica has not acknowledged; nothing if that is nothing.
    fn send_delta(&mut self, context: &mut Context<'_, Self>, to: NodeId) {
        let upto = self.changes;
        let from = self.acknowledged.get(&to).copied().unwrap_or_default();
        if from >= upto {
            return;
        }
        let data = if self.deltas.first_key_value().is_some_and(|(first, _)| *first <= from) {
            context.count(Counter::DeltasSent as usize, 1);
            self.joined_from(from)
        } else {
            context.sometimes(Point::WholeState as usize);
            context.count(Counter::StatesSent as usize, 1);
            self.state.clone()
        };
        context.send(to, Message::Delta { data, upto });
        if self.config.has(Mutant::AckAssumed) {
            self.on_ack(context, to, upto);
        }
    }

    /// All changes from a number on, as one delta.
    fn joined_from(&self, from: u64) -> Arc<Data> {
        let mut joined = Data::nothing(self.config.kind);
        for delta in self.deltas.range(from..).map(|(_, delta)| delta) {
            joined.join(delta, None);
        }
        Arc::new(joined)
    }

    /// A delta is on disk: it holds, and is kept for others.
    pub(super) fn on_delta_durable(&mut self, context: &mut Context<'_, Self>, delta: Arc<Data>) {
        Arc::make_mut(&mut self.state).join(&delta, self.config.mutant);
        context.fact(Fact::Joined(delta.clone()));
        if self.config.shipping == Shipping::Delta {
            self.deltas.insert(self.changes, delta);
            while self.deltas.len() > self.config.deltas_max as usize {
                self.deltas.pop_first();
            }
            context.gauge(Gauge::DeltasKept as usize, self.deltas.len() as u64);
        }
        self.changes += 1;
    }

    /// Another replica sends what it has, or part of it.
    pub(super) fn on_data(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        data: &Arc<Data>,
        upto: Option<u64>,
    ) {
        if self.staged.covers(data) {
            context.count(Counter::NothingNew as usize, 1);
        }
        self.keep(context, from, data, upto);
    }

    /// Another replica has the changes up to a number: those that all have need not be kept.
    pub(super) fn on_ack(&mut self, context: &mut Context<'_, Self>, from: NodeId, upto: u64) {
        let known = self.acknowledged.entry(from).or_default();
        // More than there were can only be acknowledged to one whose disk is lost, and who counts anew.
        *known = upto.min(self.changes).max(*known);
        if self.acknowledged.len() + 1 == self.config.node_count as usize {
            let all = self.acknowledged.values().copied().min().unwrap_or_default();
            self.deltas = self.deltas.split_off(&all);
            context.gauge(Gauge::DeltasKept as usize, self.deltas.len() as u64);
        }
    }
}
