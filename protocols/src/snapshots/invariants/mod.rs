//! The safety properties of snapshots and of what they are taken of, one file each.
//!
//! | property | source | file |
//! | --- | --- | --- |
//! | the cut is consistent | Chandy, Lamport (1985) §2.2 | `consistent_cut` |
//! | states of channels | Chandy, Lamport (1985) §3.1 | `channel_states` |
//! | all money is recorded | Chandy, Lamport (1985) §2.2, the single-token example | `recorded_money` |
//! | reachability | Chandy, Lamport (1985) §3.2, theorem 1 | `reachable` |
//! | conservation | what accounts are for | `conservation` |
//! | channels keep order, and deliver once | Chandy, Lamport (1985) §2.1 | `channels_in_order` |
//!
//! That snapshots end is the liveness condition `all-agree`. What processes have done is kept once for all, in [`past`]; the
//! brute-force twins do all steps on the disks again.

mod channel_states;
mod channels_in_order;
mod conservation;
mod consistent_cut;
mod past;
mod reachable;
mod recorded_money;

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{Invariant, Nodes};
use sim_core::service::transfer::OPENING_BALANCE;

pub use channel_states::ChannelStates;
pub use channels_in_order::ChannelsInOrder;
pub use conservation::Conservation;
pub use consistent_cut::ConsistentCut;
pub use reachable::Reachable;
pub use recorded_money::RecordedMoney;

use super::branch::{Branch, Ended};
use super::durable::{Step, steps};
use super::types::Cut;
use super::{Channels, Config, Event, Fact, Snapshots};

/// All of them, fresh, for nodes with this configuration. Without order, the states of channels are not promised.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Snapshots>>> {
    let config = Arc::new(config.clone());
    let mut all: Vec<Box<dyn Invariant<Snapshots>>> = vec![
        Box::new(ConsistentCut::new(&config)),
        Box::new(RecordedMoney::new(&config)),
        Box::new(Reachable::new(&config)),
        Box::new(Conservation::new(&config)),
        Box::new(ChannelsInOrder::new(&config)),
    ];
    if config.channels == Channels::Fifo {
        all.push(Box::new(ChannelStates::new(&config)));
    }
    all
}

/// All money there is.
fn all_money(config: &Config) -> u128 {
    u128::from(config.accounts) * u128::from(OPENING_BALANCE)
}

/// What a process has at the beginning.
fn opening(config: &Config, node: NodeId) -> u128 {
    config.accounts_of(node).map(|_| u128::from(OPENING_BALANCE)).sum()
}

/// The snapshots that are finished by these facts.
fn finished(facts: &[Fact]) -> impl Iterator<Item = &Arc<Cut>> {
    facts.iter().filter_map(|fact| match fact.event() {
        Some(Event::Finished(cut)) => Some(cut),
        Some(_) | None => None,
    })
}

/// Ordered pairs of different nodes: whose channels there are.
fn channels(config: &Config) -> impl Iterator<Item = (NodeId, NodeId)> {
    config.nodes().flat_map(|from| config.peers(from).map(move |to| (from, to)))
}

// ----- for the twins -----

/// The last snapshots that processes which run have finished.
fn cuts<'a>(nodes: &Nodes<'a, Snapshots>) -> impl Iterator<Item = &'a Arc<Cut>> {
    nodes.running().filter_map(|(_, process)| match process.branch().last_ended()? {
        Ended::Finished(cut) => Some(cut),
        Ended::Abandoned(_) => None,
    })
}

/// The steps that are in the log of a node, running or not.
fn log_of(nodes: &Nodes<'_, Snapshots>, node: NodeId) -> Vec<Step> {
    nodes.disk(node).map(steps).unwrap_or_default()
}

/// What the logs of all nodes come to. Nothing in them is ever acknowledged, so channels have all that was sent.
fn branches(nodes: &Nodes<'_, Snapshots>, config: &Arc<Config>) -> BTreeMap<NodeId, Branch> {
    let branch = |node| {
        let mut branch = Branch::new(Arc::clone(config), node);
        for step in log_of(nodes, node) {
            branch.apply(&step);
        }
        (node, branch)
    };
    config.nodes().map(branch).collect()
}
