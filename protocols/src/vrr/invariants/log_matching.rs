//! Log Matching (§4.1): a viewstamp stands for everything before it.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::{AppendLog, PersistentMap};

use super::super::{Chain, Fact, Index, View, Vrr};

/// If two logs have an entry with the same op-number and view, they are identical up to and including it: only the
/// primary of the view gave out that number, once, and backups take entries only after those before them.
///
/// An entry's chain stands for everything up to it, so it is enough that (op-number, view) determines the chain.
/// Nearly always there is one view an op-number: those met first are kept in a sequence, the others in a map.
#[derive(Clone, Debug)]
pub struct LogMatching {
    first: AppendLog<(View, Chain)>,
    others: PersistentMap<(Index, View), Chain>,
}

impl Default for LogMatching {
    fn default() -> Self {
        Self { first: AppendLog::starting_at(1), others: PersistentMap::new() }
    }
}

impl LogMatching {
    /// The chain that (op-number, view) was seen with before, or `chain` if it is new, which is then kept.
    fn chain_of(&mut self, index: Index, view: View, chain: Chain) -> Chain {
        match self.first.get(index.0) {
            Some((first, known)) if *first == view => *known,
            None if index.0 == self.first.end_index() => {
                self.first.push((view, chain));
                chain
            }
            Some(_) | None => {
                if let Some(known) = self.others.get(&(index, view)) {
                    return *known;
                }
                self.others.insert((index, view), chain);
                chain
            }
        }
    }

    fn on_entry(&mut self, node: NodeId, index: Index, view: View, chain: Chain) -> Result<(), Breach> {
        let known = self.chain_of(index, view, chain);
        ensure!(
            known == chain,
            "{node} has entry {index} of {view} after other entries than another log with it: chain {chain}, not {known}"
        );
        Ok(())
    }
}

impl Invariant<Vrr> for LogMatching {
    fn about(&self) -> &'static About {
        &About {
            name: "log-matching",
            statement: "If two logs have an entry with the same op-number and view, they are identical up to and \
                        including it.",
            source: "paper §4.1, §8.1; what LogMatchingInv is to etcdraft.tla",
            leaves_out: "differences that a 64-bit hash does not show",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Vrr>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Appended { index, view, chain } => self.on_entry(node, index, view, chain),
            Fact::RecoveryStarted
            | Fact::Recovered { .. }
            | Fact::ViewChangeStarted { .. }
            | Fact::BecamePrimary { .. }
            | Fact::BecameBackup { .. }
            | Fact::Truncated { .. }
            | Fact::Installed { .. }
            | Fact::EpochLeft { .. }
            | Fact::EpochLearned { .. }
            | Fact::Retired { .. }
            | Fact::Acknowledged { .. }
            | Fact::Committed { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// Every entry of every log, the chains computed anew.
    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        let mut ghost = self.clone();
        for (node, vrr) in nodes.running() {
            let log = vrr.log();
            let mut chain = log.chain_at(log.base()).unwrap_or_default();
            let indices = (log.base().next().0..=log.op_number().0).map(Index);
            for (index, entry) in indices.filter_map(|index| Some((index, log.entry_at(index)?))) {
                chain = chain.extend(entry);
                ensure!(log.chain_at(index) == Some(chain), "{node} keeps a wrong chain at {index}");
                ghost.on_entry(node, index, entry.view, chain)?;
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
        entries.iter().try_for_each(|&(index, view, chain)| {
            invariant.on_entry(NodeId::new(0), Index(index), View::first(view), Chain(chain))
        })
    }

    #[test]
    fn the_same_entries_in_many_logs_and_other_views_at_an_op_number_are_fine() {
        assert_eq!(judge(&[(1, 0, 10), (2, 0, 20), (1, 0, 10), (2, 2, 21), (2, 0, 20), (3, 2, 30)]), Ok(()));
    }

    #[test]
    fn one_viewstamp_after_two_prefixes_is_found() {
        assert!(judge(&[(1, 0, 10), (2, 2, 20), (2, 2, 21)]).is_err(), "in the sequence");
        assert!(judge(&[(1, 0, 10), (1, 2, 11), (1, 2, 12)]).is_err(), "in the map");
    }
}
