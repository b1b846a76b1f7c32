//! The partitioned log in scenarios.

use protocols::log::{self, Config, ConfigError, Mutant, Node, invariants};
use protocols::mutant::MutantAbout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::check::Invariant;
use sim_core::service::Service;
use sim_core::{NodeId, Span};

use super::MutantName;
use super::kind::Builtin;
use super::objections::{MORE_NODES, no_limit, no_time, none_left, parameter};
use crate::format::Latency;
use crate::text::units::{Probability, Time};
use crate::validate::Objection;

/// The parameters of a partitioned log. `n1` is the controller, or the first few nodes are. With `consumers` the last node is the store that they have
/// effects on, and they are before it. All others are brokers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How many of the first nodes are controllers, at least 1. One keeps what it decides on its disk; several keep it by Raft, and
    /// whoever leads decides. Default 1.
    pub controllers: u32,
    /// How many partitions clients use, 1 to 10,000; one more holds the offsets of consumers. With transactions there are as many
    /// of results, and one of transactions. Default 2.
    pub partitions: u32,
    /// On how many brokers each partition is, 1 to as many as there are. Default: 3, or as many as there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication: Option<u32>,
    /// How many must be in sync for a record to be taken and answered with `acks: All`, 1 to `replication`. Default: 2, or
    /// `replication` if that is less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_insync: Option<u32>,
    /// When an append is answered. Default `All`.
    pub acks: Acks,
    /// Whether a leader knows a record that is sent again. Default `true`.
    pub idempotence: bool,
    /// Whether somebody may lead who is not in sync, where nobody lives who is. Default `Clean`.
    pub election: Election,
    /// How often a broker tells the controller that it lives, above 0. Default `2s`.
    pub heartbeat: Time,
    /// After how long without a heartbeat the controller fences a broker, above `heartbeat`. Default `9s`.
    pub session_timeout: Time,
    /// After how long a follower that has not caught up is out of sync, above `fetch_wait`. Default `30s`.
    pub lag_max: Time,
    /// How long a follower waits for records or for an answer before it asks again, above 0. Default `500ms`.
    pub fetch_wait: Time,
    /// How many records a follower or a client gets at a time, at least 1. Default 500.
    pub fetch_max: u32,
    /// How often the controller gives partitions back to the first of their replicas, above 0. Default `10s`.
    pub rebalance: Time,
    /// How many nodes are consumers: one group, which reads all partitions. Default 0.
    pub consumers: u32,
    /// How the group shares partitions out when somebody comes or goes. Default `Cooperative`.
    pub group: GroupProtocol,
    /// Whether a consumer that restarts within its session is who it was. Default `Dynamic`: it is not.
    pub membership: Membership,
    /// What consumers promise of each record. Default `AtLeastOnce`.
    pub guarantee: Guarantee,
    /// How often a consumer keeps how far it has come, above 0. Default `5s`.
    pub commit_interval: Time,
    /// How often a consumer tells the coordinator that it lives, above 0. Default `3s`.
    pub group_heartbeat: Time,
    /// After how long without being heard of it is no member, above `group_heartbeat`. Default `45s`.
    pub group_session: Time,
    /// How long the coordinator waits for members to join again, above 0. Default `1m`.
    pub rebalance_timeout: Time,
    /// How long a consumer may have a record in hand and be a member, above 0. Default `5m`.
    pub poll_interval_max: Time,
    /// How long a consumer waits before it reads again, above 0. Default `100ms`.
    pub poll_interval: Time,
    /// How many records of a partition may wait for a worker before a consumer reads no more, at least 1. Default 500.
    pub backlog_max: u32,
    /// How many records a consumer handles at a time, at least 1. Default 1.
    pub workers: u32,
    /// How long it takes to handle a record. Default `1ms`.
    pub service: Latency,
    /// How long a consumer waits for the store, and with transactions for brokers, before it asks again, above 0. Default
    /// `200ms`.
    pub call_timeout: Time,
    /// Which results readers are shown, with transactions. Default `ReadCommitted`.
    pub isolation: Isolation,
    /// After how long the coordinator aborts an open transaction, above `commit_interval` with transactions. Default `1m`.
    pub transaction_timeout: Time,
    /// Whether each transaction has a producer epoch of its own, so that what is late opens none. Default `true`.
    pub epoch_per_transaction: bool,
    /// How many committed records a partition keeps, at least 1; those before them go, whether somebody has read them or not. Default:
    /// all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_records: Option<u64>,
    /// How long records are kept, above 0; then they go. With `retention_records` whichever comes first. Default: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_time: Option<Time>,
    /// Whether the partitions of offsets and of transactions keep the last record of each key and no others. Default `false`.
    pub compaction: bool,
    /// How often a broker looks for what is to go, above 0. Default `5m`.
    pub clean_interval: Time,
    /// Where a consumer goes on whose next record is not there any more. Default `Earliest`.
    pub offset_reset: OffsetReset,
    /// How probable it is that handling a record fails, at each attempt. Default 0.
    pub failure: Probability,
    /// How long a consumer then leaves the partition alone, above 0. It goes back to the record that failed. Default `1s`.
    pub failure_pause: Time,
    /// The bug to have on purpose: the name of a mutant. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<MutantName>,
}

/// When an append is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Acks {
    /// At once, before it is on any disk.
    Never,
    /// When it is on the leader's disk.
    Leader,
    /// When it is on the disks of all that are in sync.
    #[default]
    All,
}

/// Who may lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Election {
    /// Who is in sync; else nobody.
    #[default]
    Clean,
    /// Anybody, where nobody lives who is in sync: what it does not have is lost.
    Unclean,
}

/// How the group shares partitions out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GroupProtocol {
    /// Everybody gives up everything, joins again, and gets something.
    Eager,
    /// Everybody joins again and keeps what it has, but for what is to move.
    #[default]
    Cooperative,
    /// Nobody joins again: the coordinator tells each what to give up and what it gets.
    ServerSide,
}

/// Whether a consumer that restarts is who it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Membership {
    /// It is somebody new.
    #[default]
    Dynamic,
    /// It is, and has what it had.
    Static,
}

/// What consumers promise of each record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Guarantee {
    /// One effect or none.
    AtMostOnce,
    /// One effect or more.
    #[default]
    AtLeastOnce,
    /// One effect, because the store knows repetitions.
    EffectivelyOnce,
    /// One effect, because results and offsets are transactions.
    Transactional,
}

/// Which results readers are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Isolation {
    /// Also those of transactions that are open or aborted.
    ReadUncommitted,
    /// Those of transactions that are committed.
    #[default]
    ReadCommitted,
}

/// Where a consumer goes on whose next record is not there any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OffsetReset {
    /// With the first record that is there.
    #[default]
    Earliest,
    /// With the next one that comes.
    Latest,
}

/// A disk has no more regions.
const PARTITIONS_MAX: u32 = 10_000;

impl Default for Parameters {
    fn default() -> Self {
        let usual = Config::new(4);
        Self {
            controllers: usual.controllers,
            partitions: usual.partitions,
            replication: None,
            min_insync: None,
            acks: Acks::default(),
            idempotence: true,
            election: Election::default(),
            heartbeat: usual.heartbeat.into(),
            session_timeout: usual.session_timeout.into(),
            lag_max: usual.lag_max.into(),
            fetch_wait: usual.fetch_wait.into(),
            fetch_max: usual.fetch_max,
            rebalance: usual.rebalance.into(),
            consumers: 0,
            group: GroupProtocol::default(),
            membership: Membership::default(),
            guarantee: Guarantee::default(),
            commit_interval: usual.commit_interval.into(),
            group_heartbeat: usual.group_heartbeat.into(),
            group_session: usual.group_session.into(),
            rebalance_timeout: usual.rebalance_timeout.into(),
            poll_interval_max: usual.poll_interval_max.into(),
            poll_interval: usual.poll_interval.into(),
            backlog_max: usual.backlog_max,
            workers: usual.workers,
            service: Latency::constant(Span::millis(1)),
            call_timeout: usual.call_timeout.into(),
            isolation: Isolation::default(),
            transaction_timeout: usual.transaction_timeout.into(),
            epoch_per_transaction: true,
            retention_records: None,
            retention_time: None,
            compaction: false,
            clean_interval: usual.clean_interval.into(),
            offset_reset: OffsetReset::default(),
            failure: "0".parse().expect("it is a probability"),
            failure_pause: usual.failure_pause.into(),
            mutant: None,
        }
    }
}

impl Builtin for Parameters {
    type Process = Node;

    const SUMMARY: &'static str = "records in partitions, replicated among brokers: in-sync replicas, leader epochs, idempotent producers";
    const SERVICES: &'static [Service] = &[Service::Log];
    const REGION_COUNT: u8 = 4;

    fn region_count(&self) -> u16 {
        let all = match self.guarantee {
            Guarantee::Transactional => self.partitions.saturating_mul(2).saturating_add(3),
            Guarantee::AtMostOnce | Guarantee::AtLeastOnce | Guarantee::EffectivelyOnce => {
                self.partitions.saturating_add(2)
            }
        };
        // Where they begin has as many.
        let cleans = self.compaction || self.retention_records.is_some() || self.retention_time.is_some();
        let all = if cleans { all.saturating_mul(2).saturating_sub(1) } else { all };
        // A controller that is one of several has the three regions of Raft.
        u16::try_from(all.max(3)).unwrap_or(u16::MAX)
    }

    fn config(&self, members: &[NodeId]) -> Config {
        let node_count = members.last().map_or(0, |last| last.raw() + 1);
        let (controllers, consumers) = (self.controllers, self.consumers);
        let brokers = Config { controllers, consumers, ..Config::new(node_count) }.broker_count();
        let replication = self.replication.unwrap_or(brokers.min(3));
        Config {
            node_count,
            controllers,
            partitions: self.partitions,
            replication,
            min_insync: self.min_insync.unwrap_or(replication.min(2)),
            acks: match self.acks {
                Acks::Never => log::Acks::None,
                Acks::Leader => log::Acks::Leader,
                Acks::All => log::Acks::All,
            },
            idempotence: self.idempotence.into(),
            election: match self.election {
                Election::Clean => log::Election::Clean,
                Election::Unclean => log::Election::Unclean,
            },
            heartbeat: self.heartbeat.span(),
            session_timeout: self.session_timeout.span(),
            lag_max: self.lag_max.span(),
            fetch_wait: self.fetch_wait.span(),
            fetch_max: self.fetch_max,
            rebalance: self.rebalance.span(),
            consumers: self.consumers,
            group: match self.group {
                GroupProtocol::Eager => log::GroupProtocol::Eager,
                GroupProtocol::Cooperative => log::GroupProtocol::Cooperative,
                GroupProtocol::ServerSide => log::GroupProtocol::ServerSide,
            },
            membership: match self.membership {
                Membership::Dynamic => log::Membership::Dynamic,
                Membership::Static => log::Membership::Static,
            },
            guarantee: match self.guarantee {
                Guarantee::AtMostOnce => log::Guarantee::AtMostOnce,
                Guarantee::AtLeastOnce => log::Guarantee::AtLeastOnce,
                Guarantee::EffectivelyOnce => log::Guarantee::EffectivelyOnce,
                Guarantee::Transactional => log::Guarantee::Transactional,
            },
            commit_interval: self.commit_interval.span(),
            group_heartbeat: self.group_heartbeat.span(),
            group_session: self.group_session.span(),
            rebalance_timeout: self.rebalance_timeout.span(),
            poll_interval_max: self.poll_interval_max.span(),
            poll_interval: self.poll_interval.span(),
            backlog_max: self.backlog_max,
            workers: self.workers,
            service: self.service.distribution(),
            call_timeout: self.call_timeout.span(),
            isolation: match self.isolation {
                Isolation::ReadUncommitted => log::Isolation::ReadUncommitted,
                Isolation::ReadCommitted => log::Isolation::ReadCommitted,
            },
            transaction_timeout: self.transaction_timeout.span(),
            epoch_per_transaction: self.epoch_per_transaction.into(),
            retention_records: self.retention_records,
            retention_time: self.retention_time.map(Time::span),
            compaction: self.compaction.into(),
            clean_interval: self.clean_interval.span(),
            offset_reset: match self.offset_reset {
                OffsetReset::Earliest => log::OffsetReset::Earliest,
                OffsetReset::Latest => log::OffsetReset::Latest,
            },
            failure: self.failure.probability(),
            failure_pause: self.failure_pause.span(),
            mutant: MutantName::resolve(self.mutant.as_ref(), Mutant::by_name),
        }
    }

    fn check(config: &Config) -> Result<(), Objection> {
        if config.partitions > PARTITIONS_MAX {
            let problem = format!("a log cannot have {} `partitions`", config.partitions);
            return Err(parameter("partitions", &problem, format!("1 to {PARTITIONS_MAX}"), "or fewer"));
        }
        config.validate().map_err(objection)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Node>>> {
        invariants::all(config)
    }

    fn mutants() -> Vec<MutantAbout> {
        Mutant::ALL.iter().map(|mutant| mutant.about()).collect()
    }
}

fn objection(error: ConfigError) -> Objection {
    match error {
        ConfigError::TooFewNodes { controllers, .. } => {
            none_left(&error, controllers, "the first nodes are `controllers`, all others are brokers")
        }
        ConfigError::OnlyConsumers { controllers, nodes, .. } => {
            let most = nodes.saturating_sub(controllers.saturating_add(2));
            parameter("consumers", &error, format!("up to {most} with so many nodes"), MORE_NODES)
        }
        ConfigError::TooManyNodes(_) => {
            Objection::new("nodes", error.to_string(), "2 to 64", "write fewer `nodes`")
        }
        ConfigError::NoPartitions => no_limit("partitions", &error),
        ConfigError::NoReplicas => no_limit("replication", &error),
        ConfigError::TooManyReplicas { brokers, .. } => {
            parameter("replication", &error, format!("1 to {brokers}"), MORE_NODES)
        }
        ConfigError::TooManyInSync { replication, .. } => parameter(
            "min_insync",
            &error,
            format!("1 to {replication}"),
            "one less than `replication` is usual",
        ),
        ConfigError::NoTime(name) => no_time(name, &error),
        ConfigError::Nothing(name) => no_limit(name, &error),
        ConfigError::ShortSession { heartbeat, .. } => parameter(
            "session_timeout",
            &error,
            format!("times above `{heartbeat}`"),
            "several heartbeats, because some are lost",
        ),
        ConfigError::ShortGroupSession { heartbeat, .. } => parameter(
            "group_session",
            &error,
            format!("times above `{heartbeat}`"),
            "several heartbeats, because some are lost",
        ),
        ConfigError::ShortLag { fetch_wait, .. } => {
            parameter("lag_max", &error, format!("times above `{fetch_wait}`"), "or a shorter `fetch_wait`")
        }
        ConfigError::NobodyProduces => parameter(
            "guarantee",
            &error,
            "`Transactional` with 1 or more `consumers`",
            "add `consumers: 1`, and a node for it and one for the store",
        ),
        ConfigError::ShortTransaction { interval, .. } => parameter(
            "transaction_timeout",
            &error,
            format!("times above `{interval}`"),
            "several `commit_interval`s, because the end takes time too",
        ),
    }
}
