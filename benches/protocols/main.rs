//! Every protocol under load, its invariants on and off, interleaved: `cargo bench --bench protocols`.
//!
//! Each runs a scenario of the library in which nothing happens to it, or next to nothing ([`SCENARIOS`]), but twenty
//! clients ask fifty times a second each, a thousand operations a second in all, for twenty simulated seconds; the queue has
//! sixty thousand messages a second, and a hundred thousand in flight. A figure
//! is the median of ten rounds, in events per second of processor time; the cost of invariants is the median of the
//! rounds' ratios. Arguments choose protocols.
//!
//! SWIM is also run with 10,000 members in which nothing happens, and Plumtree with 10,000 nodes and a broadcast a second: a median
//! of three rounds in simulated seconds per second of processor time.

use rustix::time::{ClockId, clock_gettime};
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

/// Which scenario a protocol is measured in. Where there is no line, there is no figure, and the table says so.
const SCENARIOS: [(&str, &str); 9] = [
    ("raft", "raft/steady"),
    ("paxos", "paxos/steady-leader"),
    ("vrr", "vrr/steady"),
    ("synod", "synod/rivals"),
    ("swim", "swim/steady"),
    ("plumtree", "plumtree/steady"),
    ("queue", "queue/in-flight"),
    ("log", "log/steady"),
    ("echo", "echo/hello"),
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

/// Protocols of large groups: the scenario, and what clients ask there.
const LARGE_GROUPS: [(&str, &str, &str); 2] =
    [("swim", "swim/steady", "clients.count=0"), ("plumtree", "plumtree/steady", "clients.rate=1/s")];

const LOAD: [&str; 5] = [
    "clients.count=20",
    "clients.rate=50/s",
    "phases.faults=20s",
    "clients.give_up=10s",
    "checks.history=Off",
];

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let table = ProtocolTable::builtin();
    say("protocol      events/s without      events/s with invariants      invariants cost");
    for name in table.names() {
        if wanted.is_empty() || wanted.contains(&name) {
            measure(&name, &table);
        }
    }
    for (name, path, load) in LARGE_GROUPS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            measure_large_group(name, path, load, &table);
        }
    }
}

/// A group of 10,000 in which nothing fails.
fn measure_large_group(name: &str, path: &str, load_wanted: &str, table: &ProtocolTable) {
    let entry = library::find(path).expect("the library has it");
    let overrides = ["nodes=10000", load_wanted, "checks.invariants=[]"].map(Override::parse);
    let overrides = overrides.into_iter().collect::<Result<Vec<_>, _>>().expect("a path and a value");
    let loaded = load(entry.path, entry.text.as_bytes(), &overrides, table);
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    let seconds = median((0..3).map(|_| processor_seconds(&loaded, table).1));
    let rate = LENGTH.as_secs_f64() / seconds;
    say(&format!("{name}, 10,000 nodes: {rate:.1} simulated seconds a processor-second, and 1 is the goal"));
}

fn measure(name: &str, table: &ProtocolTable) {
    let (Some(with), Some(without)) =
        (under_load(name, &[], table), under_load(name, &["checks.invariants=[]"], table))
    else {
        return say(&format!("{name:<12}  no scenario to measure it in"));
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
    say(&format!("{name:<12}  {without:>17.0}  {with:>28.0}  {cost:>18.1} %{verdict}"));
}

/// The protocol's scenario with more to do.
fn under_load(name: &str, more: &[&str], table: &ProtocolTable) -> Option<Loaded> {
    let (_, path) = SCENARIOS.iter().find(|(protocol, _)| *protocol == name)?;
    let entry = library::find(path)?;
    let load_wanted = match name {
        "queue" => &QUEUE_LOAD[..],
        "log" => &LOG_LOAD,
        _ => &LOAD,
    };
    let overrides = load_wanted.iter().chain(more).map(|text| Override::parse(text));
    let overrides = overrides.collect::<Result<Vec<_>, _>>().expect("a path and a value");
    let loaded = load(entry.path, entry.text.as_bytes(), &overrides, table);
    Some(loaded.unwrap_or_else(|error| panic!("{error}")))
}

/// Events per second of processor time.
fn events_a_second(loaded: &Loaded, table: &ProtocolTable) -> f64 {
    let (events, seconds) = processor_seconds(loaded, table);
    events / seconds
}

/// How many events there were, and how much processor time they took.
fn processor_seconds(loaded: &Loaded, table: &ProtocolTable) -> (f64, f64) {
    let mut simulation = assemble(&loaded.scenario, table, 0, None);
    let begun = clock_gettime(ClockId::ProcessCPUTime);
    simulation.run(SimTime::ZERO + LENGTH, u64::MAX);
    let ended = clock_gettime(ClockId::ProcessCPUTime);
    assert!(simulation.violations().is_empty(), "{:?}", simulation.violations());
    let seconds = ended.tv_sec - begun.tv_sec;
    let nanos = ended.tv_nsec - begun.tv_nsec;
    #[expect(clippy::cast_precision_loss, reason = "a rate needs few digits")]
    let (events, seconds) = (simulation.events() as f64, seconds as f64 + nanos as f64 / 1e9);
    (events, seconds)
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
