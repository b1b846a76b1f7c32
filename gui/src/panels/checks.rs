//! What the run is checked for: each property with its state along time, and its evidence where it is violated; and how
//! often the points worth reaching were reached.

use egui::{CollapsingHeader, Rect, RichText, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, vec2};
use scenarios::run::Checked;
use sim_core::SimTime;
use sim_core::check::history::{Figures, Quantiles};
use sim_core::check::{About, Answer, Violation};

use super::look::{BAD, CHOSEN, GOOD, UNUSUAL};
use super::{Desk, Scene, wish_button};
use crate::command::{Intent, JUDGE};
use crate::model::scale::{Scale, offset, seconds};
use crate::session::{Direction, Finding, Landmark};

/// What mouse and keys do.
pub(crate) const HELP: &str = "Each property along time: green as far as it was checked and holds. Press a violation to go to where it \
shows, a bar to go to a time. What clients saw is judged while the run stands still.";

const BAR: egui::Vec2 = vec2(150.0, 12.0);
const SIGN_WIDTH: f32 = 14.0;

/// Shows the list.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, _desk: &mut Desk, intents: &mut Vec<Intent>) {
    let violations: Vec<&Violation> = scene.session.violations().collect();
    ui.horizontal_wrapped(|ui| head(ui, scene, &violations, intents));
    ui.separator();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for (checked, about) in scene.session.properties() {
            property(ui, scene, (*checked, about), &violations, intents);
        }
        let is_listed = |violation: &&&Violation| {
            scene.session.properties().iter().any(|(_, about)| about.name == violation.property)
        };
        for violation in violations.iter().filter(|violation| !is_listed(violation)) {
            violated(ui, scene, violation, intents);
        }
        for (node, damage) in scene.session.simulation().beyond_promise() {
            let text = format!("{node}: {damage}, beyond what the protocol promises to survive");
            ui.colored_label(UNUSUAL, text);
        }
        ui.add_space(8.0);
        let simulation = scene.session.simulation();
        points(ui, "Worth reaching", &simulation.points());
        points(ui, "Fault points", &simulation.fault_points());
    });
}

fn head(ui: &mut Ui, scene: &Scene<'_>, violations: &[&Violation], intents: &mut Vec<Intent>) {
    if violations.is_empty() {
        ui.colored_label(GOOD, "✔ nothing was violated as far as was checked");
        let button =
            ui.button("Run until something breaks").on_hover_text("goes on until a property is violated");
        if button.clicked() {
            intents.push(Intent::Jump(Landmark::Violation, Direction::Forward));
        }
    } else {
        ui.colored_label(BAD, format!("✖ {} violated", violations.len()));
    }
    wish_button(ui, "Judge the history", &JUDGE, scene, intents);
}

/// How a property stands.
enum State<'a> {
    /// It holds up to there.
    Holds(SimTime),
    Violated(&'a Violation),
    /// It was not checked, or could not be told, and why.
    Untold(String),
}

impl State<'_> {
    fn sign(&self) -> (&'static str, egui::Color32) {
        match self {
            Self::Holds(_) => ("✔", GOOD),
            Self::Violated(_) => ("✖", BAD),
            Self::Untold(_) => ("?", UNUSUAL),
        }
    }
}

fn state<'a>(scene: &Scene<'_>, checked: Checked, about: &About, violations: &[&'a Violation]) -> State<'a> {
    if let Some(violation) = violations.iter().find(|violation| violation.property == about.name) {
        return State::Violated(violation);
    }
    let judged = scene.session.judged();
    let is_about = |finding: &&Finding| finding.about.name == about.name;
    let finding = judged.and_then(|judged| judged.findings.iter().find(is_about));
    match (checked, judged.zip(finding)) {
        (Checked::Always, _) => State::Holds(scene.session.run().now()),
        (Checked::AtConvergence, _) => {
            State::Untold("asked after the faults, in runs without a person in them".to_owned())
        }
        (Checked::ByHistory, None) => {
            State::Untold("not judged yet: hold the run, or press Judge the history".to_owned())
        }
        (Checked::ByHistory, Some((judged, finding))) => match &finding.answer {
            Answer::Pass => State::Holds(judged.at),
            Answer::Violation(text) | Answer::Inconclusive(text) => State::Untold(text.clone()),
        },
    }
}

fn property(
    ui: &mut Ui,
    scene: &Scene<'_>,
    (checked, about): (Checked, &About),
    violations: &[&Violation],
    intents: &mut Vec<Intent>,
) {
    let state = state(scene, checked, about, violations);
    ui.horizontal(|ui| {
        bar(ui, scene, about.name, &state, intents);
        let (sign, colour) = state.sign();
        let size = vec2(SIGN_WIDTH, ui.spacing().interact_size.y);
        ui.add_sized(size, egui::Label::new(RichText::new(sign).color(colour)));
        let name = ui.add(egui::Label::new(about.name).truncate());
        name.on_hover_text(definition(about, &state));
    });
    if let State::Violated(violation) = state {
        violated(ui, scene, violation, intents);
    }
    let findings = scene.session.judged().map_or(&[][..], |judged| &judged.findings);
    let finding = findings.iter().find(|finding| finding.about.name == about.name);
    if let Some(figures) = finding.and_then(|finding| finding.figures.as_ref()) {
        measured(ui, about.name, figures);
    }
}

/// What a checker of the history measures besides its answer.
fn measured(ui: &mut Ui, property: &str, figures: &Figures) {
    ui.indent(property, |ui| {
        let counts: Vec<String> =
            figures.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        ui.weak(counts.join(" · "));
        for (name, Quantiles { min, p50, p95, p99, max, .. }) in &figures.latencies {
            let after = [("min", min), ("p50", p50), ("p95", p95), ("p99", p99), ("max", max)];
            let after = after.map(|(name, span)| {
                let span = offset(i128::from(span.as_nanos()));
                format!("{name} {}", span.trim_start_matches('+'))
            });
            ui.weak(format!("{name} after {}", after.join(", ")));
        }
    });
    ui.add_space(4.0);
}

/// What the property says, where it comes from, and how it stands.
fn definition(about: &About, state: &State<'_>) -> String {
    let mut lines = vec![about.statement.to_owned(), format!("source: {}", about.source)];
    if !about.leaves_out.is_empty() {
        lines.push(format!("leaves out: {}", about.leaves_out));
    }
    lines.push(match state {
        State::Holds(until) => format!("holds up to {}", seconds(*until)),
        State::Violated(violation) => format!("violated at {}", seconds(violation.at)),
        State::Untold(why) => why.clone(),
    });
    lines.join("\n\n")
}

/// The state along time: filled as far as it was checked; a violation is a line across it, and all after it is of its
/// colour.
fn bar(ui: &mut Ui, scene: &Scene<'_>, name: &str, state: &State<'_>, intents: &mut Vec<Intent>) {
    let (rect, response) = ui.allocate_exact_size(BAR, Sense::click());
    let end = scene.session.end().max(scene.session.run().now());
    let scale = Scale::new(SimTime::ZERO, end);
    #[expect(clippy::cast_possible_truncation, reason = "places on a screen")]
    let x = |time: SimTime| rect.left() + scale.place(time).clamp(0.0, 1.0) as f32 * rect.width();
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 2.0, ui.visuals().extreme_bg_color);
    let until = |to: f32| Rect::from_x_y_ranges(rect.left()..=to, rect.y_range());
    match state {
        State::Holds(at) => {
            painter.rect_filled(until(x(*at)), 2.0, GOOD.gamma_multiply(0.8));
        }
        State::Violated(violation) => {
            let at = x(violation.at);
            painter.rect_filled(until(x(scene.session.run().now())), 2.0, BAD.gamma_multiply(0.6));
            painter.rect_filled(until(at), 2.0, GOOD.gamma_multiply(0.8));
            painter.vline(at, rect.y_range(), Stroke::new(2.0, BAD));
        }
        State::Untold(_) => {}
    }
    painter.vline(x(scene.session.playhead()), rect.y_range(), Stroke::new(1.5, CHOSEN));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{name} along time")));
    if response.clicked() {
        let at = response.interact_pointer_pos();
        let time = at.map(|at| scale.time(f64::from((at.x - rect.left()) / rect.width())));
        intents.extend(time.map(Intent::SeekTime));
    }
}

fn violated(ui: &mut Ui, scene: &Scene<'_>, violation: &Violation, intents: &mut Vec<Intent>) {
    ui.indent(&violation.property, |ui| {
        let place = violation.node.map_or_else(String::new, |node| format!(" at {node}"));
        let title = format!("✖ {} at {}{place}", violation.property, seconds(violation.at));
        if ui.link(RichText::new(title).color(BAD)).on_hover_text("go to where it shows").clicked() {
            intents.push(if scene.session.seen().contains(violation) {
                Intent::SeekTime(violation.at)
            } else {
                Intent::SeekEvents(violation.event)
            });
        }
        ui.label(&violation.evidence);
    });
    ui.add_space(4.0);
}

fn points(ui: &mut Ui, title: &str, points: &[(&'static str, u64)]) {
    if points.is_empty() {
        return;
    }
    let reached = points.iter().filter(|(_, count)| *count > 0).count();
    CollapsingHeader::new(format!("{title}: {reached} of {} reached", points.len())).id_salt(title).show(
        ui,
        |ui| {
            for (name, count) in points {
                ui.horizontal(|ui| {
                    ui.monospace(format!("{count:>7}"));
                    if *count > 0 { ui.label(*name) } else { ui.weak(*name) }
                });
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable;

    use crate::testing::panel;

    #[test]
    fn every_property_of_the_run_has_a_row_that_can_be_pressed() {
        let window = panel("raft/steady", "Checks");
        let properties = window.state().session.properties().to_vec();
        assert!(properties.len() > 5, "{properties:?}");
        for (_, about) in properties {
            let label = format!("{} along time", about.name);
            assert!(window.query_by_label(&label).is_some(), "{label}");
        }
    }

    #[test]
    fn what_clients_saw_that_is_illegal_shows_and_leads_to_its_moment() {
        let mut window = panel("raft/steady", "Checks");
        let name = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/shrunk/lost-write.ron");
        window.state_mut().open(name);
        window.state_mut().session.restart(231);
        let end = window.state().session.end();
        window.state_mut().session.seek_time(end);
        window.run();
        let at = window.state().session.violations().next().expect("it is illegal").at;
        window.get_by_label_contains("✖ linearizability at").click();
        window.run();
        assert_eq!(window.state().session.playhead(), at);
    }

    #[test]
    fn what_a_checker_measures_of_the_history_stands_under_its_property() {
        let mut window = panel("crdt/set-in-a-partition", "Checks");
        let end = window.state().session.end();
        window.state_mut().session.seek_time(end);
        window.run();
        assert!(window.query_by_label_contains("attempted 339").is_some());
        assert!(window.query_by_label_contains("stable after min 0 ns, p50").is_some());
    }
}
