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

/// What kind of claim was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Something happened that must not.
    Safety,
    /// Something did not happen in time after the faults.
    Convergence,
    /// What held after that did not go on to hold.
    Steadiness,
}

impl Symptom {
    /// What kind of claim was broken.
    pub(super) fn kind(&self) -> Kind {
        let is_it = |condition: &dyn LivenessCondition| condition.about().name == self.property;
        if is_it(&LeaderIsKept) {
            Kind::Steadiness
        } else if CONDITIONS.iter().any(|condition| is_it(*condition)) {
            Kind::Convergence
        } else {
            Kind::Safety
        }
    }
}

/// The first claim of the evidence, with names and numbers masked: those are another run's. What comes after a colon, a
/// semicolon or a full stop says more of the values.
fn kind_of(evidence: &str) -> String {
    let line = evidence.lines().next().unwrap_or_default();
    let claim =
        [": ", "; ", ". "].iter().fold(line, |claim, end| claim.split(end).next().unwrap_or_default());
    let words: Vec<String> = without_quotes(claim).split_whitespace().map(masked).collect();
    without_repeats(&words.join(" "))
}

/// What stands between backticks is a value, whatever it says.
fn without_quotes(claim: &str) -> String {
    let parts = claim.split('`').enumerate();
    parts.map(|(place, part)| if place % 2 == 0 { part } else { "#" }).collect()
}

/// A word with a digit in it as `#`, but for the marks around it.
fn masked(word: &str) -> String {
    let core = word.trim_matches(|letter: char| matches!(letter, '(' | ')' | ','));
    let has_digit = core.contains(|letter: char| letter.is_ascii_digit());
    if has_digit { word.replace(core, "#") } else { word.to_owned() }
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
        assert_eq!(kind_of("only n1 of n1,n2,n3 has it"), "only # of # has it");
    }

    #[test]
    fn values_do_not_matter() {
        let one = "n1 proposes `noop` under b4.n3 for slot 308, and `c3#94 write k2=3` is chosen under b2.n2";
        let two = "n2 proposes `c1#0 cas k0 1->2` under b2.n2 for slot 1, and `noop` is chosen under b1.n1/e67ebe0c";
        assert_eq!(kind_of(one), "# proposes # under # for slot #, and # is chosen under #");
        assert_eq!(kind_of(one), kind_of(two));
        let one = "no order of the 113 operations on k0 is legal. After the longest (40 operations, then no value) none";
        assert_eq!(kind_of(one), "no order of the # operations on # is legal");
    }
}
