//! The state of a node for people.

use sim_core::view::{Cell, Strip, Table, ViewBuilder, ViewRequest};

use super::Raft;
use super::replication::{Mode, Progress};
use super::role::{Ballot, Candidate, Follower, Leader, Role};
use crate::replicated::{Command, Index};

impl Raft {
    /// Everything the paper's Figure 2 names, in its order, and what this implementation adds.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.group("persistent", |view| {
            view.number("current term", self.hard.term.0);
            view.text(
                "voted for",
                self.hard.vote.map_or_else(|| "nobody".to_owned(), |node| node.to_string()),
            );
        });
        view.strip("log", self.strip(request));
        view.group("volatile", |view| {
            view.number("commit index", self.log.commit().0);
            view.number("last applied", self.machine.applied().0);
            view.number("acts waiting for the disk", self.outbox.len() as u64);
        });
        view.group("state machine", |view| {
            view.number("registers", self.machine.register_count());
            view.number("sessions", self.machine.session_count());
            view.text("chain", self.machine.chain());
        });
        match &self.role {
            Role::Follower(follower) => show_follower(follower, view),
            Role::Candidate(candidate) => self.show_candidate(candidate, view, request),
            Role::Leader(leader) => self.show_leader(leader, view, request),
        }
    }

    fn strip(&self, request: &ViewRequest) -> Strip {
        let available = 1..self.log.last_index().0 + 1;
        let window = request.window(available.clone());
        let cells = window.filter_map(|index| {
            let entry = self.log.entry_at(Index(index))?;
            Some(Cell { index, epoch: entry.term.0, label: label(&entry.command) })
        });
        let marks = vec![
            ("commit", self.log.commit().0),
            ("applied", self.machine.applied().0),
            ("durable", self.log.durable().0),
        ];
        Strip { available, cells: cells.collect(), marks }
    }

    fn show_candidate(&self, candidate: &Candidate, view: &mut ViewBuilder, request: &ViewRequest) {
        let rows = self.config.members.iter().zip(&candidate.ballots).map(|(member, ballot)| {
            let ballot = match ballot {
                Ballot::Open => "open",
                Ballot::Granted => "granted",
                Ballot::Denied => "denied",
            };
            vec![member.to_string(), ballot.to_owned()]
        });
        let columns = vec!["member", "vote"];
        view.group("candidate", |view| {
            view.table("votes", table(columns, rows.collect(), request));
        });
    }

    fn show_leader(&self, leader: &Leader, view: &mut ViewBuilder, request: &ViewRequest) {
        let followers =
            self.config.members.iter().zip(&leader.progress).filter(|(member, _)| **member != self.node);
        let rows = followers.map(|(member, progress)| progress_row(member.to_string(), progress));
        let columns = vec!["follower", "next", "match", "in flight", "mode", "round"];
        view.group("leader", |view| {
            view.number("first entry of its term", leader.noop.0);
            view.number("round of heartbeats", leader.round.0);
            view.number("commands to answer", leader.pending.len() as u64);
            view.number("reads to answer", leader.reads.len() as u64);
            view.table("progress", table(columns, rows.collect(), request));
        });
    }
}

fn show_follower(follower: &Follower, view: &mut ViewBuilder) {
    view.group("follower", |view| {
        view.text(
            "leader",
            follower.leader.map_or_else(|| "unknown".to_owned(), |leader| leader.to_string()),
        );
    });
}

fn progress_row(member: String, progress: &Progress) -> Vec<String> {
    let in_flight = progress.next_index.previous().since(progress.match_index);
    let mode = match progress.mode {
        Mode::Probe => "probe",
        Mode::ProbeSent => "probe sent",
        Mode::Stream => "stream",
    };
    vec![
        member,
        progress.next_index.to_string(),
        progress.match_index.to_string(),
        in_flight.to_string(),
        mode.to_owned(),
        progress.round.0.to_string(),
    ]
}

fn label(command: &Command) -> String {
    match command {
        Command::Noop => "noop".to_owned(),
        Command::Client { operation, .. } => operation.to_string(),
    }
}

/// A table of few rows, cut to the rows asked for.
fn table(columns: Vec<&'static str>, rows: Vec<Vec<String>>, request: &ViewRequest) -> Table {
    let available = 0..rows.len() as u64;
    let window = request.window(available.clone());
    let rows = (0_u64..).zip(rows).filter(|(row, _)| window.contains(row)).map(|(_, texts)| texts);
    Table { columns, available, rows: rows.collect() }
}
