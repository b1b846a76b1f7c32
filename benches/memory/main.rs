//! What a crowd of nodes and a snapshot take, to the byte: `cargo bench --bench memory`.
//!
//! Every allocation is counted, which takes time: so this measures memory alone, and `benches/engine` time. What is
//! counted is what was asked for; an allocator rounds it up. Equal runs give equal figures.

#[path = "../engine/raft.rs"]
mod raft;
#[path = "../engine/workloads.rs"]
#[expect(dead_code, reason = "of the workloads of the other benchmark, the crowd's memory is measured here")]
mod workloads;

use std::alloc::System;

use protocols::raft::Raft;
use sim_core::{SimTime, Span, World};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Nodes of the crowd.
const NODES: u32 = 100_000;
/// How many snapshots are taken one after the other.
const SNAPSHOTS: u32 = 20;
/// Events from one snapshot to the next.
const EVENTS: u64 = 100_000;

fn main() {
    output(&crowd());
    output(&snapshots());
}

/// Bytes that are allocated now.
fn live() -> i64 {
    let stats = ALLOCATOR.stats();
    i64::try_from(stats.bytes_allocated - stats.bytes_deallocated).expect("memory of a machine")
}

/// A hundred thousand nodes, one message in flight each, after two million events.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn crowd() -> String {
    let before = live();
    let mut run = workloads::crowd(NODES);
    run(2_000_000);
    let bytes = (live() - before) as f64 / f64::from(NODES);
    format!(
        "| gossip, one message a node in flight | bytes a node | goal |\n| --- | --- | --- |\n| {NODES} nodes | {bytes:.0} | 1,024 |\n"
    )
}

/// Copies of busy Raft after ten million events, kept while it goes on. The same events are run twice, with
/// copies and without: the difference is what the copies cost.
fn snapshots() -> String {
    let mut world = raft::cluster(10, 100);
    world.run(SimTime::MAX - Span::nanos(1), 10_000_000);
    let without = grown(&world, false);
    let with_copies = grown(&world, true);
    let copy = copied(&world);
    format!(
        "\n| busy Raft after 10 M events, kibibytes | a copy at first | {EVENTS} events without | with a copy before them | a copy in all | goal |\n| --- | --- | --- | --- | --- | --- |\n| mean of {SNAPSHOTS} | {copy:.0} | {without:.0} | {with_copies:.0} | {:.0} | 2,048 |\n",
        with_copies - without
    )
}

/// By how much memory grows in [`EVENTS`] events, in KiB: the mean of [`SNAPSHOTS`] times.
fn grown(world: &World<Raft>, keeps_copies: bool) -> f64 {
    let mut world = fork(world);
    let mut kept = Vec::new();
    let before = live();
    for _ in 0..SNAPSHOTS {
        kept.extend(keeps_copies.then(|| fork(&world)));
        world.run(SimTime::MAX - Span::nanos(1), EVENTS);
    }
    kibibytes(live() - before) / f64::from(SNAPSHOTS)
}

/// What a copy takes before either side goes on, in KiB.
fn copied(world: &World<Raft>) -> f64 {
    let before = live();
    let copy = fork(world);
    let after = live();
    drop(copy);
    kibibytes(after - before)
}

fn fork(world: &World<Raft>) -> World<Raft> {
    world.fork().expect("Raft can be copied")
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn kibibytes(bytes: i64) -> f64 {
    bytes as f64 / 1024.0
}

#[expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]
fn output(table: &str) {
    print!("{table}");
}
