//! What can be done to a running network: each act is data, so that plans, scenarios and people do the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::link::{LatencyFactor, Overlay, Reorder};
use super::partition::{PartitionId, PartitionShape};
use super::{Network, Target};
use crate::id::{Endpoint, MessageId};
use crate::random::Probability;
use crate::time::Span;

/// Which way a fault of a link goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// From the first endpoint to the second.
    OneWay,
    /// Between them.
    BothWays,
}

/// Where a fault that changes link models applies. Where both say something, one link wins over all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// On all links, those of clients included.
    All,
    /// On one link.
    Link {
        /// The sender.
        from: Endpoint,
        /// The receiver.
        to: Endpoint,
        /// Whether the way back is meant, too.
        direction: Direction,
    },
}

/// One act on the network. To undo what is not there is allowed and does nothing, so that plans can be cut
/// down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkFault {
    /// Drops what goes over this link, at send and at arrival. Messages between others that would pass there
    /// take another way; those between its two ends do not.
    Cut {
        /// The sender.
        from: Endpoint,
        /// The receiver.
        to: Endpoint,
        /// Whether the way back is cut, too.
        direction: Direction,
    },
    /// Ends a cut.
    HealCut {
        /// The sender.
        from: Endpoint,
        /// The receiver.
        to: Endpoint,
        /// Whether the way back is healed, too.
        direction: Direction,
    },
    /// Parts the network besides what parts it already; an active partition of the same name is replaced.
    Partition {
        /// The name to heal it by.
        id: PartitionId,
        /// Who is parted from whom.
        shape: PartitionShape,
    },
    /// Ends one partition.
    HealPartition {
        /// Its name.
        id: PartitionId,
    },
    /// Ends all cuts, partitions and holds and all changes to link models. Acts on single messages stay.
    HealAll,
    /// Each message is lost on its own with this probability, whatever the link model says.
    SetLoss {
        /// On which links.
        scope: Scope,
        /// `None` returns to the link model.
        loss: Option<Probability>,
    },
    /// Latencies are multiplied, those of messages sent from now on.
    SetLatencyFactor {
        /// On which links.
        scope: Scope,
        /// `None` returns to the link model.
        factor: Option<LatencyFactor>,
    },
    /// Each message arrives twice with this probability, whatever the link model says.
    SetDuplicate {
        /// On which links.
        scope: Scope,
        /// `None` returns to the link model.
        duplicate: Option<Probability>,
    },
    /// Some messages are held back so that others overtake them, whatever the link model says.
    SetReorder {
        /// On which links.
        scope: Scope,
        /// `None` returns to the link model.
        reorder: Option<Reorder>,
    },
    /// What arrives over this link is kept in front of the receiver.
    Hold {
        /// The sender.
        from: Endpoint,
        /// The receiver.
        to: Endpoint,
        /// Whether the way back is held, too.
        direction: Direction,
    },
    /// What was kept arrives in one burst.
    Release {
        /// The sender.
        from: Endpoint,
        /// The receiver.
        to: Endpoint,
        /// Whether the way back is released, too.
        direction: Direction,
    },
    /// One message is dropped at send, as [`DropReason::Targeted`](super::DropReason::Targeted).
    DropMessage {
        /// Which one; it is yet to be sent.
        message: MessageId,
    },
    /// One message, and its copy if it has one, travels longer.
    DelayMessage {
        /// Which one; it is yet to be sent.
        message: MessageId,
        /// By how much; several delays add up.
        by: Span,
    },
    /// One message arrives twice.
    DuplicateMessage {
        /// Which one; it is yet to be sent.
        message: MessageId,
    },
}

/// Why a [`NetworkFault`] was refused; the network is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FaultError {
    /// The fault names somebody who is not in the network.
    #[error("{endpoint} is not in the network of {nodes} nodes and {clients} clients")]
    UnknownEndpoint {
        /// Who is named.
        endpoint: Endpoint,
        /// How many nodes there are.
        nodes: u32,
        /// How many clients there are.
        clients: u32,
    },
}

impl Direction {
    /// The directed links meant.
    fn links(self, from: Endpoint, to: Endpoint) -> impl Iterator<Item = (Endpoint, Endpoint)> {
        let back = match self {
            Self::OneWay => None,
            Self::BothWays => Some((to, from)),
        };
        std::iter::once((from, to)).chain(back)
    }
}

impl NetworkFault {
    /// Everybody this fault names.
    fn named(&self) -> Vec<Endpoint> {
        match self {
            Self::Cut { from, to, .. }
            | Self::HealCut { from, to, .. }
            | Self::Hold { from, to, .. }
            | Self::Release { from, to, .. } => vec![*from, *to],
            Self::Partition { shape, .. } => shape.named(),
            Self::HealPartition { .. } | Self::HealAll => Vec::new(),
            Self::SetLoss { scope, .. }
            | Self::SetLatencyFactor { scope, .. }
            | Self::SetDuplicate { scope, .. }
            | Self::SetReorder { scope, .. } => scope.named(),
            Self::DropMessage { message }
            | Self::DelayMessage { message, .. }
            | Self::DuplicateMessage { message } => vec![message.from, message.to],
        }
    }
}

impl Scope {
    fn named(self) -> Vec<Endpoint> {
        match self {
            Self::All => Vec::new(),
            Self::Link { from, to, .. } => vec![from, to],
        }
    }
}

impl Network {
    /// Does what `fault` says.
    ///
    /// Messages parked because of [`Arrival::Held`](super::Arrival::Held) may be free after this: the world
    /// asks [`Network::arrive`] again for each, in the order they were parked.
    ///
    /// # Errors
    ///
    /// If it names an endpoint that does not exist.
    pub fn apply(&mut self, fault: &NetworkFault) -> Result<(), FaultError> {
        let (nodes, clients) = (self.population.nodes, self.population.clients);
        if let Some(endpoint) = fault.named().into_iter().find(|&named| !self.population.contains(named)) {
            return Err(FaultError::UnknownEndpoint { endpoint, nodes, clients });
        }
        self.change(fault);
        self.settle();
        Ok(())
    }

    fn change(&mut self, fault: &NetworkFault) {
        match *fault {
            NetworkFault::Cut { from, to, direction } => {
                direction.links(from, to).for_each(|(from, to)| self.barriers.cuts.insert(from, to));
            }
            NetworkFault::HealCut { from, to, direction } => {
                direction.links(from, to).for_each(|(from, to)| self.barriers.cuts.remove(from, to));
            }
            NetworkFault::Partition { id, ref shape } => self.barriers.part(id, shape),
            NetworkFault::HealPartition { id } => self.barriers.heal(id),
            NetworkFault::HealAll => {
                self.barriers.heal_all();
                self.overlays = Overlays::default();
            }
            NetworkFault::SetLoss { scope, loss } => self.overlays.set(scope, |overlay| overlay.loss = loss),
            NetworkFault::SetLatencyFactor { scope, factor } => {
                self.overlays.set(scope, |overlay| overlay.latency_factor = factor);
            }
            NetworkFault::SetDuplicate { scope, duplicate } => {
                self.overlays.set(scope, |overlay| overlay.duplicate = duplicate);
            }
            NetworkFault::SetReorder { scope, reorder } => {
                self.overlays.set(scope, |overlay| overlay.reorder = reorder);
            }
            NetworkFault::Hold { from, to, direction } => {
                direction.links(from, to).for_each(|(from, to)| self.barriers.holds.insert(from, to));
            }
            NetworkFault::Release { from, to, direction } => {
                direction.links(from, to).for_each(|(from, to)| self.barriers.holds.remove(from, to));
            }
            NetworkFault::DropMessage { message } => self.target(message).is_dropped = true,
            NetworkFault::DelayMessage { message, by } => {
                let target = self.target(message);
                target.delay = target.delay + by;
            }
            NetworkFault::DuplicateMessage { message } => self.target(message).is_doubled = true,
        }
    }

    fn target(&mut self, message: MessageId) -> &mut Target {
        self.targets.entry(message).or_default()
    }
}

/// What faults say about link models: for all links, and for single ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlays {
    all: Overlay,
    links: BTreeMap<(Endpoint, Endpoint), Overlay>,
}

impl Overlays {
    pub(super) fn is_empty(&self) -> bool {
        self.all == Overlay::default() && self.links.is_empty()
    }

    pub(super) fn of(&self, link: (Endpoint, Endpoint)) -> Overlay {
        self.links.get(&link).map_or(self.all, |overlay| overlay.or(self.all))
    }

    fn set(&mut self, scope: Scope, change: impl Fn(&mut Overlay)) {
        match scope {
            Scope::All => change(&mut self.all),
            Scope::Link { from, to, direction } => {
                direction.links(from, to).for_each(|link| change(self.links.entry(link).or_default()));
                self.links.retain(|_, overlay| *overlay != Overlay::default());
            }
        }
    }
}
