//! Who is who. Every id is a newtype, dense from 0 and stable: shrinking a scenario removes nodes and clients,
//! it never renumbers them, so that keyed draws of the others stay as they were.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A simulated host, printed `n1 … nN`; the index is 0-based.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(u32);

impl NodeId {
    /// The node with 0-based `index`.
    #[inline]
    pub const fn new(index: u32) -> Self {
        assert!(index < CLIENT_BIT, "node index out of range");
        Self(index)
    }

    /// The 0-based position of this node in the world.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The 0-based position as the fixed-width number that digests fold.
    #[inline]
    pub const fn raw(self) -> u32 {
        self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0 + 1)
    }
}

/// As for people, so that what holds one in its own `Debug` text names it as everything else does.
impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An endpoint that issues operations, printed `c1 … cN`; the index is 0-based.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(u32);

impl ClientId {
    /// The client with 0-based `index`.
    #[inline]
    pub const fn new(index: u32) -> Self {
        assert!(index < CLIENT_BIT, "client index out of range");
        Self(index)
    }

    /// The 0-based position of this client in the world.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The 0-based position as the fixed-width number that digests fold.
    #[inline]
    pub const fn raw(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0 + 1)
    }
}

/// As for people, so that what holds one in its own `Debug` text names it as everything else does.
impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const CLIENT_BIT: u32 = 1 << 31;

/// Anything with a place in the network: a node or a client, in one word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Endpoint(u32);

impl Endpoint {
    /// The node, if this is one.
    #[inline]
    pub const fn node(self) -> Option<NodeId> {
        if self.0 & CLIENT_BIT == 0 { Some(NodeId(self.0)) } else { None }
    }

    /// The client, if this is one.
    #[inline]
    pub const fn client(self) -> Option<ClientId> {
        if self.0 & CLIENT_BIT == 0 { None } else { Some(ClientId(self.0 & !CLIENT_BIT)) }
    }

    /// One number for both kinds: clients have the highest bit set.
    #[inline]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// The endpoint that [`Endpoint::raw`] gave this number.
    #[inline]
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

impl From<NodeId> for Endpoint {
    #[inline]
    fn from(node: NodeId) -> Self {
        Self(node.0)
    }
}

impl From<ClientId> for Endpoint {
    #[inline]
    fn from(client: ClientId) -> Self {
        Self(client.0 | CLIENT_BIT)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.node(), self.client()) {
            (Some(node), _) => node.fmt(f),
            (None, Some(client)) => client.fmt(f),
            (None, None) => unreachable!("an endpoint is a node or a client"),
        }
    }
}

/// As for people, so that what holds one in its own `Debug` text names it as everything else does.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One operation of one client. Retries of an operation keep its id, so that a service can recognise them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OpId {
    /// Who asks.
    pub client: ClientId,
    /// The how-manieth operation of that client, from 0.
    pub ordinal: u32,
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.client, self.ordinal)
    }
}

/// One message of one link, counted from 0 over the whole run: its address in plans, which edits do not shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId {
    /// The sender.
    pub from: Endpoint,
    /// The receiver.
    pub to: Endpoint,
    /// The how-manieth message on this link, from 0. Above 256 endpoints, links of one sender share a few
    /// counters: the numbers still rise, with gaps.
    pub ordinal: u32,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}->{}#{}", self.from, self.to, self.ordinal)
    }
}

/// One `sync` of one disk, counted from 0 over the life of the disk: ids run on over crashes and wipes, so that no
/// sync of an earlier incarnation shares one with a later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SyncId(u32);

impl SyncId {
    /// The `ordinal`-th sync of a disk, from 0.
    #[inline]
    pub const fn new(ordinal: u32) -> Self {
        Self(ordinal)
    }

    /// The position among the disk's syncs, from 0.
    #[inline]
    pub const fn raw(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_node_or_a_client_and_never_both() {
        let node = Endpoint::from(NodeId::new(4));
        let client = Endpoint::from(ClientId::new(4));
        assert_eq!((node.node(), node.client()), (Some(NodeId::new(4)), None));
        assert_eq!((client.node(), client.client()), (None, Some(ClientId::new(4))));
        assert_ne!(node, client);
        assert_eq!((node.to_string(), client.to_string()), ("n5".to_owned(), "c5".to_owned()));
    }

    #[test]
    fn ids_within_debug_texts_are_those_that_people_know() {
        let (node, client) = (NodeId::new(2), ClientId::new(0));
        let op = OpId { client, ordinal: 7 };
        assert_eq!(format!("{:?}", (Some(node), op)), "(Some(n3), OpId { client: c1, ordinal: 7 })");
        assert_eq!(format!("{:?}", [Endpoint::from(node), client.into()]), "[n3, c1]");
    }
}
