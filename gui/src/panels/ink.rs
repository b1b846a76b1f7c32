//! Many small things as one mesh: what a painter draws one by one costs five times as much, and stroked circles a
//! hundred times. What lies outside is left out. Edges are smooth: they fade over a pixel.

use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Painter, Pos2, Rect, Shape, Vec2, pos2, vec2};

/// How far an edge fades to both sides.
const FADE: f32 = 0.5;

/// A shape that says what a colour says, for who sees few colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Disc,
    Square,
    Diamond,
    Up,
    Down,
    Hexagon,
}

impl Form {
    /// Those of kinds of messages, in the order in which they are given out.
    const KINDS: [Self; 5] = [Self::Disc, Self::Square, Self::Diamond, Self::Up, Self::Down];

    /// The form of the `index`-th kind.
    pub(crate) const fn kind(index: usize) -> Self {
        Self::KINDS[index % Self::KINDS.len()]
    }

    /// Its corners around (0, 0), as a clock goes.
    const fn corners(self) -> &'static [(f32, f32)] {
        match self {
            Self::Disc => &[
                (0.38, -0.92),
                (0.92, -0.38),
                (0.92, 0.38),
                (0.38, 0.92),
                (-0.38, 0.92),
                (-0.92, 0.38),
                (-0.92, -0.38),
                (-0.38, -0.92),
            ],
            Self::Square => &[(0.85, -0.85), (0.85, 0.85), (-0.85, 0.85), (-0.85, -0.85)],
            Self::Diamond => &[(0.0, -1.15), (1.15, 0.0), (0.0, 1.15), (-1.15, 0.0)],
            Self::Up => &[(0.0, -1.1), (1.1, 0.85), (-1.1, 0.85)],
            Self::Down => &[(1.1, -0.85), (0.0, 1.1), (-1.1, -0.85)],
            Self::Hexagon => &[(0.5, -0.9), (1.05, 0.0), (0.5, 0.9), (-0.5, 0.9), (-1.05, 0.0), (-0.5, -0.9)],
        }
    }

    /// Its corners at a place, so large.
    pub(crate) fn at(self, at: Pos2, size: f32) -> Vec<Pos2> {
        self.corners().iter().map(|(x, y)| at + vec2(*x, *y) * size).collect()
    }
}

/// A mesh that grows.
pub(crate) struct Ink {
    mesh: Mesh,
    clip: Rect,
}

impl Ink {
    /// Nothing yet; what lies outside `clip` will not be part of it.
    pub(crate) fn new(clip: Rect) -> Self {
        Self { mesh: Mesh::default(), clip }
    }

    /// A line.
    pub(crate) fn line(&mut self, [from, to]: [Pos2; 2], width: f32, colour: Color32) {
        if !self.clip.intersects(Rect::from_two_pos(from, to).expand(width)) {
            return;
        }
        let aside = (to - from).normalized().rot90();
        let (inner, outer) = (aside * (width / 2.0 - FADE).max(0.0), aside * (width / 2.0 + FADE));
        let first = self.next();
        for end in [from, to] {
            self.vertex(end - outer, Color32::TRANSPARENT);
            self.vertex(end - inner, colour);
            self.vertex(end + inner, colour);
            self.vertex(end + outer, Color32::TRANSPARENT);
        }
        for strip in 0..3 {
            self.square(first + strip, first + strip + 1, first + strip + 5, first + strip + 4);
        }
    }

    /// A filled form.
    pub(crate) fn form(&mut self, form: Form, at: Pos2, size: f32, colour: Color32) {
        if !self.clip.expand(size).contains(at) {
            return;
        }
        let corners = form.corners();
        let first = self.next();
        for (x, y) in corners {
            let out = vec2(*x, *y);
            self.vertex(at + out * (size - FADE).max(0.0), colour);
            self.vertex(at + out * (size + FADE), Color32::TRANSPARENT);
        }
        self.fill(first, u32::try_from(corners.len()).expect("a form has few corners"));
    }

    /// The head of an arrow, with its point at `to`.
    pub(crate) fn tip(&mut self, [from, to]: [Pos2; 2], colour: Color32) {
        if !self.clip.expand(8.0).contains(to) {
            return;
        }
        let along = (to - from).normalized() * 7.0;
        let aside = along.rot90() * 0.4;
        let first = self.next();
        for corner in [to, to - along + aside, to - along - aside] {
            self.vertex(corner, colour);
        }
        self.mesh.add_triangle(first, first + 1, first + 2);
    }

    /// A cross, for what is lost.
    pub(crate) fn cross(&mut self, at: Pos2, size: f32, colour: Color32) {
        for arm in [vec2(size, size), vec2(size, -size)] {
            self.line([at - arm, at + arm], 1.6, colour);
        }
    }

    /// A filled rectangle with sharp edges.
    pub(crate) fn rect(&mut self, rect: Rect, colour: Color32) {
        let rect = rect.intersect(self.clip);
        if rect.is_positive() {
            self.mesh.add_colored_rect(rect, colour);
        }
    }

    /// Hands it over.
    pub(crate) fn draw(self, painter: &Painter) {
        if !self.mesh.is_empty() {
            painter.add(Shape::mesh(self.mesh));
        }
    }

    fn next(&self) -> u32 {
        u32::try_from(self.mesh.vertices.len()).expect("a mesh numbers its corners with 32 bits")
    }

    fn vertex(&mut self, pos: Pos2, color: Color32) {
        self.mesh.vertices.push(Vertex { pos, uv: WHITE_UV, color });
    }

    fn square(&mut self, a: u32, b: u32, c: u32, d: u32) {
        self.mesh.add_triangle(a, b, c);
        self.mesh.add_triangle(a, c, d);
    }

    /// A convex shape of which corners inside and outside the faded edge take turns.
    fn fill(&mut self, first: u32, count: u32) {
        for corner in 0..count {
            let (this, next) = (first + 2 * corner, first + 2 * ((corner + 1) % count));
            self.mesh.add_triangle(first, this, next);
            self.square(this, this + 1, next + 1, next);
        }
    }
}

/// The smallest convex line around some points, as a clock goes (Andrew, 1979).
pub(crate) fn hull(points: &[Pos2]) -> Vec<Pos2> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|one, other| one.x.total_cmp(&other.x).then(one.y.total_cmp(&other.y)));
    let half = |points: &mut dyn Iterator<Item = Pos2>| {
        let mut line: Vec<Pos2> = Vec::new();
        for point in points {
            while let [.., before, last] = line[..]
                && turn(last - before, point - last) <= 0.0
            {
                line.pop();
            }
            line.push(point);
        }
        line.pop();
        line
    };
    let mut line = half(&mut sorted.iter().copied());
    line.extend(half(&mut sorted.iter().rev().copied()));
    line
}

/// Above zero where the second turns to the right of the first on the screen.
fn turn(one: Vec2, other: Vec2) -> f32 {
    one.x * other.y - one.y * other.x
}

/// Eight points around a place, for the hull of things that have a size.
pub(crate) fn around(at: Pos2, size: f32) -> Vec<Pos2> {
    Form::Disc.at(pos2(at.x, at.y), size)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_lies_outside_costs_nothing() {
        let mut ink = Ink::new(Rect::from_min_max(pos2(0.0, 0.0), pos2(100.0, 100.0)));
        ink.line([pos2(-50.0, 0.0), pos2(-10.0, 90.0)], 1.0, Color32::RED);
        ink.form(Form::Square, pos2(300.0, 50.0), 4.0, Color32::RED);
        ink.rect(Rect::from_min_max(pos2(0.0, 200.0), pos2(10.0, 300.0)), Color32::RED);
        assert!(ink.mesh.is_empty());
        ink.line([pos2(-50.0, 50.0), pos2(150.0, 50.0)], 1.0, Color32::RED);
        ink.form(Form::Disc, pos2(50.0, 50.0), 4.0, Color32::RED);
        assert!(ink.mesh.is_valid());
        assert_eq!(ink.mesh.vertices.len(), 8 + 16);
    }

    proptest! {
        #[test]
        fn a_hull_turns_one_way_and_holds_every_point(
            points in prop::collection::vec((0_i16..100, 0_i16..100), 3..40)
        ) {
            let points: Vec<Pos2> =
                points.into_iter().map(|(x, y)| pos2(f32::from(x), f32::from(y))).collect();
            let hull = hull(&points);
            for (place, corner) in hull.iter().enumerate() {
                let side = hull[(place + 1) % hull.len()] - *corner;
                for point in &points {
                    prop_assert!(turn(side, *point - *corner) >= 0.0, "{point:?} lies outside {hull:?}");
                }
            }
        }
    }
}
