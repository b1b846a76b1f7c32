//! Phase 2, slot after slot, and what follows from a decision.
//!
//! A leader keeps a commander for each slot that it has proposed for and not seen chosen, at most a window of them beyond
//! what is executed. What phase 1 reported comes first, each slot with what may have been chosen for it; slots in between
//! of which nobody reported anything are filled with no-ops, because executing stops at a hole; then come the clients.

use sim_core::service::{Outcome, Refusal, kv};
use sim_core::{Context, NodeId, OpId};

use super::durable::Deferred;
use super::facts::Fact;
use super::message::{Accept, Message};
use super::metrics::{Counter, Latency};
use super::mutants::Mutant;
use super::process::send;
use super::role::{Commander, Leader, Pending, Role};
use super::types::{Change, Proposal, Proposals, Pvalue};
use super::{FaultPoint, Level, Paxos, Point};
use crate::replicated::{Ballot, Command, Index, Life, Memory, NodeSet, Phase};

impl Paxos {
    /// A client's command, at the leader: it gets a slot, and is answered when that is executed.
    pub(super) fn propose_command(
        &mut self,
        context: &mut Context<'_, Self>,
        op: OpId,
        operation: kv::Operation,
    ) {
        if let Memory::Executed(outcome) = self.machine.recall(op) {
            context.sometimes(Point::RetryAnswered as usize);
            return context.reply(op, outcome);
        }
        self.enqueue(context, op, Proposal::Command(Command::Client { op, operation }));
    }

    /// A proposal waits for a slot, or gets one at once.
    pub(super) fn enqueue(&mut self, context: &mut Context<'_, Self>, op: OpId, proposal: Proposal) {
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader proposes") };
        if leader.queue.len() as u64 >= self.config.queue_max {
            return context.reply(op, Outcome::Refused(Refusal::Overloaded));
        }
        leader.queue.push_back((proposal, op));
        self.propose_more(context);
    }

    /// Proposes for as many slots as the window allows.
    #[inline]
    pub(super) fn propose_more(&mut self, context: &mut Context<'_, Self>) {
        let limit = self.proposal_limit();
        while let Some((first, proposals, members)) = self.next_batch(limit) {
            if members.is_empty() {
                continue;
            }
            self.count_holes(context, first, proposals.len() as u64);
            self.send_accepts(context, first, &proposals, members);
        }
    }

    #[inline]
    fn count_holes(&self, context: &mut Context<'_, Self>, first: Index, count: u64) {
        let Role::Leader(leader) = &self.role else { return };
        let holes = leader.preparation.holes(first, count);
        if holes > 0 {
            context.count(Counter::GapSlots as usize, holes);
        }
    }

    /// The last slot that may be proposed for: within the window, and before the first slot whose acceptors have not
    /// promised in sufficient number. Those are asked for their promise.
    #[inline]
    fn proposal_limit(&self) -> Index {
        let Role::Leader(leader) = &self.role else { return Index::ZERO };
        let limit = self.log.last().plus(self.config.window);
        self.unprepared(leader).map_or(limit, |from| limit.min(from.previous()))
    }

    /// The next consecutive proposals, which the same acceptors decide.
    fn next_batch(&mut self, limit: Index) -> Option<(Index, Proposals, NodeSet)> {
        let Role::Leader(leader) = &mut self.role else { return None };
        let first = leader.next();
        if first > limit {
            return None;
        }
        let members = self.membership.at(first);
        let mut proposals = Vec::new();
        let fill = self.membership.waits_until();
        while leader.next() <= limit
            && (proposals.len() as u64) < self.config.batch_max
            && self.membership.at(leader.next()) == members
        {
            let slot = leader.next();
            let own = self.log.accepted_at(slot).is_some();
            let Some(proposal) = choose(leader, (slot, fill), &self.config, own) else { break };
            let left_alone = leaves_alone(leader, slot, &self.config);
            if left_alone && !proposals.is_empty() {
                break;
            }
            let members = if left_alone { NodeSet::EMPTY } else { members };
            leader.commanders.push_back(Commander { proposal, members, accepted_by: NodeSet::EMPTY });
            if left_alone {
                return Some((slot, Proposals::one(proposal), NodeSet::EMPTY));
            }
            proposals.push(proposal);
        }
        match proposals[..] {
            [] => None,
            [proposal] => Some((first, Proposals::one(proposal), members)),
            _ => Some((first, proposals.into_iter().collect(), members)),
        }
    }

    /// Phase 2a. The leader's own acceptor is one of them.
    fn send_accepts(
        &mut self,
        context: &mut Context<'_, Self>,
        first: Index,
        proposals: &Proposals,
        members: NodeSet,
    ) {
        let Role::Leader(leader) = &self.role else { return };
        let ballot = leader.ballot;
        for (slot, proposal) in (first.0..).map(Index).zip(proposals.iter()) {
            context.begin(Latency::Chosen as usize, slot.0);
            context.fact(Fact::Proposed(Pvalue { slot, ballot, proposal: *proposal }));
        }
        let accept = Accept { ballot, first, proposals: proposals.clone(), decided: self.log.last() };
        for to in members.without(self.node).iter() {
            send(context, to, Message::Accept(accept.clone()));
        }
        if members.contains(self.node) {
            self.accept(context, self.node, &accept);
        }
    }

    /// Phase 2a arrives.
    #[inline]
    pub(super) fn on_accept(&mut self, context: &mut Context<'_, Self>, from: NodeId, accept: &Accept) {
        let is_ignored = self.config.mutant.is_some() && self.ignores_promise(accept.ballot);
        if !is_ignored && !self.follow(context, from, accept.ballot) {
            return;
        }
        self.accept(context, from, accept);
        self.log.decide_up_to(accept.ballot, accept.decided, context);
        self.on_decisions_made(context);
    }

    /// For mutants: whether this node accepts under a ballot without promising it.
    fn ignores_promise(&self, ballot: Ballot) -> bool {
        match self.config.mutant {
            Some(Mutant::AcceptIgnoresPromise) => ballot < self.promised,
            Some(Mutant::AcceptNoBump) => ballot > self.promised,
            Some(_) | None => false,
        }
    }

    /// Accepts what it can write down, and votes for it once it is on disk. A slot that is decided here needs no vote: a
    /// leader that still proposes for it gets the decision instead.
    #[inline]
    fn accept(&mut self, context: &mut Context<'_, Self>, from: NodeId, accept: &Accept) {
        let &Accept { ballot, first, ref proposals, .. } = accept;
        if first <= self.log.last() {
            return self.accept_rest(context, from, accept);
        }
        if !self.is_acceptor_at(first) || !self.is_acceptor_at(first.plus(proposals.len() as u64).previous())
        {
            return self.accept_own(context, from, accept);
        }
        for (slot, proposal) in (first.0..).map(Index).zip(proposals.iter()) {
            // On a full disk the message counts as lost.
            if self.log.accept(Pvalue { slot, ballot, proposal: *proposal }, context).is_err() {
                return;
            }
        }
        self.tell_undecided(context);
        context.fault_point(FaultPoint::AcceptedWritten as usize);
        self.after_durable(context, Deferred::Vote { to: from, ballot, first, proposals: proposals.clone() });
    }

    /// This node has lost its disk, and is not the acceptor of all of the slots.
    fn accept_own(&mut self, context: &mut Context<'_, Self>, from: NodeId, accept: &Accept) {
        let &Accept { ballot, first, ref proposals, decided } = accept;
        let others =
            proposals.iter().zip((first.0..).map(Index)).skip_while(|(_, slot)| !self.is_acceptor_at(*slot));
        let own: Vec<_> = others.take_while(|(_, slot)| self.is_acceptor_at(*slot)).collect();
        if let Some((_, first)) = own.first().copied() {
            let proposals = own.into_iter().map(|(proposal, _)| *proposal).collect();
            self.accept(context, from, &Accept { ballot, first, proposals, decided });
        }
    }

    /// The first of the slots are decided here.
    fn accept_rest(&mut self, context: &mut Context<'_, Self>, from: NodeId, accept: &Accept) {
        let &Accept { ballot, first, ref proposals, decided } = accept;
        let known = self.log.last().since(first.previous()).min(proposals.len() as u64);
        if first > self.log.base() && decided < first && from != self.node {
            let proposals = self.log.decisions(first, known);
            send(context, from, Message::Decisions { first, proposals });
        }
        let rest = &proposals[usize::try_from(known).expect("at most the length")..];
        if !rest.is_empty() {
            let proposals = rest.iter().copied().collect();
            self.accept(context, from, &Accept { ballot, first: first.plus(known), proposals, decided });
        }
    }

    /// Phase 2b: the votes are on disk.
    pub(super) fn vote(
        &mut self,
        context: &mut Context<'_, Self>,
        to: NodeId,
        ballot: Ballot,
        first: Index,
        proposals: &Proposals,
    ) {
        for (slot, proposal) in (first.0..).map(Index).zip(proposals.iter()) {
            context.fact(Fact::Accepted(Pvalue { slot, ballot, proposal: *proposal }));
        }
        let count = proposals.len() as u64;
        if to == self.node {
            self.on_accepted(context, (self.node, self.life), ballot, first, count);
        } else {
            send(context, to, Message::Accepted { ballot, first, count, life: self.life });
        }
    }

    /// Phase 2b arrives.
    #[inline]
    pub(super) fn on_accepted(
        &mut self,
        context: &mut Context<'_, Self>,
        (from, life): (NodeId, Life),
        ballot: Ballot,
        first: Index,
        count: u64,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.ballot != ballot {
            return;
        }
        for slot in (first.0..first.0 + count).map(Index) {
            if let Some(commander) = leader.commander(slot)
                && self.membership.life_at(slot, from) == life
            {
                commander.accepted_by = commander.accepted_by.with(from);
            }
        }
        self.decide_chosen(context);
    }

    /// Decides, in order of slot, what a phase 2 quorum has accepted.
    fn decide_chosen(&mut self, context: &mut Context<'_, Self>) {
        let Role::Leader(leader) = &mut self.role else { return };
        let before = leader.base;
        while let Some(commander) = leader.commanders.front()
            && self.config.is_enough(Phase::Two, commander.accepted_by, commander.members)
            && self.log.decide(leader.base, commander.proposal, context).is_ok()
        {
            leader.commanders.pop_front();
            context.end(Latency::Chosen as usize, leader.base.0);
            leader.base = leader.base.next();
        }
        if leader.base > before {
            self.on_decisions_made(context);
        }
    }

    /// Executes what is decided, and does what waited for it.
    #[inline]
    pub(super) fn on_decisions_made(&mut self, context: &mut Context<'_, Self>) {
        self.tell_undecided(context);
        if self.machine.applied() < self.log.last() {
            context.fault_point(FaultPoint::BeforeApply as usize);
            self.apply_decided(context);
            self.maybe_take_snapshot(context);
            self.maybe_seal(context);
        }
        match &self.role {
            Role::Follower(_) => {}
            Role::Candidate(_) => self.maybe_lead(context),
            Role::Leader(_) => {
                self.dismiss_commanders(context);
                self.propose_more(context);
                self.serve_reads(context);
                self.maybe_step_down(context);
            }
        }
    }

    /// How many slots may yet be decided otherwise than it knows, or are holes.
    #[inline]
    fn tell_undecided(&self, context: &mut Context<'_, Self>) {
        context.gauge(Level::Undecided as usize, self.log.end().since(self.log.last()));
    }

    /// Commanders of slots that are decided, by whatever way that became known, have nothing to do any more.
    fn dismiss_commanders(&mut self, context: &mut Context<'_, Self>) {
        let Role::Leader(leader) = &mut self.role else { return };
        while leader.base <= self.log.last() {
            context.end(Latency::Chosen as usize, leader.base.0);
            leader.commanders.pop_front();
            leader.base = leader.base.next();
        }
    }

    /// Executes what is decided, in order, and answers the clients that wait for it.
    fn apply_decided(&mut self, context: &mut Context<'_, Self>) {
        while self.machine.applied() < self.log.last() {
            let slot = self.machine.applied().next();
            let proposal =
                *self.log.decided_at(slot).expect("a decided slot is in the log until it is executed");
            let witness = |slot, chain| context.fact(Fact::Applied { slot, chain });
            let mut outcome = self.machine.apply(&proposal, witness);
            if let Proposal::Reconfigure(change) = proposal {
                self.reconfigure(context, slot, change);
                outcome = Some(Outcome::Done);
            }
            self.answer(context, slot, &proposal, outcome);
        }
        if let Role::Leader(leader) = &mut self.role {
            leader.preparation.forget_before(self.log.last().next());
        }
    }

    /// Answers the client whose command stood in `slot`, if this node is the leader it asked. Another leader may have had
    /// something else decided there before this one hears of it: then the client asks again.
    fn answer(
        &mut self,
        context: &mut Context<'_, Self>,
        slot: Index,
        decided: &Proposal,
        outcome: Option<Outcome>,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        while leader.pending.pop_front_if(|pending| pending.slot < slot).is_some() {}
        if let Some(pending) = leader.pending.pop_front_if(|pending| pending.slot == slot)
            && pending.proposal == *decided
            && let Some(outcome) = outcome
        {
            context.reply(pending.op, outcome);
        }
    }

    /// Asks again for what was proposed before the last heartbeat and is not chosen: something was lost.
    pub(super) fn resend(&mut self, context: &mut Context<'_, Self>) {
        let Role::Leader(leader) = &mut self.role else { return };
        let (base, ballot) = (leader.base, leader.ballot);
        let old = usize::try_from(leader.resend_before.since(base)).unwrap_or(usize::MAX);
        leader.resend_before = leader.next();
        let old = old
            .min(leader.commanders.len())
            .min(usize::try_from(self.config.batch_max).unwrap_or(usize::MAX));
        let commanders: Vec<Commander> = leader.commanders.iter().take(old).copied().collect();
        let everybody = commanders.iter().fold(NodeSet::EMPTY, |all, commander| all.union(commander.members));
        for to in everybody.iter() {
            let lacks =
                |commander: &Commander| commander.members.contains(to) && !commander.accepted_by.contains(to);
            let Some(start) = commanders.iter().position(lacks) else { continue };
            let run = commanders[start..].iter().take_while(|commander| lacks(commander));
            let proposals = run.map(|commander| commander.proposal).collect();
            let accept =
                Accept { ballot, first: base.plus(start as u64), proposals, decided: self.log.last() };
            if to == self.node {
                self.accept(context, self.node, &accept);
            } else {
                context.sometimes(Point::AcceptRepeated as usize);
                send(context, to, Message::Accept(accept));
            }
        }
    }
}

/// What to propose for the next slot: what may be chosen already, nothing for a hole, the return of a node that has lost its
/// disk, what a client wants, or nothing up to the slot `fill`, so that such a node need not wait for clients.
fn choose(
    leader: &mut Leader,
    (slot, fill): (Index, Index),
    config: &super::Config,
    is_own: bool,
) -> Option<Proposal> {
    let (end, (decided, informant)) = (leader.preparation.end(), leader.preparation.decided);
    assert!(slot > decided, "slot {slot} is to be proposed for, and {informant} knows it to be decided");
    let ignores = match config.mutant {
        Some(Mutant::OwnValue) => true,
        Some(Mutant::NoopOverAccepted) => !is_own,
        Some(_) | None => false,
    };
    match leader.preparation.adopted(slot, config).filter(|_| !ignores) {
        Some(proposal) => Some(proposal),
        None if slot <= end => Some(Proposal::NOOP),
        None => {
            if let Some((node, life)) = leader.rejoining.pop_front() {
                return Some(Proposal::Reconfigure(Change::Readmit(node, life)));
            }
            let Some((proposal, op)) = leader.queue.pop_front() else {
                return (slot <= fill).then_some(Proposal::NOOP);
            };
            leader.pending.push_back(Pending { slot, proposal, op });
            Some(proposal)
        }
    }
}

/// For a mutant: whether a hole is left as it is.
fn leaves_alone(leader: &Leader, slot: Index, config: &super::Config) -> bool {
    config.has(Mutant::NoGapFill)
        && slot <= leader.preparation.end()
        && leader.preparation.adopted(slot, config).is_none()
}
