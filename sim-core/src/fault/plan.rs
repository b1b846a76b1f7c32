//! What a run applies from outside, as data: commands with their moments, and what clients ask.
//!
//! A plan keeps both what was asked (`crash the leader, 3ms after the second become-leader`) and, once it has
//! happened, what that was (`crash n4 at 1.2s`). Replay uses what it [`was`](Entry::was), so a run repeats exactly even
//! where the roles would fall to others; shrinking may go back to what was asked.

mod validate;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

pub use self::validate::PlanError;
use super::condition::{Moment, Trigger};
use super::{Command, Target, text};
use crate::service::Operation;
use crate::{ClientId, SimTime, Span};

/// The commands and client scripts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Parts")]
pub struct Plan {
    /// By the moment that is asked for; conditions last, in the order they were added.
    entries: Vec<Entry>,
    /// By client, one each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clients: Vec<Script>,
}

/// A plan as somebody may have written it.
#[derive(Deserialize)]
#[serde(rename = "Plan", deny_unknown_fields)]
struct Parts {
    #[serde(default)]
    entries: Vec<Entry>,
    #[serde(default)]
    clients: Vec<Script>,
}

impl From<Parts> for Plan {
    fn from(parts: Parts) -> Self {
        Self::new(parts.entries, parts.clients)
    }
}

/// One command of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When it is to happen.
    pub trigger: Trigger,
    /// What is to happen.
    pub command: Command<Target>,
    /// What did happen in the run that this plan was saved from. `None` if that run ended before, or there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Was>,
}

/// What an [`Entry`] turned out to mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Was {
    /// When it happened.
    pub moment: Moment,
    /// How many entries of the plan came before at the same moment.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub place: u32,
    /// What happened; empty where the targets found nobody.
    #[serde(serialize_with = "write_by_name", deserialize_with = "read_by_name")]
    pub commands: Vec<Command>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Nodes are written as everywhere in files, `n3`.
fn write_by_name<S: Serializer>(commands: &[Command], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(commands.iter().map(Command::<Target>::from))
}

fn read_by_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Command>, D::Error> {
    let commands = Vec::<Command<Target>>::deserialize(deserializer)?;
    let refusal = |command| D::Error::custom(format_args!("what `{command}` was must name nodes by id"));
    commands.iter().map(|command| command.concrete().ok_or_else(|| refusal(command))).collect()
}

impl Entry {
    /// A command before all events at `time`.
    pub fn at(time: SimTime, command: impl Into<Command<Target>>) -> Self {
        Self { trigger: Trigger::at(time), command: command.into(), was: None }
    }

    /// When it happens, as far as that is known before the run: as it was, else as asked; `None` for a condition.
    pub const fn moment(&self) -> Option<Moment> {
        match (&self.was, self.trigger) {
            (Some(was), _) => Some(was.moment),
            (None, Trigger::At(moment)) => Some(moment),
            (None, Trigger::After { .. } | Trigger::Before { .. }) => None,
        }
    }

    /// What happens, as far as that is known before the run: as it was, else as asked if that names ids only.
    pub fn commands(&self) -> Option<Vec<Command>> {
        match &self.was {
            Some(was) => Some(was.commands.clone()),
            None => self.command.concrete().map(|command| vec![command]),
        }
    }

    /// The order within a plan.
    fn rank(&self) -> Option<Moment> {
        match self.trigger {
            Trigger::At(moment) => Some(moment),
            Trigger::After { .. } | Trigger::Before { .. } => None,
        }
    }
}

/// What one client asks, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Who asks.
    #[serde(with = "text")]
    pub client: ClientId,
    /// What and when; the operation's ordinal is its index here.
    pub steps: Vec<Step>,
}

/// One operation of a [`Script`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When it is asked.
    pub when: Wait,
    /// What is asked.
    pub operation: Operation,
}

/// When a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wait {
    /// So long after its operation before has completed, or after the start (closed loop).
    After(#[serde(with = "text")] Span),
    /// At this time, whether or not operations before have completed (open loop).
    At(#[serde(with = "text")] SimTime),
}

impl Plan {
    /// A plan of these; entries of the same moment keep their order, scripts of the same client are joined.
    pub fn new(mut entries: Vec<Entry>, scripts: Vec<Script>) -> Self {
        entries.sort_by_key(order);
        let mut clients: Vec<Script> = Vec::new();
        for script in scripts {
            match clients.binary_search_by_key(&script.client, |known| known.client) {
                Ok(index) => clients[index].steps.extend(script.steps),
                Err(index) => clients.insert(index, script),
            }
        }
        Self { entries, clients }
    }

    /// The commands: by the moment that is asked for, conditions last.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The scripts by client, one each.
    pub fn clients(&self) -> &[Script] {
        &self.clients
    }

    /// Whether nothing happens from outside.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.clients.is_empty()
    }

    /// Adds a command behind those of the same moment, and says at which index it stands.
    pub fn insert(&mut self, entry: Entry) -> usize {
        let index = self.entries.partition_point(|known| order(known) <= order(&entry));
        self.entries.insert(index, entry);
        index
    }

    /// Takes the command at `index` out.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn remove(&mut self, index: usize) -> Entry {
        self.entries.remove(index)
    }

    /// Notes what the command at `index` was. Indices stay as they are.
    ///
    /// # Panics
    ///
    /// If there is no such command.
    pub fn record(&mut self, index: usize, was: Was) {
        self.entries[index].was = Some(was);
    }

    /// This plan and `other` in one; at the same moment, this one's commands come first.
    pub fn merge(self, other: Self) -> Self {
        let both = |mut first: Vec<_>, second| {
            first.extend(second);
            first
        };
        let scripts = self.clients.into_iter().chain(other.clients).collect();
        Self::new(both(self.entries, other.entries), scripts)
    }

    /// The moments that are known before the run, in order, each with the index of its entry. Entries of the same
    /// moment come as they were, then as they stand in the plan.
    pub fn schedule(&self) -> Vec<(Moment, usize)> {
        let known = self.entries.iter().enumerate();
        let mut moments: Vec<_> = known.filter_map(|(index, entry)| Some((entry.moment()?, index))).collect();
        let place = |index: usize| self.entries[index].was.as_ref().map_or(0, |was| was.place);
        moments.sort_unstable_by_key(|&(moment, index)| (moment, place(index), index));
        moments
    }
}

/// Conditions behind all moments.
fn order(entry: &Entry) -> (bool, Option<Moment>) {
    (entry.rank().is_none(), entry.rank())
}

/// `at 1.5s: crash leader`, and what it was where that is known.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.trigger, self.command)?;
        let Some(was) = &self.was else { return Ok(()) };
        if Some(was.moment) == self.rank()
            && self.commands() == self.command.concrete().map(|only| vec![only])
        {
            return Ok(());
        }
        write!(f, " (was at {}:", was.moment)?;
        for (index, command) in was.commands.iter().enumerate() {
            write!(f, "{}{command}", if index == 0 { " " } else { "; " })?;
        }
        f.write_str(if was.commands.is_empty() { " nobody)" } else { ")" })
    }
}

#[cfg(test)]
mod tests;
