//! Ghost state: which acceptor has accepted what, for every slot in the whole history; and what is chosen.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::Ghost;
use sim_core::persist::AppendLog;
use smallvec::SmallVec;

use super::super::membership::Membership;
use super::super::types::Change;
use super::super::{Ballot, Config, Fact, Index, Paxos, Proposal, Pvalue};
use crate::replicated::{Life, NodeSet, PerNode, Phase};

/// Every vote that left an acceptor. Invariants share it: see [`Ghost`].
#[derive(Clone, Debug)]
pub(super) struct Votes {
    config: Arc<Config>,
    /// Who decides each slot, worked out from the decisions.
    membership: Membership,
    /// In which life each node is, and the first slot that it is the acceptor of in it.
    lives: PerNode<(Life, Index)>,
    /// The last slot whose decision was looked at for changes of the acceptors.
    decided: Index,
    slots: AppendLog<Slot>,
    /// The slots for which something is chosen since the last event, and was not before.
    just_chosen: Vec<Index>,
    /// The slots for which the last event brought votes, where these are not all for the same under the same ballot.
    disputed: Vec<Index>,
}

/// The votes of one slot.
#[derive(Clone, Debug, Default)]
struct Slot {
    /// One for each ballot and proposal; usually one.
    tallies: SmallVec<[Tally; 1]>,
    /// Which of them was the first to have a quorum.
    chosen: Option<usize>,
}

/// Who has accepted a proposal under a ballot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    pub(super) ballot: Ballot,
    pub(super) proposal: Proposal,
    pub(super) accepted_by: NodeSet,
}

impl Votes {
    pub(super) fn new(config: Arc<Config>) -> Self {
        let membership =
            Membership::new(config.members.iter().copied().filter(|node| node.index() < 64).collect());
        Self {
            config,
            membership,
            lives: PerNode::default(),
            decided: Index::ZERO,
            slots: AppendLog::starting_at(1),
            just_chosen: Vec::new(),
            disputed: Vec::new(),
        }
    }

    /// Fresh ghost state, for [`Invariant::ghosts`](sim_core::check::Invariant::ghosts).
    pub(super) fn shared(config: &Arc<Config>) -> Box<dyn Ghost<Paxos>> {
        Box::new(Self::new(config.clone()))
    }

    fn add(&mut self, node: NodeId, pvalue: Pvalue) {
        let Pvalue { slot, ballot, proposal } = pvalue;
        if self.membership.life_at(slot, node) != self.lives.of(node).0 {
            return;
        }
        let votes = self.slots.get_or_fill(slot.0, Slot::default);
        let place = votes.place(ballot, proposal);
        let tally = &mut votes.tallies[place];
        tally.accepted_by = tally.accepted_by.with(node);
        let accepted_by = tally.accepted_by;
        if votes.tallies.len() > 1 {
            self.disputed.push(slot);
        }
        if votes.chosen.is_some() {
            return;
        }
        let members = self.membership.at(slot);
        if self.config.quorums.is_enough(Phase::Two, accepted_by, members) {
            votes.chosen = Some(place);
            self.just_chosen.push(slot);
        }
    }

    /// The slots for which something is chosen since the last event, and was not before.
    pub(super) fn just_chosen(&self) -> &[Index] {
        &self.just_chosen
    }

    /// The slots for which the last event brought votes, where these are not all for the same under the same ballot.
    pub(super) fn disputed(&self) -> &[Index] {
        &self.disputed
    }

    /// The highest ballot that an acceptor has accepted for a slot, since it has lost its disk if it has.
    pub(super) fn accepted(&self, node: NodeId, slot: Index) -> Option<Ballot> {
        if slot < self.lives.of(node).1 {
            return None;
        }
        let by_node = self.of(slot).filter(|tally| tally.accepted_by.contains(node));
        by_node.map(|tally| tally.ballot).max()
    }

    /// What is chosen for a slot, and under which ballot that was seen first.
    pub(super) fn chosen(&self, slot: Index) -> Option<(Ballot, Proposal)> {
        let votes = self.slots.get(slot.0)?;
        votes.tallies.get(votes.chosen?).map(|tally| (tally.ballot, tally.proposal))
    }

    /// All votes of a slot.
    #[inline]
    pub(super) fn of(&self, slot: Index) -> impl Iterator<Item = Tally> {
        self.slots.get(slot.0).into_iter().flat_map(|votes| votes.tallies.iter().copied())
    }

    /// Takes note of a decision: it may change who decides later slots.
    fn on_decided(&mut self, slot: Index, proposal: Proposal) {
        if slot <= self.decided {
            return;
        }
        self.decided = slot;
        if let Proposal::Reconfigure(change) = proposal {
            let from = slot.plus(self.config.window);
            self.membership.change(from, change);
            if let Change::Readmit(node, life) = change {
                let (current, first) = self.lives.at(node);
                if *current == life {
                    *first = from.min(*first);
                }
            }
        }
    }

    /// The first slot that a node may vote for, in the life that it is in.
    pub(super) fn first_slot_of(&self, node: NodeId) -> Index {
        self.lives.of(node).1
    }

    #[inline]
    fn on_fact(&mut self, node: NodeId, fact: &Fact) {
        match *fact {
            Fact::Accepted(pvalue) => self.add(node, pvalue),
            Fact::Decided { slot, proposal } => self.on_decided(slot, proposal),
            Fact::LostDisk { life } => *self.lives.at(node) = (life, Index(u64::MAX)),
            Fact::Recovered { .. }
            | Fact::Readmitted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Promised { .. }
            | Fact::Proposed(_)
            | Fact::Applied { .. }
            | Fact::Installed { .. } => {}
        }
    }
}

impl Ghost<Paxos> for Votes {
    fn on_event(&mut self, node: NodeId, facts: &[Fact]) {
        self.just_chosen.clear();
        self.disputed.clear();
        for fact in facts {
            self.on_fact(node, fact);
        }
    }

    fn fork(&self) -> Box<dyn Ghost<Paxos>> {
        Box::new(self.clone())
    }
}

impl Slot {
    /// Where the tally of a proposal under a ballot is; a new one if there was none.
    fn place(&mut self, ballot: Ballot, proposal: Proposal) -> usize {
        let known =
            self.tallies.iter().position(|tally| tally.ballot == ballot && tally.proposal == proposal);
        known.unwrap_or_else(|| {
            self.tallies.push(Tally { ballot, proposal, accepted_by: NodeSet::EMPTY });
            self.tallies.len() - 1
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use sim_core::check::Breach;
    use sim_core::service::{Key, kv};
    use sim_core::{ClientId, OpId};

    use super::super::super::types::Change;
    use super::super::proposals::FirstProposals;
    use super::*;
    use crate::replicated::Command;

    /// Three acceptors, and a window of two slots.
    pub(in super::super) fn config() -> Arc<Config> {
        Arc::new(Config { window: 2, ..Config::new((0..3).map(NodeId::new)) })
    }

    /// Value `value` for `slot` under ballot `round` of n1.
    pub(in super::super) fn pvalue(slot: u64, round: u64, value: u64) -> Pvalue {
        let op = OpId { client: ClientId::new(0), ordinal: 0 };
        let proposal =
            Proposal::Command(Command::Client { op, operation: kv::Operation::Write(Key(0), value) });
        Pvalue {
            slot: Index(slot),
            ballot: Ballot { round, proposer: NodeId::new(0), ..Ballot::ZERO },
            proposal,
        }
    }

    #[test]
    fn a_proposal_is_chosen_by_a_quorum_under_one_ballot() {
        let mut votes = Votes::new(config());
        let mut vote = |node, pvalue: Pvalue| {
            votes.on_event(NodeId::new(node), &[Fact::Accepted(pvalue)]);
            (votes.just_chosen().to_vec(), votes.chosen(pvalue.slot), votes.disputed().to_vec())
        };
        let (nothing, first) = (Vec::new(), vec![Index(1)]);
        assert_eq!(vote(0, pvalue(1, 1, 7)), (nothing.clone(), None, nothing.clone()));
        assert_eq!(vote(1, pvalue(1, 2, 7)), (nothing.clone(), None, first.clone()), "another ballot");
        assert_eq!(vote(1, pvalue(2, 1, 7)), (nothing.clone(), None, nothing.clone()), "another slot");
        let chosen = Some((pvalue(1, 1, 7).ballot, pvalue(1, 1, 7).proposal));
        assert_eq!(vote(2, pvalue(1, 1, 7)), (first.clone(), chosen, first.clone()));
        assert_eq!(vote(1, pvalue(1, 1, 7)), (nothing, chosen, first), "it was before");
        assert_eq!(votes.accepted(NodeId::new(1), Index(1)), Some(pvalue(1, 2, 7).ballot));
    }

    #[test]
    fn changed_acceptors_decide_a_window_later() {
        let mut votes = Votes::new(config());
        for node in [3, 4] {
            votes.on_decided(
                Index(1 + u64::from(node) - 3),
                Proposal::Reconfigure(Change::Add(NodeId::new(node))),
            );
        }
        let count = |votes: &mut Votes, slot| {
            (0..5)
                .position(|node| {
                    votes.on_event(NodeId::new(node), &[Fact::Accepted(pvalue(slot, 1, 7))]);
                    !votes.just_chosen().is_empty()
                })
                .map(|at| at + 1)
        };
        assert_eq!(count(&mut votes, 2), Some(2), "two of three");
        assert_eq!(count(&mut votes, 3), Some(3), "three of four");
        assert_eq!(count(&mut votes, 4), Some(3), "three of five");
    }
    /// Shows facts to `invariant` as a world does, one an event: ghost state first.
    pub(in super::super) fn judge(
        facts: &[(u32, Fact)],
        mut invariant: impl FnMut(&Votes, &FirstProposals, NodeId, &[Fact]) -> Result<(), Breach>,
    ) -> Result<(), Breach> {
        let (mut votes, mut proposals) = (Votes::new(config()), FirstProposals::default());
        facts.iter().try_for_each(|(node, fact)| {
            let (node, facts) = (NodeId::new(*node), std::slice::from_ref(fact));
            votes.on_event(node, facts);
            proposals.on_event(node, facts);
            invariant(&votes, &proposals, node, facts)
        })
    }
}
