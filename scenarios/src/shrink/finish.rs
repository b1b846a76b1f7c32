//! The smallest run as files: a scenario that reads as if somebody had written it, and a capsule.

use std::fmt::Write as _;

use super::case::{Case, Trial};
use super::{Shrinker, Size};
use crate::capsule::Capsule;
use crate::load::{Loaded, load};
use crate::plan::heal;
use crate::plan::lines::{Undoing, faults_text, split_names, timed};
use crate::run::{HistoryEvidence, PANIC, Report};
use crate::text::{Outline, Path, text_with};

/// Writing to a string cannot fail.
const WRITES: &str = "a string takes every text";
/// How wide comments are.
const WIDTH: usize = 110;

/// The smallest run that was found.
#[derive(Debug)]
pub struct Shrunk {
    /// The scenario as a file, with a comment that says what it is.
    pub scenario_text: String,
    /// The same, loaded.
    pub loaded: Loaded,
    /// Its run.
    pub capsule: Capsule,
    /// How large the run was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// How many runs that took.
    pub runs: u64,
}

impl Shrunk {
    /// Which of two is smaller: by what happens from outside, then by how long it takes.
    pub(super) const fn weight(&self) -> (u64, u64) {
        (self.after.faults + self.after.operations, self.after.events)
    }

    /// Whether nine in ten of what happened from outside are gone, or hardly anything is left.
    pub(super) const fn is_small(&self) -> bool {
        let before = self.before.faults + self.before.operations;
        self.weight().0 * 10 <= before || self.is_tiny()
    }

    /// Whether hardly anything is left of what happened from outside.
    pub(super) const fn is_tiny(&self) -> bool {
        self.weight().0 <= 20
    }
}

/// A case as a file, and its run.
pub(super) struct Written {
    /// The scenario, with its faults in it.
    pub(super) text: String,
    /// The same, loaded.
    pub(super) loaded: Loaded,
    /// Its run.
    pub(super) report: Report,
}

impl Written {
    /// Writes a case down, reads that and runs it; `None` where that is no valid scenario. `first` says how long it has to
    /// converge.
    pub(super) fn of(
        case: &Case,
        trial: &Trial<'_>,
        first: &Loaded,
        name: &str,
        undoing: Undoing,
        evidence: HistoryEvidence,
    ) -> Option<Self> {
        let timed = timed(&case.entries, undoing, &split_names(&case.entries))?;
        let text = text_with(
            &with_convergence_of(first.value_text(), case.loaded.value_text())?,
            &[
                &format!("faults={}", faults_text(&timed)),
                &format!("name=\"{name}\""),
                &format!("summary=\"violates {}\"", trial.symptom.property),
            ],
        )?;
        let text = Outline::new(&text).laid_out("Scenario");
        let loaded = load("shrunk.ron", text.as_bytes(), &[], trial.table).ok()?;
        let report = trial.report(&loaded, case.seed, None, evidence);
        Some(Self { text, loaded, report })
    }
}

impl Shrinker<'_, '_> {
    /// Writes the best case down as it reads best, and runs that; `None` where it does not fail then.
    pub(super) fn finish(&mut self, first: &Report) -> Option<Shrunk> {
        let name = format!("{}-shrunk", base_name(&self.best.loaded.scenario.name));
        let mut ways = [Undoing::Beside, Undoing::Apart].into_iter();
        let Written { text, loaded, report } = ways.find_map(|undoing| {
            self.spent.runs += 1;
            let written =
                Written::of(&self.best, self.trial, self.first, &name, undoing, HistoryEvidence::Whole)?;
            self.trial.is_same(&written.report).then_some(written)
        })?;
        let heading = format!(
            "The smallest run found of a failure of `{}`: {}.",
            self.first.scenario.name,
            failing(&report)
        );
        let comment = comment(&heading, &report);
        let size = |loaded: &Loaded, report: &Report| {
            let scenario = loaded.configured(report.seed, self.trial.table).scenario.clone();
            Size::of(report, scenario.clients.total(), heal::entries(&scenario).len())
        };
        Some(Shrunk {
            scenario_text: format!("{comment}{text}\n"),
            capsule: Capsule::of(&loaded, &report),
            before: size(self.first, first),
            after: size(&loaded, &report),
            runs: self.spent.runs,
            loaded,
        })
    }
}

/// The name of a scenario before it was shrunk.
fn base_name(name: &str) -> &str {
    name.strip_suffix("-shrunk").unwrap_or(name)
}

/// The text with as much time to converge as the first had, which candidates have not.
fn with_convergence_of(first: &str, text: &str) -> Option<String> {
    let path = Path::parse("phases.convergence")?;
    match Outline::new(first).find(&path) {
        Some(found) => text_with(text, &[&format!("{path}={}", &first[found.value])]),
        None => Outline::new(text).without(&path).or_else(|| Some(text.to_owned())),
    }
}

/// How a run fails, in words, whether or not its scenario expects that.
pub(super) fn failing(report: &Report) -> String {
    let seed = report.seed;
    match report.violations.first().map(|first| first.property.as_str()) {
        None | Some(PANIC) => format!("with seed {seed} a process panics"),
        Some(property) => format!("with seed {seed} it violates {property}"),
    }
}

/// What the file is.
pub(super) fn comment(heading: &str, report: &Report) -> String {
    let evidence = report.violations.first().map(|first| first.evidence.as_str()).unwrap_or_default();
    let mut text = String::new();
    for paragraph in std::iter::once(heading).chain(evidence.lines()) {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.len() + word.len() + 1 > WIDTH {
                writeln!(text, "// {line}").expect(WRITES);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        writeln!(text, "// {line}").expect(WRITES);
    }
    text
}
