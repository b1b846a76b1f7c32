//! Which acceptors decide which slot.
//!
//! A change that is decided for slot s is in force from slot s + α on, where α is the window (PMMC §3.1). A leader may
//! propose for a slot only after it has executed everything that could have changed the acceptors of that slot:
//!
//! ```text
//!  executed ──╮         ╭── the last slot that may be proposed
//!   … s s+1 … e │ e+1 … e+α
//!     ╰ change  ╰─── in flight, all under acceptors that are known
//! ```

use serde::Serialize;
use sim_core::NodeId;

use super::types::Change;
use crate::replicated::{Index, Life, NodeSet};

/// The acceptors of every slot from some slot on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// From which slot on, and who; ascending, never empty. Those before the first slot that is not executed are
    /// forgotten but for the last.
    epochs: Vec<(Index, NodeSet)>,
    /// From which slot on a node that has lost its disk is an acceptor again, and in which life; ascending. An epoch
    /// begins with each, although the nodes are the same: the acceptors are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lives: Vec<(Index, NodeId, Life)>,
}

impl Membership {
    /// The acceptors at the beginning.
    pub fn new(members: NodeSet) -> Self {
        Self { epochs: vec![(Index::ZERO, members)], lives: Vec::new() }
    }

    /// The acceptors of `slot`.
    #[inline]
    pub fn at(&self, slot: Index) -> NodeSet {
        match &self.epochs[..] {
            [(_, members)] => *members,
            epochs => epochs.iter().rev().find(|(from, _)| *from <= slot).unwrap_or(&epochs[0]).1,
        }
    }

    /// The acceptors after all changes that are decided.
    pub fn latest(&self) -> NodeSet {
        self.epochs[self.epochs.len() - 1].1
    }

    /// The slots from which others decide, after `slot`, and who.
    pub fn after(&self, slot: Index) -> impl Iterator<Item = (Index, NodeSet)> {
        self.epochs.iter().copied().filter(move |(from, _)| *from > slot)
    }

    /// Everybody who decides `slot` or a later one, as far as is known.
    pub fn everybody_from(&self, slot: Index) -> NodeSet {
        self.after(slot).fold(self.at(slot), |all, (_, members)| all.union(members))
    }

    /// A change is in force from `from` on. One that would leave nobody changes nothing: a leader refuses such a change, but
    /// knows nothing of others that are decided before it.
    pub fn change(&mut self, from: Index, change: Change) {
        let members = change.apply(self.latest());
        if members.is_empty() {
            return;
        }
        if let Change::Readmit(node, life) = change {
            self.lives.push((from, node, life));
        }
        match self.epochs.last_mut() {
            Some((last, latest)) if *last >= from => *latest = members,
            Some(_) | None => self.epochs.push((from, members)),
        }
    }

    /// Everything before `slot` is decided: who decided it does not matter any more.
    pub fn forget_before(&mut self, slot: Index) {
        if self.epochs.len() > 1 {
            let keep = self.epochs.iter().rposition(|(from, _)| *from <= slot).unwrap_or(0);
            self.epochs.drain(..keep);
        }
        let lives = std::mem::take(&mut self.lives);
        let is_over = |(place, (_, node, _)): &(usize, &(Index, NodeId, Life))| {
            lives[place + 1..].iter().any(|(from, later, _)| later == node && *from <= slot)
        };
        self.lives = lives.iter().enumerate().filter(|life| !is_over(life)).map(|(_, life)| *life).collect();
    }

    /// In which life a node is the acceptor of `slot`, if it is one.
    #[inline]
    pub fn life_at(&self, slot: Index, node: NodeId) -> Life {
        let lives = self.lives.iter().rev();
        lives
            .filter(|(from, ..)| *from <= slot)
            .find(|(_, of, _)| *of == node)
            .map_or(Life::FIRST, |life| life.2)
    }

    /// In which life a node is an acceptor after all changes that are decided, if it is one.
    pub fn latest_life(&self, node: NodeId) -> Life {
        self.lives.iter().rev().find(|(_, of, _)| *of == node).map_or(Life::FIRST, |(_, _, life)| *life)
    }

    /// The last slot for which somebody who is readmitted is no acceptor yet; 0 where nobody was.
    #[inline]
    pub fn waits_until(&self) -> Index {
        self.lives.last().map_or(Index::ZERO, |(from, ..)| from.previous())
    }

    /// Whether all acceptors are in the first life, in all slots.
    #[inline]
    pub const fn is_first_life(&self) -> bool {
        self.lives.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use sim_core::NodeId;

    use super::*;

    fn nodes(indices: &[u32]) -> NodeSet {
        indices.iter().copied().map(NodeId::new).collect()
    }

    #[test]
    fn the_last_acceptor_stays() {
        let mut membership = Membership::new(nodes(&[0, 1]));
        membership.change(Index(8), Change::Remove(NodeId::new(0)));
        membership.change(Index(9), Change::Remove(NodeId::new(1)));
        assert_eq!(membership.latest(), nodes(&[1]));
    }

    #[test]
    fn a_node_is_readmitted_from_its_slot_on_and_in_that_life() {
        let (node, lives) = (NodeId::new(2), [1_u64 << 40, 1 << 50].map(Life::drawn));
        let mut membership = Membership::new(nodes(&[0, 1, 2]));
        membership.change(Index(15), Change::Readmit(node, lives[0]));
        membership.change(Index(25), Change::Readmit(node, lives[1]));
        let seen =
            |membership: &Membership| [14, 15, 24, 25].map(|slot| membership.life_at(Index(slot), node));
        assert_eq!(seen(&membership), [Life::FIRST, lives[0], lives[0], lives[1]]);
        assert_eq!(membership.life_at(Index(99), NodeId::new(1)), Life::FIRST);
        assert_eq!(membership.after(Index(14)).map(|(from, _)| from.0).collect::<Vec<_>>(), [15, 25]);
        assert_eq!((membership.latest_life(node), membership.waits_until()), (lives[1], Index(24)));
        membership.forget_before(Index(25));
        assert_eq!((membership.lives.len(), membership.life_at(Index(25), node)), (1, lives[1]));
    }

    #[test]
    fn a_change_is_in_force_from_its_slot_on() {
        let mut membership = Membership::new(nodes(&[0, 1, 2]));
        membership.change(Index(15), Change::Add(NodeId::new(3)));
        membership.change(Index(18), Change::Remove(NodeId::new(0)));
        assert_eq!(membership.at(Index(14)), nodes(&[0, 1, 2]));
        assert_eq!(membership.at(Index(15)), nodes(&[0, 1, 2, 3]));
        assert_eq!(membership.at(Index(99)), nodes(&[1, 2, 3]));
        assert_eq!(membership.everybody_from(Index(16)), nodes(&[0, 1, 2, 3]));
        membership.forget_before(Index(16));
        assert_eq!(membership.at(Index(16)), nodes(&[0, 1, 2, 3]));
        assert_eq!(membership.after(Index(16)).count(), 1);
    }
}
