//! Operations of a history as people read them in evidence.

use std::fmt;

use crate::history::HistoryOperation;

/// More lines are left out.
const LINES_MAX: usize = 30;

/// One line each: `  c1#4  write k1=7 -> done  [2ms, 5ms]`.
pub(super) fn write_operations(f: &mut fmt::Formatter<'_>, operations: &[HistoryOperation]) -> fmt::Result {
    for operation in operations.iter().take(LINES_MAX) {
        writeln!(f, "  {}", Line(operation))?;
    }
    if operations.len() > LINES_MAX {
        writeln!(f, "  and {} more", operations.len() - LINES_MAX)?;
    }
    Ok(())
}

/// An operation in one line.
pub(super) struct Line<'a>(pub(super) &'a HistoryOperation);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HistoryOperation { op, operation, invoked, completed, outcome } = self.0;
        write!(f, "{op}  {operation} -> {outcome}  [{invoked}, ")?;
        match completed {
            Some(completed) => write!(f, "{completed}]"),
            None => f.write_str("…)"),
        }
    }
}
