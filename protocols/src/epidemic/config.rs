//! The parameters of a replicated database, and which of them make no sense.

use serde::Serialize;
use sim_core::Span;

use super::mutants::Mutant;

/// Whether a site sends an update to all others when it is made (§1.2, direct mail).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Mail {
    /// It does not: anti-entropy alone carries updates.
    Off,
    /// Once, to each of them, and never again: what is lost stays lost.
    #[default]
    Direct,
}

/// Which way updates go between who calls and who is called (§1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Flow {
    /// From who calls.
    Push,
    /// To who calls.
    Pull,
    /// Both ways.
    #[default]
    PushPull,
}

impl Flow {
    /// Whether updates go from who says this.
    pub const fn pushes(self) -> bool {
        matches!(self, Self::Push | Self::PushPull)
    }

    /// Whether updates go to who says this.
    pub const fn pulls(self) -> bool {
        matches!(self, Self::Pull | Self::PushPull)
    }

    /// The same, said by the other side.
    pub const fn reversed(self) -> Self {
        match self {
            Self::Push => Self::Pull,
            Self::Pull => Self::Push,
            Self::PushPull => Self::PushPull,
        }
    }
}

/// How two sites find out in what they differ (§1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Comparison {
    /// By a list of all that one of them has.
    Full,
    /// By a checksum, and by a list of all if it differs.
    Checksum,
    /// By the updates of the last so long, and then as `Checksum`. Longer than an update takes to reach everybody.
    Recent(Span),
    /// By a tree of checksums over 2 to the power of this many buckets of keys, and lists of the buckets that differ. Not
    /// in the paper: Dynamo §4.7, after Merkle.
    Merkle(u32),
}

/// What becomes of death certificates (§2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Certificates {
    /// τ1: how long every site keeps one after it was activated, above 0.
    pub active: Span,
    /// τ2: how much longer its retention sites keep it dormant; 0 without such sites, and only then.
    pub dormant: Span,
    /// r: how many sites that are.
    pub retention_sites: u32,
}

/// Anti-entropy: from time to time each site compares its database with that of another one, drawn from all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AntiEntropy {
    /// How often a site calls another one. Default 100 ms.
    pub period: Span,
    /// Which way updates go. Default both.
    pub flow: Flow,
    /// How differences are found.
    pub comparison: Comparison,
}

/// What all sites share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Config {
    /// How many sites there are, at least 2: the first so many nodes.
    pub node_count: u32,
    /// Whether updates are mailed.
    pub mail: Mail,
    /// How databases are compared; `None`: they are not.
    pub anti_entropy: Option<AntiEntropy>,
    /// What becomes of death certificates.
    pub certificates: Certificates,
    /// The bug to have; default none.
    #[serde(skip)]
    pub mutant: Option<Mutant>,
}

/// Levels of a Merkle tree, at most.
pub const MERKLE_DEPTH_MAX: u32 = 12;

/// Why a [`Config`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody could be called.
    #[error("a database is replicated on at least two nodes, and there are {0}")]
    NoPeers(u32),
    /// A site would call endlessly in one instant.
    #[error("the period of anti-entropy must be longer than 0, else a site calls endlessly in one instant")]
    NoPeriod,
    /// No update would be recent.
    #[error("with a window of 0 no update is recent: that is `Checksum`")]
    NoWindow,
    /// A tree that is none, or too large.
    #[error("a Merkle tree has 1 to {MERKLE_DEPTH_MAX} levels below its root, and not {0}")]
    Depth(u32),
    /// A deleted item would come back at once.
    #[error("death certificates must be active for longer than 0, else what was deleted comes back")]
    NoCertificates,
    /// More sites than there are.
    #[error("{sites} retention sites are more than the {node_count} sites that there are")]
    RetentionSites {
        /// How many were wanted.
        sites: u32,
        /// How many there are.
        node_count: u32,
    },
    /// One without the other.
    #[error("certificates are dormant for {dormant} at {sites} retention sites: both must be 0, or neither")]
    HalfDormant {
        /// τ2.
        dormant: Span,
        /// r.
        sites: u32,
    },
}

impl Config {
    /// So many sites with the default parameters.
    pub const fn new(node_count: u32) -> Self {
        Self {
            node_count,
            mail: Mail::Direct,
            anti_entropy: Some(AntiEntropy {
                period: Span::millis(100),
                flow: Flow::PushPull,
                comparison: Comparison::Recent(Span::secs(1)),
            }),
            certificates: Certificates {
                active: Span::secs(30),
                dormant: Span::secs(300),
                retention_sites: 2,
            },
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
        if let Some(anti_entropy) = self.anti_entropy {
            if anti_entropy.period.is_zero() {
                return Err(ConfigError::NoPeriod);
            }
            match anti_entropy.comparison {
                Comparison::Recent(window) if window.is_zero() => return Err(ConfigError::NoWindow),
                Comparison::Merkle(depth) if depth == 0 || depth > MERKLE_DEPTH_MAX => {
                    return Err(ConfigError::Depth(depth));
                }
                Comparison::Full | Comparison::Checksum | Comparison::Recent(_) | Comparison::Merkle(_) => {}
            }
        }
        self.validate_certificates()
    }

    const fn validate_certificates(&self) -> Result<(), ConfigError> {
        let Certificates { active, dormant, retention_sites: sites } = self.certificates;
        if active.is_zero() {
            return Err(ConfigError::NoCertificates);
        }
        if sites > self.node_count {
            return Err(ConfigError::RetentionSites { sites, node_count: self.node_count });
        }
        if dormant.is_zero() != (sites == 0) {
            return Err(ConfigError::HalfDormant { dormant, sites });
        }
        Ok(())
    }

    /// Whether sites have this bug.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// How many levels the tree of checksums has below its root: 0 where it is one checksum.
    pub(super) const fn depth(&self) -> u32 {
        match self.anti_entropy {
            Some(AntiEntropy { comparison: Comparison::Merkle(depth), .. }) => depth,
            Some(_) | None => 0,
        }
    }
}
