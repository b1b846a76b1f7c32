//! The membership in force is the one that the log says (§6).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::every_kind;
use super::super::{Application, Host, Membership, Replica};
use super::{replica, replicas};

/// A node always decides by the last membership in its log: from when that is appended until it is replaced or truncated,
/// over restarts too. Where memberships take effect when they are executed: by the last one that is, or that another one
/// follows.
#[derive(Clone, Debug, Default)]
pub struct ConfigInForce;

fn check_node(node: NodeId, raft: &Replica<impl Application>) -> Result<(), Breach> {
    let (_, rightful) = raft.rightful_members(raft.machine().applied(), raft.log().last_index());
    check(node, raft.members(), &rightful)
}

fn check(node: NodeId, in_force: &Membership, in_log: &Membership) -> Result<(), Breach> {
    ensure!(
        in_force == in_log,
        "{node} decides by {in_force}, and the membership in force by its log is {in_log}"
    );
    Ok(())
}

impl<H: Host> Invariant<H> for ConfigInForce {
    fn about(&self) -> &'static About {
        &About {
            name: "config-in-force",
            statement: "A node decides by the last membership in its log, committed or not, or by the last that it has executed.",
            source: "paper §6: a server always uses the latest configuration in its log; dissertation §4.1",
            leaves_out: "whether what is decided is right: `election-record` and `committed-is-durable` see to that",
        }
    }

    fn hears(&self) -> Kinds {
        every_kind::<H>()
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, _: &[H::Fact]) -> Result<(), Breach> {
        let Some(raft) = replica(nodes, node) else { return Ok(()) };
        check_node(node, raft)
    }

    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        replicas(nodes).try_for_each(|(node, raft)| check_node(node, raft))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_decides_by_another_membership_than_its_logs_last_is_found() {
        let voters = |count: u32| Membership::of((0..count).map(NodeId::new));
        assert_eq!(check(NodeId::new(0), &voters(3), &voters(3)), Ok(()));
        assert!(check(NodeId::new(0), &voters(3), &voters(4)).is_err());
    }
}
