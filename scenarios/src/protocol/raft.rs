//! Raft in scenarios.

use protocols::mutant::MutantAbout;
use protocols::raft::{self, Config, ConfigError, Mutant, Raft, SessionPolicy, invariants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Service;

use super::MutantName;
use super::kind::Builtin;
use super::objections;
use crate::text::units::{NodeList, Ppm, Size, Time, TimeRange};
use crate::validate::Objection;

/// How reads are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReadMode {
    /// As entries of the log.
    Log,
    /// By the leader, after a round of heartbeats.
    #[default]
    ReadIndex,
    /// By any node, which asks the leader how far it must have executed.
    Follower,
    /// By the leader at once, while its lease holds. Needs `check_quorum` and `stickiness`, and clocks within `drift_max`.
    Lease,
}

/// How one membership follows another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Transition {
    /// In one step where a single voter comes or goes, else by joint consensus.
    #[default]
    Auto,
    /// Always by joint consensus, which is left by itself.
    JointImplicit,
    /// Always by joint consensus, which a client must leave.
    JointExplicit,
}

/// From when a membership is in force at a node that has it in its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TakesEffect {
    /// From when it is appended, committed or not.
    #[default]
    OnAppend,
    /// From when it is executed, as in etcd.
    OnApply,
}

/// The parameters of Raft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in scenario files")]
pub struct Parameters {
    /// How often a leader sends to each follower at least; shorter than any election timeout. Default `50ms`.
    pub heartbeat: Time,
    /// From where election timeouts are drawn, the end excluded. Default `150ms..300ms`.
    pub election_timeout: TimeRange,
    /// Whether a node asks whether it had a chance before it campaigns, so that one that comes back from a partition
    /// deposes nobody. Default false, as in the paper.
    pub pre_vote: bool,
    /// Whether a leader that no majority answers for the shortest election timeout steps down. Default false.
    pub check_quorum: bool,
    /// Whether nodes that heard of a leader within the shortest election timeout ignore candidates. Needs
    /// `check_quorum`. Default false.
    pub stickiness: bool,
    /// How reads are served: `Log`, `ReadIndex`, `Follower` or `Lease`. Default `ReadIndex`.
    pub reads: ReadMode,
    /// How much faster one node's clock may run than another's, for leases; below `500000ppm`. Default `50000ppm`.
    pub drift_max: Ppm,
    /// Those of the members that are learners at first: they get everything and decide nothing. Default none.
    pub learners: NodeList,
    /// How memberships change: `Auto`, `JointImplicit` or `JointExplicit`. Default `Auto`.
    pub transition: Transition,
    /// From when a membership is in force at a node: `OnAppend` or `OnApply`. Default `OnAppend`.
    pub takes_effect: TakesEffect,
    /// How many rounds a new node has to catch up before it may vote; 0 lets it vote at once. Default 10.
    pub catch_up_rounds: u64,
    /// How many entries are executed from one snapshot to the next, at least 1. Default 10,000.
    pub snapshot_every: u64,
    /// How many entries before a snapshot stay in the log, for followers that are a little behind. Default 5,000.
    pub snapshot_trail: u64,
    /// How much of a snapshot one message carries, at least `1B`. Default `64KiB`.
    pub snapshot_chunk: Size,
    /// How many clients have a session at most; with one more, the one that is idle longest expires, and retries of it
    /// are not answered any more. At least 1. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions_max: Option<u64>,
    /// How many entries one message carries at most, at least 1. Default 64.
    pub append_entries_max: u64,
    /// How many bytes of entries one message carries at most; one entry is always carried. Default `1MiB`.
    pub append_bytes_max: Size,
    /// How many messages with entries may be on their way to one follower, at least 1. Default 256.
    pub in_flight_max: u64,
    /// How many bytes of entries may be on their way to one follower. Default `16MiB`.
    pub in_flight_bytes_max: Size,
    /// How many entries of a leader may be uncommitted before it refuses clients, at least 1. Default 10,000.
    pub uncommitted_max: u64,
    /// How many bytes of entries may be uncommitted before it refuses clients. Default `16MiB`.
    pub uncommitted_bytes_max: Size,
    /// How many bytes of committed entries are executed in one step. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply_bytes_max: Option<Size>,
    /// How long each step of execution waits, as a thread of its own would. Default `0s`: it is done at once.
    pub apply_delay: Time,
    /// How many flushes of the disk may be under way at once, at least 1. Default 1.
    pub syncs_max: u64,
    /// Whether a candidate asks for votes while its own is on its way to the disk; it counts only once it is there, and
    /// nobody leads before. Default false: it writes first and asks then.
    pub overlap_own_vote: bool,
    /// Whether to check `non-disruption`: a leader that a majority hears is not deposed. Holds with `pre_vote`,
    /// `check_quorum` and `stickiness`, while clocks stay within `drift_max`. Default false.
    pub watch_disruption: bool,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new([]);
        let timeout = TimeRange::new(usual.election_timeout.start, usual.election_timeout.end);
        Self {
            heartbeat: usual.heartbeat.into(),
            election_timeout: timeout.expect("Raft's own default is a range"),
            pre_vote: usual.pre_vote,
            check_quorum: usual.check_quorum,
            stickiness: usual.stickiness,
            reads: ReadMode::ReadIndex,
            drift_max: Ppm::new(usual.drift_max.cast_signed()).expect("Raft's own default is a drift"),
            learners: NodeList::default(),
            transition: Transition::Auto,
            takes_effect: TakesEffect::OnAppend,
            catch_up_rounds: usual.catch_up_rounds,
            snapshot_every: usual.snapshot_every,
            snapshot_trail: usual.snapshot_trail,
            snapshot_chunk: Size::from_bytes(usual.snapshot_chunk),
            sessions_max: None,
            append_entries_max: usual.append_entries_max,
            append_bytes_max: Size::from_bytes(usual.append_bytes_max),
            in_flight_max: usual.in_flight_max,
            in_flight_bytes_max: Size::from_bytes(usual.in_flight_bytes_max),
            uncommitted_max: usual.uncommitted_max,
            uncommitted_bytes_max: Size::from_bytes(usual.uncommitted_bytes_max),
            apply_bytes_max: None,
            apply_delay: usual.apply_delay.into(),
            syncs_max: usual.syncs_max,
            overlap_own_vote: usual.overlap_own_vote,
            watch_disruption: usual.watch_disruption,
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Raft;

    const SUMMARY: &'static str = "a replicated log with a strong leader, and a key-value store on it";
    const SERVICES: &'static [Service] = &[Service::Kv];
    const REGION_COUNT: u8 = 3;

    fn config(&self, members: &[NodeId]) -> Config {
        let mutant = MutantName::resolve(self.mutant.as_ref(), Mutant::by_name);
        Config {
            heartbeat: self.heartbeat.span(),
            election_timeout: self.election_timeout.low()..self.election_timeout.high(),
            pre_vote: self.pre_vote,
            check_quorum: self.check_quorum,
            stickiness: self.stickiness,
            reads: self.reads.mode(),
            drift_max: self.drift_max.parts().unsigned_abs(),
            learners: self.learners.nodes().to_vec(),
            transition: self.transition.transition(),
            takes_effect: self.takes_effect.takes_effect(),
            catch_up_rounds: self.catch_up_rounds,
            snapshot_every: self.snapshot_every,
            snapshot_trail: self.snapshot_trail,
            snapshot_chunk: self.snapshot_chunk.bytes(),
            sessions: self.sessions_max.map_or(SessionPolicy::KeepAll, SessionPolicy::AtMost),
            append_entries_max: self.append_entries_max,
            append_bytes_max: self.append_bytes_max.bytes(),
            in_flight_max: self.in_flight_max,
            in_flight_bytes_max: self.in_flight_bytes_max.bytes(),
            uncommitted_max: self.uncommitted_max,
            uncommitted_bytes_max: self.uncommitted_bytes_max.bytes(),
            apply_bytes_max: self.apply_bytes_max.map(Size::bytes),
            apply_delay: self.apply_delay.span(),
            syncs_max: self.syncs_max,
            overlap_own_vote: self.overlap_own_vote,
            watch_disruption: self.watch_disruption,
            mutant,
            ..Config::new(members.iter().copied())
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        config.validate().map_err(|error| objection(&error))
    }

    fn invariants(_config: &Config) -> Vec<Box<dyn Invariant<Raft>>> {
        invariants::all()
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

impl ReadMode {
    const fn mode(self) -> raft::ReadMode {
        match self {
            Self::Log => raft::ReadMode::Log,
            Self::ReadIndex => raft::ReadMode::ReadIndex,
            Self::Follower => raft::ReadMode::Follower,
            Self::Lease => raft::ReadMode::Lease,
        }
    }
}

impl Transition {
    const fn transition(self) -> raft::Transition {
        match self {
            Self::Auto => raft::Transition::Auto,
            Self::JointImplicit => raft::Transition::JointImplicit,
            Self::JointExplicit => raft::Transition::JointExplicit,
        }
    }
}

impl TakesEffect {
    const fn takes_effect(self) -> raft::TakesEffect {
        match self {
            Self::OnAppend => raft::TakesEffect::OnAppend,
            Self::OnApply => raft::TakesEffect::OnApply,
        }
    }
}

fn objection(error: &ConfigError) -> Objection {
    match error {
        ConfigError::Members(error) => objections::members(error),
        ConfigError::NoHeartbeat => objections::no_time("heartbeat", error),
        ConfigError::EmptyElectionTimeout { low, .. } => objections::empty_election_timeout(*low, error),
        ConfigError::HeartbeatTooLong { low, .. } => objections::heartbeat_too_long(*low, error),
        ConfigError::LearnerNotMember(_) => {
            objections::parameter("learners", error, "members", "a node that is no spare")
        }
        ConfigError::LearnersOnly => {
            let hint = "leave at least one member that votes";
            objections::parameter("learners", error, "some of the members", hint)
        }
        ConfigError::LeaseWithout(name) => {
            let hint = format!("add `{name}: true`, or read by `ReadIndex`");
            objections::parameter("reads", error, format!("`Lease` beside `{name}: true`"), hint)
        }
        ConfigError::StickyWithoutQuorum => {
            let allowed = "`stickiness` beside `check_quorum: true`";
            objections::parameter("stickiness", error, allowed, "add `check_quorum: true`")
        }
        ConfigError::DriftTooLarge(_) => {
            objections::parameter("drift_max", error, "up to `499999ppm`", "such as `\"50000ppm\"`")
        }
        ConfigError::ZeroLimit(name) => objections::no_limit(name, error),
    }
}
