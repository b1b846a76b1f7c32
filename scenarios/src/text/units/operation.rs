//! What a client asks, as text: `"kv write k1=7"`.

use std::fmt;
use std::str::FromStr;

use sim_core::NodeId;
use sim_core::service::{
    Admin, Key, Operation, Service, Value, broadcast, counter, kv, lock, log, queue, set, transfer, txn,
};

use super::text_form::text_form;
use super::{NodeName, UnitError};

/// An operation: the name of the service, and what is asked of it as reports print it.
///
/// | service | operations |
/// | --- | --- |
/// | `kv` | `kv read k1`, `kv write k1=7`, `kv cas k1 7->9`, `kv delete k1` |
/// | `counter` | `counter add -5`, `counter read` |
/// | `set` | `set add 7`, `set read` |
/// | `broadcast` | `broadcast send 7`, `broadcast read` |
/// | `queue` | `queue enqueue 7`, `queue dequeue`, `queue acknowledge 3`, `queue return 3`, `queue redrive` |
/// | `log` | `log append p0 7`, `log poll p0@3`, `log commit p0@3`, `log committed p0`, `log results p0@3` |
/// | `lock` | `lock acquire`, `lock release 3` |
/// | `transfer` | `transfer move a1->a2 5`, `transfer balances` |
/// | `txn` | `txn [append k1 5, read k2]` |
/// | `echo`, `unique-ids`, `membership` | `echo 7`, `unique-id`, `members` |
/// | administration | `add-node n2`, `remove-node n2`, `add-learner n2`, `add-nodes n2 n3`, `replace-node n1 by n2`, `leave-joint`, `transfer-leadership n2`, `forget-leader`, `snapshot` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked(pub Operation);

impl FromStr for Asked {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        operation(text).map(Self).ok_or_else(|| {
            let problem = format!("`{text}` is nothing that a client can ask");
            let allowed = "a service and what is asked of it, such as `kv write k1=7`, `kv read k1`, `queue dequeue`, `echo 5`";
            UnitError::new(problem, allowed, "kv write k1=7")
        })
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.service() {
            None | Some(Service::Echo | Service::UniqueIds | Service::Membership | Service::Txn) => {
                self.0.fmt(f)
            }
            Some(service) => write!(f, "{service} {}", self.0),
        }
    }
}

text_form!(
    Asked,
    "what a client asks: a service and an operation",
    r"^[a-z-]+( .+)?$",
    ["kv write k1=7", "kv cas k1 7->9", "queue dequeue"]
);

fn operation(text: &str) -> Option<Operation> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    Some(match word {
        "echo" => Operation::Echo(number(rest)?),
        "unique-id" if rest.is_empty() => Operation::UniqueId,
        "members" if rest.is_empty() => Operation::Members,
        "broadcast" => Operation::Broadcast(ask_broadcast(rest)?),
        "counter" => Operation::Counter(ask_counter(rest)?),
        "set" => Operation::Set(ask_set(rest)?),
        "kv" => Operation::Kv(ask_kv(rest)?),
        "queue" => Operation::Queue(ask_queue(rest)?),
        "log" => Operation::Log(ask_log(rest)?),
        "lock" => Operation::Lock(ask_lock(rest)?),
        "transfer" => Operation::Transfer(ask_transfer(rest)?),
        "txn" => Operation::Txn(steps(rest)?.into()),
        _ => Operation::Admin(admin(word, rest)?),
    })
}

fn ask_broadcast(text: &str) -> Option<broadcast::Operation> {
    Some(match words(text)[..] {
        ["send", value] => broadcast::Operation::Send(number(value)?),
        ["read"] => broadcast::Operation::Read,
        _ => return None,
    })
}

fn ask_counter(text: &str) -> Option<counter::Operation> {
    Some(match words(text)[..] {
        ["add", amount] => counter::Operation::Add(signed(amount)?),
        ["read"] => counter::Operation::Read,
        _ => return None,
    })
}

fn ask_set(text: &str) -> Option<set::Operation> {
    Some(match words(text)[..] {
        ["add", value] => set::Operation::Add(number(value)?),
        ["read"] => set::Operation::Read,
        _ => return None,
    })
}

fn ask_kv(text: &str) -> Option<kv::Operation> {
    Some(match words(text)[..] {
        ["read", name] => kv::Operation::Read(key(name)?),
        ["write", pair] => {
            let (name, value) = pair.split_once('=')?;
            kv::Operation::Write(key(name)?, number(value)?)
        }
        ["cas", name, change] => {
            let (expected, value) = change.split_once("->")?;
            kv::Operation::CompareAndSet {
                key: key(name)?,
                expected: number(expected)?,
                value: number(value)?,
            }
        }
        ["delete", name] => kv::Operation::Delete(key(name)?),
        _ => return None,
    })
}

fn ask_queue(text: &str) -> Option<queue::Operation> {
    Some(match words(text)[..] {
        ["enqueue", value] => queue::Operation::Enqueue(number(value)?),
        ["dequeue"] => queue::Operation::Dequeue,
        ["acknowledge", receipt] => queue::Operation::Acknowledge { receipt: number(receipt)? },
        ["return", receipt] => queue::Operation::Return { receipt: number(receipt)? },
        ["redrive"] => queue::Operation::Redrive,
        _ => return None,
    })
}

fn ask_log(text: &str) -> Option<log::Operation> {
    let at = |place: &str| {
        let (partition, offset) = place.split_once('@')?;
        Some((small(partition, 'p')?, number(offset)?))
    };
    Some(match words(text)[..] {
        ["append", partition, value] => {
            log::Operation::Append { partition: small(partition, 'p')?, value: number(value)? }
        }
        ["poll", place] => {
            let (partition, offset) = at(place)?;
            log::Operation::Poll { partition, offset }
        }
        ["commit", place] => {
            let (partition, offset) = at(place)?;
            log::Operation::Commit { partition, offset }
        }
        ["results", place] => {
            let (partition, offset) = at(place)?;
            log::Operation::Results { partition, offset }
        }
        ["committed", partition] => log::Operation::Committed { partition: small(partition, 'p')? },
        _ => return None,
    })
}

fn ask_lock(text: &str) -> Option<lock::Operation> {
    Some(match words(text)[..] {
        ["acquire"] => lock::Operation::Acquire,
        ["release", token] => lock::Operation::Release { token: number(token)? },
        _ => return None,
    })
}

fn ask_transfer(text: &str) -> Option<transfer::Operation> {
    Some(match words(text)[..] {
        ["move", way, amount] => {
            let (from, to) = way.split_once("->")?;
            let (from, to) = (small(from, 'a')?, small(to, 'a')?);
            transfer::Operation::Move { from, to, amount: number(amount)? }
        }
        ["balances"] => transfer::Operation::Balances,
        _ => return None,
    })
}

fn steps(text: &str) -> Option<Vec<txn::Step>> {
    let list = text.strip_prefix('[')?.strip_suffix(']')?;
    list.split(',').map(str::trim).filter(|_| !list.trim().is_empty()).map(step).collect()
}

fn step(text: &str) -> Option<txn::Step> {
    Some(match words(text)[..] {
        ["append", name, value] => txn::Step::Append(key(name)?, number(value)?),
        ["read", name] => txn::Step::Read(key(name)?),
        _ => return None,
    })
}

fn admin(word: &str, rest: &str) -> Option<Admin> {
    Some(match (word, &words(rest)[..]) {
        ("add-node", [name]) => Admin::AddNode(node(name)?),
        ("remove-node", [name]) => Admin::RemoveNode(node(name)?),
        ("add-learner", [name]) => Admin::AddLearner(node(name)?),
        ("add-nodes", [one, other]) => Admin::AddNodes(node(one)?, node(other)?),
        ("replace-node", [remove, "by", add]) => {
            Admin::ReplaceNode { remove: node(remove)?, add: node(add)? }
        }
        ("leave-joint", []) => Admin::LeaveJoint,
        ("transfer-leadership", [name]) => Admin::TransferLeadership(node(name)?),
        ("forget-leader", []) => Admin::ForgetLeader,
        ("snapshot", []) => Admin::Snapshot,
        _ => return None,
    })
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Digits only: the sign that `u64` would accept is refused.
fn number(text: &str) -> Option<Value> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn signed(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    text.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A number behind a letter: `p0`, `a1`.
fn small(text: &str, letter: char) -> Option<u32> {
    u32::try_from(number(text.strip_prefix(letter)?)?).ok()
}

fn key(text: &str) -> Option<Key> {
    small(text, 'k').map(Key)
}

fn node(text: &str) -> Option<NodeId> {
    text.parse::<NodeName>().ok().map(NodeName::id)
}
