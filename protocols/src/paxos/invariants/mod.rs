//! The safety properties of Multi-Paxos, one file each.
//!
//! | property | PMMC | file |
//! | --- | --- | --- |
//! | R1: one decision a slot | §2 | `r1_one_decision` |
//! | R2: no holes before what is executed | §2 | `r2_no_holes` |
//! | R3: the state is the result of the decisions in order | §2 | `r3_same_sequence` |
//! | R4: the slot that is executed next never falls | §2 | `r4_slot_rises` |
//! | A1: an acceptor's ballot rises | §3 | `a1_ballots_rise` |
//! | A2: it accepts under its ballot | §3 | `a2_accepts_its_ballot` |
//! | A3: it never loses what it has accepted | §3 | `a3_keeps_pvalues` |
//! | A4: one proposal a ballot and slot is accepted | §3 | `a4_one_proposal_a_ballot` |
//! | A5: what is chosen stays what is accepted | §3 | `a5_chosen_stays` |
//! | C1: one proposal a ballot and slot is proposed | §3 | `c1_one_commander` |
//! | C2: what is chosen stays what is proposed | §3 | `c2_proposals_follow_chosen` |
//! | CS3 (Paxos Made Simple §2.1): what is decided is chosen | §3 | `cs3_decided_is_chosen` |
//! | who has lost its disk waits (Paxos Made Live §5.1) | – | `lost_acceptors_wait` |
//!
//! Each keeps ghost state from facts, in O(1) an entry. Votes are counted from what acceptors said as it left them, by
//! quorums that the ghost works out itself (`votes`): an acceptor that forgets, or a leader that counts wrongly, does not
//! mislead it. Who voted for what, and what was proposed (`proposals`), is kept once for all invariants that ask. CS1 (only
//! what was proposed is accepted) is part of C1's file.

mod a1_ballots_rise;
mod a2_accepts_its_ballot;
mod a3_keeps_pvalues;
mod a4_one_proposal_a_ballot;
mod a5_chosen_stays;
mod c1_one_commander;
mod c2_proposals_follow_chosen;
mod cs3_decided_is_chosen;
mod lost_acceptors_wait;
mod proposals;
mod r1_one_decision;
mod r2_no_holes;
mod r3_same_sequence;
mod r4_slot_rises;
mod votes;

use std::sync::Arc;

use sim_core::check::Invariant;

pub use a1_ballots_rise::BallotsRise;
pub use a2_accepts_its_ballot::AcceptsItsBallot;
pub use a3_keeps_pvalues::KeepsPvalues;
pub use a4_one_proposal_a_ballot::OneProposalABallot;
pub use a5_chosen_stays::ChosenStays;
pub use c1_one_commander::OneCommander;
pub use c2_proposals_follow_chosen::ProposalsFollowChosen;
pub use cs3_decided_is_chosen::DecidedIsChosen;
pub use lost_acceptors_wait::LostAcceptorsWait;
pub use r1_one_decision::OneDecision;
pub use r2_no_holes::NoHoles;
pub use r3_same_sequence::SameSequence;
pub use r4_slot_rises::SlotRises;

use super::{Config, Paxos};

/// All of them, fresh, for nodes with this configuration: it says what a quorum is.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Paxos>>> {
    let config = Arc::new(config.clone());
    vec![
        Box::<OneDecision>::default(),
        Box::<NoHoles>::default(),
        Box::<SameSequence>::default(),
        Box::<SlotRises>::default(),
        Box::<BallotsRise>::default(),
        Box::<AcceptsItsBallot>::default(),
        Box::new(KeepsPvalues::new(config.clone())),
        Box::new(OneProposalABallot::new(config.clone())),
        Box::new(ChosenStays::new(config.clone())),
        Box::new(OneCommander),
        Box::new(ProposalsFollowChosen::new(config.clone())),
        Box::new(DecidedIsChosen::new(config.clone())),
        Box::new(LostAcceptorsWait::new(config)),
    ]
}
