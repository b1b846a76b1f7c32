//! What is committed is with every server of the newest chain.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{COMMITTED, ENTERED, ISSUED};
use super::super::{ChainReplication, Configuration, Fact, Member};
use crate::replicated::{Chain, Index};

/// Whoever is in the newest chain has the last update that a tail has committed, and so all of them. One that is handed over to is not
/// in it yet.
#[derive(Clone, Debug, Default)]
pub struct CommittedSurvives {
    /// The last update committed.
    last: Option<(Index, Chain)>,
    newest: Option<Arc<Configuration>>,
}

impl CommittedSurvives {
    fn note(&mut self, fact: &Fact) {
        match fact {
            Fact::Issued(configuration) => {
                let is_newer = self.newest.as_ref().is_none_or(|newest| newest.epoch < configuration.epoch);
                if is_newer {
                    self.newest = Some(Arc::clone(configuration));
                }
            }
            Fact::Committed { index, chain } => {
                if self.last.is_none_or(|(last, _)| last < *index) {
                    self.last = Some((*index, *chain));
                }
            }
            Fact::Entered(_)
            | Fact::Decided(_)
            | Fact::Joined
            | Fact::Left
            | Fact::Applied { .. }
            | Fact::Installed { .. }
            | Fact::Acknowledged { .. }
            | Fact::Answered => {}
        }
    }

    /// Checks a server of the newest chain that runs, in the life that the chain means.
    fn check(&self, nodes: &Nodes<'_, ChainReplication>, member: Member) -> Result<(), Breach> {
        let Some((index, chain)) = self.last else { return Ok(()) };
        let server = nodes.process(member.node).and_then(ChainReplication::server);
        let Some(server) = server.filter(|server| server.member() == member) else { return Ok(()) };
        ensure!(
            index <= server.last(),
            "{member} is in the newest chain and has {} updates, and {index} are committed",
            server.last()
        );
        let own = server.history().chain_at(index);
        ensure!(
            own.is_none_or(|own| own == chain),
            "{member} is in the newest chain and has other updates up to {index} than are committed"
        );
        Ok(())
    }
}

impl Invariant<ChainReplication> for CommittedSurvives {
    fn about(&self) -> &'static About {
        &About {
            name: "committed-survives",
            statement: "Every server of the newest chain has all that a tail has committed.",
            source: "van Renesse and Schneider §3: failures of t - 1 of t servers are masked",
            leaves_out: "servers of the chain that are down, or have lost their memory: they are to be removed",
        }
    }

    fn hears(&self) -> Kinds {
        [ISSUED, ENTERED, COMMITTED].into_iter().collect()
    }

    fn on_event(
        &mut self,
        nodes: &Nodes<'_, ChainReplication>,
        _: NodeId,
        facts: &[Fact],
    ) -> Result<(), Breach> {
        for fact in facts {
            self.note(fact);
        }
        self.check_all(nodes)
    }

    fn check_all(&self, nodes: &Nodes<'_, ChainReplication>) -> Result<(), Breach> {
        let Some(newest) = &self.newest else { return Ok(()) };
        newest.chain.iter().try_for_each(|member| self.check(nodes, *member))
    }
}
