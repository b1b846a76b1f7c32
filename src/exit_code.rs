//! What a command ends with, for scripts. `--help` and the manual page print the same table.

use std::fmt::Write;

/// An exit code of `splitbrain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExitCode(u8);

impl ExitCode {
    /// The run passed, or violated what its scenario expects it to violate; or the command did what it was asked.
    pub(crate) const PASS: Self = Self(0);
    /// A property was violated: safety, liveness, or a process that panicked.
    pub(crate) const VIOLATION: Self = Self(1);
    /// The command line, a file or a place to write to is wrong.
    pub(crate) const USAGE: Self = Self(2);
    /// The run ended undecided: out of its budget, or a checker could not tell.
    pub(crate) const INCONCLUSIVE: Self = Self(3);
    /// Nothing was selected, so nothing was done.
    pub(crate) const NOTHING_SELECTED: Self = Self(4);
    /// Disks suffered more than the protocol promises to survive, and that was all.
    pub(crate) const BEYOND_PROMISE: Self = Self(5);
    /// Splitbrain itself is wrong, or a run made twice was not the same.
    pub(crate) const INTERNAL: Self = Self(70);
    /// Ctrl-C; what was reached has been printed.
    pub(crate) const INTERRUPTED: Self = Self(130);

    /// All of them with a line each.
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::PASS, "pass, or the violation that the scenario expects"),
        (Self::VIOLATION, "violation: safety, liveness, or a panic in a process"),
        (Self::USAGE, "wrong usage or a bad file"),
        (Self::INCONCLUSIVE, "inconclusive, or out of budget"),
        (Self::NOTHING_SELECTED, "nothing was selected"),
        (Self::BEYOND_PROMISE, "disks suffered beyond what the protocol promises to survive"),
        (Self::INTERNAL, "internal error, or a run made twice differs"),
        (Self::INTERRUPTED, "interrupted"),
    ];

    /// The number.
    pub(crate) const fn number(self) -> u8 {
        self.0
    }

    /// The table of those that a command ends with, for its `--help`.
    pub(crate) fn help(codes: &[Self]) -> String {
        let mut text = String::from("Exit codes:\n");
        for (code, meaning) in Self::ALL.iter().filter(|(code, _)| codes.contains(code)) {
            writeln!(text, "  {:>3}  {meaning}", code.0).expect("a string takes every text");
        }
        text
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_in_the_table_once_and_in_order() {
        assert!(ExitCode::ALL.is_sorted_by(|(a, _), (b, _)| a.number() < b.number()));
    }
}
