//! The slots of one node: what it has accepted, and what it knows to be decided.
//!
//! ```text
//!  slot       1 2 3 4 5 6 7   8   9  10  11
//!             ╰─ decided ─╯   │   │       │
//!               and executed  │   ╰ hole  ╰ accepted, perhaps decided
//!                             ╰ accepted, perhaps decided
//! ```
//!
//! Decided slots without holes before them are one sequence with a chain; those after the first hole stand in a window.
//! The log writes each change to its [`Journal`] before it makes it, and states what it decides.

use std::collections::VecDeque;

use serde::{Serialize, Serializer};
use sim_core::disk::WriteError;

use super::facts::{Fact, Witness};
use super::types::{Proposal, Proposals, Pvalue};
use crate::replicated::{Ballot, Chain, ChainedLog, Index};

/// Where the log writes: the disk of a handler's context, or nowhere in a test.
pub trait Journal: Witness {
    /// An acceptor accepts.
    ///
    /// # Errors
    /// If the disk takes no more.
    fn accepted(&mut self, pvalue: Pvalue) -> Result<(), WriteError>;

    /// A learner learns what it has not accepted itself.
    ///
    /// # Errors
    /// If the disk takes no more.
    fn decided(&mut self, slot: Index, proposal: Proposal) -> Result<(), WriteError>;
}

/// A slot after the first hole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Cell {
    /// With the highest ballot.
    accepted: Option<(Ballot, Proposal)>,
    decided: Option<Proposal>,
}

/// The slots of one node. See the [module documentation](self).
#[derive(Clone, Default)]
pub struct Log {
    /// Decided without holes.
    decided: ChainedLog<Proposal>,
    /// The slots after those; the first is not decided.
    window: VecDeque<Cell>,
    /// Whether something was written that no sync covers.
    dirty: bool,
    /// How far it is on disk.
    unsaved: Unsaved,
}

/// What is not on disk yet. Nothing but the view depends on it.
#[derive(Clone, Copy, Default)]
struct Unsaved {
    /// The first slot of what was written and is covered by no sync.
    written: Option<Index>,
    /// The first slot of what a sync under way covers.
    syncing: Option<Index>,
    /// How far it was on disk when another's state was taken over that is not on disk.
    installed_over: Option<Index>,
}

impl Unsaved {
    fn write(&mut self, slot: Index) {
        self.written = Some(self.written.map_or(slot, |first| first.min(slot)));
    }

    const fn begin_sync(&mut self) {
        self.syncing = self.written.take();
    }

    /// How far a log that goes up to `end` is on disk.
    fn up_to(&self, end: Index) -> Index {
        let firsts = [self.written, self.syncing].into_iter().flatten();
        firsts.map(Index::previous).chain(self.installed_over).fold(end, Index::min)
    }
}

impl Log {
    /// An empty log that goes on after a snapshot.
    pub fn starting_after(slot: Index, chain: Chain) -> Self {
        Self { decided: ChainedLog::starting_after(slot, chain), ..Self::default() }
    }

    /// Accepts a proposal, over whatever was accepted with a lower ballot. A decided slot stays as it is.
    ///
    /// # Errors
    /// If the journal refuses it; then nothing changes.
    #[inline]
    pub fn accept(&mut self, pvalue: Pvalue, journal: &mut impl Journal) -> Result<(), WriteError> {
        let Some(cell) = self.cell(pvalue.slot) else { return Ok(()) };
        let accepted = Some((pvalue.ballot, pvalue.proposal));
        if cell.accepted != accepted {
            journal.accepted(pvalue)?;
            cell.accepted = accepted;
            self.unsaved.write(pvalue.slot);
            self.dirty = true;
        }
        Ok(())
    }

    /// Learns that `proposal` is decided for `slot`.
    ///
    /// # Errors
    /// If the journal refuses it; then nothing changes.
    #[inline]
    pub fn decide(
        &mut self,
        slot: Index,
        proposal: Proposal,
        journal: &mut impl Journal,
    ) -> Result<(), WriteError> {
        let Some(cell) = self.cell(slot) else { return Ok(()) };
        if cell.decided.is_some() {
            return Ok(());
        }
        if cell.accepted.map(|(_, accepted)| accepted) != Some(proposal) {
            journal.decided(slot, proposal)?;
            self.unsaved.write(slot);
            self.dirty = true;
        }
        self.cell(slot).expect("the slot is in the window").decided = Some(proposal);
        journal.state(Fact::Decided { slot, proposal });
        self.close_holes();
        Ok(())
    }

    /// The leader of `ballot` says that everything up to `slot` is decided. What was accepted under its ballot is what
    /// was decided; this goes on to the first slot of which that is not known.
    #[inline]
    pub fn decide_up_to(&mut self, ballot: Ballot, slot: Index, journal: &mut impl Journal) {
        while self.last() < slot
            && let Some(Cell { accepted: Some((accepted_under, proposal)), .. }) =
                self.window.front().copied()
            && accepted_under == ballot
            && self.decide(self.last().next(), proposal, journal).is_ok()
        {}
    }

    /// Everything up to here is decided.
    #[inline]
    pub const fn last(&self) -> Index {
        self.decided.last_index()
    }

    /// Everything up to here is forgotten but for its effect.
    pub const fn base(&self) -> Index {
        self.decided.base()
    }

    /// The chain up to the last decided slot.
    pub fn last_chain(&self) -> Chain {
        self.decided.last_chain()
    }

    /// The chain up to `slot`, where it is known.
    pub fn chain_at(&self, slot: Index) -> Option<Chain> {
        self.decided.chain_at(slot)
    }

    /// What is decided for `slot`, if it is not forgotten and there is no hole before it.
    #[inline]
    pub fn decided_at(&self, slot: Index) -> Option<&Proposal> {
        self.decided.get(slot)
    }

    /// What was accepted for a slot after the first hole.
    pub fn accepted_at(&self, slot: Index) -> Option<(Ballot, Proposal)> {
        let place = usize::try_from(slot.0.checked_sub(self.last().0 + 1)?).ok()?;
        self.window.get(place)?.accepted
    }

    /// The last slot for which anything was accepted or decided.
    pub fn end(&self) -> Index {
        self.last().plus(self.window.len() as u64)
    }

    /// Everything accepted from `first` on, after the first hole.
    pub fn accepted_from(&self, first: Index) -> impl Iterator<Item = Pvalue> {
        let slots = (self.last().0 + 1..).map(Index);
        slots.zip(&self.window).filter(move |(slot, _)| *slot >= first).filter_map(|(slot, cell)| {
            let (ballot, proposal) = cell.accepted?;
            Some(Pvalue { slot, ballot, proposal })
        })
    }

    /// At most `count` decisions from `first` on.
    pub fn decisions(&self, first: Index, count: u64) -> Proposals {
        self.decided.range(first, count).copied().collect()
    }

    /// Forgets decisions up to `slot`.
    pub fn compact_to(&mut self, slot: Index) {
        self.decided.compact_to(slot);
    }

    /// Everything up to `slot` is decided, and known only by its effect. Returns whether that is news.
    pub fn install(&mut self, slot: Index, chain: Chain) -> bool {
        let Some(skipped) = slot.0.checked_sub(self.last().0).filter(|skipped| *skipped > 0) else {
            return false;
        };
        self.unsaved.installed_over = Some(self.durable());
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX).min(self.window.len());
        self.window.drain(..skipped);
        self.decided = ChainedLog::starting_after(slot, chain);
        self.close_holes();
        true
    }

    /// A sync of everything written so far begins. Those that began before are done.
    pub const fn begin_sync(&mut self) {
        self.dirty = false;
        self.unsaved.begin_sync();
    }

    /// The sync that began last is done.
    pub const fn end_sync(&mut self) {
        self.unsaved.syncing = None;
    }

    /// The state that was taken over is on disk.
    pub const fn end_install(&mut self) {
        self.unsaved.installed_over = None;
    }

    /// What the log holds up to here is on disk, in the journal or in a snapshot.
    pub fn durable(&self) -> Index {
        self.unsaved.up_to(self.end())
    }

    /// Something of the journal was written anew.
    pub const fn touch(&mut self) {
        self.dirty = true;
    }

    /// Whether something was written that no sync covers.
    #[inline]
    pub const fn is_dirty(&self) -> bool {
        self.dirty
    }

    fn close_holes(&mut self) {
        while let Some(cell) = self.window.pop_front_if(|cell| cell.decided.is_some()) {
            self.decided.push(cell.decided.expect("the condition says so"));
        }
    }

    /// The cell of a slot after the first hole, made if it is not there.
    #[inline]
    fn cell(&mut self, slot: Index) -> Option<&mut Cell> {
        let place = slot.0.checked_sub(self.last().0 + 1)?;
        let place = usize::try_from(place).expect("a window of slots fits memory");
        while self.window.len() <= place {
            self.window.push_back(Cell::default());
        }
        Some(&mut self.window[place])
    }
}

/// The chain stands for what is decided.
impl Serialize for Log {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.last(), self.last_chain(), &self.window, self.dirty).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use sim_core::service::{Key, kv};
    use sim_core::{ClientId, NodeId, OpId};

    use super::*;
    use crate::replicated::Command;

    impl Journal for Vec<Fact> {
        fn accepted(&mut self, _: Pvalue) -> Result<(), WriteError> {
            Ok(())
        }

        fn decided(&mut self, _: Index, _: Proposal) -> Result<(), WriteError> {
            Ok(())
        }
    }

    fn proposal(value: u64) -> Proposal {
        let op = OpId { client: ClientId::new(0), ordinal: 0 };
        Proposal::Command(Command::Client { op, operation: kv::Operation::Write(Key(0), value) })
    }

    fn pvalue(slot: u64, round: u64, value: u64) -> Pvalue {
        let ballot = Ballot { round, proposer: NodeId::new(0), ..Ballot::ZERO };
        Pvalue { slot: Index(slot), ballot, proposal: proposal(value) }
    }

    fn accepted(pvalues: &[Pvalue]) -> Log {
        let mut log = Log::default();
        for pvalue in pvalues {
            log.accept(*pvalue, &mut Vec::new()).expect("the journal takes all");
        }
        log
    }

    #[test]
    fn slots_behind_a_hole_wait_until_it_is_closed() {
        let mut log = Log::default();
        let mut facts = Vec::new();
        log.decide(Index(2), proposal(2), &mut facts).expect("written");
        assert_eq!((log.last(), log.end()), (Index(0), Index(2)));
        log.decide(Index(1), proposal(1), &mut facts).expect("written");
        assert_eq!((log.last(), log.decided_at(Index(2))), (Index(2), Some(&proposal(2))));
        assert_eq!(facts.len(), 2);
    }

    #[test]
    fn what_was_accepted_under_another_ballot_is_not_decided_by_a_leader_s_word() {
        let mut log = accepted(&[pvalue(1, 3, 1), pvalue(2, 2, 2), pvalue(3, 3, 3)]);
        log.decide_up_to(pvalue(0, 3, 0).ballot, Index(3), &mut Vec::new());
        assert_eq!(log.last(), Index(1), "slot 2 may have been decided otherwise");
        assert_eq!(log.accepted_from(Index(1)).count(), 2);
    }

    #[test]
    fn an_accepted_proposal_is_replaced_and_a_decided_one_is_not() {
        let mut log = accepted(&[pvalue(1, 2, 1), pvalue(1, 3, 2)]);
        assert_eq!(log.accepted_at(Index(1)), Some((pvalue(1, 3, 2).ballot, proposal(2))));
        log.decide(Index(1), proposal(2), &mut Vec::new()).expect("written");
        log.accept(pvalue(1, 4, 9), &mut Vec::new()).expect("nothing to write");
        assert_eq!((log.decided_at(Index(1)), log.accepted_at(Index(1))), (Some(&proposal(2)), None));
    }

    #[test]
    fn the_log_is_durable_before_the_first_slot_that_no_sync_has_covered() {
        let mut log = accepted(&[pvalue(1, 1, 1), pvalue(2, 1, 2)]);
        assert_eq!(log.durable(), Index(0));
        log.begin_sync();
        log.accept(pvalue(3, 1, 3), &mut Vec::new()).expect("written");
        assert_eq!(log.durable(), Index(0), "the sync is under way");
        log.end_sync();
        assert_eq!(log.durable(), Index(2));
        log.accept(pvalue(2, 2, 9), &mut Vec::new()).expect("written");
        assert_eq!(log.durable(), Index(1), "what replaces slot 2 is not on disk");
        log.begin_sync();
        log.end_sync();
        assert_eq!(log.durable(), Index(3));
        log.decide(Index(1), proposal(1), &mut Vec::new()).expect("nothing to write");
        assert_eq!(log.durable(), Index(3), "what was accepted is decided without a write");
    }

    #[test]
    fn what_was_taken_over_is_durable_once_its_snapshot_is() {
        let mut log = accepted(&[pvalue(1, 1, 1), pvalue(5, 1, 5)]);
        log.begin_sync();
        log.end_sync();
        assert!(log.install(Index(4), Chain(7)));
        log.accept(pvalue(6, 1, 6), &mut Vec::new()).expect("written");
        assert!(log.install(Index(5), Chain(8)), "one after the other");
        log.begin_sync();
        log.end_sync();
        assert_eq!(log.durable(), Index(5), "the journal was, up to slot 5, and the snapshot is not");
        log.end_install();
        assert_eq!(log.durable(), Index(6));
    }

    #[test]
    fn an_installed_snapshot_takes_the_place_of_what_is_before_it() {
        let mut log = accepted(&[pvalue(2, 1, 2), pvalue(5, 1, 5)]);
        assert!(log.install(Index(4), Chain(7)));
        assert_eq!((log.last(), log.base(), log.last_chain()), (Index(4), Index(4), Chain(7)));
        assert_eq!(log.accepted_at(Index(5)), Some((pvalue(5, 1, 5).ballot, proposal(5))));
        assert!(!log.install(Index(3), Chain(6)), "older than what is known");
    }
}
