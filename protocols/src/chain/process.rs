//! The inputs of a node, handed to its role.

use std::sync::Arc;

use sim_core::check::Nodes;
use sim_core::disk::{DiskPromise, RegionId};
use sim_core::process::{self, Process};
use sim_core::service::Operation;
use sim_core::status::{Standing, Status};
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::config::{Config, MASTER};
use super::durable::{INCARNATION, Record};
use super::facts::Fact;
use super::master::Master;
use super::message::Message;
use super::server::{Part, Server};
use super::types::{Configuration, Epoch};
use super::{ChainReplication, FAULT_POINTS, POINTS, Role, Timer, metrics};
use crate::swim::{self, Membership};

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["heartbeat", "resend"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Heartbeat => Some(0),
            Self::Resend => Some(1),
            Self::Swim(_) => None,
        }
    }
}

impl Process for ChainReplication {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    /// Of the master. Servers write nothing, and what a crash takes is memory: see [`ChainReplication::forgotten`].
    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &POINTS;
    const FAULT_POINTS: &'static [&'static str] = &FAULT_POINTS;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;
    const LATENCIES: &'static [&'static str] = metrics::Latency::VARIANTS;

    fn kind_of(fact: &Fact) -> u32 {
        fact.kind()
    }

    fn boot(config: &Config, node: NodeId) -> Self {
        let config = Arc::new(config.clone());
        let membership = config.swim().map(|swim| Membership::boot(Arc::clone(swim), node));
        let role = if node == MASTER {
            Role::Master(Master::boot(config))
        } else {
            Role::Server(Server::boot(config, node))
        };
        Self { role, membership }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        match &mut self.role {
            Role::Master(master) => master.on_start(context),
            Role::Server(server) => server.on_start(context),
        }
        if let Some(membership) = &mut self.membership {
            membership.on_start(context);
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        match (&mut self.role, &mut self.membership, message) {
            (_, Some(membership), Message::Swim(message)) => membership.on_message(context, from, message),
            (Role::Master(master), _, message) => master.on_message(context, from, &message),
            (Role::Server(server), _, message) => server.on_message(context, from, message),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match (&mut self.role, timer) {
            (Role::Master(master), Timer::Heartbeat) => master.on_check(context, self.membership.as_ref()),
            (Role::Server(server), Timer::Heartbeat) => server.on_heartbeat_due(context),
            (Role::Server(server), Timer::Resend) => server.on_resend_due(context),
            (Role::Master(_), Timer::Resend) => unreachable!("the master sets no such timer"),
            (_, Timer::Swim(timer)) => {
                self.membership.as_mut().expect("only a membership sets its timers").on_timer(context, timer);
            }
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        match &mut self.role {
            Role::Master(master) => master.on_request(context, op, &operation),
            Role::Server(server) => server.on_request(context, op, &operation),
        }
    }

    /// Each knows its own syncs.
    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        if let Some(membership) = &mut self.membership {
            membership.on_durable(context, sync);
        }
        match &mut self.role {
            Role::Master(master) => master.on_durable(context, sync),
            Role::Server(_) => {
                assert!(self.membership.is_some(), "a server writes nothing, but {sync:?} is durable");
            }
        }
    }

    /// All servers, if none of the newest chain still has what it had: whatever clients were told is gone.
    fn forgotten(nodes: &Nodes<'_, Self>) -> Vec<NodeId> {
        let Some(newest) = newest(nodes) else { return Vec::new() };
        let remembers = |node: NodeId| {
            servers(nodes).any(|(other, server)| other == node && newest.chain.contains(&server.member()))
        };
        let is_lost = !newest.chain.iter().any(|member| remembers(member.node));
        servers(nodes).filter(|_| is_lost).map(|(node, _)| node).collect()
    }

    /// A server that is well and takes no part.
    fn disagreement(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Option<String> {
        let newest = newest(nodes)?;
        let servers = servers(nodes).filter(|(node, _)| well.contains(node));
        let mut lost = servers.filter(|(_, server)| !newest.chain.contains(&server.member()));
        lost.next().map(|(node, server)| format!("{node} is {} and not in the chain {newest}", role(server)))
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    /// The head leads.
    fn status(&self) -> Status {
        match &self.role {
            Role::Master(master) => {
                let configuration = master.configuration();
                Status {
                    epoch: configuration.epoch.0,
                    leader: Some(configuration.head().node),
                    commit: master.acknowledged().0,
                    gauge: configuration.chain.len() as u64,
                    ..Status::peer("master")
                }
            }
            Role::Server(server) => server_status(server),
        }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl swim::Host for ChainReplication {
    const IS_MEASURED: bool = false;
    const FAULT_POINTS_AT: Option<usize> = None;
    const INCARNATION: RegionId = INCARNATION;

    fn message(message: swim::Message) -> Message {
        Message::Swim(message)
    }

    fn timer(timer: swim::Timer) -> Timer {
        Timer::Swim(timer)
    }

    fn record(record: swim::Record) -> Record {
        Record::Incarnation(record)
    }

    fn as_record(record: &Record) -> Option<swim::Record> {
        if let Record::Incarnation(record) = record { Some(*record) } else { None }
    }

    fn fact(_: swim::Fact) -> Option<Fact> {
        None
    }
}

fn server_status(server: &Server) -> Status {
    let Epoch(epoch) = server.epoch();
    Status {
        role: role(server),
        standing: if server.is_head() { Standing::Leader } else { Standing::Follower },
        epoch,
        leader: Some(server.configuration().head().node),
        commit: server.acknowledged().0,
        gauge: server.in_process(),
    }
}

/// What a server is called for its place.
pub(super) fn role(server: &Server) -> &'static str {
    match server.part() {
        Part::Outside => "outside",
        Part::Joining { .. } => "joining",
        Part::Serving if server.is_head() => "head",
        Part::Serving if server.is_tail() => "tail",
        Part::Serving => "middle",
    }
}

/// The newest configuration that any node knows of.
fn newest<'a>(nodes: &Nodes<'a, ChainReplication>) -> Option<&'a Arc<Configuration>> {
    let known = nodes.running().map(|(_, node)| match &node.role {
        Role::Master(master) => master.configuration(),
        Role::Server(server) => server.configuration(),
    });
    known.max_by_key(|configuration| configuration.epoch)
}

/// The servers that run.
pub(super) fn servers<'a>(
    nodes: &Nodes<'a, ChainReplication>,
) -> impl Iterator<Item = (NodeId, &'a Server)> + use<'a> {
    nodes.running().filter_map(|(node, process)| Some((node, process.server()?)))
}

impl Server {
    fn on_message(&mut self, context: &mut Context<'_, ChainReplication>, from: NodeId, message: Message) {
        match message {
            Message::Lease { sent, configuration } => self.on_lease(context, sent, &configuration),
            Message::Configure(configuration) => self.on_configure(context, &configuration),
            Message::Forward { epoch, after, entries, last } => {
                if self.is_of_predecessor(context, epoch, from) {
                    self.on_forward(context, after, &entries, last);
                }
            }
            Message::Transfer(transfer) => {
                if self.is_of_predecessor(context, transfer.epoch, from) {
                    self.on_transfer(context, &transfer);
                }
            }
            Message::Missing { epoch, after } => {
                if self.is_of_successor(context, epoch, from) {
                    self.on_missing(context, from, after);
                }
            }
            Message::Acknowledge { epoch, index } => {
                if self.is_of_successor(context, epoch, from) {
                    self.on_acknowledge(context, index);
                }
            }
            Message::AskVersion { epoch, op } => {
                if self.is_of_now(context, epoch) {
                    self.on_ask_version(context, from, op);
                }
            }
            Message::Version { epoch, op, index } => {
                if self.is_of_now(context, epoch) {
                    self.on_version(context, op, index);
                }
            }
            Message::Heartbeat(_) | Message::Swim(_) => {
                panic!("{}, a server, was sent {message:?} by {from}", context.node())
            }
        }
    }

    /// Whether a message counts: it is of the predecessor in this server's epoch.
    fn is_of_predecessor(
        &self,
        context: &mut Context<'_, ChainReplication>,
        epoch: Epoch,
        from: NodeId,
    ) -> bool {
        let predecessor = self.configuration().predecessor(self.member());
        self.is_of_now(context, epoch) && predecessor.is_some_and(|member| member.node == from)
    }

    /// Whether a message counts: it is of the successor in this server's epoch.
    fn is_of_successor(
        &self,
        context: &mut Context<'_, ChainReplication>,
        epoch: Epoch,
        from: NodeId,
    ) -> bool {
        let successor = self.configuration().successor(self.member());
        self.is_of_now(context, epoch) && successor.is_some_and(|member| member.node == from)
    }
}
