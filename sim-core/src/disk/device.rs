//! The device under the regions: a queue of syncs that complete in order, and what is wrong with it.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::RegionId;
use super::region::Misdirect;
use crate::{SimTime, Span, SyncId};

/// How much longer than usual a device takes, as an exact ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowFactor {
    /// 0 makes the device instantaneous.
    pub numerator: u32,
    /// At least 1.
    pub denominator: NonZeroU32,
}

impl SlowFactor {
    /// As fast as the model says.
    pub const NORMAL: Self = Self::times(1);

    /// `factor` times as slow.
    pub const fn times(factor: u32) -> Self {
        Self { numerator: factor, denominator: NonZeroU32::MIN }
    }

    /// `latency` under this factor, rounded down; saturates at [`Span::MAX`].
    pub fn scale(self, latency: Span) -> Span {
        let scaled =
            u128::from(latency.as_nanos()) * u128::from(self.numerator) / u128::from(self.denominator.get());
        Span::nanos(u64::try_from(scaled).unwrap_or(u64::MAX))
    }
}

/// Whether a completed sync has made anything durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncHonesty {
    /// It has.
    #[default]
    Honest,
    /// This many more completions lie, then the device is honest again.
    LyingFor(u32),
    /// All completions lie until the device is made honest.
    Lying,
}

/// A sync under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingSync {
    /// Its id; ids of one disk rise, over crashes too.
    pub id: SyncId,
    /// When to call [`Disk::complete`](super::Disk::complete); `None` while the device is stalled.
    pub due: Option<SimTime>,
}

/// A sync in the queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueuedSync {
    pub(super) sync: PendingSync,
    pub(super) region: RegionId,
    /// It covers the region's writes below this ordinal.
    pub(super) upto: u64,
    /// What the device takes for it, the slow factor included.
    latency: Span,
}

/// Allocated at the first sync or fault.
#[derive(Clone, Debug)]
pub(super) struct Device {
    /// In the order they began, which is the order of their dues.
    queue: VecDeque<QueuedSync>,
    next_sync: u32,
    stalled: bool,
    pub(super) slow: SlowFactor,
    pub(super) honesty: SyncHonesty,
    /// Bytes the disk holds; `None` is unlimited.
    pub(super) capacity: Option<u64>,
    /// Armed, each for one record.
    pub(super) misdirects: Vec<Misdirect>,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            next_sync: 0,
            stalled: false,
            slow: SlowFactor::NORMAL,
            honesty: SyncHonesty::Honest,
            capacity: None,
            misdirects: Vec::new(),
        }
    }
}

impl Device {
    pub(super) fn begin(&mut self, region: RegionId, upto: u64, now: SimTime, latency: Span) -> PendingSync {
        let id = SyncId::new(self.next_sync);
        self.next_sync = self.next_sync.checked_add(1).expect("a disk does fewer than 2^32 syncs");
        let latency = self.slow.scale(latency);
        let due = if self.stalled { None } else { Some(self.free_at(now) + latency) };
        let sync = PendingSync { id, due };
        self.queue.push_back(QueuedSync { sync, region, upto, latency });
        sync
    }

    /// When the device has done all it was asked to.
    fn free_at(&self, now: SimTime) -> SimTime {
        self.queue.back().and_then(|last| last.sync.due).map_or(now, |due| due.max(now))
    }

    /// Takes the sync out of the queue if it is due `now`; a void completion finds none.
    pub(super) fn take_due(&mut self, id: SyncId, now: SimTime) -> Option<QueuedSync> {
        let due = PendingSync { id, due: Some(now) };
        let at = self.queue.iter().position(|queued| queued.sync == due)?;
        self.queue.remove(at)
    }

    /// Whether this completion lies; counts it.
    pub(super) fn lies(&mut self) -> bool {
        match self.honesty {
            SyncHonesty::Honest | SyncHonesty::LyingFor(0) => false,
            SyncHonesty::LyingFor(left) => {
                self.honesty = SyncHonesty::LyingFor(left - 1);
                true
            }
            SyncHonesty::Lying => true,
        }
    }

    pub(super) fn stall(&mut self) {
        self.stalled = true;
        for queued in &mut self.queue {
            queued.sync.due = None;
        }
    }

    /// Starts over with everything in the queue; nothing on a device that is not stalled.
    pub(super) fn unstall(&mut self, now: SimTime) -> Vec<PendingSync> {
        if !std::mem::take(&mut self.stalled) {
            return Vec::new();
        }
        let mut free_at = now;
        for queued in &mut self.queue {
            free_at += queued.latency;
            queued.sync.due = Some(free_at);
        }
        self.queue.iter().map(|queued| queued.sync).collect()
    }

    /// Forgets the syncs under way: nobody waits for them any more.
    pub(super) fn void_syncs(&mut self) {
        self.queue.clear();
    }

    pub(super) fn region_of(&self, id: SyncId) -> Option<RegionId> {
        self.queue.iter().find(|queued| queued.sync.id == id).map(|queued| queued.region)
    }

    pub(super) fn pending(&self) -> impl Iterator<Item = PendingSync> {
        self.queue.iter().map(|queued| queued.sync)
    }
}
