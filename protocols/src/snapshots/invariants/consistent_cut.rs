//! No effect without its cause.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::types::{Cut, State};
use super::super::{Config, Fact, SnapshotId, Snapshots};
use super::past::Past;
use super::{channels, cuts, finished};

/// A payment that one process has received when its state is recorded was sent when that of the sender was.
#[derive(Clone, Debug)]
pub struct ConsistentCut {
    config: Arc<Config>,
}

impl ConsistentCut {
    /// For nodes with this configuration.
    pub fn new(config: &Arc<Config>) -> Self {
        Self { config: Arc::clone(config) }
    }

    fn judge(&self, past: &Past, cut: &Cut) -> Result<(), Breach> {
        for (from, to) in channels(&self.config) {
            let marks = past.mark(from, cut.snapshot).zip(past.mark(to, cut.snapshot));
            if let Some((sender, receiver)) = marks {
                compare(cut.snapshot, (from, sender.sent(to)), (to, receiver.received(from)))?;
            }
        }
        Ok(())
    }
}

fn compare(
    snapshot: SnapshotId,
    (from, sent): (NodeId, u64),
    (to, received): (NodeId, u64),
) -> Result<(), Breach> {
    ensure!(
        received <= sent,
        "in {snapshot} {to} has received payment #{received} of {from}, and {from} has sent no more than #{sent}"
    );
    Ok(())
}

/// Each of these states beside each of the others.
fn compare_all(snapshot: SnapshotId, states: &[(NodeId, &State)]) -> Result<(), Breach> {
    for (from, sender) in states {
        for (to, receiver) in states.iter().filter(|(to, _)| to != from) {
            compare(snapshot, (*from, sender.sent[to]), (*to, receiver.received[from]))?;
        }
    }
    Ok(())
}

impl Invariant<Snapshots> for ConsistentCut {
    fn about(&self) -> &'static About {
        &About {
            name: "consistent-cut",
            statement: "A snapshot records no payment as received that it does not record as sent.",
            source: "Chandy, Lamport (1985) §2.2 and §3.2",
            leaves_out: "snapshots that are given up",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Snapshots>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        finished(facts).try_for_each(|cut| self.judge(nodes.ghost(), cut))
    }

    /// The states themselves, which say what was sent and received: of snapshots that are finished, and of those under way.
    fn check_all(&self, nodes: &Nodes<'_, Snapshots>) -> Result<(), Breach> {
        for cut in cuts(nodes) {
            let states: Vec<_> = cut.parts.iter().map(|(node, part)| (*node, &part.state)).collect();
            compare_all(cut.snapshot, &states)?;
        }
        let under_way = nodes.running().flat_map(|(_, process)| process.branch().recordings().keys());
        for snapshot in under_way {
            let states = nodes.running().filter_map(|(node, process)| {
                Some((node, process.branch().recordings().get(snapshot)?.state()))
            });
            compare_all(*snapshot, &states.collect::<Vec<_>>())?;
        }
        Ok(())
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
    fn an_effect_without_its_cause_is_found() {
        let (one, two) = (NodeId::new(0), NodeId::new(1));
        let snapshot = SnapshotId { initiator: one, number: 1 };
        let item = Item::Payment(Payment { from: 0, to: 1, amount: 30 });
        let sent = Fact::Did(Event::Sent { to: two, sequence: 1, item: item.clone(), holds: 0 });
        let received = Fact::Did(Event::Received { from: one, sequence: 1, item, holds: 0 });
        let recorded = Fact::Did(Event::Recorded(snapshot));
        let invariant = ConsistentCut::new(&Arc::new(Config::new(2)));
        let judge = |of_one: &[&Fact], of_two: &[&Fact]| {
            let mut past = Past::default();
            let owned = |facts: &[&Fact]| facts.iter().map(|fact| (*fact).clone()).collect::<Vec<_>>();
            past.add(one, &owned(of_one));
            past.add(two, &owned(of_two));
            invariant.judge(&past, &Cut { snapshot, parts: std::collections::BTreeMap::new() })
        };
        assert_eq!(judge(&[&sent, &recorded], &[&received, &recorded]), Ok(()));
        assert_eq!(judge(&[&sent, &recorded], &[&recorded, &received]), Ok(()), "it is in the channel");
        assert_eq!(judge(&[&recorded, &sent], &[&recorded, &received]), Ok(()), "it comes later");
        assert!(judge(&[&recorded, &sent], &[&received, &recorded]).is_err());
    }
}
