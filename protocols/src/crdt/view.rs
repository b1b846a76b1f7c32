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
        let rows = |rows: Vec<Vec<String>>| -> (std::ops::Range<u64>, Vec<Vec<String>>) {
            let available = 0..rows.len() as u64;
            let window = request.window(available.clone());
            let shown = (0_u64..).zip(rows).filter(|(row, _)| window.contains(row));
            (available, shown.map(|(_, row)| row).collect())
        };
        let (available, shown) = rows(held(&self.state));
        view.table("state", Table { columns: columns(&self.state), available, rows: shown });
        let known = self.acknowledged.iter().map(|(node, upto)| vec![node.to_string(), upto.to_string()]);
        let (available, shown) = rows(known.collect());
        view.table("acknowledged", Table { columns: vec!["by", "changes"], available, rows: shown });
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
