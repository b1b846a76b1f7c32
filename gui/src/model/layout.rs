//! Where nodes and clients stand in the picture of the cluster: places in a square from (-1, -1) to (1, 1).

use std::f32::consts::TAU;

/// How nodes are arranged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Layout {
    /// On a circle, the first at the top.
    #[default]
    Ring,
    /// In rows.
    Grid,
}

impl Layout {
    /// All, with their names.
    pub(crate) const ALL: [(Self, &'static str); 2] = [(Self::Ring, "ring"), (Self::Grid, "grid")];

    /// The places of `count` nodes.
    pub(crate) fn nodes(self, count: usize) -> Vec<[f32; 2]> {
        match self {
            Self::Ring => ring(count, if count == 1 { 0.0 } else { 0.62 }),
            Self::Grid => grid(count),
        }
    }

    /// The places of `count` clients: around the nodes.
    pub(crate) fn clients(self, count: usize) -> Vec<[f32; 2]> {
        match self {
            Self::Ring => ring(count, 0.95),
            Self::Grid => (0..count).map(|index| [along(index, count), -0.97]).collect(),
        }
    }

    /// How large a node may be drawn so that none touches its neighbour.
    pub(crate) fn radius(self, count: usize) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
        let count = count.max(1) as f32;
        match self {
            Self::Ring => (0.62 * TAU / count * 0.3).min(0.15),
            Self::Grid => (1.6 / count.sqrt().ceil() * 0.3).min(0.15),
        }
    }
}

/// Evenly on a circle, the first at the top, then as a clock goes.
#[expect(clippy::disallowed_methods, reason = "a picture may differ between platforms by less than a pixel")]
fn ring(count: usize, radius: f32) -> Vec<[f32; 2]> {
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

    #[test]
    fn nodes_stand_inside_the_square_and_none_touches_another() {
        for (layout, name) in Layout::ALL {
            for count in [1, 2, 3, 5, 7, 9, 100, 1_000] {
                let (places, radius) = (layout.nodes(count), layout.radius(count));
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
