//! A worker: takes the lock, writes to the resource a few times, and gives it back.
//!
//! ```text
//! resting ──> asking ──> holding ──────────────────────────────> resting
//!                ↑ held     │ lease over   ↑ renewed   │ gave up, expired, fenced
//!                └──────────┘ (retry)      └─ in doubt ┘
//! ```
//!
//! It counts a lease from **before** it asked for it, by its own monotonic clock: the server cannot have begun to count
//! earlier. When that has run out it does nothing that needs the lock, even if it does not know of anybody else who has it.
//! It may ask again before it is answered, so it remembers of each attempt when that was sent: the lock may be given for any.

use std::mem;
use std::sync::Arc;

use serde::Serialize;
use sim_core::{Context, LocalTime, NodeId, Span};

use super::config::{Config, RESOURCE, SERVER};
use super::facts::Fact;
use super::message::{Message, Token};
use super::metrics::{Counter, Latency};
use super::mutants::Mutant;
use super::{FaultPoint, Lock, Point, Timer, clock, misdirected};

/// A worker.
#[derive(Clone, Serialize)]
pub struct Worker {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    stage: Stage,
    /// The last attempt; drawn at the start, so that none of an earlier life is taken for one of this.
    attempt: u64,
    /// The highest token it has heard of.
    highest: Token,
}

/// What a worker is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// Nothing that needs the lock.
    Resting,
    /// It has asked for the lock, or will again.
    Asking {
        /// When it sent its last attempt.
        since: LocalTime,
        /// The attempts that were not refused and whose lease would not be over, with when each was sent. The answer to any
        /// of them may be the lock: with a slow disk it comes when the worker has asked again.
        unanswered: Vec<(u64, LocalTime)>,
    },
    /// It has the lock, or had it a moment ago.
    Holding(Tenure),
}

/// The time in which a worker has the lock with one token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tenure {
    /// What it has the lock with.
    pub token: Token,
    /// Until when it may count on it.
    pub until: LocalTime,
    /// The renewals that were not answered, with when each was sent.
    renewals: Vec<(u64, LocalTime)>,
    /// How many it has sent.
    renewal_count: u64,
    /// What it does with the lock.
    pub job: Job,
    /// How many writes were acknowledged.
    pub done: u32,
    /// When it sent its last write, and until when it counted on its lease then.
    pub last_sent: Option<(LocalTime, LocalTime)>,
}

/// What a worker does with its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Job {
    /// Works on its next write.
    Working,
    /// Waits until its write is acknowledged.
    Writing,
    /// Nothing: its lease has run out, and it tries to renew it.
    InDoubt,
}

impl Worker {
    pub(super) fn new(config: Arc<Config>, node: NodeId) -> Self {
        Self { node, config, stage: Stage::Resting, attempt: 0, highest: Token::ZERO }
    }

    pub(super) fn on_start(&mut self, context: &mut Context<'_, Lock>) {
        self.attempt = context.random().next_u64();
        self.become_resting(context);
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Lock>, from: NodeId, message: Message) {
        match message {
            Message::Granted { attempt, token } => self.on_granted(context, attempt, token),
            Message::Held { attempt, token } => self.on_held(context, attempt, token),
            Message::Renewed { token, renewal } => self.on_renewed(context, token, renewal),
            Message::Expired { token } => self.on_expired(context, token),
            Message::Written { token, number } => self.on_written(context, token, number),
            Message::Fenced { token, highest } => self.on_fenced(context, token, highest),
            Message::Acquire { .. }
            | Message::Renew { .. }
            | Message::Release { .. }
            | Message::Write { .. } => misdirected(self.node, "a worker", from, message),
        }
    }

    // ----- taking the lock -----

    /// It is time to ask, for the first time or again.
    pub(super) fn on_ask(&mut self, context: &mut Context<'_, Lock>) {
        let (now, lease) = (clock(context, &self.config), self.config.worker_lease());
        let mut unanswered = match &mut self.stage {
            Stage::Resting => {
                context.begin(Latency::LockWait as usize, 0);
                Vec::new()
            }
            Stage::Asking { unanswered, .. } => mem::take(unanswered),
            Stage::Holding(tenure) => unreachable!("who has the lock asks for none, and has {tenure:?}"),
        };
        unanswered.retain(|(_, sent)| *sent + lease > now);
        self.attempt = self.attempt.wrapping_add(1);
        unanswered.push((self.attempt, now));
        self.stage = Stage::Asking { since: now, unanswered };
        context.send(SERVER, Message::Acquire { attempt: self.attempt });
        context.set_timer(Timer::Ask, self.config.renew_every());
    }

    fn on_held(&mut self, context: &mut Context<'_, Lock>, attempt: u64, token: Token) {
        self.highest = self.highest.max(token);
        let Stage::Asking { unanswered, .. } = &mut self.stage else { return };
        unanswered.retain(|(asked, _)| *asked != attempt);
        if attempt == self.attempt {
            let (low, high) = (*self.config.retry.start(), *self.config.retry.end());
            let pause = context.random().span(low, high);
            context.set_timer(Timer::Ask, pause);
        }
    }

    /// The server gives the lock. What nobody waits for any more is given back.
    fn on_granted(&mut self, context: &mut Context<'_, Lock>, attempt: u64, token: Token) {
        self.highest = self.highest.max(token);
        if self.tenure_of(token).is_some() {
            return;
        }
        let now = clock(context, &self.config);
        let until = self.answered(attempt).map(|sent| self.lease_from(sent, now));
        if let Some(until) = until.filter(|until| *until > now) {
            return self.become_holding(context, token, until);
        }
        context.sometimes(Point::GivenBackUnused as usize);
        context.send(SERVER, Message::Release { token });
    }

    /// An attempt is answered: when it was sent, if that was waited for.
    fn answered(&mut self, attempt: u64) -> Option<LocalTime> {
        let Stage::Asking { unanswered, .. } = &mut self.stage else { return None };
        let place = unanswered.iter().position(|(asked, _)| *asked == attempt)?;
        let (_, sent) = unanswered.remove(place);
        Some(sent)
    }

    /// Until when a lease lasts that was asked for at `sent` and is answered `now`.
    fn lease_from(&self, sent: LocalTime, now: LocalTime) -> LocalTime {
        let from = if self.config.has(Mutant::RenewFromReplyTime) { now } else { sent };
        from + self.config.worker_lease()
    }

    fn become_holding(&mut self, context: &mut Context<'_, Lock>, token: Token, until: LocalTime) {
        assert!(
            matches!(self.stage, Stage::Asking { .. }),
            "only who asks gets the lock, not {:?}",
            self.stage
        );
        self.stage = Stage::Holding(Tenure {
            token,
            until,
            renewals: Vec::new(),
            renewal_count: 0,
            job: Job::Working,
            done: 0,
            last_sent: None,
        });
        context.end(Latency::LockWait as usize, 0);
        context.begin(Latency::LockHeld as usize, 0);
        context.fact(Fact::Leased { token, until });
        context.cancel_timer(Timer::Ask);
        context.set_timer(Timer::Renew, self.config.renew_every());
        self.await_end(context);
        self.begin_work(context);
    }

    // ----- keeping it -----

    /// The tenure, for handlers whose timers run in one only.
    fn tenure(&mut self) -> &mut Tenure {
        match &mut self.stage {
            Stage::Holding(tenure) => tenure,
            Stage::Resting | Stage::Asking { .. } => {
                unreachable!("this timer runs only while a lock is held")
            }
        }
    }

    /// The tenure of this token, if it is the present one.
    fn tenure_of(&mut self, token: Token) -> Option<&mut Tenure> {
        match &mut self.stage {
            Stage::Holding(tenure) => Some(tenure).filter(|tenure| tenure.token == token),
            Stage::Resting | Stage::Asking { .. } => None,
        }
    }

    pub(super) fn on_renew(&mut self, context: &mut Context<'_, Lock>) {
        let (now, lease) = (clock(context, &self.config), self.config.worker_lease());
        let tenure = self.tenure();
        tenure.renewal_count += 1;
        // An answer to an older one would renew nothing.
        tenure.renewals.retain(|(_, sent)| *sent + lease > now);
        tenure.renewals.push((tenure.renewal_count, now));
        let message = Message::Renew { token: tenure.token, renewal: tenure.renewal_count };
        context.count(Counter::Renewals as usize, 1);
        context.send(SERVER, message);
        context.set_timer(Timer::Renew, self.config.renew_every());
    }

    fn on_renewed(&mut self, context: &mut Context<'_, Lock>, token: Token, renewal: u64) {
        let now = clock(context, &self.config);
        let Some(tenure) = self.tenure_of(token) else { return };
        let Some(place) = tenure.renewals.iter().position(|(number, _)| *number == renewal) else { return };
        let (_, sent) = tenure.renewals.remove(place);
        let until = self.lease_from(sent, now);
        let tenure = self.tenure();
        if until <= tenure.until || until <= now {
            return;
        }
        tenure.until = until;
        let job = tenure.job;
        context.fact(Fact::Leased { token, until });
        self.await_end(context);
        if job == Job::InDoubt {
            context.sometimes(Point::RenewedInDoubt as usize);
            context.cancel_timer(Timer::Grace);
            self.begin_work(context);
        }
    }

    /// Sets the timer of the end of the lease.
    fn await_end(&mut self, context: &mut Context<'_, Lock>) {
        let (now, end) = (clock(context, &self.config), self.end_of_writing());
        context.set_timer(Timer::Lapse, end.since(now));
    }

    /// Until when it writes: the end of its lease.
    fn end_of_writing(&mut self) -> LocalTime {
        let grace = if self.config.has(Mutant::WritesInGrace) { self.config.grace } else { Span::ZERO };
        self.tenure().until + grace
    }

    /// The lease has run out, unless the clock that it is measured with says otherwise.
    pub(super) fn on_lapse(&mut self, context: &mut Context<'_, Lock>) {
        if clock(context, &self.config) < self.end_of_writing() {
            return self.await_end(context);
        }
        self.tenure().job = Job::InDoubt;
        context.cancel_timer(Timer::Work);
        context.set_timer(Timer::Grace, self.config.grace);
    }

    /// The server was not heard of for too long.
    pub(super) fn on_grace_over(&mut self, context: &mut Context<'_, Lock>) {
        self.lose(context);
    }

    fn on_expired(&mut self, context: &mut Context<'_, Lock>, token: Token) {
        if self.tenure_of(token).is_some() {
            self.lose(context);
        }
    }

    // ----- using it -----

    /// Begins to work on the next write, if the lease lasts.
    fn begin_work(&mut self, context: &mut Context<'_, Lock>) {
        if clock(context, &self.config) >= self.end_of_writing() {
            return;
        }
        self.tenure().job = Job::Working;
        let (low, high) = (*self.config.work.start(), *self.config.work.end());
        let work = context.random().span(low, high);
        context.set_timer(Timer::Work, work);
    }

    /// The work is done, or its write was not acknowledged: writes, if the lease lasts still.
    pub(super) fn on_work_done(&mut self, context: &mut Context<'_, Lock>) {
        let now = clock(context, &self.config);
        let is_checked = now < self.end_of_writing() || self.config.has(Mutant::CheckThenWrite);
        if is_checked && self.is_highest() {
            self.write(context, now);
        }
    }

    /// Only the mutant asks: whoever else has a token may be unknown here.
    fn is_highest(&mut self) -> bool {
        let highest = self.highest;
        !self.config.has(Mutant::FencedAtWorker) || self.tenure().token == highest
    }

    fn write(&mut self, context: &mut Context<'_, Lock>, now: LocalTime) {
        let again = self.config.renew_every();
        let tenure = self.tenure();
        tenure.job = Job::Writing;
        tenure.last_sent = Some((now, tenure.until));
        let (token, number) = (tenure.token, tenure.done + 1);
        context.fault_point(FaultPoint::BeforeWrite as usize);
        context.fact(Fact::Sent { token, number });
        context.send(RESOURCE, Message::Write { token, number });
        context.set_timer(Timer::Work, again);
    }

    fn on_written(&mut self, context: &mut Context<'_, Lock>, token: Token, number: u32) {
        let writes = self.config.writes;
        let Some(tenure) = self.tenure_of(token) else { return };
        if tenure.job == Job::Working || number != tenure.done + 1 {
            return;
        }
        tenure.done += 1;
        if tenure.done == writes {
            context.send(SERVER, Message::Release { token });
            self.end(context);
        } else if tenure.job == Job::Writing {
            self.begin_work(context);
        }
    }

    /// Somebody else has the lock and has used it.
    fn on_fenced(&mut self, context: &mut Context<'_, Lock>, token: Token, highest: Token) {
        self.highest = self.highest.max(highest);
        if self.tenure_of(token).is_some() {
            self.lose(context);
        }
    }

    // ----- being without it -----

    fn lose(&mut self, context: &mut Context<'_, Lock>) {
        context.count(Counter::LocksLost as usize, 1);
        self.end(context);
    }

    fn end(&mut self, context: &mut Context<'_, Lock>) {
        let token = self.tenure().token;
        context.fact(Fact::Ended { token });
        context.end(Latency::LockHeld as usize, 0);
        self.become_resting(context);
    }

    fn become_resting(&mut self, context: &mut Context<'_, Lock>) {
        self.stage = Stage::Resting;
        context.abandon(Latency::LockWait as usize);
        for timer in [Timer::Renew, Timer::Lapse, Timer::Grace, Timer::Work] {
            context.cancel_timer(timer);
        }
        let (low, high) = (*self.config.rest.start(), *self.config.rest.end());
        let rest = context.random().span(low, high);
        context.set_timer(Timer::Ask, rest);
    }

    // ----- queries -----

    /// What it is doing.
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The highest token it has heard of.
    pub const fn highest(&self) -> Token {
        self.highest
    }

    /// The token with which it takes itself to have the lock, by what its clocks show.
    pub fn held(&self, monotonic: LocalTime, wall: LocalTime) -> Option<Token> {
        let grace = if self.config.has(Mutant::WritesInGrace) { self.config.grace } else { Span::ZERO };
        let now = self.shown(monotonic, wall);
        self.present_tenure().filter(|tenure| now < tenure.until + grace).map(|tenure| tenure.token)
    }

    /// The token with which it has sent a write at this very moment, by what its clocks show.
    pub(super) fn writing(&self, monotonic: LocalTime, wall: LocalTime) -> Option<Token> {
        let now = self.shown(monotonic, wall);
        let is_now = |tenure: &&Tenure| tenure.last_sent.is_some_and(|(sent, _)| sent == now);
        self.present_tenure().filter(is_now).map(|tenure| tenure.token)
    }

    /// The clock that it measures leases with, of these two.
    fn shown(&self, monotonic: LocalTime, wall: LocalTime) -> LocalTime {
        if self.config.has(Mutant::WallClockLease) { wall } else { monotonic }
    }

    fn present_tenure(&self) -> Option<&Tenure> {
        match &self.stage {
            Stage::Holding(tenure) => Some(tenure),
            Stage::Resting | Stage::Asking { .. } => None,
        }
    }
}
