//! The parameters of a log, and which of them make no sense.

use serde::Serialize;
use sim_core::disk::RegionId;
use sim_core::random::{Distribution, Probability};
use sim_core::service::{Value, log};
use sim_core::{NodeId, Span};

use super::beginning::Cleanup;
use super::durable::region_of;
use super::mutants::Mutant;
use super::types::PartitionId;
use crate::raft;
use crate::replicated::NodeSet;
use crate::switch::Switch;

/// When an append is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Acks {
    /// At once: it is on nobody's disk yet (`acks=0`).
    None,
    /// When it is on the leader's disk (`acks=1`).
    Leader,
    /// When it is on the disks of all that are in sync (`acks=all`).
    #[default]
    All,
}

/// Whether somebody may lead who is not in sync, where nobody is left who is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Election {
    /// No: then nobody leads.
    #[default]
    Clean,
    /// Yes: and what it does not have is lost.
    Unclean,
}

/// What all nodes share.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many nodes there are: controllers, brokers, and perhaps consumers and their store.
    pub node_count: u32,
    /// How many controllers there are: the first nodes. One keeps what it decides on its disk, several keep it by Raft. Default 1.
    pub controllers: u32,
    /// How many partitions clients use; one more holds their offsets.
    pub partitions: u32,
    /// On how many brokers each partition is. Default 3.
    pub replication: u32,
    /// How many must be in sync for an append to be taken and answered with [`Acks::All`]. Default 2.
    pub min_insync: u32,
    /// When an append is answered.
    pub acks: Acks,
    /// Whether a leader knows a record that is sent again. Default yes.
    pub idempotence: Switch,
    /// Who may lead.
    pub election: Election,
    /// How often a broker tells the controller that it lives. Default 2 s.
    pub heartbeat: Span,
    /// After how long without a heartbeat the controller fences a broker. Default 9 s.
    pub session_timeout: Span,
    /// After how long a follower that has not caught up is out of sync. Default 30 s.
    pub lag_max: Span,
    /// How long a follower waits for records or for an answer before it asks again. Default 500 ms.
    pub fetch_wait: Span,
    /// How many records a follower or a client gets at a time. Default 500.
    pub fetch_max: u32,
    /// How often the controller gives partitions back to the first of their replicas. Default 10 s.
    pub rebalance: Span,
    /// How many nodes are consumers, between the brokers and the store, which is the last; none and no store where 0.
    pub consumers: u32,
    /// How the group shares partitions out.
    pub group: GroupProtocol,
    /// Whether a consumer that has restarted is who it was.
    pub membership: Membership,
    /// What consumers promise.
    pub guarantee: Guarantee,
    /// How often a consumer keeps how far it has come. Default 5 s.
    pub commit_interval: Span,
    /// How often a consumer tells the coordinator that it lives. Default 3 s.
    pub group_heartbeat: Span,
    /// After how long without being heard of it is no member. Default 45 s.
    pub group_session: Span,
    /// How long the coordinator waits for members to join again. Default 60 s.
    pub rebalance_timeout: Span,
    /// How long a consumer may have a record in hand and be a member. Default 5 min.
    pub poll_interval_max: Span,
    /// How long a consumer waits before it reads again where there was nothing. Default 100 ms.
    pub poll_interval: Span,
    /// How many records of a partition may wait for a worker; then it reads no more. Default 500.
    pub backlog_max: u32,
    /// How many records a consumer handles at a time. Default 1.
    pub workers: u32,
    /// How long that takes. Default 1 ms.
    pub service: Distribution,
    /// How long a consumer waits for the store, and for brokers, before it asks again or another one. Default 200 ms.
    pub call_timeout: Span,
    /// Which results readers are shown. Default those that are committed.
    pub isolation: Isolation,
    /// After how long the coordinator aborts a transaction that is open. Default 60 s.
    pub transaction_timeout: Span,
    /// Whether each transaction has a producer epoch of its own (KIP-890). Default yes.
    pub epoch_per_transaction: Switch,
    /// How many committed records a partition of clients keeps; those before them go. Default all.
    pub retention_records: Option<u64>,
    /// How long they are kept at least; then they go. Default for ever.
    pub retention_time: Option<Span>,
    /// Whether the partitions of offsets and of transactions keep the last record of each key, and no others. Default no.
    pub compaction: Switch,
    /// How often a broker looks for what is to go. Default 5 min.
    pub clean_interval: Span,
    /// Where a consumer goes on whose next record is not there any more.
    pub offset_reset: OffsetReset,
    /// How probable it is that a consumer fails to handle a record, at each attempt. Default 0.
    pub failure: Probability,
    /// How long it then leaves the partition alone. Default 1 s.
    pub failure_pause: Span,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// After how many changes several controllers take a snapshot of what they have decided.
const METADATA_SNAPSHOT_EVERY: u64 = 50;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Role {
    /// Decides who leads, with others or by itself: one of the first nodes.
    Controller,
    /// Keeps records.
    Broker,
    /// Handles them.
    Consumer,
    /// Has their effects: the last node, where there are consumers.
    Store,
}

/// How the group shares partitions out when somebody comes or goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum GroupProtocol {
    /// Everybody gives up everything, joins again, and gets something.
    Eager,
    /// Everybody joins again and keeps what it has, but for what is to move.
    #[default]
    Cooperative,
    /// Nobody joins again: the coordinator tells each what to give up and what it gets (KIP-848).
    ServerSide,
}

/// Whether a consumer that has restarted is who it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Membership {
    /// No: it is somebody new.
    #[default]
    Dynamic,
    /// Yes, within its session (KIP-345).
    Static,
}

/// What consumers promise of each record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Guarantee {
    /// One effect or none: kept as handled before it is.
    AtMostOnce,
    /// One effect or more: handled, and kept as handled some time later.
    #[default]
    AtLeastOnce,
    /// One effect: the store knows repetitions, and fences who has lost the partition.
    EffectivelyOnce,
    /// One effect: results and offsets are transactions, and the store reads results.
    Transactional,
}

/// Which results readers are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Isolation {
    /// All that are replicated, also of transactions that are open or aborted.
    ReadUncommitted,
    /// Those of transactions that are committed, below the last stable offset.
    #[default]
    ReadCommitted,
}

/// Where a consumer goes on whose next record is not there any more (Kafka: `auto.offset.reset`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum OffsetReset {
    /// With the first record that is.
    #[default]
    Earliest,
    /// With the next one that comes.
    Latest,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is nobody to keep anything.
    #[error("{controllers} `controllers` leave no broker among {nodes} nodes")]
    TooFewNodes {
        /// Controllers.
        controllers: u32,
        /// Nodes.
        nodes: u32,
    },
    /// Consumers and their store are all that there is.
    #[error(
        "{consumers} `consumers` and their store, with {controllers} `controllers`, leave no broker among {nodes} nodes"
    )]
    OnlyConsumers {
        /// Controllers.
        controllers: u32,
        /// Consumers.
        consumers: u32,
        /// Nodes.
        nodes: u32,
    },
    /// Sets of nodes hold so many.
    #[error("a log has at most 64 nodes, and there are {0}")]
    TooManyNodes(u32),
    /// There is nothing to append to.
    #[error("with 0 `partitions` there is nothing to append to")]
    NoPartitions,
    /// A partition would be nowhere.
    #[error("with a `replication` of 0 a partition is nowhere")]
    NoReplicas,
    /// There are not so many.
    #[error("a `replication` of {replication} needs as many brokers, and there are {brokers}")]
    TooManyReplicas {
        /// Replicas.
        replication: u32,
        /// Brokers.
        brokers: u32,
    },
    /// Nothing could be appended, ever.
    #[error(
        "`min_insync` is {min_insync}, and a partition has {replication} replicas: nothing is ever taken"
    )]
    TooManyInSync {
        /// In sync.
        min_insync: u32,
        /// Replicas.
        replication: u32,
    },
    /// Something would happen endlessly in one instant.
    #[error("`{0}` must be longer than 0")]
    NoTime(&'static str),
    /// Nothing would be sent.
    #[error("`{0}` must be at least 1")]
    Nothing(&'static str),
    /// Every broker would be fenced between two heartbeats.
    #[error("a `session_timeout` of {session} is over before the second `heartbeat`, {heartbeat} later")]
    ShortSession {
        /// The session.
        session: Span,
        /// The heartbeat.
        heartbeat: Span,
    },
    /// Every member would be gone between two heartbeats.
    #[error("a `group_session` of {session} is over before the second `group_heartbeat`, {heartbeat} later")]
    ShortGroupSession {
        /// The session.
        session: Span,
        /// The heartbeat.
        heartbeat: Span,
    },
    /// A follower that waits for records would be out of sync.
    #[error(
        "with a `lag_max` of {lag_max} a follower that waits `fetch_wait`, {fetch_wait}, for records is out of sync"
    )]
    ShortLag {
        /// The lag.
        lag_max: Span,
        /// The wait.
        fetch_wait: Span,
    },
    /// There would be nobody to have transactions.
    #[error("with a `guarantee` of `Transactional` consumers write results, and there are 0 `consumers`")]
    NobodyProduces,
    /// Every transaction would be aborted.
    #[error(
        "a `transaction_timeout` of {timeout} is over before a consumer ends its transaction, a `commit_interval` of {interval} later"
    )]
    ShortTransaction {
        /// The timeout.
        timeout: Span,
        /// The interval.
        interval: Span,
    },
}

impl Config {
    /// So many nodes with the default parameters: on three brokers or as many as there are.
    pub fn new(node_count: u32) -> Self {
        let brokers = node_count.saturating_sub(1);
        Self {
            node_count,
            controllers: 1,
            partitions: 2,
            replication: brokers.min(3),
            min_insync: brokers.min(2),
            acks: Acks::All,
            idempotence: Switch::On,
            election: Election::Clean,
            heartbeat: Span::secs(2),
            session_timeout: Span::secs(9),
            lag_max: Span::secs(30),
            fetch_wait: Span::millis(500),
            fetch_max: 500,
            rebalance: Span::secs(10),
            consumers: 0,
            group: GroupProtocol::default(),
            membership: Membership::default(),
            guarantee: Guarantee::default(),
            commit_interval: Span::secs(5),
            group_heartbeat: Span::secs(3),
            group_session: Span::secs(45),
            rebalance_timeout: Span::secs(60),
            poll_interval_max: Span::secs(300),
            poll_interval: Span::millis(100),
            backlog_max: 500,
            workers: 1,
            service: Distribution::constant(Span::millis(1)),
            call_timeout: Span::millis(200),
            isolation: Isolation::default(),
            transaction_timeout: Span::secs(60),
            epoch_per_transaction: Switch::On,
            retention_records: None,
            retention_time: None,
            compaction: Switch::Off,
            clean_interval: Span::secs(300),
            offset_reset: OffsetReset::default(),
            failure: Probability::ZERO,
            failure_pause: Span::secs(1),
            mutant: None,
        }
    }

    /// How many brokers there are.
    pub const fn broker_count(&self) -> u32 {
        let consumers = if self.consumers == 0 { 0 } else { self.consumers.saturating_add(1) };
        self.node_count.saturating_sub(self.controllers).saturating_sub(consumers)
    }

    /// The broker whose number comes after this node's, around; the first after the last.
    pub const fn broker(&self, after: u32) -> NodeId {
        NodeId::new(self.controllers + after % self.broker_count())
    }

    /// How several controllers keep what they decide. A mutant with the name of one of Raft is that bug in the replicas.
    pub(super) fn raft(&self) -> raft::Config {
        let (snapshot_every, snapshot_trail) = (METADATA_SNAPSHOT_EVERY, METADATA_SNAPSHOT_EVERY / 2);
        raft::Config {
            snapshot_every,
            snapshot_trail,
            mutant: self.mutant.and_then(|mutant| raft::Mutant::by_name(mutant.about().name)),
            ..raft::Config::new((0..self.controllers).map(NodeId::new))
        }
    }

    /// The node that has the effects.
    pub const fn store(&self) -> NodeId {
        NodeId::new(self.node_count.saturating_sub(1))
    }

    /// What a node is.
    pub fn role_of(&self, node: NodeId) -> Role {
        let brokers = self.controllers..self.controllers + self.broker_count();
        match node {
            controller if controller.raw() < self.controllers => Role::Controller,
            broker if brokers.contains(&broker.raw()) => Role::Broker,
            store if store == self.store() => Role::Store,
            _ => Role::Consumer,
        }
    }

    /// Whether consumers write results in transactions.
    pub fn is_transactional(&self) -> bool {
        self.guarantee == Guarantee::Transactional
    }

    /// All partitions: those that clients append to, with transactions as many of results, that of offsets, and with
    /// transactions that of transactions.
    pub fn all_partitions(&self) -> impl Iterator<Item = PartitionId> + use<> {
        (0..=self.last_partition().0).map(PartitionId)
    }

    fn last_partition(&self) -> PartitionId {
        self.transactions_partition().unwrap_or(self.offsets_partition())
    }

    /// The partition of offsets (Kafka: `__consumer_offsets`).
    pub fn offsets_partition(&self) -> PartitionId {
        PartitionId(if self.is_transactional() { 2 * self.partitions } else { self.partitions })
    }

    /// The partition of transactions (Kafka: `__transaction_state`); `None` where there are none.
    pub fn transactions_partition(&self) -> Option<PartitionId> {
        self.is_transactional().then_some(PartitionId(2 * self.partitions + 1))
    }

    /// A broker's region for what is left of the records that a partition began with: after those of all partitions.
    pub(super) fn beginning_of(&self, partition: PartitionId) -> RegionId {
        region_of(PartitionId(self.last_partition().0 + 1 + partition.0))
    }

    /// What happens to the old records of a partition; `None` where they stay.
    pub(super) fn cleanup_of(&self, partition: PartitionId) -> Option<Cleanup> {
        let is_state =
            partition == self.offsets_partition() || Some(partition) == self.transactions_partition();
        if is_state {
            return self.compaction.is_on().then_some(Cleanup::Compact);
        }
        (partition.0 < self.partitions && self.retains()).then_some(Cleanup::Delete)
    }

    /// Whether brokers remove what clients have appended when it is old.
    pub(super) const fn retains(&self) -> bool {
        self.retention_records.is_some() || self.retention_time.is_some()
    }

    /// The partitions of results, with transactions.
    pub fn results_partitions(&self) -> impl Iterator<Item = PartitionId> + use<> {
        let end = if self.is_transactional() { 2 * self.partitions } else { self.partitions };
        (self.partitions..end).map(PartitionId)
    }

    /// The partition of results in which that of this value stands.
    pub fn results_partition_for(&self, value: Value) -> PartitionId {
        let place = value % u64::from(self.partitions);
        PartitionId(self.partitions + u32::try_from(place).expect("it is below a `u32`"))
    }

    /// When the records of a partition are answered: what clients append as they wish, all else never early.
    pub fn acks_of(&self, partition: PartitionId) -> Acks {
        if partition.0 >= self.partitions { Acks::All } else { self.acks }
    }

    /// The partition that an operation is done in; `None` where it names one that is not there.
    pub fn partition_of(&self, operation: log::Operation) -> Option<PartitionId> {
        let asked = PartitionId(operation.partition());
        let id = match operation {
            log::Operation::Append { .. } | log::Operation::Poll { .. } => asked,
            log::Operation::Commit { .. } | log::Operation::Committed { .. } => self.offsets_partition(),
            log::Operation::Results { .. } => PartitionId(self.partitions.saturating_add(asked.0)),
        };
        let is_there = self.is_transactional() || !matches!(operation, log::Operation::Results { .. });
        (asked.0 < self.partitions && is_there).then_some(id)
    }

    /// Where a partition is, who leads it best first.
    pub fn replicas(&self, partition: PartitionId) -> impl Iterator<Item = NodeId> + use<> {
        let (controllers, brokers) = (self.controllers, self.broker_count());
        let node = move |place| NodeId::new(controllers + (partition.0 % brokers + place) % brokers);
        (0..self.replication).map(node)
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (replication, min_insync, brokers) = (self.replication, self.min_insync, self.broker_count());
        if self.controllers == 0 {
            return Err(ConfigError::Nothing("controllers"));
        }
        if brokers == 0 {
            let (consumers, nodes) = (self.consumers, self.node_count);
            let controllers = self.controllers;
            return Err(if consumers == 0 {
                ConfigError::TooFewNodes { controllers, nodes }
            } else {
                ConfigError::OnlyConsumers { controllers, consumers, nodes }
            });
        }
        if self.node_count as usize > NodeSet::LIMIT {
            return Err(ConfigError::TooManyNodes(self.node_count));
        }
        if self.partitions == 0 {
            return Err(ConfigError::NoPartitions);
        }
        if replication == 0 {
            return Err(ConfigError::NoReplicas);
        }
        if replication > brokers {
            return Err(ConfigError::TooManyReplicas { replication, brokers });
        }
        if min_insync > replication {
            return Err(ConfigError::TooManyInSync { min_insync, replication });
        }
        self.validate_times()?;
        self.validate_transactions()
    }

    fn validate_transactions(&self) -> Result<(), ConfigError> {
        let (timeout, interval) = (self.transaction_timeout, self.commit_interval);
        if self.is_transactional() && self.consumers == 0 {
            return Err(ConfigError::NobodyProduces);
        }
        if self.is_transactional() && timeout <= interval {
            return Err(ConfigError::ShortTransaction { timeout, interval });
        }
        Ok(())
    }

    fn validate_times(&self) -> Result<(), ConfigError> {
        let times = [
            ("heartbeat", self.heartbeat),
            ("session_timeout", self.session_timeout),
            ("lag_max", self.lag_max),
            ("fetch_wait", self.fetch_wait),
            ("rebalance", self.rebalance),
            ("commit_interval", self.commit_interval),
            ("group_heartbeat", self.group_heartbeat),
            ("rebalance_timeout", self.rebalance_timeout),
            ("poll_interval_max", self.poll_interval_max),
            ("poll_interval", self.poll_interval),
            ("call_timeout", self.call_timeout),
            ("transaction_timeout", self.transaction_timeout),
            ("clean_interval", self.clean_interval),
            ("failure_pause", self.failure_pause),
        ];
        let retention = self.retention_time.map(|time| ("retention_time", time));
        if let Some((name, _)) = times.into_iter().chain(retention).find(|(_, time)| time.is_zero()) {
            return Err(ConfigError::NoTime(name));
        }
        let numbers = [
            ("min_insync", self.min_insync),
            ("fetch_max", self.fetch_max),
            ("backlog_max", self.backlog_max),
            ("workers", self.workers),
        ];
        if let Some((name, _)) = numbers.iter().find(|(_, number)| *number == 0) {
            return Err(ConfigError::Nothing(name));
        }
        if self.retention_records == Some(0) {
            return Err(ConfigError::Nothing("retention_records"));
        }
        if self.session_timeout <= self.heartbeat {
            let (session, heartbeat) = (self.session_timeout, self.heartbeat);
            return Err(ConfigError::ShortSession { session, heartbeat });
        }
        if self.group_session <= self.group_heartbeat {
            let (session, heartbeat) = (self.group_session, self.group_heartbeat);
            return Err(ConfigError::ShortGroupSession { session, heartbeat });
        }
        if self.lag_max <= self.fetch_wait {
            let (lag_max, fetch_wait) = (self.lag_max, self.fetch_wait);
            return Err(ConfigError::ShortLag { lag_max, fetch_wait });
        }
        Ok(())
    }

    /// Whether nodes have this bug.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}
