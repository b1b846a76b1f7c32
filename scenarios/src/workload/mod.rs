//! Workloads: what clients ask, drawn from the seed.
//!
//! An operation is a pure function of (seed, client, ordinal): asking more, or by other clients, shifts nothing, and
//! a copy of a world asks the same. To add a workload: a file here with its generator, a variant of
//! [`Workload`], and one line in [`KINDS`].

mod broadcast;
mod counter;
mod echo;
mod kv;
mod lock;
mod log;
mod membership;
mod queue;
mod script;
mod set;
mod transfer;
mod unique_ids;

use std::sync::Arc;

use serde::Serialize;
use sim_core::random::{Distribution, Key, KeySource, Probability, Purpose, below, squares64};
use sim_core::service::{Operation, Service};
use sim_core::world::{Start, WorkloadStep};
use sim_core::{ClientId, SimTime, Span, world};

pub use self::script::Scripted;
use crate::format::{Clients, Latency, Workload};

/// What tools say of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WorkloadAbout {
    /// The name as scenarios write it.
    pub name: &'static str,
    /// The service it asks.
    pub service: Service,
    /// One line.
    pub help: &'static str,
}

/// All workloads.
pub const KINDS: &[WorkloadAbout] = &[
    kv::ABOUT,
    broadcast::ABOUT,
    counter::ABOUT,
    set::ABOUT,
    lock::ABOUT,
    log::ABOUT,
    queue::ABOUT,
    transfer::ABOUT,
    membership::ABOUT,
    unique_ids::ABOUT,
    echo::ABOUT,
];

impl Workload {
    /// What is known of it.
    pub const fn about(&self) -> &'static WorkloadAbout {
        match self {
            Self::Kv { .. } => &kv::ABOUT,
            Self::Broadcast { .. } => &broadcast::ABOUT,
            Self::Counter { .. } => &counter::ABOUT,
            Self::Set { .. } => &set::ABOUT,
            Self::Membership {} => &membership::ABOUT,
            Self::UniqueIds {} => &unique_ids::ABOUT,
            Self::Lock { .. } => &lock::ABOUT,
            Self::Log { .. } => &log::ABOUT,
            Self::Transfer { .. } => &transfer::ABOUT,
            Self::Queue { .. } => &queue::ABOUT,
            Self::Echo {} => &echo::ABOUT,
        }
    }

    /// The workload that asks `service` in the usual way, if there is one.
    pub fn usual(service: Service) -> Option<Self> {
        match service {
            Service::Kv => Some(kv::usual()),
            Service::Broadcast => Some(broadcast::usual()),
            Service::Counter => Some(counter::usual()),
            Service::Set => Some(set::usual()),
            Service::Membership => Some(Self::Membership {}),
            Service::Lock => Some(lock::usual()),
            Service::Transfer => Some(transfer::usual()),
            Service::Queue => Some(queue::usual()),
            Service::Echo => Some(Self::Echo {}),
            Service::Log => Some(log::usual()),
            Service::UniqueIds => Some(Self::UniqueIds {}),
            Service::Txn => None,
        }
    }

    fn generator(&self) -> Box<dyn Generator> {
        match self {
            Self::Kv { reads, compare_and_set, deletes, keys, skew } => {
                let mix = kv::Mix {
                    reads: reads.probability(),
                    compare_and_set: compare_and_set.probability(),
                    deletes: deletes.probability(),
                };
                Box::new(kv::Kv::new(mix, *keys, *skew))
            }
            Self::Broadcast { reads } => Box::new(broadcast::Broadcast { reads: reads.probability() }),
            Self::Counter { reads, subtractions } => Box::new(counter::Counter {
                reads: reads.probability(),
                subtractions: subtractions.probability(),
            }),
            Self::Set { reads } => Box::new(set::Set { reads: reads.probability() }),
            Self::Membership {} => Box::new(membership::Membership),
            Self::UniqueIds {} => Box::new(unique_ids::UniqueIds),
            Self::Lock { kept } => Box::new(lock::Lock { kept: kept.probability() }),
            Self::Log { polls, offsets, partitions, results } => {
                let (polls, offsets) = (polls.probability(), offsets.probability());
                let (partitions, results) = (*partitions, results.probability());
                Box::new(log::Log { polls, offsets, partitions, results })
            }
            Self::Transfer { reads, accounts, amount_max } => {
                let (reads, accounts, amount_max) = (reads.probability(), *accounts, *amount_max);
                Box::new(transfer::Transfer { reads, accounts, amount_max })
            }
            Self::Queue { dequeues } => Box::new(queue::Queue { dequeues: dequeues.probability() }),
            Self::Echo {} => Box::new(echo::Echo),
        }
    }
}

/// Draws operations.
trait Generator: Send + Sync {
    /// The operation that `asker` issues.
    fn operation(&self, asker: &Asker) -> Operation;
}

/// Draws that an operation may take, at most; the next operation's come after them.
const DRAWS_MAX: u64 = 8;

/// Who asks for the how-manieth time: the key of an operation's draws.
#[derive(Clone, Copy)]
struct Asker {
    client: ClientId,
    ordinal: u32,
    key: Key,
}

impl Asker {
    /// The same client at an earlier or later operation.
    const fn at(self, ordinal: u32) -> Self {
        Self { ordinal, ..self }
    }

    /// The `number`-th draw of this operation, from 0.
    fn draw(&self, number: u64) -> u64 {
        assert!(number < DRAWS_MAX, "draw {number} belongs to the next operation; there are {DRAWS_MAX}");
        squares64(u64::from(self.ordinal) * DRAWS_MAX + number, self.key)
    }

    fn chance(&self, number: u64, probability: Probability) -> bool {
        probability.hits(self.draw(number))
    }

    /// A value that no other operation of the run has: `2000000007` is the seventh of `c2`.
    fn unique_value(&self) -> u64 {
        (u64::from(self.client.raw()) + 1) * 1_000_000_000 + u64::from(self.ordinal) + 1
    }
}

/// The draw that decides when an operation is asked for.
const WHEN: u64 = DRAWS_MAX - 1;

/// When operations are asked for.
#[derive(Clone, Debug, PartialEq)]
enum Pace {
    /// So long after the one before.
    Closed { think: Distribution },
    /// Once in each such interval, at a drawn instant.
    Open { interval: Span },
}

impl Pace {
    fn of(clients: &Clients) -> Self {
        if let Some(rate) = clients.rate.filter(|rate| rate.count() > 0) {
            return Self::Open { interval: Span::nanos((rate.period().as_nanos() / rate.count()).max(1)) };
        }
        let usual = || Latency::uniform(Span::millis(10), Span::millis(50));
        Self::Closed { think: clients.think.clone().unwrap_or_else(usual).distribution() }
    }

    fn start(&self, asker: &Asker) -> Start {
        match self {
            Self::Closed { think } => Start::After(think.sample(asker.draw(WHEN))),
            Self::Open { interval } => {
                let jitter = Span::nanos(below(asker.draw(WHEN), interval.as_nanos()));
                Start::At(SimTime::ZERO + interval.times(u64::from(asker.ordinal)) + jitter)
            }
        }
    }
}

/// The operations of all clients of a run.
pub struct WorkloadSource {
    generator: Box<dyn Generator>,
    pace: Pace,
    /// By client.
    keys: Vec<Key>,
    operations_max: u32,
}

impl WorkloadSource {
    /// The operations that `clients` issue when they ask for `workload`.
    pub fn new(workload: &Workload, clients: &Clients, seed: u64) -> Arc<Self> {
        let source = KeySource::new(seed);
        let key = |client: u32| source.key(Purpose::Workload, client.into(), 0);
        Arc::new(Self {
            generator: workload.generator(),
            pace: Pace::of(clients),
            keys: (0..clients.count).map(key).collect(),
            operations_max: match clients.rate {
                // A rate of zero never asks.
                Some(rate) if rate.count() == 0 => 0,
                Some(_) | None => clients.operations.unwrap_or(u32::MAX),
            },
        })
    }
}

impl world::Workload for WorkloadSource {
    fn step(&self, client: ClientId, ordinal: u32) -> Option<WorkloadStep> {
        // Administrators come after the clients that have keys, and ask nothing by themselves.
        let key = *self.keys.get(client.index()).filter(|_| ordinal < self.operations_max)?;
        let asker = Asker { client, ordinal, key };
        let operation = self.generator.operation(&asker);
        Some(WorkloadStep { start: self.pace.start(&asker), operation })
    }
}

#[cfg(test)]
mod tests;
