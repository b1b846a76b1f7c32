//! Membership: what clients can know of a list of members.
//!
//! Who runs, and who is cut off from whom, is in no history, so whether a member is listed rightly is for invariants.
//! Two things a client does know:
//!
//! - [`Integrity`]: a list names each member once, in order, and at least the one that was asked: it lists itself.
//! - [`Departures`]: who was told to leave, and nobody ever to join, is in no list that was asked for
//!   [`GONE_WITHIN`] later or more.
//!
//! Both take a step a member of a list.

use std::collections::{BTreeMap, BTreeSet};

use super::recorded::{Record, Recorded};
use super::text::Line;
use crate::check::{About, Answer, HistoryChecker};
use crate::history::History;
use crate::service::{Admin, Operation, Outcome};
use crate::{NodeId, SimTime, Span};

/// How long after it left a member must be in no list.
pub const GONE_WITHIN: Span = Span::secs(30);

/// A list names each member once, in order, and somebody.
#[derive(Clone, Copy, Debug)]
pub struct Integrity;

/// Who has left is in no list, some time later.
#[derive(Clone, Copy, Debug)]
pub struct Departures;

impl HistoryChecker for Integrity {
    fn about(&self) -> &'static About {
        &About {
            name: "membership-integrity",
            statement: "A list of members names each once, in rising order, and at least one: the node that was asked.",
            source: "the meaning of the service `membership`",
            leaves_out: "who is in it: that depends on faults and time, of which clients know nothing",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        judge(history, budget, |list, members| {
            let is_rising = members.is_sorted_by(|earlier, later| earlier < later);
            let problem = match members {
                [] => "empty: the node that was asked is a member itself",
                _ if !is_rising => "unordered, or one member is twice",
                _ => return None,
            };
            Some(format!("{problem}\n  {}", Line(&list.owned())))
        })
    }
}

impl HistoryChecker for Departures {
    fn about(&self) -> &'static About {
        &About {
            name: "membership-departures",
            statement: "A member that was made to leave, and that nobody has asked to join, is in no list that was asked \
                        for thirty seconds later or more.",
            source: "SWIM (DSN 2002) §2: who leaves is removed from the lists of all",
            leaves_out: "members that anybody asked to join at any time, and faults that last longer: scenarios say \
                         which checkers they want",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let gone = gone(&Record::new(history));
        judge(history, budget, |list, members| {
            let mut listed = members.iter().filter_map(|member| Some((member, gone.get(member)?)));
            let (member, since) = listed.find(|(_, since)| **since + GONE_WITHIN <= list.invoked)?;
            let line = Line(&list.owned()).to_string();
            Some(format!("{member} is listed, and had left by {since}\n  {line}"))
        })
    }
}

/// Looks at all lists that were answered, in order of invocation.
fn judge(
    history: &History,
    budget: u64,
    wrong: impl Fn(&Recorded<'_>, &[NodeId]) -> Option<String>,
) -> Answer {
    let record = Record::new(history);
    let mut steps = 0;
    for list in &record.operations {
        let Outcome::Members(members) = list.outcome else { continue };
        steps += members.len() as u64;
        if steps > budget {
            return Answer::Inconclusive(format!("more than {budget} members of lists to look at"));
        }
        if let Some(problem) = wrong(list, members) {
            return Answer::Violation(problem);
        }
    }
    Answer::Pass
}

/// Since when those are gone who were told to leave, and whom nobody has ever told to join.
fn gone(record: &Record<'_>) -> BTreeMap<NodeId, SimTime> {
    let (mut gone, mut joining) = (BTreeMap::new(), BTreeSet::new());
    for operation in &record.operations {
        let Operation::Admin(admin) = operation.operation else { continue };
        match admin {
            Admin::RemoveNode(node) if *operation.outcome == Outcome::Done => {
                let at = operation.completed.expect("it was answered");
                let since = gone.entry(*node).or_insert(at);
                *since = at.min(*since);
            }
            Admin::AddNode(node) | Admin::ReplaceNode { add: node, .. } => joining.extend([*node]),
            Admin::AddNodes(one, other) => joining.extend([*one, *other]),
            Admin::RemoveNode(_)
            | Admin::AddLearner(_)
            | Admin::LeaveJoint
            | Admin::TransferLeadership(_)
            | Admin::ForgetLeader
            | Admin::Snapshot => {}
        }
    }
    gone.retain(|node, _| !joining.contains(node));
    gone
}

#[cfg(test)]
mod tests {
    use super::super::testing::{by_hand, history_of};
    use super::*;
    use crate::check::history::DEFAULT_BUDGET;
    use crate::history::HistoryOperation;

    fn node(number: u32) -> NodeId {
        NodeId::new(number - 1)
    }

    /// A list that was asked for and got at this second.
    fn list(second: u64, members: &[u32]) -> HistoryOperation {
        let members = members.iter().copied().map(node).collect();
        by_hand(1, second * 1_000, second * 1_000 + 1, Operation::Members, Outcome::Members(members))
    }

    fn ask(second: u64, admin: Admin, outcome: Outcome) -> HistoryOperation {
        by_hand(2, second * 1_000, second * 1_000 + 500, Operation::Admin(admin), outcome)
    }

    fn passes(checker: &dyn HistoryChecker, operations: &[HistoryOperation]) -> bool {
        match checker.check(&history_of(operations), DEFAULT_BUDGET) {
            Answer::Pass => true,
            Answer::Violation(_) => false,
            Answer::Inconclusive(why) => panic!("{why}"),
        }
    }

    #[test]
    fn a_list_names_each_member_once_in_order_and_somebody() {
        assert!(passes(&Integrity, &[list(1, &[1, 2, 5]), list(2, &[3])]));
        for wrong in [&[][..], &[2, 1], &[1, 1]] {
            assert!(!passes(&Integrity, &[list(1, &[1]), list(2, wrong)]), "{wrong:?}");
        }
    }

    #[test]
    fn who_was_made_to_leave_is_in_no_list_half_a_minute_later() {
        let leaves = || ask(1, Admin::RemoveNode(node(2)), Outcome::Done);
        assert!(passes(&Departures, &[leaves(), list(31, &[1, 2]), list(32, &[1])]), "not yet");
        assert!(!passes(&Departures, &[leaves(), list(32, &[1, 2])]));
        assert!(passes(&Departures, &[list(40, &[1, 2])]), "nobody has left");
    }

    #[test]
    fn of_who_may_have_stayed_or_come_back_nothing_is_known() {
        let leaves = |outcome| ask(1, Admin::RemoveNode(node(2)), outcome);
        for outcome in [Outcome::Unknown, Outcome::Refused(crate::service::Refusal::Unavailable)] {
            assert!(passes(&Departures, &[leaves(outcome), list(60, &[1, 2])]));
        }
        let joins = ask(5, Admin::AddNode(node(2)), Outcome::Unknown);
        assert!(passes(&Departures, &[leaves(Outcome::Done), joins, list(60, &[1, 2])]));
    }

    #[test]
    fn more_than_the_budget_is_inconclusive() {
        let history = history_of(&[list(1, &[1, 2]), list(2, &[1, 2])]);
        assert!(matches!(Integrity.check(&history, 3), Answer::Inconclusive(_)));
        assert_eq!(Integrity.check(&history, 4), Answer::Pass);
        assert!(matches!(Departures.check(&history, 3), Answer::Inconclusive(_)));
    }
}
