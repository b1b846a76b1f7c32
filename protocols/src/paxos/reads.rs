//! Linearizable reads without a slot.
//!
//! A leader answers a read from its state machine when two things hold:
//! 1. **No other had decided anything before the read arrived.** Either a phase 1 quorum answered a round of heartbeats
//!    that was started after it arrived: any leader with a higher ballot needs votes of a phase 2 quorum, one of whom is
//!    in that phase 1 quorum and had not promised the higher ballot yet. Or the leader holds the *lease*: a phase 2 quorum
//!    has promised to promise nothing to others for a time, and every phase 1 quorum has one of them.
//! 2. **It has executed everything that earlier leaders decided**: all slots of which anybody reported anything to it. That is
//!    known when a phase 1 quorum of the acceptors of *each* later slot has reported. Those who promised before it came to lead
//!    are one for the next slot only: an earlier leader may have decided more with acceptors of whom this one hears as it executes.
//!
//! A lease is counted from when the heartbeat was *sent*, and shorter by the drift of clocks; a granter counts from when it
//! *arrived*, and longer. A granter that restarts does not know what it has granted, and waits as long as a lease lasts.

use std::collections::VecDeque;

use serde::Serialize;
use sim_core::service::{Key, Outcome};
use sim_core::{Context, LocalTime, NodeId, OpId};

use super::mutants::Mutant;
use super::role::{Leader, Role};
use super::types::Round;
use super::{Paxos, Point};
use crate::replicated::{Ballot, Index, Life, NodeSet, Phase};

/// A client's read, and the round that must have been answered first.
#[derive(Clone, Copy, Debug, Serialize)]
struct Read {
    op: OpId,
    key: Key,
    round: Round,
}

/// The reads a leader has not answered, in the order of their arrival, which is that of their rounds.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Reads {
    waiting: VecDeque<Read>,
}

impl Reads {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The operations that wait.
    pub(super) fn ops(&self) -> impl Iterator<Item = OpId> {
        self.waiting.iter().map(|read| read.op)
    }
}

/// A lease that this acceptor has granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Grant {
    /// To whom; `None` after a restart: it may have been anybody.
    holder: Option<NodeId>,
    /// Until when, on this node's monotonic clock.
    until: LocalTime,
}

impl Paxos {
    /// A client reads, at the leader.
    pub(super) fn on_read(&mut self, context: &mut Context<'_, Self>, op: OpId, key: Key) {
        let now = context.now();
        let Role::Leader(leader) = &self.role else { unreachable!("only a leader reads") };
        if self.is_current(leader) && leader.lease_until.is_some_and(|until| now < until) {
            context.sometimes(Point::LeaseRead as usize);
            return context.reply(op, Outcome::Value(self.machine.read(key)));
        }
        let Role::Leader(leader) = &mut self.role else { return };
        let round = leader.round.next();
        leader.reads.waiting.push_back(Read { op, key, round });
        self.serve_reads(context);
    }

    /// Answers the reads for which both conditions hold, and starts the next round if one is wanted and none is under way.
    #[inline]
    pub(super) fn serve_reads(&mut self, context: &mut Context<'_, Self>) {
        while let Role::Leader(leader) = &self.role
            && let Some(last) = leader.reads.waiting.back().copied()
        {
            let confirmed =
                if self.config.has(Mutant::StaleRead) { leader.round.next() } else { self.confirmed(leader) };
            let is_current = self.is_current(leader);
            let Role::Leader(leader) = &mut self.role else { return };
            while is_current
                && let Some(read) = leader.reads.waiting.pop_front_if(|read| read.round <= confirmed)
            {
                context.reply(read.op, Outcome::Value(self.machine.read(read.key)));
            }
            if confirmed < leader.round || last.round <= leader.round {
                return;
            }
            context.sometimes(Point::ReadRound as usize);
            self.start_round(context);
        }
    }

    /// Whether it has executed everything that was decided before it led.
    #[inline]
    fn is_current(&self, leader: &Leader) -> bool {
        self.machine.applied() >= leader.barrier && self.unprepared(leader).is_none()
    }

    /// An acceptor has heard this leader.
    pub(super) fn on_heartbeat_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        (from, life): (NodeId, Life),
        ballot: Ballot,
        round: Round,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.ballot == ballot {
            leader.answered.add(from, life, round);
            self.on_round_answered(context);
            self.serve_reads(context);
        }
    }

    /// Extends the lease to what the last round that was answered allows.
    pub(super) fn on_round_answered(&mut self, _: &mut Context<'_, Self>) {
        let Role::Leader(leader) = &self.role else { return };
        let Some((oldest, _)) = leader.sent.front().copied() else { return };
        let granted = leader.sent.iter().rev().find(|(round, _)| {
            let heard = |slot| self.heard_since(leader, *round, slot);
            self.deciders().all(|(slot, members)| self.config.is_enough(Phase::Two, heard(slot), members))
        });
        let (granted, lease) = (granted.copied(), self.config.lease());
        let is_drift_blind = self.config.has(Mutant::LeaseNoDrift);
        let Role::Leader(leader) = &mut self.role else { return };
        if let (Some((_, sent)), Some(lease)) = (granted, lease) {
            let held = if is_drift_blind { lease.granted() } else { lease.held() };
            leader.lease_until = leader.lease_until.max(Some(sent + held));
        }
        let known = granted.map_or(oldest, |(round, _)| round);
        while leader.sent.len() > 1 && leader.sent.front().is_some_and(|(round, _)| *round < known) {
            leader.sent.pop_front();
        }
        while leader.sent.len() > 64 {
            leader.sent.pop_front();
        }
    }

    /// The latest round that a phase 1 quorum of everybody who decides later slots has answered.
    fn confirmed(&self, leader: &Leader) -> Round {
        let is_confirmed = |round| {
            let heard = |slot| self.heard_since(leader, round, slot);
            self.deciders().all(|(slot, members)| self.config.is_enough(Phase::One, heard(slot), members))
        };
        let answered = || leader.answered.rounds();
        let mut rounds =
            std::iter::successors(Some(leader.round), |later| answered().filter(|round| round < later).max());
        rounds.find(|round| is_confirmed(*round)).unwrap_or_default()
    }

    /// Who has answered a round or a later one, of those that count for `slot`, the leader included if it does.
    fn heard_since(&self, leader: &Leader, round: Round, slot: Index) -> NodeSet {
        let heard = leader.answered.since(round, slot, &self.membership);
        if self.is_acceptor_at(slot) { heard.with(self.node) } else { heard }
    }

    /// The next slot, and each later one that others decide, with its acceptors.
    fn deciders(&self) -> impl Iterator<Item = (Index, NodeSet)> {
        let next = self.log.last().next();
        std::iter::once((next, self.membership.at(next))).chain(self.membership.after(next))
    }

    /// As an acceptor, binds itself to a leader.
    #[inline]
    pub(super) fn grant_lease(&mut self, context: &mut Context<'_, Self>, holder: NodeId) {
        if let Some(lease) = self.config.lease() {
            self.grant = Some(Grant { holder: Some(holder), until: context.now() + lease.granted() });
        }
    }

    /// After a restart: whom it has bound itself to is forgotten, how long that may last is not.
    pub(super) fn wait_for_forgotten_lease(&mut self, context: &mut Context<'_, Self>) {
        if let Some(lease) = self.config.lease()
            && !self.config.has(Mutant::LeaseReleasedEarly)
        {
            self.grant = Some(Grant { holder: None, until: context.now() + lease.granted() });
        }
    }

    /// Whether this acceptor has granted a lease to another than `candidate` that has not run out.
    pub(super) fn is_bound_by_lease(&self, context: &Context<'_, Self>, candidate: NodeId) -> bool {
        self.grant.is_some_and(|grant| grant.holder != Some(candidate) && context.now() < grant.until)
    }
}
