//! A sequence of entries without holes that knows the chain up to each.
//!
//! ```text
//!  index      1    2    3    4    5    6
//!             ╰─ compacted ─╯ │         │
//!  base ───────────────────╯  │         │
//!  first ─────────────────────╯         │
//!  last ────────────────────────────────╯
//! ```

use serde::{Serialize, Serializer};
use sim_core::persist::AppendLog;

use super::chain::Chain;
use super::index::Index;

/// An entry and the chain up to and including it.
#[derive(Clone, Copy, Debug)]
struct Slot<E> {
    entry: E,
    chain: Chain,
}

/// A sequence of entries, from 1, whose beginning may be compacted away. Of what was compacted it knows the chain.
/// Clones share their chunks.
#[derive(Clone, Debug)]
pub struct ChainedLog<E> {
    /// The entry at index i stands at position i; the first position is one after the base.
    slots: AppendLog<Slot<E>>,
    /// The chain up to the base.
    base_chain: Chain,
}

impl<E> Default for ChainedLog<E> {
    fn default() -> Self {
        Self::starting_after(Index::ZERO, Chain::EMPTY)
    }
}

impl<E> ChainedLog<E> {
    /// An empty sequence that goes on after `base`, where it had `chain`.
    pub const fn starting_after(base: Index, chain: Chain) -> Self {
        Self { slots: AppendLog::starting_at(base.0 + 1), base_chain: chain }
    }

    /// The last index that was compacted away; 0 for none.
    #[inline]
    pub const fn base(&self) -> Index {
        Index(self.slots.first_index() - 1)
    }

    /// The index of the last entry; the base if there is none.
    #[inline]
    pub const fn last_index(&self) -> Index {
        Index(self.slots.end_index() - 1)
    }

    /// The chain up to the last entry.
    #[inline]
    pub fn last_chain(&self) -> Chain {
        self.slots.last().map_or(self.base_chain, |slot| slot.chain)
    }

    /// The entry at `index`; `None` up to the base and beyond the end.
    #[inline]
    pub fn get(&self, index: Index) -> Option<&E> {
        Some(&self.slots.get(index.0)?.entry)
    }

    /// The chain up to and including `index`; `None` before the base and beyond the end.
    #[inline]
    pub fn chain_at(&self, index: Index) -> Option<Chain> {
        if index == self.base() { Some(self.base_chain) } else { Some(self.slots.get(index.0)?.chain) }
    }

    /// At most `count` entries from `first` on: those that are there.
    pub fn range(&self, first: Index, count: u64) -> impl Iterator<Item = &E> {
        self.slots.range(first.0..first.0.saturating_add(count)).map(|slot| &slot.entry)
    }
}

impl<E: Clone> ChainedLog<E> {
    /// Removes the entry at `index` and all after it.
    ///
    /// # Panics
    /// If that is compacted already.
    pub fn truncate_from(&mut self, index: Index) {
        assert!(index > self.base(), "entry {index} is compacted: the log begins after {}", self.base());
        self.slots.truncate_back(index.0);
    }

    /// Forgets the entries up to and including `index`, but for their chain.
    ///
    /// # Panics
    /// If the log ends before.
    pub fn compact_to(&mut self, index: Index) {
        if index <= self.base() {
            return;
        }
        self.base_chain = self.chain_at(index).unwrap_or_else(|| {
            panic!("the log is compacted up to {index}, but ends at {}", self.last_index());
        });
        self.slots.truncate_front(index.next().0);
    }
}

impl<E: Clone + Serialize> ChainedLog<E> {
    /// Adds an entry at the end, and returns the chain up to it.
    pub fn push(&mut self, entry: E) -> Chain {
        let chain = self.last_chain().extend(&entry);
        self.slots.push(Slot { entry, chain });
        chain
    }
}

/// By its chain, which stands for the entries, and by where it begins and ends.
impl<E> Serialize for ChainedLog<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.base(), self.last_index(), self.last_chain()).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(entries: &[u64]) -> ChainedLog<u64> {
        let mut log = ChainedLog::default();
        for entry in entries {
            log.push(*entry);
        }
        log
    }

    #[test]
    fn what_was_compacted_is_gone_and_its_chain_is_not() {
        let whole = log(&[5, 6, 7, 8]);
        let mut compacted = whole.clone();
        compacted.compact_to(Index(2));
        assert_eq!((compacted.base(), compacted.last_index()), (Index(2), Index(4)));
        assert_eq!(compacted.get(Index(2)), None);
        assert_eq!(compacted.chain_at(Index(1)), None);
        for index in 2..=4 {
            assert_eq!(compacted.chain_at(Index(index)), whole.chain_at(Index(index)));
        }
        compacted.compact_to(Index(1));
        assert_eq!(compacted.base(), Index(2), "compaction never goes back");
    }

    #[test]
    fn a_log_goes_on_after_a_snapshot_as_the_whole_one_does() {
        let mut whole = log(&[5, 6]);
        let mut after = ChainedLog::starting_after(Index(2), whole.last_chain());
        assert_eq!((after.last_index(), after.last_chain()), (Index(2), whole.last_chain()));
        assert_eq!(after.push(7), whole.push(7));
    }

    #[test]
    #[should_panic(expected = "entry 2 is compacted")]
    fn compacted_entries_cannot_be_truncated() {
        let mut log = log(&[5, 6, 7]);
        log.compact_to(Index(2));
        log.truncate_from(Index(2));
    }

    proptest! {
        #[test]
        fn a_log_is_the_sequence_of_its_entries(
            acts in prop::collection::vec((0_u8..4, 0_u64..20), 0..80),
        ) {
            let mut log: ChainedLog<u64> = ChainedLog::default();
            let mut entries: Vec<u64> = Vec::new();
            for (act, number) in acts {
                let index = Index(number.min(log.last_index().0));
                match act {
                    0 if index > log.base() => {
                        log.truncate_from(index);
                        entries.truncate(usize::try_from(index.0 - 1).expect("short"));
                    }
                    1 => log.compact_to(index),
                    _ => {
                        log.push(number);
                        entries.push(number);
                    }
                }
                prop_assert_eq!(log.last_index().0, entries.len() as u64);
                let chains = entries.iter().scan(Chain::EMPTY, |chain, entry| { *chain = chain.extend(entry); Some(*chain) });
                for (index, (entry, chain)) in (1..).map(Index).zip(entries.iter().zip(chains)) {
                    prop_assert_eq!(log.get(index), (index > log.base()).then_some(entry));
                    prop_assert_eq!(log.chain_at(index), (index >= log.base()).then_some(chain));
                }
            }
        }
    }
}
