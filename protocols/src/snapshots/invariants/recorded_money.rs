//! A snapshot has all the money.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::types::Cut;
use super::super::{Config, Fact, Snapshots};
use super::{all_money, cuts, finished};

/// What is recorded of accounts and of channels adds up to what there was at the beginning.
#[derive(Clone, Debug)]
pub struct RecordedMoney {
    expected: u128,
}

impl RecordedMoney {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        Self { expected: all_money(config) }
    }

    fn judge(&self, cut: &Cut) -> Result<(), Breach> {
        let (total, expected) = (cut.total(), self.expected);
        let in_channels: u128 = cut.parts.values().map(|part| part.in_channels()).sum();
        ensure!(
            total == expected,
            "{} has {total}, {in_channels} of it in channels, and there is {expected}",
            cut.snapshot
        );
        Ok(())
    }
}

impl Invariant<Snapshots> for RecordedMoney {
    fn about(&self) -> &'static About {
        &About {
            name: "recorded-money",
            statement: "The recorded balances and the recorded states of channels add up to all money there is.",
            source: "Chandy, Lamport (1985) §2.2, the example of the single token",
            leaves_out: "where the money is: `channel-states` and `reachable` see to that",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Snapshots>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        finished(facts).try_for_each(|cut| self.judge(cut))
    }

    /// The last snapshots that processes have.
    fn check_all(&self, nodes: &Nodes<'_, Snapshots>) -> Result<(), Breach> {
        cuts(nodes).try_for_each(|cut| self.judge(cut))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::super::super::SnapshotId;
    use super::super::super::types::{Part, Payment, State};
    use super::*;

    #[test]
    fn money_that_is_in_no_account_and_no_channel_is_missed() {
        let process = NodeId::new(0);
        let snapshot = SnapshotId { initiator: process, number: 1 };
        let cut = |balance, payments: Vec<Payment>| {
            let balances = BTreeMap::from([(0, balance)]);
            let state = State { balances, sent: BTreeMap::new(), received: BTreeMap::new() };
            let channels = BTreeMap::from([(NodeId::new(1), payments)]);
            let part = Arc::new(Part { snapshot, process, state, channels });
            Cut { snapshot, parts: BTreeMap::from([(process, part)]) }
        };
        let payment = Payment { from: 1, to: 0, amount: 30 };
        let invariant = RecordedMoney::new(&Config { accounts: 2, ..Config::new(2) });
        assert_eq!(invariant.judge(&cut(200, Vec::new())), Ok(()));
        assert_eq!(invariant.judge(&cut(170, vec![payment])), Ok(()));
        assert!(invariant.judge(&cut(170, Vec::new())).is_err());
        assert!(invariant.judge(&cut(200, vec![payment])).is_err());
    }
}
