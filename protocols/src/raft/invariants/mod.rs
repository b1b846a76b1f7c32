//! Raft's safety properties, one file each.
//!
//! | property | paper | TLA+ | file |
//! | --- | --- | --- | --- |
//! | Election Safety | §5.2, Figure 3 | `ElectionSafety` over `elections` | `election_safety` |
//! | Leader Append-Only | §5.3, Figure 3 | `LeaderAppendOnly` (action property) | `leader_append_only` |
//! | Log Matching | §5.3, Figure 3 | `LogMatchingInv` | `log_matching` |
//! | Leader Completeness | §5.4, Figure 3 | `LeaderCompletenessInv`, `LogInv` | `leader_completeness` |
//! | State Machine Safety | §5.4.3, Figure 3 | `StateMachineSafety` | `state_machine_safety` |
//! | one vote a term, across restarts | §5.2 | `VoteOnce` | `vote_once` |
//! | bounds and monotony | Figure 2 | `MessageTermsLtCurrentTerm` and kin | `bounds` |
//!
//! Each keeps ghost state from facts, in O(1) an entry, in containers whose copies share their chunks. What spec
//! authors found *not* to hold is not here: in particular, that a vote for a candidate means that the candidate has
//! all that the voter knows to be committed (etcd's `VotesGrantedInv`), which a lost reply and a second candidate of
//! the same term refute.

mod bounds;
mod election_safety;
mod leader_append_only;
mod leader_completeness;
mod log_matching;
mod state_machine_safety;
mod vote_once;

use sim_core::check::Invariant;

pub use bounds::Bounds;
pub use election_safety::ElectionSafety;
pub use leader_append_only::LeaderAppendOnly;
pub use leader_completeness::LeaderCompleteness;
pub use log_matching::LogMatching;
pub use state_machine_safety::StateMachineSafety;
pub use vote_once::VoteOnce;

use super::Raft;

/// All of them, fresh.
pub fn all() -> Vec<Box<dyn Invariant<Raft>>> {
    vec![
        Box::<ElectionSafety>::default(),
        Box::<LeaderAppendOnly>::default(),
        Box::<LogMatching>::default(),
        Box::<LeaderCompleteness>::default(),
        Box::<StateMachineSafety>::default(),
        Box::<VoteOnce>::default(),
        Box::<Bounds>::default(),
    ]
}
