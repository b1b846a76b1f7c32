//! The state of a node for people.

use sim_core::view::{Table, ViewBuilder, ViewRequest};

use super::Echo;

impl Echo {
    /// What waits, and for how many peers it has been sent to.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let rows = self
            .pending
            .iter()
            .map(|(op, pending)| vec![op.to_string(), pending.value.to_string(), pending.asked.to_string()]);
        view.table("pending", Table::of_rows(vec!["operation", "value", "asked"], request, rows));
    }
}
