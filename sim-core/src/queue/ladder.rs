//! A heap for what comes up soon, and buckets of time for the rest.
//!
//! A heap compares a key with others on its way in and on its way out, and with a million keys each comparison waits for
//! memory. But when an event comes up *much* later, its exact place need not be known yet. So later keys are thrown
//! into buckets of time, which costs a shift and a write, and a bucket is sorted when its time has come:
//!
//! ```text
//!           now              near_last
//!  near      │ •  •    •         │                            keys pushed into the current window (a heap)
//!  run       │   • • •   •       │                            the bucket that was opened last, sorted
//!  rung 1                        │ •• │  • │    │ •• │        buckets of that part of rung 0 which is open
//!  rung 0                                            │ •••• │ ••• │      │ • │
//!  far                                                                        •    •     •  …   unsorted
//! ```
//!
//! A bucket with many keys is not sorted but split into a finer rung, and when all rungs are used up, the far keys make a
//! new one. After "Ladder Queue" (Tang, Goh, Thng, ACM TOMACS 2005), with a heap for the window where theirs
//! is a sorted list: many events in one instant then stay cheap.
//!
//! Few keys need none of this: up to [`HEAP_MAX`] they all lie in the heap.

use super::{EventKey, EventQueue, QuaternaryHeap};

/// More keys than this go into buckets.
const HEAP_MAX: usize = 256;
/// So few far keys go back into the heap.
const HEAP_AGAIN: usize = 128;
/// A bucket with more keys is split.
const SPLIT_MIN: usize = 128;
/// More keys than this do not fit the caches: reading ahead is worth longer buckets then.
const CROWD: usize = 4_096;
/// Bits of the number of buckets of a rung, at least and at most.
const RUNG_BITS: (u32, u32) = (3, 14);

/// Up to so many keys a bucket, room for four times as many is made beforehand.
const ROOM_MAX: usize = 16;

/// A row of buckets, each of `1 << shift` nanoseconds.
#[derive(Clone, Debug)]
struct Rung {
    /// The first instant of the first bucket.
    start: u64,
    /// The last instant of the last bucket.
    last: u64,
    shift: u32,
    /// The first bucket that was not opened yet.
    next: usize,
    /// Those before `next` are empty.
    buckets: Row,
}

/// Buckets side by side. They are used again and again, because memory that is given back must be cleared anew.
type Row = Vec<Vec<EventKey>>;

impl Rung {
    /// A rung for about `keys` keys from `start` to `last`, in an empty row.
    fn new(start: u64, last: u64, keys: usize, mut row: Row) -> Self {
        let (bits_min, bits_max) = RUNG_BITS;
        let bits = (keys / bucket_keys(keys)).next_power_of_two().ilog2().clamp(bits_min, bits_max);
        let width_bits = u64::BITS - (last - start).leading_zeros();
        let shift = width_bits.saturating_sub(bits);
        let count = ((last - start) >> shift) + 1;
        // All buckets together may be longer than all of time.
        let end = u128::from(start) + (u128::from(count) << shift);
        let last = u64::try_from(end - 1).unwrap_or(u64::MAX);
        let count = usize::try_from(count).expect("at most 2^14 buckets");
        if row.len() < count {
            row.resize_with(count, Vec::new);
        }
        if keys / count <= ROOM_MAX {
            // Buckets of few keys differ most: room for them now saves growing one after the other later.
            row[..count].iter_mut().for_each(|bucket| bucket.reserve(4 * keys / count));
        }
        Self { start, last, shift, next: 0, buckets: row }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a rung has at most 2^14 buckets")]
    fn push(&mut self, key: EventKey) {
        let bucket = ((key.time().as_nanos() - self.start) >> self.shift) as usize;
        self.buckets[bucket].push(key);
    }

    /// The next bucket that is not empty.
    fn first(&self) -> Option<&Vec<EventKey>> {
        self.buckets[self.next..].iter().find(|bucket| !bucket.is_empty())
    }

    /// Opens the next bucket that is not empty: its keys change places with the emptied `keys`. Returns its first
    /// and last instant.
    fn open(&mut self, keys: &mut Vec<EventKey>) -> Option<(u64, u64)> {
        assert!(keys.is_empty(), "a bucket is left without keys");
        let at = (self.next..self.buckets.len()).find(|at| !self.buckets[*at].is_empty())?;
        self.next = at + 1;
        std::mem::swap(&mut self.buckets[at], keys);
        let start = self.start + ((at as u64) << self.shift);
        Some((start, start.saturating_add((1 << self.shift) - 1)))
    }
}

/// How many of the keys that make a rung a bucket gets. While the rung is used up, about as many are pushed.
const fn bucket_keys(keys: usize) -> usize {
    if keys > CROWD { 16 } else { 2 }
}

/// A heap for what comes up soon, and buckets of time for the rest. See the [module documentation](self).
#[derive(Debug)]
pub struct LadderQueue {
    /// Keys of the current window that came after it was opened; all keys, while they are few.
    near: QuaternaryHeap,
    /// The rest of the bucket that was opened last, the greatest first.
    run: Vec<EventKey>,
    /// The last instant of the current window: what is due later goes into a rung or is far.
    near_last: u64,
    /// More keys than this do not stay in the heap: [`HEAP_MAX`] while it holds all, and no limit in a window.
    near_limit: usize,
    /// Each covers a part of the one before that has been opened there. The last has the finest buckets.
    rungs: Vec<Rung>,
    /// Keys after all rungs.
    far: Vec<EventKey>,
    /// How many keys are in rungs or far.
    beyond: usize,
    /// How many buckets were opened so far.
    opened: u64,
    /// Empty rows of former rungs.
    spare: Vec<Row>,
}

impl Default for LadderQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl LadderQueue {
    /// Without keys.
    pub const fn new() -> Self {
        Self {
            near: QuaternaryHeap::new(),
            run: Vec::new(),
            near_last: u64::MAX,
            near_limit: HEAP_MAX,
            rungs: Vec::new(),
            far: Vec::new(),
            beyond: 0,
            opened: 0,
            spare: Vec::new(),
        }
    }

    #[inline]
    fn push_beyond(&mut self, key: EventKey) {
        self.beyond += 1;
        let time = key.time().as_nanos();
        for rung in self.rungs.iter_mut().rev() {
            if time <= rung.last {
                return rung.push(key);
            }
        }
        self.far.push(key);
    }

    /// There are too many keys for a heap: all become far but those of the first instant, which is the window now.
    #[cold]
    fn leave_heap(&mut self) {
        assert!(self.beyond == 0 && self.run.is_empty(), "a heap that is left held all keys");
        while let Some(key) = self.near.pop() {
            self.far.push(key);
        }
        self.beyond = self.far.len();
        self.near_limit = usize::MAX;
        let first = self.first_far();
        self.open_instant(first);
    }

    /// The first instant of the far keys.
    fn first_far(&self) -> u64 {
        self.far.iter().map(|key| key.time().as_nanos()).min().expect("there are far keys")
    }

    /// Makes one instant the window: the first of the far keys, and there are no rungs.
    fn open_instant(&mut self, instant: u64) {
        self.near_last = instant;
        let near = &mut self.near;
        self.far.retain(|key| {
            let is_later = key.time().as_nanos() > instant;
            if !is_later {
                near.push(*key);
            }
            is_later
        });
        self.beyond = self.far.len();
    }

    /// Opens the next window. There are keys beyond, and none in the current one.
    #[cold]
    #[inline(never)]
    fn refill(&mut self) {
        loop {
            let Some(rung) = self.rungs.last_mut() else {
                return if self.far.len() <= HEAP_AGAIN { self.return_to_heap() } else { self.spread_far() };
            };
            match rung.open(&mut self.run) {
                None => {
                    let spent = self.rungs.pop().expect("just seen");
                    self.spare.push(spent.buckets);
                }
                Some((start, last)) if self.run.len() > SPLIT_MIN && start < last => {
                    let mut keys = std::mem::take(&mut self.run);
                    self.split(start, last, &mut keys);
                    self.run = keys;
                }
                Some((_, last)) => {
                    self.beyond -= self.run.len();
                    self.run.sort_unstable_by(|left, right| right.cmp(left));
                    self.near_last = last;
                    self.opened += 1;
                    return;
                }
            }
        }
    }

    /// Throws keys into a new rung, finer than all others.
    fn split(&mut self, start: u64, last: u64, keys: &mut Vec<EventKey>) {
        let row = self.spare.pop().unwrap_or_default();
        let mut rung = Rung::new(start, last, keys.len(), row);
        keys.drain(..).for_each(|key| rung.push(key));
        self.rungs.push(rung);
    }

    /// Throws the far keys into a new rung, but for those of the first instant: these are the window. What is due
    /// before them may still come, and is near.
    fn spread_far(&mut self) {
        let first = self.first_far();
        self.open_instant(first);
        let mut keys = std::mem::take(&mut self.far);
        if let Some(last) = keys.iter().map(|key| key.time().as_nanos()).max() {
            self.split(first + 1, last, &mut keys);
        }
        self.far = keys;
    }

    fn return_to_heap(&mut self) {
        self.beyond = 0;
        self.near_last = u64::MAX;
        self.near_limit = HEAP_MAX;
        for key in self.far.drain(..) {
            self.near.push(key);
        }
    }
}

/// Copies the keys, not the room that a former peak left behind.
impl Clone for LadderQueue {
    fn clone(&self) -> Self {
        Self {
            near: self.near.clone(),
            run: self.run.clone(),
            near_last: self.near_last,
            near_limit: self.near_limit,
            rungs: self.rungs.clone(),
            far: self.far.clone(),
            beyond: self.beyond,
            opened: self.opened,
            spare: Vec::new(),
        }
    }
}

impl EventQueue for LadderQueue {
    #[inline(always)]
    fn push(&mut self, key: EventKey) {
        if key.time().as_nanos() > self.near_last {
            return self.push_beyond(key);
        }
        self.near.push(key);
        if self.near.len() > self.near_limit {
            self.leave_heap();
        }
    }

    fn peek(&self) -> Option<EventKey> {
        let window = [self.near.peek(), self.run.last().copied()].into_iter().flatten().min();
        let rungs = || self.rungs.iter().rev().flat_map(|rung| &rung.buckets[rung.next..]);
        window
            .or_else(|| rungs().find(|bucket| !bucket.is_empty())?.iter().min().copied())
            .or_else(|| self.far.iter().min().copied())
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<EventKey> {
        loop {
            match self.run.last() {
                None if !self.near.is_empty() => return self.near.pop(),
                None if self.beyond == 0 => return None,
                None => self.refill(),
                Some(_) if self.near.is_empty() => return self.run.pop(),
                Some(last) => {
                    let is_near = self.near.peek().is_some_and(|near| near < *last);
                    return if is_near { self.near.pop() } else { self.run.pop() };
                }
            }
        }
    }

    #[inline]
    fn len(&self) -> usize {
        self.near.len() + self.run.len() + self.beyond
    }

    fn retain(&mut self, mut is_wanted: impl FnMut(EventKey) -> bool) {
        self.near.retain(&mut is_wanted);
        self.run.retain(|key| is_wanted(*key));
        self.far.retain(|key| is_wanted(*key));
        self.beyond = self.far.len();
        for bucket in self.rungs.iter_mut().flat_map(|rung| &mut rung.buckets) {
            bucket.retain(|key| is_wanted(*key));
            self.beyond += bucket.len();
        }
    }

    fn clear(&mut self) {
        *self = Self::new();
    }

    fn keys(&self) -> impl Iterator<Item = EventKey> {
        let rungs = self.rungs.iter().flat_map(|rung| &rung.buckets).flatten();
        self.near.keys().chain(self.run.iter().chain(&self.far).chain(rungs).copied())
    }

    /// How many buckets were opened.
    #[inline(always)]
    fn opened(&self) -> u64 {
        self.opened
    }

    /// What is left of the bucket that was opened last.
    fn soon(&self) -> &[EventKey] {
        &self.run
    }

    /// The bucket that will be opened next, if its bounds are known.
    fn later(&self) -> &[EventKey] {
        self.rungs.last().and_then(Rung::first).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::twins::{Step, Twins, step};
    use super::*;
    use crate::random::{KeySource, Purpose};
    use crate::time::SimTime;

    type Ladder = Twins<LadderQueue>;

    /// Pops keys and pushes as many, each so long after the one that was popped.
    fn hold(twins: &mut Ladder, delays: &[u64]) {
        for delay in delays {
            let now = twins.sorted.first().map_or(0, |key| key.time().as_nanos());
            twins.pop();
            twins.push(now.saturating_add(*delay));
        }
    }

    proptest! {
        #[test]
        fn a_ladder_pops_what_a_sorted_vector_pops(
            times in prop::collection::vec(0..u64::MAX, 0..1_200),
            magnitude in 0..64_u32,
            steps in prop::collection::vec(step(), 0..300),
        ) {
            let mut twins = Ladder::default();
            for time in &times {
                twins.push(time >> magnitude);
            }
            for step in &steps {
                twins.apply(step);
            }
            while !twins.sorted.is_empty() {
                twins.apply(&Step::Pop);
            }
            twins.apply(&Step::Pop);
        }

        #[test]
        fn a_ladder_holds_its_order_while_time_goes_on(
            times in prop::collection::vec(0..1_000_000_u64, 200..1_000),
            delays in prop::collection::vec(
                prop_oneof![0..50_u64, 1_000..9_000_u64, 0..3_000_000_u64, Just(1_000_000_000_000)],
                0..3_000,
            ),
        ) {
            let mut twins = Ladder::default();
            for time in &times {
                twins.push(*time);
            }
            hold(&mut twins, &delays);
            while !twins.sorted.is_empty() {
                twins.pop();
            }
        }
    }

    #[test]
    fn many_keys_of_one_instant_come_in_order_of_sequence() {
        let mut twins = Ladder::default();
        (0..2_000).for_each(|number| twins.push(if number % 3 == 0 { 5_000 } else { 7_000 }));
        (0..1_000).for_each(|_| twins.pop());
        (0..500).for_each(|_| twins.push(7_000));
        while !twins.sorted.is_empty() {
            twins.pop();
        }
    }

    #[test]
    fn the_last_key_of_all_time_is_still_found() {
        let mut twins = Ladder::default();
        (0..400).for_each(|number| twins.push(if number % 2 == 0 { u64::MAX } else { number }));
        while !twins.sorted.is_empty() {
            twins.apply(&Step::Pop);
        }
    }

    #[test]
    fn a_rung_that_reaches_the_end_of_time_takes_what_is_pushed_later() {
        let mut twins = Ladder::default();
        let gap = u64::MAX / 299;
        (0..300).for_each(|number| twins.push(number * gap));
        twins.apply(&Step::Pop);
        twins.apply(&Step::Pop);
        twins.push(gap + 5);
        while !twins.sorted.is_empty() {
            twins.apply(&Step::Pop);
        }
    }

    #[test]
    fn a_key_that_was_popped_too_early_may_be_put_back_and_overtaken() {
        let mut queue = LadderQueue::new();
        let key = |nanos, sequence| EventKey::new(SimTime::from_nanos(nanos), sequence, 0);
        (0..1_000).for_each(|number| queue.push(key(1_000_000 + number * 1_000, number)));
        let first = queue.pop().expect("there are keys");
        queue.push(first);
        queue.push(key(3, 2_000));
        assert_eq!(queue.pop(), Some(key(3, 2_000)));
        assert_eq!(queue.pop(), Some(first));
    }

    /// How many keys there is room for.
    fn room(queue: &LadderQueue) -> usize {
        let rows = queue.rungs.iter().map(|rung| &rung.buckets).chain(&queue.spare);
        rows.flatten().map(Vec::capacity).sum::<usize>() + queue.far.capacity() + queue.run.capacity()
    }

    #[test]
    fn room_does_not_grow_while_as_many_keys_come_as_go() {
        let mut queue = LadderQueue::new();
        let mut delays = KeySource::new(0).stream(Purpose::Process, 0, 0);
        let mut push = |queue: &mut LadderQueue, now, sequence| {
            let due = SimTime::from_nanos(now + 1_000_000 + delays.below(9_000_000));
            queue.push(EventKey::new(due, sequence, 0));
        };
        (0..5_000).for_each(|sequence| push(&mut queue, 0, sequence));
        let mut hold = |sequences: std::ops::Range<u64>| {
            for sequence in sequences {
                let now = queue.pop().expect("as many are pushed as are popped").time();
                push(&mut queue, now.as_nanos(), sequence);
            }
            room(&queue)
        };
        let early = hold(5_000..100_000);
        let late = hold(100_000..1_000_000);
        assert!(late < early * 5 / 4, "room for {early} keys at first, for {late} later");
        assert!(late < 5_000 * 16, "room for {late} keys where 5,000 wait");
    }
}
