//! The safety properties of rumors, one file each.
//!
//! | property | Demers et al. | file |
//! | --- | --- | --- |
//! | only what was broadcast is known | §1.1 | `only_broadcast` |
//! | removed sites know the rumor and are silent | §1.4 | `removed_stays_removed` |
//! | interest is lost by the rule | §1.4, Blind vs. Feedback, Counter vs. Coin | `interest_by_rule` |
//! | calls are within the limits | §1.4, connection limit, hunting | `calls_in_bounds` |
//! | partners are drawn evenly | §1.3 | `partners_uniform` |
//!
//! Each keeps ghost state from facts: an entry for each rumor at each site where there must be one. That a rumor
//! reaches everybody is none of them, because it need not.

mod calls_in_bounds;
mod interest_by_rule;
mod only_broadcast;
mod partners_uniform;
mod removed_stays_removed;

use sim_core::check::Invariant;

pub use calls_in_bounds::CallsInBounds;
pub use interest_by_rule::InterestByRule;
pub use only_broadcast::OnlyBroadcast;
pub use partners_uniform::PartnersUniform;
pub use removed_stays_removed::RemovedStaysRemoved;

use super::{Config, Gossip};

/// All of them, fresh, for sites with this configuration.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Gossip>>> {
    vec![
        Box::<OnlyBroadcast>::default(),
        Box::<RemovedStaysRemoved>::default(),
        Box::new(InterestByRule::new(*config)),
        Box::new(CallsInBounds::new(*config)),
        Box::new(PartnersUniform::new(*config)),
    ]
}
