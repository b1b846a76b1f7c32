//! What a search found: for people, and as JSON with a schema.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use scenarios::search::Reach;
use schemars::JsonSchema;
use serde::Serialize;

use super::compare::runs_a_second;
use crate::cli::quoted;
use crate::exit_code::ExitCode;
use crate::sweep::{Grid, Row, Verdicts};
use crate::table::{grouped, lasting, threads};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const BOLD: Style = Style::new().bold();

/// The version of the document; a change that breaks readers raises it.
const SEARCH_VERSION: u32 = 1;

/// What is searched.
pub(crate) struct Setting<'a> {
    pub(crate) grid: &'a Grid,
    /// What the search draws from.
    pub(crate) seed: u64,
    pub(crate) threads: usize,
}

/// What was found so far.
#[derive(Default)]
pub(crate) struct Found {
    verdicts: Verdicts,
    failures: Vec<Failure>,
    features: usize,
    kept: usize,
    last_news: u64,
    events: u64,
    simulated_ns: u128,
    processor_time: Duration,
    /// How long it took on the wall.
    pub(crate) elapsed: Duration,
    /// Whether Ctrl-C ended it.
    pub(crate) was_interrupted: bool,
}

/// What a search found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Document {
    /// The version of this document: 1.
    search_version: u32,
    /// The version of the program.
    splitbrain_version: &'static str,
    /// The files or library names that were searched by turns.
    scenarios: Vec<String>,
    /// What is set for all, `path=value`.
    set: Vec<String>,
    /// What the search drew from: the same seed searches the same runs.
    seed: u64,
    /// How many runs were done.
    runs: u64,
    /// Whether Ctrl-C ended it.
    was_interrupted: bool,
    /// What the program exits with.
    exit_code: u8,
    /// How many runs ended how.
    verdicts: BTreeMap<&'static str, u64>,
    /// What failed, each kind once, in the order in which they were found.
    failures: Vec<Failure>,
    /// What has been reached: how many different features.
    features: usize,
    /// How many runs reached something new, and were bred from.
    kept: usize,
    /// Which run was the last to reach something new, from 1; 0 if none did.
    last_news: u64,
    /// How many events happened in all runs.
    events: u64,
    /// How long a processor worked on them, what it cost to choose them included. The only part that depends on the machine.
    processor_seconds: f64,
    #[serde(skip)]
    simulated_ns: u128,
    #[serde(skip)]
    elapsed: Duration,
}

/// Runs that failed of the same.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Failure {
    /// The verdict, in a word.
    verdict: &'static str,
    /// The property that was violated, or what a panic said.
    what: String,
    /// How many runs failed so.
    count: u64,
    /// Which run was the first, from 1.
    run: u64,
    /// How long a processor had worked until it was found.
    processor_seconds: f64,
    /// The file with its capsule: the seed alone does not repeat a run that was bred. `null` where the run has no report.
    capsule: Option<String>,
}

impl Setting<'_> {
    /// What is printed before the runs.
    pub(crate) fn heading(&self) -> String {
        let configurations = &self.grid.configurations;
        let set = configurations.first().map(|first| first.set.join(" ")).unwrap_or_default();
        let with = if set.is_empty() { set } else { format!(" with {set}") };
        let what = match configurations.as_slice() {
            [only] => only.scenario.clone(),
            many => format!("{} scenarios by turns", many.len()),
        };
        let threads = threads(self.threads);
        format!("{BOLD}search{BOLD:#}     {what}{with}, seed {} on {threads}\n", self.seed)
    }
}

impl Found {
    /// Counts a run; whether it is the first that failed so.
    pub(crate) fn add(&mut self, row: &Row, processor_time: Duration, reach: Reach) -> bool {
        self.verdicts.add(row.verdict);
        self.events += row.events;
        self.simulated_ns += u128::from(row.simulated_ns);
        self.processor_time += processor_time;
        if reach.features > self.features {
            self.last_news = row.job + 1;
        }
        (self.features, self.kept) = (reach.features, reach.kept);
        let Some(what) = row.cause() else { return false };
        let verdict = row.verdict.name();
        if let Some(known) =
            self.failures.iter_mut().find(|known| (known.verdict, &known.what) == (verdict, &what))
        {
            known.count += 1;
            return false;
        }
        let processor_seconds = self.processor_time.as_secs_f64();
        self.failures.push(Failure {
            verdict,
            what,
            count: 1,
            run: row.job + 1,
            processor_seconds,
            capsule: None,
        });
        true
    }

    /// What the program exits with.
    pub(crate) fn code(&self) -> ExitCode {
        if self.was_interrupted { ExitCode::INTERRUPTED } else { self.verdicts.code() }
    }

    /// The capsule of the failure that was found last is written.
    pub(crate) fn written(&mut self, capsule: &Path) {
        let last = self.failures.last_mut().expect("its failure was just found");
        last.capsule = Some(capsule.display().to_string());
    }
}

impl Document {
    pub(crate) fn new(setting: &Setting<'_>, found: Found) -> Self {
        let configurations = &setting.grid.configurations;
        Self {
            search_version: SEARCH_VERSION,
            splitbrain_version: env!("CARGO_PKG_VERSION"),
            scenarios: configurations.iter().map(|one| one.scenario.clone()).collect(),
            set: configurations.first().map(|first| first.set.clone()).unwrap_or_default(),
            seed: setting.seed,
            runs: found.verdicts.total(),
            was_interrupted: found.was_interrupted,
            exit_code: found.code().number(),
            verdicts: found.verdicts.iter().map(|(kind, count)| (kind.name(), count)).collect(),
            failures: found.failures,
            features: found.features,
            kept: found.kept,
            last_news: found.last_news,
            events: found.events,
            processor_seconds: found.processor_time.as_secs_f64(),
            simulated_ns: found.simulated_ns,
            elapsed: found.elapsed,
        }
    }

    fn write_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Failure { verdict, what, count, run, processor_seconds, capsule } in &self.failures {
            let what = what.trim_start_matches("panic: ");
            let times = if *count == 1 { String::new() } else { format!(", {} runs", grouped(*count)) };
            writeln!(f, "\n{BAD}{verdict}{BAD:#}  {what}{times}")?;
            writeln!(
                f,
                "           first in run {}, after {processor_seconds:.2} processor-seconds",
                grouped(*run)
            )?;
            if let Some(capsule) = capsule {
                let capsule = quoted(capsule);
                writeln!(f, "  splitbrain replay {capsule}\n  splitbrain shrink {capsule}")?;
            }
        }
        Ok(())
    }
}

/// What is printed after the runs.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdicts: Vec<String> =
            self.verdicts.iter().map(|(kind, count)| format!("{} {kind}", grouped(*count))).collect();
        let style = if self.failures.is_empty() { GOOD } else { BAD };
        let cut = if self.was_interrupted { ": interrupted" } else { "" };
        writeln!(f, "{BOLD}runs{BOLD:#}       {style}{}{style:#}{cut}", verdicts.join(", "))?;
        writeln!(
            f,
            "{BOLD}reached{BOLD:#}    {} features; {} runs reached something new, the last was run {}",
            grouped(self.features as u64),
            grouped(self.kept as u64),
            grouped(self.last_news)
        )?;
        let (simulated, elapsed) = (lasting(self.simulated_ns), lasting(self.elapsed.as_nanos()));
        let rate = runs_a_second(self.runs, self.elapsed);
        writeln!(f, "{BOLD}time{BOLD:#}       {simulated} simulated in {elapsed}: {rate} runs a second")?;
        self.write_failures(f)
    }
}
