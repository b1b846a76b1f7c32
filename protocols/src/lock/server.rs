//! The server: gives locks out for a time, each with a token above all before it.
//!
//! It has two locks, so that the history of its clients is that of one lock and nobody else's: workers take
//! [`Name::Guard`], which guards the resource, and clients of the service `lock` take [`Name::Open`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{Disk, WriteError};
use sim_core::service::lock::Operation as Asked;
use sim_core::service::{Outcome, Refusal};
use sim_core::{ClientId, Context, LocalTime, NodeId, OpId, SyncId};

use super::config::Config;
use super::durable::{Act, Novelty, Record, STATE};
use super::facts::Fact;
use super::message::{Message, Token};
use super::metrics::Counter;
use super::mutants::Mutant;
use super::{FaultPoint, Lock, Point, Timer, clock, misdirected};
use crate::group_commit::GroupCommit;

/// The mutant writes its state at every so many grants.
const OLD_STATE_EVERY: u64 = 4;

/// Which lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Name {
    /// That of the workers.
    Guard,
    /// That of the clients.
    Open,
}

impl Name {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Guard, Self::Open];

    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Open => "open",
        }
    }
}

/// Who has a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Tenant {
    /// A worker.
    Worker {
        /// Its node.
        node: NodeId,
        /// The attempt with which it asked.
        attempt: u64,
    },
    /// A client, by the operation that took it.
    Client(OpId),
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker { node, .. } => write!(f, "{node}"),
            Self::Client(op) => write!(f, "{op}"),
        }
    }
}

/// What is known of one lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The token that was given out last; it only rises.
    pub last: Token,
    /// Who has it, with that token.
    pub tenant: Option<Tenant>,
}

/// What an operation of a client does to the clients' lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// It is taken with this token.
    Taken(Token),
    /// It is given back with this token.
    Freed(Token),
    /// Nothing.
    None,
}

/// All that the server must find again after a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    guard: Entry,
    open: Entry,
    /// What the last operation of each client came to, so that one that comes twice is done once.
    sessions: BTreeMap<ClientId, (u32, Outcome)>,
}

impl Books {
    /// One of the locks.
    pub const fn entry(&self, name: Name) -> &Entry {
        match name {
            Name::Guard => &self.guard,
            Name::Open => &self.open,
        }
    }

    fn entry_mut(&mut self, name: Name) -> &mut Entry {
        match name {
            Name::Guard => &mut self.guard,
            Name::Open => &mut self.open,
        }
    }

    /// Bytes on the disk.
    pub(super) fn size(&self) -> u64 {
        48 + 24 * self.sessions.len() as u64
    }
}

/// The server.
#[derive(Clone, Serialize)]
pub struct Server {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// On disk before anybody hears of it.
    books: Books,
    /// In memory, as all below: when the lease of each lock that is held runs out.
    guard_until: LocalTime,
    open_until: LocalTime,
    commit: GroupCommit<Act>,
}

impl Server {
    pub(super) fn new(config: Arc<Config>, node: NodeId) -> Self {
        Self {
            node,
            config,
            books: Books::default(),
            guard_until: LocalTime::ZERO,
            open_until: LocalTime::ZERO,
            commit: GroupCommit::new(STATE),
        }
    }

    /// Reads what the disk kept. Whoever had a lock may still count on it, and renewals were never written: so it is
    /// held for a whole lease from now, as if it had been given in this moment.
    pub(super) fn on_start(&mut self, context: &mut Context<'_, Lock>) {
        self.recover(context.disk());
        for name in Name::ALL {
            if self.books.entry(name).tenant.is_none() {
                continue;
            }
            context.sometimes(Point::RestartedWhileHeld as usize);
            if self.config.has(Mutant::FreeAfterRestart) {
                self.books.entry_mut(name).tenant = None;
            } else {
                context.fact(Fact::Resumed { name, token: self.books.entry(name).last });
                self.hold(context, name);
            }
        }
    }

    /// An unreadable cell is beyond what the lock promises to survive.
    fn recover(&mut self, disk: &Disk<Record>) {
        match disk.read_cell(STATE) {
            Ok(Some(Record::Server(books))) => self.books = Books::clone(books),
            Ok(Some(Record::Resource(_)) | None) | Err(_) => {}
        }
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Lock>, from: NodeId, message: Message) {
        match message {
            Message::Acquire { attempt } => self.on_acquire(context, from, attempt),
            Message::Renew { token, renewal } => self.on_renew(context, from, token, renewal),
            Message::Release { token } => self.on_release(context, token),
            Message::Granted { .. }
            | Message::Held { .. }
            | Message::Renewed { .. }
            | Message::Expired { .. }
            | Message::Write { .. }
            | Message::Written { .. }
            | Message::Fenced { .. } => misdirected(self.node, "the server", from, message),
        }
    }

    // ----- workers -----

    /// A worker wants the lock. If it has it by this very attempt, the answer was lost. Also a refusal tells a token, and waits until
    /// that is on disk.
    fn on_acquire(&mut self, context: &mut Context<'_, Lock>, from: NodeId, attempt: u64) {
        self.maybe_lapse(context, Name::Guard);
        let tenant = Tenant::Worker { node: from, attempt };
        let Entry { last, tenant: holder } = *self.books.entry(Name::Guard);
        if holder == Some(tenant) {
            return self.after_durable(context, Act::Grant { to: from, attempt, token: last });
        }
        if holder.is_some() {
            return self.after_durable(context, Act::Refuse { to: from, attempt, token: last });
        }
        let mut books = self.books.clone();
        let token = give(&mut books, Name::Guard, tenant);
        // On a full disk the message counts as lost.
        if self.save(context, books).is_ok() {
            context.fact(Fact::Reserved { name: Name::Guard, token });
            self.hold(context, Name::Guard);
            self.after_durable(context, Act::Grant { to: from, attempt, token });
        }
    }

    /// A worker wants to keep the lock. That need not be on disk: after a restart every lock is held anew.
    fn on_renew(&mut self, context: &mut Context<'_, Lock>, from: NodeId, token: Token, renewal: u64) {
        self.maybe_lapse(context, Name::Guard);
        let guard = self.books.entry(Name::Guard);
        if guard.tenant.is_none() || guard.last != token {
            context.sometimes(Point::RenewedTooLate as usize);
            return context.send(from, Message::Expired { token });
        }
        self.hold(context, Name::Guard);
        context.send(from, Message::Renewed { token, renewal });
    }

    fn on_release(&mut self, context: &mut Context<'_, Lock>, token: Token) {
        let mut books = self.books.clone();
        if self.take_back(&mut books, Name::Guard, token) {
            self.free(context, token, books);
        }
    }

    // ----- clients -----

    /// A client asks, perhaps for the second time.
    pub(super) fn on_lock(&mut self, context: &mut Context<'_, Lock>, op: OpId, asked: Asked) {
        self.maybe_lapse(context, Name::Open);
        let session = self.books.sessions.get(&op.client).filter(|_| !self.config.has(Mutant::RetriesAreNew));
        match session {
            // It has asked for something else since.
            Some((ordinal, _)) if *ordinal > op.ordinal => {}
            Some((ordinal, outcome)) if *ordinal == op.ordinal => {
                let outcome = outcome.clone();
                self.after_durable(context, Act::Reply { op, outcome, novelty: Novelty::Repeated });
            }
            Some(_) | None => self.perform_operation(context, op, asked),
        }
    }

    fn perform_operation(&mut self, context: &mut Context<'_, Lock>, op: OpId, asked: Asked) {
        let mut books = self.books.clone();
        let change = self.change(&mut books, op, asked);
        let outcome = match change {
            Change::Taken(token) => Outcome::Ticket(token.number()),
            Change::Freed(_) => Outcome::Done,
            Change::None => Outcome::Rejected,
        };
        books.sessions.insert(op.client, (op.ordinal, outcome.clone()));
        if self.save(context, books).is_err() {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        match change {
            Change::Taken(token) => {
                context.fact(Fact::Reserved { name: Name::Open, token });
                self.hold(context, Name::Open);
            }
            Change::Freed(token) => {
                context.fact(Fact::Freed { name: Name::Open, token });
                context.cancel_timer(Timer::Expiry(Name::Open));
            }
            Change::None => {}
        }
        self.after_durable(context, Act::Reply { op, outcome, novelty: Novelty::New });
    }

    /// Does to the lock what a client asks.
    fn change(&self, books: &mut Books, op: OpId, asked: Asked) -> Change {
        match asked {
            Asked::Acquire if books.open.tenant.is_some() => Change::None,
            Asked::Acquire => Change::Taken(give(books, Name::Open, Tenant::Client(op))),
            Asked::Release { token } => {
                let token = Token::new(token);
                if self.take_back(books, Name::Open, token) { Change::Freed(token) } else { Change::None }
            }
        }
    }

    // ----- both -----

    /// Whether the token holds the lock; if so, it does no more.
    fn take_back(&self, books: &mut Books, name: Name, token: Token) -> bool {
        let entry = books.entry_mut(name);
        let is_holder = entry.last == token || self.config.has(Mutant::ReleasedByAnybody);
        is_holder && entry.tenant.take().is_some()
    }

    /// A lock was given back. Nobody waits for that to be on disk: after a crash the lock is held for a lease longer.
    fn free(&mut self, context: &mut Context<'_, Lock>, token: Token, books: Books) {
        if self.save(context, books).is_ok() {
            context.fact(Fact::Freed { name: Name::Guard, token });
            context.cancel_timer(Timer::Expiry(Name::Guard));
        }
    }

    /// The lease of a lock begins anew.
    fn hold(&mut self, context: &mut Context<'_, Lock>, name: Name) {
        let lease = self.config.lease_of(name);
        *self.until(name) = clock(context, &self.config) + lease;
        context.set_timer(Timer::Expiry(name), lease);
    }

    fn until(&mut self, name: Name) -> &mut LocalTime {
        match name {
            Name::Guard => &mut self.guard_until,
            Name::Open => &mut self.open_until,
        }
    }

    /// A lease is over, unless the clock that it is measured with says otherwise.
    pub(super) fn on_expiry(&mut self, context: &mut Context<'_, Lock>, name: Name) {
        let (now, until) = (clock(context, &self.config), *self.until(name));
        if now < until {
            context.set_timer(Timer::Expiry(name), until.since(now));
        } else {
            self.maybe_lapse(context, name);
        }
    }

    /// Takes the lock from whoever has it, if the lease has run out.
    fn maybe_lapse(&mut self, context: &mut Context<'_, Lock>, name: Name) {
        let Entry { last, tenant } = *self.books.entry(name);
        if tenant.is_none() || clock(context, &self.config) < *self.until(name) {
            return;
        }
        let mut books = self.books.clone();
        books.entry_mut(name).tenant = None;
        // On a full disk the lock stays held, and whoever asks next tries again.
        if self.save(context, books).is_ok() {
            context.cancel_timer(Timer::Expiry(name));
            context.count(Counter::LeasesLapsed as usize, 1);
            context.fact(Fact::Lapsed { name, token: last });
        }
    }

    /// Takes these books as the server's, on disk first.
    fn save(&mut self, context: &mut Context<'_, Lock>, books: Books) -> Result<(), WriteError> {
        let is_written = !self.config.has(Mutant::TokensFromOldState)
            || books.guard.last.number().is_multiple_of(OLD_STATE_EVERY);
        if is_written {
            self.commit.replace(context, Record::Server(Arc::new(books.clone())))?;
            context.fault_point(FaultPoint::StateWritten as usize);
        }
        self.books = books;
        Ok(())
    }

    fn after_durable(&mut self, context: &mut Context<'_, Lock>, act: Act) {
        if self.config.has(Mutant::TokensFromOldState) {
            return perform(context, act);
        }
        if let Some(act) = self.commit.after_durable(context, act) {
            perform(context, act);
        }
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Lock>, sync: SyncId) {
        self.commit.on_durable(context, sync);
        while let Some(act) = self.commit.next_ready() {
            perform(context, act);
        }
    }

    /// What it knows of its locks.
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// When the lease of a lock runs out, if it is held.
    pub fn lease_end(&self, name: Name) -> Option<LocalTime> {
        let until = match name {
            Name::Guard => self.guard_until,
            Name::Open => self.open_until,
        };
        self.books.entry(name).tenant.map(|_| until)
    }

    /// How many acts wait for the disk.
    pub(super) fn waiting_count(&self) -> u64 {
        self.commit.len() as u64
    }
}

/// Gives a lock that is free to `tenant`, and returns its token.
fn give(books: &mut Books, name: Name, tenant: Tenant) -> Token {
    let entry = books.entry_mut(name);
    assert_eq!(entry.tenant, None, "only a free lock is given");
    *entry = Entry { last: entry.last.next(), tenant: Some(tenant) };
    entry.last
}

/// What led to it is on disk.
fn perform(context: &mut Context<'_, Lock>, act: Act) {
    match act {
        Act::Grant { to, attempt, token } => {
            context.fault_point(FaultPoint::BeforeGrant as usize);
            tell_granted(context, Name::Guard, token, Tenant::Worker { node: to, attempt });
            context.send(to, Message::Granted { attempt, token });
        }
        Act::Refuse { to, attempt, token } => context.send(to, Message::Held { attempt, token }),
        Act::Reply { op, outcome, novelty } => {
            context.fault_point(FaultPoint::BeforeGrant as usize);
            if let (Outcome::Ticket(token), Novelty::New) = (&outcome, novelty) {
                tell_granted(context, Name::Open, Token::new(*token), Tenant::Client(op));
            }
            context.reply(op, outcome);
        }
        Act::Acknowledge { .. } | Act::Fence { .. } => {
            unreachable!("the server writes nothing for workers, but has {act:?} to do")
        }
    }
}

fn tell_granted(context: &mut Context<'_, Lock>, name: Name, token: Token, to: Tenant) {
    context.count(Counter::LocksGiven as usize, 1);
    context.fact(Fact::Granted { name, token, to });
}
