//! Log replication (§5.3), the commit rule (§5.4.2), and execution of what is committed.
//!
//! A leader keeps a [`Progress`] for each follower. It *probes* until it has found where their logs agree, one
//! question at a time, and then *streams*: it supposes that what it sent arrives, and sends on, up to
//! `in_flight_max` entries ahead. Whatever is lost shows at the next heartbeat, because that names the entry before
//! `next_index`: a follower without it says so, and the leader probes again.

use serde::Serialize;
use sim_core::service::{Outcome, Refusal, kv};
use sim_core::{Context, NodeId, OpId};

use super::config::MEMBERS_MAX;
use super::durable::Deferred;
use super::facts::Fact;
use super::log::Log;
use super::message::{AppendEntries, AppendEntriesReply, AppendResult, Hint, Message};
use super::mutants::Mutant;
use super::process::send;
use super::role::{Leader, Role};
use super::types::{Entries, Entry, Round, Term};
use super::{Point, Raft, Timer};
use crate::replicated::quorum::quorum_value;
use crate::replicated::{Command, Index, Memory};

/// A client whose command is in the log.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Pending {
    /// Where.
    pub(super) index: Index,
    /// Which.
    pub(super) op: OpId,
}

/// How far a follower has come, as its leader knows it (Figure 2: `nextIndex[]`, `matchIndex[]`).
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Progress {
    /// The follower durably has the leader's log up to here. Never falls.
    pub(super) match_index: Index,
    /// The next entry to send. After `match_index`.
    pub(super) next_index: Index,
    /// How entries are sent.
    pub(super) mode: Mode,
    /// The latest round of heartbeats it has answered.
    pub(super) round: Round,
}

/// How a leader sends entries to a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Mode {
    /// Where the logs agree is not known, and the next question may be sent.
    Probe,
    /// A question is on its way. A heartbeat repeats it.
    ProbeSent,
    /// The logs agree before `next_index`, for all the leader knows.
    Stream,
}

impl Progress {
    pub(super) const fn new(next_index: Index) -> Self {
        Self { match_index: Index::ZERO, next_index, mode: Mode::Probe, round: Round(0) }
    }

    /// Whether the next entries may be sent now.
    #[inline]
    fn is_ready(&self, in_flight_max: u64) -> bool {
        match self.mode {
            Mode::Probe => true,
            Mode::ProbeSent => false,
            Mode::Stream => self.next_index.previous().since(self.match_index) < in_flight_max,
        }
    }

    /// Entries before `next_index` were sent.
    #[inline]
    fn on_sent(&mut self, count: u64) {
        match self.mode {
            Mode::Probe | Mode::ProbeSent => self.mode = Mode::ProbeSent,
            Mode::Stream => self.next_index = self.next_index.plus(count),
        }
    }

    /// The follower has the log up to `index`. Returns whether that is news: replies may be late or come twice.
    #[inline]
    fn on_match(&mut self, index: Index) -> bool {
        if index <= self.match_index {
            return false;
        }
        self.match_index = index;
        self.next_index = self.next_index.max(index.next());
        self.mode = Mode::Stream;
        true
    }

    /// The follower's log differs before or at `refused`. Returns whether that is news.
    fn on_conflict(&mut self, refused: Index, next_index: Index) -> bool {
        let is_stale = match self.mode {
            Mode::Probe | Mode::ProbeSent => refused != self.next_index.previous(),
            Mode::Stream => false,
        };
        if is_stale || refused <= self.match_index {
            return false;
        }
        self.next_index = next_index.max(self.match_index.next());
        self.mode = Mode::Probe;
        true
    }
}

/// The entries sent last, for the next follower who needs the same.
#[derive(Default)]
struct Batch {
    first: Index,
    entries: Entries,
}

impl Batch {
    fn get(&mut self, log: &Log, first: Index, count: u64) -> Entries {
        if self.first != first {
            *self = Self { first, entries: log.slice(first, count) };
        }
        self.entries.clone()
    }
}

impl Leader {
    #[inline]
    fn append_entries(&self, log: &Log, term: Term, next_index: Index, entries: Entries) -> Message {
        let prev_index = next_index.previous();
        let prev_term = log.term_at(prev_index).expect("a leader has every entry before the next it sends");
        let (commit, round) = (log.commit(), self.round);
        Message::AppendEntries(AppendEntries { term, prev_index, prev_term, entries, commit, round })
    }
}

impl Raft {
    /// A client's command, at the leader: it becomes an entry, and is answered when that is executed.
    pub(super) fn propose(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: kv::Operation) {
        if let Memory::Executed(outcome) = self.machine.recall(op) {
            context.sometimes(Point::RetryAnswered as usize);
            return context.reply(op, outcome);
        }
        if self.log.last_index().since(self.log.commit()) >= self.config.uncommitted_max {
            return context.reply(op, Outcome::Refused(Refusal::Overloaded));
        }
        let entry = Entry { term: self.term(), command: Command::Client { op, operation } };
        match self.log.append(entry, context) {
            Ok(index) => {
                let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader proposes") };
                leader.pending.push_back(Pending { index, op });
                self.flush(context);
                self.replicate(context);
            }
            Err(_) => context.reply(op, Outcome::Refused(Refusal::Unavailable)),
        }
    }

    /// Sends each follower what it lacks and may be sent now. The leader's own disk writes meanwhile.
    pub(super) fn replicate(&mut self, context: &mut Context<'_, Self>) {
        let mut batch = Batch::default();
        for slot in 0..self.config.members.len() {
            self.replicate_to(context, slot, &mut batch);
        }
    }

    /// Sends one follower what it lacks, in one message, if it may be sent now.
    #[inline]
    fn replicate_to(&mut self, context: &mut Context<'_, Self>, slot: usize, batch: &mut Batch) {
        let Role::Leader(leader) = &mut self.role else { return };
        let progress = leader.progress[slot];
        let is_behind = progress.next_index <= self.log.last_index();
        if Some(slot) == self.slot || !is_behind || !progress.is_ready(self.config.in_flight_max) {
            return;
        }
        let entries = batch.get(&self.log, progress.next_index, self.config.append_entries_max);
        leader.progress[slot].on_sent(entries.len() as u64);
        let message = leader.append_entries(&self.log, self.hard.term, progress.next_index, entries);
        send(context, self.config.members[slot], message);
    }

    /// Time to show the followers that their leader lives, and to repeat what they may have missed.
    pub(super) fn on_heartbeat_timeout(&mut self, context: &mut Context<'_, Self>) {
        let Role::Leader(leader) = &mut self.role else {
            unreachable!("only a leader has a heartbeat timer")
        };
        context.set_timer(Timer::Heartbeat, self.config.heartbeat);
        for progress in &mut leader.progress {
            if progress.mode == Mode::ProbeSent {
                progress.mode = Mode::Probe;
            }
        }
        self.start_round(context);
        self.replicate(context);
    }

    /// Starts a round of heartbeats: a message without entries to each follower.
    pub(super) fn start_round(&mut self, context: &mut Context<'_, Self>) {
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader sends heartbeats") };
        leader.round = leader.round.next();
        for (slot, member) in self.config.members.iter().enumerate() {
            if Some(slot) != self.slot {
                let next_index = leader.progress[slot].next_index;
                let message = leader.append_entries(&self.log, self.hard.term, next_index, Entries::NONE);
                send(context, *member, message);
            }
        }
    }

    /// The leader of the current term replicates entries, or shows that it lives.
    pub(super) fn on_append_entries(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        append: &AppendEntries,
    ) {
        if matches!(self.role, Role::Leader(_)) {
            return context
                .note(|| format!("{from} says that it leads this term too: beyond what Raft survives"));
        }
        self.follow(context, from);
        let &AppendEntries { prev_index, prev_term, ref entries, commit, round, .. } = append;
        let result = if self.log.matches(prev_index, prev_term) {
            let matched = self.log.merge(prev_index, entries, context);
            // Entries after `matched` may not be the leader's: its commit index says nothing about them (Figure 2).
            self.log.commit_to(commit.min(matched), context);
            self.apply_committed(context);
            AppendResult::Matches(matched)
        } else {
            context.sometimes(Point::LogConflict as usize);
            AppendResult::Conflict { prev_index, hint: self.log.hint(prev_index) }
        };
        let message = Message::AppendEntriesReply(AppendEntriesReply { term: self.term(), round, result });
        self.after_durable(context, Deferred::Send { to: from, message });
    }

    /// A follower answers the leader of the current term.
    pub(super) fn on_append_entries_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        reply: AppendEntriesReply,
    ) {
        let (Role::Leader(leader), Some(slot)) = (&mut self.role, self.config.slot(from)) else { return };
        let progress = &mut leader.progress[slot];
        progress.round = progress.round.max(reply.round);
        match reply.result {
            AppendResult::Matches(index) => self.on_match(context, slot, index),
            AppendResult::Conflict { prev_index, hint } => self.on_conflict(context, slot, prev_index, hint),
        }
        self.serve_reads(context);
    }

    /// A follower has more of the log than was known.
    #[inline]
    fn on_match(&mut self, context: &mut Context<'_, Self>, slot: usize, index: Index) {
        assert!(index <= self.log.last_index(), "a follower has entry {index}, its leader has not");
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.progress[slot].on_match(index) {
            if index > self.log.commit() {
                self.maybe_commit(context);
            }
            self.replicate_to(context, slot, &mut Batch::default());
        }
    }

    /// A follower's log differs: go back as far as its hint says, and ask again.
    fn on_conflict(&mut self, context: &mut Context<'_, Self>, slot: usize, refused: Index, hint: Hint) {
        let Role::Leader(leader) = &mut self.role else { return };
        let next_index = self.log.next_after(hint, refused);
        if leader.progress[slot].on_conflict(refused, next_index) {
            self.replicate_to(context, slot, &mut Batch::default());
        }
    }

    /// The commit rule (§5.3, §5.4.2): an entry that a majority has on disk is committed, if it is of the leader's
    /// own term. Entries before it are then committed too; alone they never are, because a majority that has an
    /// entry of an older term does not keep another leader from replacing it (Figure 8).
    pub(super) fn maybe_commit(&mut self, context: &mut Context<'_, Self>) {
        let Role::Leader(leader) = &self.role else { return };
        let index = self.quorum_index(leader);
        let is_of_own_term = self.log.term_at(index) == Some(self.hard.term);
        if index > self.log.commit() && (is_of_own_term || self.config.has(Mutant::CommitPriorTerm)) {
            self.log.commit_to(index, context);
            self.apply_committed(context);
            self.serve_reads(context);
        }
    }

    /// The last entry that a majority has on disk, the leader itself counted by its own disk.
    fn quorum_index(&self, leader: &Leader) -> Index {
        let mut matched = [Index::ZERO; MEMBERS_MAX];
        let matched = &mut matched[..leader.progress.len()];
        for (slot, (matched, progress)) in matched.iter_mut().zip(&leader.progress).enumerate() {
            *matched = if Some(slot) == self.slot { self.log.durable() } else { progress.match_index };
        }
        quorum_value(matched, self.config.quorum())
    }

    /// Executes what is committed, in order (§5.3), and answers the clients that wait for it.
    #[inline]
    pub(super) fn apply_committed(&mut self, context: &mut Context<'_, Self>) {
        while self.machine.applied() < self.log.commit() {
            let index = self.machine.applied().next();
            let entry = self.log.entry_at(index).expect("a committed entry is in the log");
            let witness = |index, chain| context.fact(Fact::Applied { index, chain });
            let outcome = self.machine.apply(entry, witness);
            self.answer(context, index, outcome);
        }
    }

    /// Answers the client whose command stood at `index`, if this node is the leader it asked.
    fn answer(&mut self, context: &mut Context<'_, Self>, index: Index, outcome: Option<Outcome>) {
        let Role::Leader(leader) = &mut self.role else { return };
        if let Some(pending) = leader.pending.pop_front_if(|pending| pending.index == index)
            && let Some(outcome) = outcome
        {
            context.reply(pending.op, outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streaming(match_index: u64, next_index: u64) -> Progress {
        Progress {
            match_index: Index(match_index),
            next_index: Index(next_index),
            mode: Mode::Stream,
            round: Round(0),
        }
    }

    #[test]
    fn late_and_repeated_replies_change_nothing() {
        let mut progress = streaming(5, 9);
        assert!(!progress.on_match(Index(4)));
        assert!(!progress.on_match(Index(5)));
        assert!(!progress.on_conflict(Index(5), Index(2)));
        assert_eq!(
            (progress.match_index, progress.next_index, progress.mode),
            (Index(5), Index(9), Mode::Stream)
        );
    }

    #[test]
    fn a_stream_stops_at_its_limit_and_goes_on_with_the_next_reply() {
        let mut progress = streaming(5, 6);
        progress.on_sent(3);
        assert_eq!(progress.next_index, Index(9));
        assert!(!progress.is_ready(3));
        assert!(progress.on_match(Index(6)));
        assert!(progress.is_ready(3));
    }

    #[test]
    fn a_lost_entry_turns_a_stream_into_one_probe() {
        let mut progress = streaming(5, 9);
        assert!(progress.on_conflict(Index(8), Index(6)));
        assert_eq!((progress.next_index, progress.mode), (Index(6), Mode::Probe));
        progress.on_sent(4);
        assert_eq!((progress.next_index, progress.is_ready(100)), (Index(6), false));
        assert!(!progress.on_conflict(Index(7), Index(6)), "the refusal of another message of the stream");
        assert!(progress.on_match(Index(9)));
        assert_eq!((progress.next_index, progress.mode), (Index(10), Mode::Stream));
    }
}
