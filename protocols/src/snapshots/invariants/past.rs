//! What all processes have done, from their facts: the ghost state that the invariants share.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::Ghost;
use sim_core::persist::{AppendLog, PersistentMap};

use super::super::types::Item;
use super::super::{Event, Fact, SnapshotId, Snapshots};

/// The pasts of all processes. A process that restarts says anew what its past is, since it may have lost the end of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    lines: BTreeMap<NodeId, Line>,
    in_flight: i128,
}

/// The past of one process.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// How much has happened.
    length: u64,
    /// By receiver: what was sent; the first is number 0.
    sent: BTreeMap<NodeId, AppendLog<Item>>,
    received: BTreeMap<NodeId, Received>,
    /// How much more money it has than at the beginning.
    gain: i128,
    marks: BTreeMap<SnapshotId, Mark>,
}

/// What came out of a channel.
#[derive(Clone, Debug, Default)]
struct Received {
    /// How often something did.
    count: u64,
    numbers: PersistentMap<u64, ()>,
    last_payment: u64,
}

/// Where a process was when it recorded its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// How much had happened.
    pub(super) position: u64,
    /// By receiver: the number of the last message.
    sent: BTreeMap<NodeId, u64>,
    /// By sender: the highest number of a payment.
    received: BTreeMap<NodeId, u64>,
    /// How much more money it had than at the beginning.
    pub(super) gain: i128,
}

impl Mark {
    /// The number of the last message to this process; 0 before the first.
    pub(super) fn sent(&self, to: NodeId) -> u64 {
        self.sent.get(&to).copied().unwrap_or(0)
    }

    /// The highest number of a payment from this process; 0 before the first.
    pub(super) fn received(&self, from: NodeId) -> u64 {
        self.received.get(&from).copied().unwrap_or(0)
    }
}

impl Line {
    fn push(&mut self, event: &Event) {
        self.length += 1;
        match event {
            Event::Sent { to, item, .. } => {
                self.sent.entry(*to).or_default().push(item.clone());
                self.gain -= i128::from(item.amount());
            }
            Event::Received { from, sequence, item, .. } => {
                let received = self.received.entry(*from).or_default();
                received.count += 1;
                received.numbers.insert(*sequence, ());
                if item.payment().is_some() {
                    received.last_payment = received.last_payment.max(*sequence);
                }
                self.gain += i128::from(item.amount());
            }
            Event::Recorded(snapshot) => _ = self.marks.insert(*snapshot, self.here()),
            Event::Begun(_) | Event::Completed { .. } | Event::Finished(_) | Event::Abandoned(_) => {}
        }
    }

    fn here(&self) -> Mark {
        Mark {
            position: self.length,
            sent: self.sent.iter().map(|(to, items)| (*to, items.len())).collect(),
            received: self.received.iter().map(|(from, received)| (*from, received.last_payment)).collect(),
            gain: self.gain,
        }
    }

    fn has_received(&self, from: NodeId, sequence: u64) -> bool {
        self.received.get(&from).is_some_and(|received| received.numbers.contains_key(&sequence))
    }

    /// How much has happened.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// What was sent with this number.
    pub(super) fn sent(&self, to: NodeId, sequence: u64) -> Option<&Item> {
        self.sent.get(&to)?.get(sequence.checked_sub(1)?)
    }

    /// How often something came out of the channel from this process, and how many different things.
    pub(super) fn received(&self, from: NodeId) -> (u64, u64) {
        self.received.get(&from).map_or((0, 0), |received| (received.count, received.numbers.len()))
    }

    /// Where it was when it recorded its state for this snapshot.
    pub(super) fn mark(&self, snapshot: SnapshotId) -> Option<&Mark> {
        self.marks.get(&snapshot)
    }
}

impl Past {
    /// The past of this process; `None` if it has none.
    pub(super) fn line(&self, node: NodeId) -> Option<&Line> {
        self.lines.get(&node)
    }

    /// Where a process was when it recorded its state for this snapshot.
    pub(super) fn mark(&self, node: NodeId, snapshot: SnapshotId) -> Option<&Mark> {
        self.line(node)?.mark(snapshot)
    }

    /// How much money was sent and has not come out.
    pub(super) const fn in_flight(&self) -> i128 {
        self.in_flight
    }

    /// Takes in what a process has said.
    pub(super) fn add(&mut self, node: NodeId, facts: &[Fact]) {
        for fact in facts {
            match fact {
                Fact::Restarted => _ = self.lines.insert(node, Line::default()),
                Fact::Did(event) => {
                    self.follow_money(node, event);
                    self.lines.entry(node).or_default().push(event);
                }
                Fact::HadDone(event) => self.lines.entry(node).or_default().push(event),
            }
        }
        if facts.contains(&Fact::Restarted) {
            self.in_flight = self.count_in_flight();
        }
    }

    /// Something is about to happen.
    fn follow_money(&mut self, node: NodeId, event: &Event) {
        match event {
            Event::Sent { to, sequence, item, .. } => {
                let is_there = self.line(*to).is_some_and(|line| line.has_received(node, *sequence));
                self.in_flight += if is_there { 0 } else { i128::from(item.amount()) };
            }
            Event::Received { from, sequence, .. } => {
                let is_first = self.line(node).is_none_or(|line| !line.has_received(*from, *sequence));
                let item = self.line(*from).and_then(|line| line.sent(node, *sequence));
                self.in_flight -= item.filter(|_| is_first).map_or(0, |item| i128::from(item.amount()));
            }
            Event::Begun(_)
            | Event::Recorded(_)
            | Event::Completed { .. }
            | Event::Finished(_)
            | Event::Abandoned(_) => {}
        }
    }

    fn count_in_flight(&self) -> i128 {
        let of_channel = |from: NodeId, to: NodeId, items: &AppendLog<Item>| {
            let is_there = |sequence| self.line(to).is_some_and(|line| line.has_received(from, sequence));
            let out = (1..).zip(items.iter()).filter(|(sequence, _)| !is_there(*sequence));
            out.map(|(_, item)| i128::from(item.amount())).sum::<i128>()
        };
        let channels = self
            .lines
            .iter()
            .flat_map(|(from, line)| line.sent.iter().map(move |(to, items)| (*from, *to, items)));
        channels.map(|(from, to, items)| of_channel(from, to, items)).sum()
    }
}

impl Ghost<Snapshots> for Past {
    fn on_event(&mut self, node: NodeId, facts: &[Fact]) {
        self.add(node, facts);
    }

    fn fork(&self) -> Box<dyn Ghost<Snapshots>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::types::Payment;
    use super::*;

    #[test]
    fn money_is_in_flight_until_it_comes_out_and_a_restart_can_undo_both() {
        let (one, two) = (NodeId::new(0), NodeId::new(1));
        let item = Item::Payment(Payment { from: 0, to: 1, amount: 30 });
        let sent = Event::Sent { to: two, sequence: 1, item: item.clone(), holds: 70 };
        let received = Event::Received { from: one, sequence: 1, item, holds: 130 };
        let mut past = Past::default();
        past.add(one, &[Fact::Did(sent.clone())]);
        assert_eq!(past.in_flight(), 30);
        past.add(two, &[Fact::Did(received.clone())]);
        assert_eq!(past.in_flight(), 0);
        past.add(two, &[Fact::Did(received)]);
        assert_eq!((past.in_flight(), past.line(two).expect("it has a past").received(one)), (0, (2, 1)));
        past.add(two, &[Fact::Restarted]);
        assert_eq!(past.in_flight(), 30, "it had not come out");
        past.add(one, &[Fact::Restarted, Fact::HadDone(sent)]);
        assert_eq!(past.in_flight(), 30);
        past.add(one, &[Fact::Restarted]);
        assert_eq!(past.in_flight(), 0, "it had not been sent");
    }
}
