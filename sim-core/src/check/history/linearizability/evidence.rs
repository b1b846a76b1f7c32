//! What shows that a history is not linearizable, as data and as text.

use std::fmt;

use serde::Serialize;

use super::part::Part;
use super::search::{Scratch, Search};
use crate::OpId;
use crate::check::history::recorded::Record;
use crate::check::history::spec::Spec;
use crate::check::history::text::write_operations;
use crate::history::HistoryOperation;
use crate::service::Outcome;

/// Why a history is not linearizable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The object, where there are several: a key.
    pub part: Option<String>,
    /// How many operations on it happened or may have.
    pub operation_count: u64,
    /// The longest legal prefix that was found: operations in an order in which they can have taken effect.
    pub prefix: Vec<OpId>,
    /// The state after the prefix.
    pub state: String,
    /// What could be next after the prefix, as far as time goes, and cannot, as far as the state goes.
    pub stuck: Vec<HistoryOperation>,
    /// A sub-history that is illegal, too.
    pub minimal: Vec<HistoryOperation>,
    /// Whether nothing more can be left out of it; otherwise the steps ran out before.
    pub is_minimal: bool,
}

/// Gathers all of it. `small` is a part that is illegal, too, and whether it is minimal.
pub(super) fn gather<S: Spec>(
    spec: &S,
    record: &Record<'_>,
    part: &Part<S::Call>,
    deepest: usize,
    (small, is_minimal): (Part<S::Call>, bool),
    scratch: &mut Scratch,
) -> Evidence {
    let owned = |operation: u32| record.operations[operation as usize].owned();
    let search = Search::new(spec, &part.calls, &part.ends, scratch);
    let (state, order, window) = search.run_to(deepest);
    let prefix = order.iter().map(|call| record.operations[part.operations[*call as usize] as usize].op);
    let prefix = prefix.collect();
    let stuck = window.iter().map(|call| owned(part.operations[*call as usize])).collect();
    let mut has_returned = vec![false; small.calls.len()];
    small.ends.iter().filter(|end| end.is_return).for_each(|end| has_returned[end.call as usize] = true);
    let minimal = small.calls.iter().zip(&small.operations).zip(has_returned);
    let minimal = minimal.map(|((call, operation), has_returned)| {
        let mut operation = owned(*operation);
        if has_returned {
            operation.outcome = spec.shown(call).unwrap_or(operation.outcome);
        } else {
            (operation.outcome, operation.completed) = (Outcome::Unknown, None);
        }
        operation
    });
    Evidence {
        part: spec.part_name(part.key),
        operation_count: part.calls.len() as u64,
        prefix,
        state: spec.describe(&state),
        stuck,
        minimal: minimal.collect(),
        is_minimal,
    }
}

fn operations(count: u64) -> String {
    if count == 1 { "1 operation".to_owned() } else { format!("{count} operations") }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.part.as_ref().map_or_else(String::new, |part| format!(" on {part}"));
        writeln!(
            f,
            "no order of the {}{of} is legal. After the longest legal prefix ({}, then {}) none of these can be next:",
            operations(self.operation_count),
            operations(self.prefix.len() as u64),
            self.state,
        )?;
        write_operations(f, &self.stuck)?;
        let small = if self.is_minimal { "Smallest part" } else { "Small part" };
        writeln!(f, "{small} that is illegal by itself ({}):", operations(self.minimal.len() as u64))?;
        write_operations(f, &self.minimal)
    }
}
