//! One run from some moment on, and any moment of it again.

use std::fmt;

use sim_core::fault::Command;
use sim_core::simulation::Unable;
use sim_core::trace::Trace;
use sim_core::world::Stop;
use sim_core::{SimTime, Simulation};

use super::Samples;
use super::moment::Moment;

/// How many events lie between two keyframes, and so how many are done again at most to show a moment. Beyond
/// [`KEYFRAMES_MAX`] keyframes, twice as many.
pub(crate) const KEYFRAME_EVENTS: u64 = 100_000;
/// How many keyframes a branch keeps: copies share what they have in common, but each costs its difference.
const KEYFRAMES_MAX: usize = 200;

/// Which branch of a session: the first is the run without anything done by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BranchId(pub(super) usize);

impl BranchId {
    /// The run as the scenario has it.
    pub(crate) const FIRST: Self = Self(0);
}

/// A run from the start on, or from something that was done by hand.
pub(super) struct Branch {
    /// What it continues differently, and what was done there; `None` for the run as the scenario has it.
    pub(super) origin: Option<Origin>,
    /// How many events had happened where it begins.
    pub(super) first: u64,
    /// When it begins.
    pub(super) began: SimTime,
    /// How many records its trace had there.
    pub(super) first_record: u32,
    /// Copies to go back to, by events: one at the beginning, then one every so often. None where it cannot be copied.
    keyframes: Vec<Box<dyn Simulation>>,
    every: u64,
    /// Its metrics at regular times, those of the branches before it among them.
    samples: Samples,
    /// As far as it was computed.
    head: Box<dyn Simulation>,
}

/// Where a branch comes from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) parent: BranchId,
    pub(super) deed: Deed,
}

/// What was done where a branch begins.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// A command was applied: what came before is that of the parent.
    Command(Command),
    /// The plan was edited, as this text says: the branch is a run of its own, from the start.
    Plan(String),
}

impl Deed {
    /// The command, if it is one.
    pub(super) const fn command(&self) -> Option<&Command> {
        if let Self::Command(command) = self { Some(command) } else { None }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => command.fmt(f),
            Self::Plan(text) => f.write_str(text),
        }
    }
}

impl Branch {
    pub(super) fn new(head: Box<dyn Simulation>, origin: Option<Origin>, samples: &Samples) -> Self {
        let keyframes = head.fork().into_iter().collect();
        let (first, began) = (head.events(), head.now());
        let first_record = head.trace().map_or(0, Trace::len);
        let samples = samples.shared_with(head.as_ref());
        Self { origin, first, began, first_record, keyframes, every: KEYFRAME_EVENTS, samples, head }
    }

    pub(super) fn head(&self) -> &dyn Simulation {
        self.head.as_ref()
    }

    pub(super) fn head_mut(&mut self) -> &mut dyn Simulation {
        self.head.as_mut()
    }

    /// Computes more: up to a time, or so many events.
    pub(super) fn extend(&mut self, until: SimTime, events: u64) -> Stop {
        let mut left = events;
        loop {
            let before = self.head.events();
            let to_keyframe = self.every - before % self.every;
            let due = self.samples.due();
            let stop = self.head.run(until.min(due), left.min(to_keyframe));
            let done = self.head.events() - before;
            left -= done;
            self.keep();
            if stop == Stop::Horizon && due <= until {
                self.samples.take(self.head.metrics());
                if due < until {
                    continue;
                }
            }
            if stop != Stop::Budget || left == 0 {
                return stop;
            }
        }
    }

    /// Its metrics at regular times.
    pub(super) const fn samples(&self) -> &Samples {
        &self.samples
    }

    /// Keeps a copy where one is due.
    fn keep(&mut self) {
        let events = self.head.events();
        let last = self.keyframes.last().map(|keyframe| keyframe.events());
        if !events.is_multiple_of(self.every) || last.is_none_or(|last| last >= events) {
            return;
        }
        self.keyframes.extend(self.head.fork());
        if self.keyframes.len() > KEYFRAMES_MAX {
            self.every *= 2;
            let (first, every) = (self.first, self.every);
            self.keyframes.retain(|kept| kept.events() == first || kept.events().is_multiple_of(every));
        }
    }

    /// A copy that stands at a moment which was computed, and how many events were done again for it.
    ///
    /// # Errors
    /// If this run cannot be copied.
    pub(super) fn copy_at(&self, moment: Moment) -> Result<(Box<dyn Simulation>, u64), Unable> {
        if self.head.capabilities().seek {
            let mut copy = self.head.fork()?;
            copy.seek(if let Moment::Events(events) = moment { events } else { self.first })?;
            moment.replay(copy.as_mut());
            return Ok((copy, 0));
        }
        let count = self.keyframes.partition_point(|keyframe| moment.is_ahead_of(keyframe.as_ref()));
        // What was there at the beginning is shown there.
        let last = self.keyframes.get(count.saturating_sub(1));
        let mut copy = last.ok_or(Unable("go back: it cannot be copied"))?.fork()?;
        let before = copy.events();
        moment.replay(copy.as_mut());
        let redone = copy.events() - before;
        Ok((copy, redone))
    }

    /// Whether the moment is where it ends, as far as it was computed, or later.
    pub(super) fn ends_before(&self, moment: Moment) -> bool {
        moment.is_ahead_of(self.head())
    }

    /// Whether it can be shown at earlier moments.
    pub(super) fn can_go_back(&self) -> bool {
        !self.keyframes.is_empty()
    }

    /// Whether a moment lies on it, not before its beginning.
    pub(super) fn has_begun_by(&self, moment: Moment) -> bool {
        match moment {
            Moment::Events(events) => self.first <= events,
            Moment::Time(time) => self.began <= time,
            Moment::Record { number, .. } => self.first_record <= number,
        }
    }

    /// What was computed first, at so many events, if that is known: for comparison with what is computed again.
    pub(super) fn kept_at(&self, events: u64) -> Option<&dyn Simulation> {
        if self.head.events() == events {
            return Some(self.head());
        }
        let index = self.keyframes.binary_search_by_key(&events, |keyframe| keyframe.events()).ok()?;
        Some(self.keyframes[index].as_ref())
    }
}
