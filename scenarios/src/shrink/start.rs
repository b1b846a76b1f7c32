//! From the capsule of a failure to the first case: everything that was drawn is written out.
//!
//! | way | faults | what clients ask |
//! | --- | --- | --- |
//! | 1 | as they were asked for: after events, on roles | each operation, when it was invoked |
//! | 2 | as they were: when, and on which nodes | each operation, when it was invoked |
//! | 3 | as they were asked for | as the scenario draws it |
//! | 4 | as they were | as the scenario draws it |
//!
//! Only the first two let single operations be taken away; the others are for failures that they miss.

use std::sync::Arc;

use sim_core::fault::{Command, Entry, Plan, Target, Trigger};
use sim_core::{SimTime, Simulation};

use super::case::{Case, is_operation};
use crate::load::Loaded;
use crate::plan::heal;
use crate::plan::lines::{as_it_was, instant};
use crate::protocol::ProtocolTable;
use crate::text::text_with;

/// The first cases to try, the best first.
#[derive(Default)]
pub(super) struct Starts {
    /// Those in which all operations are written out.
    pub(super) explicit: Vec<Case>,
    /// Those in which the scenario draws them.
    pub(super) drawn: Vec<Case>,
}

/// The first cases to try for a run of a scenario with a seed. `ran` is its world, at its end.
pub(super) fn cases(
    loaded: &Loaded,
    seed: u64,
    ran: &dyn Simulation,
    property: &str,
    table: &ProtocolTable,
) -> Starts {
    let scenario = loaded.configured(seed, table).scenario.clone();
    let is_heal = |entry: &Entry| {
        heal::entries(&scenario)
            .iter()
            .any(|part| part.trigger == entry.trigger && part.command == entry.command)
    };
    // Files have nothing of their own after the fault phase.
    let heal_at = scenario.phases.heal_at();
    let is_early = |entry: &Entry| entry.moment().is_none_or(|moment| moment.time < heal_at);
    let plan = ran.plan();
    let kept: Vec<&Entry> =
        plan.entries().iter().filter(|entry| !is_heal(entry) && is_early(entry)).collect();
    let concrete: Vec<Entry> = kept.iter().flat_map(|entry| as_it_was(entry)).collect();
    let faults = concrete.iter().filter(|entry| !is_operation(entry)).cloned();
    let explicit: Vec<Entry> = faults.chain(operations(ran).filter(is_early)).collect();
    let asked: Vec<Entry> = kept.iter().map(|entry| as_asked(entry)).collect();
    let faults = asked.iter().filter(|entry| !is_operation(entry)).cloned();
    let explicit_asked: Vec<Entry> = faults.chain(operations(ran).filter(is_early)).collect();

    let drawn = base(loaded, seed, property, table, &[]);
    let silent = base(loaded, seed, property, table, &["clients.operations=0"]);
    let case = |loaded: &Option<Arc<Loaded>>, entries: Vec<Entry>| {
        let entries = Plan::new(entries, Vec::new()).entries().iter().cloned().map(Arc::new).collect();
        loaded.clone().map(|loaded| Case { loaded, seed, entries })
    };
    let explicit = [case(&silent, explicit_asked), case(&silent, explicit)];
    let drawn = [case(&drawn, asked), case(&drawn, concrete)];
    Starts {
        explicit: explicit.into_iter().flatten().collect(),
        drawn: drawn.into_iter().flatten().collect(),
    }
}

/// The scenario without faults of its own and draws.
fn base(
    loaded: &Loaded,
    seed: u64,
    property: &str,
    table: &ProtocolTable,
    more: &[&str],
) -> Option<Arc<Loaded>> {
    let configured = loaded.configured(seed, table);
    let drawn: Vec<String> = configured.drawn.iter().map(ToString::to_string).collect();
    let expect = format!("expect=Violation(\"{property}\")");
    let mut set: Vec<&str> = drawn.iter().map(String::as_str).collect();
    set.extend(["draw=[]", "faults=()", "hunt=false", &expect]);
    set.extend(more);
    let text = text_with(loaded.value_text(), &set)?;
    crate::load::load("shrunk", text.as_bytes(), &[], table).ok().map(Arc::new)
}

/// What was asked for, as files can say it: there, what waits for something goes on waiting until the end.
fn as_asked(entry: &Entry) -> Entry {
    let trigger = match entry.trigger {
        Trigger::At(moment) => Trigger::at(instant(moment)),
        Trigger::After { span, event, occurrence, since, .. } => {
            Trigger::After { span, event, occurrence, since, until: SimTime::MAX }
        }
        Trigger::Before { span, node, timer, since, .. } => {
            Trigger::Before { span, node, timer, since, until: SimTime::MAX }
        }
    };
    Entry { trigger, command: entry.command.clone(), was: None }
}

/// What clients asked, each when it was invoked.
fn operations(ran: &dyn Simulation) -> impl Iterator<Item = Entry> {
    let issue = |client, operation| Command::<Target>::Issue { client, operation };
    let asked = ran.history().operations().into_iter();
    asked.map(move |done| Entry::at(done.invoked, issue(done.op.client, done.operation))).filter(is_operation)
}
