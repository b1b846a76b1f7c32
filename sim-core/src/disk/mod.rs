//! The simulated disk of one node: a pure state machine that knows regions, syncs and faults, but no clock and no
//! event queue.
//!
//! A process writes records to named regions ([`RegionKind`]): logs, cells, blobs. It reads what it wrote at once,
//! and can rely on it only after a sync:
//!
//! ```text
//! process    append ──► volatile ─── begin_sync ┄┄ latency ┄┄ complete ──► on_durable
//! medium                 pending ─────────────────────────────► durable
//! crash                    ✗ lost, or a prefix survives            ✓ kept
//! ```
//!
//! Rules it keeps:
//!
//! - A sync covers what was written to its region *before* it began, nothing later.
//! - The device does one sync after the other: each is due its latency after the one before.
//! - In a crash the un-synced writes of a region survive as a prefix, none of them by default.
//! - Writing and syncing cost the entries written, whatever the length of the log; a clone of the disk shares
//!   its contents.
//!
//! Each way of breaking a rule is a [`DiskFault`]. What was really harmed is in the [`DamageReport`], to be compared
//! with what the protocol promises to survive ([`DiskPromise`]):
//!
//! | what | how | within [`DiskPromise::CRASH_FAULT`] |
//! | --- | --- | --- |
//! | un-synced writes lost or torn | [`Disk::crash`] with [`CrashLoss`] | yes |
//! | full, slow, stalled | [`DiskFault::Capacity`], [`Slow`](DiskFault::Slow), [`Stall`](DiskFault::Stall) | yes: nothing is damaged |
//! | corruption, misdirected write | [`DiskFault::Corrupt`], [`Misdirect`](DiskFault::Misdirect) | no |
//! | a sync that lies, stale rollback, wipe | [`DiskFault::Sync`], [`RollBack`](DiskFault::RollBack), [`Wipe`](DiskFault::Wipe) | no |
//!
//! Left out: read latency and read errors that pass by, and sectors: the unit of failure is one record.
//! The faults follow Pillai et al., "All File Systems Are Not Created Equal" (OSDI '14) for crashes, and Alagappan
//! et al., "Protocol-Aware Recovery for Consensus-Based Storage" (FAST '18) for the rest.

mod contents;
mod crash;
mod damage;
mod device;
mod fault;
mod region;
#[cfg(test)]
mod tests;

use serde::{Serialize, Serializer};
use thiserror::Error;

pub use contents::{RegionKind, Slot, SlotAddress};
pub use crash::{CrashLoss, CrashReport};
pub use damage::{DamageKind, DamageReport, DiskPromise};
pub use device::{PendingSync, SlowFactor, SyncHonesty};
pub use fault::{Corruption, DiskFault, FaultEffect};
pub use region::RegionId;

use crate::persist::AppendLog;
use crate::{SimTime, Span, SyncId};
use contents::{Contents, Write};
use device::Device;
use region::Region;

/// What a protocol writes to its disk: one type for all regions. Cloned once per write: large contents belong
/// into an `Arc`.
pub trait Record: Clone + PartialEq + Send + Sync + Serialize + 'static {
    /// Bytes it takes on the disk.
    fn size(&self) -> u64;

    /// Turns the record into another valid one, chosen by `draw`: corruption that a checksum misses. Returns false,
    /// and corruption is always detected, where the record does not know how.
    fn mangle(&mut self, draw: u64) -> bool {
        let _ = draw;
        false
    }
}

/// What a disk is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskModel {
    /// Bytes it holds; `None`, the default, is unlimited.
    pub capacity: Option<u64>,
    /// What a crash does to un-synced writes; by default all are lost. The world passes it to [`Disk::crash`].
    pub crash_loss: CrashLoss,
    /// How many syncs a region can be rolled back, 0 to 255; default 8. Costs an integer per sync of appends, and
    /// shared chunks for others.
    pub history_depth: u8,
}

impl Default for DiskModel {
    fn default() -> Self {
        Self { capacity: None, crash_loss: CrashLoss::All, history_depth: 8 }
    }
}

/// Why a write was refused. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The record does not fit.
    #[error("the disk is full: {used} of {capacity} bytes are used, and the record takes {wanted}")]
    Full {
        /// Bytes the disk holds.
        capacity: u64,
        /// Bytes taken before the write.
        used: u64,
        /// Bytes of the record.
        wanted: u64,
    },
}

/// Why a read failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The checksum is wrong.
    #[error("record {} of region {} is corrupt", .0.index, .0.region)]
    Corrupt(SlotAddress),
}

/// What the completion of a sync was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncCompletion {
    /// What it covers is durable. The process is told.
    Durable,
    /// The device lied: the process is told that what it covers is durable, and it is not.
    Lied,
    /// No such sync is due now: it was begun before a crash, or the device stalled meanwhile. Nobody is told.
    Void,
}

/// The disk of one node. Cloning it is cheap: contents are shared until written.
///
/// The world calls the writes on behalf of the process, [`begin_sync`](Self::begin_sync) when it syncs,
/// [`complete`](Self::complete) at the due time, and [`crash`](Self::crash) when the node goes down.
///
/// # Panics
///
/// Writes and reads panic where the region is of another kind: a bug of the process.
#[derive(Clone, Debug)]
pub struct Disk<R> {
    /// In order of first use.
    regions: Vec<Region<R>>,
    /// Where each stands there, by id.
    places: Vec<(RegionId, u32)>,
    /// `None` until the first sync or fault.
    device: Option<Box<Device>>,
    damage: DamageReport,
    history_depth: u8,
}

/// What is durable, for state fingerprints: what a restart would find, and whether it would find that all is lost.
impl<R: Record> Serialize for Disk<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_lost() {
            return serializer.serialize_bool(true);
        }
        serializer.collect_seq(self.regions.iter().map(|region| (region.id, &region.durable)))
    }
}

impl<R: Record> Disk<R> {
    /// An empty disk.
    pub fn new(model: &DiskModel) -> Self {
        let mut disk = Self {
            regions: Vec::new(),
            places: Vec::new(),
            device: None,
            damage: DamageReport::default(),
            history_depth: model.history_depth,
        };
        if model.capacity.is_some() {
            disk.device_mut().capacity = model.capacity;
        }
        disk
    }

    /// Appends to a log and returns the record's index.
    ///
    /// # Errors
    ///
    /// [`WriteError::Full`] where it does not fit.
    pub fn append(&mut self, region: RegionId, record: R) -> Result<u64, WriteError> {
        self.check_space(record.size(), 0)?;
        let region = self.region_mut(region, RegionKind::Log);
        let index = region.volatile.log_end().expect("a log has an end");
        region.write(Write::Append(record));
        Ok(index)
    }

    /// Drops the log's records from `index` on.
    pub fn truncate_from(&mut self, region: RegionId, index: u64) {
        self.region_mut(region, RegionKind::Log).write(Write::TruncateFrom(index));
    }

    /// Drops the log's records before `index`. Beyond its end the log is empty, and the next record gets `index`.
    pub fn truncate_before(&mut self, region: RegionId, index: u64) {
        self.region_mut(region, RegionKind::Log).write(Write::TruncateBefore(index));
    }

    /// Replaces the record of a cell, atomically.
    ///
    /// # Errors
    ///
    /// [`WriteError::Full`] where it does not fit.
    pub fn replace(&mut self, region: RegionId, record: R) -> Result<(), WriteError> {
        let freed = self.region(region, RegionKind::Cell).map_or(0, |cell| cell.volatile.bytes());
        self.check_space(record.size(), freed)?;
        self.region_mut(region, RegionKind::Cell).write(Write::Replace(record));
        Ok(())
    }

    /// Appends a chunk to the staged ones of a blob. They count only once committed; a crash discards them.
    ///
    /// # Errors
    ///
    /// [`WriteError::Full`] where it does not fit: committed and staged chunks both take space.
    pub fn stage(&mut self, region: RegionId, chunk: R) -> Result<(), WriteError> {
        self.check_space(chunk.size(), 0)?;
        self.region_mut(region, RegionKind::Blob).write(Write::Stage(chunk));
        Ok(())
    }

    /// Drops the staged chunks of a blob, to start over.
    pub fn discard_staged(&mut self, region: RegionId) {
        self.region_mut(region, RegionKind::Blob).write(Write::DiscardStaged);
    }

    /// Replaces the committed chunks of a blob by the staged ones, atomically: commit by rename.
    pub fn commit(&mut self, region: RegionId) {
        self.region_mut(region, RegionKind::Blob).write(Write::Commit);
    }

    /// Starts making durable what has been written to `region` so far. The device takes `latency` times its slow
    /// factor, after what it has to do before. The world calls [`complete`](Self::complete) when due.
    pub fn begin_sync(&mut self, region: RegionId, now: SimTime, latency: Span) -> PendingSync {
        let upto = self.find(region).map_or(0, Region::written);
        self.device_mut().begin(region, upto, now, latency)
    }

    /// Completes a sync that is due `now`: what it covers is durable, unless the device lies.
    pub fn complete(&mut self, id: SyncId, now: SimTime) -> SyncCompletion {
        let Some(device) = self.device.as_deref_mut() else { return SyncCompletion::Void };
        let Some(sync) = device.take_due(id, now) else { return SyncCompletion::Void };
        let lies = device.lies();
        let found = self.places.binary_search_by_key(&sync.region, |(known, _)| *known);
        let Ok(place) = found else { return SyncCompletion::Durable };
        let region = &mut self.regions[self.places[place].1 as usize];
        region.acknowledge(sync.upto);
        if lies {
            return SyncCompletion::Lied;
        }
        let strays = region.settle(sync.upto, self.history_depth, &mut device.misdirects);
        for stray in &strays {
            self.land(stray);
        }
        SyncCompletion::Durable
    }

    /// The syncs under way, in the order they complete.
    pub fn pending_syncs(&self) -> impl Iterator<Item = PendingSync> {
        self.device.iter().flat_map(|device| device.pending())
    }

    /// What a sync under way covers; `None` where there is no such sync.
    pub fn region_of(&self, sync: SyncId) -> Option<RegionId> {
        self.device.as_ref()?.region_of(sync)
    }

    /// First index of a log and one past its last, as the process sees it; `0..0` where nothing was written.
    pub fn log_bounds(&self, region: RegionId) -> std::ops::Range<u64> {
        self.slots(region, RegionKind::Log).map_or(0..0, |log| log.first_index()..log.end_index())
    }

    /// The record of a log at `index`; `None` where the log has none.
    ///
    /// # Errors
    ///
    /// [`ReadError::Corrupt`] where it is unreadable.
    pub fn read_entry(&self, region: RegionId, index: u64) -> Result<Option<&R>, ReadError> {
        let slot = self.slots(region, RegionKind::Log).and_then(|log| log.get(index));
        slot.map(|slot| read(slot, SlotAddress { region, index })).transpose()
    }

    /// The records of a log at `indices`, in order; those the log has not are left out. Each may be
    /// [`ReadError::Corrupt`].
    pub fn read_log(
        &self,
        region: RegionId,
        indices: std::ops::Range<u64>,
    ) -> impl Iterator<Item = Result<&R, ReadError>> {
        self.read_slots(region, RegionKind::Log, indices)
    }

    /// The record of a cell; `None` where none was written.
    ///
    /// # Errors
    ///
    /// [`ReadError::Corrupt`] where it is unreadable.
    pub fn read_cell(&self, region: RegionId) -> Result<Option<&R>, ReadError> {
        let slot = self.region(region, RegionKind::Cell).and_then(|cell| cell.volatile.slot(0));
        slot.map(|slot| read(slot, SlotAddress { region, index: 0 })).transpose()
    }

    /// The committed chunks of a blob, in order. Each may be [`ReadError::Corrupt`].
    pub fn read_blob(&self, region: RegionId) -> impl Iterator<Item = Result<&R, ReadError>> {
        self.read_slots(region, RegionKind::Blob, 0..u64::MAX)
    }

    /// The regions written so far, in order of first use.
    pub fn regions(&self) -> impl Iterator<Item = (RegionId, RegionKind)> {
        self.regions.iter().map(|region| (region.id, region.volatile.kind()))
    }

    /// The places of a region that the process sees: of a log its indices, of a cell 0 if it holds something, of a blob its
    /// committed chunks. For tools.
    pub fn places(&self, region: RegionId) -> std::ops::Range<u64> {
        let Some(found) = self.find(region) else { return 0..0 };
        match found.volatile.slots() {
            Some(slots) => slots.first_index()..slots.end_index(),
            None => 0..u64::from(found.volatile.slot(0).is_some()),
        }
    }

    /// What a log would hold after a crash that loses all un-synced writes; `None` where nothing was written.
    /// For checkers and tools.
    pub fn durable_log(&self, region: RegionId) -> Option<&AppendLog<Slot<R>>> {
        self.region(region, RegionKind::Log)?.durable.slots()
    }

    /// What a cell would hold after a crash that loses all un-synced writes. For checkers and tools.
    pub fn durable_cell(&self, region: RegionId) -> Option<&Slot<R>> {
        self.region(region, RegionKind::Cell)?.durable.slot(0)
    }

    /// What a blob would hold after a crash that loses all un-synced writes. For checkers and tools.
    pub fn durable_blob(&self, region: RegionId) -> Option<&AppendLog<Slot<R>>> {
        self.region(region, RegionKind::Blob)?.durable.slots()
    }

    /// Writes to `region` that are not durable, those included that a sync lied about.
    pub fn unsynced(&self, region: RegionId) -> u64 {
        self.find(region).map_or(0, Region::unsynced)
    }

    /// Writes to any region that are not durable, those included that a sync lied about.
    pub fn unsynced_in_all(&self) -> u64 {
        self.regions.iter().map(Region::unsynced).sum()
    }

    /// Bytes of all records the process can see, staged chunks included.
    pub fn bytes(&self) -> u64 {
        self.regions.iter().map(|region| region.volatile.bytes()).sum()
    }

    /// What has happened to this disk so far.
    pub const fn damage(&self) -> DamageReport {
        self.damage
    }

    /// Whether something was durable once, and nothing is since the disk was wiped.
    pub fn is_lost(&self) -> bool {
        self.damage.contains(DamageKind::Wiped) && self.regions.iter().all(|region| region.durable.is_empty())
    }

    /// The worst damage so far that `promise` does not cover.
    pub fn beyond(&self, promise: DiskPromise) -> Option<DamageKind> {
        self.damage.beyond(promise)
    }

    fn device_mut(&mut self) -> &mut Device {
        self.device.get_or_insert_default()
    }

    fn check_space(&self, wanted: u64, freed: u64) -> Result<(), WriteError> {
        let Some(capacity) = self.device.as_ref().and_then(|device| device.capacity) else { return Ok(()) };
        let used = self.bytes();
        if (used - freed).saturating_add(wanted) > capacity {
            return Err(WriteError::Full { capacity, used, wanted });
        }
        Ok(())
    }

    /// Where a region stands in the order of ids, or would.
    fn place(&self, id: RegionId) -> Result<usize, usize> {
        self.places.binary_search_by_key(&id, |(known, _)| *known)
    }

    fn find(&self, id: RegionId) -> Option<&Region<R>> {
        let place = self.place(id).ok()?;
        Some(&self.regions[self.places[place].1 as usize])
    }

    fn region(&self, id: RegionId, kind: RegionKind) -> Option<&Region<R>> {
        let region = self.find(id)?;
        assert_kind(id, region.volatile.kind(), kind);
        Some(region)
    }

    fn region_mut(&mut self, id: RegionId, kind: RegionKind) -> &mut Region<R> {
        let at = match self.place(id) {
            Ok(place) => self.places[place].1 as usize,
            Err(place) => {
                let at = self.regions.len();
                self.places.insert(place, (id, u32::try_from(at).expect("a `u16` numbers regions")));
                self.regions.push(Region::new(id, Contents::empty(kind)));
                at
            }
        };
        let region = &mut self.regions[at];
        assert_kind(id, region.volatile.kind(), kind);
        region
    }

    fn slots(&self, region: RegionId, kind: RegionKind) -> Option<&AppendLog<Slot<R>>> {
        self.region(region, kind)?.volatile.slots()
    }

    fn read_slots(
        &self,
        region: RegionId,
        kind: RegionKind,
        indices: std::ops::Range<u64>,
    ) -> impl Iterator<Item = Result<&R, ReadError>> {
        let slots = self.slots(region, kind);
        let first = slots.map_or(0, |slots| slots.first_index().max(indices.start));
        let found = slots.into_iter().flat_map(move |slots| slots.range(indices.clone()));
        (first..).zip(found).map(move |(index, slot)| read(slot, SlotAddress { region, index }))
    }
}

fn assert_kind(id: RegionId, is: RegionKind, wanted: RegionKind) {
    assert!(is == wanted, "region {id} is a {is:?}, and is used as a {wanted:?}");
}

fn read<R>(slot: &Slot<R>, at: SlotAddress) -> Result<&R, ReadError> {
    slot.intact().ok_or(ReadError::Corrupt(at))
}
