//! What several protocols object to in their parameters, in the same words.

use std::fmt::Display;

use protocols::replicated::{MembersError, QuorumsError};
use sim_core::Span;

use crate::validate::Objection;

/// The parameter `name` is wrong.
pub(super) fn parameter(name: &str, error: &impl Display) -> Objection {
    Objection::new(&format!("protocol.{name}"), error.to_string())
}

/// The nodes that are no spares cannot be the members.
pub(super) fn members(error: &MembersError) -> Objection {
    let (path, hint) = match error {
        MembersError::None => ("spares", "leave at least one node that is no spare"),
        MembersError::TooMany(_) | MembersError::NotAscending { .. } => {
            ("nodes", "fewer nodes, or some of them as `spares`")
        }
        MembersError::OutOfReach(_) => ("nodes", "list later nodes as `spares`; they send clients elsewhere"),
    };
    Objection::new(path, error.to_string()).hint(hint)
}

/// Quorums don't fit the members, or those of the two phases don't meet.
pub(super) fn quorums(error: &QuorumsError) -> Objection {
    let hint = match error {
        QuorumsError::Size { .. } => "more than half in both phases is `Majority`",
        QuorumsError::Grid { .. } => "rows times columns are the nodes that are no spares",
        QuorumsError::Weights { .. } => "one weight for each node that is no spare, in their order",
        QuorumsError::NoIntersection { .. } => {
            "larger quorums, or the mutant `disjoint-quorums` to see what happens"
        }
    };
    parameter("quorums", error).hint(hint)
}

/// Election timeouts have nothing to be drawn from.
pub(super) fn empty_election_timeout(low: Span, error: &impl Display) -> Objection {
    let twice = low + low.max(Span::millis(1));
    parameter("election_timeout", error).hint(format!("write a range such as `\"{low}..{twice}\"`"))
}

/// The heartbeat interval is not shorter than the shortest timeout, `low`.
pub(super) fn heartbeat_too_long(low: Span, error: &impl Display) -> Objection {
    let third = Span::nanos(low.as_nanos() / 3);
    parameter("heartbeat", error).hint(format!("such as `\"{third}\"`"))
}
