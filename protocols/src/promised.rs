//! Invariants of what only some configurations promise.

use std::fmt;

use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::{NodeId, Process};

/// An invariant that is asked only where it is promised.
pub(crate) struct Promised<P: Process> {
    is_promised: bool,
    property: Box<dyn Invariant<P>>,
}

impl<P: Process> Promised<P> {
    pub(crate) fn when(is_promised: bool, property: Box<dyn Invariant<P>>) -> Box<dyn Invariant<P>> {
        Box::new(Self { is_promised, property })
    }
}

/// A derived one would ask for a process that can be copied.
impl<P: Process> Clone for Promised<P> {
    fn clone(&self) -> Self {
        Self { is_promised: self.is_promised, property: self.property.clone() }
    }
}

/// As the invariant itself: a derived one would ask for a process that can be printed.
impl<P: Process> fmt::Debug for Promised<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.property.fmt(f)
    }
}

impl<P: Process> Invariant<P> for Promised<P> {
    fn about(&self) -> &'static About {
        self.property.about()
    }

    fn hears(&self) -> Kinds {
        if self.is_promised { self.property.hears() } else { [].into_iter().collect() }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, P>, node: NodeId, facts: &[P::Fact]) -> Result<(), Breach> {
        if self.is_promised { self.property.on_event(nodes, node, facts) } else { Ok(()) }
    }

    fn check_all(&self, nodes: &Nodes<'_, P>) -> Result<(), Breach> {
        if self.is_promised { self.property.check_all(nodes) } else { Ok(()) }
    }
}
