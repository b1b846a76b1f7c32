//! What goes wrong, and when.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::Span;
use sim_core::fault::StatusEvent;

use super::Act;
use crate::text::units::{NodeName, PointName, Rate, Time, TimeRange};

/// What goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Faults at given times, or when something has happened.
    pub timed: Vec<Timed>,
    /// Faults that come again and again.
    pub periodic: Vec<Periodic>,
    /// Faults drawn from the seed. Default: none; `random: ()` draws every kind that a protocol must survive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random: Option<Random>,
}

/// One fault: `(at: "2s", do: Crash("leader"), undo_after: "1s")`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timed {
    /// When, within the fault phase. This, `when` or `before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// After something has happened. This, `at` or `before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Before a timer fires. This, `at` or `when`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// What.
    #[serde(rename = "do")]
    pub act: Act,
    /// How long after it is undone. Default: never, or at the heal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_after: Option<Time>,
    /// What undoes it. Default: its opposite, for acts that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Act>,
}

/// The moment after something has happened on whichever node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// What has to happen.
    pub event: Event,
    /// For the how-manieth time, from 1. Default 1.
    #[serde(default = "one")]
    pub nth: u32,
    /// How long after that. Default `0s`: right after the event.
    #[serde(default, skip_serializing_if = "Time::is_zero")]
    pub delay: Time,
    /// Only what happens from here on counts. Default `0s`: everything does.
    #[serde(default, skip_serializing_if = "Time::is_zero")]
    pub since: Time,
}

/// The moment before a timer of a node fires. Where the process sets it anew meanwhile, as an election timer at each
/// heartbeat, before that.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// Which of the protocol's timers.
    pub timer: PointName,
    /// Whose.
    pub node: NodeName,
    /// How long before it fires, at most. Default `0s`: just before.
    #[serde(default, skip_serializing_if = "Time::is_zero")]
    pub by: Time,
    /// Not before this time. Default `0s`.
    #[serde(default, skip_serializing_if = "Time::is_zero")]
    pub since: Time,
}

/// Something that happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Event {
    /// A process starts to lead, or leads in another epoch than before.
    BecomesLeader,
    /// A process starts to try to lead, or tries in another epoch.
    BecomesCandidate,
    /// A leader leads no longer, be it by a crash.
    LosesLeadership,
    /// A process comes to know a higher epoch.
    EpochRises,
    /// A node that was up is down.
    Crashes,
    /// A node that has been up before is up again.
    Restarts,
    /// A process comes to know that this much is decided.
    Commits(u64),
    /// A handler reaches this fault point of the protocol. What waits for it comes after that handler; `CrashAtPoint`
    /// cuts the handler there.
    Reaches(PointName),
}

impl Event {
    /// The engine's event.
    pub const fn status_event(self) -> StatusEvent {
        match self {
            Self::BecomesLeader => StatusEvent::BecomesLeader,
            Self::BecomesCandidate => StatusEvent::BecomesCandidate,
            Self::LosesLeadership => StatusEvent::LosesLeadership,
            Self::EpochRises => StatusEvent::EpochRises,
            Self::Crashes => StatusEvent::Crashes,
            Self::Restarts => StatusEvent::Restarts,
            Self::Commits(goal) => StatusEvent::Commits(goal),
            Self::Reaches(point) => StatusEvent::Reaches(point.name()),
        }
    }

    /// That of the engine's event.
    pub const fn of(event: StatusEvent) -> Self {
        match event {
            StatusEvent::BecomesLeader => Self::BecomesLeader,
            StatusEvent::BecomesCandidate => Self::BecomesCandidate,
            StatusEvent::LosesLeadership => Self::LosesLeadership,
            StatusEvent::EpochRises => Self::EpochRises,
            StatusEvent::Crashes => Self::Crashes,
            StatusEvent::Restarts => Self::Restarts,
            StatusEvent::Commits(goal) => Self::Commits(goal),
            StatusEvent::Reaches(point) => Self::Reaches(PointName::new(point)),
        }
    }
}

/// A fault that comes again and again: `(every: "3s", do: Crash("leader"), undo_after: "1s")`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Periodic {
    /// The time from one to the next, above 0.
    pub every: Time,
    /// The first. Default: after `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// None begins at or after this. Default: the end of the fault phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What.
    #[serde(rename = "do")]
    pub act: Act,
    /// How long after it is undone. Default: never, or at the heal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_after: Option<Time>,
    /// What undoes it. Default: its opposite, for acts that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Act>,
}

/// Faults drawn from the seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Random {
    /// How often each kind comes, by name: `{"crash": "0.2/s"}`. Kinds not named here don't come. Default: all kinds
    /// that a protocol for crash faults must survive, as often as they come by default.
    pub rates: BTreeMap<String, Rate>,
    /// Whether each seed uses all of the kinds. Default `All`.
    pub kinds: Kinds,
    /// Kinds that are turned off: their faults are drawn and take their room, and are then left out, so that no fault of
    /// another kind changes. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<String>,
    /// No fault begins before. Default `1s`.
    pub start: Time,
    /// How long a fault lasts. Default `100ms..2s`.
    pub duration: TimeRange,
    /// How long a node is left alone between two faults of the same part of it. Default `500ms`.
    pub gap: Time,
    /// How long before the end of the fault phase all faults have ended. Default `1s`.
    pub settle: Time,
    /// How many faults hold at once, at least 1. Default 4.
    pub concurrent_max: u32,
    /// How many nodes are down at once. Default: a minority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down_max: Option<u32>,
    /// How long a node that is back still counts as down, because it needs the others to be whole again. Default `0s`.
    pub recovery: Time,
}

impl Default for Random {
    fn default() -> Self {
        let duration = TimeRange::new(Span::millis(100), Span::secs(2)).expect("100ms is shorter than 2s");
        Self {
            rates: BTreeMap::new(),
            kinds: Kinds::All,
            off: Vec::new(),
            start: Span::secs(1).into(),
            duration,
            gap: Span::millis(500).into(),
            settle: Span::secs(1).into(),
            concurrent_max: 4,
            down_max: None,
            recovery: Span::ZERO.into(),
        }
    }
}

/// Which kinds a seed uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Kinds {
    /// All of them.
    #[default]
    All,
    /// Each with probability one half, so that seeds differ in kind (swarm testing).
    Swarm,
}

const fn one() -> u32 {
    1
}
