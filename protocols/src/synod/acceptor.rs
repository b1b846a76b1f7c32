//! The acceptor: the memory of the Synod.
//!
//! Its two rules (§2.2): it promises a ballot if it has promised nothing higher, and it accepts a ballot if it has
//! promised nothing higher. Accepting a ballot promises it, too.

use serde::Serialize;

use super::types::Vote;
use crate::replicated::Ballot;

/// What an acceptor has promised and accepted. All of it is on disk before anybody hears of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Acceptor {
    /// The highest ballot promised; it only rises.
    promised: Ballot,
    /// What was accepted last, which is what was accepted with the highest ballot.
    accepted: Option<Vote>,
}

/// Which rule of the acceptor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// The paper's.
    Paper,
    /// Accepting promises nothing: a mutant.
    AcceptNoBump,
    /// Promises are not looked at when accepting: a mutant.
    AcceptIgnoresPromise,
}

impl Acceptor {
    /// What a disk kept.
    pub const fn recover(promised: Ballot, accepted: Option<Vote>) -> Self {
        Self { promised, accepted }
    }

    /// The highest ballot promised.
    pub const fn promised(&self) -> Ballot {
        self.promised
    }

    /// What was accepted with the highest ballot.
    pub const fn accepted(&self) -> Option<Vote> {
        self.accepted
    }

    /// Phase 1b: promises `ballot`. `None` if a higher one is promised. A ballot that is promised already is promised
    /// again: the first answer may be lost.
    #[must_use]
    pub fn promise(&self, ballot: Ballot) -> Option<Self> {
        (ballot >= self.promised).then_some(Self { promised: ballot, ..*self })
    }

    /// Phase 2b: accepts `vote`. `None` if a higher ballot is promised.
    #[must_use]
    pub fn accept(&self, vote: Vote, discipline: Discipline) -> Option<Self> {
        let last = self.accepted.map_or(Ballot::ZERO, |accepted| accepted.ballot);
        let (floor, promised) = match discipline {
            Discipline::Paper => (self.promised, vote.ballot),
            Discipline::AcceptNoBump => (self.promised, self.promised),
            Discipline::AcceptIgnoresPromise => (last, self.promised.max(vote.ballot)),
        };
        (vote.ballot >= floor).then_some(Self { promised, accepted: Some(vote) })
    }
}

#[cfg(test)]
mod tests {
    use sim_core::{ClientId, NodeId, OpId};

    use super::super::types::Proposal;
    use super::*;

    fn ballot(round: u64) -> Ballot {
        Ballot { round, proposer: NodeId::new(0), ..Ballot::ZERO }
    }

    fn vote(round: u64) -> Vote {
        let op = OpId { client: ClientId::new(0), ordinal: 0 };
        Vote { ballot: ballot(round), proposal: Proposal { op, value: round } }
    }

    #[test]
    fn a_promise_holds_for_prepares_and_accepts_below_it() {
        let acceptor = Acceptor::default().promise(ballot(3)).expect("the first");
        assert_eq!(acceptor.promise(ballot(2)), None);
        assert_eq!(acceptor.promise(ballot(3)), Some(acceptor), "again");
        assert_eq!(acceptor.accept(vote(2), Discipline::Paper), None);
        let accepted = acceptor.accept(vote(3), Discipline::Paper).expect("the one promised");
        assert_eq!((accepted.promised(), accepted.accepted()), (ballot(3), Some(vote(3))));
    }

    #[test]
    fn accepting_a_ballot_promises_it() {
        let acceptor = Acceptor::default().accept(vote(5), Discipline::Paper).expect("nothing is promised");
        assert_eq!(acceptor.promise(ballot(4)), None);
        let wrong =
            Acceptor::default().accept(vote(5), Discipline::AcceptNoBump).expect("nothing is promised");
        assert!(wrong.accept(vote(4), Discipline::AcceptNoBump).is_some(), "the mutant goes back");
    }

    #[test]
    fn the_mutant_that_ignores_promises_accepts_below_them() {
        let acceptor = Acceptor::default().promise(ballot(3)).expect("the first");
        assert!(acceptor.accept(vote(2), Discipline::AcceptIgnoresPromise).is_some());
    }
}
