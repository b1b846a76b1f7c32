//! Hops: a value has made one more than at its sender.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;
use sim_core::service::Value;
use smallvec::{SmallVec, smallvec};

use super::super::facts::Kind;
use super::super::message::Announcement;
use super::super::{Fact, Plumtree};
use super::kinds;

/// A value has made no hops where it was broadcast, and at each receiver one more than at its sender.
#[derive(Clone, Debug, Default)]
pub struct HopsCounted {
    /// What each node has ever delivered a value with: after a crash it may be another number, and what it sent before may
    /// still be on its way.
    rounds: PersistentMap<(Value, NodeId), SmallVec<[u32; 1]>>,
}

impl HopsCounted {
    fn on_facts(&mut self, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for fact in facts {
            if let Fact::Payload { from, what } = fact {
                self.check(node, *from, *what)?;
            } else if let Fact::Delivered(Announcement { value, round }) = fact {
                self.add(node, *value, *round);
            }
        }
        Ok(())
    }

    fn add(&mut self, node: NodeId, value: Value, round: u32) {
        if let Some(mut rounds) = self.rounds.insert((value, node), smallvec![round]) {
            rounds.push(round);
            self.rounds.insert((value, node), rounds);
        }
    }

    fn check(&self, node: NodeId, from: NodeId, what: Announcement) -> Result<(), Breach> {
        let Announcement { value, round } = what;
        let sent = self.rounds.get(&(value, from)).map(SmallVec::as_slice).unwrap_or_default();
        let is_counted = round.checked_sub(1).is_some_and(|before| sent.contains(&before));
        ensure!(
            is_counted,
            "{value} comes to {node} after {round} hops, and to {from} it came after {sent:?}"
        );
        Ok(())
    }
}

impl Invariant<Plumtree> for HopsCounted {
    fn about(&self) -> &'static About {
        &About {
            name: "hops-counted",
            statement: "A value has made one hop more at its receiver than at its sender, and none where it was broadcast.",
            source: "Plumtree (SRDS 2007) algorithm 1: EagerPush with round + 1",
            leaves_out: "which of two lives a sender was in when it sent the value",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Payload, Kind::Delivered])
    }

    fn on_event(&mut self, _: &Nodes<'_, Plumtree>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.on_facts(node, facts)
    }

    /// What a node has came from one who has it or had it, with one hop less.
    fn check_all(&self, nodes: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        for (node, one) in nodes.running() {
            for (value, held) in one.values() {
                match held.from {
                    Some(from) => self.check(node, from, Announcement { value, round: held.round })?,
                    None => ensure!(
                        held.round == 0,
                        "{node} has {value} from a client, after {} hops",
                        held.round
                    ),
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_that_is_not_counted_is_found() {
        let (one, other) = (NodeId::new(0), NodeId::new(1));
        let at = |round| Announcement { value: 7, round };
        let mut invariant = HopsCounted::default();
        assert_eq!(invariant.on_facts(one, &[Fact::Delivered(at(0))]), Ok(()));
        let payload = |round| [Fact::Payload { from: one, what: at(round) }];
        assert_eq!(invariant.on_facts(other, &payload(1)), Ok(()));
        assert!(invariant.on_facts(other, &payload(0)).is_err());
        assert!(invariant.on_facts(other, &payload(2)).is_err());
        assert_eq!(invariant.on_facts(one, &[Fact::Delivered(at(1))]), Ok(()), "after a crash");
        assert_eq!(invariant.on_facts(other, &payload(2)), Ok(()));
        assert_eq!(invariant.on_facts(other, &payload(1)), Ok(()), "sent before it");
    }
}
