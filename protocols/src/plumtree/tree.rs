//! Plumtree (§3): values go by the links of a tree, and are announced on all others; what does not come is asked for, and the
//! link by which it comes is in the tree from then on.

use std::sync::Arc;

use sim_core::service::Value;
use sim_core::{Context, NodeId};

use super::facts::Fact;
use super::known::{Announcers, Held};
use super::link::Push;
use super::message::{Announcement, Message};
use super::metrics::{Counter, Gauge};
use super::{Mutant, Plumtree, Point, Timer};

impl Plumtree {
    // ----- queries -----

    /// What it has received, in order of value.
    pub fn values(&self) -> impl Iterator<Item = (Value, Held)> {
        self.known.all()
    }

    /// For what it waits: values, and who has announced each, with the hops that it would have made.
    pub fn missing(&self) -> impl Iterator<Item = (Value, &[(NodeId, u32)])> {
        self.missing.all().map(|(value, announcers)| (value, announcers.as_slice()))
    }

    fn set_push(&mut self, node: NodeId, push: Push) {
        if let Some(neighbour) = self.neighbour_mut(node) {
            neighbour.push = push;
        }
    }

    // ----- values -----

    /// A client broadcasts a value here.
    pub(super) fn broadcast(&mut self, context: &mut Context<'_, Self>, value: Value) {
        context.fact(Fact::Asked { value });
        if self.known.get(value).is_none() {
            context.count(Counter::Broadcasts as usize, 1);
            self.deliver(context, Announcement { value, round: 0 }, None);
        }
    }

    /// A value arrives: for the first time, or the link by which it came is not needed.
    pub(super) fn on_gossip(&mut self, context: &mut Context<'_, Self>, from: NodeId, what: Announcement) {
        context.count(Counter::Payloads as usize, 1);
        context.fact(Fact::Payload { from, what });
        if let Some(held) = self.known.get(what.value).copied() {
            return self.on_duplicate(context, from, what, held);
        }
        context.count(Counter::Deliveries as usize, 1);
        context.count(Counter::DeliveryHops as usize, what.round.into());
        context.gauge(Gauge::Hops as usize, what.round.into());
        self.set_push(from, Push::Eager);
        let announcers = self.deliver(context, what, Some(from));
        self.optimise(context, from, what, &announcers);
    }

    fn on_duplicate(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        what: Announcement,
        held: Held,
    ) {
        context.count(Counter::PayloadsRedundant as usize, 1);
        if self.config.has(Mutant::DeliversTwice) {
            context.fact(Fact::Delivered(what));
        }
        if !self.is_neighbour(from) {
            return;
        }
        self.set_push(from, Push::Lazy);
        context.send(from, Message::Prune);
        if let Some(first) = held.from.filter(|_| self.config.has(Mutant::PruneBoth)) {
            self.set_push(first, Push::Lazy);
            context.send(first, Message::Prune);
        }
    }

    /// This node has a value that it had not: it passes it on, and waits for it no longer. Who has announced it.
    fn deliver(
        &mut self,
        context: &mut Context<'_, Self>,
        what: Announcement,
        from: Option<NodeId>,
    ) -> Announcers {
        let Announcement { value, round } = what;
        context.fact(Fact::Delivered(what));
        let announcers = self.missing.remove(value).unwrap_or_default();
        if !announcers.is_empty() && !self.config.has(Mutant::TimerNotCancelled) {
            context.cancel_timer(Timer::Graft(value));
        }
        self.known.insert(value, Held { round, from });
        let hop = u32::from(!self.config.has(Mutant::HopNotCounted));
        let onward = Announcement { value, round: round + hop };
        for place in 0..self.views.active.len() {
            let neighbour = &self.views.active[place];
            let (to, push) = (neighbour.node, neighbour.push);
            match push {
                _ if Some(to) == from => {}
                Push::Eager => Self::push(context, to, onward),
                Push::Lazy => self.announce(context, place, onward),
            }
        }
        announcers
    }

    fn push(context: &mut Context<'_, Self>, to: NodeId, what: Announcement) {
        context.fact(Fact::Pushed { to, what });
        context.send(to, Message::Gossip(what));
    }

    // ----- announcements -----

    /// Announces a value to the neighbour in a place, now or with others.
    fn announce(&mut self, context: &mut Context<'_, Self>, place: usize, what: Announcement) {
        let Some(interval) = self.config.announce_interval else {
            return context.send(self.views.active[place].node, Message::IHave(Arc::new([what])));
        };
        self.views.active[place].waiting.push(what);
        if !self.is_announcing {
            self.is_announcing = true;
            context.set_timer(Timer::Announce, interval);
        }
    }

    /// Sends what waits to be announced.
    pub(super) fn on_announce_due(&mut self, context: &mut Context<'_, Self>) {
        self.is_announcing = false;
        for neighbour in &mut self.views.active {
            let waiting = std::mem::take(&mut neighbour.waiting);
            if !waiting.is_empty() {
                context.send(neighbour.node, Message::IHave(waiting.into()));
            }
        }
    }

    /// A neighbour has values. Those that do not come soon are asked for.
    pub(super) fn on_i_have(&mut self, context: &mut Context<'_, Self>, from: NodeId, told: &[Announcement]) {
        if !self.is_neighbour(from) {
            return;
        }
        for what in told.iter().filter(|what| self.known.get(what.value).is_none()) {
            context.fact(Fact::Announced { from, what: *what });
            let is_new = self.missing.add(from, *what);
            if is_new && !self.config.has(Mutant::NoGraftTimer) {
                context.set_timer(Timer::Graft(what.value), self.config.graft_timeout);
            }
        }
    }

    /// A value that was announced has not come: the next one who has it is asked, and the link is in the tree. If it does not come by
    /// that either, it is the turn of another one.
    pub(super) fn on_graft_due(&mut self, context: &mut Context<'_, Self>, value: Value) {
        let next = self.missing.next(value);
        let late = || self.known.get(value)?.from;
        let next = next.or_else(|| late().filter(|_| self.config.has(Mutant::TimerNotCancelled)));
        let Some(to) = next else { return };
        context.fact(Fact::Grafted { to, value });
        context.count(Counter::Grafts as usize, 1);
        context.sometimes(Point::Grafted as usize);
        self.set_push(to, Push::Eager);
        context.send(to, Message::Graft { value: Some(value) });
        if !self.config.has(Mutant::GraftsOnce) {
            context.set_timer(Timer::Graft(value), self.config.graft_retry);
        }
    }

    // ----- the tree -----

    /// A neighbour takes the link into the tree, and may ask for a value.
    pub(super) fn on_graft(&mut self, context: &mut Context<'_, Self>, from: NodeId, value: Option<Value>) {
        let held = value.and_then(|value| Some((value, *self.known.get(value)?)));
        context.fact(Fact::GraftHeard { from, value, is_known: held.is_some() });
        self.set_push(from, Push::Eager);
        if let Some((value, held)) = held.filter(|_| !self.config.has(Mutant::GraftSendsNothing)) {
            Self::push(context, from, Announcement { value, round: held.round + 1 });
        }
    }

    /// A neighbour has no need of the link.
    pub(super) fn on_prune(&mut self, context: &mut Context<'_, Self>, from: NodeId) {
        context.fact(Fact::PruneHeard { from });
        if !self.config.has(Mutant::PruneIgnored) {
            self.set_push(from, Push::Lazy);
        }
    }

    /// A value has come by more hops than it was announced with: where the difference is large enough, the link of the announcement
    /// takes the place of the one by which the value came (§3.6).
    fn optimise(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        worse: Announcement,
        announcers: &Announcers,
    ) {
        let Some(threshold) = self.config.optimisation else { return };
        let is_better = |round: u32| {
            if self.config.has(Mutant::OptimisesBackwards) {
                round > worse.round
            } else {
                worse.round >= round.saturating_add(threshold)
            }
        };
        let fits = |(node, round): &&(NodeId, u32)| *node != from && is_better(*round);
        let Some((graft, round)) = announcers.iter().find(fits).copied() else { return };
        let better = Announcement { round, ..worse };
        context.fact(Fact::Optimised { better, graft, worse, prune: from });
        context.count(Counter::Optimisations as usize, 1);
        context.sometimes(Point::Optimised as usize);
        self.set_push(graft, Push::Eager);
        self.set_push(from, Push::Lazy);
        context.send(graft, Message::Graft { value: None });
        context.send(from, Message::Prune);
    }

    /// One is no neighbour any more: what it has announced can only come from others.
    pub(super) fn forget_announcer(&mut self, context: &mut Context<'_, Self>, node: NodeId) {
        if self.config.has(Mutant::DownNotCleaned) {
            return;
        }
        for value in self.missing.forget(node) {
            context.cancel_timer(Timer::Graft(value));
            context.fact(Fact::Orphaned { value });
        }
    }
}
