//! A sweep on disk.
//!
//! ```text
//! DIR/
//!   sweep.json             what is swept: a folder with another sweep is never touched
//!   shards/000001.jsonl.zst …   rows, as they finish; closed at least every second
//!   results.parquet        a row a run, when the sweep has ended
//!   failures/01-…/         a folder a kind of failure: a capsule to replay, and what it is
//! ```
//!
//! Whatever ends the program, what shards hold is kept; `--resume` reads them and goes on with the rest. Rows are in the
//! shards in the order in which runs finished, and in `results.parquet` in the order of jobs: its bytes, and those of
//! `failures/`, follow from the runs alone.

mod done;
mod failures;
mod manifest;
mod parquet;
mod shard;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scenarios::ProtocolTable;

pub(crate) use self::done::DoneJobs;
pub(crate) use self::failures::{Unequal, slug};
use self::manifest::Manifest;
use self::parquet::Results;
use self::shard::Shard;
use super::{End, Grid, Row, Stopwatch, Tally};

use crate::failure::{Failure, Usage, reason};
use crate::output::NewFile;

/// A shard is closed when its first row is so old, so that no more than a second of work can be lost.
const AGE_MAX: Duration = Duration::from_millis(700);
/// A shard is closed when it is so long.
const LEN_MAX: usize = 4 << 20;
/// What is kept free for the last shard, should the disk fill up: in bytes.
const RESERVE: usize = 1 << 19;

/// Whether a sweep that is there already is gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// It is.
    Yes,
    /// It is refused.
    No,
}

/// The folder of a sweep, open for writing by this process alone.
pub(crate) struct Folder {
    path: PathBuf,
    sweep: String,
    shard: Shard,
    /// When the first row of the shard came.
    begun: Option<Stopwatch>,
    /// The shards on disk, by number, with the lowest job in each.
    written: BTreeMap<u64, u64>,
    pub(crate) done: DoneJobs,
    /// Held while the folder is in use.
    _lock: File,
}

impl Folder {
    /// Opens the folder of a sweep; what is done already is handed to `take`, in the order in which it was done.
    pub(crate) fn open(
        path: &Path,
        grid: &Grid,
        resume: Resume,
        mut take: impl FnMut(Row),
    ) -> Result<Self, Failure> {
        let manifest = Manifest::new(grid);
        let place = path.join("sweep.json");
        let is_there = look(path, &place, &manifest, resume)?;
        fs::create_dir_all(path.join("shards")).map_err(|error| Failure::write_file(path, &error))?;
        let lock = locked(&path.join("sweep.lock"))?;
        if !is_there {
            let text = serde_json::to_string_pretty(&manifest).expect("plain data");
            NewFile::create(&place)?.finish(&(text + "\n"))?;
        }
        let sweep = manifest.digest();
        let shard = Shard::new(&sweep);
        let (written, done) = (BTreeMap::new(), DoneJobs::default());
        let mut folder =
            Self { path: path.to_owned(), sweep, shard, begun: None, written, done, _lock: lock };
        folder.reserve()?;
        folder.read(grid, &mut take)?;
        Ok(folder)
    }

    /// Reads all shards.
    fn read(&mut self, grid: &Grid, take: &mut impl FnMut(Row)) -> Result<(), Failure> {
        for number in self.numbers()? {
            let path = self.shard_path(number);
            let damaged = |what: String| damaged(&path, &what);
            let rows = shard::read(&path, &self.sweep).map_err(damaged)?;
            let first = rows.iter().map(|row| row.job).min().unwrap_or(u64::MAX);
            self.written.insert(number, first);
            for row in rows {
                if row.job >= grid.len() || !self.done.insert(row.job) {
                    return Err(damaged(format!("job {} is there twice, or was never to be done", row.job)));
                }
                take(row);
            }
        }
        Ok(())
    }

    /// The numbers of the shards that are there, in order. What an earlier start did not finish is removed.
    fn numbers(&self) -> Result<Vec<u64>, Failure> {
        let folder = self.path.join("shards");
        let cannot = |error: io::Error| -> Failure { Usage::read(folder.display(), &error).into() };
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&folder).map_err(cannot)? {
            let path = entry.map_err(cannot)?.path();
            if path.extension().is_some_and(|ending| ending == "part") {
                fs::remove_file(&path).map_err(cannot)?;
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let number = name.strip_suffix(".jsonl.zst").and_then(|number| number.parse().ok());
            numbers.push(number.ok_or_else(|| damaged(&path, "it is no shard"))?);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn shard_path(&self, number: u64) -> PathBuf {
        self.path.join("shards").join(format!("{number:06}.jsonl.zst"))
    }

    /// Keeps a row; it may be in memory for less than a second.
    pub(crate) fn put(&mut self, row: &Row) -> Result<(), Failure> {
        self.shard.put(row);
        self.begun.get_or_insert_with(Stopwatch::start);
        self.look()
    }

    /// Closes the shard if it is time. To be called now and then, also while no run finishes.
    pub(crate) fn look(&mut self) -> Result<(), Failure> {
        let is_old = self.begun.is_some_and(|begun| begun.elapsed() >= AGE_MAX);
        if is_old || self.shard.len() >= LEN_MAX { self.close() } else { Ok(()) }
    }

    /// Writes what is still in memory. On a full disk what was kept free for this is used.
    pub(crate) fn close(&mut self) -> Result<(), Failure> {
        if self.shard.is_empty() {
            return Ok(());
        }
        let number = self.written.last_key_value().map_or(1, |(last, _)| last + 1);
        let path = self.shard_path(number);
        if let Err(error) = self.shard.write(&path) {
            let _it_may_be_gone = fs::remove_file(self.reserve_path());
            let kept = if self.shard.write(&path).is_ok() { Kept::All } else { Kept::AllButLast };
            return Err(no_room(&error, &path, kept));
        }
        tracing::info!(shard = number, "a shard is on disk");
        self.written.insert(number, self.shard.first());
        self.shard = Shard::new(&self.sweep);
        self.begun = None;
        Ok(())
    }

    fn reserve_path(&self) -> PathBuf {
        self.path.join("sweep.reserve")
    }

    /// Takes some room on the disk.
    fn reserve(&self) -> Result<(), Failure> {
        let path = self.reserve_path();
        NewFile::create(&path)?.finish(&"reserved\n".repeat(RESERVE / 9))
    }

    /// The sweep has ended: writes what its runs came to. Runs that do not count, behind one that ended it by a rule,
    /// are left out. Gives the failures whose runs were not the same again.
    pub(crate) fn finish(
        &mut self,
        grid: &Grid,
        tally: &Tally,
        end: End,
        table: &ProtocolTable,
    ) -> Result<Vec<Unequal>, Failure> {
        self.close()?;
        let _it_may_be_gone = fs::remove_file(self.reserve_path());
        let count = if end.is_by_rule() { tally.runs } else { u64::MAX };
        let place = self.path.join("results.parquet");
        let file = NewFile::create(&place)?;
        let cannot = |error: io::Error| no_room(&error, &place, Kept::All);
        let mut results = Results::new(file.file(), grid).map_err(cannot)?;
        self.rows(|row| if row.job < count { results.put(row).map_err(cannot) } else { Ok(()) })?;
        results.finish().and_then(|()| file.keep()).map_err(cannot)?;
        failures::write(&self.path, grid, &tally.groups(), table)
    }

    /// All rows are in shards: hands them to `take`, in the order of their jobs.
    fn rows(&self, mut take: impl FnMut(Row) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut shards: Vec<(u64, u64)> =
            self.written.iter().map(|(number, first)| (*first, *number)).collect();
        shards.sort_unstable();
        let mut waiting: BTreeMap<u64, Row> = BTreeMap::new();
        for (place, (_, number)) in shards.iter().enumerate() {
            let path = self.shard_path(*number);
            let rows = shard::read(&path, &self.sweep).map_err(|what| damaged(&path, &what))?;
            waiting.extend(rows.into_iter().map(|row| (row.job, row)));
            // What comes before all that later shards have is in order now.
            let later = shards.get(place + 1).map_or(u64::MAX, |(first, _)| *first);
            let rest = waiting.split_off(&later);
            std::mem::replace(&mut waiting, rest).into_values().try_for_each(&mut take)?;
        }
        Ok(())
    }
}

/// The room is free again.
impl Drop for Folder {
    fn drop(&mut self) {
        let _it_may_be_gone = fs::remove_file(self.reserve_path());
    }
}

/// Whether this sweep is in the folder already. Anything else there is refused.
fn look(path: &Path, place: &Path, manifest: &Manifest, resume: Resume) -> Result<bool, Failure> {
    let folder = path.display();
    if path.exists() && !path.is_dir() {
        let message = format!("`{folder}` is a file");
        return Err(Usage::new(message, "a folder, which need not exist", "name another one").into());
    }
    if !place.exists() {
        let is_free = !path.exists() || is_free(path)?;
        let message = format!("`{folder}` is not empty, and holds no sweep");
        let hint = "name another one; it is made if it does not exist";
        return if is_free { Ok(false) } else { Err(Usage::new(message, "an empty folder", hint).into()) };
    }
    let there = read_manifest(place)?;
    if let Some(difference) = manifest.difference(&there) {
        let message = format!("`{folder}` holds another sweep: {difference}");
        return Err(
            Usage::new(message, "an empty folder, or one with this sweep", "name another folder").into()
        );
    }
    if resume == Resume::No {
        let message = format!("`{folder}` holds this sweep already");
        let hint = "`--resume` goes on with it; or name another folder";
        return Err(Usage::new(message, "an empty folder", hint).into());
    }
    Ok(true)
}

/// Whether a folder has nothing in it, but perhaps what a sweep leaves that was ended before it began.
fn is_free(path: &Path) -> Result<bool, Failure> {
    let entries = fs::read_dir(path).map_err(|error| Usage::read(path.display(), &error))?;
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    let mut others =
        names.filter(|name| !["shards", "sweep.lock", "sweep.json.part"].contains(&name.as_str()));
    Ok(others.next().is_none())
}

fn read_manifest(place: &Path) -> Result<Manifest, Failure> {
    let text = fs::read_to_string(place).map_err(|error| Usage::read(place.display(), &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let message = format!("`{}` is not what a sweep has written: {error}", place.display());
        Usage::new(message, "that file as it was written", "name another folder").into()
    })
}

fn damaged(path: &Path, what: &str) -> Failure {
    let message = format!("`{}` is not what a sweep has written: {what}", path.display());
    let allowed = "the files of this sweep, unchanged";
    let hint = "take the file away, and its runs are done again; or name another folder";
    Usage::new(message, allowed, hint).into()
}

/// The lock of a folder, or the news that somebody else has it.
fn locked(path: &Path) -> Result<File, Failure> {
    let file = File::create(path).map_err(|error| Failure::write_file(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            let message = format!("another process sweeps into `{}`", path.display());
            Err(Usage::new(message, "a folder a process", "wait for it, or name another folder").into())
        }
        Err(fs::TryLockError::Error(error)) => Err(Failure::write_file(path, &error)),
    }
}

/// How much is on disk after something could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// All runs that were finished.
    All,
    /// Not those of the last second.
    AllButLast,
}

fn no_room(error: &io::Error, path: &Path, kept: Kept) -> Failure {
    let kept = match kept {
        Kept::All => "all runs that were finished are kept",
        Kept::AllButLast => "the runs of the last second are lost",
    };
    let message = format!("cannot write `{}`: {}; {kept}", path.display(), reason(error));
    Usage::new(message, "a disk with room", "make room, and go on with `--resume`").into()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::Asked;
    use super::*;

    /// An empty folder for one test.
    #[expect(clippy::disallowed_methods, reason = "tests write somewhere")]
    fn place(name: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("splitbrain-{}-{name}", std::process::id()));
        if place.exists() {
            fs::remove_dir_all(&place).expect("the folder is ours");
        }
        place
    }

    fn grid(table: &ProtocolTable) -> Grid {
        let scenarios = ["echo/hello".to_owned()];
        let asked = Asked { scenarios: &scenarios, set: &[], vary: &[], seeds: 0..4 };
        Grid::new(&asked, table).unwrap_or_else(|failure| panic!("{failure}"))
    }

    fn open(place: &Path, grid: &Grid, resume: Resume) -> (Folder, Vec<Row>) {
        let mut rows = Vec::new();
        let folder = Folder::open(place, grid, resume, |row| rows.push(row));
        (folder.unwrap_or_else(|failure| panic!("{failure}")), rows)
    }

    fn row(grid: &Grid, job: u64) -> Row {
        Row::of(&grid.job(job), Err(format!("not really run: {job}")))
    }

    #[test]
    fn rows_come_back_as_they_were_and_in_the_order_of_jobs() {
        let (table, place) = (ProtocolTable::builtin(), place("order"));
        let grid = grid(&table);
        let (mut folder, _) = open(&place, &grid, Resume::No);
        for shard in [[2, 0], [3, 1]] {
            for job in shard {
                folder.put(&row(&grid, job)).unwrap_or_else(|failure| panic!("{failure}"));
            }
            folder.close().unwrap_or_else(|failure| panic!("{failure}"));
        }
        let mut ordered = Vec::new();
        let all = folder.rows(|row| {
            ordered.push(row);
            Ok(())
        });
        assert!(all.is_ok(), "{all:?}");
        assert_eq!(ordered, (0..4).map(|job| row(&grid, job)).collect::<Vec<_>>());
        drop(folder);
        let (folder, rows) = open(&place, &grid, Resume::Yes);
        assert_eq!(rows.iter().map(|row| row.job).collect::<Vec<_>>(), [2, 0, 3, 1]);
        assert!((0..4).all(|job| folder.done.contains(job)));
        fs::remove_dir_all(&place).expect("the folder is ours");
    }

    #[test]
    fn a_full_disk_ends_the_sweep_and_loses_nothing() {
        let (table, place) = (ProtocolTable::builtin(), place("full"));
        let grid = grid(&table);
        let (mut folder, _) = open(&place, &grid, Resume::No);
        folder.put(&row(&grid, 1)).unwrap_or_else(|failure| panic!("{failure}"));
        symlink("/dev/full", place.join("shards/000001.jsonl.zst.part")).expect("the folder is ours");
        let failure = folder.close().expect_err("there is no room").to_string();
        for said in ["no space left on device", "all runs that were finished are kept", "`--resume`"] {
            assert!(failure.contains(said), "`{said}` is missing in {failure}");
        }
        drop(folder);
        let (_, rows) = open(&place, &grid, Resume::Yes);
        assert_eq!(rows, [row(&grid, 1)], "what was kept free was enough");
        fs::remove_dir_all(&place).expect("the folder is ours");
    }

    #[test]
    fn two_processes_do_not_sweep_into_one_folder() {
        let (table, place) = (ProtocolTable::builtin(), place("two"));
        let grid = grid(&table);
        let _first = open(&place, &grid, Resume::No);
        let second = Folder::open(&place, &grid, Resume::Yes, |_| {});
        let failure = second.err().expect("it is in use").to_string();
        assert!(failure.contains("another process"), "{failure}");
        fs::remove_dir_all(&place).expect("the folder is ours");
    }
}
