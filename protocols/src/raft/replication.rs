//! Log replication (§5.3): proposals, batches, heartbeats, and the followers' side.
//!
//! A leader keeps a [`Progress`](super::progress::Progress) for each follower and sends what that allows: many entries in
//! one message (`append_entries_max`, `append_bytes_max`), and many messages before the first is answered
//! (`in_flight_max`, `in_flight_bytes_max`). Whatever is lost shows at the next heartbeat, because that names the entry
//! before `next_index`: a follower without it says so, and the leader probes again.

use sim_core::disk::WriteError;
use sim_core::service::{Outcome, Refusal};
use sim_core::{Context, NodeId, OpId};

use super::durable::Deferred;
use super::host::{Acts as _, Application};
use super::log::Log;
use super::message::{AppendEntries, AppendEntriesReply, AppendResult, Hint, Message};
use super::metrics::Latency;
use super::mutants::Mutant;
use super::role::{Leader, LeaderOf, Pending, Role};
use super::types::{Entries, Entry, Payload, Term};
use super::{Point, Replica, Timer};
use crate::replicated::{Agreeable, Index, NodeSet};

/// The entries sent last, for the next follower who needs the same.
struct Batch<C> {
    first: Index,
    entries: Entries<C>,
}

impl<C: Agreeable> Batch<C> {
    /// None yet.
    const fn empty() -> Self {
        Self { first: Index::ZERO, entries: Entries::NONE }
    }

    fn get(&mut self, log: &Log<C>, first: Index, count: u64) -> Entries<C> {
        if self.first != first {
            *self = Self { first, entries: log.slice(first, count) };
        }
        self.entries.clone()
    }
}

impl<I, Q> Leader<I, Q> {
    /// A message with `entries` from `next_index` on. Where what stands before them is compacted it is an empty one
    /// after index 0, where all logs agree: it only shows that the leader lives.
    #[inline]
    fn append_entries<C: Agreeable>(
        &self,
        log: &Log<C>,
        term: Term,
        next_index: Index,
        entries: Entries<C>,
    ) -> Message<C, I> {
        let prev_index = next_index.previous();
        let (prev_index, prev_term, entries) = match log.term_at(prev_index) {
            Some(prev_term) => (prev_index, prev_term, entries),
            None => (Index::ZERO, Term(0), Entries::NONE),
        };
        let (commit, round) = (log.commit(), self.round);
        Message::AppendEntries(AppendEntries { term, prev_index, prev_term, entries, commit, round })
    }
}

impl<A: Application> Replica<A> {
    /// Appends an entry for a client, who is answered when it is executed, and sends it to the followers.
    pub(super) fn append_for(
        &mut self,
        context: &mut Context<'_, A::Host>,
        op: OpId,
        payload: Payload<A::Command>,
    ) {
        let entry = Entry { term: self.term(), payload };
        match self.append_own(context, entry) {
            Ok(index) => {
                let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader proposes") };
                leader.pending.push_back(Pending { index, op });
                if entry.members().is_some() {
                    self.refresh_members(context);
                }
                self.spread(context);
            }
            Err(_) => context.reply(op, Outcome::Refused(Refusal::Unavailable)),
        }
    }

    /// Whether a leader could append so many commands now, but for its disk.
    pub fn has_room_for(&self, commands: u64) -> bool {
        let uncommitted = self.log.last_index().since(self.log.commit());
        let is_steady = matches!(&self.role, Role::Leader(leader) if leader.handover.is_none());
        is_steady && uncommitted.saturating_add(commands) <= self.config.uncommitted_entries::<A::Command>()
    }

    /// A leader appends a command of its process. With [`Replica::spread`] it goes to the disk and to the followers.
    ///
    /// Returns where it stands; `None` if nothing changed: this node does not lead or is about to hand over, too much is
    /// not committed yet, or the disk takes no more.
    pub fn submit(&mut self, context: &mut Context<'_, A::Host>, command: A::Command) -> Option<Index> {
        if !self.has_room_for(1) {
            return None;
        }
        self.append_own(context, Entry::command(self.term(), command)).ok()
    }

    /// What a leader has appended goes to the disk and to the followers.
    pub fn spread(&mut self, context: &mut Context<'_, A::Host>) {
        self.flush(context);
        self.replicate(context);
    }

    /// Appends an entry of this node's own term, as a leader does.
    ///
    /// # Errors
    /// If the disk takes no more.
    pub(super) fn append_own(
        &mut self,
        context: &mut Context<'_, A::Host>,
        entry: Entry<A::Command>,
    ) -> Result<Index, WriteError> {
        let index = self.log.append(entry, context)?;
        context.begins(Latency::Commit, index.0);
        Ok(index)
    }

    /// Everybody a leader sends to: the members, and new nodes that catch up.
    #[inline]
    pub(super) fn peers(&self, leader: &LeaderOf<A>) -> NodeSet {
        let members = self.members.all();
        let all = match &leader.catch_up {
            Some(catch_up) => members.union(catch_up.nodes),
            None => members,
        };
        all.without(self.node)
    }

    /// Sends each follower what it lacks and may be sent now. The leader's own disk writes meanwhile.
    pub(super) fn replicate(&mut self, context: &mut Context<'_, A::Host>) {
        let Role::Leader(leader) = &self.role else { return };
        let mut batch = Batch::empty();
        for node in self.peers(leader).iter() {
            self.replicate_to(context, node, &mut batch);
        }
    }

    /// Sends one follower what it lacks, in one message, if it may be sent now.
    #[inline]
    fn replicate_to(
        &mut self,
        context: &mut Context<'_, A::Host>,
        node: NodeId,
        batch: &mut Batch<A::Command>,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        let progress = &mut leader.progress[node.index()];
        let next_index = progress.next_index;
        if next_index > self.log.last_index() {
            return;
        }
        // Whatever is in flight: what is compacted cannot be sent any more.
        if next_index <= self.log.base() && !progress.is_installing() {
            return self.ship_snapshot(context, node);
        }
        if !progress.is_ready(self.config.window::<A::Command>()) {
            return;
        }
        let entries = batch.get(&self.log, next_index, self.config.batch_entries::<A::Command>());
        progress.on_sent(entries.len() as u64);
        if self.config.has(Mutant::MatchFromNext) {
            progress.match_index = progress.match_index.max(next_index.plus(entries.len() as u64).previous());
        }
        let message = leader.append_entries(&self.log, self.hard.term, next_index, entries);
        self.send(context, node, message);
    }

    /// Time to show the followers that their leader lives, and to repeat what they may have missed.
    pub(super) fn on_heartbeat_timeout(&mut self, context: &mut Context<'_, A::Host>) {
        let Role::Leader(leader) = &mut self.role else {
            unreachable!("only a leader has a heartbeat timer")
        };
        context.arm(Timer::Heartbeat, self.config.heartbeat);
        let (silent_max, base) = (self.config.heartbeats_an_election_timeout(), self.log.base());
        for progress in &mut leader.progress {
            progress.on_heartbeat(silent_max, base);
        }
        self.start_round(context);
        self.repeat_chunks(context);
        self.replicate(context);
        self.watch_catch_up(context);
    }

    /// Starts a round of heartbeats: a message without entries to each follower.
    pub(super) fn start_round(&mut self, context: &mut Context<'_, A::Host>) {
        let tracks_lease = self.config.tracks_lease();
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader sends heartbeats") };
        leader.round = leader.round.next();
        if tracks_lease {
            leader.lease.on_round_started(leader.round, context.now());
        }
        let Role::Leader(leader) = &self.role else { return };
        for node in self.peers(leader).iter() {
            let Role::Leader(leader) = &self.role else { return };
            let next_index = leader.progress[node.index()].next_index;
            let message = leader.append_entries(&self.log, self.hard.term, next_index, Entries::NONE);
            self.send(context, node, message);
        }
        self.confirm_lease(context);
    }

    /// The leader of the current term replicates entries, or shows that it lives.
    pub(super) fn on_append_entries(
        &mut self,
        context: &mut Context<'_, A::Host>,
        from: NodeId,
        append: &AppendEntries<A::Command>,
    ) {
        self.assert_no_other_leads(from, "AppendEntries");
        self.follow(context, from);
        let result = if self.log.agrees_at(append.prev_index, append.prev_term) {
            AppendResult::Matches(self.take_entries(context, append))
        } else {
            context.reach(Point::LogConflict);
            let prev_index = append.prev_index;
            AppendResult::Conflict { prev_index, hint: self.log.hint(prev_index) }
        };
        let (term, round) = (self.term(), append.round);
        let message = Message::AppendEntriesReply(AppendEntriesReply { term, round, result });
        if self.config.has(Mutant::AckBeforeFsync) {
            self.flush(context);
            return self.send(context, from, message);
        }
        self.after_durable(context, Deferred::Send { to: from, message });
    }

    /// Takes the leader's entries into the log, and what it has committed. Returns how far the log is now certainly the
    /// leader's.
    fn take_entries(
        &mut self,
        context: &mut Context<'_, A::Host>,
        append: &AppendEntries<A::Command>,
    ) -> Index {
        if self.config.has(Mutant::TruncateOnEveryAppend) && !append.entries.is_empty() {
            let from = append.prev_index.max(self.log.commit()).next();
            if from <= self.log.last_index() {
                self.log.truncate_from(from, context);
            }
        }
        let before = self.log.membership();
        let matched = self.log.merge(append.prev_index, &append.entries, context);
        // Another one may have come to stand at the same index.
        if before != self.log.membership() {
            self.refresh_members(context);
        }
        // Entries after `matched` may not be the leader's: its commit index says nothing about them (Figure 2).
        let sure = if self.config.has(Mutant::CommitUnclamped) { self.log.last_index() } else { matched };
        self.log.commit_to(append.commit.min(sure), context);
        self.apply_committed(context);
        matched
    }

    /// A follower answers the leader of the current term.
    pub(super) fn on_append_entries_reply(
        &mut self,
        context: &mut Context<'_, A::Host>,
        from: NodeId,
        reply: AppendEntriesReply,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(from.index()) else { return };
        progress.on_reply(reply.round);
        leader.active = leader.active.with(from);
        match reply.result {
            AppendResult::Matches(index) => self.on_match(context, from, index),
            AppendResult::Conflict { prev_index, hint } => self.on_conflict(context, from, prev_index, hint),
        }
        self.confirm_lease(context);
        self.serve_reads(context);
    }

    /// A follower has more of the log than was known.
    #[inline]
    pub(super) fn on_match(&mut self, context: &mut Context<'_, A::Host>, node: NodeId, index: Index) {
        assert!(index <= self.log.last_index(), "a follower has entry {index}, its leader has not");
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.progress[node.index()].on_match(index) {
            if index > self.log.commit() {
                self.maybe_commit(context);
            }
            self.on_caught_up_to(context, node);
            self.maybe_hand_over(context, node);
            self.replicate_to(context, node, &mut Batch::empty());
        }
    }

    /// A follower's log differs: go back as far as its hint says, and ask again.
    fn on_conflict(&mut self, context: &mut Context<'_, A::Host>, node: NodeId, refused: Index, hint: Hint) {
        let Role::Leader(leader) = &mut self.role else { return };
        let next_index = self.log.next_after(hint, refused);
        if leader.progress[node.index()].on_conflict(refused, next_index) {
            self.replicate_to(context, node, &mut Batch::empty());
        }
    }
}
