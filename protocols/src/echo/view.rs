//! The state of a node for people.

use sim_core::view::{Table, ViewBuilder, ViewRequest};

use super::Echo;

impl Echo {
    /// What waits, and for how many peers it has been sent to.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let available = 0..self.pending.len() as u64;
        let window = request.window(available.clone());
        let rows =
            (0_u64..).zip(&self.pending).filter(|(row, _)| window.contains(row)).map(|(_, (op, pending))| {
                vec![op.to_string(), pending.value.to_string(), pending.asked.to_string()]
            });
        view.table(
            "pending",
            Table { columns: vec!["operation", "value", "asked"], available, rows: rows.collect() },
        );
    }
}
