//! A copy goes on as the original would have, and neither knows of the other.

use proptest::prelude::*;
use sim_core::World;
use sim_core::clock::ClockFault;
use sim_core::fault::Command;
use sim_core::queue::Ties;
use sim_core::random::{KeySource, Purpose};
use sim_core::world::{Stop, TieRule};

use crate::support::{AppendsInOrder, Input, Puppet, PuppetTimer, Word, at, ms, n, puppets, storm};

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
        whole.watch_flight();
        whole.run(at(300), u64::MAX);
        let mut original = World::new(setup());
        original.watch_flight();
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
        prop_assert_eq!(copy.metrics().summary(copy.now()), whole.metrics().summary(whole.now()));
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

/// Five timers due at once, set one after the other, and a clock that is about to be touched.
fn tied_timers(seed: u64) -> World<Puppet> {
    let mut setup = puppets(seed, 1, |_, context, input| {
        if *input == Input::Start {
            (0..5).for_each(|number| context.set_timer(PuppetTimer::Number(number), ms(10)));
            context.set_timer(PuppetTimer::A, ms(1));
        }
        if *input == Input::Timer(PuppetTimer::A) {
            context.set_timer(PuppetTimer::B, ms(9));
        }
    });
    setup.ties = TieRule::Shuffled;
    World::new(setup)
}

/// The timers in the order in which they are to fire, with their places among ties.
fn places(world: &World<Puppet>) -> Vec<(u64, Option<PuppetTimer>)> {
    let prospects = world.prospects();
    let mut places: Vec<_> = prospects.iter().map(|next| (next.order, next.content.timer())).collect();
    places.sort_by_key(|(order, _)| *order);
    places
}

#[test]
fn a_reseed_leaves_the_places_of_what_is_scheduled_and_gives_others_to_what_comes() {
    let mut original = tied_timers(1);
    let mut copy = original.fork().expect("puppets can be copied");
    let before = places(&original);
    copy.reseed(99);
    assert_eq!(places(&copy), before, "whatever was drawn stands");
    original.run(at(5), u64::MAX);
    copy.run(at(5), u64::MAX);
    let of_later = |world: &World<Puppet>| {
        let places = places(world);
        places.into_iter().partition::<Vec<_>, _>(|(_, timer)| *timer == Some(PuppetTimer::B))
    };
    let ((later, waiting), (later_copy, waiting_copy)) = (of_later(&original), of_later(&copy));
    assert_eq!(waiting, waiting_copy);
    assert_eq!((later.len(), later_copy.len()), (1, 1));
    assert_ne!(later, later_copy, "what is set after the new seed goes by its key");
}

/// A clock that changes has all timers armed anew, in the order they were set, whatever seed that was under.
#[test]
fn timers_are_armed_anew_in_the_order_they_were_set_also_after_a_reseed() {
    let mut world = tied_timers(1);
    world.run(at(5), u64::MAX);
    for seed in [99, 100] {
        world.reseed(seed);
        world.apply(Command::Clock { node: n(1), fault: ClockFault::Drift(1_000) });
        let ties = Ties::Shuffled(KeySource::new(seed).key(Purpose::Ties, 0, 0));
        let mut armed: Vec<_> =
            places(&world).into_iter().map(|(order, timer)| (ties.sequence(order), timer)).collect();
        armed.sort_by_key(|(sequence, _)| *sequence);
        let numbers = (0..5).map(PuppetTimer::Number);
        let expected: Vec<_> = numbers.chain([PuppetTimer::B]).map(Some).collect();
        assert_eq!(armed.into_iter().map(|(_, timer)| timer).collect::<Vec<_>>(), expected, "seed {seed}");
    }
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
