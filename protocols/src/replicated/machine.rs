//! Registers and sessions: the state that the agreed commands make.

use std::fmt::Debug;

use serde::{Serialize, Serializer};
use sim_core::persist::PersistentMap;
use sim_core::service::{Key, Outcome, Value, kv};
use sim_core::view::ViewBuilder;
use sim_core::{ClientId, OpId};

use super::chain::Chain;
use super::command::{Agreeable, Command};
use super::index::Index;
use super::session::{Memory, Session, SessionPolicy};

/// An entry of an agreed order.
pub trait Executable: Serialize {
    /// Of which state machine it may ask something.
    type Command: Agreeable;

    /// What it asks of the state machine; `None` for what concerns the protocol alone, such as its members.
    fn command(&self) -> Option<&Self::Command>;
}

impl Executable for Command {
    type Command = Self;

    fn command(&self) -> Option<&Self> {
        Some(self)
    }
}

/// A state machine that can be replicated: a function of the entries that it was given, whose chain it knows.
pub trait Machine: Clone + Serialize + Send + 'static {
    /// What entries ask of it.
    type Command: Agreeable;
    /// A piece of a snapshot of it.
    type Item: Piece;
    /// What can be asked without an entry.
    type Query: Copy + Debug + PartialEq + Serialize + Send;

    /// Everything that decides what later entries do.
    fn items(&self) -> impl Iterator<Item = Self::Item>;

    /// A machine with the parameters of this one that has executed everything up to `applied`, where the chain is `chain`.
    fn restored(&self, position: (Index, Chain), items: impl IntoIterator<Item = Self::Item>) -> Self;

    /// Executes the next entry, tells `witness` where it stood and the chain of everything executed, and returns what
    /// to answer its client, if it has one that still waits.
    fn apply<E>(&mut self, entry: &E, witness: impl FnOnce(Index, Chain)) -> Option<Outcome>
    where
        E: Executable<Command = Self::Command>;

    /// What the last entry executed leaves to see.
    fn answer(&self, query: Self::Query) -> Outcome;

    /// The last entry executed; 0 for none.
    fn applied(&self) -> Index;

    /// The chain of everything executed.
    fn chain(&self) -> Chain;

    /// What people want to know of it.
    fn show(&self, view: &mut ViewBuilder);
}

/// A piece of a snapshot: all of them, in any order, are the state.
pub trait Piece: Clone + Eq + Debug + Serialize + Send + Sync + 'static {
    /// Size on disk and on the wire in bytes.
    fn size(&self) -> u64;

    /// Whether it is there so that retries are known.
    fn is_session(&self) -> bool;
}

/// The replicated state machine of one node. It is a function of the entries it was given, and knows their chain.
#[derive(Clone, Default)]
pub struct StateMachine {
    registers: PersistentMap<Key, Value>,
    sessions: PersistentMap<ClientId, Session>,
    /// The clients with a session, by where their last command was executed; only where sessions expire.
    by_use: PersistentMap<Index, ClientId>,
    /// The newest operation of each client whose session has expired.
    expired: PersistentMap<ClientId, u32>,
    policy: SessionPolicy,
    /// How many commands of clients took effect, retries not counted.
    executed: u64,
    applied: Index,
    chain: Chain,
}

/// A piece of a snapshot of the [`StateMachine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Item {
    /// A register and its value.
    Register(Key, Value),
    /// A client's session.
    Session(ClientId, Session),
    /// A client whose session has expired, and the newest operation of it.
    Expired(ClientId, u32),
    /// How many commands took effect. Once.
    Executed(u64),
}

impl Item {
    /// Size on disk and on the wire in bytes.
    pub const SIZE: u64 = 32;
}

impl Piece for Item {
    fn size(&self) -> u64 {
        Self::SIZE
    }

    fn is_session(&self) -> bool {
        match self {
            Self::Session(..) | Self::Expired(..) => true,
            Self::Register(..) | Self::Executed(_) => false,
        }
    }
}

impl Machine for StateMachine {
    type Command = Command;
    type Item = Item;
    type Query = Key;

    fn items(&self) -> impl Iterator<Item = Item> {
        self.items()
    }

    fn restored(&self, position: (Index, Chain), items: impl IntoIterator<Item = Item>) -> Self {
        Self::restore(self.policy, position, items)
    }

    #[inline]
    fn apply<E>(&mut self, entry: &E, witness: impl FnOnce(Index, Chain)) -> Option<Outcome>
    where
        E: Executable<Command = Command>,
    {
        self.apply(entry, witness)
    }

    fn answer(&self, key: Key) -> Outcome {
        Outcome::Value(self.read(key))
    }

    #[inline]
    fn applied(&self) -> Index {
        self.applied()
    }

    fn chain(&self) -> Chain {
        self.chain()
    }

    fn show(&self, view: &mut ViewBuilder) {
        view.number("registers", self.register_count());
        view.number("sessions", self.session_count());
    }
}

impl StateMachine {
    /// An empty state machine.
    pub fn new(policy: SessionPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Everything that decides what later commands do.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        let registers = self.registers.iter().map(|(key, value)| Item::Register(*key, *value));
        let sessions = self.sessions.iter().map(|(client, session)| Item::Session(*client, *session));
        let expired = self.expired.iter().map(|(client, newest)| Item::Expired(*client, *newest));
        registers.chain(sessions).chain(expired).chain([Item::Executed(self.executed)])
    }

    /// The state machine that has executed everything up to `applied`, where the chain is `chain`.
    pub fn restore(
        policy: SessionPolicy,
        (applied, chain): (Index, Chain),
        items: impl IntoIterator<Item = Item>,
    ) -> Self {
        let mut machine = Self { policy, applied, chain, ..Self::default() };
        for item in items {
            match item {
                Item::Register(key, value) => _ = machine.registers.insert(key, value),
                Item::Session(client, session) => machine.open(client, session),
                Item::Expired(client, newest) => _ = machine.expired.insert(client, newest),
                Item::Executed(count) => machine.executed = count,
            }
        }
        machine
    }

    /// Executes the next entry, tells `witness` where it stood and the chain of everything executed, and returns what
    /// to answer its client, if it has one that still waits.
    #[inline]
    pub fn apply<E>(&mut self, entry: &E, witness: impl FnOnce(Index, Chain)) -> Option<Outcome>
    where
        E: Executable<Command = Command>,
    {
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
        match self.sessions.get(&op.client) {
            Some(session) => session.recall(op.ordinal),
            None if self.expired.get(&op.client).is_some_and(|newest| op.ordinal <= *newest) => {
                Memory::TooOld
            }
            None => Memory::Unknown,
        }
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

    /// How many commands of clients took effect. A retry takes none.
    pub const fn executed(&self) -> u64 {
        self.executed
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
        if let kv::Operation::Read(key) = operation {
            return Some(Outcome::Value(self.read(key)));
        }
        match self.recall(op) {
            Memory::Executed(outcome) => return Some(outcome),
            Memory::TooOld => return None,
            Memory::Unknown => {}
        }
        let outcome = self.execute(operation);
        self.executed += 1;
        self.remember(op, &outcome);
        Some(outcome)
    }

    fn remember(&mut self, op: OpId, outcome: &Outcome) {
        match self.policy {
            SessionPolicy::KeepAll => {
                if let Some(session) = self.sessions.get_mut(&op.client) {
                    return session.remember(op.ordinal, outcome);
                }
                let mut session = Session::new(op.ordinal);
                session.remember(op.ordinal, outcome);
                self.sessions.insert(op.client, session);
            }
            SessionPolicy::AtMost(limit) => {
                let mut session = self.close(op.client).unwrap_or_else(|| Session::new(op.ordinal));
                session.remember(op.ordinal, outcome);
                session.touch(self.applied);
                self.open(op.client, session);
                self.expire_down_to(limit);
            }
            SessionPolicy::Forget => {}
        }
    }

    fn open(&mut self, client: ClientId, session: Session) {
        if let SessionPolicy::AtMost(_) = self.policy {
            self.by_use.insert(session.used(), client);
        }
        self.sessions.insert(client, session);
        self.expired.remove(&client);
    }

    fn close(&mut self, client: ClientId) -> Option<Session> {
        let session = self.sessions.remove(&client)?;
        self.by_use.remove(&session.used());
        Some(session)
    }

    /// The log alone decides who expires, so it is the same client on all nodes (dissertation §6.3).
    fn expire_down_to(&mut self, limit: u64) {
        while self.sessions.len() > limit.max(1) {
            let oldest = self.by_use.iter().next().map(|(_, client)| *client);
            let client = oldest.expect("each session stands in the order of use");
            if let Some(session) = self.close(client) {
                self.expired.insert(client, session.newest());
            }
        }
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
    fn a_read_in_the_log_sees_what_stands_before_it_and_opens_no_session() {
        let mut machine = StateMachine::default();
        apply(&mut machine, 0, write(7));
        let other = Command::Client {
            op: OpId { client: ClientId::new(4), ordinal: 0 },
            operation: kv::Operation::Read(Key(1)),
        };
        assert_eq!(machine.apply(&other, |_, _| {}), Some(Outcome::Value(Some(7))));
        assert_eq!(machine.session_count(), 1);
    }

    #[test]
    fn a_machine_restored_from_its_items_answers_retries_as_the_first_did() {
        let mut machine = StateMachine::new(SessionPolicy::AtMost(2));
        for client in 0..4 {
            let op = OpId { client: ClientId::new(client), ordinal: 3 };
            let operation = kv::Operation::Write(Key(client), u64::from(client));
            machine.apply(&Command::Client { op, operation }, |_, _| {});
        }
        let position = (machine.applied(), machine.chain());
        let twin = StateMachine::restore(SessionPolicy::AtMost(2), position, machine.items());
        for client in 0..5 {
            let op = OpId { client: ClientId::new(client), ordinal: 3 };
            assert_eq!(twin.recall(op), machine.recall(op), "c{}", client + 1);
            assert_eq!(twin.read(Key(client)), machine.read(Key(client)));
        }
        assert!(twin.items().eq(machine.items()));
        assert_eq!(twin.executed(), 4);
    }

    #[test]
    fn an_expired_session_refuses_what_it_may_have_executed_and_takes_what_is_newer() {
        let mut machine = StateMachine::new(SessionPolicy::AtMost(1));
        apply(&mut machine, 5, write(1));
        let other = OpId { client: ClientId::new(4), ordinal: 0 };
        machine.apply(&Command::Client { op: other, operation: write(2) }, |_, _| {});
        assert_eq!((machine.session_count(), machine.recall(op(5))), (1, Memory::TooOld));
        assert_eq!(apply(&mut machine, 5, write(1)), None, "a retry");
        assert_eq!(machine.read(Key(1)), Some(2));
        assert_eq!(apply(&mut machine, 6, write(3)), Some(Outcome::Done));
        assert_eq!(machine.recall(op(6)), Memory::Executed(Outcome::Done));
        assert_eq!(machine.recall(other), Memory::TooOld, "now the other one has expired");
    }

    #[test]
    fn a_machine_that_forgets_executes_a_retry_again() {
        let mut machine = StateMachine::new(SessionPolicy::Forget);
        apply(&mut machine, 0, write(1));
        assert_eq!(apply(&mut machine, 1, cas(1, 2)), Some(Outcome::Done));
        assert_eq!(apply(&mut machine, 1, cas(1, 2)), Some(Outcome::Rejected));
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
