//! What members send each other. Updates ride on everything that is small (SWIM §4.1, "piggyback").

use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;
use sim_core::process;

use super::member::{Table, Update};

/// The number of a probe, unique for who pings: an acknowledgement names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ProbeId(pub u32);

/// News that ride on a message; most of the time none, which costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Updates(Option<Arc<[Update]>>);

impl Updates {
    /// No news.
    pub const NONE: Self = Self(None);

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Update> {
        self.0.iter().flat_map(|updates| updates.iter().copied())
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn size(&self) -> u64 {
        Update::SIZE * self.0.as_ref().map_or(0, |updates| updates.len() as u64)
    }

    fn describe(&self) -> String {
        let texts: Vec<String> = self.iter().map(|update| format!(" [{update}]")).collect();
        texts.concat()
    }
}

impl From<Vec<Update>> for Updates {
    fn from(updates: Vec<Update>) -> Self {
        Self((!updates.is_empty()).then(|| updates.into()))
    }
}

/// A message between members.
#[derive(Clone, Debug, Serialize)]
pub enum Message {
    /// Are you there?
    Ping {
        /// Which probe.
        probe: ProbeId,
        /// News.
        updates: Updates,
    },
    /// I am, or the one that you had me ask is.
    Ack {
        /// Which probe.
        probe: ProbeId,
        /// News.
        updates: Updates,
    },
    /// Ask somebody for me.
    PingReq {
        /// Which probe of the one who asks.
        probe: ProbeId,
        /// Whom.
        target: NodeId,
        /// Whether to say so if there is no answer soon.
        wants_nack: WantsNack,
        /// News.
        updates: Updates,
    },
    /// I have asked for you, and there is no answer so far (Lifeguard §4.1).
    Nack {
        /// Which probe.
        probe: ProbeId,
    },
    /// News alone.
    Gossip(Updates),
    /// All that I believe: what do you? A joining node begins with this.
    Sync(Table),
    /// All that I believe.
    SyncReply(Table),
}

/// Whether a helper is to say that it hears nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum WantsNack {
    /// It is.
    Yes,
    /// It keeps silent.
    No,
}

/// Bytes of a message without its updates.
pub(super) const HEADER: u64 = 16;

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &["Ping", "Ack", "PingReq", "Nack", "Gossip", "Sync", "SyncReply"];

    fn kind(&self) -> u8 {
        match self {
            Self::Ping { .. } => 0,
            Self::Ack { .. } => 1,
            Self::PingReq { .. } => 2,
            Self::Nack { .. } => 3,
            Self::Gossip(_) => 4,
            Self::Sync(_) => 5,
            Self::SyncReply(_) => 6,
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Ping { updates, .. }
            | Self::Ack { updates, .. }
            | Self::PingReq { updates, .. }
            | Self::Gossip(updates) => HEADER + updates.size(),
            Self::Nack { .. } => HEADER,
            Self::Sync(table) | Self::SyncReply(table) => HEADER + 16 * u64::from(table.known_count()),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Ping { updates, .. } => format!("Ping{}", updates.describe()),
            Self::Ack { updates, .. } => format!("Ack{}", updates.describe()),
            Self::PingReq { target, updates, .. } => format!("PingReq {target}{}", updates.describe()),
            Self::Nack { .. } => "Nack".to_owned(),
            Self::Gossip(updates) => format!("Gossip{}", updates.describe()),
            Self::Sync(table) => format!("Sync {}", contents(table)),
            Self::SyncReply(table) => format!("SyncReply {}", contents(table)),
        }
    }
}

/// Few members with what is believed of them, of many how many there are.
fn contents(table: &Table) -> String {
    if table.known_count() > 8 {
        return format!("members={} present={}", table.known_count(), table.present_count());
    }
    let texts: Vec<String> = table.known().map(|(member, belief)| format!("[{member} {belief}]")).collect();
    texts.join(" ")
}
