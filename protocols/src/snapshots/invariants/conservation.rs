//! The bank neither makes nor loses money.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Snapshots};
use super::past::Past;
use super::{all_money, branches, channels};

/// What all processes have and what is on its way adds up to what there was at the beginning, at each moment.
#[derive(Clone, Debug)]
pub struct Conservation {
    config: Arc<Config>,
    /// What each process has.
    totals: BTreeMap<NodeId, u128>,
    /// Who has crashed in the middle of something, and has not said yet what became of it.
    unknown: BTreeSet<NodeId>,
}

impl Conservation {
    /// For nodes with this configuration.
    pub fn new(config: &Arc<Config>) -> Self {
        Self { config: Arc::clone(config), totals: BTreeMap::new(), unknown: BTreeSet::new() }
    }

    /// A process has this much now, or has crashed.
    fn on_total(&mut self, past: &Past, node: NodeId, total: Option<u128>) -> Result<(), Breach> {
        let Some(total) = total else {
            self.unknown.insert(node);
            return Ok(());
        };
        self.unknown.remove(&node);
        self.totals.insert(node, total);
        let is_known = self.totals.len() == self.config.node_count as usize && self.unknown.is_empty();
        let (all, in_flight) = (self.totals.values().sum::<u128>(), past.in_flight());
        let expected = all_money(&self.config);
        ensure!(
            !is_known || all.checked_add_signed(in_flight) == Some(expected),
            "all processes have {all}, {in_flight} is on its way, and there was {expected} at the beginning"
        );
        Ok(())
    }
}

impl Invariant<Snapshots> for Conservation {
    fn about(&self) -> &'static About {
        &About {
            name: "conservation",
            statement: "What all processes have and what is on its way adds up to what there was at the beginning.",
            source: "Chandy, Lamport (1985) §2.1: channels are error-free; Gray (1978): the transfer of funds",
            leaves_out: "moments at which a process has crashed in the middle of a step; what is recorded: `recorded-money` sees to that",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Snapshots>, node: NodeId, _: &[Fact]) -> Result<(), Breach> {
        let total = nodes.process(node).map(|process| process.branch().total());
        self.on_total(nodes.ghost(), node, total)
    }

    /// From the logs of all nodes, running or not.
    fn check_all(&self, nodes: &Nodes<'_, Snapshots>) -> Result<(), Breach> {
        let branches = branches(nodes, &self.config);
        let in_channel = |(from, to): (NodeId, NodeId)| {
            let come = &branches[&to].incoming()[&from];
            let sent = branches[&from].outgoing()[&to].unacknowledged();
            let out = sent.filter(|(sequence, _)| !come.has(*sequence));
            out.map(|(_, item)| u128::from(item.amount())).sum::<u128>()
        };
        let in_flight: u128 = channels(&self.config).map(in_channel).sum();
        let all: u128 = branches.values().map(super::Branch::total).sum();
        let expected = all_money(&self.config);
        ensure!(
            all + in_flight == expected,
            "on the disks are {all}, {in_flight} is on its way, and there was {expected} at the beginning"
        );
        Ok(())
    }

    fn fork(&self) -> Box<dyn Invariant<Snapshots>> {
        Box::new(self.clone())
    }

    fn ghosts(&self) -> Vec<Box<dyn Ghost<Snapshots>>> {
        vec![Box::<Past>::default()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Event;
    use super::super::super::types::{Item, Payment};
    use super::*;

    #[test]
    fn money_that_is_made_or_lost_is_found() {
        let (one, two) = (NodeId::new(0), NodeId::new(1));
        let item = Item::Payment(Payment { from: 0, to: 1, amount: 30 });
        let mut past = Past::default();
        let mut invariant = Conservation::new(&Arc::new(Config { accounts: 2, ..Config::new(2) }));
        assert_eq!(invariant.on_total(&past, one, Some(100)), Ok(()));
        assert_eq!(invariant.on_total(&past, two, Some(100)), Ok(()));
        past.add(one, &[Fact::Did(Event::Sent { to: two, sequence: 1, item })]);
        assert!(invariant.clone().on_total(&past, one, Some(100)).is_err(), "made");
        assert!(invariant.clone().on_total(&past, one, Some(60)).is_err(), "lost");
        assert_eq!(invariant.clone().on_total(&past, one, None), Ok(()), "who knows");
        assert_eq!(invariant.on_total(&past, one, Some(70)), Ok(()));
        assert!(invariant.on_total(&past, two, Some(130)).is_err(), "it is still on its way, too");
    }
}
