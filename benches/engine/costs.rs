//! What single features cost: the recorder, a crowd of nodes, a snapshot.

use std::fmt::Write as _;

use protocols::raft::Raft;
use sim_core::{SimTime, Span, World};

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

/// A hundred nodes and a hundred thousand, one message in flight a node: rate and memory.
pub(super) fn crowd(table: &mut String) {
    table.push_str(
        "\n| gossip, one message a node in flight | events/s | bytes a node |\n| --- | --- | --- |\n",
    );
    for nodes in [100, 100_000] {
        let before = resident_bytes();
        let mut run = workloads::crowd(nodes);
        let mut done = run(2_000_000);
        let memory = resident_bytes().saturating_sub(before);
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            let start = processor_time();
            let now = run(1_000_000);
            rates.push(per_second(now - done, start));
            done = now;
        }
        let bytes = per_event(memory, u64::from(nodes));
        let bytes = if nodes == 100 { "-".to_owned() } else { format!("{bytes:.0}") };
        writeln!(table, "| {nodes} nodes | {:.2} M/s | {bytes} |", median(&mut rates) / 1e6).expect(WRITES);
    }
}

/// Copies of a busy cluster after ten million events: the time of one, and what keeping it costs in memory beyond
/// what the next 100,000 events take without one.
pub(super) fn snapshot(table: &mut String) {
    const EVENTS: u64 = 100_000;
    let end = SimTime::MAX - Span::nanos(1);
    let mut world = raft::cluster(10, 100);
    world.run(end, 10_000_000);
    let mut grow = |keep: &mut dyn FnMut(&World<Raft>)| {
        let before = resident_bytes();
        keep(&world);
        world.run(end, EVENTS);
        per_event(resident_bytes().saturating_sub(before), 1 << 20)
    };
    let mut plain: Vec<f64> = (0..ROUNDS).map(|_| grow(&mut |_| {})).collect();
    let (mut times, mut kept) = (Vec::new(), Vec::new());
    let mut copy = |world: &World<Raft>| {
        let start = processor_time();
        kept.push(world.fork().expect("Raft can be with_copies"));
        times.push((processor_time() - start) * 1e3);
    };
    let mut with_copies: Vec<f64> = (0..ROUNDS).map(|_| grow(&mut copy)).collect();
    let (plain, with_copies) = (median(&mut plain), median(&mut with_copies));
    writeln!(
        table,
        "\n| snapshot of busy Raft after 10 M events | time | 100,000 events without | with one | so one costs |\n| --- | --- | --- | --- | --- |\n| median of {ROUNDS} | {:.2} ms | {plain:.2} MiB | {with_copies:.2} MiB | {:.2} MiB |",
        median(&mut times),
        with_copies - plain,
    )
    .expect(WRITES);
}

/// Resident memory of this process.
fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("this benchmark measures memory on Linux");
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("the second number is resident pages") * 4_096
}
