//! What a disk did to its data, and what a protocol promises to survive.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One way in which a disk can harm what was written to it. It is recorded when the harm is done, not when a
/// fault is armed: a lying sync followed by an honest one before the next crash harms nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DamageKind {
    /// Writes that no sync had covered were lost in a crash.
    LostUnsynced,
    /// The last un-synced write was cut short by a crash; recovery saw its checksum and dropped it.
    TornWrite,
    /// A durable record is unreadable, and reads say so.
    DetectedCorruption,
    /// A durable record reads back as something that was never written.
    UndetectedCorruption,
    /// A durable write went to another place than was asked.
    MisdirectedWrite,
    /// Writes that a completed sync had covered were lost in a crash.
    LyingSync,
    /// A region went back to an earlier durable state.
    RolledBack,
    /// Everything durable is gone.
    Wiped,
    /// A crash took what a node kept in memory only, when too many of its peers had lost theirs: harm to protocols that
    /// need no disk. No disk records it; [`Process::forgotten`](crate::Process::forgotten) tells.
    LostMemory,
}

impl DamageKind {
    /// All kinds, the mildest first.
    pub const ALL: [Self; 9] = [
        Self::LostUnsynced,
        Self::TornWrite,
        Self::DetectedCorruption,
        Self::UndetectedCorruption,
        Self::MisdirectedWrite,
        Self::LyingSync,
        Self::RolledBack,
        Self::Wiped,
        Self::LostMemory,
    ];

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// Words for a report: `lying sync`.
impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LostUnsynced => "lost un-synced writes",
            Self::TornWrite => "torn write",
            Self::DetectedCorruption => "detected corruption",
            Self::UndetectedCorruption => "undetected corruption",
            Self::MisdirectedWrite => "misdirected write",
            Self::LyingSync => "lying sync",
            Self::RolledBack => "stale rollback",
            Self::Wiped => "wipe",
            Self::LostMemory => "memory lost on too many nodes at once",
        })
    }
}

/// The kinds of damage that have happened to one disk so far. It only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DamageReport(u16);

impl DamageReport {
    /// Whether damage of this kind has happened.
    pub const fn contains(self, kind: DamageKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Whether none has happened.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What has happened, the mildest first.
    pub fn kinds(self) -> impl Iterator<Item = DamageKind> {
        DamageKind::ALL.into_iter().filter(move |&kind| self.contains(kind))
    }

    /// The worst that has happened and that `promise` does not cover: the reason for the verdict
    /// `beyond-promise`. `None` where the promise covers all of it.
    pub fn beyond(self, promise: DiskPromise) -> Option<DamageKind> {
        self.kinds().filter(|&kind| !promise.survives(kind)).last()
    }

    pub(super) const fn record(&mut self, kind: DamageKind) {
        self.0 |= kind.bit();
    }
}

/// What a protocol declares to survive. It may fail after anything else without being wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskPromise(u16);

impl DiskPromise {
    /// The disk never loses anything, not even what was not synced.
    pub const NOTHING: Self = Self(0);
    /// What crash-fault protocols promise (Raft, Multi-Paxos): un-synced writes may be lost or torn in a crash.
    pub const CRASH_FAULT: Self = Self::NOTHING.and(DamageKind::LostUnsynced).and(DamageKind::TornWrite);
    /// Whatever the disk does: protocols that keep nothing on it, and those that recover it all from peers.
    pub const EVERYTHING: Self = Self(u16::MAX);

    /// This promise and damage of one more kind.
    pub const fn and(self, kind: DamageKind) -> Self {
        Self(self.0 | kind.bit())
    }

    /// Whether damage of this kind is covered.
    pub const fn survives(self, kind: DamageKind) -> bool {
        self.0 & kind.bit() != 0
    }
}
