//! The safety properties of the log, one file each.
//!
//! | property | source | file |
//! | --- | --- | --- |
//! | one leader an epoch | KIP-101 | `one_leader_an_epoch` |
//! | log matching | KIP-101; Ongaro (2014) §3.5 | `log_matching` |
//! | in sync has all | Kafka, design: replication | `in_sync_has_all` |
//! | clean election | Kafka, design: unclean leader election | `clean_election` |
//! | committed stays | Kafka, design: committed messages are not lost | `committed_stays` |
//! | acknowledged is kept | Kafka, `acks` and `min.insync.replicas` | `acknowledged_kept` |
//! | reads are committed | Kafka, design: only committed messages are given out | `reads_committed` |
//! | idempotence | KIP-98 | `idempotence` |
//! | single owner | KIP-429, KIP-848 | `single_owner` |
//! | kept is handled | Kafka, design: at least once | `kept_is_handled` |
//! | one effect | Kafka, design: at most once | `effect_once` |
//! | effects in order | Kafka, design: consumer groups | `effects_in_order` |
//! | bounded | Kafka, consumer: pause | `bounded` |
//! | atomic transactions | KIP-98 | `transaction_atomicity` |
//! | aborted is unread | KIP-98: read committed | `aborted_unread` |
//! | last stable offset | KIP-98 | `last_stable_offset` |
//! | fenced producers | KIP-98: producer epochs | `producer_fencing` |
//! | no hanging transaction | KIP-890 | `no_hanging_transaction` |
//! | exactly once | KIP-98, KIP-129 | `exactly_once` |
//! | retention | Kafka, log retention | `retention` |
//! | compaction | Kafka, log compaction | `compaction` |
//! | elections and logs of several controllers | Raft, Figure 3 | `raft_safety` |
//!
//! They look at disks, which no process can see of another, so that no leader is believed. That a partition has a leader
//! and goes on is none of them: it needs brokers that run.

mod aborted_unread;
mod acknowledged_kept;
mod bounded;
mod clean_election;
mod committed_stays;
mod compaction;
mod effect_once;
mod effects;
mod effects_in_order;
mod exactly_once;
mod idempotence;
mod in_sync_has_all;
mod kept_is_handled;
mod last_stable_offset;
mod log_matching;
mod no_hanging_transaction;
mod one_leader_an_epoch;
mod producer_fencing;
mod raft_safety;
mod reads_committed;
mod retention;
mod single_owner;
mod transaction_atomicity;
mod transactions;

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{Invariant, Nodes};
use sim_core::disk::Slot;

pub use aborted_unread::AbortedUnread;
pub use acknowledged_kept::AcknowledgedKept;
pub use bounded::Bounded;
pub use clean_election::CleanElection;
pub use committed_stays::CommittedStays;
pub use compaction::Compaction;
pub use effect_once::EffectOnce;
pub use effects_in_order::EffectsInOrder;
pub use exactly_once::ExactlyOnce;
pub use idempotence::Idempotent;
pub use in_sync_has_all::InSyncHasAll;
pub use kept_is_handled::KeptIsHandled;
pub use last_stable_offset::LastStableOffset;
pub use log_matching::LogMatching;
pub use no_hanging_transaction::NoHangingTransaction;
pub use one_leader_an_epoch::OneLeaderAnEpoch;
pub use producer_fencing::ProducerFencing;
pub use reads_committed::ReadsCommitted;
pub use retention::Retention;
pub use single_owner::SingleOwner;
pub use transaction_atomicity::TransactionAtomicity;

use raft_safety::raft_safety;

use super::durable::{METADATA, Record, region_of};
use super::entry::Entry;
use super::image::Image;
use super::replica::{Leading, Replica};
use super::{Config, Election, Fact, Guarantee, Isolation, Node, PartitionId};
use crate::promised::Promised;

/// All of them, fresh. What these parameters do not promise is not asked.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Node>>> {
    // Whoever leads without having been in sync cuts off what was committed, and it may stand there again.
    let is_clean = config.election == Election::Clean;
    let (guarantee, has_group) = (config.guarantee, config.consumers > 0);
    // With transactions the store reads results: only if it reads what is committed are their effects once.
    let is_read = guarantee != Guarantee::Transactional || config.isolation == Isolation::ReadCommitted;
    let once = is_clean && has_group && guarantee != Guarantee::AtLeastOnce && is_read;
    let loses_none = matches!(guarantee, Guarantee::AtLeastOnce | Guarantee::EffectivelyOnce);
    let handled = is_clean && has_group && loses_none;
    let transactional = is_clean && config.is_transactional();
    vec![
        Box::<OneLeaderAnEpoch>::default(),
        Box::<LogMatching>::default(),
        Box::new(InSyncHasAll::new(config)),
        Box::<ReadsCommitted>::default(),
        Promised::when(is_clean, Box::<CleanElection>::default()),
        Promised::when(is_clean, Box::<CommittedStays>::default()),
        Promised::when(is_clean && config.idempotence.is_on(), Box::<Idempotent>::default()),
        Box::new(AcknowledgedKept::new(config)),
        Promised::when(is_clean && has_group, Box::<SingleOwner>::default()),
        Promised::when(handled, Box::<KeptIsHandled>::default()),
        Promised::when(once, Box::<EffectOnce>::default()),
        Promised::when(handled && config.workers == 1, Box::<EffectsInOrder>::default()),
        Promised::when(has_group, Box::new(Bounded::new(config))),
        Promised::when(transactional, Box::<TransactionAtomicity>::default()),
        Promised::when(transactional, Box::<AbortedUnread>::default()),
        Promised::when(transactional, Box::<LastStableOffset>::default()),
        Promised::when(transactional, Box::<ProducerFencing>::default()),
        Promised::when(transactional, Box::<NoHangingTransaction>::default()),
        Promised::when(transactional, Box::<ExactlyOnce>::default()),
        Promised::when(is_clean && config.retains(), Box::new(Retention::new(config))),
        Promised::when(is_clean && config.compaction.is_on(), Box::new(Compaction::new(config))),
        raft_safety(),
    ]
}

/// What was decided last: what is on the disk of a controller by itself, or what one of several has executed.
#[derive(Clone, Debug, Default)]
struct Decided(Option<Arc<Image>>);

impl Decided {
    fn hear(&mut self, facts: &[Fact]) {
        for fact in facts {
            if let Fact::Decided { image } = fact
                && self.0.as_ref().is_none_or(|known| known.version < image.version)
            {
                self.0 = Some(Arc::clone(image));
            }
        }
    }

    /// `None` before anything was.
    fn image<'a>(&'a self, nodes: &Nodes<'a, Node>) -> Option<&'a Image> {
        self.0.as_deref().or_else(|| on_disk_of_one(nodes))
    }
}

/// What is on the disk of a controller by itself.
fn on_disk_of_one<'a>(nodes: &Nodes<'a, Node>) -> Option<&'a Image> {
    let slot = nodes.disk(NodeId::new(0))?.durable_cell(METADATA)?;
    match slot.intact()? {
        Record::Image(image) => Some(image),
        Record::Entry(_)
        | Record::Beginning { .. }
        | Record::Effect(_)
        | Record::Result { .. }
        | Record::Raft(_) => None,
    }
}

/// What a broker's disk has at an offset.
enum OnDisk<'a> {
    /// Nothing, and never had.
    Nothing,
    /// Nothing any more: its log begins later.
    Removed,
    /// This.
    Record(&'a Entry),
}

/// What a broker's disk has at an offset, whether it runs or not.
fn on_disk<'a>(
    nodes: &Nodes<'a, Node>,
    config: &Config,
    node: NodeId,
    id: PartitionId,
    offset: u64,
) -> OnDisk<'a> {
    let Some(disk) = nodes.disk(node) else { return OnDisk::Nothing };
    let beginning = disk.durable_cell(config.beginning_of(id)).and_then(Slot::intact);
    let (base, place) = match beginning {
        Some(Record::Beginning { beginning, place }) => (beginning.base(), *place),
        Some(_) | None => (0, 0),
    };
    if offset < base {
        return OnDisk::Removed;
    }
    let record = disk.durable_log(region_of(id)).and_then(|log| log.get(place + (offset - base))?.intact());
    record.and_then(Record::entry).map_or(OnDisk::Nothing, OnDisk::Record)
}

/// The copies of running brokers.
fn copies<'a>(nodes: &Nodes<'a, Node>) -> impl Iterator<Item = (NodeId, PartitionId, &'a Replica)> + use<'a> {
    let brokers: Vec<_> =
        nodes.running().filter_map(|(node, process)| Some((node, process.broker()?))).collect();
    brokers
        .into_iter()
        .flat_map(|(node, broker)| broker.replicas().iter().map(move |(id, copy)| (node, id, copy)))
}

/// Those that lead.
fn leaders<'a>(
    nodes: &Nodes<'a, Node>,
) -> impl Iterator<Item = (NodeId, PartitionId, &'a Replica, &'a Leading)> + use<'a> {
    copies(nodes).filter_map(|(node, id, copy)| Some((node, id, copy, copy.leading()?)))
}
