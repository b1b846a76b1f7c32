//! What a run was, as one document: printed for people, or as JSON with a schema.
//!
//! All but `wall` and how the program is called in `replay` follows from scenario and seed alone.

pub(crate) mod ablate;
mod build;
pub(crate) mod compare;
pub(crate) mod explain;
mod human;
mod kind;
mod measured;
pub(crate) mod search;
mod sizes;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::human::{Body, Heading, Timeline};
pub(crate) use self::kind::VerdictKind;
pub(crate) use self::measured::{Figures, Metrics};
pub(crate) use self::sizes::Sizes;

/// The version of the document; a change that breaks readers raises it.
pub(crate) const REPORT_VERSION: u32 = 1;

/// What a run was. Times are in nanoseconds; nodes are `n1…`, clients `c1…`.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "readers of the document see `report_version` without the type"
)]
pub(crate) struct Report {
    /// The version of this document: 1.
    pub(crate) report_version: u32,
    /// The version of the program.
    pub(crate) splitbrain_version: &'static str,
    /// What was simulated.
    pub(crate) scenario: ScenarioSummary,
    /// The seed that decided everything.
    pub(crate) seed: u64,
    /// What the run ended with.
    pub(crate) verdict: VerdictSummary,
    /// What was violated, the first first.
    pub(crate) violations: Vec<ViolationSummary>,
    /// What disks suffered beyond what the protocol promises to survive.
    pub(crate) beyond_promise: Vec<Damage>,
    /// The fingerprint of all that happened, sixteen hexadecimal digits: equal runs have equal digests.
    pub(crate) digest: String,
    /// How many events happened.
    pub(crate) events: u64,
    /// How much time passed in the simulation.
    pub(crate) simulated_ns: u64,
    /// When it had converged after the faults; `null` where it did not have to, or did not.
    pub(crate) converged_ns: Option<u64>,
    /// How long that took.
    pub(crate) wall: WallTime,
    /// Elections, crashes, restarts and faults, in order of time.
    pub(crate) timeline: Vec<TimelineLine>,
    /// What was counted and measured.
    pub(crate) metrics: Metrics,
    /// What checkers have measured of what clients saw, by property. Numbers are no verdict.
    pub(crate) history: BTreeMap<&'static str, Figures>,
    /// What came of running it again; `null` unless that was asked for.
    pub(crate) twice: Option<Twice>,
    /// Whether it was the run that its capsule keeps; `null` unless it was replayed from one.
    pub(crate) replayed: Option<Replayed>,
    /// The protocol's situations worth reaching, and how often each was reached.
    pub(crate) points: BTreeMap<String, u64>,
    /// The protocol's named places inside handlers where a plan can act, and how often each was reached.
    pub(crate) fault_points: BTreeMap<String, u64>,
    /// A command that replays this run.
    pub(crate) replay: String,
}

/// What was simulated.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ScenarioSummary {
    /// Its name.
    pub(crate) name: String,
    /// One line on what it shows.
    pub(crate) summary: String,
    /// The file or library name it was read from.
    pub(crate) source: String,
    /// The protocol.
    pub(crate) protocol: String,
    /// How many nodes there are, spares included.
    pub(crate) nodes: u32,
    /// How many clients there are.
    pub(crate) clients: u32,
    /// Fields that were set on the command line, `path=value`.
    pub(crate) overrides: Vec<String>,
    /// Fields that the scenario lets the seed draw, and what it drew, `path=value`.
    pub(crate) drawn: Vec<String>,
}

/// What a run ended with.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct VerdictSummary {
    /// In a word: `pass`, `expected-violation`, `expectation-missed`, `violation`, `panic`, `liveness`,
    /// `beyond-promise`, `inconclusive`, `interrupted`, `non-determinism`,
    /// `internal-error`.
    pub(crate) kind: &'static str,
    /// In a sentence.
    pub(crate) text: String,
    /// What the program exits with.
    pub(crate) exit_code: u8,
}

/// A property that did not hold.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ViolationSummary {
    /// An invariant, a history checker, a liveness condition, or `panic`.
    pub(crate) property: String,
    /// When.
    pub(crate) at_ns: u64,
    /// At the how-manieth event, from 1.
    pub(crate) event: u64,
    /// At which node, where it was one.
    pub(crate) node: Option<String>,
    /// The values that show it.
    pub(crate) evidence: String,
}

/// What happened to one disk.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Damage {
    /// Whose disk.
    pub(crate) node: String,
    /// What happened.
    pub(crate) damage: String,
}

/// How long a run took on this machine: the only part that differs from run to run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WallTime {
    /// In nanoseconds.
    pub(crate) elapsed_ns: u64,
    /// Events a second.
    pub(crate) events_per_second: u64,
}

/// Something that mattered.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineLine {
    /// When.
    pub(crate) at_ns: u64,
    /// After so many events.
    pub(crate) event: u64,
    /// What sort of thing: `leads`, `campaigns`, `follows`, `crash`, `restart`, `command`, `violation`.
    pub(crate) kind: &'static str,
    /// Which node, where it was one.
    pub(crate) node: Option<String>,
    /// What happened.
    pub(crate) text: String,
}

/// What came of running it again.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Twice {
    /// Whether both runs were the same, event by event.
    pub(crate) equal: bool,
    /// Where they part, if they do.
    pub(crate) divergence: Option<String>,
}

/// How a replay compares with the run that its capsule keeps.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Replayed {
    /// Whether the digests are equal.
    pub(crate) equal: bool,
    /// The digest that the capsule has.
    pub(crate) digest: String,
    /// The version of the program that made the capsule. Another one may draw or digest otherwise.
    pub(crate) made_by: String,
}
