//! The ablation for people.

use std::fmt;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::{Cause, Document, Setting};
use crate::report::compare::{runs_a_second, share_change};
use crate::report::explain::write_wrapped;
use crate::sweep::Rate;
use crate::table::{Align, Table, grouped, lasting, threads};

const HEADING: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const BOLD: Style = Style::new().bold();
/// More causes are counted, not shown.
const CAUSES_SHOWN: usize = 20;

/// What is printed before the runs.
pub(crate) struct Heading<'a> {
    pub(crate) setting: &'a Setting<'a>,
    pub(crate) threads: usize,
}

/// What is printed after them.
pub(crate) struct Body<'a> {
    pub(crate) document: &'a Document,
    pub(crate) events: u64,
    pub(crate) simulated_ns: u128,
    /// How long it took on the wall.
    pub(crate) elapsed: Duration,
}

impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { with, kinds, seeds } = self.setting;
        let set = if with.set.is_empty() { String::new() } else { format!(" with {}", with.set.join(" ")) };
        writeln!(f, "{BOLD}ablate{BOLD:#}     {}{set}", with.scenario)?;
        let runs = (seeds.end - seeds.start) * (kinds.len() as u64 + 1);
        let threads = threads(self.threads);
        writeln!(
            f,
            "{BOLD}seeds{BOLD:#}      {}..{}, each with all kinds of fault and without each of {}: {} runs on {threads}",
            seeds.start,
            seeds.end,
            kinds.len(),
            grouped(runs)
        )
    }
}

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Document { seeds, failures, rate, rate_low, rate_high, .. } = self.document;
        let rate = Rate { share: *rate, low: *rate_low, high: *rate_high };
        writeln!(f, "\n{BOLD}failures{BOLD:#}   {} of {} runs, {rate}", grouped(*failures), grouped(*seeds))?;
        write_kinds(f, self.document)?;
        write_causes(f, &self.document.causes)?;
        self.write_end(f)
    }
}

fn write_kinds(f: &mut fmt::Formatter<'_>, document: &Document) -> fmt::Result {
    if document.kinds.iter().all(|kind| kind.failures + kind.needed == 0) {
        return writeln!(f, "           without any kind of fault as well: there was nothing to find");
    }
    let right = Align::Right;
    let mut table = Table::new([Align::Left, right, right, right, right, right, Align::Left, Align::Left]);
    table.row(["kind", "needed by", "failures", "new", "change", "95 %: from", "to", ""]);
    for kind in &document.kinds {
        let [difference, low, high] = [kind.difference, kind.low, kind.high].map(share_change);
        let needed = format!("{} of {}", grouped(kind.needed), grouped(document.failures));
        let mark = if kind.differs { "differs" } else { "" };
        let (failures, new) = (grouped(kind.failures), grouped(kind.new));
        table.row([kind.name.to_owned(), needed, failures, new, difference, low, high, mark.to_owned()]);
    }
    write!(f, "\n{HEADING}without one kind of fault{HEADING:#}\n{table}")?;
    match document.kinds.iter().filter(|kind| kind.differs).count() {
        0 => writeln!(f, "  No rate is shown to differ (Holm, 5 %)."),
        _ => {
            writeln!(f, "  That even one rate marked `differs` does not has a chance of at most 5 % (Holm).")
        }
    }
}

fn write_causes(f: &mut fmt::Formatter<'_>, causes: &[Cause]) -> fmt::Result {
    if causes.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{BAD}what failures need{BAD:#}")?;
    for cause in causes.iter().take(CAUSES_SHOWN) {
        let Cause { verdict, what, count, seed, needs, none, .. } = cause;
        let what = what.trim_start_matches("panic: ");
        let runs = if *count == 1 { "1 run".to_owned() } else { format!("{} runs", grouped(*count)) };
        writeln!(f, "  {verdict}: {what}, {runs}, first with seed {seed}")?;
        let needs = needs.iter().map(|need| format!("{} ({})", need.kind, grouped(need.count)));
        let none = (*none > 0).then(|| format!("no single kind ({})", grouped(*none)));
        write_wrapped(f, "      ", &needs.chain(none).collect::<Vec<_>>().join(", "))?;
        writeln!(f, "      {}", cause.replay)?;
    }
    match causes.len().saturating_sub(CAUSES_SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "  … and {more} more kinds of failure; `--format json` has all"),
    }
}

impl Body<'_> {
    fn write_end(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Document { seeds, is_complete, seeds_from, seeds_to, kinds, .. } = self.document;
        let of = if *is_complete {
            String::new()
        } else {
            format!(" of {}: interrupted", grouped(seeds_to - seeds_from))
        };
        writeln!(f, "\n{BOLD}done{BOLD:#}       {} seeds{of}", grouped(*seeds))?;
        let rate = runs_a_second(seeds * (kinds.len() as u64 + 1), self.elapsed);
        let (simulated, elapsed) = (lasting(self.simulated_ns), lasting(self.elapsed.as_nanos()));
        writeln!(
            f,
            "{BOLD}time{BOLD:#}       {simulated} simulated in {elapsed}: {rate} runs a second, {} events",
            grouped(self.events)
        )
    }
}
