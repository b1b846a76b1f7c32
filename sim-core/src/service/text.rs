//! Operations and outcomes as people read them: one short line each, the same in traces, reports and pictures.

use std::fmt;

use super::{Admin, Operation, Outcome, Refusal};

/// `write k1=7`, `enqueue 4`, `txn [append k1 5, read k2]`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo(value) => write!(f, "echo {value}"),
            Self::UniqueId => f.write_str("unique-id"),
            Self::Broadcast(operation) => operation.fmt(f),
            Self::Counter(operation) => operation.fmt(f),
            Self::Set(operation) => operation.fmt(f),
            Self::Members => f.write_str("members"),
            Self::Kv(operation) => operation.fmt(f),
            Self::Queue(operation) => operation.fmt(f),
            Self::Log(operation) => operation.fmt(f),
            Self::Lock(operation) => operation.fmt(f),
            Self::Transfer(operation) => operation.fmt(f),
            Self::Txn(steps) => {
                f.write_str("txn ")?;
                write_list(f, steps.iter())
            }
            Self::Admin(admin) => admin.fmt(f),
        }
    }
}

/// `add-node n2`, `snapshot`.
impl fmt::Display for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddNode(node) => write!(f, "add-node {node}"),
            Self::RemoveNode(node) => write!(f, "remove-node {node}"),
            Self::AddLearner(node) => write!(f, "add-learner {node}"),
            Self::AddNodes(first, second) => write!(f, "add-nodes {first} {second}"),
            Self::ReplaceNode { remove, add } => write!(f, "replace-node {remove} by {add}"),
            Self::LeaveJoint => f.write_str("leave-joint"),
            Self::TransferLeadership(node) => write!(f, "transfer-leadership {node}"),
            Self::ForgetLeader => f.write_str("forget-leader"),
            Self::Snapshot => f.write_str("snapshot"),
        }
    }
}

/// `done`, `value 7`, `none`, `redirect n2`, `refused: overloaded`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Rejected => f.write_str("rejected"),
            Self::Value(Some(value)) => write!(f, "value {value}"),
            Self::Value(None) => f.write_str("none"),
            Self::Values(values) => {
                f.write_str("values ")?;
                write_list(f, values.iter())
            }
            Self::Ticket(ticket) => write!(f, "ticket {ticket}"),
            Self::Received { receipt, value, delivery } => {
                write!(f, "received {value} receipt={receipt} delivery={delivery}")
            }
            Self::Txn(results) => {
                f.write_str("txn ")?;
                write_list(f, results.iter())
            }
            Self::Members(members) => {
                f.write_str("members ")?;
                write_list(f, members.iter())
            }
            Self::Records(records) => {
                f.write_str("records ")?;
                write_list(f, records.iter().map(|(offset, value)| format!("{value}@{offset}")))
            }
            Self::Redirect(Some(node)) => write!(f, "redirect {node}"),
            Self::Redirect(None) => f.write_str("redirect anybody"),
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// `not found`, `session expired`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "unsupported",
            Self::Overloaded => "overloaded",
            Self::NotFound => "not found",
            Self::Fenced => "fenced",
            Self::Aborted => "aborted",
            Self::Unavailable => "unavailable",
            Self::SessionExpired => "session expired",
        })
    }
}

/// `[1, 2]`
pub(super) fn write_list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: impl Iterator<Item = T>,
) -> fmt::Result {
    f.write_str("[")?;
    for (index, item) in items.enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{item}")?;
    }
    f.write_str("]")
}

#[cfg(test)]
mod tests {
    use crate::NodeId;
    use crate::service::{
        Admin, Key, Operation, Outcome, Refusal, broadcast, counter, kv, lock, log, queue, set, transfer, txn,
    };

    #[test]
    fn an_operation_is_a_short_line() {
        let steps = [txn::Step::Append(Key(1), 5), txn::Step::Read(Key(2))];
        let cases = [
            (Operation::Echo(5), "echo 5"),
            (Operation::UniqueId, "unique-id"),
            (Operation::Broadcast(broadcast::Operation::Send(5)), "send 5"),
            (Operation::Counter(counter::Operation::Add(-5)), "add -5"),
            (Operation::Set(set::Operation::Read), "read"),
            (Operation::Members, "members"),
            (Operation::Kv(kv::Operation::Write(Key(1), 7)), "write k1=7"),
            (
                Operation::Kv(kv::Operation::CompareAndSet { key: Key(1), expected: 7, value: 9 }),
                "cas k1 7->9",
            ),
            (Operation::Queue(queue::Operation::Enqueue(4)), "enqueue 4"),
            (Operation::Queue(queue::Operation::Acknowledge { receipt: 4 }), "acknowledge 4"),
            (Operation::Queue(queue::Operation::Return { receipt: 4 }), "return 4"),
            (Operation::Queue(queue::Operation::Redrive), "redrive"),
            (Operation::Log(log::Operation::Append { partition: 0, value: 4 }), "append p0 4"),
            (Operation::Log(log::Operation::Poll { partition: 0, offset: 4 }), "poll p0@4"),
            (Operation::Log(log::Operation::Results { partition: 0, offset: 4 }), "results p0@4"),
            (Operation::Lock(lock::Operation::Release { token: 4 }), "release 4"),
            (Operation::Transfer(transfer::Operation::Move { from: 1, to: 2, amount: 5 }), "move a1->a2 5"),
            (Operation::Txn(steps.into()), "txn [append k1 5, read k2]"),
            (Operation::Admin(Admin::AddNode(NodeId::new(1))), "add-node n2"),
            (
                Operation::Admin(Admin::ReplaceNode { remove: NodeId::new(0), add: NodeId::new(3) }),
                "replace-node n1 by n4",
            ),
        ];
        for (operation, text) in cases {
            assert_eq!(operation.to_string(), text);
        }
    }

    #[test]
    fn an_outcome_is_a_short_line() {
        let results = [txn::StepOutcome::Appended, txn::StepOutcome::List([1, 2].into())];
        let cases = [
            (Outcome::Done, "done"),
            (Outcome::Rejected, "rejected"),
            (Outcome::Value(Some(7)), "value 7"),
            (Outcome::Value(None), "none"),
            (Outcome::Values([1, 2].into()), "values [1, 2]"),
            (Outcome::Ticket(4), "ticket 4"),
            (Outcome::Received { receipt: 3, value: 7, delivery: 1 }, "received 7 receipt=3 delivery=1"),
            (Outcome::Txn(results.into()), "txn [appended, [1, 2]]"),
            (Outcome::Members([NodeId::new(0)].into()), "members [n1]"),
            (Outcome::Records([(3, 7), (5, 8)].into()), "records [7@3, 8@5]"),
            (Outcome::Redirect(Some(NodeId::new(1))), "redirect n2"),
            (Outcome::Redirect(None), "redirect anybody"),
            (Outcome::Refused(Refusal::Overloaded), "refused: overloaded"),
            (Outcome::Unknown, "unknown"),
        ];
        for (outcome, text) in cases {
            assert_eq!(outcome.to_string(), text);
        }
    }
}
