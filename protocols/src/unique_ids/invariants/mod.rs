//! The properties of unique ids, one file each.
//!
//! | property | source | file |
//! | --- | --- | --- |
//! | unique | the meaning of the service | `unique` |
//! | rises at its node | Snowflake, hi/lo | `rises_at_node` |
//! | time in id | Snowflake: roughly sorted | `time_in_id` |
//! | causal order | Kulkarni et al., theorem 1 | `causal_order` |
//!
//! Ghost state has an entry for each id of the run. Twins look at the generators alone.

mod causal_order;
mod rises_at_node;
mod time_in_id;
mod unique;

use sim_core::check::Invariant;

pub use causal_order::CausalOrder;
pub use rises_at_node::RisesAtNode;
pub use time_in_id::TimeInId;
pub use unique::Unique;

use super::{Config, UniqueIds};

/// All of them, fresh, for nodes with this configuration.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<UniqueIds>>> {
    vec![
        Box::<Unique>::default(),
        Box::<RisesAtNode>::default(),
        Box::new(TimeInId::new(config.kind)),
        Box::<CausalOrder>::default(),
    ]
}
