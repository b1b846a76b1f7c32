//! What a frame of the window costs the processor (layout and tessellation, no screen), beside its goal:
//! `cargo bench -p splitbrain-gui --bench frames`. Arguments choose cases by part of their names.
//!
//! A figure is processor time: the median and the 99th percentile of 200 frames, after 20 to warm up. Before each frame
//! of the cluster one event happens, so that nothing of it is kept from the frame before.

use std::fs;

use rustix::time::{ClockId, clock_gettime};
use splitbrain_gui::bench::Bench;

/// How many frames are measured.
const FRAMES: usize = 200;
/// How many are drawn before.
const WARM: usize = 20;

type Case = (&'static str, fn(&str));

const CASES: [Case; 8] = [
    ("first frame", first_frame),
    ("cluster, 5 nodes, 50 on their way", small_cluster),
    ("cluster, 100 nodes, 5,000 on their way", large_cluster),
    ("space-time over 100,000 events", space_time),
    ("space-time, 2,000 of 100,000 visible", space_time_near),
    ("events, a million rows", events),
    ("seek in 10 million events", seek),
    ("memory of 10 million events", memory),
];

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    say(&format!("{:<42}  {:>10}  {:>10}  {:>10}", "case", "p50", "p99", "goal"));
    for (name, case) in CASES {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            case(name);
        }
    }
}

fn first_frame(name: &str) {
    let times = (0..20).map(|_| timed(|| Bench::open("raft/leader-crash", &[]).frame())).collect();
    report(name, times, 1_000.0);
}

fn small_cluster(name: &str) {
    let mut bench = Bench::open(
        "raft/steady",
        &[
            "clients.count=20",
            "clients.rate=100/s",
            "network.latency=\"10ms..15ms\"",
            "limits.events=10000000",
        ],
    );
    cluster(&mut bench, name, 50, 1.0);
}

fn large_cluster(name: &str) {
    let mut bench = Bench::open(
        "echo/hello",
        &[
            "nodes=100",
            "clients.count=1000",
            "clients.rate=100/s",
            "network.latency=\"40ms..60ms\"",
            "network.duplicate=1.0",
            "limits.events=10000000",
        ],
    );
    cluster(&mut bench, name, 5_000, 6.0);
}

/// Goes on until so much is on its way.
fn cluster(bench: &mut Bench, name: &str, in_flight: usize, goal: f64) {
    bench.alone("Cluster");
    for step in 1..2_000 {
        bench.seek(step * 100);
        if bench.in_flight() >= in_flight {
            break;
        }
    }
    assert!(bench.in_flight() >= in_flight, "no {in_flight} were on their way at once");
    say(&format!("  {} on their way", bench.in_flight()));
    frames(bench, name, goal, |bench| bench.seek(bench.events() + 1));
}

fn space_time(name: &str) {
    let mut bench = Bench::open("raft/steady", &LOAD);
    bench.alone("Space-time");
    bench.seek(100_000);
    say(&format!("  {} records", bench.records()));
    frames(&mut bench, name, 6.0, |_| {});
}

fn space_time_near(name: &str) {
    let mut bench = Bench::open("raft/steady", &LOAD);
    bench.alone("Space-time");
    bench.seek(100_000);
    bench.look_at(2_000);
    frames(&mut bench, name, 6.0, |_| {});
}

fn events(name: &str) {
    let mut bench = Bench::open("raft/steady", &LOAD);
    bench.alone("Events");
    bench.seek(1_000_000);
    say(&format!("  {} records", bench.records()));
    frames(&mut bench, name, 1.0, |_| {});
}

/// Much to do, for long.
const LOAD: [&str; 5] = [
    "clients.count=20",
    "clients.rate=50/s",
    "phases.faults=1h",
    "limits.events=100000000",
    "checks.history=Off",
];

fn seek(name: &str) {
    let mut bench = Bench::open("raft/steady", &LOAD);
    bench.seek(10_000_000);
    let places = (0..50_u64).map(|step| (step * 7_919_333 + 99_999) % 10_000_000);
    let times = places.map(|events| timed(|| bench.seek(events))).collect();
    report(name, times, 100.0);
}

fn memory(name: &str) {
    let mut bench = Bench::open("raft/steady", &LOAD);
    bench.seek(10_000_000);
    bench.frame();
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells of its processes");
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).expect("the most memory so far");
    say(&format!(
        "{name:<42}  {} of the whole process, goal 1 GiB",
        peak.trim_start_matches("VmHWM:").trim()
    ));
}

fn frames(bench: &mut Bench, name: &str, goal: f64, between: impl Fn(&mut Bench)) {
    let mut times = Vec::new();
    for frame in 0..WARM + FRAMES {
        between(bench);
        let time = timed(|| bench.frame());
        if frame >= WARM {
            times.push(time);
        }
    }
    report(name, times, goal);
}

fn report(name: &str, mut times: Vec<f64>, goal: f64) {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let verdict = if at(99) <= goal { "" } else { "  above the goal" };
    say(&format!("{name:<42}  {:>7.2} ms  {:>7.2} ms  {goal:>7.0} ms{verdict}", at(50), at(99)));
}

/// Milliseconds of processor time that something takes.
fn timed<T>(what: impl FnOnce() -> T) -> f64 {
    let begun = clock_gettime(ClockId::ProcessCPUTime);
    std::hint::black_box(what());
    let ended = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (ended.tv_sec - begun.tv_sec, ended.tv_nsec - begun.tv_nsec);
    #[expect(clippy::cast_precision_loss, reason = "a time needs few digits")]
    let milliseconds = seconds as f64 * 1e3 + nanos as f64 / 1e6;
    milliseconds
}

#[expect(clippy::print_stdout, reason = "printing is what a benchmark does")]
fn say(text: &str) {
    println!("{text}");
}
