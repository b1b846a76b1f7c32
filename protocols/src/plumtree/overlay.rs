//! The two views of a node (HyParView §4): its neighbours, few and mutual, and others that it knows, many and by hearsay.

use serde::Serialize;
use sim_core::metrics::Opinion;
use sim_core::{Context, NodeId};

use super::facts::{Fact, Parting, Removal};
use super::link::Neighbour;
use super::message::{Link, Message};
use super::metrics::{Counter, Gauge};
use super::{Mutant, Plumtree, Point};
use crate::detector::Detector;
use crate::draw;

/// Whom a node knows.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Views {
    /// The neighbours: no more than `active_view`, never the node itself.
    pub(super) active: Vec<Neighbour>,
    /// Others: no more than `passive_view`, neither neighbours nor the node itself.
    pub(super) passive: Vec<NodeId>,
    /// Those that did not answer or were silent, the next to be tried first: no more than `passive_view`.
    pub(super) lost: Vec<NodeId>,
}

impl Plumtree {
    // ----- queries -----

    /// Its neighbours, in the order in which they came.
    pub fn neighbours(&self) -> &[Neighbour] {
        &self.views.active
    }

    /// Whom it knows besides.
    pub fn passive(&self) -> &[NodeId] {
        &self.views.passive
    }

    pub(super) fn neighbour(&self, node: NodeId) -> Option<&Neighbour> {
        self.views.active.iter().find(|neighbour| neighbour.node == node)
    }

    pub(super) fn neighbour_mut(&mut self, node: NodeId) -> Option<&mut Neighbour> {
        self.views.active.iter_mut().find(|neighbour| neighbour.node == node)
    }

    pub(super) fn is_neighbour(&self, node: NodeId) -> bool {
        self.neighbour(node).is_some()
    }

    pub(super) fn has_room(&self) -> bool {
        self.views.active.len() < self.config.active_view as usize
    }

    /// One of the neighbours but for `others`, each equally likely.
    pub(super) fn draw_neighbour(
        &self,
        context: &mut Context<'_, Self>,
        others: &[NodeId],
    ) -> Option<NodeId> {
        let fits =
            self.views.active.iter().map(|neighbour| neighbour.node).filter(|node| !others.contains(node));
        let fitting: Vec<NodeId> = fits.collect();
        context.random().pick(&fitting).copied()
    }

    // ----- the active view -----

    /// One is a neighbour from now on, in the tree until a duplicate says otherwise. Where there is no room, another one
    /// makes it.
    pub(super) fn add_neighbour(&mut self, context: &mut Context<'_, Self>, node: NodeId, link: Link) {
        assert_ne!(node, self.node, "a node is no neighbour of its own");
        if let Some(present) = self.neighbour(node) {
            if present.link == link {
                return;
            }
            self.remove_neighbour(context, node, Parting::Renewed);
        }
        while !self.has_room() {
            self.displace(context);
        }
        self.strike(context, node, Removal::Promoted);
        self.views.lost.retain(|lost| *lost != node);
        let detector = Detector::new(&self.config.detector, context.now());
        let confirmed = if self.config.has(Mutant::LinkBeginsLate) { self.known.count() } else { 0 };
        self.views.active.push(Neighbour::new(node, link, detector, confirmed));
        context.fact(Fact::Up { node });
        context.judge(node, Opinion::Trusted);
        self.tell_neighbours(context);
        self.await_silence(context, node);
    }

    /// Drops a neighbour, drawn from all, for another one.
    fn displace(&mut self, context: &mut Context<'_, Self>) {
        let node = self.draw_neighbour(context, &[]).expect("there is no room, so there are neighbours");
        context.sometimes(Point::Displaced as usize);
        self.part(context, node, Parting::Displaced);
        self.note(context, node, &[]);
    }

    /// One is a neighbour no longer, and is told so.
    pub(super) fn part(&mut self, context: &mut Context<'_, Self>, node: NodeId, why: Parting) {
        let link = self.neighbour(node).expect("it is a neighbour").link;
        self.remove_neighbour(context, node, why);
        context.send(node, Message::Disconnect { link });
    }

    /// One is a neighbour no longer.
    pub(super) fn remove_neighbour(&mut self, context: &mut Context<'_, Self>, node: NodeId, why: Parting) {
        self.views.active.retain(|neighbour| neighbour.node != node);
        context.fact(Fact::Down { node, why });
        if why == Parting::Failed {
            context.count(Counter::NeighboursFailed as usize, 1);
            context.judge(node, Opinion::Suspected);
        }
        self.tell_neighbours(context);
        self.forget_announcer(context, node);
    }

    /// Neighbours are those whose silence it listens to.
    pub(super) fn tell_neighbours(&self, context: &mut Context<'_, Self>) {
        let count = self.views.active.len() as u64;
        context.gauge(Gauge::Neighbours as usize, count);
        context.watch(count);
    }

    // ----- the passive view -----

    /// Notes one whom it does not know. Where there is no room, one of `given` makes it, or else any.
    pub(super) fn note(&mut self, context: &mut Context<'_, Self>, node: NodeId, given: &[NodeId]) {
        let is_self = node == self.node && !self.config.has(Mutant::KnowsItself);
        if is_self || self.is_neighbour(node) || self.views.passive.contains(&node) {
            return;
        }
        let is_full = self.views.passive.len() >= self.config.passive_view as usize;
        if is_full && !self.config.has(Mutant::PassiveUnbounded) {
            self.evict(context, given);
        }
        self.views.passive.push(node);
        context.fact(Fact::Noted { node });
    }

    fn evict(&mut self, context: &mut Context<'_, Self>, given: &[NodeId]) {
        let is_given = |node: &&NodeId| given.contains(node);
        let evicted = self.views.passive.iter().find(is_given).copied();
        let evicted = evicted.or_else(|| context.random().pick(&self.views.passive).copied());
        self.strike(context, evicted.expect("it is full"), Removal::Evicted);
    }

    /// One is in the passive view no longer, if it was.
    pub(super) fn strike(&mut self, context: &mut Context<'_, Self>, node: NodeId, why: Removal) {
        if let Some(place) = self.views.passive.iter().position(|passive| *passive == node) {
            self.views.passive.remove(place);
            context.fact(Fact::Struck { node, why });
        }
    }

    /// So many of the passive view, drawn, without one of them.
    pub(super) fn draw_passive(
        &self,
        context: &mut Context<'_, Self>,
        count: usize,
        but: NodeId,
    ) -> Vec<NodeId> {
        draw_some(context, self.views.passive.iter().copied().filter(|node| *node != but), count)
    }

    // ----- those who were lost -----

    /// One did not answer, or was silent.
    pub(super) fn lose(&mut self, node: NodeId) {
        self.views.lost.retain(|lost| *lost != node);
        self.views.lost.push(node);
        if self.views.lost.len() > self.config.passive_view as usize {
            self.views.lost.remove(0);
        }
    }
}

/// So many of these, or all if there are no more, in a drawn order.
pub(super) fn draw_some(
    context: &mut Context<'_, Plumtree>,
    all: impl Iterator<Item = NodeId>,
    count: usize,
) -> Vec<NodeId> {
    let mut all: Vec<NodeId> = all.collect();
    context.random().shuffle(&mut all);
    all.truncate(count);
    all
}

/// A node of the scenario but for this one: what a bootstrap service answers.
pub(super) fn draw_other(context: &mut Context<'_, Plumtree>, node: NodeId) -> NodeId {
    let count = u32::try_from(context.node_count()).expect("node counts fit 31 bits");
    draw::other(context.random(), node, count)
}
