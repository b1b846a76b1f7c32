//! Moments that a person wants to come back to, with names.

use std::collections::BTreeMap;

use sim_core::SimTime;

use super::Direction;

/// The bookmarks of a run, in order of time; one a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bookmarks {
    names: BTreeMap<SimTime, String>,
    /// How many were ever set: each gets a number as its first name.
    count: u32,
}

impl Bookmarks {
    /// Sets one here, or removes the one that is here.
    pub(crate) fn toggle(&mut self, at: SimTime) {
        if self.names.remove(&at).is_none() {
            self.count += 1;
            self.names.insert(at, format!("mark {}", self.count));
        }
    }

    /// Gives the one that is here another name.
    pub(crate) fn rename(&mut self, at: SimTime, name: String) {
        self.names.entry(at).and_modify(|old| *old = name);
    }

    /// All, in order of time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SimTime, &str)> {
        self.names.iter().map(|(at, name)| (*at, name.as_str()))
    }

    /// The nearest after this moment, or before it.
    pub(crate) fn nearest(&self, at: SimTime, direction: Direction) -> Option<SimTime> {
        let mut times = self.names.keys().copied();
        match direction {
            Direction::Forward => times.find(|time| *time > at),
            Direction::Back => times.take_while(|time| *time < at).last(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    #[test]
    fn a_name_that_was_given_stays_until_the_bookmark_goes() {
        let mut bookmarks = Bookmarks::default();
        bookmarks.toggle(at(7));
        bookmarks.rename(at(7), "two leaders".to_owned());
        bookmarks.rename(at(8), "nobody set this".to_owned());
        assert_eq!(bookmarks.iter().collect::<Vec<_>>(), [(at(7), "two leaders")]);
        bookmarks.toggle(at(7));
        bookmarks.toggle(at(7));
        assert_eq!(bookmarks.iter().collect::<Vec<_>>(), [(at(7), "mark 2")], "a new one has a new name");
    }

    proptest! {
        #[test]
        fn forwards_and_back_each_bookmark_is_passed_once(times in prop::collection::btree_set(0_u64..1_000, 0..20)) {
            let mut bookmarks = Bookmarks::default();
            for time in &times {
                bookmarks.toggle(at(*time));
            }
            let walk = |from: u64, direction: Direction| -> Vec<u64> {
                let step = |time: &SimTime| bookmarks.nearest(*time, direction);
                std::iter::successors(Some(at(from)), step).skip(1).map(SimTime::as_nanos).collect()
            };
            let (walk_on, walk_back) = (walk(0, Direction::Forward), walk(2_000, Direction::Back));
            prop_assert_eq!(walk_on, times.iter().copied().filter(|time| *time > 0).collect::<Vec<_>>());
            prop_assert_eq!(walk_back, times.into_iter().rev().collect::<Vec<_>>());
        }
    }
}
