//! The log against a vector, and what sharing costs.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;

/// The brute-force twin: a vector and the index of its first entry.
#[derive(Clone, Debug, Default, PartialEq)]
struct Twin {
    first: u64,
    entries: Vec<u64>,
}

impl Twin {
    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn truncate_front(&mut self, index: u64) {
        if index >= self.end() {
            *self = Self { first: index, entries: Vec::new() };
        } else if index > self.first {
            self.entries.drain(..position(index - self.first));
            self.first = index;
        }
    }

    fn truncate_back(&mut self, index: u64) {
        self.entries.truncate(position(index.saturating_sub(self.first)));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Extend(u64),
    /// Permille of the way through the log, and a little beyond.
    TruncateFront(u64),
    TruncateBack(u64),
    Change(u64),
    /// Clone, then continue on the clone (odd) or the original (even).
    Fork(u64),
    /// Extend to the end of a chunk, and share that with each clone that has it.
    Share,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![0_u64..600, 60_000_u64..70_000].prop_map(Step::Extend),
        2 => (0_u64..1_002).prop_map(Step::TruncateFront),
        2 => (0_u64..1_002).prop_map(Step::TruncateBack),
        2 => (0_u64..1_000).prop_map(Step::Change),
        1 => any::<u64>().prop_map(Step::Fork),
        2 => Just(Step::Share),
    ]
}

fn at(twin: &Twin, permille: u64) -> u64 {
    twin.first + twin.entries.len() as u64 * permille / 1_000
}

fn assert_same(log: &AppendLog<u64>, twin: &Twin) {
    assert_eq!((log.first_index(), log.end_index()), (twin.first, twin.end()));
    assert_eq!(log.iter().len(), twin.entries.len(), "the size hint is exact");
    assert!(log.iter().eq(&twin.entries), "iteration yields other entries than were pushed");
    assert_eq!(log.last(), twin.entries.last());
    for (index, entry) in (twin.first..).zip(&twin.entries).step_by(101) {
        assert_eq!(log.get(index), Some(entry), "entry at {index}");
    }
    assert_eq!(log.get(twin.end()), None);
    assert_eq!(twin.first.checked_sub(1).and_then(|before| log.get(before)), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_log_behaves_as_a_vector_and_clones_are_independent(
        start in prop_oneof![Just(0), 0_u64..200_000],
        steps in prop::collection::vec(step(), 1..24),
    ) {
        let (mut log, mut twin) = (AppendLog::starting_at(start), Twin { first: start, entries: vec![] });
        let mut kept = Vec::new();
        for step in steps {
            match step {
                Step::Extend(count) => {
                    let entries = twin.end()..twin.end() + count;
                    log.extend(entries.clone());
                    twin.entries.extend(entries);
                }
                Step::TruncateFront(permille) => {
                    let index = at(&twin, permille) + u64::from(permille > 1_000) * 300;
                    log.truncate_front(index);
                    twin.truncate_front(index);
                }
                Step::TruncateBack(permille) => {
                    let index = at(&twin, permille);
                    log.truncate_back(index);
                    twin.truncate_back(index);
                }
                Step::Change(permille) => {
                    let index = at(&twin, permille);
                    if let Some(entry) = log.get_mut(index) {
                        *entry += 1_000_000;
                        twin.entries[position(index - twin.first)] += 1_000_000;
                    }
                }
                Step::Fork(draw) => {
                    let mut other = log.clone();
                    if draw % 2 == 1 {
                        std::mem::swap(&mut log, &mut other);
                    }
                    kept.push((other, twin.clone()));
                }
                Step::Share => {
                    let entries = twin.end()..twin.end().next_multiple_of(CHUNK_LEN);
                    log.extend(entries.clone());
                    twin.entries.extend(entries);
                    for (other, _) in &kept {
                        log.share_chunk(other);
                    }
                }
            }
            assert_same(&log, &twin);
        }
        for (log, twin) in &kept {
            assert_same(log, twin);
        }
    }

    #[test]
    fn a_range_is_the_slice(length in 0_u64..1_500, front in 0_u64..700, from in 0_u64..1_600, to in 0_u64..1_600) {
        let mut log: AppendLog<u64> = (0..length).collect();
        log.truncate_front(front.min(length));
        let expected: Vec<u64> = (from.max(front.min(length))..to.min(length)).collect();
        prop_assert!(log.range(from..to).copied().eq(expected));
    }
}

/// Counts its clones.
#[derive(Debug)]
struct Counted(Arc<AtomicU64>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

#[test]
fn a_clone_copies_the_open_chunk_and_a_write_at_most_one_more() {
    let copies = Arc::new(AtomicU64::new(0));
    let made = || copies.swap(0, Ordering::Relaxed);
    let mut log: AppendLog<Counted> = (0..200_000).map(|_| Counted(Arc::clone(&copies))).collect();
    assert_eq!(made(), 0, "growing copies nothing");

    let shared = log.clone();
    assert_eq!(made(), 200_000 % CHUNK_LEN, "a clone copies the open chunk only");
    log.extend((0..1_000).map(|_| Counted(Arc::clone(&copies))));
    assert_eq!(made(), 0, "appending after a clone copies nothing");
    log.get_mut(5).expect("kept");
    assert_eq!(made(), CHUNK_LEN, "changing a shared chunk copies it");
    log.get_mut(6).expect("kept");
    assert_eq!(made(), 0, "a copied chunk is no longer shared");
    log.truncate_back(100_000);
    assert!(made() < CHUNK_LEN, "reopening a shared chunk copies what is kept of it");
    log.truncate_front(70_000);
    assert_eq!((made(), log.len(), shared.len()), (0, 30_000, 200_000));
}

#[test]
fn logs_that_are_written_alike_share_their_chunks() {
    let mut one = AppendLog::new();
    let mut two = AppendLog::new();
    for entry in 0..2 * CHUNK_LEN {
        one.push(entry);
        two.push(if entry == CHUNK_LEN + 44 { 7 } else { entry });
        two.share_chunk(&one);
    }
    let is_shared = |number| Arc::ptr_eq(one.chunk(number), two.chunk(number));
    assert_eq!((is_shared(0), is_shared(1)), (true, false), "the second chunk is not equal");
    assert_eq!(two.get(CHUNK_LEN + 44), Some(&7));
    *two.get_mut(3).expect("kept") = 9;
    assert_eq!(one.get(3), Some(&3), "a change copies the chunk");
}

#[test]
fn a_log_of_ten_million_entries_has_a_short_spine() {
    let log: AppendLog<u8> = std::iter::repeat_n(7, 10_000_000).collect();
    let spine = log.groups.len() + log.recent.len() + log.tail.len();
    assert!(
        spine <= 10_000_000 / position(CHUNK_LEN * GROUP_LEN) + position(GROUP_LEN + CHUNK_LEN),
        "a clone copies {spine} words"
    );
}

#[test]
fn a_front_cut_releases_its_chunks() {
    let mut log: AppendLog<u64> = (0..150_000).collect();
    log.truncate_front(100_000);
    let held: usize = log.groups.iter().map(|group| group.len()).sum::<usize>() + log.recent.len();
    assert!(held <= 50_000 / position(CHUNK_LEN) + 2, "{held} chunks are held for 50,000 entries");
}

#[test]
fn an_entry_beyond_the_end_is_there_once_the_log_is_filled_up_to_it() {
    let mut log = AppendLog::starting_at(3);
    *log.get_or_fill(600, || 7) = 8;
    *log.get_or_fill(5, || 9) += 1;
    assert_eq!((log.first_index(), log.end_index()), (3, 601));
    assert_eq!([3, 5, 599, 600].map(|index| log.get(index).copied()), [Some(7), Some(8), Some(7), Some(8)]);
}

#[test]
#[should_panic(expected = "entry 2 is gone, the log begins at 3")]
fn an_entry_before_the_beginning_cannot_be_filled_in() {
    AppendLog::starting_at(3).get_or_fill(2, || 0);
}
