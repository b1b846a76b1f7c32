//! R1: one decision a slot.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::AppendLog;

use super::super::{Fact, Index, Paxos, Proposal};

/// No two different proposals are ever decided for a slot, by whichever nodes.
#[derive(Clone, Debug)]
pub struct OneDecision {
    decided: AppendLog<Option<Proposal>>,
}

impl Default for OneDecision {
    fn default() -> Self {
        Self { decided: AppendLog::starting_at(1) }
    }
}

impl OneDecision {
    fn decide(&mut self, node: NodeId, slot: Index, proposal: Proposal) -> Result<(), Breach> {
        let first = *self.decided.get_or_fill(slot.0, || None).get_or_insert(proposal);
        ensure!(first == proposal, "{node} takes `{proposal}` as decided for slot {slot}, and `{first}` was");
        Ok(())
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Decided { slot, proposal } => self.decide(node, slot, proposal),
            Fact::Recovered { .. }
            | Fact::LostDisk { .. }
            | Fact::Readmitted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Promised { .. }
            | Fact::Accepted(_)
            | Fact::Proposed(_)
            | Fact::Applied { .. }
            | Fact::Installed { .. } => Ok(()),
        }
    }
}

impl Invariant<Paxos> for OneDecision {
    fn about(&self) -> &'static About {
        &About {
            name: "r1-one-decision",
            statement: "No two different proposals are decided for a slot.",
            source: "PMMC §2 (R1); Paxos Made Simple §2.1 (CS2)",
            leaves_out: "decisions of which nobody has learned: `a5-chosen-stays` sees those",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// What running nodes have decided and not forgotten is what was decided.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        for (node, paxos) in nodes.running() {
            for slot in (paxos.log().base().0 + 1..=paxos.log().last().0).map(Index) {
                let (held, known) =
                    (paxos.log().decided_at(slot), self.decided.get(slot.0).and_then(Option::as_ref));
                ensure!(held == known, "{node} has {held:?} in slot {slot}, stated was {known:?}");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::pvalue;
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = OneDecision::default();
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    fn decided(slot: u64, value: u64) -> Fact {
        Fact::Decided { slot: Index(slot), proposal: pvalue(slot, 0, value).proposal }
    }

    #[test]
    fn one_proposal_for_each_slot_in_any_order_is_fine() {
        assert_eq!(judge(&[(0, decided(2, 8)), (1, decided(1, 7)), (1, decided(2, 8))]), Ok(()));
    }

    #[test]
    fn a_second_proposal_for_a_slot_is_found() {
        assert!(judge(&[(0, decided(2, 8)), (1, decided(2, 9))]).is_err());
    }
}
