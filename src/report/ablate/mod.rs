//! Which kinds of fault failures need: for people, and as JSON with a schema.

mod text;

use std::cmp::Reverse;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::text::{Body, Heading};
use crate::ablate::{self, Ablation, Caused, Without};
use crate::compare::{LEVEL, holm};
use crate::exit_code::ExitCode;
use crate::report::VerdictKind;
use crate::sweep::{Configuration, Rate};

/// The version of the document; a change that breaks readers raises it.
const ABLATION_VERSION: u32 = 1;

/// Which kinds of fault failures need. Nothing of it depends on the machine.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Document {
    /// The version of this document: 1.
    ablation_version: u32,
    /// The version of the program.
    splitbrain_version: &'static str,
    /// The file or library name.
    scenario: String,
    /// What is set, `path=value`.
    set: Vec<String>,
    /// The protocol, with its mutant if it is one.
    protocol: String,
    /// The first seed.
    seeds_from: u64,
    /// The first seed behind the last.
    seeds_to: u64,
    /// How many of them are done.
    seeds: u64,
    /// Whether all are.
    is_complete: bool,
    /// What the program exits with.
    exit_code: u8,
    /// How many runs failed with all kinds.
    failures: u64,
    /// The share that failed.
    rate: f64,
    /// The lower end of its 95 % interval.
    rate_low: f64,
    /// The upper end.
    rate_high: f64,
    /// What came of leaving out each kind, the most needed first.
    kinds: Vec<Kind>,
    /// What failed with all kinds, the most frequent first.
    causes: Vec<Cause>,
}

/// What came of leaving out a kind.
#[derive(Debug, Serialize, JsonSchema)]
struct Kind {
    /// Its name.
    name: &'static str,
    /// How many runs failed without it.
    failures: u64,
    /// How many failures need it: without it, the run passes, or fails of something else.
    needed: u64,
    /// How many runs fail without it and do not with it.
    new: u64,
    /// The failure rate without it less that with it.
    difference: f64,
    /// The lower end of the 95 % interval of that difference.
    low: f64,
    /// The upper end.
    high: f64,
    /// How likely so large a difference is where there is none.
    p: f64,
    /// The same, raised because so many kinds were looked at (Holm).
    p_adjusted: f64,
    /// Whether the rate differs: `p_adjusted` is at most 0.05.
    differs: bool,
    /// What leaves it out, for `--set`.
    set: String,
}

/// Failures with the same cause.
#[derive(Debug, Serialize, JsonSchema)]
struct Cause {
    /// The verdict, in a word.
    verdict: &'static str,
    /// The property that was violated, or what a panic said.
    what: String,
    /// How many runs.
    count: u64,
    /// The first seed.
    seed: u64,
    /// A command that replays its run.
    replay: String,
    /// The kinds that they need, the most needed first.
    needs: Vec<Need>,
    /// How many need no single kind: several will do, or none is at fault.
    none: u64,
}

/// A kind that failures need.
#[derive(Debug, Serialize, JsonSchema)]
struct Need {
    /// Its name.
    kind: &'static str,
    /// How many of the failures need it.
    count: u64,
}

/// What was ablated.
pub(crate) struct Setting<'a> {
    /// With all kinds.
    pub(crate) with: &'a Configuration,
    /// Those that are left out, one at a time.
    pub(crate) kinds: &'a [ablate::Kind],
    pub(crate) seeds: Range<u64>,
}

impl Document {
    pub(crate) fn new(setting: &Setting<'_>, ablation: &Ablation, code: ExitCode) -> Self {
        let Setting { with, seeds, .. } = setting;
        let Rate { share, low, high } = Rate::of(ablation.failures(), ablation.seeds);
        let causes = ablation.causes().into_iter();
        Self {
            ablation_version: ABLATION_VERSION,
            splitbrain_version: env!("CARGO_PKG_VERSION"),
            scenario: with.scenario.clone(),
            set: with.set.clone(),
            protocol: with.protocol(),
            seeds_from: seeds.start,
            seeds_to: seeds.end,
            seeds: ablation.seeds,
            is_complete: ablation.seeds == seeds.end - seeds.start,
            exit_code: code.number(),
            failures: ablation.failures(),
            rate: share,
            rate_low: low,
            rate_high: high,
            kinds: kinds(setting, &ablation.without),
            causes: causes
                .map(|(verdict, what, caused)| Cause::new(setting, verdict, what, caused))
                .collect(),
        }
    }
}

fn kinds(setting: &Setting<'_>, without: &[Without]) -> Vec<Kind> {
    let differences: Vec<_> = without.iter().map(|without| without.failing.difference()).collect();
    let values: Vec<f64> = differences.iter().map(|found| found.map_or(1.0, |found| found.p)).collect();
    let adjusted = holm(&values);
    let mut kinds = Vec::new();
    for (place, ablate::Kind { name, off }) in setting.kinds.iter().enumerate() {
        let (Some(found), Without { failing, needed }) = (differences[place], without[place]) else {
            continue;
        };
        kinds.push(Kind {
            name,
            failures: failing.of_sides()[1],
            needed,
            new: failing.only_b,
            difference: found.difference,
            low: found.low,
            high: found.high,
            p: found.p,
            p_adjusted: adjusted[place],
            differs: adjusted[place] <= LEVEL,
            set: off.clone(),
        });
    }
    kinds.sort_by_key(|kind| Reverse(kind.needed));
    kinds
}

impl Cause {
    fn new(setting: &Setting<'_>, verdict: VerdictKind, what: &str, caused: &Caused) -> Self {
        let width = setting.kinds.len() as u64 + 1;
        let seed = setting.seeds.start + caused.first.job / width;
        let both = setting.kinds.iter().zip(&caused.needed);
        let mut needs: Vec<Need> = both
            .filter(|(_, count)| **count > 0)
            .map(|(kind, count)| Need { kind: kind.name, count: *count })
            .collect();
        needs.sort_by_key(|need| Reverse(need.count));
        Self {
            verdict: verdict.name(),
            what: what.to_owned(),
            count: caused.count,
            seed,
            replay: setting.with.command(seed),
            needs,
            none: caused.none,
        }
    }
}
