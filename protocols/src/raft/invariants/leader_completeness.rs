//! Leader Completeness (§5.4), and that there is one committed sequence.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::AppendLog;

use super::super::facts::{Kind, kinds};
use super::super::{Chain, Fact, Host, Index, Term};
use super::{replica, replicas};

/// If a log entry is committed in a given term, then that entry will be present in the logs of the leaders for all
/// higher-numbered terms. And the committed prefixes of any two nodes are prefixes of one another.
#[derive(Clone, Debug)]
pub struct LeaderCompleteness {
    /// What is committed, by index.
    committed: AppendLog<Committed>,
    /// The highest term that had a leader so far.
    last_term: Term,
}

/// An entry that is committed.
#[derive(Clone, Copy, Debug)]
struct Committed {
    /// The term of the node that first knew.
    in_term: Term,
    /// The chain up to and including the entry.
    chain: Chain,
}

impl Default for LeaderCompleteness {
    fn default() -> Self {
        Self { committed: AppendLog::starting_at(1), last_term: Term(0) }
    }
}

impl LeaderCompleteness {
    /// Entries up to `index` are committed at a node in `term`. Returns whether some were not before.
    fn commit(
        &mut self,
        node: NodeId,
        in_term: Term,
        index: Index,
        chain_at: impl Fn(Index) -> Option<Chain>,
    ) -> Result<bool, Breach> {
        if let Some(known) = self.committed.get(index.0) {
            let chain = chain_at(index);
            ensure!(
                chain == Some(known.chain),
                "{node} committed other entries up to {index} than were committed in {}: chain {}, not {}",
                known.in_term,
                shown(chain),
                known.chain
            );
            return Ok(false);
        }
        self.check_prefix(node, &chain_at)?;
        for index in (self.committed.end_index()..=index.0).map(Index) {
            let chain = chain_at(index);
            ensure!(chain.is_some(), "{node} committed {index}, which its log does not have");
            self.committed.extend(chain.map(|chain| Committed { in_term, chain }));
        }
        Ok(true)
    }

    /// What a node commits continues what was committed before.
    fn check_prefix(&self, node: NodeId, chain_at: impl Fn(Index) -> Option<Chain>) -> Result<(), Breach> {
        let Some(last) = self.committed.last() else { return Ok(()) };
        let index = Index(self.committed.end_index() - 1);
        let chain = chain_at(index);
        ensure!(
            chain == Some(last.chain),
            "{node} commits more than {index}, but not after the entries committed in {}: chain {}, not {}",
            last.in_term,
            shown(chain),
            last.chain
        );
        Ok(())
    }

    /// A leader of `term` must have what was committed in lower terms. By the chain, the last of it is enough.
    fn check_leader(
        &self,
        node: NodeId,
        term: Term,
        base: Index,
        chain_at: impl Fn(Index) -> Option<Chain>,
    ) -> Result<(), Breach> {
        let indices = (self.committed.first_index()..self.committed.end_index()).rev();
        let mut entries = indices.filter_map(|index| Some((Index(index), self.committed.get(index)?)));
        let Some((index, last)) = entries.find(|(_, entry)| entry.in_term < term) else { return Ok(()) };
        if index < base {
            return self.check_base(node, base, chain_at);
        }
        let chain = chain_at(index);
        ensure!(
            chain == Some(last.chain),
            "{node} leads {term} without the entries up to {index} that were committed in {}: chain {}, not {}",
            last.in_term,
            shown(chain),
            last.chain
        );
        Ok(())
    }

    /// What was compacted was committed: the chain at the base stands for it.
    fn check_base(
        &self,
        node: NodeId,
        base: Index,
        chain_at: impl Fn(Index) -> Option<Chain>,
    ) -> Result<(), Breach> {
        let known = self.committed.get(base.0).map(|entry| entry.chain);
        ensure!(
            known == chain_at(base),
            "{node} leads after a snapshot up to {base} with chain {}, committed was {}",
            shown(chain_at(base)),
            shown(known)
        );
        Ok(())
    }

    fn on_fact<H: Host>(&mut self, nodes: &Nodes<'_, H>, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        let Some(raft) = replica(nodes, node) else { return Ok(()) };
        let chain_at = |index| raft.log().chain_at(index);
        match *fact {
            Fact::BecameLeader { term } => {
                self.last_term = self.last_term.max(term);
                self.check_leader(node, term, raft.log().base(), chain_at)
            }
            Fact::Committed { index, .. } | Fact::Restored { index, .. } => {
                let is_new = self.commit(node, raft.term(), index, chain_at)?;
                // A late reply may let a leader commit that is deposed already: its successor must have the entry.
                if is_new && raft.term() < self.last_term { self.check_all(nodes) } else { Ok(()) }
            }
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::Disrupted { .. }
            | Fact::Compacted { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameFollower { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Applied { .. } => Ok(()),
        }
    }
}

impl<H: Host> Invariant<H> for LeaderCompleteness {
    fn about(&self) -> &'static About {
        &About {
            name: "leader-completeness",
            statement: "If a log entry is committed in a given term, then that entry will be present in the logs of \
                        the leaders for all higher-numbered terms.",
            source: "paper §5.4, Figure 3; etcdraft.tla: LeaderCompletenessInv, LogInv",
            leaves_out: "leaders that were gone before a deposed one learned that its entry was committed",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::BecameLeader, Kind::Committed, Kind::Restored])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| self.on_fact(nodes, node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        for (node, raft) in replicas(nodes) {
            let chain_at = |index| raft.log().chain_at(index);
            if raft.is_leader() {
                self.check_leader(node, raft.term(), raft.log().base(), chain_at)?;
            }
            let commit = raft.log().commit();
            let known = self.committed.get(commit.0).map(|entry| entry.chain);
            ensure!(
                commit == Index::ZERO || known == chain_at(commit),
                "{node} committed up to {commit} with chain {:?}, stated was {known:?}",
                chain_at(commit)
            );
        }
        Ok(())
    }
}

/// A chain as evidence shows it.
fn shown(chain: Option<Chain>) -> String {
    chain.map_or_else(|| "none".to_owned(), |chain| chain.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log whose chain at i is the sum of its first i numbers.
    fn log(entries: &[u64]) -> impl Fn(Index) -> Option<Chain> + '_ {
        |index| {
            let length = usize::try_from(index.0).expect("short");
            Some(Chain(entries.get(..length)?.iter().sum()))
        }
    }

    fn committed(entries: &[u64], in_term: u64) -> LeaderCompleteness {
        let mut invariant = LeaderCompleteness::default();
        let last = Index(entries.len() as u64);
        assert_eq!(invariant.commit(NodeId::new(0), Term(in_term), last, log(entries)), Ok(true));
        invariant
    }

    #[test]
    fn a_later_leader_must_have_what_is_committed_and_an_earlier_one_need_not() {
        let invariant = committed(&[5, 7], 3);
        let check = |term, entries: &[u64]| {
            invariant.check_leader(NodeId::new(1), Term(term), Index::ZERO, log(entries))
        };
        assert_eq!(check(4, &[5, 7, 9]), Ok(()));
        assert_eq!(check(3, &[5]), Ok(()), "a leader of the term itself");
        assert!(check(4, &[5]).is_err(), "an entry is missing");
        assert!(check(4, &[5, 8]).is_err(), "another entry stands there");
        assert!(check(4, &[6, 7]).is_err(), "another entry stands before");
    }

    #[test]
    fn nodes_commit_one_sequence() {
        let mut invariant = committed(&[5, 7], 3);
        let mut commit =
            |index, entries: &[u64]| invariant.commit(NodeId::new(1), Term(3), Index(index), log(entries));
        assert_eq!(commit(1, &[5, 7]), Ok(false));
        assert!(commit(1, &[6, 7]).is_err());
        assert!(commit(3, &[5, 8, 9]).is_err(), "more, but after another entry");
        assert_eq!(commit(3, &[5, 7, 9]), Ok(true));
    }
}
