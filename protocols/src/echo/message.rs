//! What nodes send each other.

use serde::Serialize;
use sim_core::OpId;
use sim_core::process;
use sim_core::service::Value;

/// A message between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// Say this back.
    Ask {
        /// For which operation.
        op: OpId,
        /// What.
        value: Value,
    },
    /// This was asked.
    Answer {
        /// For which operation.
        op: OpId,
        /// What.
        value: Value,
    },
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &["Ask", "Answer"];

    fn kind(&self) -> u8 {
        match self {
            Self::Ask { .. } => 0,
            Self::Answer { .. } => 1,
        }
    }

    fn size(&self) -> u64 {
        16
    }

    fn describe(&self) -> String {
        match self {
            Self::Ask { op, value } => format!("Ask {op} value={value}"),
            Self::Answer { op, value } => format!("Answer {op} value={value}"),
        }
    }
}
