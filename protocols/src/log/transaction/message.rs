//! What the coordinator of transactions and the leaders of partitions send each other.

use serde::Serialize;

use super::super::types::PartitionId;
use super::Marker;

/// A message between brokers about the end of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TransactionMessage {
    /// Coordinator to leader: write this down.
    WriteMarker {
        /// In which partition.
        partition: PartitionId,
        /// What.
        marker: Marker,
    },
    /// Leader to coordinator: it is committed.
    MarkerWritten {
        /// In which partition.
        partition: PartitionId,
        /// What.
        marker: Marker,
    },
}

impl TransactionMessage {
    /// The kind, as index.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::WriteMarker { .. } => 0,
            Self::MarkerWritten { .. } => 1,
        }
    }

    /// Size on the wire in bytes.
    pub const SIZE: u64 = 24;

    /// In a line.
    pub fn describe(&self) -> String {
        match self {
            Self::WriteMarker { partition, marker } => format!("WriteMarker {partition} {marker}"),
            Self::MarkerWritten { partition, marker } => format!("MarkerWritten {partition} {marker}"),
        }
    }
}
