//! A process that panics is a finding, not the end of the runner.

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::fault::Command;
use sim_core::world::{Breakdown, Stop};
use sim_core::{NodeId, SimTime, Simulation, World};

use crate::support::{
    Chatter, ChatterConfig, Input, Puppet, PuppetTimer, Word, at, constant, link, mesh, ms, n, plan, puppets,
    relink,
};

fn panicking() -> World<Chatter> {
    let config = ChatterConfig { panics: Some((n(2), 5)), ..ChatterConfig::default() };
    World::new(mesh::<Chatter>(1, 3, config))
}

#[test]
fn a_panic_is_a_violation_at_its_node_and_event() {
    let mut world: Box<dyn Simulation> = Box::new(panicking());
    assert_eq!(world.run(at(1_000), u64::MAX), Stop::Violation);
    let [violation] = world.violations() else { panic!("one violation: {:?}", world.violations()) };
    assert_eq!((violation.property.as_str(), violation.node), ("panic", Some(n(2))));
    assert_eq!((violation.event, violation.at), (world.events(), world.now()));
    assert_eq!(violation.evidence, "n2 was told to panic at tick 5");
}

#[test]
fn a_world_that_panicked_does_nothing_more() {
    let mut world: Box<dyn Simulation> = Box::new(panicking());
    world.run(at(1_000), u64::MAX);
    let (events, digest) = (world.events(), world.digest());
    assert_eq!(world.run(at(2_000), u64::MAX), Stop::Violation);
    assert_eq!((world.events(), world.digest()), (events, digest));
    assert!(world.apply(Command::Crash(n(1))).is_err(), "no command");
    assert!(world.fork().is_err(), "no copy");
    let choices = world.enabled();
    assert!(choices.into_iter().all(|choice| world.take(choice).is_err()), "no choice");
    let can = world.capabilities();
    assert!(!can.step && !can.fork && !can.command);
}

#[test]
fn a_panic_in_the_first_start_is_a_violation_before_all_events() {
    let setup = || {
        puppets(1, 3, |puppet, _, input| {
            assert!(puppet.node != n(2) || *input != Input::Start, "{} cannot start", puppet.node);
        })
    };
    for world in [World::new(setup()), World::new_traced(setup())] {
        let mut world: Box<dyn Simulation> = Box::new(world);
        assert_eq!(world.run(at(1_000), u64::MAX), Stop::Violation);
        let [violation] = world.violations() else { panic!("one violation: {:?}", world.violations()) };
        assert_eq!((violation.property.as_str(), violation.node), ("panic", Some(n(2))));
        assert_eq!((violation.event, violation.at), (0, SimTime::ZERO));
        assert_eq!(violation.evidence, "n2 cannot start");
        assert_eq!(world.breakdown(), Some(&Breakdown::Panic));
        assert!(!world.capabilities().step, "nothing more happens");
    }
}

#[test]
fn a_panic_in_the_first_boot_is_a_violation_before_all_events() {
    let config = ChatterConfig { panics: Some((n(3), 0)), ..ChatterConfig::default() };
    let mut world: Box<dyn Simulation> = Box::new(World::new(mesh::<Chatter>(1, 3, config)));
    assert_eq!(world.run(at(1_000), u64::MAX), Stop::Violation);
    let [violation] = world.violations() else { panic!("one violation: {:?}", world.violations()) };
    assert_eq!((violation.event, violation.node), (0, Some(n(3))));
    assert_eq!(violation.evidence, "n3 was told to panic in boot");
}

/// An invariant that is wrong: it panics at the first fact of `n2`.
#[derive(Clone, Debug)]
struct Careless;

impl Invariant<Puppet> for Careless {
    fn about(&self) -> &'static About {
        &About { name: "careless", statement: "nothing", source: "the test itself", leaves_out: "everything" }
    }

    fn on_event(
        &mut self,
        _: &Nodes<'_, Puppet>,
        node: NodeId,
        facts: &[&'static str],
    ) -> Result<(), Breach> {
        assert_ne!(node, n(2), "the invariant did not think of {facts:?}");
        Ok(())
    }

    fn check_all(&self, _: &Nodes<'_, Puppet>) -> Result<(), Breach> {
        Ok(())
    }
}

#[test]
fn a_panic_of_an_invariant_is_blamed_on_no_process() {
    let mut setup = puppets(1, 3, |_, context, input| match input {
        Input::Start => context.set_timer(PuppetTimer::A, ms(5)),
        Input::Timer(_) => context.fact("ticked"),
        Input::Word(..) | Input::Request(..) | Input::Durable(_) => {}
    });
    setup.invariants = vec![Box::new(Careless)];
    let mut world: Box<dyn Simulation> = Box::new(World::new(setup));
    assert_eq!(world.run(at(1_000), u64::MAX), Stop::Broken);
    assert_eq!(world.violations(), []);
    let Some(Breakdown::Bug(text)) = world.breakdown() else { panic!("{:?}", world.breakdown()) };
    assert!(text.contains(r#"the invariant did not think of ["ticked"]"#), "{text}");
    assert_eq!((world.now(), world.events()), (at(5), 2), "the ticks of n1 and n2");
    assert_eq!(world.run(at(2_000), u64::MAX), Stop::Broken);
    assert!(world.apply(Command::Crash(n(1))).is_err() && world.fork().is_err());
}

fn double(_: &mut Puppet, context: &mut sim_core::Context<'_, Puppet>, input: &Input) {
    if let Input::Start | Input::Word(..) = input {
        let peer = n(3 - (context.node().raw() + 1));
        (0..2).for_each(|word| context.send(peer, Word(word)));
    }
}

#[test]
fn more_pending_events_than_the_engine_takes_are_blamed_on_no_process() {
    let mut world = World::new(puppets(1, 2, double));
    world.limit_pending(1_000);
    let mut world: Box<dyn Simulation> = Box::new(world);
    assert_eq!(world.run(at(10_000), u64::MAX), Stop::Broken);
    assert_eq!(world.violations(), []);
    let limit = Breakdown::Limit("more than 1000 events pending".to_owned());
    assert_eq!(world.breakdown(), Some(&limit));
    assert!(!world.capabilities().step);
}

#[test]
fn a_panic_by_hand_is_found_at_the_node_that_panics() {
    let mut world: Box<dyn Simulation> = Box::new(World::new(puppets(1, 3, |puppet, context, input| {
        if *input != Input::Start {
            return;
        }
        _ = context.append(sim_core::disk::RegionId::new(0), Word(1));
        context.sync(sim_core::disk::RegionId::new(0));
        assert!(
            context.disk().log_bounds(sim_core::disk::RegionId::new(0)).end < 2,
            "{} lives twice",
            puppet.node
        );
    })));
    world.run(at(1), u64::MAX);
    world.apply(Command::Crash(n(3))).expect("it takes commands");
    world.apply(Command::Restart(n(3))).expect("it takes commands");
    let [violation] = world.violations() else { panic!("one violation: {:?}", world.violations()) };
    assert_eq!((violation.node, violation.evidence.as_str()), (Some(n(3)), "n3 lives twice"));
}

#[test]
fn a_panic_while_exploring_is_a_violation_too() {
    let mut world: Box<dyn Simulation> = Box::new(panicking());
    for _ in 0..1_000 {
        let Some(choice) = world.enabled().into_iter().next() else { break };
        if world.take(choice).is_err() || !world.violations().is_empty() {
            break;
        }
    }
    assert_eq!(world.violations().len(), 1);
}

fn echo_forever(_: &mut Puppet, context: &mut sim_core::Context<'_, Puppet>, input: &Input) {
    match input {
        Input::Start => context.send(n(2), Word(0)),
        Input::Word(from, word) => context.send(*from, Word(word + 1)),
        Input::Timer(_) | Input::Request(..) | Input::Durable(_) => {}
    }
}

#[test]
fn an_endless_loop_without_delay_ends_by_the_event_budget() {
    let mut setup = puppets(1, 2, echo_forever);
    relink(&mut setup, &link(constant(ms(0))));
    setup.plan = plan([(5, Command::Crash(n(1)))]);
    let mut world = World::new(setup);
    assert_eq!(world.run(at(10), 20_000), Stop::Budget);
    assert_eq!((world.events(), world.now()), (20_000, at(0)), "time stands still");
}
