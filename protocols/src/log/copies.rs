//! The copies of a broker, found in one step: a broker may have thousands.

use serde::{Serialize, Serializer};

use super::replica::Replica;
use super::types::PartitionId;

/// Copies of partitions, by the number of the partition.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    /// `None` where it has no copy.
    by_number: Vec<Option<Replica>>,
}

impl Copies {
    /// Its copy of a partition.
    #[inline]
    pub fn get(&self, id: PartitionId) -> Option<&Replica> {
        self.by_number.get(id.index())?.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: PartitionId) -> Option<&mut Replica> {
        self.by_number.get_mut(id.index())?.as_mut()
    }

    /// All of them, in the order of the partitions.
    pub fn iter(&self) -> impl Iterator<Item = (PartitionId, &Replica)> {
        let numbered = (0..).map(PartitionId).zip(&self.by_number);
        numbered.filter_map(|(id, copy)| Some((id, copy.as_ref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (PartitionId, &mut Replica)> {
        let numbered = (0..).map(PartitionId).zip(&mut self.by_number);
        numbered.filter_map(|(id, copy)| Some((id, copy.as_mut()?)))
    }

    /// Of which partitions there are copies, in order.
    pub(super) fn ids(&self) -> Vec<PartitionId> {
        self.iter().map(|(id, _)| id).collect()
    }
}

/// Empty copies of these partitions.
impl FromIterator<PartitionId> for Copies {
    fn from_iter<I: IntoIterator<Item = PartitionId>>(ids: I) -> Self {
        let mut by_number = Vec::new();
        for id in ids {
            by_number.resize_with(by_number.len().max(id.index() + 1), || None);
            by_number[id.index()] = Some(Replica::default());
        }
        Self { by_number }
    }
}

/// As a map by partition.
impl Serialize for Copies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
