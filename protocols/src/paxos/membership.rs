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

use super::types::Change;
use crate::replicated::{Index, NodeSet};

/// The acceptors of every slot from some slot on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// From which slot on, and who; ascending, never empty. Those before the first slot that is not executed are
    /// forgotten but for the last.
    epochs: Vec<(Index, NodeSet)>,
}

impl Membership {
    /// The acceptors at the beginning.
    pub fn new(members: NodeSet) -> Self {
        Self { epochs: vec![(Index::ZERO, members)] }
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
