//! Failure detectors in scenarios: the same words for all protocols that have one.

use protocols::detector::{self, RuleError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::objections::parameter;
use crate::text::units::Time;
use crate::validate::Objection;

/// How much silence is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Detector {
    /// This much, longer than what is between two keep-alives.
    Timeout(Time),
    /// What is unlikely by the intervals that were heard before: φ accrual.
    Phi {
        /// From which φ on one is suspected, from 1 to 16; a mistake then has a chance of 10^-φ. Default 8.
        #[serde(default = "threshold")]
        threshold: u32,
        /// Over how many intervals mean and deviation are taken, at least 2. Default 1000.
        #[serde(default = "window")]
        window: u32,
        /// The least that the deviation is taken to be, above 0. Default `100ms`.
        #[serde(default = "deviation_min")]
        deviation_min: Time,
        /// What is added to the mean: a silence that is nobody's fault. Default `3s`.
        #[serde(default = "acceptable_pause")]
        acceptable_pause: Time,
        /// The interval that is expected before there was any, above 0. Default `1s`.
        #[serde(default = "interval_first")]
        interval_first: Time,
    },
}

fn threshold() -> u32 {
    detector::Phi::default().threshold
}

fn window() -> u32 {
    detector::Phi::default().window
}

fn deviation_min() -> Time {
    detector::Phi::default().deviation_min.into()
}

fn acceptable_pause() -> Time {
    detector::Phi::default().acceptable_pause.into()
}

fn interval_first() -> Time {
    detector::Phi::default().interval_first.into()
}

impl From<Detector> for detector::Rule {
    fn from(detector: Detector) -> Self {
        match detector {
            Detector::Timeout(timeout) => Self::Timeout(timeout.span()),
            Detector::Phi { threshold, window, deviation_min, acceptable_pause, interval_first } => {
                Self::Phi(detector::Phi {
                    threshold,
                    window,
                    deviation_min: deviation_min.span(),
                    acceptable_pause: acceptable_pause.span(),
                    interval_first: interval_first.span(),
                })
            }
        }
    }
}

impl From<detector::Rule> for Detector {
    fn from(rule: detector::Rule) -> Self {
        match rule {
            detector::Rule::Timeout(timeout) => Self::Timeout(timeout.into()),
            detector::Rule::Phi(phi) => Self::Phi {
                threshold: phi.threshold,
                window: phi.window,
                deviation_min: phi.deviation_min.into(),
                acceptable_pause: phi.acceptable_pause.into(),
                interval_first: phi.interval_first.into(),
            },
        }
    }
}

/// What is wrong with a detector.
pub(super) fn objection(error: RuleError) -> Objection {
    let (allowed, hint) = match error {
        RuleError::TimeoutTooShort { interval, .. } => {
            let four = interval.times(4);
            (format!("times above `{interval}`"), format!("such as `Timeout(\"{four}\")`"))
        }
        RuleError::Threshold(_) => {
            ("a `threshold` from 1 to 16".to_owned(), "8 is usual, and 1 suspects one in ten".to_owned())
        }
        RuleError::Window(_) => ("a `window` of 2 and more".to_owned(), "leave it out for 1000".to_owned()),
        RuleError::NoTime(name) => {
            (format!("a `{name}` above `0s`"), "leave it out for the usual time".to_owned())
        }
    };
    parameter("detector", &error, allowed, hint)
}
