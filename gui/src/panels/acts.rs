//! What can be done by hand to what was pressed in a picture.

use egui::Ui;
use sim_core::Endpoint;

use super::cluster::Hit;
use super::{Scene, wish_menu};
use crate::command::{CRASH, HEAL, ISOLATE, Intent, MEND, PAUSE_NODE, WIPE};
use crate::model::offers::{EVERYWHERE, LINK, MESSAGE, NODE, ONE_WAY, Offers, filled};

/// The rows of the menu for what was pressed, then those for everything.
pub(crate) fn menu(ui: &mut Ui, scene: &Scene<'_>, hit: &Hit, intents: &mut Vec<Intent>) {
    ui.set_min_width(220.0);
    let why_not = scene.session.hindrance();
    if let Some(why) = why_not {
        ui.weak(why);
    }
    ui.add_enabled_ui(why_not.is_none(), |ui| acts(ui, scene, hit, intents));
}

fn acts(ui: &mut Ui, scene: &Scene<'_>, hit: &Hit, intents: &mut Vec<Intent>) {
    match hit {
        // The press has selected it, and these wishes act on what is selected.
        Hit::Node(node) => {
            let name = node.to_string();
            ui.strong(&name);
            wish_menu(ui, &[&CRASH, &PAUSE_NODE, &WIPE, &ISOLATE], scene, intents);
            offers(ui, NODE, std::slice::from_ref(&name), intents);
            named(ui, "Fire a timer", scene.session.timers(), intents, |timer| {
                format!("FireTimer(node: \"{name}\", timer: \"{timer}\")")
            });
            named(ui, "Crash inside a handler", scene.session.fault_points(), intents, |point| {
                format!("CrashAtPoint(node: \"{name}\", point: \"{point}\")")
            });
        }
        Hit::Client(client) => {
            ui.strong(client.to_string());
            draft(ui, "Ask something…", intents, || question(scene, (*client).into()));
        }
        Hit::Flight(flight) => {
            ui.strong(format!("{} {} to {}", flight.kind, flight.id.from, flight.id.to));
            offers(ui, MESSAGE, &[flight.id.to_string()], intents);
        }
        Hit::Link(from, to) => {
            ui.strong(format!("{from} and {to}"));
            let [from, to] = [from, to].map(ToString::to_string);
            offers(ui, LINK, &[from.clone(), to.clone()], intents);
            offers(ui, ONE_WAY, &[from.clone(), to.clone()], intents);
            offers(ui, ONE_WAY, &[to, from], intents);
        }
        Hit::Nothing => {
            ui.strong("Everything");
        }
    }
    ui.separator();
    wish_menu(ui, &[&MEND, &HEAL], scene, intents);
    offers(ui, EVERYWHERE, &[], intents);
    draft(ui, "Something else…", intents, || "Crash(\"leader\")".to_owned());
}

/// Groups of rows, about these.
fn offers(ui: &mut Ui, groups: &[Offers], about: &[String], intents: &mut Vec<Intent>) {
    for group in groups {
        if group.name.is_empty() {
            rows(ui, group, about, intents);
        } else {
            ui.menu_button(filled(group.name, about), |ui| rows(ui, group, about, intents));
        }
    }
}

fn rows(ui: &mut Ui, group: &Offers, about: &[String], intents: &mut Vec<Intent>) {
    for (name, act) in group.rows {
        let act = filled(act, about);
        if ui.button(filled(name, about)).on_hover_text(&act).clicked() {
            intents.push(Intent::Act(act));
            ui.close();
        }
    }
}

/// A row for each of these names; none where there are no names.
fn named(
    ui: &mut Ui,
    title: &str,
    names: &[&'static str],
    intents: &mut Vec<Intent>,
    act: impl Fn(&str) -> String,
) {
    if names.is_empty() {
        return;
    }
    ui.menu_button(title, |ui| {
        for name in names {
            if ui.button(*name).on_hover_text(act(name)).clicked() {
                intents.push(Intent::Act(act(name)));
                ui.close();
            }
        }
    });
}

/// A row that begins a line of the plan for a person to finish.
fn draft(ui: &mut Ui, title: &str, intents: &mut Vec<Intent>, act: impl FnOnce() -> String) {
    if ui.button(title).on_hover_text("write a line of the plan").clicked() {
        intents.push(Intent::Draft(act()));
        ui.close();
    }
}

/// What a client might ask: what was asked last, by it if possible.
fn question(scene: &Scene<'_>, client: Endpoint) -> String {
    let operations = scene.session.run().history().operations();
    let own = operations.iter().rev().find(|asked| Endpoint::from(asked.op.client) == client);
    let last = own.or(operations.last()).map_or_else(String::new, |asked| asked.operation.to_string());
    format!("Issue(client: \"{client}\", operation: \"{last}\")")
}

#[cfg(test)]
mod tests {
    use sim_core::NodeId;
    use sim_core::fault::Command;

    use super::*;
    use crate::testing::app;

    /// Everything that menus offer about a node, a link, everything and a message on its way, and what is about.
    #[test]
    fn every_row_of_every_menu_is_an_act_that_the_run_takes() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut session = app("raft/steady").session;
        while session.simulation().in_flight().is_empty() {
            session.step();
        }
        let flight = session.simulation().in_flight()[0].id;
        let about = [
            (NODE, names(&["n1"])),
            (LINK, names(&["n1", "n2"])),
            (ONE_WAY, names(&["n1", "n2"])),
            (MESSAGE, vec![flight.to_string()]),
            (EVERYWHERE, Vec::new()),
        ];
        let mut count = 0;
        for (groups, about) in about {
            for (row, act) in groups.iter().flat_map(|group| group.rows) {
                let act = filled(act, &about);
                session.act(&act).unwrap_or_else(|error| panic!("{row}: {act}: {error}"));
                assert!(!filled(row, &about).contains('{'), "{row}");
                count += 1;
            }
        }
        assert_eq!(session.deeds(), count, "each is an act of its own");
    }

    #[test]
    fn an_act_on_a_role_is_about_who_has_it_at_the_moment_that_is_shown() {
        let mut session = app("raft/steady").session;
        session.act("Crash(\"leader\")").expect("files say so");
        let acts = session.acts();
        let [(at, Command::Crash(leader))] = acts.as_slice() else { panic!("one crash, not {acts:?}") };
        assert_eq!(*leader, NodeId::new(3));
        assert_eq!(*at, session.playhead(), "it stands where time was shown, not at the event before");
    }
}
