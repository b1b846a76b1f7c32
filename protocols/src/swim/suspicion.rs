//! News of members, and what comes of suspicions (§4.2, Lifeguard §4.2).

use serde::Serialize;
use sim_core::metrics::Opinion;
use sim_core::{Context, LocalTime, NodeId, Span};

use super::facts::Fact;
use super::host::{Acts, Host};
use super::member::{Belief, Incarnation, State, Update};
use super::message::Updates;
use super::metrics::Counter;
use super::scale;
use super::{Membership, Mutant, Point, Timer};

/// A suspicion that has not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Suspicion {
    incarnation: Incarnation,
    /// Since when.
    since: LocalTime,
    /// How long it stands at least, and at most.
    min: Span,
    max: Span,
    /// How many others must share it to make it as short as it can be.
    wanted: u32,
    /// Who has it by their own probes, the first one first.
    sharers: Vec<NodeId>,
}

impl Suspicion {
    /// How long it stands, by how many others share it.
    fn length(&self) -> Span {
        let confirmed = u32::try_from(self.sharers.len()).expect("few sharers") - 1;
        scale::suspicion_left(self.min, self.max, confirmed.min(self.wanted), self.wanted)
    }

    /// When it ends.
    pub(super) fn end(&self) -> LocalTime {
        self.since + self.length()
    }

    /// How many others share it.
    pub(super) fn confirmed_count(&self) -> usize {
        self.sharers.len() - 1
    }
}

impl Membership {
    pub(super) fn hear_all(&mut self, context: &mut Context<'_, impl Host>, updates: &Updates) {
        updates.iter().for_each(|update| self.hear(context, update));
    }

    /// News of a member: they change what is believed if they override it.
    pub(super) fn hear(&mut self, context: &mut Context<'_, impl Host>, update: Update) {
        if update.member == self.node {
            return self.hear_of_self(context, update.belief);
        }
        context.state(Fact::Heard { update, at: context.now() });
        let old = self.table.get(update.member);
        if self.overrides(update.belief, old) {
            self.adopt(context, update);
        } else if update.belief == old && old.state == State::Suspect {
            self.share_suspicion(context, update);
        }
    }

    fn overrides(&self, news: Belief, old: Belief) -> bool {
        let is_same = news.incarnation == old.incarnation;
        match (news.state, old.state) {
            (State::Suspect, State::Alive) if is_same && self.config.has(Mutant::SuspectNeedsHigher) => false,
            (State::Alive, State::Suspect) if is_same && self.config.has(Mutant::AliveOverridesSame) => true,
            _ => news.overrides(old),
        }
    }

    /// Believes what it hears, and passes it on.
    fn adopt(&mut self, context: &mut Context<'_, impl Host>, update: Update) {
        let Update { member, belief, .. } = update;
        self.table.set(member, belief);
        let is_kept = belief.state.is_present() && self.config.has(Mutant::SuspicionNotCancelled);
        if !is_kept && self.suspicions.remove(&member).is_some() {
            context.disarm(Timer::Suspicion(member));
        }
        self.gone.remove(&member);
        match belief.state {
            State::Alive | State::Unknown => {}
            State::Suspect => self.begin_suspicion(context, update),
            State::Dead | State::Left => self.note_gone(context, member),
        }
        self.assess(context, Some(member));
        self.pass_on(context, update);
    }

    /// How good it is as a failure detector is for the engine to tell. A suspicion is SWIM's own affair: who is dead is suspected.
    pub(super) fn assess(&self, context: &mut Context<'_, impl Host>, changed: Option<NodeId>) {
        let own = u64::from(self.state_of(self.node).is_present());
        let change = changed.map(|member| {
            let opinion = match self.state_of(member) {
                State::Alive | State::Suspect => Opinion::Trusted,
                State::Dead => Opinion::Suspected,
                State::Unknown | State::Left => Opinion::Unwatched,
            };
            (member, opinion)
        });
        context.assess(u64::from(self.table.present_count()) - own, change);
    }

    fn note_gone(&mut self, context: &mut Context<'_, impl Host>, member: NodeId) {
        self.gone.insert(member, context.now());
        self.await_reconnect(context);
        if self.config.has(Mutant::ForgetsDead) {
            self.gone.remove(&member);
            self.table.set(member, Belief::UNKNOWN);
        }
    }

    /// Forgets those who have been gone for too long.
    pub(super) fn forget_long_gone(&mut self, context: &mut Context<'_, impl Host>) {
        let now = context.now();
        let is_over = |since: &LocalTime| now.since(*since) >= self.config.retention;
        let over: Vec<NodeId> =
            self.gone.iter().filter(|(_, since)| is_over(since)).map(|(member, _)| *member).collect();
        for member in over {
            self.gone.remove(&member);
            self.table.set(member, Belief::UNKNOWN);
            self.assess(context, Some(member));
            context.state(Fact::Forgot { member, at: now });
        }
    }

    // ----- suspicions -----

    /// How many others must share a suspicion: two fewer than α, and none where there are not as many.
    fn sharers_wanted(&self) -> u32 {
        let wanted = self.config.suspicion_mult.saturating_sub(2);
        let others = self.table.present_count().saturating_sub(2);
        if self.config.confirmations.is_on() && wanted <= others { wanted } else { 0 }
    }

    fn begin_suspicion(&mut self, context: &mut Context<'_, impl Host>, update: Update) {
        let members = self.table.present_count();
        let (min, max) = (self.config.suspicion_min(members), self.config.suspicion_max(members));
        let suspicion = Suspicion {
            incarnation: update.belief.incarnation,
            since: context.now(),
            min,
            max,
            wanted: self.sharers_wanted(),
            sharers: vec![update.from],
        };
        context.arm(Timer::Suspicion(update.member), suspicion.length());
        self.suspicions.insert(update.member, suspicion);
    }

    /// One more has the same suspicion. As far as it makes the time shorter, others are to know, too.
    fn share_suspicion(&mut self, context: &mut Context<'_, impl Host>, update: Update) {
        let Some(suspicion) = self.suspicions.get_mut(&update.member) else { return };
        let is_enough = suspicion.confirmed_count() >= suspicion.wanted as usize;
        if is_enough || suspicion.sharers.contains(&update.from) {
            return;
        }
        suspicion.sharers.push(update.from);
        let left = suspicion.end().since(context.now());
        if self.config.has(Mutant::SharedForEver) {
            context.disarm(Timer::Suspicion(update.member));
        } else {
            context.arm(Timer::Suspicion(update.member), left);
        }
        self.pass_on(context, update);
    }

    /// A suspicion has stood for as long as it must.
    pub(super) fn on_suspicion_over(&mut self, context: &mut Context<'_, impl Host>, member: NodeId) {
        let Some(suspicion) = self.suspicions.remove(&member) else { return };
        let mut incarnation = suspicion.incarnation;
        if self.config.has(Mutant::SuspicionNotCancelled) {
            incarnation = self.table.get(member).incarnation;
        }
        context.tally(Counter::Confirms, 1);
        context.reach(Point::Confirmed);
        context.state(Fact::Confirmed { member, incarnation, at: context.now() });
        let belief = Belief::new(State::Dead, incarnation);
        self.hear(context, Update { member, belief, from: self.node });
    }

    /// Whom it suspects: for people.
    pub(super) fn suspicion(&self, member: NodeId) -> Option<&Suspicion> {
        self.suspicions.get(&member)
    }
}
