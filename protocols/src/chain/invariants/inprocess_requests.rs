//! The Inprocess Requests Invariant (§3.1).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{ACKNOWLEDGED, APPLIED, ENTERED, INSTALLED, JOINED};
use super::super::{ChainReplication, Fact};
use super::{Pair, check_pairs};

/// `i ≤ j ⇒ Hist_i = Hist_j ⊕ Sent_i`: whatever a server after this one lacks is on this one's list.
#[derive(Clone, Copy, Debug, Default)]
pub struct InprocessRequests;

fn check((before, after): Pair<'_>) -> Result<(), Breach> {
    ensure!(
        before.acknowledged() <= after.last(),
        "{} takes everything up to {} for acknowledged, and {} after it in {} has {}",
        before.member(),
        before.acknowledged(),
        after.member(),
        before.epoch(),
        after.last()
    );
    Ok(())
}

impl Invariant<ChainReplication> for InprocessRequests {
    fn about(&self) -> &'static About {
        &About {
            name: "inprocess-requests",
            statement: "What a server has and one after it in the chain lacks is on its list of sent updates.",
            source: "van Renesse and Schneider §3.1, Inprocess Requests Invariant",
            leaves_out: "servers that know of different epochs",
        }
    }

    fn hears(&self) -> Kinds {
        [ACKNOWLEDGED, APPLIED, ENTERED, INSTALLED, JOINED].into_iter().collect()
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
