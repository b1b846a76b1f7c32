//! What clients asked, as stretches of time: a row a client, time from left to right. Where all of it is linearizable, the
//! moments at which operations can have taken effect; where it is not, the part that no order can explain.

use std::collections::BTreeSet;

use egui::scroll_area::ScrollBarVisibility;
use egui::{
    Align2, Color32, FontId, Label, Painter, Pos2, Rect, Response, RichText, Role, ScrollArea, Sense, Stroke,
    StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use sim_core::check::Answer;
use sim_core::check::history::linearizability::Evidence;
use sim_core::{ClientId, OpId, SimTime, Span};

use super::look::{self, BAD, CHOSEN, GOOD, UNUSUAL};
use super::{Desk, Scene, wish_button};
use crate::command::{Intent, JUDGE};
use crate::model::operations::{Fate, Interval, Operations};
use crate::model::scale::{Scale, seconds};
use crate::session::{Finding, Playback};

/// What the panel keeps.
#[derive(Default)]
pub(crate) struct Kept {
    operations: Operations,
    /// What is shown; all of it, where nobody has chosen.
    scale: Option<Scale>,
    /// The operation that was pressed last.
    picked: Option<OpId>,
    /// The row to bring into sight.
    wanted_row: Option<usize>,
}

/// What mouse and keys do.
pub(crate) const HELP: &str = "Operations of clients from invocation to completion. Press one to see what led to its \
answer, double-press to go to its end. Ctrl and scroll to zoom, Shift and scroll to move.";

const NAMES_WIDTH: f32 = 40.0;
const RULER_HEIGHT: f32 = 16.0;
const ROW_HEIGHT: f32 = 20.0;
/// A bar must be so wide to have a text, or the mark of a moment.
const TEXT_WIDTH_MIN: f32 = 44.0;
const POINT_WIDTH_MIN: f32 = 7.0;
/// So much room is kept on both sides of that mark.
const POINT_ROOM: f32 = 5.0;

/// Shows the history.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let kept = &mut desk.history;
    let history = scene.session.run().history();
    kept.operations.update(history, scene.session.tip());
    let mut illegal = Illegal::default();
    ui.horizontal_wrapped(|ui| {
        wish_button(ui, "Judge", &JUDGE, scene, intents);
        for finding in scene.session.judged().into_iter().flat_map(|judged| &judged.findings) {
            answer(ui, scene, finding, kept);
            illegal = finding.evidence.as_deref().map_or(std::mem::take(&mut illegal), Illegal::of);
        }
        legend(ui);
    });
    if kept.operations.count() == 0 {
        ui.weak("no client has asked anything yet: press Play, or give the scenario clients");
        return;
    }
    picked(ui, scene, kept);
    let points = scene.session.judged().map(|judged| judged.findings.as_slice()).unwrap_or_default();
    let area = ui.available_rect_before_wrap();
    let area = Rect::from_min_max(area.min + vec2(NAMES_WIDTH, 0.0), area.max);
    let scale = scale(ui, scene, kept, area);
    let sheet = Sheet { area, scale, scene, illegal: &illegal, findings: points, picked: kept.picked };
    sheet.ruler(ui);
    rows(ui, &sheet, kept, intents);
}

/// What one checker said, and a way to what it has against the history.
fn answer(ui: &mut Ui, scene: &Scene<'_>, finding: &Finding, kept: &mut Kept) {
    let name = finding.about.name;
    let about = format!("{}\n\nsource: {}", finding.about.statement, finding.about.source);
    match &finding.answer {
        Answer::Pass => ui.colored_label(GOOD, format!("✔ {name} holds")).on_hover_text(about),
        Answer::Violation(text) => {
            let label = ui.colored_label(BAD, format!("✖ {name} is violated"));
            if let Some(evidence) = &finding.evidence
                && ui.button("Show the illegal part").on_hover_text(text).clicked()
            {
                kept.show_part(evidence);
            }
            label.on_hover_text(format!("{about}\n\n{text}"))
        }
        Answer::Inconclusive(why) => {
            ui.colored_label(UNUSUAL, format!("? {name}: {why}")).on_hover_text(about)
        }
    };
    let judged = scene.session.judged();
    if let Some(at) = judged.map(|judged| judged.at).filter(|_| scene.session.is_judging_worthwhile()) {
        ui.weak(format!("as of {}", seconds(at)));
    }
}

fn legend(ui: &mut Ui) {
    for (text, colour, hint) in [
        ("■ done", fate(Fate::Done), "the operation happened"),
        ("▬ refused", fate(Fate::Refused), "the operation did not happen, and will not"),
        ("□ unknown", fate(Fate::Unknown), "the client gave up waiting: it may have happened, or not"),
    ] {
        let label = Label::new(RichText::new(text).color(colour).small()).extend();
        ui.add(label).on_hover_text(hint);
    }
}

/// The operation that was pressed, in words.
fn picked(ui: &mut Ui, scene: &Scene<'_>, kept: &Kept) {
    let interval = kept.picked.and_then(|op| kept.operations.find(op));
    let text = interval.map_or_else(
        || {
            format!(
                "{} of {}",
                look::count(kept.operations.count(), "operation"),
                look::count(kept.operations.client_count(), "client")
            )
        },
        |interval| told(scene, interval).replace('\n', ", "),
    );
    ui.weak(text);
}

/// An operation in words.
pub(super) fn told(scene: &Scene<'_>, interval: &Interval) -> String {
    let (operation, outcome) = interval.told(scene.session.run().history());
    let operation = operation.map(ToString::to_string).unwrap_or_default();
    let outcome = outcome.map_or_else(|| "no answer yet".to_owned(), ToString::to_string);
    let end = interval.completed.map_or_else(|| "…".to_owned(), seconds);
    format!("{} {operation} → {outcome}\n{} to {end}", interval.op, seconds(interval.invoked))
}

/// The part of a history that no order can explain.
#[derive(Default)]
struct Illegal {
    part: BTreeSet<OpId>,
    /// What cannot come next after the longest legal prefix.
    stuck: BTreeSet<OpId>,
}

impl Illegal {
    fn of(evidence: &Evidence) -> Self {
        let part = evidence.minimal.iter().map(|operation| operation.op).collect();
        Self { part, stuck: evidence.stuck.iter().map(|operation| operation.op).collect() }
    }
}

impl Kept {
    /// So that the illegal part is seen as a whole, if it has room.
    fn show_part(&mut self, evidence: &Evidence) {
        let from = evidence.minimal.iter().map(|operation| operation.invoked).min();
        let to = evidence.minimal.iter().filter_map(|operation| operation.completed).max();
        if let (Some(from), Some(to)) = (from, to) {
            self.scale = Some(Scale::new(from, to).zoomed(1.2, 0.5));
        }
        self.wanted_row = evidence.minimal.first().map(|operation| operation.op.client.index());
    }
}

/// The time that is shown: all that was computed, unless somebody has chosen.
fn scale(ui: &Ui, scene: &Scene<'_>, kept: &mut Kept, area: Rect) -> Scale {
    let all = Scale::new(SimTime::ZERO, scene.session.run().now() + Span::millis(1));
    let mut scale = kept.scale.unwrap_or(all);
    if scene.session.playback() == Playback::Playing {
        scale = scale.showing(scene.session.playhead());
    }
    let hovered = ui.ctx().pointer_hover_pos().filter(|at| area.contains(*at) && ui.ui_contains_pointer());
    if let Some(at) = hovered {
        let place = f64::from((at.x - area.left()) / area.width());
        let (zoom, scroll) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta()));
        scale = scale.zoomed(f64::from(1.0 / zoom), place);
        let is_moving = ui.input(|input| input.modifiers.shift) || scroll.x.abs() > scroll.y.abs();
        if is_moving {
            scale = scale.panned(-f64::from(scroll.x + scroll.y) / f64::from(area.width()));
        }
    }
    kept.scale = (scale != all).then_some(scale);
    scale
}

/// The rows that are in sight.
fn rows(ui: &mut Ui, sheet: &Sheet<'_>, kept: &mut Kept, intents: &mut Vec<Intent>) {
    let count = kept.operations.client_count();
    #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
    let top_of = |row: usize| row as f32 * ROW_HEIGHT;
    let mut area = ScrollArea::vertical()
        .auto_shrink(false)
        .scroll_bar_visibility(ScrollBarVisibility::VisibleWhenNeeded);
    if let Some(row) = kept.wanted_row.take() {
        area = area.vertical_scroll_offset((top_of(row) - 2.0 * ROW_HEIGHT).max(0.0));
    }
    area.show_viewport(ui, |ui, viewport| {
        ui.set_height(top_of(count));
        let top = ui.min_rect().top();
        let painter = ui.painter_at(ui.clip_rect());
        let response = ui.interact(ui.clip_rect(), ui.scope_id().with("operations"), Sense::click());
        let label = format!(
            "{} of {}",
            look::count(kept.operations.count(), "operation"),
            look::count(count, "client")
        );
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &label));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rows of the screen")]
        let shown = [viewport.min.y, viewport.max.y + ROW_HEIGHT].map(|y| (y / ROW_HEIGHT).max(0.0) as usize);
        let mut under = None;
        for row in shown[0]..shown[1].min(count) {
            under = sheet.row(&painter, &kept.operations, row, top + top_of(row), &response).or(under);
        }
        sheet.playhead(&painter, ui.clip_rect());
        act(sheet, kept, &response, under, intents);
    });
}

/// What the mouse does on an operation.
fn act(
    sheet: &Sheet<'_>,
    kept: &mut Kept,
    response: &Response,
    under: Option<OpId>,
    intents: &mut Vec<Intent>,
) {
    let Some(interval) = under.and_then(|op| kept.operations.find(op)) else {
        if response.double_clicked() {
            kept.scale = None;
        } else if response.clicked() {
            kept.picked = None;
        }
        return;
    };
    let end = interval.completed.unwrap_or(interval.invoked);
    if response.double_clicked() {
        intents.push(Intent::SeekTime(end));
    } else if response.clicked() {
        intents.push(Intent::SelectRecord(sheet.record(interval.op, end)));
        kept.picked = under;
    } else {
        look::tell(response, sheet.hint(interval));
    }
}

struct Sheet<'a> {
    area: Rect,
    scale: Scale,
    scene: &'a Scene<'a>,
    illegal: &'a Illegal,
    findings: &'a [Finding],
    picked: Option<OpId>,
}

impl Sheet<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "places on a screen")]
    fn x(&self, time: SimTime) -> f32 {
        self.area.left() + self.scale.place(time).clamp(-10.0, 10.0) as f32 * self.area.width()
    }

    fn ruler(&self, ui: &mut Ui) {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), RULER_HEIGHT));
        let colour = ui.visuals().weak_text_color();
        let (ticks, unit) = self.scale.ticks(f64::from(self.area.width() / 110.0));
        let painter = ui.painter();
        for tick in ticks {
            let x = self.x(tick);
            let line = Stroke::new(1.0, colour.gamma_multiply(0.3));
            painter.vline(x, rect.top()..=self.area.bottom(), line);
            let at = pos2(x + 3.0, rect.top());
            painter.text(at, Align2::LEFT_TOP, unit.tell(tick), FontId::proportional(11.0), colour);
        }
    }

    fn playhead(&self, painter: &Painter, rect: Rect) {
        let x = self.x(self.scene.session.playhead());
        if self.area.x_range().contains(x) {
            painter.vline(x, rect.y_range(), Stroke::new(2.0, CHOSEN));
        }
    }

    /// Draws a client's operations; the one under the mouse.
    fn row(
        &self,
        painter: &Painter,
        operations: &Operations,
        row: usize,
        top: f32,
        response: &Response,
    ) -> Option<OpId> {
        let visuals = response.ctx.global_style().visuals.clone();
        let name = ClientId::new(u32::try_from(row).unwrap_or(u32::MAX)).to_string();
        let middle = top + ROW_HEIGHT / 2.0;
        let at = pos2(self.area.left() - 6.0, middle);
        painter.text(at, Align2::RIGHT_CENTER, name, FontId::proportional(11.0), visuals.text_color());
        let line = Stroke::new(1.0, visuals.weak_text_color().gamma_multiply(0.25));
        painter.hline(self.area.x_range(), middle, line);
        let pixel = f64::from(1.0 / self.area.width().max(1.0));
        let grain = self.scale.time(pixel).since(self.scale.first());
        let mouse = response.hover_pos().filter(|at| (top..top + ROW_HEIGHT).contains(&at.y));
        let mut under = None;
        for interval in operations.seen(row, self.scale.first(), self.scale.last(), grain) {
            let bar = self.bar(interval, top);
            self.interval(painter, interval, bar, &visuals);
            if mouse.is_some_and(|at| bar.expand2(vec2(2.0, ROW_HEIGHT)).contains(pos2(at.x, middle))) {
                under = Some(interval.op);
            }
        }
        under
    }

    fn bar(&self, interval: &Interval, top: f32) -> Rect {
        let from = self.x(interval.invoked).max(self.area.left());
        let to = interval.completed.map_or(self.area.right(), |at| self.x(at)).min(self.area.right());
        let gap = if interval.fate == Fate::Refused { 6.0 } else { 2.5 };
        Rect::from_min_max(pos2(from, top + gap), pos2(to.max(from + 1.0), top + ROW_HEIGHT - gap))
    }

    fn interval(&self, painter: &Painter, interval: &Interval, bar: Rect, visuals: &egui::Visuals) {
        let is_illegal = self.illegal.part.contains(&interval.op);
        let is_aside = !self.illegal.part.is_empty() && !is_illegal;
        let colour = if is_illegal { BAD } else { fate(interval.fate) };
        let colour = if is_aside { colour.gamma_multiply(0.35) } else { colour };
        match interval.fate {
            Fate::Done | Fate::Refused => painter.rect_filled(bar, 1.0, colour),
            Fate::Unknown | Fate::Open if bar.width() < POINT_WIDTH_MIN => {
                painter.rect_filled(bar, 1.0, colour)
            }
            Fate::Unknown | Fate::Open => {
                painter.rect_stroke(bar, 1.0, Stroke::new(1.0, colour), StrokeKind::Inside)
            }
        };
        if is_illegal || self.picked == Some(interval.op) {
            let colour = if is_illegal { BAD } else { CHOSEN };
            let frame = bar.expand(1.5);
            painter.rect_stroke(frame, 2.0, Stroke::new(2.0, colour), StrokeKind::Outside);
        }
        if bar.width() >= TEXT_WIDTH_MIN {
            self.text(painter, interval, bar, visuals);
        }
        if self.illegal.stuck.contains(&interval.op) {
            let at = pos2(bar.right() - 6.0, bar.center().y);
            painter.text(
                at,
                Align2::CENTER_CENTER,
                "✖",
                FontId::proportional(11.0),
                look::on(colour, visuals),
            );
        }
        let point = self.point(interval.op);
        if let Some(point) = point.filter(|_| bar.width() >= POINT_WIDTH_MIN) {
            diamond(painter, pos2(self.x(point), bar.center().y), visuals.strong_text_color());
        }
    }

    fn text(&self, painter: &Painter, interval: &Interval, bar: Rect, visuals: &egui::Visuals) {
        let (operation, outcome) = interval.told(self.scene.session.run().history());
        let operation = operation.map(ToString::to_string).unwrap_or_default();
        let text = match outcome {
            Some(outcome) => format!("{operation} → {outcome}"),
            None => operation,
        };
        let is_filled = matches!(interval.fate, Fate::Done | Fate::Refused);
        let colour = if is_filled { look::on(fate(interval.fate), visuals) } else { visuals.text_color() };
        look::write(
            painter,
            self.beside_point(interval, bar.intersect(painter.clip_rect())),
            &text,
            10.5,
            colour,
        );
    }

    /// The part of a bar that has most room beside the sign of its moment.
    fn beside_point(&self, interval: &Interval, bar: Rect) -> Rect {
        let Some(x) = self.point(interval.op).map(|point| self.x(point)) else { return bar };
        let left = Rect::from_x_y_ranges(bar.left()..=x - POINT_ROOM, bar.y_range());
        let right = Rect::from_x_y_ranges(x + POINT_ROOM..=bar.right(), bar.y_range());
        if left.width() > right.width() { left } else { right }
    }

    /// When an operation can have taken effect.
    fn point(&self, op: OpId) -> Option<SimTime> {
        self.findings.iter().find_map(|finding| finding.points.get(&op).copied())
    }

    fn hint(&self, interval: &Interval) -> String {
        let point = self.point(interval.op).map(|at| format!("can have taken effect at {}", seconds(at)));
        let is_illegal = self.illegal.part.contains(&interval.op);
        let illegal = is_illegal.then(|| "part of what no order can explain".to_owned());
        let is_stuck = self.illegal.stuck.contains(&interval.op);
        let stuck = is_stuck.then(|| "cannot be next after the longest legal prefix".to_owned());
        let lines = std::iter::once(told(self.scene, interval)).chain(point).chain(illegal).chain(stuck);
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The record of an operation's end, if it was recorded.
    fn record(&self, op: OpId, at: SimTime) -> Option<u32> {
        let trace = self.scene.session.run().trace()?;
        let first = trace.first_at(at);
        let of_then = (first..trace.len()).zip(trace.range(first..trace.len()));
        let mut of_then = of_then.take_while(|(_, record)| record.at() == at);
        of_then.find(|(_, record)| record.op() == Some(op)).map(|(number, _)| number)
    }
}

pub(super) const fn fate(fate: Fate) -> Color32 {
    match fate {
        Fate::Done => Color32::from_rgb(0, 114, 178),
        Fate::Refused => UNUSUAL,
        Fate::Unknown | Fate::Open => Color32::GRAY,
    }
}

fn diamond(painter: &Painter, at: Pos2, colour: Color32) {
    let points = vec![at - vec2(0.0, 5.0), at + vec2(3.0, 0.0), at + vec2(0.0, 5.0), at - vec2(3.0, 0.0)];
    painter.add(egui::Shape::convex_polygon(points, colour, Stroke::new(1.0, Color32::BLACK)));
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable;
    use sim_core::Span;

    use super::*;
    use crate::testing::{panel, press};

    const LOST_WRITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/shrunk/lost-write.ron");

    #[test]
    fn a_run_that_stands_still_is_judged_and_what_is_new_is_judged_by_the_button() {
        let mut window = panel("raft/steady", "History");
        assert!(window.query_by_label("✔ linearizability holds").is_some());
        window.state_mut().session.seek_time(SimTime::ZERO + Span::millis(1_500));
        window.run();
        assert!(window.query_by_label("✔ linearizability holds").is_some());
        assert!(!window.state().session.is_judging_worthwhile());
    }

    #[test]
    fn what_no_order_can_explain_is_shown_by_a_press() {
        let mut window = panel("raft/steady", "History");
        window.state_mut().open(LOST_WRITE);
        window.state_mut().session.restart(231);
        let end = window.state().session.end();
        window.state_mut().session.seek_time(end);
        window.run();
        assert!(window.query_by_label("✖ linearizability is violated").is_some());
        press(&mut window, "Show the illegal part");
        let scale = window.state().desk.history.scale.expect("somebody has chosen");
        let judged = window.state().session.judged().expect("it stands still");
        let evidence = judged.findings[0].evidence.as_ref().expect("it is about operations");
        for operation in &evidence.minimal {
            assert!(
                scale.first() <= operation.invoked && operation.completed.is_none_or(|at| at <= scale.last())
            );
        }
    }

    #[test]
    fn where_nobody_has_asked_anything_a_hint_says_so() {
        let mut window = panel("raft/steady", "History");
        window.state_mut().session.seek_events(0);
        window.state_mut().session.restart(1);
        window.run();
        assert!(window.query_by_label_contains("no client has asked anything yet").is_some());
    }
}
