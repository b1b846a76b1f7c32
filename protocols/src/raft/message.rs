//! What members send each other: the paper's two calls and their replies (Figure 2).
//!
//! Every message carries its sender's term. Who hears of a newer one follows it; who hears of an older one
//! answers with its own, so that the sender learns it is out of date.

use sim_core::process;

use super::types::{Entries, Entry, Round, Term};
use crate::replicated::Index;
use serde::Serialize;

/// A message between members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// A candidate asks for a vote (§5.2).
    RequestVote(RequestVote),
    /// The answer to it.
    RequestVoteReply {
        /// The voter's term.
        term: Term,
        /// Whether the candidate has the vote of the sender in that term.
        vote: Vote,
    },
    /// A leader replicates entries; without entries it is a heartbeat (§5.3).
    AppendEntries(AppendEntries),
    /// The answer to it.
    AppendEntriesReply(AppendEntriesReply),
}

/// A candidate asks for a vote (§5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RequestVote {
    /// The candidate's term.
    pub term: Term,
    /// The index of the last entry of its log.
    pub last_index: Index,
    /// The term of that entry.
    pub last_term: Term,
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
pub struct AppendEntries {
    /// The leader's term.
    pub term: Term,
    /// The index of the entry before the first of `entries`.
    pub prev_index: Index,
    /// The term of that entry.
    pub prev_term: Term,
    /// What follows `prev_index`; empty in a heartbeat.
    pub entries: Entries,
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

impl Message {
    /// The sender's term.
    #[inline]
    pub const fn term(&self) -> Term {
        match self {
            Self::RequestVote(request) => request.term,
            Self::RequestVoteReply { term, .. } => *term,
            Self::AppendEntries(append) => append.term,
            Self::AppendEntriesReply(reply) => reply.term,
        }
    }
}

/// Bytes of a message without entries: headers, term, indices.
const HEADER: u64 = 64;

impl process::Message for Message {
    const KINDS: &'static [&'static str] =
        &["RequestVote", "RequestVoteReply", "Heartbeat", "AppendEntries", "AppendEntriesReply"];

    #[inline]
    fn kind(&self) -> u8 {
        match self {
            Self::RequestVote(_) => 0,
            Self::RequestVoteReply { .. } => 1,
            Self::AppendEntries(append) if append.entries.is_empty() => 2,
            Self::AppendEntries(_) => 3,
            Self::AppendEntriesReply(_) => 4,
        }
    }

    #[inline]
    fn size(&self) -> u64 {
        match self {
            Self::AppendEntries(append) => HEADER + Entry::SIZE * append.entries.len() as u64,
            Self::RequestVote(_) | Self::RequestVoteReply { .. } | Self::AppendEntriesReply(_) => HEADER,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::RequestVote(RequestVote { term, last_index, last_term }) => {
                format!("RequestVote term={} last=({last_index},{last_term})", term.0)
            }
            Self::RequestVoteReply { term, vote: Vote::Granted } => {
                format!("RequestVoteReply term={} granted", term.0)
            }
            Self::RequestVoteReply { term, vote: Vote::Denied } => {
                format!("RequestVoteReply term={} denied", term.0)
            }
            Self::AppendEntries(append) => append.describe(),
            Self::AppendEntriesReply(reply) => reply.describe(),
        }
    }
}

impl AppendEntries {
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

#[cfg(test)]
mod tests {
    use sim_core::process::Message as _;

    use super::*;
    use crate::replicated::Command;

    fn append(count: usize) -> Message {
        let entry = Entry { term: Term(3), command: Command::Noop };
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
        let kind = |message: &Message| Message::KINDS[usize::from(message.kind())];
        assert_eq!((kind(&append(0)), append(0).size()), ("Heartbeat", 64));
        assert_eq!((kind(&append(2)), append(2).size()), ("AppendEntries", 144));
    }
}
