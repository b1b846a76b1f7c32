//! The inputs of a node, told apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::check::Nodes;
use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Admin, Operation, Outcome, Refusal};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, Span, SyncId};
use strum::VariantNames;

use super::message::Message;
use super::order::ProbeRound;
use super::spread::Queue;
use super::{Config, FAULT_POINTS, Fact, Incarnation, POINTS, Record, Standing, Swim, Table, Timer, metrics};

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] =
        &["period", "probe-timeout", "gossip", "push-pull", "reconnect", "join"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Period => Some(0),
            Self::ProbeTimeout => Some(1),
            Self::Gossip => Some(2),
            Self::PushPull => Some(3),
            Self::Reconnect => Some(4),
            Self::Join => Some(5),
            Self::Suspicion(_) | Self::Relay(_) => None,
        }
    }
}

impl Standing {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Joining => "joining",
            Self::Member => "member",
            Self::Leaving => "leaving",
            Self::Left => "left",
        }
    }

    /// Whether it takes part: it probes, answers and gossips.
    pub(super) const fn takes_part(self) -> bool {
        matches!(self, Self::Joining | Self::Member | Self::Leaving)
    }
}

impl Process for Swim {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &POINTS;
    const FAULT_POINTS: &'static [&'static str] = &FAULT_POINTS;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        Self {
            node,
            config: Arc::new(config.clone()),
            incarnation: Incarnation(0),
            writing: None,
            standing: Standing::Starting,
            table: Table::default(),
            phase: Span::ZERO,
            probe: None,
            next_probe: 0,
            round: ProbeRound::new(0),
            relays: BTreeMap::new(),
            health: 0,
            suspicions: BTreeMap::new(),
            gone: BTreeMap::new(),
            queue: Queue::default(),
            is_gossip_due: false,
            is_reconnect_due: false,
            waiting: Vec::new(),
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.start(context);
    }

    /// Who is out is silent, and so is who has not announced itself.
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        if !self.standing.takes_part() {
            return;
        }
        match message {
            Message::Ping { probe, updates } => self.on_ping(context, from, probe, &updates),
            Message::Ack { probe, updates } => self.on_ack(context, from, probe, &updates),
            Message::PingReq { probe, target, wants_nack, updates } => {
                self.hear_all(context, &updates);
                self.on_ping_req(context, from, probe, target, wants_nack);
            }
            Message::Nack { probe } => self.on_nack(context, probe),
            Message::Gossip(updates) => self.hear_all(context, &updates),
            Message::Sync(table) => self.on_sync(context, from, &table),
            Message::SyncReply(table) => self.on_sync_reply(context, &table),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Period => self.on_period(context),
            Timer::ProbeTimeout => self.on_probe_timeout(context),
            Timer::Gossip => self.on_gossip_due(context),
            Timer::PushPull => self.on_push_pull(context),
            Timer::Reconnect => self.on_reconnect(context),
            Timer::Join => self.on_join_due(context),
            Timer::Suspicion(member) => self.on_suspicion_over(context, member),
            Timer::Relay(probe) => self.on_relay_timeout(context, probe),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        match operation {
            Operation::Members => self.on_members(context, op),
            Operation::Admin(Admin::AddNode(node)) if self.is_mine(context, op, node) => {
                self.on_asked_to_join(context, op);
            }
            Operation::Admin(Admin::RemoveNode(node)) if self.is_mine(context, op, node) => {
                self.on_asked_to_leave(context, op);
            }
            Operation::Admin(Admin::AddNode(_) | Admin::RemoveNode(_)) => {}
            Operation::Admin(
                Admin::AddLearner(_)
                | Admin::AddNodes(..)
                | Admin::ReplaceNode { .. }
                | Admin::LeaveJoint
                | Admin::TransferLeadership(_)
                | Admin::ForgetLeader
                | Admin::Snapshot,
            )
            | Operation::Echo(_)
            | Operation::UniqueId
            | Operation::Broadcast(_)
            | Operation::Counter(_)
            | Operation::Set(_)
            | Operation::Kv(_)
            | Operation::Queue(_)
            | Operation::Log(_)
            | Operation::Lock(_)
            | Operation::Transfer(_)
            | Operation::Txn(_) => context.reply(op, Outcome::Refused(Refusal::Unsupported)),
        }
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.on_written(context, sync);
    }

    /// Who is present.
    fn disagreement(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Option<String> {
        let takes_part = |swim: &&Self| swim.standing.takes_part();
        let mut all = well.iter().filter_map(|node| Some((*node, nodes.process(*node).filter(takes_part)?)));
        let (first, one) = all.next()?;
        let (second, other) = all.find(|(_, other)| other.table.present_sum() != one.table.present_sum())?;
        let count = |swim: &Self| swim.table.present_count();
        Some(format!("{first} lists {} members and {second} {}, and not the same", count(one), count(other)))
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        let (epoch, gauge) = (self.incarnation.0.into(), self.table.present_count().into());
        Status { epoch, gauge, ..Status::peer(self.standing.name()) }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Swim {
    /// Whether a request to join or leave is about this node. Others are told whom to ask: nobody joins or leaves for
    /// another.
    fn is_mine(&self, context: &mut Context<'_, Self>, op: OpId, node: NodeId) -> bool {
        if node != self.node {
            let exists = node.index() < context.node_count();
            let elsewhere = Outcome::Redirect(Some(node));
            context.reply(op, if exists { elsewhere } else { Outcome::Refused(Refusal::NotFound) });
        }
        node == self.node
    }

    fn on_members(&self, context: &mut Context<'_, Self>, op: OpId) {
        if self.standing != Standing::Member {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        let present = self.table.known().filter(|(_, belief)| belief.state.is_present());
        context.reply(op, Outcome::Members(present.map(|(member, _)| member).collect()));
    }

    /// What this node believes of all members, of itself too.
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// How it stands to the group.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// How many members there are by what it knows, itself included.
    pub fn member_count(&self) -> u32 {
        self.table.present_count()
    }
}
