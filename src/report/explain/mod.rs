//! Why a run failed: for people, as JSON with a schema, as a drawing.

mod svg;
mod text;

use scenarios::explain::{Explanation, Share};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::svg::Drawing;
pub(crate) use self::text::Text;
pub(super) use self::text::write_wrapped;
use crate::sweep::Rate;

/// The version of the document; a change that breaks readers raises it.
const EXPLANATION_VERSION: u32 = 1;

/// Why a run failed. Times are in nanoseconds; nodes are `n1…`, clients `c1…`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Document<'a> {
    /// The version of this document: 1.
    explanation_version: u32,
    /// The version of the program.
    splitbrain_version: &'static str,
    /// The file it was read from.
    capsule: &'a str,
    /// All that is known of the failure.
    #[serde(flatten)]
    explanation: &'a Explanation,
    /// The shares of `inevitable` as rates, in the same order, each with the interval that contains the true one with 95 %
    /// confidence.
    rates: Vec<Interval>,
}

/// A rate with its interval.
#[derive(Serialize, JsonSchema)]
struct Interval {
    /// After so many events.
    event: u64,
    /// The share of futures that fail.
    share: f64,
    /// The lower end.
    low: f64,
    /// The upper end.
    high: f64,
}

impl<'a> Document<'a> {
    pub(crate) fn new(capsule: &'a str, explanation: &'a Explanation) -> Self {
        let shares = explanation.inevitable.iter().flat_map(|inevitable| &inevitable.shares);
        Self {
            explanation_version: EXPLANATION_VERSION,
            splitbrain_version: env!("CARGO_PKG_VERSION"),
            capsule,
            explanation,
            rates: shares.map(Interval::of).collect(),
        }
    }
}

impl Interval {
    fn of(share: &Share) -> Self {
        let Rate { share: rate, low, high } = Rate::of(share.failed, share.of);
        Self { event: share.event, share: rate, low, high }
    }
}
