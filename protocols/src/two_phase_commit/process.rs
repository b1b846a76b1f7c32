//! The inputs of a node, handed to its role.

use std::sync::Arc;

use sim_core::check::Nodes;
use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::config::Config;
use super::coordinator::Coordinator;
use super::durable::Record;
use super::facts::Fact;
use super::message::Message;
use super::metrics::{self, Counter};
use super::participant::Participant;
use super::{FAULT_POINTS, POINTS, Timer, TwoPhaseCommit};

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["open"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Open => Some(0),
            Self::Work(_) | Self::Resend(_) | Self::Doubt(_) => None,
        }
    }
}

impl Process for TwoPhaseCommit {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &POINTS;
    const FAULT_POINTS: &'static [&'static str] = &FAULT_POINTS;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;
    const LATENCIES: &'static [&'static str] = metrics::Latency::VARIANTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        let config = Arc::new(config.clone());
        if config.is_coordinator(node) {
            Self::Coordinator(Coordinator::new(config, node))
        } else {
            Self::Participant(Participant::new(config, node))
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        match self {
            Self::Coordinator(coordinator) => coordinator.on_start(context),
            Self::Participant(participant) => participant.on_start(context),
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        match self {
            Self::Coordinator(coordinator) => coordinator.on_message(context, from, message),
            Self::Participant(participant) => participant.on_message(context, from, message),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match (self, timer) {
            (Self::Coordinator(coordinator), Timer::Open) => coordinator.open(context),
            (Self::Coordinator(coordinator), Timer::Work(txn)) => coordinator.on_work(context, txn),
            (Self::Coordinator(coordinator), Timer::Resend(txn)) => coordinator.tell(context, txn),
            (Self::Participant(participant), Timer::Doubt(txn)) => participant.on_doubt(context, txn),
            (Self::Coordinator(_), Timer::Doubt(_))
            | (Self::Participant(_), Timer::Open | Timer::Work(_) | Timer::Resend(_)) => {
                unreachable!("{} sets no timer {timer:?}", context.node())
            }
        }
    }

    /// Each client has one coordinator; the others send it there.
    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Transfer(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        let node = context.node();
        match self {
            Self::Coordinator(coordinator) => {
                let own = coordinator.coordinator_of(op.client);
                if own == node {
                    coordinator.on_transfer(context, op, operation);
                } else {
                    context.reply(op, Outcome::Redirect(Some(own)));
                }
            }
            Self::Participant(participant) => {
                let coordinator = participant.coordinator_of(op.client);
                context.reply(op, Outcome::Redirect(Some(coordinator)));
            }
        }
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        match self {
            Self::Coordinator(coordinator) => coordinator.on_durable(context, sync),
            Self::Participant(participant) => participant.on_durable(context, sync),
        }
    }

    /// AC5: nobody stays in doubt. Who should have asked counts, whether it has or not.
    fn disagreement(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Option<String> {
        well.iter().find_map(|node| {
            let txn = nodes.process(*node)?.participant()?.overdue(nodes.monotonic(*node))?;
            Some(format!("{node} has waited for the decision on {txn} for too long, and does not know it"))
        })
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        match self {
            Self::Coordinator(coordinator) => {
                let (epoch, gauge) = (coordinator.epoch(), coordinator.works().len() as u64);
                Status { epoch, gauge, ..Status::peer("coordinator") }
            }
            Self::Participant(participant) => {
                let role = if participant.in_doubt().is_some() { "in-doubt" } else { "participant" };
                Status { gauge: participant.doubts().len() as u64, ..Status::peer(role) }
            }
        }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

/// The way out for messages about transfers, which are counted.
pub(super) fn send(context: &mut Context<'_, TwoPhaseCommit>, to: NodeId, message: Message) {
    context.count(Counter::TransferMessages as usize, 1);
    context.send(to, message);
}

/// A message that its role cannot get.
pub(super) fn misdirected(node: NodeId, role: &str, from: NodeId, message: &Message) -> ! {
    panic!("{node}, {role}, cannot get {message:?} from {from}")
}
