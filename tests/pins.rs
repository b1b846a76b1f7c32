//! Seeds that once caught the rare mutants, found by `splitbrain mutants`: they must go on doing so. A change that alters
//! digests may need others; the command finds them.

use protocols::mutant::MutantAbout;
use scenarios::text::Override;
use scenarios::{ProtocolTable, Report, RunOptions, library, load, run};

/// The mutant with its protocol, the scenario, the seed.
const PINS: &[(&str, &str, u64)] = &[
    ("epidemic/stamps-behind-the-buried", "epidemic/random-clocks", 6),
    ("log/backlog-counts-as-one", "log/catching-up", 0),
    ("paxos/lease-released-early", "paxos/random-lease-restarts", 54),
    ("paxos/master-lease-no-drift", "paxos/random-leases", 27),
    // The book shows this one.
    ("raft/commit-prior-term", "raft/random-elections", 2),
    ("raft/lease-from-receipt", "raft/random-leases", 2_384_027_633_145_304),
    ("raft/lease-ignores-drift", "raft/random-leases", 5_099_540_185_409_965),
    ("raft/lease-kept-on-transfer", "raft/random-transfers", 4_164_467_365_886_927),
    ("raft/prevote-bumps-term", "raft/random-rejoin", 528_761_221_279_948),
    ("raft/snapshot-discards-suffix", "raft/random-stragglers", 4_840_380_603_275_761),
    ("raft/stale-ack", "raft/random-transfers", 3_483_925_234_985_070),
    ("raft/timer-reset-on-any-request-vote", "raft/random-majority", 4_205_101_058_649_694),
    ("synod/ballot-reuse-on-retry", "synod/random-duels", 293),
    ("vrr/published-recovery", "vrr/random-promises", 2_000_094),
    ("vrr/recovery-without-nonce", "vrr/random-relapses", 5_041),
    // An assertion of the protocol finds it.
    ("vrr/requests-after-reconfiguration", "vrr/random-members", 0),
    ("synod/accept-no-bump", "synod/random-swarm", 7_790_426_040_224_518),
    ("synod/learner-by-value", "synod/random-slow-disks", 4_068_343_214_287_367),
    ("synod/promise-mix", "synod/random-swarm", 1_405_172_805_266_219),
];

/// Seeds with which a right protocol once failed: the scenario, the seed.
const MENDED: &[(&str, u64)] = &[
    // An answer to a read of before passed for that to another read.
    ("raft/random-elections", 1_092_957_088_860_784),
    // A leader answered a client by what another leader had had decided in its slot.
    ("paxos/random-members", 3_877_402_055_801_602),
    // n4 was the last acceptor that was left, and nobody whom the clients asked knew that it led.
    ("paxos/random-members", 249),
    // A new leader filled slots with no-ops that an acceptor of later slots knew to be decided.
    ("paxos/random-members", 2_133),
    // A new leader answered a read before it knew what acceptors of later slots had decided under the leader before.
    ("paxos/random-members", 320),
    ("paxos/random-members", 984),
    // Members who were still on their way into an epoch did not count as having left it, so the next one never began.
    ("vrr/random-members", 7_558_771_044_574_686),
    // Nor did a member who had missed an epoch and heard at once of the next.
    ("vrr/random-members", 9_001_559),
    // A clock was set right twice while its node was down, and had timers with a payload.
    ("lock/random-swarm", 5_876_553_166_177_247),
    // A deletion took longer to get to the disk than its certificate is active, and left nothing behind.
    ("epidemic/random-swarm", 112),
    // A certificate was awakened by a clock that had been set back, and was no news to anybody.
    ("epidemic/random-swarm", 412),
    // An answer that the full disk had no room for made the coordinator forget what the client had asked for since: done twice.
    ("two-phase-commit/random-swarm", 3_525),
    // A participant crashed between writing its yes and telling it, and told it without saying so when it was asked again.
    ("two-phase-commit/random-swarm", 8_974),
    // A read was voted for whose hold had ended: a copy that came late had begun another, and the balances were others by then.
    ("two-phase-commit/random-reads", 322),
    ("two-phase-commit/random-reads", 461),
    // A member crashed in the event with which it left, and was judged by the size of the group that it listed no more.
    ("swim/random-swarm", 3_121),
    // A consumer took the answer to what it had asked when it had the partition before, and worked without having begun.
    ("log/random-transactions", 9_551),
    ("log/random-transactions", 9_663),
    // The last record in hand failed when a transaction was to end, and nobody saw to its end any more.
    ("log/random-compaction", 4_068),
    // A follower began where its leader's log begins, before what it had cut off was off its disk: a crash brought that back.
    ("log/random-retention", 9_951),
    // A worker was fenced by a faster one of the same consumer, which had gone on into a later generation with the partition: its
    // record was never done.
    ("log/group-of-five", 19),
    ("log/random-compaction", 35),
    ("log/random-group", 39),
    // A member gave partitions up while a worker had yet to end: that it wanted to say so was forgotten with the answer to what it had
    // asked before, and nobody got them.
    ("log/random-group", 4_318),
    // An outbox grew beside a queue that stood empty: rows for which there had been no room waited for the timer.
    ("queue/random-outbox", 3),
    // A new server that was handed over to stayed without a lease, for the one before it had failed, and SWIM had it down as alive.
    ("chain/random-swim", 136),
    // A server left and began a new life at one instant: the master took the life before for the later one, and removed it.
    ("chain/random-swim", 1_634),
    // A consumer with credit was passed over for good when the log had no room for its delivery.
    ("queue/random-quorum", 5_713),
    // What was due at the leader and had no room in its log was due again at once, for ever, and time stood still.
    ("queue/random-quorum", 100),
    // A leader that had been replaced came into office, without what its successor had: that is no loss.
    ("queue/random-quorum", 546),
];

/// Runs that `splitbrain shrink` made of failures of mutants: the file in `tests/shrunk/`, the seed.
const SHRUNK: &[(&str, u64)] =
    &[("commit-prior-term", 141), ("lease-ignores-drift", 119), ("lost-write", 231), ("own-value", 2)];

fn report(scenario: &str, seed: u64, set: &[String]) -> Report {
    let table = ProtocolTable::builtin();
    let entry = library::find(scenario).unwrap_or_else(|| panic!("the library has no `{scenario}`"));
    let overrides = set.iter().map(|text| Override::parse(text)).collect::<Result<Vec<_>, _>>();
    let overrides = overrides.expect("a path and a value");
    let loaded = load(entry.path, entry.text.as_bytes(), &overrides, &table);
    run(&loaded.unwrap_or_else(|error| panic!("{error}")), &table, seed, &RunOptions::default()).report
}

fn about(mutant: &str) -> MutantAbout {
    let (protocol, name) = mutant.split_once('/').expect("a mutant is named with its protocol");
    let table = ProtocolTable::builtin();
    let all =
        table.find(protocol).unwrap_or_else(|| panic!("there is no protocol `{protocol}`")).about().mutants;
    all.into_iter()
        .find(|about| about.name == name)
        .unwrap_or_else(|| panic!("there is no mutant `{mutant}`"))
}

#[test]
fn pinned_seeds_catch_their_mutants_and_pass_without_them() {
    for (mutant, scenario, seed) in PINS {
        let about = about(mutant);
        let caught = report(scenario, *seed, &[format!("protocol.mutant={}", about.name)]);
        assert_eq!(caught.exit_code, 1, "{mutant} in {scenario} with seed {seed}: {}", caught.verdict);
        let property = &caught.violations[0].property;
        assert!(about.breaks.contains(&property.as_str()), "{mutant} is not known to break {property}");
        let right = report(scenario, *seed, &[]);
        assert_eq!(right.exit_code, 0, "{scenario} with seed {seed}: {}", right.verdict);
    }
}

#[test]
fn seeds_that_once_broke_a_right_protocol_pass() {
    for (scenario, seed) in MENDED {
        let report = report(scenario, *seed, &[]);
        assert_eq!(report.exit_code, 0, "{scenario} with seed {seed}: {}", report.verdict);
    }
}

#[test]
fn shrunk_failures_are_of_their_mutants_alone() {
    let table = ProtocolTable::builtin();
    for (mutant, seed) in SHRUNK {
        let file = format!("{}/tests/shrunk/{mutant}.ron", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let report = |set: &[Override]| {
            let loaded = load(&file, &text, set, &table).unwrap_or_else(|error| panic!("{error}"));
            run(&loaded, &table, *seed, &RunOptions::default()).report
        };
        let failed = report(&[]);
        assert_eq!(failed.exit_code, 0, "{mutant}: {}", failed.verdict);
        let right = report(&[Override::parse("protocol.mutant=None").expect("a path and a value")]);
        assert!(right.violations.is_empty(), "without {mutant}: {:?}", right.violations);
    }
}
