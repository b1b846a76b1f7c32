//! What is done to worlds so that something is violated.

use sim_core::clock::ClockFault;
use sim_core::fault::Command as Fault;
use sim_core::random::{KeySource, Purpose, Stream};
use sim_core::status::Standing;
use sim_core::world::Breakdown;
use sim_core::{NodeId, Process, SimTime, Simulation, Span, World};

use super::super::faults::random_fault;
use crate::lease::slower_at_most;

/// Goes on under faults for a while; whether a process has panicked. Half of the seeds only crash whoever leads, a few
/// milliseconds after it came to lead.
pub(super) fn harass<P: Process>(world: &mut World<P>, seed: u64) -> bool {
    let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
    for _ in 0..120 {
        let is_over = if seed.is_multiple_of(2) {
            is_ended_by_trouble(world, &mut stream)
        } else {
            let (fault, pause) = (short_reign(world, &mut stream), stream.span(Span::ZERO, Span::millis(4)));
            is_ended_by(world, fault, pause)
        };
        if is_over {
            return true;
        }
    }
    false
}

/// Goes on under so many faults, where nobody leads; whether a process has panicked.
pub(super) fn trouble<P: Process>(world: &mut World<P>, seed: u64, faults: u32) -> bool {
    let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
    (0..faults).any(|_| is_ended_by_trouble(world, &mut stream))
}

/// Goes on under so many faults, which `draw` draws, for up to 120 ms after each; one of three times somebody who is down
/// comes back instead. Whether a process has panicked.
pub(super) fn trouble_by<P: Process>(
    world: &mut World<P>,
    seed: u64,
    faults: u32,
    mut draw: impl FnMut(&World<P>, &mut Stream) -> Fault,
) -> bool {
    let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
    (0..faults).any(|_| {
        let is_cure = stream.below(3) == 0;
        let back = if is_cure { stream.pick(&down(world)).map(|node| Fault::Restart(*node)) } else { None };
        let fault = back.unwrap_or_else(|| whole_crash(draw(world, &mut stream)));
        let pause = stream.span(Span::ZERO, Span::millis(120));
        is_ended_by(world, fault, pause)
    })
}

/// A clock that runs fast or slow, within what leases allow for with this `drift_max`.
pub(super) fn drift_within(drift_max: u32, stream: &mut Stream) -> ClockFault {
    let slower = slower_at_most(drift_max);
    let drawn = i32::try_from(stream.below(u64::from(slower + drift_max))).expect("below a million");
    ClockFault::Drift(drawn - slower.cast_signed())
}

fn is_ended_by_trouble<P: Process>(world: &mut World<P>, stream: &mut Stream) -> bool {
    let fault = whole_crash(random_fault(world, stream, leader(world)));
    let pause = stream.span(Span::ZERO, Span::millis(120));
    is_ended_by(world, fault, pause)
}

/// A fault, and what comes of it for a while; whether the run is over.
fn is_ended_by<P: Process>(world: &mut World<P>, fault: Fault, pause: Span) -> bool {
    if Simulation::apply(world, fault).is_err() {
        return true;
    }
    let until = world.now() + pause;
    go_on(world, until);
    world.is_broken()
}

fn go_on<P: Process>(world: &mut World<P>, until: SimTime) {
    Simulation::run(world, until, 20_000);
    let is_of_process = matches!(world.breakdown(), None | Some(Breakdown::Panic));
    assert!(is_of_process, "a process may panic, and nobody else: {:?}", world.breakdown());
}

/// No crash within a handler: what a process does after the cut is in its state until it dies, and in no fact.
fn whole_crash(fault: Fault) -> Fault {
    if let Fault::CrashAfterEffect { node, .. } = fault { Fault::Crash(node) } else { fault }
}

/// Crashes the leader as soon as there is one, or brings somebody back.
fn short_reign<P: Process>(world: &mut World<P>, stream: &mut Stream) -> Fault {
    let down = down(world);
    if 2 * down.len() + 1 >= world.nodes().count() || stream.below(3) == 0 {
        return stream.pick(&down).map_or(Fault::Recover, |node| Fault::Restart(*node));
    }
    for _ in 0..100 {
        if let Some(node) = leader(world) {
            return Fault::Crash(node);
        }
        let until = world.now() + Span::millis(5);
        go_on(world, until);
    }
    Fault::Recover
}

/// Who is down.
pub(super) fn down<P: Process>(world: &World<P>) -> Vec<NodeId> {
    nodes(world).filter(|node| world.process(*node).is_none()).collect()
}

fn nodes<P: Process>(world: &World<P>) -> impl Iterator<Item = NodeId> + use<P> {
    (0..).map(NodeId::new).take(world.nodes().count())
}

/// Whoever leads in the highest epoch.
pub(super) fn leader<P: Process>(world: &World<P>) -> Option<NodeId> {
    let led = |node: NodeId| {
        let status = world.status(node).process?;
        (status.standing == Standing::Leader).then_some((status.epoch, node))
    };
    nodes(world).filter_map(led).max().map(|(_, node)| node)
}
