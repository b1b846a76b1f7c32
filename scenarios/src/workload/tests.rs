use sim_core::service::{LAST_TICKET, broadcast, kv, queue};
use sim_core::world::Workload as _;

use super::*;

fn source(workload: &str, clients: &str, seed: u64) -> Arc<WorkloadSource> {
    let workload: Workload = ron::from_str(workload).expect("a workload");
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let clients: Clients = options.from_str(clients).expect("clients");
    WorkloadSource::new(&workload, &clients, seed)
}

fn steps(source: &WorkloadSource, client: u32, count: u32) -> Vec<WorkloadStep> {
    (0..count).filter_map(|ordinal| source.step(ClientId::new(client), ordinal)).collect()
}

#[test]
fn an_operation_depends_on_seed_client_and_ordinal_alone() {
    let (few, many) = (source("Kv()", "(count: 2)", 7), source("Kv()", "(count: 9)", 7));
    assert_eq!(steps(&few, 1, 50), steps(&many, 1, 50));
    assert_ne!(steps(&few, 0, 50), steps(&few, 1, 50));
    assert_ne!(steps(&few, 0, 50), steps(&source("Kv()", "(count: 2)", 8), 0, 50));
    assert_eq!(few.step(ClientId::new(0), 30).as_ref(), steps(&few, 0, 50).get(30));
}

#[test]
fn every_value_written_is_unique() {
    let source = source("Kv(reads: 0)", "(count: 3)", 1);
    let all = (0..3).flat_map(|client| steps(&source, client, 200));
    let mut values: Vec<u64> = all
        .filter_map(|step| match step.operation {
            Operation::Kv(kv::Operation::Write(_, value) | kv::Operation::CompareAndSet { value, .. }) => {
                Some(value)
            }
            _ => None,
        })
        .collect();
    assert_eq!(values.len(), 600);
    values.sort_unstable();
    values.dedup();
    assert_eq!(values.len(), 600, "some value was written twice");
}

#[test]
fn the_ratios_are_kept() {
    let source = source("Kv(reads: 0.8, compare_and_set: 0)", "()", 3);
    let reads = steps(&source, 0, 1_000).into_iter();
    let reads = reads.filter(|step| matches!(step.operation, Operation::Kv(kv::Operation::Read(_)))).count();
    assert!((760..840).contains(&reads), "{reads} of 1,000 are reads");
}

/// How often each of ten keys comes in so many operations.
fn key_counts(source: &WorkloadSource, count: u32) -> [u32; 10] {
    let mut counts = [0; 10];
    for step in steps(source, 0, count) {
        let Operation::Kv(operation) = step.operation else { panic!("a kv operation") };
        counts[operation.key().0 as usize] += 1;
    }
    counts
}

#[test]
fn a_zipf_workload_prefers_the_first_keys() {
    let source = source("Kv(reads: 1, keys: 10, skew: Zipf())", "()", 3);
    let counts = key_counts(&source, 2_000);
    assert!(counts[0] > counts[1] && counts[1] > counts[4] && counts[9] > 0, "{counts:?}");
}

#[test]
fn zipf_keys_come_as_often_as_the_law_says() {
    let source = source("Kv(reads: 1, keys: 10, skew: Zipf(exponent: 1))", "()", 3);
    let counts = key_counts(&source, 29_290);
    // The weights 1/k of ten keys add up to 2.929, so that the k-th key comes 10,000 / k times of 29,290.
    for (rank, count) in (1..).zip(counts) {
        let expected = 10_000 / rank;
        assert!(count.abs_diff(expected) < 4 * expected.isqrt(), "key {rank}: {count}, not about {expected}");
    }
}

#[test]
fn a_steeper_exponent_prefers_the_first_key_more() {
    let first = |exponent: &str| {
        let workload = format!("Kv(reads: 1, keys: 10, skew: Zipf(exponent: {exponent}))");
        let source = source(&workload, "()", 3);
        let keys = steps(&source, 0, 1_000).into_iter();
        keys.filter(|step| step.operation == Operation::Kv(kv::Operation::Read(sim_core::service::Key(0))))
            .count()
    };
    assert!((60..140).contains(&first("0")), "an exponent of 0 is uniform");
    assert!(first("0.5") < first("1") && first("1") < first("2.5"));
}

#[test]
fn deletions_come_as_often_as_asked_for_and_shift_nothing_else() {
    let (some, none) = (source("Kv(deletes: 0.5)", "()", 3), source("Kv()", "()", 3));
    let mut deletions = 0;
    for (with, without) in steps(&some, 0, 500).into_iter().zip(steps(&none, 0, 500)) {
        match (with.operation, without.operation) {
            (Operation::Kv(kv::Operation::Delete(key)), Operation::Kv(kv::Operation::Write(other, _))) => {
                assert_eq!(key, other);
                deletions += 1;
            }
            (with, without) => assert_eq!(with, without),
        }
    }
    assert!((70..170).contains(&deletions), "{deletions} deletions");
}

#[test]
fn broadcasts_are_unique_and_reads_as_often_as_asked_for() {
    let source = source("Broadcast(reads: 0.25)", "(count: 2)", 3);
    let all = (0..2).flat_map(|client| steps(&source, client, 500)).map(|step| step.operation);
    let sent = |operation| match operation {
        Operation::Broadcast(broadcast::Operation::Send(value)) => Some(value),
        _ => None,
    };
    let sent: Vec<u64> = all.filter_map(sent).collect();
    assert!((700..800).contains(&sent.len()), "{} of 1,000 are no reads", sent.len());
    assert_eq!(sent.iter().collect::<std::collections::BTreeSet<_>>().len(), sent.len());
}

#[test]
fn the_lock_is_taken_and_given_back_by_turns() {
    use sim_core::service::lock;
    let source = source("Lock(kept: 0.25)", "()", 3);
    let all = steps(&source, 0, 1_000).into_iter().map(|step| step.operation);
    let release = Operation::Lock(lock::Operation::Release { token: LAST_TICKET });
    let releases: Vec<usize> = all.enumerate().filter(|(_, one)| *one == release).map(|(at, _)| at).collect();
    assert!(releases.iter().all(|at| at % 2 == 1), "it is taken first");
    assert!((330..420).contains(&releases.len()), "{} of 500 turns", releases.len());
}

#[test]
fn money_moves_between_accounts_that_there_are() {
    use sim_core::service::transfer;
    let source = source("Transfer(reads: 0.5, accounts: 3, amount_max: 7)", "()", 3);
    let mut moves = 0;
    for step in steps(&source, 0, 1_000) {
        let Operation::Transfer(operation) = step.operation else { panic!("a transfer operation") };
        if let transfer::Operation::Move { from, to, amount } = operation {
            moves += 1;
            assert!(from < 3 && to < 3 && (1..=7).contains(&amount), "{operation}");
        }
    }
    assert!((450..550).contains(&moves), "{moves} of 1,000 move money");
}

#[test]
fn messages_are_unique_and_what_is_taken_as_often_as_asked_for_is_acknowledged_next() {
    let all = steps(&source("Queue(dequeues: 0.25)", "(count: 2)", 3), 1, 1_000);
    let sent = all.iter().filter_map(|step| match step.operation {
        Operation::Queue(queue::Operation::Enqueue(value)) => Some(value),
        _ => None,
    });
    let sent: std::collections::BTreeSet<u64> = sent.collect();
    assert!((700..800).contains(&sent.len()), "{} of 1,000 are sent", sent.len());
    let last = Operation::Queue(queue::Operation::Acknowledge { receipt: LAST_TICKET });
    for pair in all.chunks(2) {
        let takes = pair[0].operation == Operation::Queue(queue::Operation::Dequeue);
        assert_eq!(takes, pair[1].operation == last, "{pair:?}");
    }
}

#[test]
fn a_client_may_think_by_a_distribution() {
    let source = source("Queue()", "(think: \"exponential(10ms)\")", 3);
    let waits = steps(&source, 0, 1_000).into_iter().map(|step| match step.start {
        Start::After(wait) => wait.as_nanos(),
        Start::At(_) => panic!("a closed loop"),
    });
    let waits: Vec<u64> = waits.collect();
    let short = waits.iter().filter(|wait| **wait < 10_000_000).count();
    assert!((590..680).contains(&short), "{short} of 1,000 are below the mean, of which 632 are expected");
    assert!(waits.iter().any(|wait| *wait > 40_000_000));
}

#[test]
fn administrators_ask_nothing_by_themselves() {
    assert_eq!(steps(&source("Kv()", "(count: 2, admins: 1)", 7), 2, 10), []);
}

#[test]
fn an_open_loop_asks_once_in_each_interval() {
    let source = source("Echo()", "(rate: \"100/s\")", 5);
    for (ordinal, step) in (0_u64..).zip(steps(&source, 0, 100)) {
        let Start::At(at) = step.start else { panic!("an open loop has absolute times") };
        assert_eq!(at.as_nanos() / 10_000_000, ordinal, "operation {ordinal} at {at}");
    }
}

#[test]
fn a_limit_on_operations_ends_the_workload() {
    let source = source("Echo()", "(operations: 3)", 5);
    assert_eq!(steps(&source, 0, 100).len(), 3);
}
