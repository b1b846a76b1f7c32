//! The whole run from left to right: a lane a node, coloured by who leads in which epoch; faults, violations; the playhead.

use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Sense, Stroke, Ui, pos2, vec2};
use sim_core::{NodeId, SimTime, Span};

use super::look::{self, BAD, CHOSEN, UNUSUAL};
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::scale::{Scale, seconds};
use crate::session::Playback;

/// What the timeline keeps.
#[derive(Default)]
pub(crate) struct Kept {
    /// What is shown; all of it, where nobody has chosen.
    scale: Option<Scale>,
}

impl Kept {
    /// Shows all again.
    pub(crate) fn reset(&mut self) {
        self.scale = None;
    }
}

const NAMES_WIDTH: f32 = 58.0;
const RULER_HEIGHT: f32 = 16.0;
const MARKS_HEIGHT: f32 = 14.0;
const LANE_HEIGHT_MAX: f32 = 16.0;
/// Marks nearer than this are drawn as one.
const MARK_WIDTH: f32 = 3.0;

/// What mouse and keys do.
pub(crate) const HELP: &str = "Press or drag to go to a time. Scroll to zoom, Shift and scroll to move, double-press to see all. \
What is shaded was not computed yet.";

/// Shows the timeline.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let (response, painter) = ui.allocate_painter(ui.available_size(), Sense::click_and_drag());
    let area = Rect::from_min_max(response.rect.min + vec2(NAMES_WIDTH, 0.0), response.rect.max);
    let all = Scale::new(SimTime::ZERO, scene.session.end().max(scene.session.run().now()) + Span::millis(1));
    let mut scale = desk.timeline.scale.unwrap_or(all);
    if scene.session.playback() == Playback::Playing {
        scale = scale.showing(scene.session.playhead());
    }
    if let Some(hovered) = response.hover_pos() {
        let place = f64::from((hovered.x - area.left()) / area.width());
        let (zoom, scroll) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta()));
        let is_moving = ui.input(|input| input.modifiers.shift) || scroll.x.abs() > scroll.y.abs();
        if is_moving {
            scale = scale.panned(-f64::from(scroll.x + scroll.y) / f64::from(area.width()));
        } else {
            scale = scale.zoomed(f64::from((1.0 - scroll.y / 200.0).clamp(0.5, 2.0)), place);
        }
        scale = scale.zoomed(f64::from(1.0 / zoom), place);
        if response.is_pointer_button_down_on() || response.clicked() {
            intents.push(Intent::SeekTime(scale.time(place.max(0.0))));
        } else {
            let text =
                format!("{}\n{}", seconds(scale.time(place.max(0.0))), told(scene, scale, area, hovered));
            look::tell(&response, text.trim_end().to_owned());
        }
    }
    desk.timeline.scale = (!response.double_clicked() && scale != all).then_some(scale);
    Sheet { painter, area, scale, ui }.draw(scene);
}

/// What lies under the mouse, in words.
fn told(scene: &Scene<'_>, scale: Scale, area: Rect, at: Pos2) -> String {
    let near = |time: SimTime| (x(scale, area, time) - at.x).abs() <= MARK_WIDTH;
    if let Some(node) = lane_at(scene, area, at.y) {
        let time = scale.time(f64::from((at.x - area.left()) / area.width()));
        let stretch = scene.lanes.seen(node, time, time).last();
        return stretch.map_or_else(String::new, |stretch| {
            let state = stretch.state;
            format!("n{}: {}, epoch {}", node + 1, state.role, state.epoch)
        });
    }
    let faults = scene.lanes.faults().iter().filter(|mark| near(mark.at)).map(|mark| mark.text.clone());
    let violations = scene.session.run().violations().iter().filter(|violation| near(violation.at));
    let texts: Vec<String> = violations
        .map(|violation| format!("{} is violated", violation.property))
        .chain(faults)
        .take(8)
        .collect();
    texts.join("\n")
}

fn lanes_top(area: Rect) -> f32 {
    area.top() + RULER_HEIGHT + MARKS_HEIGHT
}

fn lane_height(scene: &Scene<'_>, area: Rect) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
    let count = scene.statuses.len().max(1) as f32;
    ((area.bottom() - lanes_top(area)) / count).min(LANE_HEIGHT_MAX)
}

fn lane_at(scene: &Scene<'_>, area: Rect, y: f32) -> Option<usize> {
    let lane = (y - lanes_top(area)) / lane_height(scene, area);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is checked")]
    let index = lane.max(0.0) as usize;
    (lane >= 0.0 && index < scene.statuses.len()).then_some(index)
}

#[expect(clippy::cast_possible_truncation, reason = "places on a screen")]
fn x(scale: Scale, area: Rect, time: SimTime) -> f32 {
    area.left() + scale.place(time).clamp(-10.0, 10.0) as f32 * area.width()
}

struct Sheet<'ui> {
    painter: Painter,
    area: Rect,
    scale: Scale,
    ui: &'ui Ui,
}

impl Sheet<'_> {
    fn draw(&self, scene: &Scene<'_>) {
        let visuals = self.ui.visuals();
        self.painter.rect_filled(self.area, 0.0, visuals.faint_bg_color);
        self.not_computed(scene);
        self.ruler();
        let height = lane_height(scene, self.area);
        for node in 0..scene.statuses.len() {
            #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
            let top = lanes_top(self.area) + node as f32 * height;
            self.lane(scene, node, top, height);
        }
        self.marks(scene);
        let playhead = self.x(scene.session.playhead());
        if self.area.x_range().contains(playhead) {
            self.painter.vline(playhead, self.area.y_range(), Stroke::new(2.0, CHOSEN));
        }
    }

    fn x(&self, time: SimTime) -> f32 {
        x(self.scale, self.area, time)
    }

    /// What was not computed yet is shaded, and the end of the run as the scenario has it is a line.
    fn not_computed(&self, scene: &Scene<'_>) {
        let computed = self.x(scene.session.run().now().max(scene.session.playhead())).max(self.area.left());
        if computed < self.area.right() {
            let rest = Rect::from_min_max(pos2(computed, self.area.top()), self.area.max);
            self.painter.rect_filled(rest, 0.0, self.ui.visuals().extreme_bg_color.gamma_multiply(0.7));
        }
        let end = self.x(scene.session.end());
        if self.area.x_range().contains(end) {
            self.painter.vline(
                end,
                self.area.y_range(),
                Stroke::new(1.0, self.ui.visuals().weak_text_color()),
            );
        }
    }

    fn ruler(&self) {
        let (ticks, unit) = self.scale.ticks(f64::from(self.area.width() / 110.0));
        let colour = self.ui.visuals().weak_text_color();
        for tick in ticks {
            let x = self.x(tick);
            self.painter.vline(x, self.area.y_range(), Stroke::new(1.0, colour.gamma_multiply(0.3)));
            let text = unit.tell(tick);
            self.painter.text(
                pos2(x + 3.0, self.area.top()),
                Align2::LEFT_TOP,
                text,
                FontId::proportional(11.0),
                colour,
            );
        }
    }

    fn lane(&self, scene: &Scene<'_>, node: usize, top: f32, height: f32) {
        let visuals = self.ui.visuals();
        let gap = if height > 6.0 { 1.5 } else { 0.0 };
        let mut drawn_to = f32::NEG_INFINITY;
        for stretch in scene.lanes.seen(node, self.scale.first(), self.scale.last()) {
            let until = stretch.until.unwrap_or_else(|| scene.session.run().now());
            let (from, to) =
                (self.x(stretch.from).max(self.area.left()), self.x(until).min(self.area.right()));
            // What is thinner than a pixel and lies where something was drawn is left out.
            if to <= drawn_to {
                continue;
            }
            let from = from.max(drawn_to);
            let rect =
                Rect::from_min_max(pos2(from, top + gap), pos2(to.max(from + 1.0), top + height - gap));
            self.painter.rect_filled(rect, 0.0, look::state(&stretch.state, visuals));
            drawn_to = rect.right();
            let is_wide = rect.width() > 60.0 && height >= 12.0;
            if is_wide && stretch.state.role != "down" {
                let text = format!("{} {}", stretch.state.role, stretch.state.epoch);
                let clipped = self.painter.with_clip_rect(rect);
                clipped.text(
                    rect.left_center() + vec2(3.0, 0.0),
                    Align2::LEFT_CENTER,
                    text,
                    FontId::proportional(10.0),
                    visuals.strong_text_color(),
                );
            }
        }
        if height >= 8.0 {
            let is_selected = scene.selected.index() == node;
            let colour = if is_selected { visuals.strong_text_color() } else { visuals.weak_text_color() };
            let name = NodeId::new(u32::try_from(node).unwrap_or(u32::MAX)).to_string();
            let place = pos2(self.area.left() - 6.0, top + height / 2.0);
            self.painter.text(place, Align2::RIGHT_CENTER, name, FontId::proportional(11.0), colour);
        }
    }

    fn marks(&self, scene: &Scene<'_>) {
        let y = self.area.top() + RULER_HEIGHT + MARKS_HEIGHT / 2.0;
        let colour = self.ui.visuals().weak_text_color();
        let place = pos2(self.area.left() - 6.0, y);
        self.painter.text(place, Align2::RIGHT_CENTER, "faults", FontId::proportional(11.0), colour);
        let mut last = f32::NEG_INFINITY;
        for mark in scene.lanes.faults() {
            let x = self.x(mark.at);
            if x >= last + MARK_WIDTH && self.area.x_range().contains(x) {
                self.triangle(pos2(x, y), UNUSUAL);
                last = x;
            }
        }
        for violation in scene.session.run().violations() {
            let x = self.x(violation.at);
            if self.area.x_range().contains(x) {
                self.painter.vline(x, self.area.y_range(), Stroke::new(2.0, BAD));
                self.painter.text(pos2(x, y), Align2::CENTER_CENTER, "✖", FontId::proportional(13.0), BAD);
            }
        }
    }

    fn triangle(&self, at: Pos2, colour: Color32) {
        let points = vec![at + vec2(-4.0, -4.0), at + vec2(4.0, -4.0), at + vec2(0.0, 4.0)];
        self.painter.add(egui::Shape::convex_polygon(points, colour, Stroke::NONE));
    }
}
