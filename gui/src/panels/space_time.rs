//! What happened, as a space-time diagram: time goes down, a lane an endpoint, a line a message; faults as bands over the
//! lanes that they concern, operations as stretches of their clients' lanes.

use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use sim_core::status::Power;
use sim_core::trace::{Payload, Record, TraceKind};
use sim_core::{Endpoint, NodeId, SimTime, Span};

use super::ink::{Form, Ink};
use super::look::{self, BAD, CHOSEN, UNUSUAL};
use super::search::Search;
use super::{Desk, Scene, events, history};
use crate::command::Intent;
use crate::model::apart::bands;
use crate::model::operations::{Fate, Interval, Operations};
use crate::model::scale::{Scale, seconds};
use crate::model::space_time::{self, Arrow, COLUMNS, Content, Dot, Wanted, content};

/// What the diagram keeps.
#[derive(Default)]
pub(crate) struct Kept {
    /// How much time is shown, where somebody has chosen it.
    length: Option<Span>,
    /// What is shown, where it does not follow the playhead.
    held: Option<Scale>,
    search: Search,
    operations: Operations,
}

impl Kept {
    /// Shows this stretch of time.
    pub(crate) fn show_since(&mut self, from: SimTime, until: SimTime) {
        let scale = Scale::new(from, until);
        self.length = Some(scale.length());
        self.held = Some(scale);
    }
}

/// What mouse and keys do.
pub(crate) const HELP: &str = "Time goes down; the line across is what is shown elsewhere. Press an event or a message to see what led to \
it (blue) and what followed. Double-press to go there. Scroll to move, Ctrl and scroll to zoom. A search hides what does not fit.";

/// What is shown at first.
const LENGTH: Span = Span::millis(60);
const HEAD: f32 = 20.0;
const LEFT: f32 = 76.0;
/// So many nodes have a lane at most: there are fewer columns of pixels.
const NODES_MAX: u32 = 1_000;
/// So many clients have a lane at most.
const CLIENTS_MAX: u32 = 16;
/// So much of the room between two lanes is a band of a fault.
const BAND: f32 = 0.42;
/// So much of it is half of a node's lane, up to so much.
const LANE: f32 = 0.2;
const LANE_MAX: f32 = 3.0;
/// Half as wide is an operation on its client's lane.
const OPERATION: f32 = 4.0;
/// A name of a lane needs so much room.
const NAME_WIDTH: f32 = 36.0;
/// So often a text that finds no room is moved.
const MOVES_MAX: usize = 12;
/// How near the mouse must be.
const NEAR: f32 = 5.0;

/// Shows the diagram.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let Some(trace) = scene.session.run().trace() else {
        ui.weak("nothing was recorded");
        return;
    };
    let kept = &mut desk.space_time;
    kept.operations.update(scene.session.run().history(), scene.session.tip());
    ui.horizontal_wrapped(|ui| {
        kept.search.show(ui, "search the diagram", 260.0);
        let clients = scene.session.scenario().clients.total();
        if clients > CLIENTS_MAX {
            ui.weak(format!("{CLIENTS_MAX} of {clients} clients have a lane"));
        }
        let nodes = scene.statuses.len();
        if nodes > NODES_MAX as usize {
            ui.weak(format!("{NODES_MAX} of {nodes} nodes have a lane"))
                .on_hover_text("those around the selected node");
        }
    });
    kept.search.complain(ui);
    let (response, painter) = ui.allocate_painter(ui.available_size(), Sense::click());
    let area = Rect::from_min_max(response.rect.min + vec2(LEFT, HEAD), response.rect.max);
    let scale = scale(ui, scene, kept, response.hover_pos(), area);
    let lanes = lanes(scene);
    let sheet = Sheet { painter, area, scale, lanes: &lanes, ui };
    sheet.background(scene);
    let operations = sheet.operations(scene, &kept.operations);
    let filter = kept.search.filter();
    let kinds = scene.session.run().message_kinds();
    let fits =
        |number: u32, record: &Record| filter.fits(record, kinds, || events::told(scene, trace, number));
    let wanted: Option<Wanted<'_>> = if filter.is_empty() { None } else { Some(&fits) };
    match content(trace, scale, &lanes, wanted) {
        Content::Density(density) => sheet.density(&density),
        Content::Things { arrows, dots } => {
            sheet.things(scene, &arrows, &dots);
            if arrows.is_empty() && dots.is_empty() {
                sheet.say(match wanted {
                    Some(_) => "nothing fits this search in the time that is shown",
                    None => "nothing happens in the time that is shown: Ctrl and scroll shows more of it",
                });
            }
            let hovered = response.hover_pos().and_then(|at| sheet.nearest(&arrows, &dots, at));
            if let Some(record) = hovered {
                let at = trace.get(record).map(|what| seconds(what.at())).unwrap_or_default();
                look::tell(&response, format!("{at}\n{}", events::told(scene, trace, record)));
            } else if let Some(at) = response.hover_pos() {
                let under = operations.iter().rfind(|(bar, _)| bar.contains(at));
                if let Some((_, interval)) = under {
                    look::tell(&response, history::told(scene, interval));
                }
            }
            if response.double_clicked() {
                intents.extend(hovered.map(Intent::SeekRecord));
            } else if response.clicked() {
                intents.push(Intent::SelectRecord(hovered));
            }
        }
    }
    sheet.labels(scene);
}

/// The nodes around the selected one, then as many clients as find room.
fn lanes(scene: &Scene<'_>) -> Vec<Endpoint> {
    let count = u32::try_from(scene.statuses.len()).unwrap_or(u32::MAX);
    let first = scene.selected.raw() / NODES_MAX * NODES_MAX;
    let nodes = first..count.min(first + NODES_MAX);
    space_time::lanes(nodes, scene.session.scenario().clients.total().min(CLIENTS_MAX))
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
        space_time::lane_of(self.lanes, end).map(|index| self.lane_x(index))
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
        self.bands(scene);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is above zero and small"
        )]
        let step = (NAME_WIDTH / self.pitch()).ceil().clamp(1.0, 1_000.0) as usize;
        for (index, lane) in self.lanes.iter().enumerate() {
            let x = self.lane_x(index);
            let is_selected = lane.node() == Some(scene.selected);
            let colour = if is_selected { visuals.strong_text_color() } else { weak };
            if index % step == 0 {
                let (at, font) = (pos2(x, self.area.top() - 4.0), FontId::proportional(12.0));
                self.painter.text(at, Align2::CENTER_BOTTOM, lane.to_string(), font, colour);
            }
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
                clipped.hline(self.area.x_range(), y, Stroke::new(1.0, UNUSUAL.gamma_multiply(0.5)));
            }
        }
        for violation in scene.session.violations() {
            clipped.hline(self.area.x_range(), self.y(violation.at), Stroke::new(2.0, BAD));
        }
        clipped.hline(self.area.x_range(), self.y(scene.session.playhead()), Stroke::new(2.0, CHOSEN));
    }

    fn pitch(&self) -> f32 {
        self.lane_x(1) - self.lane_x(0)
    }

    /// A stretch of time on a lane, as far as it is seen.
    fn stretch(&self, x: f32, half: f32, from: SimTime, until: SimTime) -> Option<Rect> {
        let (top, bottom) = (self.y(from).max(self.area.top()), self.y(until).min(self.area.bottom()));
        (bottom > top).then(|| Rect::from_x_y_ranges(x - half..=x + half, top..=bottom))
    }

    /// Who is apart or slow, who is down or paused: a tinted ground under the lanes, for as long as it holds.
    fn bands(&self, scene: &Scene<'_>) {
        let (now, half) = (scene.session.known_until(), self.pitch() * BAND);
        let mut ink = Ink::new(self.area);
        for band in bands(scene.session.run().plan(), now) {
            for x in band.ends.iter().filter_map(|end| self.x(*end)) {
                let rect = self.stretch(x, half, band.from, band.until.unwrap_or(now));
                if let Some(rect) = rect {
                    ink.rect(rect, UNUSUAL.gamma_multiply(0.13));
                }
            }
        }
        for (index, node) in
            self.lanes.iter().enumerate().filter_map(|(index, lane)| Some((index, lane.node()?)))
        {
            for stretch in scene.lanes.seen(node.index(), self.scale.first(), self.scale.last()) {
                let colour = match stretch.state.power {
                    Power::Running => continue,
                    Power::Down => BAD,
                    Power::Paused => UNUSUAL,
                };
                let rect = self.stretch(self.lane_x(index), half, stretch.from, stretch.until.unwrap_or(now));
                if let Some(rect) = rect {
                    ink.rect(rect, colour.gamma_multiply(0.2));
                }
            }
        }
        ink.draw(&self.painter);
    }

    /// The operations of clients, drawn on their lanes; where they lie.
    fn operations<'a>(&self, scene: &Scene<'_>, operations: &'a Operations) -> Vec<(Rect, &'a Interval)> {
        let now = scene.session.known_until();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a height on the screen")]
        let grain = Span::nanos(self.scale.length().as_nanos() / (self.area.height().max(1.0) as u64).max(1));
        let mut bars = Vec::new();
        for (index, client) in
            self.lanes.iter().enumerate().filter_map(|(index, lane)| Some((index, lane.client()?)))
        {
            let seen = operations.seen(client.index(), self.scale.first(), self.scale.last(), grain);
            let bar = |interval: &'a Interval| {
                let until = interval.completed.unwrap_or(now);
                let half = (self.pitch() * BAND).min(OPERATION);
                Some((self.stretch(self.lane_x(index), half, interval.invoked, until)?, interval))
            };
            bars.extend(seen.into_iter().filter_map(bar));
        }
        for (bar, interval) in &bars {
            let colour = history::fate(interval.fate);
            match interval.fate {
                Fate::Done | Fate::Refused => {
                    self.painter.rect_filled(*bar, 1.0, colour.gamma_multiply(0.55))
                }
                Fate::Unknown | Fate::Open => {
                    self.painter.rect_stroke(*bar, 1.0, Stroke::new(1.0, colour), StrokeKind::Inside)
                }
            };
        }
        bars
    }

    /// What faults and violations are, and who is down: over everything else, and never over one another.
    fn labels(&self, scene: &Scene<'_>) {
        let mut labels = Labels { sheet: self, placed: Vec::new() };
        for violation in scene.session.violations() {
            let at = pos2(self.area.right() - 4.0, self.y(violation.at));
            labels.put(at, Align2::RIGHT_BOTTOM, format!("✖ {}", violation.property), BAD);
        }
        for mark in scene.lanes.faults() {
            let at = pos2(self.area.left() + 4.0, self.y(mark.at));
            labels.put(at, Align2::LEFT_BOTTOM, mark.text.clone(), UNUSUAL);
        }
        let now = scene.session.known_until();
        for band in bands(scene.session.run().plan(), now) {
            // Where it began is told by its command's own label.
            let is_older =
                band.from < self.scale.first() && band.until.is_none_or(|until| until > self.scale.first());
            let first = band.ends.iter().filter_map(|end| self.x(*end)).reduce(f32::min);
            if let Some(x) = first.filter(|_| is_older) {
                let left = (x - self.pitch() * BAND).max(self.area.left());
                labels.put(pos2(left, self.area.top() + 2.0), Align2::LEFT_TOP, band.told, UNUSUAL);
            }
        }
        for (index, node) in
            self.lanes.iter().enumerate().filter_map(|(index, lane)| Some((index, lane.node()?)))
        {
            for stretch in scene.lanes.seen(node.index(), self.scale.first(), self.scale.last()) {
                let (name, colour) = look::power(stretch.state.power);
                let until = stretch.until.unwrap_or(now);
                let rect = self.stretch(self.lane_x(index), 1.0, stretch.from, until);
                if let Some(rect) =
                    rect.filter(|rect| stretch.state.power != Power::Running && rect.height() > 16.0)
                {
                    labels.put(rect.center(), Align2::CENTER_CENTER, name.to_owned(), colour);
                }
            }
        }
    }

    /// A line at the top of the picture.
    fn say(&self, text: &str) {
        let (at, font) = (self.area.center_top() + vec2(0.0, 8.0), FontId::proportional(12.0));
        self.painter.text(at, Align2::CENTER_TOP, text, font, self.ui.visuals().text_color());
    }

    /// The lane of a node: how it stood, by colour; nothing while it was down.
    fn stretches(&self, scene: &Scene<'_>, node: NodeId, x: f32) {
        let visuals = self.ui.visuals();
        for stretch in scene.lanes.seen(node.index(), self.scale.first(), self.scale.last()) {
            let until = stretch.until.unwrap_or_else(|| scene.session.known_until());
            if stretch.state.power == Power::Down {
                continue;
            }
            let half = (self.pitch() * LANE).min(LANE_MAX);
            let Some(lane) = self.stretch(x, half, stretch.from, until) else { continue };
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
        self.say("so much happens here that only its density is shown: Ctrl and scroll to zoom in");
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

/// Texts that lie over a picture.
struct Labels<'a> {
    sheet: &'a Sheet<'a>,
    placed: Vec<Rect>,
}

impl Labels<'_> {
    /// A text, below those that lie there already; none, where there is no room for it.
    fn put(&mut self, at: Pos2, align: Align2, text: String, colour: Color32) {
        let Sheet { area, painter, ui, .. } = self.sheet;
        if !area.y_range().contains(at.y) {
            return;
        }
        let galley = painter.layout_no_wrap(text, FontId::proportional(11.0), colour);
        let wanted = align.anchor_size(at, galley.size());
        if let Some(place) = free(&self.placed, wanted).filter(|place| place.bottom() <= area.bottom()) {
            let clipped = painter.with_clip_rect(*area);
            clipped.rect_filled(
                place.expand2(vec2(2.0, 0.0)),
                2.0,
                ui.visuals().panel_fill.gamma_multiply(0.8),
            );
            clipped.galley(place.min, galley, colour);
            self.placed.push(place);
        }
    }
}

/// The nearest place at or below a wanted one where nothing lies yet.
fn free(placed: &[Rect], wanted: Rect) -> Option<Rect> {
    let below = |place: &Rect| {
        let hit = placed.iter().find(|taken| taken.intersects(*place))?;
        Some(place.translate(vec2(0.0, hit.bottom() - place.top() + 1.0)))
    };
    let is_free = |place: &Rect| !placed.iter().any(|taken| taken.intersects(*place));
    std::iter::successors(Some(wanted), below).take(MOVES_MAX).find(is_free)
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

#[cfg(test)]
mod tests {
    use egui::Event;
    use egui::accesskit::Role;
    use egui_kittest::kittest::Queryable;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::panel;

    #[test]
    fn a_search_that_fits_nothing_or_means_nothing_says_so_in_the_diagram() {
        let mut window = panel("raft/steady", "Space-time");
        let write = |window: &mut crate::testing::Window, text: &str| {
            window.get_by_role_and_label(Role::TextInput, "search the diagram").focus();
            window.run();
            window.event(Event::Text(text.to_owned()));
            window.run();
        };
        write(&mut window, "kind:append");
        assert_eq!(window.state().desk.space_time.search.filter().to_string(), "kind:append");
        write(&mut window, " node:nobody");
        assert!(window.query_by_label_contains("no node such as `n1`").is_some());
        assert!(window.state().desk.space_time.search.filter().is_empty(), "it hides nothing");
    }

    proptest! {
        #[test]
        fn no_text_lies_over_another(
            places in prop::collection::vec((0_u8..200, 0_u8..200, 5_u8..90), 1..40)
        ) {
            let mut placed: Vec<Rect> = Vec::new();
            for (x, y, width) in places {
                let wanted = Rect::from_min_size(pos2(f32::from(x), f32::from(y)), vec2(f32::from(width), 12.0));
                if let Some(place) = free(&placed, wanted) {
                    prop_assert!(placed.iter().all(|taken| !taken.intersects(place)), "{place} in {placed:?}");
                    prop_assert_eq!(place.x_range(), wanted.x_range());
                    prop_assert!(place.top() >= wanted.top());
                    placed.push(place);
                }
            }
            prop_assert!(!placed.is_empty());
        }
    }
}
