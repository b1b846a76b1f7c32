//! What a node looked like before and after, and what of it changed: from its view alone, whatever the protocol.

use std::collections::BTreeMap;
use std::ops::Range;

use sim_core::view::{Content, Part, Strip};

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
            Some((0, label)) => shortened(label),
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
            1 if is_new => changes.push(format!("{name} {} is added", now.told(first))),
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
            let told = was.told(*index);
            match now.cells.get(index) {
                Some(other) if !is_same_entry(&cell.1, &other.1) || is_of_another_epoch(cell, other) => {
                    changes.push(format!("{name} {told} is replaced by {}", now.told(*index)));
                }
                None if *index >= now.available.end => changes.push(format!("{name} {told} is removed")),
                Some(_) | None => {}
            }
        }
    }
    changes
}

/// Whether two labels are of one entry: what a log says of it may become more or less.
fn is_same_entry(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// Whether an entry of an epoch was followed by one of another epoch, not by the same one that is decided.
const fn is_of_another_epoch(was: &(u64, String), now: &(u64, String)) -> bool {
    was.0 != 0 && now.0 != 0 && was.0 != now.0
}

/// What single values changed from one view to another of the same node, a few of them.
pub(super) fn value_changes(before: &Flat, after: &Flat) -> Vec<String> {
    let changed = after.values.iter().filter_map(|(path, now)| {
        let was = before.value(path)?;
        let name = name_of(path);
        (was != now && !is_noise(name)).then(|| format!("{name} {} → {}", shortened(was), shortened(now)))
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
