//! The state of a site for people.

use sim_core::view::{Table, ViewBuilder, ViewRequest};

use super::Epidemic;
use super::item::Item;

impl Epidemic {
    /// Checksums, then each item of the database, then what sleeps.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let database = &self.database;
        view.number("items", database.len());
        view.number("death certificates", database.certificate_count() as u64);
        view.number("dormant certificates", self.dormant.len() as u64);
        view.text("checksum", format!("{:016x}", database.root()));
        view.text("last stamp", self.last_stamp);
        view.number("acts waiting for the disk", self.commit.len() as u64);
        let items = Table::of_items(COLUMNS.to_vec(), request, database.len(), database.items(), row);
        view.table("database", items);
        view.table("dormant", Table::of_rows(COLUMNS.to_vec(), request, self.dormant.values().map(row)));
    }
}

const COLUMNS: [&str; 5] = ["key", "value", "written", "activated", "kept from"];

fn row(item: &Item) -> Vec<String> {
    let Item { key, value, version, retention } = item;
    let value = value.map_or_else(|| "deleted".to_owned(), |value| value.to_string());
    let kept = if item.is_certificate() { retention.to_string() } else { "everywhere".to_owned() };
    vec![key.to_string(), value, version.written.to_string(), version.activated.to_string(), kept]
}
