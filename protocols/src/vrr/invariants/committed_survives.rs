//! Committed survives (§8.1), and there is one committed sequence.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::AppendLog;

use super::super::{Chain, Fact, Index, View, Vrr};

/// What is committed in a view is in the log of every replica that is normal in a later view. And the committed
/// prefixes of any two replicas are prefixes of one another.
#[derive(Clone, Debug)]
pub struct CommittedSurvives {
    /// What is committed, by op-number.
    committed: AppendLog<Committed>,
    /// The latest view that was started so far.
    last_view: View,
}

/// An entry that is committed.
#[derive(Clone, Copy, Debug)]
struct Committed {
    /// The view of the replica that first knew.
    in_view: View,
    /// The chain up to and including the entry; `None` where that replica had compacted it already.
    chain: Option<Chain>,
}

impl Default for CommittedSurvives {
    fn default() -> Self {
        Self { committed: AppendLog::starting_at(1), last_view: View::first(0) }
    }
}

impl CommittedSurvives {
    /// Entries up to `index` are committed at a replica in `view`. Returns whether some were not before.
    fn commit(
        &mut self,
        node: NodeId,
        view: View,
        (index, chain): (Index, Chain),
        chain_at: impl Fn(Index) -> Option<Chain>,
    ) -> Result<bool, Breach> {
        if let Some(known) = self.committed.get(index.0) {
            known.check(Some(chain), || format!("{node} has committed other entries up to {index}"))?;
            return Ok(false);
        }
        if let Some(last) = self.committed.last() {
            let before = Index(self.committed.end_index() - 1);
            last.check(chain_at(before), || {
                format!("{node} commits more than {before}, but after other entries")
            })?;
        }
        for before in self.committed.end_index()..index.0 {
            self.committed.push(Committed { in_view: view, chain: chain_at(Index(before)) });
        }
        self.committed.push(Committed { in_view: view, chain: Some(chain) });
        Ok(true)
    }

    /// A replica that is normal in `view` must have what was committed in lower views. By the chain, the last of it is
    /// enough.
    fn check_normal(
        &self,
        node: NodeId,
        view: View,
        op: Index,
        chain_at: impl Fn(Index) -> Option<Chain>,
    ) -> Result<(), Breach> {
        let indices = (self.committed.first_index()..self.committed.end_index()).rev();
        let mut entries = indices.filter_map(|index| Some((Index(index), self.committed.get(index)?)));
        let Some((index, last)) = entries.find(|(_, entry)| entry.in_view < view) else { return Ok(()) };
        ensure!(
            index <= op,
            "{node} is normal in {view} with a log up to {op}, and {index} was committed in {}",
            last.in_view
        );
        last.check(chain_at(index), || format!("{node} is normal in {view} with other entries up to {index}"))
    }

    fn check_node(&self, node: NodeId, vrr: &Vrr) -> Result<(), Breach> {
        self.check_normal(node, vrr.last_normal_view(), vrr.log().op_number(), |index| {
            vrr.log().chain_at(index)
        })
    }

    fn on_fact(&mut self, nodes: &Nodes<'_, Vrr>, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        let Some(vrr) = nodes.process(node) else { return Ok(()) };
        match *fact {
            Fact::BecamePrimary { view } | Fact::BecameBackup { view } => {
                self.last_view = self.last_view.max(view);
                self.check_node(node, vrr)
            }
            Fact::Committed { view, index, chain } => {
                let is_new = self.commit(node, view, (index, chain), |index| vrr.log().chain_at(index))?;
                // A late answer may let a primary commit that is deposed already: later views must have the entry.
                if is_new && view < self.last_view { self.check_all(nodes) } else { Ok(()) }
            }
            Fact::RecoveryStarted
            | Fact::Recovered { .. }
            | Fact::ViewChangeStarted { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Installed { .. }
            | Fact::EpochLeft { .. }
            | Fact::EpochLearned { .. }
            | Fact::Retired { .. }
            | Fact::Acknowledged { .. }
            | Fact::Applied { .. } => Ok(()),
        }
    }
}

impl Committed {
    /// Whether a log with `chain` there has the same up to there; a log that does not know is taken to have.
    fn check(&self, chain: Option<Chain>, what: impl FnOnce() -> String) -> Result<(), Breach> {
        let (Some(known), Some(chain)) = (self.chain, chain) else { return Ok(()) };
        ensure!(
            known == chain,
            "{} than were committed in {}: chain {chain}, not {known}",
            what(),
            self.in_view
        );
        Ok(())
    }
}

impl Invariant<Vrr> for CommittedSurvives {
    fn about(&self) -> &'static About {
        &About {
            name: "committed-survives",
            statement: "What is committed in a view is in the log of every replica that is normal in a later view, and \
                        all replicas commit one sequence.",
            source: "paper §8.1; what LeaderCompletenessInv and LogInv are to etcdraft.tla",
            leaves_out: "entries that a log has compacted, which were compared when they were committed; replicas \
                         that were gone before a deposed primary learned that its entry was committed",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Vrr>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(nodes, node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        for (node, vrr) in nodes.running().filter(|(_, vrr)| !vrr.is_recovering()) {
            self.check_node(node, vrr)?;
            let commit = vrr.log().commit_number();
            if let Some(known) = self.committed.get(commit.0) {
                let what = || format!("{node} has committed other entries up to {commit}");
                known.check(vrr.log().chain_at(commit), what)?;
            }
        }
        Ok(())
    }
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

    fn commit(
        invariant: &mut CommittedSurvives,
        index: u64,
        entries: &[u64],
        in_view: u64,
    ) -> Result<bool, Breach> {
        let index = Index(index);
        let chain = log(entries)(index).expect("in the log");
        invariant.commit(NodeId::new(0), View::first(in_view), (index, chain), log(entries))
    }

    fn committed(entries: &[u64], in_view: u64) -> CommittedSurvives {
        let mut invariant = CommittedSurvives::default();
        assert_eq!(commit(&mut invariant, entries.len() as u64, entries, in_view), Ok(true));
        invariant
    }

    #[test]
    fn a_later_view_must_have_what_is_committed_and_an_earlier_one_need_not() {
        let invariant = committed(&[5, 7], 3);
        let check = |view, entries: &[u64]| {
            invariant.check_normal(
                NodeId::new(1),
                View::first(view),
                Index(entries.len() as u64),
                log(entries),
            )
        };
        assert_eq!(check(4, &[5, 7, 9]), Ok(()));
        assert_eq!(check(3, &[5]), Ok(()), "in the view itself");
        assert!(check(4, &[5]).is_err(), "an entry is missing");
        assert!(check(4, &[5, 8]).is_err(), "another entry stands there");
        assert!(check(4, &[6, 7]).is_err(), "another entry stands before");
    }

    #[test]
    fn replicas_commit_one_sequence() {
        let mut invariant = committed(&[5, 7], 3);
        assert_eq!(commit(&mut invariant, 1, &[5, 7], 3), Ok(false));
        assert!(commit(&mut invariant, 1, &[6, 7], 3).is_err());
        assert!(commit(&mut invariant, 3, &[5, 8, 9], 3).is_err(), "more, but after another entry");
        assert_eq!(commit(&mut invariant, 3, &[5, 7, 9], 3), Ok(true));
    }

    #[test]
    fn what_a_log_has_compacted_is_not_compared() {
        let mut invariant = CommittedSurvives::default();
        let tail = |index| if index < Index(2) { None } else { log(&[5, 7])(index) };
        let chain = log(&[5, 7])(Index(2)).expect("in the log");
        assert_eq!(invariant.commit(NodeId::new(0), View::first(0), (Index(2), chain), tail), Ok(true));
        assert_eq!(commit(&mut invariant, 1, &[6], 0), Ok(false), "nobody knows what 1 was");
        assert!(commit(&mut invariant, 2, &[6, 7], 0).is_err(), "and 2 shows it");
    }
}
