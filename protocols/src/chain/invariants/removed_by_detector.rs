//! With SWIM only a server that is dead to the group, or not itself any more, is removed.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{DECIDED, ISSUED};
use super::super::types::{Joiner, Stage};
use super::super::{ChainReplication, Configuration, Fact, Member};

/// When the master decides that a server is in the chain no more, the master's membership has its node down as gone, or the node is
/// down or in another life. One that was being handed over to goes with the one before it. Says nothing where the lease alone is the
/// detector.
#[derive(Clone, Debug, Default)]
pub struct RemovedByDetector {
    newest: Option<Arc<Configuration>>,
}

impl RemovedByDetector {
    fn decide(
        &self,
        nodes: &Nodes<'_, ChainReplication>,
        master: NodeId,
        next: &Configuration,
    ) -> Result<(), Breach> {
        let membership = nodes.process(master).and_then(ChainReplication::membership);
        let (Some(newest), Some(membership)) = (&self.newest, membership) else { return Ok(()) };
        let is_removed = |member: &Member| !next.contains(*member);
        let is_left_alone = |member: &Member| {
            newest.joiner == Some(Joiner { member: *member, stage: Stage::HandingOver })
                && is_removed(&newest.last())
        };
        let mut removed = newest.links().filter(|member| is_removed(member) && !is_left_alone(member));
        removed.try_for_each(|Member { node, life }| {
            let server = nodes.process(node).and_then(ChainReplication::server);
            let lives_on = server.is_some_and(|server| server.member().life == life);
            let state = membership.state_of(node);
            ensure!(
                !lives_on || !state.is_present(),
                "{master} removes {node}, which runs as it did, and is {} to the group: {newest} becomes {next}",
                state.name()
            );
            Ok(())
        })
    }
}

impl Invariant<ChainReplication> for RemovedByDetector {
    fn about(&self) -> &'static About {
        &About {
            name: "removed-by-detector",
            statement: "With SWIM as the detector, the master removes a server only if the group has it down as gone, or it is not itself \
                        any more.",
            source: "Chandra and Toueg 1996: accuracy; van Renesse and Schneider §3 take the detector as given",
            leaves_out: "whether the group is right: the invariants of SWIM see to that",
        }
    }

    fn hears(&self) -> Kinds {
        [DECIDED, ISSUED].into_iter().collect()
    }

    fn on_event(
        &mut self,
        nodes: &Nodes<'_, ChainReplication>,
        node: NodeId,
        facts: &[Fact],
    ) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match fact {
            Fact::Decided(next) => self.decide(nodes, node, next),
            Fact::Issued(configuration) => {
                self.newest = Some(Arc::clone(configuration));
                Ok(())
            }
            Fact::Entered(_)
            | Fact::Joined
            | Fact::Left
            | Fact::Applied { .. }
            | Fact::Installed { .. }
            | Fact::Committed { .. }
            | Fact::Acknowledged { .. }
            | Fact::Answered => Ok(()),
        })
    }

    /// Why somebody was removed does not show later.
    fn check_all(&self, _: &Nodes<'_, ChainReplication>) -> Result<(), Breach> {
        Ok(())
    }
}
