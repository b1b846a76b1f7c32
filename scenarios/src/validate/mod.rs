//! What fields may be together: everything that no single value's type can refuse.
//!
//! Each check looks at the parsed scenario and objects by path; [`load`](crate::load::load) turns that into the line
//! of the file. Bounds are checked here, before anything is built, so that no scenario can ask for more memory or
//! time than a run has.

mod clients;
mod faults;
mod network;
mod objection;

use std::collections::BTreeMap;

use sim_core::check::CONDITIONS;
use sim_core::clock::DRIFT_LIMIT_PPM;
use sim_core::{NodeId, Span};

pub use self::objection::Objection;
use crate::format::{
    Clock, Core, Expectation, FORMAT_VERSION, Heal, HistoryChecks, Latency, Liveness, Scenario,
};
use crate::protocol::{MutantName, ProtocolKind, ProtocolTable};
use crate::run::history;
use crate::text::Step;

/// The most nodes of a scenario.
pub const NODES_MAX: u32 = 100_000;
/// The longest latency, service time or delay of one thing.
pub const LATENCY_MAX: Span = Span::secs(3_600);
/// The longest phase of a run.
pub const PHASE_MAX: Span = Span::secs(30 * 24 * 3_600);

/// Checks a scenario; `table` has the protocols it may name.
///
/// # Errors
/// The first thing that makes no sense.
pub fn validate(scenario: &Scenario, table: &ProtocolTable) -> Result<(), Objection> {
    check_head(scenario)?;
    let kind = check_protocol(scenario, table)?;
    check_nodes(scenario)?;
    clients::check_count(scenario)?;
    check_mutant(scenario, kind)?;
    kind.check(&scenario.protocol, &scenario.members())?;
    check_phases(scenario)?;
    check_hosts(scenario)?;
    network::check(scenario)?;
    clients::check(scenario, kind)?;
    faults::check(scenario, kind)?;
    check_judging(scenario, kind)
}

fn check_head(scenario: &Scenario) -> Result<(), Objection> {
    if scenario.format_version != FORMAT_VERSION {
        let problem = format!("there is no format version {}", scenario.format_version);
        return Err(Objection::new("format_version", problem).allowed(format!("`{FORMAT_VERSION}`")));
    }
    if scenario.name.trim().is_empty() {
        return Err(
            Objection::new("name", "the name is empty").hint("a few words in kebab-case: `leader-crash`")
        );
    }
    Ok(())
}

fn check_protocol<'table>(
    scenario: &Scenario,
    table: &'table ProtocolTable,
) -> Result<&'table dyn ProtocolKind, Objection> {
    let name = scenario.protocol.name();
    table.find(name).ok_or_else(|| {
        let problem = format!("there is no protocol `{name}` in the table");
        Objection::new("protocol", problem).allowed_names(name, &table.names())
    })
}

fn check_mutant(scenario: &Scenario, kind: &dyn ProtocolKind) -> Result<(), Objection> {
    let Some(MutantName(name)) = scenario.protocol.mutant() else { return Ok(()) };
    let mutants = kind.about().mutants;
    if mutants.iter().any(|mutant| mutant.name == name) {
        return Ok(());
    }
    let names: Vec<String> = mutants.iter().map(|mutant| mutant.name.to_owned()).collect();
    let problem = format!("`{}` has no mutant `{name}`", scenario.protocol.name());
    Err(Objection::new("protocol.mutant", problem).allowed_names(name, &names))
}

fn check_nodes(scenario: &Scenario) -> Result<(), Objection> {
    let nodes = scenario.nodes;
    if nodes == 0 || nodes > NODES_MAX {
        let problem = format!("a scenario cannot have {nodes} nodes");
        return Err(Objection::new("nodes", problem).allowed(format!("1 to {NODES_MAX}")));
    }
    exist(scenario, scenario.spares.nodes(), "spares")?;
    if scenario.members().is_empty() {
        let problem = "all nodes are spares, so nothing ever runs";
        return Err(Objection::new("spares", problem).hint("leave at least one node out"));
    }
    check_zones(scenario)
}

fn check_zones(scenario: &Scenario) -> Result<(), Objection> {
    let mut zone_of: BTreeMap<NodeId, &str> = BTreeMap::new();
    for (name, nodes) in &scenario.zones {
        let place = |problem: String| Objection::new("zones", problem).within(Step::Name(name.clone()));
        for node in nodes.nodes() {
            if node.raw() >= scenario.nodes {
                return Err(place(no_such_node(*node, scenario.nodes)).allowed(nodes_allowed(scenario.nodes)));
            }
            if let Some(other) = zone_of.insert(*node, name) {
                return Err(place(format!("{node} is in the zones `{other}` and `{name}`"))
                    .hint("remove it from one"));
            }
        }
    }
    Ok(())
}

fn check_phases(scenario: &Scenario) -> Result<(), Objection> {
    let phases = &scenario.phases;
    for (path, length) in [("phases.faults", phases.faults), ("phases.convergence", phases.convergence)] {
        let length = length.span();
        if length.is_zero() || length > PHASE_MAX {
            let problem = format!("a phase cannot last {length}");
            return Err(Objection::new(path, problem).allowed("more than `0s`, up to `720h` (30 days)"));
        }
    }
    if phases.steady.span() > PHASE_MAX {
        let problem = format!("a phase cannot last {}", phases.steady);
        return Err(Objection::new("phases.steady", problem).allowed("up to `720h` (30 days)"));
    }
    check_core(scenario)?;
    if phases.heal == Heal::Nothing && scenario.checks.liveness == Liveness::Required {
        let problem = "nothing heals, so the run cannot be required to converge";
        return Err(Objection::new("phases.heal", problem).hint("add `checks: (liveness: Ignored)`"));
    }
    if scenario.limits.events == 0 {
        let problem = "with 0 events nothing can happen";
        return Err(Objection::new("limits.events", problem).allowed("1 and more"));
    }
    Ok(())
}

/// That a core is some of the members.
fn check_core(scenario: &Scenario) -> Result<(), Objection> {
    let Heal::Core { nodes: Core::Nodes(nodes), .. } = &scenario.phases.heal else { return Ok(()) };
    exist(scenario, nodes.nodes(), "phases.heal.nodes")?;
    let members = scenario.members();
    if nodes.nodes().iter().any(|node| members.contains(node)) {
        return Ok(());
    }
    let problem = "no member is in the core, so nobody could serve";
    Err(Objection::new("phases.heal.nodes", problem).hint("name at least a majority of the members"))
}

fn check_hosts(scenario: &Scenario) -> Result<(), Objection> {
    latency("disks.write", &scenario.disks.write)?;
    latency("disks.sync", &scenario.disks.sync)?;
    latency("hosts.service", &scenario.hosts.service)?;
    if scenario.hosts.inbox == Some(0) {
        let problem = "an inbox for 0 inputs drops everything that has to wait";
        return Err(Objection::new("hosts.inbox", problem).allowed("1 and more"));
    }
    if scenario.clocks.error_drift.parts() < 0 {
        let problem = "what a node believes of its clock cannot get better with time";
        return Err(Objection::new("clocks.error_drift", problem).allowed("`0ppm` and more"));
    }
    scenario.clocks.nodes.iter().try_for_each(|(name, clock)| check_clock(scenario, name.id(), clock))
}

fn check_clock(scenario: &Scenario, node: NodeId, clock: &Clock) -> Result<(), Objection> {
    let place = |problem| Objection::new("clocks.nodes", problem).within(Step::Name(node.to_string()));
    if node.raw() >= scenario.nodes {
        return Err(place(no_such_node(node, scenario.nodes)).allowed(nodes_allowed(scenario.nodes)));
    }
    if clock.drift.parts().unsigned_abs() > DRIFT_LIMIT_PPM.unsigned_abs() {
        let problem = format!("a clock cannot drift by {}", clock.drift);
        let allowed = format!("-{DRIFT_LIMIT_PPM}ppm to {DRIFT_LIMIT_PPM}ppm");
        return Err(place(problem).within(Step::Name("drift".to_owned())).allowed(allowed));
    }
    Ok(())
}

fn check_judging(scenario: &Scenario, kind: &dyn ProtocolKind) -> Result<(), Objection> {
    let invariants: Vec<String> = kind.about().invariants.iter().map(|about| about.name.to_owned()).collect();
    let wanted = scenario.checks.invariants.as_deref().unwrap_or(&invariants);
    for (index, name) in wanted.iter().enumerate() {
        if !invariants.contains(name) {
            let problem = format!("`{}` has no invariant `{name}`", scenario.protocol.name());
            let objection = Objection::new("checks.invariants", problem).within(Step::Index(index));
            return Err(objection.allowed_names(name, &invariants));
        }
    }
    let checkers = check_history(scenario, kind)?;
    let Expectation::Violation(property) = &scenario.expect else { return Ok(()) };
    let conditions = CONDITIONS.iter().map(|condition| condition.about().name.to_owned());
    let mut known: Vec<String> = wanted.iter().cloned().chain(checkers).chain(conditions).collect();
    known.push(crate::run::PANIC.to_owned());
    if known.contains(property) {
        return Ok(());
    }
    let problem = format!("nothing in this run can violate `{property}`");
    Err(Objection::new("expect", problem).allowed_names(property, &known))
}

/// The names of the checkers of the history.
fn check_history(scenario: &Scenario, kind: &dyn ProtocolKind) -> Result<Vec<String>, Objection> {
    if scenario.checks.history_budget == 0 {
        let problem = "in 0 steps nothing can be told";
        return Err(Objection::new("checks.history_budget", problem).allowed("1 and more"));
    }
    let all = history::checkers(scenario, kind);
    let names: Vec<String> = all.iter().map(|checker| checker.about().name.to_owned()).collect();
    match &scenario.checks.history {
        HistoryChecks::Usual => Ok(names),
        HistoryChecks::Off => Ok(Vec::new()),
        HistoryChecks::Only(wanted) => match wanted.iter().find(|name| !names.contains(name)) {
            None => Ok(wanted.clone()),
            Some(unknown) => {
                let problem = format!("no checker of histories here is called `{unknown}`");
                Err(Objection::new("checks.history", problem).allowed_names(unknown, &names))
            }
        },
    }
}

/// That something takes no longer than an hour.
fn latency(path: &str, latency: &Latency) -> Result<(), Objection> {
    if latency.maximum() <= LATENCY_MAX {
        return Ok(());
    }
    let problem = format!("`{latency}` takes up to {}", latency.maximum());
    Err(Objection::new(path, problem).allowed("times up to `1h`"))
}

/// That all of the nodes are there.
fn exist(scenario: &Scenario, nodes: &[NodeId], path: &str) -> Result<(), Objection> {
    match nodes.iter().position(|node| node.raw() >= scenario.nodes) {
        None => Ok(()),
        Some(index) => {
            let problem = no_such_node(nodes[index], scenario.nodes);
            let objection = Objection::new(path, problem).within(Step::Index(index));
            Err(objection.allowed(nodes_allowed(scenario.nodes)))
        }
    }
}

fn no_such_node(node: NodeId, nodes: u32) -> String {
    format!("there is no node `{node}`: the scenario has {nodes} nodes")
}

fn nodes_allowed(nodes: u32) -> String {
    if nodes == 1 { "`n1`".to_owned() } else { format!("`n1` to `n{nodes}`") }
}
