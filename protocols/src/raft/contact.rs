//! Who is heard of, and what follows from silence: leader stickiness and check-quorum (dissertation §4.2.3, §6.2).
//!
//! | switch | who | does |
//! | --- | --- | --- |
//! | `stickiness` | a node that has heard of a leader within the shortest election timeout | ignores candidates, their term included |
//! | `check_quorum` | a leader that no majority has answered for the shortest election timeout | steps down |
//!
//! The first keeps a node that was removed, or cut off for a while, from deposing a leader that is well. The second keeps
//! a leader that reaches nobody from believing that it leads, and its followers from holding on to it for ever when only
//! one direction of their link works. The two belong together: followers that hold on to a leader which cannot commit
//! would never elect another.

use sim_core::service::{Outcome, Refusal};
use sim_core::{Context, OpId};

use super::config::ReadMode;
use super::facts::Fact;
use super::facts::Witness as _;
use super::host::{Acts as _, Application, MessageOf};
use super::message::{Campaign, Message};
use super::role::{Follower, Role};
use super::{Point, Replica, Timer};
use crate::replicated::NodeSet;

impl<A: Application> Replica<A> {
    /// Takes note of the time, where anybody wants to know it.
    #[inline]
    pub(super) fn hear_of_leader(&mut self, context: &mut Context<'_, A::Host>) {
        if self.config.pre_vote || self.config.stickiness {
            self.heard = Some(context.now());
        }
    }

    /// After a restart this node may have followed a leader a moment ago, and does not remember. A lease rests on its
    /// silence: so it waits as if it had.
    pub(super) fn start_listening(&mut self, context: &mut Context<'_, A::Host>) {
        if self.config.stickiness {
            self.heard = Some(context.now());
        }
    }

    /// Whether this node leads, or has heard of a leader within the shortest election timeout.
    pub(super) fn holds_to_leader(&self, context: &Context<'_, A::Host>) -> bool {
        match &self.role {
            Role::Leader(_) => true,
            Role::Follower(Follower { .. }) | Role::PreCandidate(_) | Role::Candidate(_) => {
                let timeout = self.config.election_timeout.start;
                self.heard.is_some_and(|heard| context.now().since(heard) < timeout)
            }
        }
    }

    /// Whether a message of a newer term is to be ignored: that of a candidate, while there is a leader that has not
    /// asked it to campaign.
    pub(super) fn is_deaf_to(&self, context: &Context<'_, A::Host>, message: &MessageOf<A>) -> bool {
        match message {
            Message::RequestVote(request) => {
                self.config.stickiness
                    && request.campaign == Campaign::Timeout
                    && self.holds_to_leader(context)
            }
            Message::RequestVoteReply { .. }
            | Message::PreVote(_)
            | Message::PreVoteReply { .. }
            | Message::AppendEntries(_)
            | Message::AppendEntriesReply(_)
            | Message::InstallSnapshot(_)
            | Message::InstallSnapshotReply(_)
            | Message::TimeoutNow { .. }
            | Message::ReadIndex { .. }
            | Message::ReadIndexReply { .. } => false,
        }
    }

    /// Somebody who knows that the leader is gone says so: a follower follows nobody then, and is free to vote, until
    /// it hears of a leader again (etcd: `ForgetLeader`). Not where leases rest on its patience.
    pub(super) fn on_forget_request(&mut self, context: &mut Context<'_, A::Host>, op: OpId) {
        if self.config.reads == ReadMode::Lease {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        if let Role::Follower(follower) = &mut self.role {
            follower.leader = None;
            self.heard = None;
        }
        context.reply(op, Outcome::Done);
    }

    /// A new leader gives the others an election timeout to answer.
    pub(super) fn start_watching_quorum(&self, context: &mut Context<'_, A::Host>) {
        if self.config.check_quorum {
            context.arm(Timer::Quorum, self.config.election_timeout.start);
        }
    }

    /// Did a majority answer since the last look?
    pub(super) fn on_quorum_timeout(&mut self, context: &mut Context<'_, A::Host>) {
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader watches its quorum") };
        let active = std::mem::replace(&mut leader.active, NodeSet::EMPTY);
        if self.is_quorum(active.with(self.node)) {
            return self.start_watching_quorum(context);
        }
        context.reach(Point::QuorumLost);
        self.become_follower(context, None);
    }

    /// States that this leader is deposed although it could count on a majority for a while yet: it had answered a
    /// round of heartbeats that began less than an election timeout ago.
    pub(super) fn maybe_state_disruption(&self, context: &mut Context<'_, A::Host>) {
        if self.config.watch_disruption
            && let Role::Leader(leader) = &self.role
            && leader.lease.holds_at(context.now())
        {
            context.state(Fact::Disrupted { term: self.term().previous() });
        }
    }
}
