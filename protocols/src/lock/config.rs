//! The parameters of the lock, and which of them make no sense.

use std::ops::RangeInclusive;

use sim_core::{NodeId, Span};

use super::mutants::Mutant;
use super::server::Name;
use crate::lease;

/// The node that gives out locks.
pub const SERVER: NodeId = NodeId::new(0);
/// The node that has what the lock protects.
pub const RESOURCE: NodeId = NodeId::new(1);

/// What all nodes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many nodes there are: the server, the resource, and workers; at least the first two.
    pub node_count: u32,
    /// How long a lease is: TTL of the lecture. Default 300 ms.
    pub ttl: Span,
    /// ρ of the lecture, in parts per million: clocks run at between 1 / (1 + ρ) and 1 + ρ times the speed of true time, so up to ρ
    /// faster and up to ρ / (1 + ρ) slower ([`lease::slower_at_most`]). Default 200.
    pub drift_max: u32,
    /// How long a worker whose lease has run out still tries to renew it, doing nothing else. Default 100 ms.
    pub grace: Span,
    /// From where a worker draws how long it waits before it asks again for a lock that somebody else has. Default 10 ms
    /// to 30 ms.
    pub retry: RangeInclusive<Span>,
    /// From where it draws how long it works before each write. Default 5 ms to 20 ms.
    pub work: RangeInclusive<Span>,
    /// How many writes it makes before it gives the lock back, at least 1. Default 5.
    pub writes: u32,
    /// From where it draws how long it rests then. Default 10 ms to 50 ms.
    pub rest: RangeInclusive<Span>,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no server, or no resource.
    #[error("a lock needs a server and a resource, and there are {0} nodes")]
    TooFewNodes(u32),
    /// A lease would be over at once.
    #[error("a lease of {0} cannot be renewed three times before it ends")]
    NoLease(Span),
    /// A clock that runs at twice its speed or not at all measures nothing.
    #[error("`drift_max` is {0} ppm, and a clock that is off by half of its speed or more measures no lease")]
    TooMuchDrift(u32),
    /// A worker would never write.
    #[error("with `writes` of 0 a worker takes the lock for nothing")]
    NoWrites,
    /// A worker would ask endlessly in one instant.
    #[error("`retry` begins at 0, so that a worker may ask endlessly in one instant")]
    NoRetryTime,
    /// A worker would take the lock and give it back endlessly in one instant.
    #[error(
        "`work` and `rest` both begin at 0, so that a worker may take the lock, write and give it back endlessly in one instant"
    )]
    NoTimePassed,
    /// There is nothing to draw from.
    #[error("`{name}` is {low}..{high}, which ends before it begins")]
    EmptyRange {
        /// Which parameter.
        name: &'static str,
        /// Its lower bound.
        low: Span,
        /// Its upper bound.
        high: Span,
    },
}

impl Config {
    /// So many nodes with the default parameters.
    pub const fn new(node_count: u32) -> Self {
        Self {
            node_count,
            ttl: Span::millis(300),
            drift_max: 200,
            grace: Span::millis(100),
            retry: Span::millis(10)..=Span::millis(30),
            work: Span::millis(5)..=Span::millis(20),
            writes: 5,
            rest: Span::millis(10)..=Span::millis(50),
            mutant: None,
        }
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.node_count < 2 {
            return Err(ConfigError::TooFewNodes(self.node_count));
        }
        if self.renew_every().is_zero() {
            return Err(ConfigError::NoLease(self.ttl));
        }
        if self.drift_max >= lease::DRIFT_LIMIT {
            return Err(ConfigError::TooMuchDrift(self.drift_max));
        }
        if self.writes == 0 {
            return Err(ConfigError::NoWrites);
        }
        for (name, range) in [("retry", &self.retry), ("work", &self.work), ("rest", &self.rest)] {
            let (low, high) = (*range.start(), *range.end());
            if low > high {
                return Err(ConfigError::EmptyRange { name, low, high });
            }
        }
        if self.retry.start().is_zero() {
            return Err(ConfigError::NoRetryTime);
        }
        let passes_time = !self.work.start().is_zero() || !self.rest.start().is_zero();
        if passes_time { Ok(()) } else { Err(ConfigError::NoTimePassed) }
    }

    /// How long a worker counts on a lease, by its own clock and from when it began to ask: TTL / (1 + ρ), rounded down.
    pub fn worker_lease(&self) -> Span {
        lease::holder_counts_on(self.ttl, self.allowed_drift())
    }

    /// How long the server keeps a lease, by its own clock and from when it was asked: TTL (1 + ρ), rounded up.
    pub fn server_lease(&self) -> Span {
        lease::granter_waits(self.ttl, self.allowed_drift())
    }

    fn allowed_drift(&self) -> u32 {
        if self.has(Mutant::NoDriftBound) { 0 } else { self.drift_max }
    }

    /// How long the server keeps the lease of this lock.
    pub(super) fn lease_of(&self, name: Name) -> Span {
        let is_short = name == Name::Open && self.has(Mutant::ShortClientLease);
        if is_short { self.renew_every() } else { self.server_lease() }
    }

    /// How often a worker renews: every third of the TTL, so that two renewals may be lost.
    pub const fn renew_every(&self) -> Span {
        Span::nanos(self.ttl.as_nanos() / 3)
    }

    /// Whether nodes have this bug.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_counts_on_less_and_the_server_waits_for_more_than_the_ttl() {
        let config = Config { ttl: Span::secs(1), drift_max: 250_000, ..Config::new(3) };
        assert_eq!(config.worker_lease(), Span::millis(800));
        assert_eq!(config.server_lease(), Span::millis(1_250));
        let odd = Config { ttl: Span::nanos(10), drift_max: 1, ..Config::new(3) };
        assert_eq!((odd.worker_lease(), odd.server_lease()), (Span::nanos(9), Span::nanos(11)), "to be safe");
    }

    #[test]
    fn impossible_parameters_are_refused() {
        let usual = Config::new(3);
        assert_eq!(usual.validate(), Ok(()));
        assert_eq!(Config::new(2).validate(), Ok(()), "a server for clients alone");
        assert_eq!(Config::new(1).validate(), Err(ConfigError::TooFewNodes(1)));
        let short = Config { ttl: Span::nanos(2), ..usual.clone() };
        assert_eq!(short.validate(), Err(ConfigError::NoLease(Span::nanos(2))));
        let wild = Config { drift_max: 500_000, ..usual.clone() };
        assert_eq!(wild.validate(), Err(ConfigError::TooMuchDrift(500_000)));
        assert_eq!(Config { writes: 0, ..usual.clone() }.validate(), Err(ConfigError::NoWrites));
        let hasty = Config { retry: Span::ZERO..=Span::millis(1), ..usual.clone() };
        assert_eq!(hasty.validate(), Err(ConfigError::NoRetryTime));
        let none = Span::ZERO..=Span::millis(1);
        let timeless = Config { work: none.clone(), rest: none.clone(), ..usual.clone() };
        assert_eq!(timeless.validate(), Err(ConfigError::NoTimePassed));
        assert_eq!(Config { work: none.clone(), ..usual.clone() }.validate(), Ok(()), "it rests");
        assert_eq!(Config { rest: none, ..usual.clone() }.validate(), Ok(()), "it works");
        let (low, high) = (Span::millis(2), Span::millis(1));
        let reversed = Config { work: low..=high, ..usual };
        assert_eq!(reversed.validate(), Err(ConfigError::EmptyRange { name: "work", low, high }));
    }
}
