//! The state of a node for people.

use sim_core::view::{Cell, Strip, Table, ViewBuilder, ViewRequest};

use super::Paxos;
use super::role::{Candidate, Follower, Leader, Role};
use crate::replicated::{Index, NodeSet};

impl Paxos {
    /// Acceptor, replica, and what the node's role adds.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.group("acceptor", |view| {
            view.text("promised", self.promised);
            view.text("takes part", self.part());
            view.text("acceptors of the next slot", self.membership.at(self.log.last().next()));
            view.text("acceptors after all changes", self.membership.latest());
            view.number("acts waiting for the disk", self.outbox.len() as u64);
        });
        view.strip("slots", self.strip(request));
        view.group("replica", |view| {
            view.number("decided up to", self.log.last().0);
            view.number("executed up to", self.machine.applied().0);
            view.number("snapshot up to", self.snapshot.as_ref().map_or(0, |snapshot| snapshot.slot.0));
            view.number("registers", self.machine.register_count());
            view.number("sessions", self.machine.session_count());
            view.text("chain", self.machine.chain());
        });
        match &self.role {
            Role::Follower(follower) => show_follower(follower, view),
            Role::Candidate(candidate) => show_candidate(candidate, view),
            Role::Leader(leader) => show_leader(leader, view, request),
        }
    }

    /// Whether it votes.
    fn part(&self) -> String {
        let next = self.log.last().next();
        if self.is_non_voting() {
            "non-voting, because it has lost its disk".to_owned()
        } else if !self.is_acceptor_at(next) {
            format!("readmitted, and non-voting up to slot {}", self.membership.waits_until())
        } else if self.membership.at(next).contains(self.node) {
            "voting".to_owned()
        } else {
            "learning only".to_owned()
        }
    }

    fn strip(&self, request: &ViewRequest) -> Strip {
        let available = self.log.base().0 + 1..self.log.end().0 + 1;
        let cells = request.window(available.clone()).filter_map(|slot| {
            let index = Index(slot);
            if let Some(proposal) = self.log.decided_at(index) {
                return Some(Cell { index: slot, epoch: 0, label: proposal.to_string() });
            }
            let (ballot, proposal) = self.log.accepted_at(index)?;
            Some(Cell { index: slot, epoch: ballot.round, label: format!("{proposal} ({ballot})") })
        });
        let marks = vec![
            ("decided", self.log.last().0),
            ("executed", self.machine.applied().0),
            ("durable", self.log.durable().0),
        ];
        Strip { available, cells: cells.collect(), marks }
    }
}

fn show_follower(follower: &Follower, view: &mut ViewBuilder) {
    view.group("follower", |view| {
        let leader = follower.leader.map_or_else(|| "unknown".to_owned(), |leader| leader.to_string());
        view.text("leader", leader);
    });
}

fn show_candidate(candidate: &Candidate, view: &mut ViewBuilder) {
    view.group("candidate", |view| {
        view.text("ballot", candidate.ballot);
        view.number("asks about slots from", candidate.preparation.first.0);
        view.text("promised by", names(candidate.preparation.promised_by.nodes()));
        view.number("decided somewhere up to", candidate.preparation.decided.0.0);
    });
}

fn show_leader(leader: &Leader, view: &mut ViewBuilder, request: &ViewRequest) {
    view.group("leader", |view| {
        view.text("ballot", leader.ballot);
        view.text("promised by", names(leader.preparation.promised_by.nodes()));
        view.number("knows all after slot", leader.barrier.0);
        view.number("round of heartbeats", leader.round.0);
        if let Some(until) = leader.lease_until {
            view.text("lease until, by the own clock", until);
        }
        view.number("proposals waiting for a slot", leader.queue.len() as u64);
        view.number("reads to answer", leader.reads.len() as u64);
        view.table("commanders", commanders(leader, request));
    });
}

fn commanders(leader: &Leader, request: &ViewRequest) -> Table {
    let commanders = &leader.commanders;
    let columns = vec!["slot", "proposal", "accepted by"];
    Table::of_items(
        columns,
        request,
        commanders.len() as u64,
        (0_u64..).zip(commanders),
        |(place, commander)| {
            let slot = leader.base.plus(place);
            vec![slot.to_string(), commander.proposal.to_string(), names(commander.accepted_by)]
        },
    )
}

fn names(nodes: NodeSet) -> String {
    if nodes.is_empty() { "nobody".to_owned() } else { nodes.to_string() }
}
