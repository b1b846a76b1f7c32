//! The state of a node for people.

use sim_core::view::{Table, ViewBuilder, ViewRequest};

use super::TwoPhaseCommit;
use super::coordinator::{self, Coordinator};
use super::participant::{self, Participant};
use super::types::in_words;

impl coordinator::Stage {
    /// In a word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Pausing => "pausing",
            Self::Reading => "reading",
            Self::Voting => "voting",
            Self::Committing => "committing",
        }
    }
}

impl participant::Stage {
    /// In a word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Voting => "voting",
            Self::InDoubt => "in doubt",
            Self::Ending(_) => "ending",
        }
    }
}

impl TwoPhaseCommit {
    /// What the role of the node has to show.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        match self {
            Self::Coordinator(coordinator) => show_coordinator(coordinator, view, request),
            Self::Participant(participant) => show_participant(participant, view, request),
        }
    }
}

fn show_coordinator(coordinator: &Coordinator, view: &mut ViewBuilder, request: &ViewRequest) {
    view.number("epoch", coordinator.epoch());
    view.number("committed in it", coordinator.committed());
    let works = coordinator.works();
    let columns = vec!["transaction", "for", "attempt", "stage", "waits for"];
    let work = |(txn, work): (&super::Txn, &coordinator::Work)| {
        let waits_for = names(work.waits_for.iter());
        vec![
            txn.to_string(),
            work.op.to_string(),
            work.attempt.to_string(),
            work.stage.word().to_owned(),
            waits_for,
        ]
    };
    view.table("not decided", Table::of_items(columns, request, works.len() as u64, works.iter(), work));
    let telling = coordinator.telling();
    let columns = vec!["transaction", "decision", "not acknowledged by"];
    let tell = |(txn, telling): (&super::Txn, &coordinator::Telling)| {
        vec![txn.to_string(), telling.decision.to_string(), names(telling.waits_for.iter())]
    };
    view.table(
        "not acknowledged",
        Table::of_items(columns, request, telling.len() as u64, telling.iter(), tell),
    );
}

fn show_participant(participant: &Participant, view: &mut ViewBuilder, request: &ViewRequest) {
    let accounts = participant.accounts().all();
    let columns = vec!["account", "balance", "taken by"];
    let account = |(number, account): (&u32, &super::accounts::Account)| {
        let taken_by = account.taken_by.map_or_else(|| "nobody".to_owned(), |txn| txn.to_string());
        vec![format!("a{number}"), account.balance.to_string(), taken_by]
    };
    view.table(
        "accounts",
        Table::of_items(columns, request, accounts.len() as u64, accounts.iter(), account),
    );
    let holds = participant.accounts().holds();
    let columns = vec!["transaction", "hold"];
    let hold = |(txn, hold): (&super::Txn, &super::types::Hold)| vec![txn.to_string(), hold.to_string()];
    view.table("held for reads", Table::of_items(columns, request, holds.len() as u64, holds.iter(), hold));
    let doubts = participant.doubts();
    let columns = vec!["transaction", "stage", "changes", "inquiries"];
    let doubt = |(txn, doubt): (&super::Txn, &participant::Doubt)| {
        let stage = doubt.stage.word().to_owned();
        vec![txn.to_string(), stage, in_words(&doubt.changes), doubt.inquiries.to_string()]
    };
    view.table("not settled", Table::of_items(columns, request, doubts.len() as u64, doubts.iter(), doubt));
    view.number("settled", participant.settled().len());
}

fn names<'a>(nodes: impl Iterator<Item = &'a sim_core::NodeId>) -> String {
    let names: Vec<String> = nodes.map(ToString::to_string).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(" ") }
}
