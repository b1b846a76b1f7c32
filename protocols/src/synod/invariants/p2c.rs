//! P2c: what is proposed follows what may be chosen.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Ballot, Config, Fact, Proposal, Synod, Vote};
use super::votes::Votes;
use crate::replicated::{NodeSet, Phase};

/// For any proposal (n, v) issued there is a phase 1 quorum such that either none of it has accepted any proposal below
/// n, or v is the value of the highest-numbered of all proposals below n that it has accepted.
#[derive(Clone, Debug)]
pub struct P2c {
    votes: Votes,
    issued: BTreeMap<Ballot, Proposal>,
}

impl P2c {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { votes: Votes::new(config), issued: BTreeMap::new() }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Proposed(vote) => {
                self.issued.insert(vote.ballot, vote.proposal);
                self.check(vote)
            }
            Fact::Accepted(vote) => {
                self.votes.add(node, vote);
                // Usually none: an acceptor that accepts late breaks what held when a higher ballot was issued.
                let above = self.issued.range(vote.ballot..).filter(|(ballot, _)| **ballot > vote.ballot);
                above
                    .map(|(&ballot, &proposal)| Vote { ballot, proposal })
                    .try_for_each(|vote| self.check(vote))
            }
            Fact::Requested { .. } | Fact::Prepared { .. } | Fact::Promised { .. } | Fact::Learned { .. } => {
                Ok(())
            }
        }
    }

    /// Looks for the quorum. Among acceptors whose last vote below n is at most some ballot m, v is the value of the
    /// highest one if m has it; so each m is tried, and before all others that none of the quorum has voted.
    fn check(&self, issued: Vote) -> Result<(), Breach> {
        let config = self.votes.config();
        let last: Vec<Option<Vote>> =
            config.members.iter().map(|member| self.votes.last_below(*member, issued.ballot)).collect();
        let is_quorum = |bound: Option<Ballot>| {
            let voters = config.members.iter().zip(&last);
            let at_most = voters.filter(|(_, vote)| vote.map(|vote| vote.ballot) <= bound);
            config.is_enough(Phase::One, at_most.map(|(member, _)| *member).collect::<NodeSet>())
        };
        let with_value = last.iter().flatten().filter(|vote| vote.proposal == issued.proposal);
        let mut bounds = std::iter::once(None).chain(with_value.map(|vote| Some(vote.ballot)));
        ensure!(
            bounds.any(is_quorum),
            "{issued} is proposed, but no quorum of acceptors allows that; their last votes below are {}",
            shown(&config.members, &last)
        );
        Ok(())
    }
}

fn shown(members: &[NodeId], votes: &[Option<Vote>]) -> String {
    let vote = |vote: &Option<Vote>| vote.map_or_else(|| "none".to_owned(), |vote| vote.to_string());
    let texts = members.iter().zip(votes).map(|(member, last)| format!("{member} {}", vote(last)));
    texts.collect::<Vec<_>>().join(", ")
}

impl Invariant<Synod> for P2c {
    fn about(&self) -> &'static About {
        &About {
            name: "p2c",
            statement: "A proposal n has the value of the highest-numbered proposal below n that a phase 1 quorum has \
                        accepted, or none of that quorum has accepted any.",
            source: "Paxos Made Simple §2.2 (P2c), with quorums as in Flexible Paxos",
            leaves_out: "whether that is the quorum which promised: the property asks only that there is one",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Synod>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, _: &Nodes<'_, Synod>) -> Result<(), Breach> {
        let mut issued = self.issued.iter().map(|(&ballot, &proposal)| Vote { ballot, proposal });
        issued.try_for_each(|vote| self.check(vote))
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::{config, vote};
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = P2c::new(config());
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    #[test]
    fn any_value_may_be_proposed_while_a_quorum_has_accepted_nothing() {
        assert_eq!(judge(&[(0, Fact::Accepted(vote(1, 7))), (1, Fact::Proposed(vote(2, 8)))]), Ok(()));
    }

    #[test]
    fn a_chosen_value_is_the_only_one_that_may_be_proposed() {
        let chosen = [(0, Fact::Accepted(vote(1, 7))), (1, Fact::Accepted(vote(1, 7)))];
        let then = |value| judge(&[chosen[0], chosen[1], (2, Fact::Proposed(vote(2, value)))]);
        assert_eq!(then(7), Ok(()));
        assert!(then(8).is_err());
    }

    #[test]
    fn the_highest_of_two_accepted_values_is_the_one_to_propose() {
        let votes = [
            (0, Fact::Accepted(vote(1, 7))),
            (1, Fact::Accepted(vote(2, 8))),
            (2, Fact::Accepted(vote(1, 7))),
        ];
        let then = |value| judge(&[votes[0], votes[1], votes[2], (0, Fact::Proposed(vote(3, value)))]);
        assert_eq!(then(8), Ok(()));
        assert_eq!(then(7), Ok(()), "n1 and n3 are a quorum without n2");
        assert!(then(9).is_err());
    }

    #[test]
    fn an_acceptor_that_accepts_late_is_found() {
        let issued = (2, Fact::Proposed(vote(2, 8)));
        assert!(judge(&[issued, (0, Fact::Accepted(vote(1, 7))), (1, Fact::Accepted(vote(1, 7)))]).is_err());
    }
}
