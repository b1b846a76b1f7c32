//! The engine beside a bare core, in one process, interleaved: `cargo bench --bench engine`.
//!
//! The bare core (`bare.rs`) has a 4-ary heap from a crate, a slab, inline payloads, the same keyed draws and a
//! digest of the same words, and nothing else. The engine has its network, clocks, fault checks and digest on.
//! A figure is the median of ten interleaved rounds, in processor time; the ratio is the median of the rounds'
//! ratios. Arguments choose workloads by name.

mod bare;
mod costs;
mod raft;
mod workloads;

use std::fmt::Write as _;

use rustix::time::{ClockId, clock_gettime};
use sim_core::metrics::Counter;
use sim_core::{SimTime, Span};

/// The allocator of the program, so that what is measured here is what users get.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many counted rounds there are, after one to warm up.
const ROUNDS: usize = 10;

/// One workload on both cores.
struct Workload {
    name: &'static str,
    /// What one event is.
    event: &'static str,
    events: u64,
    engine: fn(u64) -> u64,
    bare: fn(u64) -> u64,
    /// What is compared with.
    against: &'static str,
    /// The ratio asked for.
    goal: f64,
}

const WORKLOADS: &[Workload] = &[
    Workload {
        name: "w1",
        event: "delivery, 2 nodes, ping-pong",
        events: 4_000_000,
        engine: workloads::ping_pong,
        bare: bare::ping_pong,
        against: "bare",
        goal: 0.75,
    },
    Workload {
        name: "w2",
        event: "delivery, 100 nodes, flood",
        events: 2_000_000,
        engine: workloads::flood,
        bare: bare::flood,
        against: "bare, Vec payload",
        goal: 1.0,
    },
    Workload {
        name: "w2s",
        event: "delivery, 100 nodes, 1,000 in flight",
        events: 4_000_000,
        engine: workloads::gossip,
        bare: bare::gossip,
        against: "bare",
        goal: 0.85,
    },
    Workload {
        name: "w3",
        event: "firing, 1,000 nodes",
        events: 4_000_000,
        engine: workloads::timers,
        bare: bare::timers,
        against: "bare",
        goal: 0.80,
    },
    Workload {
        name: "w3c",
        event: "firing, and one timer armed and cancelled",
        events: 2_000_000,
        engine: workloads::timers_cancelled,
        bare: bare::timers_cancelled,
        against: "bare",
        goal: 0.70,
    },
];

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let mut table = String::from(
        "| workload | one event | engine | bare core | ratio (min .. max) | goal |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for workload in WORKLOADS.iter().filter(|workload| is_wanted(workload.name)) {
        measure(workload, &mut table);
    }
    if is_wanted("raft") {
        measure_raft(&mut table);
    }
    if is_wanted("recorder") {
        costs::recorder(&mut table);
    }
    if is_wanted("crowd") {
        costs::crowd(&mut table);
    }
    if is_wanted("snapshot") {
        costs::snapshot(&mut table);
    }
    output(&table);
}

/// Raft has no bare counterpart: simulated seconds, events and operations per processor-second.
#[expect(clippy::cast_precision_loss, reason = "rates are printed with a few digits")]
fn measure_raft(table: &mut String) {
    table.push_str("\n| Raft, 5 nodes, all invariants | events | operations | simulated s/s | events/s |\n| --- | --- | --- | --- | --- |\n");
    for (name, clients, rate, simulated) in
        [("idle", 0, 1, 3_000), ("1,000 operations a second", 10, 100, 60)]
    {
        let mut speeds = Vec::new();
        let mut rates = Vec::new();
        let mut counts = (0, 0);
        for round in 0..=ROUNDS {
            let start = processor_time();
            let mut world = raft::cluster(clients, rate);
            world.run(SimTime::ZERO + Span::secs(simulated), u64::MAX);
            let took = processor_time() - start;
            assert!(world.violations().is_empty(), "{:?}", world.violations());
            counts = (world.events(), world.metrics().counter(Counter::OperationsCompleted));
            if round > 0 {
                speeds.push(simulated as f64 / took);
                rates.push(counts.0 as f64 / took);
            }
        }
        let (speed, rate) = (median(&mut speeds), median(&mut rates));
        writeln!(table, "| {name} | {} | {} | {speed:.0} | {:.2} M/s |", counts.0, counts.1, rate / 1e6)
            .expect("writing to a string cannot fail");
    }
}

/// Adds a row to the table.
fn measure(workload: &Workload, table: &mut String) {
    let mut engine_rates = Vec::new();
    let mut bare_rates = Vec::new();
    let mut ratios = Vec::new();
    for round in 0..=ROUNDS {
        let bare = rate(workload.bare, workload.events);
        let engine = rate(workload.engine, workload.events);
        if round > 0 {
            engine_rates.push(engine);
            bare_rates.push(bare);
            ratios.push(engine / bare);
        }
    }
    let ratio = median(&mut ratios);
    writeln!(
        table,
        "| {} | {} | {:.2} M/s | {:.2} M/s ({}) | {:.3} ({:.3} .. {:.3}) | {:.2} |",
        workload.name,
        workload.event,
        median(&mut engine_rates) / 1e6,
        median(&mut bare_rates) / 1e6,
        workload.against,
        ratio,
        ratios[0],
        ratios[ratios.len() - 1],
        workload.goal,
    )
    .expect("writing to a string cannot fail");
}

/// Events per processor-second of one run.
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(run: fn(u64) -> u64, events: u64) -> f64 {
    let start = processor_time();
    let done = run(events);
    let took = processor_time() - start;
    assert!(done >= events, "the workload ran {done} of {events} events");
    done as f64 / took
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

/// User and system time of this process so far, in seconds.
#[expect(clippy::cast_precision_loss, reason = "a duration for people")]
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

#[expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]
fn output(table: &str) {
    print!("{table}");
}
