//! What is wrong with a history file, and in which line.

use crate::failure::{Failure, Usage};

/// Something wrong in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// From 1.
    pub(crate) line: usize,
    /// A sentence without its full stop.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// As people get it.
    pub(crate) fn in_file(self, name: &str) -> Failure {
        let message = format!("{name}:{}: {}", self.line, self.message);
        let hint = self.hint.unwrap_or_else(|| "`splitbrain history --help` shows the forms".to_owned());
        Usage::new(message, "a history of invocations and their completions", hint).into()
    }
}
