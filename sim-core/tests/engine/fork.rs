//! A copy goes on as the original would have, and neither knows of the other.

use proptest::prelude::*;
use sim_core::World;
use sim_core::fault::Command;
use sim_core::world::Stop;

use crate::support::{AppendsInOrder, Input, PuppetTimer, Word, at, ms, n, puppets, storm};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_fork_goes_on_as_the_whole_run_does(seed in 0..1_000_u64, events in 0..4_000_u64) {
        let setup = || {
            let mut setup = storm(seed);
            setup.invariants.push(Box::new(AppendsInOrder::default()));
            setup
        };
        let mut whole = World::new(setup());
        whole.run(at(300), u64::MAX);
        let mut original = World::new(setup());
        original.run(at(300), events);
        let mut copy = original.fork().expect("chatter can be copied");
        prop_assert_eq!(copy.digest(), original.digest());
        copy.run(at(300), u64::MAX);
        prop_assert_eq!(copy.digest(), whole.digest(), "the copy at {} events", events);
        original.run(at(300), u64::MAX);
        prop_assert_eq!(original.digest(), whole.digest(), "the original, copied at {} events", events);
        prop_assert_eq!(copy.state_fingerprint(), whole.state_fingerprint());
        prop_assert_eq!(copy.history(), whole.history());
        prop_assert_eq!(copy.plan(), whole.plan());
        prop_assert_eq!(copy.violations(), whole.violations());
        prop_assert_eq!(copy.metrics().summary(), whole.metrics().summary());
    }
}

#[test]
fn what_is_done_to_a_fork_is_not_done_to_the_original() {
    let mut original = World::new(storm(4));
    original.run(at(50), u64::MAX);
    let before = original.digest();
    let mut copy = original.fork().expect("chatter can be copied");
    for node in 1..=5 {
        copy.apply(Command::Wipe(n(node)));
    }
    copy.run(at(300), u64::MAX);
    assert_eq!(original.digest(), before);
    let mut whole = World::new(storm(4));
    whole.run(at(300), u64::MAX);
    original.run(at(300), u64::MAX);
    assert_eq!(original.digest(), whole.digest());
    assert_ne!(copy.digest(), whole.digest());
}

#[test]
fn a_reseeded_fork_keeps_plan_and_questions_and_changes_the_rest() {
    let mut original = World::new(storm(4));
    original.run(at(50), u64::MAX);
    let mut copy = original.fork().expect("chatter can be copied");
    copy.reseed(99);
    assert_eq!(copy.digest(), original.digest(), "nothing has happened yet");
    original.run(at(300), u64::MAX);
    copy.run(at(300), u64::MAX);
    assert_ne!(copy.digest(), original.digest());
    let asked = |world: &World<_>| -> Vec<_> {
        let entries = world.plan().entries().iter();
        entries.map(|entry| (entry.trigger, entry.command.clone())).collect()
    };
    assert_eq!(asked(&copy), asked(&original));
    let mut again = World::new(storm(4));
    again.run(at(50), u64::MAX);
    again.reseed(99);
    again.run(at(300), u64::MAX);
    assert_eq!(again.digest(), copy.digest(), "the new seed decides");
}

/// The entries of a big log are shared: a copy of it holds the very same records.
#[test]
fn a_copy_shares_the_records_of_a_big_log() {
    const LOG: sim_core::disk::RegionId = sim_core::disk::RegionId::new(0);
    let mut world = World::new(puppets(1, 1, |_, context, input| {
        if *input == Input::Start {
            (0..100_000).for_each(|number| _ = context.append(LOG, Word(number)));
            context.sync(LOG);
            context.set_timer(PuppetTimer::A, ms(1));
        }
    }));
    assert_eq!(world.run(at(10), u64::MAX), Stop::Idle);
    let copy = world.fork().expect("puppets can be copied");
    let place = |world: &World<_>, index| -> *const Word {
        let disk = world.nodes().disk(n(1)).expect("it has written");
        disk.read_entry(LOG, index).expect("intact").expect("written")
    };
    let shared = (0..100_000).filter(|index| place(&world, *index) == place(&copy, *index)).count();
    assert!(shared > 99_000, "{shared} of 100000 records are shared");
}
