//! Every protocol under load, its invariants on and off, interleaved: `cargo bench --bench protocols`.
//!
//! Each runs a scenario of the library in which nothing happens to it, or next to nothing ([`SCENARIOS`]), but twenty
//! clients ask fifty times a second each, a thousand operations a second in all, for twenty simulated seconds; the queue has
//! sixty thousand messages a second, and a hundred thousand in flight, and the log a thousand partitions. A figure
//! is the median of ten rounds, in events per second of processor time; the cost of invariants is the median of the
//! rounds' ratios. Arguments choose protocols.
//!
//! Protocols of large groups are also run in [`CROWDS`]: SWIM with 10,000 members in which nothing happens, Plumtree with 10,000 nodes
//! and a broadcast a second, a rumor among a million sites. Each runs in a process of its own, so that what it takes of memory
//! can be read in `/proc` (on Linux), with all invariants of its protocol and without: medians of three rounds.

use std::process::{Command, Stdio};

use rustix::time::{ClockId, Timespec, clock_gettime};
use scenarios::text::Override;
use scenarios::{Loaded, ProtocolTable, assemble, library, load};
use sim_core::{SimTime, Span};

/// The allocator of the program, so that what is measured here is what users get.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many counted rounds there are, after one to warm up.
const ROUNDS: usize = 10;
/// How long is simulated.
const LENGTH: Span = Span::secs(20);
/// What invariants may cost, in percent.
const GOAL: f64 = 40.0;
/// How many events a second these are to simulate under their load.
const RATE_GOAL: f64 = 2_000_000.0;
const RATED: [&str; 2] = ["queue", "log"];

/// Which scenario a protocol is measured in, with which load. Where there is no line, there is no figure, and the table says so.
const SCENARIOS: [(&str, &str, &[&str]); 16] = [
    ("raft", "raft/steady", &LOAD),
    ("paxos", "paxos/steady-leader", &LOAD),
    ("vrr", "vrr/steady", &LOAD),
    ("synod", "synod/rivals", &LOAD),
    ("swim", "swim/steady", &LOAD),
    ("plumtree", "plumtree/steady", &LOAD),
    ("queue", "queue/in-flight", &QUEUE_LOAD),
    ("log", "log/steady", &LOG_LOAD),
    ("chain", "chain/steady", &LOAD),
    ("crdt", "crdt/counter", &LONG_LOAD),
    ("epidemic", "epidemic/direct-mail", &LONG_LOAD),
    ("lock", "lock/contention", &LOAD),
    ("snapshots", "snapshots/steady", &CLOSED_LOAD),
    ("two_phase_commit", "two-phase-commit/steady", &LOAD),
    ("unique_ids", "unique-ids/hybrid", &CLOSED_LOAD),
    ("echo", "echo/hello", &LOAD),
];

/// The scenario of the queue has a load of its own: a hundred thousand messages in flight.
const QUEUE_LOAD: [&str; 3] = ["clients.count=1200", "protocol.prefetch=30000", "phases.faults=6s"];

/// That of the log has one, too: a thousand partitions.
const LOG_LOAD: [&str; 5] = [
    "protocol.partitions=1000",
    "clients.count=100",
    "clients.rate=100/s",
    "clients.workload=Log(partitions: 1000, polls: 0.1, offsets: 0)",
    "checks.history=Off",
];

/// A large group in which nothing fails.
struct Crowd {
    protocol: &'static str,
    scenario: &'static str,
    what: &'static str,
    load: &'static [&'static str],
    /// How long is simulated.
    length: Span,
    /// What it is to do, in words, and as the most processor time and gibibytes that it may take.
    goal: (&'static str, f64, f64),
}

const CROWDS: [Crowd; 3] = [
    Crowd {
        protocol: "swim",
        scenario: "swim/steady",
        what: "10,000 members",
        load: &["nodes=10000", "clients.count=0", "phases.faults=60s"],
        length: Span::secs(60),
        goal: ("a simulated second in a processor-second, 8 GiB", 60.0, 8.0),
    },
    Crowd {
        protocol: "plumtree",
        scenario: "plumtree/steady",
        what: "10,000 nodes, a broadcast a second",
        load: &["nodes=10000", "clients.rate=1/s", "phases.faults=60s"],
        length: Span::secs(60),
        goal: ("a simulated second in a processor-second, 8 GiB", 60.0, 8.0),
    },
    Crowd {
        protocol: "gossip",
        scenario: "gossip/residue",
        what: "a rumor among 1,000,000 sites",
        load: &["nodes=1000000"],
        length: Span::secs(80),
        goal: ("60 s, 2 GiB", 60.0, 2.0),
    },
];

/// Rounds of a crowd.
const CROWD_ROUNDS: usize = 3;

const LOAD: [&str; 5] = [
    "clients.count=20",
    "clients.rate=50/s",
    "phases.faults=20s",
    "clients.give_up=10s",
    "checks.history=Off",
];

/// Of scenarios whose clients have a number of operations.
const LONG_LOAD: [&str; 6] = [LOAD[0], LOAD[1], LOAD[2], LOAD[3], LOAD[4], "clients.operations=2000"];

/// Of scenarios whose clients ask again some time after they were answered.
const CLOSED_LOAD: [&str; 5] = [LOAD[0], "clients.think=20ms", LOAD[2], LOAD[3], LOAD[4]];

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let table = ProtocolTable::builtin();
    if let [way, protocol, invariants] = &wanted[..]
        && way == CROWD
    {
        return run_crowd(crowd_of(protocol), invariants == WITH, &table);
    }
    say("protocol          events/s without      events/s with invariants      invariants cost");
    for name in table.names() {
        if wanted.is_empty() || wanted.contains(&name) {
            measure(&name, &table);
        }
    }
    let is_wanted = |crowd: &&Crowd| wanted.is_empty() || wanted.iter().any(|name| name == crowd.protocol);
    for crowd in CROWDS.iter().filter(is_wanted) {
        measure_crowd(crowd, WITHOUT);
        measure_crowd(crowd, WITH);
    }
}

/// The arguments with which the program starts itself.
const CROWD: &str = "crowd";
const WITH: &str = "with";
const WITHOUT: &str = "without";

fn crowd_of(protocol: &str) -> &'static Crowd {
    CROWDS.iter().find(|crowd| crowd.protocol == protocol).expect("one of the table")
}

/// Runs a crowd, and prints its events, the processor time of the whole process, and the most kibibytes that were resident.
fn run_crowd(crowd: &Crowd, has_invariants: bool, table: &ProtocolTable) {
    let entry = library::find(crowd.scenario).expect("the library has it");
    let more: &[&str] = if has_invariants { &[] } else { &["checks.invariants=[]"] };
    let overrides = crowd.load.iter().chain(more).map(|text| Override::parse(text));
    let overrides = overrides.collect::<Result<Vec<_>, _>>().expect("a path and a value");
    let loaded = load(entry.path, entry.text.as_bytes(), &overrides, table);
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    let (events, _) = processor_seconds(&loaded, table, crowd.length);
    let seconds = seconds(clock_gettime(ClockId::ProcessCPUTime));
    let status = std::fs::read_to_string("/proc/self/status").expect("this runs on Linux");
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line of proc(5)");
    let kibibytes = most.split_whitespace().next().expect("a number");
    say(&format!("{events} {seconds} {kibibytes}"));
}

/// One line of a crowd.
fn measure_crowd(crowd: &Crowd, invariants: &str) {
    let rounds: Vec<[f64; 3]> = (0..CROWD_ROUNDS).map(|_| crowd_round(crowd, invariants)).collect();
    let [events, seconds, kibibytes] =
        [0, 1, 2].map(|figure| median(rounds.iter().map(|round| round[figure])));
    let gibibytes = kibibytes / f64::from(1 << 20);
    let (goal, seconds_max, gibibytes_max) = crowd.goal;
    let verdict = if seconds <= seconds_max && gibibytes <= gibibytes_max { "" } else { "  misses the goal" };
    say(&format!(
        "{}, {}, {invariants} invariants: {} in {seconds:.1} processor-seconds ({:.2} a second), {:.2} M events/s, {gibibytes:.2} GiB; goal {goal}{verdict}",
        crowd.protocol,
        crowd.what,
        crowd.length,
        crowd.length.as_secs_f64() / seconds,
        events / seconds / 1e6,
    ));
}

/// A process that runs a crowd once: events, seconds, kibibytes.
fn crowd_round(crowd: &Crowd, invariants: &str) -> [f64; 3] {
    let program = std::env::current_exe().expect("it runs");
    let output = Command::new(program)
        .args([CROWD, crowd.protocol, invariants])
        .stderr(Stdio::inherit())
        .output()
        .expect("what runs can be started");
    assert!(output.status.success(), "{} {invariants} invariants: {}", crowd.protocol, output.status);
    let text = String::from_utf8(output.stdout).expect("numbers");
    let figures: Vec<f64> = text.split_whitespace().map(|figure| figure.parse().expect("a number")).collect();
    figures.try_into().expect("three figures")
}

fn measure(name: &str, table: &ProtocolTable) {
    let (Some(with), Some(without)) =
        (under_load(name, &[], table), under_load(name, &["checks.invariants=[]"], table))
    else {
        return say(&format!("{name:<16}  only as a crowd, below"));
    };
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let rates = (events_a_second(&without, table), events_a_second(&with, table));
        if round > 0 {
            rounds.push(rates);
        }
    }
    let without = median(rounds.iter().map(|(without, _)| *without));
    let with = median(rounds.iter().map(|(_, with)| *with));
    let cost = median(rounds.iter().map(|(without, with)| (without / with - 1.0) * 100.0));
    let verdict = if cost <= GOAL { "" } else { "  above the goal" };
    say(&format!("{name:<16}  {without:>17.0}  {with:>28.0}  {cost:>18.1} %{verdict}"));
    if RATED.contains(&name) {
        let says = |rate: f64| if rate >= RATE_GOAL { "reached" } else { "missed" };
        let (without, with) = (says(without), says(with));
        say(&format!("{:16}  {RATE_GOAL:.0} events/s: without invariants {without}, with them {with}", ""));
    }
}

/// The protocol's scenario with more to do.
fn under_load(name: &str, more: &[&str], table: &ProtocolTable) -> Option<Loaded> {
    let (_, path, under) = SCENARIOS.iter().find(|(protocol, ..)| *protocol == name)?;
    let entry = library::find(path)?;
    let overrides = under.iter().chain(more).map(|text| Override::parse(text));
    let overrides = overrides.collect::<Result<Vec<_>, _>>().expect("a path and a value");
    let loaded = load(entry.path, entry.text.as_bytes(), &overrides, table);
    Some(loaded.unwrap_or_else(|error| panic!("{error}")))
}

/// Events per second of processor time.
fn events_a_second(loaded: &Loaded, table: &ProtocolTable) -> f64 {
    let (events, seconds) = processor_seconds(loaded, table, LENGTH);
    events / seconds
}

/// How many events there were in so long, and how much processor time they took.
fn processor_seconds(loaded: &Loaded, table: &ProtocolTable, length: Span) -> (f64, f64) {
    let mut simulation = assemble(&loaded.scenario, table, 0, None);
    let begun = clock_gettime(ClockId::ProcessCPUTime);
    simulation.run(SimTime::ZERO + length, u64::MAX);
    let ended = clock_gettime(ClockId::ProcessCPUTime);
    assert!(simulation.violations().is_empty(), "{:?}", simulation.violations());
    #[expect(clippy::cast_precision_loss, reason = "a rate needs few digits")]
    let events = simulation.events() as f64;
    (events, seconds(ended) - seconds(begun))
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs few digits")]
fn seconds(time: Timespec) -> f64 {
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::print_stdout, reason = "printing is what a benchmark does")]
fn say(text: &str) {
    println!("{text}");
}
