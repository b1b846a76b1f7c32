//! All parameters of the scenario, to be changed: each with its help, what may be written, and what is wrong with what was.
//! What is changed is an override, as `--set` would have it, and is applied by beginning the run again.

use egui::{
    Button, CollapsingHeader, ComboBox, Key, Label, Layout, Response, RichText, ScrollArea, TextEdit, Ui,
    vec2,
};
use scenarios::text::{Diagnostic, Override, Source};

use super::look::{BAD, CHOSEN};
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::forms::{Field, Form, Kind, MUTANT, PROTOCOL, field_of};
use crate::session::Session;

/// What mouse and keys do.
pub(crate) const HELP: &str = "All parameters of the scenario. Change some and press Apply, or Enter in a line: the run begins \
                               again with them. What differs from the file is marked, and can be put back.";

/// How many fields are shown of those that were looked for.
const FOUND_MAX: usize = 60;

/// What the panel keeps.
#[derive(Default)]
pub(crate) struct Kept {
    form: Option<Form>,
    /// Which scenario the form is of.
    digest: u64,
    /// The overrides that are in force.
    in_force: Vec<String>,
    /// The fields that the seed has a say in, and what it says.
    drawn: Vec<(String, String)>,
    /// That seed.
    seed: u64,
    /// Part of the name of a field.
    wanted: String,
    /// What is wrong with what was filled in.
    complaint: Option<Box<Diagnostic>>,
    mutants: Mutants,
}

/// The mutants of a protocol.
#[derive(Default)]
struct Mutants {
    /// The protocol as files name it.
    of: String,
    all: Vec<Mutant>,
}

struct Mutant {
    name: &'static str,
    /// What is wrong, and what that breaks.
    about: String,
    source: &'static str,
}

impl Kept {
    /// A form of the scenario that is open now.
    fn keep_up(&mut self, session: &Session) {
        let loaded = session.loaded();
        let is_of_scenario = self.form.is_some() && self.digest == loaded.text_digest;
        if !is_of_scenario || self.seed != session.seed() {
            let configured = loaded.configured(session.seed(), session.table());
            let drawn = configured.drawn.iter().map(|it| (it.path().to_string(), it.value().to_owned()));
            (self.drawn, self.seed) = (drawn.collect(), session.seed());
        }
        if is_of_scenario {
            return;
        }
        let form = Form::new(loaded, session.table());
        self.in_force = texts(&form.overrides().unwrap_or_default());
        (self.digest, self.complaint, self.form) = (loaded.text_digest, None, Some(form));
    }
}

impl Mutants {
    fn keep_up(&mut self, protocol: &str, session: &Session) {
        if self.of == protocol {
            return;
        }
        let about =
            session.table().find(&protocol.to_lowercase()).map(scenarios::protocol::ProtocolKind::about);
        let all = about.into_iter().flat_map(|about| about.mutants);
        let all = all.map(|mutant| Mutant {
            name: mutant.name,
            about: format!("{} Breaks {}.", mutant.change, mutant.breaks.join(", ")),
            source: mutant.source,
        });
        (self.of, self.all) = (protocol.to_owned(), all.collect());
    }
}

/// What is known while the form is drawn.
struct Sheet<'a> {
    /// The field that an error is about, and the error.
    complaint: Option<(&'a str, &'a Diagnostic)>,
    wanted: &'a str,
    mutants: &'a [Mutant],
    drawn: &'a [(String, String)],
    /// Something was filled in to its end.
    is_filled_in: bool,
    /// The run is to begin again.
    applies: bool,
    /// How many fields may still be shown.
    left: usize,
}

/// Shows the form.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let kept = &mut desk.setup;
    kept.keep_up(scene.session);
    let applies = head(ui, kept, scene.session.hindrance());
    let Kept { form: Some(form), wanted, complaint, mutants, drawn, .. } = kept else { return };
    mutants.keep_up(form.protocol(), scene.session);
    let about = complaint.as_deref().and_then(|complaint| Some((field_of(complaint)?, complaint)));
    let (wanted, mutants) = (wanted.trim(), mutants.all.as_slice());
    let mut sheet =
        Sheet { complaint: about, wanted, mutants, drawn, is_filled_in: false, applies, left: FOUND_MAX };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        if wanted.is_empty() {
            groups(ui, &mut sheet, form);
        } else {
            found(ui, &mut sheet, form);
        }
    });
    let (is_filled_in, applies) = (sheet.is_filled_in, sheet.applies);
    if is_filled_in || applies {
        match checked(form, scene.session) {
            Ok(overrides) => {
                *complaint = None;
                intents.extend(applies.then_some(Intent::Configure(overrides)));
            }
            Err(wrong) => *complaint = Some(wrong),
        }
    }
}

/// What was filled in, as overrides that the scenario allows.
fn checked(form: &Form, session: &Session) -> Result<Vec<Override>, Box<Diagnostic>> {
    let overrides = form.overrides()?;
    session.loaded().reloaded(&overrides, session.table())?;
    Ok(overrides)
}

fn texts(overrides: &[Override]) -> Vec<String> {
    overrides.iter().map(ToString::to_string).collect()
}

/// The row above the form; whether the run is to begin again, where nothing hinders that.
fn head(ui: &mut Ui, kept: &mut Kept, hindrance: Option<&str>) -> bool {
    let Some(form) = &mut kept.form else { return false };
    let changes = form.changes();
    let is_new = form.overrides().map_or(true, |overrides| texts(&overrides) != kept.in_force);
    let applies = ui.horizontal_wrapped(|ui| {
        let label = ui.label("find");
        let field =
            TextEdit::singleline(&mut kept.wanted).hint_text("a field, a mutant").desired_width(130.0);
        ui.add(field).labelled_by(label.id);
        let apply = ui.add_enabled(is_new && hindrance.is_none(), Button::new("Apply"));
        let apply = apply.on_hover_text("begin again with what was filled in (Enter)");
        let apply = apply.on_disabled_hover_text(hindrance.unwrap_or("the run has all that is filled in"));
        if changes > 0 {
            if ui.button("Put all back").on_hover_text("as the file has it; Apply begins again").clicked() {
                form.put_back();
            }
            ui.weak(format!("{changes} {} from the file", if changes == 1 { "differs" } else { "differ" }));
        }
        apply.clicked()
    });
    if let Some(complaint) = &kept.complaint {
        say(ui, complaint);
    }
    ui.separator();
    applies.inner
}

/// What is wrong, above the form: of what was filled in the field, of the file the place.
fn say(ui: &mut Ui, complaint: &Diagnostic) {
    match &complaint.place.source {
        Source::Set { .. } => {
            let field = field_of(complaint).unwrap_or_default();
            ui.colored_label(BAD, format!("✖ {field}: {}", complaint.message));
        }
        Source::File(_) => {
            ui.label(RichText::new(complaint.to_string().trim_end()).monospace().small().color(BAD));
        }
    }
}

/// All fields, most of them folded.
fn groups(ui: &mut Ui, sheet: &mut Sheet<'_>, form: &mut Form) {
    let changes = form.fields.iter().filter(|field| field.path == PROTOCOL).map(Field::changes).sum();
    section(ui, "Protocol", changes, true, |ui| {
        let protocol = form.fields.iter_mut().filter(|field| field.path == PROTOCOL);
        protocol.for_each(|field| show_field(ui, sheet, field));
    });
    if !sheet.mutants.is_empty() {
        section(ui, "Mutants", 0, false, |ui| {
            ui.weak("Wrong variants of the protocol, one at a time: what do the checks say?");
            mutants(ui, sheet, form);
        });
    }
    let is_single = |field: &Field| field.path != PROTOCOL && !matches!(field.kind, Kind::Group(_));
    let changes = form.fields.iter().filter(|field| is_single(field)).map(Field::changes).sum();
    section(ui, "Scenario", changes, true, |ui| {
        form.fields
            .iter_mut()
            .filter(|field| is_single(field))
            .for_each(|field| show_field(ui, sheet, field));
    });
    let is_group = |field: &&mut Field| matches!(field.kind, Kind::Group(_));
    form.fields.iter_mut().filter(is_group).for_each(|field| show_field(ui, sheet, field));
}

fn section(ui: &mut Ui, title: &str, changes: usize, is_open: bool, show: impl FnOnce(&mut Ui)) {
    let text = if changes > 0 { format!("{title} · {changes} changed") } else { title.to_owned() };
    CollapsingHeader::new(text).id_salt(title).default_open(is_open).show(ui, show);
}

/// The fields and mutants that were looked for, wherever they are.
fn found(ui: &mut Ui, sheet: &mut Sheet<'_>, form: &mut Form) {
    form.fields.iter_mut().for_each(|field| find(ui, sheet, field, Field::is_called));
    mutants(ui, sheet, form);
    form.fields.iter_mut().for_each(|field| find(ui, sheet, field, Field::is_about));
    if sheet.left == FOUND_MAX {
        ui.weak("no field is called so");
    } else if sheet.left == 0 {
        ui.weak("there are more: write more of the name");
    }
}

fn find(ui: &mut Ui, sheet: &mut Sheet<'_>, field: &mut Field, is_meant: fn(&Field, &str) -> bool) {
    if sheet.left == 0 {
        return;
    }
    let is_group = matches!(field.kind, Kind::Group(_));
    if !is_group && is_meant(field, sheet.wanted) && field.type_name != MUTANT {
        sheet.left -= 1;
        show_field(ui, sheet, field);
        ui.add_space(4.0);
        return;
    }
    match &mut field.kind {
        Kind::Group(fields) => fields.iter_mut().for_each(|field| find(ui, sheet, field, is_meant)),
        Kind::Optional { is_there: true, inner } => find(ui, sheet, inner, is_meant),
        Kind::Choice { variants, chosen } => {
            variants[*chosen].body.iter_mut().for_each(|body| find(ui, sheet, body, is_meant));
        }
        _ => {}
    }
}

/// Mutants as switches: those that were looked for, or all.
fn mutants(ui: &mut Ui, sheet: &mut Sheet<'_>, form: &mut Form) {
    let Some(field) = form.mutant() else { return };
    let path = field.path.clone();
    let Kind::Optional { is_there, inner } = &mut field.kind else { return };
    let Kind::Line { text, .. } = &mut inner.kind else { return };
    let wanted = sheet.wanted.to_lowercase();
    let is_wanted =
        |mutant: &&Mutant| mutant.name.contains(&wanted) || mutant.about.to_lowercase().contains(&wanted);
    for mutant in sheet.mutants.iter().filter(is_wanted).take(sheet.left) {
        sheet.left -= usize::from(!wanted.is_empty());
        let mut is_on = *is_there && *text == mutant.name;
        let switch = ui
            .checkbox(&mut is_on, mutant.name)
            .on_hover_text(format!("{} ({})", mutant.about, mutant.source));
        if switch.changed() {
            (*is_there, *text) = (is_on, mutant.name.to_owned());
            sheet.is_filled_in = true;
        }
        ui.indent(mutant.name, |ui| ui.weak(RichText::new(&mutant.about).small()));
    }
    complain(ui, sheet, &path);
}

/// A field with what belongs to it.
fn show_field(ui: &mut Ui, sheet: &mut Sheet<'_>, field: &mut Field) {
    // It has a section of its own.
    if field.type_name == MUTANT {
        return;
    }
    let changes = field.changes();
    if let Kind::Group(fields) = &mut field.kind {
        let title = title(&field.name);
        let text = if changes > 0 { format!("{title} · {changes} changed") } else { title };
        let header = CollapsingHeader::new(text).id_salt(&field.path);
        let header = header.show(ui, |ui| fields.iter_mut().for_each(|field| show_field(ui, sheet, field)));
        header.header_response.on_hover_text(&field.help);
        return;
    }
    row(ui, sheet, field);
    let path = field.path.clone();
    match &mut field.kind {
        Kind::Optional { is_there: true, inner } if !is_line(inner) => inside(ui, sheet, &path, inner),
        Kind::Choice { variants, chosen } => {
            if let Some(body) = &mut variants[*chosen].body {
                inside(ui, sheet, &path, body);
            }
        }
        _ => {}
    }
    complain(ui, sheet, &path);
}

/// What lies in a field.
fn inside(ui: &mut Ui, sheet: &mut Sheet<'_>, path: &str, inner: &mut Field) {
    ui.indent(path, |ui| match &mut inner.kind {
        Kind::Group(fields) => fields.iter_mut().for_each(|field| show_field(ui, sheet, field)),
        _ => row(ui, sheet, inner),
    });
}

fn is_line(field: &Field) -> bool {
    matches!(field.kind, Kind::Line { .. } | Kind::Switch(_))
}

/// The error where it belongs, as the command line words it.
fn complain(ui: &mut Ui, sheet: &Sheet<'_>, path: &str) {
    let Some((_, complaint)) = sheet.complaint.filter(|(about, _)| *about == path) else { return };
    ui.indent(("complaint", path), |ui| {
        ui.colored_label(BAD, format!("✖ {}", complaint.message));
        if let Some(seen) = &complaint.seen {
            ui.weak(format!("seen: {seen}"));
        }
        ui.weak(format!("allowed: {}", complaint.allowed));
        ui.weak(format!("hint: {}", complaint.hint));
    });
}

/// The name of a field, what is filled in, and a way back.
fn row(ui: &mut Ui, sheet: &mut Sheet<'_>, field: &mut Field) {
    let is_changed = field.is_changed();
    let drawn = sheet.drawn.iter().find(|(path, _)| *path == field.path);
    let has_focus = ui.horizontal(|ui| {
        let label = name(ui, field, is_changed);
        // A line has a margin outside of its width.
        let room = if is_changed { 38.0 } else { 8.0 };
        let width = (ui.available_width() - room).max(40.0);
        let has_focus = fill_in(ui, sheet, field, &label, width);
        if is_changed {
            let back = ui.small_button("⟲").on_hover_text("put back what the file says");
            let said = format!("Put back {}", field.path);
            back.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &said));
            if back.clicked() {
                field.put_back();
                sheet.is_filled_in = true;
            }
        }
        has_focus
    });
    if let Some((_, value)) = drawn.filter(|_| !is_changed) {
        ui.indent(("drawn", &field.path), |ui| {
            let text = RichText::new(format!("this seed: {value}")).small().color(CHOSEN);
            ui.label(text).on_hover_text("drawn from the seed; what is filled in here instead is not drawn");
        });
    }
    if has_focus.inner || !sheet.wanted.is_empty() {
        ui.indent(("help", &field.path), |ui| ui.weak(RichText::new(help(field)).small()));
    }
}

fn name(ui: &mut Ui, field: &Field, is_changed: bool) -> Response {
    let text = if is_changed { format!("• {}", field.name) } else { field.name.clone() };
    let text = if is_changed { RichText::new(text).color(CHOSEN).strong() } else { RichText::new(text) };
    let width = (ui.available_width() * 0.42).clamp(60.0, 190.0);
    let layout = Layout::left_to_right(egui::Align::Center);
    let label = ui.allocate_ui_with_layout(vec2(width, ui.spacing().interact_size.y), layout, |ui| {
        ui.set_min_width(width);
        ui.add(Label::new(text).truncate())
    });
    label.inner.on_hover_text(help(field))
}

/// What it is, what may be written, and how `--set` calls it.
fn help(field: &Field) -> String {
    let form = if field.form.is_empty() { String::new() } else { format!("\n{}", field.form) };
    format!("{}{form}\n{}", field.help, field.path)
}

/// The widgets for what is filled in; whether they have the focus.
fn fill_in(ui: &mut Ui, sheet: &mut Sheet<'_>, field: &mut Field, label: &Response, width: f32) -> bool {
    let hint = field.form.clone();
    let path = field.path.clone();
    match &mut field.kind {
        Kind::Switch(is_on) => {
            let switch = ui.checkbox(is_on, "").labelled_by(label.id);
            sheet.is_filled_in |= switch.changed();
            switch.has_focus()
        }
        Kind::Line { text, .. } => {
            let line = TextEdit::singleline(text).hint_text(hint).desired_width(width);
            let line = ui.add(line).labelled_by(label.id);
            sheet.is_filled_in |= line.lost_focus();
            sheet.applies |= line.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            line.has_focus()
        }
        Kind::Notation(text) => {
            let rows = text.lines().count().clamp(1, 12);
            let area = TextEdit::multiline(text).code_editor().desired_rows(rows).desired_width(width);
            let area = ui.add(area).labelled_by(label.id);
            sheet.is_filled_in |= area.lost_focus();
            area.has_focus()
        }
        Kind::Choice { variants, chosen } => {
            let chosen_name = variants[*chosen].name.clone();
            let choice = ComboBox::from_id_salt(&path).selected_text(chosen_name).width(width.min(180.0));
            let choice = choice.show_ui(ui, |ui| {
                for (place, variant) in variants.iter().enumerate() {
                    let row = ui.selectable_value(chosen, place, &variant.name).on_hover_text(&variant.help);
                    sheet.is_filled_in |= row.changed();
                }
            });
            choice.response.labelled_by(label.id).has_focus()
        }
        Kind::Optional { is_there, inner } => {
            let switch = ui.checkbox(is_there, "").labelled_by(label.id).on_hover_text("whether it is there");
            sheet.is_filled_in |= switch.changed();
            let is_inline = *is_there && is_line(inner);
            let has_focus = is_inline && fill_in(ui, sheet, inner, label, (width - 26.0).max(40.0));
            if !*is_there {
                ui.weak("not there");
            }
            switch.has_focus() || has_focus
        }
        Kind::Group(_) => false,
    }
}

/// `give_up` as a title: `Give up`.
fn title(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).map(|letter| if letter == '_' { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use egui::accesskit::Role;
    use egui_kittest::kittest::Queryable;

    use super::*;
    use crate::testing::{Window, key, panel, press};

    fn write(window: &mut Window, label: &str, text: &str) {
        let field = window.get_by_role_and_label(Role::TextInput, label);
        field.focus();
        window.run();
        window.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
        window.run();
        window.event(egui::Event::Text(text.to_owned()));
        window.run();
    }

    #[test]
    fn a_parameter_is_changed_by_enter_and_put_back_by_a_button() {
        let mut window = panel("raft/steady", "Setup");
        let is_set =
            |window: &Window| window.state().session.loaded().value_text().contains("heartbeat: \"30ms\"");
        assert!(!is_set(&window));
        write(&mut window, "heartbeat", "30ms");
        key(&mut window, Key::Enter);
        assert!(is_set(&window));
        assert_eq!(window.state().session.simulation().events(), 0, "it begins again");
        press(&mut window, "Put back protocol.heartbeat");
        press(&mut window, "Apply");
        assert!(!is_set(&window));
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field_and_the_run_stays() {
        let mut window = panel("raft/steady", "Setup");
        let before = window.state().session.simulation().digest();
        write(&mut window, "heartbeat", "fast");
        key(&mut window, Key::Enter);
        assert!(window.query_by_label_contains("allowed: ").is_some());
        assert!(window.query_by_label_contains("✖ protocol.heartbeat").is_some());
        assert_eq!(window.state().session.simulation().digest(), before);
    }

    #[test]
    fn a_mutant_is_a_switch_and_one_at_a_time() {
        let mut window = panel("raft/random-elections", "Setup");
        write(&mut window, "find", "no-uptodate");
        window.get_by_role_and_label(Role::CheckBox, "no-uptodate-check").click();
        window.run();
        press(&mut window, "Apply");
        let mutant = window.state().session.scenario().protocol.mutant().map(|mutant| mutant.0.clone());
        assert_eq!(mutant.as_deref(), Some("no-uptodate-check"));
    }

    #[test]
    fn a_field_that_is_drawn_says_what_this_seed_drew() {
        let mut window = panel("raft/random-membership", "Setup");
        let draws = |window: &Window| {
            let session = &window.state().session;
            session.loaded().configured(session.seed(), session.table()).drawn.clone()
        };
        let first = draws(&window)[0].clone();
        let name = first.path().to_string();
        let name = name.rsplit('.').next().expect("a path has a last step").to_owned();
        write(&mut window, "find", &name);
        assert!(window.query_by_label(&format!("this seed: {}", first.value())).is_some(), "{first:?}");
        let other = (1..50).find(|seed| {
            window.state_mut().session.restart(*seed);
            draws(&window)[0].value() != first.value()
        });
        assert!(other.is_some(), "no other seed draws another value");
        window.run();
        assert!(window.query_by_label(&format!("this seed: {}", draws(&window)[0].value())).is_some());
    }

    #[test]
    fn a_search_shows_what_is_folded() {
        let mut window = panel("raft/steady", "Setup");
        assert!(window.query_by_role_and_label(Role::TextInput, "give_up").is_none());
        write(&mut window, "find", "give_up");
        assert!(window.query_by_role_and_label(Role::TextInput, "give_up").is_some());
        write(&mut window, "find", "no such thing");
        assert!(window.query_by_label("no field is called so").is_some());
    }

    #[test]
    fn a_field_name_becomes_a_title() {
        assert_eq!(title("give_up"), "Give up");
    }
}
