//! What the log is for: registers under keys, and sessions that make a retried command take effect once (§8).

use serde::{Serialize, Serializer};
use sim_core::persist::PersistentMap;
use sim_core::service::{Key, Outcome, Value, kv};
use sim_core::{ClientId, OpId};

use super::facts::{Fact, Witness};
use super::types::{Chain, Command, Entry, Index};

/// Operations of one client that a session can tell apart: how many a client may have open at a time.
const WINDOW: u32 = u64::BITS;

/// What a client's commands came to, for those among the client's last 64 operations.
///
/// Bit b of a map stands for the operation `newest - b`. A command's outcome is one of two, so a bit holds it.
/// Reads take ordinals too, and leave their bits at 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Session {
    newest: u32,
    applied: u64,
    rejected: u64,
}

/// What is known of an operation that arrives, perhaps for the second time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// It was not executed.
    Unknown,
    /// It was, and this came of it.
    Executed(Outcome),
    /// It is so old that the client has long given up on it; it is not executed any more.
    TooOld,
}

impl Session {
    fn recall(&self, ordinal: u32) -> Memory {
        let Some(age) = self.newest.checked_sub(ordinal) else { return Memory::Unknown };
        if age >= WINDOW {
            return Memory::TooOld;
        }
        match (self.applied >> age & 1, self.rejected >> age & 1) {
            (0, _) => Memory::Unknown,
            (_, 0) => Memory::Executed(Outcome::Done),
            (_, _) => Memory::Executed(Outcome::Rejected),
        }
    }

    fn remember(&mut self, ordinal: u32, outcome: &Outcome) {
        let shift = ordinal.saturating_sub(self.newest);
        self.applied = self.applied.checked_shl(shift).unwrap_or(0);
        self.rejected = self.rejected.checked_shl(shift).unwrap_or(0);
        self.newest = self.newest.max(ordinal);
        let bit = 1 << (self.newest - ordinal);
        self.applied |= bit;
        if *outcome == Outcome::Rejected {
            self.rejected |= bit;
        }
    }
}

/// The replicated state machine of one node. It is a function of the entries it was given, and knows their chain.
#[derive(Clone, Default)]
pub struct StateMachine {
    registers: PersistentMap<Key, Value>,
    sessions: PersistentMap<ClientId, Session>,
    applied: Index,
    chain: Chain,
}

impl StateMachine {
    /// Executes the next entry, and returns what to answer its client, if it has one that still waits.
    pub fn apply(&mut self, entry: &Entry, witness: &mut impl Witness) -> Option<Outcome> {
        self.applied = self.applied.next();
        self.chain = self.chain.extend(entry);
        witness.state(Fact::Applied { index: self.applied, chain: self.chain });
        match entry.command {
            Command::Noop => None,
            Command::Client { op, operation } => self.execute_once(op, operation),
        }
    }

    /// What is known of a client's command.
    pub fn recall(&self, op: OpId) -> Memory {
        self.sessions.get(&op.client).map_or(Memory::Unknown, |session| session.recall(op.ordinal))
    }

    /// The value under `key` after the last entry executed.
    pub fn read(&self, key: Key) -> Option<Value> {
        self.registers.get(&key).copied()
    }

    /// The last entry executed; 0 for none.
    #[inline]
    pub const fn applied(&self) -> Index {
        self.applied
    }

    /// The chain of everything executed.
    pub const fn chain(&self) -> Chain {
        self.chain
    }

    /// How many clients have a session.
    pub const fn session_count(&self) -> u64 {
        self.sessions.len()
    }

    /// How many keys have a value.
    pub const fn register_count(&self) -> u64 {
        self.registers.len()
    }

    fn execute_once(&mut self, op: OpId, operation: kv::Operation) -> Option<Outcome> {
        match self.recall(op) {
            Memory::Executed(outcome) => return Some(outcome),
            Memory::TooOld => return None,
            Memory::Unknown => {}
        }
        let outcome = self.execute(operation);
        if let Some(session) = self.sessions.get_mut(&op.client) {
            session.remember(op.ordinal, &outcome);
        } else {
            let mut session = Session { newest: op.ordinal, ..Session::default() };
            session.remember(op.ordinal, &outcome);
            self.sessions.insert(op.client, session);
        }
        Some(outcome)
    }

    fn execute(&mut self, operation: kv::Operation) -> Outcome {
        let key = operation.key();
        let (outcome, after) = operation.evaluate(self.read(key));
        assert!(
            matches!(outcome, Outcome::Done | Outcome::Rejected),
            "a session remembers whether a command was done or rejected, but `{operation}` gave {outcome:?}"
        );
        match after {
            Some(value) => self.registers.insert(key, value),
            None => self.registers.remove(&key),
        };
        outcome
    }
}

/// The chain stands for the state, which is a function of it.
impl Serialize for StateMachine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.applied, self.chain).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::types::Term;
    use super::*;

    fn op(ordinal: u32) -> OpId {
        OpId { client: ClientId::new(3), ordinal }
    }

    fn apply(machine: &mut StateMachine, ordinal: u32, operation: kv::Operation) -> Option<Outcome> {
        let entry = Entry { term: Term(1), command: Command::Client { op: op(ordinal), operation } };
        machine.apply(&entry, &mut Vec::new())
    }

    fn write(value: Value) -> kv::Operation {
        kv::Operation::Write(Key(1), value)
    }

    fn cas(expected: Value, value: Value) -> kv::Operation {
        kv::Operation::CompareAndSet { key: Key(1), expected, value }
    }

    #[test]
    fn a_retried_command_takes_effect_once_and_gets_its_first_outcome() {
        let mut machine = StateMachine::default();
        assert_eq!(apply(&mut machine, 0, write(1)), Some(Outcome::Done));
        assert_eq!(apply(&mut machine, 1, cas(1, 2)), Some(Outcome::Done));
        assert_eq!(apply(&mut machine, 1, cas(1, 2)), Some(Outcome::Done), "the retry finds 2, not 1");
        assert_eq!(apply(&mut machine, 2, cas(1, 3)), Some(Outcome::Rejected));
        assert_eq!(apply(&mut machine, 0, write(1)), Some(Outcome::Done), "an older retry");
        assert_eq!(machine.read(Key(1)), Some(2));
    }

    #[test]
    fn operations_of_one_client_may_arrive_in_any_order() {
        let mut machine = StateMachine::default();
        assert_eq!(apply(&mut machine, 5, write(5)), Some(Outcome::Done));
        assert_eq!(machine.recall(op(2)), Memory::Unknown);
        assert_eq!(apply(&mut machine, 2, cas(5, 2)), Some(Outcome::Done));
        assert_eq!(machine.recall(op(2)), Memory::Executed(Outcome::Done));
        assert_eq!(machine.read(Key(1)), Some(2));
    }

    #[test]
    fn a_command_older_than_the_window_is_not_executed_at_all() {
        let mut machine = StateMachine::default();
        apply(&mut machine, 100, write(1));
        assert_eq!(machine.recall(op(36)), Memory::TooOld);
        assert_eq!(apply(&mut machine, 36, write(2)), None);
        assert_eq!(apply(&mut machine, 37, write(3)), Some(Outcome::Done));
        assert_eq!(machine.read(Key(1)), Some(3));
    }

    #[test]
    fn a_deleted_register_reads_as_never_written() {
        let mut machine = StateMachine::default();
        apply(&mut machine, 0, write(1));
        apply(&mut machine, 1, kv::Operation::Delete(Key(1)));
        assert_eq!((machine.read(Key(1)), machine.register_count()), (None, 0));
    }

    #[test]
    fn an_executed_entry_is_stated_with_the_chain_of_the_log() {
        let mut machine = StateMachine::default();
        let mut facts = Vec::new();
        let entry = Entry { term: Term(1), command: Command::Noop };
        assert_eq!(machine.apply(&entry, &mut facts), None);
        assert_eq!(facts, [Fact::Applied { index: Index(1), chain: Chain::EMPTY.extend(&entry) }]);
    }

    proptest! {
        #[test]
        fn a_session_is_a_table_of_the_last_64_operations(ordinals in prop::collection::vec(0_u32..200, 1..60)) {
            let mut session = Session { newest: ordinals[0], ..Session::default() };
            let mut table = std::collections::BTreeMap::new();
            for ordinal in ordinals {
                let newest = table.keys().next_back().copied().unwrap_or(ordinal);
                let outcome = if ordinal % 3 == 0 { Outcome::Rejected } else { Outcome::Done };
                let expected = match table.get(&ordinal).cloned() {
                    _ if ordinal + WINDOW <= newest => Memory::TooOld,
                    Some(outcome) => Memory::Executed(outcome),
                    None => Memory::Unknown,
                };
                prop_assert_eq!(session.recall(ordinal), expected.clone());
                if expected == Memory::Unknown {
                    session.remember(ordinal, &outcome);
                    table.insert(ordinal, outcome);
                }
            }
        }
    }
}
