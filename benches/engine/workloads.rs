//! The workloads as processes of the engine.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{DiskPromise, Record};
use sim_core::fault::Plan;
use sim_core::network::{LinkModel, Network, NetworkConfig, Topology};
use sim_core::process::{Message, Process, Timer};
use sim_core::random::{Distribution, KeySource};
use sim_core::service::Operation;
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::world::{HostTiming, Stop, TieRule};
use sim_core::{Context, NodeId, OpId, Setup, SimTime, Span, SyncId, World};

/// Later than any workload runs.
const END: SimTime = SimTime::from_nanos(u64::MAX - 1);

/// One millisecond in nanoseconds.
pub(super) const MILLI: u64 = 1_000_000;

/// A number and 32 bytes, inline.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Payload {
    pub(super) value: u64,
    filling: [u64; 4],
}

impl Payload {
    pub(super) fn new(value: u64) -> Self {
        Self { value, filling: [value; 4] }
    }
}

impl Message for Payload {
    const KINDS: &'static [&'static str] = &["payload"];
    fn kind(&self) -> u8 {
        0
    }
    fn size(&self) -> u64 {
        40
    }
}

/// A number and 32 bytes on the heap.
#[derive(Clone, Debug, Serialize)]
pub(super) struct VecPayload {
    pub(super) value: u64,
    filling: Vec<u64>,
}

impl VecPayload {
    pub(super) fn new(value: u64) -> Self {
        Self { value, filling: vec![value; 4] }
    }
}

/// Nothing is written to disk.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub(super) enum NoRecord {}

impl Record for NoRecord {
    fn size(&self) -> u64 {
        match *self {}
    }
}

/// Two plain timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum Alarm {
    First,
    Second,
}

impl Timer for Alarm {
    const NAMES: &'static [&'static str] = &["first", "second"];
    #[inline(always)]
    fn index(self) -> Option<usize> {
        Some(self as usize)
    }
}

/// What a process of a workload does; the rest of [`Process`] is the same for all.
trait Act: Sized + Send + Clone + Serialize + 'static {
    fn boot(config: &Config) -> Self;
    fn start(&mut self, context: &mut Context<'_, Acting<Self>>);
    fn on_message(&mut self, _: &mut Context<'_, Acting<Self>>, _: NodeId, _: Payload) {}
    fn on_timer(&mut self, _: &mut Context<'_, Acting<Self>>) {}
}

/// What the processes of a workload share.
struct Config {
    /// How many messages a node of the flood may send.
    sends: u64,
}

#[derive(Clone, Serialize)]
struct Acting<A>(A);

impl<A: Act> Process for Acting<A> {
    type Config = Config;
    type Message = Payload;
    type Timer = Alarm;
    type Record = NoRecord;
    type Fact = ();
    const PROMISE: DiskPromise = DiskPromise::NOTHING;

    fn boot(config: &Config, _: NodeId) -> Self {
        Self(A::boot(config))
    }
    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.0.start(context);
    }
    #[inline]
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Payload) {
        self.0.on_message(context, from, message);
    }
    #[inline]
    fn on_timer(&mut self, context: &mut Context<'_, Self>, _: Alarm) {
        self.0.on_timer(context);
    }
    fn on_request(&mut self, _: &mut Context<'_, Self>, _: OpId, _: Operation) {}
    fn on_durable(&mut self, _: &mut Context<'_, Self>, _: SyncId) {}
    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }
    fn status(&self) -> Status {
        Status::peer("node")
    }
    fn view(&self, _: &mut ViewBuilder, _: &ViewRequest) {}
}

#[inline(always)]
fn other<A: Act>(context: &mut Context<'_, Acting<A>>) -> NodeId {
    let (me, nodes) = (context.node().raw(), context.node_count() as u64);
    let peer = u32::try_from(context.random().below(nodes - 1)).expect("few nodes");
    NodeId::new(if peer >= me { peer + 1 } else { peer })
}

#[derive(Clone, Serialize)]
struct PingPong;

impl Act for PingPong {
    fn boot(_: &Config) -> Self {
        Self
    }
    fn start(&mut self, context: &mut Context<'_, Acting<Self>>) {
        if context.node() == NodeId::new(0) {
            context.send(NodeId::new(1), Payload::new(0));
        }
    }
    #[inline]
    fn on_message(&mut self, context: &mut Context<'_, Acting<Self>>, from: NodeId, message: Payload) {
        context.send(from, Payload::new(message.value + 1));
    }
}

#[derive(Clone, Serialize)]
struct Gossip;

impl Act for Gossip {
    fn boot(_: &Config) -> Self {
        Self
    }
    fn start(&mut self, context: &mut Context<'_, Acting<Self>>) {
        for _ in 0..10 {
            let to = other(context);
            context.send(to, Payload::new(1));
        }
    }
    #[inline]
    fn on_message(&mut self, context: &mut Context<'_, Acting<Self>>, _: NodeId, message: Payload) {
        let to = other(context);
        context.send(to, Payload::new(message.value + 1));
    }
}

/// Gossip with one message in flight a node.
#[derive(Clone, Serialize)]
struct Whisper;

impl Act for Whisper {
    fn boot(_: &Config) -> Self {
        Self
    }
    fn start(&mut self, context: &mut Context<'_, Acting<Self>>) {
        let to = other(context);
        context.send(to, Payload::new(1));
    }
    #[inline]
    fn on_message(&mut self, context: &mut Context<'_, Acting<Self>>, _: NodeId, message: Payload) {
        let to = other(context);
        context.send(to, Payload::new(message.value + 1));
    }
}

#[derive(Clone, Serialize)]
struct Flood {
    left: u64,
}

impl Act for Flood {
    fn boot(config: &Config) -> Self {
        Self { left: config.sends }
    }
    fn start(&mut self, context: &mut Context<'_, Acting<Self>>) {
        if context.node() == NodeId::new(0) {
            let to = other(context);
            context.send(to, Payload::new(1));
        }
    }
    #[inline]
    fn on_message(&mut self, context: &mut Context<'_, Acting<Self>>, _: NodeId, message: Payload) {
        for _ in 0..self.left.min(3) {
            let to = other(context);
            context.send(to, Payload::new(message.value + 1));
            self.left -= 1;
        }
    }
}

#[derive(Clone, Serialize)]
struct Timers;

impl Act for Timers {
    fn boot(_: &Config) -> Self {
        Self
    }
    fn start(&mut self, context: &mut Context<'_, Acting<Self>>) {
        self.on_timer(context);
    }
    #[inline]
    fn on_timer(&mut self, context: &mut Context<'_, Acting<Self>>) {
        let delay = Span::nanos(MILLI + context.random().below(99 * MILLI));
        context.set_timer(Alarm::First, delay);
    }
}

#[derive(Clone, Serialize)]
struct TimersCancelled;

impl Act for TimersCancelled {
    fn boot(_: &Config) -> Self {
        Self
    }
    fn start(&mut self, context: &mut Context<'_, Acting<Self>>) {
        self.on_timer(context);
    }
    #[inline]
    fn on_timer(&mut self, context: &mut Context<'_, Acting<Self>>) {
        let delay = Span::nanos(MILLI + context.random().below(99 * MILLI));
        context.set_timer(Alarm::First, delay);
        context.cancel_timer(Alarm::Second);
        context.set_timer(Alarm::Second, delay + Span::millis(150));
    }
}

/// A world of `nodes` nodes in a full mesh, all with latencies from `low` to `high` milliseconds.
fn world<A: Act>(nodes: u32, low: u64, high: u64, sends: u64) -> World<Acting<A>> {
    let latency = if low == high {
        Distribution::constant(Span::millis(low))
    } else {
        Distribution::uniform(Span::millis(low), Span::millis(high)).expect("low is below high")
    };
    let config = NetworkConfig {
        nodes,
        clients: 0,
        topology: Topology::Mesh,
        node_link: LinkModel::new(latency.clone()),
        client_link: LinkModel::new(latency),
        overrides: Vec::new(),
    };
    World::new(Setup {
        seed: 0,
        config: Arc::new(Config { sends }),
        node_count: nodes,
        spares: Vec::new(),
        clocks: Vec::new(),
        domains: Vec::new(),
        network: Network::new(&config, &KeySource::new(0)).expect("a mesh fits any number of nodes"),
        ties: TieRule::Fifo,
        timing: HostTiming::default(),
        clients: Vec::new(),
        plan: Plan::default(),
        invariants: Vec::new(),
    })
}

fn run<A: Act>(mut world: World<Acting<A>>, events: u64) -> u64 {
    let stop = world.run(END, events);
    assert!(matches!(stop, Stop::Budget | Stop::Idle), "nothing else ends a workload: {stop:?}");
    world.events()
}

pub(super) fn ping_pong(events: u64) -> u64 {
    run(world::<PingPong>(2, 1, 1, 0), events)
}

pub(super) fn gossip(events: u64) -> u64 {
    run(world::<Gossip>(100, 1, 10, 0), events)
}

/// The same with everything recorded; also the bytes that the trace takes.
pub(super) fn gossip_recorded(events: u64) -> (u64, usize) {
    let mut world = world::<Gossip>(100, 1, 10, 0);
    world.start_trace();
    world.run(END, events);
    (world.events(), world.trace().expect("recording is on").bytes())
}

/// As many nodes as asked for, each with one message in flight.
pub(super) fn crowd(nodes: u32) -> impl FnMut(u64) -> u64 {
    let mut world = world::<Whisper>(nodes, 1, 10, 0);
    move |events| {
        world.run(END, events);
        world.events()
    }
}

pub(super) fn flood(events: u64) -> u64 {
    run(world::<Flood>(100, 1, 10, events / 100), events)
}

pub(super) fn timers(events: u64) -> u64 {
    run(world::<Timers>(1000, 1, 1, 0), events)
}

pub(super) fn timers_cancelled(events: u64) -> u64 {
    run(world::<TimersCancelled>(1000, 1, 1, 0), events)
}
