//! Who is in the network, and how many messages each link has carried.

use super::draw::mix;
use crate::id::Endpoint;

/// Up to this many endpoints each link has its own counter: at most 256 KiB.
const EXACT_ENDPOINTS_MAX: usize = 256;

/// Above, each sender shares this many counters among its links.
const COUNTERS_PER_SENDER: usize = 16;

/// How many nodes and clients there are. Endpoints are numbered nodes first, then clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Population {
    pub(super) nodes: u32,
    pub(super) clients: u32,
}

impl Population {
    pub(super) const fn count(self) -> usize {
        self.nodes as usize + self.clients as usize
    }

    pub(super) fn contains(self, endpoint: Endpoint) -> bool {
        match (endpoint.node(), endpoint.client()) {
            (Some(node), _) => node.raw() < self.nodes,
            (None, client) => client.is_some_and(|client| client.raw() < self.clients),
        }
    }

    /// The number of an endpoint, below [`Population::count`].
    #[inline]
    pub(super) const fn position(self, endpoint: Endpoint) -> usize {
        match endpoint.client() {
            Some(client) => self.nodes as usize + client.index(),
            None => endpoint.raw() as usize,
        }
    }
}

/// Counts the messages of links.
#[derive(Clone, Debug)]
pub(super) struct Ordinals {
    population: Population,
    counters: Counters,
}

#[derive(Clone, Debug)]
enum Counters {
    /// One a link, sender by sender.
    Exact(Vec<u32>),
    /// Sixteen a sender.
    Shared(Vec<Line>),
}

/// The counters of one sender, on one cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line([u32; COUNTERS_PER_SENDER]);

impl Ordinals {
    pub(super) fn new(population: Population) -> Self {
        let count = population.count();
        let counters = if count <= EXACT_ENDPOINTS_MAX {
            Counters::Exact(vec![0; count * count])
        } else {
            Counters::Shared(vec![Line::default(); count])
        };
        Self { population, counters }
    }

    #[inline(always)]
    pub(super) fn next(&mut self, from: Endpoint, to: Endpoint) -> u32 {
        let row = self.population.position(from);
        let counter = match &mut self.counters {
            Counters::Exact(counters) => {
                &mut counters[row * self.population.count() + self.population.position(to)]
            }
            Counters::Shared(lines) => &mut lines[row].0[shared_column(from, to)],
        };
        let ordinal = *counter;
        // After 2³² messages on one link its draws repeat, in debug builds as in release.
        *counter = counter.wrapping_add(1);
        ordinal
    }

    /// The first counter of a sender.
    pub(super) fn peek(&self, from: Endpoint) -> u32 {
        let row = self.population.position(from);
        match &self.counters {
            Counters::Exact(counters) => counters[row * self.population.count()],
            Counters::Shared(lines) => lines[row].0[0],
        }
    }

    /// Bytes on the heap.
    #[cfg(test)]
    pub(super) const fn heap_bytes(&self) -> usize {
        match &self.counters {
            Counters::Exact(counters) => counters.capacity() * size_of::<u32>(),
            Counters::Shared(lines) => lines.capacity() * size_of::<Line>(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a remainder of 16 fits")]
const fn shared_column(from: Endpoint, to: Endpoint) -> usize {
    (mix(from, to) % COUNTERS_PER_SENDER as u64) as usize
}
