//! A sequence that grows at the end, is cut at both, and is cheap to clone.

use std::fmt;
use std::ops;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeTuple, Serializer};

/// Entries of a full chunk.
const CHUNK_LEN: u64 = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = 6;
/// Chunks of a full group.
const GROUP_LEN: u64 = 1 << GROUP_BITS;
const GROUP_BITS: u32 = 8;

type Chunk<T> = Arc<Vec<T>>;
type Group<T> = Arc<Vec<Chunk<T>>>;

/// An indexed sequence whose clones share their chunks.
///
/// Indices are absolute and never shift: [`truncate_front`](Self::truncate_front) raises
/// [`first_index`](Self::first_index), and the entry at index 7 stays the entry at index 7. Entries live in
///
/// ```text
///  groups (sealed, 16,384 entries each)   recent (sealed, 64 each)    tail (open, owned)
///  [[c][c]…[c]]  [[c][c]…[c]]             [c][c][c]                   ••••
/// ```
///
/// cut at absolute multiples of 64 and 16,384. What was cut off the front is missing at the *front* of the
/// first chunk and group, therefore positions inside them are counted from their ends.
#[derive(Clone)]
pub struct AppendLog<T> {
    /// Index of the first entry kept; at most `end`.
    first: u64,
    /// Index that the next `push` gets.
    end: u64,
    /// Groups before the open one, without gaps up to it.
    groups: Vec<Group<T>>,
    /// Sealed chunks of the open group, without gaps up to the open chunk.
    recent: Vec<Chunk<T>>,
    /// The open chunk: entries up to `end`; empty when `end` is a multiple of [`CHUNK_LEN`].
    tail: Vec<T>,
}

impl<T> Default for AppendLog<T> {
    fn default() -> Self {
        Self::starting_at(0)
    }
}

impl<T> AppendLog<T> {
    /// An empty log whose first entry will have index 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty log whose first entry will have index `first`.
    pub const fn starting_at(first: u64) -> Self {
        Self { first, end: first, groups: Vec::new(), recent: Vec::new(), tail: Vec::new() }
    }

    /// Appends an entry, in constant time, and returns its index.
    pub fn push(&mut self, entry: T) -> u64 {
        let index = self.end;
        self.tail.push(entry);
        self.end += 1;
        if self.end.is_multiple_of(CHUNK_LEN) {
            self.seal();
        }
        index
    }

    /// Number of entries kept.
    pub const fn len(&self) -> u64 {
        self.end - self.first
    }

    /// Whether no entry is kept.
    pub const fn is_empty(&self) -> bool {
        self.first == self.end
    }

    /// Index of the first entry kept, or of the next one where the log is empty.
    pub const fn first_index(&self) -> u64 {
        self.first
    }

    /// One past the index of the last entry: what the next [`push`](Self::push) returns.
    pub const fn end_index(&self) -> u64 {
        self.end
    }

    /// The entry at `index`; `None` before the first and after the last.
    #[inline]
    pub fn get(&self, index: u64) -> Option<&T> {
        if index < self.first || index >= self.end {
            return None;
        }
        let tail_start = self.tail_start();
        if index >= tail_start {
            return Some(&self.tail[position(index - tail_start)]);
        }
        let chunk = self.chunk(index >> CHUNK_BITS);
        Some(&chunk[position_in(chunk, index)])
    }

    /// The last entry.
    pub fn last(&self) -> Option<&T> {
        self.end.checked_sub(1).and_then(|index| self.get(index))
    }

    /// All entries in index order.
    pub fn iter(&self) -> Range<'_, T> {
        self.range(self.first..self.end)
    }

    /// The entries of `indices` in order; indices that are not kept are left out.
    pub fn range(&self, indices: ops::Range<u64>) -> Range<'_, T> {
        let end = indices.end.min(self.end);
        let next = indices.start.max(self.first).min(end);
        Range { log: self, loaded: next, end: end.max(next), entries: [].iter() }
    }

    fn tail_start(&self) -> u64 {
        self.end - self.tail.len() as u64
    }

    /// The sealed chunk with this absolute number.
    fn chunk(&self, number: u64) -> &Chunk<T> {
        let open = self.end >> CHUNK_BITS;
        let groups_up = (open >> GROUP_BITS) - (number >> GROUP_BITS);
        if groups_up == 0 {
            return &self.recent[self.recent.len() - position(open - number)];
        }
        let group = &self.groups[self.groups.len() - position(groups_up)];
        &group[group_position(group, number)]
    }

    /// The entries from `index` to the end of its chunk. `index` is kept.
    fn rest_of_chunk(&self, index: u64) -> &[T] {
        let tail_start = self.tail_start();
        if index >= tail_start {
            return &self.tail[position(index - tail_start)..];
        }
        let chunk = self.chunk(index >> CHUNK_BITS);
        &chunk[position_in(chunk, index)..]
    }

    /// Closes the full tail, and the open group when that is full too.
    fn seal(&mut self) {
        assert!(self.tail.len() as u64 <= CHUNK_LEN, "a chunk has {} entries", self.tail.len());
        let full = std::mem::replace(&mut self.tail, Vec::with_capacity(position(CHUNK_LEN)));
        self.recent.push(Arc::new(full));
        if (self.end >> CHUNK_BITS).is_multiple_of(GROUP_LEN) {
            self.groups.push(Arc::new(std::mem::take(&mut self.recent)));
        }
    }

    fn clear(&mut self, first: u64) {
        *self = Self::starting_at(first);
    }
}

impl<T: Clone> AppendLog<T> {
    /// The entry at `index`, to change. Copies its chunk where a clone shares it.
    pub fn get_mut(&mut self, index: u64) -> Option<&mut T> {
        if index < self.first || index >= self.end {
            return None;
        }
        let tail_start = self.tail_start();
        if index >= tail_start {
            return Some(&mut self.tail[position(index - tail_start)]);
        }
        let chunk = Arc::make_mut(self.chunk_mut(index >> CHUNK_BITS));
        let at = position_in(chunk, index);
        Some(&mut chunk[at])
    }

    /// The entry at `index`, to change. A log that ends before it is filled up to it first.
    ///
    /// # Panics
    /// If `index` is before the first entry kept.
    pub fn get_or_fill(&mut self, index: u64, mut fill: impl FnMut() -> T) -> &mut T {
        assert!(index >= self.first, "entry {index} is gone, the log begins at {}", self.first);
        while self.end <= index {
            self.push(fill());
        }
        self.get_mut(index).expect("filled up to there")
    }

    /// Drops everything before `index`. Beyond the end this empties the log, and the next entry gets `index`:
    /// what a process does that installs a snapshot newer than its log.
    pub fn truncate_front(&mut self, index: u64) {
        if index >= self.end {
            return self.clear(index.max(self.first));
        }
        if index <= self.first {
            return;
        }
        self.first = index;
        let dropped_of_tail = index.saturating_sub(self.tail_start());
        if dropped_of_tail > 0 {
            self.tail.drain(..position(dropped_of_tail));
        }
        self.drop_chunks_before(index >> CHUNK_BITS);
    }

    /// Drops the entry at `index` and everything after it. The log's first index stays.
    pub fn truncate_back(&mut self, index: u64) {
        if index >= self.end {
            return;
        }
        if index <= self.first {
            return self.clear(self.first);
        }
        let tail_start = self.tail_start();
        if index >= tail_start {
            self.tail.truncate(position(index - tail_start));
        } else {
            self.reopen(index);
        }
        self.end = index;
    }

    fn chunk_mut(&mut self, number: u64) -> &mut Chunk<T> {
        let open = self.end >> CHUNK_BITS;
        let groups_up = (open >> GROUP_BITS) - (number >> GROUP_BITS);
        if groups_up == 0 {
            let at = self.recent.len() - position(open - number);
            return &mut self.recent[at];
        }
        let at = self.groups.len() - position(groups_up);
        let group = Arc::make_mut(&mut self.groups[at]);
        let at = group_position(group, number);
        &mut group[at]
    }

    /// Takes over the chunk of `twin` where the last push has filled one and `twin` has an equal one, so that logs
    /// with equal entries take the memory of one. Changes nothing that can be read.
    pub fn share_chunk(&mut self, twin: &Self)
    where
        T: PartialEq,
    {
        let open = self.end >> CHUNK_BITS;
        if self.is_empty() || !self.tail.is_empty() {
            return;
        }
        let number = open - 1;
        let has_it = twin.first >> CHUNK_BITS <= number && number < twin.end >> CHUNK_BITS;
        if has_it && self.chunk(number) == twin.chunk(number) {
            *self.chunk_mut(number) = Arc::clone(twin.chunk(number));
        }
    }

    /// Drops the sealed chunks numbered below `number`; the chunk `number` itself keeps what it holds.
    fn drop_chunks_before(&mut self, number: u64) {
        let open = self.end >> CHUNK_BITS;
        let groups_kept = position((open >> GROUP_BITS) - (number >> GROUP_BITS));
        self.groups.drain(..self.groups.len().saturating_sub(groups_kept));
        if groups_kept == 0 {
            let kept = position(open - number);
            self.recent.drain(..self.recent.len().saturating_sub(kept));
        } else if self.groups.len() == groups_kept {
            let kept = position(GROUP_LEN - number % GROUP_LEN);
            if self.groups[0].len() > kept {
                let group = Arc::make_mut(&mut self.groups[0]);
                group.drain(..group.len() - kept);
            }
        }
    }

    /// Makes the sealed chunk of `index` the open one, ending before `index`.
    fn reopen(&mut self, index: u64) {
        let number = index >> CHUNK_BITS;
        let groups_up = position((self.end >> CHUNK_BITS >> GROUP_BITS) - (number >> GROUP_BITS));
        if groups_up > 0 {
            self.groups.truncate(self.groups.len() + 1 - groups_up);
            let group = self.groups.pop().expect("a kept index lies in a kept group");
            self.recent = Arc::unwrap_or_clone(group);
            let at = group_position(&self.recent, number);
            self.recent.truncate(at + 1);
        } else {
            let above = position((self.end >> CHUNK_BITS) - number) - 1;
            self.recent.truncate(self.recent.len() - above);
        }
        let chunk = self.recent.pop().expect("a kept index lies in a kept chunk");
        let kept = position_in(&chunk, index);
        self.tail = match Arc::try_unwrap(chunk) {
            Ok(mut owned) => {
                owned.truncate(kept);
                owned
            }
            Err(shared) => shared[..kept].to_vec(),
        };
    }
}

/// A number below one chunk, group or spine length as an offset; those lengths fit a `usize` on 32 bits too.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "offsets into vectors in memory fit a usize")]
const fn position(offset: u64) -> usize {
    offset as usize
}

/// Where `index` stands in its sealed chunk, counted from the chunk's end.
#[inline]
fn position_in<T>(chunk: &[T], index: u64) -> usize {
    chunk.len() - position(CHUNK_LEN - index % CHUNK_LEN)
}

/// Where the chunk `number` stands in its sealed group, counted from the group's end.
#[inline]
fn group_position<T>(group: &[Chunk<T>], number: u64) -> usize {
    group.len() - position(GROUP_LEN - number % GROUP_LEN)
}

impl<T> Extend<T> for AppendLog<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, entries: I) {
        for entry in entries {
            self.push(entry);
        }
    }
}

impl<T> FromIterator<T> for AppendLog<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let mut log = Self::new();
        log.extend(entries);
        log
    }
}

impl<'a, T> IntoIterator for &'a AppendLog<T> {
    type Item = &'a T;
    type IntoIter = Range<'a, T>;

    fn into_iter(self) -> Range<'a, T> {
        self.iter()
    }
}

/// As its first index and a sequence.
impl<T: Serialize> Serialize for AppendLog<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&self.first_index())?;
        pair.serialize_element(&Entries(self))?;
        pair.end()
    }
}

/// The entries alone.
struct Entries<'a, T>(&'a AppendLog<T>);

impl<T: Serialize> Serialize for Entries<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}

/// Equal when first index and entries are.
impl<T: PartialEq> PartialEq for AppendLog<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.first, self.end) == (other.first, other.end) && self.iter().eq(other.iter())
    }
}

impl<T: Eq> Eq for AppendLog<T> {}

impl<T: fmt::Debug> fmt::Debug for AppendLog<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries((self.first..).zip(self.iter())).finish()
    }
}

/// Entries of an [`AppendLog`] in index order, chunk by chunk.
pub struct Range<'a, T> {
    log: &'a AppendLog<T>,
    /// Index of the first entry not yet in `entries`.
    loaded: u64,
    end: u64,
    entries: std::slice::Iter<'a, T>,
}

impl<'a, T> Iterator for Range<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        match self.entries.next() {
            Some(entry) => Some(entry),
            None => self.next_chunk(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.entries.len() + position(self.end - self.loaded);
        (left, Some(left))
    }
}

impl<T> ExactSizeIterator for Range<'_, T> {}

impl<'a, T> Range<'a, T> {
    fn next_chunk(&mut self) -> Option<&'a T> {
        if self.loaded >= self.end {
            return None;
        }
        let rest = self.log.rest_of_chunk(self.loaded);
        let wanted = (self.end - self.loaded).min(rest.len() as u64);
        self.entries = rest[..position(wanted)].iter();
        self.loaded += wanted;
        self.entries.next()
    }
}

#[cfg(test)]
mod tests;
