//! One wish of a person, however it was said: by button, key, menu or palette.

use scenarios::text::Override;
use sim_core::fault::{Command, Plan};
use sim_core::{NodeId, SimTime};

use crate::session::{BranchId, Direction, Landmark, Speed};

/// One wish, however it was said. Panels only collect these; they are fulfilled when all has been drawn, so that a
/// frame shows one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Intent {
    /// Let time pass.
    Play,
    /// Hold time.
    Pause,
    /// Go on by one event.
    Step,
    /// Go back by one event.
    StepBack,
    /// Let time pass at another pace.
    SetSpeed(Speed),
    /// Show how things stood at a time.
    SeekTime(SimTime),
    /// Show how things stood after so many events.
    SeekEvents(u64),
    /// Show how things stood right after a record of the trace.
    SeekRecord(u32),
    /// Go to the next thing that matters, or the one before.
    Jump(Landmark, Direction),
    /// Set a bookmark at a time, or remove the one that is there.
    Bookmark(SimTime),
    /// Give a bookmark another name.
    NameBookmark(SimTime, String),
    /// Begin again at time zero, without what was done by hand.
    Restart {
        /// The seed of the new run.
        seed: u64,
    },
    /// Begin again at time zero with other overrides of the scenario's file.
    Configure(Vec<Override>),
    /// Tell why the chosen event came, or what else suggests itself.
    Why,
    /// Run seed after seed until something breaks.
    Hunt,
    /// Show another scenario, or a capsule: a file, or a name of the library.
    Open(String),
    /// Ask where what was done is to be written.
    AskToSave,
    /// Write what was done to a file that is not there yet; its ending says in which form.
    Save(String),
    /// Look for a file to open in the desktop's own dialog.
    Browse,
    /// Go back to the run that was shown before another was opened or begun.
    RunBefore,
    /// What to do with what was not saved, where the window is to close.
    Close(Close),
    /// Look into a node.
    Select(NodeId),
    /// Look at a record of the trace, or at none.
    SelectRecord(Option<u32>),
    /// Do something to the world.
    Apply(Command),
    /// The same, as scenario files say it: `Crash("leader")`.
    Act(String),
    /// Begin a line of the plan with such an act, for a person to finish.
    Draft(String),
    /// Run another plan in the place of the present one, from the start.
    Replan {
        /// All of it.
        plan: Plan,
        /// What was edited.
        text: String,
    },
    /// Ask the checkers of the history about all that was computed.
    Judge,
    /// Go back to before what was done by hand last.
    Undo,
    /// Do again what was undone.
    Redo,
    /// Go over to a branch.
    GoTo(BranchId),
    /// Show or hide a panel, by its place in the table.
    TogglePanel(usize),
    /// Put all panels where they were at first.
    ResetPanels,
    /// Show or hide the list of wishes to search in.
    TogglePalette,
    /// Show a panel, by its name.
    Reveal(&'static str),
    /// Be shown around the window.
    Tour,
    /// Texts and everything else larger or smaller.
    Zoom(Zoom),
    /// Show or hide what keys there are.
    ToggleHelp,
    /// From dark to light, or back.
    ToggleTheme,
}

/// What to do where the window is to close and something was not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// It stays open.
    Stay,
    /// It closes, and what was done is gone.
    Anyway,
}

impl Intent {
    /// Whether it acts on a run, or has one done again: a recording is none.
    pub(crate) const fn needs_run(&self) -> bool {
        matches!(
            self,
            Self::Restart { .. }
                | Self::Configure(_)
                | Self::Why
                | Self::Hunt
                | Self::Apply(_)
                | Self::Act(_)
                | Self::Draft(_)
                | Self::Replan { .. }
        )
    }
}

/// How large everything is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zoom {
    /// Larger than now.
    In,
    /// Smaller than now.
    Out,
    /// As it was at first.
    Usual,
}
