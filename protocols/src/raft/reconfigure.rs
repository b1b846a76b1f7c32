//! Changing the members (§6; dissertation §4), at the leader.
//!
//! A membership is an entry, in force at each node from the moment it is in its log, committed or not; when the entry is
//! truncated, the one before is in force again. (Or, with [`TakesEffect::OnApply`], from when the node has executed it, or
//! has another one after it; the [protocol's documentation](super) says why.) A leader appends one only if
//!
//! - it has committed an entry of its own term: else two leaders in turn could append memberships, each one step from the
//!   old one, whose majorities do not meet (Ongaro's message to raft-dev, 2015);
//! - the last one is committed, and in force: else steps could add up;
//! - new voters have caught up: else the cluster could wait for them (dissertation §4.2.1). They get the log in *rounds*;
//!   each brings what was appended during the one before, and when one takes no longer than the shortest election timeout
//!   they are close enough.
//!
//! A change of one voter takes one step; a larger one, or any if the scenario wants it, a joint membership between. A
//! leader that is not among the new voters leads until the new membership is committed, without counting itself, and then
//! steps down.

use serde::Serialize;
use sim_core::service::{Admin, Outcome, Refusal};
use sim_core::{Context, LocalTime, NodeId, OpId};

use super::config::{TakesEffect, Transition};
use super::host::{Acts as _, Application, Host};
use super::membership::{Change, Leave, Membership};
use super::mutants::Mutant;
use super::role::Role;
use super::types::{Entry, Payload};
use super::{Point, Replica};
use crate::replicated::{Index, NodeSet};

/// New nodes that get the log before they may vote.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct CatchUp {
    /// Who waits for it; taken when the change is appended.
    pub(super) op: Option<OpId>,
    change: Change,
    /// The new nodes.
    pub(super) nodes: NodeSet,
    /// The how-manieth round, from 1.
    pub(super) round: u64,
    /// The round is over when all have this.
    pub(super) target: Index,
    started: LocalTime,
}

impl<A: Application> Replica<A> {
    /// A client administers the cluster, at the leader.
    pub(super) fn on_admin(&mut self, context: &mut Context<'_, A::Host>, op: OpId, admin: Admin) {
        if named_nodes(admin).iter().flatten().any(|node| !is_known(context, *node)) {
            return context.reply(op, Outcome::Refused(Refusal::NotFound));
        }
        let change = match admin {
            Admin::AddNode(node) => Change::AddVoters(NodeSet::EMPTY.with(node)),
            Admin::AddNodes(first, second) => Change::AddVoters(NodeSet::EMPTY.with(first).with(second)),
            Admin::AddLearner(node) => Change::AddLearner(node),
            Admin::RemoveNode(node) => Change::Remove(node),
            Admin::ReplaceNode { remove, add } => Change::Replace { remove, add },
            Admin::LeaveJoint => return self.on_leave_request(context, op),
            Admin::TransferLeadership(node) => return self.on_transfer_request(context, op, node),
            Admin::Snapshot => return self.on_snapshot_request(context, op),
            Admin::ForgetLeader => return self.on_forget_request(context, op),
        };
        self.on_change_request(context, op, change);
    }

    fn on_change_request(&mut self, context: &mut Context<'_, A::Host>, op: OpId, change: Change) {
        let (index, current) = self.log.membership();
        let Some(target) = current.left().changed_by(change) else {
            return context.reply(op, Outcome::Refused(Refusal::NotFound));
        };
        if target == current.left() && index <= self.settled() {
            return context.reply(op, Outcome::Done);
        }
        if !self.may_change_members() || current.is_joint() {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        let new = target.voters.difference(current.voters);
        if new.is_empty() || self.config.catch_up_rounds == 0 {
            return self.append_members(context, op, self.next_members(&current, &target));
        }
        self.start_catch_up(context, op, change, new);
    }

    /// Whether a membership may be appended now. See the [module documentation](self).
    fn may_change_members(&self) -> bool {
        let Role::Leader(leader) = &self.role else { return false };
        let has_committed_in_term = self.log.commit() >= leader.noop || self.config.has(Mutant::NoBarrier);
        let is_settled =
            self.log.membership().0 <= self.settled() || self.config.has(Mutant::TwoPendingConfigs);
        has_committed_in_term && is_settled && leader.catch_up.is_none() && leader.handover.is_none()
    }

    /// Up to here a membership is settled: committed, and in force.
    fn settled(&self) -> Index {
        match self.config.takes_effect {
            TakesEffect::OnAppend => self.log.commit(),
            TakesEffect::OnApply => self.machine.applied(),
        }
    }

    /// The next step towards `target`.
    fn next_members(&self, current: &Membership, target: &Membership) -> Membership {
        let is_one_step = current.may_be_followed_by(target) || self.config.has(Mutant::NaiveMultiChange);
        match self.config.transition {
            Transition::Auto if is_one_step => *target,
            Transition::Auto | Transition::JointImplicit => current.joint(target, Leave::Implicit),
            Transition::JointExplicit => current.joint(target, Leave::Explicit),
        }
    }

    fn append_members(&mut self, context: &mut Context<'_, A::Host>, op: OpId, members: Membership) {
        context.reach(Point::MembersChanged);
        self.append_for(context, op, Payload::Members(members));
    }

    /// A client wants to leave a joint membership that is not left by itself.
    fn on_leave_request(&mut self, context: &mut Context<'_, A::Host>, op: OpId) {
        let (_, current) = self.log.membership();
        if !current.is_joint() {
            return context.reply(op, Outcome::Done);
        }
        if !self.may_change_members() {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        self.append_members(context, op, current.left());
    }

    /// Begins to send everything to new nodes, which have no vote meanwhile and are in nobody's membership.
    fn start_catch_up(
        &mut self,
        context: &mut Context<'_, A::Host>,
        op: OpId,
        change: Change,
        nodes: NodeSet,
    ) {
        let (target, started) = (self.log.last_index(), context.now());
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader changes members") };
        leader.make_room(nodes, target);
        leader.catch_up = Some(CatchUp { op: Some(op), change, nodes, round: 1, target, started });
        self.replicate(context);
        for node in nodes.iter() {
            self.on_caught_up_to(context, node);
        }
    }

    /// `node` has more of the log. When all new nodes have what the round was for, it is over.
    pub(super) fn on_caught_up_to(&mut self, context: &mut Context<'_, A::Host>, node: NodeId) {
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(catch_up) = leader.catch_up else { return };
        let has_target = |node: NodeId| leader.progress[node.index()].match_index >= catch_up.target;
        if !catch_up.nodes.contains(node) || !catch_up.nodes.iter().all(has_target) {
            return;
        }
        let now = context.now();
        if now.since(catch_up.started) < self.config.election_timeout.start {
            self.append_change(context);
        } else if catch_up.round < self.config.catch_up_rounds {
            let (round, target) = (catch_up.round + 1, self.log.last_index());
            leader.catch_up = Some(CatchUp { round, target, started: now, ..catch_up });
        } else {
            self.give_up_change(context);
        }
    }

    /// With each heartbeat: new nodes that do not finish a round are given up, else no other change could be made.
    pub(super) fn watch_catch_up(&mut self, context: &mut Context<'_, A::Host>) {
        let Role::Leader(leader) = &self.role else { return };
        let Some(catch_up) = leader.catch_up else { return };
        let patience = self.config.election_timeout.end.times(self.config.catch_up_rounds);
        if context.now().since(catch_up.started) > patience {
            self.give_up_change(context);
        }
    }

    fn take_catch_up(&mut self) -> Option<(OpId, Change)> {
        let Role::Leader(leader) = &mut self.role else { return None };
        let CatchUp { op, change, .. } = leader.catch_up.take()?;
        Some((op?, change))
    }

    /// The new nodes have caught up: the change is appended, if it still may.
    fn append_change(&mut self, context: &mut Context<'_, A::Host>) {
        let Some((op, change)) = self.take_catch_up() else { return };
        let (_, current) = self.log.membership();
        match current.changed_by(change) {
            Some(target) if self.may_change_members() => {
                self.append_members(context, op, self.next_members(&current, &target));
            }
            Some(_) | None => context.reply(op, Outcome::Refused(Refusal::Unavailable)),
        }
    }

    /// They have not.
    fn give_up_change(&mut self, context: &mut Context<'_, A::Host>) {
        context.reach(Point::CatchUpFailed);
        if let Some((op, _)) = self.take_catch_up() {
            context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
    }

    /// Takes the membership that is in force from the log.
    pub(super) fn refresh_members(&mut self, context: &mut Context<'_, A::Host>) {
        let (index, members) = self.members_of_log();
        if self.config.has(Mutant::ConfigNotRolledBack) && index < self.members_index {
            return;
        }
        self.members_index = index;
        if members == self.members {
            return;
        }
        self.members = members;
        match &mut self.role {
            Role::Leader(leader) => leader.make_room(members.all(), self.log.last_index()),
            Role::Follower(_) | Role::PreCandidate(_) | Role::Candidate(_) => {
                self.reset_election_timer(context);
            }
        }
    }

    /// The membership that is in force by the rules, and the entry that brought it, where `executed` is executed and
    /// the log ends with `last`. What a mutant makes of it does not count.
    pub fn rightful_members(&self, executed: Index, last: Index) -> (Index, Membership) {
        match self.config.takes_effect {
            TakesEffect::OnAppend => self.log.membership_at(last),
            TakesEffect::OnApply => self.log.settled_membership(executed, last),
        }
    }

    /// Whether a membership is committed that this node has not executed, and must before it campaigns.
    pub(super) fn is_behind_members(&self) -> bool {
        self.config.takes_effect == TakesEffect::OnApply
            && self.log.membership_at(self.log.commit()).0 > self.members_index
    }

    /// The membership that is in force, as mutants see it too, and the entry that brought it.
    fn members_of_log(&self) -> (Index, Membership) {
        let (index, members) = if self.config.has(Mutant::ConfigOnApply) {
            self.log.membership_at(self.machine.applied())
        } else if self.config.has(Mutant::ConfigLostOnRestart)
            && self.log.membership().0 <= self.recovered_index
        {
            self.log.membership_at(self.log.commit())
        } else {
            self.rightful_members(self.machine.applied(), self.log.last_index())
        };
        (index, self.miscounted(members))
    }

    /// The membership as mutants count it.
    fn miscounted(&self, mut members: Membership) -> Membership {
        if self.config.has(Mutant::LearnerCounted) {
            members.voters = members.voters.union(members.learners);
        }
        if self.config.has(Mutant::LeaderIgnoresRemoval) && matches!(self.role, Role::Leader(_)) {
            members.voters = members.voters.with(self.node);
        }
        members
    }

    /// More is committed, or executed. A joint membership that is settled is left; a leader that is no voter any more
    /// goes.
    pub(super) fn on_members_settled(&mut self, context: &mut Context<'_, A::Host>) {
        let (index, members) = self.log.membership();
        if !matches!(self.role, Role::Leader(_)) || index > self.settled() {
            return;
        }
        if members.is_joint() {
            if members.leave == Leave::Implicit {
                self.leave_joint(context, members);
            }
        } else if !self.members.is_voter(self.node) {
            self.on_removed(context);
        }
    }

    /// The leader is no voter any more. With a membership that is in force when it is executed, others may not know that.
    fn on_removed(&mut self, context: &mut Context<'_, A::Host>) {
        match (&self.role, self.config.takes_effect) {
            (Role::Leader(leader), TakesEffect::OnApply) if leader.handover.is_none() => {
                context.reach(Point::LeaderRemoved);
                self.hand_over_to_a_voter(context);
            }
            (_, TakesEffect::OnApply) => {}
            (_, TakesEffect::OnAppend) => {
                context.reach(Point::LeaderRemoved);
                self.become_follower(context, None);
            }
        }
    }

    fn leave_joint(&mut self, context: &mut Context<'_, A::Host>, members: Membership) {
        let entry = Entry { term: self.term(), payload: Payload::Members(members.left()) };
        // On a full disk the joint membership stays until something else is committed.
        if self.append_own(context, entry).is_ok() {
            self.refresh_members(context);
            self.flush(context);
            self.replicate(context);
        }
    }
}

/// The nodes that a request is about.
const fn named_nodes(admin: Admin) -> [Option<NodeId>; 2] {
    match admin {
        Admin::AddNode(node)
        | Admin::AddLearner(node)
        | Admin::RemoveNode(node)
        | Admin::TransferLeadership(node) => [Some(node), None],
        Admin::AddNodes(first, second) => [Some(first), Some(second)],
        Admin::ReplaceNode { remove, add } => [Some(remove), Some(add)],
        Admin::LeaveJoint | Admin::ForgetLeader | Admin::Snapshot => [None, None],
    }
}

/// Whether the scenario has this node, and a membership can hold it.
fn is_known<H: Host>(context: &Context<'_, H>, node: NodeId) -> bool {
    node.index() < context.node_count().min(NodeSet::LIMIT)
}
