//! Stages: susceptible, infective, removed, and never back.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Value;

use super::super::{Fact, Gossip, Stage};

/// A site learns a rumor once, and does not spread it after it has lost interest, as long as it lives.
#[derive(Clone, Debug, Default)]
pub struct RemovedStaysRemoved {
    stages: BTreeMap<NodeId, BTreeMap<Value, Stage>>,
}

impl RemovedStaysRemoved {
    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        let stages = self.stages.entry(node).or_default();
        match fact {
            Fact::Started => stages.clear(),
            Fact::Learned { value } => {
                let before = stages.insert(value, Stage::Infective);
                ensure!(before.is_none(), "{node} learns {value} again");
            }
            Fact::Shared { value } => {
                let stage = stages.get(&value);
                ensure!(stage == Some(&Stage::Infective), "{node} shares {value}, and is {stage:?} of it");
            }
            Fact::LostInterest { value } => {
                let before = stages.insert(value, Stage::Removed);
                ensure!(before == Some(Stage::Infective), "{node} loses interest in {value} again");
            }
            Fact::Asked { .. } | Fact::Judged { .. } | Fact::Called { .. } | Fact::Took { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<Gossip> for RemovedStaysRemoved {
    fn about(&self) -> &'static About {
        &About {
            name: "removed-stays-removed",
            statement: "A site learns a rumor once, keeps it, and is silent about it once it has lost interest.",
            source: "Demers et al. (PODC 1987) §1.4: susceptible, infective, removed",
            leaves_out: "what a site knew before a crash: nothing is on disk",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Gossip>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))
    }

    /// What sites know, and in which stage, is what they said.
    fn check_all(&self, nodes: &Nodes<'_, Gossip>) -> Result<(), Breach> {
        let none = BTreeMap::new();
        for (node, gossip) in nodes.running() {
            let said = self.stages.get(&node).unwrap_or(&none);
            let is_so = gossip.rumors().iter().map(|held| (&held.value, &held.stage)).eq(said);
            ensure!(is_so, "{node} said that it is {said:?}, and is {:?}", gossip.rumors());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = RemovedStaysRemoved::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(0), *fact))
    }

    #[test]
    fn stages_go_forward_only_until_a_crash() {
        let (learned, shared) = (Fact::Learned { value: 7 }, Fact::Shared { value: 7 });
        let lost = Fact::LostInterest { value: 7 };
        assert_eq!(judge(&[learned, shared, shared, lost]), Ok(()));
        assert_eq!(judge(&[learned, lost, Fact::Started, learned, shared]), Ok(()));
        assert!(judge(&[learned, lost, shared]).is_err());
        assert!(judge(&[learned, lost, learned]).is_err());
        assert!(judge(&[learned, lost, lost]).is_err());
        assert!(judge(&[shared]).is_err(), "it does not know it");
    }
}
