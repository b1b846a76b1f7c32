//! Checks of what goes wrong.

use sim_core::Span;
use sim_core::clock::ClockError;
use sim_core::fault::{Entry, Plan, PlanError, Target, table};

use super::{Objection, no_such_node, nodes_allowed};
use crate::format::{Act, Periodic, Random, Request, Scenario, Timed};
use crate::plan::{Naming, RandomFaults};
use crate::protocol::ProtocolKind;
use crate::text::Step;
use crate::text::units::Time;

/// The most faults of a run.
const FAULTS_MAX: u64 = 1_000_000;

pub(super) fn check(scenario: &Scenario, kind: &dyn ProtocolKind) -> Result<(), Objection> {
    for (index, timed) in scenario.faults.timed.iter().enumerate() {
        check_timed(scenario, timed, &format!("faults.timed[{index}]"))?;
    }
    for (index, periodic) in scenario.faults.periodic.iter().enumerate() {
        check_periodic(scenario, periodic, &format!("faults.periodic[{index}]"))?;
    }
    match &scenario.faults.random {
        Some(random) => check_random(scenario, random, kind.about().region_count),
        None => Ok(()),
    }
}

fn check_timed(scenario: &Scenario, timed: &Timed, path: &str) -> Result<(), Objection> {
    match (timed.at, timed.when) {
        (Some(at), None) => within_faults(scenario, at, &format!("{path}.at"))?,
        (None, Some(when)) if when.nth == 0 => {
            let problem = "occurrences count from 1";
            return Err(Objection::new(&format!("{path}.when.nth"), problem).allowed("1 and more"));
        }
        (None, Some(_)) => {}
        (Some(_), Some(_)) => {
            let problem = "a fault comes `at` a time or `when` something has happened, not both";
            return Err(Objection::new(&format!("{path}.when"), problem).hint("remove one of them"));
        }
        (None, None) => {
            let problem = "the fault has no time";
            return Err(
                Objection::new(path, problem).hint("add `at: \"2s\"` or `when: (event: BecomesLeader)`")
            );
        }
    }
    check_act(scenario, &timed.act, &format!("{path}.do"))?;
    check_undo(scenario, timed.undo_after, timed.undo.as_ref(), &timed.act, path)
}

fn check_periodic(scenario: &Scenario, periodic: &Periodic, path: &str) -> Result<(), Objection> {
    if periodic.every.span().is_zero() {
        let problem = "a fault cannot come every 0s";
        return Err(Objection::new(&format!("{path}.every"), problem).allowed("more than `0s`"));
    }
    if let Some(from) = periodic.from {
        within_faults(scenario, from, &format!("{path}.from"))?;
    }
    let from = periodic.from.unwrap_or(periodic.every);
    let until = periodic.until.unwrap_or(scenario.phases.faults);
    if until <= from {
        let field = if periodic.until.is_some() { "until" } else { "every" };
        let problem = format!("the first would come at {from}, and none comes from {until} on");
        return Err(Objection::new(&format!("{path}.{field}"), problem));
    }
    let count = until.span().min(scenario.phases.faults.span()).as_nanos() / periodic.every.span().as_nanos();
    too_many(count, &format!("{path}.every"))?;
    check_act(scenario, &periodic.act, &format!("{path}.do"))?;
    check_undo(scenario, periodic.undo_after, periodic.undo.as_ref(), &periodic.act, path)
}

fn check_undo(
    scenario: &Scenario,
    after: Option<Time>,
    undo: Option<&Act>,
    act: &Act,
    path: &str,
) -> Result<(), Objection> {
    match (after, undo) {
        (None, Some(_)) => {
            let problem = "`undo` says what, but nothing says when";
            Err(Objection::new(&format!("{path}.undo"), problem).hint("add `undo_after`"))
        }
        (Some(_), None) if act.opposite().is_none() => {
            let problem = "this act has no opposite that could undo it";
            Err(Objection::new(&format!("{path}.undo_after"), problem).hint("say which with `undo`"))
        }
        (_, Some(undo)) => check_act(scenario, undo, &format!("{path}.undo")),
        (_, None) => Ok(()),
    }
}

/// That an act is possible in this scenario.
fn check_act(scenario: &Scenario, act: &Act, path: &str) -> Result<(), Objection> {
    let refuse = |problem: String| Objection::new(path, problem);
    if let Act::DiskSlow { times: 0, .. } = act {
        return Err(refuse("a disk cannot be 0 times as slow".to_owned()).allowed("1 and more"));
    }
    if let Act::Ask(request) = act {
        check_request(scenario, *request, path)?;
    }
    let timed =
        Timed { at: Some(Time::default()), when: None, act: act.clone(), undo_after: None, undo: None };
    let entries = Naming::of_act(act, scenario).timed(&timed);
    check_zones(scenario, &entries, path)?;
    let plan = Plan::new(entries, Vec::new());
    plan.validate(scenario.nodes, scenario.clients.total()).map_err(|error| match error {
        PlanError::NoSuchNode { node, .. } => {
            refuse(no_such_node(node, scenario.nodes)).allowed(nodes_allowed(scenario.nodes))
        }
        PlanError::NoSuchClient { client, client_count, .. }
        | PlanError::NoSuchScript { client, client_count } => {
            refuse(format!("there is no client `{client}`: the scenario has {client_count} clients"))
        }
        PlanError::SlowDown { percent, .. } => {
            refuse(format!("a node cannot take {percent} percent of its usual time"))
                .allowed("100 (usual speed) and more")
        }
        PlanError::Clock { source, .. } => refuse_clock(source, path),
        PlanError::OccurrenceZero { .. } => unreachable!("the entry has a time"),
    })
}

/// That an administrator can ask for this.
fn check_request(scenario: &Scenario, request: Request, path: &str) -> Result<(), Objection> {
    let nodes = request.nodes();
    if let Some(node) = nodes.iter().find(|node| node.raw() >= scenario.nodes) {
        let problem = no_such_node(*node, scenario.nodes);
        return Err(Objection::new(path, problem).allowed(nodes_allowed(scenario.nodes)));
    }
    if let [one, other] = nodes[..]
        && one == other
    {
        return Err(Objection::new(path, format!("`{one}` is named twice")).allowed("two nodes"));
    }
    if scenario.clients.total() == 0 {
        let problem = "nobody is there to ask: the scenario has no clients";
        return Err(Objection::new(path, problem).hint("add `clients: (admins: 1)`"));
    }
    Ok(())
}

fn refuse_clock(error: ClockError, path: &str) -> Objection {
    Objection::new(path, error.to_string())
}

fn check_zones(scenario: &Scenario, entries: &[Entry], path: &str) -> Result<(), Objection> {
    let targets = entries.iter().flat_map(|entry| entry.command.names());
    let unknown = targets.into_iter().find_map(|target| match target {
        Target::Zone(name) if !scenario.zones.contains_key(&name) => Some(name),
        _ => None,
    });
    let Some(name) = unknown else { return Ok(()) };
    let zones: Vec<String> = scenario.zones.keys().cloned().collect();
    let objection = Objection::new(path, format!("there is no zone `{name}`"));
    Err(if zones.is_empty() {
        objection.hint("say in `zones` which nodes it has")
    } else {
        objection.allowed_names(&name, &zones)
    })
}

fn within_faults(scenario: &Scenario, at: Time, path: &str) -> Result<(), Objection> {
    let end = scenario.phases.faults;
    if at < end {
        return Ok(());
    }
    let problem = format!("a fault at {at} comes after the fault phase, which ends at {end}");
    Err(Objection::new(path, problem)
        .hint(format!("an earlier time, or a longer `phases: (faults: \"{}\")`", at_least(at))))
}

/// A round length of the fault phase that has room for something at `at`.
fn at_least(at: Time) -> Span {
    Span::secs(at.span().as_nanos() / 1_000_000_000 + 5)
}

fn too_many(count: u64, path: &str) -> Result<(), Objection> {
    if count <= FAULTS_MAX {
        return Ok(());
    }
    Err(Objection::new(path, format!("that makes {count} faults")).allowed(format!("up to {FAULTS_MAX}")))
}

fn check_random(scenario: &Scenario, random: &Random, region_count: u8) -> Result<(), Objection> {
    for name in random.rates.keys() {
        if table::find(name).is_none() {
            let names: Vec<String> = table::KINDS.iter().map(|kind| kind.about().name.to_owned()).collect();
            let objection =
                Objection::new("faults.random.rates", format!("there is no kind of fault `{name}`"));
            return Err(objection.within(Step::Name(name.clone())).allowed_names(name, &names));
        }
    }
    if random.concurrent_max == 0 {
        let problem = "with 0 faults at once none ever comes";
        return Err(Objection::new("faults.random.concurrent_max", problem).allowed("1 and more"));
    }
    if random.quiet() >= scenario.phases.faults.span() {
        let problem = format!(
            "faults from {} on, of at least {}, that end {} before the end do not fit into a fault phase of {}",
            random.start,
            random.duration.low(),
            random.settle,
            scenario.phases.faults
        );
        return Err(Objection::new("faults.random", problem)
            .hint("a longer `phases: (faults: …)`, or a shorter `start` or `settle`"));
    }
    let generator = RandomFaults::of(scenario, region_count).expect("the scenario has random faults");
    too_many(generator.expected_count(), "faults.random.rates")
}
