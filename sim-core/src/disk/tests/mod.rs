//! The disk against a naive twin under random steps, and each fault against its promise.

mod fault;
mod twin;

use super::*;

const LOG: RegionId = RegionId::new(0);
const CELL: RegionId = RegionId::new(1);
const BLOB: RegionId = RegionId::new(2);

/// Eight bytes; knows how to be mangled when even.
impl Record for u64 {
    fn size(&self) -> u64 {
        8
    }

    fn mangle(&mut self, draw: u64) -> bool {
        let knows_how = self.is_multiple_of(2);
        *self = self.wrapping_add(draw | 1);
        knows_how
    }
}

fn disk() -> Disk<u64> {
    Disk::new(&DiskModel::default())
}

/// Syncs a region and completes that at once.
fn sync(disk: &mut Disk<u64>, region: RegionId) -> SyncCompletion {
    let now = SimTime::from_nanos(1);
    let due = disk.begin_sync(region, now, Span::ZERO).due.expect("the device is not stalled");
    let last = disk.pending_syncs().last().expect("a sync is under way");
    disk.complete(last.id, due)
}

fn lose_all(disk: &mut Disk<u64>) -> CrashReport {
    disk.crash(CrashLoss::All, &mut || unreachable!("no draw is needed to lose all"))
}

/// The readable records of a log, and the indices of the others.
fn log_of(disk: &Disk<u64>) -> (Vec<u64>, Vec<u64>) {
    let (mut intact, mut corrupt) = (Vec::new(), Vec::new());
    for record in disk.read_log(LOG, 0..u64::MAX) {
        match record {
            Ok(record) => intact.push(*record),
            Err(ReadError::Corrupt(at)) => corrupt.push(at.index),
        }
    }
    (intact, corrupt)
}

fn slot(region: RegionId, index: u64) -> SlotAddress {
    SlotAddress { region, index }
}

#[test]
fn an_untouched_disk_is_tiny() {
    let size = size_of::<Disk<u64>>();
    assert!(size <= 64, "an untouched disk takes {size} bytes");
    assert!(disk().device.is_none(), "a device is allocated before it is needed");
}

#[test]
fn a_disk_can_move_between_threads_and_be_shared() {
    fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<Disk<u64>>();
}

#[test]
fn a_sync_covers_what_was_written_before_it_began() {
    let mut disk = disk();
    disk.append(LOG, 1).unwrap();
    let begun = disk.begin_sync(LOG, SimTime::ZERO, Span::millis(2));
    disk.append(LOG, 2).unwrap();
    assert_eq!(begun.due, Some(SimTime::ZERO + Span::millis(2)));
    assert_eq!(disk.complete(begun.id, SimTime::ZERO + Span::millis(2)), SyncCompletion::Durable);
    assert_eq!((disk.unsynced(LOG), log_of(&disk).0), (1, vec![1, 2]));
    lose_all(&mut disk);
    assert_eq!(log_of(&disk).0, [1]);
    assert!(disk.damage().contains(DamageKind::LostUnsynced));
    assert_eq!(disk.beyond(DiskPromise::CRASH_FAULT), None);
}

#[test]
fn syncs_complete_one_after_the_other() {
    let mut disk = disk();
    let now = SimTime::from_nanos(100);
    let dues: Vec<_> = [30, 5, 10].map(|nanos| disk.begin_sync(LOG, now, Span::nanos(nanos)).due).into();
    assert_eq!(dues, [130, 135, 145].map(|nanos| Some(SimTime::from_nanos(nanos))));
    for sync in disk.clone().pending_syncs() {
        assert_eq!(disk.complete(sync.id, sync.due.unwrap()), SyncCompletion::Durable);
    }
    let later = disk.begin_sync(LOG, SimTime::from_nanos(1_000), Span::nanos(1));
    assert_eq!(later.due, Some(SimTime::from_nanos(1_001)), "an idle device starts at once");
}

#[test]
fn a_crash_voids_the_syncs_under_way() {
    let mut disk = disk();
    disk.append(LOG, 1).unwrap();
    let begun = disk.begin_sync(LOG, SimTime::ZERO, Span::millis(1));
    lose_all(&mut disk);
    assert_eq!(disk.complete(begun.id, begun.due.unwrap()), SyncCompletion::Void);
    assert_eq!(log_of(&disk).0, [0; 0]);
}

#[test]
fn staged_chunks_count_only_once_committed() {
    let mut disk = disk();
    disk.stage(BLOB, 1).unwrap();
    sync(&mut disk, BLOB);
    lose_all(&mut disk);
    disk.stage(BLOB, 2).unwrap();
    disk.stage(BLOB, 3).unwrap();
    assert_eq!(disk.read_blob(BLOB).count(), 0, "nothing was committed");
    disk.commit(BLOB);
    assert_eq!(disk.read_blob(BLOB).collect::<Result<Vec<_>, _>>(), Ok(vec![&2, &3]));
    disk.stage(BLOB, 4).unwrap();
    sync(&mut disk, BLOB);
    lose_all(&mut disk);
    assert_eq!(disk.durable_blob(BLOB).map(AppendLog::len), Some(2));
    assert_eq!(disk.bytes(), 16, "a crash frees staged chunks");
}

#[test]
#[should_panic(expected = "region r0 is a Log, and is used as a Cell")]
fn the_kind_of_a_region_is_fixed_at_first_use() {
    let mut disk = disk();
    disk.append(LOG, 1).unwrap();
    disk.replace(LOG, 1).unwrap();
}

#[test]
fn a_fork_goes_its_own_way() {
    let mut disk = disk();
    for record in 0..1_000 {
        disk.append(LOG, record).unwrap();
    }
    sync(&mut disk, LOG);
    let fork = disk.clone();
    disk.truncate_from(LOG, 10);
    disk.replace(CELL, 5).unwrap();
    sync(&mut disk, LOG);
    assert_eq!((fork.durable_log(LOG).unwrap().len(), fork.read_cell(CELL)), (1_000, Ok(None)));
    assert_eq!(disk.durable_log(LOG).unwrap().len(), 10);
}
