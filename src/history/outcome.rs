//! From the values of a file to operations and outcomes of a model.

use std::collections::BTreeMap;
use std::sync::Arc;

use scenarios::text::diagnostic::nearest_name;
use sim_core::check::history::spec::Text;
use sim_core::service::txn::{Step, StepOutcome};
use sim_core::service::{Key, Operation, Outcome, Value, kv, lock, queue, set};

use super::build::Model;
use super::entry::Entry;
use super::item::Item;
use super::problem::Problem;

/// Numbers from here on stand for what is no number in the file.
const NAMED_FROM: Value = 1 << 62;
/// Keys from here on stand for what is no small number in the file.
const KEYS_NAMED_FROM: u32 = 1 << 31;

/// The number in a word of evidence that stands for a name of the file, if there is one: `k2147483648`, or a large
/// number by itself.
pub(super) fn named(word: &str) -> Option<Value> {
    match word.strip_prefix('k') {
        Some(key) => key.parse().ok().filter(|key| *key >= Value::from(KEYS_NAMED_FROM)),
        None => word.parse().ok().filter(|value| *value >= NAMED_FROM),
    }
}

/// What numbers stand for.
#[derive(Debug, Default)]
pub(super) struct Words {
    numbers: BTreeMap<String, Value>,
    keys: BTreeMap<String, u32>,
    pub(super) names: BTreeMap<Value, String>,
    pub(super) texts: BTreeMap<Text, Value>,
    /// How many messages were received without a receipt.
    receipts: u64,
}

impl Words {
    /// A value as a number: itself, or one that stands for it.
    fn number(&mut self, item: &Item) -> Value {
        if let Item::Int(number) = item
            && let Some(number) = Value::try_from(*number).ok().filter(|number| *number < NAMED_FROM)
        {
            return number;
        }
        let name = describe(item);
        let next = NAMED_FROM + self.numbers.len() as Value;
        let number = *self.numbers.entry(name.clone()).or_insert(next);
        self.names.insert(number, name);
        number
    }

    /// A key: a small number or digits as they are, or one that stands for it.
    fn key(&mut self, item: &Item) -> Key {
        let small = match item {
            Item::Int(number) => u32::try_from(*number).ok(),
            Item::Text(text) if *text == "0" || !text.starts_with('0') => text.parse().ok(),
            _ => None,
        };
        if let Some(key) = small.filter(|key| *key < KEYS_NAMED_FROM) {
            return Key(key);
        }
        let name = describe(item);
        let next = KEYS_NAMED_FROM + u32::try_from(self.keys.len()).expect("fewer keys than lines");
        let key = *self.keys.entry(name.clone()).or_insert(next);
        self.names.insert(Value::from(key), name);
        Key(key)
    }

    fn text(&mut self, text: Text) -> Value {
        let next = self.texts.len() as Value;
        *self.texts.entry(text).or_insert(next)
    }
}

/// A short form for people.
pub(super) fn describe(item: &Item) -> String {
    match item {
        Item::Nil => "nil".to_owned(),
        Item::Bool(value) => value.to_string(),
        Item::Int(number) => number.to_string(),
        Item::Text(text) | Item::Number(text) => text.clone(),
        Item::Word(word) => format!(":{word}"),
        Item::List(items) => format!("[{}]", items.iter().map(describe).collect::<Vec<_>>().join(" ")),
        Item::Map(map) => {
            let pairs = map.pairs.iter().map(|(key, value)| format!("{} {}", describe(key), describe(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Entries read as a model.
pub(super) struct Reading {
    pub(super) model: Model,
    pub(super) words: Words,
}

impl Reading {
    /// What is invoked.
    pub(super) fn operation(&mut self, entry: &Entry) -> Result<Operation, Problem> {
        let function = entry.function.as_str();
        match self.model {
            Model::Register | Model::Kv => self.kv(entry).map(Operation::Kv),
            Model::TextKv => self.text_kv(entry).map(Operation::Kv),
            Model::Set => match function {
                "add" => Ok(Operation::Set(set::Operation::Add(self.element(entry)?))),
                "read" => Ok(Operation::Set(set::Operation::Read)),
                _ => Err(self.unknown(entry)),
            },
            Model::Queue => match function {
                "enqueue" => Ok(Operation::Queue(queue::Operation::Enqueue(self.element(entry)?))),
                "dequeue" => Ok(Operation::Queue(queue::Operation::Dequeue)),
                "acknowledge" => {
                    let receipt = self.words.number(&entry.value);
                    Ok(Operation::Queue(queue::Operation::Acknowledge { receipt }))
                }
                "return" => {
                    let receipt = self.words.number(&entry.value);
                    Ok(Operation::Queue(queue::Operation::Return { receipt }))
                }
                _ => Err(self.unknown(entry)),
            },
            Model::Lock | Model::Mutex => match function {
                "acquire" => Ok(Operation::Lock(lock::Operation::Acquire)),
                "release" if self.model == Model::Mutex => {
                    Ok(Operation::Lock(lock::Operation::Release { token: 0 }))
                }
                "release" => {
                    let token = self.token(entry)?;
                    Ok(Operation::Lock(lock::Operation::Release { token }))
                }
                _ => Err(self.unknown(entry)),
            },
            Model::ListAppend => self.txn(entry),
        }
    }

    /// How something ended that went well.
    pub(super) fn outcome(&mut self, operation: &Operation, entry: &Entry) -> Result<Outcome, Problem> {
        Ok(match operation {
            Operation::Kv(kv::Operation::Read(_)) => {
                let value =
                    if self.is_keyed(entry) { entry.value.pair().map(|(_, value)| value) } else { None };
                Outcome::Value(self.optional(value.unwrap_or(&entry.value).clone()))
            }
            Operation::Set(set::Operation::Read) => {
                let items =
                    entry.value.list().ok_or_else(|| needs(entry, "the values that it read, as a list"))?;
                let mut values: Vec<Value> = items.iter().map(|item| self.words.number(item)).collect();
                values.sort_unstable();
                Outcome::Values(values.into())
            }
            Operation::Queue(queue::Operation::Dequeue) => self.received(&entry.value),
            Operation::Lock(lock::Operation::Acquire) if self.model == Model::Lock => {
                Outcome::Ticket(self.token(entry)?)
            }
            Operation::Txn(steps) => Outcome::Txn(self.results(steps, entry)?),
            _ => Outcome::Done,
        })
    }

    fn kv(&mut self, entry: &Entry) -> Result<kv::Operation, Problem> {
        let (key, value) = self.keyed(entry)?;
        match entry.function.as_str() {
            "read" | "get" => Ok(kv::Operation::Read(key)),
            "write" | "put" if value == Item::Nil => {
                let hint = "`delete` of `--model kv` takes a key away";
                Err(Problem::new(entry.line, format!("`{}` has no value to write", entry.function))
                    .hint(hint))
            }
            "write" | "put" => Ok(kv::Operation::Write(key, self.words.number(&value))),
            "cas" => {
                let (expected, value) =
                    value.pair().ok_or_else(|| needs(entry, "`[EXPECTED NEW]` as its value"))?;
                let [expected, value] = [expected, value].map(|item| self.words.number(item));
                Ok(kv::Operation::CompareAndSet { key, expected, value })
            }
            "delete" if self.model == Model::Kv => Ok(kv::Operation::Delete(key)),
            _ => Err(self.unknown(entry)),
        }
    }

    fn text_kv(&mut self, entry: &Entry) -> Result<kv::Operation, Problem> {
        let (key, value) = self.keyed(entry)?;
        let text = |value: &Item| -> Result<Arc<str>, Problem> {
            value.name().map(Into::into).ok_or_else(|| needs(entry, "a text as its value"))
        };
        match entry.function.as_str() {
            "get" => Ok(kv::Operation::Read(key)),
            "put" => Ok(kv::Operation::Write(key, self.words.text(Text::Whole(text(&value)?)))),
            "append" => Ok(kv::Operation::Write(key, self.words.text(Text::Appended(text(&value)?)))),
            _ => Err(self.unknown(entry)),
        }
    }

    /// Key and value: the key by itself, or both in a pair; a register has no key.
    fn keyed(&mut self, entry: &Entry) -> Result<(Key, Item), Problem> {
        if self.model == Model::Register {
            return Ok((Key(0), entry.value.clone()));
        }
        if let Some(key) = &entry.key {
            return Ok((self.words.key(key), entry.value.clone()));
        }
        let (key, value) =
            entry.value.pair().ok_or_else(|| needs(entry, "a `key`, or `[KEY VALUE]` as its value"))?;
        Ok((self.words.key(key), value.clone()))
    }

    /// Whether the value is a pair with the key.
    fn is_keyed(&self, entry: &Entry) -> bool {
        self.model != Model::Register && entry.key.is_none()
    }

    /// What is put into a set or a queue.
    fn element(&mut self, entry: &Entry) -> Result<Value, Problem> {
        match &entry.value {
            Item::Nil => Err(needs(entry, "a value")),
            value => Ok(self.words.number(value)),
        }
    }

    /// The key that an end of an operation names, if it does.
    pub(super) fn key_of(&self, entry: &Entry) -> Option<Item> {
        let in_pair = || entry.value.pair().filter(|_| self.is_keyed(entry)).map(|(key, _)| key.clone());
        match self.model {
            Model::Kv | Model::TextKv => entry.key.clone().or_else(in_pair),
            Model::Register | Model::Set | Model::Queue | Model::Lock | Model::Mutex | Model::ListAppend => {
                None
            }
        }
    }

    /// What an operation that changes something puts there, if this end of it says so. What is read is in its end only.
    pub(super) fn value_of(&self, entry: &Entry) -> Option<Item> {
        let changes = match self.model {
            Model::Register | Model::Kv => &["write", "put", "cas"][..],
            Model::TextKv => &["put", "append"],
            Model::Set => &["add"],
            Model::Queue => &["enqueue", "acknowledge", "return"],
            Model::Lock => &["release"],
            // A mutex has no tokens; steps are compared one by one.
            Model::Mutex => &[],
            Model::ListAppend => &["append"],
        };
        let has_key =
            matches!(self.model, Model::Kv | Model::TextKv | Model::ListAppend) && entry.key.is_none();
        let in_pair = entry.value.pair().filter(|_| has_key).map(|(_, value)| value);
        let value = in_pair.unwrap_or(&entry.value);
        (changes.contains(&entry.function.as_str()) && *value != Item::Nil).then(|| value.clone())
    }

    fn optional(&mut self, item: Item) -> Option<Value> {
        match item {
            Item::Nil => None,
            Item::Text(text) if self.model == Model::TextKv => {
                Some(self.words.text(Text::Whole(text.as_str().into())))
            }
            item => Some(self.words.number(&item)),
        }
    }

    fn received(&mut self, value: &Item) -> Outcome {
        match value {
            Item::Nil => Outcome::Value(None),
            Item::Map(map) => {
                let mut number = |name: &str| map.get(name).map_or(0, |item| self.words.number(item));
                let [receipt, value, delivery] = ["receipt", "value", "delivery"].map(&mut number);
                Outcome::Received { receipt, value, delivery: u32::try_from(delivery).unwrap_or(u32::MAX) }
            }
            value => {
                let value = self.words.number(value);
                self.words.receipts += 1;
                Outcome::Received { receipt: self.words.receipts - 1, value, delivery: 1 }
            }
        }
    }

    fn token(&mut self, entry: &Entry) -> Result<u64, Problem> {
        match entry.value {
            Item::Int(_) => Ok(self.words.number(&entry.value)),
            _ => Err(needs(entry, "its fencing token as its value")
                .hint("a lock without tokens is `--model mutex`")),
        }
    }

    fn txn(&mut self, entry: &Entry) -> Result<Operation, Problem> {
        let steps = match entry.function.as_str() {
            "txn" => {
                let items = entry.value.list().ok_or_else(|| needs_steps(entry))?;
                items.iter().map(|item| self.step(entry, item)).collect::<Result<Vec<_>, _>>()?
            }
            "append" => {
                let (key, value) = self.keyed(entry)?;
                vec![Step::Append(key, self.words.number(&value))]
            }
            "read" => vec![Step::Read(self.keyed(entry)?.0)],
            _ => return Err(self.unknown(entry)),
        };
        Ok(Operation::Txn(steps.into()))
    }

    fn step(&mut self, entry: &Entry, item: &Item) -> Result<Step, Problem> {
        let Some([function, key, rest @ ..]) = item.list() else { return Err(needs_steps(entry)) };
        match (function.name(), rest) {
            (Some("append"), [value]) => Ok(Step::Append(self.words.key(key), self.words.number(value))),
            (Some("r" | "read"), _) => Ok(Step::Read(self.words.key(key))),
            _ => Err(needs_steps(entry)),
        }
    }

    fn results(&mut self, steps: &[Step], entry: &Entry) -> Result<Arc<[StepOutcome]>, Problem> {
        let single = [Item::List(vec![Item::Nil, Item::Nil, entry.value.clone()])];
        let items = match entry.function.as_str() {
            "txn" => entry.value.list().ok_or_else(|| needs_steps(entry))?,
            _ => &single,
        };
        if items.len() != steps.len() {
            return Err(needs(entry, "as many steps in its end as in its beginning"));
        }
        for (step, item) in steps.iter().zip(items).filter(|_| entry.function == "txn") {
            if self.step(entry, item)? != *step {
                return Err(needs(entry, "in its end the steps of its beginning"));
            }
        }
        let results = steps.iter().zip(items).map(|(step, item)| match step {
            Step::Append(..) => Ok(StepOutcome::Appended),
            Step::Read(_) => match item.list() {
                Some([_, _, Item::Nil]) => Ok(StepOutcome::List([].into())),
                Some([_, _, Item::List(values)]) => {
                    Ok(StepOutcome::List(values.iter().map(|value| self.words.number(value)).collect()))
                }
                _ => Err(needs(entry, "the list that each step has read")),
            },
        });
        results.collect()
    }

    fn unknown(&self, entry: &Entry) -> Problem {
        let known = self.model.functions();
        let problem = Problem::new(entry.line, format!("`{}` is no operation of this model", entry.function));
        let all = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match nearest_name(&entry.function, known) {
            Some(near) => problem.hint(format!("`{near}`? It knows {all}")),
            None => problem.hint(format!("it knows {all}; `--model` chooses another")),
        }
    }
}

fn needs(entry: &Entry, what: &str) -> Problem {
    Problem::new(entry.line, format!("`{}` needs {what}", entry.function))
        .hint("`splitbrain history check --help` has an example of each model")
}

fn needs_steps(entry: &Entry) -> Problem {
    needs(entry, "a list of steps as its value").hint("`[[:append 1 2] [:r 3 nil]]`")
}
