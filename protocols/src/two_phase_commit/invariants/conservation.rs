//! Money is neither made nor lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::transfer::OPENING_BALANCE;

use super::super::types::net;
use super::super::{Config, Decision, Fact, TwoPhaseCommit, Txn};
use super::participants;

/// Once all participants of a transfer have done it, one account has as much less as another has more; and nobody does it
/// twice.
#[derive(Clone, Debug)]
pub struct Conservation {
    /// How many accounts each participant has.
    account_counts: BTreeMap<NodeId, i128>,
    open: BTreeMap<Txn, Open>,
}

/// A transfer that not all have done.
#[derive(Clone, Debug, Default)]
struct Open {
    participants: Arc<[NodeId]>,
    done: BTreeSet<NodeId>,
    net: i128,
}

impl Conservation {
    /// For nodes with this configuration. Without nodes there are no accounts.
    pub fn new(config: &Config) -> Self {
        let count = |node| (node, i128::try_from(config.accounts_of(node).count()).unwrap_or(i128::MAX));
        Self { account_counts: config.participants().map(count).collect(), open: BTreeMap::new() }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match fact {
            Fact::Begun { txn, participants } => {
                let participants = Arc::clone(participants);
                self.open.insert(*txn, Open { participants, ..Open::default() });
                Ok(())
            }
            Fact::Ended { txn, decision: Decision::Commit, net } => self.on_done(node, *txn, *net),
            Fact::Ended { decision: Decision::Abort, net, txn } => {
                ensure!(*net == 0, "{node} aborts {txn}, and has {net:+} by it");
                Ok(())
            }
            Fact::Decided { txn, decision: Decision::Abort } => {
                self.open.remove(txn);
                Ok(())
            }
            Fact::Decided { decision: Decision::Commit, .. }
            | Fact::NoRoom { .. }
            | Fact::VotedYes { .. }
            | Fact::VotedNo { .. }
            | Fact::HeardYes { .. } => Ok(()),
        }
    }

    fn on_done(&mut self, node: NodeId, txn: Txn, net: i128) -> Result<(), Breach> {
        let Some(open) = self.open.get_mut(&txn) else {
            return Err(Breach(format!("{node} does {txn}, which nobody has begun, or all have done")));
        };
        ensure!(open.done.insert(node), "{node} does {txn} twice");
        open.net += net;
        if open.done.len() == open.participants.len() {
            let net = open.net;
            ensure!(net == 0, "all have done {txn}, and there is {net:+} by it");
            self.open.remove(&txn);
        }
        Ok(())
    }
}

impl Invariant<TwoPhaseCommit> for Conservation {
    fn about(&self) -> &'static About {
        &About {
            name: "conservation",
            statement: "Once all participants have done a transfer, there is as much money as before; nobody does it twice.",
            source: "Gray (1978), Notes on Data Base Operating Systems: the transfer of funds",
            leaves_out: "what clients read: `transfer-conservation` sees to that",
        }
    }

    fn on_event(
        &mut self,
        _: &Nodes<'_, TwoPhaseCommit>,
        node: NodeId,
        facts: &[Fact],
    ) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// The balances of a participant are what it began with and what it has done, and what all have done adds up to nothing.
    fn check_all(&self, nodes: &Nodes<'_, TwoPhaseCommit>) -> Result<(), Breach> {
        let mut sums: BTreeMap<Txn, (i128, bool)> = BTreeMap::new();
        for (node, participant) in participants(nodes) {
            let opening = i128::from(OPENING_BALANCE) * self.account_counts.get(&node).copied().unwrap_or(0);
            let mut done = 0;
            for (txn, settled) in participant.settled().iter() {
                done += net(&settled.changes);
                sums.entry(*txn).or_insert((0, true)).0 += net(&settled.changes);
            }
            for txn in participant.doubts().keys() {
                sums.entry(*txn).or_insert((0, true)).1 = false;
            }
            let total = participant.accounts().total();
            ensure!(total == opening + done, "{node} has {total}, and should have {opening} and {done:+}");
        }
        let is_complete = participants(nodes).count() == self.account_counts.len();
        let wrong = sums.iter().find(|(_, (sum, is_done))| *is_done && *sum != 0);
        ensure!(!is_complete || wrong.is_none(), "money was made or lost: {wrong:?}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_that_is_made_or_moved_twice_is_found() {
        let (one, two) = (NodeId::new(1), NodeId::new(2));
        let txn = Txn { coordinator: NodeId::new(0), epoch: 1, number: 1 };
        let done = |net| Fact::Ended { txn, decision: Decision::Commit, net };
        let mut invariant = Conservation::new(&Config::new(3));
        assert!(invariant.clone().on_fact(one, &done(0)).is_err(), "nobody has begun it");
        assert_eq!(invariant.on_fact(one, &Fact::Begun { txn, participants: [one, two].into() }), Ok(()));
        assert_eq!(invariant.on_fact(one, &done(-30)), Ok(()));
        assert!(invariant.clone().on_fact(one, &done(-30)).is_err(), "twice");
        assert!(invariant.clone().on_fact(two, &done(20)).is_err(), "10 are lost");
        assert_eq!(invariant.on_fact(two, &done(30)), Ok(()));
        let aborted = Fact::Ended { txn, decision: Decision::Abort, net: 1 };
        assert!(invariant.on_fact(two, &aborted).is_err());
    }
}
