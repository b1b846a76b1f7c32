//! The parameters of a cluster, and which of them make no sense together.

use std::ops::Range;
use std::sync::Arc;

use sim_core::{NodeId, Span};

use super::membership::Membership;
use super::mutants::Mutant;
use super::progress::Window;
use super::types::Entry;
use crate::lease;
use crate::replicated::{Agreeable, MembersError, NodeSet, SessionPolicy, check_member_set};

/// How reads are served. See [`reads`](super).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadMode {
    /// As an entry of the log.
    Log,
    /// By a round of heartbeats.
    #[default]
    ReadIndex,
    /// At followers too, which ask the leader how far they must have executed.
    Follower,
    /// By the leader alone, while its lease holds; else by a round. Needs `check_quorum` and `stickiness`.
    Lease,
}

impl ReadMode {
    /// By the name that scenarios use: `log`, `read-index`, `follower`, `lease`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "log" => Some(Self::Log),
            "read-index" => Some(Self::ReadIndex),
            "follower" => Some(Self::Follower),
            "lease" => Some(Self::Lease),
            _ => None,
        }
    }
}

impl Transition {
    /// By the name that scenarios use: `auto`, `joint-implicit`, `joint-explicit`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "joint-implicit" => Some(Self::JointImplicit),
            "joint-explicit" => Some(Self::JointExplicit),
            _ => None,
        }
    }
}

/// How one membership follows another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transition {
    /// In one step where that is safe, else through a joint membership that is left by itself.
    #[default]
    Auto,
    /// Always through a joint membership, which is left by itself.
    JointImplicit,
    /// Always through a joint membership, which a client must leave.
    JointExplicit,
}

/// From when a membership is in force at a node that has it in its log. See [`reconfigure`](super::reconfigure).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TakesEffect {
    /// From when it is appended, committed or not (paper §6).
    #[default]
    OnAppend,
    /// From when it is executed, as in etcd.
    OnApply,
}

impl TakesEffect {
    /// By the name that scenarios use: `on-append`, `on-apply`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "on-append" => Some(Self::OnAppend),
            "on-apply" => Some(Self::OnApply),
            _ => None,
        }
    }
}

/// What all nodes of a cluster share.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, under the name that scenarios use"
)]
pub struct Config {
    /// The nodes that vote and hold the log at first, ascending, 1 to [`MEMBERS_MAX`](crate::replicated::MEMBERS_MAX),
    /// among the first 64 of the scenario. Other nodes stand by, send clients elsewhere, and may be added.
    pub members: Arc<[NodeId]>,
    /// Those of the members that are learners at first: they get everything and decide nothing. Default none.
    pub learners: Vec<NodeId>,
    /// How often a leader sends to each follower at least. Default 50 ms.
    pub heartbeat: Span,
    /// From where election timeouts are drawn, uniformly, anew at every reset (§5.2). Default 150 ms up to, not
    /// including, 300 ms (§9.3 recommends it).
    pub election_timeout: Range<Span>,
    /// Whether a node asks whether it had a chance before it campaigns (dissertation §9.6). Default false, as in the
    /// paper.
    pub pre_vote: bool,
    /// Whether a leader that no majority answers steps down (dissertation §6.2). Default false.
    pub check_quorum: bool,
    /// Whether nodes that hear of a leader ignore candidates (dissertation §4.2.3). Default false.
    pub stickiness: bool,
    /// How reads are served. Default by a round of heartbeats.
    pub reads: ReadMode,
    /// By how many parts in a million one node's clock may run faster than another's, for leases. Default 50,000.
    pub drift_max: u32,
    /// How memberships change. Default in one step where that is safe.
    pub transition: Transition,
    /// From when a membership is in force. Default from when it is appended.
    pub takes_effect: TakesEffect,
    /// How many rounds a new node has to catch up before it may vote; 0 lets it vote at once. Default 10
    /// (dissertation §4.2.1).
    pub catch_up_rounds: u64,
    /// How many entries are executed from one snapshot to the next, at least 1. Default 10,000.
    pub snapshot_every: u64,
    /// How many entries before a snapshot stay in the log, for followers that are a little behind. Default 5,000.
    pub snapshot_trail: u64,
    /// Bytes of a snapshot in one message or record, at least 1; each holds one item at least. Default 65,536.
    pub snapshot_chunk: u64,
    /// What becomes of client sessions. Default: all are kept.
    pub sessions: SessionPolicy,
    /// Entries of one `AppendEntries` at most, at least 1. Default 64.
    pub append_entries_max: u64,
    /// Bytes of the entries of one `AppendEntries` at most, at least 1; one entry is always sent. Default 1 MiB
    /// (`LogCabin`'s).
    pub append_bytes_max: u64,
    /// Messages sent to one follower and not yet acknowledged at most, at least 1; beyond it the leader waits for
    /// a reply. Default 256.
    pub in_flight_max: u64,
    /// Bytes of their entries at most, at least 1. Default 16 MiB.
    pub in_flight_bytes_max: u64,
    /// Entries in the leader's log that are not committed at most, at least 1; beyond it clients are refused.
    /// Default 10,000.
    pub uncommitted_max: u64,
    /// Bytes of them at most, at least 1. Default 16 MiB.
    pub uncommitted_bytes_max: u64,
    /// Bytes of committed entries executed in one step at most, at least 1; `None`, the default, is no limit.
    pub apply_bytes_max: Option<u64>,
    /// How long a step of execution waits after the one before, or after the commit. Default 0: at once.
    pub apply_delay: Span,
    /// Flushes of the disk under way at once at most, at least 1. Default 1.
    pub syncs_max: u64,
    /// Whether a candidate asks for votes while its own is on its way to the disk (dissertation §9.3). Default false: it
    /// writes first and asks then.
    pub overlap_own_vote: bool,
    /// Whether a leader states that it was deposed although it could count on a majority, for the invariant
    /// `non-disruption`. Default false: without `pre_vote` and `check_quorum` that happens.
    pub watch_disruption: bool,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// These nodes cannot be the members.
    #[error(transparent)]
    Members(#[from] MembersError),
    /// A leader that never sends is deposed at once.
    #[error("the heartbeat interval must be longer than 0")]
    NoHeartbeat,
    /// There is nothing to draw from.
    #[error(
        "the election timeout range {low}..{high} is empty; without a range to draw from, candidates split the vote \
         again and again (paper, section 5.2)"
    )]
    EmptyElectionTimeout {
        /// Its lower bound.
        low: Span,
        /// Its upper bound.
        high: Span,
    },
    /// Followers would depose a leader that is well.
    #[error(
        "the heartbeat interval {heartbeat} must be shorter than the shortest election timeout {low}, else followers \
         depose a leader that is well (paper, section 5.6: broadcast time << election timeout)"
    )]
    HeartbeatTooLong {
        /// The interval.
        heartbeat: Span,
        /// The shortest election timeout.
        low: Span,
    },
    /// A limit of 0 stops replication.
    #[error("`{0}` must be at least 1, else nothing is ever replicated")]
    ZeroLimit(&'static str),
    /// A learner that is no member.
    #[error("{0} is a learner and no member; learners are members that do not vote")]
    LearnerNotMember(NodeId),
    /// Nobody could ever lead.
    #[error(
        "all members are learners, and a learner never votes: nobody could ever be elected (dissertation, section 4.2.1)"
    )]
    LearnersOnly,
    /// A leader that was replaced long ago would answer reads.
    #[error(
        "reads by lease need `{0}`: a lease holds because voters that have just answered the leader elect nobody else, and \
         because a leader that no majority answers stops (dissertation, section 6.4.1)"
    )]
    LeaseWithout(&'static str),
    /// Followers that hold on to a useless leader elect no other.
    #[error(
        "`stickiness` needs `check_quorum`: followers that still hear a leader ignore candidates, so a leader that hears \
         nobody must step down by itself (dissertation, sections 4.2.3 and 6.2)"
    )]
    StickyWithoutQuorum,
    /// Clocks that may differ without limit make no lease.
    #[error("`drift_max` is {0}ppm; clocks whose rates differ by half and more bound nothing")]
    DriftTooLarge(u32),
}

impl Config {
    /// A cluster of `members` with the default parameters.
    pub fn new(members: impl IntoIterator<Item = NodeId>) -> Self {
        Self {
            members: members.into_iter().collect(),
            learners: Vec::new(),
            heartbeat: Span::millis(50),
            election_timeout: Span::millis(150)..Span::millis(300),
            pre_vote: false,
            check_quorum: false,
            stickiness: false,
            reads: ReadMode::ReadIndex,
            drift_max: 50_000,
            transition: Transition::Auto,
            takes_effect: TakesEffect::OnAppend,
            catch_up_rounds: 10,
            snapshot_every: 10_000,
            snapshot_trail: 5_000,
            snapshot_chunk: 64 << 10,
            sessions: SessionPolicy::KeepAll,
            append_entries_max: 64,
            append_bytes_max: 1 << 20,
            in_flight_max: 256,
            in_flight_bytes_max: 16 << 20,
            uncommitted_max: 10_000,
            uncommitted_bytes_max: 16 << 20,
            apply_bytes_max: None,
            apply_delay: Span::ZERO,
            syncs_max: 1,
            overlap_own_vote: false,
            watch_disruption: false,
            mutant: None,
        }
    }

    /// Checks what the types allow and the paper does not.
    ///
    /// # Errors
    /// The first rule that is broken, with its reason.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_member_set(&self.members)?;
        self.validate_learners()?;
        self.validate_times()?;
        self.validate_reads()?;
        match self.limits().into_iter().find(|(_, limit)| *limit == 0) {
            Some((name, _)) => Err(ConfigError::ZeroLimit(name)),
            None => Ok(()),
        }
    }

    fn limits(&self) -> [(&'static str, u64); 11] {
        let sessions = match self.sessions {
            SessionPolicy::AtMost(count) => count,
            SessionPolicy::KeepAll | SessionPolicy::Forget => 1,
        };
        [
            ("append_entries_max", self.append_entries_max),
            ("append_bytes_max", self.append_bytes_max),
            ("in_flight_max", self.in_flight_max),
            ("in_flight_bytes_max", self.in_flight_bytes_max),
            ("uncommitted_max", self.uncommitted_max),
            ("uncommitted_bytes_max", self.uncommitted_bytes_max),
            ("apply_bytes_max", self.apply_bytes_max.unwrap_or(1)),
            ("snapshot_every", self.snapshot_every),
            ("snapshot_chunk", self.snapshot_chunk),
            ("syncs_max", self.syncs_max),
            ("sessions_max", sessions),
        ]
    }

    /// What becomes of client sessions.
    pub(super) fn session_policy(&self) -> SessionPolicy {
        if self.has(Mutant::NoSessionDedup) { SessionPolicy::Forget } else { self.sessions }
    }

    /// The membership that the cluster begins with.
    pub(super) fn membership(&self) -> Membership {
        let members: NodeSet = self.members.iter().copied().collect();
        let learners: NodeSet = self.learners.iter().copied().collect();
        let voters = members.difference(learners);
        Membership { voters, learners, ..Membership::default() }
    }

    /// How much may be on its way to one follower.
    #[inline]
    pub(super) fn window<C: Agreeable>(&self) -> Window {
        Window { messages: self.in_flight_max, entries: self.in_flight_bytes_max.div_ceil(Entry::<C>::SIZE) }
    }

    /// Entries in one message. All have the same size.
    #[inline]
    pub(super) fn batch_entries<C: Agreeable>(&self) -> u64 {
        self.append_entries_max.min((self.append_bytes_max / Entry::<C>::SIZE).max(1))
    }

    /// Entries that may be uncommitted.
    #[inline]
    pub(super) fn uncommitted_entries<C: Agreeable>(&self) -> u64 {
        self.uncommitted_max.min((self.uncommitted_bytes_max / Entry::<C>::SIZE).max(1))
    }

    /// Entries executed in one step.
    pub(super) fn apply_entries<C: Agreeable>(&self) -> u64 {
        self.apply_bytes_max.map_or(u64::MAX, |bytes| (bytes / Entry::<C>::SIZE).max(1))
    }

    /// Whether execution is a step of its own.
    #[inline]
    pub(super) const fn applies_in_steps(&self) -> bool {
        self.apply_bytes_max.is_some() || !self.apply_delay.is_zero()
    }

    /// Whether anybody wants to know until when a leader certainly leads.
    #[inline]
    pub(super) fn tracks_lease(&self) -> bool {
        self.watch_disruption || self.reads == ReadMode::Lease
    }

    /// How many heartbeats make the shortest election timeout.
    pub(super) const fn heartbeats_an_election_timeout(&self) -> u64 {
        self.election_timeout.start.as_nanos() / self.heartbeat.as_nanos()
    }

    /// Whether nodes have this bug.
    #[inline]
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn validate_learners(&self) -> Result<(), ConfigError> {
        if let Some(stranger) = self.learners.iter().find(|learner| !self.members.contains(learner)) {
            return Err(ConfigError::LearnerNotMember(*stranger));
        }
        if self.membership().voters.is_empty() { Err(ConfigError::LearnersOnly) } else { Ok(()) }
    }

    /// A lease rests on voters that hold still, and on a leader that knows whether it is heard.
    fn validate_reads(&self) -> Result<(), ConfigError> {
        if self.reads == ReadMode::Lease {
            let needed = [("check_quorum", self.check_quorum), ("stickiness", self.stickiness)];
            if let Some((name, _)) = needed.into_iter().find(|(_, is_on)| !is_on) {
                return Err(ConfigError::LeaseWithout(name));
            }
        }
        if self.stickiness && !self.check_quorum {
            return Err(ConfigError::StickyWithoutQuorum);
        }
        if self.drift_max >= lease::DRIFT_LIMIT {
            Err(ConfigError::DriftTooLarge(self.drift_max))
        } else {
            Ok(())
        }
    }

    fn validate_times(&self) -> Result<(), ConfigError> {
        let (low, high) = (self.election_timeout.start, self.election_timeout.end);
        if self.heartbeat.is_zero() {
            return Err(ConfigError::NoHeartbeat);
        }
        if low >= high {
            return Err(ConfigError::EmptyElectionTimeout { low, high });
        }
        if self.heartbeat >= low {
            return Err(ConfigError::HeartbeatTooLong { heartbeat: self.heartbeat, low });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(members: &[u32]) -> Config {
        Config::new(members.iter().copied().map(NodeId::new))
    }

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(config(&[0]).validate(), Ok(()));
        assert_eq!(config(&[0, 2, 5]).validate(), Ok(()));
    }

    #[test]
    fn impossible_members_are_refused() {
        assert_eq!(config(&[]).validate(), Err(ConfigError::Members(MembersError::None)));
    }

    #[test]
    fn a_heartbeat_not_shorter_than_the_election_timeout_is_refused_with_the_reason() {
        let config = Config { heartbeat: Span::millis(150), ..config(&[0, 1, 2]) };
        let error = config.validate().expect_err("followers would never rest");
        assert!(
            error.to_string().contains("must be shorter than the shortest election timeout 150ms"),
            "{error}"
        );
    }

    #[test]
    fn an_election_timeout_without_a_range_is_refused() {
        let timeout = Span::millis(200);
        let config = Config { election_timeout: timeout..timeout, ..config(&[0, 1, 2]) };
        assert_eq!(config.validate(), Err(ConfigError::EmptyElectionTimeout { low: timeout, high: timeout }));
    }

    #[test]
    fn a_limit_of_zero_is_refused() {
        let config = Config { in_flight_max: 0, ..config(&[0, 1, 2]) };
        assert_eq!(config.validate(), Err(ConfigError::ZeroLimit("in_flight_max")));
    }

    #[test]
    fn reads_by_lease_need_voters_that_hold_still_and_a_leader_that_watches() {
        let lease = Config { reads: ReadMode::Lease, ..config(&[0, 1, 2]) };
        assert_eq!(lease.validate(), Err(ConfigError::LeaseWithout("check_quorum")));
        let watching = Config { check_quorum: true, ..lease };
        assert_eq!(watching.validate(), Err(ConfigError::LeaseWithout("stickiness")));
        assert_eq!(Config { stickiness: true, ..watching }.validate(), Ok(()));
        let sticky = Config { stickiness: true, ..config(&[0, 1, 2]) };
        assert_eq!(sticky.validate(), Err(ConfigError::StickyWithoutQuorum));
    }

    #[test]
    fn learners_are_members_and_not_all_of_them() {
        let learners = |learners: &[u32]| Config {
            learners: learners.iter().copied().map(NodeId::new).collect(),
            ..config(&[0, 1, 2])
        };
        assert_eq!(learners(&[2]).validate(), Ok(()));
        assert_eq!(learners(&[3]).validate(), Err(ConfigError::LearnerNotMember(NodeId::new(3))));
        assert_eq!(learners(&[0, 1, 2]).validate(), Err(ConfigError::LearnersOnly));
    }

    #[test]
    fn a_limit_in_bytes_still_lets_one_entry_through() {
        let config = Config { append_bytes_max: 1, uncommitted_bytes_max: 100, ..config(&[0]) };
        assert_eq!(
            (
                config.batch_entries::<crate::replicated::Command>(),
                config.uncommitted_entries::<crate::replicated::Command>()
            ),
            (1, 2)
        );
    }
}
