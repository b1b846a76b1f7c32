//! The parameters of gossip, and which of them make no sense.

use serde::Serialize;
use sim_core::Span;

use super::mutants::Mutant;
use crate::switch::Switch;

/// Who sends a hot rumor in a contact (§1.4, "Push vs. Pull").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Spread {
    /// Whoever calls.
    #[default]
    Push,
    /// Whoever is called. Every site calls somebody in every cycle, whether there is a rumor or not.
    Pull,
    /// Both. Every site calls somebody in every cycle.
    PushPull,
}

impl Spread {
    /// Whether who calls wants to be sent what the other has.
    pub const fn asks(self) -> bool {
        matches!(self, Self::Pull | Self::PushPull)
    }

    /// Whether who calls sends what it has.
    pub const fn sends(self) -> bool {
        matches!(self, Self::Push | Self::PushPull)
    }
}

/// What makes a site lose interest (§1.4, "Blind vs. Feedback").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Judging {
    /// Sharing the rumor, whoever it is shared with. A contact that was refused counts, too.
    Blind,
    /// Sharing it with nobody who needed it. A contact without an answer says nothing.
    #[default]
    Feedback,
}

/// How soon it does (§1.4, "Counter vs. Coin"). The number is k of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Interest {
    /// After so many cycles, which a useful one begins to count anew.
    Counter(u32),
    /// After each cycle with a chance of one in so many.
    Coin(u32),
}

impl Interest {
    /// k of the paper.
    pub const fn k(self) -> u32 {
        match self {
            Self::Counter(k) | Self::Coin(k) => k,
        }
    }
}

/// When cycles begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Rhythm {
    /// At each site at a moment of its own, drawn when it starts.
    #[default]
    Scattered,
    /// At all sites at once, as in the paper's simulations: at multiples of the cycle by their clocks.
    Together,
}

/// What all sites share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Config {
    /// How many sites there are, at least 2: the first so many nodes.
    pub node_count: u32,
    /// How long a cycle is: each site calls once in it. Default 100 ms.
    pub cycle: Span,
    /// When cycles begin.
    pub rhythm: Rhythm,
    /// Who sends.
    pub spread: Spread,
    /// What makes a site lose interest.
    pub judging: Judging,
    /// How soon. Default `Counter(2)`.
    pub interest: Interest,
    /// Whether of two sites that both know a rumor only the one with the smaller counter counts, both if they are equal (§1.4,
    /// "Minimization"). Only with push and pull together, feedback and a counter. Default `Off`.
    #[serde(skip)]
    pub minimization: Switch,
    /// How many calls a site takes in a cycle; `None`: any number.
    pub connection_limit: Option<u32>,
    /// How many others a site calls in a cycle after it was refused. Default 0.
    pub hunt_limit: u32,
    /// The bug to have; default none.
    #[serde(skip)]
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody could be called.
    #[error("gossip needs at least two nodes, and there are {0}")]
    NoPeers(u32),
    /// A site would call endlessly in one instant.
    #[error("`cycle` must be longer than 0, else a site calls endlessly in one instant")]
    NoCycle,
    /// A site would lose interest before it has shared anything.
    #[error("with k = 0 a site would lose interest in a rumor before it has shared it")]
    NoInterest,
    /// Nobody would take a call.
    #[error("with a `connection_limit` of 0 nobody takes a call")]
    NoConnections,
    /// There are no two counters to compare.
    #[error(
        "minimization compares the counters of two sites that tell each other, and needs `PushPull`, `Feedback` and `Counter`"
    )]
    NothingToCompare,
    /// Nobody is ever refused, so nobody hunts.
    #[error("`hunt_limit` is {0}, and without a `connection_limit` no call is refused")]
    HuntWithoutLimit(u32),
}

impl Config {
    /// So many sites with the default parameters.
    pub const fn new(node_count: u32) -> Self {
        Self {
            node_count,
            cycle: Span::millis(100),
            rhythm: Rhythm::Scattered,
            spread: Spread::Push,
            judging: Judging::Feedback,
            interest: Interest::Counter(2),
            minimization: Switch::Off,
            connection_limit: None,
            hunt_limit: 0,
            mutant: None,
        }
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub const fn validate(&self) -> Result<(), ConfigError> {
        if self.node_count < 2 {
            return Err(ConfigError::NoPeers(self.node_count));
        }
        if self.cycle.is_zero() {
            return Err(ConfigError::NoCycle);
        }
        if self.interest.k() == 0 {
            return Err(ConfigError::NoInterest);
        }
        let compares = matches!(
            (self.spread, self.judging, self.interest),
            (Spread::PushPull, Judging::Feedback, Interest::Counter(_))
        );
        if self.minimization.is_on() && !compares {
            return Err(ConfigError::NothingToCompare);
        }
        match self.connection_limit {
            Some(0) => Err(ConfigError::NoConnections),
            None if self.hunt_limit > 0 => Err(ConfigError::HuntWithoutLimit(self.hunt_limit)),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether sites have this bug.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}
