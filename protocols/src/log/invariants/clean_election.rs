//! Elections: who leads was in sync.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::image::PartitionState;
use super::super::{Fact, Node, PartitionId};
use super::Decided;
use crate::replicated::NodeSet;

/// The controller makes nobody leader who was not in sync, and who leads is in sync.
#[derive(Clone, Debug, Default)]
pub struct CleanElection {
    decided: Decided,
}

fn check(id: PartitionId, state: &PartitionState, was: NodeSet) -> Result<(), Breach> {
    let Some(leader) = state.leader else { return Ok(()) };
    ensure!(was.contains(leader), "{leader} leads {id}, and only {was} had been in sync");
    ensure!(state.isr.contains(leader), "{leader} leads {id}, and is not among those in sync, {}", state.isr);
    Ok(())
}

impl Invariant<Node> for CleanElection {
    fn about(&self) -> &'static About {
        &About {
            name: "clean-election",
            statement: "Who leads a partition was in sync before, and is in sync.",
            source: "Kafka, Documentation §4.7: unclean leader election",
            leaves_out: "that somebody leads: nobody does where nobody in sync lives",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.decided.hear(facts);
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Changed { partition, state, was } => check(partition, &state, was),
            Fact::Led { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Began { .. }
            | Fact::Committed { .. }
            | Fact::Acknowledged { .. }
            | Fact::Served { .. }
            | Fact::Recorded { .. }
            | Fact::Read { .. }
            | Fact::Effected { .. }
            | Fact::Stepped { .. }
            | Fact::Showed { .. }
            | Fact::Decided { .. }
            | Fact::Raft(_) => Ok(()),
        })
    }

    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let Some(image) = self.decided.image(nodes) else { return Ok(()) };
        let mut all = (0..).map(PartitionId).zip(&image.partitions);
        all.try_for_each(|(id, state)| check(id, state, state.isr))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Epoch;

    #[test]
    fn a_leader_from_outside_is_found() {
        let [one, two] = [1, 2].map(NodeId::new);
        let state = |leader, isr| PartitionState { leader, epoch: Epoch(1), version: 1, isr };
        let check = |state, was| check(PartitionId(0), &state, was).is_ok();
        let (alone, both) = (NodeSet::one(one), NodeSet::one(one).with(two));
        assert!(check(state(Some(one), alone), both) && check(state(None, alone), both));
        assert!(!check(state(Some(two), NodeSet::one(two)), alone), "it was not in sync");
        assert!(!check(state(Some(two), alone), both), "it is not in sync");
    }
}
