//! Which acceptor has accepted what, for every slot, in the whole history; and what is chosen by that.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::persist::AppendLog;

use super::super::membership::Membership;
use super::super::{Ballot, Config, Fact, Index, Proposal, Pvalue};
use crate::replicated::{NodeSet, Phase};

/// Every vote that ever left an acceptor.
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
    /// The latest, which usually is the only one.
    latest: Option<Tally>,
    earlier: Vec<Tally>,
    chosen: Option<(Ballot, Proposal)>,
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

    /// Takes note of a vote. Returns what is chosen for the slot by it, and was not before.
    pub(super) fn add(&mut self, node: NodeId, pvalue: Pvalue) -> Option<(Ballot, Proposal)> {
        let Pvalue { slot, ballot, proposal } = pvalue;
        let members = self.membership.at(slot);
        while self.slots.end_index() <= slot.0 {
            self.slots.push(Slot::default());
        }
        let votes = self.slots.get_mut(slot.0).expect("the slot was just made");
        let tally = votes.tally(ballot, proposal);
        tally.accepted_by = tally.accepted_by.with(node);
        let accepted_by = tally.accepted_by;
        if votes.chosen.is_some() || !self.config.quorums.is_enough(Phase::Two, accepted_by, members) {
            return None;
        }
        votes.chosen = Some((ballot, proposal));
        votes.chosen
    }

    /// What is chosen for a slot, and under which ballot that was seen first.
    pub(super) fn chosen(&self, slot: Index) -> Option<(Ballot, Proposal)> {
        self.slots.get(slot.0)?.chosen
    }

    /// All votes of a slot.
    pub(super) fn of(&self, slot: Index) -> impl Iterator<Item = Tally> {
        self.slots
            .get(slot.0)
            .into_iter()
            .flat_map(|votes| votes.latest.iter().chain(&votes.earlier).copied())
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
    /// The tally of a proposal under a ballot.
    fn tally(&mut self, ballot: Ballot, proposal: Proposal) -> &mut Tally {
        let is_it = |tally: &Tally| tally.ballot == ballot && tally.proposal == proposal;
        if self.latest.as_ref().is_some_and(is_it) {
            return self.latest.as_mut().expect("just looked");
        }
        if let Some(at) = self.earlier.iter().position(is_it) {
            return &mut self.earlier[at];
        }
        let tally = Tally { ballot, proposal, accepted_by: NodeSet::EMPTY };
        self.earlier.extend(self.latest.replace(tally));
        self.latest.as_mut().expect("just put there")
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
