//! Invariants see every fact, stop the run where they break, and agree with their brute-force twins.

use sim_core::World;
use sim_core::world::Stop;

use crate::support::{AppendsInOrder, at, storm};

#[test]
fn ghost_state_agrees_with_its_brute_force_twin() {
    for seed in 0..4 {
        let mut setup = storm(seed);
        setup.invariants.push(Box::new(AppendsInOrder::default()));
        let mut world = World::new(setup);
        while world.run(at(300), 97) == Stop::Budget {
            assert_eq!(world.check_all(), Ok(()), "seed {seed} at {}", world.now());
        }
        assert_eq!(world.violations(), []);
    }
}

#[test]
fn a_breach_stops_the_run_at_its_event_and_is_reported_once() {
    let mut setup = storm(1);
    setup.invariants.push(Box::new(AppendsInOrder { limit: Some(20), ..AppendsInOrder::default() }));
    let mut world = World::new(setup);
    assert_eq!(world.run(at(300), u64::MAX), Stop::Violation);
    let (property, breach) = ("appends-in-order", "appends 20, the limit is 20");
    let violation = world.violations()[0].clone();
    assert_eq!(violation.property, property);
    assert!(violation.evidence.ends_with(breach), "{}", violation.evidence);
    assert_eq!((violation.event, violation.at), (world.events(), world.now()));
    world.run(at(300), u64::MAX);
    assert_eq!(world.violations(), [violation], "and the run can go on");
    assert_eq!(world.invariants().count(), 0, "what is violated is not asked again");
}
