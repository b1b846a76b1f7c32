//! Log Matching (§5.3).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::{AppendLog, PersistentMap};

use super::super::facts::{Kind, kinds};
use super::super::{Chain, Fact, Host, Index, Term};
use super::replicas;

/// If two logs contain an entry with the same index and term, then the logs are identical in all entries up
/// through that index.
///
/// An entry's chain stands for all entries up through it, so it is enough that (index, term) determines the chain.
/// Nearly always there is one term an index: those met first are kept in a sequence, the others in a map.
#[derive(Clone, Debug)]
pub struct LogMatching {
    first: AppendLog<(Term, Chain)>,
    others: PersistentMap<(Index, Term), Chain>,
}

impl Default for LogMatching {
    fn default() -> Self {
        Self { first: AppendLog::starting_at(1), others: PersistentMap::new() }
    }
}

impl LogMatching {
    /// The chain that (index, term) was seen with before, or `chain` if it is new, which is then kept.
    fn chain_of(&mut self, index: Index, term: Term, chain: Chain) -> Chain {
        match self.first.get(index.0) {
            Some((first, known)) if *first == term => *known,
            None if index.0 == self.first.end_index() => {
                self.first.push((term, chain));
                chain
            }
            Some(_) | None => {
                if let Some(known) = self.others.get(&(index, term)) {
                    return *known;
                }
                self.others.insert((index, term), chain);
                chain
            }
        }
    }

    fn on_entry(&mut self, node: NodeId, index: Index, term: Term, chain: Chain) -> Result<(), Breach> {
        let known = self.chain_of(index, term, chain);
        ensure!(
            known == chain,
            "{node} has an entry ({index}, {term}) after other entries than another log with it: chain {chain}, not {known}"
        );
        Ok(())
    }
}

impl<H: Host> Invariant<H> for LogMatching {
    fn about(&self) -> &'static About {
        &About {
            name: "log-matching",
            statement: "If two logs contain an entry with the same index and term, then the logs are identical in all \
                        entries up through that index.",
            source: "paper §5.3, Figure 3; etcdraft.tla: LogMatchingInv",
            leaves_out: "differences that a 64-bit hash does not show; entries that only ever stood on a disk",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::Recovered, Kind::Appended, Kind::Restored])
    }

    fn on_event(&mut self, _: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| match *fact {
            Fact::Appended { index, term, chain } | Fact::Restored { index, term, chain } => {
                self.on_entry(node, index, term, chain)
            }
            Fact::Recovered { index, term, chain } if index > Index::ZERO => {
                self.on_entry(node, index, term, chain)
            }
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::Disrupted { .. }
            | Fact::Compacted { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Truncated { .. }
            | Fact::Committed { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// Every entry of every log, the chains computed anew from its base on.
    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        let mut ghost = self.clone();
        for (node, raft) in replicas(nodes) {
            let base = raft.log().base();
            let mut chain = raft.log().chain_at(base).unwrap_or(Chain::EMPTY);
            let indices = (base.0 + 1..=raft.log().last_index().0).map(Index);
            for (index, entry) in indices.filter_map(|index| Some((index, raft.log().entry_at(index)?))) {
                chain = chain.extend(entry);
                ensure!(raft.log().chain_at(index) == Some(chain), "{node} keeps a wrong chain at {index}");
                ghost.on_entry(node, index, entry.term, chain)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(entries: &[(u64, u64, u64)]) -> Result<(), Breach> {
        let mut invariant = LogMatching::default();
        entries.iter().try_for_each(|&(index, term, chain)| {
            invariant.on_entry(NodeId::new(0), Index(index), Term(term), Chain(chain))
        })
    }

    #[test]
    fn the_same_entries_in_many_logs_and_other_terms_at_an_index_are_fine() {
        assert_eq!(
            judge(&[(1, 1, 10), (2, 1, 20), (1, 1, 10), (2, 2, 21), (2, 1, 20), (2, 2, 21), (3, 2, 30)]),
            Ok(())
        );
    }

    #[test]
    fn one_index_and_term_after_two_prefixes_is_found() {
        assert!(judge(&[(1, 1, 10), (2, 2, 20), (2, 2, 21)]).is_err(), "in the sequence");
        assert!(judge(&[(1, 1, 10), (1, 2, 11), (1, 2, 12)]).is_err(), "in the map");
    }
}
