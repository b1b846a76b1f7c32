//! The inputs of a membership, told apart, and what its host may ask it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::{Context, NodeId, Span};

use super::host::Host;
use super::member::State;
use super::message::{Message, WantsNack};
use super::order::ProbeRound;
use super::spread::Queue;
use super::{Config, Incarnation, Membership, Standing, Table, Timer};

impl Membership {
    /// Of a node that has read nothing yet.
    pub fn boot(config: Arc<Config>, node: NodeId) -> Self {
        Self {
            node,
            config,
            incarnation: Incarnation(0),
            writing: None,
            standing: Standing::Starting,
            table: Table::default(),
            phase: Span::ZERO,
            probe: None,
            next_probe: 0,
            round: ProbeRound::new(0),
            relays: BTreeMap::new(),
            health: 0,
            suspicions: BTreeMap::new(),
            gone: BTreeMap::new(),
            queue: Queue::default(),
            is_gossip_due: false,
            is_reconnect_due: false,
            waiting: Vec::new(),
        }
    }

    // ----- inputs -----

    /// A message of another member. Who is out is silent, and so is who has not announced itself.
    pub fn on_message(&mut self, context: &mut Context<'_, impl Host>, from: NodeId, message: Message) {
        self.refuse_impossible(from, &message);
        if !self.standing.takes_part() {
            return;
        }
        match message {
            Message::Ping { probe, updates } => self.on_ping(context, from, probe, &updates),
            Message::Ack { probe, updates } => self.on_ack(context, from, probe, &updates),
            Message::PingReq { probe, target, wants_nack, updates } => {
                self.hear_all(context, &updates);
                self.on_ping_req(context, from, probe, target, wants_nack);
            }
            Message::Nack { probe } => self.on_nack(context, probe),
            Message::Gossip(updates) => self.hear_all(context, &updates),
            Message::Sync(table) => self.on_sync(context, from, &table),
            Message::SyncReply(table) => self.on_sync_reply(context, &table),
        }
    }

    /// All members have one configuration, and with another one this message would not have been sent.
    ///
    /// # Panics
    /// If nobody sends such a message in this one.
    pub(super) fn refuse_impossible(&self, from: NodeId, message: &Message) {
        let Config { indirect_checks, local_health, .. } = *self.config;
        let is_possible = match message {
            Message::PingReq { target, wants_nack, .. } => {
                let is_of_others = *target != self.node && *target != from;
                let wants = *wants_nack == WantsNack::Yes;
                indirect_checks > 0 && is_of_others && wants == local_health.is_on()
            }
            Message::Nack { .. } => indirect_checks > 0 && local_health.is_on(),
            Message::Gossip(updates) => !updates.is_empty(),
            Message::Ping { .. } | Message::Ack { .. } | Message::Sync(_) | Message::SyncReply(_) => true,
        };
        assert!(
            is_possible,
            "{}, with {indirect_checks} indirect checks and local health {local_health:?}, was sent {message:?} by {from}",
            self.node
        );
    }

    /// One of its timers.
    pub fn on_timer(&mut self, context: &mut Context<'_, impl Host>, timer: Timer) {
        match timer {
            Timer::Period => self.on_period(context),
            Timer::ProbeTimeout => self.on_probe_timeout(context),
            Timer::Gossip => self.on_gossip_due(context),
            Timer::PushPull => self.on_push_pull(context),
            Timer::Reconnect => self.on_reconnect(context),
            Timer::Join => self.on_join_due(context),
            Timer::Suspicion(member) => self.on_suspicion_over(context, member),
            Timer::Relay(probe) => self.on_relay_timeout(context, probe),
        }
    }

    // ----- queries -----

    /// What this node believes a member to be.
    pub fn state_of(&self, member: NodeId) -> State {
        self.table.get(member).state
    }

    /// What this node believes of all members, of itself too.
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// How it stands to the group.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// How many members there are by what it knows, itself included.
    pub fn member_count(&self) -> u32 {
        self.table.present_count()
    }
}
