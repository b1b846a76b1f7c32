//! What a person does to a run: acts, each a branch; undo and redo; and all of it as files and lines of the plan.

use scenarios::assemble::domains;
use scenarios::capsule::Capsule;
use scenarios::plan::by_hand::{self, Unwritable};
use scenarios::run::Recording as Traced;
use scenarios::text::Diagnostic;
use scenarios::{Report, RunOptions, assemble_recording};
use sim_core::SimTime;
use sim_core::fault::{Command, Entry, Plan, Target};
use sim_core::simulation::Unable;

use super::branch::{Branch, BranchId, Deed, Origin};
use super::moment::Moment;
use super::pace::Playback;
use super::samples::Samples;
use super::{Cursor, Session};

/// A branch at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BranchInfo {
    pub(crate) id: BranchId,
    pub(crate) parent: Option<BranchId>,
    /// What was done by hand where it begins; empty for the first.
    pub(crate) act: String,
    pub(crate) began: SimTime,
    pub(crate) events: u64,
    pub(crate) violations: usize,
    /// Whether what is shown lies on it, or it leads there.
    pub(crate) is_on_path: bool,
}

impl Session {
    /// Applies a command at the moment that is shown: it begins a branch, and the branch that was shown keeps its future.
    ///
    /// # Errors
    /// If this simulation takes no commands (any more).
    pub(crate) fn apply(&mut self, command: Command) -> Result<(), Unable> {
        let depth = self.cursor.depth;
        match self.simulation().fork() {
            Ok(mut copy) => {
                copy.pass_to(self.playhead)?;
                copy.apply(command.clone())?;
                let origin = Origin { parent: self.path[depth], deed: Deed::Command(command) };
                let branch = Branch::new(copy, Some(origin), self.branch_at(depth).samples());
                self.branches.push(branch);
                self.path.truncate(depth + 1);
                self.path.push(BranchId(self.branches.len() - 1));
                self.cursor = Cursor { depth: depth + 1, earlier: None };
            }
            Err(_cannot_be_copied) if self.cursor.earlier.is_none() => {
                let (BranchId(index), playhead) = (self.path[depth], self.playhead);
                let head = self.branches[index].head_mut();
                head.pass_to(playhead)?;
                head.apply(command)?;
            }
            Err(unable) => return Err(unable),
        }
        self.goal = None;
        self.playhead = self.simulation().now();
        if self.playback == Playback::Idle {
            self.playback = Playback::Paused;
        }
        Ok(())
    }

    /// Applies an act, as scenario files say it, at the moment that is shown; on roles as they are then.
    ///
    /// # Errors
    /// If it says something wrong, or this simulation takes no commands: the message.
    pub(crate) fn act(&mut self, act: &str) -> Result<(), String> {
        let entries =
            self.read_line(&format!("(at: \"0s\", do: {act})")).map_err(|error| error.to_string())?;
        let mut statuses = Vec::new();
        self.simulation().statuses(&mut statuses);
        let domains = domains(&self.configured);
        let mut who = |target: &Target| target.resolve(&statuses, &domains, 0);
        let commands: Vec<Command> =
            entries.iter().flat_map(|entry| entry.command.resolve(&mut who)).collect();
        for command in commands {
            self.apply(command).map_err(|unable| unable.to_string())?;
        }
        Ok(())
    }

    /// Runs another plan in the place of the present one, from the start to the time that is shown: a branch of its own.
    /// `text` says what was edited.
    pub(crate) fn replan(&mut self, plan: &Plan, text: String) {
        let run = assemble_recording(&self.configured, &self.table, self.seed, Some(plan), Traced::On);
        let origin = Origin { parent: self.tip(), deed: Deed::Plan(text) };
        let samples = Samples::new(self.end());
        self.branches.push(Branch::new(run, Some(origin), &samples));
        self.go_over(BranchId(self.branches.len() - 1));
    }

    /// Goes back to before the last act by hand on the path; what came of it stays a branch.
    pub(crate) fn undo(&mut self) {
        let tip = self.branch_at(self.path.len() - 1);
        let (events, began) = (tip.first, tip.began);
        match tip.origin.as_ref() {
            None => {}
            Some(Origin { parent, deed: Deed::Plan(_) }) => self.go_over(*parent),
            Some(Origin { deed: Deed::Command(_), .. }) => {
                self.path.pop();
                self.show(self.path.len() - 1, Moment::Events(events));
                self.playhead = self.playhead.max(began);
            }
        }
    }

    /// Does what was undone last at this place again.
    pub(crate) fn redo(&mut self) {
        let Some(id) = self.undone() else { return };
        let branch = &self.branches[id.0];
        if branch.origin.as_ref().is_some_and(|origin| origin.deed.command().is_some()) {
            let first = branch.first;
            self.path.push(id);
            self.show(self.path.len() - 1, Moment::Events(first));
        } else {
            self.go_over(id);
        }
    }

    /// Shows a branch at the time that is shown now.
    fn go_over(&mut self, id: BranchId) {
        let time = self.playhead;
        self.path = self.ancestry(id);
        self.cursor = Cursor { depth: self.path.len() - 1, earlier: None };
        self.seek_time(time);
    }

    /// Whether there is something that `undo` would take back.
    pub(crate) fn can_undo(&self) -> bool {
        self.branch_at(self.path.len() - 1).origin.is_some()
    }

    /// The branch that `redo` would go to.
    pub(crate) fn undone(&self) -> Option<BranchId> {
        let tip = *self.path.last()?;
        let is_child = |branch: &Branch| branch.origin.as_ref().is_some_and(|origin| origin.parent == tip);
        let index = self.branches.iter().rposition(is_child)?;
        Some(BranchId(index))
    }

    /// Goes over to a branch, as far as it was computed.
    pub(crate) fn go_to(&mut self, id: BranchId) {
        self.path = self.ancestry(id);
        let depth = self.path.len() - 1;
        self.show(depth, Moment::Events(self.branch_at(depth).head().events()));
    }

    /// All branches, in the order in which they began.
    pub(crate) fn branches(&self) -> Vec<BranchInfo> {
        let info = |(index, branch): (usize, &Branch)| BranchInfo {
            id: BranchId(index),
            parent: branch.origin.as_ref().map(|origin| origin.parent),
            act: branch.origin.as_ref().map(|origin| origin.deed.to_string()).unwrap_or_default(),
            began: branch.began,
            events: branch.head().events(),
            violations: branch.head().violations().len(),
            is_on_path: self.path.contains(&BranchId(index)),
        };
        self.branches.iter().enumerate().map(info).collect()
    }

    /// How often something was done by hand, on all branches.
    pub(crate) fn deeds(&self) -> usize {
        self.branches.len() - 1
    }

    /// What was done by hand on the path to what is shown, in order: when, and what.
    #[cfg(test)]
    pub(crate) fn acts(&self) -> Vec<(SimTime, Command)> {
        let shown = self.path[..=self.cursor.depth].iter().map(|id| &self.branches[id.0]);
        let act = |branch: &Branch| branch.origin.as_ref()?.deed.command().cloned();
        shown.filter_map(|branch| Some((branch.began, act(branch)?))).collect()
    }

    /// A capsule of the present path, as a file: what was done by hand is part of its plan, and the run goes on from there
    /// to its end without a person in it. `command` is what somebody who finds the file should type.
    pub(crate) fn capsule(&self, command: &str) -> String {
        Capsule::of(&self.loaded, &self.to_the_end()).to_text(&self.loaded, command)
    }

    /// The same as a scenario, whose first line says how to run it: `command`.
    ///
    /// # Errors
    /// If scenario files cannot say what was done.
    pub(crate) fn scenario_file(&self, command: &str) -> Result<String, Unwritable> {
        let heading = format!("What was done by hand to `{}`. To see it: {command}", self.name());
        by_hand::scenario_text(&self.loaded, &self.table, &self.to_the_end(), &heading)
    }

    /// The present path to its end, without a person in it from here on.
    fn to_the_end(&self) -> Report {
        let options = RunOptions { replay: Some(self.run().plan().clone()), ..RunOptions::PLAIN };
        scenarios::run(&self.loaded, &self.table, self.seed, &options).report
    }

    /// A line of the plan as text that can be edited; `None` for what files have no word for.
    pub(crate) fn line(&self, entry: &Entry) -> Option<String> {
        by_hand::line(entry, &self.configured)
    }

    /// What a line of a plan says that somebody wrote.
    ///
    /// # Errors
    /// If it says something wrong.
    pub(crate) fn read_line(&self, text: &str) -> Result<Vec<Entry>, Diagnostic> {
        by_hand::read_line(text, &self.loaded, self.run().plan(), &self.table)
    }
}
