//! Same scenario and seed, same digest; and nothing that only watches changes it.

use std::collections::BTreeMap;

use sim_core::fault::{Command, LinkFault, Place};
use sim_core::trace::TraceKind;
use sim_core::world::{Setup, TieRule};
use sim_core::{Digest, Endpoint, SimTime, World};

use crate::support::{
    AppendsInOrder, Chatter, ChatterConfig, Input, PuppetTimer, at, constant, link, mesh, ms, n, percent,
    plan, puppets, records, relink, storm, traced, uniform,
};

fn digest_of(setup: Setup<Chatter>) -> Digest {
    let mut world = World::new(setup);
    world.run(at(400), u64::MAX);
    assert!(world.events() > 1_000, "the storm blows: {} events", world.events());
    world.digest()
}

#[test]
fn the_same_seed_gives_the_same_digest_and_another_another() {
    let digests: Vec<Digest> = (0..4).map(|seed| digest_of(storm(seed))).collect();
    for (seed, digest) in (0..).zip(&digests) {
        assert_eq!(digest_of(storm(seed)), *digest, "seed {seed} repeats");
        assert_eq!(
            digests.iter().filter(|other| *other == digest).count(),
            1,
            "seed {seed} is like no other"
        );
    }
}

#[test]
fn batches_do_not_change_the_digest() {
    let whole = digest_of(storm(7));
    let mut world = World::new(storm(7));
    let mut batch = 1;
    while world.run(at(400), batch) == sim_core::world::Stop::Budget {
        batch = batch * 7 % 101 + 1;
    }
    assert_eq!(world.digest(), whole);
}

#[test]
fn recorder_invariants_and_notes_leave_the_digest_alone() {
    let bare = digest_of(storm(1));
    let mut checked = storm(1);
    checked.invariants.push(Box::new(AppendsInOrder::default()));
    assert_eq!(digest_of(checked), bare, "with an invariant");
    let mut talkative = storm(1);
    talkative.config = ChatterConfig { is_talkative: true, ..ChatterConfig::default() }.into();
    let mut recorded = traced(talkative);
    recorded.run(at(400), u64::MAX);
    assert_eq!(recorded.digest(), bare, "recorded with notes");
    let trace = recorded.trace().expect("recorded");
    assert!(trace.notes(0..trace.len()).any(|note| note.text.contains("at tick")), "there were notes");
    let mut late = World::new(storm(1));
    late.run(at(100), u64::MAX);
    late.start_trace();
    late.run(at(400), u64::MAX);
    assert_eq!(late.digest(), bare, "recorded from the middle");
    assert_eq!(late.trace().expect("recorded").len(), trace.len(), "records are numbered from the start");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "two worlds at once, neither of which knows")]
fn worlds_on_two_threads_give_the_digests_of_one_after_the_other() {
    let alone = [digest_of(storm(1)), digest_of(storm(2))];
    let together = std::thread::scope(|scope| {
        let threads = [1, 2].map(|seed| scope.spawn(move || digest_of(storm(seed))));
        threads.map(|thread| thread.join().expect("no panic"))
    });
    assert_eq!(together, alone);
}

/// At each instant, what is delivered, in order.
fn deliveries(seed: u64, ties: TieRule) -> (Digest, BTreeMap<SimTime, Vec<(Endpoint, Endpoint)>>) {
    let mut setup = puppets(seed, 4, |puppet, context, input| match input {
        Input::Start => context.set_timer(PuppetTimer::A, ms(10)),
        Input::Timer(_) if puppet.count(|input| matches!(input, Input::Timer(_))) < 5 => {
            context.set_timer(PuppetTimer::A, ms(10));
            context.broadcast(&crate::support::Word(1));
        }
        _ => {}
    });
    relink(&mut setup, &link(constant(ms(3))));
    setup.ties = ties;
    let mut world = traced(setup);
    world.run(at(100), u64::MAX);
    let mut instants = BTreeMap::<SimTime, Vec<_>>::new();
    for record in world.trace().expect("recorded") {
        let ends = (record.peer().or(record.subject()), record.subject());
        instants.entry(record.at()).or_default().push((ends.0.expect("an end"), ends.1.expect("an end")));
    }
    (world.digest(), instants)
}

#[test]
fn shuffled_ties_are_deterministic_and_change_order_only_within_an_instant() {
    let (_, first_in_first_out) = deliveries(1, TieRule::Fifo);
    let (digest, mut shuffled) = deliveries(1, TieRule::Shuffled);
    assert_eq!(deliveries(1, TieRule::Shuffled).0, digest);
    assert_ne!(deliveries(2, TieRule::Shuffled).0, digest, "the order is drawn");
    assert_ne!(shuffled, first_in_first_out, "something changes places");
    let mut expected = first_in_first_out;
    expected.values_mut().chain(shuffled.values_mut()).for_each(|instant| instant.sort_unstable());
    assert_eq!(shuffled, expected);
}

/// When the k-th message of each link arrived, for a protocol whose sends do not depend on what it hears.
fn arrivals(
    prepare: impl Fn(&mut Setup<crate::support::Puppet>),
) -> BTreeMap<(Endpoint, Endpoint), Vec<SimTime>> {
    let mut setup = puppets(3, 4, |puppet, context, input| match input {
        Input::Start => context.set_timer(PuppetTimer::A, ms(1)),
        Input::Timer(_) if puppet.heard.len() < 500 => {
            context.set_timer(PuppetTimer::A, ms(1));
            context.broadcast(&crate::support::Word(1));
        }
        _ => {}
    });
    relink(&mut setup, &link(uniform(ms(1), ms(5))));
    prepare(&mut setup);
    let mut world = traced(setup);
    world.run(at(60), u64::MAX);
    let mut arrivals = BTreeMap::<_, Vec<_>>::new();
    for record in records(&world, TraceKind::Delivery) {
        let ends = (record.peer().expect("a sender"), record.subject().expect("a receiver"));
        arrivals.entry(ends).or_default().push(record.at());
    }
    arrivals
}

#[test]
fn a_fault_on_one_link_leaves_every_other_latency_as_it_was() {
    let (n1, n2) = (Place::Node(n(1)), Place::Node(n(2)));
    let faults = [
        Command::Link {
            from: vec![n1.clone()],
            to: vec![n2.clone()],
            fault: LinkFault::Loss(Some(percent(50))),
        },
        Command::Link {
            from: vec![n1.clone()],
            to: vec![n2.clone()],
            fault: LinkFault::Duplicate(Some(percent(50))),
        },
        Command::Link { from: vec![n1.clone()], to: vec![n2.clone()], fault: LinkFault::LatencyPercent(500) },
        Command::Hold { from: vec![n1], to: vec![n2] },
    ];
    let calm = arrivals(|_| {});
    for fault in faults {
        let mut stormy = arrivals(|setup| setup.plan = plan([(5, fault.clone())]));
        let link = (n(1).into(), n(2).into());
        assert_ne!(stormy.get(&link), calm.get(&link), "{fault} does something");
        stormy.insert(link, calm[&link].clone());
        assert_eq!(stormy, calm, "{fault} does nothing elsewhere");
    }
}

#[test]
fn loss_takes_messages_away_and_delays_none() {
    let calm = arrivals(|_| {});
    let lossy =
        arrivals(|setup| setup.plan = plan([(0, Command::AllLinks(LinkFault::Loss(Some(percent(30)))))]));
    for (link, times) in &lossy {
        assert!(times.len() < calm[link].len(), "{link:?} loses something");
        assert!(times.iter().all(|time| calm[link].contains(time)), "{link:?} has the latencies it had");
    }
}

#[test]
fn drawing_more_in_one_process_shifts_no_other() {
    let first_ticks = |spendthrift| {
        let config = ChatterConfig { spendthrift, ..ChatterConfig::default() };
        let mut setup = mesh::<Chatter>(5, 4, config);
        // Nobody hears anybody, so that only draws could matter.
        setup.plan = plan([(0, Command::AllLinks(LinkFault::Loss(Some(percent(100)))))]);
        let mut world = traced(setup);
        world.run(at(80), u64::MAX);
        let mut fired = BTreeMap::<_, Vec<_>>::new();
        for record in records(&world, TraceKind::TimerFired) {
            fired.entry(record.subject().expect("a node")).or_default().push((record.at(), record.timer()));
        }
        fired
    };
    let (thrifty, mut spending) = (first_ticks(None), first_ticks(Some(n(2))));
    let spender = Endpoint::from(n(2));
    assert_ne!(spending[&spender], thrifty[&spender]);
    spending.insert(spender, thrifty[&spender].clone());
    assert_eq!(spending, thrifty);
}
