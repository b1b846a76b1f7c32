//! Failures as annotations of a code host: a line each, which its pages show beside the change.

use std::fmt::Write as _;

use crate::sweep::{Grid, Tally};

/// The workflow commands of GitHub Actions: `::error title=…::…`.
pub(super) fn github(grid: &Grid, tally: &Tally) -> String {
    let mut text = String::new();
    for group in tally.groups() {
        let Some(row) = group.first.first() else { continue };
        let title = format!("{}: {}", group.cause.verdict, group.cause.what);
        let command = grid.configuration(row.job).command(grid.seed(row.job));
        let evidence =
            row.violation.as_ref().map_or(row.text.as_str(), |violated| violated.evidence.as_str());
        let message = format!(
            "{} of {} runs of {}\n{evidence}\n{command}",
            group.count, group.of, group.cause.protocol
        );
        writeln!(text, "::error title={}::{}", property(&title), data(&message))
            .expect("a string takes every text");
    }
    text
}

/// A message as the host reads it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command, which also ends at colons and commas.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_an_annotation_is_escaped() {
        assert_eq!(data("50 %\nnext"), "50 %25%0Anext");
        assert_eq!(property("panic: a, b"), "panic%3A a%2C b");
    }
}
