//! The state of a replica for people.

use sim_core::view::{Table, ViewBuilder, ViewRequest};

use super::Crdt;
use super::data::Data;
use super::types::{Dot, GCounter, Join};

impl Crdt {
    /// What it holds, what waits for the disk, and who has acknowledged how much.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.number("changes", self.changes);
        view.number("waiting for the disk", self.commit.len() as u64);
        view.number("deltas kept", self.deltas.len() as u64);
        view.table("state", Table::of_rows(columns(&self.state), request, held(&self.state)));
        let known = self.acknowledged.iter().map(|(node, upto)| vec![node.to_string(), upto.to_string()]);
        view.table("acknowledged", Table::of_rows(vec!["by", "changes"], request, known));
    }
}

fn columns(data: &Data) -> Vec<&'static str> {
    match data {
        Data::GCounter(_) => vec!["replica", "added"],
        Data::PnCounter(_) => vec!["replica", "added", "taken away"],
        Data::GSet(_) => vec!["value"],
        Data::OrMap(_) => vec!["key", "value", "put at", "as its"],
    }
}

fn held(data: &Data) -> Vec<Vec<String>> {
    match data {
        Data::GCounter(counter) => {
            counter.counts().map(|(replica, count)| vec![replica.to_string(), count.to_string()]).collect()
        }
        Data::PnCounter(counter) => {
            let mut both = GCounter::default();
            for side in [&counter.up, &counter.down] {
                both.join(side);
            }
            let row = |(replica, _): (sim_core::NodeId, u64)| {
                vec![
                    replica.to_string(),
                    counter.up.of(replica).to_string(),
                    counter.down.of(replica).to_string(),
                ]
            };
            both.counts().map(row).collect()
        }
        Data::GSet(set) => set.elements().map(|value| vec![value.to_string()]).collect(),
        Data::OrMap(map) => {
            let row = |(key, dot, value): (&sim_core::service::Key, Dot, &u64)| {
                vec![key.to_string(), value.to_string(), dot.replica.to_string(), dot.count.to_string()]
            };
            map.values().map(row).collect()
        }
    }
}
