//! Who leads: the failure detector, and phase 1 for all slots at once; the only place where a role changes.
//!
//! ```text
//!            no heartbeat for a while        promises of a phase 1 quorum,
//!            a higher ballot of its own      and it has caught up
//!  follower ─────────────────────> candidate ─────────────────────> leader
//!     ▲ ▲                            │  ╰─╯ timeout, higher ballot     │
//!     │ ╰──── higher ballot heard ───╯                                 │
//!     ╰─────────────────────────── higher ballot heard ────────────────╯
//! ```

use sim_core::service::Outcome;
use sim_core::{Context, NodeId};

use super::durable::Deferred;
use super::facts::Fact;
use super::message::Message;
use super::metrics::{Counter, Latency};
use super::mutants::Mutant;
use super::process::send;
use super::role::{Candidate, Follower, Leader, Preparation, Role};
use super::types::Pvalue;
use super::{Level, Paxos, Point, Timer};
use crate::replicated::{Ballot, Index, Life, Phase};

impl Paxos {
    /// Waits for a leader, a time drawn anew: so two nodes that timed out together do not do so again.
    #[inline]
    pub(super) fn reset_election_timer(&self, context: &mut Context<'_, Self>) {
        let range = &self.config.election_timeout;
        let timeout = context.random().span(range.start, range.end);
        context.set_timer(Timer::Election, timeout);
    }

    /// No leader was heard of for long enough. Who accepts nothing compares notes with those who do instead of campaigning:
    /// they may not know yet that it is their turn. Who has granted a lease that has not run out does not campaign either.
    pub(super) fn on_election_timeout(&mut self, context: &mut Context<'_, Self>) {
        self.reset_election_timer(context);
        if !self.is_acceptor_at(self.log.last().next()) {
            return self.rejoin_anywhere(context);
        }
        if !self.everybody().contains(self.node) {
            for to in self.everybody().iter() {
                send(context, to, Message::CatchUp { decided: self.log.last() });
            }
            return;
        }
        if self.is_bound_by_lease(context, self.node) {
            return;
        }
        if matches!(self.role, Role::Candidate(_)) {
            context.sometimes(Point::CandidacyTimedOut as usize);
        }
        let mut ballot = self.promised.max(self.highest).next_of(self.node).in_life(self.life);
        if self.config.has(Mutant::BallotCollision) {
            ballot.proposer = NodeId::new(0);
        }
        // On a full disk the node keeps its role, and tries again at the next timeout.
        if self.write_ballot(context, ballot).is_ok() {
            self.become_candidate(context, ballot);
            self.after_durable(context, Deferred::Campaign(ballot));
        }
    }

    /// Its own promise is on disk: it counts, and the others are asked (phase 1a).
    pub(super) fn campaign(&mut self, context: &mut Context<'_, Self>, ballot: Ballot) {
        let Role::Candidate(candidate) = &mut self.role else { return };
        if candidate.ballot != ballot {
            return;
        }
        let first = candidate.preparation.first;
        let own: Vec<Pvalue> = self.log.accepted_from(self.log.last().next()).collect();
        candidate.preparation.add((self.node, self.life), self.log.last(), &own);
        let decided = self.log.last();
        context.fact(Fact::Promised { ballot, first, decided, accepted: own.into() });
        for to in self.everybody().without(self.node).iter() {
            context.count(Counter::Prepares as usize, 1);
            send(context, to, Message::Prepare { ballot, first });
        }
        self.maybe_lead(context);
    }

    /// Phase 1a arrives. A candidate that is no acceptor as far as this node knows gets no promise. But the two know
    /// different memberships, so one of them lacks decisions, and gets them: if all kept silent, nodes that have each
    /// learned of another change would wait for each other for ever. Who is no acceptor, having lost its disk, is silent; who
    /// has come to be one again tells of the slots that it does not decide.
    pub(super) fn on_prepare(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        ballot: Ballot,
        first: Index,
    ) {
        if !self.everybody().contains(from) {
            context.sometimes(Point::StrangerCampaigns as usize);
            return self.on_catch_up(context, from, first.previous());
        }
        if self.is_non_voting() {
            return;
        }
        if !self.is_acceptor_at(first) {
            self.on_catch_up(context, from, first.previous());
        }
        if ballot < self.promised {
            return self.refuse(context, from, ballot);
        }
        if self.is_bound_by_lease(context, from) {
            context.sometimes(Point::LeaseHonoured as usize);
            return;
        }
        if ballot > self.promised {
            // On a full disk the message counts as lost.
            if self.write_ballot(context, ballot).is_err() {
                return;
            }
            self.become_follower(context, None);
            self.reset_election_timer(context);
        }
        let decided = if self.config.has(Mutant::AnswerEmpty) { first.previous() } else { self.log.last() };
        let accepted = self.log.accepted_from(first).collect();
        let message = Message::Promise { ballot, first, decided, accepted, life: self.life };
        self.after_durable(context, Deferred::Send { to: from, message });
    }

    /// Phase 1b arrives, at a candidate, or at a leader that waits for acceptors who decide later slots. What one of these knows
    /// to be decided it does not report as accepted: a leader learns that first, and asks for the promise again.
    pub(super) fn on_promise(
        &mut self,
        context: &mut Context<'_, Self>,
        from: (NodeId, Life),
        ballot: Ballot,
        decided: Index,
        accepted: &[Pvalue],
    ) {
        match &mut self.role {
            Role::Candidate(candidate)
                if candidate.ballot == ballot || self.config.has(Mutant::PromiseMix) =>
            {
                candidate.preparation.add(from, decided, accepted);
                self.maybe_lead(context);
            }
            Role::Leader(leader) if leader.ballot == ballot && decided > self.log.last() => {
                context.sometimes(Point::LeaderCatchesUp as usize);
                send(context, from.0, Message::CatchUp { decided: self.log.last() });
            }
            Role::Leader(leader) if leader.ballot == ballot => {
                leader.preparation.add(from, decided, accepted);
                leader.barrier = leader.barrier.max(leader.preparation.end());
                self.propose_more(context);
            }
            // The ballot is over, or decided.
            Role::Candidate(_) | Role::Leader(_) | Role::Follower(_) => {}
        }
    }

    /// Phase 1 is done when a quorum of those who decide the next slot has promised. What any of them knows to be
    /// decided has to be learned first, because it may say who decides the next slot.
    pub(super) fn maybe_lead(&mut self, context: &mut Context<'_, Self>) {
        let Role::Candidate(candidate) = &self.role else { return };
        let (decided, informant) = candidate.preparation.decided;
        let next = self.log.last().next();
        let promised_by = candidate.preparation.promised_by.of(next, &self.membership);
        if !self.config.is_enough(Phase::One, promised_by, self.membership.at(next)) {
            return;
        }
        if decided > self.log.last() {
            context.sometimes(Point::CandidateCatchesUp as usize);
            return send(context, informant, Message::CatchUp { decided: self.log.last() });
        }
        self.become_leader(context);
    }

    /// A leader or candidate was pre-empted.
    pub(super) fn on_nack(&mut self, context: &mut Context<'_, Self>, ballot: Ballot, promised: Ballot) {
        self.highest = self.highest.max(promised);
        let own = match &self.role {
            Role::Follower(_) => None,
            Role::Candidate(candidate) => Some(candidate.ballot),
            Role::Leader(leader) => Some(leader.ballot),
        };
        if own == Some(ballot) && promised > ballot {
            context.sometimes(Point::Preempted as usize);
            self.become_follower(context, None);
            self.reset_election_timer(context);
        }
    }

    /// A message of a leader with this ballot: whoever has promised nothing higher follows it. Returns whether this node
    /// does.
    #[inline]
    pub(super) fn follow(&mut self, context: &mut Context<'_, Self>, from: NodeId, ballot: Ballot) -> bool {
        if ballot < self.promised {
            self.refuse(context, from, ballot);
            return false;
        }
        if ballot > self.promised && self.write_ballot(context, ballot).is_err() {
            return false;
        }
        if let Role::Leader(leader) = &self.role {
            // A ballot names its proposer, so nobody else leads it.
            assert!(leader.ballot < ballot, "{from} leads {ballot}, and so does {}", self.node);
        }
        match &self.role {
            Role::Follower(Follower { leader: Some(leader) }) if *leader == from => {}
            Role::Follower(_) | Role::Candidate(_) | Role::Leader(_) => {
                self.become_follower(context, Some(from));
            }
        }
        self.reset_election_timer(context);
        true
    }

    /// A higher ballot is promised.
    pub(super) fn refuse(&self, context: &mut Context<'_, Self>, to: NodeId, ballot: Ballot) {
        send(context, to, Message::Nack { ballot, promised: self.promised });
    }

    /// Follows `leader`, or nobody yet. Who waits for a decision gets no answer, because it may still come; who waits
    /// for a slot or reads is sent on.
    pub(super) fn become_follower(&mut self, context: &mut Context<'_, Self>, leader: Option<NodeId>) {
        assert!(leader != Some(self.node), "a node does not follow itself");
        match std::mem::replace(&mut self.role, Role::Follower(Follower { leader })) {
            Role::Follower(_) => {}
            Role::Candidate(_) => {
                context.count(Counter::Preemptions as usize, 1);
                context.fact(Fact::BecameFollower { ballot: self.promised });
            }
            Role::Leader(deposed) => {
                context.sometimes(Point::LeaderDeposed as usize);
                context.abandon(Latency::Chosen as usize);
                // Not if it is no acceptor any more.
                let is_preempted = self.promised.max(self.highest) > deposed.ballot;
                context.count(Counter::Preemptions as usize, u64::from(is_preempted));
                context.fact(Fact::BecameFollower { ballot: self.promised });
                context.cancel_timer(Timer::Heartbeat);
                self.reset_election_timer(context);
                let waiting = deposed.queue.iter().map(|(_, op)| *op).chain(deposed.reads.ops());
                for op in waiting {
                    context.reply(op, Outcome::Redirect(leader));
                }
            }
        }
    }

    fn become_candidate(&mut self, context: &mut Context<'_, Self>, ballot: Ballot) {
        assert!(!matches!(self.role, Role::Leader(_)), "a leader does not campaign");
        let mut first = self.log.last().next();
        if self.config.has(Mutant::PhaseOnePartialRange) {
            first = self.log.end().next();
        }
        let mut preparation = Preparation::new(first, (self.log.last(), self.node));
        if let (Role::Candidate(before), true) = (&self.role, self.config.has(Mutant::PromiseMix)) {
            preparation.promised_by = before.preparation.promised_by.clone();
        }
        self.role = Role::Candidate(Candidate { ballot, preparation });
        context.fact(Fact::BecameCandidate { ballot });
    }

    fn become_leader(&mut self, context: &mut Context<'_, Self>) {
        let follower = Role::Follower(Follower::default());
        let Role::Candidate(candidate) = std::mem::replace(&mut self.role, follower) else {
            panic!("only a candidate comes to lead")
        };
        let ballot = candidate.ballot;
        let base = self.log.last().next();
        context.gauge(Level::Gap as usize, candidate.preparation.gap(base));
        self.role = Role::Leader(Box::new(Leader::new(candidate, base)));
        context.fact(Fact::BecameLeader { ballot });
        context.cancel_timer(Timer::Election);
        context.set_timer(Timer::Heartbeat, self.config.heartbeat);
        if self.config.has(Mutant::LearnerByValue) {
            self.decide_widely_accepted(context);
        }
        self.start_round(context);
        self.propose_more(context);
    }

    /// For a mutant: decides what a quorum has accepted under different ballots.
    fn decide_widely_accepted(&mut self, context: &mut Context<'_, Self>) {
        let Role::Leader(leader) = &self.role else { return };
        let slots = (leader.base.0..=leader.barrier.0).map(Index);
        let decided: Vec<_> = slots
            .filter_map(|slot| {
                let members = self.membership.at(slot);
                Some((slot, leader.preparation.widely_accepted(slot, &self.config, members)?))
            })
            .collect();
        for (slot, proposal) in decided {
            _ = self.log.decide(slot, proposal, context);
        }
        self.on_decisions_made(context);
    }
}
