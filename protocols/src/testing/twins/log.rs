//! The log: what its mutants break, seen by invariants and by their twins.

use sim_core::Span;
use sim_core::random::{Distribution, Probability};
use sim_core::service::{Operation, log};

use super::super::faults::random_fault;
use super::super::{Script, world};
use super::harassment::{leader, trouble_by};
use super::{Difference, Expected, compare};
use crate::log::{Config, Guarantee, Mutant, invariants};
use crate::switch::Switch;

/// What only the invariants see.
const HISTORY: &[Difference] = &[
    ("aborted-unread", "what a reader was shown: the twin asks what copies take for committed"),
    ("acknowledged-kept", "what is acknowledged before its leader counts it as committed"),
    ("clean-election", "who was in sync before the leader was chosen"),
    ("exactly-once", "a record without a result: the twin looks for a second one"),
    ("idempotence", "what another leader has committed, and this one has not"),
    ("log-matching", "a record that is cut off since, or of a broker that is down"),
    ("one-leader-an-epoch", "who has led before"),
    ("raft-safety", "what replicas have sent before it was on disk, as with Raft"),
    ("reads-committed", "what a client was shown"),
    ("single-owner", "who said how far a partition is handled: the twin asks whose it is"),
    (
        "transaction-atomicity",
        "a transaction that is over without all its markers: the twin asks whether those that there are differ",
    ),
];

/// What their twins see before them.
const STATE: &[Difference] = &[
    ("committed-stays", "what an earlier leader commits when a later one leads, before that commits"),
    ("exactly-once", "a second result that is written when the end is decided, and before the marker"),
    ("in-sync-has-all", "one in sync who lacks something, before the leader commits more"),
    ("last-stable-offset", "a copy whose records say that something is open, as its marker is gone"),
    (
        "no-hanging-transaction",
        "a record after the marker that the coordinator, which is not done yet, still knows of",
    ),
    ("producer-fencing", "a record after the marker of a newer epoch, before that transaction is over"),
    ("reads-committed", "a copy that takes more for committed than any leader, before a client reads"),
];

const EXPECTED: Expected = Expected {
    history_only: HISTORY,
    state_first: STATE,
    both: &[
        "acknowledged-kept",
        "bounded",
        "committed-stays",
        "compaction",
        "effect-once",
        "effects-in-order",
        "idempotence",
        "in-sync-has-all",
        "kept-is-handled",
        "no-hanging-transaction",
        "producer-fencing",
    ],
};

/// What a log is used for.
#[derive(Clone, Copy, Debug)]
enum Use {
    /// Clients alone append and read.
    Clients,
    /// The same, and there are three controllers.
    Quorum,
    /// A group handles what they append, and promises this.
    Group(Guarantee),
    /// Clients append and read, and what is old goes.
    Retained,
    /// A group has transactions, and what it keeps is compacted.
    Compacted,
}

const USES: [Use; 8] = [
    Use::Clients,
    Use::Quorum,
    Use::Group(Guarantee::AtLeastOnce),
    Use::Group(Guarantee::AtMostOnce),
    Use::Group(Guarantee::EffectivelyOnce),
    Use::Group(Guarantee::Transactional),
    Use::Retained,
    Use::Compacted,
];

/// Where a bug can do harm.
fn use_for(mutant: Mutant, round: u64) -> Use {
    let is_odd = round % 2 == 1;
    match mutant {
        Mutant::TruncateToHighWatermark
        | Mutant::ReadPastHighWatermark
        | Mutant::UncleanElection
        | Mutant::SequencesForgotten
        | Mutant::AckByLeaderAlone
        | Mutant::ShrinksAlone
        | Mutant::JoinsTooEarly
        | Mutant::StaleChangeAccepted
        | Mutant::EpochReused
        | Mutant::FetchBeforeFlush
        | Mutant::LeaderCountsUnflushed
        | Mutant::MinInsyncIgnored => Use::Clients,
        Mutant::VoteNotPersisted | Mutant::AckBeforeFsync => Use::Quorum,
        Mutant::CommitPosition
        | Mutant::CommitHighestDone
        | Mutant::ZombieCommit
        | Mutant::AssignBeforeRevoke
        | Mutant::BacklogCountsAsOne
        | Mutant::BacklogUnbounded
        | Mutant::FailureSkipped => Use::Group(Guarantee::AtLeastOnce),
        Mutant::ProcessBeforeCommit => Use::Group(Guarantee::AtMostOnce),
        Mutant::InboxForgotten => Use::Group(Guarantee::EffectivelyOnce),
        Mutant::NoEpochFence
        | Mutant::ReadPastStable
        | Mutant::HangingTransaction
        | Mutant::RetryRenumbered => Use::Group(Guarantee::Transactional),
        Mutant::CleanPastHighWatermark if is_odd => Use::Retained,
        Mutant::CleanPastHighWatermark | Mutant::MarkersCompacted => Use::Compacted,
    }
}

/// One controller or three and three brokers, where there is a group also two consumers and their store; times suit a network
/// of milliseconds.
fn config(of: Use, mutant: Option<Mutant>) -> Config {
    let (nodes, consumers, guarantee) = match of {
        Use::Clients | Use::Retained => (4, 0, Guarantee::AtLeastOnce),
        Use::Quorum => (6, 0, Guarantee::AtLeastOnce),
        Use::Group(guarantee) => (7, 2, guarantee),
        Use::Compacted => (7, 2, Guarantee::Transactional),
    };
    let (is_retained, is_compacted) = (matches!(of, Use::Retained), matches!(of, Use::Compacted));
    Config {
        controllers: if matches!(of, Use::Quorum) { 3 } else { 1 },
        replication: 3,
        min_insync: 2,
        heartbeat: Span::millis(30),
        session_timeout: Span::millis(100),
        lag_max: Span::millis(80),
        fetch_wait: Span::millis(20),
        fetch_max: 20,
        rebalance: Span::millis(200),
        consumers,
        guarantee,
        commit_interval: Span::millis(20),
        group_heartbeat: Span::millis(20),
        group_session: Span::millis(80),
        rebalance_timeout: Span::millis(100),
        poll_interval: Span::millis(5),
        call_timeout: Span::millis(20),
        transaction_timeout: Span::millis(150),
        service: Distribution::uniform(Span::millis(1), Span::millis(10)).expect("a valid range"),
        workers: if mutant == Some(Mutant::CommitHighestDone) { 3 } else { 1 },
        backlog_max: if mutant == Some(Mutant::BacklogUnbounded) { 5 } else { 500 },
        failure: Probability::from_ratio(1, 10).expect("a valid ratio"),
        failure_pause: Span::millis(30),
        retention_records: is_retained.then_some(8),
        compaction: if is_compacted { Switch::On } else { Switch::Off },
        clean_interval: Span::millis(40),
        mutant,
        ..Config::new(nodes)
    }
}

/// Clients that append to two partitions, and read what there is.
fn clients() -> Vec<Script> {
    let step = |client: u64, round: u64| {
        let partition = u32::try_from(round % 2).expect("small");
        let asked = match round % 5 {
            4 => log::Operation::Poll { partition, offset: round / 4 },
            _ => log::Operation::Append { partition, value: 1_000 * client + round },
        };
        (Span::millis(5), Operation::Log(asked))
    };
    (1..=3).map(|client| Script((0..100).map(|round| step(client, round)).collect())).collect()
}

#[test]
fn invariants_and_their_twins_find_the_same_in_mutants() {
    compare(Mutant::ALL, 8, &EXPECTED, |run, found| {
        let right = USES[usize::try_from(run.round % 8).expect("small")];
        let used = run.mutant.map_or(right, |mutant| use_for(mutant, run.round));
        let config = config(used, run.mutant);
        let invariants = found.pair(invariants::all(&config));
        let mut world = world(run.seed, config.node_count, config, clients(), invariants);
        trouble_by(&mut world, run.seed, 25, |world, stream| random_fault(world, stream, leader(world)))
    });
}
