//! `splitbrain-gui`: a window on a running simulation.
//!
//! ```text
//! pressed ─ panels ─► command::Intent ─ app ─► session ─► dyn Simulation
//!              ▲                                  │
//!              └────── statuses, views, plan ─────┘
//! ```
//!
//! | part | is |
//! | --- | --- |
//! | [`open`] | a scenario, from a file or the library |
//! | [`session`] | the run under a person's hand, without a window |
//! | [`command`] | what a person can want |
//! | [`panels`] | what is drawn, one file a panel: they read the session and collect intents |
//! | [`app`] | puts the panels into the window, and fulfils the intents |
//!
//! Rules kept here: no protocol is named, only statuses and views are shown; the world changes by commands alone.

mod app;
mod command;
mod open;
mod panels;
mod session;

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use eframe::egui::ViewportBuilder;
use scenarios::ProtocolTable;

use crate::app::App;
use crate::session::Session;

/// Watch a simulation, and break it by hand.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:
  splitbrain-gui raft/leader-crash --seed 7       a scenario of the library
  splitbrain-gui my.ron                           a file of your own

Exit codes:
    0  the window was closed
    2  wrong usage, a bad file, or no display to open a window on"
)]
struct Arguments {
    /// A scenario file, or the name of a scenario of the library
    #[arg(value_name = "FILE|NAME")]
    scenario: String,

    /// The seed that decides everything
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let table = ProtocolTable::builtin();
    let loaded = match open::open(&arguments.scenario, &table) {
        Ok(loaded) => loaded,
        Err(error) => return refuse(error),
    };
    let viewport =
        ViewportBuilder::default().with_inner_size([1280.0, 800.0]).with_min_inner_size([800.0, 500.0]);
    let options = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    let app = App::new(Session::new(loaded, table, arguments.seed));
    match eframe::run_native("Splitbrain", options, Box::new(|_| Ok(Box::new(app)))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(format_args!("error: cannot open a window: {error}\n")),
    }
}

/// Says why there is no window.
fn refuse(why: impl fmt::Display) -> ExitCode {
    let _nobody_listens = write!(std::io::stderr(), "{why}");
    ExitCode::from(2)
}
