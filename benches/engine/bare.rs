//! The practical limit: what a deterministic simulator cannot do without, and nothing else.
//!
//! Heap, slab, payloads inline (as `Vec` for the flood), keyed draws, a digest of the words that the engine
//! folds. No hosts, clocks, faults, partitions, records, clients, checkers or commands. Nodes are of
//! any type, called through a pointer, as simulators without generics do.

use std::cmp::Reverse;

use dary_heap::QuaternaryHeap;
use sim_core::fingerprint::{fingerprint, fold};
use sim_core::random::{Key, KeySource, Purpose, Stream, below, squares64};

use super::workloads::{MILLI, Payload, VecPayload};

/// What happens to a node.
trait Node<M> {
    fn start(&mut self, me: u32, core: &mut Core<M>);
    fn on_message(&mut self, me: u32, from: u32, message: M, core: &mut Core<M>);
    fn on_timer(&mut self, me: u32, timer: u32, core: &mut Core<M>);
}

enum Body<M> {
    Free(u32),
    Dead,
    Message(M),
    Timer(u32),
}

struct Slot<M> {
    from: u32,
    to: u32,
    generation: u32,
    body: Body<M>,
}

/// Time, queue, slab, streams, digest.
struct Core<M> {
    now: u64,
    sequence: u64,
    queue: QuaternaryHeap<Reverse<u128>>,
    slab: Vec<Slot<M>>,
    free: u32,
    nodes: u32,
    latency: (u64, u64),
    latency_key: Key,
    ordinals: Vec<u32>,
    streams: Vec<Stream>,
    digest: u64,
}

const NONE: u32 = u32::MAX;

impl<M: serde::Serialize> Core<M> {
    fn new(nodes: u32, latency: (u64, u64)) -> Self {
        let keys = KeySource::new(0);
        let stream = |node: u32| keys.stream(Purpose::Process, u64::from(node), 1);
        Self {
            now: 0,
            sequence: 0,
            queue: QuaternaryHeap::new(),
            slab: Vec::new(),
            free: NONE,
            nodes,
            latency,
            latency_key: keys.key(Purpose::Latency, 0, 0),
            ordinals: if nodes <= 256 { vec![0; (nodes * nodes) as usize] } else { Vec::new() },
            streams: (0..nodes).map(stream).collect(),
            digest: 0,
        }
    }

    #[inline(always)]
    fn schedule(&mut self, at: u64, from: u32, to: u32, body: Body<M>) -> (u32, u32) {
        let slot = self.free;
        let generation = if slot == NONE {
            self.slab.push(Slot { from, to, generation: 0, body });
            0
        } else {
            let place = &mut self.slab[slot as usize];
            let Body::Free(next) = place.body else { unreachable!("the free list holds free slots") };
            self.free = next;
            (place.from, place.to, place.body) = (from, to, body);
            place.generation
        };
        let slot = if slot == NONE { u32::try_from(self.slab.len() - 1).expect("few slots") } else { slot };
        self.queue.push(Reverse(u128::from(at) << 64 | u128::from(self.sequence) << 24 | u128::from(slot)));
        self.sequence += 1;
        (slot, generation)
    }

    #[inline(always)]
    fn send(&mut self, from: u32, to: u32, message: M) {
        let ids = u64::from(from) << 32 | u64::from(to);
        self.digest = fold(self.digest, fingerprint(&message), ids);
        let latency = if self.latency.0 == self.latency.1 {
            self.latency.0
        } else {
            let ordinal = &mut self.ordinals[(from * self.nodes + to) as usize];
            let counter = ids.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(*ordinal));
            *ordinal += 1;
            self.latency.0 + below(squares64(counter, self.latency_key), self.latency.1 - self.latency.0)
        };
        self.schedule(self.now + latency, from, to, Body::Message(message));
    }

    #[inline(always)]
    fn set_timer(&mut self, me: u32, timer: u32, delay: u64) -> (u32, u32) {
        let due = self.now + delay;
        self.digest = fold(self.digest, due, u64::from(me) << 32 | u64::from(timer));
        self.schedule(due, me, me, Body::Timer(timer))
    }

    #[inline(always)]
    fn cancel(&mut self, me: u32, timer: u32, (slot, generation): (u32, u32)) {
        self.digest = fold(self.digest, 0, u64::from(me) << 32 | u64::from(timer));
        let place = &mut self.slab[slot as usize];
        if place.generation == generation {
            place.generation += 1;
            place.body = Body::Dead;
        }
    }

    #[inline(always)]
    fn other(&mut self, me: u32) -> u32 {
        let peer =
            u32::try_from(self.streams[me as usize].below(u64::from(self.nodes) - 1)).expect("few nodes");
        if peer >= me { peer + 1 } else { peer }
    }

    /// Runs until `events` have happened or nothing is left.
    fn run(&mut self, nodes: &mut [Box<dyn Node<M>>], events: u64) -> u64 {
        for (me, node) in (0_u32..).zip(nodes.iter_mut()) {
            node.start(me, self);
        }
        let mut done = 0;
        while done < events {
            let Some(Reverse(key)) = self.queue.pop() else { break };
            #[expect(clippy::cast_possible_truncation, reason = "the parts of a packed key")]
            let (at, slot) = ((key >> 64) as u64, key as u32 & 0xff_ffff);
            let place = &mut self.slab[slot as usize];
            let body = std::mem::replace(&mut place.body, Body::Free(self.free));
            place.generation = place.generation.wrapping_add(1);
            self.free = slot;
            let (from, to) = (place.from, place.to);
            let ids = u64::from(to) << 32 | u64::from(from);
            match body {
                Body::Dead => {}
                Body::Free(_) => unreachable!("a key points to a full slot"),
                Body::Message(message) => {
                    (self.now, done) = (at, done + 1);
                    self.digest = fold(self.digest, at, ids);
                    nodes[to as usize].on_message(to, from, message, self);
                }
                Body::Timer(timer) => {
                    (self.now, done) = (at, done + 1);
                    self.digest = fold(self.digest, at, ids);
                    nodes[to as usize].on_timer(to, timer, self);
                }
            }
        }
        assert_ne!(self.digest, 0, "something was digested");
        done
    }
}

struct PingPong;

impl Node<Payload> for PingPong {
    fn start(&mut self, me: u32, core: &mut Core<Payload>) {
        if me == 0 {
            core.send(0, 1, Payload::new(0));
        }
    }
    fn on_message(&mut self, me: u32, from: u32, message: Payload, core: &mut Core<Payload>) {
        core.send(me, from, Payload::new(message.value + 1));
    }
    fn on_timer(&mut self, _: u32, _: u32, _: &mut Core<Payload>) {}
}

struct Gossip;

impl Node<Payload> for Gossip {
    fn start(&mut self, me: u32, core: &mut Core<Payload>) {
        for _ in 0..10 {
            let to = core.other(me);
            core.send(me, to, Payload::new(1));
        }
    }
    fn on_message(&mut self, me: u32, _: u32, message: Payload, core: &mut Core<Payload>) {
        let to = core.other(me);
        core.send(me, to, Payload::new(message.value + 1));
    }
    fn on_timer(&mut self, _: u32, _: u32, _: &mut Core<Payload>) {}
}

struct Flood {
    left: u64,
}

impl Node<VecPayload> for Flood {
    fn start(&mut self, me: u32, core: &mut Core<VecPayload>) {
        if me == 0 {
            let to = core.other(me);
            core.send(me, to, VecPayload::new(1));
        }
    }
    fn on_message(&mut self, me: u32, _: u32, message: VecPayload, core: &mut Core<VecPayload>) {
        for _ in 0..self.left.min(3) {
            let to = core.other(me);
            core.send(me, to, VecPayload::new(message.value + 1));
            self.left -= 1;
        }
    }
    fn on_timer(&mut self, _: u32, _: u32, _: &mut Core<VecPayload>) {}
}

struct Timers {
    other: Option<(u32, u32)>,
    has_second: bool,
}

impl Node<Payload> for Timers {
    fn start(&mut self, me: u32, core: &mut Core<Payload>) {
        self.on_timer(me, 0, core);
    }
    fn on_message(&mut self, _: u32, _: u32, _: Payload, _: &mut Core<Payload>) {}
    fn on_timer(&mut self, me: u32, _: u32, core: &mut Core<Payload>) {
        let delay = MILLI + core.streams[me as usize].below(99 * MILLI);
        core.set_timer(me, 0, delay);
        if self.has_second {
            if let Some(handle) = self.other.take() {
                core.cancel(me, 1, handle);
            }
            self.other = Some(core.set_timer(me, 1, delay + 150 * MILLI));
        }
    }
}

fn boxed<M, N: Node<M> + 'static>(nodes: impl Iterator<Item = N>) -> Vec<Box<dyn Node<M>>> {
    nodes.map(|node| Box::new(node) as Box<dyn Node<M>>).collect()
}

pub(super) fn ping_pong(events: u64) -> u64 {
    Core::new(2, (MILLI, MILLI)).run(&mut [Box::new(PingPong), Box::new(PingPong)], events)
}

pub(super) fn gossip(events: u64) -> u64 {
    let mut nodes = boxed((0..100).map(|_| Gossip));
    Core::new(100, (MILLI, 10 * MILLI)).run(&mut nodes, events)
}

pub(super) fn flood(events: u64) -> u64 {
    let mut nodes = boxed((0..100).map(|_| Flood { left: events / 100 }));
    Core::new(100, (MILLI, 10 * MILLI)).run(&mut nodes, events)
}

pub(super) fn timers(events: u64) -> u64 {
    let mut nodes = boxed((0..1000).map(|_| Timers { other: None, has_second: false }));
    Core::new(1000, (MILLI, MILLI)).run(&mut nodes, events)
}

pub(super) fn timers_cancelled(events: u64) -> u64 {
    let mut nodes = boxed((0..1000).map(|_| Timers { other: None, has_second: true }));
    Core::new(1000, (MILLI, MILLI)).run(&mut nodes, events)
}
