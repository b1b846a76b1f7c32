//! One act on a running world, as scenarios write it.
//!
//! The engine's commands name partitions by number and times in nanoseconds; here they have names and units. Every
//! command can be written: a test goes through all of them.

mod command;
mod opposite;
mod request;
mod shape;
#[cfg(test)]
mod tests;
mod writing;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::disk::{Corruption, CrashLoss, RegionId, SlotAddress};

pub use self::request::Request;
pub use self::shape::ShapeOf;
use super::{LinkDirection, Somebody, Who};
use crate::text::units::{
    Asked, ClientName, MessageName, PointName, Ppm, Probability, SignedTime, Size, Time,
};

/// What happens. Nodes are `n3` or a role such as `leader`; where places are asked for, clients such as `c1` too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Act {
    /// The node stops at once; writes that were not synced are lost.
    Crash(Who),
    /// Like `Crash`, but not all writes that were not synced need be lost.
    CrashLosing {
        /// Which node.
        node: Who,
        /// What is lost.
        loss: Loss,
    },
    /// The node crashes in its next handler, after so many of its effects.
    CrashAfterEffect {
        /// Which node.
        node: Who,
        /// How many effects still happen.
        effects: u32,
    },
    /// The node crashes inside a handler, where it reaches a fault point of the protocol: what the handler would do after
    /// that never happens.
    CrashAtPoint {
        /// Which node.
        node: Who,
        /// Where.
        point: PointName,
        /// The how-manieth time from now on, from 1. Default 1.
        #[serde(default = "one")]
        nth: u32,
    },
    /// An armed timer of the node is due now, as if it had been set for a shorter time.
    FireTimer {
        /// Which node.
        node: Who,
        /// Which timer, such as `election`; `splitbrain list protocols` shows those of each protocol.
        timer: PointName,
    },
    /// A node that is down starts on what its disk kept.
    Restart(Who),
    /// The process gets no processor; inputs wait (a long collection).
    Pause(Who),
    /// A paused process goes on.
    Resume(Who),
    /// Everything takes so many percent of its usual time.
    SlowDown {
        /// Which node.
        node: Who,
        /// At least 100, the usual speed.
        percent: u32,
    },
    /// The disk is emptied; a node that is up crashes first.
    Wipe(Who),
    /// The wall clock jumps.
    ClockStep {
        /// Which node.
        node: Who,
        /// Forward, or below 0 back.
        by: SignedTime,
    },
    /// The wall clock is set to true time plus this.
    ClockOffset {
        /// Which node.
        node: Who,
        /// Ahead, or below 0 behind.
        by: SignedTime,
    },
    /// Both clocks run fast, or below 0 slow: -500000ppm to 500000ppm.
    ClockDrift {
        /// Which node.
        node: Who,
        /// By how much.
        rate: Ppm,
    },
    /// The wall clock is led to true time bit by bit, as by NTP, and then kept there whatever the drift.
    ClockSlew {
        /// Which node.
        node: Who,
        /// How fast: 1ppm to 500ppm, whichever way the clock is off.
        rate: Ppm,
    },
    /// The wall clock flips between ahead and behind.
    ClockStrobe {
        /// Which node.
        node: Who,
        /// How far; `0s` ends it.
        amplitude: Time,
        /// Time between two flips, above 0.
        period: Time,
    },
    /// Both clocks stand still.
    ClockFreeze(Who),
    /// Frozen clocks go on.
    ClockThaw(Who),
    /// Clocks are well again.
    ClockHeal(Who),
    /// Writes beyond this many bytes fail; without `size` any amount fits.
    DiskCapacity {
        /// Which node.
        node: Who,
        /// How much fits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<Size>,
    },
    /// Syncs take so many times as long; 1 is the usual time.
    DiskSlow {
        /// Which node.
        node: Who,
        /// At least 1.
        times: u32,
    },
    /// Syncs don't complete.
    DiskStall(Who),
    /// A stalled disk goes on.
    DiskUnstall(Who),
    /// Syncs complete without making anything durable. Beyond what crash-fault protocols survive.
    DiskLie(Who),
    /// The next so many syncs complete without making anything durable. Beyond what crash-fault protocols survive.
    DiskLieFor {
        /// Which node.
        node: Who,
        /// How many, at least 1.
        syncs: u32,
    },
    /// Syncs tell the truth again.
    DiskHonest(Who),
    /// A region of the disk goes back by so many syncs. Beyond what crash-fault protocols survive.
    DiskRollBack {
        /// Which node.
        node: Who,
        /// The region, from 0.
        region: u16,
        /// How many syncs.
        syncs: u32,
    },
    /// A durable record is damaged. Beyond what crash-fault protocols survive.
    DiskCorrupt {
        /// Which node.
        node: Who,
        /// Which record; where there is none, nothing happens.
        at: RecordAt,
        /// Default `Unreadable`.
        #[serde(default)]
        how: Harm,
    },
    /// The next record of a region that becomes durable lands on another one. Beyond what crash-fault protocols survive.
    DiskMisdirect {
        /// Which node.
        node: Who,
        /// The region whose next record goes astray, from 0.
        from: u16,
        /// Where it goes.
        onto: RecordAt,
    },
    /// Messages from the first to the second are dropped.
    Cut {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
        /// Default `BothWays`.
        #[serde(default)]
        direction: LinkDirection,
    },
    /// Takes cuts back.
    Mend {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
        /// Default `BothWays`.
        #[serde(default)]
        direction: LinkDirection,
    },
    /// Splits the network; one of the same name is replaced.
    Partition {
        /// What `Heal` calls it.
        name: String,
        /// Who is apart from whom.
        shape: ShapeOf,
    },
    /// Takes the partition of this name back.
    Heal(String),
    /// Takes back every cut, partition, hold and change of links.
    HealAll,
    /// Messages from the first to the second are lost with this probability; without it as the network says.
    Lose {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
        /// How likely.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<Probability>,
    },
    /// All messages are lost with this probability; without it as the network says.
    LoseEverywhere {
        /// How likely.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<Probability>,
    },
    /// Messages from the first to the second take so many percent of their usual time.
    Delay {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
        /// 100 is as the network says.
        percent: u32,
    },
    /// All messages take so many percent of their usual time.
    DelayEverywhere {
        /// 100 is as the network says.
        percent: u32,
    },
    /// Messages from the first to the second arrive twice with this probability; without it as the network says.
    Duplicate {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
        /// How likely.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<Probability>,
    },
    /// All messages arrive twice with this probability; without it as the network says.
    DuplicateEverywhere {
        /// How likely.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<Probability>,
    },
    /// Messages from the first to the second are held back with this probability, so that others overtake them; without
    /// it as the network says.
    Reorder {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
        /// How likely.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<Probability>,
        /// For how long, up to an hour. Default `0s`.
        #[serde(default)]
        extra: Time,
    },
    /// All messages are held back with this probability; without it as the network says.
    ReorderEverywhere {
        /// How likely.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<Probability>,
        /// For how long, up to an hour. Default `0s`.
        #[serde(default)]
        extra: Time,
    },
    /// Messages from the first to the second wait until `Release`.
    Hold {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
    },
    /// What was held arrives in a burst.
    Release {
        /// The senders.
        from: Vec<Somebody>,
        /// The receivers.
        to: Vec<Somebody>,
    },
    /// This one message never arrives: one that is on its way, or that is not sent yet.
    DropMessage(MessageName),
    /// This one message arrives later, be it on its way or not sent yet.
    DelayMessage {
        /// Which one.
        message: MessageName,
        /// By how much, up to an hour.
        by: Time,
    },
    /// This one message arrives twice, be it on its way or not sent yet.
    DuplicateMessage(MessageName),
    /// This one message, which is on its way, arrives now.
    DeliverMessage(MessageName),
    /// A client asks for something out of turn, as if a person did.
    Issue {
        /// Who asks.
        client: ClientName,
        /// What: the service and what is asked of it.
        operation: Asked,
    },
    /// An administrator asks the cluster for something: the first of `clients: (admins: …)`, or the first client where
    /// there is none. It asks one thing after another. Protocols without such a thing refuse.
    Ask(Request),
    /// Everything is well again; nodes that are down restart.
    Recover,
}

const fn one() -> u32 {
    1
}

/// What a crash does to writes that were not synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Loss {
    /// All are lost.
    #[default]
    All,
    /// Those before a drawn point survive.
    Prefix,
    /// Those before a drawn point survive, and the next one is torn.
    TornLast,
}

/// A record on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordAt {
    /// The region, from 0.
    pub region: u16,
    /// Which record: its index in a log, the chunk of a blob, 0 for a cell.
    pub record: u64,
}

/// What becomes of a damaged record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Harm {
    /// Its checksum is wrong, and reads fail.
    #[default]
    Unreadable,
    /// It reads as something else, which this number chooses; unreadable where the protocol does not say how.
    Altered(u64),
}

impl Loss {
    /// The engine's loss.
    pub const fn crash_loss(self) -> CrashLoss {
        match self {
            Self::All => CrashLoss::All,
            Self::Prefix => CrashLoss::Prefix,
            Self::TornLast => CrashLoss::TornLast,
        }
    }
}

impl RecordAt {
    /// The engine's address.
    pub const fn address(self) -> SlotAddress {
        SlotAddress { region: RegionId::new(self.region), index: self.record }
    }
}

impl Harm {
    /// The engine's corruption.
    pub const fn corruption(self) -> Corruption {
        match self {
            Self::Unreadable => Corruption::Detected,
            Self::Altered(draw) => Corruption::Undetected(draw),
        }
    }
}

impl Act {
    /// The name of the partition that is made or healed.
    pub fn partition_name(&self) -> Option<&str> {
        match self {
            Self::Partition { name, .. } | Self::Heal(name) => Some(name),
            _ => None,
        }
    }

    /// The disk regions that are named.
    pub fn regions(&self) -> Vec<u16> {
        match self {
            Self::DiskRollBack { region, .. } => vec![*region],
            Self::DiskCorrupt { at, .. } => vec![at.region],
            Self::DiskMisdirect { from, onto, .. } => vec![*from, onto.region],
            _ => Vec::new(),
        }
    }
}
