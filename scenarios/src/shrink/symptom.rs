//! What a run failed of, so that a smaller one can be told to fail the same way.

use sim_core::check::{CONDITIONS, LeaderIsKept, LivenessCondition};

use crate::run::{Report, Verdict};

/// The property that is violated first, and the evidence without its names and numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symptom {
    /// The property.
    pub property: String,
    /// What shows it: `# leads # without the entries up to #`.
    pub evidence: String,
}

impl Symptom {
    /// That of a run; `None` where nothing is violated, or disks suffered more than is promised.
    pub fn of(report: &Report) -> Option<Self> {
        match &report.verdict {
            Verdict::Violation { .. }
            | Verdict::ExpectedViolation { .. }
            | Verdict::Liveness { .. }
            | Verdict::Panic { .. } => {}
            Verdict::Pass
            | Verdict::ExpectationMissed { .. }
            | Verdict::BeyondPromise
            | Verdict::Inconclusive { .. }
            | Verdict::InternalError { .. } => return None,
        }
        let first = report.violations.first()?;
        Some(Self { property: first.property.clone(), evidence: kind_of(&first.evidence) })
    }
}

impl Symptom {
    /// Whether something did not happen in time, so that time is part of the claim.
    pub(super) fn is_of_time(&self) -> bool {
        let is_it = |condition: &dyn LivenessCondition| condition.about().name == self.property;
        CONDITIONS.iter().any(|condition| is_it(*condition)) || is_it(&LeaderIsKept)
    }
}

/// The first line of the evidence, each word with a digit in it masked: names and numbers are another run's. What comes
/// after a colon are values.
fn kind_of(evidence: &str) -> String {
    let line = evidence.lines().next().unwrap_or_default();
    let claim = line.split(": ").next().unwrap_or_default();
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut masked = String::new();
    let mut rest = claim;
    while let Some(begin) = rest.find(is_part) {
        masked.push_str(&rest[..begin]);
        let word = &rest[begin..];
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let has_digit = word[..end].contains(|c: char| c.is_ascii_digit());
        masked.push_str(if has_digit { "#" } else { &word[..end] });
        rest = &word[end..];
    }
    masked.push_str(rest);
    without_repeats(&masked)
}

/// `#, # and #` as `#`: how many there are is another run's as well.
fn without_repeats(masked: &str) -> String {
    let mut text = masked.to_owned();
    for list in ["#, #", "# and #"] {
        while text.contains(list) {
            text = text.replace(list, "#");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::kind_of;

    #[test]
    fn names_and_numbers_do_not_tell_two_failures_apart() {
        let one =
            "n5 leads t17 without the entries up to 17 that were committed in t13: chain 1b78, not 2f3d";
        let two = "n1 leads t3 without the entries up to 2 that were committed in t2: chain 99, not 17";
        assert_eq!(kind_of(one), "# leads # without the entries up to # that were committed in #");
        assert_eq!(kind_of(one), kind_of(two));
    }

    #[test]
    fn words_tell_two_failures_apart() {
        assert_ne!(kind_of("n1 voted twice in t3"), kind_of("n1 forgot its vote in t3"));
    }

    #[test]
    fn how_many_there_are_does_not_matter() {
        assert_eq!(kind_of("n1, n2 and n5 lead t3"), kind_of("n1 and n2 lead t3"));
    }
}
