//! The safety properties of chain replication, one file each.
//!
//! | property | source | file |
//! | --- | --- | --- |
//! | update propagation | van Renesse and Schneider §3.1 | `update_propagation` |
//! | inprocess requests | van Renesse and Schneider §3.1 | `inprocess_requests` |
//! | one order | van Renesse and Schneider §2.1: Hist of the object | `one_order` |
//! | committed survives | van Renesse and Schneider §3 | `committed_survives` |
//! | one chain an epoch | what the master is for | `one_chain_an_epoch` |
//! | answers are fenced | Gray and Cheriton §2 | `answers_are_fenced` |
//! | same state | van Renesse and Schneider §2.1 | `same_state` |
//! | removed by the detector | Chandra and Toueg 1996 | `removed_by_detector` |
//!
//! The first two and the last compare servers as they stand: those that take part, in the same epoch. The node that has just acted is compared with
//! all others; the brute-force twin compares every pair. Histories are compared by their chains.

mod answers_are_fenced;
mod committed_survives;
mod inprocess_requests;
mod one_chain_an_epoch;
mod one_order;
mod removed_by_detector;
mod same_state;
mod update_propagation;

use sim_core::NodeId;
use sim_core::check::{Breach, Invariant, Nodes};

pub use answers_are_fenced::AnswersAreFenced;
pub use committed_survives::CommittedSurvives;
pub use inprocess_requests::InprocessRequests;
pub use one_chain_an_epoch::OneChainAnEpoch;
pub use one_order::OneOrder;
pub use removed_by_detector::RemovedByDetector;
pub use same_state::SameState;
pub use update_propagation::UpdatePropagation;

use super::ChainReplication;
use super::process::servers;
use super::server::{Part, Server};

/// All of them, fresh.
pub fn all() -> Vec<Box<dyn Invariant<ChainReplication>>> {
    vec![
        Box::new(UpdatePropagation),
        Box::new(InprocessRequests),
        Box::<OneOrder>::default(),
        Box::<CommittedSurvives>::default(),
        Box::<OneChainAnEpoch>::default(),
        Box::<AnswersAreFenced>::default(),
        Box::new(SameState),
        Box::<RemovedByDetector>::default(),
    ]
}

/// A server that takes part, with one that comes after it in the same epoch.
type Pair<'a> = (&'a Server, &'a Server);

/// Checks all pairs of servers that take part in one epoch, the first before the second, in which `node` is, if one is given.
fn check_pairs(
    nodes: &Nodes<'_, ChainReplication>,
    node: Option<NodeId>,
    check: impl Fn(Pair<'_>) -> Result<(), Breach>,
) -> Result<(), Breach> {
    let serving = |(_, server): &(NodeId, &Server)| server.part() == Part::Serving;
    for (_, server) in servers(nodes).filter(serving) {
        let after = server.configuration().links().skip_while(|member| *member != server.member()).skip(1);
        for member in after {
            let Some(other) = nodes.process(member.node).and_then(ChainReplication::server) else { continue };
            let is_meant = node.is_none_or(|node| node == server.member().node || node == member.node);
            let is_there = other.member() == member && other.part() == Part::Serving;
            if is_meant && is_there && other.epoch() == server.epoch() {
                check((server, other))?;
            }
        }
    }
    Ok(())
}
