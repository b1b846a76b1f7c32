//! Clients: endpoints that issue operations, wait, retry and give up.
//!
//! A client has one operation under way at a time, as a Jepsen process has. It invokes it, sends it to a node,
//! and asks another node after each timeout; it follows redirects. Attempts of one operation share its
//! [`OpId`], so that a service can take a retried command once. After `give_up` the outcome is unknown, and the
//! client goes on with its next operation.
//!
//! At most one attempt is under way: it ends by its timeout, or by a redirect or refusal of the node that it asked. What
//! other nodes say late starts nothing, so that requests never multiply; only an answer proper counts whenever it
//! comes. A client does not tell two attempts at the same node apart: the late refusal of the first ends the second.

use std::collections::VecDeque;

use super::core::Core;
use super::event::{Event, Scheduled, Wake};
use super::setup::{ClientPolicy, ClientSetup, Start};
use crate::digest::Mark;
use crate::fingerprint::fingerprint;
use crate::metrics::{Counter, Gauge, Latency};
use crate::process::Process;
use crate::queue::Handle;
use crate::random::{Probability, Stream};
use crate::service::{LAST_TICKET, Operation, Outcome, Refusal};
use crate::{ClientId, Endpoint, NodeId, OpId, SimTime};

/// The state of one client.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) setup: ClientSetup,
    pub(super) stream: Stream,
    /// The next step of the workload.
    next_step: u32,
    /// The next operation's ordinal; ahead of `next_step` by what was issued by hand.
    next_ordinal: u32,
    /// Operations issued by hand that wait for their turn.
    by_hand: VecDeque<Operation>,
    current: Option<Pending>,
    /// Who is believed to lead.
    hint: Option<NodeId>,
    /// The last that it got: it stands for [`LAST_TICKET`].
    ticket: u64,
}

/// An operation under way.
#[derive(Clone)]
struct Pending {
    ordinal: u32,
    operation: Operation,
    invoked: SimTime,
    /// How much was decided then.
    decided: u64,
    attempt: u32,
    target: NodeId,
    timeout: Option<Handle>,
}

impl Pending {
    /// Whether the attempt under way waits for an answer of this node.
    fn awaits(&self, from: Endpoint) -> bool {
        self.timeout.is_some() && from == self.target.into()
    }
}

impl Client {
    pub(super) fn new(setup: ClientSetup, stream: Stream) -> Self {
        assert!(!setup.policy.targets.is_empty(), "a client needs somebody to ask");
        Self {
            setup,
            stream,
            next_step: 0,
            next_ordinal: 0,
            by_hand: VecDeque::new(),
            current: None,
            hint: None,
            ticket: LAST_TICKET,
        }
    }

    /// Where the client stands in what it asks, as exploration tells states apart.
    pub(super) fn state_fingerprint(&self) -> u64 {
        let current = self.current.as_ref();
        let current = current.map(|pending| (pending.ordinal, pending.attempt, pending.target));
        fingerprint(&(self.next_step, self.next_ordinal, &self.by_hand, current, self.hint, self.ticket))
    }

    /// Whom the first attempt of an operation goes to.
    fn first_target(&mut self, client: ClientId) -> NodeId {
        let ClientPolicy { targets, roaming, .. } = &*self.setup.policy;
        if *roaming != Probability::ZERO && self.stream.chance(*roaming) {
            return *self.stream.pick(targets).expect("a client has somebody to ask");
        }
        self.target(client, 0)
    }

    /// Whom an attempt goes to: who is believed to lead, else the targets in turn.
    fn target(&mut self, client: ClientId, attempt: u32) -> NodeId {
        let targets = &self.setup.policy.targets;
        self.hint.unwrap_or_else(|| targets[(client.index() + attempt as usize) % targets.len()])
    }
}

impl<P: Process> Core<P> {
    /// Schedules the first operation of each client.
    pub(super) fn start_clients(&mut self) {
        for index in 0..self.clients.len() {
            self.plan_next_step(client_id(index));
        }
    }

    /// A client wakes up as planned.
    pub(super) fn on_client_wake(&mut self, client: ClientId, wake: Wake) {
        match wake {
            Wake::Issue(step) => self.issue_step(client, step),
            Wake::Attempt(ordinal, attempt) if self.is_current(client, ordinal, attempt) => {
                self.attempt(client);
            }
            Wake::Timeout(ordinal, attempt) if self.is_current(client, ordinal, attempt) => {
                self.metrics.increment(Counter::Retries);
                self.clients[client.index()].hint = None;
                self.retry(client, false);
            }
            Wake::Attempt(..) | Wake::Timeout(..) => {}
        }
    }

    /// An answer arrives.
    pub(super) fn on_client_reply(&mut self, client: ClientId, from: Endpoint, op: OpId, outcome: Outcome) {
        let Some(current) = &self.clients[client.index()].current else { return };
        if current.ordinal != op.ordinal {
            return;
        }
        let is_awaited = current.awaits(from);
        match outcome {
            Outcome::Redirect(_) | Outcome::Refused(Refusal::Unavailable | Refusal::Overloaded)
                if !is_awaited => {}
            Outcome::Redirect(hint) => self.on_redirect(client, hint),
            Outcome::Refused(Refusal::Unavailable | Refusal::Overloaded) => {
                self.clients[client.index()].hint = None;
                self.retry(client, true);
            }
            answer => self.complete(client, answer),
        }
    }

    /// A process answers. If that is a read, and the process knew less before this event than was decided when it was
    /// asked, the read is looked at once the event is over.
    pub(super) fn note_answer(&mut self, node: NodeId, op: OpId, outcome: &Outcome) {
        let Some(pending) = &self.clients[op.client.index()].current else { return };
        let is_answer = !matches!(outcome, Outcome::Redirect(_) | Outcome::Refused(_) | Outcome::Unknown);
        let is_read = pending.ordinal == op.ordinal && pending.operation.is_read() && is_answer;
        let status = self.hosts[node.index()].status.and_then(|status| status.process);
        if is_read && status.is_some_and(|status| status.commit < pending.decided) {
            self.leadership.on_read(pending.decided);
        }
    }

    /// Somebody issues an operation by hand: it takes its turn before the workload's next.
    pub(super) fn issue_by_hand(&mut self, client: ClientId, operation: Operation) {
        let state = &mut self.clients[client.index()];
        if state.current.is_some() {
            state.by_hand.push_back(operation);
        } else {
            self.invoke(client, operation);
        }
    }

    fn is_current(&self, client: ClientId, ordinal: u32, attempt: u32) -> bool {
        let current = &self.clients[client.index()].current;
        current.as_ref().is_some_and(|pending| (pending.ordinal, pending.attempt) == (ordinal, attempt))
    }

    fn plan_next_step(&mut self, client: ClientId) {
        let state = &self.clients[client.index()];
        let step_number = state.next_step;
        let Some(step) = state.setup.workload.step(client, step_number) else { return };
        let at = match step.start {
            Start::After(wait) => self.now + wait,
            Start::At(at) => at.max(self.now),
        };
        self.wake_client(client, at, Wake::Issue(step_number));
    }

    fn issue_step(&mut self, client: ClientId, step: u32) {
        let state = &mut self.clients[client.index()];
        if step != state.next_step {
            return;
        }
        let next = state.setup.workload.step(client, step).expect("a planned step exists");
        state.next_step += 1;
        if state.current.is_some() {
            state.by_hand.push_back(next.operation);
        } else {
            self.invoke(client, next.operation);
        }
    }

    fn invoke(&mut self, client: ClientId, operation: Operation) {
        let (now, state) = (self.now, &mut self.clients[client.index()]);
        let ordinal = state.next_ordinal;
        state.next_ordinal += 1;
        let operation = operation.with_ticket(state.ticket);
        let target = state.first_target(client);
        state.current = Some(Pending {
            ordinal,
            operation: operation.clone(),
            invoked: now,
            decided: self.leadership.decided(),
            attempt: 0,
            target,
            timeout: None,
        });
        let op = OpId { client, ordinal };
        self.digest.effect(Mark::Ask, client.into(), ordinal, fingerprint(&operation));
        self.metrics.increment(Counter::OperationsInvoked);
        self.metrics.rise(Gauge::OperationsPending, now, 1);
        self.leadership.on_asked(now);
        self.history.invoke(now, op, operation);
        self.attempt(client);
    }

    /// Sends the current operation to its target and waits for an answer.
    fn attempt(&mut self, client: ClientId) {
        let state = &self.clients[client.index()];
        let pending = state.current.as_ref().expect("an attempt is made for an operation under way");
        let op = OpId { client, ordinal: pending.ordinal };
        let (target, attempt, operation) = (pending.target, pending.attempt, pending.operation.clone());
        let timeout_at = self.now + state.setup.policy.timeout;
        let (content, size) = (fingerprint(&op), operation.size());
        self.transmit(client.into(), target.into(), content, size, Event::Request(Box::new((op, operation))));
        let slot = self.wake_client(client, timeout_at, Wake::Timeout(op.ordinal, attempt));
        let timeout = self.slab.handle(slot);
        self.pending(client).timeout = Some(timeout);
    }

    fn on_redirect(&mut self, client: ClientId, hint: Option<NodeId>) {
        self.metrics.increment(Counter::Redirects);
        let is_news = hint.is_some() && hint != Some(self.pending(client).target);
        self.clients[client.index()].hint = if is_news { hint } else { None };
        self.retry(client, !is_news);
    }

    /// Asks again, elsewhere, at once or after a pause; or gives up.
    fn retry(&mut self, client: ClientId, after_pause: bool) {
        self.stop_waiting(client);
        let now = self.now;
        let policy = self.clients[client.index()].setup.policy.clone();
        let attempt = self.pending(client).attempt + 1;
        if now.since(self.pending(client).invoked) >= policy.give_up {
            self.complete(client, Outcome::Unknown);
            return;
        }
        let target = self.clients[client.index()].target(client, attempt);
        let pending = self.pending(client);
        (pending.attempt, pending.target) = (attempt, target);
        if after_pause {
            let ordinal = pending.ordinal;
            let pause = self.clients[client.index()].pause();
            self.wake_client(client, now + pause, Wake::Attempt(ordinal, attempt));
        } else {
            self.attempt(client);
        }
    }

    fn complete(&mut self, client: ClientId, outcome: Outcome) {
        self.stop_waiting(client);
        let now = self.now;
        let state = &mut self.clients[client.index()];
        let pending = state.current.take().expect("only an operation under way is completed");
        let next = state.by_hand.pop_front();
        state.ticket = outcome.ticket().unwrap_or(state.ticket);
        self.metrics.fall(Gauge::OperationsPending, now, 1);
        let is_answered = outcome != Outcome::Unknown;
        self.leadership.on_ended(now, is_answered);
        if is_answered {
            let kind = if pending.operation.is_read() { Latency::Read } else { Latency::Write };
            self.metrics.increment(Counter::OperationsCompleted);
            self.metrics.record(kind, now.since(pending.invoked));
        } else {
            self.metrics.increment(Counter::OperationsUnknown);
        }
        self.history.complete(now, OpId { client, ordinal: pending.ordinal }, outcome);
        match next {
            Some(operation) => self.invoke(client, operation),
            None => self.plan_next_step(client),
        }
    }

    fn stop_waiting(&mut self, client: ClientId) {
        if let Some(timeout) = self.pending(client).timeout.take() {
            self.cancel(timeout);
        }
    }

    fn pending(&mut self, client: ClientId) -> &mut Pending {
        self.clients[client.index()].current.as_mut().expect("an operation is under way")
    }

    fn wake_client(&mut self, client: ClientId, at: SimTime, wake: Wake) -> u32 {
        let me = Endpoint::from(client);
        let event = Event::Client(wake);
        self.schedule(at, Scheduled { from: me, to: me, cause: self.record, tag: 0, epoch: 0, event })
    }
}

impl Client {
    /// Half to three halves of the policy's pause, so that clients that were refused together come back apart.
    fn pause(&mut self) -> crate::Span {
        let mean = self.setup.policy.backoff;
        let half = crate::Span::nanos(mean.as_nanos() / 2);
        self.stream.span(half, mean + half)
    }
}

fn client_id(index: usize) -> ClientId {
    ClientId::new(u32::try_from(index).expect("client counts fit 31 bits"))
}
