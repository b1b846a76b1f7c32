//! The replicated log (§5.3): entries, how far they are durable, how far committed.
//!
//! ```text
//!  index    1    2    3    4    5    6
//!  term    t1   t1   t2   t2   t2   t4
//!           ╰─ committed ─╯    │    ╰── last_index
//!           ╰──── durable ─────╯
//! ```
//!
//! The beginning may be compacted (§7): up to its *base* a snapshot stands for the entries, and the log knows the term and
//! chain at the base, and the membership there.
//!
//! The log writes each change to its [`Journal`] before it makes it, so that memory is never ahead of the disk's
//! queue, and states what it did. Nothing here scans: each entry carries the [`Chain`] of its prefix, and `runs`
//! knows where each term begins.

use serde::{Serialize, Serializer};
use sim_core::disk::WriteError;

use super::facts::{Fact, Witness};
use super::membership::Membership;
use super::message::Hint;
use super::snapshot::SnapshotMeta;
use super::types::{Entries, Entry, Term};
use crate::replicated::{Agreeable, Chain, ChainedLog, Command, Index};

/// Where the log writes: the disk region of a handler's context, or nowhere in a test.
pub trait Journal<C = Command>: Witness {
    /// Adds an entry after the last.
    ///
    /// # Errors
    /// If the disk takes no more.
    fn append(&mut self, entry: Entry<C>) -> Result<(), WriteError>;

    /// Removes the entry at `index` and all after it.
    fn truncate_from(&mut self, index: Index);

    /// Removes the entries up to and including `index`; where there are none so far, the next one comes after it.
    fn truncate_to(&mut self, index: Index);

    /// So many entries are being removed because the leader has others there.
    fn diverged(&mut self, entries: u64);
}

/// The first entry of a term in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    term: Term,
    first: Index,
}

/// The log of one node. See the [module documentation](self).
#[derive(Clone)]
pub struct Log<C = Command> {
    entries: ChainedLog<Entry<C>>,
    /// The term of the entry at the base; 0 where nothing is compacted.
    base_term: Term,
    /// The terms of the log, ascending, each with its first entry.
    runs: Vec<Run>,
    /// The memberships of the log, each with the entry that brought it. The first is in force at the base.
    memberships: Vec<(Index, Membership)>,
    /// Entries up to here are committed. At least the base, at most the last index.
    commit: Index,
    /// Entries up to here are on disk. At most the last index.
    durable: Index,
    /// Whether something was written that no sync covers.
    dirty: bool,
}

impl<C: Agreeable> Log<C> {
    /// An empty log of a cluster that begins with `members`.
    pub fn new(members: Membership) -> Self {
        Self::after(&SnapshotMeta::initial(members))
    }

    /// A log that goes on after a snapshot.
    fn after(snapshot: &SnapshotMeta) -> Self {
        let base = snapshot.index;
        Self {
            entries: ChainedLog::starting_after(base, snapshot.chain),
            base_term: snapshot.term,
            runs: Vec::new(),
            memberships: vec![(snapshot.members_index, snapshot.members)],
            commit: base,
            durable: base,
            dirty: false,
        }
    }

    /// The log that a disk kept: a snapshot (of nothing, at first) and the entries after it. What the snapshot stands
    /// for is committed; of the rest that is learned from a leader.
    pub fn recover(
        snapshot: &SnapshotMeta,
        entries: impl IntoIterator<Item = Entry<C>>,
        witness: &mut impl Witness,
    ) -> Self {
        let mut log = Self::after(snapshot);
        for entry in entries {
            log.push(entry);
        }
        log.durable = log.last_index();
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
    pub fn append(&mut self, entry: Entry<C>, journal: &mut impl Journal<C>) -> Result<Index, WriteError> {
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
    /// What stands before the base is committed, so it is the leader's, whatever it was.
    ///
    /// Returns how far the log now certainly is the leader's: the last of `entries`, or less if the journal took
    /// no more.
    pub fn merge(&mut self, previous: Index, entries: &[Entry<C>], journal: &mut impl Journal<C>) -> Index {
        let mut matched = previous.max(self.base());
        let compacted = usize::try_from(matched.since(previous)).unwrap_or(usize::MAX);
        for entry in entries.iter().skip(compacted) {
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
    pub const fn begin_sync(&mut self) {
        self.dirty = false;
    }

    /// Entries up to `index` are on disk, as far as the log goes.
    pub fn mark_durable(&mut self, index: Index) {
        self.durable = self.durable.max(index.min(self.last_index()));
    }

    /// Whether something was written that no sync covers.
    #[inline]
    pub const fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Forgets the entries up to `index`, for which a snapshot stands. Those are committed and executed.
    ///
    /// # Panics
    /// If they are not committed.
    pub fn compact_to(&mut self, index: Index, journal: &mut impl Journal<C>) {
        if index <= self.base() {
            return;
        }
        assert!(index <= self.commit, "entries up to {index} are compacted, and {} committed", self.commit);
        self.base_term = self.term_at(index).expect("a committed entry is in the log");
        self.entries.compact_to(index);
        let first_run = self.runs.partition_point(|run| run.first <= index).saturating_sub(1);
        self.runs.drain(..first_run);
        let first = self.memberships.partition_point(|(at, _)| *at <= index).saturating_sub(1);
        self.memberships.drain(..first);
        journal.truncate_to(index);
        self.dirty = true;
        journal.state(Fact::Compacted { index });
    }

    /// Begins anew after a leader's snapshot (§7). What follows it stays, if the snapshot describes a prefix of this
    /// log; else all of the log goes, because it conflicts with the snapshot or ends before it.
    pub fn restore(&mut self, snapshot: &SnapshotMeta, journal: &mut impl Journal<C>) {
        if self.matches(snapshot.index, snapshot.term) {
            self.commit = self.commit.max(snapshot.index);
            self.compact_to(snapshot.index, journal);
        } else {
            self.replace_by(snapshot, journal);
        }
        let &SnapshotMeta { index, term, chain, .. } = snapshot;
        journal.state(Fact::Restored { index, term, chain });
    }

    /// All of the log goes, and what comes follows the snapshot.
    pub fn replace_by(&mut self, snapshot: &SnapshotMeta, journal: &mut impl Journal<C>) {
        journal.truncate_from(self.base().next());
        journal.truncate_to(snapshot.index);
        *self = Self { dirty: true, ..Self::after(snapshot) };
    }

    /// Removes the entry at `index` and all after it.
    ///
    /// # Panics
    /// If it is committed.
    pub fn truncate_from(&mut self, index: Index, journal: &mut impl Journal<C>) {
        assert!(
            index > self.commit,
            "entry {index} would be removed, but entries up to {} are committed",
            self.commit
        );
        journal.diverged(self.last_index().since(index.previous()));
        journal.truncate_from(index);
        self.entries.truncate_from(index);
        self.runs.truncate(self.runs.partition_point(|run| run.first < index));
        self.memberships.truncate(self.memberships.partition_point(|(at, _)| *at < index));
        self.durable = self.durable.min(index.previous());
        self.dirty = true;
        journal.state(Fact::Truncated { from: index });
    }

    /// The last index that a snapshot stands for; 0 for none.
    #[inline]
    pub const fn base(&self) -> Index {
        self.entries.base()
    }

    /// The last membership of the log, and the entry that brought it.
    #[inline]
    pub fn membership(&self) -> (Index, Membership) {
        *self.memberships.last().expect("the first one stays")
    }

    /// The membership after the entry at `index`, and the entry that brought it. Before the base: that of the base.
    pub fn membership_at(&self, index: Index) -> (Index, Membership) {
        let after = self.memberships.partition_point(|(at, _)| *at <= index);
        self.memberships[after.saturating_sub(1)]
    }

    /// The last membership, of those up to `last`, that the log shows to be committed: it is `executed`, or another
    /// one follows it, which a leader appends only then. With the entry that brought it.
    pub fn settled_membership(&self, executed: Index, last: Index) -> (Index, Membership) {
        let count_to = |index| self.memberships.partition_point(|(at, _)| *at <= index);
        let (followed, executed) = (count_to(last).saturating_sub(1), count_to(executed));
        self.memberships[followed.max(executed).saturating_sub(1)]
    }

    /// The index of the last entry; 0 for an empty log.
    #[inline]
    pub fn last_index(&self) -> Index {
        self.entries.last_index()
    }

    /// The term of the last entry; 0 for an empty log.
    #[inline]
    pub fn last_term(&self) -> Term {
        self.runs.last().map_or(self.base_term, |run| run.term)
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

    /// The entry at `index`; `None` up to the base and beyond the end.
    #[inline]
    pub fn entry_at(&self, index: Index) -> Option<&Entry<C>> {
        self.entries.get(index)
    }

    /// The term of the entry at `index`; term 0 at index 0, `None` before the base and beyond the end.
    #[inline]
    pub fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.base() { Some(self.base_term) } else { Some(self.entries.get(index)?.term) }
    }

    /// The chain up to and including `index`; `None` before the base and beyond the end.
    #[inline]
    pub fn chain_at(&self, index: Index) -> Option<Chain> {
        self.entries.chain_at(index)
    }

    /// Whether the entry at `index` has `term`.
    #[inline]
    pub fn matches(&self, index: Index, term: Term) -> bool {
        self.term_at(index) == Some(term)
    }

    /// The consistency check (§5.3): whether the entry at `index` has `term`, and with it, by Log Matching, all
    /// before it are the leader's. Before the base they are, because what is compacted is committed.
    #[inline]
    pub fn agrees_at(&self, index: Index, term: Term) -> bool {
        self.matches(index, term) || index < self.base()
    }

    /// Whether a log that ends in `(last_term, last_index)` has everything this one may have committed (§5.4.1):
    /// the later last term wins; with equal terms, the longer log.
    pub fn is_covered_by(&self, last_term: Term, last_index: Index) -> bool {
        (last_term, last_index) >= (self.last_term(), self.last_index())
    }

    /// At most `count` entries from `first` on.
    pub fn slice(&self, first: Index, count: u64) -> Entries<C> {
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

    fn push(&mut self, entry: Entry<C>) -> Chain {
        let last_term = self.last_term();
        assert!(
            entry.term >= last_term,
            "terms never fall along a log, but {} follows {last_term}",
            entry.term
        );
        if entry.term > last_term {
            self.runs.push(Run { term: entry.term, first: self.last_index().next() });
        }
        if let Some(members) = entry.members() {
            self.memberships.push((self.last_index().next(), members));
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
impl<C: Agreeable> Serialize for Log<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entries: _, base_term: _, runs: _, memberships: _, commit, durable, dirty } = self;
        (self.base(), self.last_index(), self.last_chain(), commit, durable, dirty).serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
