//! The smallest run as files: a scenario that reads as if somebody had written it, and a capsule.

use std::fmt::Write as _;
use std::sync::Arc;

use ron::ser::PrettyConfig;
use sim_core::fault::{Entry, Trigger};
use sim_core::network::PartitionId;
use sim_core::{SimTime, Span};

use super::case::{Case, Trial, partitions, text_with};
use super::{Shrinker, Size};
use crate::capsule::Capsule;
use crate::format::{Act, Before, Event, Timed, When};
use crate::load::{Loaded, load};
use crate::plan::heal;
use crate::run::{HistoryEvidence, PANIC, Report};
use crate::text::units::{NodeName, PointName, Time};
use crate::text::{Outline, Path, ron_options};

/// Writing to a string cannot fail.
const WRITES: &str = "a string takes every text";
/// How wide comments are.
const WIDTH: usize = 110;

/// The smallest run that was found.
#[derive(Debug)]
pub struct Shrunk {
    /// The scenario as a file, with a comment that says what it is.
    pub scenario_text: String,
    /// The same, loaded.
    pub loaded: Loaded,
    /// Its run.
    pub capsule: Capsule,
    /// How large the run was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// How many runs that took.
    pub runs: u64,
}

impl Shrunk {
    /// Which of two is smaller: by what happens from outside, then by how long it takes.
    pub(super) const fn weight(&self) -> (u64, u64) {
        (self.after.faults + self.after.operations, self.after.events)
    }

    /// Whether nine in ten of what happened from outside are gone, or hardly anything is left.
    pub(super) const fn is_small(&self) -> bool {
        let before = self.before.faults + self.before.operations;
        self.weight().0 * 10 <= before || self.is_tiny()
    }

    /// Whether hardly anything is left of what happened from outside.
    pub(super) const fn is_tiny(&self) -> bool {
        self.weight().0 <= 20
    }
}

/// Where what undoes an act stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undoing {
    /// With the act: `undo_after`.
    Beside,
    /// On a line of its own.
    Apart,
}

/// A case as a file, and its run.
pub(super) struct Written {
    /// The scenario, with its faults in it.
    pub(super) text: String,
    /// The same, loaded.
    pub(super) loaded: Loaded,
    /// Its run.
    pub(super) report: Report,
}

impl Written {
    /// Writes a case down, reads that and runs it; `None` where that is no valid scenario. `first` says how long it has to
    /// converge.
    pub(super) fn of(
        case: &Case,
        trial: &Trial<'_>,
        first: &Loaded,
        name: &str,
        undoing: Undoing,
        evidence: HistoryEvidence,
    ) -> Option<Self> {
        let timed = timed(&case.entries, undoing)?;
        let text = text_with(
            &with_convergence_of(first.value_text(), case.loaded.value_text())?,
            &[
                &format!("faults={}", faults_text(&timed)),
                &format!("name=\"{name}\""),
                &format!("summary=\"violates {}\"", trial.symptom.property),
            ],
        )?;
        let text = laid_out(&text);
        let loaded = load("shrunk.ron", text.as_bytes(), &[], trial.table).ok()?;
        let report = trial.report(&loaded, case.seed, None, evidence);
        Some(Self { text, loaded, report })
    }
}

impl Shrinker<'_, '_> {
    /// Writes the best case down as it reads best, and runs that; `None` where it does not fail then.
    pub(super) fn finish(&mut self, first: &Report) -> Option<Shrunk> {
        let name = format!("{}-shrunk", base_name(&self.best.loaded.scenario.name));
        let mut ways = [Undoing::Beside, Undoing::Apart].into_iter();
        let Written { text, loaded, report } = ways.find_map(|undoing| {
            self.spent.runs += 1;
            let written =
                Written::of(&self.best, self.trial, self.first, &name, undoing, HistoryEvidence::Whole)?;
            self.trial.is_same(&written.report).then_some(written)
        })?;
        let heading = format!(
            "The smallest run found of a failure of `{}`: {}.",
            self.first.scenario.name,
            failing(&report)
        );
        let comment = comment(&heading, &report);
        let size = |loaded: &Loaded, report: &Report| {
            let scenario = loaded.configured(report.seed, self.trial.table).scenario.clone();
            Size::of(report, scenario.clients.total(), heal::entries(&scenario).len())
        };
        Some(Shrunk {
            scenario_text: format!("{comment}{text}\n"),
            capsule: Capsule::of(&loaded, &report),
            before: size(self.first, first),
            after: size(&loaded, &report),
            runs: self.spent.runs,
            loaded,
        })
    }
}

/// The name of a scenario before it was shrunk.
fn base_name(name: &str) -> &str {
    name.strip_suffix("-shrunk").unwrap_or(name)
}

/// The text with as much time to converge as the first had, which candidates have not.
fn with_convergence_of(first: &str, text: &str) -> Option<String> {
    let path = Path::parse("phases.convergence")?;
    match Outline::new(first).find(&path) {
        Some(found) => text_with(text, &[&format!("{path}={}", &first[found.value])]),
        None => Outline::new(text).without(&path).or_else(|| Some(text.to_owned())),
    }
}

/// Entries as a scenario has them. `None` where one cannot be written.
fn timed(entries: &[Arc<Entry>], undoing: Undoing) -> Option<Vec<Timed>> {
    let acts = acts(entries)?;
    let mut is_undoing = vec![false; entries.len()];
    let mut all = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if is_undoing[index] {
            continue;
        }
        let later =
            (index + 1..entries.len()).filter(|later| undoing == Undoing::Beside && !is_undoing[*later]);
        let undone = acts[index].opposite().and_then(|opposite| {
            let mut undoing = later.filter(|later| acts[*later] == opposite);
            undoing.find_map(|later| Some((later, after(entry.trigger, entries[later].trigger)?)))
        });
        if let Some((later, _)) = undone {
            is_undoing[later] = true;
        }
        let undo_after = undone.map(|(_, after)| after.into());
        all.push(at_trigger(entry.trigger, acts[index].clone(), undo_after));
    }
    Some(all)
}

fn acts(entries: &[Arc<Entry>]) -> Option<Vec<Act>> {
    let partitions = partitions(entries);
    // As wide as the last, so that the alphabet has them in this order.
    let width = partitions.len().to_string().len();
    let name = |partition: PartitionId| match partitions.iter().position(|known| *known == partition) {
        Some(index) if partitions.len() > 1 => format!("split-{:0width$}", index + 1),
        _ => "split".to_owned(),
    };
    entries.iter().map(|entry| Act::of(&entry.command, &name)).collect()
}

/// An act at the time of a trigger.
fn at_trigger(trigger: Trigger, act: Act, undo_after: Option<Time>) -> Timed {
    let time = |time: SimTime| Span::nanos(time.as_nanos()).into();
    let plain = Timed { at: None, when: None, before: None, act, undo_after, undo: None };
    match trigger {
        Trigger::At(moment) => Timed { at: Some(time(moment.time)), ..plain },
        Trigger::After { span, event, occurrence, since, .. } => {
            let (event, delay, since) = (Event::of(event), span.into(), time(since));
            Timed { when: Some(When { event, nth: occurrence, delay, since }), ..plain }
        }
        Trigger::Before { span, node, timer, since, .. } => {
            let (timer, node) = (PointName::new(timer), NodeName::new(node));
            let (by, since) = (span.into(), time(since));
            Timed { before: Some(Before { timer, node, by, since }), ..plain }
        }
    }
}

/// How long one comes after the other, if they count from the same.
fn after(one: Trigger, other: Trigger) -> Option<Span> {
    match (one, other) {
        (Trigger::At(one), Trigger::At(other)) => Some(other.time.since(one.time)),
        (
            Trigger::After { span, event, occurrence, since, .. },
            Trigger::After { span: later, event: same, occurrence: nth, since: start, .. },
        ) => (event == same && occurrence == nth && since == start && later >= span)
            .then(|| later.saturating_sub(span)),
        (Trigger::At(_), Trigger::After { .. })
        | (Trigger::After { .. }, Trigger::At(_))
        | (Trigger::Before { .. }, _)
        | (_, Trigger::Before { .. }) => None,
    }
}

/// `(timed: […])`, a line each.
fn faults_text(timed: &[Timed]) -> String {
    let options = ron_options();
    let on_a_line = PrettyConfig::default().compact_structs(true).compact_arrays(true).compact_maps(true);
    let mut text = "(timed: [\n".to_owned();
    for one in timed {
        let line = options.to_string_pretty(one, on_a_line.clone()).expect("a fault is plain data");
        writeln!(text, "        {line},").expect(WRITES);
    }
    text + "    ])"
}

/// A field a line, in the order written.
pub(super) fn laid_out(text: &str) -> String {
    let mut all = "Scenario(\n".to_owned();
    for (name, value) in Outline::new(text).top_fields() {
        writeln!(all, "    {name}: {value},").expect(WRITES);
    }
    all + ")"
}

/// How a run fails, in words, whether or not its scenario expects that.
pub(super) fn failing(report: &Report) -> String {
    let seed = report.seed;
    match report.violations.first().map(|first| first.property.as_str()) {
        None | Some(PANIC) => format!("with seed {seed} a process panics"),
        Some(property) => format!("with seed {seed} it violates {property}"),
    }
}

/// What the file is.
pub(super) fn comment(heading: &str, report: &Report) -> String {
    let evidence = report.violations.first().map(|first| first.evidence.as_str()).unwrap_or_default();
    let mut text = String::new();
    for paragraph in std::iter::once(heading).chain(evidence.lines()) {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.len() + word.len() + 1 > WIDTH {
                writeln!(text, "// {line}").expect(WRITES);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        writeln!(text, "// {line}").expect(WRITES);
    }
    text
}
