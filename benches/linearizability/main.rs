//! Linearizability checking: `cargo bench --bench linearizability`.
//!
//! Three workloads, each a valid history of registers by ten clients: half are reads, an operation takes 1 to 10 ms
//! and takes effect at a random moment in between, values are 1 to 1,000, so they repeat. A figure is operations per
//! processor-second, from the history as a run leaves it to the answer; the median of ten rounds, each of
//! enough repetitions to be measured. Arguments choose workloads by name.

mod generate;

use rustix::time::{ClockId, clock_gettime};
use sim_core::check::history::{Judgement, linearizability};
use sim_core::history::History;

/// The allocator of the program, so that what is measured here is what users get.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many counted rounds there are, after one to warm up.
const ROUNDS: usize = 10;

/// Operations that a round checks at least, over and over.
const OPERATIONS_MIN: u64 = 500_000;

/// Enough for all workloads.
const BUDGET: u64 = 100_000_000;

/// One kind of history.
struct Workload {
    name: &'static str,
    operations: u32,
    /// The mean time between a client's operations; 0 keeps all clients busy.
    think_ms: u32,
    keys: u32,
    /// Operations a processor-second asked for.
    goal: f64,
}

const WORKLOADS: &[Workload] = &[
    Workload { name: "10-keys", operations: 10_000, think_ms: 0, keys: 10, goal: 5e6 },
    Workload { name: "1-in-flight", operations: 10_000, think_ms: 45, keys: 1, goal: 3e6 },
    Workload { name: "9-in-flight", operations: 1_000, think_ms: 0, keys: 1, goal: 5e4 },
    Workload { name: "9-in-flight-long", operations: 10_000, think_ms: 0, keys: 1, goal: 2.5e4 },
];

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    print(format_args!("| workload | operations | keys | in flight | operations/s (min .. max) | goal |\n"));
    print(format_args!("| --- | --- | --- | --- | --- | --- |\n"));
    for workload in WORKLOADS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == workload.name) {
            measure(workload);
        }
    }
}

/// Prints a row of the table.
fn measure(workload: &Workload) {
    let Workload { name, operations, think_ms, keys, goal } = *workload;
    let (history, in_flight) = generate::history(operations, think_ms, keys);
    let mut rates: Vec<f64> = (0..=ROUNDS).map(|_| rate(&history, operations)).skip(1).collect();
    rates.sort_by(f64::total_cmp);
    let median = f64::midpoint(rates[ROUNDS / 2 - 1], rates[ROUNDS / 2]);
    print(format_args!(
        "| {name} | {operations} | {keys} | {in_flight:.1} | {} ({} .. {}) | {} |\n",
        human(median),
        human(rates[0]),
        human(rates[ROUNDS - 1]),
        human(goal),
    ));
}

/// Operations per processor-second.
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(history: &History, operations: u32) -> f64 {
    let repetitions = OPERATIONS_MIN.div_ceil(u64::from(operations));
    let start = processor_time();
    for _ in 0..repetitions {
        let judgement = linearizability::kv().judge(history, BUDGET);
        assert_eq!(judgement, Judgement::Pass, "the history is linearizable");
    }
    (repetitions * u64::from(operations)) as f64 / (processor_time() - start)
}

fn human(rate: f64) -> String {
    if rate >= 1e6 { format!("{:.2} M", rate / 1e6) } else { format!("{:.0} k", rate / 1e3) }
}

/// User and system time of this process so far, in seconds.
#[expect(clippy::cast_precision_loss, reason = "a duration for people")]
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

#[expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]
fn print(text: std::fmt::Arguments<'_>) {
    print!("{text}");
}
