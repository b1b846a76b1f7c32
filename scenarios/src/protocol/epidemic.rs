//! The replicated database of Demers et al. in scenarios.

use protocols::epidemic::{self, Config, ConfigError, Epidemic, Mutant, invariants};
use protocols::mutant::MutantAbout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::MutantName;
use super::kind::Builtin;
use super::objections::{MORE_NODES, no_time, parameter, too_few_nodes};
use crate::text::units::Time;
use crate::validate::Objection;

/// The parameters of a replicated database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Whether a site sends an update to all others when it is made. Default `Direct`.
    pub mail: Mail,
    /// How often a site compares its database with that of another one, above 0. Default `100ms`.
    pub period: Time,
    /// Which way updates go between the two. Default `PushPull`.
    pub flow: Flow,
    /// How they find out in what they differ. Default `Recent("1s")`.
    pub comparison: Comparison,
    /// τ1: how long every site keeps a death certificate, above 0. Default `30s`.
    pub certificates_active: Time,
    /// τ2: how much longer its retention sites keep it dormant; `0s` without such sites, and only then. Default `5m`.
    pub certificates_dormant: Time,
    /// r: how many sites that are, at most as many as there are. Default 2.
    pub retention_sites: u32,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// Whether a site sends an update to all others when it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mail {
    /// It does not.
    Off,
    /// Once, to each of them.
    #[default]
    Direct,
}

/// Which way updates go when two sites compare their databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Flow {
    /// From who calls.
    Push,
    /// To who calls.
    Pull,
    /// Both ways.
    #[default]
    PushPull,
}

/// How two sites find out in what they differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Comparison {
    /// They don't compare: there is no anti-entropy.
    Never,
    /// By a list of all that one of them has.
    Full,
    /// By a checksum, and by a list of all if it differs.
    Checksum,
    /// By exchanging the updates of the last so long, above 0, and then as `Checksum`.
    Recent(Time),
    /// By a tree of checksums with so many levels below its root, 1 to 12, and lists of the buckets that differ.
    Merkle(u32),
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new(2);
        let anti_entropy = usual.anti_entropy.expect("it is on by default");
        Self {
            mail: Mail::default(),
            period: anti_entropy.period.into(),
            flow: Flow::default(),
            comparison: match anti_entropy.comparison {
                epidemic::Comparison::Full => Comparison::Full,
                epidemic::Comparison::Checksum => Comparison::Checksum,
                epidemic::Comparison::Recent(window) => Comparison::Recent(window.into()),
                epidemic::Comparison::Merkle(depth) => Comparison::Merkle(depth),
            },
            certificates_active: usual.certificates.active.into(),
            certificates_dormant: usual.certificates.dormant.into(),
            retention_sites: usual.certificates.retention_sites,
            mutant: None,
        }
    }
}

impl Parameters {
    fn anti_entropy(&self) -> Option<epidemic::AntiEntropy> {
        let comparison = match &self.comparison {
            Comparison::Never => return None,
            Comparison::Full => epidemic::Comparison::Full,
            Comparison::Checksum => epidemic::Comparison::Checksum,
            Comparison::Recent(window) => epidemic::Comparison::Recent(window.span()),
            Comparison::Merkle(depth) => epidemic::Comparison::Merkle(*depth),
        };
        let flow = match self.flow {
            Flow::Push => epidemic::Flow::Push,
            Flow::Pull => epidemic::Flow::Pull,
            Flow::PushPull => epidemic::Flow::PushPull,
        };
        Some(epidemic::AntiEntropy { period: self.period.span(), flow, comparison })
    }
}

impl Builtin for Parameters {
    type Process = Epidemic;

    const SUMMARY: &'static str = "a database on many sites that mail each other updates and compare what they have, until all have the same";
    const SERVICES: &'static [Service] = &[Service::Kv];
    const REGION_COUNT: u8 = 1;

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            node_count: members.last().map_or(0, |last| last.raw() + 1),
            mail: match self.mail {
                Mail::Off => epidemic::Mail::Off,
                Mail::Direct => epidemic::Mail::Direct,
            },
            anti_entropy: self.anti_entropy(),
            certificates: epidemic::Certificates {
                active: self.certificates_active.span(),
                dormant: self.certificates_dormant.span(),
                retention_sites: self.retention_sites,
            },
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(objection)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Epidemic>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: ConfigError) -> Objection {
    match error {
        ConfigError::NoPeers(_) => too_few_nodes(&error, MORE_NODES),
        ConfigError::NoPeriod => no_time("period", &error),
        ConfigError::NoWindow => no_time("comparison", &error),
        ConfigError::Depth(_) => {
            parameter("comparison", &error, "`Merkle(1)` to `Merkle(12)`", "`Merkle(6)` has 64 buckets")
        }
        ConfigError::NoCertificates => no_time("certificates_active", &error),
        ConfigError::RetentionSites { .. } => {
            parameter("retention_sites", &error, "at most the number of nodes", "2 are usual")
        }
        ConfigError::HalfDormant { .. } => parameter(
            "retention_sites",
            &error,
            "both above 0, or `0s` and 0",
            "`certificates_dormant: \"0s\"` goes with `retention_sites: 0`",
        ),
    }
}
