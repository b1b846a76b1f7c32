//! What a crash leaves of the writes that were not synced.

use serde::{Deserialize, Serialize};

use super::region::Region;
use super::{DamageKind, Disk, Record};

/// What a crash does to un-synced writes. All of it is within what crash-fault protocols promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CrashLoss {
    /// All are lost.
    #[default]
    All,
    /// In each region those before a drawn point survive: from none to all.
    Prefix,
    /// In each region those before a drawn point survive, and the next one is torn. Recovery sees a torn record by
    /// its checksum and drops it: a log ends before it, a cell keeps its old value, a blob its committed chunks.
    TornLast,
}

/// What a crash has done to the writes that were not durable, over all regions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrashReport {
    /// Writes that reached the medium all the same.
    pub survived: u64,
    /// Writes that are gone, torn ones included.
    pub lost: u64,
    /// Records that recovery saw torn, at most one a region.
    pub torn: u64,
}

impl<R: Record> Disk<R> {
    /// The node crashes: un-synced writes are lost as `loss` says, syncs under way are void, and the process that
    /// boots next reads what is durable. `draws` is asked once per region with un-synced writes, in order of first
    /// use, unless all are lost. The device keeps its faults: what is stalled, slow or lying stays so.
    pub fn crash(&mut self, loss: CrashLoss, draws: &mut dyn FnMut() -> u64) -> CrashReport {
        if let Some(device) = &mut self.device {
            device.void_syncs();
        }
        let mut report = CrashReport::default();
        for at in 0..self.regions.len() {
            self.crash_region(at, loss, draws, &mut report);
        }
        self.regions.iter_mut().for_each(Region::reload);
        report
    }

    fn crash_region(
        &mut self,
        at: usize,
        loss: CrashLoss,
        draws: &mut dyn FnMut() -> u64,
        report: &mut CrashReport,
    ) {
        let region = &self.regions[at];
        let pending = region.unsynced();
        if pending == 0 {
            return;
        }
        let survivors = survivors(pending, loss, draws);
        let is_torn = loss == CrashLoss::TornLast && region.carries_record(survivors);
        report.survived += survivors;
        report.lost += pending - survivors;
        report.torn += u64::from(is_torn);
        self.keep(at, survivors);
        if is_torn {
            self.damage.record(DamageKind::TornWrite);
        }
        if survivors < pending {
            self.record_loss(at);
        }
    }

    /// Makes the first `survivors` pending writes of a region durable.
    fn keep(&mut self, at: usize, survivors: u64) {
        let depth = self.history_depth;
        let device = self.device.get_or_insert_default();
        let region = &mut self.regions[at];
        let upto = region.ordinal_after(survivors);
        let strays = region.settle(upto, depth, &mut device.misdirects);
        for stray in &strays {
            self.land(stray);
        }
    }

    /// The pending writes of a region are about to be lost.
    fn record_loss(&mut self, at: usize) {
        self.damage.record(DamageKind::LostUnsynced);
        if self.regions[at].was_lied_about() {
            self.damage.record(DamageKind::LyingSync);
        }
    }
}

/// How many of `pending` writes, at least one, survive.
fn survivors(pending: u64, loss: CrashLoss, draws: &mut dyn FnMut() -> u64) -> u64 {
    match loss {
        CrashLoss::All => 0,
        CrashLoss::Prefix => below(pending + 1, draws()),
        CrashLoss::TornLast => below(pending, draws()),
    }
}

/// A number in `0..bound` from a uniform `draw`, by its high bits.
fn below(bound: u64, draw: u64) -> u64 {
    let scaled = (u128::from(draw) * u128::from(bound)) >> 64;
    u64::try_from(scaled).expect("a product's high word fits")
}
