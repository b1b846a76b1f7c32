//! After the faults a run must become well again; what is named is the first condition that is not met.

use sim_core::check::{Baseline, CONDITIONS, Work};
use sim_core::fault::Command;
use sim_core::status::{Standing, Status};
use sim_core::{NodeId, World};

use crate::support::{
    Input, Puppet, Strings, at, closed_loop, constant, echoes, link, ms, n, puppets, relink,
};

/// A member of a cluster in this epoch, which knows this much to be decided.
fn stand(puppet: &mut Puppet, standing: Standing, epoch: u64, commit: u64) {
    puppet.status = Status { standing, epoch, commit, ..Status::peer("puppet") };
}

/// n1 leads two others in epoch 2; n3 knows less than the others.
const WELL: Strings = |puppet, _, input| {
    if *input == Input::Start {
        let standing = if puppet.node == n(1) { Standing::Leader } else { Standing::Follower };
        stand(puppet, standing, 2, if puppet.node == n(3) { 4 } else { 5 });
    }
};

/// Three nodes that have run for a while.
fn world(strings: Strings) -> World<Puppet> {
    let mut world = World::new(puppets(1, 3, strings));
    world.run(at(100), u64::MAX);
    world
}

/// The first condition that is not met, and what it says.
fn first_unmet(world: &World<Puppet>, since: &Baseline) -> Option<(&'static str, String)> {
    CONDITIONS.iter().find_map(|condition| {
        let why = condition.check(world, since).err()?;
        Some((condition.about().name, why))
    })
}

/// That it is this one, and says this.
fn is_unmet(world: &World<Puppet>, since: &Baseline, name: &str, why: &str) {
    assert_eq!(
        first_unmet(world, since),
        CONDITIONS.iter().find_map(|condition| {
            (condition.about().name == name).then(|| (condition.about().name, why.to_owned()))
        })
    );
}

#[test]
fn a_cluster_that_is_well_meets_all_conditions() {
    assert_eq!(first_unmet(&world(WELL), &Baseline::default()), None);
}

#[test]
fn a_node_that_is_down_is_named_before_anything_that_follows_from_it() {
    let mut world = world(WELL);
    world.apply(Command::Crash(n(1)));
    is_unmet(&world, &Baseline::default(), "all-nodes-run", "n1 is down");
    world.apply(Command::Restart(n(1)));
    world.apply(Command::Pause(n(2)));
    is_unmet(&world, &Baseline::default(), "all-nodes-run", "n2 is paused");
}

#[test]
fn of_a_core_nothing_is_asked_but_what_the_core_can_do() {
    let mut world = world(WELL);
    world.apply(Command::Crash(n(3)));
    let core = |nodes: &[NodeId]| Baseline { well: Some(nodes.to_vec()), ..Baseline::default() };
    assert_eq!(first_unmet(&world, &core(&[n(1), n(2)])), None);
    is_unmet(&world, &core(&[n(2)]), "has-one-leader", "nobody leads in epoch 2, the highest");
    is_unmet(&world, &core(&[n(1), n(3)]), "all-nodes-run", "n3 is down");
}

#[test]
fn nobody_and_two_are_not_one_leader() {
    let nobody = world(|puppet, _, _| stand(puppet, Standing::Candidate, 7, 5));
    is_unmet(&nobody, &Baseline::default(), "has-one-leader", "nobody leads in epoch 7, the highest");
    let all = world(|puppet, _, _| stand(puppet, Standing::Leader, 7, 5));
    is_unmet(&all, &Baseline::default(), "has-one-leader", "3 processes lead in epoch 7");
    let deposed = world(|puppet, _, _| {
        let epoch = if puppet.node == n(1) { 6 } else { 7 };
        stand(puppet, if puppet.node == n(3) { Standing::Follower } else { Standing::Leader }, epoch, 5);
    });
    assert_eq!(
        first_unmet(&deposed, &Baseline::default()),
        None,
        "one that does not know it yet is no other leader"
    );
}

#[test]
fn a_leader_that_most_have_not_heard_of_is_not_known() {
    let unknown = world(|puppet, _, _| {
        let leads = puppet.node == n(1);
        let (standing, epoch) = if leads { (Standing::Leader, 3) } else { (Standing::Follower, 2) };
        stand(puppet, standing, epoch, 5);
    });
    is_unmet(&unknown, &Baseline::default(), "leader-is-known", "1 of 3 processes are in epoch 3");
}

#[test]
fn clients_that_ask_and_get_nothing_are_not_served() {
    let mut setup = puppets(1, 3, WELL);
    setup.clients = vec![closed_loop(3, ms(5), echoes(2))];
    relink(&mut setup, &link(constant(ms(1))));
    let mut world = World::new(setup);
    world.run(at(20), u64::MAX);
    is_unmet(
        &world,
        &Baseline::default(),
        "clients-are-served",
        "no operation that was invoked after the faults had ended has completed, of 1",
    );
    let since = Baseline { invoked: 1, ..Baseline::default() };
    assert_eq!(first_unmet(&world, &since), None, "who has nothing more to ask needs no answer");
}

#[test]
fn a_member_that_misses_what_was_decided_has_not_caught_up() {
    let since = Baseline { commit: 5, ..Baseline::default() };
    is_unmet(&world(WELL), &since, "nodes-catch-up", "n3 knows 4 to be decided, and 5 was");
    let in_doubt = Baseline { in_doubt: vec![n(3)], ..since };
    assert_eq!(first_unmet(&world(WELL), &in_doubt), None, "nothing is expected of who may be no member");
}

#[test]
fn peers_that_differ_in_what_is_to_be_equal_do_not_agree() {
    let world = world(|puppet, _, _| puppet.status.gauge = if puppet.node == n(2) { 7 } else { 4 });
    is_unmet(&world, &Baseline::default(), "all-agree", "n1 has 4, and n2 has 7");
    let core = Baseline { well: Some(vec![n(1), n(3)]), ..Baseline::default() };
    assert_eq!(first_unmet(&world, &core), None, "of those outside the core nothing is expected");
    let in_doubt = Baseline { in_doubt: vec![n(2)], ..Baseline::default() };
    assert_eq!(first_unmet(&world, &in_doubt), None, "nor of who may be no member");
}

#[test]
fn what_was_taken_in_must_be_done() {
    let half_done = world(|puppet, _, _| (puppet.status.commit, puppet.status.gauge) = (9, 4));
    let work = |taken| {
        let line = "the strings".to_owned();
        Baseline { work: Some(vec![Work { line, taken, done: 0 }]), ..Baseline::default() }
    };
    let all = Baseline::default().work(&half_done);
    assert_eq!(all, [Work { line: "the strings".to_owned(), taken: 9, done: 4 }]);
    assert_eq!(first_unmet(&half_done, &Baseline::default()), None, "nobody has looked what there is to do");
    assert_eq!(first_unmet(&half_done, &work(4)), None, "what came later may be done later");
    is_unmet(&half_done, &work(5), "work-is-done", "the strings is done up to 4, and was taken in up to 5");
    let nobody = Baseline { well: Some(Vec::new()), ..work(4) };
    is_unmet(&half_done, &nobody, "work-is-done", "nobody knows how far the strings is");
}

#[test]
fn a_leader_that_is_to_stay_and_does_not_is_named_with_the_other() {
    let stayed = Baseline { leader: Some((n(1), 2)), ..Baseline::default() };
    assert_eq!(first_unmet(&world(WELL), &stayed), None);
    let other = Baseline { leader: Some((n(2), 1)), ..Baseline::default() };
    is_unmet(&world(WELL), &other, "leader-is-kept", "n2 led in epoch 1, and n1 leads in 2");
}
