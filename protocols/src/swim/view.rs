//! The state of a node for people.

use sim_core::NodeId;
use sim_core::view::{Table as Rows, ViewBuilder, ViewRequest};

use super::Membership;
use super::member::{Belief, Update};

impl Membership {
    /// How it stands, what it waits for, what it has to pass on, and what it believes of each member.
    pub fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.text("standing", self.standing.name());
        view.text("incarnation", self.incarnation);
        view.number("members present", self.table.present_count().into());
        view.number("health multiplier", u64::from(self.health) + 1);
        view.text("periods begin after", self.phase);
        view.number("places passed in this round of probes", self.round.passed().into());
        let (probe, relays) = self.probes();
        view.text(
            "waits for an answer of",
            probe.map_or_else(|| "nobody".to_owned(), |node| node.to_string()),
        );
        let relays: Vec<String> = relays.map(|(target, origin)| format!("{target} for {origin}")).collect();
        view.text(
            "pings for others",
            if relays.is_empty() { "nobody".to_owned() } else { relays.join(", ") },
        );
        self.show_queue(view, request);
        self.show_members(view, request);
    }

    fn show_members(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let available = 0..u64::from(self.table.known_count());
        let window = request.window(available.clone());
        let rows = (0_u64..).zip(self.table.known()).filter(|(row, _)| window.contains(row));
        let rows = rows.map(|(_, (member, belief))| self.row(member, belief)).collect();
        let columns = vec!["member", "state", "incarnation", "suspect until", "shared by", "gone since"];
        view.table("members", Rows { columns, available, rows });
    }

    fn row(&self, member: NodeId, belief: Belief) -> Vec<String> {
        let suspicion = self.suspicion(member);
        let or_nothing = |text: Option<String>| text.unwrap_or_default();
        vec![
            member.to_string(),
            belief.state.name().to_owned(),
            belief.incarnation.to_string(),
            or_nothing(suspicion.map(|suspicion| suspicion.end().to_string())),
            or_nothing(suspicion.map(|suspicion| suspicion.confirmed_count().to_string())),
            or_nothing(self.gone.get(&member).map(ToString::to_string)),
        ]
    }

    fn show_queue(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let all: Vec<(u32, Update)> = self.queue.iter().collect();
        let available = 0..all.len() as u64;
        let window = request.window(available.clone());
        let rows = (0_u64..).zip(all).filter(|(row, _)| window.contains(row));
        let rows = rows.map(|(_, (sent, update))| vec![update.to_string(), sent.to_string()]).collect();
        view.table("updates to pass on", Rows { columns: vec!["update", "sent"], available, rows });
    }
}

impl Membership {
    /// Whether a suspicion of this member will come to its end.
    pub(super) fn is_suspected(&self, member: NodeId) -> bool {
        self.suspicion(member).is_some()
    }

    /// The updates that it passes on, with how often each was sent.
    pub(super) fn passed_on(&self) -> impl Iterator<Item = (u32, Update)> {
        self.queue.iter()
    }
}
