//! Faults drawn from the seed, as the scenario's `faults.random` limits them.

use sim_core::fault::{Drawn, Generator, Rate, Selection, Sites, table};
use sim_core::random::{KeySource, Stream};
use sim_core::{NodeId, SimTime, Span};

use crate::format::{Kinds, Random, Scenario};
use crate::text::units::{self, NodeList};

/// The generator of a scenario's random faults.
pub struct RandomFaults(Generator);

impl RandomFaults {
    /// The generator for `scenario`, `sites` being what of its protocol faults can be about; `None` where it has no random faults.
    pub fn of(scenario: &Scenario, sites: Sites) -> Option<Self> {
        let random = scenario.faults.random.as_ref()?;
        let members = scenario.members();
        let usual = Generator::new(members, scenario.phases.heal_at());
        let named =
            random.rates.iter().filter_map(|(name, rate)| Some((table::find(name)?, engine_rate(*rate))));
        Some(Self(Generator {
            kinds: if random.rates.is_empty() { usual.kinds.clone() } else { named.collect() },
            selection: match random.kinds {
                Kinds::All => Selection::All,
                Kinds::Swarm => Selection::Swarm,
            },
            off: random.off.clone(),
            client_count: scenario.clients.count,
            admin_count: scenario.clients.admins,
            spares: scenario.spares.nodes().to_vec(),
            domains: domains(scenario),
            sites,
            start: SimTime::ZERO + random.start.span(),
            duration: (random.duration.low(), random.duration.high()),
            gap: random.gap.span(),
            settle: random.settle.span(),
            concurrent_max: random.concurrent_max,
            down_max: random.down_max.unwrap_or(usual.down_max),
            recovery: random.recovery.span(),
            ..usual
        }))
    }

    /// The names of the kinds that may come, in the order of the table: those that are neither turned off nor never drawn.
    pub fn kinds(&self) -> Vec<&'static str> {
        let kinds = self.0.kinds.iter().filter(|(_, rate)| rate.mean().is_some());
        let names = kinds.map(|(kind, _)| kind.about().name);
        names.filter(|name| !self.0.off.iter().any(|off| off == name)).collect()
    }

    /// The faults for `seed`.
    pub fn draw(&self, seed: u64) -> Vec<Drawn> {
        self.0.draw(&KeySource::new(seed))
    }

    /// Other faults from those that were worth keeping: see [`Generator::breed`].
    pub fn breed(&self, faults: &[Drawn], mate: &[Drawn], stream: &mut Stream) -> Vec<Drawn> {
        self.0.breed(faults, mate, stream)
    }

    /// How many candidates a run draws, on average: an upper bound of its faults.
    pub fn expected_count(&self) -> u64 {
        let length = (self.0.end.since(self.0.start)).as_nanos();
        let means = self.0.kinds.iter().filter_map(|(_, rate)| rate.mean());
        means.map(|mean| length / mean.as_nanos().max(1)).fold(0, u64::saturating_add)
    }
}

impl Random {
    /// How long the quiet parts are that the fault phase must have room for.
    pub fn quiet(&self) -> Span {
        self.start.span() + self.settle.span() + self.duration.low()
    }
}

/// The members of each zone, then of each rack.
fn domains(scenario: &Scenario) -> Vec<Vec<NodeId>> {
    let members = scenario.members();
    let within =
        |nodes: &NodeList| members.iter().copied().filter(|node| nodes.nodes().contains(node)).collect();
    let all = scenario.zones.values().chain(scenario.racks.values()).map(within);
    all.filter(|domain: &Vec<NodeId>| !domain.is_empty()).collect()
}

/// The engine counts in 32 bits; a finer rate loses its last digits.
fn engine_rate(rate: units::Rate) -> Rate {
    let (mut count, mut per) = (rate.count(), rate.period().as_nanos());
    while u32::try_from(count).is_err() {
        (count, per) = (count / 2, per / 2);
    }
    Rate::new(u32::try_from(count).unwrap_or(u32::MAX), Span::nanos(per.max(1)))
}
