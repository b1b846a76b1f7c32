//! The safety properties of SWIM, one file each.
//!
//! | property | SWIM | file |
//! | --- | --- | --- |
//! | time-bounded completeness | §4.3 | `bounded_completeness` |
//! | accuracy, in runs that are held to it | §2, §4.2 | `accuracy` |
//! | a death comes after a suspicion that nobody refuted | §4.2 | `confirmed_after_suspicion` |
//! | incarnations are their member's | §4.2 | `incarnation_by_owner` |
//! | news override by the rules | §4.2 | `override_rules` |
//! | λ⌈log(n + 1)⌉ times | §4.1 | `dissemination` |
//! | the least sent first | §4.1 | `least_sent_first` |
//! | load | §3.1 | `load_in_bounds` |
//!
//! That all come to list the same members after faults is the liveness condition `all-agree`. Ghost state has an entry for
//! each pair of members of which one has heard something of the other, or probes it: for groups of thousands, switch it off.

mod accuracy;
mod bounded_completeness;
mod confirmed_after_suspicion;
mod dissemination;
mod incarnation_by_owner;
mod least_sent_first;
mod load_in_bounds;
mod override_rules;

use std::collections::BTreeMap;

use sim_core::check::Invariant;
use sim_core::{LocalTime, NodeId};

pub use accuracy::Accurate;
pub use bounded_completeness::BoundedCompleteness;
pub use confirmed_after_suspicion::ConfirmedAfterSuspicion;
pub use dissemination::Dissemination;
pub use incarnation_by_owner::IncarnationByOwner;
pub use least_sent_first::LeastSentFirst;
pub use load_in_bounds::LoadInBounds;
pub use override_rules::OverrideRules;

use super::member::{Belief, State, Table, Update};
use super::{Config, Swim};

/// All of them, fresh, for nodes with this configuration.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Swim>>> {
    vec![
        Box::new(BoundedCompleteness::new(config)),
        Box::new(Accurate::new(config.accuracy)),
        Box::new(ConfirmedAfterSuspicion::new(config)),
        Box::<IncarnationByOwner>::default(),
        Box::new(OverrideRules::new(config.retention)),
        Box::new(Dissemination::new(config)),
        Box::<LeastSentFirst>::default(),
        Box::new(LoadInBounds::new(config)),
    ]
}

/// What a node must believe of the others, by what it has heard: the rules once more, apart from those of the protocol.
#[derive(Clone, Debug, Default)]
struct Beliefs {
    tables: BTreeMap<NodeId, Table>,
    /// Since when, for what was heard.
    since: BTreeMap<(NodeId, NodeId), LocalTime>,
}

impl Beliefs {
    fn start(&mut self, node: NodeId, table: &Table) {
        self.tables.insert(node, table.clone());
        let of_node = (node, NodeId::new(0))..;
        let old: Vec<_> =
            self.since.range(of_node).map(|(pair, _)| *pair).take_while(|(of, _)| *of == node).collect();
        for pair in old {
            self.since.remove(&pair);
        }
    }

    /// A node hears news.
    fn hear(&mut self, node: NodeId, update: Update, at: LocalTime) {
        let Update { member, belief, .. } = update;
        if is_greater(belief, self.get(node, member)) {
            self.set(node, member, belief);
            self.since.insert((node, member), at);
        }
    }

    fn set(&mut self, node: NodeId, member: NodeId, belief: Belief) {
        self.tables.entry(node).or_default().set(member, belief);
    }

    fn get(&self, node: NodeId, member: NodeId) -> Belief {
        self.tables.get(&node).map_or(Belief::UNKNOWN, |table| table.get(member))
    }

    fn since(&self, node: NodeId, member: NodeId) -> Option<LocalTime> {
        self.since.get(&(node, member)).copied()
    }
}

/// The order of beliefs, said in another way than [`Belief::overrides`]: by incarnation, then by state.
fn is_greater(news: Belief, old: Belief) -> bool {
    let rank = |belief: Belief| (belief.state != State::Unknown, belief.incarnation, belief.state);
    rank(news) > rank(old)
}
