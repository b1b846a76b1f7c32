//! Places found by forces: who has talked is drawn together, all push each other away (`d3-force`, by way of fjadra).

use std::collections::BTreeSet;
use std::fmt;

use fjadra::Node;
use fjadra::force::{Collide, Link, ManyBody, PositionX, PositionY, Simulation, SimulationBuilder};
use sim_core::trace::Trace;

/// So many of the last records say who talks with whom.
const HEARD_MAX: u32 = 20_000;
/// No more pairs than this pull.
const PAIRS_MAX: usize = 5_000;
/// How far nodes are from their neighbours, in units of the forces.
const APART: f64 = 30.0;
/// So many moves of single nodes are made in a frame.
const MOVES_MAX: usize = 3_000;

/// Nodes that are finding their places.
pub(crate) struct Force {
    count: usize,
    simulation: Simulation,
}

impl fmt::Debug for Force {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Force").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Force {
    /// `count` nodes, of which these pairs belong together.
    pub(crate) fn new(count: usize, pairs: &BTreeSet<[usize; 2]>) -> Self {
        let links = pairs.iter().take(PAIRS_MAX).map(|[one, other]| (*one, *other));
        let simulation = SimulationBuilder::default()
            .build((0..count).map(|_| Node::default()))
            .add_force("together", Link::new(links).distance(APART).iterations(2))
            .add_force("apart", ManyBody::new().strength(-APART))
            .add_force("whole", Collide::new().radius(|_| APART / 2.0))
            .add_force("x", PositionX::new().strength(0.05))
            .add_force("y", PositionY::new().strength(0.05));
        Self { count, simulation }
    }

    /// For how many nodes it is.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Lets them move for as long as a frame can spare; whether they still do.
    pub(crate) fn go_on(&mut self) -> bool {
        let is_moving = !self.simulation.is_finished();
        if is_moving {
            self.simulation.tick((MOVES_MAX / self.count.max(1)).clamp(1, 30));
        }
        is_moving
    }

    /// Where they are: inside the circle around (0, 0) with this radius, and how far the nearest two can be drawn apart.
    pub(crate) fn places(&self, radius: f32) -> (Vec<[f32; 2]>, f32) {
        let places: Vec<[f64; 2]> = self.simulation.positions().collect();
        let farthest = places.iter().map(|[x, y]| x * x + y * y).fold(APART * APART, f64::max).sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "places on a screen")]
        let share = |value: f64| (value / farthest) as f32 * radius;
        (places.into_iter().map(|place| place.map(share)).collect(), share(APART))
    }
}

/// Which nodes have sent each other something lately.
pub(crate) fn pairs(trace: &Trace) -> BTreeSet<[usize; 2]> {
    let records = trace.range(trace.len().saturating_sub(HEARD_MAX)..trace.len());
    let ends = records.filter_map(|record| Some([record.subject()?.node()?, record.peer()?.node()?]));
    ends.map(|[one, other]| [one.min(other).index(), one.max(other).index()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_talk_come_to_lie_together_and_none_on_another() {
        // Two rings of four, which one node of each joins.
        let pairs = [[0, 1], [1, 2], [2, 3], [0, 3], [4, 5], [5, 6], [6, 7], [4, 7], [0, 4]].into();
        let mut force = Force::new(8, &pairs);
        let mut frames = 0;
        while force.go_on() {
            frames += 1;
            assert!(frames < 1_000, "they never come to rest");
        }
        let (places, near) = force.places(0.9);
        let square = |one: usize, other: usize| {
            let [x, y] = [0, 1].map(|axis: usize| places[one][axis] - places[other][axis]);
            x * x + y * y
        };
        assert!(square(0, 2) < square(2, 6), "the rings lie apart: {places:?}");
        for one in 0..8 {
            assert!(places[one].iter().all(|value| value.abs() <= 0.91), "{places:?}");
            for other in 0..one {
                assert!(square(one, other) > near * near * 0.5, "{one} lies on {other}: {places:?}");
            }
        }
    }
}
