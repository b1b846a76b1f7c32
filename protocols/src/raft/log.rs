//! The replicated log (§5.3): entries, how far they are durable, how far committed.
//!
//! ```text
//!  index    1    2    3    4    5    6
//!  term    t1   t1   t2   t2   t2   t4
//!           ╰─ committed ─╯    │    ╰── last_index
//!           ╰──── durable ─────╯
//! ```
//!
//! The log writes each change to its [`Journal`] before it makes it, so that memory is never ahead of the disk's
//! queue, and states what it did. Nothing here scans: each entry carries the [`Chain`] of its prefix, and `runs`
//! knows where each term begins.

use serde::{Serialize, Serializer};
use sim_core::disk::WriteError;

use super::facts::{Fact, Witness};
use super::message::Hint;
use super::types::{Entries, Entry, Term};
use crate::replicated::{Chain, ChainedLog, Index};

/// Where the log writes: the disk region of a handler's context, or nowhere in a test.
pub trait Journal: Witness {
    /// Adds an entry after the last.
    ///
    /// # Errors
    /// If the disk takes no more.
    fn append(&mut self, entry: Entry) -> Result<(), WriteError>;

    /// Removes the entry at `index` and all after it.
    fn truncate_from(&mut self, index: Index);
}

/// The first entry of a term in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    term: Term,
    first: Index,
}

/// The log of one node. See the [module documentation](self).
#[derive(Clone, Default)]
pub struct Log {
    entries: ChainedLog<Entry>,
    /// The terms of the log, ascending, each with its first entry.
    runs: Vec<Run>,
    /// Entries up to here are committed. At most the last index.
    commit: Index,
    /// Entries up to here are on disk. At most the last index.
    durable: Index,
    /// Entries up to here are on disk when the sync under way is done. At most the last index.
    syncing: Index,
    /// Whether something was written after that sync began.
    dirty: bool,
}

impl Log {
    /// The log that a disk kept. Nothing is known to be committed: that is learned from a leader.
    pub fn recover(entries: impl IntoIterator<Item = Entry>, witness: &mut impl Witness) -> Self {
        let mut log = Self::default();
        for entry in entries {
            log.push(entry);
        }
        (log.durable, log.syncing) = (log.last_index(), log.last_index());
        witness.state(Fact::Recovered {
            index: log.last_index(),
            term: log.last_term(),
            chain: log.last_chain(),
        });
        log
    }

    /// Adds an entry at the end and returns its index.
    ///
    /// # Errors
    /// If the journal refuses it; then nothing changes.
    pub fn append(&mut self, entry: Entry, journal: &mut impl Journal) -> Result<Index, WriteError> {
        journal.append(entry)?;
        let chain = self.push(entry);
        self.dirty = true;
        let index = self.last_index();
        journal.state(Fact::Appended { index, term: entry.term, chain });
        Ok(index)
    }

    /// Makes the entries after `previous` those of a leader (§5.3), where the log matches the leader's at
    /// `previous`. Entries that are already there stay, and so does what follows them: an old message must not
    /// undo a newer one. Only an entry of another term removes what is there.
    ///
    /// Returns how far the log now certainly is the leader's: the last of `entries`, or less if the journal took
    /// no more.
    pub fn merge(&mut self, previous: Index, entries: &[Entry], journal: &mut impl Journal) -> Index {
        let mut matched = previous;
        for entry in entries {
            let written = match self.term_at(matched.next()) {
                Some(term) if term == entry.term => Ok(()),
                Some(_) => {
                    self.truncate_from(matched.next(), journal);
                    self.append(*entry, journal).map(|_| ())
                }
                None => self.append(*entry, journal).map(|_| ()),
            };
            if written.is_err() {
                break;
            }
            matched = matched.next();
        }
        matched
    }

    /// Takes note that entries up to `index` are committed; an older index changes nothing.
    ///
    /// # Panics
    /// If the log does not reach that far.
    pub fn commit_to(&mut self, index: Index, witness: &mut impl Witness) {
        if index <= self.commit {
            return;
        }
        assert!(
            index <= self.last_index(),
            "entry {index} is committed, the log ends at {}",
            self.last_index()
        );
        self.commit = index;
        let chain = self.chain_at(index).expect("an index up to the last is in the log");
        witness.state(Fact::Committed { index, chain });
    }

    /// A sync of everything written so far begins.
    pub fn begin_sync(&mut self) {
        self.syncing = self.last_index();
        self.dirty = false;
    }

    /// The sync that began last is done.
    pub fn end_sync(&mut self) {
        self.durable = self.syncing;
    }

    /// Whether something was written that no sync covers.
    pub const fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// The index of the last entry; 0 for an empty log.
    #[inline]
    pub fn last_index(&self) -> Index {
        self.entries.last_index()
    }

    /// The term of the last entry; 0 for an empty log.
    #[inline]
    pub fn last_term(&self) -> Term {
        self.runs.last().map_or(Term(0), |run| run.term)
    }

    /// The chain of the whole log.
    pub fn last_chain(&self) -> Chain {
        self.entries.last_chain()
    }

    /// The last entry known to be committed; 0 for none.
    #[inline]
    pub const fn commit(&self) -> Index {
        self.commit
    }

    /// The last entry known to be on disk; 0 for none.
    #[inline]
    pub const fn durable(&self) -> Index {
        self.durable
    }

    /// The entry at `index`; `None` for 0 and beyond the end.
    #[inline]
    pub fn entry_at(&self, index: Index) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// The term of the entry at `index`; term 0 at index 0, `None` beyond the end.
    #[inline]
    pub fn term_at(&self, index: Index) -> Option<Term> {
        if index == Index::ZERO { Some(Term(0)) } else { Some(self.entries.get(index)?.term) }
    }

    /// The chain up to and including `index`; `None` beyond the end.
    #[inline]
    pub fn chain_at(&self, index: Index) -> Option<Chain> {
        self.entries.chain_at(index)
    }

    /// The consistency check (§5.3): whether the entry at `index` has `term`, and with it, by Log Matching, all
    /// before it are the leader's.
    #[inline]
    pub fn matches(&self, index: Index, term: Term) -> bool {
        self.term_at(index) == Some(term)
    }

    /// Whether a log that ends in `(last_term, last_index)` has everything this one may have committed (§5.4.1):
    /// the later last term wins; with equal terms, the longer log.
    pub fn is_covered_by(&self, last_term: Term, last_index: Index) -> bool {
        (last_term, last_index) >= (self.last_term(), self.last_index())
    }

    /// At most `count` entries from `first` on.
    pub fn slice(&self, first: Index, count: u64) -> Entries {
        self.entries.range(first, count).copied().collect()
    }

    /// What a follower tells a leader whose `previous` its log does not match.
    pub fn hint(&self, previous: Index) -> Hint {
        match self.term_at(previous) {
            Some(term) => {
                Hint { term: Some(term), first_index: self.run(term).map_or(previous, |run| run.first) }
            }
            None => Hint { term: None, first_index: self.last_index().next() },
        }
    }

    /// Where a leader continues after a follower's `hint` about `refused`: after its own last entry of the
    /// follower's term, if it has one, because up to there the two may agree; else at the follower's first entry of
    /// that term. Always before what was refused.
    pub fn next_after(&self, hint: Hint, refused: Index) -> Index {
        let last_of_term = hint.term.and_then(|term| self.last_index_of(term));
        let next = last_of_term.map_or(hint.first_index, Index::next);
        next.min(refused).max(Index(1))
    }

    fn truncate_from(&mut self, index: Index, journal: &mut impl Journal) {
        assert!(
            index > self.commit,
            "entry {index} would be removed, but entries up to {} are committed",
            self.commit
        );
        journal.truncate_from(index);
        self.entries.truncate_from(index);
        self.runs.truncate(self.runs.partition_point(|run| run.first < index));
        // A sync under way makes entries durable that are about to be replaced: it must not count for the new ones.
        self.durable = self.durable.min(index.previous());
        self.syncing = self.syncing.min(index.previous());
        self.dirty = true;
        journal.state(Fact::Truncated { from: index });
    }

    fn push(&mut self, entry: Entry) -> Chain {
        let last_term = self.last_term();
        assert!(
            entry.term >= last_term,
            "terms never fall along a log, but {} follows {last_term}",
            entry.term
        );
        if entry.term > last_term {
            self.runs.push(Run { term: entry.term, first: self.last_index().next() });
        }
        self.entries.push(entry)
    }

    fn run(&self, term: Term) -> Option<Run> {
        let at = self.runs.binary_search_by_key(&term, |run| run.term).ok()?;
        Some(self.runs[at])
    }

    fn last_index_of(&self, term: Term) -> Option<Index> {
        let at = self.runs.binary_search_by_key(&term, |run| run.term).ok()?;
        Some(self.runs.get(at + 1).map_or(self.last_index(), |run| run.first.previous()))
    }
}

/// The chain stands for the entries.
impl Serialize for Log {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entries: _, runs: _, commit, durable, syncing, dirty } = self;
        (self.last_index(), self.last_chain(), commit, durable, syncing, dirty).serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
