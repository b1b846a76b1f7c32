//! The state of a replica for people.

use sim_core::view::{Cell, Strip, Table, ViewBuilder, ViewRequest};

use super::Vrr;
use super::status::{Backup, Primary, Recovering, Status, Step, Transitioning, ViewChange};
use super::types::Request;
use crate::replicated::{Command, Index};

impl Vrr {
    /// Everything the paper's Figure 2 names, in its order, and what this implementation adds.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.group("replica", |view| {
            view.text("status", self.status_name());
            view.number("epoch-number", u64::from(self.epoch().0));
            view.text("configuration", self.group().members);
            view.number("view-number", self.view.number);
            view.text("last normal view", self.last_normal);
            view.number("op-number", self.log.op_number().0);
            view.number("commit-number", self.log.commit_number().0);
            view.text("crash vector", &self.crash_vector);
        });
        view.strip("log", self.strip(request));
        view.group("state machine", |view| {
            view.number("executed", self.machine.applied().0);
            view.number("registers", self.machine.register_count());
            view.number("clients in the client table", self.machine.session_count());
            view.text("chain", self.machine.chain());
        });
        match &self.status {
            Status::Standby => {}
            Status::Primary(primary) => self.show_primary(primary, view, request),
            Status::Backup(backup) => self.show_backup(backup, view),
            Status::ViewChange(change) => self.show_view_change(change, view, request),
            Status::Recovering(recovering) => self.show_recovering(recovering, view, request),
            Status::Transitioning(transition) => self.show_transition(transition, view, request),
        }
    }

    fn strip(&self, request: &ViewRequest) -> Strip {
        let available = self.log.base().next().0..self.log.op_number().0 + 1;
        let cells = request.window(available.clone()).filter_map(|index| {
            let entry = self.log.entry_at(Index(index))?;
            Some(Cell { index, epoch: entry.view.rank(), label: label(&entry.request) })
        });
        let marks = vec![
            ("compacted", self.log.base().0),
            ("commit", self.log.commit_number().0),
            ("executed", self.machine.applied().0),
        ];
        Strip { available, cells: cells.collect(), marks }
    }

    fn show_primary(&self, primary: &Primary, view: &mut ViewBuilder, request: &ViewRequest) {
        let members = self.group().members.iter().zip(&primary.progress);
        let rows = members.filter(|(member, _)| *member != self.node).map(|(member, progress)| {
            let in_flight = progress.sent.since(progress.acknowledged);
            let numbers = [progress.acknowledged.0, progress.sent.0, in_flight, progress.round.0];
            std::iter::once(member.to_string()).chain(numbers.map(|number| number.to_string())).collect()
        });
        let columns = vec!["backup", "acknowledged", "sent", "in flight", "round"];
        view.group("primary", |view| {
            view.number("log that the view began with", primary.inherited.0);
            view.number("round", primary.round.0);
            view.number("requests to answer", primary.pending.len() as u64);
            view.number("reads to answer", primary.reads.len() as u64);
            view.table("backups", Table::of_rows(columns, request, rows));
        });
    }

    fn show_backup(&self, backup: &Backup, view: &mut ViewBuilder) {
        view.group("backup", |view| {
            view.text("primary", self.group().primary(self.view));
            view.number("messages that came too early", backup.early.len() as u64);
        });
    }

    fn show_view_change(&self, change: &ViewChange, view: &mut ViewBuilder, request: &ViewRequest) {
        let rows = self.group().members.iter().enumerate().map(|(slot, member)| {
            let wants = if change.wanted_by[slot].is_some() { "yes" } else { "" };
            let offer = change.offers[slot].as_ref();
            let offer =
                offer.map_or_else(String::new, |offer| format!("{} up to {}", offer.last_normal, offer.op));
            vec![member.to_string(), wants.to_owned(), offer]
        });
        let columns = vec!["member", "wants this view", "has"];
        view.group("view change", |view| {
            view.text("next primary", self.group().primary(self.view));
            view.table("members", Table::of_rows(columns, request, rows));
        });
    }

    fn show_recovering(&self, recovering: &Recovering, view: &mut ViewBuilder, request: &ViewRequest) {
        let answer = |slot: usize| match &recovering.step {
            Step::Incarnation(answered) if answered[slot] => "knows lives".to_owned(),
            Step::Incarnation(_) => String::new(),
            Step::State(responses) => match &responses[slot] {
                None => String::new(),
                Some(response) if response.state.is_some() => format!("{}, as its primary", response.view),
                Some(response) => response.view.to_string(),
            },
        };
        let rows = self.group().members.iter().enumerate();
        let rows = rows.map(|(slot, member)| vec![member.to_string(), answer(slot)]);
        view.group("recovery", |view| {
            view.text("nonce", recovering.nonce);
            view.table("answers", Table::of_rows(vec!["member", "answer"], request, rows));
        });
    }

    fn show_transition(&self, transition: &Transitioning, view: &mut ViewBuilder, request: &ViewRequest) {
        let name = |is: bool, text: &str| if is { text.to_owned() } else { String::new() };
        let rows = self.start.everybody().iter().map(|node| {
            let (is_old, is_new) = (self.start.old.contains(node), self.group().members.contains(node));
            let has_started = name(transition.started.contains(node), "started");
            vec![node.to_string(), name(is_old, "old"), name(is_new, "new"), has_started]
        });
        view.group("transition", |view| {
            view.number("op-number of the reconfiguration", self.start.op.0);
            view.text("has the state up to there", if self.has_start_state() { "yes" } else { "no" });
            view.number("known to have left the old epoch", self.start.departures.count() as u64);
            let columns = vec!["node", "was a member", "is a member", "epoch"];
            view.table("both groups", Table::of_rows(columns, request, rows));
        });
    }
}

fn label(request: &Request) -> String {
    match request {
        Request::Execute(Command::Noop) => "noop".to_owned(),
        Request::Execute(Command::Client { operation, .. }) => operation.to_string(),
        Request::Reconfigure(members) => format!("group {members}"),
    }
}
