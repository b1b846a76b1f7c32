//! The window: where the panels are, and what becomes of what a person wants.

use std::sync::Arc;
use std::time::Duration;

use eframe::Storage;
use egui::{CentralPanel, Context, Panel as Side, ScrollArea, Theme, Ui, ViewportCommand, gui_zoom};
use egui_tiles::Tree;
use serde::{Deserialize, Serialize};
use sim_core::status::NodeStatus;
use sim_core::{NodeId, SimTime, Span};

use crate::command::{Close, Intent, WISHES, Wish, Zoom};
use crate::files::{self, Form, Inbox, Letter};
use crate::model::lanes::Lanes;
use crate::model::space_time::causal_future;
use crate::open;
use crate::panels::tour::Seen;
use crate::panels::{Chosen, Desk, PANELS, Scene, bar, leave, look, palette, save, timeline, tour};
use crate::session::{Playback, Session};
use crate::tiles::{Panes, arrangement, reveal, toggle};

/// The longest frame that counts, in seconds: when the machine was busy elsewhere, time does not jump.
const FRAME_SECONDS_MAX: f32 = 0.1;
/// So much of the window's height the bar takes at most; the rest of it is scrolled to.
const BAR_SHARE_MAX: f32 = 0.2;
/// Of half the window's height so much is spared for others; the timeline may have the rest.
const TIMELINE_SPARES: f32 = 60.0;
/// The timeline is never lower.
const TIMELINE_MIN: f32 = 48.0;
/// So many records after a chosen one are searched for what followed from it.
const FUTURE_MAX: u32 = 200_000;

/// Everything the window holds between two frames.
pub struct App {
    pub(crate) session: Session,
    lanes: Lanes,
    pub(crate) selected: NodeId,
    pub(crate) chosen: Option<Chosen>,
    /// Why the last intent came to nothing.
    pub(crate) complaint: Option<String>,
    /// What came of the last intent, where that is not to be seen.
    pub(crate) notice: Option<String>,
    pub(crate) desk: Desk,
    /// Panes are places in the table of panels.
    tree: Tree<usize>,
    /// How much had been done by hand when that was saved last.
    saved: usize,
    /// The run that was shown before another was opened or begun.
    before: Option<Session>,
    /// What dialogs and pictures come to, which take longer than a frame.
    inbox: Inbox,
    /// Whether its colours are light.
    is_light: bool,
    /// Whether it is asked what to do with what was not saved, before the window closes.
    is_closing: bool,
    /// Whether the fonts are set: from the second pass on.
    has_fonts: bool,
    /// Kept so that a frame need not allocate.
    pub(crate) statuses: Vec<NodeStatus>,
}

impl App {
    /// A window on a session, at a time of its run.
    pub fn new(mut session: Session, at: Option<Span>) -> Self {
        if let Some(at) = at {
            session.seek_time(SimTime::ZERO + at);
        }
        Self {
            session,
            lanes: Lanes::default(),
            selected: NodeId::new(0),
            chosen: None,
            complaint: None,
            notice: None,
            desk: Desk::default(),
            tree: arrangement(),
            saved: 0,
            before: None,
            inbox: Inbox::default(),
            is_light: false,
            is_closing: false,
            has_fonts: false,
            statuses: Vec::new(),
        }
    }

    /// Asks whether to be shown around, unless that was asked before.
    pub fn offer_tour(&mut self) {
        self.desk.tour.offer();
    }

    /// A frame: time passes, everything is drawn, and what was asked for meanwhile is done.
    pub fn frame(&mut self, ui: &mut Ui) {
        if !std::mem::replace(&mut self.has_fonts, true) {
            look::set_fonts(ui.ctx());
            ui.ctx().request_discard("other fonts");
            return;
        }
        self.on_close(ui);
        self.read_inbox();
        self.go_on(ui);
        let intents = self.draw(ui);
        for intent in intents {
            self.fulfil(intent, ui);
            ui.request_repaint();
        }
    }

    /// Lets the run go on by as much as a frame, and asks for the next frame while it does.
    fn go_on(&mut self, ui: &Ui) {
        let seconds = ui.input(|input| input.stable_dt.clamp(0.0, FRAME_SECONDS_MAX));
        let seed = self.session.seed();
        self.session.on_frame(Duration::from_secs_f32(seconds));
        if self.session.seed() != seed {
            self.begin();
        }
        self.session.simulation().statuses(&mut self.statuses);
        self.lanes.update(self.session.run(), self.session.tip());
        let is_busy = self.session.is_seeking() || self.session.is_hunting();
        if self.session.playback() == Playback::Playing || is_busy {
            ui.request_repaint();
        }
    }

    fn draw(&mut self, ui: &mut Ui) -> Vec<Intent> {
        let mut intents = Vec::new();
        let Self {
            session,
            lanes,
            selected,
            chosen,
            complaint,
            notice,
            desk,
            tree,
            before,
            is_closing,
            statuses,
            ..
        } = self;
        let scene = Scene {
            session,
            statuses,
            lanes,
            selected: *selected,
            chosen: chosen.as_ref(),
            has_before: before.is_some(),
            complaint: complaint.as_deref(),
            notice: notice.as_deref(),
        };
        keys(ui, &scene, desk, &mut intents);
        desk.tour.forget_places();
        let window = ui.available_height();
        let bar = Side::top("bar").show(ui, |ui| {
            let height = window * BAR_SHARE_MAX;
            let rows = ScrollArea::vertical().max_height(height).min_scrolled_height(height);
            rows.auto_shrink([false, true]).show(ui, |ui| bar::show(ui, &scene, desk, &mut intents));
        });
        desk.tour.mark(tour::BAR, bar.response.rect);
        #[expect(clippy::cast_precision_loss, reason = "a height on the screen")]
        let height = 92.0 + 16.0 * scene.statuses.len().min(9) as f32;
        let bottom = Side::bottom("timeline").resizable(true).default_size(height).min_size(TIMELINE_MIN);
        let bottom = bottom.max_size((window / 2.0 - TIMELINE_SPARES).max(TIMELINE_MIN));
        let bottom = bottom.show(ui, |ui| timeline::show(ui, &scene, desk, &mut intents));
        desk.tour.mark(tour::TIMELINE, bottom.response.rect);
        CentralPanel::default().show(ui, |ui| {
            let mut panes = Panes { scene: &scene, desk, intents: &mut intents };
            tree.ui(&mut panes, ui);
        });
        palette::show(ui, &scene, desk, &mut intents);
        save::show(ui, &scene, desk, &mut intents);
        if *is_closing {
            leave::show(ui, &mut intents);
        }
        tour::show(ui, desk, &mut intents);
        intents
    }

    fn fulfil(&mut self, intent: Intent, ui: &Ui) {
        (self.complaint, self.notice) = (None, None);
        let session = &mut self.session;
        if let Some(why) = session.hindrance().filter(|_| intent.needs_run()) {
            self.complaint = Some(why.to_owned());
            return;
        }
        match intent {
            Intent::Play => session.play(),
            Intent::Pause => session.pause(),
            Intent::Step => session.step(),
            Intent::StepBack => session.step_back(),
            Intent::SetSpeed(speed) => session.set_speed(speed),
            Intent::SeekTime(time) => session.seek_time(time),
            Intent::SeekEvents(events) => session.seek_events(events),
            Intent::SeekRecord(number) => {
                session.seek_record(number);
                self.choose(Some(number));
            }
            Intent::Jump(landmark, direction) => session.jump(landmark, direction),
            Intent::Bookmark(time) => session.bookmarks.toggle(time),
            Intent::NameBookmark(time, name) => session.bookmarks.rename(time, name),
            Intent::Restart { seed } => {
                let renewed = session.renewed(seed);
                self.exchange(renewed);
            }
            Intent::Reveal(name) => reveal(&mut self.tree, name),
            Intent::Tour => self.desk.tour.begin(),
            Intent::Zoom(Zoom::In) => gui_zoom::zoom_in(ui.ctx()),
            Intent::Zoom(Zoom::Out) => gui_zoom::zoom_out(ui.ctx()),
            Intent::Zoom(Zoom::Usual) => ui.ctx().set_zoom_factor(1.0),
            Intent::Why => {
                self.desk.why.wish();
                reveal(&mut self.tree, "Why");
            }
            Intent::Hunt => session.hunt(),
            Intent::Configure(overrides) => match session.configured(&overrides) {
                Ok(configured) => self.exchange(configured),
                Err(wrong) => self.complaint = Some(wrong.to_string().trim_end().to_owned()),
            },
            Intent::Open(name) => self.open(&name),
            Intent::AskToSave => self.desk.save.open(session.name()),
            Intent::Save(path) if Form::of(&path) == Some(Form::Picture) => {
                self.inbox.screenshot(ui.ctx(), path);
            }
            Intent::Save(path) => match files::save(session, &path) {
                Ok(advice) => {
                    self.notice = Some(format!("written; {advice}"));
                    if Form::of(&path).is_some_and(Form::keeps_deeds) {
                        self.saved = session.deeds();
                    }
                }
                Err(error) => self.complaint = Some(format!("`{path}` is not written: {error}")),
            },
            Intent::Browse => self.inbox.browse(ui.ctx()),
            Intent::RunBefore => self.swap(),
            Intent::Close(close) => self.close(close, ui),
            Intent::Select(node) => self.selected = node,
            Intent::SelectRecord(record) => self.choose(record),
            Intent::Apply(command) => {
                self.complaint = session.apply(command).err().map(|unable| unable.to_string());
                self.chosen = None;
            }
            Intent::Act(act) => {
                self.complaint = session.act(&act).err();
                self.chosen = None;
            }
            Intent::Draft(act) => {
                self.desk.plan.draft(session.playhead(), &act);
                reveal(&mut self.tree, "Plan");
            }
            Intent::Replan { plan, text } => {
                session.replan(&plan, text);
                self.chosen = None;
            }
            Intent::Judge => session.judge(),
            Intent::Undo => session.undo(),
            Intent::Redo => session.redo(),
            Intent::GoTo(branch) => session.go_to(branch),
            Intent::TogglePanel(place) => toggle(&mut self.tree, place),
            Intent::ResetPanels => self.tree = arrangement(),
            Intent::TogglePalette => self.desk.palette.is_open = !self.desk.palette.is_open,
            Intent::ToggleHelp => self.desk.palette.is_help_open = !self.desk.palette.is_help_open,
            Intent::ToggleTheme => {
                let theme = if ui.ctx().theme() == Theme::Dark { Theme::Light } else { Theme::Dark };
                self.is_light = theme == Theme::Light;
                ui.ctx().set_theme(theme);
            }
        }
    }

    /// One panel has all the room.
    pub(crate) fn show_only(&mut self, place: usize) {
        let mut tiles = egui_tiles::Tiles::default();
        let root = tiles.insert_pane(place);
        self.tree = Tree::new(egui::Id::unique("one"), root, tiles);
    }

    pub(crate) fn open(&mut self, name: &str) {
        let table = Arc::clone(self.session.table());
        match open::open(name, &[], &table) {
            Ok(opened) => self.exchange(opened.session(table, 0)),
            Err(error) => self.complaint = Some(error.to_string().trim_end().to_owned()),
        }
    }

    /// Takes up where it was left: panels, colours, and whether the tour was offered.
    pub fn remember(&mut self, storage: &dyn Storage, context: &Context) {
        let Some(kept) = eframe::get_value::<Remembered>(storage, REMEMBERED) else { return };
        self.desk.tour.seen = kept.seen;
        context.set_theme(if kept.is_light { Theme::Light } else { Theme::Dark });
        if kept.names == panel_names() {
            self.tree = kept.tree;
        }
    }

    /// Shows another run; the present one can be come back to.
    fn exchange(&mut self, session: Session) {
        self.before = Some(std::mem::replace(&mut self.session, session));
        self.begin();
    }

    /// Comes back to the run that was shown before.
    fn swap(&mut self) {
        if let Some(before) = self.before.take() {
            self.exchange(before);
        }
    }

    /// What was asked for when the window was to close and something was not saved.
    fn close(&mut self, close: Close, ui: &Ui) {
        self.is_closing = false;
        match close {
            Close::Stay => {}
            Close::Anyway => {
                self.saved = self.session.deeds();
                ui.ctx().send_viewport_cmd(ViewportCommand::Close);
            }
        }
    }

    /// Holds the window open where something was done by hand and not saved, until a person has said what to do.
    fn on_close(&mut self, ui: &Ui) {
        let is_asked = ui.input(|input| input.viewport().close_requested());
        if is_asked && self.session.deeds() > self.saved {
            ui.ctx().send_viewport_cmd(ViewportCommand::CancelClose);
            self.is_closing = true;
        }
    }

    /// What dialogs and pictures have come to.
    fn read_inbox(&mut self) {
        for letter in self.inbox.letters() {
            match letter {
                #[cfg(not(target_arch = "wasm32"))]
                Letter::Open(path) => self.open(&path),
                Letter::Notice(text) => self.notice = Some(text),
                Letter::Complaint(text) => self.complaint = Some(text),
            }
        }
    }

    /// What belonged to the run before goes.
    fn begin(&mut self) {
        self.saved = self.session.deeds();
        self.lanes = Lanes::default();
        self.selected = NodeId::new(0);
        self.chosen = None;
        self.desk.timeline.reset();
    }

    pub(crate) fn choose(&mut self, record: Option<u32>) {
        let trace = self.session.run().trace();
        self.chosen =
            record.zip(trace).filter(|(record, trace)| *record < trace.len()).map(|(record, trace)| Chosen {
                record,
                past: trace.causal_past(record).into_iter().collect(),
                future: causal_future(trace, record, FUTURE_MAX).into_iter().skip(1).collect(),
            });
        let node = trace.zip(record).and_then(|(trace, record)| trace.get(record)?.subject()?.node());
        self.selected = node.unwrap_or(self.selected);
    }
}

/// What is kept from one start of the program to the next.
#[derive(Serialize, Deserialize)]
struct Remembered {
    /// Those of the panels that the tree means by number: of another version, it means others.
    names: Vec<String>,
    tree: Tree<usize>,
    seen: Seen,
    is_light: bool,
}

/// Where it is kept.
const REMEMBERED: &str = "window";

fn panel_names() -> Vec<String> {
    PANELS.iter().map(|panel| panel.name.to_owned()).collect()
}

impl eframe::App for App {
    fn save(&mut self, storage: &mut dyn Storage) {
        let (tree, seen) = (self.tree.clone(), self.desk.tour.seen);
        let kept = Remembered { names: panel_names(), tree, seen, is_light: self.is_light };
        eframe::set_value(storage, REMEMBERED, &kept);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let dropped =
            ui.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_path_buf()).next());
        if let Some(path) = dropped {
            self.open(&path.to_string_lossy());
        }
        self.frame(ui);
    }
}

/// What keys ask for: nothing while a text is being written, and only what closes it while the palette is open.
fn keys(ui: &Ui, scene: &Scene<'_>, desk: &Desk, intents: &mut Vec<Intent>) {
    if desk.palette.is_open || desk.tour.is_on() || ui.ctx().egui_wants_keyboard_input() {
        return;
    }
    // A key without Shift would also take it with Shift: those with more to press come first.
    let (plain, modified): (Vec<&Wish>, Vec<&Wish>) =
        WISHES.iter().partition(|wish| wish.key.is_some_and(|key| key.modifiers.is_none()));
    for wish in modified.into_iter().chain(plain) {
        let Some(key) = wish.key else { continue };
        let is_other =
            |other: &Wish| other.key.is_some_and(|it| it != key && it.logical_key == key.logical_key);
        let intent = (wish.intent)(scene);
        // A key that means nothing now is left to others, as Escape is to menus; but not to its like without Shift.
        let is_ours = intent.is_some() || WISHES.iter().any(is_other);
        if is_ours && ui.input_mut(|input| input.consume_shortcut(&key)) {
            intents.extend(intent);
        }
    }
}

#[cfg(test)]
mod tests {
    use egui::accesskit::Role;
    use egui::{Key, Modifiers, pos2, vec2};
    use egui_kittest::kittest::Queryable;

    use sim_core::fault::Command;

    use super::*;

    use crate::testing;
    use crate::testing::{app, digest, down, key, of, press, window};

    #[test]
    fn a_key_with_shift_is_another_key_also_where_it_can_do_nothing() {
        let mut window = window("raft/leader-crash");
        let back = |window: &mut testing::Window| {
            window.key_press_modifiers(Modifiers::SHIFT, Key::E);
            window.run();
        };
        back(&mut window);
        let first = digest(&window);
        back(&mut window);
        assert_eq!(digest(&window), first, "there is no election before");
        key(&mut window, Key::E);
        assert_ne!(digest(&window), first);
        back(&mut window);
        assert_eq!(digest(&window), first);
    }

    #[test]
    fn by_buttons_the_leader_crashes_and_undo_brings_it_back() {
        let mut window = window("raft/steady");
        let before = digest(&window);
        press(&mut window, "Crash leader");
        assert_eq!(down(&window), 1);
        press(&mut window, "Undo");
        assert_eq!((down(&window), digest(&window)), (0, before));
        press(&mut window, "Redo");
        assert_eq!(down(&window), 1);
    }

    #[test]
    fn by_keys_time_goes_on_and_back() {
        let mut window = window("raft/steady");
        let before = digest(&window);
        key(&mut window, Key::ArrowRight);
        assert_ne!(digest(&window), before);
        key(&mut window, Key::ArrowLeft);
        assert_eq!(digest(&window), before);
        key(&mut window, Key::Home);
        assert_eq!(window.state().session.simulation().events(), 0);
        window.key_press(Key::Space);
        window.step();
        window.step();
        assert_eq!(window.state().session.playback(), Playback::Playing);
    }

    #[test]
    fn while_a_text_is_written_its_letters_are_no_commands() {
        let mut window = window("raft/steady");
        let field = window.get_by_role_and_label(Role::TextInput, "seed");
        field.focus();
        window.run();
        key(&mut window, Key::L);
        assert_eq!(down(&window), 0, "the leader does not crash by a letter");
    }

    #[test]
    fn the_palette_finds_a_command_by_part_of_its_name() {
        let mut window = window("raft/steady");
        window.key_press_modifiers(Modifiers::COMMAND, Key::P);
        window.run();
        window.event(egui::Event::Text("crash the lea".to_owned()));
        window.run();
        key(&mut window, Key::Enter);
        assert_eq!(down(&window), 1);
        assert!(!window.state().desk.palette.is_open);
    }

    #[test]
    fn a_line_drawn_around_two_nodes_parts_them() {
        let mut window = window("raft/steady");
        // Where the cluster's panel lies at first; its second and third node stand on the right side.
        let corners = [
            pos2(300.0, 330.0),
            pos2(440.0, 330.0),
            pos2(440.0, 640.0),
            pos2(240.0, 640.0),
            pos2(240.0, 480.0),
            pos2(300.0, 332.0),
        ];
        window.hover_at(corners[0]);
        window.run();
        window.drag_at(corners[0]);
        for corner in corners {
            window.hover_at(corner);
            window.run();
        }
        window.drop_at(corners[0]);
        window.run();
        let acts = window.state().session.acts();
        let [(_, Command::Partition { .. })] = acts.as_slice() else { panic!("one partition, not {acts:?}") };
        assert_eq!(window.state().complaint, None);
    }

    #[test]
    fn every_panel_can_be_shown_alone_and_says_something() {
        for (place, panel) in PANELS.iter().enumerate() {
            let mut app = app("raft/random-swarm");
            app.show_only(place);
            let window = of(app, vec2(700.0, 500.0));
            assert!(window.query_all_by_label_contains(panel.name).next().is_some(), "{}", panel.name);
        }
    }

    #[test]
    fn a_closed_panel_comes_back_where_it_is_asked_for() {
        let mut app = app("raft/steady");
        for place in (0..PANELS.len()).chain(0..PANELS.len()) {
            toggle(&mut app.tree, place);
        }
        for (place, panel) in PANELS.iter().enumerate() {
            let tile = app.tree.tiles.find_pane(&place).unwrap_or_else(|| panic!("{} is gone", panel.name));
            if !app.tree.is_visible(tile) {
                toggle(&mut app.tree, place);
            }
            assert!(app.tree.is_visible(tile), "{}", panel.name);
        }
    }

    #[test]
    fn what_cannot_be_opened_is_a_message_and_the_run_stays() {
        let mut window = window("raft/steady");
        let before = digest(&window);
        window.state_mut().open("no/such-scenario");
        window.run();
        assert!(window.query_by_label_contains("there is neither a file nor a library scenario").is_some());
        assert_eq!(digest(&window), before);
    }

    #[test]
    fn the_smallest_window_has_room_for_a_panel_beside_bar_and_timeline() {
        for (place, panel) in PANELS.iter().enumerate() {
            let mut app = app("raft/steady");
            app.show_only(place);
            let window = of(app, vec2(300.0, 200.0));
            let of_panel = window.state().desk.tour.place(panel.name).expect("it is drawn");
            let of_bar = window.state().desk.tour.place(tour::BAR).expect("it is drawn");
            assert!(
                of_panel.top() >= of_bar.bottom() && of_panel.bottom() <= 160.0,
                "{}: {of_panel}",
                panel.name
            );
            assert!(of_panel.height() >= 50.0, "{}: {of_panel}", panel.name);
            let title = window.get_all_by_label(panel.name).next().expect("its tab has its name");
            assert!(title.rect().bottom() <= of_panel.top() + 4.0, "{}: {}", panel.name, title.rect());
            let play = window.get_by_role_and_label(Role::Button, "Play");
            assert!(play.rect().height() > 0.0, "what is scrolled away can be pressed by its label");
        }
    }

    #[test]
    fn the_smallest_window_and_a_thousand_nodes_are_drawn() {
        let session = testing::session("echo/hello", &["nodes=1000", "topology=Mesh"], 0);
        let app = App::new(session, Some(Span::millis(50)));
        let window = of(app, vec2(300.0, 200.0));
        assert_eq!(window.state().session.trouble(), None);
    }
}
