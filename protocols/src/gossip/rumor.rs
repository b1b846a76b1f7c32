//! Rumor mongering, seen from one site: what it knows of each rumor, and when it loses interest.
//!
//! A site is *susceptible* to a rumor that it does not know, *infective* while it spreads it, and *removed* when it has
//! lost interest: it still knows it, and does not spread it (§1.4).

use serde::{Serialize, Serializer};
use sim_core::service::Value;
use sim_core::{Context, LocalTime};
use smallvec::SmallVec;

use super::config::Interest;
use super::facts::Fact;
use super::message::{Need, Rumor};
use super::metrics::{Counter, Latency};
use super::{Gossip, Mutant};

/// What a site has to do with a rumor that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// It spreads it.
    Infective,
    /// It has lost interest.
    Removed,
}

/// What came of sharing a rumor in a cycle; where several things did, the last of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Response {
    /// It was not shared, or nobody has answered.
    Nothing,
    /// It was shared, and the site is blind to whom with.
    Shared,
    /// Somebody had it.
    Unneeded,
    /// Somebody needed it.
    Needed,
}

/// A rumor that a site knows: 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// What was broadcast.
    pub value: Value,
    /// When the site came to know it.
    heard: LocalTime,
    /// In which cycle of its spreading, 0 from a client.
    age: u32,
    /// What it has to do with it.
    pub stage: Stage,
    /// What came of sharing it in this cycle.
    response: Response,
    /// The cycles without use that count for losing interest. Of an infective rumor it is below k.
    pub counter: u32,
}

/// What a site knows, in order of value. Most sites know few rumors at a time: one lies inline.
#[derive(Clone, Debug, Default)]
pub(super) struct Rumors(SmallVec<[Held; 1]>);

impl Serialize for Rumors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl Rumors {
    pub(super) fn all(&self) -> &[Held] {
        &self.0
    }

    fn find(&self, value: Value) -> Result<usize, usize> {
        self.0.binary_search_by_key(&value, |held| held.value)
    }

    /// The rumor, if it is known and spread.
    fn infective(&mut self, value: Value) -> Option<&mut Held> {
        let place = self.find(value).ok()?;
        Some(&mut self.0[place]).filter(|held| held.stage == Stage::Infective)
    }
}

impl Gossip {
    /// What this site knows, in order of value.
    pub fn rumors(&self) -> &[Held] {
        self.rumors.all()
    }

    /// Whether it spreads anything.
    pub fn is_infective(&self) -> bool {
        self.rumors().iter().any(|held| held.stage == Stage::Infective)
    }

    /// A client broadcasts a value here.
    pub(super) fn begin_rumor(&mut self, context: &mut Context<'_, Self>, value: Value) {
        context.fact(Fact::Asked { value });
        if let Err(place) = self.rumors.find(value) {
            self.learn(context, place, Rumor { value, age: 0 });
        }
    }

    /// Another site sends rumors in a call that was taken: which of them were needed.
    pub(super) fn hear(&mut self, context: &mut Context<'_, Self>, rumors: &[Rumor]) -> Vec<(Value, Need)> {
        context.count(Counter::Updates as usize, rumors.len() as u64);
        let needs: Vec<_> =
            rumors.iter().map(|rumor| (rumor.value, self.hear_one(context, *rumor))).collect();
        let known = needs.iter().filter(|(_, need)| *need != Need::Needed).count();
        context.count(Counter::UpdatesUnneeded as usize, known as u64);
        needs
    }

    /// All that reaches a site in the cycle in which it first hears a rumor was needed: it is judged by what the site
    /// knew when the cycle began. The paper's tables come out only so.
    fn hear_one(&mut self, context: &mut Context<'_, Self>, mut rumor: Rumor) -> Need {
        if self.config.has(Mutant::AgeForValue) {
            rumor.value = rumor.age.into();
        }
        match self.rumors.find(rumor.value) {
            Err(place) => {
                context.took(Latency::Spread as usize, self.config.cycle.times(rumor.age.into()));
                self.learn(context, place, rumor);
                Need::Needed
            }
            Ok(place) if self.cycles_since(context, self.rumors.0[place].heard) == 0 => Need::Needed,
            Ok(place) => {
                if self.config.has(Mutant::HotAgain) && self.rumors.0[place].stage == Stage::Removed {
                    self.rumors.0[place].stage = Stage::Infective;
                    self.await_cycle(context);
                }
                let counter = self.rumors.0[place].counter;
                if self.config.minimization.is_on() { Need::KnownAt(counter) } else { Need::Known }
            }
        }
    }

    /// From now on the site knows a rumor, and from its next cycle on it spreads it.
    fn learn(&mut self, context: &mut Context<'_, Self>, place: usize, rumor: Rumor) {
        let Rumor { value, age } = rumor;
        let (stage, response) = (Stage::Infective, Response::Nothing);
        let held = Held { value, heard: context.now(), age, stage, response, counter: 0 };
        self.rumors.0.insert(place, held);
        context.count(Counter::SitesReached as usize, 1);
        context.fact(Fact::Learned { value });
        self.await_cycle(context);
    }

    /// What the site spreads, but for what it has heard in this cycle.
    pub(super) fn hot(&self, context: &Context<'_, Self>) -> Vec<Rumor> {
        let told = self.rumors().iter().filter_map(|held| {
            let cycles = self.cycles_since(context, held.heard);
            let is_told = held.stage == Stage::Infective || self.config.has(Mutant::SharesRemoved);
            let age = held.age.saturating_add(u32::try_from(cycles).unwrap_or(u32::MAX));
            (is_told && cycles > 0).then_some(Rumor { value: held.value, age })
        });
        told.collect()
    }

    /// What came of sharing a rumor. Of one in which the site has lost interest since, it is no news.
    pub(super) fn note_response(&mut self, value: Value, response: Response) {
        if let Some(held) = self.rumors.infective(value) {
            held.response = held.response.max(response);
        }
    }

    /// Another site has a rumor already, and its counter for it stands there. If that is smaller it counts, and this site does
    /// not.
    pub(super) fn compare_counters(&mut self, value: Value, other: u32) {
        let counter = self.rumors.infective(value).map(|held| held.counter);
        if counter.is_some_and(|counter| counter <= other) {
            self.note_response(value, Response::Unneeded);
        }
    }

    /// A cycle is over: counts what came of sharing in it, once for each rumor however often it was shared.
    pub(super) fn judge(&mut self, context: &mut Context<'_, Self>) {
        for place in 0..self.rumors.0.len() {
            let Held { value, stage, response, .. } = self.rumors.0[place];
            if stage == Stage::Removed || response == Response::Nothing {
                continue;
            }
            context.fact(Fact::Judged { value, response });
            self.rumors.0[place].response = Response::Nothing;
            if self.is_interest_lost(context, place, response) {
                self.rumors.0[place].stage = Stage::Removed;
                context.count(Counter::InterestsLost as usize, 1);
                context.fact(Fact::LostInterest { value });
            }
        }
        if self.config.has(Mutant::ForgetsRemoved) {
            self.rumors.0.retain(|held| held.stage == Stage::Infective);
        }
    }

    fn is_interest_lost(
        &mut self,
        context: &mut Context<'_, Self>,
        place: usize,
        response: Response,
    ) -> bool {
        let held = &mut self.rumors.0[place];
        if response == Response::Needed {
            if !self.config.has(Mutant::CounterNotReset) {
                held.counter = 0;
            }
            return false;
        }
        match self.config.interest {
            Interest::Coin(k) => context.random().below(k.into()) == 0,
            Interest::Counter(k) => {
                held.counter += 1;
                held.counter >= k + u32::from(self.config.has(Mutant::CounterLate))
            }
        }
    }
}

impl Held {
    /// In which cycle of its spreading the site came to know it, 0 from a client.
    pub const fn age(&self) -> u32 {
        self.age
    }

    /// When the site came to know it, by its own clock.
    pub const fn heard(&self) -> LocalTime {
        self.heard
    }
}
