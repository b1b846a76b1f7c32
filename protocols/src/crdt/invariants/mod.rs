//! The safety properties of replicated data, one file each.
//!
//! | property | source | file |
//! | --- | --- | --- |
//! | only what clients have changed is there | Shapiro et al. §2 | `only_made` |
//! | the state of a replica only grows | Shapiro et al. §2.2: monotonic semilattice | `state_grows` |
//! | a change is news to its replica | Almeida et al. §7.2: dots are unique | `made_once` |
//! | what a client was told stays | Almeida et al., algorithm 2: durable state | `acknowledged_survives` |
//! | adding wins over removing | Shapiro et al. §3.3.5 | `adds_win` |
//!
//! That all replicas come to the same state is asked after the faults: `all-agree`. The laws of the types are tested with
//! them.

mod acknowledged_survives;
mod adds_win;
mod made_once;
mod only_made;
mod state_grows;

use sim_core::check::Invariant;

pub use acknowledged_survives::AcknowledgedSurvives;
pub use adds_win::AddsWin;
pub use made_once::MadeOnce;
pub use only_made::OnlyMade;
pub use state_grows::StateGrows;

use super::{Config, Crdt};

/// All of them, fresh, for replicas with this configuration.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Crdt>>> {
    vec![
        Box::new(OnlyMade::new(config.kind)),
        Box::<StateGrows>::default(),
        Box::<MadeOnce>::default(),
        Box::new(AcknowledgedSurvives::new(config.kind)),
        Box::<AddsWin>::default(),
    ]
}
