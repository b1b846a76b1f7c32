//! The whole run from left to right: faults, violations, how much clients ask, bookmarks; a lane a node, coloured by who
//! leads in which epoch; the playhead; what was computed, and what was not.

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{
    Align2, Button, Color32, FontId, Painter, PopupCloseBehavior, Pos2, Rect, RichText, Role, Sense, Stroke,
    TextEdit, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use sim_core::{NodeId, SimTime, Span};

use super::ink::Ink;
use super::look::{self, BAD, CHOSEN, UNUSUAL};
use super::{Desk, Scene, wish_menu};
use crate::command::{BOOKMARK, Intent, NEXT_BOOKMARK, PREVIOUS_BOOKMARK};
use crate::model::lanes::Column;
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

const NAMES_WIDTH: f32 = 76.0;
const RULER_HEIGHT: f32 = 16.0;
/// The rows above the nodes are so high, and less where there is little room.
const ROW_HEIGHT_MAX: f32 = 14.0;
const ROW_HEIGHT_MIN: f32 = 7.0;
const LANE_HEIGHT_MAX: f32 = 16.0;
/// Marks nearer than this are drawn as one.
const MARK_WIDTH: f32 = 3.0;

/// How far the lines are apart that hatch what was not computed.
const HATCH: f32 = 9.0;
/// So wide is a column in which operations are counted.
const COLUMN_WIDTH: f32 = 4.0;

/// A row above the nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Faults,
    Violations,
    Operations,
    Bookmarks,
}

impl Row {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Faults, "faults"),
        (Self::Violations, "violations"),
        (Self::Operations, "operations"),
        (Self::Bookmarks, "bookmarks"),
    ];
}

/// What mouse and keys do.
pub(crate) const HELP: &str = "Press or drag to go to a time. Scroll to zoom, Shift and scroll to move, double-press to see all. \
What is hatched was not computed yet. B sets or removes a bookmark; press the word bookmarks to name them.";

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
    bookmarks(ui, scene, row(area, Row::Bookmarks), intents);
}

/// The name of the row of bookmarks, which opens a list of them: to go to, to name, to remove.
fn bookmarks(ui: &mut Ui, scene: &Scene<'_>, row: Rect, intents: &mut Vec<Intent>) {
    let place =
        Rect::from_min_max(pos2(row.left() - NAMES_WIDTH, row.top()), pos2(row.left() - 4.0, row.bottom()));
    let mut ui = ui
        .new_child(UiBuilder::new().max_rect(place).layout(egui::Layout::right_to_left(egui::Align::Center)));
    ui.spacing_mut().button_padding = vec2(2.0, 0.0);
    ui.spacing_mut().interact_size.y = place.height();
    let name =
        RichText::new("bookmarks").size(name_size(place.height())).color(ui.visuals().weak_text_color());
    let stays = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    MenuButton::from_button(Button::new(name).frame(false)).config(stays).ui(&mut ui, |ui| {
        ui.set_min_width(280.0);
        wish_menu(ui, &[&BOOKMARK, &NEXT_BOOKMARK, &PREVIOUS_BOOKMARK], scene, intents);
        ui.separator();
        if scene.session.bookmarks.iter().next().is_none() {
            ui.weak("no bookmark is set");
        }
        egui::ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
            for (at, name) in scene.session.bookmarks.iter() {
                ui.horizontal(|ui| bookmark(ui, at, name, intents));
            }
        });
    });
}

fn bookmark(ui: &mut Ui, at: SimTime, name: &str, intents: &mut Vec<Intent>) {
    let told = seconds(at);
    if ui.button(&told).on_hover_text("go there").clicked() {
        intents.push(Intent::SeekTime(at));
    }
    let mut text = name.to_owned();
    let field = ui.add(TextEdit::singleline(&mut text).desired_width(140.0));
    field.widget_info(|| {
        WidgetInfo::labeled(Role::TextInput, true, format!("name of the bookmark at {told}"))
    });
    if field.changed() {
        intents.push(Intent::NameBookmark(at, text));
    }
    if ui.button("✖").on_hover_text("remove it").clicked() {
        intents.push(Intent::Bookmark(at));
    }
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
    let at_operations = row(area, Row::Operations).y_range().contains(at.y);
    if let Some(column) = operations(scene, scale, area).get(column_at(area, at.x)).filter(|_| at_operations)
    {
        return format!("clients ask {} times; {} have failed or may have", column.asked, column.failed);
    }
    let faults = scene.lanes.faults().iter().filter(|mark| near(mark.at)).map(|mark| mark.text.clone());
    let violations = scene.session.violations().filter(|violation| near(violation.at));
    let bookmarks =
        scene.session.bookmarks.iter().filter(|(time, _)| near(*time)).map(|(_, name)| name.to_owned());
    let to_come = (at.x > x(scale, area, scene.session.known_until())).then(|| "not computed yet".to_owned());
    let texts: Vec<String> = violations
        .map(|violation| format!("{} is violated", violation.property))
        .chain(faults)
        .chain(bookmarks)
        .chain(to_come)
        .take(8)
        .collect();
    texts.join("\n")
}

/// How many operations fall into each column of the picture.
fn operations(scene: &Scene<'_>, scale: Scale, area: Rect) -> Vec<Column> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "columns of a screen")]
    let columns = (area.width() / COLUMN_WIDTH).clamp(1.0, 4_000.0) as u16;
    scene.lanes.operations(scale, columns)
}

fn column_at(area: Rect, x: f32) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "columns of a screen")]
    let column = ((x - area.left()) / COLUMN_WIDTH).max(0.0) as usize;
    column
}

/// A little less than half of the room at most is for the rows above the nodes.
fn row_height(area: Rect) -> f32 {
    ((area.height() - RULER_HEIGHT) * 0.14).clamp(ROW_HEIGHT_MIN, ROW_HEIGHT_MAX)
}

fn row(area: Rect, row: Row) -> Rect {
    let height = row_height(area);
    let place = (0_u8..).zip(Row::ALL).find(|(_, (other, _))| *other == row).map_or(0, |(place, _)| place);
    let top = area.top() + RULER_HEIGHT + f32::from(place) * height;
    Rect::from_x_y_ranges(area.x_range(), top..=top + height)
}

/// The size of a name beside a row of this height.
fn name_size(height: f32) -> f32 {
    height.clamp(7.0, 11.0)
}

fn lanes_top(area: Rect) -> f32 {
    row(area, Row::Bookmarks).bottom()
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
        self.lanes(scene);
        self.names();
        self.faults(scene);
        self.operations(scene);
        self.bookmarks(scene);
        self.violations(scene);
        let playhead = self.x(scene.session.playhead());
        if self.area.x_range().contains(playhead) {
            self.painter.vline(playhead, self.area.y_range(), Stroke::new(2.0, CHOSEN));
        }
    }

    fn x(&self, time: SimTime) -> f32 {
        x(self.scale, self.area, time)
    }

    /// What was not computed yet is hatched up to the end of the run as the scenario has it, which is a line; what lies
    /// beyond is dark.
    fn not_computed(&self, scene: &Scene<'_>) {
        let computed = self.x(scene.session.known_until()).max(self.area.left());
        let end = self.x(scene.session.end()).clamp(computed, self.area.right().max(computed));
        let stretch = |from, to| Rect::from_x_y_ranges(from..=to, self.area.y_range());
        let dark = self.ui.visuals().extreme_bg_color;
        self.painter.rect_filled(stretch(end, self.area.right()), 0.0, dark);
        let rest = stretch(computed, end);
        if rest.is_positive() {
            self.painter.rect_filled(rest, 0.0, dark.gamma_multiply(0.5));
            self.hatch(rest);
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

    fn hatch(&self, rest: Rect) {
        let colour = self.ui.visuals().weak_text_color().gamma_multiply(0.25);
        let mut ink = Ink::new(rest);
        // So that they stand still while the run goes on, they begin at the edge of the picture.
        let first = ((rest.left() - self.area.left()) / HATCH).floor() * HATCH + self.area.left();
        let mut left = first - rest.height();
        while left < rest.right() {
            ink.line([pos2(left, rest.bottom()), pos2(left + rest.height(), rest.top())], 1.0, colour);
            left += HATCH;
        }
        ink.draw(&self.painter.with_clip_rect(rest));
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

    /// A lane a node; where there are more nodes than pixels, a pixel for some of them.
    #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
    fn lanes(&self, scene: &Scene<'_>) {
        let (count, height) = (scene.statuses.len(), lane_height(scene, self.area));
        let top = lanes_top(self.area);
        if height >= 1.0 {
            (0..count).for_each(|node| self.lane(scene, node, top + node as f32 * height, height));
            return;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is above zero")]
        let rows = (self.area.bottom() - top).max(0.0) as usize;
        (0..rows).for_each(|row| self.lane(scene, row * count / rows, top.floor() + row as f32, 1.0));
    }

    fn lane(&self, scene: &Scene<'_>, node: usize, top: f32, height: f32) {
        let visuals = self.ui.visuals();
        let gap = if height > 6.0 { 1.5 } else { 0.0 };
        let mut drawn_to = f32::NEG_INFINITY;
        for stretch in scene.lanes.seen(node, self.scale.first(), self.scale.last()) {
            let until = stretch.until.unwrap_or_else(|| scene.session.known_until());
            let (from, to) =
                (self.x(stretch.from).max(self.area.left()), self.x(until).min(self.area.right()));
            // What is thinner than a pixel and lies where something was drawn is left out.
            if to <= drawn_to {
                continue;
            }
            let from = from.max(drawn_to);
            let rect =
                Rect::from_min_max(pos2(from, top + gap), pos2(to.max(from + 1.0), top + height - gap));
            let fill = look::state(&stretch.state, visuals);
            self.painter.rect_filled(rect, 0.0, fill);
            drawn_to = rect.right();
            let is_wide = rect.width() > 60.0 && height >= 12.0;
            if is_wide && stretch.state.role != "down" {
                let text = format!("{} {}", stretch.state.role, stretch.state.epoch);
                look::write(&self.painter, rect, &text, 10.0, look::on(fill, visuals));
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

    /// The names of the rows; that of the bookmarks is a button.
    fn names(&self) {
        let colour = self.ui.visuals().weak_text_color();
        for (kind, name) in Row::ALL.into_iter().filter(|(kind, _)| *kind != Row::Bookmarks) {
            let row = row(self.area, kind);
            let font = FontId::proportional(name_size(row.height()));
            self.painter.text(row.left_center() - vec2(6.0, 0.0), Align2::RIGHT_CENTER, name, font, colour);
        }
    }

    fn faults(&self, scene: &Scene<'_>) {
        let y = row(self.area, Row::Faults).center().y;
        let mut last = f32::NEG_INFINITY;
        for mark in scene.lanes.faults() {
            let x = self.x(mark.at);
            if x >= last + MARK_WIDTH && self.area.x_range().contains(x) {
                self.triangle(pos2(x, y), UNUSUAL);
                last = x;
            }
        }
    }

    fn violations(&self, scene: &Scene<'_>) {
        let row = row(self.area, Row::Violations);
        let mut last = f32::NEG_INFINITY;
        for violation in scene.session.violations() {
            let x = self.x(violation.at);
            if x >= last + MARK_WIDTH && self.area.x_range().contains(x) {
                self.painter.vline(x, self.area.y_range(), Stroke::new(2.0, BAD));
                let font = FontId::proportional(row.height() - 1.0);
                self.painter.text(pos2(x, row.center().y), Align2::CENTER_CENTER, "✖", font, BAD);
                last = x;
            }
        }
    }

    /// How much clients ask, as columns; the part that failed, or may have, in another colour at the bottom.
    fn operations(&self, scene: &Scene<'_>) {
        let row = row(self.area, Row::Operations).shrink2(vec2(0.0, 1.0));
        let columns = operations(scene, self.scale, self.area);
        let most = columns.iter().map(|column| column.asked.max(column.failed)).max().unwrap_or(0).max(1);
        let width = self.area.width() / f32::from(u16::try_from(columns.len()).unwrap_or(u16::MAX).max(1));
        let mut ink = Ink::new(self.area);
        for (place, column) in (0_u16..).zip(&columns) {
            let left = self.area.left() + f32::from(place) * width;
            for (count, colour) in [(column.asked, self.ui.visuals().weak_text_color()), (column.failed, BAD)]
            {
                #[expect(clippy::cast_precision_loss, reason = "a share of the screen")]
                let height = row.height() * count as f32 / most as f32;
                // One among many is seen, too.
                let height = if count == 0 { 0.0 } else { height.max(1.5) };
                let bar =
                    Rect::from_min_max(pos2(left, row.bottom() - height), pos2(left + width, row.bottom()));
                ink.rect(bar, colour);
            }
        }
        ink.draw(&self.painter);
    }

    fn bookmarks(&self, scene: &Scene<'_>) {
        let row = row(self.area, Row::Bookmarks);
        let places: Vec<_> = scene.session.bookmarks.iter().map(|(at, name)| (self.x(at), name)).collect();
        for (index, (x, name)) in
            places.iter().enumerate().filter(|(_, (x, _))| self.area.x_range().contains(*x))
        {
            self.painter.vline(*x, row.top()..=self.area.bottom(), Stroke::new(1.0, CHOSEN));
            let (top, size) = (row.top() + 1.0, row.height() - 4.0);
            let flag = [vec2(0.0, 0.0), vec2(size, size / 2.0), vec2(0.0, size)]
                .map(|corner| pos2(*x, top) + corner);
            self.painter.add(egui::Shape::convex_polygon(flag.to_vec(), CHOSEN, Stroke::NONE));
            // A name ends where the next bookmark stands.
            let right =
                places.get(index + 1).map_or(self.area.right(), |(next, _)| next.min(self.area.right()));
            let room = Rect::from_x_y_ranges(x + size + 3.0..=right - 2.0, row.y_range());
            if room.width() > 12.0 {
                let painter = self.painter.with_clip_rect(room.intersect(self.painter.clip_rect()));
                let font = FontId::proportional(name_size(row.height()));
                painter.text(
                    room.left_center(),
                    Align2::LEFT_CENTER,
                    *name,
                    font,
                    self.ui.visuals().text_color(),
                );
            }
        }
    }

    fn triangle(&self, at: Pos2, colour: Color32) {
        let points = vec![at + vec2(-4.0, -4.0), at + vec2(4.0, -4.0), at + vec2(0.0, 4.0)];
        self.painter.add(egui::Shape::convex_polygon(points, colour, Stroke::NONE));
    }
}

#[cfg(test)]
mod tests {
    use egui::accesskit::Role;
    use egui::{Event, Key, Modifiers};
    use egui_kittest::kittest::Queryable;
    use sim_core::SimTime;

    use crate::testing::{Window, key, press, window};

    fn playhead(window: &Window) -> SimTime {
        window.state().session.playhead()
    }

    fn names(window: &Window) -> Vec<String> {
        window.state().session.bookmarks.iter().map(|(_, name)| name.to_owned()).collect()
    }

    #[test]
    fn by_keys_a_bookmark_is_set_gone_back_to_and_removed() {
        let mut window = window("raft/steady");
        let first = playhead(&window);
        key(&mut window, Key::B);
        assert_eq!(names(&window), ["mark 1"]);
        key(&mut window, Key::Home);
        key(&mut window, Key::B);
        assert_eq!(names(&window), ["mark 2", "mark 1"]);
        key(&mut window, Key::G);
        assert_eq!(playhead(&window), first);
        window.key_press_modifiers(Modifiers::SHIFT, Key::G);
        window.run();
        assert_eq!(playhead(&window), SimTime::ZERO);
        key(&mut window, Key::B);
        assert_eq!(names(&window), ["mark 1"]);
    }

    #[test]
    fn by_labels_a_bookmark_gets_a_name_is_gone_to_and_removed() {
        let mut window = window("raft/steady");
        let at = playhead(&window);
        key(&mut window, Key::B);
        key(&mut window, Key::Home);
        press(&mut window, "bookmarks");
        let told = crate::model::scale::seconds(at);
        window.get_by_role_and_label(Role::TextInput, &format!("name of the bookmark at {told}")).focus();
        window.run();
        window.event(Event::Text(": all is well".to_owned()));
        window.run();
        assert_eq!(names(&window), ["mark 1: all is well"]);
        press(&mut window, &told);
        assert_eq!(playhead(&window), at);
        press(&mut window, "✖");
        assert_eq!(names(&window), Vec::<String>::new());
        assert!(window.query_by_label("no bookmark is set").is_some());
    }

    #[test]
    fn bookmarks_stay_when_the_same_run_begins_again_and_go_with_another_seed() {
        let mut window = window("raft/steady");
        key(&mut window, Key::B);
        window.key_press_modifiers(Modifiers::COMMAND, Key::R);
        window.run();
        assert_eq!((playhead(&window), names(&window).len()), (SimTime::ZERO, 1));
        key(&mut window, Key::N);
        assert_eq!(names(&window).len(), 0);
    }
}
