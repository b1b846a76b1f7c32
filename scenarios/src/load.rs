//! From the bytes of a file to a scenario that can be run, or one clear error.
//!
//! Errors come in this order: the bytes (size, UTF-8, emptiness), overrides, the version, the notation and the types,
//! what fields may be together, what may be drawn for them.

use sim_core::fingerprint::fingerprint;

use crate::configure::KnownConfigurations;
use crate::format::{FORMAT_VERSION, Scenario};
use crate::protocol::ProtocolTable;
use crate::text::{self, Diagnostic, Document, Outline, Override, Path, Step};
use crate::validate::{Objection, validate};

/// A scenario that was read and checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says. What a seed draws is not in it: [`Loaded::configured`].
    pub scenario: Scenario,
    /// The fingerprint of its text, overrides applied, comments around it left out: two runs with equal ones had the
    /// same scenario.
    pub text_digest: u64,
    /// Its text, overrides applied.
    document: Document,
    /// Its text as it was read.
    file: Document,
    /// Those overrides, and those that the text had already: what is set by hand is not drawn.
    overrides: Vec<Override>,
    /// How many of them the text had already.
    known_overrides: usize,
    /// Scenarios that seeds have had, so that each combination of drawn values is read once.
    pub(crate) known: KnownConfigurations,
}

impl Loaded {
    pub(crate) const fn document(&self) -> &Document {
        &self.document
    }

    /// Its text, overrides applied, without what stands before and behind it.
    pub fn value_text(&self) -> &str {
        self.document.value_text()
    }

    pub(crate) fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// The same file with these overrides instead of those it was loaded with; `table` is the one of before.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn reloaded(&self, overrides: &[Override], table: &ProtocolTable) -> Result<Self, Diagnostic> {
        checked(self.file.clone(), &self.overrides[..self.known_overrides], overrides, table)
    }
}

/// Reads and checks a scenario. `name` is what errors call the file; `table` has the protocols it may use.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn load(
    name: &str,
    bytes: &[u8],
    overrides: &[Override],
    table: &ProtocolTable,
) -> Result<Loaded, Diagnostic> {
    checked(Document::read(name, bytes)?, &[], overrides, table)
}

/// The scenario of a text with these overrides; `known` are some that it has had already.
pub(crate) fn checked(
    file: Document,
    known: &[Override],
    overrides: &[Override],
    table: &ProtocolTable,
) -> Result<Loaded, Diagnostic> {
    text::check_apart(&file, overrides)?;
    let document = text::apply(&file, overrides)?;
    check_version(&document, FORMAT_VERSION)?;
    let scenario = parse_and_validate(&document, table)?;
    let text_digest = fingerprint(document.value_text());
    let (overrides, known_overrides) = ([known, overrides].concat(), known.len());
    let known = KnownConfigurations::default();
    let loaded = Loaded { scenario, text_digest, document, file, overrides, known_overrides, known };
    loaded.check_draws(table)?;
    Ok(loaded)
}

/// The scenario that a text describes, if it makes sense.
pub(crate) fn parse_and_validate(document: &Document, table: &ProtocolTable) -> Result<Scenario, Diagnostic> {
    let scenario: Scenario = text::parse(document)?;
    validate(&scenario, table).map_err(|objection| located(&objection, document))?;
    Ok(scenario)
}

/// Refuses a file of a version later than `newest` before its unknown fields are complained about.
pub(crate) fn check_version(document: &Document, newest: u32) -> Result<(), Diagnostic> {
    let path = Path::new(vec![Step::Name("format_version".to_owned())]);
    let outline = Outline::new(document.text());
    let Some(found) = outline.find(&path) else { return Ok(()) };
    let written = document.text().get(found.value).unwrap_or_default();
    match written.parse::<u64>() {
        Ok(version) if version > u64::from(newest) => {
            let message = format!("format version {version} is newer than this program");
            let allowed = format!("`{newest}`");
            let hint = "use a newer version of the program";
            Err(Diagnostic::new(message, document.place_of(&path), allowed, hint))
        }
        // What is no number is the parser's to refuse.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The objection with the place it is about.
fn located(objection: &Objection, document: &Document) -> Diagnostic {
    let place = document.place_of(&objection.path);
    Diagnostic::new(&objection.problem, place, objection.allowed.as_str(), objection.hint.as_str())
}

#[cfg(test)]
mod tests;
