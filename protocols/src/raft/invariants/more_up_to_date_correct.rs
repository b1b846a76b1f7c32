//! Who may be elected has everything that is committed (§5.4.1).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{Kind, kinds};
use super::super::{Application, Chain, Fact, Host, Index, Replica, Term};
use super::replica;
use crate::replicated::PerNode;

/// If a node's log is at least as up to date (by last term, then by length) as that of another which has everything
/// committed, it has everything committed, too.
///
/// The other must also have an entry of the term in which that was committed. etcd's specification asks it of every node
/// that knows something to be committed, and with five nodes that is not so: a leader of t3 commits an entry of t1 by one
/// of its own; a follower that has got the old entry, but not yet the one of t3, knows the old one to be committed; and a
/// log that ends in t2 without it is more up to date than the follower's. Nobody can be elected with it all the same,
/// because a majority has the entry of t3.
///
/// Looked at where it may change: when more is committed, when a log shrinks or begins anew, and when it gets its first
/// entry of a term.
#[derive(Clone, Debug, Default)]
pub struct MoreUpToDateCorrect {
    /// The last term of each log, by index of the node.
    last_terms: PerNode<Term>,
    /// The longest committed prefix so far: shorter ones are prefixes of it, as `log-inv` sees to.
    committed: Option<Prefix>,
}

/// What a leader has committed.
#[derive(Clone, Copy, Debug)]
struct Prefix {
    index: Index,
    chain: Chain,
    /// The term of that leader.
    in_term: Term,
}

/// One node's log.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    node: NodeId,
    /// How up to date it is: last term, last index.
    end: (Term, Index),
    has_prefix: bool,
}

/// Judges all logs there are. Of those that have the prefix and an entry of its term, the least up to date one decides.
fn judge(prefix: &Prefix, logs: impl Iterator<Item = Candidate> + Clone) -> Result<(), Breach> {
    let holders = logs.clone().filter(|log| log.has_prefix && log.end.0 >= prefix.in_term);
    let Some(voter) = holders.min_by_key(|log| log.end) else { return Ok(()) };
    for log in logs.filter(|log| !log.has_prefix) {
        ensure!(
            log.end < voter.end,
            "{} would vote for {}, which has not what was committed up to {} in {}",
            voter.node,
            log.node,
            prefix.index,
            prefix.in_term
        );
    }
    Ok(())
}

impl MoreUpToDateCorrect {
    fn is_worth_a_look(&mut self, node: NodeId, raft: &Replica<impl Application>, fact: &Fact) -> bool {
        match *fact {
            Fact::Appended { term, .. } => self.is_first_of_term(node, term),
            Fact::Committed { index, chain } => {
                let is_news = self.committed.is_none_or(|known| index > known.index);
                if is_news && raft.is_leader() {
                    self.committed = Some(Prefix { index, chain, in_term: raft.term() });
                }
                is_news
            }
            Fact::Recovered { .. } | Fact::Truncated { .. } | Fact::Restored { .. } => true,
            Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Disrupted { .. }
            | Fact::Compacted { .. }
            | Fact::Applied { .. } => false,
        }
    }

    fn is_first_of_term(&mut self, node: NodeId, term: Term) -> bool {
        self.last_terms.replace(node, term) != term
    }

    fn check<H: Host>(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        let Some(prefix) = self.committed else { return Ok(()) };
        let candidates = (0_u32..).map(NodeId::new).take(nodes.count()).filter_map(|node| {
            let log = replica(nodes, node)?.log();
            let has_prefix = prefix.index < log.base() || log.chain_at(prefix.index) == Some(prefix.chain);
            Some(Candidate { node, end: (log.last_term(), log.last_index()), has_prefix })
        });
        judge(&prefix, candidates)
    }
}

impl<H: Host> Invariant<H> for MoreUpToDateCorrect {
    fn about(&self) -> &'static About {
        &About {
            name: "more-up-to-date-correct",
            statement: "A log at least as up to date as one that has everything committed, and an entry of the term in \
                        which that was, has everything committed.",
            source: "paper §5.4.1, §5.4.3; etcdraft.tla: MoreUpToDateCorrectInv, which asks more than holds",
            leaves_out: "nodes that are down; entries appended after the first of their term, which Log Matching covers",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::Recovered, Kind::Appended, Kind::Truncated, Kind::Restored, Kind::Committed])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        let Some(raft) = replica(nodes, node) else { return Ok(()) };
        // Each fact is taken note of, whatever the others say.
        let worthy =
            facts.iter().filter_map(H::as_fact).filter(|fact| self.is_worth_a_look(node, raft, fact)).count();
        if worthy > 0 { self.check(nodes) } else { Ok(()) }
    }

    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        self.check(nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(node: u32, term: u64, index: u64, has_prefix: bool) -> Candidate {
        Candidate { node: NodeId::new(node), end: (Term(term), Index(index)), has_prefix }
    }

    fn judged<const N: usize>(logs: [Candidate; N]) -> Result<(), Breach> {
        let prefix = Prefix { index: Index(3), chain: Chain(7), in_term: Term(3) };
        judge(&prefix, logs.into_iter())
    }

    #[test]
    fn only_a_log_that_is_behind_may_lack_what_is_committed() {
        assert_eq!(judged([log(0, 3, 4, true), log(1, 2, 9, false)]), Ok(()), "an older last term");
        assert_eq!(judged([log(0, 3, 4, true), log(1, 3, 3, false)]), Ok(()), "a shorter log");
        assert!(judged([log(0, 3, 4, true), log(1, 4, 1, false)]).is_err());
        assert!(judged([log(0, 3, 4, true), log(1, 3, 4, false)]).is_err());
    }

    #[test]
    fn a_follower_without_an_entry_of_the_term_that_committed_says_nothing() {
        let behind = log(2, 1, 3, true);
        assert_eq!(judged([log(0, 3, 4, true), log(1, 2, 9, false), behind]), Ok(()));
    }
}
