//! What replicas send each other.

use std::sync::Arc;

use serde::Serialize;
use sim_core::process;

use super::data::Data;

/// A message between replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// All that the sender has.
    State(Arc<Data>),
    /// What the sender has that the other one may lack.
    Delta {
        /// All changes from the last one acknowledged on, joined; or everything.
        data: Arc<Data>,
        /// How many changes the sender has had: what is to be acknowledged.
        upto: u64,
    },
    /// The receiver's changes up to this number are on the sender's disk.
    Ack {
        /// The number.
        upto: u64,
    },
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &["State", "Delta", "Ack"];

    fn kind(&self) -> u8 {
        match self {
            Self::State(_) => 0,
            Self::Delta { .. } => 1,
            Self::Ack { .. } => 2,
        }
    }

    fn size(&self) -> u64 {
        8 + match self {
            Self::State(data) => data.size(),
            Self::Delta { data, .. } => 8 + data.size(),
            Self::Ack { .. } => 8,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::State(data) => format!("State {data}"),
            Self::Delta { data, upto } => format!("Delta {data} upto={upto}"),
            Self::Ack { upto } => format!("Ack upto={upto}"),
        }
    }
}
