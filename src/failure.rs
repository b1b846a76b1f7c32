//! Why a command could not do what it was asked, in the house format: what failed, what is allowed, a hint.

use std::fmt;
use std::io;
use std::path::Path;

use scenarios::text::Diagnostic;
use scenarios::text::diagnostic::nearest_name;

use crate::exit_code::ExitCode;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Texts that people wrote are wrong.
    Texts(Vec<Diagnostic>),
    /// Anything else that the user can put right.
    Usage(Usage),
    /// Splitbrain itself is wrong: what happened.
    Internal(String),
}

/// Something that the user can put right.
#[derive(Debug)]
pub(crate) struct Usage {
    /// What failed: a sentence without its full stop, literals in backticks.
    pub(crate) message: String,
    /// What may stand there.
    pub(crate) allowed: String,
    /// What to do.
    pub(crate) hint: String,
    /// What the command ends with.
    pub(crate) code: ExitCode,
}

impl Usage {
    pub(crate) fn new(
        message: impl Into<String>,
        allowed: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (message, allowed, hint) = (message.into(), allowed.into(), hint.into());
        Self { message, allowed, hint, code: ExitCode::USAGE }
    }

    /// A file or directory could not be read.
    pub(crate) fn read(name: impl fmt::Display, error: &io::Error) -> Self {
        let hint = "look at the name and at who may read it";
        Self::new(format!("cannot read `{name}`: {}", reason(error)), "what is there and may be read", hint)
    }

    /// `name` is none of `names`, of which the nearest is the hint; where none is near, `otherwise` is.
    pub(crate) fn unknown(
        message: String,
        allowed: impl Into<String>,
        name: &str,
        names: &[&str],
        otherwise: impl Into<String>,
    ) -> Self {
        let near = nearest_name(name, names).map(|near| format!("did you mean `{near}`?"));
        let hint = near.unwrap_or_else(|| otherwise.into());
        Self::new(message, allowed, hint).code(ExitCode::NOTHING_SELECTED)
    }

    pub(crate) fn code(mut self, code: ExitCode) -> Self {
        self.code = code;
        self
    }
}

impl Failure {
    /// Something could not be written.
    pub(crate) fn write(what: &str, error: &io::Error) -> Self {
        let message = format!("cannot write {what}: {}", reason(error));
        Usage::new(message, "a place that is there, has room and may be written to", "write elsewhere").into()
    }

    /// A file could not be written.
    pub(crate) fn write_file(path: &Path, error: &io::Error) -> Self {
        Self::write(&format!("`{}`", path.display()), error)
    }

    /// What the command ends with.
    pub(crate) const fn code(&self) -> ExitCode {
        match self {
            Self::Texts(_) => ExitCode::USAGE,
            Self::Usage(usage) => usage.code,
            Self::Internal(_) => ExitCode::INTERNAL,
        }
    }
}

/// The operating system's reason without its number: `no such file or directory`.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

impl From<Usage> for Failure {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Texts(vec![diagnostic])
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        for (name, note) in [("allowed", &self.allowed), ("hint", &self.hint)] {
            writeln!(f, "   = {name}: {note}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Texts(diagnostics) => diagnostics.iter().try_for_each(|diagnostic| diagnostic.fmt(f)),
            Self::Usage(usage) => usage.fmt(f),
            Self::Internal(what) => writeln!(f, "error: splitbrain itself failed: {what}"),
        }
    }
}
