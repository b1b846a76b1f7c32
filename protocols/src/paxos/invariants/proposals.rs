//! Ghost state: the first proposal of each ballot for each slot.

use sim_core::persist::AppendLog;

use super::super::{Ballot, Proposal, Pvalue};
use super::few::Few;

/// By slot, each ballot with its first proposal.
#[derive(Clone, Debug)]
pub(super) struct FirstProposals(AppendLog<Few<(Ballot, Proposal)>>);

impl Default for FirstProposals {
    fn default() -> Self {
        Self(AppendLog::starting_at(1))
    }
}

impl FirstProposals {
    /// The proposal of a ballot for a slot; the first time it is taken note of.
    pub(super) fn first(&mut self, pvalue: Pvalue) -> Proposal {
        let ballots = self.0.get_or_fill(pvalue.slot.0, Few::default);
        if let Some((_, proposal)) = ballots.iter().find(|(ballot, _)| *ballot == pvalue.ballot) {
            return *proposal;
        }
        ballots.push((pvalue.ballot, pvalue.proposal));
        pvalue.proposal
    }

    /// Whether this is the first proposal of its ballot for its slot.
    pub(super) fn holds(&self, pvalue: Pvalue) -> bool {
        let known = self.0.get(pvalue.slot.0);
        known.is_some_and(|known| known.iter().any(|known| *known == (pvalue.ballot, pvalue.proposal)))
    }
}
