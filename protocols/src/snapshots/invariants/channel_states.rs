//! What is recorded of a channel is what was in it.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::types::{Cut, Item, Payment};
use super::super::{Config, Fact, Snapshots};
use super::past::Past;
use super::{branches, channels, cuts, finished};

/// The state of a channel is what was sent before the sender's state was recorded, and received after the receiver's was.
#[derive(Clone, Debug)]
pub struct ChannelStates {
    config: Arc<Config>,
}

impl ChannelStates {
    /// For nodes with this configuration.
    pub fn new(config: &Arc<Config>) -> Self {
        Self { config: Arc::clone(config) }
    }

    fn judge(&self, past: &Past, cut: &Cut) -> Result<(), Breach> {
        for (from, to) in channels(&self.config) {
            let marks = past.mark(from, cut.snapshot).zip(past.mark(to, cut.snapshot));
            let (Some((sender, receiver)), Some(line)) = (marks, past.line(from)) else { continue };
            let between = receiver.received(from) + 1..=sender.sent(to);
            let expected = between.filter_map(|sequence| line.sent(to, sequence)?.payment());
            compare(cut, from, to, &expected.collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

fn compare(cut: &Cut, from: NodeId, to: NodeId, expected: &[Payment]) -> Result<(), Breach> {
    let Some(part) = cut.parts.get(&to) else { return Ok(()) };
    let recorded = part.channels.get(&from).map_or(&[][..], Vec::as_slice);
    ensure!(
        recorded == expected,
        "in {} the channel from {from} to {to} has {}, and {} was in it",
        cut.snapshot,
        in_words(recorded),
        in_words(expected)
    );
    Ok(())
}

fn in_words(payments: &[Payment]) -> String {
    let texts: Vec<String> = payments.iter().map(Payment::to_string).collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(", ") }
}

impl Invariant<Snapshots> for ChannelStates {
    fn about(&self) -> &'static About {
        &About {
            name: "channel-states",
            statement: "The state of a channel is what was sent before the sender's state was recorded and received after the receiver's.",
            source: "Chandy, Lamport (1985) §2.2 and §3.1",
            leaves_out: "channels without order, of which there is no such state; processes whose part is missing",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Snapshots>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        finished(facts).try_for_each(|cut| self.judge(nodes.ghost(), cut))
    }

    /// From the logs of the senders, and where the states themselves say that they were.
    fn check_all(&self, nodes: &Nodes<'_, Snapshots>) -> Result<(), Breach> {
        let branches = branches(nodes, &self.config);
        for cut in cuts(nodes) {
            for (from, to) in channels(&self.config) {
                let (Some(sender), Some(receiver)) = (cut.parts.get(&from), cut.parts.get(&to)) else {
                    continue;
                };
                let (first, last) = (receiver.state.received[&from] + 1, sender.state.sent[&to]);
                let channel = &branches[&from].outgoing()[&to];
                let expected =
                    (first..=last).filter_map(|sequence| channel.get(sequence).and_then(Item::payment));
                compare(cut, from, to, &expected.collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }

    fn ghosts(&self) -> Vec<Box<dyn Ghost<Snapshots>>> {
        vec![Box::<Past>::default()]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::super::types::{Part, State};
    use super::super::super::{Event, SnapshotId};
    use super::*;

    #[test]
    fn a_channel_that_lacks_something_or_has_too_much_is_found() {
        let (one, two) = (NodeId::new(0), NodeId::new(1));
        let snapshot = SnapshotId { initiator: one, number: 1 };
        let payment = |amount| Payment { from: 0, to: 1, amount };
        let sent = |sequence| {
            Fact::Did(Event::Sent { to: two, sequence, item: Item::Payment(payment(sequence)), holds: 0 })
        };
        let received =
            Fact::Did(Event::Received { from: one, sequence: 1, item: Item::Payment(payment(1)), holds: 0 });
        let recorded = Fact::Did(Event::Recorded(snapshot));
        let mut past = Past::default();
        past.add(one, &[sent(1), sent(2), recorded.clone(), sent(3)]);
        past.add(two, &[received, recorded]);
        let cut = |payments: &[Payment]| {
            let state = State { balances: BTreeMap::new(), sent: BTreeMap::new(), received: BTreeMap::new() };
            let channels = BTreeMap::from([(one, payments.to_vec())]);
            let of_two = Arc::new(Part { snapshot, process: two, state, channels });
            Cut { snapshot, parts: BTreeMap::from([(two, of_two)]) }
        };
        let invariant = ChannelStates::new(&Arc::new(Config::new(2)));
        assert_eq!(invariant.judge(&past, &cut(&[payment(2)])), Ok(()));
        assert!(invariant.judge(&past, &cut(&[])).is_err(), "it lacks the second");
        assert!(invariant.judge(&past, &cut(&[payment(1), payment(2)])).is_err(), "the first had come");
        assert!(invariant.judge(&past, &cut(&[payment(2), payment(3)])).is_err(), "the third comes later");
    }
}
