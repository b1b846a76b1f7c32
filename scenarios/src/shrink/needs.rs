//! Which families of faults a failing run needs: the least that its cause is.
//!
//! ```text
//! crash, network, clock ─ without clock ─► fails: clock goes
//!                       ─ without crash ─► passes: crash stays
//!                       ─ without network ► fails: network goes     needs: crash
//! ```
//!
//! All commands of a family are taken away together, what undoes them as well, at the times at which they were. A family that
//! the run fails without stays away, so that no family of what is left can go: a failure that several would do for by
//! themselves needs one of them, the last of the table. That takes a run a family, and is no search for single commands:
//! [`shrink`](super::shrink()) is.

use sim_core::fault::{Command, Entry, Plan, Target};
use sim_core::service::Operation;

use super::Symptom;
use crate::load::Loaded;
use crate::plan::heal;
use crate::protocol::ProtocolTable;
use crate::run::{RunOptions, run};

/// A family of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Timers that are due early.
    Timer,
    /// Clocks that are wrong.
    Clock,
    /// Disks that are slow, full or wrong.
    Disk,
    /// Nodes that stand still, or are slow.
    Pause,
    /// Links that lose, delay, duplicate or reorder; acts on single messages.
    Link,
    /// Cuts, partitions and held messages.
    Cut,
    /// Changes of members and leaders that administrators ask for.
    Request,
    /// Crashes, with their restarts.
    Crash,
}

impl Family {
    /// All of them, in the order in which they are taken away.
    pub const ALL: [Self; 8] = [
        Self::Timer,
        Self::Clock,
        Self::Disk,
        Self::Pause,
        Self::Link,
        Self::Cut,
        Self::Request,
        Self::Crash,
    ];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::Pause => "pause",
            Self::Link => "link",
            Self::Cut => "cut",
            Self::Request => "request",
            Self::Crash => "crash",
        }
    }

    /// That of a command; `None` for what clients ask and for what heals everything.
    pub(super) const fn of(command: &Command<Target>) -> Option<Self> {
        Some(match command {
            Command::FireTimer { .. } => Self::Timer,
            Command::Clock { .. } => Self::Clock,
            Command::Disk { .. } => Self::Disk,
            Command::Pause(_) | Command::Resume(_) | Command::SlowDown { .. } => Self::Pause,
            Command::Link { .. } | Command::AllLinks(_) | Command::Message { .. } => Self::Link,
            Command::Cut { .. }
            | Command::Mend { .. }
            | Command::Partition { .. }
            | Command::HealPartition(_)
            | Command::Hold { .. }
            | Command::Release { .. } => Self::Cut,
            Command::Issue { operation: Operation::Admin(_), .. } => Self::Request,
            Command::Crash(_)
            | Command::CrashLosing { .. }
            | Command::CrashAfterEffect { .. }
            | Command::CrashAtPoint { .. }
            | Command::Restart(_)
            | Command::Wipe(_) => Self::Crash,
            Command::Issue { .. } | Command::HealAll | Command::Recover => return None,
        })
    }
}

/// What a run of a scenario failed of, and the families of faults that it needs for that, in the order of
/// [`Family::ALL`]; `None` if it does not fail. Takes nine runs at most.
pub fn needs(loaded: &Loaded, table: &ProtocolTable, seed: u64) -> Option<(Symptom, Vec<Family>)> {
    let first = run(loaded, table, seed, &RunOptions::default()).report;
    let symptom = Symptom::of(&first)?;
    let scenario = &loaded.configured(seed, table).scenario;
    let is_heal = |entry: &Entry| {
        heal::entries(scenario)
            .iter()
            .any(|part| part.trigger == entry.trigger && part.command == entry.command)
    };
    let is_of = |entry: &Entry, family: Family| Family::of(&entry.command) == Some(family) && !is_heal(entry);
    let mut plan = first.plan;
    let mut needed = Vec::new();
    for family in Family::ALL {
        if !plan.entries().iter().any(|entry| is_of(entry, family)) {
            continue;
        }
        let kept = plan.entries().iter().filter(|entry| !is_of(entry, family)).cloned().collect();
        let fewer = Plan::new(kept, plan.clients().to_vec());
        let options = RunOptions { replay: Some(fewer.clone()), ..RunOptions::default() };
        if Symptom::of(&run(loaded, table, seed, &options).report).as_ref() == Some(&symptom) {
            plan = fewer;
        } else {
            needed.push(family);
        }
    }
    Some((symptom, needed))
}
