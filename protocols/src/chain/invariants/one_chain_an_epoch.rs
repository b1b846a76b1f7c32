//! One chain an epoch, and epochs rise.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::config::MASTER;
use super::super::durable::{CONFIGURATION, Record};
use super::super::facts::{ENTERED, ISSUED};
use super::super::process::servers;
use super::super::{ChainReplication, Configuration, Epoch, Fact};

/// All agree on the chain of an epoch; a server enters those only that were issued, and never an older one than before.
#[derive(Clone, Debug, Default)]
pub struct OneChainAnEpoch {
    issued: BTreeMap<Epoch, Arc<Configuration>>,
    /// Where each server is, and in which incarnation of its node.
    entered: BTreeMap<NodeId, (u32, Epoch)>,
}

impl OneChainAnEpoch {
    fn issue(&mut self, configuration: &Arc<Configuration>) -> Result<(), Breach> {
        let known = self.issued.entry(configuration.epoch).or_insert_with(|| Arc::clone(configuration));
        ensure!(known == configuration, "the master issues {configuration}, and has issued {known}");
        Ok(())
    }

    fn enter(&mut self, node: NodeId, incarnation: u32, configuration: &Configuration) -> Result<(), Breach> {
        let epoch = configuration.epoch;
        let known = self.issued.get(&epoch);
        // The first is known to all without the master.
        ensure!(
            known.map_or(epoch == Epoch(1), |known| known.as_ref() == configuration),
            "{node} enters {configuration}, which was not issued"
        );
        let before = self.entered.insert(node, (incarnation, epoch));
        ensure!(
            before.is_none_or(|(life, before)| life != incarnation || before < epoch),
            "{node} enters {epoch}, after it was in a later one"
        );
        Ok(())
    }
}

impl Invariant<ChainReplication> for OneChainAnEpoch {
    fn about(&self) -> &'static About {
        &About {
            name: "one-chain-an-epoch",
            statement: "There is one chain an epoch, and no server goes back to an older one.",
            source: "van Renesse and Schneider §3: the master tells all servers of the new chain",
            leaves_out: "what a node did before it was restarted",
        }
    }

    fn hears(&self) -> Kinds {
        [ISSUED, ENTERED].into_iter().collect()
    }

    fn on_event(
        &mut self,
        nodes: &Nodes<'_, ChainReplication>,
        node: NodeId,
        facts: &[Fact],
    ) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match fact {
            Fact::Issued(configuration) => self.issue(configuration),
            Fact::Entered(configuration) => self.enter(node, nodes.incarnation(node), configuration),
            Fact::Left
            | Fact::Joined
            | Fact::Applied { .. }
            | Fact::Installed { .. }
            | Fact::Committed { .. }
            | Fact::Acknowledged { .. }
            | Fact::Answered
            | Fact::Decided(_) => Ok(()),
        })
    }

    /// Servers of one epoch know the same chain, and none is in a later one than the master has on its disk.
    fn check_all(&self, nodes: &Nodes<'_, ChainReplication>) -> Result<(), Breach> {
        let on_disk = nodes.disk(MASTER).and_then(|disk| disk.durable_cell(CONFIGURATION)?.intact());
        let last = on_disk.and_then(Record::configuration).map_or(Epoch(1), |it| it.epoch);
        servers(nodes).try_for_each(|(node, server)| {
            let epoch = server.epoch();
            ensure!(epoch <= last, "{node} is in {epoch}, and the master's disk knows of none after {last}");
            let mine = server.configuration();
            let other = servers(nodes)
                .find(|(_, other)| other.epoch() == mine.epoch && other.configuration() != mine);
            ensure!(other.is_none(), "{node} knows {mine}, and another server another chain of that epoch");
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_chain_of_an_epoch_and_an_older_one_are_found() {
        let mut invariant = OneChainAnEpoch::default();
        let (node, first) = (NodeId::new(1), Arc::new(Configuration::first(&[1, 2].map(NodeId::new))));
        let second = Configuration { epoch: Epoch(2), ..Configuration::first(&[NodeId::new(1)]) };
        let other = Configuration { epoch: Epoch(2), ..Configuration::first(&[NodeId::new(2)]) };
        assert_eq!(invariant.enter(node, 1, &first), Ok(()), "before the master has started");
        assert!(invariant.enter(node, 1, &second).is_err(), "nobody has issued it");
        assert_eq!(invariant.issue(&Arc::new(second.clone())), Ok(()));
        assert!(invariant.issue(&Arc::new(other)).is_err());
        assert!(invariant.enter(node, 1, &first).is_err(), "it was in the second");
        assert_eq!(invariant.enter(node, 2, &second), Ok(()), "another life");
    }
}
