//! The safety properties of atomic commitment, one file each.
//!
//! | property | Bernstein, Hadzilacos, Goodman (1987) | file |
//! | --- | --- | --- |
//! | agreement | §7.3, AC1 | `ac1_agreement` |
//! | no reversal | §7.3, AC2 | `ac2_no_reversal` |
//! | commit needs all votes | §7.3, AC3 | `ac3_commit_needs_all_votes` |
//! | all yes commits | §7.3, AC4 | `ac4_all_yes_commits` |
//! | conservation | what the accounts are for | `conservation` |
//!
//! AC5 is the liveness condition `all-agree`. Ghost state has an entry for each transfer of the run.

mod ac1_agreement;
mod ac2_no_reversal;
mod ac3_commit_needs_all_votes;
mod ac4_all_yes_commits;
mod conservation;

use sim_core::NodeId;
use sim_core::check::{Invariant, Nodes};

pub use ac1_agreement::Agreement;
pub use ac2_no_reversal::NoReversal;
pub use ac3_commit_needs_all_votes::CommitNeedsAllVotes;
pub use ac4_all_yes_commits::AllYesCommits;
pub use conservation::Conservation;

use super::participant::Participant;
use super::{Config, TwoPhaseCommit};

/// All of them, fresh, for nodes with this configuration.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<TwoPhaseCommit>>> {
    vec![
        Box::<Agreement>::default(),
        Box::<NoReversal>::default(),
        Box::<CommitNeedsAllVotes>::default(),
        Box::<AllYesCommits>::default(),
        Box::new(Conservation::new(config)),
    ]
}

/// The participants that run.
fn participants<'a>(nodes: &Nodes<'a, TwoPhaseCommit>) -> impl Iterator<Item = (NodeId, &'a Participant)> {
    nodes.running().filter_map(|(node, process)| Some((node, process.participant()?)))
}
