//! Running some of the runs twice: whether they are the same, and if not, from which event on.

use scenarios::{ProtocolTable, Report, RunOptions};
use sim_core::fingerprint::fingerprint;

use super::{Job, Row};
use crate::session::parting;

/// Of how many runs one is chosen, as a share of 2³².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DoubleCheck(u64);

impl DoubleCheck {
    /// No run.
    pub(crate) const NONE: Self = Self(0);

    /// So many percent.
    pub(crate) fn percent(percent: u8) -> Self {
        Self::of(f64::from(percent.min(100)) / 100.0)
    }

    /// Reads `5%` or `0.05`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "a share of the runs is written `5%` or `0.05`, and is at most all of them".to_owned();
        let (number, scale) = match text.trim().strip_suffix('%') {
            Some(percent) => (percent.trim(), 100.0),
            None => (text.trim(), 1.0),
        };
        let share = number.parse::<f64>().map_err(|_| wrong())? / scale;
        if (0.0..=1.0).contains(&share) { Ok(Self::of(share)) } else { Err(wrong()) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a share of at most 1 is at most 2^32")]
    #[expect(clippy::cast_sign_loss, reason = "a share is not negative")]
    #[expect(clippy::cast_precision_loss, reason = "2^32 is exact")]
    fn of(share: f64) -> Self {
        Self((share * (1_u64 << 32) as f64).round() as u64)
    }

    /// Whether a job is run twice: a matter of its number alone.
    fn is_chosen(self, job: u64) -> bool {
        fingerprint(&("double-check", job)) >> 32 < self.0
    }

    /// The row of a job that has ended; if it is chosen, after it was run again.
    pub(crate) fn row(self, job: &Job<'_>, ended: Result<Report, String>, table: &ProtocolTable) -> Row {
        let Ok(report) = ended else { return Row::of(job, ended) };
        if !self.is_chosen(job.index) {
            return Row::of(job, Ok(report));
        }
        let again = scenarios::run(job.loaded, table, job.seed, &RunOptions::default()).report;
        match parting(job.loaded, table, None, [&report, &again]) {
            None => Row::of(job, Ok(report)),
            Some(parting) => Row::of_parting(job, report, &parting),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_or_a_fraction() {
        assert_eq!(DoubleCheck::parse("5%"), DoubleCheck::parse("0.05"));
        assert_eq!(DoubleCheck::parse("100 %"), Ok(DoubleCheck(1 << 32)));
        assert_eq!(DoubleCheck::parse("0"), Ok(DoubleCheck::NONE));
        for wrong in ["", "%", "-1%", "101%", "2", "NaN", "five"] {
            assert!(DoubleCheck::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn about_so_many_are_chosen_as_were_asked_for() {
        let check = DoubleCheck::parse("5%").expect("good");
        let chosen = (0..10_000).filter(|job| check.is_chosen(*job)).count();
        assert!((400..600).contains(&chosen), "{chosen}");
        assert!((0..100).all(|job| DoubleCheck::parse("1").expect("good").is_chosen(job)));
        assert!(!(0..100).any(|job| DoubleCheck::NONE.is_chosen(job)));
    }
}
