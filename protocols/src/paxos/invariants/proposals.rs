//! Ghost state: the first proposal of each ballot for each slot.

use sim_core::NodeId;
use sim_core::check::Ghost;
use sim_core::persist::AppendLog;
use smallvec::SmallVec;

use super::super::{Ballot, Fact, Index, Paxos, Proposal, Pvalue};

/// By slot, each ballot with its first proposal. Invariants share it: see [`Ghost`].
#[derive(Clone, Debug)]
pub(super) struct FirstProposals(AppendLog<SmallVec<[(Ballot, Proposal); 1]>>);

impl Default for FirstProposals {
    fn default() -> Self {
        Self(AppendLog::starting_at(1))
    }
}

impl FirstProposals {
    /// Fresh ghost state, for [`Invariant::ghosts`](sim_core::check::Invariant::ghosts).
    pub(super) fn shared() -> Box<dyn Ghost<Paxos>> {
        Box::<Self>::default()
    }

    /// Takes note of a proposal, unless its ballot has proposed something for its slot. Returns what was first.
    pub(super) fn propose(&mut self, Pvalue { slot, ballot, proposal }: Pvalue) -> Proposal {
        let ballots = self.0.get_or_fill(slot.0, SmallVec::new);
        if let Some((_, first)) = ballots.iter().find(|(known, _)| *known == ballot) {
            return *first;
        }
        ballots.push((ballot, proposal));
        proposal
    }

    /// What was proposed for a slot, by each ballot first.
    #[inline]
    pub(super) fn of(&self, slot: Index) -> impl Iterator<Item = (Ballot, Proposal)> {
        self.0.get(slot.0).into_iter().flat_map(|ballots| ballots.iter().copied())
    }

    /// The first proposal of a ballot for a slot.
    pub(super) fn first(&self, slot: Index, ballot: Ballot) -> Option<Proposal> {
        self.of(slot).find(|(known, _)| *known == ballot).map(|(_, proposal)| proposal)
    }
}

impl Ghost<Paxos> for FirstProposals {
    fn on_event(&mut self, _: NodeId, facts: &[Fact]) {
        for fact in facts {
            if let Fact::Proposed(pvalue) = *fact {
                self.propose(pvalue);
            }
        }
    }

    fn fork(&self) -> Box<dyn Ghost<Paxos>> {
        Box::new(self.clone())
    }
}
