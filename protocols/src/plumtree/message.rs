//! What nodes send each other: the upper half is HyParView's, the lower half Plumtree's.

use std::fmt::Display;
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::Value;
use sim_core::{NodeId, process};

/// The name of one link between two nodes, drawn by the one who asks for it. What is said of an earlier link between the same two
/// means nothing, as in a TCP connection that was set up anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Link(pub u32);

/// How much one who asks to be a neighbour needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Priority {
    /// It has no other neighbour, it was found by a walk, the one who is asked was lost, or it has had room for long: nobody refuses.
    High,
    /// It has room for one more: who has none refuses.
    Low,
}

/// That its sender has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Announcement {
    /// Which: a value is broadcast once, so it is its own message's name.
    pub value: Value,
    /// How many hops from where it was broadcast it would be at the receiver.
    pub round: u32,
}

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// A newcomer asks a contact to be its neighbour, and to tell others of it.
    Join {
        /// The link that it would be.
        link: Link,
    },
    /// A walk through the overlay that ends at a new neighbour of the newcomer.
    ForwardJoin {
        /// Who has joined.
        newcomer: NodeId,
        /// How many hops it may still make.
        ttl: u32,
    },
    /// Will you be my neighbour?
    Neighbour {
        /// The link that it would be.
        link: Link,
        /// How much it is needed.
        priority: Priority,
    },
    /// The sender is a neighbour from now on.
    Accept {
        /// By this link.
        link: Link,
    },
    /// It has no room.
    Refuse {
        /// For this link.
        link: Link,
    },
    /// The sender is no neighbour by this link, or not any more.
    Disconnect {
        /// Which.
        link: Link,
    },
    /// A walk through the overlay that ends at whom the origin exchanges nodes with.
    Shuffle {
        /// Who began it.
        origin: NodeId,
        /// Whom it tells of, itself first.
        nodes: Arc<[NodeId]>,
        /// How many hops it may still make.
        ttl: u32,
    },
    /// What the origin gets for it.
    ShuffleReply(Arc<[NodeId]>),
    /// The sender is there.
    KeepAlive {
        /// By this link.
        link: Link,
        /// Of how many of the receiver's values it knows to have been told.
        confirmed: u64,
        /// The number of the first of these among the sender's values.
        first: u64,
        /// What the receiver has not confirmed to have been told of; `None`: nothing.
        unconfirmed: Option<Arc<[Announcement]>>,
    },
    /// A value, over a link of the tree: eager push.
    Gossip(Announcement),
    /// The sender has these, and will send one when it is asked: lazy push.
    IHave(Arc<[Announcement]>),
    /// This link is not needed in the tree: the value was there before.
    Prune,
    /// This link is needed in the tree, and the value if one is named was not there.
    Graft {
        /// Which.
        value: Option<Value>,
    },
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &[
        "Join",
        "ForwardJoin",
        "Neighbour",
        "Accept",
        "Refuse",
        "Disconnect",
        "Shuffle",
        "ShuffleReply",
        "KeepAlive",
        "Gossip",
        "IHave",
        "Prune",
        "Graft",
    ];

    fn kind(&self) -> u8 {
        match self {
            Self::Join { .. } => 0,
            Self::ForwardJoin { .. } => 1,
            Self::Neighbour { .. } => 2,
            Self::Accept { .. } => 3,
            Self::Refuse { .. } => 4,
            Self::Disconnect { .. } => 5,
            Self::Shuffle { .. } => 6,
            Self::ShuffleReply(_) => 7,
            Self::KeepAlive { .. } => 8,
            Self::Gossip(_) => 9,
            Self::IHave(_) => 10,
            Self::Prune => 11,
            Self::Graft { .. } => 12,
        }
    }

    /// Eight bytes of a header, and what is in it.
    fn size(&self) -> u64 {
        match self {
            Self::Join { .. } | Self::Accept { .. } | Self::Refuse { .. } | Self::Disconnect { .. } => 12,
            Self::Neighbour { .. } => 13,
            Self::ForwardJoin { .. } | Self::Graft { .. } => 16,
            Self::Shuffle { nodes, .. } => 16 + 4 * nodes.len() as u64,
            Self::ShuffleReply(nodes) => 8 + 4 * nodes.len() as u64,
            Self::KeepAlive { unconfirmed, .. } => {
                28 + 12 * unconfirmed.as_ref().map_or(0, |unconfirmed| unconfirmed.len() as u64)
            }
            Self::Gossip(_) => 20,
            Self::IHave(announcements) => 8 + 12 * announcements.len() as u64,
            Self::Prune => 8,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Join { .. } => "Join".to_owned(),
            Self::ForwardJoin { newcomer, ttl } => format!("ForwardJoin {newcomer} ttl={ttl}"),
            Self::Neighbour { priority, .. } => {
                format!("Neighbour priority={}", format!("{priority:?}").to_lowercase())
            }
            Self::Accept { .. } => "Accept".to_owned(),
            Self::Refuse { .. } => "Refuse".to_owned(),
            Self::Disconnect { .. } => "Disconnect".to_owned(),
            Self::Shuffle { origin, nodes, ttl } => {
                format!("Shuffle of {origin} ttl={ttl}: {}", list(nodes.iter()))
            }
            Self::ShuffleReply(nodes) => format!("ShuffleReply {}", list(nodes.iter())),
            Self::KeepAlive { confirmed, unconfirmed: None, .. } => {
                format!("KeepAlive confirmed={confirmed}")
            }
            Self::KeepAlive { confirmed, first, unconfirmed: Some(unconfirmed), .. } => {
                let values = list(unconfirmed.iter().map(|told| told.value));
                format!("KeepAlive confirmed={confirmed} from={first}: {values}")
            }
            Self::Gossip(Announcement { value, round }) => format!("Gossip {value} round={round}"),
            Self::IHave(told) => format!("IHave {}", list(told.iter().map(|told| told.value))),
            Self::Prune => "Prune".to_owned(),
            Self::Graft { value: None } => "Graft".to_owned(),
            Self::Graft { value: Some(value) } => format!("Graft {value}"),
        }
    }
}

fn list(items: impl Iterator<Item = impl Display>) -> String {
    let texts: Vec<String> = items.map(|item| item.to_string()).collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(",") }
}
