//! The inputs of a node, told apart.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sim_core::check::Nodes;
use sim_core::disk::{self, DiskPromise};
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal, Value, broadcast};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, LocalTime, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::facts::Kind;
use super::known::{Known, Missing};
use super::link::Told;
use super::message::Message;
use super::metrics::Gauge;
use super::overlay::Views;
use super::{Config, Fact, POINTS, Plumtree, Timer, metrics};
use crate::draw;

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["keep-alive", "silence", "shuffle", "reconnect", "announce"];

    fn index(self) -> Option<usize> {
        match self {
            Self::KeepAlive => Some(0),
            Self::Silence => Some(1),
            Self::Shuffle => Some(2),
            Self::Reconnect => Some(3),
            Self::Announce => Some(4),
            Self::Connect(_) | Self::Graft(_) => None,
        }
    }
}

/// What is written to disk: nothing, so there is no such record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Record {}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match *self {}
    }
}

impl Process for Plumtree {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::EVERYTHING;
    const POINTS: &'static [&'static str] = &POINTS;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;
    const GAUGES: &'static [&'static str] = Gauge::VARIANTS;

    fn kind_of(fact: &Fact) -> u32 {
        Kind::from(fact) as u32
    }

    fn boot(config: &Config, node: NodeId) -> Self {
        Self {
            node,
            config: *config,
            views: Views::default(),
            asked: Vec::new(),
            tried: Vec::new(),
            shuffled: Vec::new(),
            keep_alive_due: LocalTime::ZERO,
            silence_due: None,
            known: Known::default(),
            settled: 0,
            settled_before: 0,
            missing: Missing::default(),
            is_announcing: false,
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        context.fact(Fact::Started);
        context.gauge(Gauge::Hops as usize, 0);
        self.tell_neighbours(context);
        let phase = draw::phase(context.random(), self.config.keep_alive);
        self.await_keep_alive(context, phase);
        self.await_first_shuffle(context);
        self.await_reconnect(context);
        self.join(context);
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        match message {
            Message::Join { link } => self.on_join(context, from, link),
            Message::ForwardJoin { newcomer, ttl } => self.on_forward_join(context, from, newcomer, ttl),
            Message::Neighbour { link, priority } => self.on_neighbour(context, from, link, priority),
            Message::Accept { link } => self.on_accept(context, from, link),
            Message::Refuse { link } => self.on_refuse(context, from, link),
            Message::Disconnect { link } => self.on_disconnect(context, from, link),
            Message::Shuffle { origin, nodes, ttl } => self.on_shuffle(context, from, origin, nodes, ttl),
            Message::ShuffleReply(nodes) => self.on_shuffle_reply(context, &nodes),
            Message::KeepAlive { link, confirmed, first, unconfirmed } => {
                self.on_keep_alive(context, from, link, &Told { confirmed, first, unconfirmed });
            }
            Message::Gossip(what) => self.on_gossip(context, from, what),
            Message::IHave(told) => self.on_i_have(context, from, &told),
            Message::Prune => self.on_prune(context, from),
            Message::Graft { value } => self.on_graft(context, from, value),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::KeepAlive => self.on_keep_alive_due(context),
            Timer::Silence => self.on_silence(context),
            Timer::Shuffle => self.on_shuffle_due(context),
            Timer::Reconnect => self.on_reconnect(context),
            Timer::Announce => self.on_announce_due(context),
            Timer::Connect(peer) => self.on_connect_timeout(context, peer),
            Timer::Graft(value) => self.on_graft_due(context, value),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Broadcast(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        match operation {
            broadcast::Operation::Send(value) => {
                self.broadcast(context, value);
                context.reply(op, Outcome::Done);
            }
            broadcast::Operation::Read => {
                let values = self.values().map(|(value, _)| value).collect();
                context.reply(op, Outcome::Values(values));
            }
        }
    }

    /// Nothing is ever synced.
    fn on_durable(&mut self, _context: &mut Context<'_, Self>, sync: SyncId) {
        unreachable!("plumtree writes nothing, but {sync:?} is durable");
    }

    /// Neighbours are mutual and run, all reach all, and all have the same values.
    fn disagreement(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Option<String> {
        let all: Well<'_> = well.iter().filter_map(|node| Some((*node, nodes.process(*node)?))).collect();
        let one_sided = Well::values(&all).find_map(|one| one.one_sided(nodes));
        one_sided.or_else(|| cut_off(&all)).or_else(|| different(&all))
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        let role = if self.neighbours().is_empty() { "alone" } else { "member" };
        Status { gauge: self.known.count(), ..Status::peer(role) }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Plumtree {
    /// A neighbour that does not take this node for one, by the same link.
    fn one_sided(&self, nodes: &Nodes<'_, Self>) -> Option<String> {
        let is_mutual = |neighbour: &&super::Neighbour| {
            let other = nodes.process(neighbour.node).and_then(|other| other.neighbour(self.node));
            other.is_some_and(|back| back.link == neighbour.link)
        };
        let one_sided = self.neighbours().iter().find(|neighbour| !is_mutual(neighbour))?;
        let why =
            if nodes.process(one_sided.node).is_none() { "is down" } else { "does not take it for one" };
        Some(format!("{} has {} for a neighbour, which {why}", self.node, one_sided.node))
    }
}

/// Those that are well, by who they are.
type Well<'a> = BTreeMap<NodeId, &'a Plumtree>;

/// One whom the first does not reach over links.
fn cut_off(all: &Well<'_>) -> Option<String> {
    let (first, one) = all.first_key_value()?;
    let (mut reached, mut next) = (BTreeSet::from([*first]), vec![*one]);
    while let Some(one) = next.pop() {
        let reachable = one.neighbours().iter().filter_map(|neighbour| all.get(&neighbour.node));
        next.extend(reachable.filter(|other| reached.insert(other.node)));
    }
    let missed = all.keys().find(|node| !reached.contains(node))?;
    Some(format!("there is no way from {first} to {missed} over neighbours"))
}

/// One that has not what another one has had for two keep-alives. Without catching up nobody promises that it comes to have
/// it.
fn different(all: &Well<'_>) -> Option<String> {
    let (_, one) = all.iter().next()?;
    if !one.config.catch_up.is_on() {
        return None;
    }
    let settled = |(node, one): (&NodeId, &&Plumtree)| {
        let values = one.known.values(0..one.settled_before);
        values.map(|value| (value, *node)).collect::<Vec<_>>()
    };
    let there: BTreeMap<Value, NodeId> = all.iter().flat_map(settled).collect();
    all.iter().find_map(|(node, one)| {
        let (value, holder) = there.iter().find(|(value, _)| one.known.get(**value).is_none())?;
        Some(format!("{holder} has {value}, and {node} does not"))
    })
}
