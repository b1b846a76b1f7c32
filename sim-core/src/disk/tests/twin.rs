//! Random steps on the disk and on a twin that keeps the list of all writes and folds it anew for each look.

use proptest::prelude::*;

use super::super::*;
use super::{BLOB, CELL, LOG};

#[derive(Clone, Debug)]
enum Step {
    /// To the region of its kind.
    Write(Write<u64>),
    Sync(RegionId, u64),
    /// Completes the next sync due.
    Complete,
    Crash(CrashLoss, u64),
    /// Keeps a fork, which is compared at the end.
    Fork,
}

fn step() -> impl Strategy<Value = Step> {
    let write = prop_oneof![
        6 => any::<u64>().prop_map(Write::Append),
        2 => (0_u64..40).prop_map(Write::TruncateFrom),
        1 => (0_u64..40).prop_map(Write::TruncateBefore),
        3 => any::<u64>().prop_map(Write::Replace),
        3 => any::<u64>().prop_map(Write::Stage),
        1 => Just(Write::DiscardStaged),
        1 => Just(Write::Commit),
    ];
    let region = prop_oneof![Just(LOG), Just(CELL), Just(BLOB)];
    let loss = prop_oneof![Just(CrashLoss::All), Just(CrashLoss::Prefix), Just(CrashLoss::TornLast)];
    prop_oneof![
        10 => write.prop_map(Step::Write),
        4 => (region, 0_u64..100).prop_map(|(region, latency)| Step::Sync(region, latency)),
        4 => Just(Step::Complete),
        1 => (loss, any::<u64>()).prop_map(|(loss, draw)| Step::Crash(loss, draw)),
        1 => Just(Step::Fork),
    ]
}

/// What a process sees of all regions.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sight {
    first: u64,
    log: Vec<u64>,
    cell: Option<u64>,
    blob: Vec<u64>,
}

fn fold<'a>(writes: impl IntoIterator<Item = &'a Write<u64>>) -> Sight {
    let (mut sight, mut staged) = (Sight::default(), Vec::new());
    for write in writes {
        match *write {
            Write::Append(record) => sight.log.push(record),
            Write::TruncateFrom(index) => {
                let kept = index.saturating_sub(sight.first);
                sight.log.truncate(usize::try_from(kept).unwrap());
            }
            Write::TruncateBefore(index) => {
                let dropped = index.saturating_sub(sight.first);
                let in_log = usize::try_from(dropped).unwrap().min(sight.log.len());
                sight.log.drain(..in_log);
                sight.first += dropped;
            }
            Write::Replace(record) => sight.cell = Some(record),
            Write::Stage(record) => staged.push(record),
            Write::DiscardStaged => staged.clear(),
            Write::Commit => sight.blob = std::mem::take(&mut staged),
        }
    }
    sight
}

/// The writes of one region, and how many of them are durable.
#[derive(Clone, Debug, Default)]
struct Twin {
    writes: Vec<Write<u64>>,
    durable: usize,
    /// Per sync under way: its id and how many writes it covers.
    syncs: Vec<(SyncId, usize)>,
}

fn region_of(write: &Write<u64>) -> RegionId {
    match write {
        Write::Append(_) | Write::TruncateFrom(_) | Write::TruncateBefore(_) => LOG,
        Write::Replace(_) => CELL,
        Write::Stage(_) | Write::DiscardStaged | Write::Commit => BLOB,
    }
}

fn issue(disk: &mut Disk<u64>, write: &Write<u64>) {
    match *write {
        Write::Append(record) => {
            disk.append(LOG, record).unwrap();
        }
        Write::TruncateFrom(index) => disk.truncate_from(LOG, index),
        Write::TruncateBefore(index) => disk.truncate_before(LOG, index),
        Write::Replace(record) => disk.replace(CELL, record).unwrap(),
        Write::Stage(record) => disk.stage(BLOB, record).unwrap(),
        Write::DiscardStaged => disk.discard_staged(BLOB),
        Write::Commit => disk.commit(BLOB),
    }
}

fn seen(disk: &Disk<u64>) -> Sight {
    Sight {
        first: disk.log_bounds(LOG).start,
        log: disk.read_log(LOG, 0..u64::MAX).map(|record| *record.unwrap()).collect(),
        cell: disk.read_cell(CELL).unwrap().copied(),
        blob: disk.read_blob(BLOB).map(|record| *record.unwrap()).collect(),
    }
}

fn durable(disk: &Disk<u64>) -> Sight {
    let records = |slots: Option<&AppendLog<Slot<u64>>>| -> Vec<u64> {
        slots.into_iter().flatten().map(|slot| *slot.intact().unwrap()).collect()
    };
    Sight {
        first: disk.durable_log(LOG).map_or(0, AppendLog::first_index),
        log: records(disk.durable_log(LOG)),
        cell: disk.durable_cell(CELL).map(|slot| *slot.intact().unwrap()),
        blob: records(disk.durable_blob(BLOB)),
    }
}

/// The part of `sight` that belongs to one region, the others empty.
fn only(region: RegionId, sight: &Sight) -> Sight {
    let empty = Sight::default();
    match region {
        LOG => Sight { first: sight.first, log: sight.log.clone(), ..empty },
        CELL => Sight { cell: sight.cell, ..empty },
        _ => Sight { blob: sight.blob.clone(), ..empty },
    }
}

const REGIONS: [RegionId; 3] = [LOG, CELL, BLOB];

/// Disk and twins side by side.
#[derive(Clone)]
struct Pair {
    disk: Disk<u64>,
    twins: [Twin; 3],
    now: SimTime,
}

impl Pair {
    fn new() -> Self {
        Self { disk: super::disk(), twins: Default::default(), now: SimTime::ZERO }
    }

    fn twin(&mut self, region: RegionId) -> &mut Twin {
        &mut self.twins[usize::from(region.raw())]
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Write(write) => {
                issue(&mut self.disk, write);
                self.twin(region_of(write)).writes.push(write.clone());
            }
            Step::Sync(region, latency) => {
                let sync = self.disk.begin_sync(*region, self.now, Span::nanos(*latency));
                let twin = self.twin(*region);
                twin.syncs.push((sync.id, twin.writes.len()));
            }
            Step::Complete => self.complete(),
            Step::Crash(loss, draw) => self.crash(*loss, *draw),
            Step::Fork => {}
        }
    }

    fn complete(&mut self) {
        let Some(sync) = self.disk.pending_syncs().next() else { return };
        let due = sync.due.expect("the device is not stalled");
        assert!(due >= self.now, "a sync is due in the past");
        self.now = due;
        assert_eq!(self.disk.complete(sync.id, due), SyncCompletion::Durable);
        for twin in &mut self.twins {
            if let Some(&(_, covered)) = twin.syncs.iter().find(|(id, _)| *id == sync.id) {
                twin.durable = twin.durable.max(covered);
            }
        }
    }

    fn crash(&mut self, loss: CrashLoss, draw: u64) {
        let report = self.disk.crash(loss, &mut || draw);
        let pending: usize = self.twins.iter().map(|twin| twin.writes.len() - twin.durable).sum();
        assert_eq!(report.survived + report.lost, pending as u64, "each un-synced write survives or is lost");
        let left = seen(&self.disk);
        for (region, twin) in REGIONS.into_iter().zip(&mut self.twins) {
            let most = if loss == CrashLoss::All { twin.durable } else { twin.writes.len() };
            let survivors =
                (twin.durable..=most).find(|&count| fold(&twin.writes[..count]) == only(region, &left));
            let count = survivors.expect("what is durable, and a prefix of what is not, survives a crash");
            twin.writes.truncate(count);
            if region == BLOB {
                twin.writes.push(Write::DiscardStaged);
            }
            twin.durable = twin.writes.len();
            twin.syncs.clear();
        }
    }

    fn assert_same(&self) {
        let (seen, durable) = (seen(&self.disk), durable(&self.disk));
        for (region, twin) in REGIONS.into_iter().zip(&self.twins) {
            assert_eq!(only(region, &seen), fold(&twin.writes), "what a process reads of {region}");
            assert_eq!(
                only(region, &durable),
                fold(&twin.writes[..twin.durable]),
                "what is durable of {region}"
            );
            assert_eq!(self.disk.unsynced(region), (twin.writes.len() - twin.durable) as u64);
        }
        assert_eq!(self.disk.beyond(DiskPromise::CRASH_FAULT), None, "an honest disk is beyond no promise");
    }
}

proptest! {
    #[test]
    fn a_disk_keeps_what_is_durable_and_a_prefix_of_the_rest(steps in prop::collection::vec(step(), 1..120)) {
        let mut pair = Pair::new();
        let mut kept = Vec::new();
        for step in &steps {
            if matches!(step, Step::Fork) {
                kept.push(pair.clone());
            }
            pair.take(step);
            pair.assert_same();
        }
        kept.iter().for_each(Pair::assert_same);
    }

    #[test]
    fn a_rollback_is_an_exact_return(steps in prop::collection::vec(step(), 1..80), back in 1_u32..6) {
        let mut pair = Pair::new();
        let mut past = vec![Sight::default()];
        for step in steps.iter().filter(|step| !matches!(step, Step::Crash(..))) {
            let before = pair.twins[0].durable;
            pair.take(step);
            if pair.twins[0].durable > before {
                past.push(durable(&pair.disk));
            }
        }
        let reach = usize::try_from(back).unwrap().min(past.len() - 1);
        let effect = pair.disk.apply(DiskFault::RollBack { region: LOG, syncs: back }, pair.now);
        prop_assert_eq!(effect == FaultEffect::Applied, reach > 0);
        if reach > 0 {
            let expected = only(LOG, &past[past.len() - 1 - reach]);
            prop_assert_eq!(only(LOG, &seen(&pair.disk)), expected.clone());
            prop_assert_eq!(only(LOG, &durable(&pair.disk)), expected);
            prop_assert_eq!(pair.disk.beyond(DiskPromise::CRASH_FAULT), Some(DamageKind::RolledBack));
        }
    }
}
