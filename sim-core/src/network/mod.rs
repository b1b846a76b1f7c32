//! The network: decides for each message whether, when and how often it arrives.
//!
//! A message of a link has an **ordinal**; all its draws are functions of (seed, purpose, link, ordinal). So
//! nothing that happens on one link shifts a draw on another, and no fault shifts the draws of messages it
//! does not end.
//!
//! | when | asks | decides |
//! | --- | --- | --- |
//! | send | [`Network::next_ordinal`], [`Network::send`] | cuts, partitions, route, bandwidth, latency, loss, duplication |
//! | arrival | [`Network::arrive`] | cuts and partitions again, and whether the link is held |
//!
//! Linked endpoints talk over their own link only. Nodes that are not linked take the [shortest usable
//! path](route), as one event: each link of the path delays, loses and queues as its model says, and those
//! the path leads over see the message as sent now. What happens on the way after the send is left out, such
//! as a cut of a link in the middle. Clients are linked with everybody.
//!
//! Cuts and partitions end a message at its send and at its arrival; nothing in between matters. A receiver that is
//! down ends it at the arrival only: nobody can know at the send, and the node may be up again by then. That, and
//! what a restart does to connections, is the world's to decide, with [`Network::transport`]; nodes that are down
//! forward nothing ([`Network::set_forwarding`]), so at the send no path leads over them.
//!
//! Memory is linear in endpoints, plus what is specific to single links: overrides, faults, and the state of
//! links with bursty loss, bandwidth or connections that have been used.

mod draw;
mod drop_reason;
mod fault;
mod link;
mod ordinal;
mod partition;
mod route;
mod topology;

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use self::draw::{Draws, Keys};
use self::fault::Overlays;
use self::link::{Conditions, LinkStates};
use self::ordinal::{Ordinals, Population};
use self::partition::Barriers;
use self::route::Router;
use crate::id::{Endpoint, MessageId, NodeId};
use crate::random::KeySource;
use crate::time::{SimTime, Span};

pub use drop_reason::DropReason;
pub use fault::{Direction, FaultError, NetworkFault, Scope};
pub use link::{Bandwidth, LatencyFactor, LinkModel, Loss, Reorder, Transport};
pub use partition::{PartitionId, PartitionShape};
pub use topology::{LISTED_NODES_MAX, Topology, TopologyError};

/// Everything a network is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkConfig {
    /// How many nodes there are, spare ones included.
    pub nodes: u32,
    /// How many clients there are.
    pub clients: u32,
    /// Which nodes are linked.
    pub topology: Topology,
    /// The links between nodes.
    pub node_link: LinkModel,
    /// The links of clients, both ways, whoever is at the other end.
    pub client_link: LinkModel,
    /// Links unlike the others; of several for the same link the last counts. An override replaces the
    /// latency between regions as well.
    pub overrides: Vec<LinkOverride>,
}

/// One direction of one link that has a model of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkOverride {
    /// The sender.
    pub from: Endpoint,
    /// The receiver.
    pub to: Endpoint,
    /// What the link does instead.
    pub model: LinkModel,
}

/// Why a [`NetworkConfig`] makes no network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// The topology does not fit the nodes.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// An override names an endpoint that does not exist.
    #[error("a link override names {endpoint}, which is not in the network")]
    UnknownEndpoint {
        /// Who is named.
        endpoint: Endpoint,
    },
}

/// What becomes of a message at send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It arrives.
    Deliver {
        /// When.
        at: SimTime,
    },
    /// It arrives twice; the copy may be first.
    Twice {
        /// When the message itself does.
        at: SimTime,
        /// When its copy does.
        copy_at: SimTime,
    },
    /// It never arrives.
    Drop(DropReason),
}

/// What becomes of a message that gets to its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is handed over.
    Deliver,
    /// It waits in front of the receiver until the link is released: the world parks it and asks again after
    /// each fault.
    Held,
    /// It is dropped.
    Drop(DropReason),
}

/// Whether a node passes on messages between others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// It does.
    On,
    /// It does not: it is down.
    Off,
}

/// A simulated network; see the [module](self). A clone behaves the same from here on.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "answers that follow from the rest, each read by itself at every event"
)]
pub struct Network {
    /// Whether a message can do nothing but travel: everybody is linked, links are plain, and no fault is
    /// active.
    is_plain: bool,
    has_barriers: bool,
    /// Whether somebody keeps account of what is on its way.
    is_watched: bool,
    /// Whether what is sent needs no more than a latency: the network is plain, and nobody watches.
    is_express: bool,
    /// Whether what arrives is handed over unseen: nothing can stop it, and nobody watches.
    is_open: bool,
    population: Population,
    keys: Keys,
    links: Links,
    ordinals: Ordinals,
    states: LinkStates,
    barriers: Barriers,
    overlays: Overlays,
    router: Router,
    /// Acts on single messages that are yet to be sent.
    targets: BTreeMap<MessageId, Target>,
}

/// The link models of a network, which no fault changes.
#[derive(Clone, Debug)]
struct Links {
    nodes: LinkModel,
    clients: LinkModel,
    overrides: Arc<BTreeMap<(Endpoint, Endpoint), LinkModel>>,
    regions: Option<Arc<Regions>>,
    has_connections: bool,
}

#[derive(Debug)]
struct Regions {
    region_of: Vec<u16>,
    rtt: Vec<Vec<Span>>,
}

/// What a plan does to one message.
#[derive(Clone, Copy, Debug, Default)]
struct Target {
    is_dropped: bool,
    is_doubled: bool,
    delay: Span,
}

/// A message on its way.
struct Journey {
    size: u64,
    is_doubled: bool,
    at: SimTime,
    copy_at: SimTime,
    mishap: Option<DropReason>,
}

impl Network {
    /// A network without faults, whose draws come from `source`.
    ///
    /// # Errors
    ///
    /// If the topology does not fit the number of nodes, or an override names somebody unknown.
    pub fn new(config: &NetworkConfig, source: &KeySource) -> Result<Self, NetworkError> {
        let population = Population { nodes: config.nodes, clients: config.clients };
        let edges = config.topology.listed_edges(config.nodes, source)?;
        let mut network = Self {
            is_plain: false,
            has_barriers: false,
            is_watched: false,
            is_express: false,
            is_open: false,
            population,
            keys: Keys::new(source),
            links: Links::new(config, population)?,
            ordinals: Ordinals::new(population),
            states: LinkStates::default(),
            barriers: Barriers::new(population),
            overlays: Overlays::default(),
            router: Router::new(config.nodes, edges.as_ref()),
            targets: BTreeMap::new(),
        };
        network.settle();
        Ok(network)
    }

    /// Draws from `source` from now on. Ordinals, faults and topology stay.
    pub fn rekey(&mut self, source: &KeySource) {
        self.keys = Keys::new(source);
    }

    /// The ordinal of the next message from `from` to `to`; counts it.
    #[inline(always)]
    pub fn next_ordinal(&mut self, from: Endpoint, to: Endpoint) -> u32 {
        self.ordinals.next(from, to)
    }

    /// A number of messages that `from` has sent over one of its counters: for whoever wants it in the cache.
    pub(crate) fn peek_ordinal(&self, from: Endpoint) -> u32 {
        self.ordinals.peek(from)
    }

    /// When a message arrives that is sent at `now`, where nothing but latency can happen to messages, there are no
    /// connections and nobody watches.
    #[inline(always)]
    pub fn send_plainly(&self, now: SimTime, id: MessageId) -> Option<SimTime> {
        if self.is_express { Some(self.usual_arrival(now, id)) } else { None }
    }

    #[inline(always)]
    fn usual_arrival(&self, now: SimTime, id: MessageId) -> SimTime {
        let model = self.links.usual((id.from, id.to));
        now + model.latency.sample_with(|| Draws::of_message(id).of(self.keys.latency))
    }

    /// Sends a message of `size` bytes at `now`. On one link, calls are in the order of `now`.
    #[inline]
    pub fn send(&mut self, now: SimTime, id: MessageId, size: u64) -> Sending {
        if self.is_plain {
            Sending::Deliver { at: self.usual_arrival(now, id) }
        } else {
            self.send_with_care(now, id, size)
        }
    }

    /// Somebody keeps account of what is on its way, from here on: nothing is sent or handed over unseen. What becomes of
    /// messages stays the same.
    pub(crate) fn watch(&mut self) {
        self.is_watched = true;
        self.settle();
    }

    #[inline(always)]
    pub(crate) const fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// What becomes of a message from `from` to `to` that arrives now.
    #[inline(always)]
    pub fn arrive(&self, from: Endpoint, to: Endpoint) -> Arrival {
        if self.has_barriers { self.arrive_with_care(from, to) } else { Arrival::Deliver }
    }

    /// Starts or stops passing on messages between others at `node`; without effect where everybody is
    /// linked.
    pub fn set_forwarding(&mut self, node: NodeId, forwarding: Forwarding) {
        self.router.set_forwarding(node, forwarding == Forwarding::On);
    }

    /// How many nodes and clients it is for.
    pub(crate) const fn population(&self) -> (u32, u32) {
        (self.population.nodes, self.population.clients)
    }

    /// What the link from `from` to `to` promises.
    pub fn transport(&self, from: Endpoint, to: Endpoint) -> Transport {
        self.links.model((from, to)).transport
    }

    /// Whether everything that arrives is handed over unseen: no cuts, partitions, holds or connections, and nobody who
    /// watches.
    #[inline(always)]
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether any link is a [`Transport::Connection`].
    #[inline]
    pub const fn has_connections(&self) -> bool {
        self.links.has_connections
    }

    /// Whether messages from `from` to `to` go over a link of their own. Everybody is linked with itself.
    pub fn are_linked(&self, from: Endpoint, to: Endpoint) -> bool {
        match (from.node(), to.node()) {
            (Some(from), Some(to)) => self.router.are_linked(from, to),
            (None, _) | (_, None) => true,
        }
    }

    /// Notes what is active after a change, so that sends can pass by it quickly.
    fn settle(&mut self) {
        self.router.forget();
        self.has_barriers = !self.barriers.is_empty();
        self.is_plain = self.router.is_mesh()
            && self.links.are_plain(self.population)
            && !self.has_barriers
            && self.overlays.is_empty()
            && self.targets.is_empty();
        self.is_express = self.is_plain && !self.is_watched;
        self.is_open = !self.has_barriers && !self.links.has_connections && !self.is_watched;
    }

    #[cold]
    #[inline(never)]
    fn arrive_with_care(&self, from: Endpoint, to: Endpoint) -> Arrival {
        match self.barriers.obstacle(from, to) {
            Some(reason) => Arrival::Drop(reason),
            None if self.barriers.is_held(from, to) => Arrival::Held,
            None => Arrival::Deliver,
        }
    }

    #[inline(never)]
    fn send_with_care(&mut self, now: SimTime, id: MessageId, size: u64) -> Sending {
        let target = self.take_target(id);
        self.travel(now, id, size, target).unwrap_or_else(Sending::Drop)
    }

    fn take_target(&mut self, id: MessageId) -> Target {
        let Some(target) = self.targets.remove(&id) else { return Target::default() };
        self.settle();
        target
    }

    fn travel(
        &mut self,
        now: SimTime,
        id: MessageId,
        size: u64,
        target: Target,
    ) -> Result<Sending, DropReason> {
        let link = (id.from, id.to);
        self.barriers.obstacle(id.from, id.to).map_or(Ok(()), Err)?;
        let conditions = self.links.conditions(link, &self.overlays);
        let transport = conditions.model.transport;
        let is_doubled = target.is_doubled || conditions.is_doubled(Draws::of_message(id), &self.keys);
        let mut journey = Journey { size, is_doubled, at: now, copy_at: now, mishap: None };
        self.walk(id, &mut journey)?;
        // What is dropped takes its place in the order as well: a drop must not shift what comes after.
        let at = self.states.in_order(link, transport, journey.at + target.delay);
        let copy = is_doubled.then_some(journey.copy_at + target.delay);
        let copy = copy.map(|copy_at| self.states.in_order(link, transport, copy_at));
        let targeted = target.is_dropped.then_some(DropReason::Targeted);
        targeted.or(journey.mishap).map_or(Ok(()), Err)?;
        Ok(copy.map_or(Sending::Deliver { at }, |copy_at| Sending::Twice { at, copy_at }))
    }

    /// Takes a message over its own link, or over all links of its path.
    fn walk(&mut self, id: MessageId, journey: &mut Journey) -> Result<(), DropReason> {
        let draws = Draws::of_message(id);
        match (id.from.node(), id.to.node()) {
            (Some(from), Some(to)) if !self.router.are_linked(from, to) => {
                for leg in self.path(from, to)?.windows(2) {
                    let leg = (Endpoint::from(leg[0]), Endpoint::from(leg[1]));
                    self.cross(leg, draws.on_leg(leg.0, leg.1), journey)?;
                }
                Ok(())
            }
            (Some(_), Some(_)) | (None, _) | (_, None) => self.cross((id.from, id.to), draws, journey),
        }
    }

    fn path(&mut self, from: NodeId, to: NodeId) -> Result<Vec<NodeId>, DropReason> {
        let (links, barriers, overlays) = (&self.links, &self.barriers, &self.overlays);
        let length = |from: NodeId, to: NodeId| {
            let link = (from.into(), to.into());
            let is_usable = barriers.obstacle(link.0, link.1).is_none();
            is_usable.then(|| links.conditions(link, overlays).length())
        };
        self.router.path(from, to, length).ok_or(DropReason::NoRoute)
    }

    /// Takes a message over one link, as the table of [`link`] says.
    fn cross(
        &mut self,
        link: (Endpoint, Endpoint),
        draws: Draws,
        journey: &mut Journey,
    ) -> Result<(), DropReason> {
        let conditions = self.links.conditions(link, &self.overlays);
        let departed = self.states.depart(link, conditions.model, journey.at, journey.size)?;
        let waited = departed.since(journey.at);
        let latency = conditions.latency(|| draws.of(self.keys.latency));
        journey.at = departed + latency + conditions.setback(draws, &self.keys);
        if journey.is_doubled {
            journey.copy_at += waited + conditions.latency(|| draws.of(self.keys.duplicate_latency));
        }
        let mishap = self.states.mishap(link, conditions, draws, &self.keys);
        journey.mishap = journey.mishap.or(mishap);
        Ok(())
    }
}

impl Links {
    fn new(config: &NetworkConfig, population: Population) -> Result<Self, NetworkError> {
        let named = config.overrides.iter().flat_map(|item| [item.from, item.to]);
        if let Some(endpoint) = named.into_iter().find(|&endpoint| !population.contains(endpoint)) {
            return Err(NetworkError::UnknownEndpoint { endpoint });
        }
        let overrides = config.overrides.iter().map(|item| ((item.from, item.to), item.model.clone()));
        let regions = if let Topology::Regions { region_of, rtt } = &config.topology {
            Some(Arc::new(Regions { region_of: region_of.clone(), rtt: rtt.clone() }))
        } else {
            None
        };
        let models = config.overrides.iter().map(|item| &item.model);
        let mut models = models.chain([&config.node_link, &config.client_link]);
        Ok(Self {
            has_connections: models.any(|model| model.transport == Transport::Connection),
            nodes: config.node_link.clone(),
            clients: config.client_link.clone(),
            overrides: Arc::new(overrides.collect()),
            regions,
        })
    }

    /// Whether all links only take time, and that is not a matter of who is at the ends but of their kind.
    fn are_plain(&self, population: Population) -> bool {
        self.nodes.is_plain()
            && (population.clients == 0 || self.clients.is_plain())
            && self.overrides.is_empty()
            && self.regions.is_none()
    }

    /// The model of a link that nothing is special about.
    #[inline]
    fn usual(&self, (from, to): (Endpoint, Endpoint)) -> &LinkModel {
        if from.client().is_some() || to.client().is_some() { &self.clients } else { &self.nodes }
    }

    fn model(&self, link: (Endpoint, Endpoint)) -> &LinkModel {
        self.overrides.get(&link).unwrap_or_else(|| self.usual(link))
    }

    fn conditions(&self, link: (Endpoint, Endpoint), overlays: &Overlays) -> Conditions<'_> {
        let overlay = overlays.of(link);
        match self.overrides.get(&link) {
            Some(model) => Conditions { model, base: None, overlay },
            None => Conditions { model: self.usual(link), base: self.base(link), overlay },
        }
    }

    /// Half the round trip between the regions of two nodes.
    fn base(&self, (from, to): (Endpoint, Endpoint)) -> Option<Span> {
        let regions = self.regions.as_ref()?;
        let region = |node: NodeId| usize::from(regions.region_of[node.index()]);
        let rtt = regions.rtt[region(from.node()?)][region(to.node()?)];
        Some(Span::nanos(rtt.as_nanos() / 2))
    }
}

#[cfg(test)]
mod tests;
