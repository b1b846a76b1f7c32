//! Changes of the acceptors (PMMC §3.1): decided in a slot like anything else, in force a window of slots later.
//!
//! A leader may propose for a slot that new acceptors decide only when it has promises of a phase 1 quorum of *them*: a
//! leader before it may have proposed to them already. Usually those who have promised are enough of the new ones too.

use sim_core::service::{Admin, Outcome, Refusal};
use sim_core::{Context, NodeId, OpId};

use super::message::Message;
use super::metrics::Counter;
use super::mutants::Mutant;
use super::process::send;
use super::role::{Leader, Role};
use super::types::{Change, Proposal};
use super::{Paxos, Point};
use crate::replicated::{Index, MEMBERS_MAX, NodeSet, Phase};

impl Paxos {
    /// Administration, at the leader.
    pub(super) fn on_admin(&mut self, context: &mut Context<'_, Self>, op: OpId, admin: Admin) {
        match admin {
            Admin::AddNode(node) => self.on_change(context, op, Change::Add(node)),
            Admin::RemoveNode(node) => self.on_change(context, op, Change::Remove(node)),
            Admin::Snapshot => {
                self.take_snapshot(context);
                context.reply(op, Outcome::Done);
            }
            Admin::AddLearner(_)
            | Admin::AddNodes(..)
            | Admin::ReplaceNode { .. }
            | Admin::LeaveJoint
            | Admin::ForgetLeader
            | Admin::TransferLeadership(_) => context.reply(op, Outcome::Refused(Refusal::Unsupported)),
        }
    }

    /// Proposes a change that makes a difference and leaves somebody. Grids and weights are made for their members.
    fn on_change(&mut self, context: &mut Context<'_, Self>, op: OpId, change: Change) {
        let latest = self.membership.latest();
        let (Change::Add(node) | Change::Remove(node) | Change::Readmit(node, _)) = change;
        if node.index() >= MEMBERS_MAX.min(context.node_count()) {
            return context.reply(op, Outcome::Refused(Refusal::NotFound));
        }
        let after = change.apply(latest);
        if after == latest {
            return context.reply(op, Outcome::Done);
        }
        if after.is_empty() || !self.config.quorums.follows_members() {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        }
        self.enqueue(context, op, Proposal::Reconfigure(change));
    }

    /// A change was decided for `slot`.
    pub(super) fn reconfigure(&mut self, context: &mut Context<'_, Self>, slot: Index, change: Change) {
        context.sometimes(Point::Reconfigured as usize);
        let delay = if self.config.has(Mutant::ReconfigNoWindow) { 1 } else { self.config.window };
        self.membership.forget_before(slot);
        self.membership.change(slot.plus(delay), change);
        if let Change::Readmit(node, life) = change {
            self.on_readmitted(context, (node, life), slot.plus(delay));
        }
        self.ask_new_acceptors(context);
    }

    /// A leader asks those for their promise who decide later slots and have not given it.
    pub(super) fn ask_new_acceptors(&self, context: &mut Context<'_, Self>) {
        let Role::Leader(leader) = &self.role else { return };
        if self.membership.after(self.log.last().next()).next().is_none() && self.unprepared(leader).is_none()
        {
            return;
        }
        let message = Message::Prepare { ballot: leader.ballot, first: leader.preparation.first };
        let has_promised =
            |node| leader.preparation.promised_by.contains(node, self.membership.latest_life(node));
        for to in self.everybody().without(self.node).iter().filter(|node| !has_promised(*node)) {
            context.count(Counter::Prepares as usize, 1);
            send(context, to, message.clone());
        }
    }

    /// The first slot that is not decided and whose acceptors have not promised in sufficient number.
    #[inline]
    pub(super) fn unprepared(&self, leader: &Leader) -> Option<Index> {
        let next = self.log.last().next();
        let promised_by = &leader.preparation.promised_by;
        let is_prepared = |(slot, members): &(Index, NodeSet)| {
            self.config.is_enough(Phase::One, promised_by.of(*slot, &self.membership), *members)
        };
        let mut epochs = std::iter::once((next, self.membership.at(next))).chain(self.membership.after(next));
        epochs.find(|epoch| !is_prepared(epoch)).map(|(slot, _)| slot)
    }

    /// A leader that decides nothing any more lets others lead.
    pub(super) fn maybe_step_down(&mut self, context: &mut Context<'_, Self>) {
        if !self.everybody().contains(self.node) || self.is_non_voting() {
            self.become_follower(context, None);
        }
    }

    /// Everybody who decides a slot that is not decided, as far as this node knows.
    #[inline]
    pub(super) fn everybody(&self) -> NodeSet {
        self.membership.everybody_from(self.log.last().next())
    }

    /// Whom this node believes to lead.
    pub(super) fn leader(&self) -> Option<NodeId> {
        match &self.role {
            Role::Follower(follower) => follower.leader,
            Role::Candidate(_) => None,
            Role::Leader(_) => Some(self.node),
        }
    }

    /// Whom a client should ask instead. A leader makes itself known to the acceptors only. Who is none of them may have heard
    /// of no leader, or of one that is no acceptor any more, and names one of them: that one knows.
    pub(super) fn whom_to_ask(&self, context: &mut Context<'_, Self>) -> Option<NodeId> {
        let (leader, acceptors) = (self.leader(), self.everybody());
        if acceptors.contains(self.node) || leader.is_some_and(|leader| acceptors.contains(leader)) {
            return leader;
        }
        let place = context.random().below(acceptors.len() as u64);
        Some(acceptors.at(usize::try_from(place).expect("few acceptors")))
    }
}
