//! Ghost state that several invariants read.
//!
//! Each invariant keeps its own ghost state, unless others need the same: then it names it in
//! [`Invariant::ghosts`](super::Invariant::ghosts). The world keeps one of each type and hands the facts of an event to
//! it before any invariant sees them. So invariants see it as it is after the event; who needs the order within one has
//! the facts. Nobody else changes it, so invariants that share something still do not depend on each other: each may be
//! switched off, and goes on when another is violated.

use std::any::{Any, TypeId};

use super::Invariant;
use crate::NodeId;
use crate::process::Process;

/// Ghost state that several invariants read. One of a type is kept in a world.
pub trait Ghost<P: Process>: Any + Send {
    /// `node` has just handled an event and stated `facts` (at least one, in order).
    fn on_event(&mut self, node: NodeId, facts: &[P::Fact]);

    /// A copy, for snapshots.
    fn fork(&self) -> Box<dyn Ghost<P>>;
}

/// All shared ghost states of a world: one of each type.
pub(crate) struct Ghosts<P: Process>(Vec<Box<dyn Ghost<P>>>);

impl<P: Process> Ghosts<P> {
    /// What these invariants share.
    pub(crate) fn of(invariants: &[Box<dyn Invariant<P>>]) -> Self {
        let mut kept: Vec<Box<dyn Ghost<P>>> = Vec::new();
        for ghost in invariants.iter().flat_map(|invariant| invariant.ghosts()) {
            if kept.iter().all(|known| type_of(known.as_ref()) != type_of(ghost.as_ref())) {
                kept.push(ghost);
            }
        }
        Self(kept)
    }

    /// Hands the facts of an event to each.
    #[inline]
    pub(crate) fn on_event(&mut self, node: NodeId, facts: &[P::Fact]) {
        self.0.iter_mut().for_each(|ghost| ghost.on_event(node, facts));
    }

    /// The one of this type.
    #[inline]
    pub(super) fn get<G: Ghost<P>>(&self) -> &G {
        let mut all = self.0.iter().map(|ghost| ghost.as_ref() as &dyn Any);
        all.find_map(|ghost| ghost.downcast_ref()).expect("an invariant names the ghost states that it reads")
    }
}

impl<P: Process> Clone for Ghosts<P> {
    fn clone(&self) -> Self {
        Self(self.0.iter().map(|ghost| ghost.fork()).collect())
    }
}

fn type_of<P: Process>(ghost: &dyn Ghost<P>) -> TypeId {
    (ghost as &dyn Any).type_id()
}
