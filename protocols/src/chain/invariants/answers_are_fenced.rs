//! Who answers a query is in the newest chain.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{ANSWERED, ISSUED};
use super::super::process::servers;
use super::super::server::Part;
use super::super::{ChainReplication, Configuration, Fact};

/// At each moment of true time, whoever answers a query is in the newest configuration that was issued.
#[derive(Clone, Debug, Default)]
pub struct AnswersAreFenced {
    newest: Option<Arc<Configuration>>,
}

impl AnswersAreFenced {
    fn issue(&mut self, configuration: &Arc<Configuration>) {
        if self.newest.as_ref().is_none_or(|newest| newest.epoch < configuration.epoch) {
            self.newest = Some(Arc::clone(configuration));
        }
    }

    fn check(&self, nodes: &Nodes<'_, ChainReplication>, node: NodeId) -> Result<(), Breach> {
        let server = nodes.process(node).and_then(ChainReplication::server);
        let (Some(server), Some(newest)) = (server, &self.newest) else { return Ok(()) };
        ensure!(
            newest.contains(server.member()),
            "{} answers a query in {}, and was removed: the chain is {newest}",
            server.member(),
            server.epoch()
        );
        Ok(())
    }
}

impl Invariant<ChainReplication> for AnswersAreFenced {
    fn about(&self) -> &'static About {
        &About {
            name: "answers-are-fenced",
            statement: "Whoever answers a query is in the newest chain at that moment of true time.",
            source: "Gray and Cheriton §2; van Renesse and Schneider §2.1 take servers to be fail-stop",
            leaves_out: "clocks that run outside of the bound",
        }
    }

    fn hears(&self) -> Kinds {
        [ISSUED, ANSWERED].into_iter().collect()
    }

    fn on_event(
        &mut self,
        nodes: &Nodes<'_, ChainReplication>,
        node: NodeId,
        facts: &[Fact],
    ) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match fact {
            Fact::Issued(configuration) => {
                self.issue(configuration);
                Ok(())
            }
            Fact::Answered => self.check(nodes, node),
            Fact::Entered(_)
            | Fact::Decided(_)
            | Fact::Joined
            | Fact::Left
            | Fact::Applied { .. }
            | Fact::Installed { .. }
            | Fact::Committed { .. }
            | Fact::Acknowledged { .. } => Ok(()),
        })
    }

    /// Whoever could answer a query now.
    fn check_all(&self, nodes: &Nodes<'_, ChainReplication>) -> Result<(), Breach> {
        let could = |(node, server): &(NodeId, &super::Server)| {
            server.part() == Part::Serving && server.has_lease(nodes.monotonic(*node))
        };
        servers(nodes).filter(could).try_for_each(|(node, _)| self.check(nodes, node))
    }
}
