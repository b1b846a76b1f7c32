//! What each replica's numbers must always be to one another (Figure 2).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Index, View, Vrr};
use crate::replicated::PerNode;

/// Compacted ≤ executed ≤ commit-number ≤ op-number, last normal view ≤ view-number; and while a replica runs, neither
/// its view nor its commit-number nor the last executed entry ever fall.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    before: PerNode<Reading>,
}

/// One replica's numbers. Incarnation 0 was never started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reading {
    incarnation: u32,
    view: View,
    last_normal: View,
    op: Index,
    commit: Index,
    executed: Index,
    compacted: Index,
}

impl Reading {
    fn new(vrr: &Vrr, incarnation: u32) -> Self {
        Self {
            incarnation,
            view: vrr.view_number(),
            last_normal: vrr.last_normal_view(),
            op: vrr.log().op_number(),
            commit: vrr.log().commit_number(),
            executed: vrr.machine().applied(),
            compacted: vrr.log().base(),
        }
    }

    fn check(&self, node: NodeId) -> Result<(), Breach> {
        let Self { incarnation: _, view, last_normal, op, commit, executed, compacted } = *self;
        ensure!(compacted <= executed, "{node} has compacted {compacted}, and executed only {executed}");
        ensure!(executed <= commit, "{node} has executed {executed}, and only {commit} is committed");
        ensure!(commit <= op, "{node} has committed {commit}, and its log ends at {op}");
        ensure!(last_normal <= view, "{node} is in {view}, and was normal in {last_normal}");
        Ok(())
    }

    fn check_after(&self, before: &Self, node: NodeId) -> Result<(), Breach> {
        if self.incarnation != before.incarnation {
            return Ok(());
        }
        ensure!(self.view >= before.view, "{node} went from {} back to {}", before.view, self.view);
        ensure!(
            self.commit >= before.commit,
            "{node}: commit-number fell from {} to {}",
            before.commit,
            self.commit
        );
        ensure!(
            self.executed >= before.executed,
            "{node}: executed fell from {} to {}",
            before.executed,
            self.executed
        );
        Ok(())
    }
}

impl Invariant<Vrr> for Bounds {
    fn about(&self) -> &'static About {
        &About {
            name: "bounds",
            statement: "Compacted is at most executed, that at most the commit-number, that at most the op-number; the \
                        last normal view at most the view-number; and while a replica runs its view, commit-number \
                        and executed never fall.",
            source: "paper Figure 2, §4.1, step 7",
            leaves_out: "what was before a crash: that is forgotten",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Vrr>, node: NodeId, _: &[Fact]) -> Result<(), Breach> {
        let Some(vrr) = nodes.process(node) else { return Ok(()) };
        let reading = Reading::new(vrr, nodes.incarnation(node));
        reading.check(node)?;
        let before = self.before.replace(node, reading);
        reading.check_after(&before, node)
    }

    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, vrr)| Reading::new(vrr, nodes.incarnation(node)).check(node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Reading = Reading {
        incarnation: 1,
        view: View::first(3),
        last_normal: View::first(2),
        op: Index(9),
        commit: Index(7),
        executed: Index(6),
        compacted: Index(2),
    };

    #[test]
    fn each_bound_is_checked() {
        let node = NodeId::new(0);
        assert_eq!(GOOD.check(node), Ok(()));
        let bad = [
            Reading { compacted: Index(7), ..GOOD },
            Reading { executed: Index(8), ..GOOD },
            Reading { commit: Index(10), ..GOOD },
            Reading { last_normal: View::first(4), ..GOOD },
        ];
        assert!(bad.iter().all(|reading| reading.check(node).is_err()), "{bad:?}");
    }

    #[test]
    fn nothing_falls_while_a_replica_runs_and_all_does_in_a_crash() {
        let node = NodeId::new(0);
        let fallen = [
            Reading { view: View::first(2), ..GOOD },
            Reading { commit: Index(6), ..GOOD },
            Reading { executed: Index(5), ..GOOD },
        ];
        for reading in fallen {
            assert!(reading.check_after(&GOOD, node).is_err(), "{reading:?}");
            assert_eq!(Reading { incarnation: 2, ..reading }.check_after(&GOOD, node), Ok(()));
        }
    }
}
