//! A process: writes down each step before it does it, and lets others see it when it is on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::Serialize;
use sim_core::check::Nodes;
use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::transfer::Operation as Asked;
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, Span, SyncId};
use strum::VariantNames;

use super::branch::{Branch, Ended};
use super::config::Config;
use super::durable::{LOG, Step, steps};
use super::facts::{Event, Fact};
use super::message::Message;
use super::metrics::{self, Counter, Latency};
use super::mutants::Mutant;
use super::types::{Cut, Item, Payment, SnapshotId};
use super::{FAULT_POINTS, FaultPoint, POINTS, Point, Timer};
use crate::group_commit::GroupCommit;

/// How many messages of a channel are sent again at once, the oldest first.
const RESENT_AT_ONCE: usize = 16;

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["pay", "begin"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Pay => Some(0),
            Self::Begin => Some(1),
            Self::Resend(_) | Self::Patience(_) => None,
        }
    }
}

/// Something that must not happen before what led to it is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
enum Act {
    /// Sends what has this number on the channel to this process.
    Send(NodeId, u64),
    /// Says that all up to this number have come from this process.
    Acknowledge(NodeId, u64),
    /// Answers a client.
    Answer(OpId, Outcome),
}

/// One node. See the [module documentation](super).
#[derive(Clone, Serialize)]
pub struct Snapshots {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// On disk, as what the log comes to.
    branch: Branch,
    /// In memory, as all below: the last message on each channel that is on disk, and may be sent again.
    sendable: BTreeMap<NodeId, u64>,
    /// To whom something will be sent again.
    resending: BTreeSet<NodeId>,
    /// Clients who wait for a snapshot.
    readers: BTreeMap<SnapshotId, OpId>,
    commit: GroupCommit<Act>,
}

impl Process for Snapshots {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Step;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &POINTS;
    const FAULT_POINTS: &'static [&'static str] = &FAULT_POINTS;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;
    const LATENCIES: &'static [&'static str] = metrics::Latency::VARIANTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        let config = Arc::new(config.clone());
        Self {
            node,
            branch: Branch::new(Arc::clone(&config), node),
            config,
            sendable: BTreeMap::new(),
            resending: BTreeSet::new(),
            readers: BTreeMap::new(),
            commit: GroupCommit::new(LOG),
        }
    }

    /// Does all steps of the log again. What was sent and not acknowledged, as far as it knows, is sent again.
    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        context.fact(Fact::Restarted);
        for step in steps(context.disk()) {
            for event in self.branch.apply(&step) {
                context.fact(Fact::HadDone(event));
            }
        }
        self.go_on_with_snapshots(context);
        for (peer, channel) in self.branch.outgoing() {
            self.sendable.insert(*peer, channel.last());
        }
        for peer in self.config.peers(self.node) {
            self.resend(context, peer);
        }
        if self.config.amount_max > 0 {
            set_timer(context, Timer::Pay, &self.config.pay_every);
        }
        if self.config.is_initiator(self.node) {
            set_timer(context, Timer::Begin, &self.config.snapshot_every);
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        match message {
            Message::Carry { sequence, item } => self.on_carry(context, from, sequence, item),
            Message::Acknowledge { upto } => self.on_acknowledge(context, from, upto),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Pay => self.on_pay(context),
            Timer::Begin => {
                self.begin(context);
                set_timer(context, Timer::Begin, &self.config.snapshot_every);
            }
            Timer::Resend(peer) => self.resend(context, peer),
            Timer::Patience(snapshot) => self.on_patience(context, snapshot),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Transfer(asked) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        match asked {
            Asked::Move { from, to, amount } => self.on_move(context, op, Payment { from, to, amount }),
            Asked::Balances => self.on_balances(context, op),
        }
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.commit.on_durable(context, sync);
        while let Some(act) = self.commit.next_ready() {
            self.perform(context, act);
        }
    }

    /// With all processes there, who begins one snapshot after the other finishes them.
    fn disagreement(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Option<String> {
        if well.len() < nodes.count() {
            return None;
        }
        let processes = well.iter().filter_map(|node| Some((node, nodes.process(*node)?)));
        let mut initiators = processes.filter(|(node, process)| process.config.is_initiator(**node));
        initiators.find_map(|(node, process)| match process.branch.last_ended()? {
            Ended::Finished(_) => None,
            Ended::Abandoned(snapshot) => {
                Some(format!("{node} has given up {snapshot}, and finished none since"))
            }
        })
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        let under_way = self.branch.recordings().len() as u64;
        let role = if under_way > 0 { "recording" } else { "branch" };
        Status { gauge: under_way, ..Status::peer(role) }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Snapshots {
    /// What it has.
    pub const fn branch(&self) -> &Branch {
        &self.branch
    }

    // ----- steps -----

    /// Writes a step down and does it. On a full disk neither happens.
    fn step(&mut self, context: &mut Context<'_, Self>, step: &Step) -> bool {
        if self.commit.append(context, step.clone()).is_err() {
            return false;
        }
        for event in self.branch.apply(step) {
            self.on_event(context, &event);
            context.fact(Fact::Did(event));
        }
        true
    }

    fn on_event(&mut self, context: &mut Context<'_, Self>, event: &Event) {
        match event {
            Event::Sent { to, sequence, item, .. } => self.on_sent(context, *to, *sequence, item),
            Event::Begun(snapshot) => {
                context.count(Counter::SnapshotsBegun as usize, 1);
                context.begin(Latency::Snapshot as usize, snapshot.key());
                context.set_timer(Timer::Patience(*snapshot), self.config.patience);
            }
            Event::Recorded(snapshot) => {
                if self.branch.recordings().len() > 1 {
                    context.sometimes(Point::TwoUnderWay as usize);
                }
                context.begin(Latency::Recording as usize, snapshot.key());
                context.fault_point(FaultPoint::StateRecorded as usize);
            }
            Event::Completed { snapshot, payments, bytes } => {
                context.end(Latency::Recording as usize, snapshot.key());
                context.count(Counter::PaymentsRecorded as usize, *payments);
                context.count(Counter::PartBytes as usize, *bytes);
                if *payments > 0 {
                    context.sometimes(Point::MoneyInChannel as usize);
                }
            }
            Event::Finished(cut) => self.on_finished(context, cut),
            Event::Abandoned(snapshot) => self.on_abandoned(context, *snapshot),
            Event::Received { .. } => {}
        }
    }

    fn on_sent(&mut self, context: &mut Context<'_, Self>, to: NodeId, sequence: u64, item: &Item) {
        let act = Act::Send(to, sequence);
        match item {
            Item::Payment(_) => {
                context.count(Counter::Payments as usize, 1);
                context.fault_point(FaultPoint::PaymentWritten as usize);
                if self.config.has(Mutant::SentBeforeDisk) {
                    return self.perform(context, act);
                }
            }
            Item::Marker(_) => context.count(Counter::Markers as usize, 1),
            Item::Part(_) | Item::Abandon(_) => {}
        }
        self.after_durable(context, act);
    }

    // ----- money -----

    /// A client moves money from an account that is here.
    fn on_move(&mut self, context: &mut Context<'_, Self>, op: OpId, payment: Payment) {
        if payment.from.max(payment.to) >= self.config.accounts {
            return context.reply(op, Outcome::Refused(Refusal::NotFound));
        }
        let home = self.config.home(payment.from);
        if home != self.node {
            return context.reply(op, Outcome::Redirect(Some(home)));
        }
        if let Some(session) = self.branch.session(op.client).filter(|session| session.ordinal >= op.ordinal)
        {
            if session.ordinal == op.ordinal {
                let answer = Act::Answer(op, session.outcome.clone());
                self.after_durable(context, answer);
            }
            return;
        }
        let is_covered = self.branch.balances()[&payment.from] >= payment.amount;
        let (step, outcome) = if is_covered {
            (Step::Pay { payment, op: Some(op) }, Outcome::Done)
        } else {
            (Step::Decline { op }, Outcome::Rejected)
        };
        if self.step(context, &step) {
            self.after_durable(context, Act::Answer(op, outcome));
        } else {
            context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
    }

    /// Pays something by itself, if there is enough.
    fn on_pay(&mut self, context: &mut Context<'_, Self>) {
        let config = Arc::clone(&self.config);
        let own: Vec<u32> = self.branch.balances().keys().copied().collect();
        let others: Vec<u32> =
            (0..config.accounts).filter(|account| config.home(*account) != self.node).collect();
        let random = context.random();
        let pick = |accounts: Option<&u32>| *accounts.expect("each process has an account");
        let (from, to) = (pick(random.pick(&own)), pick(random.pick(&others)));
        let amount = 1 + random.below(config.amount_max);
        if self.branch.balances()[&from] >= amount {
            // On a full disk nothing is paid.
            self.step(context, &Step::Pay { payment: Payment { from, to, amount }, op: None });
        }
        set_timer(context, Timer::Pay, &config.pay_every);
    }

    // ----- channels -----

    /// Something came on a channel: for the first time or again, in order or too early.
    fn on_carry(&mut self, context: &mut Context<'_, Self>, from: NodeId, sequence: u64, item: Item) {
        let channel = &self.branch.incoming()[&from];
        let is_old = channel.has(sequence);
        let is_payment = item.payment().is_some();
        if is_old {
            context.sometimes(Point::CameAgain as usize);
            context.count(Counter::Repeated as usize, 1);
        }
        if is_old && !(is_payment && self.config.has(Mutant::TakenTwice)) {
            return self.acknowledge(context, from);
        }
        let is_next = channel.is_next(sequence, self.config.channels);
        if !is_next && !is_old && !self.config.has(Mutant::OrderIgnored) {
            context.sometimes(Point::CameEarly as usize);
            return self.branch.keep(from, sequence, item);
        }
        let mut next = Some((sequence, item));
        while let Some((sequence, item)) = next {
            if !self.deliver(context, from, sequence, item) {
                break;
            }
            next = self.branch.incoming()[&from].next_kept();
        }
        self.acknowledge(context, from);
    }

    /// What comes out of a channel is a step. On a full disk it does not come out: it will come again.
    fn deliver(&mut self, context: &mut Context<'_, Self>, from: NodeId, sequence: u64, item: Item) -> bool {
        if let Item::Part(part) = &item
            && !self.branch.gatherings().contains_key(&part.snapshot)
        {
            context.sometimes(Point::PartCameLate as usize);
        }
        let is_done = self.step(context, &Step::Deliver { from, sequence, item });
        if is_done {
            context.fault_point(FaultPoint::DeliveryWritten as usize);
        }
        is_done
    }

    /// Says how much has come, once that is on disk.
    fn acknowledge(&mut self, context: &mut Context<'_, Self>, from: NodeId) {
        let act = Act::Acknowledge(from, self.branch.incoming()[&from].upto());
        if self.config.has(Mutant::AcknowledgedBeforeDisk) {
            self.commit.flush(context);
            return self.perform(context, act);
        }
        self.after_durable(context, act);
    }

    fn on_acknowledge(&mut self, context: &mut Context<'_, Self>, by: NodeId, upto: u64) {
        let last = self.sendable.get(&by).copied().unwrap_or(0);
        assert!(
            upto <= last,
            "{} cannot get Acknowledge #{upto} from {by}, which it has sent #{last}",
            self.node
        );
        let before = self.branch.outgoing()[&by].len();
        self.branch.acknowledge(by, upto);
        let rest = self.branch.outgoing()[&by].len();
        if rest == 0 {
            self.resending.remove(&by);
            context.cancel_timer(Timer::Resend(by));
        } else if rest < before {
            self.resending.insert(by);
            context.set_timer(Timer::Resend(by), self.config.resend_after);
        }
    }

    /// Sends the oldest that are not acknowledged again.
    fn resend(&mut self, context: &mut Context<'_, Self>, to: NodeId) {
        self.resending.remove(&to);
        let last = self.sendable.get(&to).copied().unwrap_or(0);
        let channel = &self.branch.outgoing()[&to];
        let again = channel.unacknowledged().take_while(|(sequence, _)| *sequence <= last);
        let again: Vec<_> =
            again.take(RESENT_AT_ONCE).map(|(sequence, item)| (sequence, item.clone())).collect();
        for (sequence, item) in again {
            context.sometimes(Point::SentAgain as usize);
            context.count(Counter::Resent as usize, 1);
            context.send(to, Message::Carry { sequence, item });
        }
        self.maybe_resend_later(context, to);
    }

    fn maybe_resend_later(&mut self, context: &mut Context<'_, Self>, to: NodeId) {
        if !self.branch.outgoing()[&to].is_empty() && self.resending.insert(to) {
            context.set_timer(Timer::Resend(to), self.config.resend_after);
        }
    }

    // ----- snapshots -----

    /// Begins a snapshot; `None` on a full disk.
    fn begin(&mut self, context: &mut Context<'_, Self>) -> Option<SnapshotId> {
        if !self.step(context, &Step::Begin) {
            return None;
        }
        self.branch.gatherings().keys().filter(|snapshot| snapshot.initiator == self.node).max().copied()
    }

    /// A client wants all balances: those of a snapshot that begins now.
    fn on_balances(&mut self, context: &mut Context<'_, Self>, op: OpId) {
        if self.readers.values().any(|reader| *reader == op) {
            return;
        }
        match self.begin(context) {
            Some(snapshot) => _ = self.readers.insert(snapshot, op),
            None => context.reply(op, Outcome::Refused(Refusal::Unavailable)),
        }
    }

    fn on_finished(&mut self, context: &mut Context<'_, Self>, cut: &Cut) {
        context.count(Counter::SnapshotsFinished as usize, 1);
        context.end(Latency::Snapshot as usize, cut.snapshot.key());
        context.cancel_timer(Timer::Patience(cut.snapshot));
        if let Some(op) = self.readers.remove(&cut.snapshot) {
            context.reply(op, Outcome::Values(cut.settled()));
        }
    }

    /// Not all parts have come in time.
    fn on_patience(&mut self, context: &mut Context<'_, Self>, snapshot: SnapshotId) {
        if !self.step(context, &Step::Abandon { snapshot }) {
            context.set_timer(Timer::Patience(snapshot), self.config.patience);
        }
    }

    fn on_abandoned(&mut self, context: &mut Context<'_, Self>, snapshot: SnapshotId) {
        context.sometimes(Point::Abandoned as usize);
        context.count(Counter::SnapshotsAbandoned as usize, 1);
        if let Some(op) = self.readers.remove(&snapshot) {
            context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
    }

    /// After a restart: what it has recorded is in its log, and what it has begun has its patience anew.
    fn go_on_with_snapshots(&self, context: &mut Context<'_, Self>) {
        if !self.branch.recordings().is_empty() {
            context.sometimes(Point::RestartedRecording as usize);
        }
        for snapshot in self.branch.gatherings().keys() {
            context.sometimes(Point::InitiatorRestarted as usize);
            context.set_timer(Timer::Patience(*snapshot), self.config.patience);
        }
    }

    // ----- the disk -----

    fn after_durable(&mut self, context: &mut Context<'_, Self>, act: Act) {
        if let Some(act) = self.commit.after_durable(context, act) {
            self.perform(context, act);
        }
    }

    fn perform(&mut self, context: &mut Context<'_, Self>, act: Act) {
        match act {
            Act::Send(to, sequence) => {
                context.fault_point(FaultPoint::BeforeSending as usize);
                self.sendable.insert(to, sequence);
                if let Some(item) = self.branch.outgoing()[&to].get(sequence).cloned() {
                    context.send(to, Message::Carry { sequence, item });
                }
                self.maybe_resend_later(context, to);
            }
            Act::Acknowledge(to, upto) => context.send(to, Message::Acknowledge { upto }),
            Act::Answer(op, outcome) => context.reply(op, outcome),
        }
    }
}

/// Sets a timer to a time that is drawn.
fn set_timer(context: &mut Context<'_, Snapshots>, timer: Timer, delay: &RangeInclusive<Span>) {
    let delay = context.random().span(*delay.start(), *delay.end());
    context.set_timer(timer, delay);
}
