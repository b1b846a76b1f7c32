//! What a node looked like before and after, and what of it changed: from its view alone, whatever the protocol.

use std::collections::BTreeMap;
use std::ops::Range;

use sim_core::view::{Content, Part, Strip};

/// How many changes of logs are told at once.
const LOGS_MAX: usize = 3;
/// How many changes of single values are told.
const VALUES_MAX: usize = 3;
/// How long a value may be in a sentence.
const VALUE_LEN: usize = 48;

/// A view as names with values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Flat {
    /// Single values by the path to them, in the order of the view.
    pub(super) values: Vec<(String, String)>,
    /// Logs and the like, by name.
    pub(super) strips: BTreeMap<String, FlatStrip>,
}

/// A log: its cells by index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FlatStrip {
    /// All indices that there are; cells are known of the last ones.
    pub(super) available: Range<u64>,
    pub(super) cells: BTreeMap<u64, (u64, String)>,
}

impl Flat {
    pub(super) fn of(parts: &[Part]) -> Self {
        let mut flat = Self::default();
        flat.add("", parts);
        flat
    }

    fn add(&mut self, above: &str, parts: &[Part]) {
        for Part { name, content } in parts {
            let path = if above.is_empty() { name.clone() } else { format!("{above} / {name}") };
            match content {
                Content::Text(text) => self.values.push((path, text.clone())),
                Content::Number(number) => self.values.push((path, number.to_string())),
                Content::Links(links) => self.values.push((path, links.to_string())),
                Content::Group(parts) => self.add(&path, parts),
                Content::Strip(strip) => {
                    self.strips.insert(name.clone(), FlatStrip::of(strip));
                }
                // A name and a value a row say what they are; more columns do not without their heads.
                Content::Table(table) if table.columns.len() == 2 => {
                    let value = |row: &Vec<String>| (format!("{path} / {}", row[0]), row[1].clone());
                    self.values.extend(table.rows.iter().map(value));
                }
                Content::Table(_) => {}
            }
        }
    }

    /// All up to an index of the first log, in words: `all up to log 8 (epoch 16: noop)`.
    pub(super) fn up_to(&self, index: u64) -> String {
        match self.strips.first_key_value() {
            Some((name, strip)) => format!("all up to {}", strip.named(name, index)),
            // Where nothing is in a row, there is one thing to decide.
            None if index == 1 => "a value".to_owned(),
            None => format!("all up to {index}"),
        }
    }

    pub(super) fn value(&self, path: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == path).map(|(_, value)| value.as_str())
    }
}

impl FlatStrip {
    fn of(strip: &Strip) -> Self {
        let cells = strip.cells.iter().map(|cell| (cell.index, (cell.epoch, cell.label.clone())));
        Self { available: strip.available.clone(), cells: cells.collect() }
    }

    /// Whether it is known what stands at an index, be it nothing: not where a snapshot stands for it, or no cell was asked for.
    pub(super) fn is_known(&self, index: u64) -> bool {
        let first = self.cells.keys().next().copied().unwrap_or(self.available.start);
        index >= first
    }

    /// What stands at an index, in words: `log 8 (epoch 16: write k2=1)`.
    pub(super) fn named(&self, name: &str, index: u64) -> String {
        format!("{} {}", singular(name), self.told(index))
    }

    /// A cell in words: `8 (epoch 16: write k2=1)`.
    pub(super) fn told(&self, index: u64) -> String {
        if self.cells.contains_key(&index) {
            format!("{index} ({})", self.content(index))
        } else {
            index.to_string()
        }
    }

    /// What a cell holds, in words; nothing where it is not known.
    pub(super) fn content(&self, index: u64) -> String {
        match self.cells.get(&index) {
            Some((epoch, label)) if *epoch == 0 || ballot_of(label).is_some() => shortened(label),
            Some((epoch, label)) => format!("epoch {epoch}: {}", shortened(label)),
            None => String::new(),
        }
    }
}

/// What changed in logs from one view to another of the same node.
pub(super) fn log_changes(before: &Flat, after: &Flat) -> Vec<String> {
    let mut changes = losses(before, after);
    for (name, now) in &after.strips {
        let known = before.strips.get(name).map_or(0, |strip| strip.available.end);
        let first = known.max(now.available.start);
        let is_new = now.available.end > first && before.strips.contains_key(name);
        match now.available.end.saturating_sub(first) {
            0 => {}
            1 if is_new => changes.push(format!("{} is added", now.named(name, first))),
            _ if is_new => {
                changes.push(format!("{name} {first} to {} are added", now.told(now.available.end - 1)));
            }
            _ => {}
        }
    }
    changes
}

/// What is gone from logs, or is another entry now: that should not happen to what was decided.
pub(super) fn losses(before: &Flat, after: &Flat) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, was) in &before.strips {
        let Some(now) = after.strips.get(name) else { continue };
        for (index, cell) in &was.cells {
            let named = was.named(name, *index);
            match now.cells.get(index) {
                Some(other) if !is_same(cell, other) => {
                    changes.push(format!("{named} is replaced by {}", now.told(*index)));
                }
                None if *index >= now.available.end => changes.push(format!("{named} is removed")),
                Some(_) | None => {}
            }
        }
    }
    changes
}

/// A few of many changes, and how many more there are.
pub(super) fn at_most(mut changes: Vec<String>) -> Vec<String> {
    let rest = changes.split_off(changes.len().min(LOGS_MAX)).len();
    changes.extend(match rest {
        0 => None,
        1 => Some("and one more".to_owned()),
        rest => Some(format!("and {rest} more")),
    });
    changes
}

/// Whether two cells hold the same entry. What a log says of it may become more or less, and what was accepted under one
/// ballot may be proposed anew under another; but the same words of another epoch are another entry.
pub(super) fn is_same(one: &(u64, String), other: &(u64, String)) -> bool {
    if let (Some(one), Some(other)) = (ballot_of(&one.1), ballot_of(&other.1)) {
        return one.0 == other.0;
    }
    let is_one_epoch = one.0 == 0 || other.0 == 0 || one.0 == other.0;
    is_one_epoch && (one.1.starts_with(&other.1) || other.1.starts_with(&one.1))
}

/// What a label says, and the ballot behind it that it was accepted under: `noop (b2.n1)`.
fn ballot_of(label: &str) -> Option<(&str, &str)> {
    let (entry, ballot) = label.strip_suffix(')')?.rsplit_once(" (")?;
    let (round, node) = ballot.strip_prefix('b')?.split_once('.')?;
    let is_ballot = round.bytes().all(|byte| byte.is_ascii_digit()) && node.starts_with('n');
    is_ballot.then_some((entry, ballot))
}

/// One of what a strip shows: a slot of `slots`.
pub(super) fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

/// What single values a node has forgotten while it was down: who it voted for, what it accepted. How far it had come, and
/// who leads, it learns again.
pub(super) fn forgotten(before: &Flat, after: &Flat) -> Vec<String> {
    let gone = after.values.iter().filter_map(|(path, now)| {
        let was = before.value(path)?;
        let (name, is_nothing) =
            (name_of(path), |value: &str| matches!(value, "none" | "nothing" | "nobody"));
        (is_nothing(now) && !is_nothing(was)).then(|| format!("{name} {} → {now}", shortened(was)))
    });
    gone.take(VALUES_MAX).collect()
}

/// What single values changed from one view to another of the same node, a few of them; not those that only follow how far
/// it knows things to be decided, before and after.
pub(super) fn value_changes(before: &Flat, after: &Flat, decided: [u64; 2]) -> Vec<String> {
    let follows = |was: &str, now: &str| [was, now] == decided.map(|index| index.to_string());
    let changed = after.values.iter().filter_map(|(path, now)| {
        let was = before.value(path)?;
        let name = name_of(path);
        let is_told = was != now && !is_noise(name) && !follows(was, now);
        is_told.then(|| format!("{name} {} → {}", shortened(was), shortened(now)))
    });
    changed.take(VALUES_MAX).collect()
}

/// Clocks, checksums and what waits: they change all the time, and say nothing to a person.
pub(super) fn is_noise(name: &str) -> bool {
    ["clock", "chain", "waiting", "under way"].iter().any(|word| name.contains(word))
}

/// The end of a path; what is about a node says what of it.
pub(super) fn name_of(path: &str) -> &str {
    let mut ends = path.rmatch_indices(" / ").map(|(at, separator)| &path[at + separator.len()..]);
    let name = ends.next().unwrap_or(path);
    let is_node = name.strip_prefix('n').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    if is_node { ends.next().unwrap_or(path) } else { name }
}

/// At most so many letters of a value.
pub(super) fn shortened(text: &str) -> String {
    if text.chars().count() <= VALUE_LEN {
        return text.to_owned();
    }
    let begin: String = text.chars().take(VALUE_LEN - 1).collect();
    format!("{begin}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(epoch: u64, label: &str) -> (u64, String) {
        (epoch, label.to_owned())
    }

    #[test]
    fn what_is_proposed_anew_under_another_ballot_is_the_same_entry() {
        assert!(is_same(&cell(1, "c1#0 write k0=1 (b1.n2)"), &cell(2, "c1#0 write k0=1 (b2.n1)")));
        assert!(is_same(&cell(1, "noop (b1.n2)"), &cell(0, "noop")), "it is decided now");
        assert!(!is_same(&cell(1, "c1#0 write k0=1 (b1.n2)"), &cell(2, "noop (b2.n1)")));
        assert!(!is_same(&cell(1, "c1#0 write k0=1 (b1.n2)"), &cell(0, "c1#0 write k0=2")));
    }

    #[test]
    fn the_same_words_of_another_epoch_are_another_entry() {
        assert!(!is_same(&cell(3, "noop"), &cell(5, "noop")));
        assert!(is_same(&cell(3, "noop"), &cell(3, "noop, decided")));
    }

    #[test]
    fn of_many_changes_a_few_are_told_and_the_others_counted() {
        let many = |count: usize| at_most(vec!["it".to_owned(); count]);
        assert_eq!(many(3), ["it", "it", "it"]);
        assert_eq!(many(4).last().expect("there are some"), "and one more");
        assert_eq!(many(9).last().expect("there are some"), "and 6 more");
    }
}
