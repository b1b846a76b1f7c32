//! Dissemination: news ride on messages, each so many times, the least sent first (§4.1), and those who have any also
//! gossip at intervals, as memberlist does.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::{Context, NodeId};

use super::facts::Fact;
use super::host::{Acts, Host};
use super::member::{State, Update};
use super::message::{Message, Updates};
use super::metrics::Counter;
use super::{Membership, Mutant, Point, Standing, Timer};

/// Where an update stands among others: the least sent first, of those the newest.
type Place = (u32, Reverse<u64>);

/// Which update goes out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// The one that was sent least, as the paper prefers.
    LeastSent,
    /// The last that was put in, however often it was sent: a mutant's.
    Newest,
}

/// What is to be passed on: one update a member, the last.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Queue {
    updates: BTreeMap<Place, Update>,
    places: BTreeMap<NodeId, Place>,
    /// How many were put in.
    ordinal: u64,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    pub(super) fn contains(&self, member: NodeId) -> bool {
        self.places.contains_key(&member)
    }

    /// Puts an update in, in the place of what there was of its member.
    fn push(&mut self, update: Update) {
        self.ordinal += 1;
        self.put((0, Reverse(self.ordinal)), update);
    }

    fn put(&mut self, place: Place, update: Update) {
        if let Some(old) = self.places.insert(update.member, place) {
            self.updates.remove(&old);
        }
        self.updates.insert(place, update);
    }

    /// The update that comes first in this order, and its place.
    fn pop(&mut self, order: Order) -> Option<(Place, Update)> {
        let (place, update) = match order {
            Order::LeastSent => self.updates.pop_first()?,
            Order::Newest => {
                let place = *self.updates.keys().min_by_key(|(_, newest)| *newest)?;
                self.updates.remove_entry(&place)?
            }
        };
        self.places.remove(&update.member);
        Some((place, update))
    }

    /// All updates with how often each was sent, the least first: for people.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Update)> {
        self.updates.iter().map(|(place, update)| (place.0, *update))
    }
}

impl Membership {
    /// From now on an update is passed on.
    pub(super) fn pass_on(&mut self, context: &mut Context<'_, impl Host>, update: Update) {
        self.queue.push(update);
        context.state(Fact::Queued { update });
        self.await_gossip(context);
    }

    /// The updates that ride on the next message, `first` before all others, and no one twice. Each counts as sent once more, and goes when it was
    /// sent often enough.
    pub(super) fn take_updates(
        &mut self,
        context: &mut Context<'_, impl Host>,
        first: Option<Update>,
    ) -> Updates {
        if first.is_none() && self.queue.is_empty() {
            return Updates::NONE;
        }
        let limit = self.retransmit_limit();
        let order = if self.config.has(Mutant::NewestFirst) { Order::Newest } else { Order::LeastSent };
        context.state(Fact::Packs);
        let mut taken: Vec<Update> = first.into_iter().collect();
        let mut sent = Vec::new();
        while taken.len() < self.config.updates_max()
            && let Some((place, update)) = self.queue.pop(order)
        {
            if place.0 >= limit {
                context.state(Fact::Spent { update });
                continue;
            }
            context.state(Fact::PassedOn { update });
            if Some(update) != first {
                taken.push(update);
            }
            sent.push(((place.0 + 1, place.1), update));
        }
        if !self.queue.is_empty() {
            context.reach(Point::PacketFull);
        }
        self.put_back(context, sent, limit);
        context.tally(Counter::UpdatesSent, taken.len() as u64);
        taken.into()
    }

    fn put_back(&mut self, context: &mut Context<'_, impl Host>, sent: Vec<(Place, Update)>, limit: u32) {
        for (place, update) in sent {
            if place.0 >= limit {
                context.state(Fact::Spent { update });
            } else {
                self.queue.put(place, update);
            }
        }
    }

    /// How often an update is passed on, as large as the group is now.
    fn retransmit_limit(&self) -> u32 {
        if self.config.has(Mutant::GossipedOnce) {
            return 1;
        }
        self.config.retransmit_limit(self.table.present_count())
    }

    /// Has the next round of gossip begin when it is due. Without anything to tell, none need begin.
    fn await_gossip(&mut self, context: &mut Context<'_, impl Host>) {
        if !self.is_gossip_due {
            self.is_gossip_due = true;
            context.arm(Timer::Gossip, self.until_next(context, self.config.gossip_interval));
        }
    }

    /// A round of gossip: to a few members, and to those who died not long ago, who may be well after all.
    pub(super) fn on_gossip_due(&mut self, context: &mut Context<'_, impl Host>) {
        self.is_gossip_due = false;
        context.state(Fact::GossipBegins);
        let mut others: Vec<NodeId> = Vec::new();
        for _ in 0..self.config.gossip_nodes {
            let now = context.now();
            let is_due = |node, state: State| match state {
                State::Alive | State::Suspect => true,
                State::Dead => {
                    let died = self.gone.get(&node);
                    died.is_some_and(|died| now.since(*died) < self.config.gossip_to_the_dead)
                }
                State::Unknown | State::Left => false,
            };
            let drawn = self
                .draw_member(context, |node, belief| !others.contains(&node) && is_due(node, belief.state));
            others.extend(drawn);
        }
        for other in &others {
            self.gossip_to(context, *other);
        }
        self.after_gossip(context, others.is_empty());
    }

    fn gossip_to(&mut self, context: &mut Context<'_, impl Host>, other: NodeId) {
        let updates = self.take_updates(context, None);
        if !updates.is_empty() {
            context.state(Fact::Gossiped);
            context.transmit(other, Message::Gossip(updates));
        }
    }

    /// Who leaves is out when enough have been told, or nobody is there to tell.
    fn after_gossip(&mut self, context: &mut Context<'_, impl Host>, is_alone: bool) {
        if self.standing == Standing::Leaving && (is_alone || !self.queue.contains(self.node)) {
            return self.become_left(context);
        }
        if !self.queue.is_empty() {
            self.await_gossip(context);
        }
    }
}
