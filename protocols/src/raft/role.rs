//! The roles (§5.1) and what each of them keeps. All of it is volatile: a restart begins as a follower.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use sim_core::service::Key;
use sim_core::{NodeId, OpId};

use super::message::Vote;
use super::progress::Progress;
use super::reads::{Forwarded, Lease, Reads};
use super::reconfigure::CatchUp;
use super::ship::Shipment;
use super::transfer::Handover;
use super::types::Round;
use crate::replicated::{Index, Item, Machine, NodeSet};

/// A role, with what it keeps. Only the `become_*` functions of the election change it.
#[derive(Clone, Debug, Serialize)]
pub(super) enum Role<I = Item, Q = Key> {
    /// Takes entries from a leader, and votes.
    Follower(Follower<Q>),
    /// Asks whether it would get votes (dissertation §9.6).
    PreCandidate(Ballots),
    /// Asks for votes.
    Candidate(Ballots),
    /// Takes commands from clients and replicates them.
    Leader(Box<Leader<I, Q>>),
}

/// What a follower keeps.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Follower<Q = Key> {
    /// The leader of the current term, once it has been heard of. It never changes within a term.
    pub(super) leader: Option<NodeId>,
    /// Reads of clients, about which it has asked the leader.
    pub(super) forwarded: Forwarded<Q>,
}

impl<Q> Default for Follower<Q> {
    fn default() -> Self {
        Self { leader: None, forwarded: Forwarded::default() }
    }
}

/// The answers that a candidate has, its own included once its vote is on disk.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Ballots {
    pub(super) granted: NodeSet,
    pub(super) denied: NodeSet,
}

impl Ballots {
    /// Takes note of a vote; a second one of the same node replaces the first.
    pub(super) fn count(&mut self, voter: NodeId, vote: Vote) {
        (self.granted, self.denied) = match vote {
            Vote::Granted => (self.granted.with(voter), self.denied.without(voter)),
            Vote::Denied => (self.granted.without(voter), self.denied.with(voter)),
        };
    }
}

/// What a leader keeps.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Leader<I = Item, Q = Key> {
    /// The first entry of its term, a no-op. Once it is committed, so is everything before it.
    pub(super) noop: Index,
    /// How far each node has come, by index of the node. Its own place is not used: its match index is the durable end
    /// of its log.
    pub(super) progress: Vec<Progress>,
    /// Clients to answer when their command is executed, in order of index.
    pub(super) pending: VecDeque<Pending>,
    /// The last round of heartbeats it has started.
    pub(super) round: Round,
    /// Clients that read.
    pub(super) reads: Reads<Q>,
    /// Until when it certainly leads.
    pub(super) lease: Lease,
    /// Who has answered since the last look whether a majority does.
    pub(super) active: NodeSet,
    /// Leadership on its way to another node.
    pub(super) handover: Option<Handover>,
    /// New nodes that must catch up before they may vote.
    pub(super) catch_up: Option<CatchUp>,
    /// Snapshots on their way.
    pub(super) shipments: BTreeMap<NodeId, Shipment<I>>,
}

/// The leader of an application's replicas.
pub(super) type LeaderOf<A> = Leader<<A as Machine>::Item, <A as Machine>::Query>;
/// The role of an application's replica.
pub(super) type RoleOf<A> = Role<<A as Machine>::Item, <A as Machine>::Query>;

/// A client whose command is in the log.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Pending {
    /// Where.
    pub(super) index: Index,
    /// Which.
    pub(super) op: OpId,
}

impl<I, Q> Leader<I, Q> {
    /// A leader of a term whose first entry is at `noop`. It supposes that all others have the log before it.
    pub(super) fn new(nodes: NodeSet, noop: Index) -> Self {
        let mut leader = Self {
            noop,
            progress: Vec::new(),
            pending: VecDeque::new(),
            round: Round::default(),
            reads: Reads::default(),
            lease: Lease::default(),
            active: NodeSet::EMPTY,
            handover: None,
            catch_up: None,
            shipments: BTreeMap::new(),
        };
        leader.make_room(nodes, noop);
        leader
    }

    /// A place for each of `nodes`, and those before them.
    pub(super) fn make_room(&mut self, nodes: NodeSet, next_index: Index) {
        let count = nodes.iter().last().map_or(0, |node| node.index() + 1);
        if count > self.progress.len() {
            self.progress.resize(count, Progress::new(next_index));
        }
    }
}
