//! Where lists come from: the scenario library, the protocol table, the scenario format, the checkers.

use clap::ValueEnum;
use protocols::mutant::MutantAbout;
use scenarios::format::Act;
use scenarios::library;
use scenarios::protocol::{ProtocolKind, ProtocolTable};
use scenarios::workload;
use schemars::schema_for;
use serde_json::{Value, json};
use sim_core::check::{About, CONDITIONS, history};
use sim_core::fault::{KINDS, Severity};
use sim_core::service::Service;

use super::schema::{Described, fields, variants};
use crate::table::{Align, Table};

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// What `splitbrain run` finds by name
    Scenarios,
    /// What can run on the nodes
    Protocols,
    /// What can go wrong, as scenario files write it
    Faults,
    /// What is checked
    Checkers,
    /// What clients can ask
    Workloads,
    /// Wrong variants of protocols, to prove that the checkers bite
    Mutants,
}

/// One line of a list.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) help: String,
    /// What more is known of it.
    pub(crate) more: Value,
}

impl Item {
    fn new(name: impl Into<String>, help: impl Into<String>, more: Value) -> Self {
        Self { name: name.into(), help: help.into(), more }
    }

    pub(crate) fn into_json(self) -> Value {
        let mut object = json!({ "name": self.name, "help": self.help });
        if let (Value::Object(all), Value::Object(more)) = (&mut object, self.more) {
            all.extend(more);
        }
        object
    }
}

impl Section {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Scenarios => "scenarios",
            Self::Protocols => "protocols",
            Self::Faults => "faults",
            Self::Checkers => "checkers",
            Self::Workloads => "workloads",
            Self::Mutants => "mutants",
        }
    }

    pub(crate) fn items(self) -> Vec<Item> {
        match self {
            Self::Scenarios => scenarios(),
            Self::Protocols => protocols(),
            Self::Faults => faults(),
            Self::Checkers => checkers(),
            Self::Workloads => workloads(),
            Self::Mutants => mutants(),
        }
    }
}

fn plain(described: Described) -> Item {
    Item::new(described.name, described.help, Value::Null)
}

/// What a scenario can do by name, and then the kinds that it can let happen at random.
fn faults() -> Vec<Item> {
    let acts = variants(&schema_for!(Act)).into_iter().map(plain);
    let kinds = KINDS.iter().map(|kind| {
        let about = kind.about();
        let survivable = about.severity == Severity::Benign;
        let more = json!({ "random": true, "every": about.rate.mean().map(|span| span.to_string()), "benign": survivable });
        Item::new(about.name, format!("at random: {}", about.help), more)
    });
    acts.chain(kinds).collect()
}

fn protocols() -> Vec<Item> {
    let about = ProtocolTable::builtin();
    let abouts = about.iter().map(ProtocolKind::about);
    let item = |about: scenarios::protocol::ProtocolAbout| {
        let parameters = fields(&about.parameters);
        let parameters = parameters
            .into_iter()
            .map(|field| json!({ "name": field.name, "default": field.default, "help": field.help }));
        let more = json!({
            "services": about.services,
            "parameters": parameters.collect::<Vec<_>>(),
            "invariants": about.invariants,
            "mutants": about.mutants,
            "messages": about.message_kinds,
            "timers": about.timers,
            "points": about.points,
            "fault_points": about.fault_points,
            "gauges": about.gauges,
            "counters": about.counters,
            "latencies": about.latencies,
        });
        Item::new(about.name, about.summary, more)
    };
    abouts.map(item).collect()
}

/// Wrong variants of protocols, by full name: `raft/commit-prior-term`.
fn mutants() -> Vec<Item> {
    let table = ProtocolTable::builtin();
    let of = |kind: &dyn ProtocolKind| {
        let about = kind.about();
        let item = |mutant: &MutantAbout| {
            let name = format!("{}/{}", about.name, mutant.name);
            Item::new(name, mutant.change, json!({ "breaks": mutant.breaks, "source": mutant.source }))
        };
        about.mutants.iter().map(item).collect::<Vec<_>>()
    };
    table.iter().flat_map(of).collect()
}

fn checkers() -> Vec<Item> {
    let table = ProtocolTable::builtin();
    let invariants = table.iter().flat_map(|kind| {
        let about = kind.about();
        let of = about.name.clone();
        about
            .invariants
            .into_iter()
            .map(move |invariant| checker("invariant", Some(&of), &invariant))
            .collect::<Vec<_>>()
    });
    let conditions = CONDITIONS.iter().map(|condition| checker("liveness", None, condition.about()));
    invariants.chain(histories(&table)).chain(conditions).collect()
}

/// The checkers of histories of all services that a protocol offers.
fn histories(table: &ProtocolTable) -> Vec<Item> {
    let mut services: Vec<Service> = table.iter().flat_map(|kind| kind.about().services).collect();
    services.sort_unstable();
    services.dedup();
    let of_service = |service: Service| {
        let checkers = history::for_service(service).into_iter();
        checkers.map(move |one| checker("history", Some(&service.to_string()), one.about()))
    };
    services.into_iter().flat_map(of_service).collect()
}

fn checker(kind: &str, protocol: Option<&str>, about: &About) -> Item {
    let of = protocol.map_or_else(|| kind.to_owned(), |protocol| format!("{kind} of {protocol}"));
    let more = json!({
        "kind": kind,
        "protocol": protocol,
        "source": about.source,
        "leaves_out": about.leaves_out,
    });
    Item::new(about.name, format!("{} ({of})", about.statement), more)
}

fn workloads() -> Vec<Item> {
    let item = |about: &workload::WorkloadAbout| {
        Item::new(about.name, about.help, json!({ "service": about.service }))
    };
    workload::KINDS.iter().map(item).collect()
}

fn scenarios() -> Vec<Item> {
    let table = ProtocolTable::builtin();
    let item = |entry: &library::Entry| {
        let loaded = scenarios::load(entry.path, entry.text.as_bytes(), &[], &table);
        let scenario = loaded.expect("a test loads every scenario of the library").scenario;
        let more = json!({
            "protocol": scenario.protocol.name(),
            "nodes": scenario.nodes,
            "file": format!("scenarios/library/{}", entry.path),
        });
        Item::new(entry.name, scenario.summary, more)
    };
    library::all().iter().map(item).collect()
}

/// What more is known of an item, as headed blocks of text.
pub(crate) fn details(item: &Item) -> Vec<(String, String)> {
    let Value::Object(more) = &item.more else { return Vec::new() };
    let blocks = more.iter().map(|(heading, value)| (heading.replace('_', " "), block(value)));
    blocks.filter(|(_, text)| !text.trim().is_empty()).collect()
}

fn block(value: &Value) -> String {
    let mut table = Table::new([Align::Left, Align::Left, Align::Left]);
    let rows = match value {
        Value::Array(rows) => rows.as_slice(),
        Value::Null => &[],
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(value)
        }
    };
    for row in rows {
        let cell = |keys: &[&str]| {
            let found = keys.iter().find_map(|key| row.get(key)).and_then(Value::as_str);
            found.unwrap_or_default().trim_matches('"').to_owned()
        };
        match row.as_str() {
            Some(text) => table.row([text, "", ""]),
            None => table.row([cell(&["name"]), cell(&["default"]), cell(&["help", "statement"])]),
        }
    }
    table.to_string()
}
