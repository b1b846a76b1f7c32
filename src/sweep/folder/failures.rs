//! `failures/`: for each kind of failure a folder with a capsule and a text, the most frequent first.
//!
//! Failures are of one kind if they violate the same property and need the same families of faults for it
//! ([`needs`]). The first failures of each property are tried without each family; the others are taken to be shared out
//! alike.
//!
//! The first run of each is made again for its capsule, which is nothing but what its row says if the run is the same
//! again. What is here follows from the rows, so it is made anew whenever the sweep ends.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use rayon::prelude::*;
use scenarios::capsule::Capsule;
use scenarios::shrink::{Family, needs};
use scenarios::{ProtocolTable, Report, RunOptions};

use super::super::{Grid, Group, Rate, Row};
use crate::failure::Failure;
use crate::output::NewFile;
use crate::panics;
use crate::table::grouped;

/// More kinds of failure than this have no folder.
const GROUPS_MAX: usize = 20;
/// Failures of more properties than this are not told apart by what they need.
const PROPERTIES_MAX: usize = 20;
/// A name of a folder is cut there.
const NAME_MAX: usize = 50;

/// A failure whose run was not the same when it was made again for its capsule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unequal {
    /// What to type to see it.
    pub(crate) command: String,
    /// The digest that its row has, and the other one.
    pub(crate) digests: [String; 2],
}

/// Writes all folders. They appear together when they are complete.
pub(super) fn write(
    path: &Path,
    grid: &Grid,
    groups: &[Group],
    table: &ProtocolTable,
) -> Result<Vec<Unequal>, Failure> {
    let (place, part) = (path.join("failures"), path.join("failures.part"));
    let cannot = |error: io::Error| Failure::write_file(&place, &error);
    for old in [&part, &place] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(cannot)?;
        }
    }
    let mut unequal = Vec::new();
    for (number, kind) in (1..).zip(kinds(grid, groups, table).iter().take(GROUPS_MAX)) {
        let folder = part.join(format!("{number:02}-{}", slug(&kind.name())));
        fs::create_dir_all(&folder).map_err(cannot)?;
        unequal.extend(write_kind(&folder, grid, kind, table)?);
    }
    if part.exists() {
        fs::rename(&part, &place).map_err(cannot)?;
    }
    Ok(unequal)
}

/// Failures of one property that need the same.
struct Kind<'a> {
    group: &'a Group,
    /// Families of faults; `None` where that is not known.
    needs: Option<Vec<Family>>,
    /// Those of the first failures of the property that are of this kind.
    rows: Vec<&'a Row>,
}

impl Kind<'_> {
    /// How many failures of the sweep are of this kind, if all are shared out as the first ones are; in parts of a
    /// million, so that small shares are told apart.
    fn weight(&self) -> u128 {
        let share = self.rows.len() as u128 * 1_000_000 / self.group.first.len().max(1) as u128;
        u128::from(self.group.count) * share
    }

    /// `leader-completeness crash cut`.
    fn name(&self) -> String {
        let needs = self.needs.iter().flatten().map(|family| family.name());
        std::iter::once(self.group.cause.what.as_str()).chain(needs).collect::<Vec<_>>().join(" ")
    }
}

/// All kinds, the most frequent first.
fn kinds<'a>(grid: &Grid, groups: &'a [Group], table: &ProtocolTable) -> Vec<Kind<'a>> {
    let of_group = |(place, group): (usize, &'a Group)| {
        let rows: Vec<(&Row, Option<Vec<Family>>)> = group
            .first
            .par_iter()
            .map(|row| (row, (place < PROPERTIES_MAX).then(|| needs_of(grid, row, table)).flatten()))
            .collect();
        let mut kinds: Vec<Kind<'a>> = Vec::new();
        for (row, needs) in rows {
            match kinds.iter_mut().find(|kind| kind.needs == needs) {
                Some(kind) => kind.rows.push(row),
                None => kinds.push(Kind { group, needs, rows: vec![row] }),
            }
        }
        kinds
    };
    let mut kinds: Vec<Kind<'a>> = groups.iter().enumerate().flat_map(of_group).collect();
    kinds.sort_by_key(|kind| Reverse(kind.weight()));
    kinds
}

/// What the run of a row needs; `None` where it does not say, or its run is not the same again.
fn needs_of(grid: &Grid, row: &Row, table: &ProtocolTable) -> Option<Vec<Family>> {
    let (loaded, seed) = (&grid.configuration(row.job).loaded, grid.seed(row.job));
    let found = panics::catch(|| needs(loaded, table, seed)).ok()?;
    let (symptom, families) = found?;
    row.violation.as_ref().is_some_and(|violated| violated.property == symptom.property).then_some(families)
}

fn write_kind(
    folder: &Path,
    grid: &Grid,
    kind: &Kind<'_>,
    table: &ProtocolTable,
) -> Result<Option<Unequal>, Failure> {
    let row = kind.rows.first().expect("a kind of failure has a failure");
    let again = again(grid, row, table);
    let name = format!("seed-{}.capsule.ron", grid.seed(row.job));
    if let Ok(report) = &again {
        let loaded = &grid.configuration(row.job).loaded;
        let text = Capsule::of(loaded, report).to_text(loaded, &format!("splitbrain replay {name}"));
        NewFile::create(&folder.join(&name))?.finish(&text)?;
    }
    let capsule = again.is_ok().then_some(name.as_str());
    NewFile::create(&folder.join("README.txt"))?.finish(&text(grid, kind, row, capsule))?;
    let digest = again.map_or_else(|_| String::new(), |report| report.digest.to_string());
    let command = grid.configuration(row.job).command(grid.seed(row.job));
    Ok((digest != row.digest).then(|| Unequal { command, digests: [row.digest.clone(), digest] }))
}

/// The run of a row once more; what a panic said where no report comes of it.
fn again(grid: &Grid, row: &Row, table: &ProtocolTable) -> Result<Report, String> {
    let (loaded, seed) = (&grid.configuration(row.job).loaded, grid.seed(row.job));
    panics::catch(|| scenarios::run(loaded, table, seed, &RunOptions::default()).report)
}

/// What somebody reads who finds the folder.
fn text(grid: &Grid, kind: &Kind<'_>, row: &Row, capsule: Option<&str>) -> String {
    let group = kind.group;
    let rate = Rate::of(group.count, group.of);
    let (configuration, seed) = (grid.configuration(row.job), grid.seed(row.job));
    let mut text = format!("{}\n\n", row.text);
    let mut line =
        |name: &str, what: &str| writeln!(text, "{name:<11}{what}").expect("a string takes every text");
    line("protocol", &group.cause.protocol);
    line("failed", &format!("{} of {} runs, {rate}", grouped(group.count), grouped(group.of)));
    if let Some(needs) = &kind.needs {
        line("needs", &needs_text(needs));
        let (same, first) = (kind.rows.len(), group.first.len());
        line("", &format!("{same} of the first {first} that failed so need the same"));
    }
    line("first", &format!("seed {seed} of {}", configuration.scenario));
    for set in &configuration.set {
        line("set", set);
    }
    if let Some(violated) = &row.violation {
        let node = violated.node.as_ref().map_or_else(String::new, |node| format!(" at {node}"));
        line("where", &format!("event {}{node}", grouped(violated.event)));
        line("evidence", &violated.evidence);
    }
    if let Some(capsule) = capsule {
        line("\nreplay", &format!("splitbrain replay {capsule}"));
    }
    line("\nruns", "the first that failed so");
    for row in &kind.rows {
        line("", &grid.configuration(row.job).command(grid.seed(row.job)));
    }
    text
}

/// `crash, cut`: without one of these the run does not fail so.
fn needs_text(needs: &[Family]) -> String {
    if needs.is_empty() {
        return "no fault".to_owned();
    }
    needs.iter().map(|family| family.name()).collect::<Vec<_>>().join(", ")
}

/// A cause as the name of a folder: small letters, digits and dashes.
pub(crate) fn slug(cause: &str) -> String {
    let letters = cause
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' });
    let mut slug = String::new();
    for letter in letters.filter(char::is_ascii) {
        if letter != '-' || !slug.ends_with('-') {
            slug.push(letter);
        }
    }
    slug.truncate(NAME_MAX);
    slug.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_becomes_a_name_that_every_disk_takes() {
        assert_eq!(slug("leader-completeness"), "leader-completeness");
        assert_eq!(slug("panic: term went from # to # (at src/a.rs)"), "panic-term-went-from-to-at-src-a-rs");
        assert!(slug(&"é/long ".repeat(50)).len() <= NAME_MAX);
    }
}
