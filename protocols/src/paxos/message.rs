//! What nodes send each other.
//!
//! Every message of a leader carries its ballot. An acceptor that has promised a higher one answers with
//! [`Nack`](Message::Nack), so that the sender learns that it was pre-empted.

use std::sync::Arc;

use serde::Serialize;
use sim_core::process;

use super::membership::Membership;
use super::types::{Proposal, Proposals, Pvalue, Round};
use crate::replicated::{Ballot, Chain, Index, Item, Life};

/// A message of Multi-Paxos.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// Phase 1a, for all slots from one on.
    Prepare {
        /// The candidate's ballot.
        ballot: Ballot,
        /// The first slot it does not know to be decided.
        first: Index,
    },
    /// Phase 1b.
    Promise {
        /// The ballot promised.
        ballot: Ballot,
        /// The first slot that was asked about.
        first: Index,
        /// The acceptor knows everything up to here to be decided: of that it reports nothing, the candidate has to
        /// catch up first.
        decided: Index,
        /// What it has accepted after that, each slot with its highest ballot.
        accepted: Arc<[Pvalue]>,
        /// In which life of its.
        #[serde(skip_serializing_if = "Life::is_first")]
        life: Life,
    },
    /// Phase 2a, for consecutive slots.
    Accept(Accept),
    /// Phase 2b.
    Accepted {
        /// The leader's ballot.
        ballot: Ballot,
        /// The first slot accepted.
        first: Index,
        /// How many.
        count: u64,
        /// In which life of the acceptor.
        #[serde(skip_serializing_if = "Life::is_first")]
        life: Life,
    },
    /// An acceptor has promised a higher ballot than the sender's.
    Nack {
        /// The sender's.
        ballot: Ballot,
        /// The one it has promised.
        promised: Ballot,
    },
    /// The leader lives.
    Heartbeat {
        /// Its ballot.
        ballot: Ballot,
        /// Everything up to here is decided.
        decided: Index,
        /// Which round of heartbeats this is.
        round: Round,
    },
    /// An acceptor has heard the leader, and has promised nothing higher.
    HeartbeatReply {
        /// The leader's ballot.
        ballot: Ballot,
        /// The round it answers.
        round: Round,
        /// In which life of the acceptor.
        #[serde(skip_serializing_if = "Life::is_first")]
        life: Life,
    },
    /// A node asks for decisions it has missed.
    CatchUp {
        /// It has everything up to here.
        decided: Index,
    },
    /// Decisions for consecutive slots.
    Decisions {
        /// The first slot.
        first: Index,
        /// What is decided.
        proposals: Proposals,
    },
    /// A node asks for a piece of a snapshot.
    FetchSnapshot {
        /// Of which slot.
        slot: Index,
        /// From which item on.
        offset: u64,
    },
    /// A piece of a snapshot.
    Snapshot(SnapshotPiece),
    /// A node that has lost its disk asks for what is decided, and to be readmitted.
    Rejoin {
        /// Its new life.
        life: Life,
        /// It has everything up to here.
        decided: Index,
    },
}

/// A leader proposes for consecutive slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accept {
    /// The leader's ballot.
    pub ballot: Ballot,
    /// The first slot.
    pub first: Index,
    /// What it proposes.
    pub proposals: Proposals,
    /// Everything up to here is decided.
    pub decided: Index,
}

/// A piece of the state after some slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SnapshotPiece {
    /// Everything up to this slot is in the snapshot.
    pub slot: Index,
    /// The chain up to there.
    pub chain: Chain,
    /// The acceptors from there on.
    pub membership: Arc<Membership>,
    /// The place of the first item.
    pub offset: u64,
    /// The items of this piece.
    pub items: Arc<[Item]>,
    /// How many items the whole has.
    pub total: u64,
}

/// Bytes of a message's headers.
const HEADER: u64 = 64;

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &[
        "Prepare",
        "Promise",
        "Accept",
        "Accepted",
        "Nack",
        "Heartbeat",
        "HeartbeatReply",
        "CatchUp",
        "Decisions",
        "FetchSnapshot",
        "Snapshot",
        "Rejoin",
    ];

    #[inline]
    fn kind(&self) -> u8 {
        match self {
            Self::Prepare { .. } => 0,
            Self::Promise { .. } => 1,
            Self::Accept(_) => 2,
            Self::Accepted { .. } => 3,
            Self::Nack { .. } => 4,
            Self::Heartbeat { .. } => 5,
            Self::HeartbeatReply { .. } => 6,
            Self::CatchUp { .. } => 7,
            Self::Decisions { .. } => 8,
            Self::FetchSnapshot { .. } => 9,
            Self::Snapshot(_) => 10,
            Self::Rejoin { .. } => 11,
        }
    }

    #[inline]
    fn size(&self) -> u64 {
        match self {
            Self::Accept(accept) => HEADER + Proposal::SIZE * accept.proposals.len() as u64,
            Self::Promise { accepted, .. } => HEADER + Pvalue::SIZE * accepted.len() as u64,
            Self::Decisions { proposals, .. } => HEADER + Proposal::SIZE * proposals.len() as u64,
            Self::Snapshot(piece) => HEADER + Item::SIZE * piece.items.len() as u64,
            Self::Prepare { .. }
            | Self::Accepted { .. }
            | Self::Nack { .. }
            | Self::Heartbeat { .. }
            | Self::HeartbeatReply { .. }
            | Self::CatchUp { .. }
            | Self::FetchSnapshot { .. }
            | Self::Rejoin { .. } => HEADER,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Prepare { ballot, first } => format!("Prepare {ballot} from slot {first}"),
            Self::Promise { ballot, decided, accepted, life, .. } => {
                format!("Promise {ballot} decided={decided} accepted=[{}]{}", shown(accepted), later(*life))
            }
            Self::Accept(accept) => accept.describe(),
            Self::Accepted { ballot, first, count, life } => {
                format!("Accepted {ballot} {}{}", slots(*first, *count), later(*life))
            }
            Self::Nack { ballot, promised } => format!("Nack {ballot} promised={promised}"),
            Self::Heartbeat { ballot, decided, round } => {
                format!("Heartbeat {ballot} decided={decided} round={}", round.0)
            }
            Self::HeartbeatReply { ballot, round, life } => {
                format!("HeartbeatReply {ballot} round={}{}", round.0, later(*life))
            }
            Self::CatchUp { decided } => format!("CatchUp after {decided}"),
            Self::Decisions { first, proposals } => {
                format!("Decisions {}", slots(*first, proposals.len() as u64))
            }
            Self::FetchSnapshot { slot, offset } => format!("FetchSnapshot {slot} item {offset}"),
            Self::Snapshot(piece) => {
                let end = piece.offset + piece.items.len() as u64;
                format!("Snapshot {} items {}..{end} of {}", piece.slot, piece.offset, piece.total)
            }
            Self::Rejoin { life, decided } => format!("Rejoin life={life} decided={decided}"),
        }
    }
}

impl Accept {
    fn describe(&self) -> String {
        let Self { ballot, first, proposals, decided } = self;
        let what = match &proposals[..] {
            [proposal] => format!("slot {first}={proposal}"),
            all => slots(*first, all.len() as u64),
        };
        format!("Accept {ballot} {what} decided={decided}")
    }
}

fn slots(first: Index, count: u64) -> String {
    match count {
        1 => format!("slot {first}"),
        _ => format!("slots {first}..{}", first.plus(count)),
    }
}

/// Nothing of a first life.
fn later(life: Life) -> String {
    if life.is_first() { String::new() } else { format!(" life={life}") }
}

fn shown(pvalues: &[Pvalue]) -> String {
    let texts = pvalues.iter().map(|pvalue| format!("{}:{}={}", pvalue.slot, pvalue.ballot, pvalue.proposal));
    texts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use sim_core::NodeId;
    use sim_core::process::Message as _;

    use super::*;

    #[test]
    fn a_message_describes_itself_in_the_papers_words() {
        let ballot = Ballot { round: 3, proposer: NodeId::new(1), ..Ballot::ZERO };
        let accept = |count| {
            let proposals = std::iter::repeat_n(Proposal::NOOP, count).collect();
            Message::Accept(Accept { ballot, first: Index(7), proposals, decided: Index(6) })
        };
        assert_eq!(accept(1).describe(), "Accept b3.n2 slot 7=noop decided=6");
        assert_eq!(accept(2).describe(), "Accept b3.n2 slots 7..9 decided=6");
        assert_eq!((accept(2).size(), Message::CatchUp { decided: Index(0) }.size()), (128, 64));
        let pvalue = Pvalue { slot: Index(7), ballot, proposal: Proposal::NOOP };
        let accepted = [pvalue].into();
        let promise =
            Message::Promise { ballot, first: Index(5), decided: Index(6), accepted, life: Life::FIRST };
        assert_eq!(promise.describe(), "Promise b3.n2 decided=6 accepted=[7:b3.n2=noop]");
        assert_eq!(Message::KINDS[usize::from(promise.kind())], "Promise");
    }
}
