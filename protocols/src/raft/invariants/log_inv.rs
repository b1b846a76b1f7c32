//! One committed sequence (§5.4.3).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::AppendLog;

use super::super::facts::{Kind, kinds};
use super::super::{Chain, Fact, Host, Index};
use super::{replica, replicas};

/// What one node has committed is a prefix of what another has, or the other way round.
///
/// Nodes state the chain of what they have committed, so it is enough that the same index always comes with the same
/// chain: in O(1) a statement. Statements come at some indices and not at others; where two nodes never state the same
/// one, the chain of a running node's log is asked for it.
#[derive(Clone, Debug, Default)]
pub struct LogInv {
    /// What was stated for each index, if it was.
    committed: AppendLog<Option<Chain>>,
    /// The longest so far.
    last: Option<(Index, Chain)>,
}

impl LogInv {
    fn commit(
        &mut self,
        node: NodeId,
        (index, chain): (Index, Chain),
        chain_at: impl Fn(Index) -> Option<Chain>,
    ) -> Result<(), Breach> {
        let known = *self.committed.get_or_fill(index.0, || None).get_or_insert(chain);
        ensure!(known == chain, "{node} committed other entries up to {index}: chain {chain}, not {known}");
        let (last, last_chain) = self.last.unwrap_or((index, chain));
        if index >= last {
            let own = chain_at(last).unwrap_or(last_chain);
            ensure!(
                own == last_chain,
                "{node} commits up to {index}, and has other entries than were committed up to {last}: chain {own}, \
                 not {last_chain}"
            );
            self.last = Some((index, chain));
        }
        Ok(())
    }
}

impl<H: Host> Invariant<H> for LogInv {
    fn about(&self) -> &'static About {
        &About {
            name: "log-inv",
            statement: "Of what any two nodes have committed, one is a prefix of the other.",
            source: "paper §5.4.3; etcdraft.tla: LogInv",
            leaves_out: "an index below another node's commit index that no node ever stated: the next one shows it",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::Committed, Kind::Restored])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        let Some(raft) = replica(nodes, node) else { return Ok(()) };
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| match *fact {
            Fact::Committed { index, chain } | Fact::Restored { index, chain, .. } => {
                self.commit(node, (index, chain), |index| raft.log().chain_at(index))
            }
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Disrupted { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Compacted { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// All pairs of running nodes.
    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        for (node, raft) in replicas(nodes) {
            for (other, twin) in replicas(nodes) {
                let index = raft.log().commit().min(twin.log().commit());
                let pair = (raft.log().chain_at(index), twin.log().chain_at(index));
                let (Some(one), Some(two)) = pair else { continue };
                ensure!(one == two, "{node} and {other} committed different entries up to {index}");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(commits: &[(u64, u64)], own: u64) -> Result<(), Breach> {
        let mut invariant = LogInv::default();
        commits.iter().try_for_each(|&(index, chain)| {
            invariant.commit(NodeId::new(0), (Index(index), Chain(chain)), |_| Some(Chain(own)))
        })
    }

    #[test]
    fn nodes_that_commit_one_sequence_at_their_own_pace_are_fine() {
        assert_eq!(judge(&[(1, 10), (3, 10), (2, 10), (3, 10)], 10), Ok(()));
    }

    #[test]
    fn another_chain_at_an_index_or_below_a_longer_prefix_is_found() {
        assert!(judge(&[(2, 10), (2, 11)], 10).is_err(), "the same index");
        assert!(judge(&[(2, 10), (3, 12)], 11).is_err(), "the longer one goes on after another entry");
    }
}
