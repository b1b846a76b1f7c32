//! Why a scenario makes no sense, and where.

use crate::text::diagnostic::name_advice;
use crate::text::{Path, Step};

/// Why values make no sense together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The field to change.
    pub path: Path,
    /// What is wrong.
    pub problem: String,
    /// What may stand there.
    pub allowed: String,
    /// What to do.
    pub hint: String,
}

impl Objection {
    /// A `problem` with the field at `path`, such as `protocol.heartbeat`; what is `allowed` there, and what to do.
    ///
    /// # Panics
    /// If `path` is no path; names from files are added with [`Objection::within`].
    pub fn new(
        path: &str,
        problem: impl Into<String>,
        allowed: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let path = Path::parse(path).expect("paths in code are well-formed");
        Self { path, problem: problem.into(), allowed: allowed.into(), hint: hint.into() }
    }

    /// A `problem` with a name, `seen`, that is none of the `names` allowed; the hint is the nearest, if one is near.
    ///
    /// # Panics
    /// As [`Objection::new`].
    pub fn unknown(path: &str, problem: impl Into<String>, seen: &str, names: &[String]) -> Self {
        let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
        let (allowed, hint) = name_advice(seen, &borrowed);
        Self::new(path, problem, allowed, hint)
    }

    /// The same one step deeper.
    pub fn within(mut self, step: Step) -> Self {
        let mut steps = self.path.steps().to_vec();
        steps.push(step);
        self.path = Path::new(steps);
        self
    }
}
