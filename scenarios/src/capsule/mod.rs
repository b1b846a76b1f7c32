//! A failure on disk: all that it takes to run it again, in one file that people can read.
//!
//! ```text
//! Capsule(
//!     format_version: 1,
//!     made_by: "0.1.0",             the version of the program
//!     seed: 42,
//!     verdict: "violation of leader-completeness",
//!     property: "leader-completeness",
//!     evidence: "n2 leads term 5 …",
//!     digest: "0f…", events: 863,   what running it again must give
//!     plan: (entries: [ … ]),       every command, as asked and as it was
//!     scenario: Scenario( … ),      as it was written, overrides applied
//! )
//! ```
//!
//! The scenario stands last, as it was written, so that a shrunk run reads as if somebody had written it. The plan
//! says what was drawn: it is what a later version of the program follows, which may draw otherwise.

#[cfg(test)]
mod tests;
mod write;

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sim_core::Digest;
use sim_core::fault::Plan;

use crate::format::Scenario;
use crate::load::{self, Loaded};
use crate::protocol::{ProtocolKind, ProtocolTable};
use crate::run::Report;
use crate::text::diagnostic::name_advice;
use crate::text::{self, Diagnostic, Document, Override, Path};

/// The newest version of the format, and the only one there is.
pub const FORMAT_VERSION: u32 = 1;

/// The version of this program, as capsules name it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a capsule says of its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Capsule", deny_unknown_fields)]
pub struct Capsule {
    /// The version of the format: 1.
    pub format_version: u32,
    /// The version of the program that ran it.
    pub made_by: String,
    /// The seed.
    pub seed: u64,
    /// Fields of the scenario that were set by hand, `nodes=3`. They stand in it already; its `draw` leaves them alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// What the run ended with, in words.
    pub verdict: String,
    /// The first property violated; empty where none was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub property: String,
    /// The values that show the violation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub evidence: String,
    /// The digest that running it again must give.
    #[serde(serialize_with = "write_digest", deserialize_with = "read_digest")]
    pub digest: Digest,
    /// How many events happened.
    pub events: u64,
    /// Every command.
    pub plan: Plan,
    /// What was simulated.
    pub scenario: Scenario,
}

/// A capsule that was read and checked.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What it says.
    pub capsule: Capsule,
    /// Its scenario, ready to be run.
    pub loaded: Loaded,
}

impl Capsule {
    /// That of a run of `loaded`. A scenario that lets the seed draw fields keeps them open: the seed draws the same.
    pub fn of(loaded: &Loaded, report: &Report) -> Self {
        let first = report.violations.first();
        Self {
            format_version: FORMAT_VERSION,
            made_by: VERSION.to_owned(),
            seed: report.seed,
            set: loaded.overrides().iter().map(ToString::to_string).collect(),
            verdict: report.verdict.to_string(),
            property: first.map(|violation| violation.property.clone()).unwrap_or_default(),
            evidence: first.map(|violation| violation.evidence.clone()).unwrap_or_default(),
            digest: report.digest,
            events: report.events,
            plan: report.plan.clone(),
            scenario: loaded.scenario.clone(),
        }
    }

    /// Whether this version of the program made it: then running it again must give its digest.
    pub fn is_of_this_version(&self) -> bool {
        self.made_by == VERSION
    }
}

/// Reads and checks a capsule. `name` is what errors call the file; `table` has the protocols it may use.
///
/// # Errors
/// The first thing that is wrong, with its place: as for scenarios, and a plan that does not fit its scenario.
pub fn open(name: &str, bytes: &[u8], table: &ProtocolTable) -> Result<Opened, Diagnostic> {
    let document = Document::read(name, bytes)?;
    load::check_version(&document, FORMAT_VERSION)?;
    let capsule: Capsule = text::parse(&document)?;
    let part = document.part(&path("scenario")).expect("a capsule without a scenario was just refused");
    let set =
        capsule.set.iter().map(|text| Override::parse_for("set:", text)).collect::<Result<Vec<_>, _>>()?;
    let loaded = load::checked(part, &set, &[], table)?;
    let configured = loaded.configured(capsule.seed, table);
    let (nodes, clients) = (configured.scenario.nodes, configured.scenario.clients.total());
    capsule.plan.validate(nodes, clients).map_err(|error| {
        let allowed =
            format!("nodes `n1` to `n{nodes}`, {clients} clients, and values that a fault may have");
        let hint = "the plan of a capsule is what its run did; edit the scenario with it, or run it anew";
        Diagnostic::new(error.to_string(), document.place_of(&path("plan")), allowed, hint)
    })?;
    check_names(&capsule.plan, configured.scenario.protocol.name(), table).map_err(
        |(problem, allowed, hint)| Diagnostic::new(problem, document.place_of(&path("plan")), allowed, hint),
    )?;
    Ok(Opened { capsule, loaded })
}

/// That the protocol has the fault points and the timers that a plan names; else what is wrong, what is allowed and a hint.
fn check_names(plan: &Plan, protocol: &str, table: &ProtocolTable) -> Result<(), (String, String, String)> {
    let Some(about) = table.find(protocol).map(ProtocolKind::about) else { return Ok(()) };
    let points = plan.fault_points().map(|name| ("fault point", name, &about.fault_points));
    let timers = plan.timers().map(|name| ("timer", name, &about.timers));
    let mut named = points.chain(timers);
    let Some((what, name, known)) = named.find(|(_, name, known)| !known.contains(&name.as_str())) else {
        return Ok(());
    };
    let (allowed, hint) = name_advice(name.as_str(), known);
    Err((format!("`{protocol}` has no {what} `{name}`"), allowed, hint))
}

fn path(text: &str) -> Path {
    Path::parse(text).expect("paths in code are well-formed")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn write_digest<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

fn read_digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(deserializer)?;
    Digest::from_str(&text).map_err(de::Error::custom)
}
