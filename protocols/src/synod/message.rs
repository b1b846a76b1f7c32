//! What nodes send each other: the two phases, refusals, and what was chosen.

use serde::Serialize;
use sim_core::process;

use super::types::{Proposal, Vote};
use crate::replicated::Ballot;

/// A message of the Synod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// Phase 1a: a proposer asks for promises.
    Prepare {
        /// Its ballot.
        ballot: Ballot,
    },
    /// Phase 1b: an acceptor accepts nothing below this ballot any more.
    Promise {
        /// The ballot promised.
        ballot: Ballot,
        /// What it has accepted, with the highest ballot.
        accepted: Option<Vote>,
    },
    /// Phase 2a: a proposer, who has promises of a phase 1 quorum, proposes.
    Accept(Vote),
    /// Phase 2b: an acceptor has accepted.
    Accepted(Vote),
    /// An acceptor has promised a higher ballot than the one it was asked about.
    Nack {
        /// The ballot it was asked about.
        ballot: Ballot,
        /// The one it has promised.
        promised: Ballot,
    },
    /// The proposer has learned what is chosen, and tells the others.
    Chosen {
        /// What.
        proposal: Proposal,
    },
}

/// Bytes of a message's headers.
const HEADER: u64 = 48;

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &["Prepare", "Promise", "Accept", "Accepted", "Nack", "Chosen"];

    fn kind(&self) -> u8 {
        match self {
            Self::Prepare { .. } => 0,
            Self::Promise { .. } => 1,
            Self::Accept(_) => 2,
            Self::Accepted(_) => 3,
            Self::Nack { .. } => 4,
            Self::Chosen { .. } => 5,
        }
    }

    fn size(&self) -> u64 {
        HEADER
            + match self {
                Self::Prepare { .. } => Ballot::SIZE,
                Self::Promise { .. } => 2 * Ballot::SIZE + Proposal::SIZE,
                Self::Accept(_) | Self::Accepted(_) => Ballot::SIZE + Proposal::SIZE,
                Self::Nack { .. } => 2 * Ballot::SIZE,
                Self::Chosen { .. } => Proposal::SIZE,
            }
    }

    fn describe(&self) -> String {
        match self {
            Self::Prepare { ballot } => format!("Prepare {ballot}"),
            Self::Promise { ballot, accepted: None } => format!("Promise {ballot} accepted=nothing"),
            Self::Promise { ballot, accepted: Some(vote) } => format!("Promise {ballot} accepted={vote}"),
            Self::Accept(vote) => format!("Accept {vote}"),
            Self::Accepted(vote) => format!("Accepted {vote}"),
            Self::Nack { ballot, promised } => format!("Nack {ballot} promised={promised}"),
            Self::Chosen { proposal } => format!("Chosen {proposal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use sim_core::process::Message as _;
    use sim_core::{ClientId, NodeId, OpId};

    use super::*;

    #[test]
    fn a_message_describes_itself_in_the_papers_words() {
        let ballot = Ballot { round: 3, proposer: NodeId::new(1), ..Ballot::ZERO };
        let proposal = Proposal { op: OpId { client: ClientId::new(0), ordinal: 2 }, value: 7 };
        let vote = Vote { ballot, proposal };
        assert_eq!(Message::Prepare { ballot }.describe(), "Prepare b3.n2");
        let op = proposal.op;
        assert_eq!(
            Message::Promise { ballot: ballot.next_of(NodeId::new(0)), accepted: Some(vote) }.describe(),
            format!("Promise b4.n1 accepted=b3.n2=7 of {op}")
        );
        let messages = [
            Message::Prepare { ballot },
            Message::Promise { ballot, accepted: None },
            Message::Accept(vote),
            Message::Accepted(vote),
            Message::Nack { ballot, promised: ballot },
            Message::Chosen { proposal },
        ];
        for message in messages {
            let kind = Message::KINDS[usize::from(message.kind())];
            assert!(message.describe().starts_with(kind) && message.size() > HEADER, "{message:?}");
        }
    }
}
