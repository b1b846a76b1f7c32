//! A recording in the place of a run: everything is computed, and nothing can be done to it.

use std::sync::Arc;

use scenarios::recording::Opened;
use scenarios::run::Recording as Traced;
use scenarios::{ProtocolTable, assemble_recording};
use sim_core::simulation::{Capture, Recording};
use sim_core::world::Stop;

use super::branch::Branch;
use super::moment::{EVER, Moment};
use super::samples::Samples;
use super::{RECORDED_EVENTS_MAX, RECORDED_VIEWS_MAX, Session};

impl Session {
    /// A recording of a run, at its beginning; all of it is there.
    pub fn of_recording(recorded: Opened, table: Arc<ProtocolTable>) -> Self {
        let Opened { recording, loaded, seed } = recorded;
        let configured = loaded.configured(seed, &table).scenario.clone();
        let mut branch = Branch::new(Box::new(recording.clone()), None, &Samples::never());
        let first = branch.first;
        while branch.extend(EVER, u64::MAX) == Stop::Violation {}
        let mut session = Self::starting(loaded, table, seed, configured, branch);
        session.recording = Some(recording);
        session.show(0, Moment::Events(first));
        session
    }

    /// The present path as far as it was computed, as data; `None` where it has more events than a recording may.
    pub(crate) fn recorded(&self) -> Option<Recording> {
        let run = self.run();
        if self.recording.is_some() || run.events() > RECORDED_EVENTS_MAX {
            return self.recording.clone();
        }
        let plan = Some(run.plan());
        let mut again = assemble_recording(&self.configured, &self.table, self.seed, plan, Traced::On);
        let views = run.events() * run.node_count() as u64;
        let capture = Capture {
            scenario: self.name().to_owned(),
            text: self.loaded.value_text().to_owned(),
            until: run.now(),
            events: run.events(),
            view_every: views.div_ceil(RECORDED_VIEWS_MAX).max(1),
        };
        Some(Recording::capture(again.as_mut(), &capture))
    }

    /// Why some things cannot be done here: what is shown is no run. `None` where they can.
    pub(crate) fn hindrance(&self) -> Option<&'static str> {
        self.recording
            .as_ref()
            .map(|_| "this is a recording: it is shown as it was, takes no commands and cannot be run again")
    }
}
