//! Registers and sessions: the state that the agreed commands make.

use serde::{Serialize, Serializer};
use sim_core::persist::PersistentMap;
use sim_core::service::{Key, Outcome, Value, kv};
use sim_core::{ClientId, OpId};

use super::chain::Chain;
use super::command::Command;
use super::index::Index;
use super::session::{Memory, Session};

/// An entry of an agreed order.
pub trait Executable: Serialize {
    /// What it asks of the state machine; `None` for what concerns the protocol alone, such as its members.
    fn command(&self) -> Option<&Command>;
}

impl Executable for Command {
    fn command(&self) -> Option<&Command> {
        Some(self)
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
    /// Executes the next entry, tells `witness` where it stood and the chain of everything executed, and returns what
    /// to answer its client, if it has one that still waits.
    #[inline]
    pub fn apply<E: Executable>(&mut self, entry: &E, witness: impl FnOnce(Index, Chain)) -> Option<Outcome> {
        self.applied = self.applied.next();
        self.chain = self.chain.extend(entry);
        witness(self.applied, self.chain);
        match entry.command()? {
            Command::Noop => None,
            Command::Client { op, operation } => self.execute_once(*op, *operation),
        }
    }

    /// The same registers, and no sessions: a state that was handed on without the table of clients.
    pub fn without_sessions(&self) -> Self {
        Self { sessions: PersistentMap::default(), ..self.clone() }
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
            let mut session = Session::new(op.ordinal);
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
    use super::*;

    fn op(ordinal: u32) -> OpId {
        OpId { client: ClientId::new(3), ordinal }
    }

    fn apply(machine: &mut StateMachine, ordinal: u32, operation: kv::Operation) -> Option<Outcome> {
        machine.apply(&Command::Client { op: op(ordinal), operation }, |_, _| {})
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
        let mut stated = Vec::new();
        let outcome = machine.apply(&Command::Noop, |index, chain| stated.push((index, chain)));
        assert_eq!(outcome, None);
        assert_eq!(stated, [(Index(1), Chain::EMPTY.extend(&Command::Noop))]);
    }
}
