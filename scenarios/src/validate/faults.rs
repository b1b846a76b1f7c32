//! Checks of what goes wrong.

use sim_core::Span;
use sim_core::clock::{ClockError, DRIFT_LIMIT_PPM};
use sim_core::fault::{Entry, Plan, PlanError, Target, table};

use super::{Objection, no_such_client, no_such_node};
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
            let hint = "write `nth: 1` for the first";
            return Err(Objection::new(&format!("{path}.when.nth"), problem, "1 and more", hint));
        }
        (None, Some(_)) => {}
        (Some(_), Some(_)) => {
            let problem = "a fault comes `at` a time or `when` something has happened, not both";
            let allowed = "one of the two";
            return Err(Objection::new(&format!("{path}.when"), problem, allowed, "remove one of them"));
        }
        (None, None) => {
            let allowed = "`at` a time or `when` something has happened";
            let hint = "add `at: \"2s\"` or `when: (event: BecomesLeader)`";
            return Err(Objection::new(path, "the fault has no time", allowed, hint));
        }
    }
    check_act(scenario, &timed.act, &format!("{path}.do"))?;
    check_undo(scenario, timed.undo_after, timed.undo.as_ref(), &timed.act, path)
}

fn check_periodic(scenario: &Scenario, periodic: &Periodic, path: &str) -> Result<(), Objection> {
    if periodic.every.span().is_zero() {
        let problem = "a fault cannot come every 0s";
        let hint = "write a time such as `\"2s\"`";
        return Err(Objection::new(&format!("{path}.every"), problem, "more than `0s`", hint));
    }
    if let Some(from) = periodic.from {
        within_faults(scenario, from, &format!("{path}.from"))?;
    }
    let from = periodic.from.unwrap_or(periodic.every);
    let until = periodic.until.unwrap_or(scenario.phases.faults);
    if until <= from {
        let field = if periodic.until.is_some() { "until" } else { "every" };
        let problem = format!("the first would come at {from}, and none comes from {until} on");
        let allowed = format!("times that leave one fault between {from} and {until}");
        let hint = "an earlier `from`, a shorter `every` or a later `until`";
        return Err(Objection::new(&format!("{path}.{field}"), problem, allowed, hint));
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
            let allowed = "`undo` beside `undo_after`";
            Err(Objection::new(&format!("{path}.undo"), problem, allowed, "add `undo_after`"))
        }
        (Some(_), None) if act.opposite().is_none() => {
            let problem = "this act has no opposite that could undo it";
            let allowed = "`undo_after` beside `undo`, or acts with an opposite";
            Err(Objection::new(&format!("{path}.undo_after"), problem, allowed, "say which with `undo`"))
        }
        (_, Some(undo)) => check_act(scenario, undo, &format!("{path}.undo")),
        (_, None) => Ok(()),
    }
}

/// That an act is possible in this scenario.
fn check_act(scenario: &Scenario, act: &Act, path: &str) -> Result<(), Objection> {
    if let Act::DiskSlow { times: 0, .. } = act {
        let problem = "a disk cannot be 0 times as slow";
        return Err(Objection::new(path, problem, "1 and more", "1 is the usual speed, 10 is slow"));
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
        PlanError::NoSuchNode { node, .. } => no_such_node(path, node, scenario.nodes),
        PlanError::NoSuchClient { client, client_count, .. }
        | PlanError::NoSuchScript { client, client_count } => no_such_client(path, client, client_count),
        PlanError::SlowDown { percent, .. } => {
            let problem = format!("a node cannot take {percent} percent of its usual time");
            let hint = "300 is three times as slow";
            Objection::new(path, problem, "100 (usual speed) and more", hint)
        }
        PlanError::Clock { source, .. } => refuse_clock(source, path),
        PlanError::OccurrenceZero { .. } => unreachable!("the entry has a time"),
    })
}

/// That an administrator can ask for this.
fn check_request(scenario: &Scenario, request: Request, path: &str) -> Result<(), Objection> {
    let nodes = request.nodes();
    if let Some(node) = nodes.iter().find(|node| node.raw() >= scenario.nodes) {
        return Err(no_such_node(path, *node, scenario.nodes));
    }
    if let [one, other] = nodes[..]
        && one == other
    {
        let problem = format!("`{one}` is named twice");
        return Err(Objection::new(path, problem, "two nodes", "name another one in one of the places"));
    }
    if scenario.clients.total() == 0 {
        let problem = "nobody is there to ask: the scenario has no clients";
        let allowed = "requests where there are clients or administrators";
        return Err(Objection::new(path, problem, allowed, "add `clients: (admins: 1)`"));
    }
    Ok(())
}

fn refuse_clock(error: ClockError, path: &str) -> Objection {
    let allowed = format!(
        "drifts of -{DRIFT_LIMIT_PPM}ppm to {DRIFT_LIMIT_PPM}ppm, strobes that last, times that a clock can show"
    );
    Objection::new(path, error.to_string(), allowed, "a smaller change, such as `\"100ms\"` or `\"200ppm\"`")
}

fn check_zones(scenario: &Scenario, entries: &[Entry], path: &str) -> Result<(), Objection> {
    let targets = entries.iter().flat_map(|entry| entry.command.names());
    let unknown = targets.into_iter().find_map(|target| match target {
        Target::Zone(name) if !scenario.zones.contains_key(&name) => Some(name),
        _ => None,
    });
    let Some(name) = unknown else { return Ok(()) };
    let zones: Vec<String> = scenario.zones.keys().cloned().collect();
    let problem = format!("there is no zone `{name}`");
    Err(if zones.is_empty() {
        let hint = format!("say which nodes it has: `zones: {{\"{name}\": [\"n1\", \"n2\"]}}`");
        Objection::new(path, problem, "zones that `zones` names: there are none", hint)
    } else {
        Objection::unknown(path, problem, &name, &zones)
    })
}

fn within_faults(scenario: &Scenario, at: Time, path: &str) -> Result<(), Objection> {
    let end = scenario.phases.faults;
    if at < end {
        return Ok(());
    }
    let problem = format!("a fault at {at} comes after the fault phase, which ends at {end}");
    let hint = format!("an earlier time, or a longer `phases: (faults: \"{}\")`", at_least(at));
    Err(Objection::new(path, problem, format!("times before `{end}`"), hint))
}

/// A round length of the fault phase that has room for something at `at`.
fn at_least(at: Time) -> Span {
    Span::secs(at.span().as_nanos() / 1_000_000_000 + 5)
}

fn too_many(count: u64, path: &str) -> Result<(), Objection> {
    if count <= FAULTS_MAX {
        return Ok(());
    }
    let hint = "fewer a second, or a shorter fault phase";
    Err(Objection::new(path, format!("that makes {count} faults"), format!("up to {FAULTS_MAX}"), hint))
}

fn check_random(scenario: &Scenario, random: &Random, region_count: u8) -> Result<(), Objection> {
    for name in random.rates.keys() {
        if table::find(name).is_none() {
            let names: Vec<String> = table::KINDS.iter().map(|kind| kind.about().name.to_owned()).collect();
            let problem = format!("there is no kind of fault `{name}`");
            let objection = Objection::unknown("faults.random.rates", problem, name, &names);
            return Err(objection.within(Step::Name(name.clone())));
        }
    }
    if random.concurrent_max == 0 {
        let problem = "with 0 faults at once none ever comes";
        let hint = "leave `random` out for no drawn faults";
        return Err(Objection::new("faults.random.concurrent_max", problem, "1 and more", hint));
    }
    if random.quiet() >= scenario.phases.faults.span() {
        let problem = format!(
            "faults from {} on, of at least {}, that end {} before the end do not fit into a fault phase of {}",
            random.start,
            random.duration.low(),
            random.settle,
            scenario.phases.faults
        );
        let allowed =
            "`start`, the shortest `duration` and `settle` that together are shorter than the phase";
        let hint = "a longer `phases: (faults: …)`, or a shorter `start` or `settle`";
        return Err(Objection::new("faults.random", problem, allowed, hint));
    }
    let generator = RandomFaults::of(scenario, region_count).expect("the scenario has random faults");
    too_many(generator.expected_count(), "faults.random.rates")
}
