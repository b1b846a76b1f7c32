//! Leadership transfer (dissertation §3.10).
//!
//! ```text
//!  client          leader                                   target
//!    │ transfer ─────>│ refuses proposals                      │
//!    │                │ ── AppendEntries until it has all ────>│
//!    │                │ ── TimeoutNow ────────────────────────>│ campaigns at once, and voters let go of the leader
//!    │                │ <── RequestVote, term + 1 ─────────────│
//!    │ <── done ──────│ follows                                │
//! ```
//!
//! If the target has not taken over within the shortest election timeout, the leader goes on. Its lease is void for the
//! rest of its term: a `TimeoutNow` that was sent may still arrive.

use serde::Serialize;
use sim_core::service::{Outcome, Refusal};
use sim_core::{Context, NodeId, OpId};

use super::host::{Acts as _, Application};
use super::message::Message;
use super::mutants::Mutant;
use super::role::Role;
use super::{Point, Replica, Timer};
use crate::replicated::NodeSet;

/// Leadership on its way.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Handover {
    /// To whom.
    pub(super) target: NodeId,
    /// Who asked; nobody where a leader goes that was removed.
    op: Option<OpId>,
    /// Whether the target was told.
    pub(super) is_sent: bool,
}

impl<A: Application> Replica<A> {
    /// A client wants another node to lead.
    pub(super) fn on_transfer_request(
        &mut self,
        context: &mut Context<'_, A::Host>,
        op: OpId,
        target: NodeId,
    ) {
        if target == self.node {
            return context.reply(op, Outcome::Done);
        }
        if !self.members.is_voter(target) {
            return context.reply(op, Outcome::Refused(Refusal::NotFound));
        }
        let Role::Leader(leader) = &self.role else { unreachable!("only a leader hands over") };
        if leader.handover.is_some() {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        self.begin_handover(context, target, Some(op));
    }

    /// This leader was removed, which the others may not know: they still decide by the membership before, in which its
    /// log may be the only one that wins. So it leads until one of the voters that has all that is committed takes over.
    pub(super) fn hand_over_to_a_voter(&mut self, context: &mut Context<'_, A::Host>) {
        let Role::Leader(leader) = &self.role else { return };
        let previous = leader.handover.map(|handover| handover.target);
        let has_committed = |node: &NodeId| leader.progress[node.index()].match_index >= self.log.commit();
        let able: NodeSet = self.members.voters.iter().filter(has_committed).collect();
        let next = able.iter().find(|node| Some(*node) > previous).or_else(|| able.iter().next());
        if let Some(target) = next {
            self.begin_handover(context, target, None);
        }
    }

    fn begin_handover(&mut self, context: &mut Context<'_, A::Host>, target: NodeId, op: Option<OpId>) {
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader hands over") };
        leader.handover = Some(Handover { target, op, is_sent: false });
        context.arm(Timer::Transfer, self.config.election_timeout.start);
        self.maybe_hand_over(context, target);
        self.replicate(context);
    }

    /// Tells the target to campaign, once it has everything.
    pub(super) fn maybe_hand_over(&mut self, context: &mut Context<'_, A::Host>, node: NodeId) {
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(handover) = &mut leader.handover else { return };
        let has_all = leader.progress[node.index()].match_index == self.log.last_index();
        if handover.target != node || handover.is_sent || !has_all {
            return;
        }
        handover.is_sent = true;
        if !self.config.has(Mutant::LeaseKeptOnTransfer) {
            leader.lease.make_void();
        }
        let term = self.hard.term;
        self.send(context, node, Message::TimeoutNow { term });
    }

    /// The target has not taken over in time. If it was never told, it certainly will not.
    pub(super) fn on_transfer_timeout(&mut self, context: &mut Context<'_, A::Host>) {
        context.reach(Point::TransferAborted);
        if !self.members.is_voter(self.node) {
            return self.hand_over_to_a_voter(context);
        }
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader hands over") };
        if let Some(Handover { op: Some(op), is_sent: false, .. }) = leader.handover.take() {
            context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
    }

    /// `from` brings a newer term. If it is the target, it does what was asked of it.
    pub(super) fn settle_handover(&self, context: &mut Context<'_, A::Host>, from: NodeId) {
        if let Role::Leader(leader) = &self.role
            && let Some(Handover { target, op: Some(op), is_sent: true }) = leader.handover
            && target == from
        {
            context.reply(op, Outcome::Done);
        }
    }
}
