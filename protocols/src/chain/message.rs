//! What nodes send each other.

use serde::Serialize;
use sim_core::{LocalTime, OpId, process};

use super::types::{Configuration, Epoch};
use crate::replicated::{Chain, Checkpoint, Command, Entries, Index, Life};
use crate::swim;
use std::sync::Arc;

/// How far a server is, as it tells the master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Report {
    /// It has nothing that counts.
    New,
    /// It joins, and has had all that the tail had, at some moment of this epoch.
    Copied,
    /// It takes part.
    Serving,
}

/// A message between nodes. Those between servers are of an epoch, and mean nothing in another one.
#[derive(Clone, Debug, Serialize)]
pub enum Message {
    /// A server shows the master that it lives.
    Heartbeat(Heartbeat),
    /// The master answers one that takes part: it may answer queries for the length of a lease from when it sent that.
    Lease {
        /// When, by the clock of the server.
        sent: LocalTime,
        /// The newest configuration.
        configuration: Arc<Configuration>,
    },
    /// The master tells the newest configuration.
    Configure(Arc<Configuration>),
    /// Updates travel down the chain. Without any it asks what the successor has.
    Forward {
        /// The epoch of the sender.
        epoch: Epoch,
        /// The index before that of the first update.
        after: Index,
        /// The updates.
        entries: Entries<Command>,
        /// The last update that the sender has.
        last: Index,
    },
    /// A successor has everything up to here, and wants what follows.
    Missing {
        /// The epoch of the sender.
        epoch: Epoch,
        /// The last update that it has.
        after: Index,
    },
    /// A successor lacks more than the sender keeps: the whole state.
    Transfer(Box<Transfer>),
    /// The tail has everything up to here; it travels up the chain.
    Acknowledge {
        /// The epoch of the sender.
        epoch: Epoch,
        /// The last update that the tail has.
        index: Index,
    },
    /// A server was asked for something that has versions which the tail may not have, and asks it which is the last.
    AskVersion {
        /// The epoch of the sender.
        epoch: Epoch,
        /// For whom.
        op: OpId,
    },
    /// The tail answers.
    Version {
        /// The epoch of the sender.
        epoch: Epoch,
        /// For whom.
        op: OpId,
        /// The last update that the tail has.
        index: Index,
    },
    /// Of the detector.
    Swim(swim::Message),
}

/// What a server tells the master of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Heartbeat {
    /// In which life it is.
    pub life: Life,
    /// When it sends this, by its own clock.
    pub sent: LocalTime,
    /// The newest epoch that it knows of.
    pub epoch: Epoch,
    /// How far it is in that.
    pub report: Report,
    /// Up to where it knows the tail to have everything.
    pub acknowledged: Index,
}

/// All that a server has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transfer {
    /// The epoch of the sender.
    pub epoch: Epoch,
    /// The state after all of its updates.
    pub state: Checkpoint,
    /// Up to where it knows the tail to have everything.
    pub acknowledged: Index,
    /// The chain up to there.
    pub chain: Chain,
    /// The updates after that, which are in the state as well.
    pub sent: Entries<Command>,
}

/// Bytes of a message without contents.
const HEADER: u64 = 32;

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &[
        "Heartbeat",
        "Lease",
        "Configure",
        "Forward",
        "Missing",
        "Transfer",
        "Acknowledge",
        "AskVersion",
        "Version",
        "Swim",
    ];

    fn kind(&self) -> u8 {
        match self {
            Self::Heartbeat(_) => 0,
            Self::Lease { .. } => 1,
            Self::Configure(_) => 2,
            Self::Forward { .. } => 3,
            Self::Missing { .. } => 4,
            Self::Transfer(_) => 5,
            Self::Acknowledge { .. } => 6,
            Self::AskVersion { .. } => 7,
            Self::Version { .. } => 8,
            Self::Swim(_) => 9,
        }
    }

    fn size(&self) -> u64 {
        if let Self::Swim(message) = self {
            return message.size();
        }
        HEADER
            + match self {
                Self::Lease { configuration, .. } | Self::Configure(configuration) => configuration.size(),
                Self::Forward { entries, .. } => Command::SIZE * entries.len() as u64,
                Self::Transfer(transfer) => {
                    transfer.state.size() + Command::SIZE * transfer.sent.len() as u64
                }
                Self::Heartbeat(_)
                | Self::Missing { .. }
                | Self::Acknowledge { .. }
                | Self::AskVersion { .. }
                | Self::Version { .. }
                | Self::Swim(_) => 0,
            }
    }

    /// When a heartbeat was sent says nothing to people.
    fn describe(&self) -> String {
        match self {
            Self::Heartbeat(Heartbeat { life, epoch, report, acknowledged, .. }) => {
                let report = match report {
                    Report::New => "new",
                    Report::Copied => "copied",
                    Report::Serving => "serving",
                };
                format!("Heartbeat {report} {epoch} life={life} acknowledged={acknowledged}")
            }
            Self::Lease { configuration, .. } => format!("Lease {configuration}"),
            Self::Configure(configuration) => format!("Configure {configuration}"),
            Self::Forward { epoch, after, entries, last } => match entries.len() as u64 {
                0 => format!("Forward {epoch} nothing last={last}"),
                1 => format!("Forward {epoch} {} last={last}", after.next()),
                count => format!("Forward {epoch} {}..{} last={last}", after.next(), after.plus(count)),
            },
            Self::Missing { epoch, after } => format!("Missing {epoch} after={after}"),
            Self::Transfer(transfer) => {
                let Transfer { epoch, state, acknowledged, .. } = transfer.as_ref();
                format!("Transfer {epoch} last={} acknowledged={acknowledged}", state.0.applied())
            }
            Self::Acknowledge { epoch, index } => format!("Acknowledge {epoch} {index}"),
            Self::AskVersion { epoch, op } => format!("AskVersion {epoch} {op}"),
            Self::Version { epoch, op, index } => format!("Version {epoch} {op} {index}"),
            Self::Swim(message) => message.describe(),
        }
    }
}
