//! What each node's numbers must always be to one another (Figure 2).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::every_kind;
use super::super::{Application, Host, Index, Replica, Term};
use super::{replica, replicas};
use crate::replicated::PerNode;

/// Base ≤ snapshot ≤ applied ≤ commit ≤ last index, durable ≤ last index, last term ≤ current term; and from a start to the next
/// crash neither term, nor commit index, nor the last executed entry ever fall.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    before: PerNode<Reading>,
}

/// One node's numbers. Incarnation 0 was never started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reading {
    incarnation: u32,
    term: Term,
    last_term: Term,
    last_index: Index,
    durable: Index,
    base: Index,
    snapshot: Index,
    commit: Index,
    applied: Index,
}

impl Reading {
    fn new(raft: &Replica<impl Application>, incarnation: u32) -> Self {
        Self {
            incarnation,
            term: raft.term(),
            last_term: raft.log().last_term(),
            last_index: raft.log().last_index(),
            durable: raft.log().durable(),
            base: raft.log().base(),
            snapshot: raft.snapshot().index,
            commit: raft.log().commit(),
            applied: raft.machine().applied(),
        }
    }

    fn check(&self, node: NodeId) -> Result<(), Breach> {
        let Self { incarnation: _, term, last_term, last_index, durable, base, snapshot, commit, applied } =
            *self;
        ensure!(base <= snapshot, "{node} compacted up to {base}, and its snapshot ends at {snapshot}");
        ensure!(snapshot <= applied, "{node} has a snapshot up to {snapshot}, and executed only {applied}");
        ensure!(applied <= commit, "{node} executed {applied}, and only {commit} is committed");
        ensure!(commit <= last_index, "{node} committed {commit}, and its log ends at {last_index}");
        ensure!(durable <= last_index, "{node} has {durable} on disk, and its log ends at {last_index}");
        ensure!(last_term <= term, "{node} is in {term}, and its log ends in {last_term}");
        Ok(())
    }

    fn check_after(&self, before: &Self, node: NodeId) -> Result<(), Breach> {
        if self.incarnation != before.incarnation {
            return Ok(());
        }
        ensure!(self.term >= before.term, "{node} went from {} back to {}", before.term, self.term);
        ensure!(
            self.commit >= before.commit,
            "{node}: commit index fell from {} to {}",
            before.commit,
            self.commit
        );
        ensure!(
            self.snapshot >= before.snapshot,
            "{node}: snapshot fell from {} to {}",
            before.snapshot,
            self.snapshot
        );
        ensure!(
            self.applied >= before.applied,
            "{node}: executed fell from {} to {}",
            before.applied,
            self.applied
        );
        Ok(())
    }
}

impl<H: Host> Invariant<H> for Bounds {
    fn about(&self) -> &'static About {
        &About {
            name: "bounds",
            statement: "Compacted is at most the snapshot, that at most applied, that at most commit, commit and durable \
                        at most the last index, the last term at most the current one; and while a node runs its \
                        term, snapshot, commit index and applied never fall.",
            source: "paper Figure 2; the commit index may fall in raft.tla, so this is a rule of the implementation",
            leaves_out: "the term across restarts: one that was adopted and never synced may be forgotten",
        }
    }

    fn hears(&self) -> Kinds {
        every_kind::<H>()
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, _: &[H::Fact]) -> Result<(), Breach> {
        let Some(raft) = replica(nodes, node) else { return Ok(()) };
        let reading = Reading::new(raft, nodes.incarnation(node));
        reading.check(node)?;
        let before = self.before.replace(node, reading);
        reading.check_after(&before, node)
    }

    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        replicas(nodes).try_for_each(|(node, raft)| Reading::new(raft, nodes.incarnation(node)).check(node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Reading = Reading {
        incarnation: 1,
        term: Term(3),
        last_term: Term(2),
        last_index: Index(9),
        durable: Index(8),
        base: Index(3),
        snapshot: Index(5),
        commit: Index(7),
        applied: Index(6),
    };

    #[test]
    fn each_bound_is_checked() {
        let node = NodeId::new(0);
        assert_eq!(GOOD.check(node), Ok(()));
        let bad = [
            Reading { base: Index(6), ..GOOD },
            Reading { snapshot: Index(7), ..GOOD },
            Reading { applied: Index(8), ..GOOD },
            Reading { commit: Index(10), ..GOOD },
            Reading { durable: Index(10), ..GOOD },
            Reading { last_term: Term(4), ..GOOD },
        ];
        assert!(bad.iter().all(|reading| reading.check(node).is_err()), "{bad:?}");
    }

    #[test]
    fn nothing_falls_while_a_node_runs_and_all_may_after_a_restart() {
        let node = NodeId::new(0);
        let fallen = [
            Reading { term: Term(2), ..GOOD },
            Reading { commit: Index(6), ..GOOD },
            Reading { applied: Index(5), ..GOOD },
        ];
        for reading in fallen {
            assert!(reading.check_after(&GOOD, node).is_err(), "{reading:?}");
            let restarted = Reading { incarnation: 2, ..reading };
            assert_eq!(restarted.check_after(&GOOD, node), Ok(()));
        }
    }
}
