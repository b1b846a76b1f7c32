//! The three roles of a node beside that of an acceptor, and what each of them keeps. All of it is volatile.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use sim_core::{LocalTime, NodeId, OpId};

use super::config::Config;
use super::mutants::Mutant;
use super::reads::Reads;
use super::types::{Proposal, Pvalue, Round};
use super::voters::{Answers, Voters};
use crate::replicated::{Ballot, Index, Life, NodeSet, Phase};

/// A role, with what it keeps. Only the `become_*` functions of the election change it.
#[derive(Clone, Debug, Serialize)]
pub(super) enum Role {
    /// Accepts, learns, and waits for a leader to fall silent.
    Follower(Follower),
    /// Runs phase 1: PMMC's scout.
    Candidate(Candidate),
    /// Runs phase 2 for slot after slot: PMMC's commanders.
    Leader(Box<Leader>),
}

/// What a follower keeps.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Follower {
    /// The leader, once it has been heard of.
    pub(super) leader: Option<NodeId>,
}

/// What a candidate keeps.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Candidate {
    /// Its ballot.
    pub(super) ballot: Ballot,
    /// What has been promised.
    pub(super) preparation: Preparation,
}

/// The promises for a ballot, and what they report.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Preparation {
    /// The first slot that was asked about.
    pub(super) first: Index,
    /// Who has promised.
    pub(super) promised_by: Voters,
    /// The highest slot up to which anybody knows everything to be decided, and who.
    pub(super) decided: (Index, NodeId),
    /// What was reported as accepted, by slot.
    reports: BTreeMap<Index, Vec<(NodeId, Ballot, Proposal)>>,
}

impl Preparation {
    /// Nobody has promised yet; the candidate itself knows how far everything is decided.
    pub(super) fn new(first: Index, decided: (Index, NodeId)) -> Self {
        Self { first, promised_by: Voters::default(), decided, reports: BTreeMap::new() }
    }

    /// Takes note of a promise.
    pub(super) fn add(&mut self, (node, life): (NodeId, Life), decided: Index, accepted: &[Pvalue]) {
        self.promised_by.add(node, life);
        if decided > self.decided.0 {
            self.decided = (decided, node);
        }
        for pvalue in accepted {
            self.reports.entry(pvalue.slot).or_default().push((node, pvalue.ballot, pvalue.proposal));
        }
    }

    /// The last slot of which anybody reported something: slots up to there are to be filled.
    pub(super) fn end(&self) -> Index {
        let reported = self.reports.last_key_value().map_or(Index::ZERO, |(slot, _)| *slot);
        reported.max(self.decided.0)
    }

    /// How many slots from `base` on nobody reported anything for, although somebody did for a later one.
    pub(super) fn gap(&self, base: Index) -> u64 {
        self.end().since(base.previous()) - self.reports.range(base..).count() as u64
    }

    /// How many of the `count` slots from `first` on are to be filled.
    #[inline]
    pub(super) fn holes(&self, first: Index, count: u64) -> u64 {
        let last = self.end().min(first.plus(count).previous());
        last.since(first.previous())
            .saturating_sub(self.reports.range(first..=last.max(first)).count() as u64)
    }

    /// pmax (PMMC §3.2): of what was reported for a slot, the proposal with the highest ballot. It may be decided.
    pub(super) fn adopted(&self, slot: Index, config: &Config) -> Option<Proposal> {
        let reports = self.reports.get(&slot)?.iter();
        let adopted = if config.has(Mutant::LowestBallotValue) {
            reports.min_by_key(|(_, ballot, _)| *ballot)
        } else {
            reports.max_by_key(|(_, ballot, _)| *ballot)
        };
        adopted.map(|(_, _, proposal)| *proposal)
    }

    /// What a quorum reports for a slot, under whichever ballots: for a mutant.
    pub(super) fn widely_accepted(&self, slot: Index, config: &Config, members: NodeSet) -> Option<Proposal> {
        let reports = self.reports.get(&slot)?;
        let supporters = |wanted: &Proposal| -> NodeSet {
            reports.iter().filter(|(_, _, proposal)| proposal == wanted).map(|(node, _, _)| *node).collect()
        };
        let mut proposals = reports.iter().map(|(_, _, proposal)| proposal);
        proposals.find(|proposal| config.is_enough(Phase::Two, supporters(proposal), members)).copied()
    }

    /// Forgets what was reported before `slot`.
    pub(super) fn forget_before(&mut self, slot: Index) {
        while self.reports.first_key_value().is_some_and(|(reported, _)| *reported < slot) {
            self.reports.pop_first();
        }
    }
}

/// A client that waits for its slot.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Pending {
    pub(super) slot: Index,
    pub(super) proposal: Proposal,
    pub(super) op: OpId,
}

/// What a leader keeps.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Leader {
    /// Its ballot.
    pub(super) ballot: Ballot,
    /// What was promised, and what is still to be adopted.
    pub(super) preparation: Preparation,
    /// Once it has executed up to here, it has everything that those who have promised know to be decided before it led.
    pub(super) barrier: Index,
    /// The slot of the first commander.
    pub(super) base: Index,
    /// One for each slot in flight, in order of slot.
    pub(super) commanders: VecDeque<Commander>,
    /// Proposals that wait for a slot.
    pub(super) queue: VecDeque<(Proposal, OpId)>,
    /// Nodes that have lost their disks, and wait for a slot to be readmitted.
    pub(super) rejoining: VecDeque<(NodeId, Life)>,
    /// Clients to answer when their slot is executed, in order of slot, with what was proposed for them.
    pub(super) pending: VecDeque<Pending>,
    /// The commanders before this one were there at the last heartbeat already.
    pub(super) resend_before: Index,
    /// The last round of heartbeats it has started.
    pub(super) round: Round,
    /// The rounds under way, with when each was sent.
    pub(super) sent: VecDeque<(Round, LocalTime)>,
    /// Who has answered which round.
    pub(super) answered: Answers,
    /// Until when it holds the lease.
    pub(super) lease_until: Option<LocalTime>,
    /// Clients that read.
    pub(super) reads: Reads,
}

/// Phase 2 of one slot.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Commander {
    /// What is proposed.
    pub(super) proposal: Proposal,
    /// Who decides this slot.
    pub(super) members: NodeSet,
    /// Who has accepted it.
    pub(super) accepted_by: NodeSet,
}

impl Leader {
    /// A leader whose phase 1 is done.
    pub(super) fn new(candidate: Candidate, base: Index) -> Self {
        let Candidate { ballot, preparation } = candidate;
        Self {
            ballot,
            barrier: preparation.end(),
            preparation,
            base,
            commanders: VecDeque::new(),
            queue: VecDeque::new(),
            rejoining: VecDeque::new(),
            pending: VecDeque::new(),
            resend_before: base,
            round: Round::default(),
            sent: VecDeque::new(),
            answered: Answers::default(),
            lease_until: None,
            reads: Reads::default(),
        }
    }

    /// The next slot to propose for.
    #[inline]
    pub(super) fn next(&self) -> Index {
        self.base.plus(self.commanders.len() as u64)
    }

    /// The commander of a slot in flight.
    #[inline]
    pub(super) fn commander(&mut self, slot: Index) -> Option<&mut Commander> {
        let place = usize::try_from(slot.0.checked_sub(self.base.0)?).ok()?;
        self.commanders.get_mut(place)
    }
}
