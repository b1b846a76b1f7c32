//! The plan of a run: the scenario's faults with the seed's, as one list of commands.
//!
//! | from | becomes |
//! | --- | --- |
//! | `faults.timed` | an entry, and one for what undoes it |
//! | `faults.periodic` | such entries, again and again until the end of the fault phase |
//! | `faults.random` | what the generator draws from the seed |
//! | `phases.heal` | a `recover` at the end of the fault phase |
//!
//! The last is part of the plan so that a saved plan says all that happened. A plan without it gets it again: the
//! heal belongs to the scenario, and shrinking must not take it away.

pub mod by_hand;
pub(crate) mod heal;
pub(crate) mod lines;
mod random;

use std::collections::BTreeSet;

use sim_core::fault::{Command, Drawn, Entry, Plan, Sites, Target, Trigger};
use sim_core::network::PartitionId;
use sim_core::{ClientId, SimTime, Span};

pub use self::random::RandomFaults;
use crate::format::{Act, Periodic, Scenario, Timed};
use crate::text::units::Time;

/// The commands that `scenario` asks for with `seed`; `sites` is what of its protocol faults can be about.
pub fn plan(scenario: &Scenario, sites: Sites, seed: u64) -> Plan {
    let drawn = RandomFaults::of(scenario, sites).map(|random| random.draw(seed));
    with_faults(scenario, &drawn.unwrap_or_default())
}

/// The commands that `scenario` asks for, with these faults in place of those that it draws.
pub fn with_faults(scenario: &Scenario, faults: &[Drawn]) -> Plan {
    let written = Plan::new(written(scenario), Vec::new());
    healed(written.merge(Drawn::plan(faults)), scenario)
}

/// `plan` with the heal of `scenario`, unless it has it.
pub fn healed(mut plan: Plan, scenario: &Scenario) -> Plan {
    for part in heal::entries(scenario) {
        let is_there = |entry: &Entry| entry.trigger == part.trigger && entry.command == part.command;
        if !plan.entries().iter().any(is_there) {
            plan.insert(part);
        }
    }
    plan
}

/// All entries that the scenario lists itself.
fn written(scenario: &Scenario) -> Vec<Entry> {
    let names = Naming::of(scenario);
    let faults = &scenario.faults;
    let timed = faults.timed.iter().flat_map(|timed| names.timed(timed));
    let end = scenario.phases.heal_at();
    timed.chain(faults.periodic.iter().flat_map(|periodic| names.periodic(periodic, end))).collect()
}

/// The names of partitions, which the engine numbers; and who asks what acts ask for.
#[derive(Debug)]
pub struct Naming<'scenario> {
    /// In alphabetical order.
    partitions: Vec<&'scenario str>,
    admin: ClientId,
}

impl<'scenario> Naming<'scenario> {
    /// Those of `scenario`.
    pub fn of(scenario: &'scenario Scenario) -> Self {
        let faults = &scenario.faults;
        let timed = faults.timed.iter().flat_map(|fault| [Some(&fault.act), fault.undo.as_ref()]);
        let periodic = faults.periodic.iter().flat_map(|fault| [Some(&fault.act), fault.undo.as_ref()]);
        let names: BTreeSet<&str> = timed.chain(periodic).flatten().filter_map(Act::partition_name).collect();
        Self { partitions: names.into_iter().collect(), admin: scenario.clients.asker() }
    }

    /// The name in a single act of `scenario`, if it has one.
    pub fn of_act(act: &'scenario Act, scenario: &Scenario) -> Self {
        Self { partitions: act.partition_name().into_iter().collect(), admin: scenario.clients.asker() }
    }

    fn number(&self, name: &str) -> PartitionId {
        let index = self.partitions.binary_search(&name).expect("all names of the scenario are listed");
        PartitionId::new(u32::try_from(index).expect("a file has fewer names than that"))
    }

    fn command(&self, act: &Act) -> Command<Target> {
        act.command(&|name| self.number(name), self.admin)
    }

    /// The act and what undoes it.
    pub fn timed(&self, timed: &Timed) -> Vec<Entry> {
        let at = |delay: Span| match (timed.at, timed.when, timed.before) {
            (Some(at), ..) => Trigger::at(SimTime::ZERO + at.span() + delay),
            (None, Some(when), _) => Trigger::After {
                span: when.delay.span() + delay,
                event: when.event.status_event(),
                occurrence: when.nth,
                since: SimTime::ZERO + when.since.span(),
                until: SimTime::MAX,
            },
            (None, None, Some(before)) => Trigger::Before {
                span: before.by.span(),
                node: before.node.id(),
                timer: before.timer.name(),
                since: SimTime::ZERO + before.since.span(),
                until: SimTime::MAX,
            },
            (None, None, None) => unreachable!("`validate` refuses a fault without a time"),
        };
        let mut entries = vec![self.entry(at(Span::ZERO), &timed.act)];
        if let (Some(after), Some(undo)) = (timed.undo_after, undo_of(timed.undo.as_ref(), &timed.act)) {
            entries.push(self.entry(at(after.span()), &undo));
        }
        entries
    }

    /// The acts and what undoes them, before `end`.
    pub fn periodic(&self, periodic: &Periodic, end: SimTime) -> Vec<Entry> {
        let every = periodic.every.span();
        let mut at = SimTime::ZERO + periodic.from.map_or(every, Time::span);
        let end = periodic.until.map_or(end, |until| end.min(SimTime::ZERO + until.span()));
        let undo = undo_of(periodic.undo.as_ref(), &periodic.act);
        let mut entries = Vec::new();
        while at < end {
            entries.push(self.entry(Trigger::at(at), &periodic.act));
            if let (Some(after), Some(undo)) = (periodic.undo_after, &undo) {
                entries.push(self.entry(Trigger::at(at + after.span()), undo));
            }
            at += every;
        }
        entries
    }

    fn entry(&self, trigger: Trigger, act: &Act) -> Entry {
        Entry { trigger, command: self.command(act), was: None }
    }
}

/// What undoes an act: as the file says, else its opposite.
fn undo_of(written: Option<&Act>, act: &Act) -> Option<Act> {
    written.cloned().or_else(|| act.opposite())
}
