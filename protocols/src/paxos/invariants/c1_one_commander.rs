//! C1: one proposal a ballot and slot is proposed; and only that is accepted (CS1).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Paxos, Pvalue};
use super::proposals::FirstProposals;

/// For a ballot and a slot at most one proposal is ever proposed, restarts or not, and acceptors accept nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneCommander;

fn on_fact(proposed: &FirstProposals, node: NodeId, fact: &Fact) -> Result<(), Breach> {
    match *fact {
        Fact::Proposed(Pvalue { slot, ballot, proposal }) => {
            let first = proposed.first(slot, ballot);
            ensure!(
                first == Some(proposal),
                "{node} proposes `{proposal}` under {ballot} for slot {slot}, after {first:?}"
            );
            Ok(())
        }
        Fact::Accepted(pvalue) => check(proposed, node, "accepted", pvalue),
        Fact::Recovered { .. }
        | Fact::LostDisk { .. }
        | Fact::Readmitted { .. }
        | Fact::BecameCandidate { .. }
        | Fact::BecameLeader { .. }
        | Fact::BecameFollower { .. }
        | Fact::Promised { .. }
        | Fact::Decided { .. }
        | Fact::Applied { .. }
        | Fact::Installed { .. } => Ok(()),
    }
}

fn check(proposed: &FirstProposals, node: NodeId, deed: &str, pvalue: Pvalue) -> Result<(), Breach> {
    let Pvalue { slot, ballot, proposal } = pvalue;
    ensure!(
        proposed.first(slot, ballot) == Some(proposal),
        "{node} {deed} `{proposal}` under {ballot} for slot {slot}, which nobody proposed"
    );
    Ok(())
}

impl Invariant<Paxos> for OneCommander {
    fn about(&self) -> &'static About {
        &About {
            name: "c1-one-commander",
            statement: "For a ballot and a slot at most one proposal is proposed, and nothing else is accepted.",
            source: "PMMC §3 (C1); Paxos Made Simple §2.1 (CS1)",
            leaves_out: "repeated proposals of the same: they do no harm",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let proposed: &FirstProposals = nodes.ghost();
        facts.iter().try_for_each(|fact| on_fact(proposed, node, fact))
    }

    /// What running acceptors hold was proposed.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        for (node, paxos) in nodes.running() {
            for pvalue in paxos.log().accepted_from(paxos.log().last()) {
                check(nodes.ghost(), node, "holds", pvalue)?;
            }
        }
        Ok(())
    }

    fn ghosts(&self) -> Vec<Box<dyn Ghost<Paxos>>> {
        vec![FirstProposals::shared()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::{self, pvalue};
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        tests::judge(facts, |_, proposed, node, facts| on_fact(proposed, node, &facts[0]))
    }

    #[test]
    fn a_second_proposal_under_a_ballot_is_found() {
        let proposed = |pvalue| (0, Fact::Proposed(pvalue));
        assert_eq!(
            judge(&[proposed(pvalue(1, 1, 7)), proposed(pvalue(1, 2, 8)), proposed(pvalue(2, 1, 8))]),
            Ok(())
        );
        assert!(judge(&[proposed(pvalue(1, 1, 7)), proposed(pvalue(1, 1, 8))]).is_err());
    }

    #[test]
    fn a_vote_for_what_nobody_proposed_is_found() {
        let proposed = (0, Fact::Proposed(pvalue(1, 1, 7)));
        assert_eq!(judge(&[proposed.clone(), (1, Fact::Accepted(pvalue(1, 1, 7)))]), Ok(()));
        assert!(judge(&[proposed, (1, Fact::Accepted(pvalue(1, 2, 7)))]).is_err());
    }
}
