//! What must come before what, where it is known who read from whom.
//!
//! Take a read r of write w, and another write v of the same key. In a legal order v is not between w and r. So
//!
//! ```text
//! v before r   ⇒   v before w            w before v   ⇒   r before v
//! ```
//!
//! and a read of nothing comes before every write. These are applied to the orders of the clients and the pairs of
//! read and write until nothing new follows, or a circle shows that no order is legal. What follows is kept as bits,
//! one for each pair of operations.

use std::collections::BTreeMap;
use std::fmt;

use crate::OpId;
use crate::check::history::anomaly::{Circle, Order};
use crate::check::history::recorded::Record;
use crate::check::history::registers::Accesses;
use crate::service::Key;

/// Why one operation comes before another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    /// Its client asked for it first.
    Program,
    /// The other reads what it wrote.
    ReadsFrom,
    /// It read nothing, and the other writes.
    ReadNothing,
    /// It comes before this read of what the other wrote.
    BeforeReader(OpId),
    /// It read from this write, which the other overwrites.
    Overwritten(OpId),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("its client asked for it first"),
            Self::ReadsFrom => f.write_str("the value is read there"),
            Self::ReadNothing => f.write_str("it found no value, and that writes one"),
            Self::BeforeReader(reader) => {
                write!(f, "it comes before {reader}, which reads from there and would read from here")
            }
            Self::Overwritten(write) => write!(f, "it reads from {write}, which is overwritten there"),
        }
    }
}

/// Which of the operations come after which: a row of bits each.
struct Reach {
    words: usize,
    bits: Vec<u64>,
}

impl Reach {
    /// From pairs that have no circle, given in a sorted order.
    fn new(order: &Order<Why>, sorted: &[u32]) -> Self {
        let words = sorted.len().div_ceil(64);
        let mut reach = Self { words, bits: vec![0; words * sorted.len()] };
        for node in sorted.iter().rev() {
            for (after, _) in &order.after[*node as usize] {
                reach.include(*node as usize, *after as usize);
            }
        }
        reach
    }

    fn include(&mut self, node: usize, after: usize) {
        let words = self.words;
        let (low, high) = self.bits.split_at_mut(node.max(after) * words);
        let (row, other) = if node < after {
            (&mut low[node * words..][..words], &high[..words])
        } else {
            (&mut high[..words], &low[after * words..][..words])
        };
        row.iter_mut().zip(other).for_each(|(word, other)| *word |= other);
        row[after / 64] |= 1 << (after % 64);
    }

    fn is_before(&self, before: u32, after: u32) -> bool {
        let (before, after) = (before as usize, after as usize);
        self.bits[before * self.words + after / 64] >> (after % 64) & 1 == 1
    }
}

/// How many words of bits are taken over in one step.
const STEP_WORDS: u64 = 1_024;

/// What follows, as pairs between operations of the record; or a short circle. After about `budget` steps it is left at
/// what has been found by then, which holds, and need not be all.
pub(super) fn saturate(
    record: &Record<'_>,
    accesses: &Accesses,
    budget: u64,
) -> Result<Order<Why>, Circle<Why>> {
    let mut saturation = Saturation::new(record, accesses);
    let mut left = budget;
    loop {
        let Some(sorted) = saturation.order.sorted() else {
            return Err(saturation.circle());
        };
        match left.checked_sub(saturation.steps_of_a_round()) {
            Some(rest) => left = rest,
            None => return Ok(saturation.order),
        }
        let reach = Reach::new(&saturation.order, &sorted);
        if !saturation.apply_rules(&reach) {
            return Ok(saturation.order);
        }
    }
}

struct Saturation<'a> {
    record: &'a Record<'a>,
    order: Order<Why>,
    /// For each key its writes, chain by chain.
    writes: BTreeMap<Key, Vec<Vec<u32>>>,
    /// Reads with the key and the write that they read from.
    reads: Vec<(u32, Key, u32)>,
    /// Reads of nothing.
    nothing: Vec<(u32, Key)>,
}

/// Circles are made short in histories of at most so many operations: it takes the square of them in pairs.
const CLOSED_MAX: usize = 4_000;

impl<'a> Saturation<'a> {
    fn new(record: &'a Record<'a>, accesses: &Accesses) -> Self {
        let mut order = Order::new(record.operations.len());
        for (before, after) in record.program_order() {
            order.add(before, after, Why::Program);
        }
        let mut writes: BTreeMap<Key, Vec<Vec<u32>>> = BTreeMap::new();
        for chain in record.chains() {
            let mut by_key: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
            let places = chain.iter().filter_map(|index| accesses.places[*index as usize]);
            for access in places.map(|place| accesses.all[place as usize]).filter(|access| access.is_write) {
                by_key.entry(access.key).or_default().push(access.operation);
            }
            for (key, chain) in by_key {
                writes.entry(key).or_default().push(chain);
            }
        }
        let (mut reads, mut nothing) = (Vec::new(), Vec::new());
        for access in &accesses.all {
            match access.read {
                Some(Some(write)) => {
                    order.add(write, access.operation, Why::ReadsFrom);
                    reads.push((access.operation, access.key, write));
                }
                Some(None) => {
                    nothing.push((access.operation, access.key));
                    for first in
                        writes.get(&access.key).into_iter().flatten().filter_map(|chain| chain.first())
                    {
                        if *first != access.operation {
                            order.add(access.operation, *first, Why::ReadNothing);
                        }
                    }
                }
                None => {}
            }
        }
        Self { record, order, writes, reads, nothing }
    }

    /// What one round takes: a row of bits for each pair, and a look at each chain for each read.
    fn steps_of_a_round(&self) -> u64 {
        let words = self.order.after.len().div_ceil(64) as u64;
        let pairs = self.order.after.iter().map(|after| after.len() as u64).sum::<u64>();
        let looks = self.reads.iter().map(|(_, key, _)| self.writes[key].len() as u64).sum::<u64>();
        1 + (pairs * words + looks) / STEP_WORDS
    }

    /// A short circle, where there is one: pairs that were left out because others imply them are put in first.
    fn circle(mut self) -> Circle<Why> {
        let long = self.order.shortest_circle().expect("what cannot be sorted has a circle");
        if self.record.operations.len() > CLOSED_MAX {
            return long;
        }
        for chain in self.record.chains() {
            for (place, before) in chain.iter().enumerate() {
                for after in chain.iter().skip(place + 2) {
                    self.order.add(*before, *after, Why::Program);
                }
            }
        }
        for (read, key) in &self.nothing {
            let later = self.writes.get(key).into_iter().flatten().flat_map(|chain| chain.iter().skip(1));
            for write in later.filter(|write| *write != read) {
                self.order.add(*read, *write, Why::ReadNothing);
            }
        }
        let nodes: Vec<u32> = long.iter().map(|(node, _)| *node).collect();
        self.order.shortest_circle_through(&nodes).unwrap_or(long)
    }

    /// Adds what follows from what is known; whether there was anything new.
    fn apply_rules(&mut self, reach: &Reach) -> bool {
        let mut new = Vec::new();
        for (read, key, write) in &self.reads {
            for chain in &self.writes[key] {
                self.before_reader(reach, chain, (*read, *write), &mut new);
                self.overwritten(reach, chain, (*read, *write), &mut new);
            }
        }
        for (before, after, why) in &new {
            self.order.add(*before, *after, *why);
        }
        !new.is_empty()
    }

    /// The last write of a chain that comes before the read comes before its write, and with it all before.
    fn before_reader(
        &self,
        reach: &Reach,
        chain: &[u32],
        (read, write): (u32, u32),
        new: &mut Vec<(u32, u32, Why)>,
    ) {
        let count = chain.partition_point(|other| reach.is_before(*other, read));
        let others = chain[..count].iter().rev().filter(|other| **other != write);
        if let Some(last) = others.take(1).next()
            && !reach.is_before(*last, write)
        {
            let reader = self.record.operations[read as usize].op;
            new.push((*last, write, Why::BeforeReader(reader)));
        }
    }

    /// The read comes before the first write of a chain that comes after its write, and with it before all later.
    fn overwritten(
        &self,
        reach: &Reach,
        chain: &[u32],
        (read, write): (u32, u32),
        new: &mut Vec<(u32, u32, Why)>,
    ) {
        let count = chain.partition_point(|other| !reach.is_before(write, *other));
        let others = chain[count..].iter().filter(|other| **other != read);
        if let Some(first) = others.take(1).next()
            && !reach.is_before(read, *first)
        {
            let source = self.record.operations[write as usize].op;
            new.push((read, *first, Why::Overwritten(source)));
        }
    }
}
