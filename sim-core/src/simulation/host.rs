//! What there is of one node beside its process: for people who look into it.

use std::ops::Range;

use serde::Serialize;

use crate::disk::{RegionId, RegionKind};
use crate::{Endpoint, LocalTime, SimTime, Span};

/// The host of one node at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostView {
    /// Its clocks.
    pub clock: ClockView,
    /// The timers that are armed, in the order in which they were set.
    pub timers: Vec<ArmedTimer>,
    /// What has arrived and waits for the processor, in the order in which it will be handled.
    pub inbox: Vec<Waiting>,
    /// The regions of its disk, in order of first use; none where nothing was ever written.
    pub regions: Vec<RegionView>,
    /// When the syncs under way are due, in the order in which they complete; `None` while the device is stalled.
    pub syncs: Vec<Option<SimTime>>,
    /// Service times are multiplied by this many hundredths; 100 is the proper speed.
    pub slow_percent: u32,
}

/// What the clocks of a node show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClockView {
    /// The monotonic clock.
    pub monotonic: LocalTime,
    /// The wall clock.
    pub wall: LocalTime,
    /// How far the node believes its wall clock to be off at most.
    pub error: Span,
    /// How much faster than true time both run, in ppm; below 0: slower.
    pub drift_ppm: i32,
    /// Whether both stand still.
    pub is_frozen: bool,
}

/// A timer that is armed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArmedTimer {
    /// Its name; with its payload, if it has one.
    pub name: String,
    /// When it fires, in true time, as far as is known now; `None` while the clock stands still.
    pub due: Option<SimTime>,
    /// When it fires by the node's monotonic clock.
    pub deadline: LocalTime,
}

/// An input that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Who caused it.
    pub from: Endpoint,
    /// What it is: one of the protocol's messages, `request`, `timer` or `durable`.
    pub kind: &'static str,
    /// What it says, in a line for people.
    pub text: String,
}

/// A region of a disk. Of a log, places are its indices; of a cell there is place 0; of a blob, committed chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegionView {
    /// Which one.
    pub region: RegionId,
    /// Of which kind.
    pub kind: RegionKind,
    /// The places that the process sees.
    pub seen: Range<u64>,
    /// The places that would be there after a crash which loses all un-synced writes.
    pub durable: Range<u64>,
    /// How many writes are not durable, those included that a sync lied about.
    pub unsynced: u64,
}
