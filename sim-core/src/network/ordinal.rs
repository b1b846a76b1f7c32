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
    /// Counters a sender: one a receiver, or [`COUNTERS_PER_SENDER`].
    width: usize,
    is_exact: bool,
    next: Vec<u32>,
}

impl Ordinals {
    pub(super) fn new(population: Population) -> Self {
        let is_exact = population.count() <= EXACT_ENDPOINTS_MAX;
        let width = if is_exact { population.count() } else { COUNTERS_PER_SENDER };
        Self { population, width, is_exact, next: vec![0; width * population.count()] }
    }

    #[inline(always)]
    pub(super) fn next(&mut self, from: Endpoint, to: Endpoint) -> u32 {
        let column = if self.is_exact { self.population.position(to) } else { shared_column(from, to) };
        let counter = &mut self.next[self.population.position(from) * self.width + column];
        let ordinal = *counter;
        // After 2³² messages on one link its draws repeat, in debug builds as in release.
        *counter = counter.wrapping_add(1);
        ordinal
    }

    /// The first counter of a sender.
    pub(super) fn peek(&self, from: Endpoint) -> u32 {
        self.next[self.population.position(from) * self.width]
    }

    /// Bytes on the heap.
    #[cfg(test)]
    pub(super) const fn heap_bytes(&self) -> usize {
        self.next.capacity() * size_of::<u32>()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a remainder of 16 fits")]
const fn shared_column(from: Endpoint, to: Endpoint) -> usize {
    (mix(from, to) % COUNTERS_PER_SENDER as u64) as usize
}
