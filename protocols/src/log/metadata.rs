//! The cluster's metadata as Raft replicates it (`KRaft`): a log of changes.
//!
//! What the controller decides at a time may concern many partitions, and counts only as a whole: it is a *batch* of
//! entries, and takes effect with its last. One that a leader could not finish never does: the next batch, or the empty entry with
//! which the next leader begins, drops what there is of it.

use std::fmt;
use std::mem;
use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;
use sim_core::view::ViewBuilder;

use super::Node;
use super::image::{Image, PartitionState, Registration};
use super::types::PartitionId;
use crate::raft::Application;
use crate::replicated::{Change, Saved, State, Told};

/// One of the changes that are made together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What changes.
    pub alteration: Alteration,
    /// Whether it is the first of its batch.
    pub is_first: bool,
    /// Whether it is the last.
    pub is_last: bool,
}

/// What changes in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Alteration {
    /// A broker.
    Broker(NodeId, Registration),
    /// A partition.
    Partition(PartitionId, PartitionState),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.alteration {
            Alteration::Broker(node, Registration { epoch, is_fenced, .. }) => {
                write!(f, "{node} {epoch} {}", if is_fenced { "fenced" } else { "live" })
            }
            Alteration::Partition(id, state) => write!(f, "{id}: {state}"),
        }
    }
}

impl Change for Part {
    const SIZE: u64 = 40;
}

/// The changes that turn `before` into `after`: at least one, so that the version rises.
pub(super) fn batch(before: &Image, after: &Image) -> Vec<Part> {
    let is_new = |(node, broker): &(&NodeId, &Registration)| before.brokers.get(*node) != Some(*broker);
    let brokers = after.brokers.iter().filter(is_new);
    let brokers = brokers.map(|(node, broker)| Alteration::Broker(*node, *broker));
    let pairs = before.partitions.iter().zip(&after.partitions);
    let partitions = (0..).map(PartitionId).zip(pairs).filter(|(_, (was, is))| was != is);
    let partitions = partitions.map(|(id, (_, is))| Alteration::Partition(id, *is));
    let mut changes: Vec<Alteration> = brokers.chain(partitions).collect();
    if changes.is_empty() {
        changes.push(Alteration::Partition(PartitionId(0), *after.partition(PartitionId(0))));
    }
    let last = changes.len() - 1;
    let part = |(place, alteration)| Part { alteration, is_first: place == 0, is_last: place == last };
    changes.into_iter().enumerate().map(part).collect()
}

/// All that a snapshot holds.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    image: Arc<Image>,
    /// The beginning of a batch.
    begun: Vec<Alteration>,
}

impl Saved for Kept {
    fn size(&self) -> u64 {
        self.image.size() + Part::SIZE * self.begun.len() as u64
    }
}

/// A batch that took effect: the image before it and after.
pub type Decision = (Arc<Image>, Arc<Image>);

/// The image, and the batch that has begun. See the [module documentation](self).
#[derive(Clone)]
pub struct Metadata {
    image: Arc<Image>,
    begun: Vec<Alteration>,
}

impl Metadata {
    /// A cluster that begins like this.
    pub(super) const fn new(image: Arc<Image>) -> Self {
        Self { image, begun: Vec::new() }
    }

    /// What was decided.
    pub const fn image(&self) -> &Arc<Image> {
        &self.image
    }

    fn take_effect(&mut self) -> Decision {
        let mut image = Image::clone(&self.image);
        for alteration in mem::take(&mut self.begun) {
            match alteration {
                Alteration::Broker(node, broker) => _ = image.brokers.insert(node, broker),
                Alteration::Partition(id, state) => image.partitions[id.index()] = state,
            }
        }
        image.version += 1;
        let before = mem::replace(&mut self.image, Arc::new(image));
        (before, Arc::clone(&self.image))
    }
}

impl State for Metadata {
    type Change = Part;
    type Saved = Kept;
    type News = Decision;

    fn change(&mut self, Part { alteration, is_first, is_last }: Part) -> Option<Decision> {
        if is_first {
            self.begun.clear();
        }
        self.begun.push(alteration);
        is_last.then(|| self.take_effect())
    }

    /// A batch that the one before could not finish is dropped.
    fn on_new_leader(&mut self) {
        self.begun.clear();
    }

    fn save(&self) -> Kept {
        Kept { image: Arc::clone(&self.image), begun: self.begun.clone() }
    }

    fn load(&mut self, saved: &Kept) {
        (self.image, self.begun) = (Arc::clone(&saved.image), saved.begun.clone());
    }

    fn show(&self, view: &mut ViewBuilder) {
        view.number("version", self.image.version);
        view.number("brokers", self.image.brokers.len() as u64);
    }
}

impl Application for Told<Metadata> {
    type Host = Node;
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;
    use crate::replicated::NodeSet;

    /// An image in which two partitions are different, and a broker has registered.
    fn changed(before: &Image) -> Image {
        let mut image = before.clone();
        let node = NodeId::new(1);
        let broker =
            Registration { incarnation: 7, epoch: super::super::types::BrokerEpoch(1), is_fenced: false };
        image.brokers.insert(node, broker);
        for partition in &mut image.partitions[..2] {
            *partition = PartitionState { leader: Some(node), isr: NodeSet::one(node), ..*partition };
        }
        image.version = before.version + 1;
        image
    }

    #[test]
    fn a_batch_takes_effect_with_its_last_change() {
        let mut metadata = Metadata::new(Arc::new(Image::initial(&Config::new(4))));
        let (before, after) = (Image::clone(metadata.image()), changed(metadata.image()));
        let batch = batch(&before, &after);
        assert_eq!(batch.len(), 3);
        for part in &batch[..2] {
            assert_eq!(metadata.change(*part), None);
            assert_eq!(**metadata.image(), before);
        }
        assert_eq!(metadata.change(batch[2]), Some((Arc::new(before), Arc::new(after.clone()))));
        assert_eq!(**metadata.image(), after);
    }

    #[test]
    fn a_batch_that_was_not_finished_is_dropped_by_the_next_leader_and_by_the_next_batch() {
        let initial = Arc::new(Image::initial(&Config::new(4)));
        let after = changed(&initial);
        let batch = batch(&initial, &after);
        let [mut by_leader, mut by_batch] = [(), ()].map(|()| Metadata::new(Arc::clone(&initial)));
        for part in &batch[..2] {
            by_leader.change(*part);
            by_batch.change(*part);
        }
        by_leader.on_new_leader();
        by_leader.change(Part { is_first: false, ..batch[2] });
        assert!(by_leader.image().brokers.is_empty());
        for part in &batch {
            by_batch.change(*part);
        }
        assert_eq!(**by_batch.image(), after);
    }

    #[test]
    fn a_snapshot_in_the_middle_of_a_batch_has_its_beginning() {
        let initial = Arc::new(Image::initial(&Config::new(4)));
        let after = changed(&initial);
        let batch = batch(&initial, &after);
        let (mut first, mut twin) = (Metadata::new(Arc::clone(&initial)), Metadata::new(initial));
        first.change(batch[0]);
        twin.load(&first.save());
        for part in &batch[1..] {
            twin.change(*part);
        }
        assert_eq!(**twin.image(), after);
    }
}
