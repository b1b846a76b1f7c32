//! How updates travel down the chain, and acknowledgements up (§3.1 to §3.4).
//!
//! ```text
//!  history   1  2  3  4  5  6  7         of a server
//!                  │     │     ╰ last
//!                  │     ╰ acknowledged: the tail has it. What follows is the list of sent updates
//!                  ╰ base: what comes before is in the state alone
//! ```
//!
//! The network may lose messages and change their order. So updates have numbers, a server takes the next one and no other, and
//! asks for those between; and what is not acknowledged for a time is sent again.

use sim_core::service::{Outcome, Refusal, kv};
use sim_core::{Context, NodeId, OpId};

use super::facts::Fact;
use super::message::{Message, Transfer};
use super::metrics::{Counter, Latency};
use super::mutants::Mutant;
use super::server::{Part, Server};
use super::types::{Epoch, Stage};
use super::{ChainReplication, FaultPoint, Point, Timer};
use crate::replicated::{ChainedLog, Checkpoint, Command, Entries, Index, Memory};

impl Server {
    // ----- the head -----

    /// A client wants an update. What was done already is answered again once the tail has it.
    pub(super) fn on_update(
        &mut self,
        context: &mut Context<'_, ChainReplication>,
        op: OpId,
        operation: kv::Operation,
    ) {
        match self.machine.recall(op) {
            Memory::Unknown => {}
            Memory::TooOld => return,
            Memory::Executed(outcome) => {
                if !self.is_in_process(op) {
                    context.sometimes(Point::RetryAnswered as usize);
                    context.reply(op, outcome);
                }
                return;
            }
        }
        if self.in_process() >= self.config.in_process_max {
            return context.reply(op, Outcome::Refused(Refusal::Overloaded));
        }
        let before = self.last();
        self.apply(context, Command::Client { op, operation });
        context.begin(Latency::Acknowledged as usize, self.last().0);
        context.fault_point(FaultPoint::UpdateTaken as usize);
        if self.config.has(Mutant::AnswersAtHead)
            && let Some(Some(outcome)) = self.outcomes.back()
        {
            context.reply(op, outcome.clone());
        }
        self.pass_on(context, before);
    }

    /// Whether the update of `op` is on the list of sent ones.
    fn is_in_process(&self, op: OpId) -> bool {
        self.history
            .range(self.acknowledged.next(), self.in_process())
            .any(|entry| matches!(entry, Command::Client { op: other, .. } if *other == op))
    }

    /// Adds an update to the history.
    fn apply(&mut self, context: &mut Context<'_, ChainReplication>, entry: Command) {
        self.history.push(entry);
        let key = match entry {
            Command::Client { operation, .. } => Some(operation.key()),
            Command::Noop => None,
        };
        let before = key.and_then(|key| self.machine.read(key));
        let outcome = self.machine.apply(&entry, |index, chain| context.fact(Fact::Applied { index, chain }));
        self.outcomes.push_back(outcome);
        if let Some(key) = key {
            self.versions.change(key, self.machine.applied(), before, self.machine.read(key));
        }
    }

    /// Sends on what it has had since `before`; at the tail that is committed.
    fn pass_on(&mut self, context: &mut Context<'_, ChainReplication>, before: Index) {
        if self.part == Part::Serving && self.configuration.successor(self.me).is_some() {
            self.forward(context, before);
        }
        if self.is_tail() {
            self.commit(context);
        } else if self.config.has(Mutant::AcknowledgesAtOnce) {
            self.acknowledge(context, self.last());
        }
    }

    // ----- down the chain -----

    /// Sends the successor everything after `after`.
    fn forward(&self, context: &mut Context<'_, ChainReplication>, after: Index) {
        assert!(after >= self.history.base(), "{} has no more of what follows {after}", self.me);
        let mut after = after;
        while after < self.last() {
            after = self.forward_batch(context, after);
        }
    }

    /// Sends the successor what comes after `after`, as much as fits in a message; returns up to where.
    fn forward_batch(&self, context: &mut Context<'_, ChainReplication>, after: Index) -> Index {
        let Some(successor) = self.configuration.successor(self.me) else { return self.last() };
        let entries: Entries<Command> =
            self.history.range(after.next(), self.config.batch_max).copied().collect();
        let sent = after.plus(entries.len() as u64);
        let message = Message::Forward { epoch: self.epoch(), after, entries, last: self.last() };
        context.send(successor.node, message);
        sent
    }

    /// Sends the list of sent updates to the successor, or asks what it has.
    pub(super) fn send_sent_again(&self, context: &mut Context<'_, ChainReplication>) {
        context.fault_point(FaultPoint::BeforeSentAgain as usize);
        if self.in_process() == 0 {
            self.forward_batch(context, self.last());
        } else {
            context.sometimes(Point::SentAgain as usize);
            context.count(Counter::UpdatesSentAgain as usize, self.in_process());
            self.forward(context, self.acknowledged);
        }
    }

    /// The bug: takes what it has sent for acknowledged.
    pub(super) fn drop_sent(&mut self) {
        self.acknowledged = self.last();
        self.outcomes.clear();
        self.versions.settle(self.acknowledged);
    }

    /// Time to look whether something was lost: if not all that was sent before the last look is acknowledged.
    pub(super) fn on_resend_due(&mut self, context: &mut Context<'_, ChainReplication>) {
        context.set_timer(Timer::Resend, self.config.resend);
        let stalls = self.acknowledged < self.sent_before;
        self.sent_before = self.last();
        let joins = self.configuration.joiner.map(|joiner| joiner.member);
        let hands_on = self.configuration.successor(self.me).is_some_and(|next| Some(next) == joins);
        if self.part == Part::Serving && (stalls || hands_on) {
            self.send_sent_again(context);
        }
        self.ask_again(context);
    }

    /// The predecessor sends updates.
    pub(super) fn on_forward(
        &mut self,
        context: &mut Context<'_, ChainReplication>,
        after: Index,
        entries: &Entries<Command>,
        last: Index,
    ) {
        let before = self.last();
        for (place, entry) in (1..).zip(entries.iter()) {
            if after.plus(place) == self.last().next() {
                self.apply(context, *entry);
            }
        }
        if let Part::Joining { .. } = self.part {
            return self.on_copied(context, before, last);
        }
        if self.last() > before {
            self.pass_on(context, before);
        } else if self.last() >= last {
            // Nothing new: the acknowledgement was lost, or comes later.
            self.tell_acknowledged(context);
        }
        if self.last() < last {
            self.ask_for_more(context, before);
        }
    }

    /// Asks the predecessor for what follows, once for each update that it has got, and whenever it is shown nothing new.
    fn ask_for_more(&mut self, context: &mut Context<'_, ChainReplication>, before: Index) {
        if self.asked_after == Some(self.last()) && before < self.last() {
            return;
        }
        context.sometimes(Point::Overtaken as usize);
        self.asked_after = Some(self.last());
        if let Some(predecessor) = self.configuration.predecessor(self.me) {
            context.send(predecessor.node, Message::Missing { epoch: self.epoch(), after: self.last() });
        }
    }

    /// The successor lacks what comes after `after`.
    pub(super) fn on_missing(&self, context: &mut Context<'_, ChainReplication>, from: NodeId, after: Index) {
        assert!(
            after <= self.last(),
            "{from} has {after}, and its predecessor {} has {}",
            self.me,
            self.last()
        );
        if after < self.history.base() {
            return self.transfer(context);
        }
        context
            .count(Counter::UpdatesSentAgain as usize, self.last().since(after).min(self.config.batch_max));
        self.forward_batch(context, after);
    }

    // ----- up the chain -----

    /// All that the tail has is committed: clients are answered, and the acknowledgement begins its way up.
    fn commit(&mut self, context: &mut Context<'_, ChainReplication>) {
        while self.acknowledged < self.last() {
            let index = self.acknowledged.next();
            let entry = self.history.get(index).copied().expect("the list of sent updates is in the history");
            let chain = self.history.chain_at(index).expect("as is its chain");
            let outcome = self.outcomes.pop_front().expect("each of them has come to something");
            self.acknowledged = index;
            context.end(Latency::Acknowledged as usize, index.0);
            context.fact(Fact::Committed { index, chain });
            context.fault_point(FaultPoint::BeforeReply as usize);
            if let (Command::Client { op, .. }, Some(outcome)) = (entry, outcome) {
                context.reply(op, outcome);
            }
        }
        self.settle(context);
    }

    /// Everything up to `acknowledged` is off the list.
    fn settle(&mut self, context: &mut Context<'_, ChainReplication>) {
        context.fact(Fact::Acknowledged { index: self.acknowledged });
        self.versions.settle(self.acknowledged);
        let kept = self.acknowledged.since(self.history.base());
        if kept > self.config.history_kept {
            self.history.compact_to(self.history.base().plus(kept - self.config.history_kept));
        }
        context.fault_point(FaultPoint::BeforeAcknowledge as usize);
        self.tell_acknowledged(context);
    }

    /// Tells the predecessor how far the tail is.
    fn tell_acknowledged(&self, context: &mut Context<'_, ChainReplication>) {
        if let Some(predecessor) = self.configuration.predecessor(self.me) {
            let message = Message::Acknowledge { epoch: self.epoch(), index: self.acknowledged };
            context.send(predecessor.node, message);
        }
    }

    /// The successor says how far the tail is.
    pub(super) fn on_acknowledge(&mut self, context: &mut Context<'_, ChainReplication>, index: Index) {
        if self.part == Part::Serving && index > self.acknowledged {
            self.acknowledge(context, index);
        }
    }

    fn acknowledge(&mut self, context: &mut Context<'_, ChainReplication>, index: Index) {
        assert!(index <= self.last(), "{} has {}, and the tail after it {index}", self.me, self.last());
        for gone in self.acknowledged.0..index.0 {
            self.outcomes.pop_front();
            context.end(Latency::Acknowledged as usize, gone + 1);
        }
        self.acknowledged = index;
        self.settle(context);
    }

    /// A new configuration makes it the tail: all that it has is committed.
    pub(super) fn become_tail(&mut self, context: &mut Context<'_, ChainReplication>) {
        self.commit(context);
        for (op, key) in std::mem::take(&mut self.asking) {
            self.on_query(context, op, key);
        }
        if self.configuration.joiner.is_some() {
            self.send_sent_again(context);
        }
    }

    // ----- joining -----

    /// A new server has more of what its predecessor has; all that the tail has, or had at least when it sent it.
    fn on_copied(&mut self, context: &mut Context<'_, ChainReplication>, before: Index, last: Index) {
        let is_copying = self.configuration.joiner.is_some_and(|joiner| joiner.stage == Stage::Copying);
        if is_copying {
            // The sender is the tail: what it has is committed.
            self.outcomes.clear();
            self.acknowledged = self.last();
            self.versions.settle(self.acknowledged);
        }
        if self.last() < last {
            return self.ask_for_more(context, before);
        }
        if !is_copying {
            self.join(context);
        } else if self.part != (Part::Joining { has_copy: true }) {
            self.part = Part::Joining { has_copy: true };
            self.report(context);
        }
    }

    /// The predecessor has handed over: whatever it answered as the tail is here.
    pub(super) fn join(&mut self, context: &mut Context<'_, ChainReplication>) {
        context.fault_point(FaultPoint::BeforeJoining as usize);
        self.part = Part::Serving;
        context.fact(Fact::Joined);
        if self.is_tail() {
            self.commit(context);
        }
        self.report(context);
    }

    /// Sends the successor everything.
    fn transfer(&self, context: &mut Context<'_, ChainReplication>) {
        let Some(successor) = self.configuration.successor(self.me) else { return };
        let state = if self.config.has(Mutant::ClientsNotCopied) {
            self.machine.without_sessions()
        } else {
            self.machine.clone()
        };
        let transfer = Transfer {
            epoch: self.epoch(),
            state: Checkpoint(state),
            acknowledged: self.acknowledged,
            chain: self.history.chain_at(self.acknowledged).expect("it is not before the base"),
            sent: self.history.range(self.acknowledged.next(), self.in_process()).copied().collect(),
        };
        context.count(Counter::StatesTransferred as usize, 1);
        context.send(successor.node, Message::Transfer(Box::new(transfer)));
    }

    /// The predecessor sends everything.
    pub(super) fn on_transfer(&mut self, context: &mut Context<'_, ChainReplication>, transfer: &Transfer) {
        let Checkpoint(machine) = &transfer.state;
        let before = self.last();
        if self.part == Part::Serving || machine.applied() <= before {
            return;
        }
        context.sometimes(Point::StateInstalled as usize);
        self.machine = machine.clone();
        self.history = ChainedLog::starting_after(transfer.acknowledged, transfer.chain);
        self.acknowledged = transfer.acknowledged;
        self.outcomes.clear();
        for entry in transfer.sent.iter() {
            self.history.push(*entry);
            self.outcomes.push_back(self.remembered(entry));
        }
        context.fact(Fact::Installed { index: self.last(), chain: self.history.last_chain() });
        self.on_copied(context, before, machine.applied());
    }

    /// What came of an update, as far as the state remembers it.
    fn remembered(&self, entry: &Command) -> Option<Outcome> {
        match entry {
            Command::Noop => None,
            Command::Client { op, .. } => match self.machine.recall(*op) {
                Memory::Executed(outcome) => Some(outcome),
                Memory::TooOld | Memory::Unknown => None,
            },
        }
    }

    /// Whether a message is of this server's epoch. A newer one means that the master should be asked; an older sender will hear.
    pub(super) fn is_of_now(&self, context: &mut Context<'_, ChainReplication>, epoch: Epoch) -> bool {
        if epoch > self.epoch() {
            self.report(context);
        }
        epoch == self.epoch() && self.part != Part::Outside
    }
}
