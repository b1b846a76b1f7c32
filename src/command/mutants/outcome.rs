//! What came of a hunt, for people and as JSON.

use std::time::Duration;

use protocols::mutant::MutantAbout;
use scenarios::Verdict;
use serde::Serialize;

use super::Format;
use super::hunt::{Hunt, Quarry, Strategy};
use crate::exit_code::ExitCode;
use crate::table::grouped;

/// How many failed runs of the right protocol a row shows; the document has all.
const SHOWN_MAX: usize = 3;

/// What came of a hunt.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    /// What the seeds were derived from.
    start_seed: u64,
    /// How many starts there were.
    starts: u32,
    /// How many seeds a start tried at most.
    seeds: u64,
    /// How runs were chosen.
    search: Strategy,
    /// Whether Ctrl-C ended it.
    pub(super) was_interrupted: bool,
    /// What became of each mutant.
    pub(super) mutants: Vec<Caught>,
    /// What the right protocols did with the same seeds.
    pub(super) controls: Vec<Control>,
}

/// What became of a mutant.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "readers of the document see `caught` without the type")]
pub(super) struct Caught {
    /// With its protocol: `raft/commit-prior-term`.
    name: String,
    /// What is wrong with it.
    change: &'static str,
    /// What it is known to break.
    breaks: &'static [&'static str],
    /// Whether most starts caught it.
    caught: bool,
    /// The median number of seeds until it was caught.
    seeds: Option<u64>,
    /// The median processor time until it was caught.
    processor_seconds: Option<f64>,
    /// Start by start.
    starts: Vec<Start>,
}

/// One start of a hunt.
#[derive(Debug, Serialize)]
pub(super) struct Start {
    /// How many seeds were tried.
    pub(super) seeds: u64,
    /// For how long.
    pub(super) processor_seconds: f64,
    /// The run that caught it.
    pub(super) caught: Option<Catch>,
    /// Runs before it in which the right protocol violated something as well, and which are no catch for that.
    pub(super) right_failed: Vec<Failed>,
}

/// The run that caught a mutant.
#[derive(Debug, Serialize)]
pub(super) struct Catch {
    /// Which property was violated first.
    pub(super) property: String,
    /// In which scenario.
    pub(super) scenario: String,
    /// With which seed.
    pub(super) seed: u64,
}

/// What a right protocol did.
#[derive(Debug, Serialize)]
pub(super) struct Control {
    protocol: String,
    runs: u64,
    passed: u64,
    beyond_promise: u64,
    inconclusive: u64,
    processor_seconds: f64,
    /// Runs that violated something.
    failed: Vec<Failed>,
}

/// A run of a right protocol that violated something.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Failed {
    pub(super) scenario: String,
    pub(super) seed: u64,
    pub(super) verdict: String,
}

impl Outcome {
    pub(super) fn new(hunt: &Hunt<'_>) -> Self {
        let &Hunt { start_seed, starts, seeds, strategy: search, .. } = hunt;
        let (mutants, controls) = (Vec::new(), Vec::new());
        Self { start_seed, starts, seeds, search, was_interrupted: false, mutants, controls }
    }

    pub(super) fn code(&self) -> ExitCode {
        let is_good =
            self.mutants.iter().all(|mutant| mutant.caught && mutant.right_failed().next().is_none())
                && self.controls.iter().all(|control| control.failed.is_empty());
        match (self.was_interrupted, is_good) {
            (true, _) => ExitCode::INTERRUPTED,
            (false, true) => ExitCode::PASS,
            (false, false) => ExitCode::VIOLATION,
        }
    }
}

impl Caught {
    pub(super) fn new(name: String, mutant: &MutantAbout, starts: Vec<Start>) -> Self {
        // What was not caught took longer than anything that was.
        let mut sorted: Vec<&Start> = starts.iter().collect();
        sorted.sort_by(|one, other| {
            let rank = |start: &Start| (start.caught.is_none(), start.seeds);
            rank(one).cmp(&rank(other))
        });
        let median = sorted.get((sorted.len() - 1) / 2).filter(|start| start.caught.is_some());
        let (seeds, processor_seconds) =
            median.map_or((None, None), |start| (Some(start.seeds), Some(start.processor_seconds)));
        let caught = sorted.iter().filter(|start| start.caught.is_some()).count() * 2 > sorted.len();
        Self {
            name,
            change: mutant.change,
            breaks: mutant.breaks,
            caught,
            seeds: seeds.filter(|_| caught),
            processor_seconds: processor_seconds.filter(|_| caught),
            starts,
        }
    }

    /// How many seeds the longest start took.
    pub(super) fn longest(&self) -> u64 {
        self.starts.iter().map(|start| start.seeds).max().unwrap_or_default()
    }

    /// Runs that were no catch because the right protocol violated something as well.
    fn right_failed(&self) -> impl Iterator<Item = &Failed> {
        self.starts.iter().flat_map(|start| &start.right_failed)
    }

    /// The properties that caught it, each once, in the order of the starts.
    fn properties(&self) -> Vec<&str> {
        let mut properties = Vec::new();
        for property in self.starts.iter().filter_map(|start| Some(start.caught.as_ref()?.property.as_str()))
        {
            if !properties.contains(&property) {
                properties.push(property);
            }
        }
        properties
    }

    fn caught_count(&self) -> usize {
        self.starts.iter().filter(|start| start.caught.is_some()).count()
    }
}

impl Control {
    pub(super) fn new(protocol: &str) -> Self {
        Self {
            protocol: protocol.to_owned(),
            runs: 0,
            passed: 0,
            beyond_promise: 0,
            inconclusive: 0,
            processor_seconds: 0.0,
            failed: Vec::new(),
        }
    }

    /// Counts a run.
    pub(super) fn add(&mut self, verdict: &Verdict, time: Duration, failed: impl FnOnce() -> Failed) {
        self.runs += 1;
        self.processor_seconds += time.as_secs_f64();
        match verdict {
            Verdict::Pass | Verdict::ExpectedViolation { .. } => self.passed += 1,
            Verdict::BeyondPromise => self.beyond_promise += 1,
            Verdict::Inconclusive { .. } => self.inconclusive += 1,
            Verdict::Violation { .. }
            | Verdict::Panic { .. }
            | Verdict::Liveness { .. }
            | Verdict::ExpectationMissed { .. }
            | Verdict::InternalError { .. } => self.failed.push(failed()),
        }
    }
}

fn control_name(protocol: &str) -> String {
    format!("{protocol} without a bug")
}

/// The rows for people, each as soon as it is known; `None` where a document is printed at the end.
pub(super) struct Table {
    format: Format,
    width: usize,
    has_head: bool,
}

impl Table {
    pub(super) fn new(quarries: &[Quarry], format: Format) -> Self {
        let names = quarries
            .iter()
            .flat_map(|quarry| quarry.names().into_iter().chain([control_name(&quarry.protocol)]));
        let widths = names.map(|name| name.len());
        Self { format, width: widths.max().unwrap_or_default(), has_head: false }
    }

    pub(super) fn mutant(&mut self, mutant: &Caught) -> Option<String> {
        let starts = format!("{}/{}", mutant.caught_count(), mutant.starts.len());
        let (seeds, seconds, mut how) = match (mutant.seeds, mutant.processor_seconds) {
            (Some(seeds), Some(seconds)) => {
                (grouped(seeds), format!("{seconds:.2}"), mutant.properties().join(", "))
            }
            _ => {
                ("-".to_owned(), "-".to_owned(), format!("not caught in {} seeds", grouped(mutant.longest())))
            }
        };
        for Failed { scenario, seed, verdict } in mutant.right_failed().take(SHOWN_MAX) {
            how = format!("{how}\n    without the bug, too: {verdict}: {scenario}, seed {seed}");
        }
        self.row([&mutant.name, &starts, &seeds, &seconds, &how])
    }

    pub(super) fn control(&mut self, control: &Control) -> Option<String> {
        let name = control_name(&control.protocol);
        let share = format!("{}/{}", grouped(control.passed), grouped(control.runs));
        let mut how = "pass".to_owned();
        for (count, what) in
            [(control.beyond_promise, "beyond promise"), (control.inconclusive, "inconclusive")]
        {
            if count > 0 {
                how = format!("{how}, {} {what}", grouped(count));
            }
        }
        for Failed { scenario, seed, verdict } in control.failed.iter().take(SHOWN_MAX) {
            how = format!("{how}\n    {verdict}: {scenario}, seed {seed}");
        }
        if !control.failed.is_empty() {
            how = how.replacen("pass", &format!("{} fail", grouped(control.failed.len() as u64)), 1);
        }
        self.row([&name, &share, &grouped(control.runs), &format!("{:.2}", control.processor_seconds), &how])
    }

    fn row(&mut self, cells: [&str; 5]) -> Option<String> {
        if self.format == Format::Json {
            return None;
        }
        let width = self.width;
        let line = |[name, starts, seeds, seconds, how]: [&str; 5]| {
            format!("{name:<width$}  {starts:>7}  {seeds:>9}  {seconds:>17}  {how}\n")
        };
        let head = if self.has_head {
            String::new()
        } else {
            line(["mutant", "starts", "seeds", "processor-seconds", "caught by"])
        };
        self.has_head = true;
        Some(head + &line(cells))
    }
}
