//! Two-phase commit in scenarios.

use protocols::mutant::MutantAbout;
use protocols::two_phase_commit::{self, Config, ConfigError, Mutant, TwoPhaseCommit, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::MutantName;
use super::kind::Builtin;
use super::objections::{no_limit, no_time, parameter, reversed};
use crate::text::units::{Time, TimeRange};
use crate::validate::Objection;

/// The parameters of two-phase commit. The first nodes coordinate, all others are participants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How many nodes coordinate, at least 1 and fewer than there are nodes. Default 1.
    pub coordinators: u32,
    /// How many accounts there are, 1 to 1000000; each begins with 100, and participants have them in turn. Default 8.
    pub accounts: u32,
    /// What is presumed of a transaction that its coordinator knows nothing of. Default `Abort`.
    pub presumption: Presumption,
    /// Whom a participant in doubt asks. Default `Cooperative`.
    pub termination: Termination,
    /// How many participants each transfer has at least, 1 to as many as have an account: further ones take an account of theirs, vote and
    /// write, and move nothing. Default 1: whoever has one of the accounts.
    pub participants_min: u32,
    /// How often a coordinator tries an operation whose accounts are taken, at least 1. Default 8.
    pub attempts: u32,
    /// How long a coordinator waits for votes before it aborts, above 0. Default `60ms`.
    pub vote_timeout: Time,
    /// How long a coordinator waits before it tries again. Default `5ms..20ms`.
    pub backoff: TimeRange,
    /// How long a participant waits for the decision before it asks, and between two inquiries, above 0. Default `100ms`.
    pub inquire_after: Time,
    /// How long a coordinator waits for acknowledgements before it tells its decision again, above 0. Default `100ms`.
    pub resend_after: Time,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// What is presumed of a transaction that its coordinator knows nothing of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Presumption {
    /// It was aborted: aborts are neither forced to disk nor acknowledged.
    #[default]
    Abort,
    /// Nothing: every decision is forced to disk and acknowledged.
    Nothing,
}

/// Whom a participant in doubt asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Termination {
    /// The coordinator alone.
    Coordinator,
    /// The other participants as well.
    #[default]
    Cooperative,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new(2);
        let (low, high) = (*usual.backoff.start(), *usual.backoff.end());
        Self {
            coordinators: usual.coordinators,
            accounts: usual.accounts,
            presumption: Presumption::default(),
            termination: Termination::default(),
            participants_min: usual.participants_min,
            attempts: usual.attempts,
            vote_timeout: usual.vote_timeout.into(),
            backoff: TimeRange::new(low, high).expect("the default is a range"),
            inquire_after: usual.inquire_after.into(),
            resend_after: usual.resend_after.into(),
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = TwoPhaseCommit;

    const SUMMARY: &'static str = "two-phase commit with presumed abort: money moves between accounts on several nodes, all of it or nothing";
    const SERVICES: &'static [Service] = &[Service::Transfer];
    const REGION_COUNT: u8 = 1;

    fn config(&self, members: &[NodeId]) -> Config {
        Config {
            node_count: members.last().map_or(0, |last| last.raw() + 1),
            coordinators: self.coordinators,
            accounts: self.accounts,
            presumption: match self.presumption {
                Presumption::Abort => two_phase_commit::Presumption::Abort,
                Presumption::Nothing => two_phase_commit::Presumption::Nothing,
            },
            termination: match self.termination {
                Termination::Coordinator => two_phase_commit::Termination::Coordinator,
                Termination::Cooperative => two_phase_commit::Termination::Cooperative,
            },
            participants_min: self.participants_min,
            attempts: self.attempts,
            vote_timeout: self.vote_timeout.span(),
            backoff: self.backoff.low()..=self.backoff.high(),
            inquire_after: self.inquire_after.span(),
            resend_after: self.resend_after.span(),
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(|error| objection(&error))
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<TwoPhaseCommit>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::NoCoordinator => {
            parameter("coordinators", error, "1 and more, and fewer than there are nodes", "1 is usual")
        }
        ConfigError::NoParticipant { .. } => {
            let hint = "more nodes, fewer of them as `spares`, or fewer `coordinators`";
            Objection::new(
                "nodes",
                error.to_string(),
                "more nodes that are no spares than coordinators",
                hint,
            )
        }
        ConfigError::NoAccounts => no_limit("accounts", error),
        ConfigError::TooManyAccounts(_) => parameter("accounts", error, "1 to 1000000", "leave it out for 8"),
        ConfigError::ParticipantCount { there_are, .. } => parameter(
            "participants_min",
            error,
            format!("1 to {there_are}"),
            "leave it out for whoever has an account",
        ),
        ConfigError::NoAttempts => no_limit("attempts", error),
        ConfigError::NoTime(name) => no_time(name, error),
        ConfigError::EmptyBackoff { .. } => reversed("backoff", error),
    }
}
