//! Logs of all nodes below each other, aligned by index; and the tables that processes declare, of all nodes.

use egui::{
    Align2, Color32, DragValue, FontId, Painter, Pos2, Rect, RichText, Role, ScrollArea, Sense, Stroke, Ui,
    WidgetInfo, pos2, vec2,
};
use egui_extras::{Column, TableBuilder};
use sim_core::NodeId;
use sim_core::status::Power;
use sim_core::view::Cell;

use super::look::{self, CHOSEN};
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::logs::{Extent, LogRows, Logs, TableRows};

/// What the panel keeps.
#[derive(Default)]
pub(crate) struct Kept {
    logs: Logs,
    /// The index at the left edge; `None` while the end is followed.
    first: Option<f64>,
    /// How much wider cells are than usual.
    zoom: Option<f32>,
}

/// What mouse and keys do.
pub(crate) const HELP: &str = "A row a node, a cell an entry, coloured by its epoch; pale and framed where it is not durable yet. Shapes below \
cells are the marks of the log. Drag, or Shift and scroll, to move; Ctrl and scroll for wider cells; press a cell to select its node.";

const NAMES_WIDTH: f32 = 40.0;
const RULER_HEIGHT: f32 = 14.0;
const CELL_HEIGHT: f32 = 18.0;
const ROW_HEIGHT: f32 = 32.0;
const CELL_WIDTH: f32 = 54.0;
/// A cell must be so wide to have a text.
const TEXT_WIDTH_MIN: f32 = 24.0;
const TABLE_HEIGHT_MAX: f32 = 240.0;
const TABLE_ROW: f32 = 18.0;
/// Marks in the order in which a log tells them.
const MARKS: [Color32; 4] = [
    Color32::from_rgb(0, 158, 115),
    Color32::from_rgb(86, 150, 255),
    Color32::from_rgb(214, 139, 0),
    Color32::from_rgb(190, 110, 180),
];

/// Shows logs and tables.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let kept = &mut desk.logs;
    kept.logs.update(scene.session.simulation(), scene.session.tip());
    let (logs, tables) = (kept.logs.strips.clone(), kept.logs.tables.clone());
    if logs.is_empty() && tables.is_empty() {
        ui.weak("no process shows a log or a table now: all are down, or this protocol keeps none");
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for log in &logs {
            show_log(ui, scene, kept, log, intents);
        }
        for table in tables.iter().filter(|table| table.count() > 0) {
            show_table(ui, scene, &mut kept.logs, table, intents);
        }
    });
}

/// All nodes that may have the log: those that show it, and those that are down.
fn rows<'a>(scene: &Scene<'_>, log: &'a LogRows) -> Vec<(NodeId, Option<&'a Extent>)> {
    let all = (0_u32..).map(NodeId::new).zip(scene.statuses);
    let row = |(node, power): (NodeId, Power)| {
        let extent = log.nodes.iter().find(|(known, _)| *known == node).map(|(_, extent)| extent);
        (extent.is_some() || power == Power::Down).then_some((node, extent))
    };
    all.map(|(node, status)| (node, status.power)).filter_map(row).collect()
}

fn show_log(ui: &mut Ui, scene: &Scene<'_>, kept: &mut Kept, log: &LogRows, intents: &mut Vec<Intent>) {
    let rows = rows(scene, log);
    let start = log.nodes.iter().map(|(_, extent)| extent.available.start).min().unwrap_or(0);
    let end = log.nodes.iter().map(|(_, extent)| extent.available.end).max().unwrap_or(0).max(start);
    ui.horizontal_wrapped(|ui| head(ui, kept, log, start..end));
    if start == end {
        ui.weak("the log is empty on all nodes");
        return;
    }
    #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
    let height = RULER_HEIGHT + rows.len() as f32 * ROW_HEIGHT;
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click_and_drag());
    let label = format!("{} of {}", log.path, look::count(log.nodes.len(), "node"));
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &label));
    let area = Rect::from_min_max(rect.min + vec2(NAMES_WIDTH, RULER_HEIGHT), rect.max);
    let width = CELL_WIDTH * kept.zoom.unwrap_or(1.0);
    let first = moved(ui, kept, &response, (area, width), start..end);
    let sheet = Sheet { painter: ui.painter_at(rect.intersect(ui.clip_rect())), area, width, first };
    sheet.ruler(ui, end);
    let mut under = None;
    for (place, (node, extent)) in rows.iter().enumerate() {
        let top = sheet.top(place);
        if !ui.is_rect_visible(Rect::from_x_y_ranges(rect.x_range(), top..=top + ROW_HEIGHT)) {
            continue;
        }
        sheet.name(ui, *node, top, *node == scene.selected);
        let Some(extent) = extent else {
            sheet.note(ui, top, "down: its disk keeps what was synced");
            continue;
        };
        let mouse = response.hover_pos().filter(|at| (top..top + ROW_HEIGHT).contains(&at.y));
        let what = (*node, log.path.as_str());
        under = sheet.row(ui, scene, &mut kept.logs, what, extent, (top, mouse)).or(under);
    }
    if let Some(told) = under {
        look::tell(&response, told);
    }
    if let Some(at) = response.interact_pointer_pos().filter(|_| response.clicked()) {
        let pressed = rows.iter().enumerate().find(|(place, _)| {
            let top = sheet.top(*place);
            (top..top + ROW_HEIGHT).contains(&at.y)
        });
        intents.extend(pressed.map(|(_, (node, _))| Intent::Select(*node)));
    }
    ui.add_space(6.0);
}

/// Name, marks and where in the log it is.
fn head(ui: &mut Ui, kept: &mut Kept, log: &LogRows, indices: std::ops::Range<u64>) {
    ui.label(RichText::new(&log.path).strong());
    let marks = log.nodes.first().map(|(_, extent)| extent.marks.as_slice()).unwrap_or_default();
    for (place, (name, _)) in marks.iter().enumerate() {
        ui.horizontal(|ui| {
            let (rect, response) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            mark(ui.painter(), rect.center(), place);
            response.on_hover_text("a mark of the log: up to and with this entry");
            ui.weak(*name);
        });
    }
    if log.nodes.iter().any(|(_, extent)| extent.durable().is_some()) {
        ui.add(egui::Label::new(RichText::new("□ not durable").weak()).extend());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index on the screen"
    )]
    {
        let mut first = kept.first.map_or(indices.start, |first| first as u64);
        let field =
            DragValue::new(&mut first).range(indices.start..=indices.end.saturating_sub(1)).prefix("from ");
        if ui.add(field).on_hover_text("the first index that is shown").changed() {
            kept.first = Some(first as f64);
        }
    }
    let text = format!("{} to {}", indices.start, indices.end.saturating_sub(1));
    if ui.add_enabled(kept.first.is_some(), egui::Button::new("Follow the end")).clicked() {
        kept.first = None;
    }
    ui.weak(text);
}

/// The index at the left edge, after what the mouse has done.
#[expect(clippy::cast_precision_loss, reason = "places on a screen")]
fn moved(
    ui: &Ui,
    kept: &mut Kept,
    response: &egui::Response,
    (area, width): (Rect, f32),
    indices: std::ops::Range<u64>,
) -> f64 {
    let shown = f64::from(area.width() / width);
    let last = (indices.end as f64 - shown).max(indices.start as f64);
    let mut by = f64::from(-response.drag_delta().x / width);
    if response.hovered() {
        let (zoom, scroll) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta()));
        by -= f64::from(scroll.x / width);
        if (zoom - 1.0).abs() > f32::EPSILON {
            kept.zoom = Some((kept.zoom.unwrap_or(1.0) * zoom).clamp(0.15, 4.0));
        }
    }
    let first = kept.first.unwrap_or(last);
    if by != 0.0 {
        let to = (first + by).clamp(indices.start as f64, last);
        kept.first = (to < last).then_some(to);
        return to;
    }
    first.clamp(indices.start as f64, last)
}

struct Sheet {
    painter: Painter,
    area: Rect,
    width: f32,
    first: f64,
}

impl Sheet {
    #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
    fn top(&self, place: usize) -> f32 {
        self.area.top() + place as f32 * ROW_HEIGHT
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "places on a screen")]
    fn x(&self, index: u64) -> f32 {
        self.area.left() + ((index as f64 - self.first).clamp(-1e6, 1e6) as f32) * self.width
    }

    /// The indices that are in sight.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative")]
    fn shown(&self) -> std::ops::Range<u64> {
        let count = (self.area.width() / self.width).ceil() as u64 + 1;
        self.first as u64..self.first as u64 + count
    }

    fn ruler(&self, ui: &Ui, end: u64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few")]
        let step = (48.0 / self.width).ceil().max(1.0) as u64;
        let colour = ui.visuals().weak_text_color();
        let shown = self.shown();
        for index in (shown.start.next_multiple_of(step)..shown.end.min(end))
            .step_by(usize::try_from(step).unwrap_or(1))
        {
            let at = pos2(self.x(index) + 2.0, self.area.top() - RULER_HEIGHT);
            self.painter.text(at, Align2::LEFT_TOP, index, FontId::proportional(10.0), colour);
        }
    }

    fn name(&self, ui: &Ui, node: NodeId, top: f32, is_selected: bool) {
        let visuals = ui.visuals();
        let colour = if is_selected { visuals.strong_text_color() } else { visuals.weak_text_color() };
        let at = pos2(self.area.left() - 8.0, top + CELL_HEIGHT / 2.0);
        self.painter.text(at, Align2::RIGHT_CENTER, node, FontId::proportional(12.0), colour);
        if is_selected {
            let bar = Rect::from_min_size(pos2(self.area.left() - 5.0, top), vec2(2.5, CELL_HEIGHT));
            self.painter.rect_filled(bar, 1.0, CHOSEN);
        }
    }

    fn note(&self, ui: &Ui, top: f32, text: &str) {
        let at = pos2(self.area.left() + 4.0, top + CELL_HEIGHT / 2.0);
        let colour = ui.visuals().weak_text_color();
        self.painter.text(at, Align2::LEFT_CENTER, text, FontId::proportional(11.0), colour);
    }

    /// Draws a node's log; what lies under the mouse, in words.
    fn row(
        &self,
        ui: &Ui,
        scene: &Scene<'_>,
        logs: &mut Logs,
        (node, path): (NodeId, &str),
        extent: &Extent,
        (top, mouse): (f32, Option<Pos2>),
    ) -> Option<String> {
        let shown = self.shown();
        let window = shown.start.max(extent.available.start)..shown.end.min(extent.available.end);
        let painter = self.painter.with_clip_rect(self.area.intersect(self.painter.clip_rect()));
        if shown.start < extent.available.start {
            let before = self.x(extent.available.start);
            let gone = Rect::from_x_y_ranges(self.area.left()..=before, top..=top + CELL_HEIGHT);
            painter.rect_filled(gone, 2.0, ui.visuals().faint_bg_color);
        }
        let mut told = None;
        let simulation = scene.session.simulation();
        logs.cells(simulation, (node, path), window.start..window.end.max(window.start), |cell| {
            let is_durable = extent.durable().is_none_or(|durable| cell.index <= durable);
            let rect = self.cell(&painter, ui, cell, top, is_durable);
            if mouse.is_some_and(|at| rect.contains(pos2(at.x, rect.center().y))) {
                told = Some(describe(node, cell, extent, is_durable));
            }
        });
        for (place, (_, index)) in extent.marks.iter().enumerate() {
            if shown.contains(index) || *index + 1 == shown.start {
                #[expect(clippy::cast_precision_loss, reason = "few marks")]
                let offset = self.width * (place as f32 + 0.5) / extent.marks.len() as f32;
                mark(&painter, pos2(self.x(*index) + offset, top + CELL_HEIGHT + 6.0), place);
            }
        }
        told
    }

    fn cell(&self, painter: &Painter, ui: &Ui, cell: &Cell, top: f32, is_durable: bool) -> Rect {
        let gap = if self.width > 8.0 { 1.0 } else { 0.0 };
        let left = self.x(cell.index);
        let rect =
            Rect::from_min_max(pos2(left + gap, top), pos2(left + self.width - gap, top + CELL_HEIGHT));
        let colour = look::epoch(cell.epoch);
        let has_text = self.width >= TEXT_WIDTH_MIN;
        if is_durable {
            painter.rect_filled(rect, 2.0, colour);
        } else {
            painter.rect_filled(rect, 2.0, colour.gamma_multiply(0.25));
            painter.rect_stroke(rect, 2.0, Stroke::new(1.0, colour), egui::StrokeKind::Inside);
        }
        if has_text {
            let visuals = ui.visuals();
            let colour = if is_durable { look::on(colour, visuals) } else { visuals.text_color() };
            look::write(painter, rect, &cell.label, 10.0, colour);
        }
        rect
    }
}

fn describe(node: NodeId, cell: &Cell, extent: &Extent, is_durable: bool) -> String {
    let durable = match extent.durable() {
        Some(_) if is_durable => ", durable",
        Some(_) => ", not durable",
        None => "",
    };
    let here = extent.marks.iter().filter(|(_, index)| *index == cell.index).map(|(name, _)| *name);
    let marks: Vec<&str> = here.collect();
    let marks = if marks.is_empty() { String::new() } else { format!("\nmarks: {}", marks.join(", ")) };
    format!("{node}: index {}, epoch {}{durable}\n{}{marks}", cell.index, cell.epoch, cell.label)
}

/// The mark of this place: each has a shape of its own, beside its colour.
fn mark(painter: &Painter, at: Pos2, place: usize) {
    let colour = MARKS[place % MARKS.len()];
    let points = match place % MARKS.len() {
        0 => vec![at + vec2(0.0, -4.5), at + vec2(4.5, 4.0), at + vec2(-4.5, 4.0)],
        1 => vec![at + vec2(0.0, -5.0), at + vec2(5.0, 0.0), at + vec2(0.0, 5.0), at + vec2(-5.0, 0.0)],
        2 => vec![at + vec2(-4.0, -4.0), at + vec2(4.0, -4.0), at + vec2(4.0, 4.0), at + vec2(-4.0, 4.0)],
        _ => {
            painter.circle_filled(at, 4.0, colour);
            return;
        }
    };
    painter.add(egui::Shape::convex_polygon(points, colour, Stroke::NONE));
}

fn show_table(ui: &mut Ui, scene: &Scene<'_>, logs: &mut Logs, rows: &TableRows, intents: &mut Vec<Intent>) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(&rows.path).strong());
        ui.weak(format!("{} rows of {}", rows.count(), look::count(rows.nodes.len(), "node")));
    });
    ui.push_id(("table", &rows.path, &rows.columns), |ui| {
        ui.style_mut().interaction.selectable_labels = false;
        let table = TableBuilder::new(ui)
            .striped(true)
            .sense(Sense::click())
            .max_scroll_height(TABLE_HEIGHT_MAX)
            .auto_shrink([false, true])
            .column(Column::exact(48.0))
            .columns(Column::auto().at_least(90.0).clip(true), rows.columns.len().saturating_sub(1))
            .column(Column::remainder().clip(true));
        let table = table.header(TABLE_ROW, |mut row| {
            for head in std::iter::once("node").chain(rows.columns.iter().copied()) {
                row.col(|ui| {
                    ui.strong(head);
                });
            }
        });
        let count = usize::try_from(rows.count()).unwrap_or(usize::MAX);
        table.body(|body| {
            body.rows(TABLE_ROW, count, |mut row| {
                let Some((node, index)) = rows.at(row.index() as u64) else { return };
                row.set_selected(node == scene.selected);
                let texts = logs.row(scene.session.simulation(), (node, &rows.path), index);
                for text in std::iter::once(node.to_string()).chain(texts) {
                    row.col(|ui| {
                        ui.monospace(text);
                    });
                }
                if row.response().clicked() {
                    intents.push(Intent::Select(node));
                }
            });
        });
    });
    ui.add_space(6.0);
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable;
    use sim_core::fault::Command;

    use super::*;
    use crate::testing::panel;

    #[test]
    fn a_press_on_a_row_selects_its_node() {
        let mut window = panel("raft/steady", "Logs");
        assert_eq!(window.state().selected, NodeId::new(0));
        // In the middle of the picture is the row of the middle node.
        window.get_by_label("log of 5 nodes").click();
        window.run();
        assert_eq!(window.state().selected, NodeId::new(2));
    }

    #[test]
    fn the_end_is_followed_again_where_somebody_asks_for_it() {
        let mut window = panel("raft/steady", "Logs");
        window.state_mut().desk.logs.first = Some(1.0);
        window.run();
        window.get_by_label("Follow the end").click();
        window.run();
        assert_eq!(window.state().desk.logs.first, None);
    }

    #[test]
    fn where_all_are_down_a_hint_says_so() {
        let mut window = panel("raft/steady", "Logs");
        for node in 0..5 {
            window
                .state_mut()
                .session
                .apply(Command::Crash(NodeId::new(node)))
                .expect("a world takes commands");
        }
        window.run();
        assert!(window.query_by_label_contains("no process shows a log or a table now").is_some());
    }
}
