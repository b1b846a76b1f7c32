//! All commands, panels and scenarios in one list, to search in; and the keys.

use egui::{Align, Grid, Id, Key, Layout, Modal, RichText, ScrollArea, TextEdit, Ui};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::{Desk, PANELS, Scene};
use crate::command::{Intent, WISHES};

/// What the list keeps.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) is_open: bool,
    pub(crate) is_help_open: bool,
    wanted: String,
    /// Which row Enter takes.
    row: usize,
}

/// How many rows are shown.
const ROWS_MAX: usize = 200;

struct Row {
    name: String,
    hint: String,
    key: String,
    intent: Option<Intent>,
}

/// Shows the list, if it is open.
pub(crate) fn show(ui: &Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    if desk.palette.is_help_open {
        help(ui, intents);
    }
    if !desk.palette.is_open {
        return;
    }
    let all = rows(ui, scene, desk);
    let kept = &mut desk.palette;
    let modal = Modal::new(Id::unique("palette")).show(ui.ctx(), |ui| {
        ui.set_width(520.0);
        let field = TextEdit::singleline(&mut kept.wanted)
            .hint_text("a command, a panel or a scenario")
            .desired_width(f32::INFINITY);
        let field = ui.add(field);
        field.request_focus();
        if field.changed() {
            kept.row = 0;
        }
        let found = matching(&all, &kept.wanted);
        let (down, up, enter) = ui.input(|input| {
            (
                input.key_pressed(Key::ArrowDown),
                input.key_pressed(Key::ArrowUp),
                input.key_pressed(Key::Enter),
            )
        });
        let last = found.len().saturating_sub(1);
        kept.row = (kept.row + usize::from(down)).saturating_sub(usize::from(up)).min(last);
        let mut taken = enter.then_some(kept.row);
        ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
            for (place, row) in found.iter().enumerate() {
                if show_row(ui, row, place == kept.row, down || up) {
                    taken = Some(place);
                }
            }
            if found.is_empty() {
                ui.weak("nothing is called so");
            }
        });
        taken.and_then(|place| found.get(place)?.intent.clone())
    });
    if let Some(intent) = modal.inner.clone() {
        intents.push(intent);
        kept.close();
    } else if modal.should_close() {
        kept.close();
    }
}

impl Kept {
    fn close(&mut self) {
        *self = Self { is_help_open: self.is_help_open, ..Self::default() };
    }
}

fn show_row(ui: &mut Ui, row: &Row, is_at: bool, scrolls: bool) -> bool {
    ui.add_enabled_ui(row.intent.is_some(), |ui| {
        ui.horizontal(|ui| {
            let response = ui.selectable_label(is_at, &row.name);
            ui.weak(RichText::new(&row.hint).small());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.weak(&row.key));
            if is_at && scrolls {
                response.scroll_to_me(None);
            }
            response.clicked()
        })
        .inner
    })
    .inner
}

fn rows(ui: &Ui, scene: &Scene<'_>, desk: &Desk) -> Vec<Row> {
    let wishes = WISHES.iter().map(|wish| Row {
        name: wish.name.to_owned(),
        hint: wish.hint.to_owned(),
        key: wish.key.map_or_else(String::new, |key| ui.ctx().format_shortcut(&key)),
        intent: (wish.intent)(scene),
    });
    let panels = PANELS.iter().enumerate().map(|(place, panel)| Row {
        name: format!("Panel: {}", panel.name),
        hint: String::new(),
        key: String::new(),
        intent: Some(Intent::TogglePanel(place)),
    });
    let scenarios = desk.offers.entries(scene.session.table()).iter().map(|entry| Row {
        name: format!("Open: {}", entry.name),
        hint: entry.summary.clone(),
        key: String::new(),
        intent: Some(Intent::Open(entry.name.to_owned())),
    });
    wishes.chain(panels).chain(scenarios).collect()
}

/// The rows that match what was typed, best first; all, where nothing was.
fn matching<'a>(rows: &'a [Row], wanted: &str) -> Vec<&'a Row> {
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(wanted, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut score = |row: &'a Row| {
        let text = format!("{} {}", row.name, row.hint);
        Some((pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher)?, row))
    };
    let mut found: Vec<_> = rows.iter().filter_map(&mut score).collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, row)| row).take(ROWS_MAX).collect()
}

fn help(ui: &Ui, intents: &mut Vec<Intent>) {
    let modal = Modal::new(Id::unique("help")).show(ui.ctx(), |ui| {
        ui.set_width(620.0);
        ui.horizontal(|ui| {
            ui.heading("Keys");
            if ui.button("Take the tour").on_hover_text("what is where, in a few steps").clicked() {
                intents.extend([Intent::ToggleHelp, Intent::Tour]);
            }
        });
        ScrollArea::vertical().max_height(480.0).show(ui, |ui| {
            Grid::new("keys").num_columns(3).striped(true).spacing([16.0, 4.0]).show(ui, |ui| {
                for wish in WISHES.iter().filter(|wish| wish.key.is_some()) {
                    ui.strong(wish.key.map_or_else(String::new, |key| ui.ctx().format_shortcut(&key)));
                    ui.label(wish.name);
                    ui.weak(wish.hint);
                    ui.end_row();
                }
            });
            ui.add_space(8.0);
            ui.heading("Mouse");
            for panel in PANELS {
                ui.strong(panel.name);
                ui.label(panel.help);
            }
            ui.strong("Timeline");
            ui.label(super::timeline::HELP);
        });
    });
    if modal.should_close() {
        intents.push(Intent::ToggleHelp);
    }
}
