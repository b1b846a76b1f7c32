//! Checks of what goes wrong.

use sim_core::Span;
use sim_core::fault::{Sites, table};

use super::Objection;
use super::acts::Acts;
use crate::format::{Act, Before, Event, Periodic, Random, Scenario, Timed, When};
use crate::plan::RandomFaults;
use crate::protocol::ProtocolKind;
use crate::text::Step;
use crate::text::units::Time;

/// The most faults of a run.
const FAULTS_MAX: u64 = 1_000_000;

pub(super) fn check(scenario: &Scenario, kind: &dyn ProtocolKind) -> Result<(), Objection> {
    let acts = Acts { scenario, kind };
    for (index, timed) in scenario.faults.timed.iter().enumerate() {
        check_timed(acts, timed, &format!("faults.timed[{index}]"))?;
    }
    for (index, periodic) in scenario.faults.periodic.iter().enumerate() {
        check_periodic(acts, periodic, &format!("faults.periodic[{index}]"))?;
    }
    match &scenario.faults.random {
        Some(random) => check_random(scenario, random, kind.sites(&scenario.protocol)),
        None => Ok(()),
    }
}

fn check_timed(acts: Acts<'_>, timed: &Timed, path: &str) -> Result<(), Objection> {
    match (timed.at, timed.when, timed.before) {
        (Some(at), None, None) => within_faults(acts.scenario, at, &format!("{path}.at"))?,
        (None, Some(when), None) => check_when(acts, when, &format!("{path}.when"))?,
        (None, None, Some(before)) => check_before(acts, timed, before, path)?,
        (None, None, None) => {
            let allowed = "`at` a time, `when` something has happened or `before` a timer fires";
            let hint = "add `at: \"2s\"` or `when: (event: BecomesLeader)`";
            return Err(Objection::new(path, "the fault has no time", allowed, hint));
        }
        (at, when, _) => {
            let field = if at.is_some() && when.is_some() { "when" } else { "before" };
            let problem = "a fault comes `at` a time, `when` something has happened or `before` a timer fires, not several of these";
            return Err(Objection::new(
                &format!("{path}.{field}"),
                problem,
                "one of the three",
                "remove the others",
            ));
        }
    }
    acts.check(&timed.act, &format!("{path}.do"))?;
    check_undo(acts, timed.undo_after, timed.undo.as_ref(), &timed.act, path)
}

fn check_when(acts: Acts<'_>, when: When, path: &str) -> Result<(), Objection> {
    if when.nth == 0 {
        let problem = "occurrences count from 1";
        let hint = "write `nth: 1` for the first";
        return Err(Objection::new(&format!("{path}.nth"), problem, "1 and more", hint));
    }
    match when.event {
        Event::Reaches(point) => acts.check_point(point, &format!("{path}.event")),
        _ => Ok(()),
    }
}

fn check_before(acts: Acts<'_>, timed: &Timed, before: Before, path: &str) -> Result<(), Objection> {
    acts.check_timer(before.timer, &format!("{path}.before.timer"))?;
    acts.check_node(before.node.id(), &format!("{path}.before.node"))?;
    if timed.undo_after.is_some() {
        let problem =
            "`undo_after` counts from a time or an event, and when a timer fires is not known before";
        let hint = "write what undoes it as a fault of its own";
        return Err(Objection::new(&format!("{path}.undo_after"), problem, "`at` or `when` beside it", hint));
    }
    Ok(())
}

fn check_periodic(acts: Acts<'_>, periodic: &Periodic, path: &str) -> Result<(), Objection> {
    let scenario = acts.scenario;
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
    acts.check(&periodic.act, &format!("{path}.do"))?;
    check_undo(acts, periodic.undo_after, periodic.undo.as_ref(), &periodic.act, path)
}

fn check_undo(
    acts: Acts<'_>,
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
        (_, Some(undo)) => acts.check(undo, &format!("{path}.undo")),
        (_, None) => Ok(()),
    }
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

/// That there is a kind of fault of this name.
fn check_kind(name: &str, path: &str) -> Result<(), Objection> {
    if table::find(name).is_some() {
        return Ok(());
    }
    let names: Vec<String> = table::KINDS.iter().map(|kind| kind.about().name.to_owned()).collect();
    Err(Objection::unknown(path, format!("there is no kind of fault `{name}`"), name, &names))
}

fn check_random(scenario: &Scenario, random: &Random, sites: Sites) -> Result<(), Objection> {
    for name in random.rates.keys() {
        check_kind(name, "faults.random.rates")
            .map_err(|objection| objection.within(Step::Name(name.clone())))?;
    }
    for (place, name) in random.off.iter().enumerate() {
        check_kind(name, "faults.random.off").map_err(|objection| objection.within(Step::Index(place)))?;
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
    let generator = RandomFaults::of(scenario, sites).expect("the scenario has random faults");
    too_many(generator.expected_count(), "faults.random.rates")
}
