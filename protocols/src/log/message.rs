//! What nodes send each other.

use std::sync::Arc;

use serde::Serialize;
use sim_core::{NodeId, process};

use super::beginning::Beginning;
use super::entry::Entry;
use super::group::message::GroupMessage;
use super::image::Image;
use super::metadata::Metadata;
use super::transaction::message::TransactionMessage;
use super::types::{BrokerEpoch, Epoch, PartitionId};
use crate::raft;
use crate::replicated::{NodeSet, Told};

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// Broker to controller: I have started.
    Register {
        /// What I call this life.
        incarnation: u64,
    },
    /// Controller to broker: you are known.
    Registered {
        /// In which life.
        incarnation: u64,
        /// What I call it.
        epoch: BrokerEpoch,
        /// What the cluster looks like.
        image: Arc<Image>,
    },
    /// Broker to controller: I live.
    Heartbeat {
        /// In which life.
        epoch: BrokerEpoch,
        /// What I know of the cluster.
        version: u64,
    },
    /// Controller to broker: I know nothing of this life, or not any more.
    Unregistered {
        /// Of which.
        epoch: BrokerEpoch,
    },
    /// Controller to broker: the cluster has changed.
    Metadata {
        /// To which life.
        epoch: BrokerEpoch,
        /// What it looks like.
        image: Arc<Image>,
    },
    /// Leader to controller: others are in sync.
    AlterPartition(IsrChange),
    /// Follower to leader: what comes after what I have?
    Fetch(Fetch),
    /// To or from a consumer.
    Group(GroupMessage),
    /// Leader to follower: this.
    Fetched {
        /// Of which partition.
        partition: PartitionId,
        /// In which epoch.
        epoch: Epoch,
        /// Which fetch of this follower is answered: in which life, and the how-manieth.
        fetch: (BrokerEpoch, u64),
        /// What comes.
        found: Found,
    },
    /// Between the coordinator of transactions and leaders.
    Transaction(TransactionMessage),
    /// One of several controllers to broker: this one decides, as far as I know.
    Active(Option<NodeId>),
    /// Between controllers. Boxed, it does not make the others large.
    Raft(Box<raft::MessageOf<Told<Metadata>>>),
}

/// A leader wants to change who is in sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IsrChange {
    /// The leader's life.
    pub broker_epoch: BrokerEpoch,
    /// Which partition.
    pub partition: PartitionId,
    /// In which epoch it leads.
    pub epoch: Epoch,
    /// Which version of the partition it changes.
    pub version: u32,
    /// Who is in sync.
    pub isr: NodeSet,
}

/// A follower asks for records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fetch {
    /// The follower's life.
    pub broker_epoch: BrokerEpoch,
    /// The how-manieth fetch in it: an older one says nothing, and one that comes again says the same.
    pub number: u64,
    /// Of which partition.
    pub partition: PartitionId,
    /// In which epoch the leader leads.
    pub epoch: Epoch,
    /// From where on: everything below is on the follower's disk.
    pub offset: u64,
    /// The epoch of the last record below.
    pub last_epoch: Epoch,
    /// How far it knows things to be committed.
    pub high_watermark: u64,
}

/// What a fetch finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Found {
    /// The next records, perhaps none, and how far things are committed.
    Records {
        /// Where they begin.
        offset: u64,
        /// They.
        entries: Arc<[Entry]>,
        /// How far things are committed.
        high_watermark: u64,
    },
    /// The follower's last records are not the leader's (KIP-595: diverging epoch).
    Diverging {
        /// The last epoch of the leader up to the follower's.
        epoch: Epoch,
        /// Where it ends.
        end: u64,
    },
    /// The leader does not have them any more: its log begins later (Kafka: `OFFSET_OUT_OF_RANGE`).
    Beginning(Arc<Beginning>),
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &[
        "Register",
        "Registered",
        "Heartbeat",
        "Unregistered",
        "Metadata",
        "AlterPartition",
        "Fetch",
        "Fetched",
        "Request",
        "Answer",
        "Apply",
        "Applied",
        "Fenced",
        "WriteMarker",
        "MarkerWritten",
        "Active",
        "RequestVote",
        "RequestVoteReply",
        "RaftHeartbeat",
        "AppendEntries",
        "AppendEntriesReply",
        "PreVote",
        "PreVoteReply",
        "InstallSnapshot",
        "InstallSnapshotReply",
        "TimeoutNow",
        "ReadIndex",
        "ReadIndexReply",
    ];

    fn kind(&self) -> u8 {
        match self {
            Self::Register { .. } => 0,
            Self::Registered { .. } => 1,
            Self::Heartbeat { .. } => 2,
            Self::Unregistered { .. } => 3,
            Self::Metadata { .. } => 4,
            Self::AlterPartition(_) => 5,
            Self::Fetch(_) => 6,
            Self::Fetched { .. } => 7,
            Self::Group(message) => 8 + message.kind(),
            Self::Transaction(message) => 13 + message.kind(),
            Self::Active(_) => 15,
            Self::Raft(message) => 16 + message.kind(),
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Register { .. } | Self::Unregistered { .. } => 8,
            Self::Registered { image, .. } => 16 + image.size(),
            Self::Heartbeat { .. } | Self::Active(_) => 16,
            Self::Metadata { image, .. } => 8 + image.size(),
            Self::AlterPartition(_) => 28,
            Self::Fetch(_) => 44,
            Self::Group(message) => message.size(),
            Self::Transaction(_) => TransactionMessage::SIZE,
            Self::Raft(message) => message.size(),
            Self::Fetched { found, .. } => match found {
                Found::Records { entries, .. } => 40 + Entry::SIZE * entries.len() as u64,
                Found::Diverging { .. } => 36,
                Found::Beginning(beginning) => 32 + beginning.size(),
            },
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Register { incarnation } => format!("Register incarnation={incarnation:x}"),
            Self::Registered { epoch, image, .. } => {
                format!("Registered as={epoch} version={}", image.version)
            }
            Self::Heartbeat { epoch, version } => format!("Heartbeat of={epoch} version={version}"),
            Self::Unregistered { epoch } => format!("Unregistered of={epoch}"),
            Self::Metadata { epoch, image } => format!("Metadata to={epoch} version={}", image.version),
            Self::AlterPartition(change) => change.describe(),
            Self::Fetch(fetch) => fetch.describe(),
            Self::Group(message) => message.describe(),
            Self::Transaction(message) => message.describe(),
            Self::Active(Some(node)) => format!("Active {node}"),
            Self::Active(None) => "Active unknown".to_owned(),
            Self::Raft(message) => message.describe(),
            Self::Fetched { partition, epoch, fetch: (_, number), found } => {
                format!("Fetched {partition} {epoch} number={number} {}", found.describe())
            }
        }
    }
}

impl IsrChange {
    fn describe(&self) -> String {
        let Self { partition, epoch, version, isr, .. } = self;
        format!("AlterPartition {partition} {epoch} version={version} isr={isr}")
    }
}

impl Fetch {
    fn describe(&self) -> String {
        let Self { number, partition, epoch, offset, last_epoch, high_watermark, .. } = self;
        format!(
            "Fetch {partition} {epoch} number={number} from={offset} last={last_epoch} hw={high_watermark}"
        )
    }
}

impl Found {
    fn describe(&self) -> String {
        match self {
            Self::Records { offset, entries, high_watermark } => {
                format!("from={offset} records={} hw={high_watermark}", entries.len())
            }
            Self::Diverging { epoch, end } => format!("diverging={epoch} end={end}"),
            Self::Beginning(beginning) => {
                format!("begins={} left={}", beginning.base, beginning.kept.len())
            }
        }
    }
}
