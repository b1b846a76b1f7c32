//! `splitbrain-gui`: a window on a running simulation.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use egui::ViewportBuilder;
use scenarios::ProtocolTable;
use scenarios::text::units::Time;
use splitbrain_gui::app::App;
use splitbrain_gui::open;

/// Watch a simulation, break it by hand, go back in time.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:
  splitbrain-gui                                  a scenario to begin with; open others from the window
  splitbrain-gui raft/leader-crash --seed 7       a scenario of the library
  splitbrain-gui my.ron                           a file of your own
  splitbrain-gui failure.capsule.ron --at 1.5s    what a capsule keeps, at a place

Exit codes:
    0  the window was closed
    2  wrong usage, a bad file, or no display to open a window on"
)]
struct Arguments {
    /// A scenario file, a capsule, a recording, or the name of a scenario of the library
    #[arg(value_name = "FILE|NAME", default_value = "raft/leader-crash")]
    scenario: String,

    /// The seed that decides everything; a capsule and a recording have their own
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Open at this time of the run
    #[arg(long, value_name = "TIME")]
    at: Option<Time>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let table = Arc::new(ProtocolTable::builtin());
    let opened = match open::open(&arguments.scenario, &[], &table) {
        Ok(opened) => opened,
        Err(error) => return refuse(error),
    };
    let session = opened.session(table, arguments.seed);
    let viewport =
        ViewportBuilder::default().with_inner_size([1400.0, 900.0]).with_min_inner_size([300.0, 200.0]);
    let options = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    let at = arguments.at.map(Time::span);
    let made = eframe::run_native(
        "Splitbrain",
        options,
        Box::new(move |creation| {
            let mut app = App::new(session, at);
            if let Some(storage) = creation.storage {
                app.remember(storage, &creation.egui_ctx);
            }
            app.offer_tour();
            Ok(Box::new(app))
        }),
    );
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(format_args!(
            "error: cannot open a window: {}\n   = hint: it needs a screen, named by DISPLAY or WAYLAND_DISPLAY, and OpenGL; `splitbrain run` needs neither\n",
            without_place(&error.to_string())
        )),
    }
}

/// What went wrong, without where in the source of a library that was found.
fn without_place(error: &str) -> &str {
    let after = error.rsplit_once(".rs:").and_then(|(_, rest)| rest.split_once(": "));
    after.map_or(error, |(_, words)| words)
}

/// Says why there is no window.
fn refuse(why: impl fmt::Display) -> ExitCode {
    let _nobody_listens = write!(std::io::stderr(), "{why}");
    ExitCode::from(2)
}
