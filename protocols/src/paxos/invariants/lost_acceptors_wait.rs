//! An acceptor that has lost its disk is silent until it is readmitted.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Index, Paxos};
use super::votes::Votes;

/// A node that has lost its disk promises nothing before it is decided that it is readmitted, and votes for no slot before
/// the one from which on that is in force.
#[derive(Clone, Debug)]
pub struct LostAcceptorsWait {
    config: Arc<Config>,
}

impl LostAcceptorsWait {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { config }
    }
}

fn check(votes: &Votes, node: NodeId, fact: &Fact) -> Result<(), Breach> {
    let first = votes.first_slot_of(node);
    match fact {
        Fact::Promised { ballot, .. } => {
            let is_readmitted = first < Index(u64::MAX);
            ensure!(is_readmitted, "{node} promised {ballot}, has lost its disk, and is not readmitted");
        }
        Fact::Accepted(pvalue) => {
            let slot = pvalue.slot;
            ensure!(
                slot >= first,
                "{node} voted for slot {slot}, has lost its disk, and {}",
                standing(first)
            );
        }
        Fact::Recovered { .. }
        | Fact::LostDisk { .. }
        | Fact::Readmitted { .. }
        | Fact::BecameCandidate { .. }
        | Fact::BecameLeader { .. }
        | Fact::BecameFollower { .. }
        | Fact::Proposed(_)
        | Fact::Decided { .. }
        | Fact::Applied { .. }
        | Fact::Installed { .. } => {}
    }
    Ok(())
}

fn standing(first: Index) -> String {
    if first == Index(u64::MAX) {
        "is not readmitted".to_owned()
    } else {
        format!("is an acceptor from slot {first} on")
    }
}

impl Invariant<Paxos> for LostAcceptorsWait {
    fn about(&self) -> &'static About {
        &About {
            name: "lost-acceptors-wait",
            statement: "An acceptor that has lost its disk is silent until it is readmitted.",
            source: "Paxos Made Live §5.1",
            leaves_out: "losses that nobody detects",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| check(nodes.ghost(), node, fact))
    }

    fn check_all(&self, _: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        Ok(())
    }

    fn ghosts(&self) -> Vec<Box<dyn Ghost<Paxos>>> {
        vec![Votes::shared(&self.config)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::types::Change;
    use super::super::super::{Life, Proposal};
    use super::super::votes::tests::{self, pvalue};
    use super::*;

    /// Three acceptors, and a window of two slots.
    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let facts: Vec<(u32, Fact)> = facts.iter().map(|fact| (2, fact.clone())).collect();
        tests::judge(&facts, |votes, _, node, facts| {
            facts.iter().try_for_each(|fact| check(votes, node, fact))
        })
    }

    #[test]
    fn who_votes_before_it_is_readmitted_is_found() {
        let life = Life::drawn(1 << 40);
        let proposal = Proposal::Reconfigure(Change::Readmit(NodeId::new(2), life));
        let (lost, readmitted) = (Fact::LostDisk { life }, Fact::Decided { slot: Index(5), proposal });
        let vote = |slot| Fact::Accepted(pvalue(slot, 1, 7));
        let promise = Fact::Promised {
            ballot: pvalue(1, 2, 7).ballot,
            first: Index(1),
            decided: Index(0),
            accepted: [].into(),
        };
        assert_eq!(judge(&[vote(1), promise.clone()]), Ok(()), "nothing is lost");
        assert_eq!(judge(&[vote(1), lost.clone(), readmitted.clone(), promise.clone(), vote(7)]), Ok(()));
        assert!(judge(&[lost.clone(), promise]).is_err());
        assert!(judge(&[lost.clone(), readmitted.clone(), vote(6)]).is_err(), "the window is not over");
        assert!(judge(&[readmitted, lost, vote(8)]).is_err(), "readmitted before it was lost again");
    }
}
