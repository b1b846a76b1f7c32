//! What a reproduction file says, typed.

use serde::{Deserialize, Serialize};
use sim_core::metrics::{Counter, Latency};

use super::{Quantity, Statistic};
use crate::protocol::ProtocolAbout;
use crate::run::MilestoneKind;

/// The newest version of the format, and the only one there is.
pub const REPRODUCTION_VERSION: u32 = 1;

/// Published numbers of one experiment, and how to come to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reproduction {
    /// The version of the format: 1.
    pub format_version: u32,
    /// A short name, in kebab-case.
    pub name: String,
    /// One line for lists.
    pub summary: String,
    /// Where the numbers were published: work, section or figure.
    pub source: String,
    /// The scenario of the library that is run.
    pub scenario: String,
    /// What is changed in it, as `--set` does. Default: nothing.
    #[serde(default)]
    pub set: Vec<String>,
    /// How many runs are made, with the seeds from 0 on.
    pub runs: u64,
    /// What is compared.
    pub figures: Vec<Figure>,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it is, in a few words.
    pub name: String,
    /// What is measured in each run.
    pub measure: Measure,
    /// What becomes of the values of all runs.
    pub statistic: Statistic,
    /// The published value: a time such as `"287ms"`, or a number such as `"0.68"`.
    pub expected: Quantity,
    /// How near ours must come.
    pub tolerance: Tolerance,
}

/// What is measured in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Measure {
    /// The time from one thing that mattered to another after it.
    Between {
        /// The first.
        from: Mark,
        /// The second; it is counted from the first.
        to: Mark,
    },
    /// The time from one thing that mattered to the first time that some process reaches one of its protocol's points.
    Until {
        /// The first.
        from: Mark,
        /// The point, as `splitbrain list protocols` shows it. It must not be reached before.
        point: String,
    },
    /// A part of a latency.
    Latency {
        /// Which latency of the engine, such as `operation`, or of the protocol.
        name: String,
        /// Which part of its distribution.
        part: LatencyPart,
    },
    /// A counter of the engine, such as `messages-sent`, or of the protocol.
    Counter(String),
    /// What a counter leaves of a number: the nodes that something did not reach.
    Rest {
        /// The counter.
        of: String,
        /// The number, which it never exceeds.
        from: u64,
    },
    /// One counter divided by another.
    Ratio {
        /// Above the line.
        of: String,
        /// Below it.
        to: String,
    },
    /// 1 where the run violated one of these properties, or any at all if none is named; else 0.
    Violates(Vec<String>),
}

/// Something that mattered in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// The start of the run.
    Start,
    /// Some node leads.
    Leads,
    /// Some node tries to lead.
    Campaigns,
    /// Some node crashes.
    Crashes,
    /// Some node starts again.
    Restarts,
}

impl Mark {
    /// The kind of milestone; `None` for the start.
    pub(super) const fn kind(self) -> Option<MilestoneKind> {
        match self {
            Self::Start => None,
            Self::Leads => Some(MilestoneKind::Leads),
            Self::Campaigns => Some(MilestoneKind::Campaigns),
            Self::Crashes => Some(MilestoneKind::Crashed),
            Self::Restarts => Some(MilestoneKind::Restarted),
        }
    }
}

/// A part of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LatencyPart {
    /// The arithmetic mean.
    Mean,
    /// Half took at most this.
    P50,
    /// 99 % took at most this.
    P99,
    /// The longest.
    Max,
}

/// How near ours must come to what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Tolerance {
    /// Up to this share of it away: 0.1 is 10 %.
    Relative(f64),
    /// Up to this far away.
    Absolute(Quantity),
    /// Between a so-manieth and so many times it.
    Factor(f64),
    /// It or more.
    AtLeast,
    /// It or less.
    AtMost,
}

impl Tolerance {
    /// Whether `ours` is near enough to `expected`.
    pub fn accepts(self, ours: Quantity, expected: Quantity) -> bool {
        let (ours, expected) = (ours.raw(), expected.raw());
        match self {
            Self::Relative(share) => (ours - expected).abs() <= share * expected,
            Self::Absolute(distance) => (ours - expected).abs() <= distance.raw(),
            Self::Factor(times) => ours >= expected / times && ours <= expected * times,
            Self::AtLeast => ours >= expected,
            Self::AtMost => ours <= expected,
        }
    }
}

/// For people: `± 10 %`.
impl std::fmt::Display for Tolerance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Relative(share) => write!(f, "± {} %", (share * 1_000.0).round() / 10.0),
            Self::Absolute(distance) => write!(f, "± {distance}"),
            Self::Factor(times) => write!(f, "within a factor of {times}"),
            Self::AtLeast => f.write_str("at least"),
            Self::AtMost => f.write_str("at most"),
        }
    }
}

impl Figure {
    /// Our value as a quantity of the kind that is measured: a share has no unit.
    pub(super) const fn quantity(&self, value: f64) -> Quantity {
        if self.measure.is_time() && !self.statistic.is_share() {
            Quantity::Nanos(value)
        } else {
            Quantity::Number(value)
        }
    }

    /// Whether units and names fit together, for runs of this protocol.
    pub(super) fn check(&self, protocol: &ProtocolAbout) -> Result<(), String> {
        let is_time = matches!(self.quantity(0.0), Quantity::Nanos(_));
        if is_time != matches!(self.expected, Quantity::Nanos(_)) {
            let unit = if is_time { "a time, such as `150ms`" } else { "a number without a unit" };
            return Err(format!("`{}` measures {unit}, and `{}` is expected", self.name, self.expected));
        }
        if let Some(bound) = self.statistic.bound()
            && self.measure.is_time() != matches!(bound, Quantity::Nanos(_))
        {
            return Err(format!("`{bound}` is no bound for what `{}` measures", self.name));
        }
        self.measure.check(protocol)
    }
}

impl Measure {
    const fn is_time(&self) -> bool {
        match self {
            Self::Between { .. } | Self::Until { .. } | Self::Latency { .. } => true,
            Self::Counter(_) | Self::Rest { .. } | Self::Ratio { .. } | Self::Violates(_) => false,
        }
    }

    fn check(&self, protocol: &ProtocolAbout) -> Result<(), String> {
        let counter = |name: &String| {
            let of_engine = Counter::ALL.iter().any(|counter| counter.name() == name);
            let is_known = of_engine || protocol.counters.contains(&name.as_str());
            if is_known { Ok(()) } else { Err(format!("there is no counter `{name}`")) }
        };
        match self {
            Self::Between { to: Mark::Start, .. } => Err("nothing comes before the start".to_owned()),
            Self::Until { point, .. } => {
                let is_known = protocol.points.contains(&point.as_str());
                if is_known { Ok(()) } else { Err(format!("there is no point `{point}`")) }
            }
            Self::Latency { name, .. } => {
                let of_engine = Latency::ALL.iter().any(|latency| latency.name() == name);
                let is_known = of_engine || protocol.latencies.contains(&name.as_str());
                if is_known { Ok(()) } else { Err(format!("there is no latency `{name}`")) }
            }
            Self::Counter(name) | Self::Rest { of: name, .. } => counter(name),
            Self::Ratio { of, to } => counter(of).and_then(|()| counter(to)),
            Self::Between { .. } | Self::Violates(_) => Ok(()),
        }
    }
}
