//! Registers whose written values are unique, decided without a search.
//!
//! A write and the reads of its value form a *cluster*. In a legal order they stand together: the write first, then its
//! reads, and nothing in between. The *zone* of a cluster lies between the first end of its operations and the last
//! beginning:
//!
//! ```text
//! forward    write |----|        |--read--|          some operation ends before another begins:
//!                       └──zone──┘                   the value is there from the one to the other
//! backward   write |-------------|
//!                     |--read--------|               all overlap: some moment in the zone is enough
//!                     └───zone───┘
//! ```
//!
//! The history is linearizable if and only if no read ends before its write begins, no two forward zones overlap, and
//! no backward zone lies within a forward one (Gibbons and Korach, "Testing Shared Memories", 1997).
//!
//! Takes the time of sorting. It is asked where a search has run out of steps, because it says less: which clusters
//! contradict one another, and not how far a legal order can come.

use std::collections::BTreeMap;

use super::part::Part;
use crate::check::history::spec::{Access, Spec};
use crate::service::Value;

/// What the zones say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Zones {
    /// It is linearizable.
    Legal,
    /// It is not, and these values show it.
    Illegal(Vec<Option<Value>>),
    /// Values repeat, or there is more than reads and writes.
    NotApplicable,
}

/// A write and the reads of its value; `None` is the value before all writes.
#[derive(Clone, Debug)]
struct Cluster {
    value: Option<Value>,
    /// When the write begins; `None` where there is none.
    write_begins: Option<usize>,
    has_reads: bool,
    /// Of all its operations, and of its reads.
    first_end: usize,
    first_read_end: usize,
    last_beginning: usize,
}

/// Before and after everything.
const BEFORE: usize = 0;
const AFTER: usize = usize::MAX;

/// Judges a part.
pub(super) fn judge<S: Spec>(spec: &S, part: &Part<S::Call>) -> Zones {
    let Some(clusters) = clusters(spec, part) else { return Zones::NotApplicable };
    if let Some(cluster) = clusters.iter().find(|cluster| cluster.reads_too_early()) {
        return Zones::Illegal(vec![cluster.value]);
    }
    let is_forward = |cluster: &&Cluster| cluster.first_end < cluster.last_beginning;
    let mut forward: Vec<&Cluster> = clusters.iter().filter(is_forward).collect();
    forward.sort_by_key(|cluster| cluster.first_end);
    for pair in forward.windows(2) {
        if pair[1].first_end < pair[0].last_beginning {
            return Zones::Illegal(vec![pair[0].value, pair[1].value]);
        }
    }
    // Forward zones are apart now, so only the last that begins before a backward one can hold it.
    for backward in clusters.iter().filter(|cluster| !is_forward(cluster)) {
        let before = forward.partition_point(|forward| forward.first_end < backward.last_beginning);
        if let Some(forward) = before.checked_sub(1).map(|at| forward[at])
            && backward.first_end < forward.last_beginning
        {
            return Zones::Illegal(vec![forward.value, backward.value]);
        }
    }
    Zones::Legal
}

impl Cluster {
    const fn new(value: Option<Value>) -> Self {
        let (first_end, last_beginning) = (AFTER, BEFORE);
        Self { value, write_begins: None, has_reads: false, first_end, first_read_end: AFTER, last_beginning }
    }

    /// Whether a value is read before it is written, or is never written.
    fn reads_too_early(&self) -> bool {
        self.has_reads && self.write_begins.is_none_or(|begins| self.first_read_end < begins)
    }
}

/// All clusters; `None` where the zones don't apply. What was written at an unknown time and never read is left out.
fn clusters<S: Spec>(spec: &S, part: &Part<S::Call>) -> Option<Vec<Cluster>> {
    let mut times = vec![(BEFORE, AFTER); part.calls.len()];
    for (at, end) in (1..).zip(&part.ends) {
        let time = &mut times[end.call as usize];
        if end.is_return {
            time.1 = at;
        } else {
            time.0 = at;
        }
    }
    let mut clusters: BTreeMap<Option<Value>, Cluster> = BTreeMap::new();
    // The value before all writes was written before all operations.
    let nothing = Cluster { write_begins: Some(BEFORE), first_end: BEFORE, ..Cluster::new(None) };
    clusters.insert(None, nothing);
    for (call, (begins, ends)) in part.calls.iter().zip(times) {
        let (value, is_write) = match spec.access(call)? {
            Access::Read(value) => (value, false),
            Access::Write(value) => (Some(value), true),
        };
        let cluster = clusters.entry(value).or_insert_with(|| Cluster::new(value));
        if is_write && cluster.write_begins.replace(begins).is_some() {
            return None;
        }
        if !is_write {
            cluster.has_reads = true;
            cluster.first_read_end = cluster.first_read_end.min(ends);
        }
        cluster.first_end = cluster.first_end.min(ends);
        cluster.last_beginning = cluster.last_beginning.max(begins);
    }
    let matters =
        |cluster: &Cluster| cluster.has_reads || (cluster.value.is_some() && cluster.first_end != AFTER);
    Some(clusters.into_values().filter(matters).collect())
}
