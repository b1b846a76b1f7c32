//! Linearizable reads (§8; dissertation §6.4), four ways:
//!
//! | [`ReadMode`] | a read | costs | rests on |
//! | --- | --- | --- | --- |
//! | `Log` | becomes an entry | a disk write on a majority | the log alone |
//! | `ReadIndex` | waits for a round of heartbeats | a round trip | terms |
//! | `Follower` | at a follower: asks the leader how far it must have executed | as before, and the way to the leader; the leader answers no read | terms |
//! | `Lease` | is answered at once, while the leader certainly leads | nothing | clocks whose rates differ by no more than stated |
//!
//! For `ReadIndex` a leader answers a read from its state machine, when two things hold:
//! 1. **It was still the leader after the read arrived.** A majority answered a round of heartbeats that was
//!    started after that; so no other leader had been elected before, and none had committed anything newer.
//! 2. **Its state machine has executed the read index**: everything that was committed when the read arrived.
//!    That is its commit index, once it has committed an entry of its own term; before, it may be anything up to
//!    the entry before its no-op. The read index is therefore never before the no-op.
//!
//! One round is under way at a time, and reads that arrive meanwhile share the next one. A round that is lost is
//! followed by the next heartbeat's.
//!
//! **The lease** (dissertation §6.4.1). Whoever answers a round of heartbeats ignores candidates for the shortest election
//! timeout from then on (`stickiness`), by its own clock. So once a majority has answered a round, nobody else is elected
//! until that time has passed *since the round was started*; divided by how much faster another clock may run. The first
//! condition then holds without a round. A restarted node holds still as if it had just answered, and a transfer of
//! leadership, which voters do not resist, voids the lease.

use std::collections::VecDeque;

use serde::Serialize;
use sim_core::service::{Key, Outcome};
use sim_core::{Context, LocalTime, NodeId, OpId, Span};

use super::config::ReadMode;
use super::host::{Acts as _, Application};
use super::message::Message;
use super::mutants::Mutant;
use super::role::{Follower, LeaderOf, Role};
use super::types::Round;
use super::{Point, Replica};
use crate::lease;
use crate::replicated::{Index, NodeSet};

/// Who wants to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Reader<Q> {
    /// A client, this.
    Client(OpId, Q),
    /// A follower, for a client of its own.
    Follower(NodeId, OpId),
}

/// A read at the leader.
#[derive(Clone, Copy, Debug, Serialize)]
struct Read<Q> {
    reader: Reader<Q>,
    /// What must be executed first.
    index: Index,
    /// The round that a majority must have answered; 0 if the lease held when it came.
    round: Round,
}

/// The reads a leader has not answered, in the order of their arrival, which is that of their rounds and indices.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Reads<Q = Key> {
    waiting: VecDeque<Read<Q>>,
}

impl<Q> Default for Reads<Q> {
    fn default() -> Self {
        Self { waiting: VecDeque::new() }
    }
}

impl<Q> Reads<Q> {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The operations of clients that wait, when nobody will answer them here.
    pub(super) fn into_ops(self) -> impl Iterator<Item = OpId> {
        self.waiting.into_iter().filter_map(|read| match read.reader {
            Reader::Client(op, _) => Some(op),
            Reader::Follower(..) => None,
        })
    }
}

/// Until when a leader certainly leads.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Lease {
    /// When each round was started that no majority has answered yet, the oldest first.
    started: VecDeque<(Round, LocalTime)>,
    until: Option<LocalTime>,
    is_void: bool,
}

impl Lease {
    pub(super) fn on_round_started(&mut self, round: Round, now: LocalTime) {
        self.started.push_back((round, now));
    }

    /// A majority has answered `round`, and all before it. Returns when that was started, if it is news.
    fn on_round_confirmed(&mut self, round: Round) -> Option<LocalTime> {
        let mut start = None;
        while let Some((_, time)) = self.started.pop_front_if(|(started, _)| *started <= round) {
            start = Some(time);
        }
        start
    }

    fn extend(&mut self, until: LocalTime) {
        self.until = self.until.max(Some(until));
    }

    /// Voters may elect another leader at any time.
    pub(super) const fn make_void(&mut self) {
        self.is_void = true;
    }

    pub(super) fn holds_at(&self, now: LocalTime) -> bool {
        !self.is_void && self.until.is_some_and(|until| now < until)
    }

    /// When it ends; `None` for none.
    pub(super) fn until(&self) -> Option<LocalTime> {
        self.until.filter(|_| !self.is_void)
    }
}

/// Reads at a follower that has asked its leader about them. Questions and answers name the client's operation. So whatever
/// answer comes was given after the operation had begun, also if an earlier try of it was meant, or if the follower has
/// restarted or campaigned meanwhile. A number that began anew each time would let an old answer pass for a new one.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Forwarded<Q = Key> {
    waiting: VecDeque<Waiting<Q>>,
}

impl<Q> Default for Forwarded<Q> {
    fn default() -> Self {
        Self { waiting: VecDeque::new() }
    }
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Waiting<Q> {
    op: OpId,
    query: Q,
    /// What must be executed first, once the leader has said so.
    index: Option<Index>,
}

impl<Q: Copy> Forwarded<Q> {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The operations that wait, when nobody will answer them here.
    pub(super) fn into_ops(self) -> impl Iterator<Item = OpId> {
        self.waiting.into_iter().map(|waiting| waiting.op)
    }

    /// A retry takes the place of its first try, whose question may be lost.
    fn ask(&mut self, op: OpId, query: Q) {
        self.waiting.retain(|waiting| waiting.op != op);
        self.waiting.push_back(Waiting { op, query, index: None });
    }

    fn on_reply(&mut self, op: OpId, index: Index) {
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.op == op) {
            waiting.index = Some(index);
        }
    }

    fn take_ready(&mut self, applied: Index) -> Vec<(OpId, Q)> {
        let is_ready = |waiting: &Waiting<Q>| waiting.index.is_some_and(|index| index <= applied);
        let ready = self.waiting.iter().filter(|waiting| is_ready(waiting));
        let ready = ready.map(|waiting| (waiting.op, waiting.query)).collect();
        self.waiting.retain(|waiting| !is_ready(waiting));
        ready
    }
}

impl<A: Application> Replica<A> {
    /// A client reads, at the leader.
    pub(super) fn on_read(&mut self, context: &mut Context<'_, A::Host>, op: OpId, query: A::Query) {
        self.enqueue_read(context, Reader::Client(op, query));
    }

    /// A follower asks for a client of its own.
    pub(super) fn on_read_index(&mut self, context: &mut Context<'_, A::Host>, from: NodeId, op: OpId) {
        if matches!(self.role, Role::Leader(_)) {
            self.enqueue_read(context, Reader::Follower(from, op));
        }
    }

    fn enqueue_read(&mut self, context: &mut Context<'_, A::Host>, reader: Reader<A::Query>) {
        let commit = self.log.commit();
        let has_lease = self.config.reads == ReadMode::Lease && self.has_lease(context);
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader reads") };
        let index =
            if self.config.has(Mutant::ReadindexBeforeOwnCommit) { commit } else { commit.max(leader.noop) };
        let round = if has_lease { Round(0) } else { leader.round.next() };
        leader.reads.waiting.push_back(Read { reader, index, round });
        self.serve_reads(context);
    }

    fn has_lease(&self, context: &Context<'_, A::Host>) -> bool {
        match &self.role {
            Role::Leader(leader) => leader.lease.holds_at(context.now()),
            Role::Follower(_) | Role::PreCandidate(_) | Role::Candidate(_) => false,
        }
    }

    /// Answers the reads for which both conditions hold, and starts the next round if one is wanted and none is
    /// under way.
    #[inline]
    pub(super) fn serve_reads(&mut self, context: &mut Context<'_, A::Host>) {
        while let Role::Leader(leader) = &self.role
            && let Some(last) = leader.reads.waiting.back().copied()
        {
            let is_under_way = last.round <= leader.round || !self.is_confirmed(leader, leader.round);
            self.answer_reads(context);
            if is_under_way {
                return;
            }
            context.reach(Point::ReadRound);
            self.start_round(context);
        }
    }

    /// A client waits for the state machine; a follower looks after that itself.
    fn answer_reads(&mut self, context: &mut Context<'_, A::Host>) {
        let applied = self.machine.applied();
        while let Role::Leader(leader) = &self.role
            && let Some(read) = leader.reads.waiting.front().copied()
            && (read.index <= applied || matches!(read.reader, Reader::Follower(..)))
            && self.is_confirmed(leader, read.round)
        {
            let Role::Leader(leader) = &mut self.role else { return };
            leader.reads.waiting.pop_front();
            match read.reader {
                Reader::Client(op, query) => context.reply(op, self.machine.answer(query)),
                Reader::Follower(node, op) => {
                    let (term, index) = (self.term(), read.index);
                    self.send(context, node, Message::ReadIndexReply { term, op, index });
                }
            }
        }
    }

    /// Whether a quorum has answered `round`, or a later one.
    fn is_confirmed(&self, leader: &LeaderOf<A>, round: Round) -> bool {
        let has_answered = |node: &NodeId| self.answered_round(leader, *node) >= round;
        let answered: NodeSet = self.members.all().iter().filter(has_answered).collect();
        self.members.is_quorum(answered) || self.config.has(Mutant::StaleReadNoHeartbeat)
    }

    /// The latest round that a quorum has answered, the leader itself included.
    fn confirmed_round(&self, leader: &LeaderOf<A>) -> Round {
        self.members.agreed(|node| self.answered_round(leader, node))
    }

    /// The latest round that `node` has answered; the leader itself answers at once.
    #[inline]
    fn answered_round(&self, leader: &LeaderOf<A>, node: NodeId) -> Round {
        if node == self.node { leader.round } else { leader.progress[node.index()].round }
    }

    /// Extends the lease if a majority has answered a round since.
    #[inline]
    pub(super) fn confirm_lease(&mut self, context: &mut Context<'_, A::Host>) {
        if !self.config.tracks_lease() {
            return;
        }
        let Role::Leader(leader) = &self.role else { return };
        let confirmed = self.confirmed_round(leader);
        let length = self.lease_length();
        let is_late = self.config.has(Mutant::LeaseFromReceipt);
        let Role::Leader(leader) = &mut self.role else { return };
        if let Some(started) = leader.lease.on_round_confirmed(confirmed) {
            let start = if is_late { context.now() } else { started };
            leader.lease.extend(start + length);
        }
    }

    /// The shortest election timeout, by the clock that runs fastest while this node's runs slowest.
    fn lease_length(&self) -> Span {
        let timeout = self.config.election_timeout.start;
        if self.config.has(Mutant::LeaseIgnoresDrift) {
            return timeout;
        }
        lease::holder_counts_on(timeout, self.config.drift_max)
    }

    /// A client reads, at a follower that serves reads.
    pub(super) fn forward_read(&mut self, context: &mut Context<'_, A::Host>, op: OpId, query: A::Query) {
        let term = self.term();
        let Role::Follower(Follower { leader: Some(leader), forwarded }) = &mut self.role else {
            return context.reply(op, Outcome::Redirect(None));
        };
        let leader = *leader;
        forwarded.ask(op, query);
        context.reach(Point::ReadForwarded);
        self.after_durable(
            context,
            super::durable::Deferred::Send { to: leader, message: Message::ReadIndex { term, op } },
        );
    }

    /// The leader says how far a read must see.
    pub(super) fn on_read_index_reply(&mut self, context: &mut Context<'_, A::Host>, op: OpId, index: Index) {
        if let Role::Follower(follower) = &mut self.role {
            follower.forwarded.on_reply(op, index);
            self.serve_forwarded(context);
        }
    }

    /// Answers the reads at this follower that see enough.
    pub(super) fn serve_forwarded(&mut self, context: &mut Context<'_, A::Host>) {
        let applied = self.machine.applied();
        if let Role::Follower(follower) = &mut self.role
            && follower.forwarded.len() > 0
        {
            for (op, query) in follower.forwarded.take_ready(applied) {
                context.reply(op, self.machine.answer(query));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sim_core::ClientId;

    use super::*;

    fn at(millis: u64) -> LocalTime {
        LocalTime::ZERO + Span::millis(millis)
    }

    #[test]
    fn a_lease_runs_from_the_start_of_the_last_round_that_was_answered() {
        let mut lease = Lease::default();
        for round in 1..=3 {
            lease.on_round_started(Round(round), at(10 * round));
        }
        assert_eq!(lease.on_round_confirmed(Round(0)), None);
        assert_eq!(lease.on_round_confirmed(Round(2)), Some(at(20)));
        assert_eq!(lease.on_round_confirmed(Round(2)), None, "no news");
        lease.extend(at(120));
        lease.extend(at(110));
        assert!(lease.holds_at(at(119)) && !lease.holds_at(at(120)));
        lease.make_void();
        assert!(!lease.holds_at(at(50)));
    }

    #[test]
    fn a_read_at_a_follower_waits_for_the_answer_and_for_the_state_machine() {
        let op = |ordinal| OpId { client: ClientId::new(0), ordinal };
        let mut forwarded = Forwarded::default();
        for (ordinal, key) in [(0, 1), (1, 2), (0, 1)] {
            forwarded.ask(op(ordinal), Key(key));
        }
        assert_eq!(forwarded.len(), 2, "the retry took the place of the first try");
        forwarded.on_reply(op(7), Index(1));
        assert_eq!(forwarded.take_ready(Index(9)), [], "an answer to what nobody waits for");
        forwarded.on_reply(op(1), Index(8));
        assert_eq!(forwarded.take_ready(Index(7)), []);
        assert_eq!(forwarded.take_ready(Index(8)), [(op(1), Key(2))]);
        assert_eq!(forwarded.into_ops().collect::<Vec<_>>(), [op(0)]);
    }
}
