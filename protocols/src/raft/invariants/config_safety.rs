//! Memberships that follow one another cannot decide apart (§6; dissertation §4.1).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{Kind, kinds};
use super::super::{Application, Entry, Fact, Host, Index, Membership, Replica, Term};
use super::{replica, replicas};

/// In every log, each membership may follow the one before it: their quorums meet. A leader appends one only when the one
/// before is committed, and when it has committed an entry of its own term.
#[derive(Clone, Debug, Default)]
pub struct ConfigSafety;

/// A leader that appends a membership, as its log stands.
#[derive(Clone, Copy, Debug)]
struct Appending {
    term: Term,
    commit: Index,
    commit_term: Option<Term>,
    /// The entry of the membership before.
    before: Index,
}

impl Appending {
    fn check(&self, node: NodeId, index: Index) -> Result<(), Breach> {
        let Self { term, commit, commit_term, before } = *self;
        ensure!(
            before <= commit,
            "{node} appended a membership at {index}, and the one of {before} is not committed: only {commit} is"
        );
        ensure!(
            commit_term == Some(term),
            "{node} appended a membership at {index}, and has committed nothing of its own term {term}: only {commit}"
        );
        Ok(())
    }
}

fn check_step(node: NodeId, index: Index, before: &Membership, after: &Membership) -> Result<(), Breach> {
    ensure!(
        before.may_be_followed_by(after),
        "{node}: the membership of {index} is {after}, after {before}: two quorums of them need not meet"
    );
    Ok(())
}

fn on_appended(node: NodeId, raft: &Replica<impl Application>, index: Index) -> Result<(), Breach> {
    let Some(members) = raft.log().entry_at(index).and_then(Entry::members) else { return Ok(()) };
    let (before, previous) = raft.log().membership_at(index.previous());
    check_step(node, index, &previous, &members)?;
    if !raft.is_leader() {
        return Ok(());
    }
    let (term, commit) = (raft.term(), raft.log().commit());
    Appending { term, commit, commit_term: raft.log().term_at(commit), before }.check(node, index)
}

impl<H: Host> Invariant<H> for ConfigSafety {
    fn about(&self) -> &'static About {
        &About {
            name: "config-safety",
            statement: "Quorums of memberships that follow one another meet, and a leader appends one only when the one \
                        before and an entry of its own term are committed.",
            source: "paper §6; dissertation §4.1, §4.3; D. Ongaro on raft-dev, 2015; etcdraft.tla: AddNewServer, DeleteServer",
            leaves_out: "memberships of two logs that never stand in one",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::Appended])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        let Some(raft) = replica(nodes, node) else { return Ok(()) };
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| match *fact {
            Fact::Appended { index, .. } => on_appended(node, raft, index),
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Disrupted { .. }
            | Fact::Truncated { .. }
            | Fact::Compacted { .. }
            | Fact::Restored { .. }
            | Fact::Committed { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// Every step of every log.
    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        for (node, raft) in replicas(nodes) {
            for index in (raft.log().base().0 + 1..=raft.log().last_index().0).map(Index) {
                if let Some(members) = raft.log().entry_at(index).and_then(Entry::members) {
                    let (_, before) = raft.log().membership_at(index.previous());
                    check_step(node, index, &before, &members)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::membership::Leave;
    use super::*;

    fn voters<const N: usize>(indices: [u32; N]) -> Membership {
        Membership::of(indices.map(NodeId::new))
    }

    #[test]
    fn one_voter_more_or_less_or_a_joint_step_is_fine_and_two_at_once_are_not() {
        let step =
            |before: &Membership, after: &Membership| check_step(NodeId::new(0), Index(5), before, after);
        let (three, other) = (voters([0, 1, 2]), voters([0, 1, 3]));
        assert_eq!(step(&three, &voters([0, 1, 2, 3])), Ok(()));
        assert_eq!(step(&three, &voters([0, 1])), Ok(()));
        let joint = three.joint(&other, Leave::Implicit);
        assert_eq!(step(&three, &joint).and_then(|()| step(&joint, &other)), Ok(()));
        assert!(step(&three, &other).is_err());
    }

    #[test]
    fn a_second_membership_before_the_first_is_committed_is_found_and_one_in_a_term_without_commit() {
        let good =
            Appending { term: Term(3), commit: Index(9), commit_term: Some(Term(3)), before: Index(4) };
        assert_eq!(good.check(NodeId::new(0), Index(10)), Ok(()));
        let pending = Appending { before: Index(10), ..good };
        assert!(pending.check(NodeId::new(0), Index(11)).is_err());
        let early = Appending { commit_term: Some(Term(2)), ..good };
        assert!(early.check(NodeId::new(0), Index(10)).is_err());
    }
}
