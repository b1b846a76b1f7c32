//! Versions of what is under a key, of which the last ones may not have reached the tail (Terrace and Freedman §2.3).

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::service::{Key, Value};

use crate::replicated::Index;

/// What a key held from an update on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Version {
    index: Index,
    value: Option<Value>,
}

/// The versions of *dirty* keys: those with an update that the tail is not known to have. Of each the last clean one comes first.
/// A key that is not there is clean, and holds what the state says.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Versions {
    by_key: BTreeMap<Key, Vec<Version>>,
}

impl Versions {
    /// An update has changed what is under `key`.
    pub(super) fn change(&mut self, key: Key, index: Index, before: Option<Value>, after: Option<Value>) {
        if before == after {
            return;
        }
        let versions =
            self.by_key.entry(key).or_insert_with(|| vec![Version { index: Index::ZERO, value: before }]);
        assert!(versions.last().is_none_or(|last| last.index < index), "versions of {key} rise, to {index}");
        versions.push(Version { index, value: after });
    }

    /// The tail has everything up to `acknowledged`: older versions than the last of it are not needed.
    pub(super) fn settle(&mut self, acknowledged: Index) {
        self.by_key.retain(|_, versions| {
            let clean =
                versions.iter().rposition(|version| version.index <= acknowledged).unwrap_or_default();
            versions.drain(..clean);
            versions.len() > 1
        });
    }

    /// Whether the tail is known to have all versions of it.
    pub fn is_clean(&self, key: Key) -> bool {
        !self.by_key.contains_key(&key)
    }

    /// How many keys are dirty.
    pub fn dirty_count(&self) -> usize {
        self.by_key.len()
    }

    /// What `key` held after the update at `index`: `last`, what the state says, if it is clean.
    pub(super) fn value_at(&self, key: Key, index: Index, last: Option<Value>) -> Option<Value> {
        let Some(versions) = self.by_key.get(&key) else { return last };
        let version = versions.iter().rfind(|version| version.index <= index).unwrap_or(&versions[0]);
        version.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_dirty_until_the_tail_has_its_last_version() {
        let (mut versions, key) = (Versions::default(), Key(1));
        versions.change(key, Index(4), Some(1), Some(2));
        versions.change(key, Index(6), Some(2), None);
        versions.change(Key(2), Index(7), Some(3), Some(3));
        let at = |versions: &Versions, index| versions.value_at(key, Index(index), Some(9));
        assert_eq!([3, 4, 5, 6].map(|index| at(&versions, index)), [Some(1), Some(2), Some(2), None]);
        assert!(versions.is_clean(Key(2)), "nothing has changed there");
        versions.settle(Index(5));
        assert_eq!((at(&versions, 3), at(&versions, 6)), (Some(2), None), "the first is not needed");
        versions.settle(Index(6));
        assert!(versions.is_clean(key) && versions.dirty_count() == 0);
        assert_eq!(at(&versions, 6), Some(9), "what the state says");
    }
}
