//! Two-phase commit in whole worlds.

use sim_core::check::Answer;
use sim_core::check::history::{DEFAULT_BUDGET, for_service};
use sim_core::fault::{Command, LinkFault};
use sim_core::random::{KeySource, Purpose};
use sim_core::service::{Operation, Outcome, Service, transfer};
use sim_core::{NodeId, Process as _, Simulation as _, Span, World};

use super::*;
use crate::testing::faults::{percent, random_fault};
use crate::testing::{self, Script};

fn step(wait: u64, operation: transfer::Operation) -> (Span, Operation) {
    (Span::millis(wait), Operation::Transfer(operation))
}

/// Clients that move money between accounts, and look at all balances now and then.
fn scripts(count: u64, accounts: u64, steps: u64) -> Vec<Script> {
    let script = |client| {
        let mut stream = KeySource::new(client).stream(Purpose::Workload, client, 0);
        let mut account = move || u32::try_from(stream.below(accounts)).expect("few accounts");
        let operation = |ordinal: u64| match ordinal % 4 {
            0 => step(5, transfer::Operation::Balances),
            _ => step(
                5,
                transfer::Operation::Move { from: account(), to: account(), amount: 10 * ordinal % 70 },
            ),
        };
        Script((0..steps).map(operation).collect())
    };
    (0..count).map(script).collect()
}

fn world(seed: u64, config: Config, scripts: Vec<Script>) -> World<TwoPhaseCommit> {
    let invariants = invariants::all(&config);
    testing::world(seed, config.node_count, config, scripts, invariants)
}

fn counted(world: &World<TwoPhaseCommit>, name: &str) -> u64 {
    world.metrics().summary(world.now()).counters[name]
}

fn assert_clients_are_right(world: &World<TwoPhaseCommit>) {
    for checker in for_service(Service::Transfer) {
        assert_eq!(checker.check(world.history(), DEFAULT_BUDGET), Answer::Pass, "{}", checker.about().name);
    }
}

fn outcomes(world: &World<TwoPhaseCommit>) -> Vec<Outcome> {
    world.history().operations().into_iter().map(|operation| operation.outcome).collect()
}

#[test]
fn money_moves_and_reads_see_one_moment() {
    for coordinators in [1, 2] {
        let config = Config { coordinators, ..Config::new(5) };
        let mut world = world(7, config, scripts(3, 8, 60));
        testing::run(&mut world, Span::secs(30));
        assert_eq!(world.history().open_count(), 0);
        assert_clients_are_right(&world);
        let done = outcomes(&world).into_iter().filter(|outcome| *outcome == Outcome::Done).count();
        assert!(done > 60, "{done} transfers");
    }
}

#[test]
fn a_balance_that_does_not_suffice_refuses() {
    let move_ = |from, to, amount| step(5, transfer::Operation::Move { from, to, amount });
    let script =
        Script(vec![move_(0, 1, 101), move_(0, 1, 100), move_(0, 1, 1), move_(9, 0, 1), move_(1, 0, 200)]);
    let mut world = world(1, Config::new(3), vec![script]);
    testing::run(&mut world, Span::secs(2));
    let not_found = Outcome::Refused(sim_core::service::Refusal::NotFound);
    let (done, rejected) = (Outcome::Done, Outcome::Rejected);
    assert_eq!(outcomes(&world), [rejected.clone(), done.clone(), rejected, not_found, done]);
}

/// What committed transfers between two participants cost, each: messages and forced writes.
fn cost(presumption: Presumption, operation: &[transfer::Operation]) -> (u64, u64, u64) {
    let steps = operation.iter().map(|operation| step(200, *operation)).collect();
    let config = Config { presumption, attempts: 1, ..Config::new(3) };
    let mut world = world(1, config, vec![Script(steps)]);
    testing::run(&mut world, Span::secs(60));
    (counted(&world, "transfers"), counted(&world, "transfer-messages"), counted(&world, "forced-writes"))
}

#[test]
fn a_commit_takes_4n_messages_and_2n_plus_1_forced_writes() {
    // a0 and a1 have different homes: n = 2.
    let moves = [transfer::Operation::Move { from: 0, to: 1, amount: 1 }; 20];
    for presumption in [Presumption::Abort, Presumption::Nothing] {
        assert_eq!(cost(presumption, &moves), (20, 20 * 4 * 2, 20 * (2 * 2 + 1)));
    }
    let within = [transfer::Operation::Move { from: 0, to: 2, amount: 1 }; 20];
    assert_eq!(cost(Presumption::Abort, &within), (20, 20 * 4, 20 * 3), "n = 1");
}

#[test]
fn presumed_abort_saves_the_forced_writes_and_acknowledgements_of_an_abort() {
    // The first votes no, the second yes.
    let moves = [transfer::Operation::Move { from: 0, to: 1, amount: 1_000 }; 20];
    let (transfers, messages, forced) = cost(Presumption::Abort, &moves);
    assert_eq!(transfers, 20);
    assert!(
        (20 * 6..=20 * 7).contains(&messages),
        "{messages}: nobody acknowledges, and a late yes is answered"
    );
    assert!(forced <= 20, "{forced}: the yes of the one, if it came to that");
    let (_, messages, forced) = cost(Presumption::Nothing, &moves);
    assert!(messages >= 20 * 4 * 2, "{messages}: all acknowledge");
    assert!(forced >= 2 * 20, "{forced}: the decision, and the end of who had voted yes");
}

#[test]
fn anything_that_nodes_must_survive_breaks_no_rule() {
    for seed in 0..30 {
        let presumption = if seed % 3 == 0 { Presumption::Nothing } else { Presumption::Abort };
        let coordinators = 1 + u32::try_from(seed % 2).expect("small");
        let config = Config { presumption, coordinators, accounts: 5, ..Config::new(5) };
        let mut world = world(seed, config, scripts(3, 5, 60));
        let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
        for _ in 0..60 {
            let fault = random_fault(&world, &mut stream, Some(NodeId::new(0)));
            world.apply(fault);
            let pause = stream.span(Span::ZERO, Span::millis(120));
            testing::run(&mut world, pause);
        }
        world.apply(Command::Recover);
        testing::run(&mut world, Span::secs(5));
        assert_clients_are_right(&world);
        let doubts = world.nodes().running().filter(|(_, process)| process.status().role == "in-doubt");
        assert_eq!(doubts.count(), 0, "AC5: seed {seed}");
    }
}

#[test]
fn what_comes_twice_is_done_once() {
    let mut world = world(3, Config::new(4), scripts(3, 4, 40));
    world.apply(Command::AllLinks(LinkFault::Duplicate(Some(percent(100)))));
    testing::run(&mut world, Span::secs(30));
    assert_clients_are_right(&world);
}

#[test]
fn participants_in_doubt_wait_for_a_coordinator_that_is_down() {
    let transfer = transfer::Operation::Move { from: 0, to: 1, amount: 1 };
    let mut world = world(3, Config::new(3), vec![Script(vec![step(1, transfer)])]);
    let point = "before-telling".parse().expect("a name");
    world.apply(Command::CrashAtPoint { node: NodeId::new(0), point, nth: 1 });
    testing::run(&mut world, Span::secs(20));
    let in_doubt = |world: &World<TwoPhaseCommit>| {
        world.nodes().running().filter(|(_, process)| process.status().role == "in-doubt").count()
    };
    assert_eq!(in_doubt(&world), 2, "both have voted yes, and ask in vain");
    world.apply(Command::Restart(NodeId::new(0)));
    testing::run(&mut world, Span::secs(2));
    assert_eq!(in_doubt(&world), 0);
    let balance = |node, account: u32| {
        let process = world.process(NodeId::new(node)).expect("it runs");
        process.participant().expect("it has accounts").accounts().all()[&account].balance
    };
    assert_eq!((balance(1, 0), balance(2, 1)), (99, 101), "it had decided");
}

/// A participant's yes is on disk and not told when it crashes, and the abort comes while it is down.
fn restarted_in_doubt(mutant: Option<Mutant>) -> World<TwoPhaseCommit> {
    let transfer = transfer::Operation::Move { from: 0, to: 1, amount: 1 };
    let config = Config { attempts: 1, mutant, ..Config::new(3) };
    let mut world = world(3, config, vec![Script(vec![step(1, transfer)])]);
    let point = "before-vote".parse().expect("a name");
    world.apply(Command::CrashAtPoint { node: NodeId::new(1), point, nth: 1 });
    testing::run(&mut world, Span::secs(1));
    assert_eq!(world.history().open_count(), 0, "it was aborted");
    world.apply(Command::Restart(NodeId::new(1)));
    testing::run(&mut world, Span::secs(1));
    world
}

#[test]
fn who_restarts_in_doubt_and_asks_nobody_is_seen() {
    let all = [0, 1, 2].map(NodeId::new);
    let doubts = |world: &World<TwoPhaseCommit>| {
        let participant = world.process(all[1]).and_then(TwoPhaseCommit::participant).expect("it runs");
        (participant.doubts().len(), participant.in_doubt())
    };
    let right = restarted_in_doubt(None);
    assert_eq!((doubts(&right), right.disagreement(&all)), ((0, None), None));
    let silent = restarted_in_doubt(Some(Mutant::RestartsInSilence));
    assert_eq!(doubts(&silent), (1, None), "by its own word it has asked for nothing");
    let seen = silent.disagreement(&all).expect("AC5");
    assert!(seen.starts_with("n2 has waited for the decision on n1/1.1"), "{seen}");
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(8, Config::new(4), scripts(3, 8, 60));
    testing::run(&mut world, Span::millis(400));
    let mut copy = world.fork().expect("two-phase commit can be copied");
    testing::run(&mut world, Span::secs(2));
    testing::run(&mut copy, Span::secs(2));
    assert_eq!(world.digest(), copy.digest());
}
