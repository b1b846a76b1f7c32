//! Which jobs are done, in little memory: they are done nearly in order.

use std::collections::BTreeMap;

/// A set of numbers that lie in few ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DoneJobs {
    /// From the first of each range to behind its last; no two touch.
    ranges: BTreeMap<u64, u64>,
}

impl DoneJobs {
    /// Puts one in; says whether it was not there.
    pub(crate) fn insert(&mut self, job: u64) -> bool {
        if self.contains(job) {
            return false;
        }
        let end = self.ranges.remove(&(job + 1)).unwrap_or(job + 1);
        match self.ranges.range_mut(..job).next_back() {
            Some((_, before)) if *before == job => *before = end,
            _ => {
                self.ranges.insert(job, end);
            }
        }
        true
    }

    pub(crate) fn contains(&self, job: u64) -> bool {
        self.ranges.range(..=job).next_back().is_some_and(|(_, end)| job < *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_one_range_however_they_come() {
        let mut done = DoneJobs::default();
        for job in [3, 1, 0, 7, 2, 6] {
            assert!(done.insert(job), "{job}");
        }
        assert!(!done.insert(2), "it is there already");
        assert_eq!(done.ranges, BTreeMap::from([(0, 4), (6, 8)]));
        let within: Vec<u64> = (0..10).filter(|job| done.contains(*job)).collect();
        assert_eq!(within, [0, 1, 2, 3, 6, 7]);
    }
}
