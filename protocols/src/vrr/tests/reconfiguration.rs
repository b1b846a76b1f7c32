//! Groups that change, in whole worlds.

use sim_core::disk::DamageKind;
use sim_core::service::Admin;

use super::*;

/// Of so many nodes the first three are members.
fn world_of_three(seed: u64, node_count: u32, scripts: Vec<Script>) -> World<Vrr> {
    testing::world(seed, node_count, config(3), scripts, invariants::all())
}

/// A client that asks for changes, each so many milliseconds after the one before was made.
fn admin(changes: &[(u64, Admin)]) -> Script {
    Script(changes.iter().map(|(wait, admin)| (Span::millis(*wait), Operation::Admin(*admin))).collect())
}

fn node(number: u32) -> NodeId {
    NodeId::new(number - 1)
}

fn replace(remove: u32, add: u32) -> Admin {
    Admin::ReplaceNode { remove: node(remove), add: node(add) }
}

fn crash_and_restart(world: &mut World<Vrr>, lost: &[u32]) {
    for number in lost {
        world.apply(Fault::Crash(node(*number)));
        world.apply(Fault::Restart(node(*number)));
    }
}

/// The group of the latest epoch is complete: its members are in one view, have the same log, and have executed it.
fn assert_group_is(world: &World<Vrr>, members: &[u32], epoch: u32, what: &str) {
    let latest = world.nodes().running().map(|(_, vrr)| vrr.epoch_start()).max_by_key(|start| start.epoch());
    let group = latest.expect("somebody runs").group;
    let expected: Vec<NodeId> = members.iter().map(|number| node(*number)).collect();
    assert_eq!((group.members.iter().collect(), group.epoch), (expected, Epoch(epoch)), "{what}");
    let states: Vec<_> = group
        .members
        .iter()
        .map(|node| {
            let vrr = world.process(node).expect("runs");
            (vrr.takes_part(), vrr.view, vrr.log.op_number(), vrr.machine.applied(), vrr.machine.chain())
        })
        .collect();
    assert!(states.iter().all(|state| *state == states[0] && state.0), "{what}: {states:?}");
    assert_eq!(states[0].2, states[0].3, "{what}: all is executed");
}

fn role(world: &World<Vrr>, number: u32) -> &'static str {
    world.process(node(number)).expect("runs").status_name()
}

#[test]
fn a_node_is_replaced_under_load_and_retires() {
    let scripts = vec![counting(200), mixed(2, 200), admin(&[(300, replace(1, 4))])];
    let mut world = world_of_three(1, 4, scripts);
    testing::run(&mut world, Span::secs(4));
    assert_group_is(&world, &[2, 3, 4], 1, "replaced");
    assert_eq!(role(&world, 1), "standby", "the first primary has gone");
    assert_eq!(primary(&world), Some(node(2)), "the new epoch begins with a view of its own");
    assert_served(&world, Some(0), "replaced");
}

#[test]
fn a_whole_group_hands_over_and_is_not_needed_any_more() {
    let changes = [(300, replace(1, 4)), (300, replace(2, 5)), (300, replace(3, 6))];
    let mut world = world_of_three(2, 6, vec![counting(300), admin(&changes)]);
    testing::run(&mut world, Span::secs(3));
    assert_group_is(&world, &[4, 5, 6], 3, "handed over");
    crash_and_restart(&mut world, &[1, 2, 3]);
    testing::run(&mut world, Span::secs(5));
    assert_eq!(Simulation::beyond_promise(&world), [], "the old group has nothing left to forget");
    assert_group_is(&world, &[4, 5, 6], 3, "after the old ones forgot");
    assert_served(&world, Some(0), "handed over");
    for number in [1, 2, 3] {
        let vrr = world.process(node(number)).expect("runs");
        assert_eq!(
            (role(&world, number), vrr.epoch()),
            ("standby", Epoch(3)),
            "it has asked where the group is"
        );
    }
}

#[test]
fn who_was_replaced_may_come_back_even_if_it_has_forgotten_that_it_was_there() {
    let changes = [(300, replace(1, 4)), (900, replace(4, 1)), (300, replace(2, 4))];
    let mut world = world_of_three(3, 4, vec![counting(300), admin(&changes)]);
    testing::run(&mut world, Span::millis(800));
    crash_and_restart(&mut world, &[1]);
    testing::run(&mut world, Span::secs(5));
    assert_group_is(&world, &[1, 3, 4], 3, "back and forth");
    assert_served(&world, Some(0), "back and forth");
}

#[test]
fn a_group_grows_and_shrinks() {
    let [fourth, fifth] = [4, 5].map(node);
    let changes = [
        (200, Admin::AddNodes(fourth, fifth)),
        (200, Admin::RemoveNode(node(1))),
        (200, Admin::RemoveNode(node(2))),
    ];
    let mut world = world_of_three(4, 5, vec![counting(200), mixed(2, 200), admin(&changes)]);
    testing::run(&mut world, Span::secs(4));
    assert_group_is(&world, &[3, 4, 5], 3, "grown and shrunk");
    assert_served(&world, Some(0), "grown and shrunk");
}

#[test]
fn a_replica_alone_becomes_a_group_and_a_group_becomes_one_replica() {
    let changes = [(200, Admin::AddNode(node(2))), (200, Admin::RemoveNode(node(1)))];
    let scripts = vec![counting(100), admin(&changes)];
    let mut world = testing::world(5, 2, config(1), scripts, invariants::all());
    testing::run(&mut world, Span::secs(3));
    assert_group_is(&world, &[2], 2, "moved");
    assert_served(&world, Some(0), "moved");
}

#[test]
fn changes_that_change_nothing_or_cannot_be_are_answered_at_once() {
    let changes = [
        (0, Admin::AddNode(node(2))),
        (0, Admin::RemoveNode(node(4))),
        (0, Admin::AddNode(node(9))),
        (0, Admin::AddLearner(node(4))),
    ];
    let mut world = world_of_three(6, 4, vec![admin(&changes)]);
    testing::run(&mut world, Span::secs(1));
    let refused = |refusal| Outcome::Refused(refusal);
    let expected = [Outcome::Done, Outcome::Done, refused(Refusal::NotFound), refused(Refusal::Unsupported)];
    assert_eq!(outcomes(&world), expected);
    assert_group_is(&world, &[1, 2, 3], 0, "as it was");
}

#[test]
fn a_replica_that_missed_two_reconfigurations_is_brought_to_the_latest() {
    let changes = [(300, Admin::AddNode(node(4))), (300, replace(2, 5))];
    let mut world = world_of_three(7, 5, vec![counting(300), admin(&changes)]);
    testing::run(&mut world, Span::millis(200));
    world.apply(isolate(node(3)));
    testing::run(&mut world, Span::secs(2));
    assert_eq!(world.process(node(3)).expect("runs").epoch(), Epoch(0), "it knows of nothing");
    world.apply(Fault::HealAll);
    testing::run(&mut world, Span::secs(3));
    assert_group_is(&world, &[1, 3, 4, 5], 2, "healed");
    assert_served(&world, Some(0), "healed");
}

#[test]
fn more_than_f_of_the_new_group_that_forget_are_beyond_the_promise() {
    let mut world = world_of_three(8, 4, vec![counting(100), admin(&[(200, replace(1, 4))])]);
    testing::run(&mut world, Span::secs(2));
    crash_and_restart(&mut world, &[1, 4]);
    testing::run(&mut world, Span::secs(2));
    assert_eq!(Simulation::beyond_promise(&world), [], "n1 has no part in the group, and n4 is one of three");
    crash_and_restart(&mut world, &[2, 4]);
    testing::run(&mut world, Span::secs(2));
    let lost = [2, 4].map(|number| (node(number), DamageKind::LostMemory));
    assert_eq!(Simulation::beyond_promise(&world), lost);
}

#[test]
fn more_than_f_of_the_old_group_that_forget_before_the_new_one_has_started_are_beyond_the_promise() {
    let changes = [(200, Admin::AddNodes(node(4), node(5))), (0, Admin::RemoveNode(node(1)))];
    let mut world = world_of_three(9, 7, vec![counting(100), admin(&changes)]);
    for number in [4, 5] {
        world.apply(Fault::Crash(node(number)));
    }
    testing::run(&mut world, Span::secs(1));
    assert_group_is_started(&world, 2);
    crash_and_restart(&mut world, &[2, 3]);
    testing::run(&mut world, Span::secs(1));
    let lost = Simulation::beyond_promise(&world);
    assert_eq!(lost, [2, 3].map(|number| (node(number), DamageKind::LostMemory)));
}

/// Nobody takes part in `epoch`, but somebody knows of it.
fn assert_group_is_started(world: &World<Vrr>, epoch: u32) {
    let knows = world.nodes().running().filter(|(_, vrr)| vrr.epoch() == Epoch(epoch)).count();
    assert!(knows > 0, "somebody has heard of e{epoch}");
}

/// The primary of the group, a backup that stays, the replica that goes, or the one that comes is cut after any effect
/// while the group changes.
#[test]
fn a_change_survives_a_crash_after_each_effect() {
    for effects in 0..14 {
        for victim in [1, 2, 3, 4] {
            let scripts = vec![counting(60), admin(&[(100, replace(1, 4))])];
            let mut world = world_of_three(u64::from(effects), 4, scripts);
            testing::run(&mut world, Span::millis(99));
            world.apply(Fault::CrashAfterEffect { node: node(victim), effects });
            testing::run(&mut world, Span::millis(600));
            if world.process(node(victim)).is_none() {
                world.apply(Fault::Restart(node(victim)));
            }
            world.apply(Fault::Recover);
            testing::run(&mut world, Span::secs(4));
            let what = format!("n{victim} cut after {effects}");
            assert_eq!(Simulation::beyond_promise(&world), [], "{what}");
            assert_group_is(&world, &[2, 3, 4], 1, &what);
            assert_served(&world, Some(0), &what);
        }
    }
}

/// Whoever crashes as it leaves its epoch, or as it is about to take part in the next: the administrator may have been told
/// that the change is made, and nobody else anything.
#[test]
fn a_change_survives_a_crash_of_anybody_between_the_epochs() {
    let mut struck = Vec::new();
    for point in &FAULT_POINTS[FaultPoint::EpochLeft as usize..] {
        for victim in [1, 2, 3, 4] {
            let scripts = vec![counting(60), admin(&[(100, replace(1, 4))])];
            let mut world = world_of_three(u64::from(victim), 4, scripts);
            let name = point.parse().expect("a name");
            world.apply(Fault::CrashAtPoint { node: node(victim), point: name, nth: 1 });
            testing::run(&mut world, Span::secs(1));
            if world.process(node(victim)).is_none() {
                struck.push((*point, victim));
                world.apply(Fault::Restart(node(victim)));
            }
            testing::run(&mut world, Span::secs(4));
            let what = format!("n{victim} crashed at {point}");
            assert_eq!(Simulation::beyond_promise(&world), [], "{what}");
            assert_group_is(&world, &[2, 3, 4], 1, &what);
            assert_served(&world, Some(0), &what);
        }
    }
    let expected = [1, 2, 3].map(|member| ("epoch-left", member));
    let successors = [2, 3, 4].map(|member| ("before-new-epoch", member));
    assert_eq!(struck, [expected, successors].concat());
}

/// The changes of one run, so that there are always three members or more.
fn random_changes(stream: &mut Stream) -> Script {
    let moves = [
        vec![replace(1, 4), replace(2, 5), replace(4, 1), replace(3, 6)],
        vec![
            Admin::AddNodes(node(4), node(5)),
            Admin::RemoveNode(node(1)),
            replace(2, 6),
            Admin::AddNode(node(1)),
        ],
        vec![Admin::AddNode(node(6)), replace(6, 5), Admin::RemoveNode(node(1)), replace(5, 1)],
    ];
    let chosen = &moves[usize::try_from(stream.below(3)).expect("small")];
    let changes: Vec<_> = chosen.iter().map(|change| (stream.below(1_500), *change)).collect();
    admin(&changes)
}

#[test]
fn random_faults_break_no_change_and_everything_heals() {
    for seed in 0..80 {
        survive_changes(seed);
    }
}

fn survive_changes(seed: u64) {
    let mut stream = KeySource::new(seed).stream(Purpose::Faults, 1, 0);
    let scripts = vec![mixed(1, 300), counting(200), random_changes(&mut stream)];
    let mut world = world_of_three(seed, 6, scripts);
    for _ in 0..60 {
        testing::run(&mut world, Span::millis(stream.below(200)));
        let fault = one_at_a_time(&world, &mut stream);
        world.apply(fault);
    }
    world.apply(Fault::Recover);
    testing::run(&mut world, Span::secs(10));
    let what = format!("seed {seed}");
    assert_eq!(Simulation::beyond_promise(&world), [], "{what}");
    let latest = world.nodes().running().map(|(_, vrr)| vrr.epoch_start()).max_by_key(|start| start.epoch());
    let group = latest.expect("somebody runs").group;
    let members: Vec<u32> = group.members.iter().map(|node| node.raw() + 1).collect();
    // A request that is late may undo a later one, and is repeated then.
    assert!(group.epoch >= Epoch(4), "{what}: every change was made");
    assert_group_is(&world, &members, group.epoch.0, &what);
    assert_served(&world, Some(1), &what);
}

/// One random fault, and no crash while another node is down or without memory: each group bears that.
fn one_at_a_time(world: &World<Vrr>, stream: &mut Stream) -> Fault {
    let node = random_node(world, stream, primary(world));
    let is_up = world.process(node).is_some();
    match stream.below(10) {
        0..=2 if is_up && empty(world) == 0 => Fault::Crash(node),
        0..=4 if !is_up => Fault::Restart(node),
        5 => isolate(node),
        6..=8 => random_link_fault(stream),
        _ => Fault::HealAll,
    }
}
