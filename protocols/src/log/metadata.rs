//! The cluster's metadata as Raft replicates it (`KRaft`): a log of changes.
//!
//! What the controller decides at a time may concern many partitions, and counts only as a whole: it is a *batch* of
//! entries, and takes effect with its last. One that a leader could not finish never does: the next batch, or the empty entry with
//! which the next leader begins, drops what there is of it.

use std::fmt;
use std::mem;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sim_core::NodeId;
use sim_core::service::Outcome;
use sim_core::view::ViewBuilder;

use super::Node;
use super::image::{Image, PartitionState, Registration};
use super::types::PartitionId;
use crate::raft::Application;
use crate::replicated::{Agreeable, Chain, Executable, Index, Machine, Piece};

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Step {
    /// Nothing.
    Noop,
    /// One of the changes that are made together.
    Change {
        /// What changes.
        change: Change,
        /// Whether it is the first of its batch, and the last.
        is_first: bool,
        /// See `is_first`.
        is_last: bool,
    },
}

/// What changes in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Change {
    /// A broker.
    Broker(NodeId, Registration),
    /// A partition.
    Partition(PartitionId, PartitionState),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noop => f.write_str("noop"),
            Self::Change { change: Change::Broker(node, broker), .. } => write!(f, "{node} {broker:?}"),
            Self::Change { change: Change::Partition(id, state), .. } => write!(f, "{id} {state:?}"),
        }
    }
}

impl Agreeable for Step {
    const SIZE: u64 = 40;
    const NOOP: Self = Self::Noop;
}

/// The entries that turn `before` into `after`: at least one, so that the version rises.
pub(super) fn batch(before: &Image, after: &Image) -> Vec<Step> {
    let is_new = |(node, broker): &(&NodeId, &Registration)| before.brokers.get(*node) != Some(*broker);
    let brokers = after.brokers.iter().filter(is_new);
    let brokers = brokers.map(|(node, broker)| Change::Broker(*node, *broker));
    let pairs = before.partitions.iter().zip(&after.partitions);
    let partitions = (0..).map(PartitionId).zip(pairs).filter(|(_, (was, is))| was != is);
    let partitions = partitions.map(|(id, (_, is))| Change::Partition(id, *is));
    let mut changes: Vec<Change> = brokers.chain(partitions).collect();
    if changes.is_empty() {
        changes.push(Change::Partition(PartitionId(0), *after.partition(PartitionId(0))));
    }
    let last = changes.len() - 1;
    let step = |(place, change)| Step::Change { change, is_first: place == 0, is_last: place == last };
    changes.into_iter().enumerate().map(step).collect()
}

/// All that a snapshot holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Saved {
    image: Arc<Image>,
    /// The beginning of a batch.
    begun: Vec<Change>,
}

impl Piece for Arc<Saved> {
    fn size(&self) -> u64 {
        self.image.size() + Step::SIZE * self.begun.len() as u64
    }

    fn is_session(&self) -> bool {
        false
    }
}

/// A batch that took effect: the image before it and after.
pub(super) type Decision = (Arc<Image>, Arc<Image>);

/// The image, and what was decided. See the [module documentation](self).
#[derive(Clone)]
pub struct Metadata {
    initial: Arc<Image>,
    image: Arc<Image>,
    begun: Vec<Change>,
    applied: Index,
    chain: Chain,
    /// What its process has not heard of yet.
    news: Vec<Decision>,
}

impl Metadata {
    /// A cluster that begins like this.
    pub(super) fn new(initial: Arc<Image>) -> Self {
        let (applied, chain) = (Index::ZERO, Chain::EMPTY);
        let image = Arc::clone(&initial);
        Self { initial, image, begun: Vec::new(), applied, chain, news: Vec::new() }
    }

    /// What was decided.
    pub const fn image(&self) -> &Arc<Image> {
        &self.image
    }

    /// What was decided since the last call, in order.
    pub(super) fn take_news(&mut self) -> Vec<Decision> {
        mem::take(&mut self.news)
    }

    fn perform(&mut self, change: Change, is_first: bool, is_last: bool) {
        if is_first {
            self.begun.clear();
        }
        self.begun.push(change);
        if is_last {
            let mut image = Image::clone(&self.image);
            for change in mem::take(&mut self.begun) {
                match change {
                    Change::Broker(node, broker) => _ = image.brokers.insert(node, broker),
                    Change::Partition(id, state) => image.partitions[id.index()] = state,
                }
            }
            image.version += 1;
            let before = mem::replace(&mut self.image, Arc::new(image));
            self.news.push((before, Arc::clone(&self.image)));
        }
    }
}

impl Machine for Metadata {
    type Command = Step;
    type Item = Arc<Saved>;
    /// Everybody is told of it, and asks nothing.
    type Query = ();

    fn items(&self) -> impl Iterator<Item = Arc<Saved>> {
        [Arc::new(Saved { image: Arc::clone(&self.image), begun: self.begun.clone() })].into_iter()
    }

    fn restored(
        &self,
        (applied, chain): (Index, Chain),
        items: impl IntoIterator<Item = Arc<Saved>>,
    ) -> Self {
        let mut metadata = Self { applied, chain, ..Self::new(Arc::clone(&self.initial)) };
        for saved in items {
            (metadata.image, metadata.begun) = (Arc::clone(&saved.image), saved.begun.clone());
        }
        metadata
    }

    fn apply<E>(&mut self, entry: &E, witness: impl FnOnce(Index, Chain)) -> Option<Outcome>
    where
        E: Executable<Command = Step>,
    {
        self.applied = self.applied.next();
        self.chain = self.chain.extend(entry);
        witness(self.applied, self.chain);
        match entry.command()? {
            Step::Noop => self.begun.clear(),
            Step::Change { change, is_first, is_last } => self.perform(*change, *is_first, *is_last),
        }
        None
    }

    fn answer(&self, (): ()) -> Outcome {
        unreachable!("the metadata is told, and not asked for")
    }

    fn applied(&self) -> Index {
        self.applied
    }

    fn chain(&self) -> Chain {
        self.chain
    }

    fn show(&self, view: &mut ViewBuilder) {
        view.number("version", self.image.version);
        view.number("brokers", self.image.brokers.len() as u64);
    }
}

impl Application for Metadata {
    type Host = Node;
}

/// The chain stands for the image, which is a function of it.
impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.applied, self.chain).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;
    use crate::replicated::NodeSet;

    fn apply(metadata: &mut Metadata, step: Step) {
        let entry = crate::raft::Entry::command(crate::raft::Term(1), step);
        assert_eq!(metadata.apply(&entry, |_, _| {}), None);
    }

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
    fn a_batch_takes_effect_with_its_last_entry() {
        let mut metadata = Metadata::new(Arc::new(Image::initial(&Config::new(4))));
        let (before, after) = (Image::clone(metadata.image()), changed(metadata.image()));
        let batch = batch(&before, &after);
        assert_eq!(batch.len(), 3);
        for step in &batch[..2] {
            apply(&mut metadata, *step);
            assert_eq!(**metadata.image(), before);
        }
        apply(&mut metadata, batch[2]);
        assert_eq!(**metadata.image(), after);
        assert_eq!(metadata.take_news(), [(Arc::new(before), Arc::new(after))]);
    }

    #[test]
    fn a_batch_that_was_not_finished_is_dropped() {
        let initial = Arc::new(Image::initial(&Config::new(4)));
        let after = changed(&initial);
        let batch = batch(&initial, &after);
        let mut metadata = Metadata::new(Arc::clone(&initial));
        for step in [batch[0], Step::Noop, batch[1], batch[2]] {
            apply(&mut metadata, step);
        }
        assert!(metadata.image().brokers.is_empty(), "the next leader's empty entry drops it");
        let mut metadata = Metadata::new(initial);
        let twin = metadata.restored((Index(2), Chain::EMPTY), metadata.items());
        assert_eq!(twin.image(), metadata.image());
        for step in [batch[0], batch[1]].iter().chain(&batch) {
            apply(&mut metadata, *step);
        }
        assert_eq!(**metadata.image(), after, "and so does the next batch");
    }
}
