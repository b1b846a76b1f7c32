//! What hosts do to processes: crashes, restarts, pauses, and waiting for the processor.

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::disk::RegionId;
use sim_core::fault::Command;
use sim_core::metrics::Counter;
use sim_core::status::Power;
use sim_core::trace::TraceKind;
use sim_core::world::Setup;
use sim_core::{NodeId, SimTime, Span, World};

use crate::support::{
    Input, Puppet, PuppetTimer, Word, at, constant, drops, link, ms, n, percent, plan, puppets, records,
    relink, traced,
};

const LOG: RegionId = RegionId::new(0);

/// n1 sends the words 1 to 5 to n2 at 10 ms; they arrive at 14 ms.
fn burst() -> Setup<Puppet> {
    let mut setup = puppets(1, 2, |puppet, context, input| match input {
        Input::Start if puppet.node == n(1) => context.set_timer(PuppetTimer::A, ms(10)),
        Input::Timer(_) => (1..=5).for_each(|word| context.send(n(2), Word(word))),
        _ => {}
    });
    relink(&mut setup, &link(constant(ms(4))));
    setup
}

fn words(world: &World<Puppet>, node: NodeId) -> Vec<u64> {
    world.process(node).expect("it runs").words()
}

fn handled(world: &World<Puppet>, node: NodeId) -> Vec<SimTime> {
    let handled = records(world, TraceKind::HandlerStart).into_iter();
    handled.filter(|record| record.subject() == Some(node.into())).map(|record| record.at()).collect()
}

#[test]
fn service_time_makes_handlers_wait_for_each_other() {
    let mut setup = burst();
    setup.timing.service = constant(ms(3));
    let mut world = traced(setup);
    world.run(at(100), u64::MAX);
    // The timer of n1 waits for the processor as well, so that the burst arrives 3 ms later.
    assert_eq!(handled(&world, n(2)), [20, 23, 26, 29, 32].map(at));
    assert_eq!(words(&world, n(2)), [1, 2, 3, 4, 5]);
}

#[test]
fn a_crash_loses_the_inbox_and_timers() {
    let mut setup = burst();
    setup.timing.service = constant(ms(3));
    setup.plan = plan([(24, Command::Crash(n(2))), (25, Command::Restart(n(2)))]);
    let mut world = traced(setup);
    world.run(at(24), u64::MAX);
    assert_eq!(handled(&world, n(2)), [20, 23].map(at), "two were handled");
    assert_eq!(world.metrics().counter(Counter::InputsLost), 3);
    world.run(at(100), u64::MAX);
    assert!(words(&world, n(2)).is_empty(), "the next life knows nothing");

    let mut setup = puppets(1, 1, |puppet, context, input| {
        if *input == Input::Start && context.disk().regions().next().is_none() {
            _ = context.append(LOG, Word(1));
            context.sync(LOG);
            context.set_timer(PuppetTimer::A, ms(10));
            context.set_timer(PuppetTimer::Number(3), ms(11));
            puppet.memory.push(1);
        }
    });
    setup.plan = plan([(5, Command::Crash(n(1))), (6, Command::Restart(n(1)))]);
    let mut world = World::new(setup);
    world.run(at(50), u64::MAX);
    let puppet = world.process(n(1)).expect("it runs");
    assert_eq!((puppet.heard.len(), puppet.memory.len()), (1, 0), "a start on a full disk, and no timer");
}

#[test]
fn a_pause_keeps_inputs_in_order_and_resume_handles_them() {
    let mut setup = burst();
    setup.plan = plan([(12, Command::Pause(n(2))), (40, Command::Resume(n(2)))]);
    let mut world = traced(setup);
    world.run(at(39), u64::MAX);
    assert_eq!((words(&world, n(2)).len(), world.status(n(2)).power), (0, Power::Paused));
    world.run(at(40), u64::MAX);
    assert_eq!(words(&world, n(2)), [1, 2, 3, 4, 5]);
    assert_eq!(handled(&world, n(2)), [40; 5].map(at));
    world.run(at(100), u64::MAX);
    assert_eq!(drops(&world), []);
}

#[test]
fn a_pause_and_its_end_are_records_and_a_second_pause_of_the_same_node_is_none() {
    let mut setup = burst();
    let pauses = [(12, Command::Pause(n(2))), (13, Command::Pause(n(2)))];
    let ends = [(40, Command::Resume(n(2))), (41, Command::Recover)];
    setup.plan = plan(pauses.into_iter().chain(ends));
    let mut world = traced(setup);
    world.run(at(100), u64::MAX);
    let trace = world.trace().expect("it is recorded");
    let power = trace.iter().filter(|record| record.subject() == Some(n(2).into()));
    let power: Vec<_> = power.filter_map(|record| Some((record.at(), record.kind().power()?))).collect();
    assert_eq!(power, [(at(0), Power::Running), (at(12), Power::Paused), (at(40), Power::Running)]);
}

#[test]
fn a_node_that_is_paused_while_a_handler_runs_loses_nothing() {
    let mut setup = burst();
    setup.timing.service = constant(ms(3));
    setup.plan = plan([(21, Command::Pause(n(2))), (50, Command::Resume(n(2)))]);
    let mut world = traced(setup);
    world.run(at(100), u64::MAX);
    assert_eq!(handled(&world, n(2)), [20, 53, 56, 59, 62].map(at));
    assert_eq!(words(&world, n(2)), [1, 2, 3, 4, 5]);
}

#[test]
fn a_slow_node_takes_its_share_longer_until_it_is_quick_again() {
    let mut setup = burst();
    setup.timing.service = constant(ms(3));
    setup.plan = plan([
        (1, Command::SlowDown { node: n(2), percent: 200 }),
        (27, Command::SlowDown { node: n(2), percent: 100 }),
    ]);
    let mut world = traced(setup);
    world.run(at(100), u64::MAX);
    assert_eq!(handled(&world, n(2)), [23, 29, 32, 35, 38].map(at));
}

#[test]
fn a_bounded_inbox_drops_what_does_not_fit() {
    let mut setup = burst();
    setup.timing.inbox_limit = Some(2);
    setup.plan = plan([(12, Command::Pause(n(2))), (40, Command::Resume(n(2)))]);
    let mut world = traced(setup);
    world.run(at(100), u64::MAX);
    assert_eq!(words(&world, n(2)), [1, 2]);
    assert_eq!(drops(&world), [(); 3].map(|()| (at(14), "inbox-full".to_owned())));
}

#[test]
fn a_spare_starts_by_command_only() {
    let mut setup = burst();
    setup.spares = vec![n(2)];
    setup.plan = plan([(50, Command::Recover), (60, Command::Restart(n(2)))]);
    let mut world = World::new(setup);
    world.run(at(59), u64::MAX);
    assert_eq!((world.status(n(2)).power, world.status(n(2)).incarnation), (Power::Down, 0));
    world.run(at(60), u64::MAX);
    assert_eq!((world.status(n(2)).power, world.status(n(2)).incarnation), (Power::Running, 1));
    world.apply(Command::Crash(n(2)));
    world.apply(Command::Recover);
    assert_eq!(world.status(n(2)).incarnation, 2, "it is no spare any more");
}

#[test]
fn a_wipe_stops_the_node_and_empties_its_disk() {
    let mut setup = puppets(1, 1, |_, context, input| {
        if *input == Input::Start {
            _ = context.append(LOG, Word(1));
            context.sync(LOG);
        }
    });
    setup.plan = plan([(5, Command::Wipe(n(1)))]);
    let mut world = World::new(setup);
    world.run(at(4), u64::MAX);
    let length = |world: &World<Puppet>| world.nodes().disk(n(1)).expect("it wrote").log_bounds(LOG).end;
    assert_eq!(length(&world), 1);
    world.run(at(5), u64::MAX);
    assert_eq!((length(&world), world.status(n(1)).power), (0, Power::Down));
}

/// The effects of one handler, in order: send 0, timer, append, sync, send 1.
fn busy() -> Setup<Puppet> {
    let mut setup = puppets(1, 2, |puppet, context, input| match input {
        Input::Start if puppet.node == n(1) => context.set_timer(PuppetTimer::A, ms(10)),
        Input::Timer(PuppetTimer::A) => {
            context.send(n(2), Word(0));
            context.set_timer(PuppetTimer::B, ms(0));
            _ = context.append(LOG, Word(5));
            context.sync(LOG);
            context.send(n(2), Word(1));
            context.fact("the handler ran to its end");
        }
        _ => {}
    });
    relink(&mut setup, &link(constant(ms(4))));
    setup
}

#[test]
fn a_crash_after_each_effect_cuts_exactly_there() {
    for effects in 0..8_u32 {
        let mut setup = busy();
        setup.plan = plan([(5, Command::CrashAfterEffect { node: n(1), effects })]);
        setup.timing.disk.model.crash_loss = sim_core::disk::CrashLoss::All;
        let mut world = World::new(setup);
        world.run(at(30), u64::MAX);
        assert_eq!(world.status(n(1)).power, Power::Down, "after {effects} effects");
        let sent = [vec![], vec![0], vec![0, 1]][usize::from(effects > 0) + usize::from(effects > 4)].clone();
        assert_eq!(words(&world, n(2)), sent, "after {effects} effects");
        let writes = world.metrics().counter(Counter::DiskWrites);
        assert_eq!(writes, u64::from(effects > 2), "after {effects} effects");
        assert_eq!(world.metrics().counter(Counter::Crashes), 1);
    }
}

/// Breached by every fact: shows whether one reaches checkers.
#[derive(Clone, Debug)]
struct NothingIsStated;

impl Invariant<Puppet> for NothingIsStated {
    fn about(&self) -> &'static About {
        &About {
            name: "nothing-is-stated",
            statement: "no process states a fact",
            source: "the test itself",
            leaves_out: "nothing",
        }
    }

    fn on_event(
        &mut self,
        _: &Nodes<'_, Puppet>,
        node: NodeId,
        facts: &[&'static str],
    ) -> Result<(), Breach> {
        sim_core::ensure!(facts.is_empty(), "{node} states {facts:?}");
        Ok(())
    }

    fn check_all(&self, _: &Nodes<'_, Puppet>) -> Result<(), Breach> {
        Ok(())
    }
}

#[test]
fn a_fact_after_an_effect_that_was_cut_reaches_no_checker() {
    for effects in 0..8_u32 {
        let mut setup = busy();
        setup.plan = plan([(5, Command::CrashAfterEffect { node: n(1), effects })]);
        setup.invariants = vec![Box::new(NothingIsStated)];
        let mut world = World::new(setup);
        world.run(at(30), u64::MAX);
        // The fact follows the fifth effect.
        let stated = usize::from(effects >= 5);
        assert_eq!(world.violations().len(), stated, "after {effects} effects: {:?}", world.violations());
        assert_eq!(world.status(n(1)).power, Power::Down, "after {effects} effects");
    }
}

#[test]
fn a_handler_without_effects_does_not_trigger_an_armed_crash() {
    let mut setup = burst();
    setup.plan = plan([(5, Command::CrashAfterEffect { node: n(2), effects: 1 })]);
    let mut world = World::new(setup);
    world.run(at(30), u64::MAX);
    assert_eq!((words(&world, n(2)).len(), world.status(n(2)).power), (5, Power::Running));
}

#[test]
fn a_restart_draws_another_sequence() {
    let mut setup = puppets(1, 1, |puppet, context, _| puppet.memory.push(context.random().next_u64()));
    setup.plan = plan([(5, Command::Crash(n(1))), (6, Command::Restart(n(1)))]);
    let mut world = World::new(setup);
    let first = world.process(n(1)).expect("it runs").memory.clone();
    world.run(at(50), u64::MAX);
    assert_ne!(world.process(n(1)).expect("it runs").memory, first);
}

#[test]
fn counters_say_what_happened() {
    let mut setup = busy();
    let mut model = link(constant(ms(4)));
    model.duplicate = percent(100);
    relink(&mut setup, &model);
    setup.timing.disk.sync = constant(Span::micros(10));
    let mut world = World::new(setup);
    world.run(at(100), u64::MAX);
    let count = |counter| world.metrics().counter(counter);
    assert_eq!((count(Counter::MessagesSent), count(Counter::MessagesDuplicated)), (2, 2));
    assert_eq!(count(Counter::MessagesDelivered), 4);
    assert_eq!((count(Counter::TimersFired), count(Counter::Syncs)), (2, 1));
}
