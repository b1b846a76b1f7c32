//! Servers, and the chains that they form.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;

use crate::replicated::Life;

/// The number of a configuration: it rises with each that the master issues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// A server: a node in one life of its memory. A node that has been restarted is another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Member {
    /// Which node.
    pub node: NodeId,
    /// In which life.
    pub life: Life,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.life.is_first() {
            write!(f, "{}", self.node)
        } else {
            write!(f, "{}/{}", self.node, self.life)
        }
    }
}

/// How far a new server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// It gets the tail's history. The tail is still the tail.
    Copying,
    /// It becomes the tail as soon as its predecessor has told it so, in this epoch. Until the master knows that it has, it does
    /// not count among those who have everything.
    HandingOver,
}

/// A server that is about to be the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Joiner {
    /// Who.
    pub member: Member,
    /// How far it is.
    pub stage: Stage,
}

/// A chain, as the master issues it. There is one an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Configuration {
    /// Its number.
    pub epoch: Epoch,
    /// The servers from the head on, at least one. All of them have whatever a client was told of.
    pub chain: Arc<[Member]>,
    /// Who comes after them, if somebody joins.
    pub joiner: Option<Joiner>,
}

impl Configuration {
    /// The first chain: these nodes in their order.
    ///
    /// # Panics
    /// If there are none.
    pub fn first(servers: &[NodeId]) -> Self {
        assert!(!servers.is_empty(), "a chain has at least one server");
        let chain = servers.iter().map(|node| Member { node: *node, life: Life::FIRST });
        Self { epoch: Epoch(1), chain: chain.collect(), joiner: None }
    }

    /// The server that takes updates.
    pub fn head(&self) -> Member {
        self.chain[0]
    }

    /// The last server that counts among those who have everything.
    pub fn last(&self) -> Member {
        *self.chain.last().expect("a chain has at least one server")
    }

    /// The server that an update has reached all of once it has reached this one, and that answers clients.
    pub fn tail(&self) -> Member {
        match self.joiner {
            Some(Joiner { member, stage: Stage::HandingOver }) => member,
            Some(Joiner { stage: Stage::Copying, .. }) | None => self.last(),
        }
    }

    /// Everybody, in the order in which updates travel: the chain, and who joins it.
    pub fn links(&self) -> impl Iterator<Item = Member> + Clone + '_ {
        self.chain.iter().copied().chain(self.joiner.map(|joiner| joiner.member))
    }

    /// Whether a server takes part, or is about to.
    pub fn contains(&self, member: Member) -> bool {
        self.links().any(|other| other == member)
    }

    /// Whether a node takes part in whatever life, or is about to.
    pub fn has_node(&self, node: NodeId) -> bool {
        self.links().any(|other| other.node == node)
    }

    /// Who sends to `member`.
    pub fn predecessor(&self, member: Member) -> Option<Member> {
        self.links().zip(self.links().skip(1)).find(|(_, next)| *next == member).map(|(before, _)| before)
    }

    /// To whom `member` sends.
    pub fn successor(&self, member: Member) -> Option<Member> {
        self.links().zip(self.links().skip(1)).find(|(before, _)| *before == member).map(|(_, next)| next)
    }

    /// Size on disk and on the wire in bytes.
    pub fn size(&self) -> u64 {
        16 + 8 * self.links().count() as u64
    }
}

/// `e3 n2>n3>n4`, `e4 n2>n3 copying n4/5d1f03a2`, `e5 n2>n3 handing over to n4/5d1f03a2`.
impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.epoch)?;
        for (place, member) in self.chain.iter().enumerate() {
            write!(f, "{}{member}", if place == 0 { "" } else { ">" })?;
        }
        match self.joiner {
            Some(Joiner { member, stage: Stage::Copying }) => write!(f, " copying {member}"),
            Some(Joiner { member, stage: Stage::HandingOver }) => write!(f, " handing over to {member}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_joins_comes_after_the_chain_and_is_the_tail_once_it_is_handed_over_to() {
        let first = Configuration::first(&[1, 2].map(NodeId::new));
        let member = Member { node: NodeId::new(3), life: Life::drawn(0x5d1f_03a2 << 32) };
        let with = |stage| Configuration { joiner: Some(Joiner { member, stage }), ..first.clone() };
        let (copying, handing) = (with(Stage::Copying), with(Stage::HandingOver));
        assert_eq!((first.tail(), copying.tail(), handing.tail()), (first.last(), first.last(), member));
        assert_eq!(copying.successor(first.last()), Some(member));
        assert_eq!(
            (handing.predecessor(member), handing.predecessor(handing.head())),
            (Some(first.last()), None)
        );
        assert!(!first.contains(member) && copying.contains(member));
        assert!(!copying.contains(Member { life: Life::FIRST, ..member }) && copying.has_node(member.node));
        let texts = [first, copying, handing].map(|configuration| configuration.to_string());
        assert_eq!(
            texts,
            ["e1 n2>n3", "e1 n2>n3 copying n4/5d1f03a2", "e1 n2>n3 handing over to n4/5d1f03a2"]
        );
    }
}
