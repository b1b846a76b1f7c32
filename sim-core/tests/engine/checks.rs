//! Invariants see every fact, stop the run where they break, and agree with their brute-force twins.

use std::sync::{Arc, Mutex};

use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::world::Stop;
use sim_core::{NodeId, Process, World};

use crate::support::{AppendsInOrder, Chatter, ChatterFact, at, storm};

/// Notes whether any of the facts that it is told of is of a kind that it hears.
#[derive(Clone, Debug)]
struct Listener {
    hears: Kinds,
    told: Arc<Mutex<Vec<bool>>>,
}

impl Invariant<Chatter> for Listener {
    fn about(&self) -> &'static About {
        &About { name: "listener", statement: "nothing", source: "the test itself", leaves_out: "everything" }
    }

    fn hears(&self) -> Kinds {
        self.hears
    }

    fn on_event(&mut self, _: &Nodes<'_, Chatter>, _: NodeId, facts: &[ChatterFact]) -> Result<(), Breach> {
        let stands = facts.iter().any(|fact| Chatter::kind_of(fact) == 1);
        self.told.lock().expect("one thread").push(stands);
        Ok(())
    }

    fn check_all(&self, _: &Nodes<'_, Chatter>) -> Result<(), Breach> {
        Ok(())
    }
}

/// What a listener in a storm is told, one element an event: whether a node said that it may stand anew.
fn told(hears: Kinds) -> Vec<bool> {
    let told = Arc::default();
    let mut setup = storm(1);
    setup.invariants.push(Box::new(Listener { hears, told: Arc::clone(&told) }));
    World::new(setup).run(at(300), u64::MAX);
    told.lock().expect("one thread").clone()
}

#[test]
fn an_invariant_is_asked_where_something_is_stated_that_it_hears_and_nowhere_else() {
    let all = told(Kinds::ALL);
    let some = told([1].into_iter().collect());
    assert!(some.len() > 10 && some.iter().all(|stands| *stands), "{some:?}");
    assert_eq!(some.len(), all.iter().filter(|stands| **stands).count(), "of {}", all.len());
    assert!(some.len() < all.len());
    assert!(told([2].into_iter().collect()).is_empty(), "nobody states such a thing");
}

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
