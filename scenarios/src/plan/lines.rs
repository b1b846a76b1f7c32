//! A plan as the timed faults of a scenario, as somebody could have written them.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use ron::ser::PrettyConfig;
use serde::Serialize;
use sim_core::fault::{Command, Entry, Moment, Shape, Target, Trigger};
use sim_core::network::PartitionId;
use sim_core::{SimTime, Span};

use crate::format::{Act, Before, Event, Timed, When};
use crate::text::ron_options;
use crate::text::units::{NodeName, PointName, Time};

/// Writing to a string cannot fail.
const WRITES: &str = "a string takes every text";

/// Where what undoes an act stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undoing {
    /// With the act: `undo_after`.
    Beside,
    /// On a line of its own.
    Apart,
}

/// Entries as a scenario has them; `name` gives the names of partitions. `None` where one cannot be written.
pub(crate) fn timed(
    entries: &[impl Borrow<Entry>],
    undoing: Undoing,
    name: &dyn Fn(PartitionId) -> String,
) -> Option<Vec<Timed>> {
    let act = |entry: &Entry| Act::of(&entry.command, name);
    let acts: Vec<Act> = entries.iter().map(|entry| act(entry.borrow())).collect::<Option<_>>()?;
    let mut is_undoing = vec![false; entries.len()];
    let mut all = Vec::new();
    for (index, entry) in entries.iter().map(Borrow::borrow).enumerate() {
        if is_undoing[index] {
            continue;
        }
        let later =
            (index + 1..entries.len()).filter(|later| undoing == Undoing::Beside && !is_undoing[*later]);
        let undone = acts[index].opposite().and_then(|opposite| {
            let mut undoing = later.filter(|later| acts[*later] == opposite);
            undoing.find_map(|later| Some((later, after(entry.trigger, entries[later].borrow().trigger)?)))
        });
        if let Some((later, _)) = undone {
            is_undoing[later] = true;
        }
        let undo_after = undone.map(|(_, after)| after.into());
        all.push(at_trigger(entry.trigger, acts[index].clone(), undo_after));
    }
    Some(all)
}

/// The names `split`, or `split-1`, `split-2`, … of the partitions of these entries.
pub(crate) fn split_names(entries: &[impl Borrow<Entry>]) -> impl Fn(PartitionId) -> String {
    let partitions = partitions(entries);
    // As wide as the last, so that the alphabet has them in this order.
    let width = partitions.len().to_string().len();
    move |partition| match partitions.iter().position(|known| *known == partition) {
        Some(index) if partitions.len() > 1 => format!("split-{:0width$}", index + 1),
        _ => "split".to_owned(),
    }
}

/// An act at the time of a trigger.
pub(crate) fn at_trigger(trigger: Trigger, act: Act, undo_after: Option<Time>) -> Timed {
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
pub(crate) fn faults_text(timed: &[Timed]) -> String {
    let mut text = "(timed: [\n".to_owned();
    for one in timed {
        writeln!(text, "        {},", on_a_line(one)).expect(WRITES);
    }
    text + "    ])"
}

/// A value of a scenario as its files have it, on a line.
pub(crate) fn on_a_line(value: &impl Serialize) -> String {
    let style = PrettyConfig::default().compact_structs(true).compact_arrays(true).compact_maps(true);
    ron_options().to_string_pretty(value, style).expect("what scenarios hold is plain data")
}

/// What stood between two events of an instant comes right after the instant: files have no words for less.
pub(crate) fn instant(moment: Moment) -> SimTime {
    if moment.after_events == 0 { moment.time } else { moment.time + Span::nanos(1) }
}

/// What an entry turned out to be, if it happened.
pub(crate) fn as_it_was(entry: &Entry) -> Vec<Entry> {
    let Some(was) = &entry.was else { return Vec::new() };
    let time = instant(was.moment);
    was.commands.iter().map(|command| Entry::at(time, tidy(Command::<Target>::from(command)))).collect()
}

/// Two roles may have been one node, which then stands in a group twice.
fn tidy(mut command: Command<Target>) -> Command<Target> {
    if let Command::Partition { shape: Shape::Groups(groups), .. } = &mut command {
        for group in groups {
            group.sort_unstable();
            group.dedup();
        }
    }
    command
}

/// The partitions that are made or healed.
pub(crate) fn partitions(entries: &[impl Borrow<Entry>]) -> BTreeSet<PartitionId> {
    let partition = |entry: &Entry| match entry.command {
        Command::Partition { name, .. } | Command::HealPartition(name) => Some(name),
        _ => None,
    };
    entries.iter().map(Borrow::borrow).filter_map(partition).collect()
}
