//! Elections (§5.2) and their restriction (§5.4.1); the only place where a role changes.
//!
//! ```text
//!            timeout, term + 1             votes of a majority
//!  follower ─────────────────> candidate ─────────────────────> leader
//!     ▲ ▲                       │  ╰─╯ timeout, term + 1            │
//!     │ ╰── leader of its term ─╯                                   │
//!     ╰───────────────────────── newer term ────────────────────────╯
//! ```

use sim_core::disk::WriteError;
use sim_core::service::Outcome;
use sim_core::{Context, NodeId};

use super::durable::{Deferred, HardState};
use super::facts::Fact;
use super::message::{Message, RequestVote, Vote};
use super::mutants::Mutant;
use super::process::send;
use super::role::{Ballot, Candidate, Follower, Leader, Role};
use super::types::{Entry, Term};
use super::{Point, Raft, Timer};
use crate::replicated::{Command, Index};

impl Raft {
    /// Waits for a leader, a time drawn anew (§5.2): so two nodes that timed out together do not do so again.
    /// A node that is no member waits for nobody.
    #[inline]
    pub(super) fn reset_election_timer(&self, context: &mut Context<'_, Self>) {
        if self.slot.is_some() {
            let range = &self.config.election_timeout;
            let timeout = context.random().span(range.start, range.end);
            context.set_timer(Timer::Election, timeout);
        }
    }

    /// No leader was heard of for long enough.
    pub(super) fn on_election_timeout(&mut self, context: &mut Context<'_, Self>) {
        if matches!(self.role, Role::Candidate(_)) {
            context.sometimes(Point::CandidacyTimedOut as usize);
        }
        self.reset_election_timer(context);
        let hard = HardState { term: self.term().next(), vote: Some(self.node) };
        // On a full disk the node keeps its role and term, and tries again at the next timeout.
        if self.write_hard_state(context, hard).is_ok() {
            self.become_candidate(context);
            self.after_durable(context, Deferred::Campaign(hard.term));
        }
    }

    /// The vote for oneself in `term` is on disk: it counts, and the others may hear of the term.
    pub(super) fn campaign(&mut self, context: &mut Context<'_, Self>, term: Term) {
        if term != self.term() || !matches!(self.role, Role::Candidate(_)) {
            return;
        }
        context.fact(Fact::VoteGranted { term, candidate: self.node });
        let request =
            RequestVote { term, last_index: self.log.last_index(), last_term: self.log.last_term() };
        for at in 0..self.config.members.len() {
            let to = self.config.members[at];
            if to != self.node {
                send(context, to, Message::RequestVote(request));
            }
        }
        self.count(context, self.node, Vote::Granted);
    }

    /// A candidate of the current term asks for a vote.
    pub(super) fn on_request_vote(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        request: RequestVote,
    ) {
        let vote = self.vote_for(context, from, request);
        let term = self.term();
        let message = Message::RequestVoteReply { term, vote };
        self.after_durable(context, Deferred::Send { to: from, message });
    }

    /// One vote a term, first come, first served (§5.2), and only for a candidate whose log has everything that
    /// may be committed (§5.4.1). Only a vote that is given resets the timer.
    fn vote_for(&mut self, context: &mut Context<'_, Self>, candidate: NodeId, request: RequestVote) -> Vote {
        if self.hard.vote == Some(candidate) {
            return Vote::Granted;
        }
        if self.hard.vote.is_some() || !self.may_have_vote(&request) {
            return Vote::Denied;
        }
        let hard = HardState { term: request.term, vote: Some(candidate) };
        if self.write_hard_state(context, hard).is_err() {
            return Vote::Denied;
        }
        self.reset_election_timer(context);
        Vote::Granted
    }

    /// Whether a candidate's log has everything that this node's may have committed (§5.4.1).
    fn may_have_vote(&self, request: &RequestVote) -> bool {
        self.log.is_covered_by(request.last_term, request.last_index)
            || self.config.has(Mutant::NoUpToDateCheck)
    }

    /// A member answers a candidate of the current term.
    pub(super) fn on_request_vote_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        vote: Vote,
    ) {
        match self.role {
            Role::Candidate(_) => self.count(context, from, vote),
            // The election is decided.
            Role::Follower(_) | Role::Leader(_) => {}
        }
    }

    /// Takes note of a vote. With those of a majority, the candidate leads.
    fn count(&mut self, context: &mut Context<'_, Self>, voter: NodeId, vote: Vote) {
        let Role::Candidate(candidate) = &mut self.role else { return };
        let Some(slot) = self.config.slot(voter) else { return };
        candidate.ballots[slot] = match vote {
            Vote::Granted => Ballot::Granted,
            Vote::Denied => Ballot::Denied,
        };
        if candidate.granted() >= self.config.quorum() {
            let noop = Entry { term: self.term(), command: Command::Noop };
            // On a full disk it cannot lead; the election timer runs on.
            if let Ok(index) = self.log.append(noop, context) {
                self.become_leader(context, index);
            }
        }
    }

    /// A message of a newer term: whatever this node was in the old one, it follows in the new one.
    ///
    /// # Errors
    /// If the disk takes no more. The message then counts as lost.
    pub(super) fn adopt_term(
        &mut self,
        context: &mut Context<'_, Self>,
        term: Term,
    ) -> Result<(), WriteError> {
        self.write_hard_state(context, HardState { term, vote: None })?;
        self.become_follower(context, None);
        Ok(())
    }

    /// The leader of the current term was heard of.
    #[inline]
    pub(super) fn follow(&mut self, context: &mut Context<'_, Self>, leader: NodeId) {
        match &self.role {
            Role::Follower(Follower { leader: Some(known) }) if *known == leader => {}
            Role::Follower(_) | Role::Candidate(_) | Role::Leader(_) => {
                self.become_follower(context, Some(leader));
            }
        }
        self.reset_election_timer(context);
    }

    /// Follows `leader`, or nobody yet. A timer that runs goes on; a leader that stops leading starts one. Who
    /// waits for an answer gets none, because the command may still be committed; who reads is sent on.
    fn become_follower(&mut self, context: &mut Context<'_, Self>, leader: Option<NodeId>) {
        assert!(leader != Some(self.node), "a node does not follow itself");
        match std::mem::replace(&mut self.role, Role::Follower(Follower { leader })) {
            Role::Follower(_) => {}
            Role::Candidate(_) => context.fact(Fact::BecameFollower { term: self.term() }),
            Role::Leader(deposed) => {
                context.sometimes(Point::LeaderDeposed as usize);
                context.fact(Fact::BecameFollower { term: self.term() });
                context.cancel_timer(Timer::Heartbeat);
                self.reset_election_timer(context);
                for op in deposed.reads.into_ops() {
                    context.reply(op, Outcome::Redirect(leader));
                }
            }
        }
    }

    fn become_candidate(&mut self, context: &mut Context<'_, Self>) {
        assert!(!matches!(self.role, Role::Leader(_)), "a leader of {} does not campaign", self.term());
        assert_eq!(self.hard.vote, Some(self.node), "a candidate votes for itself");
        self.role = Role::Candidate(Candidate::new(&self.config));
        context.fact(Fact::BecameCandidate { term: self.term() });
    }

    fn become_leader(&mut self, context: &mut Context<'_, Self>, noop: Index) {
        assert!(matches!(self.role, Role::Candidate(_)), "only a candidate comes to lead");
        assert_eq!(self.log.term_at(noop), Some(self.term()), "a leader begins its term with an entry of it");
        self.role = Role::Leader(Leader::new(&self.config, noop));
        context.fact(Fact::BecameLeader { term: self.term() });
        context.cancel_timer(Timer::Election);
        context.set_timer(Timer::Heartbeat, self.config.heartbeat);
        self.flush(context);
        self.replicate(context);
    }
}
