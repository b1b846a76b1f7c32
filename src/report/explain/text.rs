//! The explanation for people.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use scenarios::explain::{
    Bracket, Explanation, Inevitability, LegalPrefix, Line, LineKind, Regression, Share, States,
    WANTED_PERCENT,
};
use scenarios::export::Clock;
use sim_core::SimTime;

use crate::sweep::{Rate, percent};
use crate::table::grouped;

const HEADING: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const FAULT: Style = AnsiColor::Yellow.on_default();
/// How wide lines are.
const WIDTH: usize = 116;
/// How far sentences of the story are indented.
const INDENT: usize = 30;
/// How many operations of a legal prefix are shown.
const LEGAL_MAX: usize = 12;
/// Longer scenarios are not shown, but written to a file if one is named.
const SCENARIO_LINES_MAX: usize = 60;
/// How wide a column of states is at most.
const CELL_WIDTH: usize = 40;

/// The whole explanation.
pub(crate) struct Text<'a> {
    pub(crate) explanation: &'a Explanation,
    /// The file with the scenario of the test, quoted for a shell, if it was written.
    pub(crate) test: Option<String>,
    /// The file with the drawing, if it was drawn.
    pub(crate) svg: Option<String>,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_failure(f)?;
        self.write_story(f)?;
        write_states(f, &self.explanation.states)?;
        if let Some(inevitable) = &self.explanation.inevitable {
            write_inevitable(f, inevitable)?;
        }
        if let Some(prefix) = &self.explanation.legal_prefix {
            write_prefix(f, prefix)?;
        }
        self.write_test(f, &self.explanation.regression)?;
        writeln!(f, "\n{} runs.", grouped(self.explanation.runs))
    }
}

impl Text<'_> {
    fn write_failure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = &self.explanation.failure;
        writeln!(f, "{BAD}{}{BAD:#} is violated", failure.property)?;
        write_wrapped(f, "  says       ", &failure.statement)?;
        write_wrapped(f, "  source     ", &failure.source)?;
        let (event, time) = (grouped(failure.event), SimTime::from_nanos(failure.at_ns));
        write_wrapped(f, "  shows      ", &format!("{time}, event {event}: {}", failure.happening))?;
        let mut lead = "  evidence   ";
        for line in evidence(self.explanation) {
            write_wrapped(f, lead, &line)?;
            lead = "             ";
        }
        Ok(())
    }

    fn write_story(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let story = &self.explanation.story;
        writeln!(f, "\n{HEADING}how it came about{HEADING:#}")?;
        // Where all are needed, there is nothing to tell apart.
        let are_some_needed = story.faults_needed < story.faults_tried;
        for line in &story.lines {
            write_line(f, line, are_some_needed && line.is_needed == Some(true))?;
        }
        let folded = story.folded_text();
        let count = grouped(story.depends_on);
        let mut told = format!("It depends on {count} events and losses; ▸ is the chain of causes.");
        if !folded.is_empty() {
            write!(told, " Not told: {folded}.")?;
        }
        if story.faults_tried > 0 {
            write!(told, " {}", needs(story.faults_tried, story.faults_needed))?;
        } else if story.fault_moments > 0 {
            let moments = grouped(story.fault_moments);
            let hint = "`splitbrain shrink` leaves those that it needs";
            write!(told, " There were faults at {moments} moments before it; {hint}.")?;
        }
        write_wrapped(f, "  ", &told)?;
        self.svg.as_ref().map_or(Ok(()), |svg| writeln!(f, "  drawn in {svg}"))
    }

    fn write_test(&self, f: &mut fmt::Formatter<'_>, regression: &Regression) -> fmt::Result {
        writeln!(f, "\n{HEADING}regression test{HEADING:#}")?;
        let Some(scenario) = &regression.scenario else {
            return writeln!(
                f,
                "  the capsule itself: the run fails no longer when it is written as a scenario"
            );
        };
        let Regression { seed, verdict, expectation, .. } = regression;
        let file = self.test.as_deref().unwrap_or("test.ron");
        writeln!(f, "  splitbrain run {file} --seed {seed}")?;
        writeln!(f, "  must end with `{verdict}`; once mended, without the line")?;
        writeln!(f, "  `{expectation}`, it must pass.")?;
        let lines = scenario.lines().count();
        if self.test.is_some() {
            return Ok(());
        }
        if lines > SCENARIO_LINES_MAX {
            return writeln!(
                f,
                "  The scenario has {} lines: `--test FILE` writes it.",
                grouped(lines as u64)
            );
        }
        writeln!(f, "  {file}:\n")?;
        scenario.lines().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// What shows the violation. How far a history is legal has a section of its own: here, what contradicts itself.
fn evidence(explanation: &Explanation) -> Vec<String> {
    let all = explanation.failure.evidence.lines();
    let Some(prefix) = &explanation.legal_prefix else { return all.map(str::to_owned).collect() };
    let of = prefix.object.as_ref().map_or_else(String::new, |object| format!(" of {object}"));
    let claim = format!("there is no order in which these operations{of} can have taken effect:");
    std::iter::once(claim).chain(prefix.contradiction.iter().cloned()).collect()
}

/// How many of the faults it needs, in a sentence.
fn needs(tried: u64, needed: u64) -> String {
    let rest = "the run does not fail so.";
    match (tried, needed) {
        (1, 1) => format!("Without the fault before it {rest}"),
        (_, 0) => {
            format!("There were faults at {tried} moments before it; it needs those of no single moment.")
        }
        (_, _) if tried == needed => {
            format!("There were faults at {tried} moments before it; without those of any one of them {rest}")
        }
        (_, _) => format!(
            "There were faults at {tried} moments before it; without those of {needed} of them, left out one at a time, \
             {rest}"
        ),
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, line: &Line, is_marked: bool) -> fmt::Result {
    let style = match line.kind {
        LineKind::Violation => BAD,
        LineKind::Fault | LineKind::Host => FAULT,
        _ => Style::new(),
    };
    let mut text = line.text.clone();
    if is_marked {
        text.push_str(" (needed)");
    }
    if line.is_turning {
        text.push_str(" (from here on nearly every future fails)");
    }
    let mark = if line.in_chain { '▸' } else { ' ' };
    let clock = match line.kind {
        LineKind::Meanwhile => String::new(),
        _ => Clock(SimTime::from_nanos(line.at_ns)).to_string(),
    };
    let lead = format!("{clock:16} {mark} {style}{:<9}{style:#}  ", line.kind.name());
    let mut begin = lead;
    for part in wrapped(&text, WIDTH - INDENT) {
        writeln!(f, "{begin}{part}")?;
        begin = " ".repeat(INDENT);
    }
    Ok(())
}

fn write_states(f: &mut fmt::Formatter<'_>, states: &States) -> fmt::Result {
    writeln!(f, "\n{HEADING}the nodes then{HEADING:#}")?;
    let text = |value: Option<&String>| value.cloned().unwrap_or_else(|| "–".to_owned());
    let number = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), |value| value.to_string());
    let heads = ["node", "host", "role", "epoch", "follows", "decided up to"].map(str::to_owned);
    let mut rows = vec![heads.to_vec()];
    rows.extend(states.nodes.iter().map(|node| {
        let (role, leader) = (text(node.role.as_ref()), text(node.leader.as_ref()));
        vec![node.node.clone(), node.power.clone(), role, number(node.epoch), leader, number(node.decided)]
    }));
    write_columns(f, &rows)?;
    if states.rows.is_empty() {
        return Ok(());
    }
    let what = if states.compared.len() > 1 { "what differs" } else { "state" };
    let mut rows = vec![std::iter::once(what.to_owned()).chain(states.compared.clone()).collect()];
    rows.extend(states.rows.iter().map(|row| {
        let values = row.values.iter().map(|value| text(value.as_ref()));
        std::iter::once(row.name.clone()).chain(values).collect::<Vec<_>>()
    }));
    writeln!(f)?;
    write_columns(f, &rows)
}

/// Rows of cells, each column as wide as it must be; long cells are cut.
fn write_columns(f: &mut fmt::Formatter<'_>, rows: &[Vec<String>]) -> fmt::Result {
    let shown = |cell: &String| -> String {
        if cell.chars().count() <= CELL_WIDTH {
            return cell.clone();
        }
        cell.chars().take(CELL_WIDTH - 1).chain(['…']).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("  {cell:<width$}"));
        writeln!(f, "{}", cells.collect::<String>().trim_end())?;
    }
    Ok(())
}

fn write_inevitable(f: &mut fmt::Formatter<'_>, inevitable: &Inevitability) -> fmt::Result {
    writeln!(f, "\n{HEADING}when it became inevitable{HEADING:#}")?;
    write_wrapped(f, "  ", &became_inevitable(inevitable))?;
    let mut rows =
        vec![["after event", "at", "fail the same way", "95 % interval"].map(str::to_owned).to_vec()];
    rows.extend(inevitable.shares.iter().map(share_row));
    write_columns(f, &rows)?;
    let samples = inevitable.samples;
    let told = format!(
        "{} runs: from each moment {samples} (half where those show too few), with the same past and plan and other \
         seeds. Nearly all: the interval, Wilson's, reaches {WANTED_PERCENT} %. Only events that the failure depends on are \
         tried: first some that are evenly spaced; between the last with fewer and the next, the event is found by halving.",
        grouped(inevitable.runs)
    );
    write_wrapped(f, "  ", &told)
}

/// With which event it became inevitable, in words.
fn became_inevitable(inevitable: &Inevitability) -> String {
    let (Some(event), Some(at), Some(happening)) =
        (inevitable.event, inevitable.at_ns, &inevitable.happening)
    else {
        let after = inevitable.bracket.map_or_else(String::new, |Bracket { above, up_to }| {
            format!(" It is one after event {}, up to {}.", grouped(above), grouped(up_to))
        });
        let why = "the search was broken off, or came to the end of its events (`--events-max`)";
        return format!("Not found: {why}.{after}");
    };
    if event == 0 {
        return "From the start: with these faults at these times, nearly all seeds fail the same way."
            .to_owned();
    }
    let (number, time) = (grouped(event), SimTime::from_nanos(at));
    let doubt = doubt(inevitable, event);
    format!(
        "With event {number} at {time}: {happening}. From then on nearly all other futures fail the same way.{doubt}"
    )
}

/// That another event near may be it as well, where the share did not rise at once.
fn doubt(inevitable: &Inevitability, event: u64) -> &'static str {
    let place = inevitable.shares.partition_point(|share| share.event < event);
    let before = place.checked_sub(1).and_then(|before| inevitable.shares.get(before));
    let rate = |share: &Share| Rate::of(share.failed, share.of);
    match before.zip(inevitable.shares.get(place)) {
        Some((before, found)) if found.event == event && rate(before).high > rate(found).low => {
            " The share rose little by little: another event near may be the answer as well."
        }
        _ => "",
    }
}

fn share_row(share: &Share) -> Vec<String> {
    let Rate { share: rate, low, high } = Rate::of(share.failed, share.of);
    vec![
        grouped(share.event),
        SimTime::from_nanos(share.at_ns).to_string(),
        format!("{} of {}, {}", share.failed, share.of, percent(rate)),
        format!("{} to {}", percent(low), percent(high)),
    ]
}

fn write_prefix(f: &mut fmt::Formatter<'_>, prefix: &LegalPrefix) -> fmt::Result {
    let of = prefix.object.as_ref().map_or_else(String::new, |object| format!(" of {object}"));
    writeln!(f, "\n{HEADING}the longest legal prefix{HEADING:#}{of}")?;
    let omitted = prefix.legal.len().saturating_sub(LEGAL_MAX);
    if omitted > 0 {
        writeln!(f, "  … {} operations before", grouped(omitted as u64))?;
    }
    prefix.legal[omitted..].iter().try_for_each(|line| writeln!(f, "  {line}"))?;
    writeln!(f, "  then: {}", prefix.state)?;
    writeln!(f, "  none of these can be next:")?;
    prefix.stuck.iter().try_for_each(|line| writeln!(f, "    {line}"))
}

/// A paragraph with something in front of its first line, and the others below that.
pub(in crate::report) fn write_wrapped(f: &mut fmt::Formatter<'_>, lead: &str, text: &str) -> fmt::Result {
    let width = lead.chars().count();
    let mut begin = lead.to_owned();
    for line in wrapped(text, WIDTH - width) {
        writeln!(f, "{begin}{line}")?;
        begin = " ".repeat(width);
    }
    Ok(())
}

/// A text in lines of at most so many letters; a longer word has its own line.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a line");
        if !line.is_empty() && line.chars().count() + word.chars().count() >= width {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 9), ["one two", "three"]);
        assert_eq!(wrapped("a-word-that-is-too-long b", 5), ["a-word-that-is-too-long", "b"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
