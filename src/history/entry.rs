//! One line of a history: a process invokes an operation, or an operation ends.

use super::item::{Item, Map};
use super::problem::Problem;

/// How an operation begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryType {
    Invoke,
    /// It happened.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// It may have happened, or may still.
    Info,
}

impl EntryType {
    /// All, in order.
    pub(crate) const NAMES: [(Self, &'static str); 4] =
        [(Self::Invoke, "invoke"), (Self::Ok, "ok"), (Self::Fail, "fail"), (Self::Info, "info")];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, other)| *other == name).map(|(it, _)| it)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(it, _)| *it == self).map_or("", |(_, name)| name)
    }
}

/// One end of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// From 1.
    pub(crate) line: usize,
    /// Who: a number, or the name of something that is no client.
    pub(crate) process: Item,
    pub(crate) kind: EntryType,
    /// Which operation.
    pub(crate) function: String,
    /// On what, where it is not part of the value.
    pub(crate) key: Option<Item>,
    pub(crate) value: Item,
    /// Nanoseconds.
    pub(crate) time: Option<u64>,
    pub(crate) error: Option<Item>,
}

impl Entry {
    /// From a map with Jepsen's keys.
    pub(crate) fn of_map(map: &Map) -> Result<Self, Problem> {
        let missing = |key: &str| {
            Problem::new(map.line, format!("this entry has no `{key}`"))
                .hint("an entry has `process`, `type`, `f` and `value`")
        };
        let name = |key: &str| map.get(key).and_then(Item::name).ok_or_else(|| missing(key));
        let type_name = name("type")?;
        let kind = EntryType::named(type_name).ok_or_else(|| unknown_type(map.line, type_name))?;
        let time = match map.get("time") {
            Some(Item::Int(time)) => u64::try_from(*time).ok(),
            _ => None,
        };
        Ok(Self {
            line: map.line,
            process: map.get("process").cloned().ok_or_else(|| missing("process"))?,
            kind,
            function: name("f")?.to_owned(),
            key: map.get("key").cloned(),
            value: map.get("value").cloned().unwrap_or(Item::Nil),
            time,
            error: map.get("error").filter(|error| **error != Item::Nil).cloned(),
        })
    }
}

pub(super) fn unknown_type(line: usize, name: &str) -> Problem {
    Problem::new(line, format!("`{name}` is no type of an entry"))
        .hint("it is `invoke`, `ok`, `fail` or `info`")
}
