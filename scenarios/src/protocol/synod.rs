//! The Synod in scenarios.

use protocols::synod::{self, Config, ConfigError, Mutant, Synod, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::process::{Message as _, Process, Timer as _};
use sim_core::service::Service;
use sim_core::{NodeId, Simulation};

use super::quorums::Quorums;
use super::{MutantName, Protocol, ProtocolAbout, ProtocolKind};
use crate::assemble::Blueprint;
use crate::text::units::{Time, TimeRange};
use crate::validate::Objection;

/// The parameters of the Synod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Which sets of acceptors are enough. Default `Majority`.
    pub quorums: Quorums,
    /// Who hears of it when an acceptor accepts. Default `Everybody`.
    pub learning: Learning,
    /// How long a proposer waits for a quorum before it takes another ballot, above 0. Default `100ms`.
    pub ballot_timeout: Time,
    /// From where the pause of a pre-empted proposer is drawn. Default `5ms..50ms`. With a single time such as `0ms`
    /// proposers may pre-empt each other for ever.
    pub backoff: TimeRange,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// Who hears of it when an acceptor accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Learning {
    /// Every node.
    #[default]
    Everybody,
    /// The proposer, which tells the others: fewer messages, one delay more.
    Proposer,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new([]);
        let backoff = TimeRange::new(*usual.backoff.start(), *usual.backoff.end());
        Self {
            quorums: Quorums::default(),
            learning: Learning::default(),
            ballot_timeout: usual.ballot_timeout.into(),
            backoff: backoff.expect("the Synod's own default is a range"),
            mutant: None,
        }
    }
}

impl Parameters {
    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            quorums: self.quorums.system(),
            learning: match self.learning {
                Learning::Everybody => synod::Learning::Everybody,
                Learning::Proposer => synod::Learning::Proposer,
            },
            ballot_timeout: self.ballot_timeout.span(),
            backoff: self.backoff.low()..=self.backoff.high(),
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
            ..Config::new(members.iter().copied())
        }
    }
}

/// What is known of the Synod.
pub(super) struct Kind;

impl ProtocolKind for Kind {
    fn about(&self) -> ProtocolAbout {
        ProtocolAbout {
            name: "synod".to_owned(),
            summary: "single-decree Paxos: nodes agree on one value, a register that is written once"
                .to_owned(),
            services: vec![Service::Kv],
            region_count: 2,
            parameters: schemars::schema_for!(Parameters),
            invariants: invariants::all(&Config::new([]))
                .iter()
                .map(|invariant| *invariant.about())
                .collect(),
            mutants: Mutant::ALL.iter().map(|mutant| mutant.about()).collect(),
            message_kinds: <Synod as Process>::Message::KINDS.to_vec(),
            timers: <Synod as Process>::Timer::NAMES.to_vec(),
            points: Synod::POINTS.to_vec(),
        }
    }

    fn check(&self, protocol: &Protocol, members: &[NodeId]) -> Result<(), Objection> {
        parameters(protocol).config(members).validate().map_err(|error| objection(&error))
    }

    fn assemble(&self, protocol: &Protocol, members: &[NodeId], blueprint: Blueprint) -> Box<dyn Simulation> {
        let config = parameters(protocol).config(members);
        let invariants = invariants::all(&config);
        blueprint.build::<Synod>(config, invariants)
    }
}

fn parameters(protocol: &Protocol) -> &Parameters {
    let Protocol::Synod(parameters) = protocol else {
        panic!("the table hands the Synod its own parameters, not those of `{}`", protocol.name())
    };
    parameters
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::NoMembers => {
            Objection::new("spares", error.to_string()).hint("leave at least one node that is no spare")
        }
        ConfigError::OutOfReach(_) | ConfigError::MembersNotAscending { .. } => {
            Objection::new("nodes", error.to_string()).hint("fewer nodes, or some of them as `spares`")
        }
        ConfigError::Quorums(_) => Objection::new("protocol.quorums", error.to_string())
            .hint("larger quorums, or the mutant `disjoint-quorums` to see what happens"),
        ConfigError::NoBallotTimeout => Objection::new("protocol.ballot_timeout", error.to_string()),
        ConfigError::EmptyBackoff { .. } => Objection::new("protocol.backoff", error.to_string()),
    }
}
