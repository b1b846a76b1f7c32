//! Normal operation (§4.1): requests get op-numbers, a majority holds them, they are committed and executed.
//!
//! The primary sends on without waiting, up to `in_flight_max` entries ahead of what a backup has acknowledged. What
//! collects meanwhile goes in one message (§6.2). Entries that overtake others wait at the backup for those before
//! them; what is lost is fetched by state transfer (§5.2): a backup asks when three messages have overtaken the
//! missing one, or when a heartbeat says that it should have more.

use sim_core::service::{Outcome, Refusal, kv};
use sim_core::{Context, NodeId, OpId};

use super::config::ReadMode;
use super::facts::{Effect, Fact};
use super::log::Log;
use super::message::{Commit, Message, Prepare, PrepareOk};
use super::metrics::Latency;
use super::mutants::Mutant;
use super::process::send;
use super::reads::{Answer, Pending};
use super::status::{Primary, Status};
use super::transfer::Urgency;
use super::types::{Entries, Entry, Request, Round, View};
use super::{FaultPoint, Point, Timer, UNCOMMITTED, Vrr};
use crate::replicated::quorum::quorum_value;
use crate::replicated::{Command, Executable, Index, MEMBERS_MAX, Memory};

/// How many later messages show that one is lost, and not only late.
const OVERTAKEN_BY: usize = 3;

/// The entries sent last, for the next backup that needs the same.
#[derive(Default)]
struct Batch {
    after: Index,
    entries: Entries,
}

impl Batch {
    fn get(&mut self, log: &Log, after: Index, count: u64) -> Entries {
        if self.entries.is_empty() || self.after != after {
            *self = Self { after, entries: log.slice(after.next(), count) };
        }
        self.entries.clone()
    }
}

impl Vrr {
    /// A client asks, at the primary (§4.1, steps 2 and 3). What was executed already is answered from the client
    /// table.
    pub(super) fn propose(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: kv::Operation) {
        match operation {
            kv::Operation::Read(key) => match self.config.reads {
                ReadMode::Confirm => self.confirm_read(context, op, key),
                ReadMode::Log => self.maybe_append(context, Command::Noop, op, Answer::Value(key)),
            },
            kv::Operation::Write(..) | kv::Operation::CompareAndSet { .. } | kv::Operation::Delete(_) => {
                if let Memory::Executed(outcome) = self.machine.recall(op) {
                    context.sometimes(Point::RetryAnswered as usize);
                    return context.reply(op, outcome);
                }
                self.maybe_append(context, Command::Client { op, operation }, op, Answer::Outcome);
            }
        }
    }

    /// Takes a request, unless the epoch is about to end: the next one is to serve it (§7.1).
    fn maybe_append(&mut self, context: &mut Context<'_, Self>, command: Command, op: OpId, answer: Answer) {
        if self.is_ending() && !self.config.has(Mutant::RequestsAfterReconfiguration) {
            return context.reply(op, Outcome::Redirect(None));
        }
        self.append(context, Request::Execute(command), op, answer);
    }

    /// Gives a request the next op-number, and sends it to the backups.
    pub(super) fn append(
        &mut self,
        context: &mut Context<'_, Self>,
        request: Request,
        op: OpId,
        answer: Answer,
    ) {
        if self.log.op_number().since(self.log.commit_number()) >= self.config.uncommitted_max {
            return context.reply(op, Outcome::Refused(Refusal::Overloaded));
        }
        let index = self.log.append(Entry { view: self.view, request }, context);
        context.begin(Latency::Commit as usize, index.0);
        self.tell_uncommitted(context);
        context.fault_point(FaultPoint::EntryAppended as usize);
        let Status::Primary(primary) = &mut self.status else { unreachable!("only a primary appends") };
        primary.pending.push_back(Pending { index, op, answer });
        self.prepare(context);
        // Alone in its group, a replica is a quorum.
        self.maybe_commit(context);
    }

    /// Sends each backup what it lacks and may be sent now.
    fn prepare(&mut self, context: &mut Context<'_, Self>) {
        let mut batch = Batch::default();
        for slot in 0..self.group().len() {
            self.prepare_at(context, slot, &mut batch);
        }
    }

    /// Sends one backup what it lacks, in one message, if it may be sent now.
    #[inline]
    fn prepare_at(&mut self, context: &mut Context<'_, Self>, slot: usize, batch: &mut Batch) {
        let Status::Primary(primary) = &mut self.status else { return };
        let progress = &mut primary.progress[slot];
        let has_room =
            progress.sent.since(progress.acknowledged.max(primary.inherited)) < self.config.in_flight_max;
        if Some(slot) == self.slot || progress.sent >= self.log.op_number() || !has_room {
            return;
        }
        // What is compacted cannot be sent; the backup asks for it at the next heartbeat.
        let after = progress.sent.max(self.log.base());
        let entries = batch.get(&self.log, after, self.config.batch_max);
        progress.sent = after.plus(entries.len() as u64);
        let (view, commit, round) = (self.view, self.log.commit_number(), primary.round);
        let message = Message::Prepare(Prepare { view, after, entries, commit, round });
        send(context, self.group().member(slot), message);
    }

    /// Time to show the backups that their primary lives (§4.1, step 6).
    pub(super) fn on_heartbeat_timeout(&mut self, context: &mut Context<'_, Self>) {
        assert!(matches!(self.status, Status::Primary(_)), "only a primary has a heartbeat timer");
        context.set_timer(Timer::Heartbeat, self.config.heartbeat);
        self.start_round(context);
        let Status::Primary(primary) = &mut self.status else { return };
        primary.expected = self.log.op_number();
    }

    /// Starts a round: a `Commit` to each backup.
    pub(super) fn start_round(&mut self, context: &mut Context<'_, Self>) {
        let Status::Primary(primary) = &mut self.status else { unreachable!("only a primary starts rounds") };
        primary.round = primary.round.next();
        let (commit, expected, round) = (self.log.commit_number(), primary.expected, primary.round);
        let message = Message::Commit(Commit { view: self.view, commit, expected, round });
        self.send_to_others(context, &message);
    }

    /// The primary of the current view gives requests their op-numbers (§4.1, step 4).
    pub(super) fn on_prepare(&mut self, context: &mut Context<'_, Self>, from: NodeId, prepare: Prepare) {
        if !self.hears_primary(context, from, prepare.view, Urgency::Once) {
            return;
        }
        let Prepare { after, entries, commit, round, .. } = prepare;
        if after > self.log.op_number() {
            self.keep_early(context, from, after, entries);
        } else {
            self.log.merge(after, &entries, context);
            self.join_early(context);
            context.fault_point(FaultPoint::BeforeAcknowledge as usize);
        }
        self.acknowledge(context, from, round);
        self.learn_commit(context, commit);
    }

    /// Entries have overtaken others, or those others are lost.
    fn keep_early(&mut self, context: &mut Context<'_, Self>, from: NodeId, after: Index, entries: Entries) {
        let Status::Backup(backup) = &mut self.status else { return };
        backup.early.insert(after, entries);
        context.sometimes(Point::Overtaken as usize);
        if backup.early.len() >= OVERTAKEN_BY {
            self.ask_for_state(context, from, self.view, Urgency::Once);
        }
    }

    /// Appends what had come too early and now fits.
    pub(super) fn join_early(&mut self, context: &mut Context<'_, Self>) {
        while let Status::Backup(backup) = &mut self.status
            && let Some(first) = backup.early.first_entry()
            && *first.key() <= self.log.op_number()
        {
            let (after, entries) = first.remove_entry();
            self.log.merge(after, &entries, context);
        }
    }

    /// The primary of the current view lives (§4.1, step 6).
    pub(super) fn on_commit(&mut self, context: &mut Context<'_, Self>, from: NodeId, commit: Commit) {
        if !self.hears_primary(context, from, commit.view, Urgency::Again) {
            return;
        }
        if self.log.op_number() < commit.expected {
            self.ask_for_state(context, from, self.view, Urgency::Again);
        }
        self.acknowledge(context, from, commit.round);
        self.learn_commit(context, commit.commit);
    }

    /// Whether a message of a primary is one of the view that this replica is in as a backup. If it is of a newer one,
    /// the replica asks to be brought there (§5.2); an older primary has been replaced.
    #[inline]
    fn hears_primary(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        view: View,
        urgency: Urgency,
    ) -> bool {
        let is_ours = view == self.view && matches!(self.status, Status::Backup(_));
        if is_ours {
            self.reset_view_change_timer(context);
        } else if view >= self.view && from != self.node {
            self.ask_for_state(context, from, view, urgency);
        }
        is_ours
    }

    /// Tells the primary how much of its log this replica holds.
    #[inline]
    pub(super) fn acknowledge(&self, context: &mut Context<'_, Self>, primary: NodeId, round: Round) {
        let op = self.log.op_number();
        send(context, primary, Message::PrepareOk(PrepareOk { view: self.view, op, round }));
    }

    /// The primary has committed so much: what this replica has of it is committed, and is executed (§4.1, step 7).
    pub(super) fn learn_commit(&mut self, context: &mut Context<'_, Self>, commit: Index) {
        self.log.commit_to(commit.min(self.log.op_number()), self.view, context);
        self.execute_committed(context);
    }

    /// A backup holds more (§4.1, step 5), or has answered a round.
    pub(super) fn on_prepare_ok(&mut self, context: &mut Context<'_, Self>, from: NodeId, ok: PrepareOk) {
        let Some(slot) = self.group().slot(from) else { return };
        let op_number = self.log.op_number();
        let Status::Primary(primary) = &mut self.status else { return };
        if ok.view != self.view {
            return;
        }
        assert!(ok.op <= op_number, "{from} holds {}, its primary's log ends at {op_number}", ok.op);
        let progress = &mut primary.progress[slot];
        progress.round = progress.round.max(ok.round);
        if ok.op > progress.acknowledged {
            progress.acknowledged = ok.op;
            progress.sent = progress.sent.max(ok.op);
            self.maybe_commit(context);
            self.prepare_at(context, slot, &mut Batch::default());
        }
        self.serve_reads(context);
    }

    /// The commit rule (§4.1, step 5): what a quorum holds is committed.
    fn maybe_commit(&mut self, context: &mut Context<'_, Self>) {
        let Status::Primary(primary) = &self.status else { return };
        let missing = usize::from(self.config.has(Mutant::CommitOnF) && self.group().quorum() > 1);
        let index = self.held_by(primary, self.group().quorum() - missing);
        if index > self.log.commit_number() {
            self.log.commit_to(index, self.view, context);
            self.execute_committed(context);
            self.serve_reads(context);
        }
    }

    /// The last op-number that `quorum` replicas hold, the primary included.
    fn held_by(&self, primary: &Primary, quorum: usize) -> Index {
        let mut held = [Index::ZERO; MEMBERS_MAX];
        let held = &mut held[..primary.progress.len()];
        for (slot, (held, progress)) in held.iter_mut().zip(&primary.progress).enumerate() {
            *held = if Some(slot) == self.slot { self.log.op_number() } else { progress.acknowledged };
        }
        quorum_value(held, quorum)
    }

    /// Executes what is committed, in order, answers the clients that wait for it, lets the log forget what it has had
    /// long enough (§5.1), and leaves the epoch if that is over (§7.1).
    #[inline]
    pub(super) fn execute_committed(&mut self, context: &mut Context<'_, Self>) {
        let is_bold =
            self.config.has(Mutant::ExecuteBeyondCommit) && matches!(self.status, Status::Backup(_));
        let last = if is_bold { self.log.op_number() } else { self.log.commit_number() };
        self.tell_uncommitted(context);
        if self.machine.applied() < last {
            context.fault_point(FaultPoint::BeforeApply as usize);
        }
        let mut ending = None;
        while self.machine.applied() < last {
            let index = self.machine.applied().next();
            let entry =
                self.log.entry_at(index).expect("a committed entry that was not executed is in the log");
            let effect = self.effect_of(entry);
            ending = ending.or_else(|| self.end_of_epoch(index, entry));
            let witness = |index, chain| context.fact(Fact::Applied { index, chain, effect });
            let outcome = self.machine.apply(entry, witness);
            self.answer(context, index, outcome);
        }
        let (kept, interval) =
            (self.machine.applied().since(self.log.base()), self.config.checkpoint_interval);
        if kept >= 2 * interval && !is_bold {
            self.log.compact_to(self.log.base().plus(kept - interval));
        }
        if let Some(next) = ending {
            self.leave_epoch(context, next);
        }
    }

    /// How long the part of the log is that may yet be replaced.
    #[inline]
    pub(super) fn tell_uncommitted(&self, context: &mut Context<'_, Self>) {
        context.gauge(UNCOMMITTED, self.log.op_number().since(self.log.commit_number()));
    }

    /// Whether the client table knows an entry's request already.
    #[inline]
    fn effect_of(&self, entry: &Entry) -> Effect {
        match entry.command() {
            Some(Command::Client { op, .. }) => match self.machine.recall(*op) {
                Memory::Unknown => Effect::Fresh,
                Memory::Executed(_) | Memory::TooOld => Effect::Repeated,
            },
            Some(Command::Noop) | None => Effect::Fresh,
        }
    }

    /// Answers the client whose entry has `index`, if this replica is the primary it asked.
    fn answer(&mut self, context: &mut Context<'_, Self>, index: Index, outcome: Option<Outcome>) {
        let Status::Primary(primary) = &mut self.status else { return };
        context.end(Latency::Commit as usize, index.0);
        let Some(pending) = primary.pending.pop_front_if(|pending| pending.index == index) else { return };
        match (pending.answer, outcome) {
            (Answer::Value(key), _) => context.reply(pending.op, Outcome::Value(self.machine.read(key))),
            (Answer::Outcome, Some(outcome)) => context.reply(pending.op, outcome),
            (Answer::Done, _) => context.reply(pending.op, Outcome::Done),
            (Answer::Outcome, None) => {}
        }
    }
}
