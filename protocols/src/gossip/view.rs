//! The state of a site for people.

use sim_core::view::{Table, ViewBuilder, ViewRequest};

use super::Gossip;
use super::rumor::{Held, Stage};

impl Stage {
    /// The paper's word.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Infective => "infective",
            Self::Removed => "removed",
        }
    }
}

impl Gossip {
    /// What it calls and is called, and what it has to do with each rumor. It is susceptible to those that are not there.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let (made, taken) = self.call_counts();
        let count = |stage| self.rumors().iter().filter(|held| held.stage == stage).count() as u64;
        view.number("infective", count(Stage::Infective));
        view.number("removed", count(Stage::Removed));
        view.number("k", self.config.interest.k().into());
        view.text("cycles begin after", self.phase);
        view.number("calls made in the cycle of the last", made.into());
        view.number("calls taken in the cycle of the last", taken.into());
        let columns = vec!["rumor", "stage", "counter", "heard at", "after cycles"];
        view.table(
            "rumors",
            Table::of_items(columns, request, self.rumors().len() as u64, self.rumors(), row),
        );
    }
}

fn row(held: &Held) -> Vec<String> {
    let Held { value, stage, counter, .. } = held;
    let stage = stage.name().to_owned();
    vec![value.to_string(), stage, counter.to_string(), held.heard().to_string(), held.age().to_string()]
}
