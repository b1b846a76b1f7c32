//! Each fault: what it does, and whether it is within what crash-fault protocols promise.

use super::*;

const NOW: SimTime = SimTime::from_nanos(1);

fn synced_log(records: &[u64]) -> Disk<u64> {
    let mut disk = disk();
    for &record in records {
        disk.append(LOG, record).unwrap();
        sync(&mut disk, LOG);
    }
    disk
}

fn assert_beyond(disk: &Disk<u64>, kind: DamageKind) {
    assert!(disk.damage().contains(kind), "{kind} is not in the report");
    assert_eq!(disk.beyond(DiskPromise::CRASH_FAULT), Some(kind));
    assert_eq!(disk.beyond(DiskPromise::CRASH_FAULT.and(kind)), None, "a wider promise covers {kind}");
    assert_eq!(disk.beyond(DiskPromise::EVERYTHING), None);
}

#[test]
fn a_torn_append_ends_the_log_before_it() {
    let mut disk = synced_log(&[1]);
    for record in [2, 3, 4] {
        disk.append(LOG, record).unwrap();
    }
    let report = disk.crash(CrashLoss::TornLast, &mut || u64::MAX / 2);
    assert_eq!(report, CrashReport { survived: 1, lost: 2, torn: 1 });
    assert_eq!(log_of(&disk), (vec![1, 2], vec![]));
    assert!(disk.damage().contains(DamageKind::TornWrite));
    assert_eq!(disk.beyond(DiskPromise::CRASH_FAULT), None);
    assert_eq!(disk.beyond(DiskPromise::NOTHING), Some(DamageKind::TornWrite));
}

#[test]
fn a_torn_cell_keeps_its_old_value() {
    let mut disk = disk();
    disk.replace(CELL, 1).unwrap();
    sync(&mut disk, CELL);
    disk.replace(CELL, 2).unwrap();
    disk.crash(CrashLoss::TornLast, &mut || u64::MAX);
    assert_eq!(disk.read_cell(CELL), Ok(Some(&1)));
}

#[test]
fn all_may_survive_a_crash_that_keeps_a_prefix() {
    let mut disk = disk();
    disk.append(LOG, 1).unwrap();
    assert_eq!(disk.crash(CrashLoss::Prefix, &mut || u64::MAX).survived, 1);
    assert_eq!(log_of(&disk).0, [1]);
    assert!(disk.damage().is_empty(), "nothing was lost");
}

#[test]
fn detected_corruption_fails_reads_until_rewritten() {
    let mut disk = synced_log(&[1, 2, 3]);
    let fault = DiskFault::Corrupt { at: slot(LOG, 1), how: Corruption::Detected };
    assert_eq!(disk.apply(fault, NOW), FaultEffect::Applied);
    assert_eq!(disk.read_entry(LOG, 1), Err(ReadError::Corrupt(slot(LOG, 1))));
    assert_beyond(&disk, DamageKind::DetectedCorruption);
    lose_all(&mut disk);
    assert_eq!(log_of(&disk), (vec![1, 3], vec![1]));
    disk.truncate_from(LOG, 1);
    disk.append(LOG, 7).unwrap();
    assert_eq!(log_of(&disk), (vec![1, 7], vec![]));
}

#[test]
fn corruption_spares_what_an_unsynced_write_has_replaced() {
    let mut disk = disk();
    disk.replace(CELL, 1).unwrap();
    sync(&mut disk, CELL);
    disk.replace(CELL, 2).unwrap();
    let _ = disk.apply(DiskFault::Corrupt { at: slot(CELL, 0), how: Corruption::Detected }, NOW);
    assert_eq!(disk.read_cell(CELL), Ok(Some(&2)));
    sync(&mut disk, CELL);
    lose_all(&mut disk);
    assert_eq!(disk.read_cell(CELL), Ok(Some(&2)), "the later write heals the cell");
}

#[test]
fn undetected_corruption_needs_a_record_that_knows_how() {
    let mut disk = synced_log(&[10, 11]);
    let mangle = |index| DiskFault::Corrupt { at: slot(LOG, index), how: Corruption::Undetected(4) };
    assert_eq!(disk.apply(mangle(0), NOW), FaultEffect::Applied);
    assert_eq!(log_of(&disk), (vec![15, 11], vec![]));
    assert_beyond(&disk, DamageKind::UndetectedCorruption);
    assert_eq!(disk.apply(mangle(1), NOW), FaultEffect::Applied);
    assert_eq!(log_of(&disk), (vec![15], vec![1]));
    assert!(disk.damage().contains(DamageKind::DetectedCorruption));
}

#[test]
fn nothing_durable_means_nothing_to_corrupt() {
    let mut disk = disk();
    disk.append(LOG, 1).unwrap();
    let fault = |at| DiskFault::Corrupt { at, how: Corruption::Detected };
    for at in [slot(LOG, 0), slot(CELL, 0), slot(LOG, 9)] {
        assert_eq!(disk.apply(fault(at), NOW), FaultEffect::NoTarget);
    }
    assert!(disk.damage().is_empty());
}

#[test]
fn a_misdirected_append_overwrites_its_victim_and_leaves_a_hole() {
    let mut disk = synced_log(&[1, 2]);
    let fault = DiskFault::Misdirect { from: LOG, onto: slot(LOG, 0) };
    assert_eq!(disk.apply(fault, NOW), FaultEffect::Applied);
    assert!(disk.damage().is_empty(), "an armed fault has harmed nothing");
    disk.append(LOG, 3).unwrap();
    sync(&mut disk, LOG);
    assert_eq!(log_of(&disk), (vec![1, 2, 3], vec![]), "the running process reads what it wrote");
    lose_all(&mut disk);
    assert_eq!(log_of(&disk), (vec![3, 2], vec![2]));
    assert_beyond(&disk, DamageKind::MisdirectedWrite);
}

#[test]
fn a_misdirected_cell_write_is_a_lost_one() {
    let mut disk = disk();
    disk.replace(CELL, 1).unwrap();
    sync(&mut disk, CELL);
    let _ = disk.apply(DiskFault::Misdirect { from: CELL, onto: slot(LOG, 5) }, NOW);
    for record in [2, 3] {
        disk.replace(CELL, record).unwrap();
    }
    let before = disk.clone();
    sync(&mut disk, CELL);
    lose_all(&mut disk);
    assert_eq!(disk.read_cell(CELL), Ok(Some(&3)), "one fault misdirects one record");
    assert_eq!(before.durable_cell(CELL), Some(&Slot::Intact(1)));
}

#[test]
fn a_lie_harms_at_the_next_crash() {
    let mut disk = disk();
    let _ = disk.apply(DiskFault::Sync(SyncHonesty::LyingFor(1)), NOW);
    disk.append(LOG, 1).unwrap();
    assert_eq!(sync(&mut disk, LOG), SyncCompletion::Lied);
    assert_eq!((disk.unsynced(LOG), disk.damage().is_empty()), (1, true));
    lose_all(&mut disk);
    assert_eq!(log_of(&disk).0, [0; 0]);
    assert_beyond(&disk, DamageKind::LyingSync);
}

#[test]
fn an_honest_sync_makes_up_for_a_lie() {
    let mut disk = disk();
    let _ = disk.apply(DiskFault::Sync(SyncHonesty::Lying), NOW);
    disk.append(LOG, 1).unwrap();
    assert_eq!([sync(&mut disk, LOG), sync(&mut disk, LOG)], [SyncCompletion::Lied; 2]);
    let _ = disk.apply(DiskFault::Sync(SyncHonesty::Honest), NOW);
    disk.append(LOG, 2).unwrap();
    assert_eq!(sync(&mut disk, LOG), SyncCompletion::Durable);
    disk.append(LOG, 3).unwrap();
    lose_all(&mut disk);
    assert_eq!(log_of(&disk).0, [1, 2]);
    assert_eq!(disk.beyond(DiskPromise::CRASH_FAULT), None);
}

#[test]
fn a_lie_about_writes_that_survive_harms_nobody() {
    let mut disk = disk();
    let _ = disk.apply(DiskFault::Sync(SyncHonesty::Lying), NOW);
    disk.append(LOG, 1).unwrap();
    sync(&mut disk, LOG);
    disk.append(LOG, 2).unwrap();
    let report = disk.crash(CrashLoss::Prefix, &mut || u64::MAX / 2);
    assert_eq!((report.survived, report.lost), (1, 1));
    assert_eq!(disk.beyond(DiskPromise::CRASH_FAULT), None, "only what was never acknowledged is lost");
}

#[test]
fn a_rollback_reaches_as_far_as_the_history() {
    let mut disk = Disk::new(&DiskModel { history_depth: 2, ..DiskModel::default() });
    for record in [1, 2, 3, 4] {
        disk.append(LOG, record).unwrap();
        sync(&mut disk, LOG);
    }
    disk.append(LOG, 5).unwrap();
    let fault = DiskFault::RollBack { region: LOG, syncs: 9 };
    assert_eq!(disk.apply(fault, NOW), FaultEffect::Applied);
    assert_eq!(log_of(&disk).0, [1, 2]);
    assert_beyond(&disk, DamageKind::RolledBack);
    assert_eq!(disk.apply(fault, NOW), FaultEffect::NoTarget);
}

#[test]
fn a_full_disk_refuses_and_damages_nothing() {
    let mut disk = Disk::new(&DiskModel { capacity: Some(24), ..DiskModel::default() });
    disk.append(LOG, 1).unwrap();
    disk.replace(CELL, 1).unwrap();
    disk.stage(BLOB, 1).unwrap();
    let full = WriteError::Full { capacity: 24, used: 24, wanted: 8 };
    assert_eq!(disk.append(LOG, 2), Err(full));
    assert_eq!(disk.stage(BLOB, 2), Err(full));
    assert_eq!(disk.replace(CELL, 2), Ok(()), "a replaced record makes room for the new one");
    disk.truncate_before(LOG, 1);
    assert_eq!(disk.append(LOG, 2), Ok(1), "truncation makes room");
    let _ = disk.apply(DiskFault::Capacity(Some(0)), NOW);
    assert_eq!(disk.replace(CELL, 3), Err(WriteError::Full { capacity: 0, used: 24, wanted: 8 }));
    let _ = disk.apply(DiskFault::Capacity(None), NOW);
    assert_eq!(disk.append(LOG, 3), Ok(2));
    assert!(disk.damage().is_empty());
}

#[test]
fn a_slow_device_takes_longer_from_now_on() {
    let mut disk = disk();
    disk.begin_sync(LOG, SimTime::ZERO, Span::nanos(10));
    let _ = disk.apply(DiskFault::Slow(SlowFactor::times(5)), SimTime::ZERO);
    let slow = disk.begin_sync(LOG, SimTime::ZERO, Span::nanos(10));
    assert_eq!(slow.due, Some(SimTime::from_nanos(60)));
}

#[test]
fn a_stalled_device_starts_over_when_it_works_again() {
    let mut disk = disk();
    disk.append(LOG, 1).unwrap();
    let early = disk.begin_sync(LOG, SimTime::ZERO, Span::nanos(10));
    let _ = disk.apply(DiskFault::Stall, SimTime::from_nanos(5));
    let late = disk.begin_sync(LOG, SimTime::from_nanos(6), Span::nanos(20));
    assert_eq!(late.due, None);
    assert_eq!(disk.complete(early.id, SimTime::from_nanos(10)), SyncCompletion::Void);
    let due = |id, nanos| PendingSync { id, due: Some(SimTime::from_nanos(nanos)) };
    let anew = vec![due(early.id, 110), due(late.id, 130)];
    let at = SimTime::from_nanos(100);
    assert_eq!(disk.apply(DiskFault::Unstall, at), FaultEffect::Rescheduled(anew));
    assert_eq!(disk.apply(DiskFault::Unstall, at), FaultEffect::Rescheduled(vec![]));
    assert_eq!(disk.complete(early.id, SimTime::from_nanos(110)), SyncCompletion::Durable);
    assert_eq!(disk.unsynced(LOG), 0);
}

#[test]
fn a_wipe_leaves_an_empty_disk() {
    let mut disk = synced_log(&[1, 2]);
    let begun = disk.begin_sync(LOG, NOW, Span::ZERO);
    assert_eq!(disk.apply(DiskFault::Wipe, NOW), FaultEffect::Applied);
    assert_eq!((disk.regions().count(), disk.bytes()), (0, 0));
    assert_eq!(disk.complete(begun.id, NOW), SyncCompletion::Void);
    assert_beyond(&disk, DamageKind::Wiped);
    assert_eq!(disk.apply(DiskFault::Wipe, NOW), FaultEffect::NoTarget);
}

#[test]
fn the_worst_damage_is_named_first() {
    let mut disk = synced_log(&[1]);
    let _ = disk.apply(DiskFault::Corrupt { at: slot(LOG, 0), how: Corruption::Detected }, NOW);
    let _ = disk.apply(DiskFault::Wipe, NOW);
    assert_eq!(disk.beyond(DiskPromise::CRASH_FAULT), Some(DamageKind::Wiped));
    let kinds: Vec<_> = disk.damage().kinds().collect();
    assert_eq!(kinds, [DamageKind::DetectedCorruption, DamageKind::Wiped]);
}
