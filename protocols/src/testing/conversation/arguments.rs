//! The words of a command.

use std::collections::VecDeque;
use std::ops::Range;

use sim_core::service::{Admin, Key, Operation, broadcast, counter, kv, lock, log, queue, set, transfer};
use sim_core::{ClientId, NodeId, Span};

/// The words that are left of a command line. Each reader takes its own out; what remains is an error.
#[derive(Debug)]
pub(crate) struct Arguments {
    words: VecDeque<String>,
}

/// Something that a word of a command can stand for.
pub(crate) trait Word: Sized {
    /// What is allowed.
    const FORM: &'static str;

    /// Reads it; `None` if it has another form.
    fn read(word: &str) -> Option<Self>;
}

impl Arguments {
    /// The words of `line`.
    pub(crate) fn new(line: &str) -> Self {
        Self { words: line.split_whitespace().map(str::to_owned).collect() }
    }

    /// The next word.
    pub(crate) fn next<T: Word>(&mut self, what: &str) -> Result<T, String> {
        let word = self.words.pop_front().ok_or_else(|| format!("{what} is missing: {}", T::FORM))?;
        read(&word, what)
    }

    /// The next word if it can be read so.
    pub(crate) fn maybe<T: Word>(&mut self) -> Option<T> {
        let value = T::read(self.words.front()?)?;
        self.words.pop_front();
        Some(value)
    }

    /// Whether `word` stands among what is left; takes it out.
    pub(crate) fn flag(&mut self, word: &str) -> bool {
        let at = self.words.iter().position(|other| other == word);
        at.and_then(|at| self.words.remove(at)).is_some()
    }

    /// The value of `name=value`; `None` if there is none.
    pub(crate) fn value<T: Word>(&mut self, name: &str) -> Result<Option<T>, String> {
        let is_named = |word: &String| word.split_once('=').is_some_and(|(key, _)| key == name);
        let Some(at) = self.words.iter().position(is_named) else { return Ok(None) };
        let word = self.words.remove(at).expect("it was just found");
        let (_, value) = word.split_once('=').expect("it was just found by its sign");
        read(value, name).map(Some)
    }

    /// What `find` knows under the value of `name=value`, such as a mutant; `None` if there is none.
    pub(crate) fn named<T>(&mut self, name: &str, find: fn(&str) -> Option<T>) -> Result<Option<T>, String> {
        let Some(value) = self.value::<String>(name)? else { return Ok(None) };
        find(&value).map(Some).ok_or_else(|| format!("there is no {name} `{value}`"))
    }

    /// Puts the value of `name=value` into `field`, if there is one.
    pub(crate) fn set<T: Word>(&mut self, name: &str, field: &mut T) -> Result<(), String> {
        if let Some(value) = self.value(name)? {
            *field = value;
        }
        Ok(())
    }

    /// The number of `#2`, if there is one.
    pub(super) fn number_sign(&mut self) -> Result<Option<usize>, String> {
        let Some(at) = self.words.iter().position(|word| word.starts_with('#')) else { return Ok(None) };
        let word = self.words.remove(at).expect("it was just found");
        match read(&word[1..], "number")? {
            0 => Err("messages are counted from 1".to_owned()),
            number => Ok(Some(number)),
        }
    }

    /// All that is left, as a text.
    pub(crate) fn rest(&mut self) -> String {
        self.words.drain(..).collect::<Vec<_>>().join(" ")
    }

    /// Refuses what nobody wanted.
    pub(crate) fn finish(&self) -> Result<(), String> {
        match self.words.front() {
            Some(word) => Err(format!("`{word}` is not understood here")),
            None => Ok(()),
        }
    }

    /// What a client asks.
    pub(crate) fn operation(&mut self) -> Result<Operation, String> {
        let name: String = self.next("operation")?;
        let kv = match name.as_str() {
            "read" => kv::Operation::Read(self.next("key")?),
            "write" => kv::Operation::Write(self.next("key")?, self.next("value")?),
            "cas" => kv::Operation::CompareAndSet {
                key: self.next("key")?,
                expected: self.next("expected value")?,
                value: self.next("value")?,
            },
            "delete" => kv::Operation::Delete(self.next("key")?),
            "echo" => return Ok(Operation::Echo(self.next("value")?)),
            "broadcast" => return self.broadcast(),
            "counter" => return self.counter(),
            "set" => return self.grow_set(),
            "members" => return Ok(Operation::Members),
            "unique-id" => return Ok(Operation::UniqueId),
            "acquire" => return Ok(Operation::Lock(lock::Operation::Acquire)),
            "move" => return self.transfer(),
            "balances" => return Ok(Operation::Transfer(transfer::Operation::Balances)),
            "release" => return Ok(Operation::Lock(lock::Operation::Release { token: self.next("token")? })),
            "queue" => return self.queue(),
            "log" => return self.log(),
            _ => return self.admin(&name),
        };
        Ok(Operation::Kv(kv))
    }

    fn broadcast(&mut self) -> Result<Operation, String> {
        let name: String = self.next("`send` or `read`")?;
        match name.as_str() {
            "send" => Ok(Operation::Broadcast(broadcast::Operation::Send(self.next("value")?))),
            "read" => Ok(Operation::Broadcast(broadcast::Operation::Read)),
            _ => Err(format!("`{name}` is no operation of `broadcast`")),
        }
    }

    fn counter(&mut self) -> Result<Operation, String> {
        let name: String = self.next("`add` or `read`")?;
        match name.as_str() {
            "add" => Ok(Operation::Counter(counter::Operation::Add(self.next("amount")?))),
            "read" => Ok(Operation::Counter(counter::Operation::Read)),
            _ => Err(format!("`{name}` is no operation of `counter`")),
        }
    }

    fn grow_set(&mut self) -> Result<Operation, String> {
        let name: String = self.next("`add` or `read`")?;
        match name.as_str() {
            "add" => Ok(Operation::Set(set::Operation::Add(self.next("value")?))),
            "read" => Ok(Operation::Set(set::Operation::Read)),
            _ => Err(format!("`{name}` is no operation of `set`")),
        }
    }

    /// `a0 a1 30`.
    fn transfer(&mut self) -> Result<Operation, String> {
        let (from, to): (String, String) = (self.next("account")?, self.next("account")?);
        let account = |word: &str| word.strip_prefix('a').and_then(|number| number.parse().ok());
        let both = account(&from).zip(account(&to));
        let (from, to) = both.ok_or_else(|| format!("`{from} {to}` must be accounts such as `a0 a1`"))?;
        Ok(Operation::Transfer(transfer::Operation::Move { from, to, amount: self.next("amount")? }))
    }

    fn queue(&mut self) -> Result<Operation, String> {
        let name: String = self.next("operation of `queue`")?;
        Ok(Operation::Queue(match name.as_str() {
            "enqueue" => queue::Operation::Enqueue(self.next("value")?),
            "dequeue" => queue::Operation::Dequeue,
            "acknowledge" => queue::Operation::Acknowledge { receipt: self.next("receipt")? },
            "return" => queue::Operation::Return { receipt: self.next("receipt")? },
            "redrive" => queue::Operation::Redrive,
            _ => return Err(format!("`{name}` is no operation of `queue`")),
        }))
    }

    /// `append p0 7`, `poll p0 3`.
    fn log(&mut self) -> Result<Operation, String> {
        let (name, word): (String, String) = (self.next("operation of `log`")?, self.next("partition")?);
        let partition = word.strip_prefix('p').and_then(|number| number.parse().ok());
        let partition = partition.ok_or_else(|| format!("`{word}` must be a partition such as `p0`"))?;
        Ok(Operation::Log(match name.as_str() {
            "append" => log::Operation::Append { partition, value: self.next("value")? },
            "poll" => log::Operation::Poll { partition, offset: self.next("offset")? },
            "commit" => log::Operation::Commit { partition, offset: self.next("offset")? },
            "committed" => log::Operation::Committed { partition },
            "results" => log::Operation::Results { partition, offset: self.next("offset")? },
            _ => return Err(format!("`{name}` is no operation of `log`")),
        }))
    }

    fn admin(&mut self, name: &str) -> Result<Operation, String> {
        let admin = match name {
            "add-node" => Admin::AddNode(self.next("node")?),
            "remove-node" => Admin::RemoveNode(self.next("node")?),
            "add-learner" => Admin::AddLearner(self.next("node")?),
            "add-nodes" => Admin::AddNodes(self.next("node")?, self.next("node")?),
            "replace-node" => {
                let remove = self.next("node that goes")?;
                _ = self.flag("by");
                Admin::ReplaceNode { remove, add: self.next("node that comes")? }
            }
            "leave-joint" => Admin::LeaveJoint,
            "transfer-leadership" => Admin::TransferLeadership(self.next("node")?),
            "forget-leader" => Admin::ForgetLeader,
            "snapshot" => Admin::Snapshot,
            _ => return Err(format!("`{name}` is no operation")),
        };
        Ok(Operation::Admin(admin))
    }
}

fn read<T: Word>(word: &str, what: &str) -> Result<T, String> {
    T::read(word).ok_or_else(|| format!("{what} is `{word}`, and must be {}", T::FORM))
}

impl Word for String {
    const FORM: &'static str = "a word";

    fn read(word: &str) -> Option<Self> {
        Some(word.to_owned())
    }
}

macro_rules! number {
    ($($type:ty),*) => {
        $(impl Word for $type {
            const FORM: &'static str = "a number";

            fn read(word: &str) -> Option<Self> {
                word.parse().ok()
            }
        })*
    };
}

number!(u32, u64, usize, i32, i64);

impl Word for bool {
    const FORM: &'static str = "`on` or `off`";

    fn read(word: &str) -> Option<Self> {
        match word {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        }
    }
}

/// `n1` for the first, as ids are printed.
fn id(word: &str, letter: char) -> Option<u32> {
    let number: u32 = word.strip_prefix(letter)?.parse().ok()?;
    number.checked_sub(1)
}

impl Word for NodeId {
    const FORM: &'static str = "a node such as `n1`";

    fn read(word: &str) -> Option<Self> {
        id(word, 'n').map(NodeId::new)
    }
}

impl Word for ClientId {
    const FORM: &'static str = "a client such as `c1`";

    fn read(word: &str) -> Option<Self> {
        id(word, 'c').map(ClientId::new)
    }
}

impl Word for Key {
    const FORM: &'static str = "a key such as `k1`";

    fn read(word: &str) -> Option<Self> {
        word.strip_prefix('k')?.parse().ok().map(Key)
    }
}

impl Word for Vec<NodeId> {
    const FORM: &'static str = "nodes such as `n1,n3`";

    fn read(word: &str) -> Option<Self> {
        word.split(',').map(NodeId::read).collect()
    }
}

/// Nodes, as commands name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Nodes {
    /// `*`.
    All,
    /// `n1,n3`.
    These(Vec<NodeId>),
}

impl Nodes {
    /// Which these are, of so many nodes.
    pub(super) fn among(self, count: u32) -> Result<Vec<NodeId>, String> {
        match self {
            Self::All => Ok((0..count).map(NodeId::new).collect()),
            Self::These(nodes) => match nodes.iter().find(|node| node.raw() >= count) {
                Some(node) => Err(format!("{node} is none of the {count} nodes")),
                None => Ok(nodes),
            },
        }
    }
}

impl Word for Nodes {
    const FORM: &'static str = "nodes such as `n1,n3`, or `*`";

    fn read(word: &str) -> Option<Self> {
        if word == "*" { Some(Self::All) } else { Word::read(word).map(Self::These) }
    }
}

impl Word for Span {
    const FORM: &'static str = "a length of time such as `150ms`";

    fn read(word: &str) -> Option<Self> {
        let digits = word.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, unit) = word.split_at(digits);
        let number: u64 = number.parse().ok()?;
        match unit {
            "ns" => Some(Span::nanos(number)),
            "us" => Some(Span::micros(number)),
            "ms" => Some(Span::millis(number)),
            "s" => Some(Span::secs(number)),
            _ => None,
        }
    }
}

impl<T: Word> Word for Option<T> {
    const FORM: &'static str = T::FORM;

    fn read(word: &str) -> Option<Self> {
        if word == "none" { Some(None) } else { T::read(word).map(Some) }
    }
}

impl<T: Word> Word for Range<T> {
    const FORM: &'static str = "a range such as `150ms..300ms`";

    fn read(word: &str) -> Option<Self> {
        let (low, high) = word.split_once("..")?;
        Some(T::read(low)?..T::read(high)?)
    }
}
