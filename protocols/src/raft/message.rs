//! What members send each other: the paper's calls and their replies (Figures 2 and 13), and what the dissertation
//! adds: pre-votes (§9.6), leadership transfer (§3.10), reads at followers (§6.4).
//!
//! Every message carries its sender's term. Who hears of a newer one follows it; who hears of an older one
//! answers with its own, so that the sender learns it is out of date. A pre-vote is the exception: it asks about a
//! term that nobody enters yet.

use std::sync::Arc;

use sim_core::{OpId, process};

use super::snapshot::SnapshotMeta;
use super::types::{Entries, Entry, Round, Term};
use crate::replicated::{Agreeable, Command, Index, Item, Piece};
use serde::Serialize;

/// A message between members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message<C = Command, I = Item> {
    /// A candidate asks for a vote (§5.2).
    RequestVote(RequestVote),
    /// The answer to it.
    RequestVoteReply {
        /// The voter's term.
        term: Term,
        /// Whether the candidate has the vote of the sender in that term.
        vote: Vote,
    },
    /// Whoever would campaign asks first whether it had a chance (dissertation §9.6). The term is the one it would
    /// campaign in; its own is the one before.
    PreVote(RequestVote),
    /// The answer to it.
    PreVoteReply {
        /// The later of the terms of the two.
        term: Term,
        /// Whether the sender would vote for it.
        vote: Vote,
    },
    /// A leader replicates entries; without entries it is a heartbeat (§5.3).
    AppendEntries(AppendEntries<C>),
    /// The answer to it.
    AppendEntriesReply(AppendEntriesReply),
    /// A leader sends a piece of its snapshot (§7). It is rare and large: boxed, it does not make the others large.
    InstallSnapshot(Box<InstallSnapshot<I>>),
    /// The answer to it.
    InstallSnapshotReply(InstallSnapshotReply),
    /// A leader wants the receiver to lead: it shall campaign at once (dissertation §3.10).
    TimeoutNow {
        /// The leader's term.
        term: Term,
    },
    /// A follower wants to serve a read: how far must it have executed (dissertation §6.4)?
    ReadIndex {
        /// The follower's term.
        term: Term,
        /// For this operation.
        op: OpId,
    },
    /// The answer to it.
    ReadIndexReply {
        /// The leader's term.
        term: Term,
        /// The operation.
        op: OpId,
        /// So far.
        index: Index,
    },
}

/// A candidate asks for a vote (§5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RequestVote {
    /// The term it campaigns in.
    pub term: Term,
    /// The index of the last entry of its log.
    pub last_index: Index,
    /// The term of that entry.
    pub last_term: Term,
    /// Why it campaigns.
    pub campaign: Campaign,
}

/// Why a candidate campaigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Campaign {
    /// It has heard of no leader for long enough.
    Timeout,
    /// The leader wants it to: voters do not hold on to that leader.
    Transfer,
}

/// A voter's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Vote {
    /// The candidate has it.
    Granted,
    /// Somebody else has it, or the candidate's log lacks something.
    Denied,
}

/// A leader replicates entries (§5.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppendEntries<C = Command> {
    /// The leader's term.
    pub term: Term,
    /// The index of the entry before the first of `entries`.
    pub prev_index: Index,
    /// The term of that entry.
    pub prev_term: Term,
    /// What follows `prev_index`; empty in a heartbeat.
    pub entries: Entries<C>,
    /// The leader's commit index.
    pub commit: Index,
    /// The last round of heartbeats the leader has started.
    pub round: Round,
}

/// A follower's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AppendEntriesReply {
    /// The follower's term.
    pub term: Term,
    /// The round of what it answers.
    pub round: Round,
    /// How it went.
    pub result: AppendResult,
}

/// Whether the consistency check held (§5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum AppendResult {
    /// It held: the follower durably has the leader's log up to here.
    Matches(Index),
    /// It did not, or the sender's term is over.
    Conflict {
        /// The `prev_index` that was refused.
        prev_index: Index,
        /// What the follower has instead.
        hint: Hint,
    },
}

/// How far a leader may go back at once instead of one entry a reply (§5.3, end).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hint {
    /// The term of the follower's entry at `prev_index`; `None` if its log ends before.
    pub term: Option<Term>,
    /// The follower's first entry of that term; where its log ends before, the index after its last entry.
    pub first_index: Index,
}

/// A piece of a snapshot (Figure 13). Offsets count the items of the state machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InstallSnapshot<I = Item> {
    /// The leader's term.
    pub term: Term,
    /// The last round of heartbeats the leader has started.
    pub round: Round,
    /// What the snapshot is of.
    pub meta: SnapshotMeta,
    /// Where `items` begin.
    pub offset: u64,
    /// The piece.
    pub items: Arc<[I]>,
    /// Whether it is the last.
    pub progress: Chunk,
}

/// Where in a snapshot a piece stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Chunk {
    /// More will follow.
    More,
    /// It is the last: Figure 13's `done`.
    Last,
}

/// A follower's answer to a piece of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct InstallSnapshotReply {
    /// The follower's term.
    pub term: Term,
    /// The round of what it answers.
    pub round: Round,
    /// The offset of the piece that it answers.
    pub offset: u64,
    /// How it went.
    pub result: InstallResult,
}

/// What became of a piece of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum InstallResult {
    /// The follower waits for the piece at this offset.
    Next(u64),
    /// It has everything up to this index, durably.
    Installed(Index),
}

impl<C, I> Message<C, I> {
    /// The sender's term.
    #[inline]
    pub const fn term(&self) -> Term {
        match self {
            Self::RequestVote(request) => request.term,
            Self::PreVote(request) => request.term.previous(),
            Self::AppendEntries(append) => append.term,
            Self::AppendEntriesReply(reply) => reply.term,
            Self::InstallSnapshot(install) => install.term,
            Self::InstallSnapshotReply(reply) => reply.term,
            Self::RequestVoteReply { term, .. }
            | Self::PreVoteReply { term, .. }
            | Self::TimeoutNow { term }
            | Self::ReadIndex { term, .. }
            | Self::ReadIndexReply { term, .. } => *term,
        }
    }
}

/// Bytes of a message without entries: headers, term, indices.
const HEADER: u64 = 64;

impl<C: Agreeable, I: Piece> process::Message for Message<C, I> {
    const KINDS: &'static [&'static str] = &[
        "RequestVote",
        "RequestVoteReply",
        "Heartbeat",
        "AppendEntries",
        "AppendEntriesReply",
        "PreVote",
        "PreVoteReply",
        "InstallSnapshot",
        "InstallSnapshotReply",
        "TimeoutNow",
        "ReadIndex",
        "ReadIndexReply",
    ];

    #[inline]
    fn kind(&self) -> u8 {
        match self {
            Self::RequestVote(_) => 0,
            Self::RequestVoteReply { .. } => 1,
            Self::AppendEntries(append) if append.entries.is_empty() => 2,
            Self::AppendEntries(_) => 3,
            Self::AppendEntriesReply(_) => 4,
            Self::PreVote(_) => 5,
            Self::PreVoteReply { .. } => 6,
            Self::InstallSnapshot(_) => 7,
            Self::InstallSnapshotReply(_) => 8,
            Self::TimeoutNow { .. } => 9,
            Self::ReadIndex { .. } => 10,
            Self::ReadIndexReply { .. } => 11,
        }
    }

    #[inline]
    fn size(&self) -> u64 {
        match self {
            Self::AppendEntries(append) => HEADER + Entry::<C>::SIZE * append.entries.len() as u64,
            Self::InstallSnapshot(install) => {
                HEADER + SnapshotMeta::SIZE + install.items.iter().map(Piece::size).sum::<u64>()
            }
            Self::RequestVote(_)
            | Self::RequestVoteReply { .. }
            | Self::PreVote(_)
            | Self::PreVoteReply { .. }
            | Self::AppendEntriesReply(_)
            | Self::InstallSnapshotReply(_)
            | Self::TimeoutNow { .. }
            | Self::ReadIndex { .. }
            | Self::ReadIndexReply { .. } => HEADER,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::RequestVote(request) => request.describe("RequestVote"),
            Self::PreVote(request) => request.describe("PreVote"),
            Self::RequestVoteReply { term, vote } => {
                format!("RequestVoteReply term={} {}", term.0, vote.word())
            }
            Self::PreVoteReply { term, vote } => format!("PreVoteReply term={} {}", term.0, vote.word()),
            Self::AppendEntries(append) => append.describe(),
            Self::AppendEntriesReply(reply) => reply.describe(),
            Self::InstallSnapshot(install) => install.describe(),
            Self::InstallSnapshotReply(reply) => reply.describe(),
            Self::TimeoutNow { term } => format!("TimeoutNow term={}", term.0),
            Self::ReadIndex { term, op } => format!("ReadIndex term={} for {op}", term.0),
            Self::ReadIndexReply { term, op, index } => {
                format!("ReadIndexReply term={} for {op} index={index}", term.0)
            }
        }
    }
}

impl Vote {
    const fn word(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
        }
    }
}

impl RequestVote {
    fn describe(&self, name: &str) -> String {
        let Self { term, last_index, last_term, campaign } = self;
        let why = match campaign {
            Campaign::Timeout => "",
            Campaign::Transfer => " transfer",
        };
        format!("{name} term={} last=({last_index},{last_term}){why}", term.0)
    }
}

impl<C> AppendEntries<C> {
    fn describe(&self) -> String {
        let Self { term, prev_index, prev_term, entries, commit, round } = self;
        let (name, count) = match entries.len() {
            0 => ("Heartbeat", String::new()),
            count => ("AppendEntries", format!(" entries={count}")),
        };
        format!(
            "{name} term={} prev=({prev_index},{prev_term}){count} commit={commit} round={}",
            term.0, round.0
        )
    }
}

impl AppendEntriesReply {
    fn describe(&self) -> String {
        let Self { term, round, result } = self;
        let result = match result {
            AppendResult::Matches(index) => format!("match={index}"),
            AppendResult::Conflict { prev_index, hint: Hint { term: Some(term), first_index } } => {
                format!("conflict at {prev_index}: {term} since {first_index}")
            }
            AppendResult::Conflict { prev_index, hint: Hint { term: None, first_index } } => {
                format!("conflict at {prev_index}: log ends before {first_index}")
            }
        };
        format!("AppendEntriesReply term={} {result} round={}", term.0, round.0)
    }
}

impl<I> InstallSnapshot<I> {
    fn describe(&self) -> String {
        let Self { term, round: _, meta, offset, items, progress } = self;
        let last = match progress {
            Chunk::More => "",
            Chunk::Last => " done",
        };
        format!(
            "InstallSnapshot term={} last=({},{}) offset={offset} items={}{last}",
            term.0,
            meta.index,
            meta.term,
            items.len()
        )
    }
}

impl InstallSnapshotReply {
    fn describe(&self) -> String {
        let Self { term, round: _, offset, result } = self;
        let result = match result {
            InstallResult::Next(next) => format!("next={next}"),
            InstallResult::Installed(index) => format!("installed={index}"),
        };
        format!("InstallSnapshotReply term={} offset={offset} {result}", term.0)
    }
}

#[cfg(test)]
mod tests {
    use sim_core::process::Message as _;

    use super::*;
    use crate::replicated::Command;

    fn append(count: usize) -> Message {
        let entry = Entry::command(Term(3), Command::Noop);
        let entries = std::iter::repeat_n(entry, count).collect();
        let (prev_index, prev_term) = (Index(7), Term(2));
        Message::AppendEntries(AppendEntries {
            term: Term(3),
            prev_index,
            prev_term,
            entries,
            commit: Index(6),
            round: Round(9),
        })
    }

    #[test]
    fn a_message_describes_itself_in_the_papers_words() {
        assert_eq!(append(2).describe(), "AppendEntries term=3 prev=(7,t2) entries=2 commit=6 round=9");
        assert_eq!(append(0).describe(), "Heartbeat term=3 prev=(7,t2) commit=6 round=9");
    }

    #[test]
    fn a_heartbeat_is_an_append_without_entries_and_pays_only_its_header() {
        let kind = |message: &Message| <Message>::KINDS[usize::from(message.kind())];
        assert_eq!((kind(&append(0)), append(0).size()), ("Heartbeat", 64));
        assert_eq!((kind(&append(2)), append(2).size()), ("AppendEntries", 144));
    }

    #[test]
    fn a_pre_vote_asks_about_a_term_that_its_sender_has_not_entered() {
        let request = RequestVote {
            term: Term(4),
            last_index: Index(7),
            last_term: Term(2),
            campaign: Campaign::Timeout,
        };
        assert_eq!(<Message>::PreVote(request).term(), Term(3));
        assert_eq!(<Message>::RequestVote(request).term(), Term(4));
        assert_eq!(<Message>::PreVote(request).describe(), "PreVote term=4 last=(7,t2)");
    }
}
