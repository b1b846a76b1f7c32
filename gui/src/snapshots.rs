//! Pictures of the window, compared with those in `gui/tests/snapshots`: colours, fonts, alignment, what lies over what. That
//! what is drawn is right, and can be pressed, is tested beside each panel.
//!
//! Drawn in software at a fixed size, of runs that stand still: the same run and driver give the same picture, another driver one
//! within the tolerance of `egui_kittest`. `ci/snapshots.sh` runs them, and says how a new look is accepted.
//!
//! Where a panel is alone, bar and timeline are painted over: what changes there changes the two pictures of the whole window.

use egui::{Theme, vec2};
use sim_core::{SimTime, Span};

use crate::app::App;
use crate::panels::tour;
use crate::testing::{self, Window, press, session};

const LOST_WRITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/shrunk/lost-write.ron");

/// The leader crashes at 2.5 s and is down until 3.5 s; another one leads by now.
pub(crate) fn after_a_crash() -> App {
    App::new(session("raft/leader-crash", &[], 0), Some(Span::secs(3)))
}

/// A run that ends with a write that is lost, at its end.
pub(crate) fn after_a_lost_write() -> App {
    let session = session(LOST_WRITE, &[], 231);
    let end = session.end();
    App::new(session, Some(end.since(SimTime::ZERO)))
}

/// Compares what one panel shows.
fn compare_alone(window: &mut Window, name: &str) {
    for part in [tour::BAR, tour::TIMELINE] {
        let place = window.state().desk.tour.place(part).expect("it is drawn");
        window.mask(place);
    }
    window.snapshot(name);
}

/// Compares all of the window, in these colours.
fn compare_whole(theme: Theme, name: &str) {
    let mut window = testing::of(after_a_crash(), vec2(1100.0, 700.0));
    window.ctx.set_theme(theme);
    window.run();
    window.snapshot(name);
}

#[test]
fn the_whole_window_looks_as_it_did_in_dark_colours() {
    compare_whole(Theme::Dark, "window-dark");
}

#[test]
fn the_whole_window_looks_as_it_did_in_light_colours() {
    compare_whole(Theme::Light, "window-light");
}

#[test]
fn the_cluster_looks_as_it_did_while_it_is_parted() {
    let app = App::new(session("raft/minority-partition", &[], 0), Some(Span::secs(3)));
    compare_alone(&mut testing::alone(app, "Cluster"), "cluster-parted");
}

#[test]
fn the_space_time_diagram_looks_as_it_did_with_an_event_chosen() {
    let mut window = testing::alone(after_a_crash(), "Space-time");
    // `n3` hears of a request; what the leader does as it has `n3`'s reply follows from that.
    window.state_mut().choose(Some(3_162));
    window.run();
    compare_alone(&mut window, "space-time-chosen");
}

#[test]
fn logs_look_as_they_did_with_a_node_down() {
    compare_alone(&mut testing::alone(after_a_crash(), "Logs"), "logs");
}

#[test]
fn the_history_looks_as_it_did_with_its_illegal_part_shown() {
    let mut window = testing::alone(after_a_lost_write(), "History");
    press(&mut window, "Show the illegal part");
    window.remove_cursor();
    window.run();
    compare_alone(&mut window, "history-illegal");
}

#[test]
fn checks_look_as_they_did_with_a_property_violated() {
    compare_alone(&mut testing::alone(after_a_lost_write(), "Checks"), "checks-violated");
}

#[test]
fn metrics_look_as_they_did() {
    compare_alone(&mut testing::alone(after_a_crash(), "Metrics"), "metrics");
}
