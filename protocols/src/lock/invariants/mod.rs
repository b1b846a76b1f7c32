//! The safety properties of the lock, one file each.
//!
//! | property | source | file |
//! | --- | --- | --- |
//! | single holder | Gray and Cheriton (1989) §2, §5 | `single_holder` |
//! | tokens rise | Burrows (2006) §2.4 | `tokens_rise` |
//! | no write after expiry | Gray and Cheriton (1989) §2 | `no_write_after_expiry` |
//! | fenced writes | Kleppmann (2016) | `fenced_writes` |
//!
//! They look at true time and at all nodes' clocks, which no process can. That somebody gets the lock in the end is none of
//! them: it needs a server that runs.

mod fenced_writes;
mod no_write_after_expiry;
mod single_holder;
mod tokens_rise;

use sim_core::NodeId;
use sim_core::check::{Invariant, Nodes};

pub use fenced_writes::FencedWrites;
pub use no_write_after_expiry::NoWriteAfterExpiry;
pub use single_holder::SingleHolder;
pub use tokens_rise::TokensRise;

use super::{Config, Lock, Token};

/// All of them, fresh, for nodes with this configuration.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Lock>>> {
    vec![
        Box::new(SingleHolder::new(config.ttl)),
        Box::<TokensRise>::default(),
        Box::<NoWriteAfterExpiry>::default(),
        Box::<FencedWrites>::default(),
    ]
}

/// Who counts on the lock at this moment, with its token, by what its own clocks show.
fn holders<'a>(nodes: &'a Nodes<'_, Lock>) -> impl Iterator<Item = (NodeId, Token)> + 'a {
    nodes.running().filter_map(|(node, lock)| {
        let held = lock.worker()?.held(nodes.monotonic(node), nodes.wall(node));
        held.map(|token| (node, token))
    })
}
