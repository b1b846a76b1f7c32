//! Raft's safety properties, one file each.
//!
//! | property | paper | TLA+ | file |
//! | --- | --- | --- | --- |
//! | Election Safety | §5.2, Figure 3 | `ElectionSafety` over `elections`; `MoreThanOneLeaderInv` | `election_safety` |
//! | a leader has all of its term | §5.2, §5.3 | `ElectionSafetyInv` | `leader_has_own_term` |
//! | Leader Append-Only | §5.3, Figure 3 | `LeaderAppendOnly` (action property) | `leader_append_only` |
//! | Log Matching | §5.3, Figure 3 | `LogMatchingInv` | `log_matching` |
//! | Leader Completeness | §5.4, Figure 3 | `LeaderCompletenessInv`, `LogInv` | `leader_completeness` |
//! | State Machine Safety | §5.4.3, Figure 3 | `StateMachineSafety` | `state_machine_safety` |
//! | one vote a term, across restarts | §5.2 | `VoteOnce` | `vote_once` |
//! | bounds and monotony | Figure 2 | – | `bounds` |
//! | one committed sequence | §5.4.3 | `LogInv` | `log_inv` |
//! | every quorum has what is committed | §5.3 | `QuorumLogInv` | `quorum_log_inv` |
//! | who may be elected has what is committed | §5.4.1 | `MoreUpToDateCorrectInv`, weaker | `more_up_to_date_correct` |
//! | what is committed is on disks | Figure 2 | `CommittedIsDurableInv`, weaker | `committed_is_durable` |
//! | what counts as durable is on disk | Figure 2 | – | `durable_is_on_disk` |
//! | no message of a term that may be forgotten | §5.1 | `MessageTermsLtCurrentTerm`, stronger | `message_terms` |
//! | leaders have the votes of a quorum | §5.2 | `elections` of `raft.tla` | `election_record` |
//! | memberships that follow one another meet | §6 | – | `config_safety` |
//! | the last membership of the log is in force | §6 | – | `config_in_force` |
//! | a command takes effect once | §8 | – | `session_exactly_once` |
//! | a leader that is heard stays | dissertation §9.6 | – | `non_disruption` |
//!
//! Each keeps ghost state from facts, in O(1) an entry, in containers whose copies share their chunks. What spec
//! authors found *not* to hold is shown in [`votes_granted`] with what refutes it, and never checked.

mod bounds;
mod committed_is_durable;
mod config_in_force;
mod config_safety;
mod durable_is_on_disk;
mod election_record;
mod election_safety;
mod leader_append_only;
mod leader_completeness;
mod leader_has_own_term;
mod log_inv;
mod log_matching;
mod message_terms;
mod more_up_to_date_correct;
mod non_disruption;
mod quorum_log_inv;
mod session_exactly_once;
mod state_machine_safety;
mod vote_once;
pub mod votes_granted;

use sim_core::check::Invariant;

pub use bounds::Bounds;
pub use committed_is_durable::CommittedIsDurable;
pub use config_in_force::ConfigInForce;
pub use config_safety::ConfigSafety;
pub use durable_is_on_disk::DurableIsOnDisk;
pub use election_record::ElectionRecord;
pub use election_safety::ElectionSafety;
pub use leader_append_only::LeaderAppendOnly;
pub use leader_completeness::LeaderCompleteness;
pub use leader_has_own_term::LeaderHasOwnTerm;
pub use log_inv::LogInv;
pub use log_matching::LogMatching;
pub use message_terms::MessageTerms;
pub use more_up_to_date_correct::MoreUpToDateCorrect;
pub use non_disruption::NonDisruption;
pub use quorum_log_inv::QuorumLogInv;
pub use session_exactly_once::SessionExactlyOnce;
pub use state_machine_safety::StateMachineSafety;
pub use vote_once::VoteOnce;

use super::{Fact, Index, Membership, Raft};

/// The membership that was in force when a handler stated a fact, of which it has stated these `later` ones: what it appended
/// and executed meanwhile may have brought another.
fn members_before(raft: &Raft, later: &[Fact]) -> Membership {
    let first = |is_it: fn(&Fact) -> Option<Index>| later.iter().find_map(is_it).map(Index::previous);
    let executed = first(|fact| if let Fact::Applied { index, .. } = fact { Some(*index) } else { None });
    let last = first(|fact| if let Fact::Appended { index, .. } = fact { Some(*index) } else { None });
    let executed = executed.unwrap_or(raft.machine().applied());
    raft.rightful_members(executed, last.unwrap_or(raft.log().last_index())).1
}

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
        Box::<LogInv>::default(),
        Box::<QuorumLogInv>::default(),
        Box::<MoreUpToDateCorrect>::default(),
        Box::<CommittedIsDurable>::default(),
        Box::<DurableIsOnDisk>::default(),
        Box::<MessageTerms>::default(),
        Box::<ElectionRecord>::default(),
        Box::<ConfigSafety>::default(),
        Box::<ConfigInForce>::default(),
        Box::<SessionExactlyOnce>::default(),
        Box::<NonDisruption>::default(),
        Box::<LeaderHasOwnTerm>::default(),
    ]
}
