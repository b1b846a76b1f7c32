//! Heartbeats, and how a node gets the decisions it has missed.
//!
//! A leader's messages say up to where everything is decided. A follower knows the decisions of the slots it has accepted
//! under the leader's ballot; of others it asks the leader.

use std::cmp::Ordering;

use sim_core::{Context, NodeId};

use super::message::Message;
use super::process::send;
use super::role::Role;
use super::types::{Proposals, Round};
use super::{Paxos, Point, Timer};
use crate::replicated::{Ballot, Index};

impl Paxos {
    /// Time to show that the leader lives, and to repeat what may have been lost.
    pub(super) fn on_heartbeat_timeout(&mut self, context: &mut Context<'_, Self>) {
        context.set_timer(Timer::Heartbeat, self.config.heartbeat);
        self.start_round(context);
        self.ask_new_acceptors(context);
        self.resend(context);
        self.mark_decided(context);
    }

    /// Starts a round of heartbeats to everybody who decides a slot that is not decided.
    pub(super) fn start_round(&mut self, context: &mut Context<'_, Self>) {
        let everybody = self.everybody();
        let now = context.now();
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader sends heartbeats") };
        leader.round = leader.round.next();
        if self.config.lease().is_some() {
            leader.sent.push_back((leader.round, now));
        }
        let (ballot, round, decided) = (leader.ballot, leader.round, self.log.last());
        self.grant_lease(context, self.node);
        for to in everybody.without(self.node).iter() {
            send(context, to, Message::Heartbeat { ballot, decided, round });
        }
        self.on_round_answered(context);
    }

    /// The leader lives.
    pub(super) fn on_heartbeat(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        ballot: Ballot,
        decided: Index,
        round: Round,
    ) {
        if !self.follow(context, from, ballot) {
            return;
        }
        if self.is_non_voting() {
            self.ask_to_rejoin(context, from);
        } else {
            self.grant_lease(context, from);
            send(context, from, Message::HeartbeatReply { ballot, round, life: self.life });
        }
        self.log.decide_up_to(ballot, decided, context);
        if self.log.last() < decided && !self.is_non_voting() {
            context.sometimes(Point::FollowerCatchesUp as usize);
            send(context, from, Message::CatchUp { decided: self.log.last() });
        }
        self.mark_decided(context);
        self.on_decisions_made(context);
    }

    /// A node says how far it is, and gets what it has missed: decisions, or a snapshot where they are forgotten. If it is
    /// further than this node, this one asks.
    pub(super) fn on_catch_up(&self, context: &mut Context<'_, Self>, from: NodeId, decided: Index) {
        if decided < self.log.base() {
            return self.send_snapshot(context, from, 0);
        }
        match decided.cmp(&self.log.last()) {
            Ordering::Greater => send(context, from, Message::CatchUp { decided: self.log.last() }),
            Ordering::Less => {
                let first = decided.next();
                let proposals = self.log.decisions(first, self.config.batch_max);
                send(context, from, Message::Decisions { first, proposals });
            }
            Ordering::Equal => {}
        }
    }

    /// Decisions arrive.
    pub(super) fn on_decisions(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        first: Index,
        proposals: &Proposals,
    ) {
        let before = self.log.last();
        for (slot, proposal) in (first.0..).map(Index).zip(proposals.iter()) {
            // On a full disk the rest counts as lost.
            if self.log.decide(slot, *proposal, context).is_err() {
                break;
            }
        }
        self.on_decisions_made(context);
        // A leader that lags is told the same again and again, by those of whom it asks a promise.
        let has_use = self.log.last() > before || matches!(self.role, Role::Leader(_));
        if has_use && proposals.len() as u64 >= self.config.batch_max {
            self.ask_for_more(context, from);
        }
    }

    /// Goes on catching up with `from`, who may have more.
    pub(super) fn ask_for_more(&self, context: &mut Context<'_, Self>, from: NodeId) {
        send(context, from, Message::CatchUp { decided: self.log.last() });
    }
}
