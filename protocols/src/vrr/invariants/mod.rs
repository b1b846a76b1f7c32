//! The safety properties of Viewstamped Replication, one file each.
//!
//! | property | paper | file |
//! | --- | --- | --- |
//! | one start a view | §4.2 | `one_start_a_view` |
//! | one group an epoch | §7.1 | `one_group_an_epoch` |
//! | sealed before started | §7.1 | `sealed_before_started` |
//! | Log Matching | §4.1, §8.1 | `log_matching` |
//! | what is committed, a quorum holds | §4.1, step 5 | `commit_quorum` |
//! | committed survives | §8.1 | `committed_survives` |
//! | State Machine Safety | §4.1, step 7 | `state_machine_safety` |
//! | acknowledged is kept | §4.3, §8.2 | `acknowledged_is_kept` |
//! | executed once | §4.1, §4.5 | `executed_once` |
//! | bounds and monotony | Figure 2 | `bounds` |
//!
//! Each keeps ghost state from facts, in O(1) an entry, in containers whose copies share their chunks. The paper has no
//! TLA+; where Raft's specifications name the same property, that name is given.
//!
//! Views are compared with their epochs, so that each property holds over all epochs: what is committed in one is in the
//! logs of all later ones.
//!
//! Not here, because it does not hold: that a replica in view v takes part in no older one later. After a crash it may,
//! if v never started; crash vectors see to it that its old promise no longer counts.

mod acknowledged_is_kept;
mod bounds;
mod commit_quorum;
mod committed_survives;
mod executed_once;
mod log_matching;
mod one_group_an_epoch;
mod one_start_a_view;
mod sealed_before_started;
mod state_machine_safety;

use sim_core::check::Invariant;

pub use acknowledged_is_kept::AcknowledgedIsKept;
pub use bounds::Bounds;
pub use commit_quorum::CommitQuorum;
pub use committed_survives::CommittedSurvives;
pub use executed_once::ExecutedOnce;
pub use log_matching::LogMatching;
pub use one_group_an_epoch::OneGroupAnEpoch;
pub use one_start_a_view::OneStartAView;
pub use sealed_before_started::SealedBeforeStarted;
pub use state_machine_safety::StateMachineSafety;

use super::Vrr;

/// All of them, fresh.
pub fn all() -> Vec<Box<dyn Invariant<Vrr>>> {
    vec![
        Box::<OneStartAView>::default(),
        Box::<OneGroupAnEpoch>::default(),
        Box::<SealedBeforeStarted>::default(),
        Box::<LogMatching>::default(),
        Box::<CommitQuorum>::default(),
        Box::<CommittedSurvives>::default(),
        Box::<StateMachineSafety>::default(),
        Box::<AcknowledgedIsKept>::default(),
        Box::<ExecutedOnce>::default(),
        Box::<Bounds>::default(),
    ]
}
