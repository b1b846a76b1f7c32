//! Persist before send: what was reported durable survives, what was not does not.

use proptest::prelude::*;
use sim_core::disk::{DamageKind, DiskFault, Record, RegionId, SlotAddress, SlowFactor, SyncHonesty};
use sim_core::fault::Command;
use sim_core::metrics::Counter;
use sim_core::world::Setup;
use sim_core::{NodeId, Simulation, World};

use crate::support::{Input, Puppet, PuppetTimer, Word, at, constant, ms, n, plan, puppets};

const LOG: RegionId = RegionId::new(0);

/// n1 appends a word and syncs each 10 ms; a sync takes 4 ms.
fn writing() -> Setup<Puppet> {
    let mut setup = puppets(1, 1, |_, context, input| match input {
        Input::Start => context.set_timer(PuppetTimer::A, ms(10)),
        Input::Timer(_) => {
            context.set_timer(PuppetTimer::A, ms(10));
            _ = context.append(LOG, Word(1));
            context.sync(LOG);
        }
        _ => {}
    });
    setup.timing.disk.sync = constant(ms(4));
    setup
}

fn reported(world: &World<Puppet>) -> Vec<u64> {
    let puppet = world.process(n(1)).expect("it runs");
    let durable = puppet.heard.iter().filter(|(_, input)| matches!(input, Input::Durable(_)));
    durable.map(|(when, _)| when.as_nanos() / 1_000_000).collect()
}

fn log_length(world: &World<Puppet>, node: NodeId) -> u64 {
    world.nodes().disk(node).map_or(0, |disk| disk.log_bounds(LOG).end)
}

fn disk(fault: DiskFault) -> Command {
    Command::Disk { node: n(1), fault }
}

#[test]
fn a_sync_is_reported_when_it_is_due() {
    let mut world = World::new(writing());
    world.run(at(39), u64::MAX);
    assert_eq!(reported(&world), [14, 24, 34]);
}

#[test]
fn what_was_not_synced_is_lost_and_what_was_is_kept() {
    let mut world = World::new(writing());
    world.run(at(33), u64::MAX);
    assert_eq!((reported(&world).len(), log_length(&world, n(1))), (2, 3));
    world.apply(Command::Crash(n(1)));
    assert_eq!(log_length(&world, n(1)), 2);
    assert_eq!(Simulation::beyond_promise(&world), []);
}

#[test]
fn a_stalled_disk_reports_nothing_until_it_works_again() {
    let mut setup = writing();
    setup.plan = plan([(12, disk(DiskFault::Stall)), (35, disk(DiskFault::Unstall))]);
    let mut world = World::new(setup);
    world.run(at(38), u64::MAX);
    assert!(reported(&world).is_empty());
    world.run(at(60), u64::MAX);
    assert_eq!(reported(&world), [39, 43, 47, 51, 55], "one after the other, 4 ms each");
}

#[test]
fn a_slow_disk_takes_its_time() {
    let mut setup = writing();
    setup.plan = plan([(12, disk(DiskFault::Slow(SlowFactor::times(2))))]);
    let mut world = World::new(setup);
    world.run(at(39), u64::MAX);
    assert_eq!(reported(&world), [14, 28, 38]);
}

#[test]
fn a_lying_sync_is_beyond_the_promise_once_a_crash_finds_it_out() {
    let mut setup = writing();
    setup.plan = plan([(5, disk(DiskFault::Sync(SyncHonesty::Lying)))]);
    let mut world = World::new(setup);
    world.run(at(25), u64::MAX);
    assert_eq!(reported(&world), [14, 24], "the process believes it");
    assert_eq!(Simulation::beyond_promise(&world), [], "nothing is lost yet");
    world.apply(Command::Crash(n(1)));
    assert_eq!(log_length(&world, n(1)), 0);
    assert_eq!(Simulation::beyond_promise(&world), [(n(1), DamageKind::LyingSync)]);
}

#[test]
fn recovery_calls_off_misdirected_writes_and_crashes_that_are_armed() {
    let onto = SlotAddress { region: RegionId::new(1), index: 0 };
    let armed = [
        (5, disk(DiskFault::Misdirect { from: LOG, onto })),
        (6, Command::CrashAfterEffect { node: n(1), effects: 0 }),
    ];
    let run = |commands: Vec<(u64, Command)>| {
        let mut setup = writing();
        setup.plan = plan(commands);
        let mut world = World::new(setup);
        world.run(at(39), u64::MAX);
        world
    };
    let crashed = run(armed.to_vec());
    assert_eq!(crashed.metrics().counter(Counter::Crashes), 1, "without recovery it crashes");
    let misdirected = run(armed[..1].to_vec());
    assert_eq!(Simulation::beyond_promise(&misdirected), [(n(1), DamageKind::MisdirectedWrite)]);
    let [first, second] = armed;
    let recovered = run(vec![first, second, (7, Command::Recover)]);
    assert_eq!((reported(&recovered), Simulation::beyond_promise(&recovered)), (vec![14, 24, 34], vec![]));
}

#[test]
fn writes_are_paid_by_the_sync_that_covers_them() {
    let mut setup = writing();
    setup.timing.disk.write = constant(ms(1));
    let mut world = World::new(setup);
    world.run(at(29), u64::MAX);
    assert_eq!(reported(&world), [15, 25]);
}

#[test]
fn a_write_that_a_full_disk_refused_costs_no_time() {
    let mut setup = writing();
    setup.timing.disk.write = constant(ms(1));
    setup.timing.disk.model.capacity = Some(Word(1).size());
    let mut world = World::new(setup);
    world.run(at(39), u64::MAX);
    assert_eq!(reported(&world), [15, 24, 34], "the first write is paid, and the others were none");
    assert_eq!((log_length(&world, n(1)), world.metrics().counter(Counter::DiskWrites)), (1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// A crash at any moment, losing any part of what was not synced: the log holds at least what was reported,
    /// and a prefix of what was written.
    #[test]
    fn what_was_reported_durable_survives_any_crash(seed: u64, events in 0..300_u64, loss in 0..3_u8) {
        use sim_core::disk::CrashLoss;
        let mut setup = puppets(seed, 1, |puppet, context, input| match input {
            Input::Start => context.set_timer(PuppetTimer::A, ms(1)),
            Input::Timer(_) => {
                let pause = context.random().span(ms(0), ms(3));
                context.set_timer(PuppetTimer::A, pause);
                for _ in 0..context.random().below(4) {
                    let next = context.disk().log_bounds(LOG).end;
                    _ = context.append(LOG, Word(next));
                }
                if context.random().below(2) == 0 {
                    context.sync(LOG);
                    let covered = context.disk().log_bounds(LOG).end;
                    puppet.memory.push(covered);
                }
            }
            _ => {}
        });
        setup.timing.disk.sync = crate::support::uniform(ms(0), ms(6));
        let mut world = World::new(setup);
        world.run(at(10_000), events);
        let puppet = world.process(n(1)).expect("it runs");
        let done = puppet.count(|input| matches!(input, Input::Durable(_)));
        let reported = done.checked_sub(1).map_or(0, |last| puppet.memory[last]);
        let written = log_length(&world, n(1));
        let loss = [CrashLoss::All, CrashLoss::Prefix, CrashLoss::TornLast][usize::from(loss)];
        world.apply(Command::CrashLosing { node: n(1), loss });
        let kept = log_length(&world, n(1));
        prop_assert!(kept >= reported, "{} kept, {} reported", kept, reported);
        prop_assert!(kept <= written, "{} kept, {} written", kept, written);
        let disk = world.nodes().disk(n(1));
        for index in 0..kept {
            let entry = disk.expect("it wrote").read_entry(LOG, index).expect("intact").map(|word| word.0);
            prop_assert_eq!(entry, Some(index));
        }
    }
}
