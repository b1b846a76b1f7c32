//! The replicated database in whole worlds.

use sim_core::disk::DiskFault;
use sim_core::fault::{Command, LinkFault};
use sim_core::random::Probability;
use sim_core::service::{Operation, kv};
use sim_core::{Process, Span, World};

use super::*;
use crate::testing::clients::op;
use crate::testing::{self, Script};

/// Writes and deletions under three keys.
fn updates(client: u64, steps: u64) -> Script {
    let step = |ordinal: u64| {
        let key = Key(u32::try_from((client + ordinal) % 3).expect("small"));
        match ordinal % 4 {
            0 => op(7, kv::Operation::Delete(key)),
            _ => op(7, kv::Operation::Write(key, client * 1_000_000 + ordinal)),
        }
    };
    Script((1..=steps).map(step).collect())
}

fn world(seed: u64, config: Config) -> World<Epidemic> {
    let scripts = (1..=3).map(|client| updates(client, 40)).collect();
    testing::world(seed, config.node_count, config, scripts, invariants::all(&config))
}

fn all_kinds() -> impl Iterator<Item = Config> {
    let flows = [Flow::Push, Flow::Pull, Flow::PushPull];
    let comparisons = [
        Comparison::Full,
        Comparison::Checksum,
        Comparison::Recent(Span::millis(200)),
        Comparison::Merkle(1),
        Comparison::Merkle(6),
    ];
    flows.into_iter().flat_map(move |flow| {
        comparisons.map(|comparison| Config {
            mail: Mail::Off,
            anti_entropy: Some(AntiEntropy { period: Span::millis(20), flow, comparison }),
            ..Config::new(6)
        })
    })
}

/// What those that run do not agree on.
fn disagreement(world: &World<Epidemic>) -> Option<String> {
    let all: Vec<NodeId> = world.nodes().running().map(|(node, _)| node).collect();
    Epidemic::disagreement(&world.nodes(), &all)
}

#[test]
fn anti_entropy_alone_brings_everything_everywhere_whatever_the_kind() {
    for config in all_kinds() {
        let mut world = world(5, config);
        testing::run(&mut world, Span::secs(4));
        assert_eq!(world.history().open_count(), 0, "{config:?}");
        assert_eq!(disagreement(&world), None, "{config:?}");
        let sites = world.nodes();
        assert!(sites.running().all(|(_, site)| site.database().len() == 3), "{config:?}");
    }
}

#[test]
fn loss_duplication_and_crashes_break_no_rule() {
    for (seed, config) in (1..).zip(all_kinds()) {
        let mut world = world(seed, Config { mail: Mail::Direct, ..config });
        let ratio = |numerator| Probability::from_ratio(numerator, 10).expect("valid");
        world.apply(Command::AllLinks(LinkFault::Loss(Some(ratio(3)))));
        world.apply(Command::AllLinks(LinkFault::Duplicate(Some(ratio(3)))));
        for node in [0, 3, 1, 5] {
            testing::run(&mut world, Span::millis(90));
            world.apply(Command::Crash(NodeId::new(node)));
            testing::run(&mut world, Span::millis(60));
            world.apply(Command::Restart(NodeId::new(node)));
        }
        world.apply(Command::AllLinks(LinkFault::Loss(None)));
        testing::run(&mut world, Span::secs(20));
        assert_eq!((world.history().open_count(), disagreement(&world)), (0, None), "{config:?}");
    }
}

#[test]
fn without_anti_entropy_what_mail_loses_stays_lost() {
    let config = Config { anti_entropy: None, ..Config::new(6) };
    let mut world = world(5, config);
    world.apply(Command::AllLinks(LinkFault::Loss(Some(Probability::from_ratio(1, 2).expect("valid")))));
    testing::run(&mut world, Span::secs(4));
    assert!(disagreement(&world).is_some());
}

#[test]
fn a_site_that_was_away_does_not_bring_back_the_dead_while_a_certificate_is_dormant() {
    let certificates =
        Certificates { active: Span::millis(200), dormant: Span::secs(60), retention_sites: 2 };
    for seed in 1..20 {
        let config = Config { certificates, ..Config::new(5) };
        let script =
            Script(vec![op(1, kv::Operation::Write(Key(1), 7)), op(300, kv::Operation::Delete(Key(1)))]);
        let mut world = testing::world(seed, 5, config, vec![script], invariants::all(&config));
        testing::run(&mut world, Span::millis(200));
        world.apply(Command::Crash(NodeId::new(4)));
        testing::run(&mut world, Span::secs(2));
        let buried = world.nodes().running().all(|(_, site)| site.database().is_empty());
        assert!(buried, "seed {seed}: after ten times τ1 nobody compares the certificate");
        world.apply(Command::Restart(NodeId::new(4)));
        testing::run(&mut world, Span::millis(1));
        assert_eq!(
            world.process(NodeId::new(4)).map(|site| site.database().len()),
            Some(1),
            "it has the value"
        );
        testing::run(&mut world, Span::secs(5));
        assert_eq!(disagreement(&world), None);
        let deleted = world
            .nodes()
            .running()
            .all(|(_, site)| site.database().get(Key(1)).is_none_or(Item::is_certificate));
        assert!(deleted, "seed {seed}");
        assert!(world.points()[Point::Awakened as usize].1 > 0, "seed {seed}: no certificate was awakened");
    }
}

#[test]
fn a_deletion_that_every_site_has_had_comes_back_nowhere_whatever_crashes_afterwards() {
    let certificates = Certificates { active: Span::millis(200), dormant: Span::ZERO, retention_sites: 0 };
    let late = NodeId::new(3);
    let disk = |fault| Command::Disk { node: late, fault };
    let has_value = |site: &Epidemic| site.database().get(Key(1)).is_some_and(|item| !item.is_certificate());
    let mut heard_of = 0;
    for seed in 1..=24 {
        let config = Config { certificates, ..Config::new(4) };
        let script =
            Script(vec![op(1, kv::Operation::Write(Key(1), 7)), op(100, kv::Operation::Delete(Key(1)))]);
        let mut world = testing::world(seed, 4, config, vec![script], invariants::all(&config));
        testing::run(&mut world, Span::millis(90));
        world.apply(disk(DiskFault::Stall));
        testing::run(&mut world, Span::millis(60));
        if seed % 2 == 0 {
            world.apply(disk(DiskFault::Unstall));
            testing::run(&mut world, Span::millis(50));
        }
        let is_heard_of = world.nodes().running().all(|(_, site)| !has_value(site));
        world.apply(Command::Crash(late));
        world.apply(disk(DiskFault::Unstall));
        testing::run(&mut world, Span::secs(2));
        assert!(
            world.nodes().running().all(|(_, site)| site.database().is_empty()),
            "seed {seed}: it is forgotten"
        );
        world.apply(Command::Restart(late));
        testing::run(&mut world, Span::secs(5));
        let is_back = world.nodes().running().any(|(_, site)| has_value(site));
        assert_eq!(is_back, !is_heard_of, "seed {seed}: it comes from a site that had not heard of it");
        assert!(seed % 2 == 0 || !is_heard_of, "seed {seed}: a site whose disk stalls has heard of nothing");
        heard_of += u32::from(is_heard_of);
    }
    assert!(heard_of >= 10, "{heard_of} of 24 deletions had been heard of everywhere");
}

#[test]
fn what_is_no_kv_operation_or_compares_is_refused() {
    let compare = kv::Operation::CompareAndSet { key: Key(1), expected: 1, value: 2 };
    let script = Script(vec![op(1, compare), (Span::millis(1), Operation::Echo(7))]);
    let config = Config::new(2);
    let mut world = testing::world(1, 2, config, vec![script], invariants::all(&config));
    testing::run(&mut world, Span::secs(2));
    let refused = sim_core::service::Outcome::Refused(sim_core::service::Refusal::Unsupported);
    assert_eq!(testing::clients::outcomes(&world), [refused.clone(), refused]);
}

#[test]
fn two_differences_in_the_same_bits_cancel_out_for_the_mutant_alone() {
    use super::item::{Timestamp, Version};
    let site = NodeId::new(0);
    let item = |(key, at): (u32, u64)| {
        let written = Timestamp { at: Moment(at), site };
        Item {
            key: Key(key),
            value: Some(at),
            version: Version { written, activated: Moment(at) },
            retention: site,
        }
    };
    let root = |mutant: Option<Mutant>, items: [(u32, u64); 2]| {
        let mut database = Database::new(0, mutant);
        items.map(item).into_iter().for_each(|item| database.put(item));
        database.root()
    };
    let (old, new, half) = ([(1, 8), (2, 12)], [(1, 9), (2, 13)], [(1, 9), (2, 12)]);
    assert_ne!(root(None, old), root(None, new));
    let mutant = Some(Mutant::XorOfTimestamps);
    assert_eq!(root(mutant, old), root(mutant, new), "8 ^ 12 is 9 ^ 13");
    assert_ne!(root(mutant, old), root(mutant, half), "one alone shows");
}

/// Whether a site with this configuration takes a message.
fn takes(config: Config, message: &Message) -> bool {
    let site = <Epidemic as sim_core::Process>::boot(&config, NodeId::new(0));
    std::panic::catch_unwind(|| site.refuse_impossible(NodeId::new(1), message)).is_ok()
}

#[test]
fn what_nobody_sends_in_a_configuration_is_refused() {
    use super::config::{AntiEntropy, Comparison, Flow};
    let usual = Config::new(3);
    let flow = Flow::PushPull;
    let with = |comparison| {
        let period = Span::millis(100);
        Config { anti_entropy: Some(AntiEntropy { period, flow, comparison }), ..usual }
    };
    let summary = super::message::Summary { flow, items: [].into(), checksum: 7 };
    let root = super::database::Branch::ROOT;
    let versions = Message::Versions { flow, below: [root].into(), versions: [].into() };
    let several = Message::Versions { flow, below: [root, root].into(), versions: [].into() };
    let tree = Message::Tree { flow, nodes: [].into() };
    let updates = Message::Updates { items: [].into(), wanted: [].into() };
    let messages =
        [Message::Recent(summary.clone()), Message::Differs(summary), tree, versions, several, updates];
    for (config, allowed) in [
        (Config { anti_entropy: None, ..usual }, [false; 6]),
        (with(Comparison::Full), [false, false, false, true, false, true]),
        (with(Comparison::Checksum), [true, true, false, true, false, true]),
        (with(Comparison::Recent(Span::secs(1))), [true, true, false, true, false, true]),
        (with(Comparison::Merkle(6)), [false, false, true, true, true, true]),
    ] {
        assert_eq!(
            messages.each_ref().map(|message| takes(config, message)),
            allowed,
            "{:?}",
            config.anti_entropy
        );
    }
}

#[test]
#[should_panic(expected = "n1, with Direct mail and None, was sent Tree")]
fn a_panic_names_the_message_and_the_configuration() {
    let config = Config { anti_entropy: None, ..Config::new(3) };
    let site = <Epidemic as sim_core::Process>::boot(&config, NodeId::new(0));
    let flow = super::config::Flow::Push;
    site.refuse_impossible(NodeId::new(1), &Message::Tree { flow, nodes: [].into() });
}
