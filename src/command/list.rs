//! `splitbrain list`: what there is, with a line of help each.

mod catalogue;
mod schema;

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use scenarios::Scenario;
use schemars::schema_for;
use serde_json::Value;

use self::catalogue::{Item, Section, details};
use super::Format;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::output::Output;
use crate::report::Report;
use crate::table::{Align, Table};

/// List scenarios, protocols, faults, checkers and workloads.
///
/// With a NAME, everything known of that one: of a protocol its parameters with their defaults, its invariants, its
/// timers.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain list                          everything, a line each
  splitbrain list scenarios                what `splitbrain run` finds by name
  splitbrain list protocols raft           Raft's parameters, with defaults and units
  splitbrain list faults --format json     for scripts
  splitbrain list --schema scenario        the JSON schema of scenario files

Exit codes:
    0  there was something to list
    2  wrong usage
    4  nothing of that name")]
pub(crate) struct Arguments {
    /// What to list [default: everything]
    what: Option<Section>,
    /// Only this one, with its details
    #[arg(requires = "what")]
    name: Option<String>,
    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
    /// Print a JSON schema instead
    #[arg(long, value_name = "DOCUMENT", conflicts_with_all = ["what", "format"], help_heading = "Output")]
    schema: Option<Document>,
}

/// A document with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Document {
    /// What `ablate --format json` prints.
    Ablation,
    /// What `compare --format json` prints.
    Comparison,
    /// What `explain --format json` prints.
    Explanation,
    /// What `run --format json` prints.
    Report,
    /// Scenario files.
    Scenario,
    /// What `search --format json` prints.
    Search,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    if let Some(document) = arguments.schema {
        let schema = match document {
            Document::Ablation => schema_for!(crate::report::ablate::Document),
            Document::Comparison => schema_for!(crate::report::compare::Document),
            Document::Explanation => schema_for!(crate::report::explain::Document<'static>),
            Document::Report => schema_for!(Report),
            Document::Search => schema_for!(crate::report::search::Document),
            Document::Scenario => Scenario::schema(),
        };
        output.json(&schema)?;
        return Ok(ExitCode::PASS);
    }
    match (arguments.what, &arguments.name) {
        (Some(section), Some(name)) => print_one(section, name, arguments.format, output)?,
        (Some(section), None) => print_all(&[section], arguments.format, output)?,
        (None, _) => print_all(Section::value_variants(), arguments.format, output)?,
    }
    Ok(ExitCode::PASS)
}

fn print_all(sections: &[Section], format: Format, output: &mut Output) -> Result<(), Failure> {
    let listed = sections.iter().map(|section| (section.name(), section.items()));
    match format {
        Format::Json => {
            let document: serde_json::Map<String, Value> = listed
                .map(|(name, items)| (name.to_owned(), items.into_iter().map(Item::into_json).collect()))
                .collect();
            output.json(&document)
        }
        Format::Human => {
            let texts: Vec<String> = listed.map(|(name, items)| section_text(name, &items)).collect();
            output.print(texts.join("\n"))
        }
    }
}

fn section_text(name: &str, items: &[Item]) -> String {
    let mut table = Table::new([Align::Left, Align::Left]);
    for item in items {
        table.row([&item.name, &item.help]);
    }
    format!("{name}\n{table}")
}

fn print_one(section: Section, name: &str, format: Format, output: &mut Output) -> Result<(), Failure> {
    let items = section.items();
    let Some(item) = items.iter().find(|item| item.name == name) else {
        return Err(unknown(section, name, &items));
    };
    match format {
        Format::Json => output.json(&item.clone().into_json()),
        Format::Human => {
            let mut text = format!("{}\n  {}\n", item.name, item.help);
            for (heading, lines) in details(item) {
                write!(text, "\n{heading}\n{lines}").expect("a string takes every text");
            }
            output.print(text)
        }
    }
}

fn unknown(section: Section, name: &str, items: &[Item]) -> Failure {
    let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
    let message = format!("there is no `{name}` among the {}", section.name());
    let allowed = format!("one of {} names", names.len());
    let otherwise = format!("`splitbrain list {}` shows all", section.name());
    Usage::unknown(message, allowed, name, &names, otherwise).into()
}
