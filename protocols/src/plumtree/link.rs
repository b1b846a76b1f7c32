//! Links: what stands in for the TCP connections of the papers. Those have both ends, notice a failure, and lose nothing while they
//! are up.
//!
//! - **Both ends.** A link has a name, and who hears a keep-alive of a link that it does not have says so
//!   ([`Message::Disconnect`]). So a link of which only one end knows is gone within a keep-alive.
//! - **Failures.** Who is silent for too long has failed, as a [`Detector`] says.
//! - **Losses.** A keep-alive announces what the neighbour has not confirmed to have been told of
//!   ([`Config::catch_up`](super::Config::catch_up)), from the beginning where the link is new. The neighbour takes that for
//!   [`Message::IHave`], and grafts what it does not have. That is more than TCP does: it also brings what was broadcast while there
//!   was no link.

use std::sync::Arc;

use serde::Serialize;
use sim_core::{Context, NodeId, Span};

use super::facts::{Fact, Parting};
use super::message::{Announcement, Link, Message};
use super::{Mutant, Plumtree, Point, Timer};
use crate::detector::Detector;

/// So many announcements ride on a keep-alive at most.
const UNCONFIRMED_MAX: u64 = 256;

/// Whether values are sent over a link, or only announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Push {
    /// Sent: the link is in the tree.
    Eager,
    /// Announced.
    Lazy,
}

/// What a node knows of one of its neighbours.
#[derive(Clone, Debug, Serialize)]
pub struct Neighbour {
    /// Who it is.
    pub node: NodeId,
    /// What is done with values.
    pub push: Push,
    pub(super) link: Link,
    pub(super) detector: Detector,
    /// Of how many of this node's values it has confirmed to have been told.
    confirmed: u64,
    /// Of how many of its values it has told this node.
    told: u64,
    /// What waits to be announced to it.
    pub(super) waiting: Vec<Announcement>,
}

impl Neighbour {
    /// One that is heard just now, and of which so much is `confirmed`.
    pub(super) fn new(node: NodeId, link: Link, detector: Detector, confirmed: u64) -> Self {
        Self { node, push: Push::Eager, link, detector, confirmed, told: 0, waiting: Vec::new() }
    }
}

/// The part of a keep-alive that is about values.
pub(super) struct Told {
    pub(super) confirmed: u64,
    pub(super) first: u64,
    pub(super) unconfirmed: Option<Arc<[Announcement]>>,
}

impl Plumtree {
    // ----- keep-alives -----

    /// Has the next keep-alives be sent after this time.
    pub(super) fn await_keep_alive(&mut self, context: &mut Context<'_, Self>, after: Span) {
        self.keep_alive_due = context.now() + after;
        context.set_timer(Timer::KeepAlive, after);
    }

    /// Tells all neighbours that it is there.
    pub(super) fn on_keep_alive_due(&mut self, context: &mut Context<'_, Self>) {
        context.fact(Fact::Ticked { due: self.keep_alive_due });
        self.await_keep_alive(context, self.config.keep_alive);
        for place in 0..self.views.active.len() {
            let (to, message) = self.keep_alive(&self.views.active[place]);
            context.send(to, message);
        }
        self.settled_before = self.settled;
        self.settled = self.known.count();
    }

    /// What came since the last keep-alives is on its way, and not announced once more.
    fn keep_alive(&self, neighbour: &Neighbour) -> (NodeId, Message) {
        let Neighbour { node, link, confirmed: first, told: confirmed, .. } = *neighbour;
        let end = self.settled.min(first.saturating_add(UNCONFIRMED_MAX));
        let is_due = self.config.catch_up.is_on() && first < end;
        let unconfirmed = is_due.then(|| self.known.announcements(first..end).into());
        (node, Message::KeepAlive { link, confirmed, first, unconfirmed })
    }

    /// A node says that it is there.
    pub(super) fn on_keep_alive(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        link: Link,
        values: &Told,
    ) {
        assert!(
            values.unconfirmed.is_none() || self.config.catch_up.is_on(),
            "{}, where nobody catches up, was sent a KeepAlive by {from} with {:?}",
            context.node(),
            values.unconfirmed
        );
        let rule = self.config.detector;
        let Some(neighbour) = self.neighbour_mut(from).filter(|neighbour| neighbour.link == link) else {
            return self.on_unknown_link(context, from, link);
        };
        neighbour.detector.hear(&rule, context.now());
        neighbour.confirmed = neighbour.confirmed.max(values.confirmed);
        let unconfirmed = values.unconfirmed.as_deref().unwrap_or_default();
        let end = values.first + unconfirmed.len() as u64;
        if values.first <= neighbour.told && end > neighbour.told {
            neighbour.told = end;
        }
        context.fact(Fact::Heard { from });
        self.await_silence(context, from);
        self.on_i_have(context, from, unconfirmed);
    }

    /// One takes this node for its neighbour that is none of its own, unless that is just being settled.
    fn on_unknown_link(&mut self, context: &mut Context<'_, Self>, from: NodeId, link: Link) {
        if !self.asked.iter().any(|ask| (ask.peer, ask.link) == (from, link)) {
            context.sometimes(Point::HalfOpen as usize);
            context.send(from, Message::Disconnect { link });
        }
    }

    /// A neighbour says that it is none, or not any more.
    pub(super) fn on_disconnect(&mut self, context: &mut Context<'_, Self>, from: NodeId, link: Link) {
        if self.neighbour(from).is_some_and(|neighbour| neighbour.link == link) {
            self.remove_neighbour(context, from, Parting::Told);
            self.note(context, from, &[]);
            self.seek_anew(context, Some(from));
        }
    }

    // ----- silence -----

    /// Sees to it that the silence of a neighbour is noticed when it gets suspicious.
    pub(super) fn await_silence(&mut self, context: &mut Context<'_, Self>, node: NodeId) {
        let neighbour = self.neighbour(node).expect("it is a neighbour");
        let deadline = neighbour.detector.deadline(&self.config.detector);
        if self.silence_due.is_none_or(|due| deadline < due) {
            self.silence_due = Some(deadline);
            context.set_timer(Timer::Silence, deadline.since(context.now()));
        }
    }

    /// Looks for those that are silent for too long, and who is next.
    pub(super) fn on_silence(&mut self, context: &mut Context<'_, Self>) {
        self.silence_due = None;
        let (rule, now) = (self.config.detector, context.now());
        let is_silent = |neighbour: &&Neighbour| neighbour.detector.is_suspect(&rule, now);
        let silent = self.neighbours().iter().filter(is_silent).map(|neighbour| neighbour.node);
        let silent: Vec<NodeId> =
            if self.config.has(Mutant::SilenceIgnored) { Vec::new() } else { silent.collect() };
        for node in &silent {
            self.part(context, *node, Parting::Failed);
            self.lose(*node);
        }
        for node in self.neighbours().iter().map(|neighbour| neighbour.node).collect::<Vec<_>>() {
            if !self.neighbour(node).is_some_and(|neighbour| is_silent(&neighbour)) {
                self.await_silence(context, node);
            }
        }
        if !silent.is_empty() {
            context.sometimes(Point::Failed as usize);
            self.seek_anew(context, None);
        }
    }
}
