//! From entries to a history in the words of a model.

use std::collections::BTreeMap;

use clap::ValueEnum;
use sim_core::check::history::spec::Text;
use sim_core::history::History;
use sim_core::service::{Operation, Outcome, Refusal, Value};
use sim_core::{ClientId, OpId, SimTime};

use super::entry::{Entry, EntryType};
use super::item::Item;
use super::outcome::{Reading, Words, describe, named};
use super::problem::Problem;

/// What a history is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Model {
    /// One register: read, write, cas
    Register,
    /// Registers under keys: read, write, cas, delete
    Kv,
    /// Texts under keys: get, put, append
    TextKv,
    /// A set that grows: add, read
    Set,
    /// A queue: enqueue, dequeue, acknowledge
    Queue,
    /// A lock with fencing tokens: acquire, release
    Lock,
    /// A lock without tokens: acquire, release
    Mutex,
    /// Transactions over lists: txn of append and r
    ListAppend,
}

impl Model {
    /// The operations that it knows.
    pub(super) const fn functions(self) -> &'static [&'static str] {
        match self {
            Self::Register => &["read", "write", "cas"],
            Self::Kv => &["read", "get", "write", "put", "cas", "delete"],
            Self::TextKv => &["get", "put", "append"],
            Self::Set => &["add", "read"],
            Self::Queue => &["enqueue", "dequeue", "acknowledge", "return"],
            Self::Lock | Self::Mutex => &["acquire", "release"],
            Self::ListAppend => &["txn", "append", "read"],
        }
    }
}

/// What a compare-and-set that ended in `fail` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailedCas {
    /// That it did not happen, and nothing else, as Jepsen means it
    #[default]
    Nothing,
    /// That the value was another
    Mismatch,
}

/// A history, and what it was built from.
pub(crate) struct Built {
    pub(crate) history: History,
    /// For each client its process.
    pub(crate) processes: BTreeMap<ClientId, i128>,
    pub(crate) operations: u64,
    pub(crate) unknown: u64,
    pub(crate) refused: u64,
    /// What numbers stand for that the file has no numbers for.
    pub(crate) names: BTreeMap<Value, String>,
    /// What the values of a `text-kv` stand for.
    pub(crate) texts: BTreeMap<Value, Text>,
}

impl Built {
    /// What each number stands for that the file has no number for.
    pub(crate) fn legend(&self) -> BTreeMap<Value, String> {
        self.names.iter().map(|(number, name)| (*number, name.clone())).chain(self.texts()).collect()
    }

    /// What each number of a `text-kv` stands for.
    pub(crate) fn texts(&self) -> BTreeMap<Value, String> {
        let of_text = |text: &Text| match text {
            Text::Whole(text) => format!("{text:?}"),
            Text::Appended(text) => format!("{text:?}, appended"),
        };
        self.texts.iter().map(|(number, text)| (*number, of_text(text))).collect()
    }

    /// A line of evidence with the file's own names for keys and values that are no numbers there.
    pub(crate) fn in_its_words(&self, line: &str) -> String {
        let mut text = String::new();
        for piece in line.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric()) {
            let word = piece.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
            text.push_str(
                named(word).and_then(|number| self.names.get(&number)).map_or(word, String::as_str),
            );
            text.push_str(&piece[word.len()..]);
        }
        text
    }
}

/// An operation that has not ended.
struct Pending {
    op: OpId,
    operation: Operation,
    line: usize,
    function: String,
    /// Which key it names.
    key: Option<Item>,
    /// What it puts there.
    value: Option<Item>,
}

/// Builds the history.
pub(crate) fn build(entries: &[Entry], model: Model, failed_cas: FailedCas) -> Result<Built, Problem> {
    let mut builder = Builder {
        reading: Reading { model, words: Words::default() },
        failed_cas,
        history: History::new(),
        pending: BTreeMap::new(),
        clients: BTreeMap::new(),
        now: 0,
        counts: [0; 3],
    };
    for entry in entries {
        builder.add(entry)?;
    }
    let [operations, unknown, refused] = builder.counts;
    let processes = builder.clients.iter().map(|(process, (client, _))| (*client, *process)).collect();
    let Words { names, texts, .. } = builder.reading.words;
    Ok(Built {
        history: builder.history,
        processes,
        operations,
        // What never ended is unknown, too.
        unknown: unknown + builder.pending.len() as u64,
        refused,
        names,
        texts: texts.into_iter().map(|(text, number)| (number, text)).collect(),
    })
}

struct Builder {
    reading: Reading,
    failed_cas: FailedCas,
    history: History,
    pending: BTreeMap<i128, Pending>,
    /// For each process its client, and how many operations it has had.
    clients: BTreeMap<i128, (ClientId, u32)>,
    now: u64,
    /// Operations, unknown, refused.
    counts: [u64; 3],
}

impl Builder {
    fn add(&mut self, entry: &Entry) -> Result<(), Problem> {
        // What has no number is no client: Jepsen's nemesis.
        let Item::Int(process) = entry.process else { return Ok(()) };
        self.now = entry.time.unwrap_or(0).max(self.now + 1);
        if entry.kind == EntryType::Invoke {
            self.invoke(process, entry)
        } else {
            self.complete(process, entry)
        }
    }

    fn invoke(&mut self, process: i128, entry: &Entry) -> Result<(), Problem> {
        if let Some(pending) = self.pending.get(&process) {
            let message = format!(
                "process {process} invokes `{}` while its `{}` of line {} has not ended",
                entry.function, pending.function, pending.line
            );
            return Err(Problem::new(entry.line, message).hint(
                "a process does one thing after another; an operation that nobody waits for ends with `info`",
            ));
        }
        let operation = self.reading.operation(entry)?;
        let next = client(process, self.clients.len());
        let (client, ordinal) = self.clients.entry(process).or_insert((next, 0));
        let op = OpId { client: *client, ordinal: *ordinal };
        *ordinal += 1;
        self.counts[0] += 1;
        self.history.invoke(SimTime::from_nanos(self.now), op, operation.clone());
        let (line, function) = (entry.line, entry.function.clone());
        let (key, value) = (self.reading.key_of(entry), self.reading.value_of(entry));
        self.pending.insert(process, Pending { op, operation, line, function, key, value });
        Ok(())
    }

    fn complete(&mut self, process: i128, entry: &Entry) -> Result<(), Problem> {
        let Some(pending) = self.pending.remove(&process) else {
            let message = format!("process {process} ends `{}` without having invoked it", entry.function);
            let problem = Problem::new(entry.line, message);
            return Err(problem.hint("the file may have lost its beginning, or have an operation end twice"));
        };
        if entry.function != pending.function {
            let message = format!(
                "process {process} ends `{}`, but what it invoked in line {} is `{}`",
                entry.function, pending.line, pending.function
            );
            return Err(Problem::new(entry.line, message).hint("each end has the `f` of its beginning"));
        }
        self.check_key(process, entry, &pending)?;
        self.check_value(process, entry, &pending)?;
        let outcome = match entry.kind {
            EntryType::Ok => self.reading.outcome(&pending.operation, entry)?,
            EntryType::Fail if self.is_rejection(entry) => Outcome::Rejected,
            EntryType::Fail => {
                self.counts[2] += 1;
                Outcome::Refused(Refusal::Aborted)
            }
            EntryType::Info | EntryType::Invoke => {
                self.counts[1] += 1;
                Outcome::Unknown
            }
        };
        self.history.complete(SimTime::from_nanos(self.now), pending.op, outcome);
        Ok(())
    }

    /// That an end that names a key names that of its beginning.
    fn check_key(&self, process: i128, entry: &Entry, pending: &Pending) -> Result<(), Problem> {
        match (self.reading.key_of(entry), &pending.key) {
            (Some(key), Some(asked)) if key != *asked => {
                let [key, asked] = [&key, asked].map(describe);
                let message = format!(
                    "process {process} ends `{}` of key {key}, but what it invoked in line {} is of key {asked}",
                    entry.function, pending.line
                );
                Err(Problem::new(entry.line, message).hint("each end has the key of its beginning, or none"))
            }
            _ => Ok(()),
        }
    }

    /// That an end that names what the operation puts there names that of its beginning. In the place of the value of one that
    /// did not go well, a name may stand for why.
    fn check_value(&self, process: i128, entry: &Entry, pending: &Pending) -> Result<(), Problem> {
        let is_reason = entry.kind != EntryType::Ok && entry.value.name().is_some();
        match (self.reading.value_of(entry), &pending.value) {
            (Some(value), Some(asked)) if value != *asked && !is_reason => {
                let [value, asked] = [&value, asked].map(describe);
                let message = format!(
                    "process {process} ends `{}` with {value}, but what it invoked in line {} is with {asked}",
                    entry.function, pending.line
                );
                let hint =
                    "each end has the value of its beginning, or none; only what is read comes with the end";
                Err(Problem::new(entry.line, message).hint(hint))
            }
            _ => Ok(()),
        }
    }

    /// Whether a failure says that a condition did not hold.
    fn is_rejection(&self, entry: &Entry) -> bool {
        let says_so = entry.error.as_ref().and_then(Item::name) == Some("rejected");
        let is_cas = entry.function == "cas" && entry.error.is_none();
        says_so || (is_cas && self.failed_cas == FailedCas::Mismatch)
    }
}

/// Processes below are clients of the same number.
const SMALL: u32 = 1 << 20;

/// The client that stands for a process, when there are `known` others: process 0 is `c1`, as in a history of ours.
fn client(process: i128, known: usize) -> ClientId {
    let small = u32::try_from(process).ok().filter(|process| *process < SMALL);
    let other = || SMALL + u32::try_from(known).expect("fewer clients than lines");
    ClientId::new(small.unwrap_or_else(other))
}

#[cfg(test)]
mod tests {
    use super::super::{Input, entries};
    use super::*;

    fn built(text: &str, model: Model) -> Result<Built, Problem> {
        build(&entries(text, Input::Auto).expect("it is well-formed"), model, FailedCas::Nothing)
    }

    fn lines(text: &str, model: Model) -> Vec<String> {
        let operations = built(text, model).expect("a history").history.operations();
        operations.iter().map(|it| format!("{} {} -> {}", it.op, it.operation, it.outcome)).collect()
    }

    #[test]
    fn each_model_reads_its_operations() {
        let cas =
            "{:process 3 :type :invoke :f :cas :value [1 2]}{:process 3 :type :ok :f :cas :value [1 2]}";
        assert_eq!(lines(cas, Model::Register), ["c4#0 cas k0 1->2 -> done"]);
        let tuple =
            "{:process 0 :type :invoke :f :read :value [5 nil]}{:process 0 :type :ok :f :read :value [5 7]}";
        assert_eq!(lines(tuple, Model::Kv), ["c1#0 read k5 -> value 7"]);
        let key =
            "{:process 0 :type :invoke :f :write :key 5 :value 1}{:process 0 :type :info :f :write :key 5}";
        assert_eq!(lines(key, Model::Kv), ["c1#0 write k5=1 -> unknown"]);
        let set = "{:process 0 :type :invoke :f :read}{:process 0 :type :ok :f :read :value #{3 1}}";
        assert_eq!(lines(set, Model::Set), ["c1#0 read -> values [1, 3]"]);
        let queue = "{:process 0 :type :invoke :f :dequeue}{:process 0 :type :ok :f :dequeue :value 9}";
        assert_eq!(lines(queue, Model::Queue), ["c1#0 dequeue -> received 9 receipt=0 delivery=1"]);
        let lock = "{:process 0 :type :invoke :f :acquire}{:process 0 :type :ok :f :acquire :value 4}";
        assert_eq!(lines(lock, Model::Lock), ["c1#0 acquire -> ticket 4"]);
        let txn = "{:process 0 :type :invoke :f :txn :value [[:append 1 2] [:r 3 nil]]}
                   {:process 0 :type :ok :f :txn :value [[:append 1 2] [:r 3 [4 5]]]}";
        assert_eq!(
            lines(txn, Model::ListAppend),
            ["c1#0 txn [append k1 2, read k3] -> txn [appended, [4, 5]]"]
        );
    }

    #[test]
    fn what_is_no_number_gets_one_and_a_name() {
        let text = "{:process 0 :type :invoke :f :write :key \"x\" :value :a}{:process 0 :type :ok :f :write :key \"x\"}";
        let built = built(text, Model::Kv).expect("a history");
        assert_eq!(built.names.values().collect::<Vec<_>>(), ["x", ":a"]);
    }

    #[test]
    fn evidence_has_the_names_of_the_file() {
        let text = "{:process 7 :type :invoke :f :write :key :x :value \"a\"}
                    {:process 3 :type :invoke :f :write :key 5 :value 2147483648}";
        let built = built(text, Model::Kv).expect("a history");
        let lines: Vec<String> = built
            .history
            .operations()
            .iter()
            .map(|it| built.in_its_words(&it.operation.to_string()))
            .collect();
        assert_eq!(lines, ["write :x=a", "write k5=2147483648"], "a number of the file stays what it is");
        let processes = [3, 7].map(|process| (ClientId::new(process), i128::from(process)));
        assert_eq!(built.processes, processes.into());
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line_and_a_hint() {
        let invoke = "{:process 0 :type :invoke :f :read}\n";
        for (rest, line, said) in [
            ("{:process 1 :type :ok :f :read :value 1}", 2, "ends `read` without having invoked it"),
            ("{:process 0 :type :ok :f :write :value 1}", 2, "what it invoked in line 1 is `read`"),
            (invoke, 2, "invokes `read` while its `read` of line 1 has not ended"),
            ("{:process 1 :type :invoke :f :raed}", 2, "`raed` is no operation of this model"),
            ("{:process 1 :type :invoke :f :cas :value 3}", 2, "needs"),
            ("{:process 1 :type :invoke :f :write}", 2, "`write` has no value to write"),
        ] {
            let problem = built(&format!("{invoke}{rest}"), Model::Register).err().expect("refused");
            assert!(problem.line == line && problem.message.contains(said), "{problem:?}");
            assert!(problem.hint.is_some(), "{problem:?}");
        }
    }

    #[test]
    fn an_end_with_another_key_than_its_beginning_is_refused() {
        let text =
            "{:process 0 :type :invoke :f :read :key 1}\n{:process 0 :type :ok :f :read :key 2 :value 5}";
        let problem = built(text, Model::Kv).err().expect("refused");
        assert!(problem.line == 2 && problem.message.contains("of key 2, but"), "{problem:?}");
        let pairs =
            "{:process 0 :type :invoke :f :read :value [1 nil]}{:process 0 :type :ok :f :read :value [2 5]}";
        assert!(built(pairs, Model::Kv).is_err());
        let without = "{:process 0 :type :invoke :f :write :key 1 :value 2}{:process 0 :type :info :f :write :value nil}";
        assert!(built(without, Model::Kv).is_ok(), "an end need not repeat the key");
    }

    /// An operation that begins with one value and ends with another.
    fn two_lines(function: &str, [begins, ends]: [&str; 2], kind: &str) -> String {
        let line = |kind, value| format!("{{:process 0 :type :{kind} :f :{function} :value {value}}}");
        format!("{}\n{}", line("invoke", begins), line(kind, ends))
    }

    #[test]
    fn an_end_with_another_value_than_its_beginning_is_refused() {
        for (model, function, begins, ends) in [
            (Model::Register, "write", "1", "2"),
            (Model::Register, "cas", "[1 2]", "[1 3]"),
            (Model::Register, "cas", "[1 2]", "[3 2]"),
            (Model::Kv, "put", "[5 1]", "[5 2]"),
            (Model::TextKv, "append", "[5 \"a\"]", "[5 \"b\"]"),
            (Model::Set, "add", "1", "2"),
            (Model::Queue, "enqueue", "1", "2"),
            (Model::Queue, "acknowledge", "1", "2"),
            (Model::Lock, "release", "1", "2"),
            (Model::ListAppend, "append", "[5 1]", "[5 2]"),
        ] {
            let problem = built(&two_lines(function, [begins, ends], "ok"), model).err().expect("refused");
            assert!(
                problem.line == 2 && problem.message.contains("line 1 is with"),
                "{function}: {problem:?}"
            );
            for kind in ["fail", "info"] {
                let ends_so = |value| built(&two_lines(function, [begins, value], kind), model);
                assert!(ends_so(ends).is_err(), "{function} {kind}");
                assert!(ends_so(":timed-out").is_ok(), "a reason in its place: {function} {kind}");
                assert!(ends_so("nil").is_ok() && ends_so(begins).is_ok(), "{function} {kind}");
            }
        }
    }

    #[test]
    fn what_is_read_comes_with_the_end() {
        for (model, function, begins, ends) in [
            (Model::Register, "read", "nil", "1"),
            (Model::Register, "read", "7", "1"),
            (Model::Kv, "read", "[5 nil]", "[5 1]"),
            (Model::TextKv, "get", "[5 nil]", "[5 \"a\"]"),
            (Model::Set, "read", "nil", "[1 2]"),
            (Model::Queue, "dequeue", "nil", "1"),
            (Model::Lock, "acquire", "nil", "1"),
            (Model::Mutex, "release", "nil", "1"),
        ] {
            assert!(built(&two_lines(function, [begins, ends], "ok"), model).is_ok(), "{function}");
        }
    }

    #[test]
    fn a_transaction_ends_with_the_steps_that_it_began_with() {
        let begins = "[[:append 1 2] [:r 3 nil]]";
        let ended = |ends| built(&two_lines("txn", [begins, ends], "ok"), Model::ListAppend);
        assert!(ended("[[:append 1 2] [:r 3 [4]]]").is_ok());
        for other in
            ["[[:append 1 9] [:r 3 [4]]]", "[[:append 9 2] [:r 3 [4]]]", "[[:append 1 2] [:r 9 [4]]]"]
        {
            let problem = ended(other).err().expect("refused");
            assert!(
                problem.line == 2 && problem.message.contains("the steps of its beginning"),
                "{problem:?}"
            );
        }
    }

    #[test]
    fn a_failed_cas_says_what_it_is_taken_to_say() {
        let text =
            "{:process 3 :type :invoke :f :cas :value [1 2]}{:process 3 :type :fail :f :cas :value [1 2]}";
        let read = entries(text, Input::Auto).expect("EDN");
        let outcome = |failed_cas| {
            build(&read, Model::Register, failed_cas).expect("a history").history.operations()[0]
                .outcome
                .clone()
        };
        assert_eq!(outcome(FailedCas::Nothing), Outcome::Refused(Refusal::Aborted));
        assert_eq!(outcome(FailedCas::Mismatch), Outcome::Rejected);
    }

    #[test]
    fn the_nemesis_is_no_client() {
        let text = "{:process :nemesis :type :info :f :kill}";
        assert_eq!(built(text, Model::Register).expect("a history").operations, 0);
    }
}
