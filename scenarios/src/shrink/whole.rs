//! A failing run as a scenario that says all of its faults, with nothing taken away.

use sim_core::Simulation;

use super::case::{Drawing, Trial};
use super::finish::{Written, comment, failing};
use super::{Symptom, start};
use crate::capsule::Opened;
use crate::load::load;
use crate::plan::lines::Undoing;
use crate::protocol::ProtocolTable;
use crate::run::{HistoryEvidence, Report};
use crate::text::{Outline, text_with};

/// The run of a capsule as a scenario that fails the same way with the capsule's seed and expects to, as text; `None` where
/// none of the ways to write it does.
///
/// A scenario whose faults are not drawn stays as it is written. Else its faults are written out, and what clients ask too
/// where the failure needs that. `ran` is the world of the capsule, at its end.
pub(crate) fn written_out(
    opened: &Opened,
    ran: &dyn Simulation,
    symptom: &Symptom,
    table: &ProtocolTable,
    events_max: u64,
) -> Option<String> {
    let trial = Trial { table, symptom: symptom.clone(), events_max, drawing: Drawing::Nothing };
    let name = &opened.loaded.scenario.name;
    let is_drawn = opened.loaded.scenario.faults.random.is_some();
    let as_written = || as_written(opened, &trial);
    let found = if is_drawn { None } else { as_written() };
    let found = found.or_else(|| {
        let starts = start::cases(&opened.loaded, opened.capsule.seed, ran, &symptom.property, table);
        // Those that leave it to the scenario what clients ask are shorter.
        let mut ways = starts
            .drawn
            .iter()
            .chain(&starts.explicit)
            .flat_map(|case| [(case, Undoing::Beside), (case, Undoing::Apart)]);
        ways.find_map(|(case, undoing)| {
            let written = Written::of(case, &trial, &opened.loaded, name, undoing, HistoryEvidence::Whole)?;
            trial.is_same(&written.report).then_some((written.text, written.report))
        })
    });
    let (text, report) = found.or_else(as_written)?;
    let heading = format!("A failure of `{name}`: {}.", failing(&report));
    Some(format!("{}{text}\n", comment(&heading, &report)))
}

/// The scenario of the capsule as it is, but for what it expects.
fn as_written(opened: &Opened, trial: &Trial<'_>) -> Option<(String, Report)> {
    let expect = format!("expect=Violation(\"{}\")", trial.symptom.property);
    let text = text_with(opened.loaded.value_text(), &[&expect])?;
    let text = Outline::new(&text).laid_out("Scenario");
    let loaded = load("written", text.as_bytes(), &[], trial.table).ok()?;
    let report = trial.report(&loaded, opened.capsule.seed, None, HistoryEvidence::Whole);
    trial.is_same(&report).then_some((text, report))
}
