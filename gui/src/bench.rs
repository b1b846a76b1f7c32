//! Doors for `benches/frames.rs`: a window without a screen, of which a frame costs what the processor has to do.

use std::sync::Arc;
use std::time::Duration;

use egui::{Context, Pos2, RawInput, Rect, vec2};
use scenarios::ProtocolTable;
use scenarios::text::Override;

use crate::app::App;
use crate::open::{self};
use crate::panels::place;
use crate::session::Session;

/// A window that is drawn for nobody.
pub struct Bench {
    app: App,
    context: Context,
}

/// A run of a file or a scenario of the library at its beginning, changed by these overrides: for benchmarks and tests.
pub(crate) fn session(name: &str, sets: &[&str], seed: u64) -> Session {
    let set = |set: &&str| Override::parse_for("--set", set).unwrap_or_else(|error| panic!("{error}"));
    let sets: Vec<Override> = sets.iter().map(set).collect();
    let table = Arc::new(ProtocolTable::builtin());
    let opened = open::open(name, &sets, &table).unwrap_or_else(|error| panic!("{error}"));
    opened.session(table, seed)
}

impl Bench {
    /// On a scenario of the library, changed by these overrides.
    pub fn open(name: &str, sets: &[&str]) -> Self {
        Self { app: App::new(session(name, sets, 0), None), context: Context::default() }
    }

    /// Gives one panel all the room.
    pub fn alone(&mut self, panel: &str) {
        self.app.show_only(place(panel));
    }

    /// Goes to after so many events; computes what is missing.
    pub fn seek(&mut self, events: u64) {
        self.app.session.seek_events(events);
        while self.app.session.is_seeking() {
            self.app.session.on_frame(Duration::ZERO);
        }
    }

    /// Has the space-time diagram show the newest of so many records, and one of them chosen with all that led to it.
    pub fn look_at(&mut self, records: u32) {
        let trace = self.app.session.run().trace().expect("a run of a benchmark is recorded");
        let at = |back: u32| trace.get(trace.len() - back).expect("so many are there").at();
        self.app.desk.space_time.show_since(at(records), at(1));
        self.app.choose(Some(trace.len() - records / 2));
    }

    /// How many events have happened where it stands.
    pub fn events(&self) -> u64 {
        self.app.session.simulation().events()
    }

    /// How many records there are.
    pub fn records(&self) -> u32 {
        self.app.session.run().trace().map_or(0, sim_core::trace::Trace::len)
    }

    /// How much is on its way.
    pub fn in_flight(&self) -> usize {
        self.app.session.simulation().in_flight().len()
    }

    /// Draws a frame, shapes and corners; says how many corners there are.
    pub fn frame(&mut self) -> usize {
        let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(1400.0, 900.0)));
        let input = RawInput { screen_rect, ..RawInput::default() };
        let output = self.context.run_ui(input, |ui| self.app.frame(ui));
        let meshes = self.context.tessellate(output.shapes, output.pixels_per_point);
        let corners = |clipped: egui::ClippedPrimitive| match clipped.primitive {
            egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
            egui::epaint::Primitive::Callback(_) => 0,
        };
        meshes.into_iter().map(corners).sum()
    }
}
