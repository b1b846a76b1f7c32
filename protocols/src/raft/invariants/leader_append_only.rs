//! Leader Append-Only (§5.3).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{Kind, kinds};
use super::super::{Chain, Fact, Host, Index, Term};
use super::replicas;
use crate::replicated::PerNode;

/// A leader never overwrites or deletes entries in its log; it only appends.
#[derive(Clone, Debug, Default)]
pub struct LeaderAppendOnly {
    leaders: PerNode<Option<Leading>>,
}

/// A node that leads, and its log when it last spoke of it.
#[derive(Clone, Copy, Debug)]
struct Leading {
    term: Term,
    index: Index,
    chain: Chain,
}

impl LeaderAppendOnly {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::BecameLeader { term } => {
                *self.leaders.at(node) = Some(Leading { term, index: Index::ZERO, chain: Chain::EMPTY });
            }
            Fact::Recovered { .. } | Fact::BecameCandidate { .. } | Fact::BecameFollower { .. } => {
                *self.leaders.at(node) = None;
            }
            Fact::Truncated { from } => {
                let leading = self.leaders.of(node);
                ensure!(leading.is_none(), "{node} removed entries from {from} on while it led: {leading:?}");
            }
            Fact::Appended { index, chain, .. } => {
                if let Some(leading) = self.leaders.at(node) {
                    ensure!(
                        index > leading.index,
                        "{node} leads and appended {index} over {}",
                        leading.index
                    );
                    (leading.index, leading.chain) = (index, chain);
                }
            }
            Fact::Restored { index, .. } => {
                let leading = self.leaders.of(node);
                ensure!(
                    leading.is_none(),
                    "{node} took over a snapshot up to {index} while it led: {leading:?}"
                );
            }
            Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::Disrupted { .. }
            | Fact::Compacted { .. }
            | Fact::Committed { .. }
            | Fact::Applied { .. } => {}
        }
        Ok(())
    }
}

impl<H: Host> Invariant<H> for LeaderAppendOnly {
    fn about(&self) -> &'static About {
        &About {
            name: "leader-append-only",
            statement: "A leader never overwrites or deletes entries in its log; it only appends new entries.",
            source: "paper §5.3, Figure 3; raft.tla: LeaderAppendOnly",
            leaves_out: "what a node does to its log before and after it leads; compaction, which removes nothing that a \
                         snapshot does not stand for",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([
            Kind::Recovered,
            Kind::BecameCandidate,
            Kind::BecameLeader,
            Kind::BecameFollower,
            Kind::Appended,
            Kind::Truncated,
            Kind::Restored,
        ])
    }

    fn on_event(&mut self, _: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        for (node, raft) in replicas(nodes).filter(|(_, raft)| raft.is_leader()) {
            let Some(leading) = self.leaders.of(node).filter(|leading| leading.term == raft.term()) else {
                return Err(Breach(format!("{node} leads {}, and its election was not stated", raft.term())));
            };
            let chain = raft.log().chain_at(leading.index);
            ensure!(
                chain == Some(leading.chain) || leading.index < raft.log().base(),
                "{node} leads, and its log up to {} went from {} to {chain:?}",
                leading.index,
                leading.chain
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LED: Fact = Fact::BecameLeader { term: Term(3) };
    const TRUNCATED: Fact = Fact::Truncated { from: Index(4) };

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = LeaderAppendOnly::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(1), fact))
    }

    #[test]
    fn a_follower_may_remove_entries_and_a_deposed_leader_too() {
        assert_eq!(judge(&[TRUNCATED]), Ok(()));
        assert_eq!(judge(&[LED, Fact::BecameFollower { term: Term(4) }, TRUNCATED]), Ok(()));
    }

    #[test]
    fn a_leader_that_removes_entries_is_found() {
        assert!(judge(&[LED, TRUNCATED]).is_err());
    }

    #[test]
    fn a_leader_that_appends_where_an_entry_stands_is_found() {
        let append = |index| Fact::Appended { index: Index(index), term: Term(3), chain: Chain(index) };
        assert_eq!(judge(&[LED, append(4), append(5)]), Ok(()));
        assert!(judge(&[LED, append(4), append(4)]).is_err());
    }
}
