//! Which nodes are linked, and what links do to messages.

use std::num::NonZeroU64;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::network::{self, LinkModel};
use sim_core::{Endpoint, Span};

use super::{Latency, Somebody};
use crate::text::units::{Bandwidth, NodeList, NodeName, Probability, Size, Time};

/// Declares a struct with the properties of links, each of which may be left out.
macro_rules! link_properties {
    ($(#[$doc:meta])* $name:ident { $($extra:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($extra)*
            /// How long a message travels, up to an hour. Default `1ms..5ms` between nodes, `1ms` to clients.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub latency: Option<Latency>,
            /// How likely a message is lost, on its own. Default 0.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub loss: Option<Probability>,
            /// Losses in bursts instead; not together with `loss`. Default: none.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub burst: Option<Burst>,
            /// How likely a message arrives twice. Default 0.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub duplicate: Option<Probability>,
            /// Messages held back so that others overtake them. Default: none.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub reorder: Option<Reorder>,
            /// How likely a message is corrupted; a checksum finds out, and it is dropped. Default 0.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub corrupt: Option<Probability>,
            /// How much fits through in each direction. Default: any amount.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub bandwidth: Option<Bandwidth>,
            /// How many bytes may wait where there is a bandwidth. Default `64KiB`.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub buffer: Option<Size>,
            /// The largest message that fits; larger ones are dropped. Default: any size.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub message_max: Option<Size>,
            /// What links promise. Default `Datagram`.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub transport: Option<Transport>,
        }

        impl $name {
            /// `base` with what is said here.
            pub fn over(&self, base: LinkModel) -> LinkModel {
                let buffer = self.buffer.map_or(BUFFER, Size::bytes);
                let bandwidth = self.bandwidth.and_then(|rate| NonZeroU64::new(rate.bytes_per_second()));
                let loss = self.loss.map(|loss| network::Loss::Independent(loss.probability()));
                let share = |given: Option<Probability>, usual| given.map_or(usual, Probability::probability);
                LinkModel {
                    latency: self.latency.as_ref().map_or(base.latency, Latency::distribution),
                    loss: self.burst.as_ref().map(Burst::loss).or(loss).unwrap_or(base.loss),
                    duplicate: share(self.duplicate, base.duplicate),
                    reorder: self.reorder.as_ref().map(Reorder::reorder).or(base.reorder),
                    corrupt: share(self.corrupt, base.corrupt),
                    bandwidth: bandwidth
                        .map(|bytes_per_second| network::Bandwidth { bytes_per_second, buffer })
                        .or(base.bandwidth),
                    size_max: self.message_max.map(Size::bytes).or(base.size_max),
                    transport: self.transport.map_or(base.transport, Transport::transport),
                }
            }
        }
    };
}

/// What may wait in front of a link with a bandwidth, in bytes.
const BUFFER: u64 = 64 << 10;

link_properties! {
    /// What links do to messages: those between nodes, unless a part says otherwise.
    Network {
        /// The links of clients, both ways. They are perfect unless said here; latency `1ms`.
        pub clients: LinkChange,
        /// Links unlike the others; of several for the same link the last counts.
        pub links: Vec<LinkOverride>,
    }
}

link_properties! {
    /// What is different about some links.
    LinkChange {}
}

/// Links with properties of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkOverride {
    /// The sender: a node or client by name.
    pub from: Somebody,
    /// The receiver: a node or client by name.
    pub to: Somebody,
    /// Whether the way back is meant, too. Default `BothWays`.
    #[serde(default)]
    pub direction: LinkDirection,
    /// What is different there.
    pub link: LinkChange,
}

/// Which way something holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LinkDirection {
    /// From the first to the second.
    OneWay,
    /// Between them.
    #[default]
    BothWays,
}

impl LinkDirection {
    /// The engine's direction.
    pub const fn direction(self) -> network::Direction {
        match self {
            Self::OneWay => network::Direction::OneWay,
            Self::BothWays => network::Direction::BothWays,
        }
    }
}

/// Losses in bursts: a link is good or bad, and may change before each message; a good one loses nothing (Gilbert
/// and Elliott).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// How likely a good link turns bad.
    pub enter: Probability,
    /// How likely a bad link turns good.
    pub leave: Probability,
    /// How likely a bad link loses a message.
    pub loss: Probability,
}

impl Burst {
    fn loss(&self) -> network::Loss {
        network::Loss::Bursty {
            enter: self.enter.probability(),
            leave: self.leave.probability(),
            loss: self.loss.probability(),
        }
    }
}

/// Messages that are held back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reorder {
    /// How likely a message is held back.
    pub probability: Probability,
    /// For how long, up to an hour.
    pub extra: Time,
}

impl Reorder {
    fn reorder(&self) -> network::Reorder {
        network::Reorder { probability: self.probability.probability(), extra: self.extra.span() }
    }
}

/// What a link promises about what arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Transport {
    /// Nothing, like UDP.
    #[default]
    Datagram,
    /// Order, and loss of what is on its way when either end restarts, like TCP.
    Connection,
}

impl Transport {
    const fn transport(self) -> network::Transport {
        match self {
            Self::Datagram => network::Transport::Datagram,
            Self::Connection => network::Transport::Connection,
        }
    }
}

impl Network {
    /// The links between nodes.
    pub fn node_link(&self) -> LinkModel {
        self.over(LinkModel::new(Latency::uniform(Span::millis(1), Span::millis(5)).distribution()))
    }

    /// The links of clients.
    pub fn client_link(&self) -> LinkModel {
        self.clients.over(LinkModel::new(Latency::constant(Span::millis(1)).distribution()))
    }

    /// The single links that differ.
    pub fn overrides(&self) -> Vec<network::LinkOverride> {
        let mut overrides = Vec::new();
        for item in &self.links {
            let (Some(from), Some(to)) = (item.from.endpoint(), item.to.endpoint()) else { continue };
            let is_client = from.client().is_some() || to.client().is_some();
            let base = if is_client { self.client_link() } else { self.node_link() };
            let model = item.link.over(base);
            overrides.push(network::LinkOverride { from, to, model: model.clone() });
            if item.direction == LinkDirection::BothWays {
                overrides.push(network::LinkOverride { from: to, to: from, model });
            }
        }
        overrides
    }
}

impl Somebody {
    /// The endpoint, where it is one whatever happens: not for roles.
    pub fn endpoint(&self) -> Option<Endpoint> {
        match &self.0 {
            sim_core::fault::Place::Client(client) => Some((*client).into()),
            sim_core::fault::Place::Node(target) => target.node().map(Endpoint::from),
        }
    }
}

/// Which nodes are linked. Nodes that are not take the shortest usable path; all but meshes and regions have at most
/// 4,096 nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Topology {
    /// Everybody with everybody.
    #[default]
    Mesh,
    /// Everybody with the hub only.
    Star {
        /// The node in the middle.
        hub: NodeName,
    },
    /// Each with the next, the last with the first.
    Ring,
    /// Each with the next.
    Line,
    /// Row by row, each with its neighbours.
    Grid {
        /// Nodes in a row, at least 1.
        columns: u32,
    },
    /// The first node is the root.
    Tree {
        /// Children a node, at least 1.
        arity: u32,
    },
    /// Drawn links, connected.
    Random {
        /// Links a node on average, 1 to the number of nodes − 1.
        degree: u32,
    },
    /// A ring with shortcuts (Watts and Strogatz).
    SmallWorld {
        /// Links a node before rewiring, even.
        degree: u32,
        /// How likely a link is moved.
        rewire: Probability,
    },
    /// Data centres: half a round trip takes the place of the shortest latency.
    Regions {
        /// The nodes of each region; each node is in exactly one.
        regions: Vec<NodeList>,
        /// The round trip from each region (row) to each (column).
        rtt: Vec<Vec<Time>>,
    },
    /// These links and no others.
    Custom {
        /// Pairs of nodes.
        links: Vec<(NodeName, NodeName)>,
    },
}

impl Topology {
    /// The engine's topology of `nodes` nodes. A node that no region has is in none of them, which the network
    /// refuses.
    pub fn topology(&self, nodes: u32) -> network::Topology {
        match self {
            Self::Mesh => network::Topology::Mesh,
            Self::Star { hub } => network::Topology::Star { hub: hub.id() },
            Self::Ring => network::Topology::Ring,
            Self::Line => network::Topology::Line,
            Self::Grid { columns } => network::Topology::Grid { columns: *columns },
            Self::Tree { arity } => network::Topology::Tree { arity: *arity },
            Self::Random { degree } => network::Topology::Random { degree: *degree },
            Self::SmallWorld { degree, rewire } => {
                network::Topology::SmallWorld { degree: *degree, rewire: rewire.probability() }
            }
            Self::Regions { regions, rtt } => network::Topology::Regions {
                region_of: region_of(regions, nodes),
                rtt: rtt.iter().map(|row| row.iter().map(|time| time.span()).collect()).collect(),
            },
            Self::Custom { links } => {
                network::Topology::Custom { edges: links.iter().map(|(a, b)| (a.id(), b.id())).collect() }
            }
        }
    }
}

/// For each node the number of its region; `u16::MAX` for none.
fn region_of(regions: &[NodeList], nodes: u32) -> Vec<u16> {
    let mut region_of = vec![u16::MAX; nodes as usize];
    for (number, region) in (0_u16..).zip(regions) {
        for node in region.nodes().iter().filter(|node| node.raw() < nodes) {
            region_of[node.index()] = number;
        }
    }
    region_of
}
