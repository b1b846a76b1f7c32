//! A participant: has accounts, votes on what is to be done to them, and waits for the decision.
//!
//! ```text
//!            Prepare: yes              Commit
//! (nothing) ────────────> voting ───> in doubt ─────────> ending ────────> committed
//!     │         on disk: vote    │        on disk: acknowledge
//!     │ Prepare: no              └─ Abort ─> aborted
//! ```
//!
//! Once it has voted yes it can neither commit nor abort by itself, and its accounts are out of everybody's reach until it
//! knows the decision: that is how two-phase commit blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sim_core::persist::PersistentMap;
use sim_core::{ClientId, Context, LocalTime, NodeId, SyncId};

use super::accounts::Accounts;
use super::config::{Config, Presumption, Termination};
use super::durable::{LOG, Record, records};
use super::facts::Fact;
use super::message::Message;
use super::metrics::{Counter, Latency};
use super::mutants::Mutant;
use super::types::{Change, Decision, Hold, Txn, Vote, net};
use super::{FaultPoint, Point, Timer, TwoPhaseCommit, misdirected, send};
use crate::group_commit::GroupCommit;

/// A transaction that this participant has voted yes on, or is about to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// What it does here.
    pub changes: Arc<[Change]>,
    /// All who vote on it.
    pub participants: Arc<[NodeId]>,
    /// How far it is.
    pub stage: Stage,
    /// Since when; `None` where it was prepared in a life before.
    pub since: Option<LocalTime>,
    /// How often the decision was asked for.
    pub inquiries: u32,
}

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// The yes is not on disk yet.
    Voting,
    /// It is, and the decision is not known.
    InDoubt,
    /// The decision is not on disk yet.
    Ending(Decision),
}

/// A transaction whose decision is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// What it is.
    pub decision: Decision,
    /// What was done here, if it was committed.
    pub changes: Arc<[Change]>,
}

/// Something that must not happen before what led to it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Act {
    /// Votes yes.
    Vote(Txn),
    /// Does what was decided, and acknowledges it.
    End(Txn),
    /// Tells another participant that this one aborts, and will not vote.
    Refuse(Txn, NodeId),
}

/// A participant.
#[derive(Clone, Serialize)]
pub struct Participant {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// On disk, as the sum of the log: balances, and who has which account.
    accounts: Accounts,
    /// On disk: transactions that it has voted yes on.
    doubts: BTreeMap<Txn, Doubt>,
    /// On disk where they were committed: transactions whose decision it knows.
    settled: PersistentMap<Txn, Settled>,
    commit: GroupCommit<Act>,
}

impl Participant {
    pub(super) fn new(config: Arc<Config>, node: NodeId) -> Self {
        let accounts = Accounts::new(config.accounts_of(node));
        Self {
            node,
            config,
            accounts,
            doubts: BTreeMap::new(),
            settled: PersistentMap::new(),
            commit: GroupCommit::new(LOG),
        }
    }

    /// Reads the log. What is in doubt has its accounts again, and is asked for.
    pub(super) fn on_start(&mut self, context: &mut Context<'_, TwoPhaseCommit>) {
        for record in records(context.disk()) {
            self.recover(context, record);
        }
        for (txn, doubt) in &self.doubts {
            context.sometimes(Point::RestartedInDoubt as usize);
            if !self.config.has(Mutant::LocksLostInCrash) {
                self.accounts.take(*txn, &doubt.changes);
            }
            if !self.config.has(Mutant::RestartsInSilence) {
                context.set_timer(Timer::Doubt(*txn), self.config.inquire_after);
            }
        }
    }

    fn recover(&mut self, context: &mut Context<'_, TwoPhaseCommit>, record: Record) {
        match record {
            Record::Prepared { txn, changes, participants } => {
                self.recover_aborts(context, &changes);
                let (stage, since) = (Stage::InDoubt, None);
                self.doubts.insert(txn, Doubt { changes, participants, stage, since, inquiries: 0 });
            }
            Record::Ended { txn, decision } => {
                let changes = self.doubts.remove(&txn).map(|doubt| doubt.changes).unwrap_or_default();
                self.settle(txn, decision, changes);
            }
            Record::Epoch(_)
            | Record::Decided { .. }
            | Record::Forgotten { .. }
            | Record::Answered { .. } => unreachable!("{}, a participant, writes no {record:?}", self.node),
        }
    }

    /// What was prepared before, with an account of what is prepared now, had let go of it, and its end is not in the log. It was
    /// aborted: a commit is on disk before accounts are let go. For an abort that is presumed there may have been no room.
    fn recover_aborts(&mut self, context: &mut Context<'_, TwoPhaseCommit>, changes: &[Change]) {
        let is_wanted = |own: &Change| changes.iter().any(|change| change.account == own.account);
        let had_one = self.doubts.iter().filter(|(_, doubt)| doubt.changes.iter().any(is_wanted));
        let aborted: Vec<Txn> = had_one.map(|(txn, _)| *txn).collect();
        for txn in aborted {
            context.sometimes(Point::AbortRecovered as usize);
            self.doubts.remove(&txn);
            self.settle(txn, Decision::Abort, Arc::default());
        }
    }

    pub(super) fn on_message(
        &mut self,
        context: &mut Context<'_, TwoPhaseCommit>,
        from: NodeId,
        message: Message,
    ) {
        match message {
            Message::Read { txn } => self.on_read(context, txn),
            Message::PrepareRead { txn, hold } => self.on_prepare_read(context, txn, hold),
            Message::Prepare { txn, changes, participants } => {
                self.on_prepare(context, txn, changes, participants);
            }
            Message::Commit { txn } => self.on_commit(context, txn),
            Message::Abort { txn } => self.on_abort(context, txn),
            Message::Inquire { txn } => self.on_inquire(context, from, txn),
            Message::Balances { .. } | Message::Vote { .. } | Message::Acknowledge { .. } => {
                misdirected(self.node, "a participant", from, &message)
            }
        }
    }

    // ----- reads -----

    /// Balances are told and kept as they are until the vote: that is a hold. Nothing is written, so it ends if this participant
    /// crashes, or has waited for too long. Then it has not voted, and votes no, also if a copy of this message, late, has begun
    /// another hold by then: what was told before may have changed between the two.
    fn on_read(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        if self.settled.contains_key(&txn) {
            return;
        }
        let told = self.accounts.share(txn, || Hold::new(context.random().next_u64()));
        if told.is_some() {
            context.set_timer(Timer::Doubt(txn), self.config.inquire_after);
        }
        context.send(txn.coordinator, Message::Balances { txn, told });
        if self.config.has(Mutant::ReadsReleaseEarly) {
            self.accounts.release(txn);
        }
    }

    /// The vote on a read: whether the hold with which the balances were told has not ended. Another has begun in vain. Neither
    /// is needed any more.
    fn on_prepare_read(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn, hold: Hold) {
        let is_kept = match self.end_read(context, txn) {
            Some(ended) if ended == hold => true,
            Some(_) => {
                context.sometimes(Point::HeldAnew as usize);
                self.config.has(Mutant::HoldsAlike)
            }
            None => self.config.has(Mutant::ReadsReleaseEarly),
        };
        let vote = if is_kept { Vote::Yes } else { Vote::Busy };
        context.send(txn.coordinator, Message::Vote { txn, vote });
    }

    /// Lets go of what a read has, and says with which hold it had it.
    fn end_read(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) -> Option<Hold> {
        let hold = self.accounts.hold(txn)?;
        self.accounts.release(txn);
        context.cancel_timer(Timer::Doubt(txn));
        Some(hold)
    }

    // ----- phase one -----

    /// Votes on a transfer. It waits for nobody: whoever comes second is told no, so there is no deadlock.
    fn on_prepare(
        &mut self,
        context: &mut Context<'_, TwoPhaseCommit>,
        txn: Txn,
        changes: Arc<[Change]>,
        participants: Arc<[NodeId]>,
    ) {
        if let Some(settled) = self.settled.get(&txn) {
            if settled.decision == Decision::Abort {
                vote_no(context, txn, Vote::Busy);
            }
            return;
        }
        if let Some(doubt) = self.doubts.get(&txn) {
            if doubt.stage == Stage::InDoubt {
                tell_yes(context, txn);
            }
            return;
        }
        let vote = self.accounts.judge(&changes);
        if vote != Vote::Yes {
            return vote_no(context, txn, vote);
        }
        let record = Record::Prepared { txn, changes: changes.clone(), participants: participants.clone() };
        if self.commit.append(context, record).is_err() {
            return vote_no(context, txn, Vote::Busy);
        }
        context.fault_point(FaultPoint::PreparedWritten as usize);
        self.accounts.take(txn, &changes);
        let (stage, since) = (Stage::Voting, Some(context.now()));
        self.doubts.insert(txn, Doubt { changes, participants, stage, since, inquiries: 0 });
        context.count(Counter::ForcedWrites as usize, 1);
        if self.config.has(Mutant::PreparedNotForced) {
            return self.perform(context, Act::Vote(txn));
        }
        self.after_durable(context, Act::Vote(txn));
    }

    /// The yes is on disk. The coordinator may have given up meanwhile.
    fn vote_yes(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        let Some(doubt) = self.doubts.get_mut(&txn).filter(|doubt| doubt.stage == Stage::Voting) else {
            return;
        };
        doubt.stage = Stage::InDoubt;
        context.fault_point(FaultPoint::BeforeVote as usize);
        context.begin(Latency::InDoubt as usize, txn.key());
        tell_yes(context, txn);
        context.set_timer(Timer::Doubt(txn), self.config.inquire_after);
        if self.config.has(Mutant::ReleasesAtVote) {
            self.accounts.release(txn);
        }
    }

    // ----- phase two -----

    fn on_commit(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        let stage = self.doubts.get(&txn).map(|doubt| doubt.stage);
        match (stage, self.settled.get(&txn).map(|settled| settled.decision)) {
            (Some(Stage::InDoubt), None) => self.begin_end(context, txn, Decision::Commit),
            (Some(Stage::Ending(Decision::Commit)), None) => {}
            (None, Some(Decision::Commit)) => acknowledge(context, txn),
            (stage, settled) => {
                panic!("{} cannot commit {txn}: it is {stage:?}, settled as {settled:?}", self.node)
            }
        }
    }

    /// Aborts what it has not committed. What it has never heard of, it will not vote on.
    fn on_abort(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        if self.end_read(context, txn).is_some() {
            self.settle(txn, Decision::Abort, Arc::default());
            return;
        }
        if let Some(settled) = self.settled.get(&txn) {
            if settled.decision == Decision::Abort {
                self.maybe_acknowledge_abort(context, txn);
            }
            return;
        }
        match self.doubts.get(&txn).map(|doubt| doubt.stage) {
            Some(Stage::Voting | Stage::InDoubt) => self.begin_end(context, txn, Decision::Abort),
            Some(Stage::Ending(Decision::Abort)) => {}
            Some(Stage::Ending(Decision::Commit)) => {
                panic!("{} cannot abort {txn}, which it commits", self.node)
            }
            None => {
                self.settle(txn, Decision::Abort, Arc::default());
                self.maybe_acknowledge_abort(context, txn);
            }
        }
    }

    fn maybe_acknowledge_abort(&self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        if self.config.presumption == Presumption::Nothing {
            acknowledge(context, txn);
        }
    }

    /// Writes the decision. Only an abort that will be presumed anyway need not be on disk before anything else.
    fn begin_end(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn, decision: Decision) {
        let is_written = self.commit.append(context, Record::Ended { txn, decision }).is_ok();
        let is_presumed = decision == Decision::Abort && self.config.presumption == Presumption::Abort;
        // On a full disk a decision that must be on it counts as not heard.
        if is_presumed {
            self.doubts.get_mut(&txn).expect("it is in doubt").stage = Stage::Ending(decision);
            self.perform(context, Act::End(txn));
        } else if is_written {
            self.doubts.get_mut(&txn).expect("it is in doubt").stage = Stage::Ending(decision);
            context.fault_point(FaultPoint::EndWritten as usize);
            context.count(Counter::ForcedWrites as usize, 1);
            self.after_durable(context, Act::End(txn));
        }
    }

    /// Does what was decided, and lets go of the accounts.
    fn end(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        let Some(Doubt { changes, stage: Stage::Ending(decision), .. }) = self.doubts.remove(&txn) else {
            unreachable!("{txn} is ended once, after its decision was written")
        };
        context.cancel_timer(Timer::Doubt(txn));
        context.end(Latency::InDoubt as usize, txn.key());
        let net = if decision == Decision::Commit { net(&changes) } else { 0 };
        self.settle(txn, decision, changes);
        context.fact(Fact::Ended { txn, decision, net });
        if decision == Decision::Commit || self.config.presumption == Presumption::Nothing {
            acknowledge(context, txn);
        }
    }

    fn settle(&mut self, txn: Txn, decision: Decision, changes: Arc<[Change]>) {
        let changes = if decision == Decision::Commit { changes } else { Arc::default() };
        self.accounts.apply(&changes);
        self.accounts.release(txn);
        self.settled.insert(txn, Settled { decision, changes });
    }

    // ----- termination and recovery -----

    /// The decision was not heard of for a while; of a read, the vote was not asked for.
    pub(super) fn on_doubt(&mut self, context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
        if self.end_read(context, txn).is_some() {
            return;
        }
        let Some(doubt) = self.doubts.get_mut(&txn) else { return };
        if doubt.stage == Stage::InDoubt {
            doubt.inquiries += 1;
            let (is_first, others) = (doubt.inquiries == 1, Arc::clone(&doubt.participants));
            if self.config.has(Mutant::CommitsAlone) {
                return self.begin_end(context, txn, Decision::Commit);
            }
            if self.config.has(Mutant::AbortsAlone) {
                return self.begin_end(context, txn, Decision::Abort);
            }
            self.inquire(context, txn, &others, is_first);
        }
        context.set_timer(Timer::Doubt(txn), self.config.inquire_after);
    }

    fn inquire(
        &self,
        context: &mut Context<'_, TwoPhaseCommit>,
        txn: Txn,
        participants: &[NodeId],
        is_first: bool,
    ) {
        context.sometimes(Point::Inquired as usize);
        context.count(Counter::Inquiries as usize, 1);
        context.send(txn.coordinator, Message::Inquire { txn });
        if !is_first && self.config.termination == Termination::Cooperative {
            for other in participants.iter().filter(|other| **other != self.node) {
                context.send(*other, Message::Inquire { txn });
            }
        }
    }

    /// Another participant is in doubt. This one helps if it knows, or if it has not voted: then it never will, and both abort.
    fn on_inquire(&mut self, context: &mut Context<'_, TwoPhaseCommit>, from: NodeId, txn: Txn) {
        if self.doubts.contains_key(&txn) {
            context.sometimes(Point::BothInDoubt as usize);
            return;
        }
        if self.settled.get(&txn).is_some_and(|settled| settled.decision == Decision::Commit) {
            context.sometimes(Point::TerminatedByPeer as usize);
            return context.send(from, Message::Commit { txn });
        }
        if self.config.has(Mutant::VotesAfterRefusing) {
            return context.send(from, Message::Abort { txn });
        }
        let decision = Decision::Abort;
        if self.commit.append(context, Record::Ended { txn, decision }).is_ok() {
            let is_new = !self.settled.contains_key(&txn);
            self.settle(txn, decision, Arc::default());
            if is_new {
                context.fact(Fact::Ended { txn, decision, net: 0 });
            }
            self.after_durable(context, Act::Refuse(txn, from));
        }
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
            Act::Vote(txn) => self.vote_yes(context, txn),
            Act::End(txn) => self.end(context, txn),
            Act::Refuse(txn, to) => {
                context.sometimes(Point::TerminatedByPeer as usize);
                context.send(to, Message::Abort { txn });
            }
        }
    }

    // ----- queries -----

    /// Who decides for a client.
    pub(super) fn coordinator_of(&self, client: ClientId) -> NodeId {
        self.config.coordinator_of(client)
    }

    /// Its accounts.
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What it has voted yes on, or is about to, and does not know the decision of.
    pub const fn doubts(&self) -> &BTreeMap<Txn, Doubt> {
        &self.doubts
    }

    /// What it knows the decision of.
    pub const fn settled(&self) -> &PersistentMap<Txn, Settled> {
        &self.settled
    }

    /// The first transaction whose decision it has asked for and does not know.
    pub fn in_doubt(&self) -> Option<Txn> {
        self.doubts.iter().find(|(_, doubt)| doubt.inquiries > 0).map(|(txn, _)| *txn)
    }

    /// The first transaction whose decision it should know or have asked for by `now`, the time on its clock. That it has asked would be
    /// its own word.
    pub(super) fn overdue(&self, now: LocalTime) -> Option<Txn> {
        let waits_long = |since| now.since(since) >= self.config.inquire_after;
        let is_overdue = |doubt: &Doubt| doubt.since.is_none_or(waits_long);
        self.doubts.iter().find(|(_, doubt)| is_overdue(doubt)).map(|(txn, _)| *txn)
    }
}

fn acknowledge(context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
    send(context, txn.coordinator, Message::Acknowledge { txn });
}

/// After a restart this may be the first time, as the yes was on disk and not told.
fn tell_yes(context: &mut Context<'_, TwoPhaseCommit>, txn: Txn) {
    context.fact(Fact::VotedYes { txn });
    send(context, txn.coordinator, Message::Vote { txn, vote: Vote::Yes });
}

fn vote_no(context: &mut Context<'_, TwoPhaseCommit>, txn: Txn, vote: Vote) {
    context.fact(Fact::VotedNo { txn });
    send(context, txn.coordinator, Message::Vote { txn, vote });
}
