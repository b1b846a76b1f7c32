//! Who has promised, voted or answered: acceptors, each in one life of its memory.
//!
//! A node that has lost its disk is an acceptor no more, and one with its name may come in its place ([`Change::Readmit`]).
//! What the two have said must not be taken for what one has said: for each slot counts only who is its acceptor, in the
//! life in which it is.
//!
//! [`Change::Readmit`]: super::types::Change::Readmit

use serde::Serialize;
use sim_core::NodeId;

use super::membership::Membership;
use crate::replicated::{Index, Life, NodeSet, PerNode, Round};

/// A set of acceptors, each in one life or several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Voters {
    /// Those in their first life.
    first: NodeSet,
    /// Those in later lives.
    later: Vec<(NodeId, Life)>,
}

impl Voters {
    /// One more.
    pub(super) fn add(&mut self, node: NodeId, life: Life) {
        if life.is_first() {
            self.first = self.first.with(node);
        } else if !self.later.contains(&(node, life)) {
            self.later.push((node, life));
        }
    }

    /// Whether this one is there.
    pub(super) fn contains(&self, node: NodeId, life: Life) -> bool {
        if life.is_first() { self.first.contains(node) } else { self.later.contains(&(node, life)) }
    }

    /// Those that count for `slot`.
    #[inline]
    pub(super) fn of(&self, slot: Index, membership: &Membership) -> NodeSet {
        if membership.is_first_life() {
            return self.first;
        }
        let all = self.nodes().iter();
        all.filter(|node| self.contains(*node, membership.life_at(slot, *node))).collect()
    }

    /// All nodes, in whichever life.
    pub(super) fn nodes(&self) -> NodeSet {
        self.later.iter().fold(self.first, |all, (node, _)| all.with(*node))
    }
}

/// The last round of heartbeats that each acceptor has answered, in each of its lives.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Answers {
    /// In the first life; 0 for none.
    first: PerNode<Round>,
    /// In later lives.
    later: Vec<(NodeId, Life, Round)>,
}

impl Answers {
    /// An answer arrives.
    pub(super) fn add(&mut self, node: NodeId, life: Life, round: Round) {
        let answered = if life.is_first() { self.first.at(node) } else { self.later_at(node, life) };
        *answered = round.max(*answered);
    }

    fn later_at(&mut self, node: NodeId, life: Life) -> &mut Round {
        let place = self.later.iter().position(|(known, of, _)| (*known, *of) == (node, life));
        let place = place.unwrap_or_else(|| {
            self.later.push((node, life, Round::default()));
            self.later.len() - 1
        });
        &mut self.later[place].2
    }

    /// All rounds that were somebody's last.
    pub(super) fn rounds(&self) -> impl Iterator<Item = Round> {
        self.first.iter().map(|(_, round)| *round).chain(self.later.iter().map(|(.., round)| *round))
    }

    /// Who has answered `round` or a later one, of those that count for `slot`.
    pub(super) fn since(&self, round: Round, slot: Index, membership: &Membership) -> NodeSet {
        let first = self.first.iter().filter(|(_, answered)| **answered >= round).map(|(node, _)| node);
        if membership.is_first_life() {
            return first.collect();
        }
        let later = self.later.iter().filter(|(.., answered)| *answered >= round);
        let all = first.map(|node| (node, Life::FIRST)).chain(later.map(|(node, life, _)| (*node, *life)));
        all.filter(|(node, life)| membership.life_at(slot, *node) == *life).map(|(node, _)| node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::types::Change;
    use super::*;

    const NODES: [NodeId; 3] = [NodeId::new(0), NodeId::new(1), NodeId::new(2)];

    /// n3 is readmitted from slot 10 on.
    fn membership(life: Life) -> Membership {
        let mut membership = Membership::new(NODES.into_iter().collect());
        membership.change(Index(10), Change::Readmit(NODES[2], life));
        membership
    }

    #[test]
    fn a_promise_counts_where_its_life_is_the_acceptor_s() {
        let life = Life::drawn(1 << 40);
        let (mut voters, membership) = (Voters::default(), membership(life));
        voters.add(NODES[0], Life::FIRST);
        voters.add(NODES[2], Life::FIRST);
        let before =
            (voters.of(Index(9), &membership).to_string(), voters.of(Index(10), &membership).to_string());
        assert_eq!(before, ("n1,n3".into(), "n1".into()), "the promise of before the loss");
        voters.add(NODES[2], life);
        assert_eq!(voters.of(Index(10), &membership).to_string(), "n1,n3");
        let mut reborn = Voters::default();
        reborn.add(NODES[2], life);
        assert_eq!(reborn.of(Index(9), &membership), NodeSet::EMPTY);
        assert_eq!(reborn.of(Index(10), &Membership::new(NODES.into_iter().collect())), NodeSet::EMPTY);
    }

    #[test]
    fn an_answer_counts_where_its_life_is_the_acceptor_s() {
        let life = Life::drawn(1 << 40);
        let (mut answers, membership) = (Answers::default(), membership(life));
        answers.add(NODES[1], Life::FIRST, Round(5));
        answers.add(NODES[2], Life::FIRST, Round(6));
        answers.add(NODES[2], life, Round(4));
        answers.add(NODES[2], life, Round(3));
        let since = |round, slot| answers.since(Round(round), Index(slot), &membership).to_string();
        assert_eq!([since(5, 9), since(5, 10), since(4, 10)], ["n2,n3", "n2", "n2,n3"]);
        assert_eq!(answers.rounds().map(|round| round.0).max(), Some(6));
    }
}
