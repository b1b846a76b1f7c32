//! What happened, as a space-time diagram: time goes down, a lane an endpoint, a line a message.

use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Sense, Stroke, Ui, pos2, vec2};
use sim_core::status::Power;
use sim_core::trace::{Payload, TraceKind};
use sim_core::{ClientId, Endpoint, NodeId, SimTime, Span};

use super::ink::{Form, Ink};
use super::look::{self, BAD, CHOSEN, UNUSUAL};
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::scale::{Scale, seconds};
use crate::model::space_time::{Arrow, COLUMNS, Content, Dot, content};

/// What the diagram keeps.
#[derive(Default)]
pub(crate) struct Kept {
    /// How much time is shown, where somebody has chosen it.
    length: Option<Span>,
    /// What is shown, where it does not follow the playhead.
    held: Option<Scale>,
}

/// What mouse and keys do.
pub(crate) const HELP: &str = "Time goes down; the line across is what is shown elsewhere. Press an event or a message to see what led to \
it (blue) and what followed. Double-press to go there. Scroll to move, Ctrl and scroll to zoom.";

/// What is shown at first.
const LENGTH: Span = Span::millis(60);
const HEAD: f32 = 20.0;
const LEFT: f32 = 76.0;
/// How near the mouse must be.
const NEAR: f32 = 5.0;

/// Shows the diagram.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let Some(trace) = scene.session.run().trace() else {
        ui.weak("nothing was recorded");
        return;
    };
    let (response, painter) = ui.allocate_painter(ui.available_size(), Sense::click());
    let area = Rect::from_min_max(response.rect.min + vec2(LEFT, HEAD), response.rect.max);
    let scale = scale(ui, scene, &mut desk.space_time, response.hover_pos(), area);
    let lanes = lanes(scene);
    let sheet = Sheet { painter, area, scale, lanes: &lanes, ui };
    sheet.background(scene);
    match content(trace, scale, &lanes) {
        Content::Density(density) => sheet.density(&density),
        Content::Things { arrows, dots } => {
            sheet.things(scene, &arrows, &dots);
            let hovered = response.hover_pos().and_then(|at| sheet.nearest(&arrows, &dots, at));
            if let Some(record) = hovered {
                let told = trace
                    .get(record)
                    .map(|what| format!("{}\n{}", seconds(what.at()), scene.session.run().describe(what)));
                look::tell(&response, told.unwrap_or_default());
            }
            if response.double_clicked() {
                intents.extend(hovered.map(Intent::SeekRecord));
            } else if response.clicked() {
                intents.push(Intent::SelectRecord(hovered));
            }
        }
    }
}

/// All nodes, then as many clients as find room.
fn lanes(scene: &Scene<'_>) -> Vec<Endpoint> {
    let nodes = (0_u32..).take(scene.statuses.len()).map(|node| NodeId::new(node).into());
    let clients =
        (0..scene.session.scenario().clients.total().min(16)).map(|client| ClientId::new(client).into());
    nodes.chain(clients).collect()
}

/// The time that is shown: around the playhead, unless somebody has moved it.
fn scale(ui: &Ui, scene: &Scene<'_>, kept: &mut Kept, hovered: Option<Pos2>, area: Rect) -> Scale {
    let (length, playhead) = (kept.length.unwrap_or(LENGTH), scene.session.playhead());
    let before = Span::nanos(length.as_nanos() / 10 * 7);
    let start = SimTime::from_nanos(playhead.as_nanos().saturating_sub(before.as_nanos()));
    let following = Scale::new(start, start + length);
    let mut scale = kept.held.filter(|held| (0.0..=1.0).contains(&held.place(playhead))).unwrap_or(following);
    if let Some(at) = hovered {
        let place = f64::from((at.y - area.top()) / area.height());
        let (zoom, scroll) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta().y));
        if (zoom - 1.0).abs() > f32::EPSILON {
            scale = scale.zoomed(f64::from(1.0 / zoom), place);
            kept.length = Some(scale.length());
            kept.held = Some(scale);
        }
        if scroll.abs() > 0.1 {
            kept.held = Some(scale.panned(-f64::from(scroll / area.height())));
        }
    }
    kept.held.filter(|held| (0.0..=1.0).contains(&held.place(playhead))).unwrap_or(scale)
}

struct Sheet<'a> {
    painter: Painter,
    area: Rect,
    scale: Scale,
    lanes: &'a [Endpoint],
    ui: &'a Ui,
}

impl Sheet<'_> {
    fn x(&self, end: Endpoint) -> Option<f32> {
        let index = self.lanes.iter().position(|lane| *lane == end)?;
        Some(self.lane_x(index))
    }

    #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
    fn lane_x(&self, index: usize) -> f32 {
        self.area.left() + (index as f32 + 0.5) / self.lanes.len().max(1) as f32 * self.area.width()
    }

    #[expect(clippy::cast_possible_truncation, reason = "places on a screen")]
    fn y(&self, time: SimTime) -> f32 {
        self.area.top() + self.scale.place(time).clamp(-20.0, 20.0) as f32 * self.area.height()
    }

    fn background(&self, scene: &Scene<'_>) {
        let visuals = self.ui.visuals();
        let weak = visuals.weak_text_color();
        let (ticks, unit) = self.scale.ticks(f64::from(self.area.height() / 60.0));
        for tick in ticks {
            let y = self.y(tick);
            self.painter.hline(self.area.x_range(), y, Stroke::new(1.0, weak.gamma_multiply(0.25)));
            let at = pos2(self.area.left() - 6.0, y);
            self.painter.text(at, Align2::RIGHT_CENTER, unit.tell(tick), FontId::proportional(11.0), weak);
        }
        for (index, lane) in self.lanes.iter().enumerate() {
            let x = self.lane_x(index);
            let is_selected = lane.node() == Some(scene.selected);
            let colour = if is_selected { visuals.strong_text_color() } else { weak };
            let at = pos2(x, self.area.top() - 4.0);
            self.painter.text(
                at,
                Align2::CENTER_BOTTOM,
                lane.to_string(),
                FontId::proportional(12.0),
                colour,
            );
            match lane.node() {
                Some(node) => self.stretches(scene, node, x),
                None => {
                    self.painter.vline(x, self.area.y_range(), Stroke::new(1.0, weak.gamma_multiply(0.5)));
                }
            }
        }
        let clipped = self.painter.with_clip_rect(self.area);
        for mark in scene.lanes.faults() {
            let y = self.y(mark.at);
            if self.area.y_range().contains(y) {
                clipped.hline(self.area.x_range(), y, Stroke::new(1.0, UNUSUAL.gamma_multiply(0.7)));
                clipped.text(
                    pos2(self.area.left() + 4.0, y),
                    Align2::LEFT_BOTTOM,
                    &mark.text,
                    FontId::proportional(11.0),
                    UNUSUAL,
                );
            }
        }
        for violation in scene.session.run().violations() {
            let y = self.y(violation.at);
            clipped.hline(self.area.x_range(), y, Stroke::new(2.0, BAD));
            let text = format!("✖ {}", violation.property);
            clipped.text(
                pos2(self.area.right() - 4.0, y),
                Align2::RIGHT_BOTTOM,
                text,
                FontId::proportional(12.0),
                BAD,
            );
        }
        clipped.hline(self.area.x_range(), self.y(scene.session.playhead()), Stroke::new(2.0, CHOSEN));
    }

    /// The lane of a node: how it stood, by colour; nothing while it was down.
    fn stretches(&self, scene: &Scene<'_>, node: NodeId, x: f32) {
        let visuals = self.ui.visuals();
        for stretch in scene.lanes.seen(node.index(), self.scale.first(), self.scale.last()) {
            let until = stretch.until.unwrap_or_else(|| scene.session.run().now());
            let (top, bottom) =
                (self.y(stretch.from).max(self.area.top()), self.y(until).min(self.area.bottom()));
            if stretch.state.power == Power::Down || bottom <= top {
                continue;
            }
            let lane = Rect::from_x_y_ranges(x - 3.0..=x + 3.0, top..=bottom);
            self.painter.rect_filled(lane, 0.0, look::state(&stretch.state, visuals));
        }
    }

    fn density(&self, density: &[Vec<f32>]) {
        let height = self.area.height() / f32::from(u16::try_from(COLUMNS).unwrap_or(1));
        let mut ink = Ink::new(self.area);
        for (index, lane) in density.iter().enumerate() {
            let x = self.lane_x(index);
            for (row, share) in (0_u16..).zip(lane).filter(|(_, share)| **share > 0.0) {
                let top = self.area.top() + f32::from(row) * height;
                let bar = Rect::from_x_y_ranges(x - 2.0..=x + 4.0 + 26.0 * share, top..=top + height);
                ink.rect(bar, look::kind(0).gamma_multiply(0.3 + 0.7 * share));
            }
        }
        ink.draw(&self.painter);
        let at = self.area.center_top() + vec2(0.0, 8.0);
        let text = "so much happens here that only its density is shown: Ctrl and scroll to zoom in";
        self.painter.text(
            at,
            Align2::CENTER_TOP,
            text,
            FontId::proportional(12.0),
            self.ui.visuals().text_color(),
        );
    }

    fn things(&self, scene: &Scene<'_>, arrows: &[Arrow], dots: &[Dot]) {
        let mut ink = Ink::new(self.area);
        for arrow in arrows {
            let Some(ends) = self.ends(arrow) else { continue };
            let colour = faded(scene, arrow.record, colour_of(arrow));
            let width =
                if scene.chosen.is_some_and(|chosen| chosen.record == arrow.record) { 3.0 } else { 1.2 };
            ink.line(ends, width, colour);
            if arrow.is_lost {
                ink.cross(ends[1], 3.5, colour);
            } else {
                ink.tip(ends, colour);
            }
        }
        for dot in dots {
            let Some(x) = self.x(dot.on) else { continue };
            let (form, colour, size) = match dot.kind {
                TraceKind::Crash => (Form::Diamond, BAD, 6.0),
                TraceKind::Start | TraceKind::Restart => (Form::Up, look::GOOD, 5.0),
                TraceKind::Pause | TraceKind::Resume | TraceKind::Command => (Form::Square, UNUSUAL, 5.0),
                _ => (Form::Disc, self.ui.visuals().text_color(), 2.5),
            };
            ink.form(form, pos2(x, self.y(dot.at)), size, faded(scene, dot.record, colour));
        }
        ink.draw(&self.painter.with_clip_rect(self.area));
    }

    fn ends(&self, arrow: &Arrow) -> Option<[Pos2; 2]> {
        Some([pos2(self.x(arrow.from)?, self.y(arrow.sent)), pos2(self.x(arrow.to)?, self.y(arrow.at))])
    }

    /// The record of what lies nearest to a point, if that is near.
    fn nearest(&self, arrows: &[Arrow], dots: &[Dot], at: Pos2) -> Option<u32> {
        let of_arrow = |arrow: &Arrow| Some((look::distance(self.ends(arrow)?, at), arrow.record));
        let of_dot = |dot: &Dot| Some((pos2(self.x(dot.on)?, self.y(dot.at)).distance(at) - 2.0, dot.record));
        let all = arrows.iter().filter_map(of_arrow).chain(dots.iter().filter_map(of_dot));
        let nearest = all.min_by(|(one, _), (other, _)| one.total_cmp(other))?;
        (nearest.0 <= NEAR).then_some(nearest.1)
    }
}

/// Where something is chosen, what has nothing to do with it steps back.
fn faded(scene: &Scene<'_>, record: u32, colour: Color32) -> Color32 {
    match scene.chosen {
        None => colour,
        Some(chosen) if chosen.record == record || chosen.past.contains(&record) => CHOSEN,
        Some(chosen) if chosen.future.contains(&record) => UNUSUAL,
        Some(_) => colour.gamma_multiply(0.18),
    }
}

fn colour_of(arrow: &Arrow) -> Color32 {
    match arrow.payload {
        _ if arrow.is_lost => BAD,
        Payload::Message(kind) => look::kind(usize::from(kind)),
        Payload::Request | Payload::Reply => UNUSUAL,
    }
}
