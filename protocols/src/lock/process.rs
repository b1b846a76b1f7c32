//! The inputs of a node, handed to its role.

use std::sync::Arc;

use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::status::{Standing, Status};
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, LocalTime, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::config::{Config, RESOURCE, SERVER};
use super::durable::Record;
use super::facts::Fact;
use super::message::Message;
use super::mutants::Mutant;
use super::resource::Resource;
use super::server::{Name, Server};
use super::worker::{Stage, Worker};
use super::{FAULT_POINTS, Lock, POINTS, Timer, metrics};

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["ask", "renew", "lapse", "grace", "work"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Ask => Some(0),
            Self::Renew => Some(1),
            Self::Lapse => Some(2),
            Self::Grace => Some(3),
            Self::Work => Some(4),
            Self::Expiry(_) => None,
        }
    }
}

impl Process for Lock {
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
        match node {
            SERVER => Self::Server(Server::new(config, node)),
            RESOURCE => Self::Resource(Resource::new(config, node)),
            worker => Self::Worker(Worker::new(config, worker)),
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        match self {
            Self::Server(server) => server.on_start(context),
            Self::Resource(resource) => resource.recover(context.disk()),
            Self::Worker(worker) => worker.on_start(context),
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        match self {
            Self::Server(server) => server.on_message(context, from, message),
            Self::Resource(resource) => resource.on_message(context, from, message),
            Self::Worker(worker) => worker.on_message(context, from, message),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match (self, timer) {
            (Self::Server(server), Timer::Expiry(name)) => server.on_expiry(context, name),
            (Self::Worker(worker), Timer::Ask) => worker.on_ask(context),
            (Self::Worker(worker), Timer::Renew) => worker.on_renew(context),
            (Self::Worker(worker), Timer::Lapse) => worker.on_lapse(context),
            (Self::Worker(worker), Timer::Grace) => worker.on_grace_over(context),
            (Self::Worker(worker), Timer::Work) => worker.on_work_done(context),
            (Self::Server(_), Timer::Ask | Timer::Renew | Timer::Lapse | Timer::Grace | Timer::Work)
            | (Self::Worker(_), Timer::Expiry(_))
            | (Self::Resource(_), _) => unreachable!("{} sets no timer {timer:?}", context.node()),
        }
    }

    /// Clients ask the server; the others send them there.
    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Lock(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        match self {
            Self::Server(server) => server.on_lock(context, op, operation),
            Self::Resource(_) | Self::Worker(_) => context.reply(op, Outcome::Redirect(Some(SERVER))),
        }
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        match self {
            Self::Server(server) => server.on_durable(context, sync),
            Self::Resource(resource) => resource.on_durable(context, sync),
            Self::Worker(_) => unreachable!("a worker writes nothing, but {sync:?} is durable"),
        }
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    /// Whoever has the lock leads, in the epoch of its token; the server and the resource are peers.
    fn status(&self) -> Status {
        match self {
            Self::Server(server) => {
                let guard = server.books().entry(Name::Guard);
                let epoch = guard.last.number();
                Status { epoch, gauge: server.waiting_count(), ..Status::peer("server") }
            }
            Self::Resource(resource) => {
                let stored = resource.stored();
                let (epoch, gauge) = (stored.highest.number(), resource.waiting_count());
                Status { epoch, gauge, ..Status::peer("resource") }
            }
            Self::Worker(worker) => worker_status(worker),
        }
    }

    fn view(&self, view: &mut ViewBuilder, _request: &ViewRequest) {
        self.show(view);
    }
}

fn worker_status(worker: &Worker) -> Status {
    let (role, standing) = match worker.stage() {
        Stage::Resting => ("resting", Standing::Follower),
        Stage::Asking { .. } => ("asking", Standing::Candidate),
        Stage::Holding(tenure) => (tenure.job.role(), Standing::Leader),
    };
    let (epoch, gauge) = match worker.stage() {
        Stage::Holding(tenure) => (tenure.token.number(), tenure.done.into()),
        Stage::Resting | Stage::Asking { .. } => (worker.highest().number(), 0),
    };
    Status { role, standing, epoch, leader: None, commit: 0, gauge }
}

/// What a node measures leases with.
pub(super) fn clock(context: &Context<'_, Lock>, config: &Config) -> LocalTime {
    if config.has(Mutant::WallClockLease) { context.wall() } else { context.now() }
}

/// A message that its role cannot get.
pub(super) fn misdirected(node: NodeId, role: &str, from: NodeId, message: Message) -> ! {
    panic!("{node}, {role}, cannot get {message:?} from {from}")
}
