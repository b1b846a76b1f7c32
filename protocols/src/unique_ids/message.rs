//! What nodes send each other.

use serde::Serialize;
use sim_core::process;

use crate::clocks::Timestamp;

/// A message between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// The time of the sender's hybrid clock when it sent this.
    Beat(Timestamp),
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &["Beat"];

    fn kind(&self) -> u8 {
        match self {
            Self::Beat(_) => 0,
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Beat(_) => 8,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Beat(time) => format!("Beat {time}"),
        }
    }
}
