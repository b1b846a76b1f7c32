//! Ghost state of invariants: the one order in which everything is executed.

use sim_core::NodeId;
use sim_core::check::Breach;
use sim_core::ensure;
use sim_core::persist::AppendLog;

use super::chain::Chain;
use super::index::Index;

/// What was executed up to each index, by whoever got there first. Nobody may execute anything else there, nor leave an
/// entry out.
#[derive(Clone, Debug)]
pub struct AgreedOrder {
    /// The chain up to each index, from 1.
    chains: AppendLog<Chain>,
}

impl Default for AgreedOrder {
    fn default() -> Self {
        Self { chains: AppendLog::starting_at(1) }
    }
}

impl AgreedOrder {
    /// A node has executed everything up to `index`, and `chain` is the chain of it. Index 0 is before the first.
    ///
    /// # Errors
    /// If others executed something else, or an entry was left out.
    pub fn execute(&mut self, node: NodeId, index: Index, chain: Chain) -> Result<(), Breach> {
        let next = Index(self.chains.end_index());
        if index == next {
            self.chains.push(chain);
            return Ok(());
        }
        ensure!(index < next, "{node} executed {index}, and nobody has executed {next}");
        self.check(node, index, chain)
    }

    /// That a node which has executed everything up to `index` with `chain` has executed what was agreed on.
    ///
    /// # Errors
    /// If it has not.
    pub fn check(&self, node: NodeId, index: Index, chain: Chain) -> Result<(), Breach> {
        let known = self.chains.get(index.0);
        ensure!(
            index == Index::ZERO || known == Some(&chain),
            "{node} executed other entries up to {index} than another node: chain {chain}, not {}",
            known.map_or_else(|| "any that was stated".to_owned(), Chain::to_string)
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(executed: &[(u32, u64, u64)]) -> Result<(), Breach> {
        let mut order = AgreedOrder::default();
        executed.iter().try_for_each(|&(node, index, chain)| {
            order.execute(NodeId::new(node), Index(index), Chain(chain))
        })
    }

    #[test]
    fn the_same_sequence_on_all_nodes_and_again_after_a_restart_is_fine() {
        assert_eq!(judge(&[(0, 1, 10), (0, 2, 20), (1, 1, 10), (0, 1, 10), (0, 2, 20), (0, 3, 30)]), Ok(()));
        assert_eq!(judge(&[(0, 1, 10), (0, 2, 20), (1, 2, 20), (2, 3, 30)]), Ok(()), "from a snapshot on");
        assert_eq!(judge(&[(0, 0, 0), (0, 1, 10)]), Ok(()), "nothing is the same everywhere");
    }

    #[test]
    fn another_entry_at_an_index_is_found() {
        assert!(judge(&[(0, 1, 10), (1, 1, 11)]).is_err());
    }

    #[test]
    fn an_entry_that_was_left_out_is_found() {
        assert!(judge(&[(0, 1, 10), (0, 3, 30)]).is_err());
    }
}
