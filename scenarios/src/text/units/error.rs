//! What is wrong with a quantity that a person wrote.

/// A text that is no quantity of the kind asked for: what was seen, what is allowed, and what to write instead.
///
/// Printed on one line as `message; allowed: …; hint: …`. That form survives a trip through a deserializer, whose
/// errors are plain text, and [`super::super::parse()`] takes it apart again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; allowed: {allowed}; hint: {hint}")]
pub struct UnitError {
    /// What is wrong, with the text seen in backticks.
    pub problem: String,
    /// What may stand here.
    pub allowed: &'static str,
    /// What to write instead.
    pub hint: String,
}

impl UnitError {
    /// A `problem` with the forms `allowed` and a text to write instead, without its quotes.
    pub(crate) fn new(problem: String, allowed: &'static str, instead: &str) -> Self {
        Self { problem, allowed, hint: format!("write `\"{instead}\"`") }
    }
}
