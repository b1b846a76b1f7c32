//! Ratios: what one thing costs in another, such as messages for each operation.
//!
//! They follow from the counters when a summary is asked for, and cost a run nothing.

use std::collections::BTreeMap;

use crate::SimTime;
use crate::metrics::{Counter, Metrics};

/// How much of one thing there was for each of another.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// The name in reports, in kebab-case.
    pub name: &'static str,
    /// What is divided.
    pub of: Counter,
    /// By what.
    pub to: Counter,
}

/// The ratios of every run; one is left out where there is nothing to divide by.
pub const RATIOS: [Ratio; 10] = [
    per("messages-per-operation", Counter::MessagesSent, Counter::OperationsCompleted),
    per("bytes-per-operation", Counter::BytesSent, Counter::OperationsCompleted),
    per("writes-per-operation", Counter::DiskWrites, Counter::OperationsCompleted),
    per("syncs-per-operation", Counter::Syncs, Counter::OperationsCompleted),
    per("retries-per-operation", Counter::Retries, Counter::OperationsCompleted),
    per("messages-per-decision", Counter::MessagesSent, Counter::Decided),
    per("bytes-per-decision", Counter::BytesSent, Counter::Decided),
    per("syncs-per-decision", Counter::Syncs, Counter::Decided),
    per("candidacies-per-leader", Counter::Candidacies, Counter::LeadersElected),
    per("epochs-per-leader", Counter::Epochs, Counter::LeadersElected),
];

/// The name of the throughput: operations completed a second, from the start of the run.
pub const THROUGHPUT: &str = "operations-per-second";

const fn per(name: &'static str, of: Counter, to: Counter) -> Ratio {
    Ratio { name, of, to }
}

/// All ratios of a run that has come to `now`, in thousandths, rounded down.
pub(crate) fn all(metrics: &Metrics, now: SimTime) -> BTreeMap<&'static str, u64> {
    let counted =
        RATIOS.map(|ratio| (ratio.name, metrics.counter(ratio.of), u128::from(metrics.counter(ratio.to))));
    let completed = metrics.counter(Counter::OperationsCompleted);
    let throughput = thousandths(completed, 1_000_000_000, u128::from(now.as_nanos()));
    let ratios = counted.into_iter().filter_map(|(name, of, to)| Some((name, thousandths(of, 1, to)?)));
    ratios.chain(throughput.map(|throughput| (THROUGHPUT, throughput))).collect()
}

/// `of × scale / to` in thousandths; `None` where that is divided by zero.
fn thousandths(of: u64, scale: u64, to: u128) -> Option<u64> {
    let scaled = u128::from(of) * u128::from(scale) * 1_000;
    scaled.checked_div(to).map(|ratio| u64::try_from(ratio).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_none_of_divides_nothing() {
        assert_eq!(all(&Metrics::new(), SimTime::ZERO), BTreeMap::new());
        let mut metrics = Metrics::new();
        metrics.add(Counter::MessagesSent, 5);
        assert_eq!(all(&metrics, SimTime::from_nanos(1)), [(THROUGHPUT, 0)].into());
    }

    #[test]
    fn ratios_are_in_thousandths_and_rounded_down() {
        let mut metrics = Metrics::new();
        metrics.add(Counter::MessagesSent, 20);
        metrics.add(Counter::OperationsCompleted, 3);
        let ratios = all(&metrics, SimTime::from_nanos(2_000_000_000));
        assert_eq!((ratios["messages-per-operation"], ratios[THROUGHPUT]), (6_666, 1_500));
        assert!(!ratios.contains_key("epochs-per-leader"), "nobody led");
    }

    #[test]
    fn names_are_unique_and_say_what_is_divided_by_what() {
        let names: std::collections::BTreeSet<_> = RATIOS.iter().map(|ratio| ratio.name).collect();
        assert_eq!(names.len(), RATIOS.len());
        assert!(names.iter().all(|name| name.contains("-per-")), "{names:?}");
    }
}
