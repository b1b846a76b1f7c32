//! What single features cost: the recorder, a crowd of nodes, a snapshot.

use std::fmt::Write as _;

use sim_core::{SimTime, Span};

use super::{ROUNDS, median, processor_time, raft, rate, workloads};

/// Writing to a string cannot fail.
const WRITES: &str = "writing to a string cannot fail";

/// The recorder on against off, interleaved, on w2s and on busy Raft.
pub(super) fn recorder(table: &mut String) {
    table.push_str(
        "\n| recorder | off | on | time on / off | bytes an event |\n| --- | --- | --- | --- | --- |\n",
    );
    let gossip = compare(
        2_000_000,
        |events| rate(workloads::gossip, events),
        |events| {
            let start = processor_time();
            let (done, bytes) = workloads::gossip_recorded(events);
            (per_second(done, start), per_event(bytes, done))
        },
    );
    row(table, "w2s", &gossip);
    let busy = compare(0, |_| busy_raft(false).0, |_| busy_raft(true));
    row(table, "Raft, 1,000 operations a second", &busy);
}

struct Compared {
    off: f64,
    on: f64,
    slower: f64,
    bytes: f64,
}

fn compare(events: u64, off: impl Fn(u64) -> f64, on: impl Fn(u64) -> (f64, f64)) -> Compared {
    let (mut offs, mut ons, mut ratios, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    for round in 0..=ROUNDS {
        let without = off(events);
        let with = on(events);
        bytes = with.1;
        if round > 0 {
            offs.push(without);
            ons.push(with.0);
            ratios.push(without / with.0);
        }
    }
    Compared { off: median(&mut offs), on: median(&mut ons), slower: median(&mut ratios), bytes }
}

fn row(table: &mut String, name: &str, figures: &Compared) {
    let Compared { off, on, slower, bytes } = *figures;
    writeln!(table, "| {name} | {:.2} M/s | {:.2} M/s | {slower:.2} | {bytes:.1} |", off / 1e6, on / 1e6)
        .expect(WRITES);
}

/// Events per processor-second of a busy cluster, and the trace's bytes an event.
fn busy_raft(is_recorded: bool) -> (f64, f64) {
    let start = processor_time();
    let mut world = raft::cluster(10, 100);
    if is_recorded {
        world.start_trace();
    }
    world.run(SimTime::ZERO + Span::secs(20), u64::MAX);
    let bytes = world.trace().map_or(0, sim_core::trace::Trace::bytes);
    (per_second(world.events(), start), per_event(bytes, world.events()))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn per_second(events: u64, start: f64) -> f64 {
    events as f64 / (processor_time() - start)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn per_event(bytes: usize, events: u64) -> f64 {
    bytes as f64 / events as f64
}

/// A hundred nodes and a hundred thousand, one message in flight a node, interleaved.
pub(super) fn crowd(table: &mut String) {
    const EVENTS: u64 = 1_000_000;
    let mut few = workloads::crowd(100);
    let mut many = workloads::crowd(100_000);
    let (mut few_rates, mut many_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (few, many) = (rate_on(&mut few, EVENTS), rate_on(&mut many, EVENTS));
        if round > 0 {
            few_rates.push(few);
            many_rates.push(many);
            ratios.push(many / few);
        }
    }
    let (few, many, ratio) = (median(&mut few_rates), median(&mut many_rates), median(&mut ratios));
    writeln!(
        table,
        "\n| gossip, one message a node in flight | 100 nodes | 100,000 nodes | ratio (min .. max) | goal |\n| --- | --- | --- | --- | --- |\n| median of {ROUNDS} | {:.2} M/s | {:.2} M/s | {ratio:.3} ({:.3} .. {:.3}) | 0.333 |",
        few / 1e6,
        many / 1e6,
        ratios[0],
        ratios[ratios.len() - 1],
    )
    .expect(WRITES);
}

/// Events per processor-second of a workload that goes on. `run` returns how many there were in all.
fn rate_on(run: &mut impl FnMut(u64) -> u64, events: u64) -> f64 {
    let before = run(0);
    let start = processor_time();
    per_second(run(events) - before, start)
}

/// A copy of a busy cluster after ten million events. What it takes in memory is measured by `benches/memory`.
pub(super) fn snapshot(table: &mut String) {
    let mut world = raft::cluster(10, 100);
    world.run(SimTime::MAX - Span::nanos(1), 10_000_000);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = processor_time();
        let copy = world.fork();
        times.push((processor_time() - start) * 1e3);
        assert!(copy.is_some(), "Raft can be copied");
    }
    writeln!(
        table,
        "\n| snapshot of busy Raft after 10 M events | time | goal |\n| --- | --- | --- |\n| median of {ROUNDS} | {:.2} ms | 2 ms |",
        median(&mut times)
    )
    .expect(WRITES);
}
