//! A3: an acceptor never loses what it has accepted.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Ballot, Config, Fact, Index, Paxos, Pvalue};
use super::votes::Votes;

/// A promise reports everything that its acceptor has ever accepted for the slots that were asked about, each with the
/// highest ballot, but for slots that it says are decided; and what it says is decided is.
#[derive(Clone, Debug)]
pub struct KeepsPvalues {
    config: Arc<Config>,
    /// The last slot that anybody decided, all before it being decided too.
    decided: Index,
}

impl KeepsPvalues {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { config, decided: Index::ZERO }
    }

    fn on_facts(&mut self, votes: &Votes, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for (place, fact) in facts.iter().enumerate() {
            match fact {
                Fact::Applied { slot, .. } => self.decided = self.decided.max(*slot),
                Fact::Promised { first, decided, accepted, .. } => {
                    let later = &facts[place + 1..];
                    let kept = |slot| votes.accepted(node, slot).filter(|_| !accepts(later, slot));
                    self.check_promise(node, (*first, *decided), accepted, kept)?;
                }
                Fact::Recovered { .. }
                | Fact::LostDisk { .. }
                | Fact::Readmitted { .. }
                | Fact::BecameCandidate { .. }
                | Fact::BecameLeader { .. }
                | Fact::BecameFollower { .. }
                | Fact::Accepted(_)
                | Fact::Proposed(_)
                | Fact::Decided { .. }
                | Fact::Installed { .. } => {}
            }
        }
        Ok(())
    }

    /// Slots after all that are decided anywhere are few: a window of them.
    fn check_promise(
        &self,
        node: NodeId,
        (first, decided): (Index, Index),
        accepted: &[Pvalue],
        kept: impl Fn(Index) -> Option<Ballot>,
    ) -> Result<(), Breach> {
        ensure!(
            decided <= self.decided.max(first.previous()),
            "{node} says that slot {decided} is decided, and it is not"
        );
        let mut slot = first.max(decided.next());
        let end = self.decided.plus(1_024);
        while slot <= end {
            let reported = accepted.iter().find(|pvalue| pvalue.slot == slot).map(|pvalue| pvalue.ballot);
            if let Some(ballot) = kept(slot) {
                ensure!(
                    reported >= Some(ballot),
                    "{node} accepted {ballot} for slot {slot}, and reports {}",
                    reported.unwrap_or_default()
                );
            }
            slot = slot.next();
        }
        Ok(())
    }
}

/// Whether something is accepted for `slot` in these facts: what was promised before does not tell of it.
fn accepts(facts: &[Fact], slot: Index) -> bool {
    facts.iter().any(|fact| matches!(fact, Fact::Accepted(pvalue) if pvalue.slot == slot))
}

impl Invariant<Paxos> for KeepsPvalues {
    fn about(&self) -> &'static About {
        &About {
            name: "a3-keeps-pvalues",
            statement: "An acceptor never loses what it has accepted: promises report all of it.",
            source: "PMMC §3 (A3), §4.3",
            leaves_out: "slots more than 1,024 after the last one executed",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.on_facts(nodes.ghost(), node, facts)
    }

    /// What was accepted for the next slot is still there, or the slot is decided.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        let votes: &Votes = nodes.ghost();
        for (node, paxos) in nodes.running() {
            let next = paxos.log().last().next();
            let held = paxos.log().accepted_at(next).map(|(ballot, _)| ballot);
            let given = votes.accepted(node, next);
            let shown = |ballot: Option<Ballot>| ballot.unwrap_or_default();
            ensure!(
                held >= given,
                "{node} accepted {} for slot {next}, and holds {}",
                shown(given),
                shown(held)
            );
        }
        Ok(())
    }

    fn ghosts(&self) -> Vec<Box<dyn Ghost<Paxos>>> {
        vec![Votes::shared(&self.config)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Chain;
    use super::super::votes::tests::{self, config, pvalue};
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = KeepsPvalues::new(config());
        tests::judge(facts, |votes, _, node, facts| invariant.on_facts(votes, node, facts))
    }

    fn promised(decided: u64, accepted: &[Pvalue]) -> (u32, Fact) {
        let ballot = pvalue(0, 9, 0).ballot;
        (0, Fact::Promised { ballot, first: Index(1), decided: Index(decided), accepted: accepted.into() })
    }

    #[test]
    fn a_promise_reports_what_was_accepted() {
        let accepted = [(0, Fact::Accepted(pvalue(1, 1, 7))), (0, Fact::Accepted(pvalue(1, 2, 8)))];
        let then = |last: (u32, Fact)| judge(&[accepted[0].clone(), accepted[1].clone(), last]);
        assert_eq!(then(promised(0, &[pvalue(1, 2, 8)])), Ok(()));
        assert!(then(promised(0, &[pvalue(1, 1, 7)])).is_err(), "an older ballot");
        assert!(then(promised(0, &[])).is_err());
    }

    #[test]
    fn a_decided_slot_need_not_be_reported_if_the_promise_says_that_it_is_decided() {
        let accepted = (0, Fact::Accepted(pvalue(1, 1, 7)));
        let applied = (1, Fact::Applied { slot: Index(1), chain: Chain(0) });
        assert_eq!(judge(&[accepted.clone(), applied.clone(), promised(1, &[])]), Ok(()));
        assert!(judge(&[accepted.clone(), applied, promised(0, &[])]).is_err(), "answered empty");
        assert!(judge(&[accepted, promised(1, &[])]).is_err(), "nothing is decided");
    }
}
