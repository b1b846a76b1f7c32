//! A coordinator: asks participants for their votes, decides, and sees to it that all of them hear of it.
//!
//! ```text
//!   Move ──> voting ── all yes ──> committing ── on disk ──> committed ── all acknowledge ──> (forgotten)
//!               └── no, or silence ──> (aborted) ──> pausing ──> voting, as another transaction
//!   Balances ──> reading ── all have told ──> voting ── all yes ──> (answered)
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::transfer::Operation as Asked;
use sim_core::service::{Outcome, Refusal};
use sim_core::{ClientId, Context, NodeId, OpId, SyncId};

use super::config::{Config, Presumption};
use super::durable::{LOG, Record, records};
use super::facts::Fact;
use super::message::Message;
use super::metrics::Counter;
use super::mutants::Mutant;
use super::types::{Decision, Told, Txn, Vote};
use super::{FaultPoint, Point, Timer, TwoPhaseCommit, misdirected, send};
use crate::group_commit::GroupCommit;

/// A transaction that is not decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Work {
    /// Which operation it is for.
    pub op: OpId,
    /// What is asked.
    asked: Asked,
    /// The how-manieth transaction for it, from 1.
    pub attempt: u32,
    /// How far it is.
    pub stage: Stage,
    /// Who takes part.
    pub participants: Arc<[NodeId]>,
    /// Who has not answered yet.
    pub waits_for: BTreeSet<NodeId>,
    /// Of a read: what was told.
    told: BTreeMap<NodeId, Told>,
}

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// It waits before it begins, because the one before it was turned away.
    Pausing,
    /// A read waits for balances.
    Reading,
    /// It waits for votes.
    Voting,
    /// All have voted yes, and the decision is not on disk yet.
    Committing,
}

/// A decision that not all have acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Telling {
    /// What it is.
    pub decision: Decision,
    /// Who has not acknowledged it.
    pub waits_for: BTreeSet<NodeId>,
}

/// What a client's last operation came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Session {
    ordinal: u32,
    standing: Standing,
}

/// How an operation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
enum Standing {
    UnderWay,
    Answered(Outcome),
    /// It came to nothing, and there was no room to write so: if it comes again, it is begun anew.
    Undone,
}

/// Something that must not happen before what led to it is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
enum Act {
    /// Begins to take requests: the epoch is on disk.
    Open,
    /// Tells a decision.
    Tell(Txn, OpId, Decision),
    /// Answers a client.
    Answer(OpId, Outcome),
}

/// A coordinator.
#[derive(Clone, Serialize)]
pub struct Coordinator {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// On disk: which of its lives this is.
    epoch: u64,
    /// On disk: decisions to be told.
    telling: BTreeMap<Txn, Telling>,
    /// On disk where it is an outcome: the last operation of each client.
    sessions: BTreeMap<ClientId, Session>,
    /// In memory, as all below: whether the epoch is on disk.
    is_open: bool,
    last_number: u64,
    works: BTreeMap<Txn, Work>,
    /// How many it has committed in this life: for people.
    committed: u64,
    commit: GroupCommit<Act>,
}

impl Coordinator {
    pub(super) fn new(config: Arc<Config>, node: NodeId) -> Self {
        Self {
            node,
            config,
            epoch: 0,
            telling: BTreeMap::new(),
            sessions: BTreeMap::new(),
            is_open: false,
            last_number: 0,
            works: BTreeMap::new(),
            committed: 0,
            commit: GroupCommit::new(LOG),
        }
    }

    /// Reads the log. What was decided and not acknowledged by all is told again; of what was not decided it knows
    /// nothing, and so it is aborted.
    pub(super) fn on_start(&mut self, context: &mut Context<'_, TwoPhaseCommit>) {
        for record in records(context.disk()) {
            self.recover(record);
        }
        self.epoch += u64::from(!self.config.has(Mutant::NamesReused) || self.epoch == 0);
        self.open(context);
        let told: Vec<Txn> = self.telling.keys().copied().collect();
        for txn in told {
            context.sometimes(Point::RestartedWithDecision as usize);
            self.tell(context, txn);
        }
    }

    fn recover(&mut self, record: Record) {
        match record {
            Record::Epoch(epoch) => self.epoch = epoch,
            Record::Decided { txn, decision, op, participants } => {
                let waits_for = participants.iter().copied().collect();
                self.telling.insert(txn, Telling { decision, waits_for });
                if decision == Decision::Commit {
                    self.remember(op, Outcome::Done);
                }
            }
            Record::Forgotten { txn } => _ = self.telling.remove(&txn),
            Record::Answered { op, outcome } => self.remember(op, outcome),
            Record::Prepared { .. } | Record::Ended { .. } => {
                unreachable!("{}, a coordinator, writes no {record:?}", self.node)
            }
        }
    }

    /// Begins a life of its own, on disk first; on a full disk later.
    pub(super) fn open(&mut self, context: &mut Context<'_, TwoPhaseCommit>) {
        if self.commit.append(context, Record::Epoch(self.epoch)).is_ok() {
            self.after_durable(context, Act::Open);
        } else {
            context.set_timer(Timer::Open, self.config.resend_after);
        }
    }

    pub(super) fn on_message(
        &mut self,
        context: &mut Context<'_, TwoPhaseCommit>,
        from: NodeId,
        message: Message,
    ) {
        match message {
            Message::Balances { txn, told } => self.on_balances(context, from, txn, told),
            Message::Vote { txn, vote } => self.on_vote(context, from, txn, vote),
            Message::Acknowledge { txn } => self.on_acknowledge(context, from, txn),
            Message::Inquire { txn } => self.on_inquire(context, from, txn),
            Message::Read { .. }
            | Message::Prepare { .. }
            | Message::PrepareRead { .. }
            | Message::Commit { .. }
            | Message::Abort { .. } => misdirected(self.node, "a coordinator", from, &message),
        }
    }

    // ----- clients -----

    /// A client asks, perhaps for the second time.
    pub(super) fn on_transfer(&mut self, context: &mut Context<'_, TwoPhaseCommit>, op: OpId, asked: Asked) {
        if !self.is_open {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        if !self.is_known(asked) {
            return context.reply(op, Outcome::Refused(Refusal::NotFound));
        }
        let session = self.sessions.get(&op.client).filter(|_| !self.config.has(Mutant::RetriesAreNew));
        match session {
            // It has asked for something else since.
            Some(session) if session.ordinal > op.ordinal => {}
            Some(Session { ordinal, standing: Standing::UnderWay }) if *ordinal == op.ordinal => {}
            Some(Session { ordinal, standing: Standing::Answered(outcome) }) if *ordinal == op.ordinal => {
                context.reply(op, outcome.clone());
            }
            Some(_) | None => {
                let standing = Standing::UnderWay;
                self.sessions.insert(op.client, Session { ordinal: op.ordinal, standing });
                let txn = self.begin(op, asked, 1);
                self.start(context, txn);
            }
        }
    }

    /// Whether all accounts exist.
    fn is_known(&self, asked: Asked) -> bool {
        match asked {
            Asked::Move { from, to, .. } => from.max(to) < self.config.accounts,
            Asked::Balances => true,
        }
    }

    fn remember(&mut self, op: OpId, outcome: Outcome) {
        let is_news = self.sessions.get(&op.client).is_none_or(|session| session.ordinal <= op.ordinal);
        if is_news {
            let standing = Standing::Answered(outcome);
            self.sessions.insert(op.client, Session { ordinal: op.ordinal, standing });
        }
    }

    /// Answers with something that is no commit. That a transfer came to nothing must be on disk: if it comes again after a
    /// restart, it must come to nothing again.
    fn answer(&mut self, context: &mut Context<'_, TwoPhaseCommit>, work: &Work, outcome: Outcome) {
        let op = work.op;
        if work.asked.is_read() {
            return self.perform(context, Act::Answer(op, outcome));
        }
        let record = Record::Answered { op, outcome: outcome.clone() };
        if self.commit.append(context, record).is_ok() {
            context.count(Counter::ForcedAnswers as usize, 1);
            self.after_durable(context, Act::Answer(op, outcome));
        } else {
            self.undo(op);
            context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
    }

    /// The client may ask for something else by now: that goes on.
    fn undo(&mut self, op: OpId) {
        if let Some(session) =
            self.sessions.get_mut(&op.client).filter(|session| session.ordinal == op.ordinal)
        {
            session.standing = Standing::Undone;
        }
    }

    // ----- transactions -----

    /// A new transaction for an operation.
    fn begin(&mut self, op: OpId, asked: Asked, attempt: u32) -> Txn {
        self.last_number += 1;
        let txn = Txn { coordinator: self.node, epoch: self.epoch, number: self.last_number };
        let participants: BTreeSet<NodeId> = match asked {
            Asked::Move { from, to, amount } => {
                let changes = self.config.changes(from, to, amount);
                changes.iter().map(|change| self.config.home(change.account)).collect()
            }
            Asked::Balances => self.config.participants().collect(),
        };
        let work = Work {
            op,
            asked,
            attempt,
            stage: Stage::Pausing,
            participants: participants.iter().copied().collect(),
            waits_for: participants,
            told: BTreeMap::new(),
        };
        self.works.insert(txn, work);
        txn
    }

    /// Sends out the first messages of a transaction.
    fn start(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        let work = self.works.get_mut(&txn).expect("it is begun");
        let participants = Arc::clone(&work.participants);
        match work.asked {
            Asked::Balances => {
                work.stage = Stage::Reading;
                for to in &*participants {
                    context.send(*to, Message::Read { txn });
                }
            }
            Asked::Move { from, to, amount } => {
                work.stage = Stage::Voting;
                context.count(Counter::Transfers as usize, 1);
                context.fact(Fact::Begun { txn, participants: Arc::clone(&participants) });
                let changes = self.config.changes(from, to, amount);
                for node in &*participants {
                    let own = changes.iter().filter(|change| self.config.home(change.account) == *node);
                    let (changes, participants) = (own.copied().collect(), Arc::clone(&participants));
                    send(context, *node, Message::Prepare { txn, changes, participants });
                }
            }
        }
        context.set_timer(Timer::Work(txn), self.config.vote_timeout);
    }

    fn on_balances(
        &mut self,
        context: &mut Context<'_, TwoPhaseCommit>,
        from: NodeId,
        txn: Txn,
        told: Option<Told>,
    ) {
        let Some(work) = self.works.get_mut(&txn).filter(|work| work.stage == Stage::Reading) else { return };
        let Some(told) = told else { return self.turned_away(context, txn) };
        if !work.waits_for.remove(&from) {
            return;
        }
        work.told.insert(from, told);
        if !work.waits_for.is_empty() {
            return;
        }
        work.stage = Stage::Voting;
        work.waits_for = work.participants.iter().copied().collect();
        for (to, Told { hold, .. }) in &work.told {
            context.send(*to, Message::PrepareRead { txn, hold: *hold });
        }
        context.set_timer(Timer::Work(txn), self.config.vote_timeout);
    }

    /// A vote. On a transaction that it knows nothing of, the answer to a yes is abort.
    fn on_vote(&mut self, context: &mut Context<'_, TwoPhaseCommit>, from: NodeId, txn: Txn, vote: Vote) {
        let Some(work) = self.works.get_mut(&txn) else {
            if vote == Vote::Yes && !self.telling.contains_key(&txn) {
                send(context, from, Message::Abort { txn });
            }
            return;
        };
        if work.stage != Stage::Voting {
            return;
        }
        match vote {
            Vote::Yes => {
                if work.waits_for.remove(&from) && !work.asked.is_read() {
                    context.fact(Fact::HeardYes { txn, from });
                }
                if work.waits_for.is_empty() {
                    self.all_yes(context, txn);
                }
            }
            Vote::Busy => self.turned_away(context, txn),
            Vote::Short => {
                if let Some(work) = self.abort(context, txn) {
                    self.answer(context, &work, Outcome::Rejected);
                }
            }
        }
    }

    /// All have voted yes: the transfer is committed once that is on disk; a read is done.
    fn all_yes(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        context.cancel_timer(Timer::Work(txn));
        let work = self.works.get_mut(&txn).expect("it was voted on");
        if work.asked.is_read() {
            let work = self.works.remove(&txn).expect("it was voted on");
            let values = self.in_order(&work.told);
            return self.answer(context, &work, Outcome::Values(values));
        }
        let (op, participants, decision) = (work.op, Arc::clone(&work.participants), Decision::Commit);
        if self.commit.append(context, Record::Decided { txn, decision, op, participants }).is_err() {
            context.fact(Fact::NoRoom { txn });
            return self.turned_away(context, txn);
        }
        context.fault_point(FaultPoint::DecisionWritten as usize);
        context.count(Counter::ForcedWrites as usize, 1);
        work.stage = Stage::Committing;
        let act = Act::Tell(txn, op, decision);
        if self.config.has(Mutant::DecisionNotForced) {
            return self.perform(context, act);
        }
        self.after_durable(context, act);
    }

    /// The balances of all accounts, in order of account.
    fn in_order(&self, told: &BTreeMap<NodeId, Told>) -> Arc<[u64]> {
        let mut rest: BTreeMap<NodeId, std::slice::Iter<'_, u64>> =
            told.iter().map(|(node, told)| (*node, told.balances.iter())).collect();
        let next = |account| {
            let own = rest.get_mut(&self.config.home(account)).expect("all participants have told");
            *own.next().expect("a participant tells the balances of all of its accounts")
        };
        (0..self.config.accounts).map(next).collect()
    }

    /// A transaction came to nothing; its operation is tried again, some times.
    fn turned_away(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        let Some(work) = self.abort(context, txn) else { return };
        if work.attempt >= self.config.attempts {
            context.sometimes(Point::OutOfAttempts as usize);
            return self.answer(context, &work, Outcome::Refused(Refusal::Aborted));
        }
        let txn = self.begin(work.op, work.asked, work.attempt + 1);
        let (low, high) = (*self.config.backoff.start(), *self.config.backoff.end());
        let pause = context.random().span(low, high);
        context.set_timer(Timer::Work(txn), pause);
    }

    /// Decides to abort. Unless nothing is presumed, it forgets the transaction at once.
    fn abort(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) -> Option<Work> {
        context.cancel_timer(Timer::Work(txn));
        let work = self.works.remove(&txn)?;
        let (op, participants, decision) = (work.op, Arc::clone(&work.participants), Decision::Abort);
        if work.asked.is_read() {
            for to in &*participants {
                context.send(*to, Message::Abort { txn });
            }
            return Some(work);
        }
        if self.config.presumption == Presumption::Nothing
            && self.commit.append(context, Record::Decided { txn, decision, op, participants }).is_ok()
        {
            context.count(Counter::ForcedWrites as usize, 1);
            self.await_acknowledgements(txn, decision, &work.participants);
            self.after_durable(context, Act::Tell(txn, op, decision));
            return Some(work);
        }
        context.fact(Fact::Decided { txn, decision });
        for to in &*work.participants {
            send(context, *to, Message::Abort { txn });
        }
        Some(work)
    }

    /// A pause is over, or nobody answers.
    pub(super) fn on_work(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        let work = self.works.get(&txn).expect("its timer runs for as long as a transaction waits");
        match work.stage {
            Stage::Pausing => self.start(context, txn),
            Stage::Voting if self.config.has(Mutant::SilenceIsConsent) => self.all_yes(context, txn),
            Stage::Reading | Stage::Voting => {
                context.sometimes(Point::VotesTimedOut as usize);
                self.turned_away(context, txn);
            }
            Stage::Committing => unreachable!("{txn} waits for the disk, and for no timer"),
        }
    }

    // ----- phase two -----

    fn await_acknowledgements(&mut self, txn: Txn, decision: Decision, participants: &[NodeId]) {
        let waits_for = participants.iter().copied().collect();
        self.telling.insert(txn, Telling { decision, waits_for });
    }

    /// A decision is on disk: now it is one.
    fn decided(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn, op: OpId, decision: Decision) {
        context.fault_point(FaultPoint::BeforeTelling as usize);
        context.fact(Fact::Decided { txn, decision });
        if decision == Decision::Commit {
            let work = self.works.remove(&txn).expect("it was voted on");
            self.await_acknowledgements(txn, decision, &work.participants);
            self.committed += 1;
            context.count(Counter::TransfersCommitted as usize, 1);
            self.remember(op, Outcome::Done);
            context.reply(op, Outcome::Done);
        }
        self.tell(context, txn);
        if self.config.has(Mutant::ForgetsTooSoon) {
            self.forget(context, txn);
        }
    }

    /// Tells a decision to all who have not acknowledged it.
    pub(super) fn tell(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        let Some(telling) = self.telling.get(&txn) else { return };
        for to in &telling.waits_for {
            send(context, *to, told(txn, telling.decision));
            context.fault_point(FaultPoint::WhileTelling as usize);
        }
        context.set_timer(Timer::Resend(txn), self.config.resend_after);
    }

    fn on_acknowledge(&mut self, context: &mut Context<'_, TwoPhaseCommit>, from: NodeId, txn: Txn) {
        let Some(telling) = self.telling.get_mut(&txn) else { return };
        telling.waits_for.remove(&from);
        if telling.waits_for.is_empty() {
            self.forget(context, txn);
        }
    }

    /// Nobody will ask for this decision any more. If that is lost in a crash, or the disk is full, it is told once more.
    fn forget(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        context.cancel_timer(Timer::Resend(txn));
        self.telling.remove(&txn);
        if self.commit.append(context, Record::Forgotten { txn }).is_err() {
            context.note(|| format!("no room to write that {txn} is forgotten"));
        }
    }

    /// A participant in doubt asks. What is not decided waits; what is not known is aborted.
    fn on_inquire(&mut self, context: &mut Context<'_, TwoPhaseCommit>, from: NodeId, txn: Txn) {
        if self.works.contains_key(&txn) {
            return;
        }
        let presumed =
            if self.config.has(Mutant::PresumesCommit) { Decision::Commit } else { Decision::Abort };
        let known = self.telling.get(&txn).map(|telling| telling.decision);
        if known.is_none() {
            context.sometimes(Point::Presumed as usize);
        }
        send(context, from, told(txn, known.unwrap_or(presumed)));
    }

    // ----- the disk -----

    fn after_durable(&mut self, context: &mut Context<'_, TwoPhaseCommit>, act: Act) {
        if let Some(act) = self.commit.after_durable(context, act) {
            self.perform(context, act);
        }
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, TwoPhaseCommit>, sync: SyncId) {
        self.commit.on_durable(context, sync);
        while let Some(act) = self.commit.next_ready() {
            self.perform(context, act);
        }
    }

    fn perform(&mut self, context: &mut Context<'_, TwoPhaseCommit>, act: Act) {
        match act {
            Act::Open => self.is_open = true,
            Act::Tell(txn, op, decision) => self.decided(context, txn, op, decision),
            Act::Answer(op, outcome) => {
                self.remember(op, outcome.clone());
                context.reply(op, outcome);
            }
        }
    }

    // ----- queries -----

    /// Who decides for a client.
    pub(super) fn coordinator_of(&self, client: ClientId) -> NodeId {
        self.config.coordinator_of(client)
    }

    /// Which of its lives this is.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How many transfers it has committed in this life.
    pub const fn committed(&self) -> u64 {
        self.committed
    }

    /// What is not decided.
    pub const fn works(&self) -> &BTreeMap<Txn, Work> {
        &self.works
    }

    /// Decisions that not all have acknowledged.
    pub const fn telling(&self) -> &BTreeMap<Txn, Telling> {
        &self.telling
    }
}

fn told(txn: Txn, decision: Decision) -> Message {
    match decision {
        Decision::Commit => Message::Commit { txn },
        Decision::Abort => Message::Abort { txn },
    }
}
