//! Channels are what the algorithm needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::durable::Step;
use super::super::types::Item;
use super::super::{Channels, Config, Event, Fact, Snapshots};
use super::past::Past;
use super::{branches, log_of};

/// What comes out of a channel was put in, comes out once, and in order where that is promised.
#[derive(Clone, Debug)]
pub struct ChannelsInOrder {
    config: Arc<Config>,
}

/// Something that comes out of a channel.
#[derive(Clone, Copy, Debug)]
struct Out<'a> {
    from: NodeId,
    to: NodeId,
    sequence: u64,
    item: &'a Item,
}

impl ChannelsInOrder {
    /// For nodes with this configuration.
    pub fn new(config: &Arc<Config>) -> Self {
        Self { config: Arc::clone(config) }
    }

    /// `past` has these facts already.
    fn on_facts(&self, past: &Past, to: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        // Of each channel: how much of what came out comes later than what is looked at.
        let mut later = BTreeMap::<NodeId, u64>::new();
        for event in facts.iter().rev().filter_map(Fact::event) {
            let Event::Received { from, sequence, item, .. } = event else { continue };
            let (count, distinct) = past.line(to).map_or((0, 0), |line| line.received(*from));
            ensure!(
                count == distinct,
                "something came out twice of the channel from {from} to {to}, the last of it #{sequence}"
            );
            let later = later.entry(*from).or_default();
            let sent = past.line(*from).and_then(|line| line.sent(to, *sequence));
            self.judge(Out { from: *from, to, sequence: *sequence, item }, count - *later - 1, sent)?;
            *later += 1;
        }
        Ok(())
    }

    /// Something comes out, after `before` others.
    fn judge(&self, out: Out<'_>, before: u64, sent: Option<&Item>) -> Result<(), Breach> {
        let Out { from, to, sequence, item } = out;
        ensure!(sent == Some(item), "{to} got {item:?} as #{sequence} of {from}, which has sent {sent:?}");
        let is_next = sequence == before + 1 || self.config.channels == Channels::Unordered;
        ensure!(is_next, "#{sequence} came out of the channel from {from} to {to} after {before} others");
        Ok(())
    }
}

impl Invariant<Snapshots> for ChannelsInOrder {
    fn about(&self) -> &'static About {
        &About {
            name: "channels-in-order",
            statement: "What comes out of a channel was put in, comes out once, and in the order in which it was put in.",
            source: "Chandy, Lamport (1985) §2.1",
            leaves_out: "order, with channels that do not promise it; whether it ever comes out",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Snapshots>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.on_facts(nodes.ghost(), node, facts)
    }

    /// From the logs of all nodes, running or not.
    fn check_all(&self, nodes: &Nodes<'_, Snapshots>) -> Result<(), Breach> {
        let branches = branches(nodes, &self.config);
        for to in self.config.nodes() {
            let mut seen = BTreeMap::<NodeId, Vec<u64>>::new();
            for step in log_of(nodes, to) {
                let Step::Deliver { from, sequence, item } = &step else { continue };
                let seen = seen.entry(*from).or_default();
                ensure!(
                    !seen.contains(sequence),
                    "#{sequence} came out twice of the channel from {from} to {to}"
                );
                let sent = branches[from].outgoing()[&to].get(*sequence);
                self.judge(Out { from: *from, to, sequence: *sequence, item }, seen.len() as u64, sent)?;
                seen.push(*sequence);
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
    use super::super::super::types::Payment;
    use super::*;

    #[test]
    fn what_comes_out_twice_too_early_or_otherwise_is_found() {
        let (one, two) = (NodeId::new(0), NodeId::new(1));
        let item = |amount| Item::Payment(Payment { from: 0, to: 1, amount });
        let sent = |sequence| Fact::Did(Event::Sent { to: two, sequence, item: item(sequence), holds: 0 });
        let received = |sequence, amount| {
            Fact::Did(Event::Received { from: one, sequence, item: item(amount), holds: 0 })
        };
        let judge = |channels, facts: &[Fact]| {
            let mut past = Past::default();
            past.add(one, &[sent(1), sent(2)]);
            past.add(two, facts);
            ChannelsInOrder::new(&Arc::new(Config { channels, ..Config::new(2) })).on_facts(&past, two, facts)
        };
        assert_eq!(judge(Channels::Fifo, &[received(1, 1), received(2, 2)]), Ok(()));
        assert!(judge(Channels::Fifo, &[received(2, 2), received(1, 1)]).is_err(), "too early");
        assert_eq!(judge(Channels::Unordered, &[received(2, 2), received(1, 1)]), Ok(()));
        for channels in [Channels::Fifo, Channels::Unordered] {
            assert!(judge(channels, &[received(1, 1), received(1, 1)]).is_err(), "twice");
            assert!(judge(channels, &[received(1, 3)]).is_err(), "another amount");
            assert!(judge(channels, &[received(3, 3)]).is_err(), "never sent");
        }
    }
}
