//! Elections (§5.2), their restriction (§5.4.1), and pre-votes (dissertation §9.6); the only place where a role changes.
//!
//! ```text
//!            timeout             a majority would vote        votes of a majority
//!  follower ────────> pre-candidate ────────────> candidate ─────────────────────> leader
//!     ▲ ▲                  │            term + 1   │  ╰─╯ timeout, term + 1           │
//!     │ ╰── leader of its term, or none listens ───╯                                  │
//!     ╰────────────────────────────── newer term ─────────────────────────────────────╯
//! ```
//!
//! Without `pre_vote` a follower becomes a candidate at once. With it, a node that nobody would elect stays in its term:
//! one that comes back from a partition does not depose a leader that is well.

use sim_core::disk::WriteError;
use sim_core::service::Outcome;
use sim_core::{Context, NodeId, Span};

use super::durable::{Deferred, HardState};
use super::facts::Fact;
use super::facts::Witness as _;
use super::host::{Acts as _, Application, MessageOf};
use super::message::{Campaign, Message, RequestVote, Vote};
use super::metrics::Latency;
use super::mutants::Mutant;
use super::role::{Ballots, Follower, Leader, LeaderOf, Role};
use super::types::{Entry, Term};
use super::{Point, Replica, Timer};
use crate::replicated::{Agreeable as _, Index, NodeSet};

impl<A: Application> Replica<A> {
    /// Waits for a leader, a time drawn anew (§5.2): so two nodes that timed out together do not do so again.
    /// A node without a vote waits only for the leader it knows, to forget it.
    #[inline]
    pub(super) fn reset_election_timer(&self, context: &mut Context<'_, A::Host>) {
        let follows = matches!(&self.role, Role::Follower(Follower { leader: Some(_), .. }));
        if follows || self.may_campaign() {
            let range = &self.config.election_timeout;
            let end =
                if self.config.has(Mutant::FixedTimeout) { range.start + Span::nanos(1) } else { range.end };
            let timeout = context.random().span(range.start, end);
            context.arm(Timer::Election, timeout);
        }
    }

    /// Whether this node has a vote, or had one before a membership that may not be committed. Then it is needed still:
    /// it may be the only one that has the entry, and nobody else gets its vote (dissertation §4.2.2).
    fn may_campaign(&self) -> bool {
        self.members.is_voter(self.node) || {
            let (_, before) = self.log.membership_at(self.members_index.previous());
            self.members_index > self.log.commit() && before.is_voter(self.node)
        }
    }

    /// No leader was heard of for long enough.
    pub(super) fn on_election_timeout(&mut self, context: &mut Context<'_, A::Host>) {
        if !self.may_campaign() {
            // It may be no member any more, and would send clients to a leader that is long gone.
            return self.become_follower(context, None);
        }
        if self.is_behind_members() {
            return self.reset_election_timer(context);
        }
        if matches!(self.role, Role::Candidate(_)) {
            context.reach(Point::CandidacyTimedOut);
        }
        self.reset_election_timer(context);
        if self.config.pre_vote {
            self.ask_for_pre_votes(context);
        } else {
            self.start_campaign(context, Campaign::Timeout);
        }
    }

    /// The leader wants this node to lead (dissertation §3.10): no waiting, no pre-vote.
    pub(super) fn on_timeout_now(&mut self, context: &mut Context<'_, A::Host>, from: NodeId) {
        self.assert_no_other_leads(from, "TimeoutNow");
        if self.may_campaign() && !self.is_behind_members() {
            context.reach(Point::TransferReceived);
            self.reset_election_timer(context);
            self.start_campaign(context, Campaign::Transfer);
        }
    }

    /// Asks who would vote for this node in the next term. Nothing changes, so nothing needs to be on disk.
    fn ask_for_pre_votes(&mut self, context: &mut Context<'_, A::Host>) {
        self.become_pre_candidate(context);
        let request = self.request_vote(self.term().next(), Campaign::Timeout);
        self.send_to_voters(context, &Message::PreVote(request));
        self.count_pre_vote(context, self.node, Vote::Granted);
    }

    /// Raises the term and votes for itself. The others are asked when that is on disk, or at once where the two may
    /// overlap.
    fn start_campaign(&mut self, context: &mut Context<'_, A::Host>, reason: Campaign) {
        let hard = HardState { term: self.term().next(), vote: Some(self.node) };
        // On a full disk the node keeps its role and term, and tries again at the next timeout.
        if self.write_hard_state(context, hard).is_ok() {
            self.become_candidate(context);
            let act = if self.may_ask_early() {
                self.ask_for_votes(context, reason);
                Deferred::OwnVote(hard.term)
            } else {
                Deferred::Campaign { term: hard.term, reason }
            };
            self.after_durable(context, act);
        }
    }

    /// Whether the others may hear of a campaign that a crash would undo: if no entry would be lost with it. See
    /// [`durable`](super::durable).
    fn may_ask_early(&self) -> bool {
        self.config.overlap_own_vote && self.log.durable() == self.log.last_index()
    }

    /// The vote for oneself in `term` is on disk: it counts, and the others may hear of the term.
    pub(super) fn campaign(&mut self, context: &mut Context<'_, A::Host>, term: Term, reason: Campaign) {
        if self.is_candidate_in(term) {
            context.state(Fact::VoteGranted { term, candidate: self.node });
            self.ask_for_votes(context, reason);
            self.count_vote(context, self.node, Vote::Granted);
        }
    }

    /// The vote for oneself in `term` is on disk, and the others have been asked already.
    pub(super) fn count_own_vote(&mut self, context: &mut Context<'_, A::Host>, term: Term) {
        if self.is_candidate_in(term) {
            context.state(Fact::VoteGranted { term, candidate: self.node });
            self.count_vote(context, self.node, Vote::Granted);
        }
    }

    fn is_candidate_in(&self, term: Term) -> bool {
        term == self.term() && matches!(self.role, Role::Candidate(_))
    }

    fn ask_for_votes(&mut self, context: &mut Context<'_, A::Host>, reason: Campaign) {
        let request = self.request_vote(self.term(), reason);
        self.send_to_voters(context, &Message::RequestVote(request));
    }

    fn request_vote(&self, term: Term, campaign: Campaign) -> RequestVote {
        let (last_index, last_term) = (self.log.last_index(), self.log.last_term());
        RequestVote { term, last_index, last_term, campaign }
    }

    fn send_to_voters(&mut self, context: &mut Context<'_, A::Host>, message: &MessageOf<A>) {
        for to in self.members.voters.union(self.members.outgoing).iter() {
            if to != self.node {
                self.send(context, to, message.clone());
            }
        }
    }

    /// A node asks whether it would be elected: yes, if its log has everything and this node hears of no leader. Its
    /// term may be behind or ahead: nobody changes a term for a question.
    pub(super) fn on_pre_vote(
        &mut self,
        context: &mut Context<'_, A::Host>,
        from: NodeId,
        request: RequestVote,
    ) {
        let has_chance = request.term > self.term() && self.may_have_vote(&request);
        let holds = self.holds_to_leader(context) && !self.config.has(Mutant::PrevoteIgnoresLeader);
        let vote = if has_chance && !holds { Vote::Granted } else { Vote::Denied };
        let term = self.term().max(request.term.previous());
        if self.config.has(Mutant::PrevoteBumpsTerm)
            && request.term > self.term()
            && self.adopt_term(context, request.term, from).is_err()
        {
            return;
        }
        self.send(context, from, Message::PreVoteReply { term, vote });
    }

    /// A voter answers a pre-candidate of the current term.
    pub(super) fn on_pre_vote_reply(&mut self, context: &mut Context<'_, A::Host>, from: NodeId, vote: Vote) {
        self.count_pre_vote(context, from, vote);
    }

    fn count_pre_vote(&mut self, context: &mut Context<'_, A::Host>, voter: NodeId, vote: Vote) {
        let Role::PreCandidate(ballots) = &mut self.role else { return };
        ballots.count(voter, vote);
        let granted = ballots.granted;
        if self.is_quorum(granted) {
            self.start_campaign(context, Campaign::Timeout);
        }
    }

    /// A candidate of the current term asks for a vote.
    pub(super) fn on_request_vote(
        &mut self,
        context: &mut Context<'_, A::Host>,
        from: NodeId,
        request: RequestVote,
    ) {
        let vote = self.vote_for(context, from, request);
        if self.config.has(Mutant::TimerResetOnAnyRequest) && !matches!(self.role, Role::Leader(_)) {
            self.reset_election_timer(context);
        }
        let message = Message::RequestVoteReply { term: self.term(), vote };
        if self.config.has(Mutant::VoteNotPersisted) {
            return self.send(context, from, message);
        }
        self.after_durable(context, Deferred::Send { to: from, message });
    }

    /// One vote a term, first come, first served (§5.2), and only for a candidate whose log has everything that
    /// may be committed (§5.4.1). Only a vote that is given resets the timer. Members or not does not matter: the
    /// candidate may know of a later membership than this node.
    fn vote_for(
        &mut self,
        context: &mut Context<'_, A::Host>,
        candidate: NodeId,
        request: RequestVote,
    ) -> Vote {
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
        if self.config.has(Mutant::UptodateByLength) {
            return request.last_index >= self.log.last_index();
        }
        self.log.is_covered_by(request.last_term, request.last_index)
            || self.config.has(Mutant::NoUptodateCheck)
    }

    /// A voter answers a candidate of the current term.
    pub(super) fn on_request_vote_reply(
        &mut self,
        context: &mut Context<'_, A::Host>,
        from: NodeId,
        vote: Vote,
    ) {
        self.count_vote(context, from, vote);
    }

    /// Takes note of a vote. With those of a quorum, and its own on disk, the candidate leads. In other roles the election
    /// is decided.
    pub(super) fn count_vote(&mut self, context: &mut Context<'_, A::Host>, voter: NodeId, vote: Vote) {
        let Role::Candidate(ballots) = &mut self.role else { return };
        ballots.count(voter, vote);
        let granted = ballots.granted;
        if self.is_quorum(granted) && granted.contains(self.node) {
            let noop = Entry::command(self.term(), A::Command::NOOP);
            // On a full disk it cannot lead; the election timer runs on.
            if let Ok(index) = self.append_own(context, noop) {
                self.become_leader(context, index);
            }
        }
    }

    /// Whether these nodes are enough to decide.
    pub(super) fn is_quorum(&self, nodes: NodeSet) -> bool {
        self.members.is_quorum(nodes) || self.is_half_enough(nodes)
    }

    fn is_half_enough(&self, nodes: NodeSet) -> bool {
        let voters = self.members.voters;
        self.config.has(Mutant::QuorumHalf) && 2 * nodes.intersection(voters).len() >= voters.len()
    }

    /// A message of a newer term: whatever this node was in the old one, it follows in the new one.
    ///
    /// # Errors
    /// If the disk takes no more. The message then counts as lost.
    pub(super) fn adopt_term(
        &mut self,
        context: &mut Context<'_, A::Host>,
        term: Term,
        from: NodeId,
    ) -> Result<(), WriteError> {
        self.write_hard_state(context, HardState { term, vote: None })?;
        self.settle_handover(context, from);
        self.maybe_state_disruption(context);
        self.become_follower(context, None);
        Ok(())
    }

    /// Only the leader of a term sends this in it, and a term has one leader (§5.2).
    #[inline]
    pub(super) fn assert_no_other_leads(&self, from: NodeId, message: &str) {
        assert!(
            !matches!(self.role, Role::Leader(_)),
            "{message} of {} from {from}, and {} leads that term",
            self.term(),
            self.node
        );
    }

    /// The leader of the current term was heard of.
    #[inline]
    pub(super) fn follow(&mut self, context: &mut Context<'_, A::Host>, leader: NodeId) {
        match &self.role {
            Role::Follower(Follower { leader: Some(known), .. }) if *known == leader => {}
            Role::Follower(_) | Role::PreCandidate(_) | Role::Candidate(_) | Role::Leader(_) => {
                self.become_follower(context, Some(leader));
            }
        }
        self.hear_of_leader(context);
        self.reset_election_timer(context);
    }

    /// Follows `leader`, or nobody yet. A timer that runs goes on; a leader that stops leading starts one. Who
    /// waits for an answer gets none, because the command may still be committed; who reads is sent on.
    pub(super) fn become_follower(&mut self, context: &mut Context<'_, A::Host>, leader: Option<NodeId>) {
        assert!(leader != Some(self.node), "a node does not follow itself");
        let follower = Follower { leader, ..Follower::default() };
        match std::mem::replace(&mut self.role, Role::Follower(follower)) {
            Role::Follower(before) => {
                for op in before.forwarded.into_ops() {
                    context.reply(op, Outcome::Redirect(leader));
                }
            }
            Role::PreCandidate(_) | Role::Candidate(_) => {
                context.state(Fact::BecameFollower { term: self.term() });
            }
            Role::Leader(deposed) => self.retire(context, *deposed, leader),
        }
    }

    fn retire(&mut self, context: &mut Context<'_, A::Host>, deposed: LeaderOf<A>, leader: Option<NodeId>) {
        context.reach(Point::LeaderDeposed);
        context.state(Fact::BecameFollower { term: self.term() });
        for timer in [Timer::Heartbeat, Timer::Quorum, Timer::Transfer] {
            context.disarm(timer);
        }
        context.abandons(Latency::Commit);
        self.reset_election_timer(context);
        let not_begun = deposed.catch_up.and_then(|catch_up| catch_up.op);
        for op in deposed.reads.into_ops().chain(not_begun) {
            context.reply(op, Outcome::Redirect(leader));
        }
    }

    fn become_pre_candidate(&mut self, context: &mut Context<'_, A::Host>) {
        assert!(!matches!(self.role, Role::Leader(_)), "a leader of {} does not campaign", self.term());
        self.leave_followers(context);
        self.role = Role::PreCandidate(Ballots::default());
        context.state(Fact::BecamePreCandidate { term: self.term() });
    }

    fn become_candidate(&mut self, context: &mut Context<'_, A::Host>) {
        assert!(!matches!(self.role, Role::Leader(_)), "a leader of {} does not campaign", self.term());
        assert_eq!(self.hard.vote, Some(self.node), "a candidate votes for itself");
        self.leave_followers(context);
        self.role = Role::Candidate(Ballots::default());
        context.state(Fact::BecameCandidate { term: self.term() });
    }

    /// Who reads here is sent on: there is no leader to ask.
    fn leave_followers(&mut self, context: &mut Context<'_, A::Host>) {
        if let Role::Follower(follower) = &mut self.role {
            for op in std::mem::take(&mut follower.forwarded).into_ops() {
                context.reply(op, Outcome::Redirect(None));
            }
        }
    }

    fn become_leader(&mut self, context: &mut Context<'_, A::Host>, noop: Index) {
        assert!(matches!(self.role, Role::Candidate(_)), "only a candidate comes to lead");
        assert_eq!(self.log.term_at(noop), Some(self.term()), "a leader begins its term with an entry of it");
        self.role = Role::Leader(Box::new(Leader::new(self.members.all(), noop)));
        context.state(Fact::BecameLeader { term: self.term() });
        context.disarm(Timer::Election);
        context.arm(Timer::Heartbeat, self.config.heartbeat);
        self.start_watching_quorum(context);
        self.flush(context);
        self.replicate(context);
    }
}
