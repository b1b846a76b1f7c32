//! The failure detector: one probe a period, direct and then through others (§3.1, §4.3), and what a node thinks of its
//! own health (Lifeguard §4.1).

use serde::Serialize;
use sim_core::{Context, NodeId, Span};

use super::config::{ProbeOrder, Rhythm};
use super::facts::Fact;
use super::host::{Acts, Host};
use super::member::{Belief, Incarnation, State, Update};
use super::message::{Message, ProbeId, Updates, WantsNack};
use super::metrics::Counter;
use super::order::ProbeRound;
use super::{Membership, Mutant, Point, Timer};
use crate::draw;

/// A probe that nobody has answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Probe {
    id: ProbeId,
    target: NodeId,
    /// What it was when the probe began: that is what can be suspected.
    incarnation: Incarnation,
    /// How many helpers still owe a nack.
    nacks_missing: u32,
}

/// A ping in the name of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Relay {
    origin: NodeId,
    /// What the origin calls it.
    probe: ProbeId,
    /// Whom.
    target: NodeId,
    /// Whether a nack is still to be sent.
    owes_nack: bool,
}

impl Membership {
    // ----- periods -----

    /// When its periods begin, after those of a node with phase zero.
    pub(super) fn draw_phase(&self, context: &mut Context<'_, impl Host>) -> Span {
        match self.config.rhythm {
            Rhythm::Scattered => draw::phase(context.random(), self.config.probe_interval),
            Rhythm::Together => Span::ZERO,
        }
    }

    /// How long until the next of the moments that come once in an `interval`, in its phase.
    pub(super) fn until_next(&self, context: &Context<'_, impl Host>, interval: Span) -> Span {
        let interval = interval.as_nanos();
        let behind = interval - self.phase.as_nanos() % interval;
        Span::nanos(interval - (context.now().as_nanos() % interval + behind) % interval)
    }

    /// How long its periods are, as well as it is.
    pub(super) fn period(&self) -> Span {
        self.scaled(self.config.probe_interval)
    }

    /// A time that gets longer when this node is not well.
    fn scaled(&self, span: Span) -> Span {
        span.times(u64::from(self.health) + 1)
    }

    /// A period ends and the next begins.
    pub(super) fn on_period(&mut self, context: &mut Context<'_, impl Host>) {
        self.close_probe(context);
        context.arm(Timer::Period, self.period());
        context.tally(Counter::Periods, 1);
        context.state(Fact::Period);
        if let Some(target) = self.next_target(context) {
            self.begin_probe(context, target);
        }
    }

    /// Whom to probe next: nobody where nobody else is present.
    fn next_target(&mut self, context: &mut Context<'_, impl Host>) -> Option<NodeId> {
        if self.table.present_count() <= u32::from(self.table.get(self.node).state.is_present()) {
            return None;
        }
        if self.config.probe_order == ProbeOrder::Random || self.config.has(Mutant::RandomProbes) {
            return self.draw_member(context, |_, belief| belief.state.is_present());
        }
        let count = u32::try_from(context.node_count()).expect("node counts fit 31 bits");
        loop {
            match self.round.next(count).map(NodeId::new) {
                None => {
                    self.forget_long_gone(context);
                    self.round = ProbeRound::new(context.random().next_u64());
                }
                Some(node) if node != self.node && self.table.get(node).state.is_present() => {
                    return Some(node);
                }
                Some(_) => {}
            }
        }
    }

    /// One of the other nodes for which `fits` holds, each equally likely; `None` where there is none.
    pub(super) fn draw_member(
        &self,
        context: &mut Context<'_, impl Host>,
        fits: impl Fn(NodeId, Belief) -> bool,
    ) -> Option<NodeId> {
        let count = u32::try_from(context.node_count()).expect("node counts fit 31 bits");
        let is_it = |node: NodeId| node != self.node && fits(node, self.table.get(node));
        for _ in 0..DRAWS_MAX {
            let drawn = draw_node(context, count);
            if is_it(drawn) {
                return Some(drawn);
            }
        }
        let fitting: Vec<NodeId> = (0..count).map(NodeId::new).filter(|node| is_it(*node)).collect();
        context.random().pick(&fitting).copied()
    }

    // ----- the one who probes -----

    fn begin_probe(&mut self, context: &mut Context<'_, impl Host>, target: NodeId) {
        let id = self.new_probe();
        let incarnation = self.table.get(target).incarnation;
        self.probe = Some(Probe { id, target, incarnation, nacks_missing: 0 });
        context.arm(Timer::ProbeTimeout, self.scaled(self.config.probe_timeout));
        self.ping(context, target, id);
        context.state(Fact::Pinged { target });
    }

    fn new_probe(&mut self) -> ProbeId {
        self.next_probe = self.next_probe.wrapping_add(1);
        ProbeId(self.next_probe)
    }

    /// With the buddy system, whoever is not believed to be alive is told so, that it can refute.
    fn ping(&mut self, context: &mut Context<'_, impl Host>, target: NodeId, probe: ProbeId) {
        let belief = self.table.get(target);
        let tells = self.config.buddy.is_on() && belief.state == State::Suspect;
        let buddy = tells.then_some(Update { member: target, belief, from: self.node });
        let updates = self.take_updates(context, buddy);
        context.transmit(target, Message::Ping { probe, updates });
    }

    /// Nobody has answered in time: asks others to ping, and pings once more itself.
    pub(super) fn on_probe_timeout(&mut self, context: &mut Context<'_, impl Host>) {
        let Some(probe) = self.probe else { return };
        context.reach(Point::Unanswered);
        let mut helpers = Vec::new();
        for _ in 0..self.config.indirect_checks {
            let is_free = |node| node != probe.target && !helpers.contains(&node);
            let drawn =
                self.draw_member(context, |node, belief| belief.state == State::Alive && is_free(node));
            helpers.extend(drawn);
        }
        for helper in helpers {
            self.request(context, helper, probe);
        }
        if self.config.fallback_ping.is_on() {
            self.ping(context, probe.target, probe.id);
        }
    }

    fn request(&mut self, context: &mut Context<'_, impl Host>, helper: NodeId, probe: Probe) {
        let Probe { id, target, .. } = probe;
        if self.config.has(Mutant::RequestOnSamePath) {
            return self.ping(context, target, id);
        }
        let wants_nack = if self.config.local_health.is_on() { WantsNack::Yes } else { WantsNack::No };
        if let (Some(own), WantsNack::Yes) = (&mut self.probe, wants_nack) {
            own.nacks_missing += 1;
        }
        let updates = self.take_updates(context, None);
        context.transmit(helper, Message::PingReq { probe: id, target, wants_nack, updates });
        context.state(Fact::Requested);
    }

    /// An answer to a ping of its own, or in the name of another.
    pub(super) fn on_ack(
        &mut self,
        context: &mut Context<'_, impl Host>,
        from: NodeId,
        id: ProbeId,
        updates: &Updates,
    ) {
        self.hear_all(context, updates);
        if let Some(probe) = self.probe.filter(|probe| probe.id == id) {
            if from != probe.target {
                context.reach(Point::AnsweredIndirectly);
            }
            self.on_answer(context, probe);
        } else if let Some(relay) = self.relays.remove(&id) {
            context.disarm(Timer::Relay(id));
            let updates = self.take_updates(context, None);
            context.transmit(relay.origin, Message::Ack { probe: relay.probe, updates });
        }
    }

    /// The probe of this period was answered. A suspicion stays: only its member can refute it.
    fn on_answer(&mut self, context: &mut Context<'_, impl Host>, probe: Probe) {
        self.probe = None;
        context.disarm(Timer::ProbeTimeout);
        context.state(Fact::Answered);
        self.health = self.health.saturating_sub(1);
        let belief = self.table.get(probe.target);
        if belief.state == State::Suspect && self.config.has(Mutant::ThirdPartyRefute) {
            let belief = Belief::new(State::Alive, belief.incarnation.next());
            self.hear(context, Update { member: probe.target, belief, from: self.node });
        }
    }

    pub(super) fn on_nack(&mut self, context: &mut Context<'_, impl Host>, id: ProbeId) {
        let Some(probe) = self.probe.as_mut().filter(|probe| probe.id == id) else { return };
        context.reach(Point::Nacked);
        probe.nacks_missing = probe.nacks_missing.saturating_sub(1);
        if self.config.has(Mutant::NackAsAck) {
            let probe = *probe;
            self.on_answer(context, probe);
        }
    }

    /// The period ends. A probe without an answer makes its target a suspect, and the node doubts itself: once for the probe, and
    /// once for each helper that has not even said that it heard nothing.
    fn close_probe(&mut self, context: &mut Context<'_, impl Host>) {
        let Some(probe) = self.probe.take() else { return };
        context.disarm(Timer::ProbeTimeout);
        self.worsen(1 + probe.nacks_missing);
        let belief = Belief::new(State::Suspect, probe.incarnation);
        if self.table.get(probe.target).state.is_present() {
            context.tally(Counter::Suspicions, 1);
            context.reach(Point::Suspected);
            self.hear(context, Update { member: probe.target, belief, from: self.node });
        }
    }

    /// The node has a reason to think that it is not well itself.
    pub(super) fn worsen(&mut self, by: u32) {
        if self.config.local_health.is_on() {
            let is_bounded = !self.config.has(Mutant::HealthUnbounded);
            let most = if is_bounded { self.config.health_max } else { u32::MAX };
            self.health = self.health.saturating_add(by).min(most);
        }
    }

    // ----- the one who is probed, and who helps -----

    pub(super) fn on_ping(
        &mut self,
        context: &mut Context<'_, impl Host>,
        from: NodeId,
        probe: ProbeId,
        updates: &Updates,
    ) {
        self.hear_all(context, updates);
        let updates = self.take_updates(context, None);
        context.transmit(from, Message::Ack { probe, updates });
    }

    /// Pings in the name of another.
    pub(super) fn on_ping_req(
        &mut self,
        context: &mut Context<'_, impl Host>,
        origin: NodeId,
        probe: ProbeId,
        target: NodeId,
        wants_nack: WantsNack,
    ) {
        let id = self.new_probe();
        let owes_nack = wants_nack == WantsNack::Yes;
        self.relays.insert(id, Relay { origin, probe, target, owes_nack });
        context.arm(Timer::Relay(id), self.nack_delay());
        self.ping(context, target, id);
    }

    /// A helper says that it hears nothing after four fifths of the time that it would wait itself.
    fn nack_delay(&self) -> Span {
        Span::nanos(self.config.probe_timeout.as_nanos() / 5 * 4)
    }

    /// Nothing is heard from whom it pinged for another: says so, and still passes an answer on for the rest of the
    /// period.
    pub(super) fn on_relay_timeout(&mut self, context: &mut Context<'_, impl Host>, id: ProbeId) {
        let Some(relay) = self.relays.get_mut(&id) else { return };
        if !relay.owes_nack {
            self.relays.remove(&id);
            return;
        }
        relay.owes_nack = false;
        let (origin, probe) = (relay.origin, relay.probe);
        context.arm(Timer::Relay(id), self.config.probe_interval);
        context.transmit(origin, Message::Nack { probe });
    }

    /// Whom it probes and whose answer it waits for, and whom it pings for whom: for people.
    pub(super) fn probes(&self) -> (Option<NodeId>, impl Iterator<Item = (NodeId, NodeId)>) {
        let relays = self.relays.values().map(|relay| (relay.target, relay.origin));
        (self.probe.map(|probe| probe.target), relays)
    }
}

/// So many draws are made before a node looks who there is to draw.
const DRAWS_MAX: u32 = 16;

fn draw_node(context: &mut Context<'_, impl Host>, count: u32) -> NodeId {
    NodeId::new(draw::below(context.random(), count))
}
