//! The safety properties of Plumtree and HyParView, one file each.
//!
//! | property | in the papers | file |
//! | --- | --- | --- |
//! | who hears of a value gets it or asks in time | Plumtree §3.3.2, algorithm 2: timers, GRAFT | `no_permanent_miss` |
//! | who is asked for a value sends it | Plumtree algorithm 2: GRAFT | `grafts_answered` |
//! | eager and lazy by the rules | Plumtree algorithms 1 to 4 | `eager_by_rule` |
//! | delivered once, and only what was broadcast | Plumtree algorithm 1 | `delivered_once` |
//! | a hop counts | Plumtree algorithm 1: round | `hops_counted` |
//! | bounded views without the node itself | HyParView §4.1 | `views_in_bounds` |
//! | the passive view loses nobody | HyParView §4.4 | `passive_by_rule` |
//! | priorities | HyParView §4.3 | `requests_by_priority` |
//! | walks end | HyParView §4.2, algorithm 1 | `walks_end` |
//! | free places are sought for | HyParView §4.3 | `places_sought` |
//! | failures are noticed, and only failures | HyParView §4.3, with a detector for TCP | `failures_noticed` |
//!
//! They go by facts. Symmetry of the active views is none of them, as it takes a while: it is what nodes
//! must agree on after faults ([`Process::disagreement`](sim_core::Process::disagreement)).

mod delivered_once;
mod eager_by_rule;
mod failures_noticed;
mod grafts_answered;
mod hops_counted;
mod no_permanent_miss;
mod passive_by_rule;
mod places_sought;
mod requests_by_priority;
mod views_in_bounds;
mod walks_end;

use sim_core::check::{Invariant, Kinds};

pub use delivered_once::DeliveredOnce;
pub use eager_by_rule::EagerByRule;
pub use failures_noticed::FailuresNoticed;
pub use grafts_answered::GraftsAnswered;
pub use hops_counted::HopsCounted;
pub use no_permanent_miss::NoPermanentMiss;
pub use passive_by_rule::PassiveByRule;
pub use places_sought::PlacesSought;
pub use requests_by_priority::RequestsByPriority;
pub use views_in_bounds::ViewsInBounds;
pub use walks_end::WalksEnd;

use super::facts::Kind;
use super::{Config, Plumtree};

/// All of them, fresh, for nodes with this configuration.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Plumtree>>> {
    vec![
        Box::<DeliveredOnce>::default(),
        Box::<HopsCounted>::default(),
        Box::new(NoPermanentMiss::new(*config)),
        Box::<GraftsAnswered>::default(),
        Box::new(EagerByRule::new(*config)),
        Box::new(ViewsInBounds::new(*config)),
        Box::new(PassiveByRule::new(*config)),
        Box::new(RequestsByPriority::new(*config)),
        Box::new(WalksEnd::new(*config)),
        Box::<PlacesSought>::default(),
        Box::new(FailuresNoticed::new(*config)),
    ]
}

fn kinds(wanted: impl IntoIterator<Item = Kind>) -> Kinds {
    wanted.into_iter().map(|kind| kind as u32).collect()
}
