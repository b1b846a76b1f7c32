use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::fault::{Command, Place, Target};
use crate::network::Direction;

const SECONDS: u64 = 60;

/// All kinds, beyond crash faults as well, and those without a usual rate too.
fn generator(node_count: u32) -> Generator {
    let nodes: Vec<NodeId> = (0..node_count).map(NodeId::new).collect();
    let racks = nodes.chunks(2).map(<[NodeId]>::to_vec).collect();
    Generator {
        domains: racks,
        kinds: KINDS.iter().map(|kind| (*kind, rate(*kind))).collect(),
        client_count: 2,
        sites: Sites { region_count: 3, timers: &["tick"], points: &["half-way"] },
        ..Generator::new(nodes, SimTime::ZERO + Span::secs(SECONDS))
    }
}

fn rate(kind: &dyn FaultKind) -> Rate {
    let usual = kind.about().rate;
    if usual == Rate::NEVER { Rate::new(1, Span::secs(10)) } else { usual }
}

#[test]
fn a_failure_domain_fails_as_a_whole_or_not_at_all() {
    let kind = crate::fault::table::find("domain-failure").expect("it is listed");
    let all = generator(5);
    let only = Generator { kinds: vec![(kind, Rate::new(1, Span::secs(1)))], ..all.clone() };
    let (mut without_power, mut cut_off) = (0, 0);
    for drawn in (0..20).flat_map(|seed| draw(&only, seed)) {
        let nodes = &drawn.fault.nodes;
        assert!(all.domains.contains(nodes), "{nodes:?} is no domain");
        let hit: Vec<NodeId> = drawn.fault.begin.iter().flat_map(Command::names).collect();
        let (count, others) =
            if drawn.fault.is_down { (&mut without_power, 0) } else { (&mut cut_off, 5 - nodes.len()) };
        *count += 1;
        assert_eq!((hit.len(), &hit[..nodes.len()]), (nodes.len() + others, &nodes[..]), "{drawn:?}");
    }
    assert!(without_power > 0 && cut_off > 0, "{without_power} lost power, {cut_off} were cut off");
    let nowhere = Generator { domains: Vec::new(), ..only };
    assert_eq!(draw(&nowhere, 0), [], "without domains there is nothing to fail");
}

#[test]
fn a_kind_without_a_usual_rate_comes_only_where_it_is_named() {
    let nodes: Vec<NodeId> = (0..5).map(NodeId::new).collect();
    let usual = Generator::new(nodes, SimTime::ZERO + Span::secs(SECONDS));
    let unusual = KINDS.iter().filter(|kind| kind.about().rate == Rate::NEVER);
    for kind in unusual {
        assert!(usual.kinds.iter().all(|(known, _)| known.about() != kind.about()), "{:?}", kind.about());
        let kinds = vec![(*kind, rate(*kind))];
        let domains = vec![vec![NodeId::new(1), NodeId::new(2)]];
        let named = Generator { kinds, domains, sites: generator(5).sites, ..usual.clone() };
        assert!(!draw(&named, 0).is_empty(), "{:?}", kind.about());
    }
}

fn draw(generator: &Generator, seed: u64) -> Vec<Drawn> {
    generator.draw(&KeySource::new(seed))
}

/// All that may be admitted.
fn candidates(generator: &Generator, seed: u64) -> Vec<Drawn> {
    generator.candidates(&KeySource::new(seed))
}

fn without(faults: Vec<Drawn>, kind: &str) -> Vec<Drawn> {
    faults.into_iter().filter(|drawn| drawn.kind != kind).collect()
}

/// The command that undoes this one, if it needs any.
fn is_undone_by(begun: &Command, ended: &Command) -> bool {
    match (begun, ended) {
        (
            Command::Crash(node)
            | Command::CrashLosing { node, .. }
            | Command::CrashAfterEffect { node, .. }
            | Command::CrashAtPoint { node, .. },
            Command::Restart(again),
        )
        | (Command::Pause(node), Command::Resume(again))
        | (Command::SlowDown { node, .. }, Command::SlowDown { node: again, percent: 100 })
        | (Command::Clock { node, .. }, Command::Clock { node: again, .. })
        | (Command::Disk { node, .. }, Command::Disk { node: again, .. }) => node == again,
        (Command::Cut { from, to, .. }, Command::Mend { from: first, to: second, .. })
        | (Command::Link { from, to, .. }, Command::Link { from: first, to: second, .. })
        | (Command::Hold { from, to }, Command::Release { from: first, to: second }) => {
            (from, to) == (first, second)
        }
        (Command::Partition { name, .. }, Command::HealPartition(again)) => name == again,
        (Command::AllLinks(begun), Command::AllLinks(ended)) => {
            std::mem::discriminant(begun) == std::mem::discriminant(ended)
        }
        _ => false,
    }
}

/// Damage stays; nothing undoes it.
fn is_damage(command: &Command) -> bool {
    use crate::disk::DiskFault;
    let lasting = |fault: &DiskFault| {
        matches!(fault, DiskFault::Corrupt { .. } | DiskFault::RollBack { .. } | DiskFault::Misdirect { .. })
    };
    matches!(command, Command::Wipe(_)) || matches!(command, Command::Disk { fault, .. } if lasting(fault))
}

#[test]
fn every_kind_draws_faults() {
    let drawn = (0..5).flat_map(|seed| candidates(&generator(5), seed));
    let met: BTreeSet<_> = drawn.map(|drawn| drawn.kind).collect();
    let all: BTreeSet<_> = KINDS.iter().map(|kind| kind.about().name).collect();
    assert_eq!(met, all);
}

#[test]
fn a_generator_without_nodes_or_time_draws_nothing() {
    assert_eq!(draw(&generator(0), 1), []);
    assert_eq!(draw(&Generator { end: SimTime::ZERO + Span::millis(900), ..generator(5) }, 1), []);
}

#[test]
fn one_node_has_no_partitions_and_a_lone_node_is_never_down() {
    let faults = draw(&Generator { client_count: 0, ..generator(1) }, 1);
    assert!(!faults.is_empty());
    let is_network = |drawn: &Drawn| drawn.fault.part == Part::Network;
    assert!(faults.iter().all(|drawn| !is_network(drawn) && drawn.fault.down_count() == 0));
    assert!(faults.iter().all(|drawn| drawn.fault.aimed.is_empty()), "nobody can be elected");
}

#[test]
fn swarm_switches_about_half_of_the_kinds_off_and_others_on_each_seed() {
    let swarm = Generator { selection: Selection::Swarm, ..generator(5) };
    let selections: BTreeSet<Vec<&str>> = (0..20)
        .map(|seed| {
            let kinds: BTreeSet<_> = candidates(&swarm, seed).into_iter().map(|drawn| drawn.kind).collect();
            assert!((8..30).contains(&kinds.len()), "seed {seed} uses {kinds:?}");
            kinds.into_iter().collect()
        })
        .collect();
    assert_eq!(selections.len(), 20, "two seeds use the same kinds");
}

#[test]
fn who_came_back_counts_as_down_until_it_has_recovered() {
    let only =
        |name: &str| KINDS.iter().copied().filter(|kind| kind.about().name == name).collect::<Vec<_>>();
    let kinds = [only("crash"), only("crash-loop"), only("candidate-crash")].concat();
    let often = kinds.into_iter().map(|kind| (kind, Rate::new(1, Span::secs(1)))).collect();
    let generator = Generator { kinds: often, down_max: 1, recovery: Span::millis(700), ..generator(5) };
    let faults: Vec<_> = (0..5).map(|seed| draw(&generator, seed)).collect();
    assert!(faults.iter().all(|faults| faults.len() > 5), "some are admitted");
    for pair in faults.iter().flat_map(|faults| faults.windows(2)) {
        let rest = pair[1].start.since(pair[0].end());
        assert!(rest > generator.recovery, "{} crashes {rest} after {} was back", pair[1].kind, pair[0].kind);
    }
}

#[test]
fn faults_come_about_as_often_as_their_rate_says() {
    let crash = KINDS[0];
    let rate = Rate::new(1, Span::secs(1));
    let counts =
        (0..50).map(|seed| candidates(&Generator { kinds: vec![(crash, rate)], ..generator(5) }, seed).len());
    let mean = counts.sum::<usize>() / 50;
    assert!((54..64).contains(&mean), "{mean} crashes in 59 s at one a second");
    assert_eq!(draw(&Generator { kinds: vec![(crash, Rate::new(0, Span::secs(1)))], ..generator(5) }, 1), []);
}

#[test]
fn a_kind_listed_twice_counts_once() {
    let once = generator(5);
    let twice = Generator { kinds: [once.kinds.clone(), once.kinds.clone()].concat(), ..generator(5) };
    assert_eq!(draw(&twice, 3), draw(&once, 3));
}

#[test]
fn a_drawn_plan_fits_the_run_it_is_for() {
    for seed in 0..20 {
        let plan = generator(5).plan(&KeySource::new(seed));
        assert_eq!(plan.validate(5, 2), Ok(()), "seed {seed}");
        let faults = draw(&generator(5), seed);
        let unaimed = faults.iter().map(|drawn| drawn.fault.commands().count());
        let by_id = plan.entries().iter().filter(|entry| entry.commands().is_some());
        assert!(by_id.count() >= unaimed.sum(), "seed {seed}: only aimed acts have roles");
    }
}

/// Whether these places are all nodes, so that whoever was hit is among them.
fn are_all(places: &[Place<Target>]) -> bool {
    *places == [Place::Node(Target::All)]
}

/// Whether `ended` takes back what is aimed at whoever `begun` hit.
fn is_taken_back_by(begun: &Command<Target>, ended: &Command<Target>) -> bool {
    use crate::service::{Admin, Operation};
    match (begun, ended) {
        (
            Command::Crash(node) | Command::CrashAfterEffect { node, .. } | Command::Pause(node),
            Command::Restart(again) | Command::Resume(again),
        ) if node == again && matches!(node, Target::Node(_)) => {
            matches!(begun, Command::Pause(_)) == matches!(ended, Command::Resume(_))
        }
        (Command::Crash(_) | Command::CrashAfterEffect { .. }, Command::Restart(Target::AllDown))
        | (Command::Pause(_), Command::Resume(Target::All))
        | (Command::Clock { .. }, Command::Clock { node: Target::All, .. })
        | (Command::Hold { .. }, Command::Release { .. }) => true,
        (Command::Link { fault: begun, .. }, Command::Link { from, to, fault }) => {
            std::mem::discriminant(begun) == std::mem::discriminant(fault) && are_all(from) && are_all(to)
        }
        (Command::Cut { from, to, direction }, Command::Mend { from: first, to: second, direction: way }) => {
            (from, to, direction) == (first, second, way)
                || (are_all(first) && are_all(second) && *way == Direction::BothWays)
        }
        (Command::Partition { name, .. }, Command::HealPartition(again)) => name == again,
        (
            Command::Issue { operation: Operation::Admin(begun), .. },
            Command::Issue { operation: Operation::Admin(ended), .. },
        ) => match (begun, ended) {
            (
                Admin::AddNode(node) | Admin::AddLearner(node) | Admin::AddNodes(node, _),
                Admin::RemoveNode(again),
            )
            | (Admin::RemoveNode(node), Admin::AddNode(again)) => node == again,
            (Admin::ReplaceNode { remove, add }, Admin::ReplaceNode { remove: back, add: again }) => {
                (remove, add) == (again, back)
            }
            _ => false,
        },
        _ => false,
    }
}

#[test]
fn what_is_aimed_is_taken_back_when_the_fault_ends() {
    use crate::service::{Admin, Operation};
    let needs_nothing = |command: &Command<Target>| {
        let lasting = [Admin::Snapshot, Admin::TransferLeadership(NodeId::new(0))];
        let lasting = lasting.map(|admin| std::mem::discriminant(&admin));
        match command {
            Command::Restart(_)
            | Command::Resume(_)
            | Command::Release { .. }
            | Command::Mend { .. }
            | Command::HealPartition(_) => true,
            Command::Issue { operation: Operation::Admin(admin), .. } => {
                lasting.contains(&std::mem::discriminant(admin))
            }
            _ => false,
        }
    };
    for seed in 0..20 {
        for drawn in candidates(&generator(5), seed) {
            let end = Aim::Offset(drawn.fault.duration);
            let ends: Vec<_> = drawn.fault.aimed.iter().filter(|aimed| aimed.at == end).collect();
            for aimed in drawn.fault.aimed.iter().filter(|aimed| aimed.at != end) {
                let is_undone = ends.iter().any(|ended| is_taken_back_by(&aimed.command, &ended.command));
                assert!(needs_nothing(&aimed.command) || is_undone, "{aimed:?} in {drawn:?}");
            }
        }
    }
}

#[test]
fn members_leave_and_spares_come_by_the_word_of_an_administrator() {
    let kind = crate::fault::table::find("membership-change").expect("it is listed");
    let spares = vec![NodeId::new(5), NodeId::new(6)];
    let generator = Generator {
        kinds: vec![(kind, Rate::new(1, Span::secs(1)))],
        spares: spares.clone(),
        admin_count: 1,
        ..generator(5)
    };
    let mut started = BTreeSet::new();
    for seed in 0..10 {
        let plan = generator.plan(&KeySource::new(seed));
        assert_eq!(plan.validate(7, 3), Ok(()));
        for entry in plan.entries() {
            match &entry.command {
                Command::Issue { client, .. } => assert_eq!(client.raw(), 2, "the administrator comes last"),
                Command::Restart(Target::Node(node)) => {
                    assert!(started.insert(*node) || spares.contains(node));
                }
                other => panic!("{other} changes no membership"),
            }
        }
    }
    assert!(spares.iter().all(|spare| started.contains(spare)), "{started:?}");
}

/// The names of the partitions that a fault makes.
fn partitions(drawn: &Drawn) -> Vec<u32> {
    let name = |command: &Command| match command {
        Command::Partition { name, .. } => Some(name.raw()),
        _ => None,
    };
    let mut names: Vec<u32> = drawn.fault.commands().filter_map(|(_, command)| name(command)).collect();
    names.dedup();
    names
}

/// Ten generations of plans of one kind or all, each bred from the one before and the first, where time is short.
fn breed_and_check(seed: u64, kind: Option<&'static dyn FaultKind>) {
    let all = generator(5);
    let kinds = kind.map_or(all.kinds.clone(), |kind| vec![(kind, Rate::new(2, Span::secs(1)))]);
    let (duration, end) = ((Span::millis(800), Span::secs(2)), SimTime::ZERO + Span::secs(6));
    let generator = Generator { kinds, down_max: 2, duration, end, ..all };
    let first = generator.draw(&KeySource::new(seed));
    let mut faults = first.clone();
    let mut stream = KeySource::new(seed).stream(Purpose::Search, 0, 0);
    for _ in 0..10 {
        faults = generator.breed(&faults, &first, &mut stream);
        let quiet = generator.end - generator.settle;
        for (place, drawn) in faults.iter().enumerate() {
            assert!(drawn.start > generator.start && drawn.end() <= quiet, "{drawn:?}");
            assert!(generator.fits(drawn, &faults[..place]), "{drawn:?}");
        }
        let names: Vec<u32> = faults.iter().flat_map(partitions).collect();
        let distinct: BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "two faults make a partition of the same name");
    }
}

/// A short fault was moved to near the end, and drawn anew there.
#[test]
fn a_fault_is_not_drawn_anew_where_no_time_is_left_for_it() {
    breed_and_check(11_340_202_070_796_640_642, None);
}

proptest! {
    #[test]
    fn the_same_seed_draws_the_same_plan(seed: u64) {
        let plan = |seed| generator(5).plan(&KeySource::new(seed));
        prop_assert_eq!(plan(seed), plan(seed));
        prop_assert_ne!(plan(seed), plan(!seed));
    }

    #[test]
    fn all_commands_lie_within_the_horizon_and_leave_its_end_quiet(seed: u64, start in 0..30_u64) {
        let start = SimTime::ZERO + Span::secs(start);
        let generator = Generator { start, ..generator(5) };
        let quiet = generator.end - generator.settle;
        for entry in generator.plan(&KeySource::new(seed)).entries() {
            match entry.trigger {
                Trigger::At(moment) => prop_assert!(moment.time > start && moment.time <= quiet, "{}", entry),
                Trigger::After { since, until, .. } | Trigger::Before { since, until, .. } => {
                    prop_assert!(since > start && until <= quiet && since < until, "{}", entry);
                }
            }
        }
    }

    /// Of one kind, or of all.
    #[test]
    fn a_bred_plan_keeps_the_limits_of_a_drawn_one(seed: u64, index in 0..2 * KINDS.len()) {
        breed_and_check(seed, KINDS.get(index).copied());
    }

    #[test]
    fn what_begins_also_ends(seed: u64, node_count in 1..8_u32) {
        for drawn in candidates(&generator(node_count), seed) {
            let commands: Vec<_> = drawn.fault.commands().collect();
            prop_assert!(commands.is_sorted_by_key(|(offset, _)| *offset), "{:?}", drawn);
            for begun in &drawn.fault.begin {
                let later = drawn.fault.during.iter().map(|(_, command)| command).chain(&drawn.fault.end);
                let is_undone = later.into_iter().any(|ended| is_undone_by(begun, ended));
                prop_assert!(is_damage(begun) || is_undone, "{} is never undone in {:?}", begun, drawn);
            }
        }
    }

    #[test]
    fn a_majority_stays_up_and_faults_stay_apart(seed: u64, node_count in 1..8_u32) {
        let generator = generator(node_count);
        let faults = draw(&generator, seed);
        for (index, drawn) in faults.iter().enumerate() {
            let earlier = &faults[..index];
            let holding = || earlier.iter().filter(|other| other.end() >= drawn.start).chain([drawn]);
            prop_assert!(holding().count() <= generator.concurrent_max as usize);
            let down: usize = holding().map(|other| other.fault.down_count()).sum();
            prop_assert!(down <= (node_count as usize - 1) / 2, "{} are down at once", down);
            for other in earlier.iter().filter(|other| other.concerns_part_of(drawn)) {
                let rest = drawn.start.since(other.end());
                prop_assert!(rest > generator.gap, "{} rests {} before {:?}", other.kind, rest, drawn);
            }
        }
    }

    #[test]
    fn turning_a_kind_off_leaves_the_others_as_they_were(seed: u64, index in 0..KINDS.len()) {
        let name = KINDS[index].about().name;
        for selection in [Selection::All, Selection::Swarm] {
            let all = Generator { selection, ..generator(5) };
            let off = Generator { off: vec![name.to_owned()], ..all.clone() };
            prop_assert!(draw(&off, seed) == without(draw(&all, seed), name), "without {}", name);
        }
    }

    #[test]
    fn no_fault_depends_on_another_kind_being_listed(seed: u64, index in 0..KINDS.len()) {
        let all = generator(5);
        let mut fewer = all.clone();
        let (removed, _) = fewer.kinds.remove(index);
        fewer.kinds.reverse();
        let expected = without(candidates(&all, seed), removed.about().name);
        prop_assert!(candidates(&fewer, seed) == expected, "without {}", removed.about().name);
    }
}
