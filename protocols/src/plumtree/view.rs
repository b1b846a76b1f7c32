//! The state of a node for people.

use sim_core::NodeId;
use sim_core::view::{Link, Table, ViewBuilder, ViewRequest, Weight};

use super::link::{Neighbour, Push};
use super::{Plumtree, known::Held};

impl Push {
    /// The paper's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eager => "eager",
            Self::Lazy => "lazy",
        }
    }
}

impl Plumtree {
    /// Its links in the tree and out of it, whom it knows besides, and what it has and waits for.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.links("links", self.neighbours().iter().map(link));
        view.text("lost", list(self.views.lost.iter().copied()));
        view.text("asked to be neighbours", list(self.asked.iter().map(|ask| ask.peer)));
        view.number("values", self.known.count());
        let rows = self.neighbours().iter().map(|neighbour| self.neighbour_row(neighbour));
        view.table(
            "neighbours",
            Table::of_rows(vec!["node", "push", "heard at", "suspect from", "link"], request, rows),
        );
        let rows = self.passive().iter().map(|node| vec![node.to_string()]);
        view.table("passive view", Table::of_rows(vec!["node"], request, rows));
        let rows = self.missing().map(|(value, announcers)| missing_row(value, announcers));
        view.table("missing", Table::of_rows(vec!["value", "announced by"], request, rows));
        self.show_values(view, request);
    }

    fn neighbour_row(&self, neighbour: &Neighbour) -> Vec<String> {
        vec![
            neighbour.node.to_string(),
            neighbour.push.name().to_owned(),
            neighbour.detector.heard().to_string(),
            neighbour.detector.deadline(&self.config.detector).to_string(),
            format!("{:08x}", neighbour.link.0),
        ]
    }

    fn show_values(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let columns = vec!["value", "from", "hops"];
        let row = |(value, held)| value_row(value, held);
        view.table("values", Table::of_items(columns, request, self.known.count(), self.values(), row));
    }
}

/// The tree is what is eager at both ends.
fn link(neighbour: &Neighbour) -> Link {
    let weight = match neighbour.push {
        Push::Eager => Weight::Strong,
        Push::Lazy => Weight::Weak,
    };
    Link { to: neighbour.node, kind: neighbour.push.name(), weight }
}

fn value_row(value: u64, held: Held) -> Vec<String> {
    let from = held.from.map_or_else(|| "a client".to_owned(), |from| from.to_string());
    vec![value.to_string(), from, held.round.to_string()]
}

fn missing_row(value: u64, announcers: &[(NodeId, u32)]) -> Vec<String> {
    vec![value.to_string(), list(announcers.iter().map(|(node, _)| *node))]
}

fn list(nodes: impl Iterator<Item = NodeId>) -> String {
    let texts: Vec<String> = nodes.map(|node| node.to_string()).collect();
    if texts.is_empty() { "nobody".to_owned() } else { texts.join(", ") }
}
