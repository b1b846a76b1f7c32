//! Where two branches went apart.

use sim_core::trace::Trace;
use sim_core::{SimTime, Simulation};

use super::{BranchId, Session};

/// The first thing that happened in one of two branches, and not in the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parting {
    /// The number of the record in the traces of both.
    pub(crate) record: u32,
    /// When it was, in the branch where it was earlier.
    pub(crate) at: SimTime,
    /// What happened in the one, in words; `None` where it was not computed so far.
    pub(crate) one: Option<String>,
    /// What happened in the other.
    pub(crate) other: Option<String>,
}

impl Session {
    /// Where two branches went apart; `None` where nothing differs as far as both were computed.
    pub(crate) fn parting(&self, one: BranchId, other: BranchId) -> Option<Parting> {
        let start = self.fork_record(one, other);
        let [one, other] = [one, other].map(|BranchId(index)| self.branches[index].head());
        let (of_one, of_other) = (one.trace()?, other.trace()?);
        let end = of_one.len().max(of_other.len());
        let record = (start..end).find(|number| of_one.get(*number) != of_other.get(*number))?;
        let times = [of_one, of_other].map(|trace| trace.get(record).map(sim_core::trace::Record::at));
        let at = times.into_iter().flatten().min()?;
        Some(Parting { record, at, one: told(one, of_one, record), other: told(other, of_other, record) })
    }

    /// How many records two branches have in common at least: those before the first of them began.
    fn fork_record(&self, one: BranchId, other: BranchId) -> u32 {
        let (one, other) = (self.ancestry(one), self.ancestry(other));
        let common = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
        let begins = [one.get(common), other.get(common)];
        begins
            .into_iter()
            .flatten()
            .map(|BranchId(index)| self.branches[*index].first_record)
            .min()
            .unwrap_or(0)
    }
}

/// A record in words; a command by what it came to.
fn told(simulation: &dyn Simulation, trace: &Trace, number: u32) -> Option<String> {
    let record = trace.get(number)?;
    let notes: Vec<&str> = trace.notes(number..number + 1).map(|note| &*note.text).collect();
    Some(if notes.is_empty() { simulation.describe(record) } else { notes.join("; ") })
}
