//! Ghost state: the first proposal of each ballot for each slot.

use sim_core::persist::AppendLog;

use super::super::{Ballot, Proposal, Pvalue};

/// By slot, each ballot with its first proposal; the last is the usual one.
#[derive(Clone, Debug)]
pub(super) struct FirstProposals(AppendLog<Vec<(Ballot, Proposal)>>);

impl Default for FirstProposals {
    fn default() -> Self {
        Self(AppendLog::starting_at(1))
    }
}

impl FirstProposals {
    /// The proposal of a ballot for a slot; the first time it is taken note of.
    pub(super) fn first(&mut self, pvalue: Pvalue) -> Proposal {
        while self.0.end_index() <= pvalue.slot.0 {
            self.0.push(Vec::new());
        }
        let ballots = self.0.get_mut(pvalue.slot.0).expect("the slot was just made");
        if let Some((_, proposal)) = ballots.iter().rev().find(|(ballot, _)| *ballot == pvalue.ballot) {
            return *proposal;
        }
        ballots.push((pvalue.ballot, pvalue.proposal));
        pvalue.proposal
    }

    /// Whether this is the first proposal of its ballot for its slot.
    pub(super) fn holds(&self, pvalue: Pvalue) -> bool {
        let mut known = self.0.get(pvalue.slot.0).into_iter().flatten().rev();
        known.any(|known| *known == (pvalue.ballot, pvalue.proposal))
    }
}
