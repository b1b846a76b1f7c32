//! Why a scenario makes no sense, and where.

use crate::text::diagnostic::nearest_name;
use crate::text::{Path, Step};

/// Why values make no sense together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The field to change.
    pub path: Path,
    /// What is wrong.
    pub problem: String,
    /// What may stand there.
    pub allowed: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// Beyond this many, allowed names are cut off.
const NAMES_MAX: usize = 32;

impl Objection {
    /// A `problem` with the field at `path`, such as `protocol.heartbeat`.
    ///
    /// # Panics
    /// If `path` is no path; names from files are added with [`Objection::within`].
    pub fn new(path: &str, problem: impl Into<String>) -> Self {
        let path = Path::parse(path).expect("paths in code are well-formed");
        Self { path, problem: problem.into(), allowed: None, hint: None }
    }

    /// The same one step deeper.
    pub fn within(mut self, step: Step) -> Self {
        let mut steps = self.path.steps().to_vec();
        steps.push(step);
        self.path = Path::new(steps);
        self
    }

    /// Adds what is allowed.
    pub fn allowed(self, allowed: impl Into<String>) -> Self {
        Self { allowed: Some(allowed.into()), ..self }
    }

    /// Adds what to do.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds `names` as what is allowed, and the one nearest to `seen` as a hint if it is near enough.
    pub fn allowed_names(self, seen: &str, names: &[String]) -> Self {
        let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
        let shown: Vec<String> = names.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
        let objection = self.allowed(shown.join(", "));
        match nearest_name(seen, &borrowed) {
            Some(name) => objection.hint(format!("did you mean `{name}`?")),
            None => objection,
        }
    }
}
