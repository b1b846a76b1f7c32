//! P1a: promises are kept, restarts or not.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Ballot, Fact, Synod};

/// An acceptor neither promises nor accepts a ballot below one that it has promised or accepted.
#[derive(Clone, Debug, Default)]
pub struct PromiseKept {
    promised: BTreeMap<NodeId, Ballot>,
}

impl PromiseKept {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        let (deed, ballot) = match *fact {
            Fact::Promised { ballot } => ("promised", ballot),
            Fact::Accepted(vote) => ("accepted", vote.ballot),
            Fact::Requested { .. } | Fact::Prepared { .. } | Fact::Proposed(_) | Fact::Learned { .. } => {
                return Ok(());
            }
        };
        let promised = self.promised.entry(node).or_default();
        ensure!(ballot >= *promised, "{node} {deed} {ballot} after {promised}");
        *promised = ballot;
        Ok(())
    }
}

impl Invariant<Synod> for PromiseKept {
    fn about(&self) -> &'static About {
        &About {
            name: "promise-kept",
            statement: "An acceptor neither promises nor accepts a ballot below one that it has promised or accepted, \
                        restarts or not.",
            source: "Paxos Made Simple §2.2 (P1a), §2.5",
            leaves_out: "promises that were lost in a crash before they left the acceptor",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Synod>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Synod>) -> Result<(), Breach> {
        for (node, synod) in nodes.running() {
            let given = self.promised.get(&node).copied().unwrap_or_default();
            let held = synod.acceptor().promised();
            ensure!(held >= given, "{node} gave its promise for {given}, and holds {held}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::vote;
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = PromiseKept::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(0), fact))
    }

    #[test]
    fn promises_rise_and_bind_what_is_accepted() {
        let promise = |round| Fact::Promised { ballot: vote(round, 0).ballot };
        assert_eq!(judge(&[promise(1), Fact::Accepted(vote(1, 7)), promise(3), promise(3)]), Ok(()));
        assert!(judge(&[promise(2), Fact::Accepted(vote(1, 7))]).is_err());
        assert!(judge(&[promise(2), promise(1)]).is_err());
        assert!(judge(&[Fact::Accepted(vote(2, 7)), promise(1)]).is_err(), "accepting is promising");
    }
}
