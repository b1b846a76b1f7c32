//! A message and where it stands.

use serde::Serialize;
use sim_core::LocalTime;
use sim_core::service::Value;

use super::super::command::{Holder, MessageId};

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// It waits for somebody to take it, or for those of its group before it.
    Waiting,
    /// It cannot be taken yet.
    Delayed {
        /// Until when.
        until: LocalTime,
    },
    /// Somebody handles it.
    Held {
        /// Until when.
        until: LocalTime,
        /// Who.
        holder: Holder,
    },
}

/// A message in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// What it says.
    pub value: Value,
    /// The message that it was at first, before it came back from the dead letters.
    pub origin: MessageId,
    /// How often it was delivered: a receipt of an earlier delivery is void.
    pub deliveries: u32,
    /// How many of these have ended without success.
    pub failures: u32,
    /// Until when it may wait.
    pub expires: Option<LocalTime>,
    /// Where it stands.
    pub stage: Stage,
}

impl Message {
    /// One that nobody has taken yet.
    pub(super) const fn new(value: Value, origin: MessageId, expires: Option<LocalTime>) -> Self {
        Self { value, origin, deliveries: 0, failures: 0, expires, stage: Stage::Waiting }
    }
}
