//! The state of a node for people.

use sim_core::view::{Cell, Strip, Table, ViewBuilder, ViewRequest};

use sim_core::NodeId;

use super::Replica;
use super::host::Application;
use super::membership::Membership;
use super::progress::{Mode, Progress};
use super::role::{Ballots, Follower, LeaderOf, Role};
use super::types::Payload;
use crate::replicated::{Agreeable, Index};

impl<A: Application> Replica<A> {
    /// Everything the paper's Figure 2 names, in its order, and what this implementation adds.
    pub fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.group("persistent", |view| {
            view.number("current term", self.hard.term.0);
            view.text(
                "voted for",
                self.hard.vote.map_or_else(|| "nobody".to_owned(), |node| node.to_string()),
            );
        });
        view.strip("log", self.strip(request));
        view.group("members", |view| self.show_members(view));
        view.group("volatile", |view| {
            view.number("commit index", self.log.commit().0);
            view.number("last applied", self.machine.applied().0);
            view.number("flushes under way", self.outbox.flushes_under_way() as u64);
            view.number("acts waiting for the disk", self.outbox.len() as u64);
        });
        view.group("snapshot", |view| self.show_snapshot(view));
        view.group("state machine", |view| {
            self.machine.show(view);
            view.text("chain", self.machine.chain());
        });
        match &self.role {
            Role::Follower(follower) => self.show_follower(follower, view),
            Role::PreCandidate(ballots) => self.show_ballots("pre-candidate", *ballots, view, request),
            Role::Candidate(ballots) => self.show_ballots("candidate", *ballots, view, request),
            Role::Leader(leader) => self.show_leader(leader, view, request),
        }
    }

    fn show_members(&self, view: &mut ViewBuilder) {
        let Membership { voters, outgoing, learners, demoted, .. } = self.members;
        view.text("voters", voters);
        if self.members.is_joint() {
            view.text("old voters, joint", outgoing);
        }
        if !learners.union(demoted).is_empty() {
            view.text("learners", learners.union(demoted));
        }
        view.number("since entry", self.members_index.0);
        let is_committed = self.members_index <= self.log.commit();
        view.text("committed", if is_committed { "yes" } else { "not yet" });
    }

    fn show_snapshot(&self, view: &mut ViewBuilder) {
        view.number("last included index", self.snapshot.meta.index.0);
        view.number("last included term", self.snapshot.meta.term.0);
        view.number("items", self.snapshot.items.len() as u64);
        let doing = match (&self.taking, &self.incoming) {
            (Some(taking), _) => format!("taking one up to {}", taking.meta.index),
            (None, Some(incoming)) => incoming.to_string(),
            (None, None) => "nothing".to_owned(),
        };
        view.text("under way", doing);
    }

    fn strip(&self, request: &ViewRequest) -> Strip {
        let available = self.log.base().0 + 1..self.log.last_index().0 + 1;
        let window = request.window(available.clone());
        let cells = window.filter_map(|index| {
            let entry = self.log.entry_at(Index(index))?;
            Some(Cell { index, epoch: entry.term.0, label: label(&entry.payload) })
        });
        let mut marks = vec![
            ("commit", self.log.commit().0),
            ("applied", self.machine.applied().0),
            ("durable", self.log.durable().0),
        ];
        if self.snapshot.meta.index > Index::ZERO {
            marks.push(("snapshot", self.snapshot.meta.index.0));
        }
        Strip { available, cells: cells.collect(), marks }
    }

    fn show_follower(&self, follower: &Follower<A::Query>, view: &mut ViewBuilder) {
        view.group("follower", |view| {
            view.text("leader", shown(follower.leader));
            if let Some(heard) = self.heard {
                view.text("leader heard at, by the own clock", heard);
            }
            view.number("reads to answer", follower.forwarded.len() as u64);
        });
    }

    fn show_ballots(&self, role: &str, ballots: Ballots, view: &mut ViewBuilder, request: &ViewRequest) {
        let voters = self.members.voters.union(self.members.outgoing);
        let rows = voters.iter().map(|voter| {
            let ballot = match (ballots.granted.contains(voter), ballots.denied.contains(voter)) {
                (true, _) => "granted",
                (false, true) => "denied",
                (false, false) => "open",
            };
            vec![voter.to_string(), ballot.to_owned()]
        });
        let columns = vec!["member", "vote"];
        view.group(role, |view| {
            view.table("votes", Table::of_rows(columns, request, rows));
        });
    }

    fn show_leader(&self, leader: &LeaderOf<A>, view: &mut ViewBuilder, request: &ViewRequest) {
        let rows = self.peers(leader).iter().map(|node| {
            let chunk = leader.shipments.get(&node).map(|shipment| shipment.offset);
            progress_row(node, &leader.progress[node.index()], chunk)
        });
        let columns = vec!["follower", "next", "match", "in flight", "messages", "mode", "round", "silent"];
        view.group("leader", |view| {
            view.number("first entry of its term", leader.noop.0);
            view.number("round of heartbeats", leader.round.0);
            view.number("commands to answer", leader.pending.len() as u64);
            view.number("reads to answer", leader.reads.len() as u64);
            if let Some(until) = leader.lease.until() {
                view.text("lease until, by the own clock", until);
            }
            if let Some(handover) = leader.handover {
                view.text("hands over to", handover.target);
            }
            if let Some(catch_up) = leader.catch_up {
                view.text("catching up", format!("{}, round {}", catch_up.nodes, catch_up.round));
            }
            view.table("progress", Table::of_rows(columns, request, rows));
        });
    }
}

fn shown(node: Option<NodeId>) -> String {
    node.map_or_else(|| "unknown".to_owned(), |node| node.to_string())
}

fn progress_row(node: NodeId, progress: &Progress, chunk: Option<u64>) -> Vec<String> {
    let mode = match progress.mode {
        Mode::Probe => "probe".to_owned(),
        Mode::ProbeSent => "probe sent".to_owned(),
        Mode::Stream => "stream".to_owned(),
        Mode::Snapshot(index) => format!("snapshot up to {index}, at item {}", chunk.unwrap_or(0)),
    };
    vec![
        node.to_string(),
        progress.next_index.to_string(),
        progress.match_index.to_string(),
        progress.entries_in_flight().to_string(),
        progress.messages_in_flight().to_string(),
        mode,
        progress.round.0.to_string(),
        progress.silent_heartbeats().to_string(),
    ]
}

fn label<C: Agreeable>(payload: &Payload<C>) -> String {
    match payload {
        Payload::Command(command) => command.label(),
        Payload::Members(members) => format!("members {members}"),
    }
}
