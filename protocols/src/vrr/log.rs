//! The log (§4): entries in the order of their op-numbers, and how far they are committed.
//!
//! ```text
//!  op-number   1    2    3    4    5    6
//!  view       v0   v0   v1   v1   v1   v4
//!             ╰ compacted ╯    │         ╰── op_number
//!             ╰── committed ───╯
//! ```
//!
//! It states each change it makes. It never scans: each entry carries the [`Chain`] of its prefix.

use serde::{Serialize, Serializer};

use super::facts::{Fact, Witness};
use super::types::{Entries, Entry, View};
use crate::replicated::{Chain, ChainedLog, Index};

/// The log of one replica. See the [module documentation](self).
#[derive(Clone, Default)]
pub struct Log {
    entries: ChainedLog<Entry>,
    /// Entries up to here are committed (the paper's commit-number).
    commit: Index,
}

impl Log {
    /// Adds an entry at the end and returns its op-number.
    #[inline]
    pub fn append(&mut self, entry: Entry, witness: &mut impl Witness) -> Index {
        let chain = self.entries.push(entry);
        let index = self.op_number();
        witness.state(Fact::Appended { index, view: entry.view, chain });
        index
    }

    /// Makes what follows `after` begin with `entries`. Entries that are there already stay; the first that differs
    /// goes, with all behind it. Entries that a checkpoint covers are passed over.
    ///
    /// # Panics
    /// If the log ends before `after`.
    pub fn merge(&mut self, after: Index, entries: &[Entry], witness: &mut impl Witness) {
        assert!(
            after <= self.op_number(),
            "entries after {after} do not join a log up to {}",
            self.op_number()
        );
        let mut index = after;
        for entry in entries {
            index = index.next();
            if index <= self.base() || self.entries.get(index).is_some_and(|own| own.view == entry.view) {
                continue;
            }
            self.truncate_from(index, witness);
            self.append(*entry, witness);
        }
    }

    /// Like [`Log::merge`], and nothing stays behind `entries`.
    pub fn replace(&mut self, after: Index, entries: &[Entry], witness: &mut impl Witness) {
        self.merge(after, entries, witness);
        self.truncate_from(after.plus(entries.len() as u64).max(self.base()).next(), witness);
    }

    /// Removes the entry at `index` and all after it, if there are any.
    pub fn truncate_from(&mut self, index: Index, witness: &mut impl Witness) {
        if index <= self.op_number() {
            self.entries.truncate_from(index);
            witness.state(Fact::Truncated { from: index });
        }
    }

    /// Forgets all entries and goes on after a checkpoint, which covers what is committed up to `index`, as became known
    /// in `view`.
    pub fn install(&mut self, (index, chain): (Index, Chain), view: View, witness: &mut impl Witness) {
        self.entries = ChainedLog::starting_after(index, chain);
        witness.state(Fact::Installed { index, chain });
        self.commit_to(index, view, witness);
    }

    /// Takes note in `view` that entries up to `index` are committed; an older index changes nothing.
    ///
    /// # Panics
    /// If the log does not reach that far.
    pub fn commit_to(&mut self, index: Index, view: View, witness: &mut impl Witness) {
        if index <= self.commit {
            return;
        }
        let chain = self.chain_at(index).unwrap_or_else(|| {
            panic!("entry {index} is committed, the log ends at {}", self.op_number());
        });
        self.commit = index;
        witness.state(Fact::Committed { view, index, chain });
    }

    /// Forgets the entries up to and including `index`, which a checkpoint covers.
    ///
    /// # Panics
    /// If they are not committed.
    pub fn compact_to(&mut self, index: Index) {
        assert!(index <= self.commit, "a checkpoint covers {index}, and only {} is committed", self.commit);
        self.entries.compact_to(index);
    }

    /// The op-number of the last entry; 0 for an empty log.
    #[inline]
    pub const fn op_number(&self) -> Index {
        self.entries.last_index()
    }

    /// The last entry known to be committed; 0 for none.
    #[inline]
    pub const fn commit_number(&self) -> Index {
        self.commit
    }

    /// The last entry that was forgotten because a checkpoint covers it; 0 for none.
    #[inline]
    pub const fn base(&self) -> Index {
        self.entries.base()
    }

    /// The chain of the whole log.
    pub fn last_chain(&self) -> Chain {
        self.entries.last_chain()
    }

    /// The entry at `index`; `None` up to the base and beyond the end.
    #[inline]
    pub fn entry_at(&self, index: Index) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// The chain up to and including `index`; `None` before the base and beyond the end.
    #[inline]
    pub fn chain_at(&self, index: Index) -> Option<Chain> {
        self.entries.chain_at(index)
    }

    /// At most `count` entries from `first` on.
    pub fn slice(&self, first: Index, count: u64) -> Entries {
        self.entries.range(first, count).copied().collect()
    }
}

/// The chain stands for the entries.
impl Serialize for Log {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entries: _, commit } = self;
        (self.base(), self.op_number(), self.last_chain(), commit).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::types::Request;
    use super::*;
    use crate::replicated::Command;

    fn entry(view: u64) -> Entry {
        Entry { view: View::first(view), request: Request::Execute(Command::Noop) }
    }

    fn log(views: &[u64]) -> Log {
        let mut log = Log::default();
        for view in views {
            log.append(entry(*view), &mut Vec::new());
        }
        log
    }

    fn views(log: &Log) -> Vec<u64> {
        let indices = (log.base().next().0..=log.op_number().0).map(Index);
        indices.map(|index| log.entry_at(index).expect("in the log").view.number).collect()
    }

    #[test]
    fn what_is_there_already_stays_and_what_follows_it_too() {
        let mut log = log(&[0, 0, 1]);
        let mut facts = Vec::new();
        log.merge(Index(0), &[entry(0), entry(0)], &mut facts);
        assert_eq!((views(&log), facts), (vec![0, 0, 1], vec![]));
    }

    #[test]
    fn an_entry_of_another_view_goes_with_all_behind_it() {
        let mut log = log(&[0, 1, 1]);
        let mut facts = Vec::new();
        log.merge(Index(1), &[entry(2)], &mut facts);
        assert_eq!(views(&log), [0, 2]);
        assert!(matches!(
            facts[..],
            [Fact::Truncated { from: Index(2) }, Fact::Appended { index: Index(2), .. }]
        ));
    }

    #[test]
    fn a_replaced_log_ends_where_the_new_one_does() {
        let mut log = log(&[0, 0, 1, 1]);
        log.replace(Index(1), &[entry(0)], &mut Vec::new());
        assert_eq!(views(&log), [0, 0]);
    }

    #[test]
    fn entries_that_a_checkpoint_covers_are_passed_over() {
        let whole = log(&[0, 0, 1, 1]);
        let mut compacted = whole.clone();
        compacted.commit_to(Index(3), View::first(1), &mut Vec::new());
        compacted.compact_to(Index(3));
        compacted.merge(Index(0), &[entry(0), entry(0), entry(1), entry(1), entry(1)], &mut Vec::new());
        assert_eq!((compacted.base(), views(&compacted)), (Index(3), vec![1, 1]));
        assert_eq!(compacted.chain_at(Index(4)), whole.chain_at(Index(4)));
        compacted.replace(Index(1), &[entry(0)], &mut Vec::new());
        assert_eq!((compacted.base(), compacted.op_number()), (Index(3), Index(3)), "what is covered stays");
    }

    #[test]
    fn a_log_goes_on_after_a_checkpoint_as_the_whole_one_does() {
        let mut whole = log(&[0, 0]);
        let mut installed = Log::default();
        installed.install((Index(2), whole.last_chain()), View::first(0), &mut Vec::new());
        assert_eq!((installed.op_number(), installed.commit_number()), (Index(2), Index(2)));
        whole.append(entry(3), &mut Vec::new());
        installed.append(entry(3), &mut Vec::new());
        assert_eq!(installed.last_chain(), whole.last_chain());
    }

    #[test]
    #[should_panic(expected = "entry 3 is committed, the log ends at 2")]
    fn what_is_not_in_the_log_cannot_be_committed() {
        log(&[0, 0]).commit_to(Index(3), View::first(0), &mut Vec::new());
    }

    proptest! {
        #[test]
        fn a_replaced_log_is_the_common_beginning_and_the_new_entries(
            own in prop::collection::vec(0_u64..3, 0..8), new in prop::collection::vec(0_u64..3, 0..8), cut in 0_usize..8,
        ) {
            let cut = cut.min(own.len());
            let mut log = log(&own);
            let entries: Vec<Entry> = new.iter().copied().map(entry).collect();
            log.replace(Index(cut as u64), &entries, &mut Vec::new());
            let expected: Vec<u64> = own[..cut].iter().chain(&new).copied().collect();
            prop_assert_eq!(views(&log), expected);
        }
    }
}
