//! Clocks, disks and processors of the nodes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::Span;
use sim_core::world::TieRule;

use super::{Latency, Loss};
use crate::text::units::{NodeName, Ppm, SignedTime, Size, Time};

/// What the clocks show at the start. They show true time unless said here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Clocks {
    /// Nodes with clocks of their own: `{"n1": (drift: "200ppm")}`.
    pub nodes: BTreeMap<NodeName, Clock>,
    /// How far from true time a node believes its wall clock to be right after a synchronisation. Moves no clock.
    /// Default `0s`.
    pub error: Time,
    /// How much that grows with time, 0 or more. Default `0ppm`.
    pub error_drift: Ppm,
}

/// The clocks of one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Clock {
    /// How far the wall clock is ahead (below 0: behind). Default `0s`.
    pub offset: SignedTime,
    /// How fast both clocks run: -500000ppm to 500000ppm. Default `0ppm`.
    pub drift: Ppm,
    /// How fast the wall clock is led to true time, as by NTP, and then kept there whatever the drift: 1ppm to 500ppm.
    /// Default: it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slew: Option<Ppm>,
}

/// The disks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Disks {
    /// Device time of one write, paid by the sync that covers it; up to an hour. Default `0s`.
    pub write: Latency,
    /// Device time of one sync, up to an hour. Default `500us..2ms`.
    pub sync: Latency,
    /// How much a disk holds. Default: any amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Size>,
    /// What a crash does to writes that were not synced. Default `All` are lost.
    pub crash_loss: Loss,
}

impl Default for Disks {
    fn default() -> Self {
        Self {
            write: Latency::constant(Span::ZERO),
            sync: Latency::uniform(Span::micros(500), Span::millis(2)),
            capacity: None,
            crash_loss: Loss::default(),
        }
    }
}

/// The processors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hosts {
    /// Processor time for one input, up to an hour. Default `0s`: inputs are handled as they arrive.
    pub service: Latency,
    /// How many inputs may wait at a node, at least 1; more are dropped. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbox: Option<u32>,
}

impl Default for Hosts {
    fn default() -> Self {
        Self { service: Latency::constant(Span::ZERO), inbox: None }
    }
}

/// How events of the same nanosecond are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Ties {
    /// In the order in which they were scheduled.
    #[default]
    Fifo,
    /// In an order drawn from the seed: shows races that constant latencies hide.
    Shuffled,
}

impl Ties {
    /// The engine's rule.
    pub const fn rule(self) -> TieRule {
        match self {
            Self::Fifo => TieRule::Fifo,
            Self::Shuffled => TieRule::Shuffled,
        }
    }
}
