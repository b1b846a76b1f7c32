//! How nodes become neighbours (HyParView §4.2 and §4.3): by joining, at the end of a newcomer's walk, in place of one
//! that is gone, and again after they have lost each other.
//!
//! There is no connection that both ends know of, so there is a handshake: who asks draws the name of the link
//! ([`Link`]), who is asked adds it and accepts, and who asked adds it then. What becomes of half of it, keep-alives mend
//! (`link`).

use serde::Serialize;
use sim_core::{Context, NodeId};

use super::facts::{Fact, Removal};
use super::message::{Link, Message, Priority};
use super::overlay::draw_other;
use super::{Mutant, Plumtree, Point, Timer};
use crate::draw;

/// What one who was asked to be a neighbour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Purpose {
    /// To come into the overlay.
    Join,
    /// The walk of a newcomer ended here.
    Walk,
    /// To fill a free place.
    Replace,
    /// It was lost, or there is room and nobody takes it.
    Reconnect,
}

/// One who was asked and has not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Ask {
    pub(super) peer: NodeId,
    pub(super) link: Link,
    purpose: Purpose,
}

impl Plumtree {
    // ----- joining -----

    /// Joins through one of those that a bootstrap service would name. At the first start these are the nodes before it, so
    /// that all come into one overlay; the first waits for others.
    pub(super) fn join(&mut self, context: &mut Context<'_, Self>) {
        if !context.is_first_start() {
            return self.join_anybody(context);
        }
        if self.node.raw() > 0 {
            let contact = NodeId::new(draw::below(context.random(), self.node.raw()));
            self.ask(context, contact, Purpose::Join);
        }
    }

    fn join_anybody(&mut self, context: &mut Context<'_, Self>) {
        let contact = draw_other(context, self.node);
        self.ask(context, contact, Purpose::Join);
    }

    /// A newcomer is a neighbour, whoever must go for it, and others hear of it.
    pub(super) fn on_join(&mut self, context: &mut Context<'_, Self>, from: NodeId, link: Link) {
        let is_known = self.neighbour(from).is_some_and(|neighbour| neighbour.link == link);
        self.add_neighbour(context, from, link);
        context.send(from, Message::Accept { link });
        if is_known {
            return;
        }
        let others = self.neighbours().iter().map(|neighbour| neighbour.node).filter(|node| *node != from);
        for node in others.collect::<Vec<_>>() {
            context.send(node, Message::ForwardJoin { newcomer: from, ttl: self.config.active_walk });
        }
    }

    /// The walk of a newcomer comes by. It ends where it has no hops left or nowhere to go; so many hops before, the newcomer
    /// is noted.
    pub(super) fn on_forward_join(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        newcomer: NodeId,
        ttl: u32,
    ) {
        if newcomer == self.node {
            return;
        }
        let is_alone = self.neighbours().len() <= 1;
        let next = if ttl == 0 || is_alone { None } else { self.draw_neighbour(context, &[from, newcomer]) };
        let left = if self.config.has(Mutant::WalkWithoutEnd) { ttl } else { ttl.saturating_sub(1) };
        context.fact(Fact::Walked { ttl, onward: next.map(|_| left) });
        let Some(next) = next else {
            if !self.is_neighbour(newcomer) {
                self.ask(context, newcomer, Purpose::Walk);
            }
            return;
        };
        if ttl == self.config.passive_walk {
            self.note(context, newcomer, &[]);
            self.seek(context);
        }
        context.send(next, Message::ForwardJoin { newcomer, ttl: left });
    }

    // ----- who asks -----

    /// Asks one to be a neighbour.
    fn ask(&mut self, context: &mut Context<'_, Self>, peer: NodeId, purpose: Purpose) {
        if self.asked.iter().any(|ask| ask.peer == peer) {
            return;
        }
        let link = Link(draw::below(context.random(), u32::MAX));
        self.asked.push(Ask { peer, link, purpose });
        context.set_timer(Timer::Connect(peer), self.config.connect_timeout);
        let message = match purpose {
            Purpose::Join => Message::Join { link },
            Purpose::Walk | Purpose::Reconnect => Message::Neighbour { link, priority: Priority::High },
            Purpose::Replace if self.neighbours().is_empty() => {
                Message::Neighbour { link, priority: Priority::High }
            }
            Purpose::Replace => Message::Neighbour { link, priority: Priority::Low },
        };
        context.send(peer, message);
    }

    /// Takes back that one was asked, if it was for this link.
    fn take_ask(&mut self, context: &mut Context<'_, Self>, peer: NodeId, link: Link) -> Option<Ask> {
        let place = self.asked.iter().position(|ask| (ask.peer, ask.link) == (peer, link))?;
        context.cancel_timer(Timer::Connect(peer));
        Some(self.asked.remove(place))
    }

    /// One who was asked is a neighbour. Two that have asked each other take the higher link.
    pub(super) fn on_accept(&mut self, context: &mut Context<'_, Self>, from: NodeId, link: Link) {
        let present = self.neighbour(from).map(|neighbour| neighbour.link);
        let Some(ask) = self.take_ask(context, from, link) else {
            if present != Some(link) {
                context.send(from, Message::Disconnect { link });
            }
            return;
        };
        let is_late = ask.purpose == Purpose::Replace && !self.has_room() && present.is_none();
        if is_late {
            context.sometimes(Point::Late as usize);
            context.send(from, Message::Disconnect { link });
        } else if present < Some(link) {
            self.add_neighbour(context, from, link);
        }
        self.seek(context);
    }

    /// One who was asked has no room: the next is asked.
    pub(super) fn on_refuse(&mut self, context: &mut Context<'_, Self>, from: NodeId, link: Link) {
        if self.take_ask(context, from, link).is_some() {
            self.tried.push(from);
            self.seek(context);
        }
    }

    /// One who was asked has not answered: it is taken for down.
    pub(super) fn on_connect_timeout(&mut self, context: &mut Context<'_, Self>, peer: NodeId) {
        let place = self.asked.iter().position(|ask| ask.peer == peer);
        self.asked.remove(place.expect("the timer is cancelled with what it is for"));
        context.sometimes(Point::Unreachable as usize);
        self.strike(context, peer, Removal::Unreachable);
        if !self.is_neighbour(peer) {
            self.lose(peer);
        }
        self.seek(context);
    }

    // ----- who is asked -----

    /// Another node wants to be a neighbour.
    pub(super) fn on_neighbour(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        link: Link,
        priority: Priority,
    ) {
        context.fact(Fact::Requested { from, priority });
        let is_welcome = match priority {
            Priority::High => !self.config.has(Mutant::HighPriorityRefused),
            Priority::Low => self.config.has(Mutant::LowPriorityDisplaces),
        };
        if !(is_welcome || self.has_room() || self.is_neighbour(from)) {
            context.fact(Fact::Refused { to: from });
            return context.send(from, Message::Refuse { link });
        }
        if !self.config.has(Mutant::AsymmetricViews) {
            self.add_neighbour(context, from, link);
        }
        context.fact(Fact::Accepted { to: from });
        context.send(from, Message::Accept { link });
    }

    // ----- free places -----

    /// Asks all whom it knows, one after the other, until its places are taken; who said no in this round is not asked again.
    pub(super) fn seek_anew(&mut self, context: &mut Context<'_, Self>, but: Option<NodeId>) {
        self.tried.clear();
        self.tried.extend(but);
        self.seek(context);
    }

    pub(super) fn seek(&mut self, context: &mut Context<'_, Self>) {
        if self.config.has(Mutant::NeverReplaces) {
            return;
        }
        let left: Vec<NodeId> = self.sought().collect();
        match context.random().pick(&left) {
            Some(peer) => self.ask(context, *peer, Purpose::Replace),
            None if self.neighbours().is_empty() && self.asked.is_empty() => self.join_anybody(context),
            None => {}
        }
    }

    /// Whom it could ask next for a free place: nobody where it has none, or is asking.
    pub(super) fn sought(&self) -> impl Iterator<Item = NodeId> {
        let is_asking = self.asked.iter().any(|ask| ask.purpose == Purpose::Replace);
        let is_idle = self.has_room() && !is_asking;
        let is_asked = |node: &NodeId| self.asked.iter().any(|ask| ask.peer == *node);
        let all = self.views.passive.iter().copied().filter(move |_| is_idle);
        all.filter(move |node| !self.tried.contains(node) && !is_asked(node))
    }

    /// Asks one whom it has lost; and, while it has room that nobody takes, anybody.
    pub(super) fn on_reconnect(&mut self, context: &mut Context<'_, Self>) {
        self.await_reconnect(context);
        if self.config.has(Mutant::NeverReconnects) {
            return;
        }
        if !self.views.lost.is_empty() {
            let peer = self.views.lost.remove(0);
            context.sometimes(Point::Reconnected as usize);
            self.ask(context, peer, Purpose::Reconnect);
        }
        // One that stays lost is no reason not to look elsewhere.
        if self.has_room() {
            let peer = draw_other(context, self.node);
            let is_asked = self.asked.iter().any(|ask| ask.peer == peer);
            if !self.is_neighbour(peer) && !is_asked {
                self.ask(context, peer, Purpose::Reconnect);
            }
        }
    }

    pub(super) fn await_reconnect(&self, context: &mut Context<'_, Self>) {
        if let Some(interval) = self.config.reconnect_interval {
            context.set_timer(Timer::Reconnect, interval);
        }
    }
}
