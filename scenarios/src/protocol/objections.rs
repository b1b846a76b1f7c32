//! What several protocols object to in their parameters, in the same words.

use std::fmt::Display;

use protocols::replicated::{MembersError, QuorumsError};
use sim_core::Span;

use crate::validate::Objection;

/// The parameter `name` is wrong.
pub(super) fn parameter(
    name: &str,
    error: &impl Display,
    allowed: impl Into<String>,
    hint: impl Into<String>,
) -> Objection {
    Objection::new(&format!("protocol.{name}"), error.to_string(), allowed, hint)
}

/// Too few nodes for a protocol that needs two.
pub(super) fn too_few_nodes(error: &impl Display, hint: &str) -> Objection {
    Objection::new("nodes", error.to_string(), "two nodes and more that are no spares", hint)
}

/// So many nodes have a role of their own, and leave none for others.
pub(super) fn none_left(error: &impl Display, taken: u32, hint: &str) -> Objection {
    Objection::new("nodes", error.to_string(), format!("more than {taken} that are no spares"), hint)
}

/// What to do where nodes are alike.
pub(super) const MORE_NODES: &str = "more nodes, or fewer of them as `spares`";

/// A time, `name`, is 0.
pub(super) fn no_time(name: &str, error: &impl Display) -> Objection {
    parameter(
        name,
        error,
        "more than `0s`",
        "leave it out for the usual time, or write one such as `\"50ms\"`",
    )
}

/// A limit, `name`, is 0.
pub(super) fn no_limit(name: &str, error: &impl Display) -> Objection {
    parameter(name, error, "1 and more", "leave it out for the default")
}

/// A range, `name`, ends before it begins.
pub(super) fn reversed(name: &str, error: &impl Display) -> Objection {
    parameter(name, error, "a range with the shorter time first", "write a range such as `\"100ms..300ms\"`")
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
    Objection::new(path, error.to_string(), "members that the protocol can have", hint)
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
    let allowed = "quorums of the members, of which each of phase 1 meets each of phase 2";
    parameter("quorums", error, allowed, hint)
}

/// Election timeouts have nothing to be drawn from.
pub(super) fn empty_election_timeout(low: Span, error: &impl Display) -> Objection {
    let twice = low + low.max(Span::millis(1));
    let allowed = "a range of times, the shorter first";
    parameter("election_timeout", error, allowed, format!("write a range such as `\"{low}..{twice}\"`"))
}

/// The heartbeat interval is not shorter than the shortest timeout, `low`.
pub(super) fn heartbeat_too_long(low: Span, error: &impl Display) -> Objection {
    let third = Span::nanos(low.as_nanos() / 3);
    parameter("heartbeat", error, format!("times below `{low}`"), format!("such as `\"{third}\"`"))
}
