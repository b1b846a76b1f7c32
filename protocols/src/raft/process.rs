//! The inputs of a node: one function a role and message is in `election`, `replication` and `reads`; here they are
//! told apart, after the rules about terms that hold for all (§5.1).

use std::sync::Arc;

use sim_core::process;
use sim_core::service::{Admin, Outcome};
use sim_core::status::{Standing, Status};
use sim_core::{Context, NodeId, OpId};

use super::config::Config;
use super::durable::{Deferred, HardState, Unflushed};
use super::host::{Application, MessageOf};
use super::log::Log;
use super::message::{AppendEntriesReply, AppendResult, InstallResult, InstallSnapshotReply, Message, Vote};
use super::mutants::Mutant;
use super::role::{Follower, Role};
use super::snapshot::Snapshot;
use super::types::Round;
use super::{Replica, Timer};
use crate::replicated::{Index, Outbox};

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["election", "heartbeat", "quorum", "transfer", "apply"];

    #[inline]
    fn index(self) -> Option<usize> {
        match self {
            Self::Election => Some(0),
            Self::Heartbeat => Some(1),
            Self::Quorum => Some(2),
            Self::Transfer => Some(3),
            Self::Apply => Some(4),
        }
    }
}

impl<A: Application> Replica<A> {
    /// A replica on `node` that has just been started and remembers nothing, with a machine that has executed nothing.
    pub fn new(config: Arc<Config>, node: NodeId, machine: A) -> Self {
        let members = config.membership();
        Self {
            node,
            members,
            members_index: Index::ZERO,
            config,
            hard: HardState::default(),
            log: Log::new(members),
            snapshot: Snapshot::initial(members),
            outbox: Outbox::default(),
            unflushed: Unflushed::default(),
            spoke_in: super::Term::default(),
            role: Role::Follower(Follower::default()),
            machine,
            heard: None,
            taking: None,
            incoming: None,
            is_applying: false,
            recovered_index: Index::ZERO,
        }
    }

    /// The first input of its process.
    pub fn start(&mut self, context: &mut Context<'_, A::Host>) {
        self.recover(context);
        self.tell_uncommitted(context);
        self.start_listening(context);
        self.reset_election_timer(context);
    }

    /// A message of another replica.
    #[inline]
    pub fn receive(&mut self, context: &mut Context<'_, A::Host>, from: NodeId, message: MessageOf<A>) {
        if message.term() != self.term() && !self.settle_term(context, from, &message) {
            return;
        }
        match message {
            Message::AppendEntries(append) => self.on_append_entries(context, from, &append),
            Message::AppendEntriesReply(reply) => self.on_append_entries_reply(context, from, reply),
            Message::RequestVote(request) => self.on_request_vote(context, from, request),
            Message::RequestVoteReply { vote, .. } => self.on_request_vote_reply(context, from, vote),
            Message::PreVote(request) => self.on_pre_vote(context, from, request),
            Message::PreVoteReply { vote, .. } => self.on_pre_vote_reply(context, from, vote),
            Message::InstallSnapshot(install) => self.on_install_snapshot(context, from, &install),
            Message::InstallSnapshotReply(reply) => self.on_install_snapshot_reply(context, from, reply),
            Message::TimeoutNow { .. } => self.on_timeout_now(context, from),
            Message::ReadIndex { op, .. } => self.on_read_index(context, from, op),
            Message::ReadIndexReply { op, index, .. } => self.on_read_index_reply(context, op, index),
        }
    }

    /// A timer of it has run out.
    #[inline]
    pub fn expire(&mut self, context: &mut Context<'_, A::Host>, timer: Timer) {
        match timer {
            Timer::Election => self.on_election_timeout(context),
            Timer::Heartbeat => self.on_heartbeat_timeout(context),
            Timer::Quorum => self.on_quorum_timeout(context),
            Timer::Transfer => self.on_transfer_timeout(context),
            Timer::Apply => self.on_apply_timeout(context),
        }
    }

    /// It at a glance.
    pub fn standing(&self) -> Status {
        let (role, standing, leader) = match &self.role {
            Role::Follower(Follower { leader, .. }) => (self.followers_word(), Standing::Follower, *leader),
            Role::PreCandidate(_) => ("pre-candidate", Standing::Candidate, None),
            Role::Candidate(_) => ("candidate", Standing::Candidate, None),
            Role::Leader(_) => ("leader", Standing::Leader, Some(self.node)),
        };
        let (commit, gauge) = (self.log.commit().0, self.log.last_index().0);
        Status { role, standing, epoch: self.term().0, leader, commit, gauge }
    }

    /// What a node is called that only follows.
    fn followers_word(&self) -> &'static str {
        if self.members.is_voter(self.node) {
            "follower"
        } else if self.members.learners.contains(self.node) {
            "learner"
        } else {
            "outsider"
        }
    }

    /// A client administers the cluster: the leader changes it, a snapshot is the matter of each node.
    pub(super) fn on_admin_request(&mut self, context: &mut Context<'_, A::Host>, op: OpId, admin: Admin) {
        match (&self.role, admin) {
            (_, Admin::Snapshot) => self.on_snapshot_request(context, op),
            (_, Admin::ForgetLeader) => self.on_forget_request(context, op),
            (Role::Leader(_), _) => self.on_admin(context, op, admin),
            (Role::Follower(Follower { leader, .. }), _) => context.reply(op, Outcome::Redirect(*leader)),
            (Role::PreCandidate(_) | Role::Candidate(_), _) => context.reply(op, Outcome::Redirect(None)),
        }
    }

    /// The rules about terms that hold for all messages (§5.1). Returns whether the message is to be handled.
    fn settle_term(
        &mut self,
        context: &mut Context<'_, A::Host>,
        from: NodeId,
        message: &MessageOf<A>,
    ) -> bool {
        if message.term() < self.term() {
            return self.is_counted_late(message) || {
                self.on_stale(context, from, message);
                false
            };
        }
        // A pre-vote asks about a term that nobody enters yet, so it is handled whatever its term.
        if matches!(message, Message::PreVote(_)) {
            return true;
        }
        !self.is_deaf_to(context, message) && self.adopt_term(context, message.term(), from).is_ok()
    }

    /// Replies of older terms that mutants count.
    fn is_counted_late(&self, message: &MessageOf<A>) -> bool {
        match message {
            Message::RequestVoteReply { .. } => self.config.has(Mutant::VoteFromOtherTerm),
            Message::AppendEntriesReply(AppendEntriesReply {
                result: AppendResult::Matches(index), ..
            }) => self.config.has(Mutant::StaleAck) && *index <= self.log.last_index(),
            Message::PreVoteReply { .. }
            | Message::RequestVote(_)
            | Message::PreVote(_)
            | Message::AppendEntries(_)
            | Message::AppendEntriesReply(_)
            | Message::InstallSnapshot(_)
            | Message::InstallSnapshotReply(_)
            | Message::TimeoutNow { .. }
            | Message::ReadIndex { .. }
            | Message::ReadIndexReply { .. } => false,
        }
    }

    /// A message of an older term. A request is answered with the newer one, so that its sender follows; a reply
    /// belongs to something that is over. The answer confirms no round: whoever asked may lead the newer term by now, and
    /// count its rounds anew.
    fn on_stale(&mut self, context: &mut Context<'_, A::Host>, from: NodeId, message: &MessageOf<A>) {
        let term = self.term();
        let message = match message {
            Message::RequestVote(_) => Message::RequestVoteReply { term, vote: Vote::Denied },
            Message::PreVote(_) => Message::PreVoteReply { term, vote: Vote::Denied },
            Message::AppendEntries(append) => {
                let hint = self.log.hint(append.prev_index);
                let result = AppendResult::Conflict { prev_index: append.prev_index, hint };
                Message::AppendEntriesReply(AppendEntriesReply { term, round: Round::default(), result })
            }
            Message::InstallSnapshot(install) => Message::InstallSnapshotReply(InstallSnapshotReply {
                term,
                round: Round::default(),
                offset: install.offset,
                result: InstallResult::Next(0),
            }),
            Message::PreVoteReply { vote, .. } => return self.on_late_pre_vote(context, from, *vote),
            Message::RequestVoteReply { .. }
            | Message::AppendEntriesReply(_)
            | Message::InstallSnapshotReply(_)
            | Message::TimeoutNow { .. }
            | Message::ReadIndex { .. }
            | Message::ReadIndexReply { .. } => return,
        };
        self.after_durable(context, Deferred::Send { to: from, message });
    }

    /// A pre-vote for a campaign that has begun. It says nothing any more; the mutant takes it for a vote.
    fn on_late_pre_vote(&mut self, context: &mut Context<'_, A::Host>, from: NodeId, vote: Vote) {
        if self.config.has(Mutant::PrevotesAsVotes) && vote == Vote::Granted {
            self.count_vote(context, from, vote);
        }
    }
}
