//! Calls: once in each cycle a site calls another, and some are refused.

use std::sync::Arc;

use sim_core::{Context, LocalTime, NodeId, Span};

use super::config::{Judging, Rhythm, Spread};
use super::facts::Fact;
use super::message::{Message, Need, Rumor};
use super::metrics::Counter;
use super::rumor::Response;
use super::{Gossip, Mutant, Point, Timer};
use crate::draw;

/// How many of something there were in the cycle of a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Tally {
    at: LocalTime,
    count: u32,
}

impl Gossip {
    // ----- cycles -----

    /// When this site's cycles begin, after those of a site with phase zero.
    pub(super) fn draw_phase(&self, context: &mut Context<'_, Self>) -> Span {
        match self.config.rhythm {
            Rhythm::Together => Span::ZERO,
            Rhythm::Scattered => draw::phase(context.random(), self.config.cycle),
        }
    }

    /// The number of the cycle that a moment of this site's clock falls into.
    fn cycle_of(&self, at: LocalTime) -> u64 {
        let cycle = self.config.cycle;
        (at + cycle).since(LocalTime::ZERO + self.phase).as_nanos() / cycle.as_nanos()
    }

    /// How many cycles have begun since a moment.
    pub(super) fn cycles_since(&self, context: &Context<'_, Self>, at: LocalTime) -> u64 {
        self.cycle_of(context.now()) - self.cycle_of(at)
    }

    /// Has the next cycle begin with a call. Without anything to tell or to ask for, none need begin.
    pub(super) fn await_cycle(&mut self, context: &mut Context<'_, Self>) {
        if !self.is_awaiting {
            self.is_awaiting = true;
            let cycle = self.config.cycle.as_nanos();
            let past =
                (context.now() + self.config.cycle).since(LocalTime::ZERO + self.phase).as_nanos() % cycle;
            context.set_timer(Timer::Cycle, Span::nanos(cycle - past));
        }
    }

    /// A cycle begins.
    pub(super) fn on_cycle(&mut self, context: &mut Context<'_, Self>) {
        self.is_awaiting = false;
        self.judge(context);
        if self.is_infective() || self.config.spread.asks() {
            self.await_cycle(context);
            self.call(context);
        }
    }

    // ----- who calls -----

    /// Calls somebody. Who only sends, and has nothing to send yet, does not.
    fn call(&mut self, context: &mut Context<'_, Self>) {
        let rumors = if self.config.spread.sends() { self.hot(context) } else { Vec::new() };
        if rumors.is_empty() && !self.config.spread.asks() {
            return;
        }
        let to = self.draw_partner(context);
        self.share(context, &rumors);
        self.tally_call(context, to);
        let message = match self.config.spread {
            Spread::Push => Message::Push(rumors.into()),
            Spread::Pull => Message::Pull,
            Spread::PushPull => Message::Exchange(rumors.into()),
        };
        context.send(to, message);
    }

    /// Each of the other sites is as likely as any.
    fn draw_partner(&self, context: &mut Context<'_, Self>) -> NodeId {
        let drawn = draw::other(context.random(), self.node, self.config.node_count);
        self.heard_from.unwrap_or(drawn)
    }

    /// Takes note that rumors are sent.
    fn share(&mut self, context: &mut Context<'_, Self>, rumors: &[Rumor]) {
        for Rumor { value, .. } in rumors {
            context.fact(Fact::Shared { value: *value });
            if self.config.judging == Judging::Blind {
                self.note_response(*value, Response::Shared);
            }
        }
    }

    fn tally_call(&mut self, context: &mut Context<'_, Self>, to: NodeId) {
        self.made = self.one_more(context, self.made);
        context.count(Counter::Calls as usize, 1);
        context.fact(Fact::Called { cycle: self.cycle_of(context.now()), to });
    }

    /// A call was refused: hunts for another partner, if it is still the same cycle and the limit allows.
    pub(super) fn on_busy(&mut self, context: &mut Context<'_, Self>) {
        context.count(Counter::CallsRefused as usize, 1);
        let may_hunt = self.count_now(context, self.made) <= self.config.hunt_limit;
        let is_same_cycle = self.cycles_since(context, self.made.at) == 0;
        if is_same_cycle && (may_hunt || self.config.has(Mutant::HuntsOn)) {
            context.sometimes(Point::Hunted as usize);
            self.call(context);
        }
    }

    // ----- who is called -----

    /// Somebody calls, and sends `rumors`. What it is told of is what was known before.
    pub(super) fn on_call(&mut self, context: &mut Context<'_, Self>, from: NodeId, rumors: &[Rumor]) {
        let limit = self.config.connection_limit.unwrap_or(u32::MAX);
        let limit = limit.saturating_add(u32::from(self.config.has(Mutant::LimitIgnored)));
        if self.count_now(context, self.taken) >= limit {
            context.sometimes(Point::Refused as usize);
            return context.send(from, Message::Busy);
        }
        self.taken = self.one_more(context, self.taken);
        context.fact(Fact::Took { cycle: self.cycle_of(context.now()) });
        let answer = if self.config.spread.asks() { self.hot(context) } else { Vec::new() };
        self.on_rumors(context, from, rumors);
        if !answer.is_empty() {
            self.share(context, &answer);
            context.send(from, Message::Answer(answer.into()));
        }
    }

    // ----- both -----

    /// Rumors arrive: with feedback the sender is told which were needed.
    pub(super) fn on_rumors(&mut self, context: &mut Context<'_, Self>, from: NodeId, rumors: &[Rumor]) {
        if self.config.has(Mutant::CallsBack) && !rumors.is_empty() {
            self.heard_from = Some(from);
        }
        let needs = self.hear(context, rumors);
        if self.config.judging == Judging::Feedback && !needs.is_empty() {
            context.send(from, Message::Feedback(Arc::from(needs)));
        }
    }

    /// Another site says which of the rumors that it was sent it needed.
    pub(super) fn on_feedback(&mut self, context: &mut Context<'_, Self>, needs: &[(u64, Need)]) {
        for (value, need) in needs {
            if *need != Need::Needed {
                context.sometimes(Point::Unneeded as usize);
            }
            match need {
                Need::Needed => self.note_response(*value, Response::Needed),
                Need::Known => self.note_response(*value, Response::Unneeded),
                Need::KnownAt(counter) => self.compare_counters(*value, *counter),
            }
        }
    }

    /// How many there were in this cycle.
    fn count_now(&self, context: &Context<'_, Self>, tally: Tally) -> u32 {
        if self.cycles_since(context, tally.at) == 0 { tally.count } else { 0 }
    }

    fn one_more(&self, context: &Context<'_, Self>, tally: Tally) -> Tally {
        Tally { at: context.now(), count: self.count_now(context, tally) + 1 }
    }

    /// Calls made and taken in the cycle of the last one: for people.
    pub(super) const fn call_counts(&self) -> (u32, u32) {
        (self.made.count, self.taken.count)
    }
}
