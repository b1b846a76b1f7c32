//! The inputs of a node, told apart.

use std::sync::Arc;

use sim_core::check::Nodes;
use sim_core::disk::{DiskPromise, RegionId};
use sim_core::process::{self, Process};
use sim_core::service::{Admin, Operation, Outcome, Refusal};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::message::Message;
use super::{
    Config, FAULT_POINTS, Fact, Host, INCARNATION, Membership, POINTS, Record, Standing, Swim, Timer, metrics,
};

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
        Self { membership: Membership::boot(Arc::new(config.clone()), node) }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.membership.on_start(context);
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        self.membership.on_message(context, from, message);
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        self.membership.on_timer(context, timer);
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        match operation {
            Operation::Members => self.on_members(context, op),
            Operation::Admin(Admin::AddNode(node)) if self.is_mine(context, op, node) => {
                self.membership.on_asked_to_join(context, op);
            }
            Operation::Admin(Admin::RemoveNode(node)) if self.is_mine(context, op, node) => {
                self.membership.on_asked_to_leave(context, op);
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
        self.membership.on_durable(context, sync);
    }

    /// Who is present.
    fn disagreement(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Option<String> {
        let members = well.iter().filter_map(|node| Some((*node, nodes.process(*node)?.membership())));
        let mut all = members.filter(|(_, member)| member.standing.takes_part());
        let (first, one) = all.next()?;
        let (second, other) = all.find(|(_, other)| other.table.present_sum() != one.table.present_sum())?;
        let count = |member: &Membership| member.table.present_count();
        Some(format!("{first} lists {} members and {second} {}, and not the same", count(one), count(other)))
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        let own = &self.membership;
        let (epoch, gauge) = (own.incarnation.0.into(), own.table.present_count().into());
        Status { epoch, gauge, ..Status::peer(own.standing.name()) }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.membership.show(view, request);
    }
}

impl Host for Swim {
    const IS_MEASURED: bool = true;
    const FAULT_POINTS_AT: Option<usize> = Some(0);
    const INCARNATION: RegionId = INCARNATION;

    fn message(message: Message) -> Message {
        message
    }

    fn timer(timer: Timer) -> Timer {
        timer
    }

    fn record(record: Record) -> Record {
        record
    }

    fn as_record(record: &Record) -> Option<Record> {
        Some(*record)
    }

    fn fact(fact: Fact) -> Option<Fact> {
        Some(fact)
    }
}

impl Swim {
    /// Whether a request to join or leave is about this node. Others are told whom to ask: nobody joins or leaves for
    /// another.
    fn is_mine(&self, context: &mut Context<'_, Self>, op: OpId, node: NodeId) -> bool {
        if node != self.membership.node {
            let exists = node.index() < context.node_count();
            let elsewhere = Outcome::Redirect(Some(node));
            context.reply(op, if exists { elsewhere } else { Outcome::Refused(Refusal::NotFound) });
        }
        node == self.membership.node
    }

    fn on_members(&self, context: &mut Context<'_, Self>, op: OpId) {
        if self.membership.standing != Standing::Member {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        let present = self.membership.table.known().filter(|(_, belief)| belief.state.is_present());
        context.reply(op, Outcome::Members(present.map(|(member, _)| member).collect()));
    }
}
