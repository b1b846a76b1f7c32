//! Which acceptor has accepted what, for every slot in the whole history, until something is chosen; and what that is.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::persist::AppendLog;

use super::super::membership::Membership;
use super::super::{Ballot, Config, Fact, Index, Proposal, Pvalue};
use super::few::Few;
use crate::replicated::{NodeSet, Phase};

/// Every vote that left an acceptor, for each slot until something is chosen there.
#[derive(Clone, Debug)]
pub(super) struct Votes {
    config: Arc<Config>,
    /// Who decides each slot, worked out from the decisions.
    membership: Membership,
    /// The last slot whose decision was looked at for changes of the acceptors.
    decided: Index,
    slots: AppendLog<Slot>,
}

/// The votes of one slot.
#[derive(Clone, Debug, Default)]
struct Slot {
    /// One for each ballot and proposal; usually one.
    tallies: Few<Tally>,
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
        Self { config, membership, decided: Index::ZERO, slots: AppendLog::starting_at(1) }
    }

    /// Takes note of a vote. Returns what is chosen for the slot by it, and was not before. Once something is chosen, who
    /// votes for what is not counted any more.
    pub(super) fn add(&mut self, node: NodeId, pvalue: Pvalue) -> Option<(Ballot, Proposal)> {
        let Pvalue { slot, ballot, proposal } = pvalue;
        let votes = self.slots.get_or_fill(slot.0, Slot::default);
        if votes.chosen.is_some() {
            return None;
        }
        let place = votes.place(ballot, proposal);
        let tally = votes.tallies.get_mut(place).expect("a place that was just found");
        tally.accepted_by = tally.accepted_by.with(node);
        let accepted_by = tally.accepted_by;
        let members = self.membership.at(slot);
        if !self.config.quorums.is_enough(Phase::Two, accepted_by, members) {
            return None;
        }
        votes.chosen = Some(place);
        Some((ballot, proposal))
    }

    /// What is chosen for a slot, and under which ballot that was seen first.
    pub(super) fn chosen(&self, slot: Index) -> Option<(Ballot, Proposal)> {
        let votes = self.slots.get(slot.0)?;
        votes.tallies.get(votes.chosen?).map(|tally| (tally.ballot, tally.proposal))
    }

    /// All votes of a slot up to when something was chosen.
    pub(super) fn of(&self, slot: Index) -> impl Iterator<Item = Tally> {
        self.slots.get(slot.0).into_iter().flat_map(|votes| votes.tallies.iter().copied())
    }

    /// Takes note of a decision: it may change who decides later slots.
    pub(super) fn on_decided(&mut self, slot: Index, proposal: Proposal) {
        if slot <= self.decided {
            return;
        }
        self.decided = slot;
        if let Proposal::Reconfigure(change) = proposal {
            self.membership.change(slot.plus(self.config.window), change);
        }
    }

    /// Does what a fact says, where it is a vote or a decision. Returns what is chosen by it.
    pub(super) fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Option<(Index, Ballot, Proposal)> {
        match *fact {
            Fact::Accepted(pvalue) => {
                let (ballot, proposal) = self.add(node, pvalue)?;
                Some((pvalue.slot, ballot, proposal))
            }
            Fact::Decided { slot, proposal } => {
                self.on_decided(slot, proposal);
                None
            }
            Fact::Recovered { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Promised { .. }
            | Fact::Proposed(_)
            | Fact::Applied { .. }
            | Fact::Installed { .. } => None,
        }
    }
}

impl Slot {
    /// Where the tally of a proposal under a ballot is; a new one if there was none.
    fn place(&mut self, ballot: Ballot, proposal: Proposal) -> usize {
        let known = self.tallies.position(|tally| tally.ballot == ballot && tally.proposal == proposal);
        known.unwrap_or_else(|| self.tallies.push(Tally { ballot, proposal, accepted_by: NodeSet::EMPTY }))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use sim_core::service::{Key, kv};
    use sim_core::{ClientId, OpId};

    use super::super::super::types::Change;
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
        Pvalue { slot: Index(slot), ballot: Ballot { round, proposer: NodeId::new(0) }, proposal }
    }

    #[test]
    fn a_proposal_is_chosen_by_a_quorum_under_one_ballot() {
        let mut votes = Votes::new(config());
        assert_eq!(votes.add(NodeId::new(0), pvalue(1, 1, 7)), None);
        assert_eq!(votes.add(NodeId::new(1), pvalue(1, 2, 7)), None, "another ballot");
        assert_eq!(votes.add(NodeId::new(1), pvalue(2, 1, 7)), None, "another slot");
        let chosen = Some((pvalue(1, 1, 7).ballot, pvalue(1, 1, 7).proposal));
        assert_eq!(votes.add(NodeId::new(2), pvalue(1, 1, 7)), chosen);
        assert_eq!((votes.chosen(Index(1)), votes.of(Index(1)).count()), (chosen, 2));
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
                .position(|node| votes.add(NodeId::new(node), pvalue(slot, 1, 7)).is_some())
                .map(|at| at + 1)
        };
        assert_eq!(count(&mut votes, 2), Some(2), "two of three");
        assert_eq!(count(&mut votes, 3), Some(3), "three of four");
        assert_eq!(count(&mut votes, 4), Some(3), "three of five");
    }
}
