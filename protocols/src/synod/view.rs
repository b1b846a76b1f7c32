//! The state of a node for people.

use sim_core::view::{Table, ViewBuilder, ViewRequest};

use super::Synod;
use super::proposer::Stage;
use crate::replicated::NodeSet;

impl Stage {
    /// The stage in a word, for status and view.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Preparing { .. } => "preparing",
            Self::Accepting { .. } => "accepting",
            Self::Pausing => "pausing",
        }
    }
}

impl Synod {
    /// The three roles of the node, with what each of them knows.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.group("acceptor", |view| {
            view.text("promised", self.acceptor.promised());
            view.text(
                "accepted",
                self.acceptor.accepted().map_or_else(|| "nothing".to_owned(), |vote| vote.to_string()),
            );
            view.number("acts waiting for the disk", self.outbox.len() as u64);
        });
        view.group("proposer", |view| self.show_proposer(view));
        view.group("learner", |view| {
            view.text(
                "chosen",
                self.chosen().map_or_else(|| "unknown".to_owned(), |proposal| proposal.to_string()),
            );
            view.table("votes", self.votes(request));
        });
    }

    fn show_proposer(&self, view: &mut ViewBuilder) {
        view.text("stage", self.proposer.stage.name());
        view.number("last round used", self.round);
        view.number("clients to answer", self.proposer.waiting_count() as u64);
        match self.proposer.stage {
            Stage::Preparing { ballot, promises } => {
                view.text("ballot", ballot);
                view.text("promises from", names(promises.from));
                let adopted = promises.adopted.map_or_else(|| "nothing".to_owned(), |vote| vote.to_string());
                view.text("to adopt", adopted);
            }
            Stage::Accepting { vote } => {
                view.text("proposed", vote);
            }
            Stage::Idle | Stage::Pausing => {}
        }
    }

    /// Who has accepted what, ballot by ballot: the ladder of pre-emptions.
    fn votes(&self, request: &ViewRequest) -> Table {
        let rows = self
            .learner
            .votes()
            .map(|(ballot, proposal, set)| vec![ballot.to_string(), proposal.to_string(), names(set)]);
        Table::of_rows(vec!["ballot", "proposal", "accepted by"], request, rows)
    }
}

fn names(nodes: NodeSet) -> String {
    if nodes.is_empty() { "nobody".to_owned() } else { nodes.to_string() }
}
