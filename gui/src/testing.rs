//! Windows without a screen, for tests: driven by labels, keys and the mouse.

use egui::accesskit::Role;
use egui::{Key, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use sim_core::Span;
use sim_core::status::Power;

use crate::app::App;
pub(crate) use crate::bench::session;
use crate::panels::place;

/// A window that has been drawn.
pub(crate) type Window = Harness<'static, App>;

/// A scenario of the library, a second into its run.
pub(crate) fn app(name: &str) -> App {
    App::new(session(name, &[], 0), Some(Span::secs(1)))
}

/// A window of this size on it.
pub(crate) fn of(app: App, size: Vec2) -> Window {
    let builder = Harness::builder().with_size(size);
    let mut window = builder.build_ui_state(|ui, app: &mut App| app.frame(ui), app);
    window.run();
    window
}

/// A window of the usual size on a scenario of the library, a second into its run.
pub(crate) fn window(name: &str) -> Window {
    of(app(name), vec2(1400.0, 900.0))
}

/// The same with one panel alone.
pub(crate) fn panel(name: &str, panel: &str) -> Window {
    alone(app(name), panel)
}

/// A window with one panel alone.
pub(crate) fn alone(mut app: App, panel: &str) -> Window {
    app.show_only(place(panel));
    of(app, vec2(1000.0, 700.0))
}

/// Presses the button with this label.
pub(crate) fn press(window: &mut Window, label: &str) {
    window.get_by_role_and_label(Role::Button, label).click();
    window.run();
}

/// Presses a key.
pub(crate) fn key(window: &mut Window, key: Key) {
    window.key_press(key);
    window.run();
}

/// The digest of what is shown.
pub(crate) fn digest(window: &Window) -> String {
    window.state().session.simulation().digest().to_string()
}

/// How many nodes are down.
pub(crate) fn down(window: &Window) -> usize {
    window.state().statuses.iter().filter(|status| status.power == Power::Down).count()
}
