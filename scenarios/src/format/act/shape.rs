//! Who is apart from whom in a partition.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::fault::{Place, Shape, Target};

use crate::format::{Somebody, Who};

/// Who is apart from whom. Clients reach everybody unless named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ShapeOf {
    /// Members of different groups don't reach each other; nodes in no group form one more.
    Groups(Vec<Vec<Somebody>>),
    /// Each of these is alone.
    Isolate(Vec<Somebody>),
    /// Every node reaches a majority, and no two the same one.
    RingOfMajorities,
    /// Two halves that only reach each other by this node.
    Bridge(Who),
    /// The first don't reach the second; the way back is open.
    OneWay {
        /// The senders.
        from: Vec<Who>,
        /// The receivers.
        to: Vec<Who>,
    },
}

impl ShapeOf {
    pub(super) fn shape(&self) -> Shape<Target> {
        match self {
            Self::Groups(groups) => Shape::Groups(groups.iter().map(|group| places(group)).collect()),
            Self::Isolate(alone) => Shape::Isolate(places(alone)),
            Self::RingOfMajorities => Shape::RingOfMajorities,
            Self::Bridge(node) => Shape::Bridge(node.0.clone()),
            Self::OneWay { from, to } => {
                let targets = |nodes: &[Who]| nodes.iter().map(|node| node.0.clone()).collect();
                Shape::OneWay { from: targets(from), to: targets(to) }
            }
        }
    }
}

pub(super) fn places(somebody: &[Somebody]) -> Vec<Place<Target>> {
    somebody.iter().map(|one| one.0.clone()).collect()
}
