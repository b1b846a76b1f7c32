//! `splitbrain history`: histories in files, of this program or of another system.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use scenarios::ProtocolTable;
use serde::Serialize;
use serde_json::Value as Json;
use sim_core::check::history::linearizability::{self, Linearizability};
use sim_core::check::history::session::{self, Guarantee};
use sim_core::check::history::spec::{Mutex, Spec, Texts};
use sim_core::check::history::txn::{Isolation, Transactions};
use sim_core::check::history::{DEFAULT_BUDGET, Judgement, sequential, set};
use sim_core::check::{About, Answer, HistoryChecker};
use sim_core::service::Expiry;

use super::Format;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::history::{self, Built, FailedCas, Form, Input, Model};
use crate::input::Selection;
use crate::output::{Output, talk_line};
use crate::report::Figures;
use crate::session::{Session, Watch};

/// Check or convert histories of operations, from this program or from another system.
///
/// A history says which client asked for what, when, and what it got. The book's chapter on linearizability has the
/// forms of files.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain history check register.edn --model register
  splitbrain history convert register.edn --to jsonl
  splitbrain history export raft/leader-crash -o run.jsonl")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge a history
    Check(Check),
    /// Write a history in another form
    Convert(Convert),
    /// Run a scenario and write what its clients saw
    Export(Export),
}

/// Judge a history: is there an order of its operations that its model allows?
///
/// Reads EDN as Jepsen and Knossos write it, lines of Jepsen's log, and JSON lines. An operation that ends with `fail`
/// did not happen; one that ends with `info`, or not at all, may have.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain history check register.edn --model register
  splitbrain history check kv.jsonl --model kv --consistency sequential
  splitbrain history check set.edn --model set --consistency stable
  splitbrain history check lists.edn --model list-append --consistency serializable
  splitbrain history check etcd.log --model register --failed-cas mismatch --format json

Operations (EDN; in JSON lines the keys and words are texts):
  register     {:process 0, :type :invoke, :f :write, :value 3}   also :read, :cas [1 2]
  kv           {… :f :write, :key 7, :value 3}   or :value [7 3]; also :read, :cas, :delete
  text-kv      {… :f :append, :key \"x\", :value \"abc\"}   also :get, :put
  set          {… :f :add, :value 3}   also :read, which ends with a list
  queue        {… :f :enqueue, :value 3}   also :dequeue, :acknowledge, :return
  lock         {… :f :acquire}, which ends with its token   also :release with the token
  mutex        {… :f :acquire}   also :release
  list-append  {… :f :txn, :value [[:append 1 2] [:r 3 nil]]}   ends with [:r 3 [4 5]]

Exit codes:
    0  pass
    1  violation
    2  wrong usage or a bad file
    3  inconclusive, or out of budget
    4  the file has no operation")]
struct Check {
    /// The history; `-` is standard input
    file: PathBuf,

    /// What it is about
    #[arg(long, value_enum, help_heading = "What to check")]
    model: Model,

    /// What it must be [default: linearizable, and strict-serializable for list-append]
    #[arg(long, value_enum, help_heading = "What to check")]
    consistency: Option<Consistency>,

    /// Steps that a search may take
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BUDGET, help_heading = "What to check")]
    budget: u64,

    /// What a `cas` that ended with `fail` says
    #[arg(long, value_enum, default_value_t, help_heading = "What to check")]
    failed_cas: FailedCas,

    /// Locks and messages may come back by themselves, as leases that run out
    #[arg(long, help_heading = "What to check")]
    leases: bool,

    /// In which form the file is
    #[arg(long, value_enum, default_value_t, help_heading = "What to check")]
    input: Input,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

/// Write a history in another form. Nothing is lost, but comments, tags, and whether JSON's texts were words.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain history convert register.edn --to jsonl -o register.jsonl
  splitbrain history convert etcd.log --to edn

Exit codes:
    0  it is written
    2  wrong usage, a bad file, or a place that cannot be written to")]
struct Convert {
    /// The history; `-` is standard input
    file: PathBuf,

    /// In which form to write
    #[arg(long, value_enum)]
    to: Form,

    /// In which form the file is
    #[arg(long, value_enum, default_value_t)]
    input: Input,

    /// Where to [default: standard output]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
}

/// Run a scenario and write what its clients asked for and got, for this or another checker.
///
/// Times are nanoseconds of the run. What administrators ask has the process `admin`, which checkers pass over.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain history export raft/leader-crash --seed 7 -o run.jsonl
  splitbrain history export raft/leader-crash --to edn | splitbrain history check - --model kv

Exit codes:
    0  the history is written, whatever the verdict of the run
    2  wrong usage, a bad file, or a place that cannot be written to
  130  interrupted; what was reached is written")]
struct Export {
    #[command(flatten)]
    selection: Selection,

    /// In which form to write
    #[arg(long, value_enum, default_value = "jsonl", help_heading = "Output")]
    to: Form,

    /// Where to [default: standard output]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
}

/// Writing to a string cannot fail.
const WRITES: &str = "a string takes every text";

/// What a history must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Consistency {
    /// Each operation takes effect at one moment between its ends
    Linearizable,
    /// Operations happen one after the other, each client's in its order
    Sequential,
    /// All four session guarantees
    Session,
    /// A read is not older than what its client has written
    ReadYourWrites,
    /// A read is not older than what its client has read
    MonotonicReads,
    /// The writes of a client are seen in its order
    MonotonicWrites,
    /// Who has seen a write then sees what its writer had read before
    WritesFollowReads,
    /// What was added is in every read ten seconds later, and nothing else is in any
    Stable,
    /// No G0
    ReadUncommitted,
    /// Nor G1
    ReadCommitted,
    /// Nor G-single
    SnapshotIsolation,
    /// Nor G2-item
    Serializable,
    /// Serializable, each client's transactions in its order
    StrongSessionSerializable,
    /// Serializable in real time
    StrictSerializable,
}

/// What one checker says.
#[derive(Debug, Serialize)]
struct Checked {
    name: &'static str,
    statement: &'static str,
    answer: &'static str,
    /// Evidence or reason, for people.
    text: Option<String>,
    /// Evidence as data.
    evidence: Option<Json>,
    /// What it has measured besides; `null` where it measures nothing.
    figures: Option<Figures>,
}

/// The document of `--format json`.
#[derive(Debug, Serialize)]
struct Document<'a> {
    file: String,
    model: String,
    clients: usize,
    /// For each client the number of its process in the file.
    processes: BTreeMap<String, i128>,
    operations: u64,
    unknown: u64,
    refused: u64,
    checks: &'a [Checked],
    verdict: &'static str,
    /// What numbers stand for that the file has no numbers for.
    names: &'a BTreeMap<u64, String>,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Check(check) => check.perform(output),
        Command::Convert(convert) => convert.perform(output),
        Command::Export(export) => export.perform(output),
    }
}

impl Convert {
    fn perform(&self, stdout: &mut Output) -> Result<ExitCode, Failure> {
        let entries = history::read(&self.file, self.input)?;
        let mut file = self.output.as_deref().map(Output::create).transpose()?;
        let output = file.as_mut().unwrap_or(stdout);
        output.print(history::write(&entries, self.to))?;
        output.flush()?;
        if let Some(path) = &self.output {
            talk_line(format_args!("{} entries written to {}", entries.len(), path.display()));
        }
        Ok(ExitCode::PASS)
    }
}

impl Export {
    fn perform(&self, stdout: &mut Output) -> Result<ExitCode, Failure> {
        let table = ProtocolTable::builtin();
        let session = Session::new(&self.selection, &table)?;
        session.written(Watch::Milestones, self.output.as_deref(), stdout, |ran, output| {
            let entries = history::entries_of(ran.run.simulation.history());
            output.print(history::write(&entries, self.to))?;
            Ok(format!("{} entries", entries.len()))
        })
    }
}

impl Check {
    fn perform(&self, output: &mut Output) -> Result<ExitCode, Failure> {
        let entries = history::read(&self.file, self.input)?;
        let name = self.file.display().to_string();
        let built = history::build(&entries, self.model, self.failed_cas)
            .map_err(|problem| problem.in_file(&name))?;
        if built.operations == 0 {
            let hint = "clients are processes with a number; others are passed over";
            let failure = Usage::new(format!("`{name}` has no operation"), "one operation and more", hint);
            return Err(failure.code(ExitCode::NOTHING_SELECTED).into());
        }
        let checks = self.check(&built)?;
        let (verdict, code) = verdict(&checks);
        match self.format {
            Format::Json => output.print(self.json(&built, &checks, verdict))?,
            Format::Human => output.print(self.human(&built, &checks, verdict))?,
        }
        Ok(code)
    }

    /// Runs the checkers that were asked for.
    fn check(&self, built: &Built) -> Result<Vec<Checked>, Failure> {
        let of_lists = self.model == Model::ListAppend;
        let default = if of_lists { Consistency::StrictSerializable } else { Consistency::Linearizable };
        let consistency = self.consistency.unwrap_or(default);
        let history = &built.history;
        if let Some(isolation) = consistency.isolation(of_lists) {
            let about = isolation.about();
            return Ok(vec![checked(about, Transactions::new(isolation).judge(history, self.budget))]);
        }
        if of_lists {
            return Err(self.not_for(consistency));
        }
        match consistency {
            Consistency::Linearizable => Ok(vec![self.linearizable(built)]),
            Consistency::Sequential => Ok(vec![self.sequential(built)]),
            Consistency::Stable if self.model == Model::Set => Ok(self.stable(built)),
            _ => match consistency.guarantees() {
                Some(guarantees) if matches!(self.model, Model::Register | Model::Kv) => Ok(guarantees
                    .iter()
                    .map(|it| checked(it.about(), session::Session::new(*it).judge(history)))
                    .collect()),
                Some(_) | None => Err(self.not_for(consistency)),
            },
        }
    }

    fn linearizable(&self, built: &Built) -> Checked {
        match self.model {
            Model::Register | Model::Kv | Model::ListAppend => self.judge(&linearizability::kv(), built),
            Model::TextKv => self.judge(&Linearizability::new(Texts { texts: built.texts.clone() }), built),
            Model::Set => self.judge(&linearizability::set(), built),
            Model::Queue => self.judge(&linearizability::queue(self.expiry()), built),
            Model::Lock => self.judge(&linearizability::lock(self.expiry()), built),
            Model::Mutex => self.judge(&Linearizability::new(Mutex), built),
        }
    }

    fn judge<S: Spec>(&self, checker: &Linearizability<S>, built: &Built) -> Checked {
        checked(&linearizability::ABOUT, checker.judge(&built.history, self.budget))
    }

    fn sequential(&self, built: &Built) -> Checked {
        let (history, budget) = (&built.history, self.budget);
        let judgement = match self.model {
            Model::Register | Model::Kv | Model::ListAppend => sequential::kv().judge(history, budget),
            Model::TextKv => sequential::texts(Texts { texts: built.texts.clone() }).judge(history, budget),
            Model::Set => sequential::set().judge(history, budget),
            Model::Queue => sequential::queue(self.expiry()).judge(history, budget),
            Model::Lock => sequential::lock(self.expiry()).judge(history, budget),
            Model::Mutex => sequential::mutex().judge(history, budget),
        };
        checked(&sequential::ABOUT, judgement)
    }

    fn stable(&self, built: &Built) -> Vec<Checked> {
        let ask = |checker: &dyn HistoryChecker| {
            let figures = checker.figures(&built.history, self.budget).map(Figures::from);
            Checked { figures, ..answered(checker.about(), checker.check(&built.history, self.budget), None) }
        };
        vec![ask(&set::Integrity), ask(&set::Stability)]
    }

    const fn expiry(&self) -> Expiry {
        if self.leases { Expiry::Possible } else { Expiry::Never }
    }

    fn not_for(&self, consistency: Consistency) -> Failure {
        let allowed = match self.model {
            Model::Register | Model::Kv => "linearizable, sequential, session or one of its guarantees",
            Model::TextKv | Model::Queue | Model::Lock | Model::Mutex => "linearizable or sequential",
            Model::Set => "linearizable, sequential or stable",
            Model::ListAppend => "read-uncommitted … strict-serializable",
        };
        let [model, consistency] = [name_of(&self.model), name_of(&consistency)];
        let message = format!("`--consistency {consistency}` is not for `--model {model}`");
        Usage::new(message, allowed, "another consistency, or another model").into()
    }

    fn human(&self, built: &Built, checks: &[Checked], verdict: &str) -> String {
        let mut text = format!(
            "{} · {} · {}, {} ({} unknown, {} refused)\n\n",
            self.file.display(),
            name_of(&self.model),
            counted(built.processes.len() as u64, "client"),
            counted(built.operations, "operation"),
            built.unknown,
            built.refused
        );
        for check in checks {
            writeln!(text, "{:<28}{}", check.name, check.answer).expect(WRITES);
            for line in check.text.iter().flat_map(|text| text.lines()) {
                writeln!(text, "  {}", built.in_its_words(line)).expect(WRITES);
            }
        }
        for figures in checks.iter().filter_map(|check| check.figures.as_ref()) {
            write!(text, "\n{figures}").expect(WRITES);
        }
        let shown: String = checks.iter().filter_map(|check| check.text.as_deref()).collect();
        for (number, name) in built.texts().into_iter().filter(|(number, _)| mentions(&shown, *number)) {
            writeln!(text, "  {number} stands for {name}").expect(WRITES);
        }
        let clients = built.processes.iter().filter(|(client, _)| shown.contains(&format!("{client}#")));
        let clients: Vec<String> =
            clients.map(|(client, process)| format!("{client} is process {process}")).collect();
        if !clients.is_empty() {
            writeln!(text, "  {}", clients.join(", ")).expect(WRITES);
        }
        writeln!(text, "\nverdict    {verdict}").expect(WRITES);
        text
    }

    fn json(&self, built: &Built, checks: &[Checked], verdict: &'static str) -> String {
        let document = Document {
            file: self.file.display().to_string(),
            model: name_of(&self.model),
            clients: built.processes.len(),
            processes: built
                .processes
                .iter()
                .map(|(client, process)| (client.to_string(), *process))
                .collect(),
            operations: built.operations,
            unknown: built.unknown,
            refused: built.refused,
            checks,
            verdict,
            names: &built.legend(),
        };
        let mut text = serde_json::to_string_pretty(&document).expect("a document is JSON");
        text.push('\n');
        text
    }
}

impl Consistency {
    /// The level of isolation, of lists; the two strongest have other names there.
    fn isolation(self, of_lists: bool) -> Option<Isolation> {
        let level = match self {
            Self::ReadUncommitted => Isolation::ReadUncommitted,
            Self::ReadCommitted => Isolation::ReadCommitted,
            Self::SnapshotIsolation => Isolation::SnapshotIsolation,
            Self::Serializable => Isolation::Serializable,
            Self::StrongSessionSerializable | Self::Sequential => Isolation::StrongSessionSerializable,
            Self::StrictSerializable | Self::Linearizable => Isolation::StrictSerializable,
            Self::Session
            | Self::Stable
            | Self::ReadYourWrites
            | Self::MonotonicReads
            | Self::MonotonicWrites
            | Self::WritesFollowReads => return None,
        };
        of_lists.then_some(level)
    }

    fn guarantees(self) -> Option<&'static [Guarantee]> {
        match self {
            Self::Session => Some(&Guarantee::ALL),
            Self::ReadYourWrites => Some(&[Guarantee::ReadYourWrites]),
            Self::MonotonicReads => Some(&[Guarantee::MonotonicReads]),
            Self::MonotonicWrites => Some(&[Guarantee::MonotonicWrites]),
            Self::WritesFollowReads => Some(&[Guarantee::WritesFollowReads]),
            _ => None,
        }
    }
}

fn checked<E: Serialize + std::fmt::Display>(about: &'static About, judgement: Judgement<E>) -> Checked {
    let evidence = match &judgement {
        Judgement::Violation(evidence) => serde_json::to_value(evidence).ok(),
        Judgement::Pass | Judgement::Inconclusive(_) => None,
    };
    answered(about, Answer::from(judgement), evidence)
}

fn answered(about: &'static About, answer: Answer, evidence: Option<Json>) -> Checked {
    let (answer, text) = match answer {
        Answer::Pass => ("pass", None),
        Answer::Violation(text) => ("violation", Some(text)),
        Answer::Inconclusive(why) => ("inconclusive", Some(why)),
    };
    Checked { name: about.name, statement: about.statement, answer, text, evidence, figures: None }
}

/// A violation outweighs what could not be decided.
fn verdict(checks: &[Checked]) -> (&'static str, ExitCode) {
    let any = |answer: &str| checks.iter().any(|check| check.answer == answer);
    if any("violation") {
        ("violation", ExitCode::VIOLATION)
    } else if any("inconclusive") {
        ("inconclusive", ExitCode::INCONCLUSIVE)
    } else {
        ("pass", ExitCode::PASS)
    }
}

/// `1 client`, `2 clients`.
fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Whether a text has this number, whole.
fn mentions(text: &str, number: u64) -> bool {
    text.split(|letter: char| !letter.is_ascii_digit()).any(|word| word == number.to_string())
}

fn name_of(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
