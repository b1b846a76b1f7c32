//! What sweeps cost, measured on the program itself: `cargo bench --bench sweep`.
//!
//! `five-nodes.ron` is swept, and a run in which nearly nothing happens, for what a run costs at least. Processor time is
//! what the system accounts to the program from its start to its end, in steps of 10 ms; memory is the most that was
//! resident. Both are read in `/proc`, so this runs on Linux alone. Every figure is the median of [`ROUNDS`] rounds, in
//! which the commands that are compared take turns; a ratio is the median of those of single rounds, so that a machine
//! which gets slower meanwhile does not show.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark looks at the clock and waits; nothing of a run depends on it"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;
/// How many runs of five nodes a command has.
const RUNS: u32 = 500;
/// The same of runs in which nearly nothing happens.
const SHORT_RUNS: u32 = 20_000;
/// A run of a node that nobody asks for anything, for a microsecond.
const SHORT: [&str; 7] =
    ["echo/hello", "--set", "nodes=1", "--set", "clients.count=0", "--set", "phases.faults=1us"];

/// What a command took.
struct Took {
    wall: Duration,
    processor: Duration,
    resident_kib: u64,
}

fn main() {
    if !Path::new("/proc/self/stat").exists() {
        return say("nothing is measured: this needs `/proc`");
    }
    five_nodes();
    keeping();
    short_runs();
}

/// A sweep of five nodes on one thread and two, and without checks.
fn five_nodes() {
    let bare = ["--jobs", "1", "--set", "checks.invariants=[]", "--set", "checks.history=Off"];
    let ways: [&[&str]; 3] = [&["--jobs", "1"], &["--jobs", "2"], &bare];
    let rounds = rounds(&ways.map(|way| move || sweep_five_nodes(RUNS, way)));
    let of = |figure: &dyn Fn(&[Took; 3]) -> f64| median(rounds.iter().map(figure).collect());
    say("five nodes of Raft, ten seconds                                measured    goal");
    let rate = of(&|[_, two, _]| f64::from(RUNS) / two.wall.as_secs_f64());
    row("runs a second on two threads", rate, "200 or more");
    row("processor time a run, ms", of(&|[one, ..]| millis(one) / f64::from(RUNS)), "10 or less");
    let both = of(&|[one, two, _]| millis(two) / millis(one));
    row("the same with two threads, to that with one", both, "1.05 or less");
    row("processor time to that without checks", of(&|[one, _, bare]| millis(one) / millis(bare)), "");
}

/// What is added where results are kept, to a short sweep and to a longer one: most of it is there once a sweep.
fn keeping() {
    let folder = &Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-sweep");
    let kept = folder.to_str().expect("a path in UTF-8");
    for (runs, goal) in [(RUNS, ""), (4 * RUNS, "2 or less")] {
        let ways: [&[&str]; 2] = [&["--jobs", "1"], &["--jobs", "1", "--out", kept]];
        let rounds = rounds(&ways.map(|way| {
            move || {
                let took = sweep_five_nodes(runs, way);
                // Only one of them has kept anything.
                _ = fs::remove_dir_all(folder);
                took
            }
        }));
        let added = rounds.iter().map(|[plain, kept]| 100.0 * (millis(kept) / millis(plain) - 1.0));
        row(&format!("what keeping results adds to {runs} runs, percent"), median(added.collect()), goal);
    }
}

fn sweep_five_nodes(runs: u32, way: &[&str]) -> Took {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/sweep/five-nodes.ron");
    let scenario = scenario.to_str().expect("a path in UTF-8");
    sweep(&[&[scenario, "--seeds", &format!("0..{runs}")], way].concat())
}

/// What a run costs at least, and whether memory grows with runs.
fn short_runs() {
    let ways = [SHORT_RUNS / 2, SHORT_RUNS * 5];
    let rounds = rounds(&ways.map(|runs| {
        let seeds = format!("0..{runs}");
        move || sweep(&[&SHORT[..], &["--jobs", "1", "--seeds", &seeds]].concat())
    }));
    let of = |figure: &dyn Fn(&[Took; 2]) -> f64| median(rounds.iter().map(figure).collect());
    let more = f64::from(ways[1] - ways[0]);
    say("runs in which nearly nothing happens");
    let cost = of(&|[few, many]| 1_000.0 * (millis(many) - millis(few)) / more);
    row("processor time a run, microseconds", cost, "100 or less");
    let resident = of(&|[few, many]| kibibytes(many) / kibibytes(few));
    row("resident after 100,000 runs to that after 10,000", resident, "1.05 or less");
}

/// Each way in turn, [`ROUNDS`] times.
fn rounds<const N: usize>(ways: &[impl Fn() -> Took; N]) -> Vec<[Took; N]> {
    (0..ROUNDS).map(|_| std::array::from_fn(|way| ways[way]())).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Sweeps with these arguments to the end.
fn sweep(arguments: &[&str]) -> Took {
    let (begun, before) = (Instant::now(), processor_time_of_children());
    let mut program = Command::new(env!("CARGO_BIN_EXE_splitbrain"))
        .arg("sweep")
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program was built for this");
    let status = Path::new("/proc").join(program.id().to_string()).join("status");
    let mut resident_kib = 0;
    let ended = loop {
        // One that has ended has no memory any more; what was read last stands.
        resident_kib = most_resident_kib(&status).unwrap_or(resident_kib);
        if let Some(ended) = program.try_wait().expect("it can be waited for") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(ended.success(), "`splitbrain sweep {}` ended with {ended}", arguments.join(" "));
    let processor = processor_time_of_children().saturating_sub(before);
    Took { wall: begun.elapsed(), processor, resident_kib }
}

/// Of children that have ended and were waited for: fields 16 and 17, in hundredths of a second (proc(5)).
fn processor_time_of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("it was there");
    let (_, fields) = stat.rsplit_once(") ").expect("a name in brackets");
    let ticks =
        fields.split(' ').skip(13).take(2).map(|ticks| ticks.parse::<u64>().expect("a count of ticks"));
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// The most that a process has had resident.
fn most_resident_kib(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn millis(took: &Took) -> f64 {
    1_000.0 * took.processor.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn kibibytes(took: &Took) -> f64 {
    took.resident_kib as f64
}

fn row(what: &str, figure: f64, goal: &str) {
    say(&format!("  {what:<55} {figure:>12.2}    {goal}"));
}

#[expect(clippy::print_stdout, reason = "it is what the benchmark is for")]
fn say(line: &str) {
    println!("{line}");
}
