//! The pictures of the book, and the same views in other sizes and colours, to be looked at: `ci/screenshots.sh` has them drawn.
//! Whether a view looks as it did is for `snapshots`.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use egui::{ColorImage, Key, Modifiers, Rect, Theme, Vec2, vec2};
use sim_core::fault::Command;
use sim_core::{NodeId, Span};

use crate::app::App;
use crate::files::write_png;
use crate::panels::tour;
use crate::snapshots::{after_a_crash, after_a_lost_write};
use crate::testing::{self, Window, key, press, session};

/// Something to be seen.
struct View {
    /// What the file is called.
    name: &'static str,
    /// The panel that has all the room; `None` for the whole window.
    panel: Option<&'static str>,
    app: fn() -> App,
    /// What somebody does before it is drawn.
    does: fn(&mut Window),
}

const VIEWS: [View; 20] = [
    whole("window", after_a_crash, |_| {}),
    whole("palette", after_a_crash, |window| {
        window.key_press_modifiers(Modifiers::COMMAND, Key::P);
        window.run();
        window.event(egui::Event::Text("cut".to_owned()));
    }),
    whole("keys", after_a_crash, |window| key(window, Key::Questionmark)),
    whole("tour", after_a_crash, |window| key(window, Key::F1)),
    whole("save", after_a_crash, |window| window.key_press_modifiers(Modifiers::COMMAND, Key::S)),
    view("cluster", "Cluster", parted, |_| {}),
    view("space-time", "Space-time", after_a_crash, |window| window.state_mut().choose(Some(3_162))),
    view("node", "Node", after_a_crash, |_| {}),
    view("nodes", "Nodes", after_a_crash, |_| {}),
    view("events", "Events", after_a_crash, |window| window.state_mut().choose(Some(3_162))),
    view("milestones", "Milestones", after_a_crash, |_| {}),
    view("history", "History", after_a_lost_write, |window| press(window, "Show the illegal part")),
    view("logs", "Logs", after_a_crash, |_| {}),
    view("metrics", "Metrics", after_a_crash, |_| {}),
    view("checks", "Checks", after_a_lost_write, |_| {}),
    view("plan", "Plan", by_hand, |_| {}),
    view("branches", "Branches", by_hand, |_| {}),
    view("why", "Why", after_a_lost_write, |window| press(window, "Why the violation?")),
    view(
        "setup",
        "Setup",
        || App::new(session("raft/random-membership", &["protocol.mutant=no-uptodate-check"], 4), None),
        |_| {},
    ),
    view("library", "Library", after_a_crash, |_| {}),
];

const fn whole(name: &'static str, app: fn() -> App, does: fn(&mut Window)) -> View {
    View { name, panel: None, app, does }
}

const fn view(name: &'static str, panel: &'static str, app: fn() -> App, does: fn(&mut Window)) -> View {
    View { name, panel: Some(panel), app, does }
}

/// Two nodes are apart from the others.
fn parted() -> App {
    App::new(session("raft/minority-partition", &[], 0), Some(Span::secs(3)))
}

/// A leader was crashed by hand; that was undone, another node was crashed, and the leader paused.
fn by_hand() -> App {
    let mut session = session("raft/steady", &[], 0);
    let node = NodeId::new;
    session.seek_time(sim_core::SimTime::ZERO + Span::millis(900));
    session.apply(Command::Crash(node(3))).expect("a world takes commands");
    session.undo();
    session.apply(Command::Crash(node(0))).expect("a world takes commands");
    session.seek_time(sim_core::SimTime::ZERO + Span::millis(1_400));
    session.apply(Command::Pause(node(3))).expect("a world takes commands");
    session.seek_time(sim_core::SimTime::ZERO + Span::secs(2));
    App::new(session, None)
}

/// Draws a view at a size, in these colours.
fn draw(view: &View, size: Vec2, theme: Theme) -> (Window, ColorImage) {
    let mut app = (view.app)();
    if let Some(panel) = view.panel {
        app.show_only(crate::panels::place(panel));
    }
    let mut window = testing::of(app, size);
    window.ctx.set_theme(theme);
    (view.does)(&mut window);
    // A story is told piece by piece, a frame a piece.
    window.run_steps(60);
    window.remove_cursor();
    window.run_steps(4);
    let drawn = window.render().expect("a driver is there");
    let size = [drawn.width(), drawn.height()].map(|side| side as usize);
    let image = ColorImage::from_rgba_unmultiplied(size, drawn.as_raw());
    (window, image)
}

/// All that a window of this test shows, without the margin around it, or what lies between bar and timeline.
fn part(window: &Window, image: &ColorImage, is_alone: bool) -> ColorImage {
    let place = |part| window.state().desk.tour.place(part).expect("it is drawn");
    let (bar, timeline) = (place(tour::BAR), place(tour::TIMELINE));
    let rect = if is_alone {
        Rect::from_min_max(bar.left_bottom(), timeline.right_top())
    } else {
        Rect::from_min_max(bar.min, timeline.max)
    };
    image.region(&rect, Some(1.0))
}

fn write(image: &ColorImage, folder: &Path, name: &str) {
    fs::create_dir_all(folder).expect("the folder can be made");
    let file = File::create(folder.join(name)).expect("the file can be made");
    write_png(image, &mut BufWriter::new(file)).expect("the picture can be written");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the script that has them drawn says where")]
fn every_view_is_drawn_for_the_book_and_to_be_looked_at() {
    let folder = PathBuf::from(std::env::var_os("SPLITBRAIN_SCREENSHOTS").expect("it says where"));
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src/window");
    for view in &VIEWS {
        for (theme, colours) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
            for [width, height] in [[1_400.0_f32, 900.0], [2_560.0, 1_440.0]] {
                let (window, image) = draw(view, vec2(width, height), theme);
                let name = format!("{}-{colours}-{width}x{height}.png", view.name);
                write(&part(&window, &image, false), &folder, &name);
            }
        }
        let size = if view.panel.is_some() { vec2(900.0, 700.0) } else { vec2(1_400.0, 900.0) };
        let (window, image) = draw(view, size, Theme::Dark);
        write(&part(&window, &image, view.panel.is_some()), &book, &format!("{}.png", view.name));
    }
}
