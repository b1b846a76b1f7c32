//! Guided search: which runs to try next, from what those before have reached.
//!
//! ```text
//!        ┌─ a seed nobody has tried ─┐
//! next ──┤                           ├─► run ─► features ─► learn
//!        └─ bred from a kept run ────┘                        │
//!                 ▲                     reached something new │
//!                 └────────────── kept runs ◄─────────────────┘
//! ```
//!
//! A run that reached something that none before it had reached ([`Report::coverage`](crate::Report::coverage)) is kept, and
//! others are [bred](sim_core::fault::Generator::breed) from it: the same seed with a few faults changed. So the new run goes
//! where the kept one was, and on from there. The rarer what a kept run has reached, the more often it is bred from; the more
//! often it was, the less.
//!
//! Which candidates there are follows from the seed of the search and from what was learned before they were asked for. Who
//! asks for a batch at a time and learns in its order gets the same runs however many of them run at once.
//!
//! Scenarios take turns, and a run is bred from one of its own scenario only: else the one with the most to reach would get
//! all runs, wherever the failures are.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sim_core::fault::{Drawn, Plan};
use sim_core::fingerprint::fingerprint;
use sim_core::random::{KeySource, Purpose, Stream};

use crate::format::Scenario;
use crate::load::Loaded;
use crate::plan::{RandomFaults, with_faults};
use crate::protocol::ProtocolTable;
use crate::text::Override;

/// One candidate in so many is a seed that nobody has tried.
const FRESH: u64 = 2;
/// One bred candidate in so many has other draws as well, and only the faults of the kept run.
const RESEEDED: u64 = 2;
/// What a feature is worth that one run has reached; one that `n` have reached is worth an `n`-th of it.
const WORTH: u64 = 1 << 20;
/// More runs than this are not kept: those go that are worth least.
const KEPT_MAX: usize = 1_000;

/// A search in some scenarios. See the [module documentation](self).
pub struct Search<'a> {
    table: &'a ProtocolTable,
    grounds: Vec<&'a Loaded>,
    seed: u64,
    /// How many candidates have been given out.
    given: u64,
    /// How many of them were fresh.
    fresh: u64,
    /// By how many runs each feature was reached.
    reached: BTreeMap<u64, u64>,
    kept: Vec<Kept>,
}

/// A run that is worth a try.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Which of the scenarios of the search, from 0.
    pub ground: usize,
    /// Its seed.
    pub seed: u64,
    /// The commands to follow instead of those that the seed draws.
    pub plan: Plan,
    faults: Vec<Drawn>,
    /// What the seed drew for fields of the scenario.
    configuration: u64,
}

/// A run that reached something new.
struct Kept {
    candidate: Candidate,
    /// What it was the first to reach.
    own: Vec<u64>,
    /// How often others were bred from it.
    tries: u64,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// How many features have been reached.
    pub features: usize,
    /// How many runs reached something new, and are bred from.
    pub kept: usize,
}

/// Why a scenario cannot be searched: it draws no faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` has no random faults, so there is nothing to search through")]
pub struct NothingDrawn(pub String);

impl<'a> Search<'a> {
    /// A search through `grounds`, scenarios that were loaded with `table`, by turns.
    ///
    /// # Errors
    /// If one of them draws no faults.
    pub fn new(grounds: Vec<&'a Loaded>, table: &'a ProtocolTable, seed: u64) -> Result<Self, NothingDrawn> {
        match grounds.iter().find(|ground| ground.scenario.faults.random.is_none()) {
            Some(ground) => Err(NothingDrawn(ground.scenario.name.clone())),
            None => Ok(Self {
                table,
                grounds,
                seed,
                given: 0,
                fresh: 0,
                reached: BTreeMap::new(),
                kept: Vec::new(),
            }),
        }
    }

    /// The next `count` runs to try. Those of a batch do not know of each other.
    ///
    /// # Panics
    /// If there are no scenarios to search through.
    pub fn batch(&mut self, count: u64) -> Vec<Candidate> {
        let mut weights: Vec<u64> = self.kept.iter().map(|kept| self.worth(kept)).collect();
        (0..count).map(|_| self.next(&mut weights)).collect()
    }

    /// Takes in what a candidate has reached; batches must be learned in their order.
    pub fn learn(&mut self, candidate: Candidate, coverage: &[u64]) {
        let mut own = Vec::new();
        for feature in coverage {
            let count = self.reached.entry(*feature).or_default();
            *count += 1;
            if *count == 1 {
                own.push(*feature);
            }
        }
        if !own.is_empty() {
            self.kept.push(Kept { candidate, own, tries: 0 });
        }
        if self.kept.len() > KEPT_MAX {
            self.forget();
        }
    }

    /// The scenario of a candidate.
    pub fn ground(&self, candidate: &Candidate) -> &'a Loaded {
        self.grounds[candidate.ground]
    }

    /// How far it is.
    pub fn reach(&self) -> Reach {
        Reach { features: self.reached.len(), kept: self.kept.len() }
    }

    fn next(&mut self, weights: &mut [u64]) -> Candidate {
        let mut stream = KeySource::new(self.seed).stream(Purpose::Search, self.given, 0);
        let ground = usize::try_from(self.given % self.grounds.len() as u64).expect("it is an index");
        self.given += 1;
        let is_here = |kept: &Kept| kept.candidate.ground == ground;
        let here =
            weights.iter().zip(&self.kept).map(|(weight, kept)| if is_here(kept) { *weight } else { 0 });
        match heavy(&here.collect::<Vec<_>>(), &mut stream) {
            Some(parent) if stream.below(FRESH) > 0 => {
                self.kept[parent].tries += 1;
                weights[parent] = self.worth(&self.kept[parent]);
                self.child(parent, &mut stream)
            }
            Some(_) | None => self.fresh(ground),
        }
    }

    /// A seed that nobody has tried, and the faults that it draws.
    fn fresh(&mut self, ground: usize) -> Candidate {
        let seed = seed(self.seed, self.fresh);
        self.fresh += 1;
        let configured = self.grounds[ground].configured(seed, self.table);
        let faults = self.random(&configured.scenario).draw(seed);
        let plan = with_faults(&configured.scenario, &faults);
        Candidate { ground, seed, plan, faults, configuration: configuration(&configured.drawn) }
    }

    /// A run like one that was kept. Its mate is another of the same scenario, with the same values of drawn fields: their
    /// faults fit both.
    fn child(&self, parent: usize, stream: &mut Stream) -> Candidate {
        let Candidate { ground, seed, faults, configuration, .. } = &self.kept[parent].candidate;
        let configured = self.grounds[*ground].configured(*seed, self.table);
        let mates: Vec<&Candidate> = self
            .kept
            .iter()
            .map(|kept| &kept.candidate)
            .filter(|other| (other.ground, other.configuration) == (*ground, *configuration))
            .collect();
        let mate = stream.pick(&mates).expect("the parent is one");
        let bred = self.random(&configured.scenario).breed(faults, &mate.faults, stream);
        let plan = with_faults(&configured.scenario, &bred);
        let is_reseeded = stream.below(RESEEDED) == 0;
        let other = is_reseeded.then(|| self.reseeded(*ground, *configuration, stream)).flatten();
        let seed = other.unwrap_or(*seed);
        Candidate { ground: *ground, seed, plan, faults: bred, configuration: *configuration }
    }

    /// Another seed that draws the same fields.
    fn reseeded(&self, ground: usize, wanted: u64, stream: &mut Stream) -> Option<u64> {
        let seed = stream.next_u64() >> 11;
        (configuration(&self.grounds[ground].configured(seed, self.table).drawn) == wanted).then_some(seed)
    }

    fn random(&self, scenario: &Scenario) -> RandomFaults {
        let kind =
            self.table.find(scenario.protocol.name()).expect("the scenario was loaded with this table");
        RandomFaults::of(scenario, kind.sites(&scenario.protocol)).expect("checked when the search was made")
    }

    fn worth(&self, kept: &Kept) -> u64 {
        let of = |feature: &u64| WORTH / self.reached.get(feature).copied().unwrap_or(1).max(1);
        kept.own.iter().map(of).sum::<u64>() / (kept.tries + 1)
    }

    /// The quarter that is worth least goes.
    fn forget(&mut self) {
        let mut order: Vec<usize> = (0..self.kept.len()).collect();
        order.sort_by_key(|index| Reverse(self.worth(&self.kept[*index])));
        order.truncate(KEPT_MAX / 4 * 3);
        let mut index = 0..;
        self.kept.retain(|_| index.next().is_some_and(|index| order.contains(&index)));
    }
}

/// The seed of the `ordinal`-th fresh run of a search; 53 bits, so that every reader of JSON keeps all of them.
fn seed(search: u64, ordinal: u64) -> u64 {
    fingerprint(&("search", search, ordinal)) >> 11
}

/// What was drawn for fields, as a number.
fn configuration(drawn: &[Override]) -> u64 {
    let texts: Vec<String> = drawn.iter().map(ToString::to_string).collect();
    fingerprint(&texts)
}

/// The index of one, as likely as it is heavy; `None` where nothing weighs anything.
fn heavy(weights: &[u64], stream: &mut Stream) -> Option<usize> {
    let total: u64 = weights.iter().sum();
    let mut left = (total > 0).then(|| stream.below(total))?;
    weights.iter().position(|weight| {
        let is_here = left < *weight;
        left = left.saturating_sub(*weight);
        is_here
    })
}

#[cfg(test)]
mod tests;
