//! How much smaller a run has become.

use std::fmt;

use scenarios::shrink::Size;
use sim_core::SimTime;

use crate::table::{Align, Table, grouped};

/// A run before and after it was shrunk.
pub(crate) struct Sizes {
    pub(crate) before: Size,
    pub(crate) after: Size,
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, after } = self;
        let mut table = Table::new([Align::Left, Align::Right, Align::Right]);
        table.row(["", "before", "after"]);
        for (name, before, after) in [
            ("faults", before.faults, after.faults),
            ("operations", before.operations, after.operations),
            ("clients", before.clients.into(), after.clients.into()),
            ("nodes", before.nodes.into(), after.nodes.into()),
            ("events", before.events, after.events),
        ] {
            table.row([name.to_owned(), grouped(before), grouped(after)]);
        }
        let time = |nanos| SimTime::from_nanos(nanos).to_string();
        table.row(["simulated".to_owned(), time(before.simulated_ns), time(after.simulated_ns)]);
        table.fmt(f)
    }
}
