//! Which nodes stand together: regions of the topology, else zones, else racks.

use fjadra::Node;
use fjadra::force::{Link, SimulationBuilder};
use scenarios::Scenario;
use scenarios::format::Topology;
use scenarios::text::units::Time;

use super::layout::ring;

/// The regions of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Regions {
    /// What they are called.
    pub(crate) names: Vec<String>,
    /// Of each node, its region; nodes of none share the one after the last.
    pub(crate) of: Vec<usize>,
    /// How far each is from each, as shares of the longest way; none where nothing says so.
    pub(crate) far: Vec<Vec<f32>>,
}

impl Regions {
    /// Those of a scenario; `None` where it names none.
    pub(crate) fn of(scenario: &Scenario) -> Option<Self> {
        let nodes = scenario.nodes as usize;
        if let Topology::Regions { regions, rtt } = &scenario.topology {
            let names = (1..=regions.len()).map(|number| format!("region {number}")).collect();
            let groups = regions.iter().map(|list| list.nodes().iter().copied());
            #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
            let nanos = |time: &Time| time.span().as_nanos() as f32;
            let longest = rtt.iter().flatten().map(nanos).fold(1.0, f32::max);
            let far = rtt.iter().map(|row| row.iter().map(|time| nanos(time) / longest).collect()).collect();
            return Some(Self { names, of: numbers(nodes, groups), far });
        }
        let domains = if scenario.zones.is_empty() { &scenario.racks } else { &scenario.zones };
        let groups = domains.values().map(|list| list.nodes().iter().copied());
        let of = numbers(nodes, groups);
        (!domains.is_empty()).then(|| Self { names: domains.keys().cloned().collect(), of, far: Vec::new() })
    }

    /// How many groups there are, that of nodes without a region included, if there are such.
    pub(crate) fn count(&self) -> usize {
        self.of.iter().map(|region| region + 1).max().unwrap_or(0).max(self.names.len())
    }

    /// The middle of each group, in the circle of radius 1: as far apart as `far` says, else around the middle.
    pub(crate) fn middles(&self) -> Vec<[f32; 2]> {
        let count = self.count();
        let start = ring(count, if count == 1 { 0.0 } else { 1.0 });
        if self.far.len() != count || count < 3 {
            return start;
        }
        let pairs: Vec<(usize, usize)> =
            (0..count).flat_map(|one| (0..one).map(move |other| (one, other))).collect();
        let far: Vec<f64> =
            pairs.iter().map(|(one, other)| 0.4 + f64::from(self.far[*one][*other])).collect();
        let pull = Link::new(pairs).distance(move |_: &_, index| far[index]).strength(0.5).iterations(4);
        let nodes = start.iter().map(|[x, y]| Node::default().position(f64::from(*x), f64::from(*y)));
        let mut simulation = SimulationBuilder::default().build(nodes).add_force("far", pull);
        simulation.tick(300);
        let found: Vec<[f64; 2]> = simulation.positions().collect();
        #[expect(clippy::cast_precision_loss, reason = "there are few regions")]
        let centre =
            [0, 1].map(|axis: usize| found.iter().map(|place| place[axis]).sum::<f64>() / count as f64);
        let moved = found.iter().map(|[x, y]| [x - centre[0], y - centre[1]]);
        let farthest = moved.clone().map(|[x, y]| x * x + y * y).fold(1e-6, f64::max).sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "places on a screen")]
        let share = |value: f64| (value / farthest) as f32;
        moved.map(|place| place.map(share)).collect()
    }

    /// The name of a group.
    pub(crate) fn name(&self, region: usize) -> &str {
        self.names.get(region).map_or("elsewhere", String::as_str)
    }
}

/// Of each node the number of the group that has it.
fn numbers<L: IntoIterator<Item = sim_core::NodeId>>(
    nodes: usize,
    groups: impl Iterator<Item = L>,
) -> Vec<usize> {
    let groups: Vec<Vec<_>> = groups.map(|group| group.into_iter().collect()).collect();
    let mut of = vec![groups.len(); nodes];
    for (number, group) in groups.iter().enumerate() {
        group.iter().filter(|node| node.index() < nodes).for_each(|node| of[node.index()] = number);
    }
    of
}
