//! The three roles (§5.1) and what each of them keeps. All of it is volatile: a restart begins as a follower.

use serde::Serialize;
use sim_core::NodeId;

use super::config::Config;
use super::reads::Reads;
use super::replication::{Pending, Progress};
use super::types::Round;
use crate::replicated::Index;
use std::collections::VecDeque;

/// A role, with what it keeps. Only the `become_*` functions of the election change it.
#[derive(Clone, Debug, Serialize)]
pub(super) enum Role {
    /// Takes entries from a leader, and votes.
    Follower(Follower),
    /// Asks for votes.
    Candidate(Candidate),
    /// Takes commands from clients and replicates them.
    Leader(Leader),
}

/// What a follower keeps.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Follower {
    /// The leader of the current term, once it has been heard of. It never changes within a term.
    pub(super) leader: Option<NodeId>,
}

/// What a candidate keeps.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Candidate {
    /// The answer of each member, in the order of the members; its own only once its vote is on disk.
    pub(super) ballots: Vec<Ballot>,
}

/// What a candidate knows of one member's vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Ballot {
    /// No answer yet.
    Open,
    /// The member votes for the candidate.
    Granted,
    /// It does not.
    Denied,
}

impl Candidate {
    /// A candidate whom nobody has answered.
    pub(super) fn new(config: &Config) -> Self {
        Self { ballots: vec![Ballot::Open; config.members.len()] }
    }

    /// How many members vote for the candidate.
    pub(super) fn granted(&self) -> usize {
        self.ballots.iter().filter(|ballot| **ballot == Ballot::Granted).count()
    }
}

/// What a leader keeps.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Leader {
    /// The first entry of its term, a no-op. Once it is committed, so is everything before it.
    pub(super) noop: Index,
    /// How far each member has come, in the order of the members. Its own place is not used: its match index is
    /// the durable end of its log.
    pub(super) progress: Vec<Progress>,
    /// Clients to answer when their command is executed, in order of index.
    pub(super) pending: VecDeque<Pending>,
    /// The last round of heartbeats it has started.
    pub(super) round: Round,
    /// Clients that read.
    pub(super) reads: Reads,
}

impl Leader {
    /// A leader of a term whose first entry is at `noop`. It supposes that all others have the log before it.
    pub(super) fn new(config: &Config, noop: Index) -> Self {
        Self {
            noop,
            progress: vec![Progress::new(noop); config.members.len()],
            pending: VecDeque::new(),
            round: Round::default(),
            reads: Reads::default(),
        }
    }
}
