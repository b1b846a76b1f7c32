//! A property that is *not* an invariant of Raft, though it looks like one.
//!
//! etcd's specification calls it `VotesGrantedInv`: if a node has voted for another in its term, then everything the first
//! has committed is in the log of the second. After all, a vote is given only to a log that covers the voter's. But the
//! voter goes on: it may follow another leader *of the same term* and commit with it, while its vote stays where it was.
//!
//! With five nodes: n5 votes for n1, whose
//! other votes are lost; n2 wins the same term with n3 and n4, and replicates to n5, which commits with it. n5's vote still
//! names n1, whose log is empty. [`votes_granted`] says so of the states below, and nothing is wrong with them. It is kept
//! here to be looked at, and is not in [`all`](super::all).

use sim_core::NodeId;

use super::super::{Index, Term};

/// What the property looks at.
#[derive(Clone, Copy, Debug)]
pub struct Voter {
    /// The node.
    pub node: NodeId,
    /// Its term.
    pub term: Term,
    /// Who has its vote in that term.
    pub vote: Option<NodeId>,
    /// How far it has committed.
    pub commit: Index,
    /// How far its log is the committed sequence.
    pub has: Index,
}

/// Whether whoever has a vote has everything that the voter has committed: what Raft does not promise.
pub fn votes_granted(nodes: &[Voter]) -> bool {
    nodes.iter().all(|voter| {
        let candidate = nodes.iter().find(|candidate| Some(candidate.node) == voter.vote);
        candidate.is_none_or(|candidate| candidate.has >= voter.commit)
    })
}

#[cfg(test)]
mod tests {
    use sim_core::fault::{Command as Fault, Place};
    use sim_core::network::Direction;
    use sim_core::{Span, World};

    use super::super::super::{Config, Raft};
    use super::super::all;
    use super::*;
    use crate::testing;

    fn voter(node: u32, vote: u32, commit: u64, has: u64) -> Voter {
        let [node, vote] = [node, vote].map(NodeId::new);
        Voter { node, term: Term(2), vote: Some(vote), commit: Index(commit), has: Index(has) }
    }

    #[test]
    fn it_holds_while_votes_and_leaders_agree() {
        assert!(votes_granted(&[voter(0, 0, 3, 3), voter(1, 0, 3, 3), voter(2, 0, 2, 3)]));
    }

    #[test]
    fn a_voter_that_follows_another_leader_of_the_term_refutes_it() {
        let nodes =
            [voter(0, 0, 0, 0), voter(1, 1, 1, 1), voter(2, 1, 1, 1), voter(3, 1, 1, 1), voter(4, 0, 1, 1)];
        assert!(!votes_granted(&nodes));
    }

    fn states(world: &World<Raft>) -> Vec<Voter> {
        let longest = world.nodes().running().max_by_key(|(_, raft)| raft.log().commit());
        let (_, longest) = longest.expect("all run");
        let has = |raft: &Raft| {
            let agrees = |index: &Index| {
                raft.log().chain_at(*index).is_some_and(|chain| longest.log().chain_at(*index) == Some(chain))
            };
            (0..=longest.log().commit().0).map(Index).filter(agrees).max().unwrap_or(Index::ZERO)
        };
        let state = |(node, raft): (NodeId, &Raft)| Voter {
            node,
            term: raft.term(),
            vote: raft.vote(),
            commit: raft.log().commit(),
            has: has(raft),
        };
        world.nodes().running().map(state).collect()
    }

    /// A candidate that hears nothing and is heard by one: its term is split, and somebody else leads it.
    #[test]
    fn in_a_world_of_five_it_is_refuted_and_every_invariant_holds() {
        let is_refuted = (0..400).any(|seed| {
            let config = Config {
                election_timeout: Span::millis(150)..Span::millis(152),
                ..Config::new((0..5).map(NodeId::new))
            };
            let mut world = testing::world(seed, 5, config, Vec::new(), all());
            let place = |node| vec![Place::Node(NodeId::new(node))];
            let from = [1, 2, 3, 4].into_iter().flat_map(place).collect();
            world.apply(Fault::Cut { from, to: place(0), direction: Direction::OneWay });
            testing::run(&mut world, Span::millis(600));
            !votes_granted(&states(&world))
        });
        assert!(is_refuted, "a vote for a candidate that lost its term was met");
    }
}
