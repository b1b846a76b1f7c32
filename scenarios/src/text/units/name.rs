//! Names of nodes and clients, lists of them, and seed ranges.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::de::{Error, SeqAccess, Visitor};
use sim_core::{ClientId, NodeId};

use super::UnitError;
use super::text_form::text_form;

/// Ids are 31 bits wide.
const NAMES_MAX: u32 = 1 << 31;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $id:ident, $letter:literal, $title:literal, $allowed:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($id);

        impl $name {
            /// The name of `id`.
            pub const fn new(id: $id) -> Self {
                Self(id)
            }

            /// The id as the engine's type, from 0.
            pub const fn id(self) -> $id {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = UnitError;

            fn from_str(text: &str) -> Result<Self, UnitError> {
                let index = index_of(text, $letter).map_err(|problem| {
                    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
                    let meant = index_of(&format!("{}{digits}", $letter), $letter).unwrap_or(0);
                    UnitError::new(problem, $allowed, &$name($id::new(meant)).to_string())
                })?;
                Ok(Self($id::new(index)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        text_form!($name, $title, $pattern, [concat!($letter, "1")]);
    };
}

name!(
    /// A node as people name it, from 1: `"n1"`.
    NodeName, NodeId, 'n', "a node: n1, n2, …", "`n1`, `n2`, …", r"^n[1-9]\d*$"
);
name!(
    /// A client as people name it, from 1: `"c2"`.
    ClientName, ClientId, 'c', "a client: c1, c2, …", "`c1`, `c2`, …", r"^c[1-9]\d*$"
);

/// The index, from 0, of a name that is `letter` and a number from 1; or what is wrong with it.
fn index_of(text: &str, letter: char) -> Result<u32, String> {
    let digits = text.strip_prefix(letter).filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
    let Some(digits) = digits else {
        return Err(format!("`{text}` is not a name with `{letter}` and a number"));
    };
    match digits.parse::<u32>() {
        Ok(0) => Err(format!("`{text}` does not exist: names count from 1")),
        Ok(number) if digits.starts_with('0') => Err(format!("`{text}` is written `{letter}{number}`")),
        Ok(number) if number <= NAMES_MAX => Ok(number - 1),
        Ok(_) | Err(_) => {
            Err(format!("`{text}` is not a name with `{letter}` and a number up to {NAMES_MAX}"))
        }
    }
}

/// Distinct nodes in the order written: `"n1, n3"` or `["n1", "n3"]`; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeList {
    /// No two are equal.
    nodes: Vec<NodeId>,
}

impl NodeList {
    /// The nodes, in the order written.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Adds a node that is not yet in the list.
    fn push(&mut self, name: NodeName) -> Result<(), UnitError> {
        if self.nodes.contains(&name.id()) {
            let hint = format!("name `{name}` once");
            return Err(UnitError {
                problem: format!("`{name}` is listed twice"),
                allowed: "distinct nodes",
                hint,
            });
        }
        self.nodes.push(name.id());
        Ok(())
    }
}

impl FromStr for NodeList {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let mut list = Self::default();
        for name in text.split(',').map(str::trim).filter(|_| !text.trim().is_empty()) {
            list.push(name.parse()?)?;
        }
        Ok(list)
    }
}

impl fmt::Display for NodeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, node) in self.nodes.iter().enumerate() {
            write!(f, "{}{node}", if position == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl serde::Serialize for NodeList {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.nodes.iter().map(|node| NodeName::new(*node)))
    }
}

impl<'de> serde::Deserialize<'de> for NodeList {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeListVisitor)
    }
}

struct NodeListVisitor;

impl<'de> Visitor<'de> for NodeListVisitor {
    type Value = NodeList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of nodes such as `[\"n1\", \"n3\"]`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<NodeList, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NodeList, A::Error> {
        let mut list = NodeList::default();
        while let Some(name) = items.next_element()? {
            list.push(name).map_err(A::Error::custom)?;
        }
        Ok(list)
    }
}

impl schemars::JsonSchema for NodeList {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NodeList".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let name = generator.subschema_for::<NodeName>();
        schemars::json_schema!({
            "description": "distinct nodes, as a list or as text with commas",
            "oneOf": [{ "type": "array", "items": name, "uniqueItems": true }, { "type": "string" }],
            "examples": [["n1", "n3"]],
        })
    }
}

/// Seeds from `start` up to, not including, `end`: `"0..100"` is 100 seeds. Equal ends are no seed at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedRange {
    /// Starts at or below its end.
    seeds: Range<u64>,
}

impl SeedRange {
    /// The seeds, to iterate over.
    pub fn seeds(&self) -> Range<u64> {
        self.seeds.clone()
    }
}

impl FromStr for SeedRange {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        const ALLOWED: &str = "two numbers, the second excluded, such as `0..100`";
        let error = |problem, instead: &str| Err(UnitError::new(problem, ALLOWED, instead));
        if let Some(next) = text.parse::<u64>().ok().and_then(|seed| seed.checked_add(1)) {
            return error(format!("`{text}` is one seed, not a range"), &format!("{text}..{next}"));
        }
        let ends = text.split_once("..").and_then(|(start, end)| Some((number(start)?, number(end)?)));
        match ends {
            Some((start, end)) if start <= end => Ok(Self { seeds: start..end }),
            Some((start, end)) => {
                error(format!("`{text}` ends before it begins"), &format!("{end}..{start}"))
            }
            None => error(format!("`{text}` is not a seed range"), "0..100"),
        }
    }
}

/// Digits only: the sign that `u64` would accept is refused.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for SeedRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.seeds.start, self.seeds.end)
    }
}

text_form!(SeedRange, "seeds, the end excluded", r"^\d+\.\.\d+$", ["0..100"]);
