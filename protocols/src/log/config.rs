//! The parameters of a log, and which of them make no sense.

use serde::Serialize;
use sim_core::service::log;
use sim_core::{NodeId, Span};

use super::mutants::Mutant;
use super::types::PartitionId;
use crate::replicated::NodeSet;

/// The node that decides who leads.
pub const CONTROLLER: NodeId = NodeId::new(0);

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many nodes there are: the controller and brokers.
    pub node_count: u32,
    /// How many partitions clients use; one more holds their offsets.
    pub partitions: u32,
    /// On how many brokers each partition is. Default 3.
    pub replication: u32,
    /// How many must be in sync for an append to be taken and answered with [`Acks::All`]. Default 2.
    pub min_insync: u32,
    /// When an append is answered.
    pub acks: Acks,
    /// Whether a leader knows a record that is sent again. Default yes.
    pub idempotence: Idempotence,
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
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Whether a leader knows a record that is sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Idempotence {
    /// Yes: it stands there once.
    #[default]
    On,
    /// No: it stands there again.
    Off,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is nobody to keep anything.
    #[error("a log needs a controller and a broker, and there are {0} nodes")]
    TooFewNodes(u32),
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
}

impl Config {
    /// So many nodes with the default parameters: on three brokers or as many as there are.
    pub fn new(node_count: u32) -> Self {
        let brokers = node_count.saturating_sub(1);
        Self {
            node_count,
            partitions: 2,
            replication: brokers.min(3),
            min_insync: brokers.min(2),
            acks: Acks::All,
            idempotence: Idempotence::On,
            election: Election::Clean,
            heartbeat: Span::secs(2),
            session_timeout: Span::secs(9),
            lag_max: Span::secs(30),
            fetch_wait: Span::millis(500),
            fetch_max: 500,
            rebalance: Span::secs(10),
            mutant: None,
        }
    }

    /// How many brokers there are.
    pub const fn broker_count(&self) -> u32 {
        self.node_count.saturating_sub(1)
    }

    /// All partitions, that of offsets last.
    pub fn all_partitions(&self) -> impl Iterator<Item = PartitionId> + use<> {
        (0..=self.partitions).map(PartitionId)
    }

    /// The partition of offsets (Kafka: `__consumer_offsets`).
    pub const fn offsets_partition(&self) -> PartitionId {
        PartitionId(self.partitions)
    }

    /// When the records of a partition are answered; offsets are never answered early.
    pub fn acks_of(&self, partition: PartitionId) -> Acks {
        if partition == self.offsets_partition() { Acks::All } else { self.acks }
    }

    /// The partition that an operation is done in; `None` where it names one that is not there.
    pub fn partition_of(&self, operation: log::Operation) -> Option<PartitionId> {
        let asked = PartitionId(operation.partition());
        let id = match operation {
            log::Operation::Append { .. } | log::Operation::Poll { .. } => asked,
            log::Operation::Commit { .. } | log::Operation::Committed { .. } => self.offsets_partition(),
        };
        (asked.0 < self.partitions).then_some(id)
    }

    /// Where a partition is, who leads it best first.
    pub fn replicas(&self, partition: PartitionId) -> impl Iterator<Item = NodeId> + use<> {
        let (brokers, replication) = (self.broker_count(), self.replication);
        (0..replication).map(move |place| NodeId::new(1 + (partition.0 % brokers + place) % brokers))
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (replication, min_insync, brokers) = (self.replication, self.min_insync, self.broker_count());
        if brokers == 0 {
            return Err(ConfigError::TooFewNodes(self.node_count));
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
        self.validate_times()
    }

    fn validate_times(&self) -> Result<(), ConfigError> {
        let times = [
            ("heartbeat", self.heartbeat),
            ("session_timeout", self.session_timeout),
            ("lag_max", self.lag_max),
            ("fetch_wait", self.fetch_wait),
            ("rebalance", self.rebalance),
        ];
        if let Some((name, _)) = times.iter().find(|(_, time)| time.is_zero()) {
            return Err(ConfigError::NoTime(name));
        }
        let numbers = [("min_insync", self.min_insync), ("fetch_max", self.fetch_max)];
        if let Some((name, _)) = numbers.iter().find(|(_, number)| *number == 0) {
            return Err(ConfigError::Nothing(name));
        }
        if self.session_timeout <= self.heartbeat {
            let (session, heartbeat) = (self.session_timeout, self.heartbeat);
            return Err(ConfigError::ShortSession { session, heartbeat });
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
