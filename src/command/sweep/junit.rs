//! What a sweep came to as `JUnit` XML: a suite a scenario, a test case a configuration. A failure's text ends in the
//! command that replays it.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::failure::Failure;
use crate::sweep::{Grid, Rate, Row, Tally};
use crate::table::grouped;

/// The document.
pub(super) fn text(grid: &Grid, tally: &Tally) -> Result<String, Failure> {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for (place, configuration) in grid.configurations.iter().enumerate() {
        let scenario = configuration.scenario.as_str();
        let suite = suites.entry(scenario).or_insert_with(|| TestSuite::new(scenario));
        suite.add_test_case(case(grid, tally, place));
    }
    let mut report = Report::new("splitbrain sweep");
    report.add_test_suites(suites.into_values());
    report.to_string().map_err(|error| Failure::Internal(format!("no JUnit XML: {error}")))
}

fn case(grid: &Grid, tally: &Tally, place: usize) -> TestCase {
    let configuration = &grid.configurations[place];
    let verdicts = &tally.by_configuration[place];
    let status = match &tally.first_failures[place] {
        Some(row) => failed(grid, row, verdicts.failures(), verdicts.total()),
        None if verdicts.total() == 0 => TestCaseStatus::skipped(),
        None => TestCaseStatus::success(),
    };
    let set = configuration.set.join(" ");
    let name = if set.is_empty() { "as it is written".to_owned() } else { set };
    let mut case = TestCase::new(name, status);
    case.set_classname(configuration.scenario.as_str());
    case
}

fn failed(grid: &Grid, row: &Row, count: u64, of: u64) -> TestCaseStatus {
    let configuration = grid.configuration(row.job);
    let rate = format!("{} of {} runs failed, {}", grouped(count), grouped(of), Rate::of(count, of));
    let evidence =
        row.violation.as_ref().map(|violated| format!("\n{}", violated.evidence)).unwrap_or_default();
    let seed = grid.seed(row.job);
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(row.verdict.name());
    status.set_message(format!("seed {seed}: {}", row.text));
    status.set_description(format!(
        "{rate}; the first with seed {seed}:\n{}{evidence}\n{}",
        row.text,
        configuration.command(seed)
    ));
    status
}
