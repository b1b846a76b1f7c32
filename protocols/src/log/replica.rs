//! A broker's copy of one partition, whether it leads it or follows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::Disk;
use sim_core::{LocalTime, NodeId, OpId};

use super::config::Config;
use super::durable::{Record, region_of};
use super::group::coordinator::Call;
use super::group::message::Answer;
use super::partition_log::PartitionLog;
use super::transaction::Marker;
use super::types::{BrokerEpoch, Epoch, PartitionId};
use crate::replicated::NodeSet;

/// One copy.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Replica {
    pub(super) log: PartitionLog,
    /// Everything below is on this broker's disk.
    pub(super) flushed: u64,
    /// The sync under way, as told apart from those before the last truncation.
    pub(super) flush: Option<u64>,
    /// Counts syncs and truncations.
    pub(super) flush_count: u64,
    /// Everything below is committed, as far as this broker knows.
    pub(super) high_watermark: u64,
    /// Where in the region the record at the log's base stands, or would.
    pub(super) place: u64,
    /// How many times where the log begins is being written, and whether the last of them put another log in place of this one.
    pub(super) beginnings: Beginnings,
    /// What was committed when this broker last looked for what to remove, oldest first.
    pub(super) seen: VecDeque<(LocalTime, u64)>,
    pub(super) role: Role,
}

/// Writes of where a log begins that are under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Beginnings {
    /// How many.
    pub(super) under_way: u32,
    /// Whether one of them stands for another log: until it is on disk, no record may follow it there.
    pub(super) is_other: bool,
}

/// What a broker does for a partition.
#[derive(Clone, Debug, Default, Serialize)]
pub enum Role {
    /// Nothing: nobody leads, or it does not know who.
    #[default]
    Idle,
    /// It leads.
    Leader(Box<Leading>),
    /// It follows.
    Follower(Following),
}

/// What a leader knows of its partition.
#[derive(Clone, Debug, Serialize)]
pub struct Leading {
    pub(super) epoch: Epoch,
    /// Where its log ended when it began to lead: not before all below is committed does it know what is.
    pub(super) start: u64,
    /// Of the partition, as the controller has it.
    pub(super) version: u32,
    /// Who is in sync, as the controller has it.
    pub(super) isr: NodeSet,
    /// Who is to be in sync, where the controller has been asked and has not answered.
    pub(super) pending: Option<NodeSet>,
    pub(super) followers: BTreeMap<NodeId, Progress>,
    /// Who waits, by the offset of their record.
    pub(super) waiting: BTreeMap<u64, Vec<Waiter>>,
}

/// Who waits until a record is as safe as it has to be.
#[derive(Clone, Debug, Serialize)]
pub enum Waiter {
    /// A producer.
    Client(OpId),
    /// A consumer, and what it is answered then.
    Member {
        /// What it asked.
        call: Call,
        /// The answer.
        answer: Answer,
    },
    /// The coordinator of transactions.
    Marker {
        /// Where it is.
        to: NodeId,
        /// What it wants to be committed.
        marker: Marker,
    },
}

/// How far a follower is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Its last fetch: its life, and the how-manieth of it.
    pub(super) fetch: (BrokerEpoch, u64),
    /// Everything below is on its disk, and is what the leader has.
    pub(super) end: u64,
    /// When it last had all that the leader had then.
    pub(super) caught_up_at: LocalTime,
    /// Its fetch before: when, and where the leader's log ended then.
    pub(super) last: (LocalTime, u64),
    /// What it waits for, if its last fetch found nothing: it knows things committed up to here.
    pub(super) parked: Option<u64>,
}

/// What a follower knows of its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Following {
    pub(super) leader: NodeId,
    pub(super) epoch: Epoch,
    /// Its last fetch.
    pub(super) number: u64,
    /// What it had then: where its log ended, in which epoch, and what it knew to be committed.
    pub(super) asked: Option<(u64, Epoch, u64)>,
}

impl Replica {
    /// The copy that a disk kept: all of it is durable. What is unreadable is beyond what the log promises to survive: it is as if
    /// nothing were there.
    pub(super) fn recovered(disk: &Disk<Record>, config: &Config, id: PartitionId) -> Self {
        let (region, bounds) = (region_of(id), disk.log_bounds(region_of(id)));
        let (beginning, place) = match disk.read_cell(config.beginning_of(id)) {
            Ok(Some(Record::Beginning { beginning, place })) => (Arc::clone(beginning), *place),
            Ok(_) if bounds.start == 0 => (Arc::default(), 0),
            Ok(_) | Err(_) => (Arc::default(), bounds.end),
        };
        let entries = disk.read_log(region, place..bounds.end);
        let entries = entries.map_while(|record| record.ok().and_then(Record::entry).cloned());
        let log = PartitionLog::of(beginning, entries);
        Self { flushed: log.end(), high_watermark: log.base(), log, place, ..Self::default() }
    }

    /// Where in the region the record at `offset` stands, or would.
    pub(super) fn place_of(&self, offset: u64) -> u64 {
        self.place + (offset - self.log.base())
    }

    /// Its records.
    pub const fn log(&self) -> &PartitionLog {
        &self.log
    }

    /// Everything below is committed, as far as this broker knows.
    pub const fn high_watermark(&self) -> u64 {
        self.high_watermark
    }

    /// Everything below is on this broker's disk.
    pub const fn flushed(&self) -> u64 {
        self.flushed
    }

    /// What it does.
    pub const fn role(&self) -> &Role {
        &self.role
    }

    /// What it knows as leader, if it leads.
    pub fn leading(&self) -> Option<&Leading> {
        if let Role::Leader(leading) = &self.role { Some(leading) } else { None }
    }

    pub(super) fn leading_mut(&mut self) -> Option<&mut Leading> {
        if let Role::Leader(leading) = &mut self.role { Some(leading) } else { None }
    }
}

impl Leading {
    /// In which epoch it leads.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Who is in sync, as far as it knows.
    pub const fn isr(&self) -> NodeSet {
        self.isr
    }

    /// How far its followers are.
    pub const fn followers(&self) -> &BTreeMap<NodeId, Progress> {
        &self.followers
    }

    /// How many wait for records to be as safe as they have to be.
    pub fn waiting_count(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }

    /// Those without whom nothing is committed: whom the controller has, and whom it may have by now (KIP-497: the maximal
    /// in-sync replicas).
    pub(super) fn effective_isr(&self) -> NodeSet {
        self.isr.union(self.pending.unwrap_or(NodeSet::EMPTY))
    }
}

impl Following {
    /// Whom it follows.
    pub const fn leader(&self) -> NodeId {
        self.leader
    }

    /// In which epoch that leads.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }
}

impl Progress {
    /// Whether it waits for something to come.
    pub const fn is_waiting(&self) -> bool {
        self.parked.is_some()
    }

    /// Up to where it has what the leader has.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// It asks for what comes after `offset`, and the leader's log ends at `end`: when it last had everything follows from this
    /// fetch and the one before.
    pub(super) fn on_fetch(&mut self, now: LocalTime, offset: u64, end: u64) {
        if offset >= end {
            self.caught_up_at = now;
        } else if offset >= self.last.1 {
            self.caught_up_at = self.caught_up_at.max(self.last.0);
        }
        (self.end, self.last) = (offset, (now, end));
    }
}
