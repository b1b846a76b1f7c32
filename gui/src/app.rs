//! The window: where the panels are, and what becomes of what a person wants.

use std::time::Duration;

use eframe::egui::{CentralPanel, Panel, Ui};
use sim_core::NodeId;
use sim_core::status::NodeStatus;

use crate::command::Intent;
use crate::panels::{Scene, controls, inspector, milestones, nodes, overview};
use crate::session::{Playback, Session};

/// The longest frame that counts, in seconds: when the machine was busy elsewhere, time does not jump.
const FRAME_SECONDS_MAX: f32 = 0.1;

/// Everything the window holds between two frames.
pub(crate) struct App {
    session: Session,
    selected: NodeId,
    /// The seed of the next restart, as it is being typed.
    seed: String,
    /// Why the last intent came to nothing.
    complaint: Option<String>,
    /// Kept so that a frame need not allocate.
    statuses: Vec<NodeStatus>,
}

impl App {
    /// A window on a session.
    pub(crate) fn new(session: Session) -> Self {
        let (selected, seed) = (NodeId::new(0), session.seed().to_string());
        Self { session, selected, seed, complaint: None, statuses: Vec::new() }
    }

    /// Lets the run go on by as much as a frame, and asks for the next frame while it does.
    fn go_on(&mut self, ui: &Ui) {
        let seconds = ui.input(|input| input.stable_dt.clamp(0.0, FRAME_SECONDS_MAX));
        self.session.on_frame(Duration::from_secs_f32(seconds));
        self.session.simulation().statuses(&mut self.statuses);
        if self.session.playback() == Playback::Playing {
            ui.request_repaint();
        }
    }

    /// Draws everything; says what was asked for meanwhile.
    fn draw(&mut self, ui: &mut Ui) -> Vec<Intent> {
        let mut intents = Vec::new();
        let Self { session, selected, seed, complaint, statuses } = self;
        let scene = Scene { session, statuses, selected: *selected, complaint: complaint.as_deref() };
        Panel::top("controls").show(ui, |ui| controls::show(ui, &scene, seed, &mut intents));
        Panel::top("overview").show(ui, |ui| overview::show(ui, &scene));
        let inspector = Panel::right("inspector").resizable(true).default_size(460.0);
        inspector.show(ui, |ui| inspector::show(ui, &scene, &mut intents));
        let milestones = Panel::bottom("milestones").exact_size(300.0);
        milestones.show(ui, |ui| milestones::show(ui, &scene));
        CentralPanel::default().show(ui, |ui| nodes::show(ui, &scene, &mut intents));
        intents
    }

    fn fulfil(&mut self, intent: Intent) {
        self.complaint = None;
        match intent {
            Intent::Play => self.session.play(),
            Intent::Pause => self.session.pause(),
            Intent::Step => self.session.step(),
            Intent::SetSpeed(speed) => self.session.set_speed(speed),
            Intent::Restart { seed } => self.session.restart(seed),
            Intent::Select(node) => self.selected = node,
            Intent::Apply(command) => {
                self.complaint = self.session.apply(command).err().map(|unable| unable.to_string());
            }
        }
    }
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.go_on(ui);
        for intent in self.draw(ui) {
            self.fulfil(intent);
            ui.request_repaint();
        }
    }
}
