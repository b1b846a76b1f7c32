//! A branch of the bank: what a process has, as a function of the steps in its log.
//!
//! [`Branch::apply`] does one step and says what happened in it. The process does each when it has written it, and all of
//! them again when it restarts; so the algorithm stands here once, and knows neither disk nor network nor time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::Outcome;
use sim_core::service::transfer::OPENING_BALANCE;
use sim_core::{ClientId, NodeId, OpId};

use super::channel::{Incoming, Outgoing};
use super::config::Config;
use super::durable::Step;
use super::facts::Event;
use super::mutants::Mutant;
use super::recording::{Gathering, Recording};
use super::types::{Cut, Item, Part, Payment, SnapshotId, State};

/// What a client's last transfer came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Session {
    pub(super) ordinal: u32,
    pub(super) outcome: Outcome,
}

/// What became of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Ended {
    /// The initiator has all parts.
    Finished(Arc<Cut>),
    /// It has given up.
    Abandoned(SnapshotId),
}

/// What a process has.
#[derive(Clone, Debug, Serialize)]
pub struct Branch {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    balances: BTreeMap<u32, u64>,
    outgoing: BTreeMap<NodeId, Outgoing>,
    incoming: BTreeMap<NodeId, Incoming>,
    recordings: BTreeMap<SnapshotId, Recording>,
    /// Snapshots that were begun here and have not ended.
    gatherings: BTreeMap<SnapshotId, Gathering>,
    last_number: u64,
    last_ended: Option<Ended>,
    sessions: BTreeMap<ClientId, Session>,
    /// Of [`Mutant::MarkerAfterMessage`]: whose markers are still to be sent.
    late_markers: Vec<SnapshotId>,
}

impl Branch {
    /// As it is before the first step.
    pub fn new(config: Arc<Config>, node: NodeId) -> Self {
        let peers = || config.peers(node);
        Self {
            node,
            balances: config.accounts_of(node).map(|account| (account, OPENING_BALANCE)).collect(),
            outgoing: peers().map(|peer| (peer, Outgoing::default())).collect(),
            incoming: peers().map(|peer| (peer, Incoming::default())).collect(),
            recordings: BTreeMap::new(),
            gatherings: BTreeMap::new(),
            last_number: 0,
            last_ended: None,
            sessions: BTreeMap::new(),
            late_markers: Vec::new(),
            config,
        }
    }

    /// Does a step, and says what happens in it, in order.
    pub fn apply(&mut self, step: &Step) -> Vec<Event> {
        let mut events = Vec::new();
        match step {
            Step::Pay { payment, op } => {
                if let Some(op) = op {
                    self.remember(*op, Outcome::Done);
                }
                self.pay(*payment, &mut events);
            }
            Step::Decline { op } => self.remember(*op, Outcome::Rejected),
            Step::Deliver { from, sequence, item } => self.deliver(*from, *sequence, item, &mut events),
            Step::Begin => self.begin(&mut events),
            Step::Abandon { snapshot } => self.abandon(*snapshot, &mut events),
        }
        events
    }

    // ----- money -----

    fn pay(&mut self, payment: Payment, events: &mut Vec<Event>) {
        let Payment { from, to, amount } = payment;
        let giver = self.balances.get_mut(&from).expect("a process pays from its own accounts");
        *giver = giver
            .checked_sub(amount)
            .unwrap_or_else(|| panic!("a{from} has {giver}, and cannot give {amount}"));
        let home = self.config.home(to);
        if home == self.node {
            self.credit(payment);
        } else {
            self.send(home, Item::Payment(payment), events);
            for snapshot in std::mem::take(&mut self.late_markers) {
                self.send_markers(snapshot, events);
            }
        }
    }

    fn credit(&mut self, payment: Payment) {
        let balance = self.balances.get_mut(&payment.to).expect("a payment goes where its account is");
        *balance += payment.amount;
    }

    fn remember(&mut self, op: OpId, outcome: Outcome) {
        self.sessions.insert(op.client, Session { ordinal: op.ordinal, outcome });
    }

    // ----- channels -----

    fn send(&mut self, to: NodeId, item: Item, events: &mut Vec<Event>) {
        let channel = self.outgoing.get_mut(&to).expect("there is a channel to each other process");
        let sequence = channel.push(item.clone());
        events.push(Event::Sent { to, sequence, item, holds: self.total() });
    }

    fn deliver(&mut self, from: NodeId, sequence: u64, item: &Item, events: &mut Vec<Event>) {
        let channel = self.incoming.get_mut(&from).expect("there is a channel from each other process");
        channel.take(sequence, item);
        if let Some(payment) = item.payment() {
            self.credit(payment);
        }
        events.push(Event::Received { from, sequence, item: item.clone(), holds: self.total() });
        match item {
            Item::Payment(payment) => self.record_payment(from, *payment),
            Item::Marker(snapshot) => self.on_marker(from, *snapshot, events),
            Item::Part(part) => self.gather(part, events),
            Item::Abandon(snapshot) => {
                if let Some(recording) = self.recordings.get_mut(snapshot) {
                    recording.abandon();
                }
            }
        }
    }

    /// Before the marker of a snapshot that the process has recorded its state for, a payment belongs to the channel's state.
    fn record_payment(&mut self, from: NodeId, payment: Payment) {
        let is_endless = self.config.has(Mutant::RecordsAfterMarker);
        for recording in self.recordings.values_mut() {
            if is_endless || recording.open().contains(&from) {
                recording.add(from, payment);
            }
        }
    }

    // ----- snapshots -----

    fn begin(&mut self, events: &mut Vec<Event>) {
        self.last_number += 1;
        let snapshot = SnapshotId { initiator: self.node, number: self.last_number };
        self.gatherings.insert(snapshot, Gathering::new());
        events.push(Event::Begun(snapshot));
        self.record(snapshot, events);
    }

    /// Records its own state, and sends a marker on each channel before anything else.
    fn record(&mut self, snapshot: SnapshotId, events: &mut Vec<Event>) {
        events.push(Event::Recorded(snapshot));
        self.recordings.insert(snapshot, Recording::new(self.state()));
        if self.config.has(Mutant::MarkerAfterMessage) {
            self.late_markers.push(snapshot);
        } else {
            self.send_markers(snapshot, events);
        }
    }

    fn send_markers(&mut self, snapshot: SnapshotId, events: &mut Vec<Event>) {
        for peer in self.config.peers(self.node) {
            self.send(peer, Item::Marker(snapshot), events);
        }
    }

    /// The first marker of a snapshot makes the process record its state. Each ends the state of the channel that it came on.
    fn on_marker(&mut self, from: NodeId, snapshot: SnapshotId, events: &mut Vec<Event>) {
        if !self.recordings.contains_key(&snapshot) {
            self.record(snapshot, events);
        }
        let closed = if self.config.has(Mutant::MarkerForAll) {
            self.recordings.keys().copied().collect()
        } else {
            vec![snapshot]
        };
        for snapshot in closed {
            self.close(from, snapshot, events);
        }
    }

    fn close(&mut self, from: NodeId, snapshot: SnapshotId, events: &mut Vec<Event>) {
        let peer_count = self.outgoing.len();
        let state = self.config.has(Mutant::StateAtSecondMarker).then(|| self.state());
        let recording = self.recordings.get_mut(&snapshot).expect("its state is recorded");
        recording.close(from);
        if let Some(state) = state.filter(|_| recording.open().len() + 2 == peer_count) {
            recording.state = state;
            events.push(Event::Recorded(snapshot));
        }
        if recording.open().is_empty() {
            self.complete(snapshot, events);
        }
    }

    /// All markers have come. The part goes to the initiator, on the channel there.
    fn complete(&mut self, snapshot: SnapshotId, events: &mut Vec<Event>) {
        let recording = self.recordings.remove(&snapshot).expect("its last marker came");
        if recording.is_abandoned() {
            return;
        }
        let mut part = recording.into_part(snapshot, self.node);
        if self.config.has(Mutant::ChannelStateOmitted) {
            part.channels.values_mut().for_each(Vec::clear);
        }
        events.push(Event::Completed { snapshot, payments: part.payment_count(), bytes: part.size() });
        let part = Arc::new(part);
        if snapshot.initiator == self.node {
            self.gather(&part, events);
        } else {
            self.send(snapshot.initiator, Item::Part(part), events);
        }
    }

    /// A part of a snapshot that was begun here. One that comes after it was given up is of no use.
    fn gather(&mut self, part: &Arc<Part>, events: &mut Vec<Event>) {
        let snapshot = part.snapshot;
        let Some(gathering) = self.gatherings.get_mut(&snapshot) else { return };
        gathering.insert(part.process, Arc::clone(part));
        let missing = self.outgoing.len() + 1 - gathering.len();
        if missing <= usize::from(self.config.has(Mutant::OnePartMissing)) {
            let parts = self.gatherings.remove(&snapshot).expect("it has all parts");
            let cut = Arc::new(Cut { snapshot, parts });
            self.last_ended = Some(Ended::Finished(Arc::clone(&cut)));
            events.push(Event::Finished(cut));
        }
    }

    /// Gives a snapshot up, and tells everybody so.
    fn abandon(&mut self, snapshot: SnapshotId, events: &mut Vec<Event>) {
        let was_under_way = self.gatherings.remove(&snapshot).is_some();
        assert!(was_under_way, "{} cannot give up {snapshot}, which has ended", self.node);
        if let Some(recording) = self.recordings.get_mut(&snapshot) {
            recording.abandon();
        }
        self.last_ended = Some(Ended::Abandoned(snapshot));
        events.push(Event::Abandoned(snapshot));
        for peer in self.config.peers(self.node) {
            self.send(peer, Item::Abandon(snapshot), events);
        }
    }

    // ----- what is in memory alone -----

    /// The other end of a channel has all up to this one.
    pub(super) fn acknowledge(&mut self, by: NodeId, upto: u64) {
        self.outgoing.get_mut(&by).expect("there is a channel to each other process").acknowledge(upto);
    }

    /// This came too early on a channel.
    pub(super) fn keep(&mut self, from: NodeId, sequence: u64, item: Item) {
        self.incoming
            .get_mut(&from)
            .expect("there is a channel from each other process")
            .keep(sequence, item);
    }

    // ----- queries -----

    /// Its state, as a snapshot has it.
    pub fn state(&self) -> State {
        State {
            balances: self.balances.clone(),
            sent: self.outgoing.iter().map(|(peer, channel)| (*peer, channel.last())).collect(),
            received: self.incoming.iter().map(|(peer, channel)| (*peer, channel.last_payment())).collect(),
        }
    }

    /// Its accounts with what is in them.
    pub const fn balances(&self) -> &BTreeMap<u32, u64> {
        &self.balances
    }

    /// The money in its accounts.
    pub fn total(&self) -> u128 {
        self.balances.values().map(|balance| u128::from(*balance)).sum()
    }

    /// The channels to other processes.
    pub const fn outgoing(&self) -> &BTreeMap<NodeId, Outgoing> {
        &self.outgoing
    }

    /// The channels from other processes.
    pub const fn incoming(&self) -> &BTreeMap<NodeId, Incoming> {
        &self.incoming
    }

    /// The snapshots of which it waits for markers.
    pub const fn recordings(&self) -> &BTreeMap<SnapshotId, Recording> {
        &self.recordings
    }

    /// The snapshots of which it waits for parts.
    pub const fn gatherings(&self) -> &BTreeMap<SnapshotId, Gathering> {
        &self.gatherings
    }

    /// The snapshot that ended last, of those that were begun here.
    pub const fn last_ended(&self) -> Option<&Ended> {
        self.last_ended.as_ref()
    }

    pub(super) fn session(&self, client: ClientId) -> Option<&Session> {
        self.sessions.get(&client)
    }
}
