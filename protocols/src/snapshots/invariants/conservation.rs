//! The bank neither makes nor loses money.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Event, Fact, Snapshots};
use super::past::Past;
use super::{all_money, branches, channels, opening};

/// What all processes have and what is on its way adds up to what there was at the beginning, at each moment.
#[derive(Clone, Debug)]
pub struct Conservation {
    config: Arc<Config>,
    /// What each process has.
    totals: BTreeMap<NodeId, u128>,
}

impl Conservation {
    /// For nodes with this configuration.
    pub fn new(config: &Arc<Config>) -> Self {
        let totals = config.nodes().map(|node| (node, opening(config, node))).collect();
        Self { config: Arc::clone(config), totals }
    }

    /// `past` has these facts already.
    fn on_facts(&mut self, past: &Past, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for fact in facts {
            match fact {
                Fact::Restarted => _ = self.totals.insert(node, opening(&self.config, node)),
                Fact::Did(event) | Fact::HadDone(event) => self.follow(node, event),
            }
        }
        let (all, in_flight) = (self.totals.values().sum::<u128>(), past.in_flight());
        let expected = all_money(&self.config);
        ensure!(
            all.checked_add_signed(in_flight) == Some(expected),
            "all processes have {all}, {in_flight} is on its way, and there was {expected} at the beginning"
        );
        Ok(())
    }

    fn follow(&mut self, node: NodeId, event: &Event) {
        match event {
            Event::Sent { holds, .. } | Event::Received { holds, .. } => _ = self.totals.insert(node, *holds),
            Event::Begun(_)
            | Event::Recorded(_)
            | Event::Completed { .. }
            | Event::Finished(_)
            | Event::Abandoned(_) => {}
        }
    }
}

impl Invariant<Snapshots> for Conservation {
    fn about(&self) -> &'static About {
        &About {
            name: "conservation",
            statement: "What all processes have and what is on its way adds up to what there was at the beginning.",
            source: "Chandy, Lamport (1985) §2.1: channels are error-free; Gray (1978): the transfer of funds",
            leaves_out: "what is recorded of it: `recorded-money` sees to that",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Snapshots>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.on_facts(nodes.ghost(), node, facts)
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

    fn ghosts(&self) -> Vec<Box<dyn Ghost<Snapshots>>> {
        vec![Box::<Past>::default()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::types::{Item, Payment};
    use super::*;

    #[test]
    fn money_that_is_made_or_lost_is_found() {
        let (one, two) = (NodeId::new(0), NodeId::new(1));
        let item = Item::Payment(Payment { from: 0, to: 1, amount: 30 });
        let sent = |holds| Fact::Did(Event::Sent { to: two, sequence: 1, item: item.clone(), holds });
        let received =
            |holds| Fact::Did(Event::Received { from: one, sequence: 1, item: item.clone(), holds });
        let judge = |facts: &[(NodeId, Fact)]| {
            let mut past = Past::default();
            let mut invariant = Conservation::new(&Arc::new(Config { accounts: 2, ..Config::new(2) }));
            facts.iter().try_for_each(|(node, fact)| {
                past.add(*node, std::slice::from_ref(fact));
                invariant.on_facts(&past, *node, std::slice::from_ref(fact))
            })
        };
        assert_eq!(judge(&[(one, sent(70))]), Ok(()));
        assert!(judge(&[(one, sent(100))]).is_err(), "made");
        assert!(judge(&[(one, sent(60))]).is_err(), "lost");
        assert_eq!(judge(&[(one, sent(70)), (two, received(130))]), Ok(()));
        assert!(judge(&[(one, sent(70)), (two, received(130)), (two, received(160))]).is_err(), "twice");
        let undone = [(one, sent(70)), (two, received(130)), (one, Fact::Restarted)];
        assert!(judge(&undone).is_err(), "the sender has forgotten that it has sent it");
        assert_eq!(judge(&[(one, sent(70)), (one, Fact::Restarted)]), Ok(()));
    }
}
