//! What members, coordinator, leaders and the store send each other.

use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;
use sim_core::service::Value;

use super::super::transaction::{End, ProducerEpoch, TransactionalId, Written};
use super::super::types::PartitionId;
use super::{Generation, Partitions, in_words};

/// What a consumer asks of brokers. Each says its life: answers to an earlier one are not for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Request {
    /// Of the coordinator: I want to be a member, and have these.
    Join {
        /// What I have.
        owned: Partitions,
    },
    /// Of the coordinator: I live, and have these.
    Beat {
        /// In which generation I am.
        generation: Generation,
        /// What I have.
        owned: Partitions,
    },
    /// Of the coordinator: I am no member any more.
    Leave,
    /// Of the coordinator: I have handled everything below.
    Keep {
        /// In which generation I am.
        generation: Generation,
        /// Of which partition.
        partition: PartitionId,
        /// Below which offset.
        offset: u64,
    },
    /// Of the coordinator: how far has anybody come?
    Ask {
        /// In which partition.
        partition: PartitionId,
    },
    /// Of the leader of a partition: what comes from here on?
    Read {
        /// Which partition.
        partition: PartitionId,
        /// From where.
        offset: u64,
    },
    /// Of the coordinator of transactions: this partition is mine now (`InitProducerId`).
    Begin {
        /// The id that goes with it.
        id: TransactionalId,
        /// The how-manieth time that I have one.
        tenure: u64,
    },
    /// Of the coordinator of transactions: I will write to these.
    AddPartitions {
        /// Who.
        id: TransactionalId,
        /// In which epoch.
        epoch: ProducerEpoch,
        /// Them.
        partitions: Partitions,
    },
    /// Of the leader of a partition: write this down.
    Produce {
        /// In which.
        partition: PartitionId,
        /// What.
        written: Arc<Written>,
    },
    /// Of the coordinator of transactions: mine ends (`EndTxn`).
    End {
        /// Whose.
        id: TransactionalId,
        /// In which epoch.
        epoch: ProducerEpoch,
        /// How.
        end: End,
    },
    /// Of the leader of a partition of results, by the store: what comes from here on?
    ReadResults {
        /// Which partition.
        partition: PartitionId,
        /// From where.
        offset: u64,
    },
}

/// Results, with where they stand: there are gaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Results {
    /// Where to read next.
    pub next: u64,
    /// They.
    pub all: Vec<(u64, Arc<Written>)>,
}

/// What brokers answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Answer {
    /// Ask this broker, or any.
    Elsewhere {
        /// Who leads which partition: that of offsets, for the coordinator.
        partition: PartitionId,
        /// Which.
        leader: Option<NodeId>,
    },
    /// You are a member, and have these.
    Assigned {
        /// In which generation.
        generation: Generation,
        /// Them.
        partitions: Partitions,
    },
    /// Go on.
    Fine,
    /// Somebody has come or gone: join again.
    Rejoin,
    /// You are no member.
    Unknown,
    /// It is kept.
    Kept {
        /// Of which partition.
        partition: PartitionId,
        /// Below which offset.
        offset: u64,
    },
    /// It is not: somebody else has it, or this generation is over.
    NotKept {
        /// Of which partition.
        partition: PartitionId,
    },
    /// So far.
    Offset {
        /// In which partition.
        partition: PartitionId,
        /// Below which offset.
        offset: u64,
    },
    /// These.
    Records {
        /// Of which partition.
        partition: PartitionId,
        /// From where on.
        offset: u64,
        /// What they say.
        values: Arc<[Value]>,
    },
    /// That is not there any more (`OFFSET_OUT_OF_RANGE`).
    Gone {
        /// In which partition.
        partition: PartitionId,
        /// What.
        offset: u64,
        /// Where the partition begins.
        begin: u64,
        /// Below which offset all is committed.
        end: u64,
    },
    /// The partition is yours, and whoever had it is fenced.
    Begun {
        /// The id that goes with it.
        id: TransactionalId,
        /// Your epoch.
        epoch: ProducerEpoch,
    },
    /// The transaction has these partitions.
    Added {
        /// Whose.
        id: TransactionalId,
        /// In which epoch.
        epoch: ProducerEpoch,
        /// Them.
        partitions: Partitions,
    },
    /// It stands there, and is committed, unless the transaction aborts.
    Written {
        /// Whose.
        id: TransactionalId,
        /// In which epoch.
        epoch: ProducerEpoch,
        /// Which.
        sequence: u64,
    },
    /// The transaction has ended.
    Ended {
        /// Whose.
        id: TransactionalId,
        /// In which epoch.
        epoch: ProducerEpoch,
        /// The epoch of the next one.
        next: ProducerEpoch,
    },
    /// This epoch is over.
    Superseded {
        /// Whose.
        id: TransactionalId,
        /// Which.
        epoch: ProducerEpoch,
    },
    /// Results.
    Results {
        /// Of which partition.
        partition: PartitionId,
        /// From where on.
        offset: u64,
        /// They.
        found: Arc<Results>,
    },
}

/// The effect of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Effect {
    /// The record's partition.
    pub partition: PartitionId,
    /// Its offset there.
    pub offset: u64,
    /// What it says.
    pub value: Value,
    /// In which generation it was handled.
    pub generation: Generation,
    /// Tells this handling from all others: a request that comes twice is one.
    pub attempt: u64,
}

/// A message to or from a consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GroupMessage {
    /// Consumer to broker.
    Request {
        /// The consumer's life.
        life: u64,
        /// The how-manieth of it.
        number: u64,
        /// What it asks.
        request: Request,
    },
    /// Broker to consumer.
    Answer {
        /// To which life.
        life: u64,
        /// To which request of it.
        number: u64,
        /// What is answered.
        answer: Answer,
    },
    /// Consumer to store: have this effect.
    Apply(Effect),
    /// Store to consumer: it is there, by this request or an earlier one.
    Applied(Effect),
    /// Store to consumer: it is not, because somebody of a later generation has the partition.
    Fenced(Effect),
}

impl Request {
    /// The kind, for counting.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Join { .. } => "JoinGroup",
            Self::Beat { .. } => "GroupHeartbeat",
            Self::Leave => "LeaveGroup",
            Self::Keep { .. } => "OffsetCommit",
            Self::Ask { .. } => "OffsetFetch",
            Self::Read { .. } => "Read",
            Self::Begin { .. } => "InitProducerId",
            Self::AddPartitions { .. } => "AddPartitions",
            Self::Produce { .. } => "Produce",
            Self::End { .. } => "EndTxn",
            Self::ReadResults { .. } => "ReadResults",
        }
    }

    /// In a line.
    pub fn describe(&self) -> String {
        let name = self.name();
        match self {
            Self::Join { owned } => format!("{name} owned={}", in_words(owned)),
            Self::Beat { generation, owned } => format!("{name} {generation} owned={}", in_words(owned)),
            Self::Leave => name.to_owned(),
            Self::Keep { generation, partition, offset } => {
                format!("{name} {generation} {partition}@{offset}")
            }
            Self::Ask { partition } => format!("{name} {partition}"),
            Self::Read { partition, offset } | Self::ReadResults { partition, offset } => {
                format!("{name} {partition}@{offset}")
            }
            Self::Begin { id, .. } => format!("{name} {id}"),
            Self::AddPartitions { id, epoch, partitions } => {
                format!("{name} {id} {epoch} {}", in_words(partitions))
            }
            Self::Produce { partition, written } => format!("{name} {partition} {written}"),
            Self::End { id, epoch, end } => format!("{name} {id} {epoch} {end}"),
        }
    }
}

impl Answer {
    /// In a line.
    pub fn describe(&self) -> String {
        match self {
            Self::Elsewhere { partition, leader } => {
                format!(
                    "Elsewhere {partition} at={}",
                    leader.map_or_else(|| "nobody".to_owned(), |node| node.to_string())
                )
            }
            Self::Assigned { generation, partitions } => {
                format!("Assigned {generation} {}", in_words(partitions))
            }
            Self::Fine => "Fine".to_owned(),
            Self::Rejoin => "Rejoin".to_owned(),
            Self::Unknown => "Unknown".to_owned(),
            Self::Kept { partition, offset } => format!("Kept {partition}@{offset}"),
            Self::NotKept { partition } => format!("NotKept {partition}"),
            Self::Offset { partition, offset } => format!("Offset {partition}@{offset}"),
            Self::Records { partition, offset, values } => {
                format!("Records {partition}@{offset} count={}", values.len())
            }
            Self::Gone { partition, offset, begin, end } => {
                format!("Gone {partition}@{offset} begins={begin} end={end}")
            }
            Self::Begun { id, epoch } => format!("Begun {id} {epoch}"),
            Self::Added { id, epoch, partitions } => format!("Added {id} {epoch} {}", in_words(partitions)),
            Self::Written { id, epoch, .. } => format!("Written {id} {epoch}"),
            Self::Ended { id, epoch, next } => format!("Ended {id} {epoch} next={next}"),
            Self::Superseded { id, epoch } => format!("Superseded {id} {epoch}"),
            Self::Results { partition, offset, found } => {
                format!("Results {partition}@{offset} count={} next={}", found.all.len(), found.next)
            }
        }
    }
}

impl GroupMessage {
    /// The kind, as index.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Request { .. } => 0,
            Self::Answer { .. } => 1,
            Self::Apply(_) => 2,
            Self::Applied(_) => 3,
            Self::Fenced(_) => 4,
        }
    }

    /// Size on the wire in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Request { request: Request::Join { owned } | Request::Beat { owned, .. }, .. } => {
                24 + 4 * owned.len() as u64
            }
            Self::Answer { answer: Answer::Records { values, .. }, .. } => 36 + 8 * values.len() as u64,
            Self::Answer { answer: Answer::Results { found, .. }, .. } => 44 + 48 * found.all.len() as u64,
            Self::Answer { answer: Answer::Assigned { partitions, .. }, .. } => {
                24 + 4 * partitions.len() as u64
            }
            Self::Request { .. }
            | Self::Answer { .. }
            | Self::Apply(_)
            | Self::Applied(_)
            | Self::Fenced(_) => 32,
        }
    }

    /// In a line.
    pub fn describe(&self) -> String {
        let effect = |name, effect: &Effect| {
            let Effect { partition, offset, value, generation, .. } = effect;
            format!("{name} {partition}@{offset} value={value} {generation}")
        };
        match self {
            Self::Request { request, .. } => request.describe(),
            Self::Answer { answer, .. } => answer.describe(),
            Self::Apply(one) => effect("Apply", one),
            Self::Applied(one) => effect("Applied", one),
            Self::Fenced(one) => effect("Fenced", one),
        }
    }
}
