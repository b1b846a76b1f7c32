//! What a pipeline wants, under a name.

use std::ops::Range;
use std::time::Duration;

use clap::ValueEnum;

use crate::sweep::DoubleCheck;

/// What a pipeline wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    /// For each change: all scenarios, seeds 0..20, at most two minutes, 5 % of the runs twice, a canary
    Ci,
    /// For each night: all scenarios, seeds 0..1000000, at most an hour, 1 % of the runs twice, a canary
    Nightly,
}

/// What holds where the command line says nothing.
pub(super) struct Defaults {
    pub(super) seeds: Range<u64>,
    pub(super) time: Option<Duration>,
    pub(super) double_check: DoubleCheck,
    pub(super) canary: bool,
}

impl Defaults {
    pub(super) fn of(preset: Option<Preset>) -> Self {
        let (seeds, time, double_check) = match preset {
            None => (0..100, None, DoubleCheck::NONE),
            Some(Preset::Ci) => (0..20, Some(Duration::from_mins(2)), DoubleCheck::percent(5)),
            Some(Preset::Nightly) => (0..1_000_000, Some(Duration::from_hours(1)), DoubleCheck::percent(1)),
        };
        Self { seeds, time, double_check, canary: preset.is_some() }
    }
}
