//! Where nodes and clients stand in the picture of the cluster: places in a square from (-1, -1) to (1, 1).

use std::f32::consts::TAU;

use super::force::Force;
use super::regions::Regions;

/// How nodes are arranged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Layout {
    /// On a circle, the first at the top.
    #[default]
    Ring,
    /// In rows.
    Grid,
    /// Those together that talk with each other.
    Force,
    /// Those together that stand in one region, and regions as far apart as messages take.
    Regions,
}

/// Everything about where things stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Places {
    pub(crate) nodes: Vec<[f32; 2]>,
    pub(crate) clients: Vec<[f32; 2]>,
    /// How large a node may be drawn so that none touches its neighbour.
    pub(crate) radius: f32,
    /// The middle of each region, and how far it reaches, where regions are shown.
    pub(crate) regions: Vec<([f32; 2], f32)>,
}

impl Layout {
    /// All, with their names.
    pub(crate) const ALL: [(Self, &'static str); 4] =
        [(Self::Ring, "ring"), (Self::Grid, "grid"), (Self::Force, "force"), (Self::Regions, "regions")];

    /// The places of so many nodes and clients. Without what a layout needs it is a ring.
    pub(crate) fn places(
        self,
        nodes: usize,
        clients: usize,
        force: Option<&Force>,
        regions: Option<&Regions>,
    ) -> Places {
        match (self, force, regions) {
            (Self::Grid, _, _) => Places {
                nodes: grid(nodes),
                clients: (0..clients).map(|index| [along(index, clients), -0.97]).collect(),
                radius: (1.6 / as_f32(nodes).sqrt().ceil() * 0.3).min(0.15),
                regions: Vec::new(),
            },
            (Self::Force, Some(force), _) => {
                let (places, near) = force.places(0.8);
                let radius = (near * 0.35).min(0.12);
                Places { nodes: places, clients: ring(clients, 0.97), radius, regions: Vec::new() }
            }
            (Self::Regions, _, Some(regions)) => by_region(nodes, clients, regions),
            (Self::Ring | Self::Force | Self::Regions, _, _) => Places {
                nodes: ring(nodes, if nodes == 1 { 0.0 } else { 0.62 }),
                clients: ring(clients, 0.95),
                radius: (0.62 * TAU / as_f32(nodes) * 0.3).min(0.15),
                regions: Vec::new(),
            },
        }
    }
}

/// Regions around the middle, nodes around the middles of their regions.
fn by_region(nodes: usize, clients: usize, regions: &Regions) -> Places {
    let count = regions.count();
    let middles = regions.middles();
    let nearest = (0..count)
        .flat_map(|one| (0..one).map(move |other| [one, other]))
        .map(|[one, other]| apart(middles[one], middles[other]))
        .fold(0.9, f32::min);
    let reach = (nearest * 0.46).min(0.42);
    let shrink = 0.93 - reach;
    let middles: Vec<[f32; 2]> =
        middles.into_iter().map(|middle| middle.map(|value| value * shrink)).collect();
    let reach = reach * shrink;
    let mut places = vec![[0.0; 2]; nodes];
    let mut most = 1;
    for (region, [x, y]) in middles.iter().enumerate() {
        let members: Vec<usize> = (0..nodes).filter(|node| regions.of[*node] == region).collect();
        most = most.max(members.len());
        let inside = grid(members.len());
        let lone = members.len() == 1;
        let spread = if lone { 0.0 } else { reach * 0.75 };
        for (node, [dx, dy]) in members.iter().zip(inside) {
            places[*node] = [x + dx * spread, y + dy * spread];
        }
    }
    let radius = (1.6 * reach * 0.75 / as_f32(most).sqrt().ceil() * 0.3).min(0.12);
    let circles = middles.into_iter().map(|middle| (middle, reach)).collect();
    Places { nodes: places, clients: ring(clients, 0.98), radius, regions: circles }
}

fn apart(one: [f32; 2], other: [f32; 2]) -> f32 {
    let [x, y] = [one[0] - other[0], one[1] - other[1]];
    (x * x + y * y).sqrt()
}

#[expect(clippy::cast_precision_loss, reason = "places on a screen")]
fn as_f32(count: usize) -> f32 {
    count.max(1) as f32
}

/// Evenly on a circle, the first at the top, then as a clock goes.
#[expect(clippy::disallowed_methods, reason = "a picture may differ between platforms by less than a pixel")]
pub(crate) fn ring(count: usize, radius: f32) -> Vec<[f32; 2]> {
    #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
    let angle = |index: usize| TAU * (index as f32 / count as f32 - 0.25);
    (0..count).map(|index| [radius * angle(index).cos(), radius * angle(index).sin()]).collect()
}

/// In as many rows as columns, or one fewer.
fn grid(count: usize) -> Vec<[f32; 2]> {
    let columns = (1..=count).find(|columns| columns * columns >= count).unwrap_or(1);
    let rows = count.div_ceil(columns);
    (0..count).map(|index| [along(index % columns, columns), along(index / columns, rows) * 0.85]).collect()
}

/// The `index`-th of `count` places from left to right.
#[expect(clippy::cast_precision_loss, reason = "places on a screen")]
fn along(index: usize, count: usize) -> f32 {
    ((index as f32 + 0.5) / count as f32) * 1.6 - 0.8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three regions, the last farther from both than they are from each other.
    fn regions(nodes: usize) -> Regions {
        let far = vec![vec![0.0, 0.2, 1.0], vec![0.2, 0.0, 0.9], vec![1.0, 0.9, 0.0]];
        let names = ["east", "north", "west"].map(str::to_owned).into();
        Regions { names, of: (0..nodes).map(|node| node % 3).collect(), far }
    }

    #[test]
    fn regions_that_are_far_from_each_other_lie_far_apart_and_hold_their_nodes() {
        let places = Layout::Regions.places(9, 0, None, Some(&regions(9)));
        let middle = |region: usize| places.regions[region].0;
        assert!(apart(middle(0), middle(1)) < apart(middle(0), middle(2)) * 0.9, "{places:?}");
        for (node, place) in places.nodes.iter().enumerate() {
            let (middle, reach) = places.regions[node % 3];
            assert!(apart(*place, middle) + places.radius <= reach, "node {node} of {places:?}");
        }
    }

    #[test]
    fn nodes_stand_inside_the_square_and_none_touches_another() {
        for (layout, name) in Layout::ALL {
            for count in [1, 2, 3, 5, 7, 9, 100, 1_000] {
                let mut force = Force::new(count, &std::collections::BTreeSet::new());
                while count <= 100 && force.go_on() {}
                if count > 100 && layout == Layout::Force {
                    continue;
                }
                let all = layout.places(count, 0, Some(&force), Some(&regions(count)));
                let (places, radius) = (all.nodes, all.radius);
                assert_eq!(places.len(), count);
                for (index, [x, y]) in places.iter().enumerate() {
                    assert!(
                        x.abs() + radius <= 1.0 && y.abs() + radius <= 1.0,
                        "{name} of {count}: {x}, {y}"
                    );
                    for [other_x, other_y] in &places[..index] {
                        let square = (x - other_x) * (x - other_x) + (y - other_y) * (y - other_y);
                        assert!(
                            square >= 4.0 * radius * radius,
                            "{name} of {count}: {square} apart squared, radius {radius}"
                        );
                    }
                }
            }
        }
    }
}
