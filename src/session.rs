//! One scenario with one seed, run under a clock and with an ear for Ctrl-C.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use scenarios::capsule::{Capsule, Opened};
use scenarios::export::Names;
use scenarios::run::{Inconclusive, Recording, figures, first_divergence, run_observed};
use scenarios::{Loaded, ProtocolTable, Report, Run, RunOptions, Verdict, assemble};
use sim_core::check::history::Figures;
use sim_core::fault::Plan;

use crate::cli::quoted;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::input::{Seed, Selection};
use crate::interrupt;
use crate::output::{Output, talk_line};
use crate::panics;
use crate::report::{ScenarioSummary, Twice};

/// What is to be run.
pub(crate) struct Session<'a> {
    source: Source<'a>,
    table: &'a ProtocolTable,
    loaded: Loaded,
    pub(crate) seed: u64,
    options: RunOptions,
}

/// Where it comes from.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// A scenario, and the seed decides the rest.
    Selection(&'a Selection),
    /// A capsule, in this file; its plan is followed.
    Capsule(&'a str),
}

/// How much of a run is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// What mattered.
    Milestones,
    /// Each event.
    Everything,
}

/// A run, and how long it took.
pub(crate) struct Ran {
    pub(crate) run: Run,
    pub(crate) wall: Duration,
    /// Where a process panicked, or an invariant or the engine, `file:line:column`.
    pub(crate) panic_place: Option<String>,
}

impl Ran {
    /// Whether Ctrl-C ended it.
    pub(crate) const fn was_interrupted(&self) -> bool {
        matches!(self.run.report.verdict, Verdict::Inconclusive { reason: Inconclusive::Interrupted })
    }
}

impl<'a> Session<'a> {
    pub(crate) fn new(selection: &'a Selection, table: &'a ProtocolTable) -> Result<Self, Failure> {
        let loaded = selection.load(table)?;
        interrupt::listen();
        let seed = selection.seed.number();
        if selection.seed == Seed::Random {
            talk_line(format_args!("seed {seed} was drawn"));
        }
        Ok(Self { source: Source::Selection(selection), table, loaded, seed, options: RunOptions::default() })
    }

    /// The run of a capsule that was read from `path`.
    pub(crate) fn of_capsule(path: &'a str, opened: Opened, table: &'a ProtocolTable) -> Self {
        interrupt::listen();
        let Opened { capsule, loaded } = opened;
        let options = RunOptions { replay: Some(capsule.plan), ..RunOptions::default() };
        Self { source: Source::Capsule(path), table, loaded, seed: capsule.seed, options }
    }

    /// What the run was, to be run again.
    pub(crate) fn capsule(&self, ran: &Ran) -> Capsule {
        Capsule::of(&self.loaded, &ran.run.report)
    }

    /// The text of its scenario.
    pub(crate) const fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Runs it and writes something of the run to `place`, or to standard output. `write` returns what it wrote, such as
    /// `12 records`.
    pub(crate) fn written(
        &self,
        watch: Watch,
        place: Option<&Path>,
        stdout: &mut Output,
        write: impl FnOnce(&Ran, &mut Output) -> Result<String, Failure>,
    ) -> Result<ExitCode, Failure> {
        // Before the run, so that a place that cannot be written to is known at once.
        let mut file = place.map(Output::create).transpose()?;
        let output = file.as_mut().unwrap_or(stdout);
        let ran = self.run(watch);
        let what = write(&ran, output)?;
        output.flush()?;
        if let Some(path) = place {
            let (report, path) = (&ran.run.report, path.display());
            talk_line(format_args!("{what} of seed {} written to {path} ({})", report.seed, report.verdict));
        }
        Ok(if ran.was_interrupted() { ExitCode::INTERRUPTED } else { ExitCode::PASS })
    }

    pub(crate) fn run(&self, watch: Watch) -> Ran {
        let recording = match watch {
            Watch::Milestones => Recording::Off,
            Watch::Everything => Recording::On,
        };
        let options = RunOptions { recording, ..self.options.clone() };
        let mut observer = |_: &dyn sim_core::Simulation| {
            if interrupt::is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let (run, wall) =
            timed(|| run_observed(&self.loaded, self.table, self.seed, &options, &mut observer));
        let panicked = matches!(run.report.verdict, Verdict::Panic { .. } | Verdict::InternalError { .. });
        let panic_place = panicked.then(panics::take_place).flatten();
        Ran { run, wall, panic_place }
    }

    /// Runs it once more and compares; `None` where Ctrl-C ended the second run.
    pub(crate) fn run_again(&self, first: &Ran) -> Option<Twice> {
        tracing::info!("the second run begins");
        let second = self.run(Watch::Milestones);
        (!second.was_interrupted()).then(|| self.compare(first, &second))
    }

    /// What the checkers of the history measure of a run.
    pub(crate) fn figures(&self, ran: &Ran) -> BTreeMap<&'static str, Figures> {
        let configured = self.loaded.configured(self.seed, self.table);
        let scenario = &configured.scenario;
        figures(scenario, self.table, ran.run.simulation.history(), scenario.checks.history_budget)
    }

    fn compare(&self, first: &Ran, second: &Ran) -> Twice {
        let reports = [&first.run.report, &second.run.report];
        let divergence = parting(&self.loaded, self.table, self.options.replay.as_ref(), reports);
        Twice { equal: divergence.is_none(), divergence }
    }

    /// What the protocol calls its messages and timers.
    pub(crate) fn names(&self) -> Names {
        let kind = self.table.find(self.loaded.scenario.protocol.name());
        Names::from(&kind.expect("the scenario was loaded with this table").about())
    }

    /// What is run, for reports.
    pub(crate) fn summary(&self) -> ScenarioSummary {
        let configured = self.loaded.configured(self.seed, self.table);
        let scenario = &configured.scenario;
        let (source, overrides) = match self.source {
            Source::Selection(selection) => (selection.scenario.as_str(), selection.set.clone()),
            Source::Capsule(path) => (path, Vec::new()),
        };
        ScenarioSummary {
            name: scenario.name.clone(),
            summary: scenario.summary.clone(),
            source: source.to_owned(),
            protocol: scenario.protocol.name().to_owned(),
            nodes: scenario.nodes,
            clients: scenario.clients.total(),
            overrides,
            drawn: configured.drawn.iter().map(ToString::to_string).collect(),
        }
    }

    /// The command that repeats this run.
    pub(crate) fn replay_command(&self) -> String {
        let program = std::env::args().next().unwrap_or_else(|| "splitbrain".to_owned());
        let program = quoted(&program);
        match self.source {
            Source::Selection(selection) => {
                let set = selection.set.iter().flat_map(|set| ["--set".to_owned(), quoted(set)]);
                let what = [program, "run".to_owned(), quoted(&selection.scenario)].into_iter();
                let seed = ["--seed".to_owned(), self.seed.to_string()];
                what.chain(seed).chain(set).collect::<Vec<_>>().join(" ")
            }
            Source::Capsule(path) => format!("{program} replay {}", quoted(path)),
        }
    }
}

/// Where two runs of the same part, in words; `None` where they don't.
pub(crate) fn parting(
    loaded: &Loaded,
    table: &ProtocolTable,
    replay: Option<&Plan>,
    [one, two]: [&Report; 2],
) -> Option<String> {
    if (one.digest, one.events) == (two.digest, two.events) {
        return None;
    }
    let configured = loaded.configured(one.seed, table);
    let fresh = || assemble(&configured.scenario, table, one.seed, replay);
    let found = first_divergence(fresh(), fresh(), one.events.max(two.events));
    let unknown =
        || format!("digests {} and {} differ, but two more runs were equal", one.digest, two.digest);
    Some(found.map_or_else(unknown, |found| {
        let (first, second) = (&found.first.what, &found.second.what);
        format!("the runs part at event {}: first `{first}`, then `{second}`", found.event)
    }))
}

/// What `work` gives, and how long it takes on the wall.
#[expect(clippy::disallowed_types, reason = "how fast a run is, which nothing in it sees")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = std::time::Instant::now();
    let done = work();
    (done, begun.elapsed())
}
