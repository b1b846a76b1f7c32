//! The canary: a bug that is built in on purpose, and that a sweep must notice. Where it does not, a sweep without a
//! failure would mean nothing.

use scenarios::ProtocolTable;

use crate::failure::Failure;
use crate::sweep::{Asked, Course, End, Grid, News, Row, Stops, Sweep};

/// Almost every seed catches it: voters don't look whether the candidate's log covers their own.
const MUTANT: &str = "protocol.mutant=no-uptodate-check";
const SCENARIO: &str = "raft/random-elections";
/// So many seeds are tried.
const SEEDS: u64 = 20;

/// Sends the canary; says of what it died.
pub(super) fn send(sweep: &Sweep<'_>, table: &ProtocolTable) -> Result<String, Failure> {
    fails(sweep, table, &[MUTANT.to_owned()])
}

/// That some run fails, through all that a sweep goes through: scenario, runs, rows, tally.
fn fails(sweep: &Sweep<'_>, table: &ProtocolTable, set: &[String]) -> Result<String, Failure> {
    let scenarios = [SCENARIO.to_owned()];
    let grid = Grid::new(&Asked { scenarios: &scenarios, set, vary: &[], seeds: 0..SEEDS }, table)?;
    let mut course = Course::new(&grid, Stops { failures: Some(1), ..Stops::default() });
    sweep.stream((0..SEEDS).map(|index| grid.job(index)), Row::of, |news| {
        if let News::Done(done) = news {
            course.put(done.kept);
        }
        course.look()
    });
    let (tally, end) = course.finish();
    if end == End::Interrupted {
        return Ok("flew away: interrupted".to_owned());
    }
    let row = tally.first_failures.iter().flatten().next().ok_or_else(|| {
        Failure::Internal(format!(
            "the canary did not die: no failure of `{SCENARIO}` in {SEEDS} seeds was noticed"
        ))
    })?;
    Ok(format!("dies, as it must: {} with seed {}", row.text, grid.seed(row.job)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_that_lives_is_an_internal_error() {
        let table = ProtocolTable::builtin();
        let sweep = Sweep::new(&table);
        let short = ["phases.faults=3s".to_owned()];
        let failure = fails(&sweep, &table, &short).expect_err("the right protocol does not fail");
        assert_eq!(failure.code(), crate::exit_code::ExitCode::INTERNAL);
        assert!(failure.to_string().contains("the canary did not die"), "{failure}");
        let died = send(&sweep, &table).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(died.contains("more-up-to-date-correct"), "{died}");
    }
}
