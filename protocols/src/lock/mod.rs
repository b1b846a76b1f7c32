//! A lock with leases and fencing tokens: one server, workers that take the lock, and a resource that it protects.
//!
//! # What it guarantees
//!
//! As long as clocks run within the drift bound ρ:
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | single holder | at no moment of true time two workers count on the lock, or two clients on theirs | [`invariants::SingleHolder`] |
//! | tokens rise | each token given is above all given before, over restarts of the server | [`invariants::TokensRise`] |
//! | no write after expiry | a worker sends no write when its lease is over | [`invariants::NoWriteAfterExpiry`] |
//!
//! And whatever clocks do, however long a worker stands still or a message is on its way:
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | fenced writes | the resource takes no write whose token is below one that it has taken, and refuses no other | [`invariants::FencedWrites`] |
//!
//! For clients of the service `lock` the history is linearizable, where a lock may become free by itself. They have no clocks: each may
//! count on its lock for a TTL of true time from when it asked.
//!
//! **Why both?** A lease says who may *begin* to write. A write that was sent in time may still arrive when somebody
//! else has the lock and has written already: no clock helps there. Only the resource can refuse it, and only by the token.
//! And without leases a worker that has crashed would keep the lock for ever.
//!
//! # The way of a write
//!
//! ```text
//! n3 (worker)         n1 (server)                      n2 (resource)
//!   │── Acquire ─────────>│ token t1, to disk               │
//!   │   counts from here  │ counts from here                │
//!   │<─ Granted t1 ───────│ on disk                         │
//!   │ works, looks at its lease                             │
//!   │── Write t1 ───────────────────────────────────────────>│ t1 ≥ highest, to disk
//!   │── Renew t1 ────────>│ counts anew                     │
//!   │<─ Renewed t1 ───────│                                 │
//!   │<─ Written t1 ──────────────────────────────────────────│ on disk
//!   │── Release t1 ──────>│ free                            │
//! ```
//!
//! 1. A worker asks ([`Message::Acquire`]) and notes when, by its monotonic clock.
//! 2. The server ([`server::Server`]) gives a free lock: the next token and the tenant are on disk before it answers
//!    ([`Message::Granted`]). A lock that somebody has is refused ([`Message::Held`]), and the worker asks again after a pause. If nobody
//!    answers it asks again after a third of the TTL; the lock may be given for any of its attempts, and counts from when that was sent.
//! 3. **The worker counts from before it asked, and for less than the TTL: TTL / (1 + ρ).** **The server counts from when it
//!    was asked, and for more: TTL · (1 + ρ).** A clock is within ρ if it runs at a rate between 1 / (1 + ρ) and 1 + ρ. So
//!    the worker stops after at most one TTL of true time, and the server waits for at least one, and it began later.
//!    (A drift of −ρ is beyond that: the slowest is −ρ / (1 + ρ), 310,344 ppm for a ρ of 450,000.)
//! 4. The worker works for a while, looks at its lease once more, and writes ([`Message::Write`]), with its token. The
//!    resource ([`resource::Resource`]) compares it with the highest it has taken, and takes it, on disk before it says so
//!    ([`Message::Written`]), or refuses it ([`Message::Fenced`]).
//! 5. Every TTL / 3 it renews ([`Message::Renew`]). The lease then lasts from when the renewal was *sent*. Renewals are not on
//!    disk: after a restart the server holds every lock for a whole lease, whoever had it.
//! 6. If its lease runs out it is *in doubt*: it does nothing but try to renew for the grace period, and goes on if the
//!    server has not given the lock away (Chubby calls it jeopardy).
//! 7. After some writes it gives the lock back ([`Message::Release`]).
//!
//! Clients of the service `lock` ask the server for another lock, [`server::Name::Open`]. They cannot renew, so
//! their lease ends by itself when they do not give it back within the TTL. What an operation came to is on disk with the
//! lock, so that one that comes twice is done once.
//!
//! # The papers' words
//!
//! | there | here |
//! | --- | --- |
//! | lease, term | [`Config::ttl`], and what the two sides make of it: [`Config::worker_lease`], [`Config::server_lease`] |
//! | ε, allowance for clock uncertainty (Gray and Cheriton) | [`Config::drift_max`], a bound of the rate in place of one of the difference |
//! | fencing token (Kleppmann), sequencer, lock generation number (Chubby) | [`message::Token`] |
//! | jeopardy, grace period (Chubby §2.8) | [`worker::Job::InDoubt`], [`Config::grace`] |
//! | recovery of the server (Gray and Cheriton §2) | [`server::Server::on_start`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | more than one server: Chubby's cell is replicated by Paxos | while the server is down nobody gets a lock, and holders lose theirs |
//! | a queue of those who wait | workers ask again and again, and one may be out of luck for long |
//! | readers that share a lock | one holder at a time |
//! | events and caches (Chubby §2.5, §2.7) | nobody is told when a lock becomes free |
//!
//! # Sources
//!
//! - C. Gray, D. Cheriton: Leases: An Efficient Fault-Tolerant Mechanism for Distributed File Cache Consistency, SOSP 1989.
//! - M. Burrows: The Chubby Lock Service for Loosely-Coupled Distributed Systems, OSDI 2006.
//! - M. Kleppmann: How to do distributed locking, 2016.

pub mod config;
pub mod durable;
pub mod facts;
pub mod invariants;
pub mod message;
mod metrics;
pub mod mutants;
mod process;
pub mod resource;
pub mod server;
mod view;
pub mod worker;

use serde::Serialize;

pub use config::{Config, ConfigError, RESOURCE, SERVER};
pub use facts::Fact;
pub use message::{Message, Token};
pub use mutants::Mutant;

use process::{clock, misdirected};
use server::Name;

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// Of a worker: when to ask for the lock, for the first time or again.
    Ask,
    /// Of a worker that has the lock: when to renew.
    Renew,
    /// Of a worker that has the lock: the end of its lease.
    Lapse,
    /// Of a worker whose lease is over: when to give up.
    Grace,
    /// Of a worker that has the lock: when its work is done, or when to write again what was not acknowledged.
    Work,
    /// Of the server: the end of the lease of a lock.
    Expiry(Name),
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    RestartedWhileHeld,
    RenewedTooLate,
    RenewedInDoubt,
    GivenBackUnused,
    Fenced,
}

const POINTS: [&str; 5] = [
    "the server restarted while a lock was held",
    "a renewal came when the lease had run out at the server",
    "a worker in doubt could renew its lease",
    "a lock that nobody waited for any more was given back",
    "the resource refused a write because of its token",
];

/// Places inside handlers where a crash is worth trying; the index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    /// The server's locks are written and not yet durable.
    StateWritten,
    /// A lock that is given, or an answer to a client, is durable, and nobody has been told.
    BeforeGrant,
    /// A write is written at the resource and not yet durable.
    WriteWritten,
    /// A worker has looked at its lease and is about to write.
    BeforeWrite,
}

const FAULT_POINTS: [&str; 4] = ["state-written", "before-grant", "write-written", "before-write"];

/// One node, by its role. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub enum Lock {
    /// Gives locks: the first node.
    Server(server::Server),
    /// What is protected: the second.
    Resource(resource::Resource),
    /// Takes the lock and writes: all others.
    Worker(worker::Worker),
}

impl Lock {
    /// The server, if this is it.
    pub const fn server(&self) -> Option<&server::Server> {
        if let Self::Server(server) = self { Some(server) } else { None }
    }

    /// The resource, if this is it.
    pub const fn resource(&self) -> Option<&resource::Resource> {
        if let Self::Resource(resource) = self { Some(resource) } else { None }
    }

    /// The worker, if this is one.
    pub const fn worker(&self) -> Option<&worker::Worker> {
        if let Self::Worker(worker) = self { Some(worker) } else { None }
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
