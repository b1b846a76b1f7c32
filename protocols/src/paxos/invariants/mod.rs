//! The safety properties of Multi-Paxos, one file each.
//!
//! | property | PMMC | file |
//! | --- | --- | --- |
//! | R1: one decision a slot | §2 | `one_decision` |
//! | R2: no holes before what is executed | §2 | `no_holes` |
//! | R3: the state is the result of the decisions in order | §2 | `same_sequence` |
//! | R4: the slot that is executed next never falls | §2 | `slot_rises` |
//! | A1: an acceptor's ballot rises | §3 | `ballots_rise` |
//! | A2: it accepts under its ballot | §3 | `accepts_its_ballot` |
//! | A3: it never loses what it has accepted | §3 | `keeps_pvalues` |
//! | A4: one proposal a ballot and slot is accepted | §3 | `one_proposal_a_ballot` |
//! | A5: what is chosen stays what is accepted | §3 | `chosen_stays` |
//! | C1: one proposal a ballot and slot is proposed | §3 | `one_commander` |
//! | C2: what is chosen stays what is proposed | §3 | `proposals_follow_chosen` |
//! | CS3 (Paxos Made Simple §2.1): what is decided is chosen | §3 | `decided_is_chosen` |
//!
//! Each keeps ghost state from facts, in O(1) an entry. Votes are counted from what acceptors said as it left them, by
//! quorums that the ghost works out itself (`votes`): an acceptor that forgets, or a leader that counts wrongly, does not
//! mislead it. CS1 (only what was proposed is accepted) is part of C1's file.

mod accepts_its_ballot;
mod ballots_rise;
mod chosen_stays;
mod decided_is_chosen;
mod keeps_pvalues;
mod no_holes;
mod one_commander;
mod one_decision;
mod one_proposal_a_ballot;
mod proposals_follow_chosen;
mod same_sequence;
mod slot_rises;
mod votes;

use std::sync::Arc;

use sim_core::check::Invariant;

pub use accepts_its_ballot::AcceptsItsBallot;
pub use ballots_rise::BallotsRise;
pub use chosen_stays::ChosenStays;
pub use decided_is_chosen::DecidedIsChosen;
pub use keeps_pvalues::KeepsPvalues;
pub use no_holes::NoHoles;
pub use one_commander::OneCommander;
pub use one_decision::OneDecision;
pub use one_proposal_a_ballot::OneProposalABallot;
pub use proposals_follow_chosen::ProposalsFollowChosen;
pub use same_sequence::SameSequence;
pub use slot_rises::SlotRises;

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
        Box::<KeepsPvalues>::default(),
        Box::<OneProposalABallot>::default(),
        Box::new(ChosenStays::new(config.clone())),
        Box::<OneCommander>::default(),
        Box::new(ProposalsFollowChosen::new(config.clone())),
        Box::new(DecidedIsChosen::new(config)),
    ]
}
