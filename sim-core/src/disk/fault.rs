//! Disk faults as data, and what each does.

use serde::{Deserialize, Serialize};

use super::device::{PendingSync, SlowFactor, SyncHonesty};
use super::region::{Misdirect, Stray};
use super::{DamageKind, Disk, Record, RegionId, Slot, SlotAddress};
use crate::SimTime;

/// What becomes of a corrupted record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Corruption {
    /// Its checksum is wrong: reads fail.
    Detected,
    /// It reads back as something else, chosen by this draw through [`Record::mangle`]; detected where the
    /// record does not know how.
    Undetected(u64),
}

/// A fault of one disk. Lost and torn un-synced writes are not here: they come with a crash
/// ([`CrashLoss`](super::CrashLoss)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DiskFault {
    /// Damages one durable record, and the running process's copy of it. Beyond crash-fault promises.
    Corrupt {
        /// Which one.
        at: SlotAddress,
        /// How.
        how: Corruption,
    },
    /// The next record of region `from` that becomes durable lands on `onto` instead. There it reads back as if
    /// it belonged (a checksum of the record alone cannot tell); if nothing is there, it vanishes. Its own place
    /// was never written: a log entry or blob chunk reads as corrupt, a cell keeps its old value. The running
    /// process reads what it wrote until it crashes. Beyond crash-fault promises.
    Misdirect {
        /// The region whose next record goes astray.
        from: RegionId,
        /// Where it goes.
        onto: SlotAddress,
    },
    /// From now on completed syncs make nothing durable, or do again. A lie harms when a crash comes before the
    /// next honest sync of the region, which covers what was lied about too. Beyond crash-fault promises.
    Sync(SyncHonesty),
    /// The region goes back to what was durable this many syncs with writes ago, or as far as the history
    /// reaches. Beyond crash-fault promises. For a node that is down: what is not durable is lost at once.
    RollBack {
        /// The region.
        region: RegionId,
        /// How many syncs.
        syncs: u32,
    },
    /// Writes that would take more than this many bytes fail; `None` lifts the limit. Nothing is damaged.
    Capacity(Option<u64>),
    /// Syncs begun from now on take longer. Nothing is damaged.
    Slow(SlowFactor),
    /// Syncs under way and new ones don't complete. Nothing is damaged.
    Stall,
    /// A stalled device starts over with the syncs that wait.
    Unstall,
    /// All regions are empty, their kinds forgotten. Beyond crash-fault promises. For a node that is down: what
    /// is not durable is lost too.
    Wipe,
}

/// What applying a fault has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "rescheduled syncs never complete by themselves"]
pub enum FaultEffect {
    /// The fault is in force.
    Applied,
    /// There is nothing it could harm: no such record, no history, an empty disk.
    NoTarget,
    /// The device works again: these syncs are due anew.
    Rescheduled(Vec<PendingSync>),
}

impl<R: Record> Disk<R> {
    /// Applies a fault at `now`.
    pub fn apply(&mut self, fault: DiskFault, now: SimTime) -> FaultEffect {
        match fault {
            DiskFault::Corrupt { at, how } => self.corrupt(at, how),
            DiskFault::Misdirect { from, onto } => {
                self.device_mut().misdirects.push(Misdirect { from, onto });
                FaultEffect::Applied
            }
            DiskFault::Sync(honesty) => {
                self.device_mut().honesty = honesty;
                FaultEffect::Applied
            }
            DiskFault::RollBack { region, syncs } => self.roll_back(region, syncs),
            DiskFault::Capacity(capacity) => {
                self.device_mut().capacity = capacity;
                FaultEffect::Applied
            }
            DiskFault::Slow(factor) => {
                self.device_mut().slow = factor;
                FaultEffect::Applied
            }
            DiskFault::Stall => {
                self.device_mut().stall();
                FaultEffect::Applied
            }
            DiskFault::Unstall => FaultEffect::Rescheduled(self.device_mut().unstall(now)),
            DiskFault::Wipe => self.wipe(),
        }
    }

    /// Forgets every [`DiskFault::Misdirect`] that has not struck yet: the next records land where they belong.
    pub fn call_off_misdirects(&mut self) {
        if let Some(device) = &mut self.device {
            device.misdirects.clear();
        }
    }

    fn corrupt(&mut self, at: SlotAddress, how: Corruption) -> FaultEffect {
        let Some(region) = self.regions.iter_mut().find(|region| region.id == at.region) else {
            return FaultEffect::NoTarget;
        };
        region.change(at.index, |slot| corrupted(slot, how));
        match region.durable.slot(at.index) {
            None => return FaultEffect::NoTarget,
            Some(Slot::Intact(_)) => self.damage.record(DamageKind::UndetectedCorruption),
            Some(Slot::Corrupt(_)) => self.damage.record(DamageKind::DetectedCorruption),
        }
        FaultEffect::Applied
    }

    fn roll_back(&mut self, id: RegionId, syncs: u32) -> FaultEffect {
        let Some(region) = self.regions.iter_mut().find(|region| region.id == id) else {
            return FaultEffect::NoTarget;
        };
        let undone = region.roll_back(syncs);
        if undone == 0 {
            return FaultEffect::NoTarget;
        }
        region.reload();
        self.damage.record(DamageKind::RolledBack);
        FaultEffect::Applied
    }

    fn wipe(&mut self) -> FaultEffect {
        let held = self.regions.iter().any(|region| !region.durable.is_empty());
        self.regions.clear();
        self.places.clear();
        self.device_mut().void_syncs();
        if !held {
            return FaultEffect::NoTarget;
        }
        self.damage.record(DamageKind::Wiped);
        FaultEffect::Applied
    }

    /// Overwrites what stands durably where a misdirected record went.
    pub(super) fn land(&mut self, stray: &Stray<R>) {
        self.damage.record(DamageKind::MisdirectedWrite);
        if let Some(victim) = self.regions.iter_mut().find(|region| region.id == stray.onto.region) {
            victim.durable.change(stray.onto.index, |_| Slot::Intact(stray.record.clone()));
        }
    }
}

/// The slot after the corruption. What is unreadable stays so.
fn corrupted<R: Record>(slot: Slot<R>, how: Corruption) -> Slot<R> {
    let (Slot::Intact(meant), Corruption::Undetected(draw)) = (&slot, how) else {
        return Slot::Corrupt(Box::new(slot.into_meant()));
    };
    let mut record = meant.clone();
    if record.mangle(draw) { Slot::Intact(record) } else { Slot::Corrupt(Box::new(slot.into_meant())) }
}
