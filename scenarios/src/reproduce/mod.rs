//! Published numbers, and how to come to them: a scenario, how many runs, a statistic over them, what is expected.
//!
//! ```text
//! Reproduction ─ scenario, overrides, runs ─► a report each ─ measure ─► a value each ─ statistic ─► ours
//!             └─ expected, tolerance, source ──────────────────────────────────────────────► pass or fail
//! ```
//!
//! A file says all of it: no code is written for a paper. What is expected, and how near to it ours must come, are in the
//! file with their source before anything is run, and are never fitted to what comes out.

mod format;
mod measure;
mod quantity;
mod statistic;

pub use self::format::{Figure, LatencyPart, Mark, Measure, REPRODUCTION_VERSION, Reproduction, Tolerance};
pub use self::quantity::Quantity;
pub use self::statistic::Statistic;
use crate::load::{Loaded, load};
use crate::protocol::ProtocolTable;
use crate::text::{self, Diagnostic, Document, Override, Path};
use crate::{library, run};

mod embedded {
    use crate::library::Entry;

    include!(concat!(env!("OUT_DIR"), "/reproduce.rs"));

    /// All reproductions, by path.
    pub(super) const fn all() -> &'static [Entry] {
        ENTRIES
    }
}

/// The reproductions that come with the program, by path.
pub const fn all() -> &'static [library::Entry] {
    embedded::all()
}

/// A reproduction that was read and checked, with its scenario.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What it says.
    pub reproduction: Reproduction,
    /// What is run.
    pub loaded: Loaded,
}

/// What came of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ours {
    /// Our value; `None` where no run has any.
    pub value: Option<Quantity>,
    /// How many runs have no value: what they were to reach did not happen.
    pub missing: u64,
    /// Whether it is near enough to what is expected.
    pub passes: bool,
}

/// Reads and checks a reproduction; `name` is what errors call the file.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn prepare(name: &str, bytes: &[u8], table: &ProtocolTable) -> Result<Prepared, Diagnostic> {
    let document = Document::read(name, bytes)?;
    let reproduction: Reproduction = text::parse(&document)?;
    let at = |path: &str| document.place_of(&Path::parse(path).expect("paths in code are well-formed"));
    if reproduction.format_version != REPRODUCTION_VERSION {
        let problem = format!("there is no format version {}", reproduction.format_version);
        let allowed = format!("`{REPRODUCTION_VERSION}`");
        let hint = format!("write `format_version: {REPRODUCTION_VERSION}`");
        return Err(Diagnostic::new(problem, at("format_version"), allowed, hint));
    }
    if reproduction.runs == 0 || reproduction.figures.is_empty() {
        let allowed = "one run and more, one figure and more";
        let hint = "say how many `runs`, and which `figures` they give";
        return Err(Diagnostic::new("nothing is measured", at("figures"), allowed, hint));
    }
    let Some(entry) = library::find(&reproduction.scenario) else {
        let problem = format!("the library has no scenario `{}`", reproduction.scenario);
        let names: Vec<&str> = library::all().iter().map(|entry| entry.name).collect();
        return Err(Diagnostic::unknown(problem, at("scenario"), &reproduction.scenario, &names));
    };
    let overrides = reproduction
        .set
        .iter()
        .map(|text| Override::parse_for("set:", text))
        .collect::<Result<Vec<_>, _>>()?;
    let loaded = load(entry.path, entry.text.as_bytes(), &overrides, table)?;
    let name = loaded.scenario.protocol.name();
    let protocol = table.find(name).expect("the scenario was checked with this table").about();
    for (index, figure) in reproduction.figures.iter().enumerate() {
        if let Err(problem) = figure.check(&protocol) {
            let allowed = "a measure that runs have, and expected values and bounds in its unit";
            let hint = "times are written with a unit, such as `150ms`, and counts and shares without";
            return Err(Diagnostic::new(problem, at(&format!("figures[{index}]")), allowed, hint));
        }
    }
    Ok(Prepared { reproduction, loaded })
}

impl Reproduction {
    /// The value of each figure in one run.
    pub fn values(&self, report: &run::Report) -> Vec<Option<f64>> {
        self.figures.iter().map(|figure| figure.measure.value(report)).collect()
    }

    /// What came of the figure at `index`, by its values in all runs.
    pub fn ours(&self, index: usize, values: &[Option<f64>]) -> Ours {
        let figure = &self.figures[index];
        let mut present: Vec<f64> = values.iter().flatten().copied().collect();
        present.sort_by(f64::total_cmp);
        let missing = (values.len() - present.len()) as u64;
        let value = figure.statistic.of(&present, values.len()).map(|value| figure.quantity(value));
        // A mean or a percentile of the runs that got there says nothing where some did not.
        let is_whole = missing == 0 || figure.statistic.is_share();
        let passes = is_whole && value.is_some_and(|value| figure.tolerance.accepts(value, figure.expected));
        Ours { value, missing, passes }
    }
}

#[cfg(test)]
mod tests;
