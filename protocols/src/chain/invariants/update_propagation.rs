//! The Update Propagation Invariant (§3.1).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{APPLIED, ENTERED, INSTALLED, JOINED};
use super::super::{ChainReplication, Fact};
use super::{Pair, check_pairs};

/// `i ≤ j ⇒ Hist_j ⪯ Hist_i`: who comes later in the chain has a prefix of what those before it have.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpdatePropagation;

fn check((before, after): Pair<'_>) -> Result<(), Breach> {
    let (i, j) = (before.member(), after.member());
    ensure!(
        after.last() <= before.last(),
        "{j} has {} updates, and {i} before it in {} has {}",
        after.last(),
        before.epoch(),
        before.last()
    );
    let chains = (before.history().chain_at(after.last()), after.history().last_chain());
    ensure!(
        chains.0.is_none_or(|chain| chain == chains.1),
        "{j} has other updates up to {} than {i} before it in {}",
        after.last(),
        before.epoch()
    );
    Ok(())
}

impl Invariant<ChainReplication> for UpdatePropagation {
    fn about(&self) -> &'static About {
        &About {
            name: "update-propagation",
            statement: "The history of a server is a prefix of that of each server before it in the chain.",
            source: "van Renesse and Schneider §3.1, Update Propagation Invariant",
            leaves_out: "servers that know of different epochs, and updates that the server before keeps in its state alone",
        }
    }

    fn hears(&self) -> Kinds {
        [APPLIED, ENTERED, INSTALLED, JOINED].into_iter().collect()
    }

    fn on_event(
        &mut self,
        nodes: &Nodes<'_, ChainReplication>,
        node: NodeId,
        _: &[Fact],
    ) -> Result<(), Breach> {
        check_pairs(nodes, Some(node), check)
    }

    fn check_all(&self, nodes: &Nodes<'_, ChainReplication>) -> Result<(), Breach> {
        check_pairs(nodes, None, check)
    }
}
