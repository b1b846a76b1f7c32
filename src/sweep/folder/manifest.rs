//! What a folder holds the sweep of: `sweep.json`, written before the first run.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use sim_core::fingerprint::fingerprint;

use super::super::Grid;

/// The version of the folder's format.
const FORMAT_VERSION: u32 = 2;

/// What is swept. Two sweeps with equal ones have the same runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format_version: u32,
    /// The program: another one may draw otherwise.
    splitbrain_version: String,
    seeds: Range<u64>,
    configurations: Vec<Described>,
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    scenario: String,
    set: Vec<String>,
    /// Of the text of the scenario, with what is set in it.
    digest: String,
}

impl Manifest {
    pub(super) fn new(grid: &Grid) -> Self {
        let described = |configuration: &super::super::Configuration| Described {
            scenario: configuration.scenario.clone(),
            set: configuration.set.clone(),
            digest: format!("{:016x}", configuration.loaded.text_digest),
        };
        Self {
            format_version: FORMAT_VERSION,
            splitbrain_version: env!("CARGO_PKG_VERSION").to_owned(),
            seeds: grid.seeds.clone(),
            configurations: grid.configurations.iter().map(described).collect(),
        }
    }

    /// A number that shards carry, so that those of another sweep are noticed.
    pub(super) fn digest(&self) -> String {
        format!("{:016x}", fingerprint(self))
    }

    /// In what the sweep of a folder differs from this one, if it does.
    pub(super) fn difference(&self, there: &Self) -> Option<String> {
        if there.splitbrain_version != self.splitbrain_version {
            return Some(format!("it was made by version {}", there.splitbrain_version));
        }
        if there.format_version != self.format_version {
            return Some(format!("it has format version {}", there.format_version));
        }
        if there.seeds != self.seeds {
            return Some(format!("it has seeds {}..{}", there.seeds.start, there.seeds.end));
        }
        let (here, there) = (&self.configurations, &there.configurations);
        if here.len() != there.len() {
            return Some(format!("it has {} configurations, not {}", there.len(), here.len()));
        }
        let (here, there) = here.iter().zip(there).find(|(here, there)| here != there)?;
        let told = |one: &Described| {
            let words =
                std::iter::once(one.scenario.clone()).chain(one.set.iter().map(|set| format!("--set {set}")));
            format!("`{}`", words.collect::<Vec<_>>().join(" "))
        };
        Some(if told(here) == told(there) {
            format!("its scenario {} has another text", told(there))
        } else {
            format!("it has {} where this one has {}", told(there), told(here))
        })
    }
}
