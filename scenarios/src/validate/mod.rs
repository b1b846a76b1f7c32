//! What fields may be together: everything that no single value's type can refuse.
//!
//! Each check looks at the parsed scenario and objects by path; [`load`](crate::load::load) turns that into the line
//! of the file. Bounds are checked here, before anything is built, so that no scenario can ask for more memory or
//! time than a run has.

mod acts;
mod clients;
mod domains;
mod faults;
mod network;
mod objection;

use sim_core::check::CONDITIONS;
use sim_core::clock::{DRIFT_LIMIT_PPM, SLEW_LIMIT_PPM};
use sim_core::{ClientId, NodeId, Span};

pub use self::objection::Objection;
use crate::format::{
    Clock, Core, Expectation, FORMAT_VERSION, Heal, HistoryChecks, Latency, Liveness, Scenario,
};
use crate::protocol::{MutantName, ProtocolKind, ProtocolTable};
use crate::run::history;
use crate::text::Step;
use crate::text::units::Ppm;

/// The most nodes of a scenario.
pub const NODES_MAX: u32 = 1_000_000;
/// The longest latency, service time or delay of one thing.
pub const LATENCY_MAX: Span = Span::secs(3_600);
const LATENCIES_ALLOWED: &str = "times up to `1h`";
const LATENCIES_HINT: &str = "write a shorter time, such as `\"5ms\"`";
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
        return Err(Objection::new(
            "format_version",
            problem,
            format!("`{FORMAT_VERSION}`"),
            format!("write `format_version: {FORMAT_VERSION}`"),
        ));
    }
    if scenario.name.trim().is_empty() {
        let hint = "a few words in kebab-case: `leader-crash`";
        return Err(Objection::new("name", "the name is empty", "at least one letter", hint));
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
        Objection::unknown("protocol", problem, name, &table.names())
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
    Err(Objection::unknown("protocol.mutant", problem, name, &names))
}

fn check_nodes(scenario: &Scenario) -> Result<(), Objection> {
    let nodes = scenario.nodes;
    if nodes == 0 || nodes > NODES_MAX {
        let problem = format!("a scenario cannot have {nodes} nodes");
        return Err(Objection::new(
            "nodes",
            problem,
            format!("1 to {NODES_MAX}"),
            "write a number such as `nodes: 5`",
        ));
    }
    exist(scenario, scenario.spares.nodes(), "spares")?;
    if scenario.members().is_empty() {
        let problem = "all nodes are spares, so nothing ever runs";
        let allowed = format!("up to {} of the {nodes} nodes", nodes - 1);
        return Err(Objection::new("spares", problem, allowed, "leave at least one node out"));
    }
    domains::check(scenario)
}

fn check_phases(scenario: &Scenario) -> Result<(), Objection> {
    let phases = &scenario.phases;
    for (path, length) in [("phases.faults", phases.faults), ("phases.convergence", phases.convergence)] {
        let length = length.span();
        if length.is_zero() || length > PHASE_MAX {
            let problem = format!("a phase cannot last {length}");
            let allowed = "more than `0s`, up to `720h` (30 days)";
            return Err(Objection::new(path, problem, allowed, "write a time such as `\"10s\"`"));
        }
    }
    if phases.steady.span() > PHASE_MAX {
        let problem = format!("a phase cannot last {}", phases.steady);
        let hint = "write a time such as `\"10s\"`";
        return Err(Objection::new("phases.steady", problem, "up to `720h` (30 days)", hint));
    }
    check_core(scenario)?;
    if phases.heal == Heal::Nothing && scenario.checks.liveness == Liveness::Required {
        let problem = "nothing heals, so the run cannot be required to converge";
        let allowed = "`Nothing` where `liveness` is `Ignored`, and what heals";
        return Err(Objection::new("phases.heal", problem, allowed, "add `checks: (liveness: Ignored)`"));
    }
    if scenario.limits.events == 0 {
        let problem = "with 0 events nothing can happen";
        return Err(Objection::new(
            "limits.events",
            problem,
            "1 and more",
            "leave the limit out for the usual one",
        ));
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
    let hint = "name at least a majority of the members";
    Err(Objection::new("phases.heal.nodes", problem, "nodes that are no spares", hint))
}

fn check_hosts(scenario: &Scenario) -> Result<(), Objection> {
    latency("disks.write", &scenario.disks.write)?;
    latency("disks.sync", &scenario.disks.sync)?;
    latency("hosts.service", &scenario.hosts.service)?;
    if scenario.hosts.inbox == Some(0) {
        let problem = "an inbox for 0 inputs drops everything that has to wait";
        return Err(Objection::new(
            "hosts.inbox",
            problem,
            "1 and more",
            "leave it out for an inbox without a bound",
        ));
    }
    if scenario.clocks.error_drift.parts() < 0 {
        let problem = "what a node believes of its clock cannot get better with time";
        let hint = "write it without the `-`";
        return Err(Objection::new("clocks.error_drift", problem, "`0ppm` and more", hint));
    }
    scenario.clocks.nodes.iter().try_for_each(|(name, clock)| check_clock(scenario, name.id(), clock))
}

fn check_clock(scenario: &Scenario, node: NodeId, clock: &Clock) -> Result<(), Objection> {
    let within = |objection: Objection| objection.within(Step::Name(node.to_string()));
    if node.raw() >= scenario.nodes {
        return Err(within(no_such_node("clocks.nodes", node, scenario.nodes)));
    }
    if clock.drift.parts().unsigned_abs() > DRIFT_LIMIT_PPM.unsigned_abs() {
        let problem = format!("a clock cannot drift by {}", clock.drift);
        let allowed = format!("-{DRIFT_LIMIT_PPM}ppm to {DRIFT_LIMIT_PPM}ppm");
        let objection =
            Objection::new("clocks.nodes", problem, allowed, "real clocks drift by up to `200ppm`");
        return Err(within(objection).within(Step::Name("drift".to_owned())));
    }
    match clock.slew {
        Some(rate) if !is_slew(rate) => {
            let objection = no_slew("clocks.nodes", rate);
            Err(within(objection).within(Step::Name("slew".to_owned())))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a clock can be led to true time at this rate.
fn is_slew(rate: Ppm) -> bool {
    u32::try_from(rate.parts()).is_ok_and(|parts| (1..=SLEW_LIMIT_PPM).contains(&parts))
}

fn no_slew(path: &str, rate: Ppm) -> Objection {
    let problem = format!("a clock cannot be slewed at {rate}");
    let allowed = format!("1ppm to {SLEW_LIMIT_PPM}ppm, whichever way it is off");
    Objection::new(path, problem, allowed, format!("NTP slews at up to `{SLEW_LIMIT_PPM}ppm`"))
}

fn check_judging(scenario: &Scenario, kind: &dyn ProtocolKind) -> Result<(), Objection> {
    let invariants: Vec<String> = kind.about().invariants.iter().map(|about| about.name.to_owned()).collect();
    let wanted = scenario.checks.invariants.as_deref().unwrap_or(&invariants);
    for (index, name) in wanted.iter().enumerate() {
        if !invariants.contains(name) {
            let problem = format!("`{}` has no invariant `{name}`", scenario.protocol.name());
            let objection = Objection::unknown("checks.invariants", problem, name, &invariants);
            return Err(objection.within(Step::Index(index)));
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
    Err(Objection::unknown("expect", problem, property, &known))
}

/// The names of the checkers of the history.
fn check_history(scenario: &Scenario, kind: &dyn ProtocolKind) -> Result<Vec<String>, Objection> {
    if scenario.checks.history_budget == 0 {
        let problem = "in 0 steps nothing can be told";
        let hint = "leave it out for the usual budget";
        return Err(Objection::new("checks.history_budget", problem, "1 and more", hint));
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
                Err(Objection::unknown("checks.history", problem, unknown, &names))
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
    Err(Objection::new(path, problem, LATENCIES_ALLOWED, LATENCIES_HINT))
}

/// That all of the nodes are there.
fn exist(scenario: &Scenario, nodes: &[NodeId], path: &str) -> Result<(), Objection> {
    match nodes.iter().position(|node| node.raw() >= scenario.nodes) {
        None => Ok(()),
        Some(index) => Err(no_such_node(path, nodes[index], scenario.nodes).within(Step::Index(index))),
    }
}

/// `node` is named at `path`, and the scenario has fewer.
fn no_such_node(path: &str, node: NodeId, nodes: u32) -> Objection {
    let problem = format!("there is no node `{node}`: the scenario has {nodes} nodes");
    let allowed = if nodes == 1 { "`n1`".to_owned() } else { format!("`n1` to `n{nodes}`") };
    let hint = format!("name one of them, or add nodes: `nodes: {}`", u64::from(node.raw()) + 1);
    Objection::new(path, problem, allowed, hint)
}

/// `client` is named at `path`, and the scenario has fewer.
fn no_such_client(path: &str, client: ClientId, clients: u32) -> Objection {
    let problem = format!("there is no client `{client}`: the scenario has {clients} clients");
    let allowed = match clients {
        0 => "no client".to_owned(),
        1 => "`c1`".to_owned(),
        _ => format!("`c1` to `c{clients}`"),
    };
    let hint =
        format!("name one of them, or add clients: `clients: (count: {})`", u64::from(client.raw()) + 1);
    Objection::new(path, problem, allowed, hint)
}
